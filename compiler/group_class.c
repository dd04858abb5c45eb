/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of a group's values: which constants have the same rules. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "classes.h"
#include "group_key.h"
#include "intern.h"

/* A rule whose constants lie in more classes than this is tried with the rest: code is copied. */
#define CLASSES_MAX 16
#define TABLE_CLASSES_MAX 256 /* the same for rows of a table */

/* One constant of one rule. */
struct pair {
    uint64_t key;
    uint32_t rule;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

/* Constants with the rules that have them, in order of number or of string id. */
static void gather(struct emit *e, const struct group *g, struct classes *out)
{
    struct comp *c = e->c;
    VEC(struct pair) pairs = {0};
    for (uint32_t i = 0; i < g->rules.n; i++) {
        dag_id key = g->rules.v[i].key;
        for (uint32_t k = 0; k < key_count(c, key, e->event, g->kind); k++) {
            struct pair pair = {key_value(c, key, e->event, g->kind, k), i};
            VEC_PUSH(c->arena, &pairs, pair);
        }
    }
    if (pairs.n)
        qsort(pairs.v, pairs.n, sizeof(*pairs.v), compare_pairs);
    for (uint32_t i = 0; i < pairs.n; i++) {
        const struct pair *p = &pairs.v[i];
        if (i == 0 || p->key != p[-1].key) {
            struct constant k = {.num = p->key, .rule0 = out->rules.n};
            if (g->kind != KEY_NUM) {
                k.bytes = STR(c, (str_id){(uint32_t)p->key});
                k.len = STRLEN(c, (str_id){(uint32_t)p->key});
                if (g->kind == KEY_SUFFIX)
                    k.bytes = class_backwards(c, k.bytes, k.len);
            }
            VEC_PUSH(c->arena, &out->list, k);
        } else if (p->rule == p[-1].rule) {
            continue;
        }
        VEC_PUSH(c->arena, &out->rules, p->rule);
        out->list.v[out->list.n - 1].nrule++;
    }
}

static int compare_bytes(const void *a, const void *b)
{
    const struct constant *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);
    return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* Appends the rules of `more` to those of `k` (a copy of which is made), in order and once each. */
static void merge(struct comp *c, struct classes *x, struct constant *k,
                  const struct constant *more)
{
    uint32_t start = x->rules.n, n = 0;
    for (uint32_t i = 0; i < k->nrule + more->nrule; i++) {
        uint32_t from = i < k->nrule ? k->rule0 + i : more->rule0 + i - k->nrule;
        VEC_PUSH(c->arena, &x->rules, x->rules.v[from]);
    }
    uint32_t *all = x->rules.v + start;
    vec_sort_u32(all, x->rules.n - start);
    for (uint32_t i = 0; i < x->rules.n - start; i++)
        if (n == 0 || all[n - 1] != all[i])
            all[n++] = all[i];
    x->rules.n = start + n;
    k->rule0 = start;
    k->nrule = n;
}

/* What begins with a constant also begins with each beginning of it: those rules match too. */
static void inherit(struct comp *c, struct classes *x)
{
    uint32_t *open = arena_alloc(c->arena, (x->list.n + 1) * sizeof(*open)), n = 0;
    if (x->list.n)
        qsort(x->list.v, x->list.n, sizeof(*x->list.v), compare_bytes);
    for (uint32_t i = 0; i < x->list.n; i++) {
        struct constant *k = &x->list.v[i];
        while (n) { /* the innermost beginning has inherited already */
            const struct constant *outer = &x->list.v[open[n - 1]];
            if (outer->len <= k->len && memcmp(outer->bytes, k->bytes, outer->len) == 0)
                break;
            n--;
        }
        if (n)
            merge(c, x, k, &x->list.v[open[n - 1]]);
        open[n++] = i;
    }
}

static int compare_rules(const struct classes *x, const struct constant *a,
                         const struct constant *b)
{
    if (a->nrule != b->nrule)
        return a->nrule < b->nrule ? -1 : 1;
    return memcmp(x->rules.v + a->rule0, x->rules.v + b->rule0, a->nrule * sizeof(*x->rules.v));
}

static int compare_by_rules(const void *a, const void *b, void *ctx)
{
    const struct classes *x = ctx;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int order = compare_rules(x, &x->list.v[i], &x->list.v[j]);
    return order ? order : i < j ? -1 : i > j;
}

void group_classes(struct emit *e, const struct group *g, struct classes *x)
{
    gather(e, g, x);
    if (g->kind >= KEY_PREFIX)
        inherit(e->c, x);
    uint32_t *order = arena_alloc(e->c->arena, (x->list.n + 1) * sizeof(*order));
    for (uint32_t i = 0; i < x->list.n; i++)
        order[i] = i;
    qsort_r(order, x->list.n, sizeof(*order), compare_by_rules, x);
    for (uint32_t i = 0; i < x->list.n; i++) {
        struct constant *k = &x->list.v[order[i]];
        bool same = i && compare_rules(x, &x->list.v[order[i - 1]], k) == 0;
        k->class = same ? x->n - 1 : x->n++;
    }
}

void group_evict(struct emit *e, struct group *g, struct grouping *out)
{
    struct classes x = {0};
    group_classes(e, g, &x);
    uint32_t *count = arena_alloc(e->c->arena, (g->rules.n + 1) * sizeof(*count)), n = 0;
    bool *seen = arena_alloc(e->c->arena, x.n + 1);
    for (uint32_t i = 0; i < x.list.n; i++) {
        const struct constant *k = &x.list.v[i];
        for (uint32_t r = 0; r < k->nrule && !seen[k->class]; r++)
            count[x.rules.v[k->rule0 + r]]++;
        seen[k->class] = true;
    }
    for (uint32_t i = 0; i < g->rules.n; i++)
        if (count[i] <= (g->table ? TABLE_CLASSES_MAX : CLASSES_MAX))
            g->rules.v[n++] = g->rules.v[i];
        else
            VEC_PUSH(e->c->arena, &out->rest, g->rules.v[i].pos);
    g->rules.n = n;
}
