/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include <errno.h>
#include <stdlib.h>

int limit_open(struct limit *l, struct limit_options o, uint32_t nrule, struct lane *lanes)
{
    uint64_t step = o.rate ? 1000000000ull / o.rate : 0;

    *l = (struct limit){.step = step,
                        .slack = step * (o.burst - 1ull),
                        .due = calloc(nrule + 1ull, sizeof(*l->due)),
                        .over = calloc(nrule + 1ull, sizeof(*l->over)),
                        .lanes = lanes};
    return l->due && l->over ? 0 : -ENOMEM;
}

void limit_close(struct limit *l)
{
    free(l->due);
    free(l->over);
    *l = (struct limit){0};
}

/* Until the rule has an alert to its credit, and long enough that opening pays. */
static void close_lane(struct limit *l, uint32_t rule, uint64_t ts)
{
    uint64_t until = l->due[rule] - l->slack;

    if (until < ts + LIMIT_CLOSED_NS)
        until = ts + LIMIT_CLOSED_NS;
    __atomic_store_n(&l->lanes[rule + 1].closed, until, __ATOMIC_RELAXED);
    if (until > l->closed)
        l->closed = until;
}

/* The rule has saved up more than it can while its lane is closed in a flood: that is over. */
static void open_lane(struct limit *l, uint32_t rule, uint64_t ts)
{
    struct lane *lane = &l->lanes[rule + 1];

    if (lane->closed && l->due[rule] + 2 * LIMIT_CLOSED_NS <= ts + l->slack)
        __atomic_store_n(&lane->closed, 0, __ATOMIC_RELAXED);
}

/* The generic cell rate algorithm (ITU-T I.371): one time by rule is all there is to remember. */
bool limit_take(struct limit *l, uint32_t rule, uint64_t ts)
{
    uint64_t *due = &l->due[rule];

    if (l->step == 0)
        return true;
    if (*due > ts + l->slack) {
        l->over[rule]++;
        l->total++;
        if (l->lanes)
            close_lane(l, rule, ts);
        return false;
    }
    if (l->lanes)
        open_lane(l, rule, ts);
    *due = (*due > ts ? *due : ts) + l->step;
    return true;
}
