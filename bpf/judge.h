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

static __always_inline bool syscall_wanted(__u64 nr)
{
    return nr < 512 && (plan.syscalls[nr / 64] >> (nr % 64) & 1);
}

static __always_inline struct ev *event_begin(__u32 event, __s64 nr, __s64 res)
{
    __u32 cpu = bpf_get_smp_processor_id();
    struct ev *ev = bpf_map_lookup_elem(&scratch, &cpu);
    __u64 id = bpf_get_current_pid_tgid();

    if (!ev)
        return NULL;
    /* The states say what is there: the rest is zeroed where it is sent (record_fill). */
    __builtin_memset(ev->h.st, 0, sizeof(ev->h.st));
    ev->h.rule = 0;
    ev->h.reading = READ_KERNEL;
    ev->h.anc_state = 0;
    ev->h.anc_count = 0;
    ev->h.event = (__u16)event;
    ev->h.cpu = (__u16)cpu;
    ev->h.readings = 1;
    ev->spell_len = ev->base_len = 0;
    ev->file = 0;
    ev->compat = 0;
    __builtin_memset(&ev->kept, 0, sizeof(ev->kept));
    put_num(ev, N_RES, res);
    put_num(ev, N_SYSNR, nr);
    put_num(ev, N_PID, (__s32)(id >> 32));
    put_num(ev, N_TID, (__s32)id);
    put_state(ev, N_FD_NUM, ST_ABSENT);
    return ev;
}

/* 0: no rule can match; else 1 + the first that might, under either reading. */
static __always_inline int event_judge(struct ev *ev)
{
    int rule = rule_filter(ev);

    if (rule == 0 && ev->h.readings == 2 && record_swap(ev)) {
        ev->h.reading = READ_SPELLED;
        rule = rule_filter(ev);
        record_swap(ev);
        if (rule == 0)
            ev->h.reading = READ_KERNEL;
    }
    return rule;
}

/*
 * An audit holds the verdict against the values in the record. Those of ancestors may have changed
 * since the verdict, which rests on what was kept: then what is in the record is judged.
 */
static __always_inline void judge_overtaken(struct ev *ev)
{
    if (ev->kept.generation == keep_generation())
        return;
    __builtin_memset(&ev->kept.bits, 0, sizeof(ev->kept.bits));
    ev->h.rule = (__u32)event_judge(ev);
}

/* Sends what the verdict lets through. The event is packed where it stands, and gone then. */
static __always_inline void event_end(struct ev *ev, int rule)
{
    count(STAT_SEEN);
    if (rule == 0 && !plan.audit) {
        count(STAT_FILTERED);
        return;
    }
    ev->h.ts = bpf_ktime_get_boot_ns() + boot_offset_ns;
    ev->h.rule = (__u32)rule;
    record_fill(ev);
    if (plan.audit && plan.task)
        judge_overtaken(ev);
    record_send(ev);
}

#endif
