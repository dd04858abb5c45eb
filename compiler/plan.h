/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of pass_plan: what a field needs of the probe (need.c), where an atom is decided
 * (place.c), which disabled rules cannot be had (leave.c), and the whole (plan.c).
 */
#ifndef RULEC_PLAN_H
#define RULEC_PLAN_H

#include "cons.h"
#include "model.h"
#include "numtext.h"

struct planner {
    struct comp *c;
    struct cons patterns;  /* comp.patterns by text, from 1: index + 1 */
    enum event_id *placed; /* by atom: the event of its last row; EV_COUNT: a row for all */
    uint8_t nextra;        /* of comp.plan.probe.extra in use */
    bool trial;            /* nothing is reported */
    bool refused;          /* in a trial: something that was asked for cannot be had */
};

#define PLAN_EMPTY ((struct plan){.probe.readings = 1, .probe.groups = 1ull << G_EVENT})

/* What judging an atom, and what showing a rule's output needs on the event. */
void plan_atom_needs(struct planner *p, atom_id id, enum event_id event);
void plan_output_needs(struct planner *p, const struct rule *r, enum event_id event);

/*
 * Takes the roots away from disabled rules that this version could not run: they are no error, as
 * they would be if the rules were on, but can never be switched on. A plan of its own is left in
 * comp.plan, to be overwritten.
 */
void leave_out(struct comp *c);

/*
 * Notes what judging or printing a field needs, and reports what this version cannot supply (with
 * comp.build). `event`: where it is asked for.
 */
void need_field(struct planner *p, struct field_ref f, enum event_id event, span_id at);
/* The same for an expression. */
void need_operand(struct planner *p, operand_id id, enum event_id event);
/* The text slot of an ancestor's exe, path or command line; -1: it has none. */
int16_t need_anc_slot(const struct comp *c, struct field_ref f);
/* True if the field is fd.name, or follows from it: judged under both readings. */
bool need_is_path(enum field_id f);

/* Appends the row that says where the atom is decided on the event. */
void place_atom(struct planner *p, atom_id a, enum event_id event);
/* Brings comp.where into the order of place_where(). */
void place_sort(struct comp *c);

#endif
