/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A program was started: its state is replaced, and the event is `execve`, by whatever call. */
#include "judge.h"

#define NR_EXECVE 59
#define NR_OPENAT 257

static __always_inline void put_filename(struct ev *ev, struct linux_binprm *bprm)
{
    long n = bpf_probe_read_kernel_str(ev->s_A0, PATH_CAP, bprm->filename);

    put_text(ev, S_A0, n > 0 ? (__u32)n - 1 : 0, n > 0 ? ST_PRESENT : ST_UNKNOWN);
}

static __always_inline void keep_state(struct task_struct *leader)
{
    struct proc_state *st = bpf_task_storage_get(&procs, leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

    if (!st) {
        count_unkept();
        return;
    }
    state_exec(st);
    state_texts(st);
}

/*
 * The tests that the program's first open would have to make, while all that they look at is at
 * hand. `place` was found before any of it.
 */
static __always_inline void settle(struct ev *ev, const struct kept *place)
{
    keep_begin(place, ev);
    rule_task_start(ev);
    keep_end(place, ev);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
    struct kept place = {};
    struct ev *ev;
    int rule;

    keep_parent_changed((__u64)task); /* before and after its state does */
    keep_state(task->group_leader);
    keep_parent_changed((__u64)task);
    if (!syscall_wanted(NR_EXECVE))
        return 0;
    if (plan.task)
        place = keep_place(task);
    ev = event_begin(EV_execve, NR_EXECVE, 0);
    if (!ev)
        return 0;
    put_filename(ev, bprm);
    rule = event_judge(ev, rule_filter_exec);
    if (plan.task && syscall_wanted(NR_OPENAT))
        settle(ev, &place);
    event_end(ev, rule, rule_filter_exec);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
