/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A new process (not a thread) inherits its parent's state. No event: clone and fork are calls. */
#include "state.h"

static __always_inline void inherit_env(struct task_struct *leader, struct task_struct *child)
{
    struct env_state *from = env_of(leader);

    if (from)
        bpf_task_storage_get(&envs, child, from, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    struct task_struct *leader = parent->group_leader;
    struct proc_state *from, *st;

    if (child->pid != child->tgid)
        return 0;
    if (plan.groups & ENV_GROUPS)
        inherit_env(leader, child);
    from = state_of(leader);
    if (!from)
        return 0; /* unknown, as its parent is */
    st = bpf_task_storage_get(&procs, child, from, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!st)
        return 0;
    st->start_ts = child->start_boottime + boot_offset_ns;
    state_fork(st, KADDR(struct task_struct, child, thread_pid),
               KADDR(struct task_struct, child, cgroups));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
