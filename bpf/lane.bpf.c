/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Lanes that are closed (abi.h: struct lane). Asked where a rule would be the filter's answer, so
 * that an event which no rule can match costs nothing more.
 */
#include "lane.h"

__attribute__((noinline)) int lane_answer(struct ev *ev, __u32 number)
{
    struct work *w = work_get();

    if (!ev || !w || !lane_is_shut(w, number))
        return (int)number;
    if (!ev->limited)
        ev->limited = number;
    else if (ev->limited != number)
        ev->limited_more = 1;
    return 0;
}

/* One more event of the lane, by this CPU's own counter while they are of the same one. */
static __always_inline void count_limited(__u32 number)
{
    __u32 cpu = bpf_get_smp_processor_id(), last;
    struct cpu_stats *s = bpf_map_lookup_elem(&stats, &cpu);
    struct lane *lane;
    __u64 was;

    if (!s)
        return;
    was = s->limited;
    last = (__u32)(was >> 32);
    if (last == number && (__u32)was != ~0u) {
        s->limited = was + 1;
        return;
    }
    *(volatile __u64 *)&s->limited = (__u64)number << 32 | 1;
    lane = bpf_map_lookup_elem(&lanes, &last);
    if (lane)
        __sync_fetch_and_add(&lane->limited, (__u32)was);
}

__attribute__((noinline)) int lane_limit(struct ev *ev)
{
    __u32 zero = 0;
    struct ring_reader *r = bpf_map_lookup_elem(&reader, &zero);

    if (!ev)
        return 0;
    count_limited(ev->limited);
    if (r && !*(volatile __u32 *)&r->limited) /* not to write is not to share a cache line */
        r->limited = 1;
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
