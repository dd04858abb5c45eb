/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of a YAML scalar stand in its file. libyaml tells where a scalar begins and
 * ends; quotes, escapes, folding and indentation shift what is between. This reads the source
 * again beside the value and notes each shift.
 */
#ifndef RULEC_TEXTMAP_H
#define RULEC_TEXTMAP_H

#include "model.h"

enum scalar_style { SCALAR_PLAIN, SCALAR_SINGLE, SCALAR_DOUBLE, SCALAR_LITERAL, SCALAR_FOLDED };

/*
 * Sets y->map0, y->nmap for the scalar whose source is src[from..to), without anchor and tag. A
 * shift that is not understood ends the map: what follows is shown at its last known place.
 */
void textmap_build(struct comp *c, struct yaml *y, enum scalar_style style, const char *src,
                   uint32_t from, uint32_t to);

#endif
