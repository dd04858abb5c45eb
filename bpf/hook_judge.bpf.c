/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Judges the event that stands in this CPU's scratch, for hooks that put it there and end in a tail
 * call: the filter is verified once for all of them. They are raw tracepoints, because only
 * programs of one kind can call one another so, and those on BTF are each of a kind of their own.
 */
#include "judge.h"

SEC("raw_tp/judge") /* attached nowhere (runtime/load.c) */
int judge_event(void *ctx)
{
    __u32 cpu = bpf_get_smp_processor_id();
    struct ev *ev = bpf_map_lookup_elem(&scratch, &cpu);
    __u64 req;

    if (!ev)
        return 0;
    req = ev->req;
    event_end(ev, event_judge(ev, rule_filter_judged), rule_filter_judged);
    if (req)
        ring_forget(req);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
