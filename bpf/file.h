/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From a descriptor to its file, and from a file to where it is mounted. These run for nearly every
 * event that a rule looks into, so that they read through casts (kernel.h), and who includes this
 * includes it first.
 */
#ifndef RULEC_FILE_H
#define RULEC_FILE_H

#define KERNEL_CASTS
#include "probe.h"

/* Eight bytes of the kernel's memory as one number: through a type that begins with such. */
#define WORD_AT(addr) ((__u64)KREAD(struct timespec64, addr, tv_sec))

/* From the root of a mount to the directory that it is mounted on. False: there is none. */
static __always_inline bool cross_mount(__u64 *dentry, __u64 *mnt, __u64 *mnt_root)
{
    __u64 self = *mnt - bpf_core_field_offset(struct mount, mnt);
    __u64 up = (__u64)KREAD(struct mount, self, mnt_parent);

    if (up == self)
        return false;
    *dentry = (__u64)KREAD(struct mount, self, mnt_mountpoint);
    *mnt = up + bpf_core_field_offset(struct mount, mnt);
    *mnt_root = (__u64)KREAD(struct vfsmount, *mnt, mnt_root);
    return true;
}

static __always_inline __u64 fd_file(__u64 task, __s64 fd)
{
    __u64 fdt = (__u64)KREAD(struct task_struct, task, files, fdt);

    if (fd < 0 || fd >= KREAD(struct fdtable, fdt, max_fds))
        return 0;
    return WORD_AT((__u64)KREAD(struct fdtable, fdt, fd) + (__u64)fd * 8);
}

/* As file_of_event() (tools.h), without a call. */
static __always_inline __u64 event_file(struct ev *ev)
{
    if (!ev->file && ev->h.st[N_FD_NUM] == ST_PRESENT)
        ev->file = fd_file(ev->task, ev->h.num[N_FD_NUM]);
    return ev->file;
}

/* The caller sees all of a file system from its root on, and has opened a file there. */
static __always_inline bool is_in_root(__u64 task, __u64 mnt, __u64 root, __u64 sb)
{
    __u64 fs = (__u64)KREAD(struct task_struct, task, fs);

    return (__u64)KREAD(struct fs_struct, fs, root.mnt) == mnt &&
           (__u64)KREAD(struct fs_struct, fs, root.dentry) == root &&
           (__u64)KREAD(struct super_block, sb, s_root) == root;
}

/* place_of_file(), without a call for most files. `task`: the caller. */
static __always_inline __u64 stored_in(__u64 file, __u64 task)
{
    __u64 mnt = (__u64)KREAD(struct file, file, f_path.mnt);
    __u64 root = (__u64)KREAD(struct vfsmount, mnt, mnt_root);

    if (is_in_root(task, mnt, root, (__u64)KREAD(struct vfsmount, mnt, mnt_sb)))
        return 0;
    return place_of_file(file);
}

#endif
