/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transformers: `toupper(proc.name)`. What they take and give is in compiler/xform.c, what they do
 * in compiler/eval_xform.c (the reference) and runtime/xform.c. The numbers are those of bundles.
 */
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
    XF_VAL,
    XF_LIST, /* `(a, b)` among the arguments: has no name */
    XF_COUNT
};

/* "tolower"; "" for XF_NONE and XF_LIST. */
const char *xform_name(enum xform_id id);
#define XFORM_ARGS_MAX 255u
unsigned xform_min_args(enum xform_id id);
unsigned xform_max_args(enum xform_id id);
/* XF_NONE: there is no such transformer. */
enum xform_id xform_by_name(const char *s, size_t len);

#endif
