/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Lanes that are closed (abi.h: struct lane). Asked where a rule would be the filter's answer, so
 * that an event which no rule can match costs nothing more.
 */
#include "probe.h"

/*
 * A lane that was closed for a flood opens by a crack: a few records at a time, so that the reader
 * can close it again before it is swamped, however late it gets to run.
 */
#define CRACK 64 /* part of the buffer that they may hold */

static __always_inline bool is_open(const struct lane *lane)
{
    __s64 held = (__s64)(lane->sent - lane->taken);

    return bpf_ktime_get_boot_ns() + boot_offset_ns >= lane->closed &&
           held <= (__s64)(bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / CRACK);
}

__attribute__((noinline)) int lane_answer(struct ev *ev, __u32 number)
{
    struct lane *lane = bpf_map_lookup_elem(&lanes, &number);

    if (!ev || !lane || !lane->closed || is_open(lane))
        return (int)number;
    if (!ev->limited)
        ev->limited = number;
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
