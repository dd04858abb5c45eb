/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs and paths (`glob`, `iglob`, `pmatch`) that the kernel decides, as its matchers read them
 * (bpf/match.h); and what is known of those that it cannot decide. Pure: only interns texts.
 */
#ifndef RULEC_PATTERN_H
#define RULEC_PATTERN_H

#include "model.h"

/* How long a written pattern may be: struct bpf_pattern holds more. */
#define PATTERN_WRITTEN_MAX 240
/* So many of one atom are code. */
#define PATTERNS_MAX 128

static inline bool pattern_is_op(enum op_id op)
{
    return op == OP_GLOB || op == OP_IGLOB || op == OP_PMATCH;
}

/*
 * A glob of literals, `*` and `?`, in one byte for each; a path without globs, as its components
 * with single slashes between. False: the matchers cannot decide this one.
 */
bool pattern_write(const struct comp *c, enum op_id op, str_id text, str_id *out);
/* True if the matchers decide all constants of an atom that pattern_is_op(). */
bool pattern_all_simple(const struct comp *c, const struct atom *a);

/*
 * What every text that constant `i` of the atom matches begins with (OP_STARTSWITH) or ends with
 * (OP_ENDSWITH). Of `regex` and `glob`; of others, and where nothing is known, no bytes.
 */
str_id pattern_known(const struct comp *c, const struct atom *a, uint32_t i, enum op_id op);

#endif
