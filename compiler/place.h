/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an atom is decided: the one place that knows which tests generated code can make, which
 * need a matcher of the probe, and which only user space can. Pure reads of the model; place_atom()
 * appends rows to comp.where, comp.tests, comp.patterns and comp.names.
 */
#ifndef RULEC_PLACE_H
#define RULEC_PLACE_H

#include <stdio.h>

#include "model.h"

/* Above this many constants a test of a process name asks a hash set. */
#define INLINE_NAMES_MAX 12
/* Above this many the constants of a text stand in a table of classes (bpf/class.h). */
#define INLINE_TEXTS_MAX 128

struct planner; /* need.h */

/* For pass_plan: appends the row that says where the atom is decided on the event. */
void place_atom(struct planner *p, atom_id a, enum event_id event);
/* For pass_plan: brings comp.where into the order of place_where(). */
void place_sort(struct comp *c);

/* The row of an atom on an event, once pass_plan has run. Never NULL for atoms of its rules. */
const struct where *place_where(const struct comp *c, atom_id a, enum event_id event);

/* For dumps and explain (dump_ir.c): "inline PROC name", "user". */
void print_where(struct comp *c, FILE *out, const struct where *w);
void print_readings(FILE *out, unsigned readings); /* " opened spelled" */

#endif
