/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of pass_plan: what a field needs of the probe. The pass itself is in plan.c, and where an
 * atom is decided in place.c; both build on this. Disabled rules that cannot be had: leave.c.
 */
#ifndef RULEC_NEED_H
#define RULEC_NEED_H

#include "cons.h"
#include "model.h"
#include "numtext.h"

struct planner {
    struct comp *c;
    struct cons patterns;       /* comp.patterns by text, from 1: index + 1 */
    enum event_id *placed;      /* by atom: the event of its last row; EV_COUNT: a row for all */
    uint8_t nextra;             /* of comp.plan.probe.extra in use */
    uint32_t nlore[LORE_KINDS]; /* bits in use */
    bool trial;                 /* nothing is reported */
    bool refused;               /* in a trial: something that was asked for cannot be had */
};

#define PLAN_EMPTY                                                                                 \
    ((struct plan){.probe.readings = READ_BIT(READ_KERNEL), .probe.groups = 1ull << G_EVENT})

/*
 * Notes what judging or printing a field needs, and reports what this version cannot supply (see
 * need_code()). `event`: where it is asked for.
 */
void need_field(struct planner *p, struct field_ref f, enum event_id event, span_id at);
/* The same for an expression. */
void need_operand(struct planner *p, operand_id id, enum event_id event);
/* What judging an atom, and what showing a rule's output needs on the event. */
void need_atom(struct planner *p, atom_id id, enum event_id event);
void need_output(struct planner *p, const struct rule *r, enum event_id event);
/* The text slot of an ancestor's exe, path or command line; -1: it has none. */
int16_t need_anc_slot(const struct comp *c, struct field_ref f);

/*
 * How it is told that this version cannot do something: as an error of this code when a bundle is
 * built, as a warning before that, or (DIAG_NONE) not at all.
 */
enum diag_code need_code(const struct comp *c, enum diag_code refused);

#endif
