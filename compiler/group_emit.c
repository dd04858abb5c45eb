/* SPDX-License-Identifier: Apache-2.0 */
/* The code of a group. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "group_key.h"
#include "intern.h"
#include "place.h"

enum { R0 = BPF_REG_0, R1 };

/* So many different first tests are made before the group's value is fetched. */
#define PRETESTS_MAX 4

/*
 * Before the value is fetched: a rule's first test, where it is not the key. If none of the group's
 * rules gets beyond it, nothing more is done.
 */
struct pretests {
    uint32_t n;
    dag_id node[PRETESTS_MAX];
};

static dag_id fail_edge(const struct dag_node *n)
{
    return n->neg ? n->yes : n->no;
}

/* False: some rule has no such test, or there are too many. */
static bool find_pretests(struct emit *e, const struct root *roots, const struct group *g,
                          struct pretests *out)
{
    for (uint32_t i = 0; i < g->rules.n; i++) {
        const struct keyed_rule *r = &g->rules.v[i];
        dag_id first = emit_decided(e, roots[r->pos].root);
        const struct dag_node *n = &e->c->dag.v[first.i];
        uint32_t k = 0;
        if (first.i == r->key.i || emit_decided(e, fail_edge(n)).i != DAG_FALSE)
            return false;
        for (; k < out->n; k++) {
            const struct dag_node *m = &e->c->dag.v[out->node[k].i];
            if (m->atom.i == n->atom.i && m->neg == n->neg)
                break;
        }
        if (k == PRETESTS_MAX)
            return false;
        out->node[k] = first;
        out->n += k == out->n;
    }
    return true;
}

/* True: a single test was made, so that every rule's first one passes from here on. */
bool group_emit_pretests(struct emit *e, const struct root *roots, const struct group *g,
                         label_id none)
{
    struct pretests p = {0};
    label_id go = asm_label(e->a);
    memset(e->known, 0, sizeof(e->known));
    if (!find_pretests(e, roots, g, &p))
        return false;
    for (uint32_t i = 0; i < p.n && asm_live(e->a); i++) {
        const struct dag_node *n = &e->c->dag.v[p.node[i].i];
        label_id next = asm_label(e->a);
        struct edges to = {.yes = n->neg ? next : go,
                           .no = n->neg ? go : next,
                           .maybe = go,
                           .absent = n->neg ? go : next,
                           .unknown = go};
        emit_test(e, n, to);
        asm_bind(e->a, next);
    }
    asm_goto(e->a, none);
    asm_bind(e->a, go);
    return p.n == 1;
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

static void search_num(struct emit *e, const struct group *g, const struct classes *x,
                       const label_id *label, label_id none)
{
    struct key *keys = arena_alloc(e->c->arena, (x->list.n + 1) * sizeof(*keys));
    for (uint32_t i = 0; i < x->list.n; i++)
        keys[i] = (struct key){x->list.v[i].num, label[x->list.v[i].class]};
    qsort(keys, x->list.n, sizeof(*keys), compare_keys);
    emit_load_num(e, R1, g->slot);
    emit_switch(e, R1, KEY_64, keys, x->list.n, none);
}

/* Members by length, then by words; [first[i], first[i + 1]) are those of one length. */
static uint32_t by_length(struct emit *e, const struct classes *x, const label_id *label,
                          struct member *m, uint32_t *first)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < x->list.n; i++) {
        const struct constant *k = &x->list.v[i];
        m[i] = (struct member){.bytes = k->bytes, .len = k->len, .to = label[k->class]};
    }
    (void)e;
    members_sort(m, x->list.n);
    for (uint32_t i = 0; i < x->list.n; i++)
        if (i == 0 || m[i].len != m[i - 1].len)
            first[n++] = i;
    first[n] = x->list.n;
    return n;
}

static void search_text(struct emit *e, const struct group *g, const struct classes *x,
                        const label_id *label, label_id none)
{
    struct member *m = arena_alloc(e->c->arena, (x->list.n + 1) * sizeof(*m));
    uint32_t *first = arena_alloc(e->c->arena, (x->list.n + 1) * sizeof(*first));
    uint32_t n = by_length(e, x, label, m, first);
    struct text_at at = {.off = emit_text_off(g->slot)};
    if (g->kind == KEY_EXACT) {
        struct key *keys = arena_alloc(e->c->arena, (n + 1) * sizeof(*keys));
        for (uint32_t i = 0; i < n; i++)
            keys[i] = (struct key){m[first[i]].len, asm_label(e->a)};
        emit_load_len(e, R1, g->slot - N_COUNT);
        emit_switch(e, R1, KEY_32, keys, n, none);
        for (uint32_t i = 0; i < n; i++) {
            asm_bind(e->a, keys[i].to);
            emit_members(e, at, m + first[i], first[i + 1] - first[i], none);
        }
        return;
    }
    for (uint32_t i = n; i--;) { /* the longest beginning decides */
        label_id fits = asm_label(e->a), next = asm_label(e->a);
        emit_load_len(e, R1, g->slot - N_COUNT);
        asm_if32(e->a, BPF_JGE, R1, (uint32_t)m[first[i]].len, fits, next);
        asm_bind(e->a, fits);
        emit_members(e, at, m + first[i], first[i + 1] - first[i], next);
        asm_bind(e->a, next);
    }
    asm_goto(e->a, none);
}

struct emitted {
    const struct root *roots;
    const struct group *g;
    const struct classes *x;
    bool first_passes;
    label_id none;
};

static void emit_class(struct emit *e, const struct emitted *s, const struct constant *k)
{
    for (uint32_t i = 0; i < k->nrule && asm_live(e->a); i++) {
        const struct keyed_rule *r = &s->g->rules.v[s->x->rules.v[k->rule0 + i]];
        const struct root *root = &s->roots[r->pos];
        label_id miss = i + 1 < k->nrule ? asm_label(e->a) : s->none;
        memset(e->known, 0, sizeof(e->known));
        dag_id first = emit_decided(e, root->root);
        e->known[0] = r->key;
        e->known[1] = s->first_passes ? first : (dag_id){0};
        emit_rule(e, root, miss);
        if (miss.i != s->none.i)
            asm_bind(e->a, miss);
    }
}

/* Every rule of the group passes: the first that is on, and open, is the answer. */
static void emit_unknown(struct emit *e, const struct root *roots, const struct group *g,
                         label_id unknown, label_id none)
{
    asm_bind(e->a, unknown);
    for (uint32_t i = 0; i < g->rules.n && asm_live(e->a); i++) {
        const struct rule *rule = &e->c->rules.v[roots[g->rules.v[i].pos].rule.i];
        label_id off = i + 1 < g->rules.n ? asm_label(e->a) : none;
        asm_gate(e->a, rule->index + 1, rule->enabled, off);
        emit_answer(e, off);
        if (off.i != none.i)
            asm_bind(e->a, off);
    }
}

void group_emit(struct emit *e, const struct root *roots, const struct group *g)
{
    struct classes x = {0};
    group_classes(e, g, &x);
    label_id *label = arena_alloc(e->c->arena, (x.n + 1) * sizeof(*label));
    label_id none = asm_label(e->a), unknown = asm_label(e->a);
    for (uint32_t i = 0; i < x.n; i++)
        label[i] = asm_label(e->a);
    struct emitted s = {.roots = roots, .g = g, .x = &x, .none = none};
    s.first_passes = group_emit_pretests(e, roots, g, none);
    emit_present(e, g->slot, (struct edges){.absent = none, .unknown = unknown});
    if (g->kind == KEY_NUM)
        search_num(e, g, &x, label, none);
    else
        search_text(e, g, &x, label, none);
    bool *done = arena_alloc(e->c->arena, x.n + 1);
    for (uint32_t i = 0; i < x.list.n; i++) {
        const struct constant *k = &x.list.v[i];
        if (done[k->class])
            continue;
        done[k->class] = true;
        asm_bind(e->a, label[k->class]);
        emit_class(e, &s, k);
    }
    emit_unknown(e, roots, g, unknown, none);
    asm_bind(e->a, none);
}
