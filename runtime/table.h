/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision table's evaluator: which rules a record matches. Exact; no allocation, no I/O.
 */
#ifndef RULEC_TABLE_H
#define RULEC_TABLE_H

#include "record.h"

enum verdict {
    VERDICT_NONE = 0,
    VERDICT_MATCH = 1,
    VERDICT_UNCERTAIN = 2, /* some completion of what is unknown would match */
};

struct match {
    uint32_t rule; /* index in the bundle */
    uint8_t verdict;
    uint8_t reading; /* enum reading it was found under */
    uint8_t pad[2];
};

/*
 * Judges the rules that are on (rpk_rule_on) under each reading it holds (`readings`: bit per enum
 * reading to consider). Fills at most `cap` matches in rule order and returns their number.
 * `first`: stops after the first certain one (an uncertain one before it is reported too, and hides
 * nothing). A rule that holds under several readings is reported once, under the first.
 */
unsigned table_match(const struct rpk *p, struct record *r, unsigned readings, bool first,
                     struct match *out, unsigned cap);
/* One rule alone: for tests. */
enum verdict table_rule(const struct rpk *p, struct record *r, uint32_t rule);

#endif
