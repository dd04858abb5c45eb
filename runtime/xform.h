/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers of the language over a record: tolower(x), concat(a, b), ... Inside runtime/ only.
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

struct val xform_value(struct record *r, const struct rpk *p, const struct rpk_ref *f);

#endif
