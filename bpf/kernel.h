/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The few kernel types that the probe touches, and only their fields that it reads.
 *
 * Offsets are those of the running kernel: libbpf relocates every access at load (CO-RE). A type
 * whose layout differs between kernels has a second form with a ___ suffix, which libbpf cuts off
 * when it looks for the type; bpf_core_field_exists() tells which of the two is there.
 */
#ifndef RULEC_KERNEL_H
#define RULEC_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

#define true 1
#define false 0
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)

/* Of <linux/bpf.h>, which needs more headers than clang finds for this target. */
enum {
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PROG_ARRAY = 3,
    BPF_MAP_TYPE_PERCPU_ARRAY = 6,
    BPF_MAP_TYPE_RINGBUF = 27,
    BPF_MAP_TYPE_TASK_STORAGE = 29
};
enum { BPF_ANY = 0 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1024 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0, BPF_RB_RING_SIZE = 1 };

struct bpf_dynptr {
    __u64 opaque[2];
};

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* Read whole, so that no field is relocated: before 6.3 the second has two words. */
struct in6_addr {
    __u8 bytes[16];
};
typedef struct {
    __u64 val;
} kernel_cap_t;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    __u32 val;
} kuid_t;
typedef struct {
    __u32 val;
} kgid_t;

struct dentry;
struct inode;
struct super_block;
struct user_namespace;

struct hlist_node {
    struct hlist_node *next;
};
struct hlist_head {
    struct hlist_node *first;
};
struct list_head {
    struct list_head *next;
};

struct qstr {
    __u32 len;
    const unsigned char *name;
};

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
};

struct rb_node {
    unsigned long __rb_parent_color;
    struct rb_node *rb_right;
    struct rb_node *rb_left;
};

struct rb_root {
    struct rb_node *rb_node;
};

struct vfsmount {
    struct dentry *mnt_root;
    struct super_block *mnt_sb;
    int mnt_flags;
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
    struct rb_node mnt_node;   /* from 6.8 on */
    struct list_head mnt_list; /* before */
};

struct ns_common {
    __u64 ns_id; /* from 6.18 on */
};

/* All mounts, the oldest first. */
struct mnt_namespace {
    struct ns_common ns;
    struct rb_root mounts; /* from 6.8 on */
    struct list_head list; /* before */
    __u64 event;           /* another number after each change */
    __u64 seq;             /* of this one alone, before 6.18 */
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct fs_struct {
    struct path root;
    struct path pwd;
};

struct super_block {
    __u32 s_dev;
    unsigned long s_flags;
    unsigned long s_magic;
    struct dentry *s_root;
    struct user_namespace *s_user_ns;
};

struct timespec64 {
    __s64 tv_sec;
    long tv_nsec;
};

struct inode {
    unsigned short i_mode;
    kuid_t i_uid;
    kgid_t i_gid;
    unsigned int i_flags;
    struct super_block *i_sb;
    unsigned long i_ino;
    __s64 i_mtime_sec; /* from 6.11 on */
    __s64 i_ctime_sec;
    __u32 i_mtime_nsec;
    __u32 i_ctime_nsec;
};

struct inode___timespec { /* before 6.6 */
    struct timespec64 i_mtime;
    struct timespec64 i_ctime;
};

struct inode___split { /* 6.6 to 6.10 */
    struct timespec64 __i_ctime;
    struct timespec64 __i_mtime;
    struct timespec64 i_mtime;
};

struct file_operations {
    void *flush; /* a function */
};

struct file {
    const struct file_operations *f_op;
    unsigned int f_mode;
    unsigned int f_flags;
    struct path f_path;
    struct inode *f_inode;
    void *private_data;
};

struct fdtable {
    unsigned int max_fds;
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

enum { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES };

struct percpu_counter {
    __s64 count;
};

struct mm_struct {
    unsigned long total_vm;
    unsigned long arg_start;
    unsigned long arg_end;
    unsigned long env_start;
    unsigned long env_end;
    struct file *exe_file;
};

struct mm_struct___percpu { /* from 6.2 on */
    struct percpu_counter rss_stat[4];
};

struct mm_count {
    __s64 counter;
};

struct mm_rss_stat { /* before 6.2 */
    struct mm_count count[4];
};

struct mm_struct___rss {
    struct mm_rss_stat rss_stat;
};

struct kernfs_node {
    const char *name;
    struct kernfs_node *parent; /* before 6.15 */
    __u64 id;
};

struct kernfs_node___later {
    struct kernfs_node *__parent;
};

struct cgroup;
struct cgroup_subsys_state {
    struct cgroup *cgroup;
    __u64 serial_nr;
};

struct cgroup {
    struct kernfs_node *kn;
};

enum cgroup_subsys_id { cpuset_cgrp_id, cpu_cgrp_id, cpuacct_cgrp_id, io_cgrp_id, memory_cgrp_id };

struct css_set {
    struct cgroup_subsys_state *subsys[12];
    struct cgroup *dfl_cgrp;
};

struct pid_namespace {
    struct task_struct *child_reaper;
    unsigned int level;
};

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct hlist_head tasks[4];
    struct upid numbers[1];
};

struct tty_driver {
    int major;
    int minor_start;
};

struct tty_struct {
    int index;
    struct tty_driver *driver;
};

struct rlimit {
    unsigned long rlim_cur;
};

struct signal_struct {
    int nr_threads;
    struct list_head thread_head;
    unsigned int is_child_subreaper : 1;
    unsigned int has_child_subreaper : 1;
    struct pid *pids[4];
    struct tty_struct *tty;
    struct rlimit rlim[16];
};
#define PID_OF_GROUP 2   /* PIDTYPE_PGID */
#define PID_OF_SESSION 3 /* PIDTYPE_SID */

struct group_info;
struct cred {
    kuid_t uid;
    kgid_t gid;
    kuid_t euid;
    kgid_t egid;
    kuid_t fsuid;
    kgid_t fsgid;
    kernel_cap_t cap_inheritable;
    kernel_cap_t cap_permitted;
    kernel_cap_t cap_effective;
    struct group_info *group_info;
    struct user_namespace *user_ns;
};

struct group_info {
    int ngroups;
    kgid_t gid[1];
};

struct nsproxy {
    struct mnt_namespace *mnt_ns;
    struct pid_namespace *pid_ns_for_children;
};

struct thread_info {
    __u32 status;
};

struct task_struct {
    struct thread_info thread_info;
    unsigned int flags;
    struct mm_struct *mm;
    int exit_code;
    int pid;
    int tgid;
    struct list_head children;
    struct list_head thread_node;
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    struct pid *thread_pid;
    __u64 start_boottime;
    __u64 self_exec_id;
    unsigned long min_flt;
    unsigned long maj_flt;
    const struct cred *cred;
    const struct cred *real_cred;
    char comm[16];
    struct fs_struct *fs;
    struct files_struct *files;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    kuid_t loginuid;
    struct css_set *cgroups;
};

struct linux_binprm {
    const char *filename;
};

struct pt_regs {
    unsigned long bp;
    unsigned long bx;
    unsigned long r10;
    unsigned long r9;
    unsigned long r8;
    unsigned long cx;
    unsigned long dx;
    unsigned long si;
    unsigned long di;
    unsigned long orig_ax;
};

struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    volatile unsigned char skc_state;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
    struct sock_common __sk_common;
    __u16 sk_type;
    __u16 sk_protocol;
    __u8 sk_userlocks : 4;
    __u32 sk_ack_backlog;
    __u32 sk_max_ack_backlog;
};

struct sockaddr_un {
    __u16 sun_family;
};

struct unix_address {
    int len; /* of the name, the family included */
    struct sockaddr_un name[1];
};

struct unix_sock {
    struct unix_address *addr;
    struct sock *peer;
};

struct inet_sock {
    struct sock sk;
    __be32 inet_saddr;
    __be16 inet_sport;
};

struct socket {
    struct sock *sk;
};

struct bpf_iter_num { /* from 6.4 on */
    __u64 opaque[1];
};

#pragma clang attribute pop

#define TS_COMPAT 0x2 /* thread_info.status: inside a 32-bit system call */

#define PF_EXITING 0x4
#define PF_KTHREAD 0x200000

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFIFO 0010000

#define FMODE_PATH 0x4000u
#define FMODE_CREATED 0x100000u

#define PIPEFS_MAGIC 0x50495045
#define PIDFS_MAGIC 0x50494446
#define ANON_INODE_FS_MAGIC 0x09041934
#define OVERLAYFS_MAGIC 0x794c7630

#define AT_FDCWD (-100)

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16

#define TCP_ESTABLISHED 1
#define SOCK_BINDPORT_LOCK 8 /* sk_userlocks: the program chose the port */

#define CAP_DAC_OVERRIDE 1
#define CAP_FOWNER 3

/*
 * A field of a kernel object known by its address, by as many arrows as there are names. The
 * address goes to a variable first, or clang would relocate the accesses that compute it as well.
 *
 * From 6.2 on any address can be read as a typed object, with plain loads that fault safely: half
 * to a third of what a helper call for each arrow costs. Only the object that defines KERNEL_CASTS
 * does so: libbpf 1.1 cannot link two that name the same kernel function. 6.4 is asked for, by a
 * type that came with it, because a look for the function itself is refused before.
 */
#ifdef KERNEL_CASTS
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;
#define KREAD(type, addr, ...)                                                                     \
    ({                                                                                             \
        type *object_ = (type *)(addr);                                                            \
        typeof(___arrow(object_, __VA_ARGS__)) value_;                                             \
        if (bpf_core_type_exists(struct bpf_iter_num)) {                                           \
            object_ = bpf_rdonly_cast(object_, bpf_core_type_id_kernel(type));                     \
            value_ = ___arrow(object_, __VA_ARGS__);                                               \
        } else {                                                                                   \
            value_ = BPF_CORE_READ(object_, __VA_ARGS__);                                          \
        }                                                                                          \
        value_;                                                                                    \
    })
#else
#define KREAD(type, addr, ...)                                                                     \
    ({                                                                                             \
        type *object_ = (type *)(addr);                                                            \
        BPF_CORE_READ(object_, __VA_ARGS__);                                                       \
    })
#endif

/* The same for an address that a global function gets: as a number, which KREAD's need not be. */
#define KADDR(type, addr, ...)                                                                     \
    ({                                                                                             \
        type *object_ = (type *)(addr);                                                            \
        (__u64) BPF_CORE_READ(object_, __VA_ARGS__);                                               \
    })

/* Keeps clang from moving a bound away from the value that the verifier must see bounded. */
#define OPAQUE(var) asm volatile("" : "+r"(var))

#endif
