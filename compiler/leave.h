/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of pass_plan: disabled rules that this version could not run. */
#ifndef RULEC_LEAVE_H
#define RULEC_LEAVE_H

#include "model.h"

/*
 * Takes their roots away: they are no error, as they would be if the rules were on, but can never
 * be switched on. A plan of its own is left in comp.plan, to be overwritten.
 */
void leave_out(struct comp *c);

#endif
