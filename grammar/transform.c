/* SPDX-License-Identifier: Apache-2.0 */
#include "transform.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned min, max; /* arguments */
} xforms[XF_COUNT] = {
    [XF_NONE] = {"", 0, 0},
    [XF_TOLOWER] = {"tolower", 1, 1},
    [XF_TOUPPER] = {"toupper", 1, 1},
    [XF_BASENAME] = {"basename", 1, 1},
    [XF_B64] = {"b64", 1, 1},
    [XF_LEN] = {"len", 1, 1},
    [XF_CONCAT] = {"concat", 2, XFORM_ARGS_MAX},
    [XF_JOIN] = {"join", 2, 2},
    [XF_GETOPT] = {"getopt", 2, 2},
    [XF_VAL] = {"val", 1, 1},
    [XF_LIST] = {"", 0, XFORM_ARGS_MAX},
};

const char *xform_name(enum xform_id id)
{
    return xforms[id].name;
}

unsigned xform_min_args(enum xform_id id)
{
    return xforms[id].min;
}

unsigned xform_max_args(enum xform_id id)
{
    return xforms[id].max;
}

enum xform_id xform_by_name(const char *s, size_t len)
{
    for (unsigned i = XF_NONE + 1; len && i < XF_COUNT; i++)
        if (strlen(xforms[i].name) == len && !memcmp(xforms[i].name, s, len))
            return (enum xform_id)i;
    return XF_NONE;
}
