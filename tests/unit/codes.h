/* SPDX-License-Identifier: Apache-2.0 */
/* What a compilation has found, as a text to compare with. */
#ifndef TEST_CODES_H
#define TEST_CODES_H

#include <stdio.h>
#include <string.h>

#include "../../compiler/diag.h"

/* The codes of errors and warnings in order of place, with blanks between: "RK0105 RK0219". */
static inline const char *found_codes(const struct comp *c, char *buf, size_t size)
{
    uint32_t n;
    const struct finding *f = diags_sorted(c, &n);
    buf[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct diag_info *info = diag_info(f[i].code);
        if (info->severity != SEV_INFO) {
            size_t have = strlen(buf);
            snprintf(buf + have, size - have, "%s%s", have ? " " : "", info->code);
        }
    }
    return buf;
}

#endif
