/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * May what is found of the current task be kept?
 *
 * Only if its program, and those above it, are as of their last exec: the name of a process without
 * a state in `procs` is its own making, or unknown for now. And only below tasks that are not
 * exiting (keep.h). This is looked at before anything else is found, so that what changes later
 * comes with a new generation; the walk that finds the ancestors' names sees it.
 */
#include "state.h"
#include "keep.h"

__attribute__((noinline)) int task_settle(struct ev *ev)
{
    struct work *w = work_get();

    if (!ev || !w)
        return 0;
    ev->kept.settled = 0;
    if (!plan.task || !state_of(bpf_get_current_task_btf()->group_leader))
        return 0;
    ev->kept.settled = 1;
    if (!(plan.task & TASK_ANC))
        return 0;
    if (!ev->h.anc_state)
        extract_names(ev);
    ev->kept.settled = w->above.top && !w->above.unsure;
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
