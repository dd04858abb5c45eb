/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One test of one value against constants or another value: the operators, by kind of value.
 * Inside runtime/ only. Written apart from grammar/ops.c, so that tests can hold one against the
 * other. Outcomes are three-valued: what is unknown or cut too short to decide is MAYBE.
 */
#ifndef RULEC_MATCH_H
#define RULEC_MATCH_H

#include "record.h"

enum outcome { OUT_FALSE, OUT_TRUE, OUT_MAYBE };

/* One side of a comparison as plain data. */
struct operand_value {
    struct val v;      /* the field's */
    enum type_id type; /* of the comparison */
};

/* `v` is PRESENT or CUT. `c` is one constant; for texts, bytes. */
enum outcome match_text(enum op_id op, struct val v, const char *c, size_t n);
/* A text against a compiled pattern: a row of regexes. */
enum outcome match_regex(const struct rpk *p, uint32_t regex, struct val v);
enum outcome match_num(enum op_id op, enum type_id type, int64_t a, int64_t b);
enum outcome match_addr(enum op_id op, struct val v, const struct rpk_value *c);
enum outcome match_addrs(enum op_id op, struct val a, struct val b);

/* fnmatch(3) without flags in the C locale, over counted bytes; linear in stars. */
bool glob_match(const char *s, size_t n, const char *pat, size_t np, bool fold);
/* The components of `pat` (globs where they hold ? * [) are a leading part of those of `s`. */
bool path_match(const char *s, size_t n, const char *pat, size_t np);

/* An atom over the record: every special case of fields included. */
enum outcome match_atom(const struct rpk *p, struct record *r, const struct rpk_atom *a);

#endif
