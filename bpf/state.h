/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A process's state in `procs`, its name, and the path of its program. */
#ifndef RULEC_STATE_H
#define RULEC_STATE_H

#include "probe.h"
#include "match.h"

/*
 * Is what was written after this many execs that of the task's program? The kernel makes no room
 * for a state, and before 6.2 finds none, while a program that was preempted works on its
 * processor's states: then an exec or a fork goes by unseen. Another process may be in the middle
 * of an exec that the hook has yet to see.
 */
static __always_inline bool state_holds(__u32 execs, struct task_struct *leader)
{
    __u32 missed = (__u32)leader->self_exec_id - execs;
    bool own = leader->tgid == bpf_get_current_task_btf()->tgid;

    return !execs || !missed || (missed == 1 && !own);
}

/* Of a process, by the leader of its thread group; NULL: it has none. */
static __always_inline struct proc_state *state_of(struct task_struct *leader)
{
    struct proc_state *st = bpf_task_storage_get(&procs, leader, 0, 0);

    return st && state_holds(st->execs, leader) ? st : NULL;
}

/*
 * Is the name that a process without a state has now the one it was started with? It may have given
 * itself another; before states are kept, and where they cannot be, there is no better one.
 */
static __always_inline bool counts_own_name(struct task_struct *task)
{
    __u32 row = STATES_KEPT;
    __u64 *kept = bpf_map_lookup_elem(&generation, &row);

    return (kept && !*kept) || task->flags & PF_KTHREAD;
}

/* Length of a name padded with NULs: at most COMM_SIZE - 1, whatever its last byte is. */
static __always_inline __u32 name_len(const char *name)
{
    const __u64 *words = (const __u64 *)name;
    __u32 n = match_nul8(words[0]);

    if (n == 8)
        n += match_nul8(words[1] & ~0ull >> 8);
    return n;
}

static __always_inline void put_name(struct ev *ev, __u32 slot, char *to, const char *comm)
{
    __builtin_memcpy(to, comm, COMM_SIZE);
    to[COMM_SIZE - 1] = 0;
    put_text(ev, slot, name_len(to), ST_PRESENT);
}

/* `st`: the process's state, or NULL. False: the name is not known, and the bytes are nobody's. */
static __always_inline bool take_name(char *to, struct task_struct *task,
                                      const struct proc_state *st)
{
    if (st)
        __builtin_memcpy(to, st->comm, COMM_SIZE);
    else
        bpf_probe_read_kernel(to, COMM_SIZE, task->comm);
    return st || counts_own_name(task);
}

static __always_inline bool read_name(char *to, struct task_struct *task)
{
    return take_name(to, task, state_of(task));
}

/* Name of a process with this state into a text slot; unknown if take_name() says so. */
static __always_inline void put_task_name(struct ev *ev, __u32 slot, char *to,
                                          struct task_struct *task, const struct proc_state *st)
{
    if (take_name(to, task, st))
        put_text(ev, slot, name_len(to), ST_PRESENT);
    else
        put_text(ev, slot, 0, ST_UNKNOWN);
}

/* `memfd:NAME`: such a file has no path. */
static __always_inline void put_memfd(struct ev *ev, __u32 slot, char *to, __u64 dentry)
{
    __u64 name = (__u64)KREAD(struct dentry, dentry, d_name.name);
    long n = bpf_probe_read_kernel_str(to, 256, (void *)name);

    put_text(ev, slot, n > 0 ? (__u32)n - 1 : 0, ST_PRESENT);
}

/* From the root of the mount namespace, whatever the process's own root. No program: empty. */
static __always_inline void put_exepath(struct ev *ev, __u32 slot, char *to, __u64 mm)
{
    __u64 file = mm ? (__u64)KREAD(struct mm_struct, mm, exe_file) : 0, dentry;

    if (!file) {
        put_text(ev, slot, 0, ST_PRESENT);
        return;
    }
    dentry = KADDR(struct file, file, f_path.dentry);
    if (is_memfd(dentry))
        put_memfd(ev, slot, to, dentry);
    else
        put_path(ev, slot, to, path_build(dentry, KADDR(struct file, file, f_path.mnt), 0));
}

#endif
