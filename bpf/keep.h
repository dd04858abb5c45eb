/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What was decided of a task, kept for its next events.
 *
 * A row of `tasks` counts only if all that it rests on is as it was: which task it is (address,
 * start, number of execs), its credentials, and the generation of ancestors. So a row is a guess
 * that is checked: tasks that share a row overwrite each other's, and nothing has to be taken away
 * when one ends. Each CPU has rows of its own, which are read and written with preemption off.
 *
 * The generation goes up before and after a task that has children starts another program, and
 * before one exits. It is read before the ancestors are looked at, so that what a change overtakes
 * is stored under a number that is over. One case is left: a task that exits goes up first and
 * hands its children on afterwards. task_settle() sees that: nothing is kept below a task that is
 * exiting.
 *
 * User space begins the first generation, once the hooks that this needs are attached; before, or
 * where the kernel refuses one of them, nothing is kept.
 */
#ifndef RULEC_KEEP_H
#define RULEC_KEEP_H

#include "probe.h"

/* The task's row, or NULL; valid: it holds. */
struct kept {
    struct task_entry *row;
    __u64 generation;
    bool valid;
};

static __always_inline __u64 keep_generation(void)
{
    __u32 row = GENERATION_NOW;
    __u64 *now = bpf_map_lookup_elem(&generation, &row);

    return now ? *(volatile __u64 *)now : 0;
}

static __always_inline bool keep_has_children(__u64 task)
{
    __u64 head = task + bpf_core_field_offset(struct task_struct, children);

    return KADDR(struct list_head, head, next) != head;
}

/* The task has changed, or is going to leave its children: what rests on it is void. */
static __always_inline void keep_parent_changed(__u64 task)
{
    __u32 row = GENERATION_NOW;
    __u64 *now;

    if (!(plan.task & TASK_ANC) || !keep_has_children(task))
        return;
    now = bpf_map_lookup_elem(&generation, &row);
    if (now)
        __sync_fetch_and_add(now, 1);
}

static __always_inline __u64 keep_ids(const struct cred *cred)
{
    return cred->euid.val | (__u64)cred->egid.val << 32;
}

static __always_inline bool keep_same_cred(const struct task_id *id, const struct cred *cred)
{
    return id->ids == keep_ids(cred) && id->caps[0] == cred->cap_effective.val &&
           id->caps[1] == cred->cap_permitted.val && id->caps[2] == cred->cap_inheritable.val;
}

/* Is it this task, in the program that it has now? */
static __always_inline bool keep_same_task(const struct task_ref *ref,
                                           const struct task_struct *task, __u64 generation)
{
    return ref->task == (__u64)task && ref->start == task->start_boottime &&
           ref->execs == task->self_exec_id && ref->generation == generation;
}

/* The generation is from before anything of the task was looked at. */
static __always_inline void keep_put_ref(struct task_ref *ref, const struct task_struct *task,
                                         __u64 generation)
{
    ref->task = (__u64)task;
    ref->start = task->start_boottime;
    ref->execs = task->self_exec_id;
    ref->generation = generation;
}

/* Is it this task, as it is now? `cred`: the task's, if plan.task asks for it. */
static __always_inline bool keep_is(const struct task_id *id, struct task_struct *task,
                                    const struct cred *cred, __u64 generation)
{
    return keep_same_task(&id->ref, task, generation) &&
           (!(plan.task & TASK_CRED) || keep_same_cred(id, cred));
}

/* The same of the current task, with all that its tests rest on. */
static __always_inline void keep_put_id(struct task_id *id, __u64 generation)
{
    struct task_struct *task = bpf_get_current_task_btf();
    const struct cred *cred;

    keep_put_ref(&id->ref, task, generation);
    if (!(plan.task & TASK_CRED))
        return;
    cred = task->cred;
    id->ids = keep_ids(cred);
    id->caps[0] = cred->cap_effective.val;
    id->caps[1] = cred->cap_permitted.val;
    id->caps[2] = cred->cap_inheritable.val;
}

/* Where the task's row is; nothing of it is known. */
static __always_inline struct kept keep_place(struct task_struct *task)
{
    __u32 i = bpf_get_smp_processor_id() * task_slots + ((__u32)task->pid & (task_slots - 1));

    return (struct kept){.row = bpf_map_lookup_elem(&tasks, &i), .generation = keep_generation()};
}

/* `cred`: the task's, if plan.task asks for it. */
static __always_inline struct kept keep_find(struct task_struct *task, const struct cred *cred)
{
    struct kept k = keep_place(task);

    k.valid = k.row && keep_is(&k.row->id, task, cred, k.generation);
    return k;
}

/* The tests that the task passes or that are not known yet. */
static __always_inline void keep_bits(const struct kept *k, __u64 bits[2])
{
    const struct task_entry *row = k->row;

    bits[0] = bits[1] = ~0ull;
    if (!row || !k->valid)
        return;
    bits[0] = left_of(&row->bits, 0);
    bits[1] = left_of(&row->bits, 2);
}

static __always_inline void keep_begin(const struct kept *k, struct ev *ev)
{
    ev->kept.generation = k->generation;
    if (k->row && k->valid)
        ev->kept.bits = k->row->bits;
}

/* Stores what was found beyond what was kept. */
static __always_inline void keep_end(const struct kept *k, struct ev *ev)
{
    if (k->row && ev->kept.settled && ev->kept.generation)
        task_keep(ev, k->row);
}

#endif
