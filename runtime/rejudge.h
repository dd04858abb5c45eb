/* SPDX-License-Identifier: Apache-2.0 */
/* A recording, judged in place of what the kernel sends: `rulerun --replay`. */
#ifndef RULEC_REJUDGE_H
#define RULEC_REJUDGE_H

#include "judge.h"

/*
 * Judges the recording that the options name, to its end. The judge is zeroed but for its options;
 * the caller closes it.
 */
enum daemon_result rejudge(struct judge *j);

#endif
