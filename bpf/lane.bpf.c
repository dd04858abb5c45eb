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

__attribute__((noinline)) int lane_limit(struct ev *ev)
{
    __u32 number = ev ? ev->limited : 0, zero = 0;
    struct lane *lane = bpf_map_lookup_elem(&lanes, &number);
    struct ring_reader *r = bpf_map_lookup_elem(&reader, &zero);

    if (lane)
        __sync_fetch_and_add(&lane->limited, 1);
    if (r && !*(volatile __u32 *)&r->limited) /* not to write is not to share a cache line */
        r->limited = 1;
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
