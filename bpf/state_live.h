/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The state of a process: what an exec makes of it.
 *
 * All of it is as of the last exec, and inherited at fork; so a process that renames itself or
 * writes over its argv changes nothing here. User space fills `procs` once, at start, for what
 * already runs; a process that has no state all the same gets from state_live() what the kernel
 * has, and its name and arguments are unknown. Part of extract_fd.bpf.c, because it reads through
 * casts.
 */
#ifndef RULEC_STATE_LIVE_H
#define RULEC_STATE_LIVE_H

#include "file.h"
#include "match.h"

/* ---- the executable ---- */

/* Can the process write to the file it runs from? (The rule of extractors' table,
 * `proc.is_exe_writable`.) */
static __always_inline bool exe_writable(struct task_struct *task, __u64 inode)
{
    __u32 uid = KREAD(struct inode, inode, i_uid.val), gid = KREAD(struct inode, inode, i_gid.val);
    __u32 mode = KREAD(struct inode, inode, i_mode), flags = KREAD(struct inode, inode, i_flags);
    __u64 cred = (__u64)KREAD(struct task_struct, task, cred);
    const __u64 writes = 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER;

    if ((KREAD(struct inode, inode, i_sb, s_flags) & 1) || (flags & 8) || uid == -1u || gid == -1u)
        return false; /* SB_RDONLY, S_IMMUTABLE, owner not mapped */
    if (KREAD(struct cred, cred, fsuid.val) == uid || (mode & 0002))
        return true;
    if (KREAD(struct cred, cred, fsgid.val) == gid && (mode & 0020))
        return true;
    return KREAD(struct cred, cred, cap_effective).val & writes;
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
    __u64 file = (__u64)KREAD(struct task_struct, task, mm, exe_file), inode, dentry;

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
    __u64 tty = (__u64)KREAD(struct task_struct, task, signal, tty), driver;
    __u32 major, minor;

    if (!tty)
        return 0;
    driver = (__u64)KREAD(struct tty_struct, tty, driver);
    major = (__u32)KREAD(struct tty_driver, driver, major);
    minor = (__u32)(KREAD(struct tty_driver, driver, minor_start) +
                    KREAD(struct tty_struct, tty, index));
    return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static __always_inline void ids(struct proc_state *st, struct task_struct *task)
{
    __u64 leader = (__u64)KREAD(struct task_struct, task, group_leader);
    __u64 own = (__u64)KREAD(struct task_struct, leader, thread_pid), group = group_of(task);
    __u32 level = KREAD(struct pid, own, level);

    st->start_ts = KREAD(struct task_struct, leader, start_boottime) + boot_offset_ns;
    st->tty = tty_nr(task);
    st->loginuid = ~0u;
    if (bpf_core_field_exists(task->loginuid))
        st->loginuid = task->loginuid.val;
    st->vpid = pid_nr(own, level);
    st->sid = pid_nr(session_of(task), level);
    st->vpgid = pid_nr(group, level);
    st->pgid = pid_nr(group, 0);
}

/* ---- the container, by the names of the control groups ---- */

/* What a name of a control group says. Positive: 1 + where an id of 64 digits starts. */
enum { NAME_LXC_PARENT = -1, NAME_LXC = -2, NAME_UNIT = -3 };

/* A name stands in work.fold, with room before it so that its last bytes are read as a word. */
#define NAME_CAP 256
#define NAME_AT 16

/* Up to eight bytes of a constant as one number. */
static __always_inline __u64 word_of(const char *text, __u32 n)
{
    __u64 w = 0;

#pragma unroll
    for (__u32 i = 0; i < 8; i++)
        w |= i < n ? (__u64)(__u8)text[i] << (8 * i) : 0;
    return w;
}

/* Does the name begin with a constant of at most sixteen bytes? */
static __always_inline bool begins(const char *name, const char *text, __u32 n)
{
    __u64 diff = (match_word(name) ^ word_of(text, n)) & match_mask(n);

    if (n > 8)
        diff |= (match_word(name + 8) ^ word_of(text + 8, n - 8)) & match_mask(n - 8);
    return diff == 0;
}
#define BEGINS(name, text) begins(name, text, sizeof(text) - 1)

/* Does it end with one of at most eight? `last`: the word that ends with the name. */
static __always_inline bool ends(__u64 last, const char *text, __u32 n)
{
    return last >> (64 - 8 * n) == word_of(text, n);
}
#define ENDS(last, text) ends(last, text, sizeof(text) - 1)

static __always_inline bool hex64(const char *id)
{
    __u64 all = 0x80 * MATCH_ONES;

#pragma unroll
    for (__u32 i = 0; i < 64; i += 8) {
        all &= match_hex8(match_word(id + i));
        OPAQUE(all); /* one after the other: side by side they fill the stack */
    }
    return all == 0x80 * MATCH_ONES;
}

/* Where the id would start, by what engines call their groups; `bare`: may stand without prefix. */
static __always_inline __u32 id_prefix(const char *name, __u32 len, bool *bare)
{
    __u32 cri = len - 80;

    OPAQUE(cri);
    cri &= NAME_CAP - 1;
    *bare = true;
    if (BEGINS(name, "libpod-"))
        return 7;
    if (BEGINS(name, "crio-"))
        return 5;
    if (len >= 80 && BEGINS(name + cri, ":cri-containerd:"))
        return len - 64;
    *bare = len == 64;
    if (BEGINS(name, "docker-"))
        return 7;
    if (BEGINS(name, "cri-containerd-"))
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
    __u64 last;

    if (!w || len == 0 || len >= NAME_CAP)
        return 0;
    OPAQUE(len);
    len &= NAME_CAP - 1; /* 6.1 has another copy of it bounded */
    name = w->fold + NAME_AT;
    last = match_word(name + len - 8);
    unit = len > 6 && ENDS(last, ".scope");
    at = id_prefix(name, len, &bare);
    if (unit && at)
        end = len - 6;
    /* By way of memory: what follows is then verified once, not for each place an id can have. */
    w->groups.at = at;
    at = *(volatile __u32 *)&w->groups.at & (NAME_CAP - 1);
    if (end - at == 64 && hex64(name + at) && ((unit && !scope && at) || (!unit && leaf && bare)))
        return 1 + (int)at;
    if ((len == 3 && BEGINS(name, "lxc")) || (len == 11 && BEGINS(name, "lxc.payload")))
        return NAME_LXC_PARENT;
    if (len > 12 && BEGINS(name, "lxc.payload."))
        return NAME_LXC;
    if (unit || (len > 8 && ENDS(last, ".service")) || (len > 6 && ENDS(last, ".slice")))
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
static __always_inline void put_container(struct proc_state *st, __u32 at, __u32 len, __u32 kind)
{
    struct work *w = work_get();

    OPAQUE(len);
    if (!w || len == 0 || len > sizeof(st->container_id))
        return;
    bpf_probe_read_kernel(st->container_id, len, w->fold + NAME_AT + (at & (NAME_CAP - 1)));
    st->container_len = (__u8)len;
    st->container_state = ST_PRESENT;
    st->container_kind = (__u8)kind;
}

/* Whose id of 64 digits it is, by where it starts in the name in work.fold. */
static __always_inline __u32 id_kind(struct work *w, __u32 at)
{
    if (at == 0)
        return CONTAINER_BARE;
    if (at == 5)
        return CONTAINER_CRIO;
    if (at == 7)
        return w->fold[NAME_AT] == 'l' ? CONTAINER_PODMAN : CONTAINER_DOCKER;
    return CONTAINER_CRI;
}

static __always_inline __u32 read_name(__u64 kn)
{
    struct work *w = work_get();
    long n;

    if (!w)
        return 0;
    n = bpf_probe_read_kernel_str(w->fold + NAME_AT, NAME_CAP, KREAD(struct kernfs_node, kn, name));
    return n > 1 ? (__u32)n - 1 : 0;
}

/* This path is at its end, and no engine's; an engine's in another one overrides containerd's. */
static __always_inline long next_path(struct groups *g)
{
    if (g->depth == 2 && !g->leaf_unit && !g->ctr && g->leaf_len <= CTR_ID_MAX)
        g->ctr = g->leaf;
    g->kn = g->next[0] == g->leaf ? 0 : g->next[0]; /* not the same again */
    g->leaf = g->below = g->next[0];
    g->next[0] = g->next[1];
    g->next[1] = g->next[2];
    g->next[2] = g->next[3];
    g->next[3] = g->next[4];
    g->depth = g->scope = g->leaf_unit = 0;
    return g->turn++ >= CONTROLLERS;
}

static __always_inline long found_id(struct groups *g, __u32 at, __u32 len, __u32 kind)
{
    g->at = at;
    g->len = len;
    g->kind = kind;
    g->found = 1;
    return 1;
}

static long cgroup_step(__u32 i, void *unused)
{
    struct work *w = work_get();
    struct groups *g;
    __u64 parent;
    __u32 len;
    int kind;

    if (!w)
        return 1;
    g = &w->groups;
    parent = g->kn ? kernfs_parent(g->kn) : 0;
    if (!parent || g->depth >= CGROUP_DEPTH)
        return next_path(g);
    len = read_name(g->kn);
    if (g->depth == 0)
        g->leaf_len = len;
    kind = cgroup_name(len, g->depth == 0, g->scope);
    if (kind > 0)
        return found_id(g, (__u32)kind - 1, 64, id_kind(w, (__u32)kind - 1));
    if (kind == NAME_LXC)
        return found_id(g, 12, len - 12, CONTAINER_LXC);
    if (kind == NAME_LXC_PARENT && g->depth)
        return found_id(g, 0, read_name(g->below), CONTAINER_LXC);
    if (kind == NAME_UNIT) {
        g->scope = 1;
        if (g->depth == 0)
            g->leaf_unit = 1;
    }
    g->depth++;
    g->below = g->kn;
    g->kn = parent;
    return 0;
}

/* Index of a controller in this kernel's css_set; -1: it has none. */
#define CONTROLLER(name)                                                                           \
    (bpf_core_enum_value_exists(enum cgroup_subsys_id, name##_cgrp_id)                             \
         ? (int)bpf_core_enum_value(enum cgroup_subsys_id, name##_cgrp_id)                         \
         : -1)

/*
 * The groups of the controllers that the language looks at, as what ties a controller to a group:
 * each of these has a serial number that is never given again, and all numbers as one.
 */
#define MIX 0x9e3779b97f4a7c15ull /* odd, and as good as random */
static __always_inline __u64 read_groups(struct groups *g, __u64 css_set)
{
    __u64 serials = 0;
    int controller[CONTROLLERS] = {CONTROLLER(cpuset), CONTROLLER(cpu), CONTROLLER(cpuacct),
                                   CONTROLLER(io), CONTROLLER(memory)};

    /* Unrolled: before 6.3 the verifier refuses a loop that clang enters in its middle. */
#pragma unroll
    for (int i = 0; i < CONTROLLERS; i++) {
        __u64 css = 0;

        if (controller[i] < 0)
            continue;
        css = WORD_AT(css_set + bpf_core_field_offset(struct css_set, subsys) +
                      (__u32)controller[i] * sizeof(css));
        g->next[i] = css;
        serials = (serials ^ KREAD(struct cgroup_subsys_state, css, serial_nr)) * MIX;
    }
    return serials;
}

/*
 * A new program's groups are mostly those of the one before, and a child's its parent's: then the
 * container is the same.
 */
static __always_inline void put_cgroup(struct proc_state *st, __u64 css_set)
{
    struct work *w = work_get();
    struct groups *g;
    __u64 serials;
    __u32 len;

    st->cgroup = KREAD(struct css_set, css_set, dfl_cgrp, kn, id);
    if (!w)
        return;
    g = &w->groups;
    __builtin_memset(g, 0, sizeof(*g));
    serials = read_groups(g, css_set);
    if (serials == st->groups)
        return;
    st->groups = serials;
    __builtin_memset(st->container_id, 0, sizeof(st->container_id));
    __builtin_memcpy(st->container_id, "host", 4);
    st->container_len = 4;
    st->container_kind = CONTAINER_HOST;
    st->container_state = ST_PRESENT;
#pragma unroll
    for (int i = 0; i < CONTROLLERS; i++)
        if (g->next[i])
            g->next[i] = (__u64)KREAD(struct cgroup_subsys_state, g->next[i], cgroup, kn);
    bpf_loop((CONTROLLERS + 1) * (CGROUP_DEPTH + 1), cgroup_step, NULL, 0);
    if (g->found) {
        put_container(st, g->at, g->len, g->kind);
    } else if (g->ctr) {
        len = read_name(g->ctr);
        put_container(st, 0, len, CONTAINER_CONTAINERD);
    }
}

/* ---- the whole ---- */

__attribute__((noinline)) int state_live(struct proc_state *st)
{
    struct task_struct *task = bpf_get_current_task_btf();

    if (!st)
        return 0;
    ids(st, task);
    bpf_probe_read_kernel(st->comm, COMM_SIZE, KREAD(struct task_struct, task, group_leader)->comm);
    st->args_state = st->env_state = ST_UNKNOWN;
    st->exe_len = st->args_len = st->nargs = st->env_len = 0;
    exe_facts(st, task);
    put_cgroup(st, (__u64)KREAD(struct task_struct, task, cgroups));
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
    st->execs = (__u32)task->self_exec_id;
    return 0;
}

#endif
