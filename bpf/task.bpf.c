/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * May what is found of the current task be kept?
 *
 * Only if its program, and those above it, are as of their last exec: the name of a process without
 * a state in `procs` is its own making, or unknown for now. And only below tasks that are not
 * exiting (keep.h). This is looked at before anything is found, so that what changes later comes
 * with a new generation.
 */
#include "state.h"
#include "keep.h"

struct settle {
    struct task_struct *task; /* leader of its thread group */
    __u32 settled;
};

static long settle_step(__u32 i, struct settle *s)
{
    struct task_struct *up = s->task->real_parent, *leader = up->group_leader;

    if (leader->tgid == 0) {
        s->settled = 1;
        return 1;
    }
    if (up->flags & PF_EXITING || !state_of(leader))
        return 1;
    s->task = leader;
    return 0;
}

__attribute__((noinline)) int task_settle(struct ev *ev)
{
    struct settle s = {.task = bpf_get_current_task_btf()->group_leader};
    struct work *w = work_get();

    if (!ev || !w)
        return 0;
    ev->kept.settled = 0;
    s.settled = untold(w, 0);
    if (!plan.task || !state_of(s.task))
        return 0;
    if (plan.task & TASK_ANC)
        bpf_loop(ANC_MAX, settle_step, &s, 0);
    else
        s.settled = 1;
    ev->kept.settled = s.settled;
    return 0;
}

/* What was found of the current task, into its row. */
__attribute__((noinline)) int task_keep(struct ev *ev, struct task_entry *row)
{
    struct task_struct *task = bpf_get_current_task_btf();
    const struct cred *cred;

    if (!ev || !row)
        return 0;
    row->task = (__u64)task;
    row->start = task->start_boottime;
    row->execs = task->self_exec_id;
    row->generation = ev->kept.generation;
    row->bits = ev->kept.bits;
    if (!(plan.task & TASK_CRED))
        return 0;
    cred = task->cred;
    row->ids = keep_ids(cred);
    row->caps[0] = cred->cap_effective.val;
    row->caps[1] = cred->cap_permitted.val;
    row->caps[2] = cred->cap_inheritable.val;
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
