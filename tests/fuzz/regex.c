/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pattern, a NUL, a value: what compiles passes the validator, and both evaluators agree. Of a
 * value that matches, each beginning may match.
 */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/arena.h"
#include "../../compiler/regex.h"
#include "../../runtime/match.h"
#include "lib/fuzz.h"

#define VALUE_MAX 300

static enum outcome run(struct re_table *t, const char *s, size_t n, enum slot_state state)
{
    struct rpk_head head = {.regexes.n = 1, .words.n = t->words.n, .ranges.n = t->ranges.n};
    struct rpk p = {.head = &head, .regexes = &t->head, .words = t->words.v, .ranges = t->ranges.v};
    struct val v = {.state = (uint8_t)state, .base = BASE_TEXT, .text = s, .len = (uint32_t)n};

    if (rpk_regex_wrong(&p, 0))
        fuzz_fail("the validator refuses a pattern that compiled");
    return match_regex(&p, 0, v);
}

static void judge(const struct regex *re, struct re_table *t, const char *s, size_t n)
{
    bool match = regex_eval(re, s, n);

    if (match != (run(t, s, n, ST_PRESENT) == OUT_TRUE))
        fuzz_fail("tree and table differ: the tree says %d", match);
    for (size_t k = 0; match && k <= n; k++)
        if (run(t, s, k, ST_CUT) != OUT_MAYBE)
            fuzz_fail("%zu bytes of a text that matches could not match", k);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    const char *pattern = (const char *)data;
    size_t len = strnlen(pattern, size < REGEX_PATTERN_MAX ? size : REGEX_PATTERN_MAX);
    size_t rest = len < size ? len + 1 : size;
    struct arena *a = arena_new();
    struct regex_error err;
    struct regex *re = regex_parse(a, pattern, len, &err);
    struct re_table t;

    if (!re && (err.off > len || !err.len || !err.text))
        fuzz_fail("an error without place or words");
    if (re && regex_compile(a, re, &t))
        judge(re, &t, pattern + rest, size - rest < VALUE_MAX ? size - rest : VALUE_MAX);
    arena_free(a);
}
