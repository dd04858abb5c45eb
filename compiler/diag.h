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
/* A word of the input for a message: at most 60 bytes of it, cut at a character. */
const char *diag_word(struct comp *c, const char *bytes, size_t len);
/* The rule that later findings belong to (0: none): shown in JSON. */
void diag_set_rule(struct comp *c, str_id rule);

/*
 * While on: findings other than errors are left out, and an error that is found again counts as
 * one. For what is compiled a second time at the end.
 */
void diag_set_draft(struct comp *c, bool on);

/* Different findings: one that is met at several uses (of a macro, say) counts once. */
uint32_t diag_count(const struct comp *c, enum severity severity);
/* Findings so far of any severity, at each use: tells cheaply whether there was one more. */
uint32_t diag_total(const struct comp *c);

enum diag_format { DIAG_TEXT, DIAG_JSON };
struct diag_style {
    enum diag_format format;
    bool color;   /* for terminals only */
    bool verbose; /* findings of severity info too */
};
/* Prints all findings, in file order (report.c). */
void diag_print(const struct comp *c, FILE *out, struct diag_style style);
/* diag_print() as text to standard error, with colour if that is a terminal and wants it. */
void diag_report(const struct comp *c);
bool diag_wants_color(FILE *out);

/* For report.c: the findings in order of place, equal ones merged. */
struct note {
    span_id at;
    const char *text;
};
struct finding {
    enum diag_code code;
    span_id at;
    str_id rule;
    const char *text, *hint; /* hint may be NULL */
    uint32_t note0, nnote;   /* diags_notes() */
    uint32_t more;           /* places more where the same was found */
};
const struct finding *diags_sorted(const struct comp *c, uint32_t *n);
const struct note *diags_notes(const struct comp *c);
/* Findings beyond DIAG_MAX: counted, not kept. */
uint32_t diags_left_out(const struct comp *c);
#define DIAG_MAX 10000u

#endif
