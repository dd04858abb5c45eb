/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON: the reader stays inside them, its bounds hold, and what it hands on is well
 * nested.
 */
#include <stdlib.h>
#include <string.h>

#include "jread.h"

struct seen {
    unsigned depth;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *ctx, const struct jread *j, enum jread_kind kind)
{
    struct seen *s = ctx;
    size_t n;

    if (kind == JREAD_OPEN)
        s->depth++;
    if (kind == JREAD_CLOSE && s->depth-- == 0)
        abort();
    if (j->depth > JREAD_DEPTH || j->at > j->len || j->nvalue > JREAD_VALUE)
        abort();
    if (kind == JREAD_TEXT && memchr(j->value, '\0', j->nvalue))
        abort();
    jread_key(j, &n);
    if (n > JREAD_KEYS)
        abort();
    jread_is(j, "a.*.b");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jread j;
    struct seen s = {0};

    if (jread_run(&j, (const char *)data, size, look, &s) == 0 && s.depth)
        abort();
    return 0;
}
