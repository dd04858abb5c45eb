/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings. diag() queues one and returns; the pass goes on with poison. They are sorted by place
 * and printed once, at the end. Codes, severities, explanations and examples are the rows of
 * diag.def.
 */
#ifndef RULEC_DIAG_H
#define RULEC_DIAG_H

#include <stdio.h>

#include "model.h"

enum severity { SEV_ERROR, SEV_WARNING, SEV_INFO };

enum diag_code {
    DIAG_NONE,
#define DIAG(code, ...) code,
#include "diag.def"
    DIAG_COUNT
};

struct diag_info {
    const char *code;
    enum severity severity;
    const char *falco; /* "" where Falco has no name for it */
    const char *title, *explanation, *example;
};
const struct diag_info *diag_info(enum diag_code code);
const char *diag_severity_name(enum severity severity);
/* Case does not count. DIAG_NONE: there is no such code. */
enum diag_code diag_by_name(const char *code);
/* The code that a misspelt one is nearest to, or DIAG_NONE. */
enum diag_code diag_near(const char *code);

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
/*
 * Prints all findings, in file order: text (report.c), or a JSON array (report_json.c). Lines and
 * columns count from 1, columns in characters (code points; a tab is one); the end is the first
 * column that is no longer meant.
 */
void diag_print(const struct comp *c, FILE *out, struct diag_style style);
void diag_print_json(const struct comp *c, FILE *out, bool verbose);
/* diag_print() as text to standard error, with colour if that is a terminal and wants it. */
void diag_report(const struct comp *c);
bool diag_wants_color(FILE *out);

/*
 * For the printers: the findings in order of place. Those that say the same of the same place, met
 * by way of other uses, stand behind their first one as its repeats.
 */
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
    uint32_t more, repeat0;  /* repeats: diags_repeats() */
};
const struct finding *diags_sorted(const struct comp *c, uint32_t *n);
const struct finding *diags_repeats(const struct comp *c);
const struct note *diags_notes(const struct comp *c);
/* Uses (macros, lists, ...) that led to a place: how many; more than so many are not all shown. */
uint32_t diag_uses(const struct comp *c, const struct span *s);
#define DIAG_USES_MAX 16u
/*
 * Findings beyond DIAG_MAX of a severity: counted, not kept. No number of warnings hides an error.
 * Those of severity info count if they would be shown.
 */
uint32_t diags_left_out(const struct comp *c, bool verbose);
#define DIAG_MAX 10000u

#endif
