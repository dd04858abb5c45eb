/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References of a bundle over a record: a literal, a field, or transformers of the language over
 * them, as in tolower(x) and concat(a, b). Inside runtime/ only.
 *
 * What is made stands in the record's scratch. A value that rests on something unknown, or on a
 * list or code of which only the beginning is known, is unknown; a CUT text stays one where its
 * beginning leads to the beginning of the result.
 */
#ifndef RULEC_XFORM_H
#define RULEC_XFORM_H

#include "record.h"

/* The value of a reference, transformers applied. */
struct val xform_ref(struct record *r, const struct rpk *p, uint32_t ref);

#endif
