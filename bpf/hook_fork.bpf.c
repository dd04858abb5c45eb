/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A new process (not a thread) inherits its parent's state. No event: clone and fork are calls. */
#include "state.h"

#define COPY(class, size, kind)                                                                    \
    case class: {                                                                                  \
        struct text##class *t = bpf_task_storage_get(&kind##class, leader, 0, 0);                  \
        copied = t && t->execs == st->execs &&                                                     \
                 bpf_task_storage_get(&kind##class, child, t, BPF_LOCAL_STORAGE_GET_F_CREATE);     \
        break;                                                                                     \
    }

/* A text that the parent has, and that found no room, is unknown. */
static __always_inline void lose_text(__u8 *class, __u8 *state)
{
    if (*state != ST_UNKNOWN)
        count_unkept();
    *class = 0;
    *state = ST_UNKNOWN;
}

/* The parent's long texts. */
static __always_inline void inherit_args(struct proc_state *st, struct task_struct *leader,
                                         struct task_struct *child)
{
    bool copied = false;

    switch (st->args_class) {
        TEXT_SIZES(COPY, args)
    }
    if (st->args_class && !copied)
        lose_text(&st->args_class, &st->args_state);
}

static __always_inline void inherit_env(struct proc_state *st, struct task_struct *leader,
                                        struct task_struct *child)
{
    bool copied = false;

    switch (st->env_class) {
        TEXT_SIZES(COPY, envs)
    }
    if (st->env_class && !copied)
        lose_text(&st->env_class, &st->env_state);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    struct task_struct *leader = parent->group_leader;
    struct proc_state *from, *st;

    if (child->pid != child->tgid)
        return 0;
    from = state_of(leader);
    if (!from)
        return 0; /* unknown, as its parent is */
    st = bpf_task_storage_get(&procs, child, from, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!st) {
        count_unkept();
        return 0;
    }
    if (plan.groups & ARGS_GROUPS)
        inherit_args(st, leader, child);
    if (plan.groups & ENV_GROUPS)
        inherit_env(st, leader, child);
    st->start_ts = child->start_boottime + boot_offset_ns;
    state_fork(st, KADDR(struct task_struct, child, thread_pid),
               KADDR(struct task_struct, child, cgroups));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
