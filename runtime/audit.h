/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit mode: the probe sends every event with the filter's verdict, and the table judges each one
 * exactly. All hooks are attached, and every system call is asked for that can be an event of any
 * rule in the table: so the plan is audited as well as the filter. An event that the plan does not
 * ask for, that the filter would have dropped, or passed for too late a rule, though the table
 * finds a match, is our fault: it is shown as one JSON line that `rulec eval` reads.
 */
#ifndef RULEC_AUDIT_H
#define RULEC_AUDIT_H

#include <stdio.h>

#include "select.h"
#include "table.h"

struct audit {
    const struct selected *selected; /* the rules that are on, and the plan that is judged */
    uint64_t events, matched, disagreements;
};

#define AUDIT_SHOWN 100 /* disagreements written out; more are only counted */

/* Widens a plan to all that any rule of the table can match. */
void audit_plan(const struct rpk *p, struct probe_plan *plan);

/* Judges one record; true if the filter was right. Disagreements are written to `out`. */
bool audit_event(struct audit *a, const struct rpk *p, struct record *r, FILE *out);

#endif
