/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns made of pieces that lean on the events' values, and texts that a pattern matches. */
#include "diff.h"

#include <stdio.h>
#include <string.h>

#include "../../compiler/arena.h"
#include "../../compiler/regex.h"

/* ---- patterns, as they stand between the quotes of a condition ---- */

static const char *const pieces[] = {
    "cat",         "sh",          "/etc",    "/usr/bin/",     "/",
    "s",           ".*",          ".",       "[a-z]+",        "[^/]*",
    "[[:alpha:]]", "[[:word:]]*", "[a-c]at", "(b|)",          ".?",
    "[^x]",        "\\\\.",       "[0-9]",   "(tmp|var|etc)", "(sh|bash)",
    "[[:digit:]]", "\xc3\xa9",    "-",       "(a*)*",         "passwd",
    "(/[^/]+)+",   "[\\\\n]",     ".{2,4}",  "(c|ca)t",       "[.]",
    "[^a-z]",
};
static const char *const counts[] = {"*", "+", "?", "{2}", "{1,3}", "{0,2}", "+?"};

static void put_sequence(FILE *out, struct rng *r, int depth)
{
    uint32_t n = rng_below(r, 4) + (depth == 0);
    if (rng_chance(r, 8))
        fputc('^', out);
    for (uint32_t i = 0; i < n; i++) {
        if (depth < 2 && rng_chance(r, 20)) {
            fputc('(', out);
            put_sequence(out, r, depth + 1);
            if (rng_chance(r, 50)) {
                fputc('|', out);
                put_sequence(out, r, depth + 1);
            }
            fputc(')', out);
        } else {
            fputs(pieces[rng_below(r, sizeof(pieces) / sizeof(pieces[0]))], out);
        }
        if (rng_chance(r, 15))
            fputs(counts[rng_below(r, sizeof(counts) / sizeof(counts[0]))], out);
    }
    if (rng_chance(r, 8))
        fputc('$', out);
}

void regex_pattern(FILE *out, struct rng *r)
{
    put_sequence(out, r, 0);
    if (rng_chance(r, 5))
        fputs("|.*s.{16}", out); /* too many states for an automaton */
}

/* ---- texts ---- */

struct maker {
    struct rng *rng;
    const struct regex *re;
    char *out;
    size_t n, cap;
};

static void put_code(struct maker *m, uint32_t code)
{
    char b[4];
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; code >>= 6)
        b[i] = (char)(0x80 | (code & 0x3f));
    b[0] = (char)(n == 1 ? code : (0xf00u >> n & 0xf0u) | code);
    if (m->n + n < m->cap) {
        memcpy(m->out + m->n, b, n);
        m->n += n;
    }
}

/* Some character of the set, of the printable ones if it has any. */
static uint32_t some_code(struct maker *m, const struct re_set *s)
{
    uint32_t code = 'q';
    for (int tries = 0; s->n && tries < 8; tries++) {
        const struct re_range *r = &m->re->ranges.v[s->range0 + rng_below(m->rng, s->n)];
        uint32_t hi = r->lo < 0x7f && r->hi > 0x7e ? 0x7e : r->hi;
        uint32_t lo = r->lo < ' ' && hi >= ' ' ? ' ' : r->lo;
        code = lo + rng_below(m->rng, hi - lo + 1);
        if (code >= ' ' && code < 0x7f)
            break;
    }
    return code && (code < 0xd800 || code > 0xdfff) ? code : 'q';
}

static void make(struct maker *m, uint32_t node)
{
    const struct re_node *n = &m->re->nodes.v[node];
    uint32_t times;
    switch (n->kind) {
    case RE_SET:
        put_code(m, some_code(m, &m->re->sets.v[n->set]));
        break;
    case RE_CAT:
        make(m, n->a);
        make(m, n->b);
        break;
    case RE_ALT:
        make(m, rng_chance(m->rng, 50) ? n->a : n->b);
        break;
    case RE_REPEAT:
        times = n->min + rng_below(m->rng, n->max == RE_NO_MAX ? 4 : n->max - n->min + 1);
        for (uint32_t i = 0; i < times; i++)
            make(m, n->a);
        break;
    case RE_EMPTY:
    case RE_BOL:
    case RE_EOL:
        break;
    }
}

size_t regex_text(struct rng *r, const char *pattern, char *out, size_t cap)
{
    struct arena *a = arena_new();
    struct regex_error err;
    struct maker m = {r, regex_parse(a, pattern, strlen(pattern), &err), out, 0, cap};
    if (m.re)
        make(&m, m.re->root);
    arena_free(a);
    return m.n;
}
