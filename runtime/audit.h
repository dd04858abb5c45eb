/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit mode: the probe sends every event with the filter's verdict, and the table judges each one
 * exactly. An event that the filter would have dropped, or passed for too late a rule, though the
 * table finds a match, is our fault: it is shown as one JSON line that `rulec eval` reads.
 */
#ifndef RULEC_AUDIT_H
#define RULEC_AUDIT_H

#include <stdio.h>

#include "table.h"

struct audit {
    uint64_t events, matched, disagreements;
};

#define AUDIT_SHOWN 100 /* disagreements written out; more are only counted */

/* Judges one record; true if the filter was right. Disagreements are written to `out`. */
bool audit_event(struct audit *a, const struct rpk *p, struct record *r, FILE *out);

#endif
