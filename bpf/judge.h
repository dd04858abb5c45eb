/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What every hook does: take this CPU's scratch, fill group EVENT, let the filter judge, send.
 *
 * Tracepoint programs run with preemption off and none of ours runs inside another, so the scratch
 * is the hook's own until it returns. Inlined in each hook: a call would cost one of the frames
 * that the filter needs (probe.h).
 */
#ifndef RULEC_JUDGE_H
#define RULEC_JUDGE_H

#include "keep.h"

static __always_inline bool bit_of(const volatile __u64 *bits, __u64 nr)
{
    const volatile __u8 *bytes = (const volatile __u8 *)bits;

    return bytes[nr / 8] >> (nr % 8) & 1;
}

static __always_inline bool syscall_wanted(__u64 nr)
{
    return nr < 512 && bit_of(plan.syscalls, nr);
}

/* Takes the scratch, and puts there what path_sketch() looks at but for arguments and descriptor.
 */
static __always_inline struct ev *event_take(__u32 event, struct task_struct *task)
{
    __u32 cpu = bpf_get_smp_processor_id();
    struct ev *ev = bpf_map_lookup_elem(&scratch, &cpu);

    if (!ev)
        return NULL;
    ev->h.event = (__u16)event;
    ev->h.cpu = (__u16)cpu;
    ev->h.st[SLOT_OF_STR(S_A0)] = ST_UNFILLED;
    ev->file = ev->req = 0;
    ev->task = (__u64)task;
    ev->compat = ev->ring = ev->time64 = 0;
    ev->sketched = ev->spelled = ev->own_place = 0;
    ev->sketch = SKETCH_UNKNOWN;
    ev->text = 0;
    return ev;
}

/* The rest of what an event begins with. */
static __always_inline void event_clear(struct ev *ev, struct task_struct *task, __s64 nr,
                                        __s64 res)
{
    /* The states say what is there: the rest is zeroed where it is sent (record_fill). */
    __builtin_memset(ev->h.st, 0, sizeof(ev->h.st));
    ev->h.rule = 0;
    ev->h.reading = READ_KERNEL;
    ev->h.anc_state = 0;
    ev->h.anc_count = 0;
    ev->lineage = 0;
    ev->h.readings = READ_BIT(READ_KERNEL);
    ev->base_len = 0;
    __builtin_memset(&ev->kept, 0, sizeof(ev->kept));
    ev->lore_found = 0;
    ev->wanted = 0;
    ev->limited = 0;
    put_num(ev, N_RES, res);
    put_num(ev, N_SYSNR, nr);
    put_num(ev, N_PID, task->tgid);
    put_num(ev, N_TID, task->pid);
    put_num(ev, N_RING, 0);
    put_state(ev, N_FD_NUM, ST_ABSENT);
}

static __always_inline struct ev *event_begin(__u32 event, __s64 nr, __s64 res)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct ev *ev = event_take(event, task);

    if (ev)
        event_clear(ev, task, nr, res);
    return ev;
}

/* rule_filter(), or the part of it that has the hook's events. */
typedef int filter_part(struct ev *ev);

/* What the filter says of the readings that are not the kernel's; the first that passes. */
static __always_inline int judge_alts(struct ev *ev, filter_part *filter)
{
    int rule = 0;

    /* Unrolled: before 6.3 the verifier refuses a loop that clang enters in its middle. */
#pragma unroll
    for (__u32 k = READ_KERNEL + 1; k < READ_COUNT; k++) {
        if (rule || !(ev->h.readings & READ_BIT(k)) || !record_swap(ev, READ_ALT(k)))
            continue;
        ev->h.reading = (__u8)k;
        rule = filter(ev);
        record_swap(ev, READ_ALT(k));
    }
    if (rule == 0)
        ev->h.reading = READ_KERNEL;
    return rule;
}

/* 0: no rule can match; else 1 + the first that might, under any reading. */
static __always_inline int event_judge(struct ev *ev, filter_part *filter)
{
    int rule = filter(ev);

    if (rule == 0 && ev->h.readings != READ_BIT(READ_KERNEL))
        rule = judge_alts(ev, filter);
    return rule;
}

/*
 * An audit holds the verdict against the values in the record. Those of ancestors may have changed
 * since the verdict, which rests on what was kept: then what is in the record is judged. Where
 * nothing was kept (generation 0) it rests on what was found for this event, and is in the record.
 */
static __always_inline void judge_overtaken(struct ev *ev, filter_part *filter)
{
    if (!ev->kept.generation || ev->kept.generation == keep_generation())
        return;
    __builtin_memset(&ev->kept.bits, 0, sizeof(ev->kept.bits));
    ev->h.rule = (__u32)event_judge(ev, filter);
    record_fill(ev); /* again: other readings have taken the directory's place */
}

static __always_inline void count_filtered(__u32 cpu, __u64 event)
{
    __u64 *n = counters(cpu, event);

    if (!n)
        return;
    n[STAT_SEEN]++;
    n[STAT_FILTERED]++;
}

/* Counts what no rule can match, or only those that are closed. */
static __always_inline void event_drop(struct ev *ev)
{
    if (ev->limited)
        lane_limit(ev);
    else
        count_filtered(ev->h.cpu, ev->h.event);
}

/* Sends what the verdict lets through. The event is packed where it stands, and gone then. */
static __always_inline void event_end(struct ev *ev, int rule, filter_part *filter)
{
    __u64 *n;

    if (rule == 0 && !plan.audit) {
        event_drop(ev);
        return;
    }
    n = counters(ev->h.cpu, ev->h.event);
    if (n)
        n[STAT_SEEN]++;
    ev->h.ts = bpf_ktime_get_boot_ns() + boot_offset_ns;
    ev->h.rule = (__u32)rule;
    if (!record_fits(ev))
        return;
    record_fill(ev);
    if (plan.audit && plan.task)
        judge_overtaken(ev, filter);
    record_send(ev);
}

#endif
