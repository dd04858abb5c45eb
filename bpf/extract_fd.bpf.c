/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a struct file says: the kind of the event's descriptor, and paths from a dentry up to a
 * root. These run for nearly every event that a rule looks into, so they read through casts
 * (kernel.h).
 */
#include "path_sketch.h"
#include "place.h"
#include "same_open.h"
#include "extract_sock.h"
#include "state_live.h"

/* ---- paths ---- */

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
        if (k->dentry == k->mnt_root && cross_mount(&k->dentry, &k->mnt, &k->mnt_root))
            return 0;
        k->done = 1;
        return 1;
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

/* Written from the end of work.path backwards, component by component. */
__attribute__((noinline)) int path_build(__u64 dentry, __u64 vfsmount, __u32 rooted)
{
    struct work *w = work_get();
    struct walk k = {.dentry = dentry, .mnt = vfsmount};

    if (!w)
        return 0;
    if (rooted) {
        __u64 fs = (__u64)KREAD(struct task_struct, bpf_get_current_task_btf(), fs);

        k.root_dentry = (__u64)KREAD(struct fs_struct, fs, root.dentry);
        k.root_mnt = (__u64)KREAD(struct fs_struct, fs, root.mnt);
    }
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

/* ---- FD ---- */

__attribute__((noinline)) __u64 file_of_fd(__s64 fd)
{
    return fd_file((__u64)bpf_get_current_task_btf(), fd);
}

/* Eight bytes of a name as one number, to compare with. */
#define WORD8(a, b, c, d, e, f, g, h)                                                              \
    ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 |       \
     (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

static __always_inline __u32 type_of_anon(__u64 dentry)
{
    __u64 name = 0;

    bpf_probe_read_kernel_str(&name, sizeof(name), KREAD(struct dentry, dentry, d_name.name));
    switch (name) { /* seven bytes and a NUL */
    case WORD8('[', 'e', 'v', 'e', 'n', 't', 'f', 0):
        return FDT_EVENT;
    case WORD8('[', 'e', 'v', 'e', 'n', 't', 'p', 0):
        return FDT_EPOLL;
    case WORD8('i', 'n', 'o', 't', 'i', 'f', 'y', 0):
        return FDT_INOTIFY;
    case WORD8('[', 't', 'i', 'm', 'e', 'r', 'f', 0):
        return FDT_TIMER;
    case WORD8('[', 's', 'i', 'g', 'n', 'a', 'l', 0):
        return FDT_SIGNAL;
    case WORD8('[', 'u', 's', 'e', 'r', 'f', 'a', 0):
        return FDT_USERFAULT;
    case WORD8('[', 'i', 'o', '_', 'u', 'r', 'i', 0):
        return FDT_IO_URING;
    case WORD8('[', 'p', 'i', 'd', 'f', 'd', ']', 0):
        return FDT_PIDFD;
    case WORD8('b', 'p', 'f', '-', 'm', 'a', 'p', 0):
    case WORD8('b', 'p', 'f', '-', 'p', 'r', 'o', 0):
    case WORD8('b', 'p', 'f', '-', 'l', 'i', 'n', 0):
    case WORD8('b', 'p', 'f', '_', 'l', 'i', 'n', 0):
        return FDT_BPF;
    }
    return FDT_UNKNOWN;
}

/* A bound or listening socket that has no peer is the server's kind in the language's table. */
static __always_inline __u32 type_of_socket(__u64 sk)
{
    switch (KREAD(struct sock, sk, __sk_common.skc_family)) {
    case AF_INET:
        return FDT_IPV4;
    case AF_INET6:
        return FDT_IPV6;
    case AF_UNIX:
        return FDT_UNIX;
    case AF_NETLINK:
        return FDT_NETLINK;
    }
    return FDT_UNKNOWN;
}

static __always_inline __u32 type_of_file(__u64 file, __u64 inode)
{
    __u64 dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    __u64 magic = KREAD(struct inode, inode, i_sb, s_magic);

    if (is_socket(file))
        return type_of_socket(sock_of_file(file));
    if (magic == PIPEFS_MAGIC)
        return FDT_PIPE;
    if (magic == PIDFS_MAGIC)
        return FDT_PIDFD;
    if (magic == ANON_INODE_FS_MAGIC)
        return type_of_anon(dentry);
    if (is_memfd(dentry))
        return FDT_MEMFD;
    /* By the flag, not the inode: a directory opened without O_DIRECTORY counts as a file. */
    return KREAD(struct file, file, f_flags) & 0200000 ? FDT_DIRECTORY : FDT_FILE;
}

__attribute__((noinline)) int kind_of_file(__u64 file)
{
    return file ? (int)type_of_file(file, (__u64)KREAD(struct file, file, f_inode)) : -1;
}

/* No open file: the call failed, or the number names nothing. */
static __always_inline void no_file(struct ev *ev)
{
    __u8 open = event_is_open(ev->h.event) && ev->h.event != EV_open, none = without_fd(ev);

    put_state(ev, N_FD_DEV, none);
    put_state(ev, N_FD_INO, none);
    put_state(ev, N_FD_UPPER, none);
    put_state(ev, N_FD_LOWER, none);
    put_state(ev, N_FD_TYPE, none);
    if (ev->h.st[N_FD_NUM] != ST_PRESENT)
        return;
    if (open)
        put_num(ev, N_FD_TYPE, FDT_FILE);
    else if (ev->h.event == EV_open)
        put_num(ev, N_FD_TYPE, FDT_UNKNOWN);
    else if (ev->h.event == EV_socket || ev->h.event == EV_accept || ev->h.event == EV_accept4)
        put_num(ev, N_FD_TYPE, FDT_IPV4);
}

__attribute__((noinline)) int extract_fd(struct ev *ev)
{
    __u64 file, inode, dentry;
    __u32 dev, type, layer;

    if (!ev)
        return 0;
    file = event_file(ev);
    if (!file) {
        no_file(ev);
        return 0;
    }
    inode = (__u64)KREAD(struct file, file, f_inode);
    type = type_of_file(file, inode);
    put_num(ev, N_FD_TYPE, type);
    put_num(ev, N_FD_DEV, 0);
    put_num(ev, N_FD_INO, 0);
    put_num(ev, N_FD_UPPER, 0);
    put_num(ev, N_FD_LOWER, 0);
    if (type != FDT_FILE && type != FDT_DIRECTORY)
        return 0;
    /* The language's library learns these from opens with a result above 0. */
    if (event_is_open(ev->h.event) && ev->h.num[N_RES] == 0 && !ev->ring)
        return 0;
    dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    dev = KREAD(struct inode, inode, i_sb, s_dev);
    put_num(ev, N_FD_DEV, encode_dev(dev));
    put_num(ev, N_FD_INO, (__s64)KREAD(struct inode, inode, i_ino));
    layer = overlay_layer(dentry, 1, 2);
    put_num(ev, N_FD_UPPER, layer == 1);
    put_num(ev, N_FD_LOWER, layer == 2);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
