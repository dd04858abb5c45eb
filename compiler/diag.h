/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings. diag() queues one and returns; the pass goes on with poison. They are sorted by place
 * and printed once, at the end. Codes, severities and explanations are the rows of diag.def:
 *   DIAG(CODE, severity, "FALCO_NAME", "one line", "explanation")
 */
#ifndef RULEC_DIAG_H
#define RULEC_DIAG_H

#include <stdio.h>

#include "model.h"

enum severity { SEV_ERROR, SEV_WARNING, SEV_INFO };

enum diag_code {
    DIAG_NONE,
#define DIAG(code, severity, falco, title, explanation) code,
#include "diag.def"
    DIAG_COUNT
};

struct diag_info {
    const char *code, *falco, *title, *explanation;
    enum severity severity;
};
const struct diag_info *diag_info(enum diag_code code);
enum diag_code diag_by_name(const char *code);

struct diags *diags_new(struct arena *a);

/* Queues a finding at `at` (its via chain is shown as notes). `hint` may be NULL. */
void diag(struct comp *c, enum diag_code code, span_id at, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Adds a note with a place of its own to the last finding. */
void diag_note(struct comp *c, span_id at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The rule that later findings belong to (0: none): shown in JSON. */
void diag_set_rule(struct comp *c, str_id rule);

uint32_t diag_count(const struct comp *c, enum severity severity);

enum diag_format { DIAG_TEXT, DIAG_JSON };
/* Prints all findings, in file order. `color` for terminals only. */
void diag_print(struct comp *c, FILE *out, enum diag_format format, bool color);

#endif
