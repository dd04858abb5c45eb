/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted, and what is said about it at the end, by type of event and in sum:
 * seen = filtered + limited + sent + lost.
 */
#ifndef RULEC_STATS_H
#define RULEC_STATS_H

#include <stdio.h>

#include "metacache.h"
#include "notice.h"

struct rule_stats {
    uint64_t alerts;
    uint64_t no_metadata; /* alerts judged without the metadata of their container */
};

struct stats {
    uint64_t records; /* taken from the ring buffer: evt.num */
    uint64_t alerts;
    uint64_t dropped; /* alerts that an output did not take */
    uint64_t broken;  /* records that were malformed */
    uint64_t waited;  /* records that waited for the metadata of their container */
    uint64_t pushed;  /* of them, those judged early for want of room */
    struct rule_stats *by_rule;
};

int stats_open(struct stats *s, uint32_t rules); /* 0 or -ENOMEM */
void stats_close(struct stats *s);
/* What became of containers whose metadata was asked for; nothing if none was. */
void stats_metadata(const struct stats *s, const struct metacache_stats *m, FILE *out);
/*
 * The closing line; before it a table of the types of event that occurred, and a line for each rule
 * that lost or left out anything. Read once nothing is attached any more, the numbers add up.
 */
void stats_print(const struct stats *s, const struct notice *n, FILE *out);

#endif
