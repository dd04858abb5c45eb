/* SPDX-License-Identifier: Apache-2.0 */
/* For people: which tests the kernel decides. After pass_bpf. */
#ifndef RULEC_GRADE_H
#define RULEC_GRADE_H

#include "model.h"

/*
 * Why the kernel does not decide the node's test on each event, in words that follow "because";
 * NULL: it does. `table`: the rule is looked up, and a table in the kernel has its tests.
 */
const char *grade_why(const struct comp *c, const struct dag_node *n, enum event_id event,
                      bool table);

/* The name of a row's event. */
const char *grade_event_name(const struct event_rules *e);

#endif
