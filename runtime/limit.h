/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many alerts of one rule are told: `rate` a second, and `burst` at once after a quiet time. An
 * alert beyond is counted, and the rule's lane is closed for a moment, so that the kernel does not
 * even send what would not be told. Only what was judged and matches comes here: records that the
 * table rejects close no lane.
 *
 * Times are those of events, so that a backlog which is worked off in one go is no flood.
 */
#ifndef RULEC_LIMIT_H
#define RULEC_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "../bpf/abi.h"

#define LIMIT_CLOSED_NS 100000000ull /* a lane is closed for at least so long */
#define LIMIT_MAX 1000000000u        /* of both options */

struct limit_options {
    uint32_t rate;  /* alerts of a rule and second; 0: no limit */
    uint32_t burst; /* at least 1 */
};

struct limit {
    uint64_t step;      /* ns from one alert to the next at that rate; 0: no limit */
    uint64_t slack;     /* ns by which they may come early: the burst */
    uint64_t *due;      /* by rule: when its next alert would come at that rate */
    uint64_t *over;     /* by rule: alerts beyond the limit */
    uint64_t total;     /* of all rules */
    uint64_t closed;    /* until then some lane may be closed */
    struct lane *lanes; /* NULL: no lane is ever closed */
};

/* 0 or -ENOMEM. */
int limit_open(struct limit *l, struct limit_options o, uint32_t nrule, struct lane *lanes);
void limit_close(struct limit *l);
/* May this alert be told, of an event at time `ts`? False: it was counted. */
bool limit_take(struct limit *l, uint32_t rule, uint64_t ts);

#endif
