/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the filter costs the kernel, in thousandths of what an empty hook adds to a call: measured
 * (cost.def), with assumed odds (prior.def). Lowering orders tests by it; `rulec explain --cost`
 * and `rulec check --budget` tell the expectation for each kind of event (estimate.c).
 */
#ifndef RULEC_COST_H
#define RULEC_COST_H

#include "model.h"

#define COST_UNIT 1000u

enum cost_base {
#define COST_BASE(key, cost) COST_BASE_##key,
#include "cost.def"
};
enum cost_test {
#define COST_TEST(key, cost) COST_TEST_##key,
#include "cost.def"
    COST_TESTS
};

uint32_t cost_base(enum cost_base key);
uint32_t cost_test(enum cost_test key);
/* Filling a group of slots: once for an event, by the first test that needs it. */
uint32_t cost_group(enum slot_group g);
/* The atom's test, its value being there. What only user space can decide costs COST_USER. */
#define COST_USER 1000000000u
uint32_t cost_of_test(const struct comp *c, const struct atom *a);
/* That, and filling its group. */
uint32_t cost_of_atom(const struct comp *c, atom_id a);
/* Of a thousand events, on how many the atom holds: 1 to 999. */
uint32_t cost_prior(const struct comp *c, atom_id a);

/* What an event of one row of comp.events is expected to cost, and who it is that costs. */
struct estimate {
    double units;      /* beyond the hook itself; without sending it */
    rule_id rule;      /* the dearest, or 0 */
    double rule_units; /* by it; a group that several rules need is paid by the first */
    atom_id atom;      /* its dearest test, or 0 */
    double atom_units;
    span_id at; /* that test in the rule, or the rule */
};
/* After pass_bpf. */
struct estimate cost_estimate(struct comp *c, const struct event_rules *row);

#endif
