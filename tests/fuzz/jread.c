/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON: the reader stays inside them, its bounds hold, and what it hands on is well
 * nested.
 */
#include <string.h>

#include "../../runtime/jread.h"
#include "lib/fuzz.h"

struct seen {
    unsigned depth;
};

static void look(void *ctx, const struct jread *j, enum jread_kind kind)
{
    struct seen *s = ctx;
    size_t n;

    if (kind == JREAD_OPEN)
        s->depth++;
    if (kind == JREAD_CLOSE && s->depth-- == 0)
        fuzz_fail("more containers end than began");
    if (j->depth > JREAD_DEPTH || j->at > j->len || j->nvalue > JREAD_VALUE)
        fuzz_fail("beyond a bound: depth %u, at %zu of %zu", j->depth, j->at, j->len);
    if (kind == JREAD_TEXT && memchr(j->value, '\0', j->nvalue))
        fuzz_fail("a NUL in a text");
    jread_key(j, &n);
    if (n > JREAD_KEYS)
        fuzz_fail("a key of %zu bytes", n);
    jread_is(j, "a.*.b");
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct jread j;
    struct seen s = {0};

    if (jread_run(&j, (const char *)data, size, look, &s) == 0 && s.depth)
        fuzz_fail("%u containers stay open", s.depth);
}
