/* SPDX-License-Identifier: Apache-2.0 */
/* Events that were given as text, as a recording for `rulerun --replay` (runtime/capture.h). */
#ifndef RULEC_EVAL_RECORD_H
#define RULEC_EVAL_RECORD_H

#include <stdio.h>

#include "event.h"

struct eval_record {
    FILE *file;
    uint64_t records;
};

/* Creates the file and says that it holds everything. False: errno. */
bool eval_record_open(struct eval_record *w, const char *path, const struct probe_plan *plan);
/* One event: `r` is the view of its record, `bytes`. What user space knows of it goes before it. */
void eval_record_event(struct eval_record *w, struct comp *c, const struct event *e,
                       const struct record *r, const void *bytes, size_t size);
/* False if anything could not be written: errno. */
bool eval_record_close(struct eval_record *w);

#endif
