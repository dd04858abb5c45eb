/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns for the reference evaluator, by what they mean: a node takes the set of places where
 * it may begin to the set of places where it may end. No automaton, no program.
 *
 * Counts are written out, so that each thing stands for itself once. Asking a thing a second time
 * gives what the new places add: whoever asks is itself only interested in the union of all it has
 * been told. So every place is looked at once by everything, and no pattern takes long.
 */
#include <stdlib.h>
#include <string.h>

#include "../runtime/utf8.h"
#include "arena.h"
#include "regex.h"

/* A set of places: before each code point, and at the end. */
typedef uint64_t word;

struct thing {
    enum re_kind kind; /* RE_REPEAT: any number of times */
    const struct re_set *set;
    struct thing *a, *b;
    word *seen;       /* where it has been asked to begin */
    word *told;       /* RE_REPEAT: where it has been told to end */
    word *from, *out; /* of the question at hand */
};

struct eval {
    struct arena *arena;
    const struct regex *re;
    uint32_t *code; /* of the value */
    uint32_t n, words;
};

static word *places(struct eval *e)
{
    return arena_alloc(e->arena, e->words * sizeof(word));
}

static bool holds(const word *w, uint32_t i)
{
    return w[i / 64] >> (i % 64) & 1;
}

static void put(word *w, uint32_t i)
{
    w[i / 64] |= 1ull << (i % 64);
}

/* ---- writing counts out ---- */

static struct thing *thing(struct eval *e, enum re_kind kind, struct thing *a, struct thing *b)
{
    struct thing *t = arena_alloc(e->arena, sizeof(*t));
    *t = (struct thing){.kind = kind, .a = a, .b = b};
    t->seen = places(e);
    t->told = places(e);
    t->from = places(e);
    t->out = places(e);
    return t;
}

static struct thing *expand(struct eval *e, uint32_t node);

/* x{2,4} is x, x, and (x(x or nothing) or nothing); x{2,} is x, x, and any number of x. */
static struct thing *expand_repeat(struct eval *e, const struct re_node *n)
{
    struct thing *all = thing(e, RE_EMPTY, NULL, NULL);
    if (n->max == RE_NO_MAX)
        all = thing(e, RE_REPEAT, expand(e, n->a), NULL);
    for (uint32_t i = n->min; n->max != RE_NO_MAX && i < n->max; i++) {
        struct thing *more = thing(e, RE_CAT, expand(e, n->a), all);
        all = thing(e, RE_ALT, more, thing(e, RE_EMPTY, NULL, NULL));
    }
    for (uint32_t i = 0; i < n->min; i++)
        all = thing(e, RE_CAT, expand(e, n->a), all);
    return all;
}

static struct thing *expand(struct eval *e, uint32_t node)
{
    const struct re_node *n = &e->re->nodes.v[node];
    if (n->kind == RE_REPEAT)
        return expand_repeat(e, n);
    bool two = n->kind == RE_CAT || n->kind == RE_ALT;
    struct thing *a = two ? expand(e, n->a) : NULL, *b = two ? expand(e, n->b) : NULL;
    struct thing *t = thing(e, n->kind, a, b);
    t->set = n->kind == RE_SET ? &e->re->sets.v[n->set] : NULL;
    return t;
}

/* ---- where things end ---- */

static bool in_set(const struct eval *e, const struct re_set *s, uint32_t code)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct re_range *r = &e->re->ranges.v[s->range0 + i];
        if (code >= r->lo && code <= r->hi)
            return true;
    }
    return false;
}

/* A thing that looks at one place alone: a character, ^ or $. */
static void end_one(const struct eval *e, const struct thing *t, uint32_t i, word *out)
{
    if (t->kind == RE_SET && i < e->n && in_set(e, t->set, e->code[i]))
        put(out, i + 1);
    if ((t->kind == RE_BOL && (!i || e->code[i - 1] == '\n')) ||
        (t->kind == RE_EOL && (i == e->n || e->code[i] == '\n')))
        put(out, i);
}

/* Takes from `from` what is in `old`, and adds it to that; false: nothing is left. */
static bool only_new(const struct eval *e, word *from, word *old)
{
    word any = 0;
    for (uint32_t i = 0; i < e->words; i++) {
        from[i] &= ~old[i];
        old[i] |= from[i];
        any |= from[i];
    }
    return any;
}

static void unite(const struct eval *e, word *all, const word *more)
{
    for (uint32_t i = 0; i < e->words; i++)
        all[i] |= more[i];
}

static word *ends(struct eval *e, struct thing *t, const word *start)
{
    memmove(t->from, start, e->words * sizeof(*t->from));
    memset(t->out, 0, e->words * sizeof(*t->out));
    if (!only_new(e, t->from, t->seen))
        return t->out;
    switch (t->kind) {
    case RE_EMPTY:
        return t->from;
    case RE_CAT:
        return ends(e, t->b, ends(e, t->a, t->from));
    case RE_ALT:
        unite(e, t->out, ends(e, t->a, t->from));
        unite(e, t->out, ends(e, t->b, t->from));
        break;
    case RE_REPEAT:
        while (only_new(e, t->from, t->told)) {
            unite(e, t->out, t->from);
            memcpy(t->from, ends(e, t->a, t->from), e->words * sizeof(*t->from));
        }
        break;
    case RE_SET:
    case RE_BOL:
    case RE_EOL:
        for (uint32_t i = 0; i <= e->n; i++)
            if (holds(t->from, i))
                end_one(e, t, i, t->out);
        break;
    }
    return t->out;
}

bool regex_eval(const struct regex *re, const char *text, size_t len)
{
    struct eval e = {.arena = arena_new(), .re = re};
    bool broken;
    e.code = arena_alloc(e.arena, (len + 1) * sizeof(*e.code));
    for (size_t i = 0; i < len;)
        i += utf8_take(text + i, len - i, &e.code[e.n++], &broken);
    e.words = e.n / 64 + 1;
    word *start = places(&e);
    put(start, 0);
    bool match = holds(ends(&e, expand(&e, re->root), start), e.n);
    arena_free(e.arena);
    return match;
}
