/* SPDX-License-Identifier: Apache-2.0 */
#include "transform.h"

#include <string.h>

static const char *const names[] = {
    [XF_NONE] = "",           [XF_TOLOWER] = "tolower",
    [XF_TOUPPER] = "toupper", [XF_BASENAME] = "basename",
    [XF_B64] = "b64",         [XF_LEN] = "len",
    [XF_CONCAT] = "concat",   [XF_JOIN] = "join",
    [XF_GETOPT] = "getopt",   [XF_VAL] = "val",
};
_Static_assert(sizeof names / sizeof names[0] == XF_VAL + 1, "a transformer lacks its name");

const char *xform_name(enum xform_id id)
{
    return names[id];
}

enum xform_id xform_by_name(const char *s, size_t len)
{
    for (unsigned i = XF_NONE + 1; i <= XF_VAL; i++) {
        if (strlen(names[i]) == len && !memcmp(names[i], s, len)) {
            return (enum xform_id)i;
        }
    }
    return XF_NONE;
}
