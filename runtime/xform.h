/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References of a bundle over a record: a literal, a field, or transformers of the language over
 * them, as in tolower(x) and concat(a, b). Inside runtime/ only.
 */
#ifndef RULEC_XFORM_H
#define RULEC_XFORM_H

#include "record.h"

/* Numbers of rpk_ref.xform. */
enum rpk_xform {
    RX_NONE,
    RX_TOLOWER,
    RX_TOUPPER,
    RX_BASENAME,
    RX_B64,
    RX_LEN,
    RX_CONCAT,
    RX_JOIN,
    RX_GETOPT,
    RX_VAL,
    RX_COUNT
};

/* The value of a reference, transformers applied. */
struct val xform_ref(struct record *r, const struct rpk *p, uint32_t ref);

#endif
