/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transformers of the language over a record: tolower(x), concat(a, b), ... Inside runtime/ only.
 *
 * What they make stands in the record's scratch. A value that rests on something unknown, or on a
 * list or code of which only the beginning is known, is unknown; a CUT text stays one where its
 * beginning leads to the beginning of the result.
 */
#ifndef RULEC_XFORM_H
#define RULEC_XFORM_H

#include "record.h"

struct val xform_value(struct record *r, const struct rpk *p, const struct rpk_ref *f);

#endif
