/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The state of a process: what an exec makes of it.
 *
 * All of it is as of the last exec, and inherited at fork; so a process that renames itself or
 * writes over its argv changes nothing here. User space fills `procs` once, at start, for what
 * already runs; a process that nobody filled in gets from state_live() what the kernel has, and
 * its arguments stay unknown.
 */
#include "probe.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* ---- the executable ---- */

static __always_inline bool has_cap(struct task_struct *task, int cap)
{
    return (__u64)task->cred->cap_effective.val >> cap & 1;
}

/* Can the process write to the file it runs from? (The rule of extractors' table, `proc.is_exe_writable`.) */
static __always_inline bool exe_writable(struct task_struct *task, __u64 inode)
{
    __u32 uid = KREAD(struct inode, inode, i_uid.val), gid = KREAD(struct inode, inode, i_gid.val);
    __u32 mode = KREAD(struct inode, inode, i_mode), flags = KREAD(struct inode, inode, i_flags);
    const struct cred *cred = task->cred;

    if ((KREAD(struct inode, inode, i_sb, s_flags) & 1) || (flags & 8) || uid == -1u || gid == -1u)
        return false; /* SB_RDONLY, S_IMMUTABLE, owner not mapped */
    if (cred->fsuid.val == uid)
        return true;
    if (cred->fsgid.val == gid && (mode & 0020))
        return true;
    if (mode & 0002)
        return true;
    return has_cap(task, CAP_DAC_OVERRIDE) || has_cap(task, CAP_FOWNER);
}

static __always_inline __u64 ns_of(__s64 sec, __u32 nsec)
{
    return (__u64)sec * 1000000000ull + nsec;
}

static __always_inline void exe_times(struct proc_state *st, __u64 inode)
{
    if (bpf_core_field_exists(struct inode, i_ctime_sec)) {
        st->exe_ctime = ns_of(KREAD(struct inode, inode, i_ctime_sec),
                              KREAD(struct inode, inode, i_ctime_nsec));
        st->exe_mtime = ns_of(KREAD(struct inode, inode, i_mtime_sec),
                              KREAD(struct inode, inode, i_mtime_nsec));
        return;
    }
    if (bpf_core_field_exists(struct inode___timespec, i_ctime))
        st->exe_ctime = ns_of(KREAD(struct inode___timespec, inode, i_ctime.tv_sec),
                              (__u32)KREAD(struct inode___timespec, inode, i_ctime.tv_nsec));
    else if (bpf_core_field_exists(struct inode___split, __i_ctime))
        st->exe_ctime = ns_of(KREAD(struct inode___split, inode, __i_ctime.tv_sec),
                              (__u32)KREAD(struct inode___split, inode, __i_ctime.tv_nsec));
    if (bpf_core_field_exists(struct inode___timespec, i_mtime))
        st->exe_mtime = ns_of(KREAD(struct inode___timespec, inode, i_mtime.tv_sec),
                              (__u32)KREAD(struct inode___timespec, inode, i_mtime.tv_nsec));
    else if (bpf_core_field_exists(struct inode___split, __i_mtime))
        st->exe_mtime = ns_of(KREAD(struct inode___split, inode, __i_mtime.tv_sec),
                              (__u32)KREAD(struct inode___split, inode, __i_mtime.tv_nsec));
}

static __always_inline void exe_facts(struct proc_state *st, struct task_struct *task)
{
    __u64 file = (__u64)task->mm->exe_file, inode, dentry;

    st->exe_flags = 0;
    st->exe_ino = st->exe_ctime = st->exe_mtime = 0;
    if (!file)
        return;
    inode = (__u64)KREAD(struct file, file, f_inode);
    dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    st->exe_ino = KREAD(struct inode, inode, i_ino);
    exe_times(st, inode);
    if (exe_writable(task, inode))
        st->exe_flags |= EXE_F_WRITABLE;
    if (is_memfd(dentry))
        st->exe_flags |= EXE_F_MEMFD;
    st->exe_flags |= overlay_layer(dentry, EXE_F_UPPER, EXE_F_LOWER);
}

/* ---- ids ---- */

static __always_inline __u32 tty_nr(struct task_struct *task)
{
    struct tty_struct *tty = task->signal->tty;
    __u32 major, minor;

    if (!tty)
        return 0;
    major = (__u32)tty->driver->major;
    minor = (__u32)(tty->driver->minor_start + tty->index);
    return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static __always_inline void ids(struct proc_state *st, struct task_struct *task)
{
    struct task_struct *leader = task->group_leader;
    __u64 own = pid_of(leader), group = group_of(task);
    __u32 level = KREAD(struct pid, own, level);

    st->start_ts = leader->start_boottime + boot_offset_ns;
    st->tty = tty_nr(task);
    st->loginuid = ~0u;
    if (bpf_core_field_exists(task->loginuid))
        st->loginuid = task->loginuid.val;
    st->vpid = pid_nr(own, level);
    st->sid = pid_nr(session_of(task), level);
    st->vpgid = pid_nr(group, level);
    st->pgid = pid_nr(group, 0);
}

/* ---- arguments ---- */

struct join {
    __u32 exe_len, nargs, seen_exe;
};

/* Turns the NULs behind the second and later arguments to blanks, and counts these. */
static long join_step(__u32 i, struct join *j)
{
    struct work *w = work_get();

    if (!w || i >= ARGS_CAP)
        return 1;
    if (w->fold[i])
        return 0;
    if (!j->seen_exe) {
        j->seen_exe = 1;
        j->exe_len = i;
        return 0;
    }
    w->fold[i] = ' ';
    j->nargs++;
    return 0;
}

static __always_inline void arguments(struct proc_state *st, struct task_struct *task)
{
    struct work *w = work_get();
    struct join j;
    __u64 from = task->mm->arg_start, whole = task->mm->arg_end - from;
    __u32 n = whole < ARGS_CAP ? (__u32)whole : ARGS_CAP;

    st->args_state = ST_UNKNOWN;
    st->exe_len = st->args_len = st->nargs = 0;
    OPAQUE(n);
    if (!w || n == 0 || n > ARGS_CAP || bpf_probe_read_user(w->fold, n, (void *)from))
        return;
    w->fold[ARGS_CAP - 1] = whole >= ARGS_CAP ? 0 : w->fold[ARGS_CAP - 1];
    j.exe_len = j.nargs = j.seen_exe = untold(w, 0);
    bpf_loop(n, join_step, &j, 0);
    if (!j.seen_exe)
        return;
    bpf_probe_read_kernel(st->args, n, w->fold);
    st->exe_len = j.exe_len;
    st->args_len = n - 1;
    st->nargs = j.nargs;
    st->args_state = whole > ARGS_CAP ? ST_CUT : ST_PRESENT;
}

/* ---- the container, by the names of the control groups ---- */

/* What a name of a control group says. Positive: 1 + where an id of 64 digits starts. */
enum { NAME_LXC_PARENT = -1, NAME_LXC = -2, NAME_UNIT = -3 };

#define NAME_CAP 256

static __always_inline bool name_has(const char *name, __u32 at, const char *word, __u32 n)
{
    for (__u32 i = 0; i < n; i++)
        if (name[(at + i) & (NAME_CAP - 1)] != word[i])
            return false;
    return true;
}
#define NAME_HAS(name, at, word) name_has(name, at, word, sizeof(word) - 1)

static __always_inline bool all_hex(const char *name, __u32 at)
{
    for (__u32 i = 0; i < 64; i++) {
        char c = name[(at + i) & (NAME_CAP - 1)];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

/* Where the id would start, by what engines call their groups; `bare`: may stand without prefix. */
static __always_inline __u32 id_prefix(const char *name, __u32 len, bool *bare)
{
    *bare = true;
    if (NAME_HAS(name, 0, "libpod-"))
        return 7;
    if (NAME_HAS(name, 0, "crio-"))
        return 5;
    if (len >= 80 && NAME_HAS(name, len - 80, ":cri-containerd:"))
        return len - 64;
    *bare = len == 64;
    if (NAME_HAS(name, 0, "docker-"))
        return 7;
    if (NAME_HAS(name, 0, "cri-containerd-"))
        return 15;
    return 0;
}

/*
 * Judges the name in work.fold. `leaf`: it is the last of the path; `scope`: a later one has a
 * suffix .scope, and only the last suffix of a path counts.
 */
__attribute__((noinline)) int cgroup_name(__u32 len, __u32 leaf, __u32 scope)
{
    struct work *w = work_get();
    __u32 at, end = len;
    bool bare, unit;
    char *name;

    if (!w || len == 0 || len >= NAME_CAP)
        return 0;
    name = w->fold;
    unit = len > 6 && NAME_HAS(name, len - 6, ".scope");
    at = id_prefix(name, len, &bare);
    if (unit && at)
        end = len - 6;
    if (end - at == 64 && all_hex(name, at) && ((unit && !scope && at) || (!unit && leaf && bare)))
        return 1 + (int)at;
    if ((len == 3 && NAME_HAS(name, 0, "lxc")) || (len == 11 && NAME_HAS(name, 0, "lxc.payload")))
        return NAME_LXC_PARENT;
    if (len > 12 && NAME_HAS(name, 0, "lxc.payload."))
        return NAME_LXC;
    if (unit || (len > 8 && NAME_HAS(name, len - 8, ".service")) ||
        (len > 6 && NAME_HAS(name, len - 6, ".slice")))
        return NAME_UNIT;
    return 0;
}

#define CGROUP_DEPTH 6 /* components that the language looks at */
#define CTR_ID_MAX 64

static __always_inline __u64 kernfs_parent(__u64 kn)
{
    struct kernfs_node___later *later = (void *)kn;

    if (bpf_core_field_exists(later->__parent))
        return (__u64)KREAD(struct kernfs_node___later, kn, __parent);
    return (__u64)KREAD(struct kernfs_node, kn, parent);
}

/* Id of a container from its text in work.fold. */
static __always_inline void put_container(struct proc_state *st, __u32 at, __u32 len)
{
    struct work *w = work_get();

    OPAQUE(len);
    if (!w || len == 0 || len > sizeof(st->container_id))
        return;
    bpf_probe_read_kernel(st->container_id, len, w->fold + (at & (NAME_CAP - 1)));
    st->container_len = (__u8)len;
    st->container_state = ST_PRESENT;
}

struct cgroup_path {
    __u64 kn, leaf;
    __u32 depth, scope;
    __s32 leaf_kind;
    __u32 found;   /* 1: an engine's id is in work.fold at `at`, `len` bytes */
    __u32 at, len;
};

static __always_inline __u32 read_name(__u64 kn)
{
    struct work *w = work_get();
    long n;

    if (!w)
        return 0;
    n = bpf_probe_read_kernel_str(w->fold, NAME_CAP, KREAD(struct kernfs_node, kn, name));
    return n > 1 ? (__u32)n - 1 : 0;
}

static long cgroup_step(__u32 i, struct cgroup_path *p)
{
    __u64 parent = kernfs_parent(p->kn);
    __u32 len;
    int kind;

    if (!parent)
        return 1;
    p->depth++;
    len = read_name(p->kn);
    kind = cgroup_name(len, i == 0, p->scope);
    if (i == 0)
        p->leaf_kind = kind;
    if (kind > 0 || kind == NAME_LXC) {
        p->at = kind > 0 ? (__u32)kind - 1 : 12;
        p->len = kind > 0 ? 12 : len - 12;
        p->found = 1;
        return 1;
    }
    if (kind == NAME_LXC_PARENT && i > 0) {
        p->len = read_name(p->leaf);
        p->at = 0;
        p->found = 1;
        return 1;
    }
    if (kind == NAME_UNIT)
        p->scope = 1;
    p->leaf = p->kn;
    p->kn = parent;
    return 0;
}

/*
 * 2: an engine's form; 1: containerd's own, /NAMESPACE/ID; 0: neither. `ctr`: a hierarchy before
 * this one was of containerd's form, and only an engine's overrides it.
 */
static __always_inline int cgroup_scan(struct proc_state *st, __u64 kn, bool ctr)
{
    struct work *w = work_get();
    struct cgroup_path p = {.kn = kn, .leaf = kn};
    __u32 len;

    if (!w)
        return 0;
    p.depth = p.scope = p.found = p.at = p.len = untold(w, 0);
    p.leaf_kind = (__s32)untold(w, 0);
    bpf_loop(CGROUP_DEPTH, cgroup_step, &p, 0);
    if (p.found) {
        put_container(st, p.at, p.len);
        return 2;
    }
    if (ctr || p.depth != 2 || p.leaf_kind == NAME_UNIT)
        return 0;
    len = read_name(kn);
    if (len > CTR_ID_MAX)
        return 0;
    put_container(st, 0, len < 12 ? len : 12);
    return 1;
}

/* Index of a controller in this kernel's css_set; -1: it has none. */
#define CONTROLLER(name)                                                                           \
    (bpf_core_enum_value_exists(enum cgroup_subsys_id, name##_cgrp_id)                             \
         ? (int)bpf_core_enum_value(enum cgroup_subsys_id, name##_cgrp_id)                         \
         : -1)

static __always_inline void put_cgroup(struct proc_state *st, __u64 css_set)
{
    int controller[5] = {CONTROLLER(cpuset), CONTROLLER(cpu), CONTROLLER(cpuacct), CONTROLLER(io),
                         CONTROLLER(memory)};
    __u64 last = 0;
    bool ctr = false;

    __builtin_memcpy(st->container_id, "host", 4);
    st->container_len = 4;
    st->container_state = ST_PRESENT;
    st->cgroup = KREAD(struct css_set, css_set, dfl_cgrp, kn, id);
    /* Unrolled: before 6.3 the verifier refuses a loop that clang enters in its middle. */
#pragma unroll
    for (int i = 0; i < 5; i++) {
        __u64 css = 0, kn;
        int form;

        if (controller[i] < 0)
            continue;
        bpf_probe_read_kernel(&css, sizeof(css),
                              (char *)css_set + bpf_core_field_offset(struct css_set, subsys) +
                                  (__u32)controller[i] * sizeof(css));
        kn = (__u64)KREAD(struct cgroup_subsys_state, css, cgroup, kn);
        if (!kn || kn == last)
            continue;
        last = kn;
        form = cgroup_scan(st, kn, ctr);
        if (form == 2)
            break;
        ctr |= form == 1;
    }
}

/* ---- the whole ---- */

__attribute__((noinline)) int state_live(struct proc_state *st)
{
    struct task_struct *task = bpf_get_current_task_btf();

    if (!st)
        return 0;
    ids(st, task);
    bpf_probe_read_kernel(st->comm, COMM_SIZE, task->group_leader->comm);
    st->args_state = ST_UNKNOWN;
    st->exe_len = st->args_len = st->nargs = 0;
    exe_facts(st, task);
    put_cgroup(st, (__u64)task->cgroups);
    return 0;
}

/* Group and session are the parent's; the number in the namespace is its own. */
__attribute__((noinline)) int state_fork(struct proc_state *st, __u64 pid, __u64 css_set)
{
    if (!st)
        return 0;
    st->vpid = pid_nr(pid, KREAD(struct pid, pid, level));
    put_cgroup(st, css_set);
    return 0;
}

__attribute__((noinline)) int state_exec(struct proc_state *st)
{
    struct task_struct *task = bpf_get_current_task_btf();

    if (!st)
        return 0;
    state_live(st);
    arguments(st, task);
    return 0;
}
