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
    if (!ev || !row)
        return 0;
    keep_put_id(&row->id, ev->kept.generation);
    row->bits = ev->kept.bits;
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
