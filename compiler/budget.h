/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of event is expected to cost (cost.h), told and held to a limit. After pass_bpf.
 */
#ifndef RULEC_BUDGET_H
#define RULEC_BUDGET_H

#include <stdio.h>

#include "model.h"

/*
 * The dearest events first, those that have the same rules in one entry: what they cost, and the
 * rule and the test that cost most.
 */
void budget_print(struct comp *c, FILE *out);
/* A finding (RK0501) for each that is expected to cost more than `units`. */
void budget_check(struct comp *c, double units);

#endif
