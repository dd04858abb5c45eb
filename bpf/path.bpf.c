/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Paths: from a dentry up to a root, and folding as text. Both write from the end of work.path
 * backwards, component by component, so that nothing is moved twice.
 */
#include "probe.h"

struct walk {
    __u64 dentry, mnt, mnt_root;
    __u64 root_dentry, root_mnt;
    __u32 off;
    __u32 done;
};

/* One component, or one mount crossed. 1: the walk ends; `done` tells if it reached a root. */
static long walk_step(__u32 i, struct walk *k)
{
    struct work *w = work_get();
    struct qstr name;
    __u64 parent;
    __u32 off, len;

    if (!w || (k->dentry == k->root_dentry && k->mnt == k->root_mnt)) {
        k->done = 1;
        return 1;
    }
    parent = (__u64)KREAD(struct dentry, k->dentry, d_parent);
    if (k->dentry == k->mnt_root || k->dentry == parent) {
        __u64 self = k->mnt - bpf_core_field_offset(struct mount, mnt);
        __u64 up = (__u64)KREAD(struct mount, self, mnt_parent);

        if (up == self || k->dentry != k->mnt_root) {
            k->done = 1;
            return 1;
        }
        k->dentry = (__u64)KREAD(struct mount, self, mnt_mountpoint);
        k->mnt = up + bpf_core_field_offset(struct mount, mnt);
        k->mnt_root = (__u64)KREAD(struct vfsmount, k->mnt, mnt_root);
        return 0;
    }
    name.len = KREAD(struct dentry, k->dentry, d_name.len);
    name.name = KREAD(struct dentry, k->dentry, d_name.name);
    len = name.len & 0xff;
    if (k->off < len + 1)
        return 1;
    off = k->off - len - 1;
    k->off = off;
    off &= PATH_CAP - 1;
    w->path[off] = '/';
    bpf_probe_read_kernel(w->path + off + 1, len, name.name);
    k->dentry = parent;
    return 0;
}

__attribute__((noinline)) int path_build(__u64 dentry, __u64 vfsmount, __u64 root_dentry,
                                         __u64 root_mnt)
{
    struct work *w = work_get();
    struct walk k = {.dentry = dentry,
                     .mnt = vfsmount,
                     .root_dentry = root_dentry,
                     .root_mnt = root_mnt};

    if (!w)
        return 0;
    k.mnt_root = (__u64)KREAD(struct vfsmount, vfsmount, mnt_root);
    k.off = untold(w, PATH_CAP);
    k.done = untold(w, 0);
    bpf_loop(PATH_CAP, walk_step, &k, 0);
    if (!k.done || k.off == 0)
        return 0;
    if (k.off == PATH_CAP) {
        w->path[PATH_CAP - 1] = '/';
        return 1;
    }
    return (int)(PATH_CAP - k.off);
}

struct fold {
    __u32 len;  /* of the text */
    __u32 end;  /* of the component that is being looked for, exclusive */
    __u32 skip; /* components that `..` behind them takes away */
    __u32 off;
    __u32 cut;
};

static long fold_step(__u32 i, struct fold *f)
{
    struct work *w = work_get();
    __u32 at = f->len - 1 - i, from = at + 1, n, off;

    if (!w)
        return 1;
    if (w->fold[at & (2 * PATH_CAP - 1)] != '/')
        return 0;
    n = f->end - from;
    f->end = at;
    from &= 2 * PATH_CAP - 1;
    if (n == 0 || (n == 1 && w->fold[from] == '.'))
        return 0;
    if (n == 2 && w->fold[from] == '.' && w->fold[(from + 1) & (2 * PATH_CAP - 1)] == '.') {
        f->skip++;
        return 0;
    }
    if (f->skip) {
        f->skip--;
        return 0;
    }
    if (n >= PATH_CAP || f->off < n + 1) {
        f->cut = 1;
        return 1;
    }
    off = f->off - n - 1;
    f->off = off;
    off &= PATH_CAP - 1;
    n &= PATH_CAP - 1;
    w->path[off] = '/';
    bpf_probe_read_kernel(w->path + off + 1, n, w->fold + from);
    return 0;
}

__attribute__((noinline)) int path_fold(__u32 len)
{
    struct work *w = work_get();
    struct fold f;

    if (!w || len == 0 || len > 2 * PATH_CAP)
        return 0;
    f.len = f.end = untold(w, len);
    f.skip = f.cut = untold(w, 0);
    f.off = untold(w, PATH_CAP);
    bpf_loop(len, fold_step, &f, 0);
    if (f.cut || f.off == 0)
        return 0;
    if (f.off == PATH_CAP) {
        w->path[PATH_CAP - 1] = '/';
        return 1;
    }
    return (int)(PATH_CAP - f.off);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
