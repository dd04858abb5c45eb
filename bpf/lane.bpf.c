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
    else if ((ev->limited & ~LIMITED_MORE) != number)
        ev->limited |= LIMITED_MORE;
    return 0;
}

__attribute__((noinline)) int lane_limit(struct ev *ev)
{
    if (!ev)
        return 0;
    lane_count(ev->h.event, ev->limited & ~LIMITED_MORE);
    open_keep(ev);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
