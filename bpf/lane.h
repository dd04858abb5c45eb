/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Lanes that are closed (abi.h: struct lane), and events that are limited by them. */
#ifndef RULEC_LANE_H
#define RULEC_LANE_H

#include "probe.h"

/*
 * A lane that was closed for a flood opens by a crack: a few records at a time, so that the reader
 * can close it again before it is swamped, however late it gets to run.
 */
#define CRACK 64 /* part of the buffer that they may hold */

static __always_inline bool lane_opens(const struct lane *lane)
{
    __s64 held = (__s64)(lane->sent - lane->taken);

    return bpf_ktime_get_boot_ns() + boot_offset_ns >= lane->closed &&
           held <= (__s64)(bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / CRACK);
}

/*
 * The lane, the clock and the buffer are asked once in a tick of the kernel's own clock: a few
 * milliseconds, where a lane is closed for a hundred, and reading that tick costs nothing.
 */
static __always_inline bool lane_is_shut(struct work *w, __u32 number)
{
    __u64 now = bpf_jiffies64();
    struct lane *lane;

    if (w->shut.lane == number && w->shut.tick == now)
        return true;
    lane = bpf_map_lookup_elem(&lanes, &number);
    if (!lane || !lane->closed || lane_opens(lane))
        return false;
    w->shut.lane = number;
    w->shut.tick = now;
    return true;
}

/* One more event of the lane, by this CPU's own counter while they are of the same one. */
static __always_inline void lane_add(struct cpu_stats *s, __u32 number)
{
    __u64 was = s->limited;
    __u32 last = (__u32)(was >> 32);
    struct lane *lane;

    if (last == number && (__u32)was != ~0u) {
        s->limited = was + 1;
        return;
    }
    *(volatile __u64 *)&s->limited = (__u64)number << 32 | 1;
    lane = bpf_map_lookup_elem(&lanes, &last);
    if (lane)
        __sync_fetch_and_add(&lane->limited, (__u32)was);
}

/* The reader is told that there is something to count. */
static __always_inline void lane_tell(void)
{
    __u32 zero = 0;
    struct ring_reader *r = bpf_map_lookup_elem(&reader, &zero);

    if (r && !*(volatile __u32 *)&r->limited) /* not to write is not to share a cache line */
        r->limited = 1;
}

/* An event of which no rule is left but those that are closed; the first of them is `number`. */
static __always_inline void lane_count(__u64 event, __u32 number)
{
    __u32 cpu = bpf_get_smp_processor_id();
    struct cpu_stats *s = bpf_map_lookup_elem(&stats, &cpu);
    __u64 *n = counters_of(s, event);

    if (!n)
        return;
    n[STAT_SEEN]++;
    n[STAT_LIMITED]++;
    lane_add(s, number);
    lane_tell();
}

#endif
