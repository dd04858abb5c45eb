/* SPDX-License-Identifier: Apache-2.0 */
/* A record as the probe sends it, made of a view. */
#ifndef TEST_FLAT_H
#define TEST_FLAT_H

#include <string.h>

#include "../runtime/record.h"

static inline char *flat_add(char *to, const char *text, size_t n)
{
    if (n)
        memcpy(to, text, n);
    return to + n;
}

/* Its bytes, REC_MAX at most. */
static inline size_t flat_record(const struct record *r, char *bytes)
{
    char *to = flat_add(bytes, (const char *)r->h, sizeof(struct rec));
    struct rec head;

    for (unsigned s = 0; s < S_COUNT; s++)
        if (r->text[s])
            to = flat_add(to, r->text[s], r->h->len[s]);
    for (unsigned k = 0; k < READ_ALTS; k++)
        to = flat_add(to, r->alt[k], r->alt_len[k]);
    to = flat_add(to, r->base, r->base_len);
    memcpy(&head, bytes, sizeof(head));
    head.h.size = (uint32_t)(to - bytes);
    memcpy(bytes, &head, sizeof(head));
    return head.h.size;
}

#endif
