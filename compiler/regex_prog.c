/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns as programs: Thompson's construction (Communications of the ACM 11, 1968), built from
 * the end, so that each thing knows what follows it. And the classes of code points that no set
 * of the pattern tells apart: what is stored and run knows these alone.
 */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "regex.h"

#define NEWLINE '\n'

struct builder {
    struct arena *arena;
    const struct regex *re;
    struct re_prog *p;
    bool full;
    bool lines; /* there is a ^ or $ */
};

/* ---- instructions ---- */

static uint32_t emit(struct builder *b, struct re_inst inst)
{
    if (b->p->inst.n >= REGEX_INST_MAX) {
        b->full = true;
        return 0;
    }
    return VEC_PUSH(b->arena, &b->p->inst, inst);
}

static uint32_t build(struct builder *b, uint32_t node, uint32_t next);

static uint32_t build_repeat(struct builder *b, const struct re_node *n, uint32_t next)
{
    uint32_t at = next;
    if (n->max == RE_NO_MAX) {
        at = emit(b, (struct re_inst){.op = RI_SPLIT, .y = next});
        uint32_t body = build(b, n->a, at);
        b->p->inst.v[at].x = body;
    }
    for (uint32_t i = n->min; n->max != RE_NO_MAX && i < n->max && !b->full; i++)
        at = emit(b, (struct re_inst){.op = RI_SPLIT, .x = build(b, n->a, at), .y = next});
    for (uint32_t i = 0; i < n->min && !b->full; i++)
        at = build(b, n->a, at);
    return at;
}

/* Where the node begins, if `next` is what follows it. */
static uint32_t build(struct builder *b, uint32_t node, uint32_t next)
{
    const struct re_node *n = &b->re->nodes.v[node];
    uint32_t first;
    switch (n->kind) {
    case RE_EMPTY:
        break;
    case RE_SET:
        return emit(b, (struct re_inst){.op = RI_SET, .x = next, .set = n->set});
    case RE_CAT:
        return build(b, n->a, build(b, n->b, next));
    case RE_ALT:
        first = build(b, n->a, next);
        return emit(b, (struct re_inst){.op = RI_SPLIT, .x = first, .y = build(b, n->b, next)});
    case RE_REPEAT:
        return build_repeat(b, n, next);
    case RE_BOL:
    case RE_EOL:
        b->lines = true;
        return emit(b, (struct re_inst){.op = n->kind == RE_BOL ? RI_BOL : RI_EOL, .x = next});
    }
    return next;
}

/* ---- classes of code points ---- */

/* Where some set begins or ends: between two of these all code points are alike. */
struct cuts {
    VEC(uint32_t) v;
};

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void find_cuts(struct builder *b, struct cuts *c)
{
    const struct regex *re = b->re;
    VEC_PUSH(b->arena, &c->v, 0);
    if (b->lines) {
        VEC_PUSH(b->arena, &c->v, NEWLINE);
        VEC_PUSH(b->arena, &c->v, NEWLINE + 1);
    }
    for (uint32_t i = 0; i < re->ranges.n; i++) {
        VEC_PUSH(b->arena, &c->v, re->ranges.v[i].lo);
        VEC_PUSH(b->arena, &c->v, re->ranges.v[i].hi + 1);
    }
    qsort(c->v.v, c->v.n, sizeof(*c->v.v), compare);
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->v.n; i++)
        if ((!n || c->v.v[i] != c->v.v[n - 1]) && c->v.v[i] <= REGEX_CODE_MAX)
            c->v.v[n++] = c->v.v[i];
    c->v.n = n;
}

static bool set_has(const struct regex *re, uint32_t set, uint32_t code)
{
    const struct re_set *s = &re->sets.v[set];
    for (uint32_t i = 0; i < s->n; i++) {
        const struct re_range *r = &re->ranges.v[s->range0 + i];
        if (code >= r->lo && code <= r->hi)
            return true;
    }
    return false;
}

/* The sets that a code point is in, and whether it is a newline that counts: one byte each. */
static const uint8_t *signature(struct builder *b, uint32_t code)
{
    uint32_t n = b->re->sets.n;
    uint8_t *s = arena_alloc(b->arena, n + 1);
    for (uint32_t i = 0; i < n; i++)
        s[i] = set_has(b->re, i, code);
    s[n] = b->lines && code == NEWLINE;
    return s;
}

/* Code points of one signature are one class. At most 255 bytes of pattern make at most 256. */
static bool find_classes(struct builder *b)
{
    struct cuts c = {0};
    uint32_t n = b->re->sets.n, nclass = 0;
    const uint8_t *of[RPK_CLASSES_MAX] = {NULL};
    find_cuts(b, &c);
    for (uint32_t i = 0; i < c.v.n; i++) {
        const uint8_t *s = signature(b, c.v.v[i]);
        uint32_t k = 0;
        while (k < nclass && memcmp(of[k], s, n + 1) != 0)
            k++;
        if (k == RPK_CLASSES_MAX)
            return false;
        if (k == nclass)
            of[nclass++] = s;
        if (s[n])
            b->p->newline = k;
        VEC_PUSH(b->arena, &b->p->bounds, (struct rpk_range){c.v.v[i], k});
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < nclass; k++)
            VEC_PUSH(b->arena, &b->p->member, of[k][i]);
    b->p->nclass = nclass;
    return true;
}

/* Thompson's construction, over classes of code points that the sets do not tell apart. */
static bool make_program(struct arena *a, const struct regex *re, struct re_prog *out)
{
    struct builder b = {.arena = a, .re = re, .p = out};
    *out = (struct re_prog){.newline = RPK_CLASSES_MAX};
    uint32_t match = emit(&b, (struct re_inst){.op = RI_MATCH});
    out->start = build(&b, re->root, match);
    return !b.full && find_classes(&b);
}

/* ---- as it is stored ---- */

/* Of each code point below 128 its class; of the others, where the class changes. */
static void put_classes(struct arena *a, const struct re_prog *p, struct re_table *t)
{
    uint32_t row = 0;
    for (uint32_t code = 0; code <= 128; code++) {
        while (row + 1 < p->bounds.n && p->bounds.v[row + 1].first <= code)
            row++;
        if (code < 128)
            t->head.ascii[code] = (uint8_t)p->bounds.v[row].cls;
    }
    VEC_PUSH(a, &t->ranges, (struct rpk_range){128, p->bounds.v[row].cls});
    while (++row < p->bounds.n)
        VEC_PUSH(a, &t->ranges, p->bounds.v[row]);
    t->head.nrange = t->ranges.n;
    t->head.nclass = (uint16_t)p->nclass;
    t->head.newline = (uint16_t)p->newline;
}

static void put_program(struct arena *a, const struct regex *re, const struct re_prog *p,
                        struct re_table *t)
{
    t->words.n = 0;
    t->head.kind = RPK_PROGRAM;
    t->head.start = (uint16_t)p->start;
    t->head.nstate = p->inst.n;
    t->head.nset = (uint16_t)re->sets.n;
    for (uint32_t i = 0; i < p->inst.n; i++) {
        const struct re_inst *in = &p->inst.v[i];
        uint32_t row[] = {(uint32_t)in->op, in->x, in->op == RI_SET ? in->set : in->y};
        for (size_t k = 0; k < RPK_INST_WORDS; k++)
            VEC_PUSH(a, &t->words, (uint16_t)row[k]);
    }
    for (uint32_t s = 0; s < re->sets.n; s++) {
        for (uint32_t w = 0; w < RPK_SET_WORDS; w++) {
            uint32_t bits = 0;
            for (uint32_t k = 0; k < 16 && 16 * w + k < p->nclass; k++)
                bits |= (uint32_t)p->member.v[s * p->nclass + 16 * w + k] << k;
            VEC_PUSH(a, &t->words, (uint16_t)bits);
        }
    }
}

bool regex_compile(struct arena *a, const struct regex *re, struct re_table *out)
{
    struct re_prog p;
    memset(out, 0, sizeof(*out));
    if (!make_program(a, re, &p))
        return false;
    put_classes(a, &p, out);
    if (!regex_automaton(a, &p, re->work_max, out)) {
        if (p.inst.n > RPK_PROGRAM_MAX)
            return false;
        put_program(a, re, &p, out);
    }
    out->head.nword = out->words.n;
    return true;
}
