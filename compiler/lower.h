/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of pass_lower: the kinds of events a pack can tell apart (site.c), and what a rule's
 * events give reason to say (lint.c).
 */
#ifndef RULEC_LOWER_H
#define RULEC_LOWER_H

#include "diag.h"
#include "simplify.h"

struct sites {
    VEC(struct site) v; /* by event, then sysnr: the row for all others comes first */
};

/*
 * The kinds of events, live or not. Generic system calls stand for themselves only where some atom
 * of the pack tells them from the rest, so that a pack that names none has one row for all of them.
 */
void sites_of_pack(struct comp *c, struct sites *out);

/* Which events a rule can fire on, by its tests of evt.type and evt.num alone. */
struct event_set {
    bool may[EV_COUNT];
    bool all;         /* most events: it is about none in particular */
    bool many;        /* Falco counts more than 100 event codes, and warns (rule-language 8.2) */
    bool falco_loses; /* true of generic calls, on which Falco does not try it */
};
void event_set_of_rule(const struct comp *c, const struct sites *sites, const struct rule *r,
                       struct event_set *out);

/* The rule is judged on too many events. Falco says so of rules that are switched off as well. */
void lint_many(struct comp *c, const struct rule *r, const struct event_set *set);
/* Findings about one rule that is switched on: its events, texts that no flag has. */
void lint_rule(struct comp *c, const struct rule *r, const struct event_set *set);
/* True if the events are named, and this version does not deliver one of them. */
bool lint_wants_dead(const struct event_set *set);
/* The rule is false on all live events. */
void lint_never(struct comp *c, const struct rule *r, const struct event_set *set);

#endif
