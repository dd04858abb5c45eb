/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rulerun tells of its own troubles, as alerts among the others: records that found no room,
 * alerts over a rule's limit, alerts that an output did not take. Told at once, with the numbers
 * by rule (or output), and then at most once a second for as long as it goes on; the rest at the
 * end. What is told adds up to what was counted.
 */
#ifndef RULEC_NOTICE_H
#define RULEC_NOTICE_H

#include "limit.h"
#include "own.h"
#include "shared.h"
#include "tell.h"

enum notice_kind { NOTICE_LOST, NOTICE_LIMITED, NOTICE_DROPPED, NOTICE_KINDS };

#define NOTICE_EVERY_NS 1000000000ull
#define NOTICE_ROWS 32 /* rules named in one alert; the rest is a sum */

struct notice {
    /* The caller's to set. */
    const struct shared *shared;
    const struct limit *limit;
    const struct rpk *pack;
    const struct alert_style *style;
    struct tell *tell;
    int32_t utc_offset; /* as of now */
    /* What was told so far, by kind and row; and when it may be told again. */
    uint64_t *told[NOTICE_KINDS];
    uint64_t over, dropped; /* sums, when last told: what differs from them is news */
    uint64_t next[NOTICE_KINDS], last[NOTICE_KINDS];
};

/* 0 or -ENOMEM. notice_close() is called in either case. */
int notice_open(struct notice *n, uint64_t now);
void notice_close(struct notice *n);
/* Tells what is due. `now`: by the events' clock, as everywhere here. Costs little if nothing is.
 */
void notice_look(struct notice *n, uint64_t now);
/* In how many ms to look again though no event comes; -1: need not be. */
int notice_wait(const struct notice *n, uint64_t now);
/* Tells all that is left. */
void notice_end(struct notice *n, uint64_t now);

/* Alerts of a rule that were not told, or events that were not even sent, because of its limit. */
uint64_t notice_limited(const struct notice *n, uint32_t rule);

#endif
