/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Is a rule's lane (abi.h: struct lane) closed? */
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
 * The clock and the buffer are asked once in a tick of the kernel's own clock: a few milliseconds,
 * where a lane is closed for a hundred, and reading that tick costs nothing. Only what user space
 * opens is open at once.
 */
static __always_inline bool lane_is_shut(struct work *w, __u32 number)
{
    struct lane *lane = bpf_map_lookup_elem(&lanes, &number);
    __u64 now;

    if (!lane || !*(volatile __u64 *)&lane->closed)
        return false;
    now = bpf_jiffies64();
    if (w->shut.lane == number && w->shut.tick == now)
        return true;
    if (lane_opens(lane))
        return false;
    w->shut.lane = number;
    w->shut.tick = now;
    return true;
}

#endif
