/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers: `toupper(proc.name)`. Their meaning is in ops.c, their types are in type.c. */
#ifndef RULEC_TRANSFORM_H
#define RULEC_TRANSFORM_H

#include <stddef.h>

enum xform_id {
    XF_NONE,
    XF_TOLOWER,
    XF_TOUPPER,
    XF_BASENAME,
    XF_B64,
    XF_LEN,
    XF_CONCAT,
    XF_JOIN,
    XF_GETOPT,
    XF_VAL
};

/* "tolower"; "" for XF_NONE. */
const char *xform_name(enum xform_id id);
enum xform_id xform_by_name(const char *s, size_t len);

#endif
