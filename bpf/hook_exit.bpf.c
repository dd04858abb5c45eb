/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A task exits: its children will have another parent. No event. */
#include "keep.h"

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
    keep_parent_changed(task);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
