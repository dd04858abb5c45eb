/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules make groups; group_emit.c makes their code. */
#include "group.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "group_key.h"
#include "intern.h"
#include "place.h"

/* For fewer rules a search for each constant costs less than a look-up from each byte on. */
#define SCAN_MIN 32

/* A test that the rule at `pos` cannot match without. */
struct candidate {
    uint32_t pos;
    dag_id node;
    uint16_t slot;
    uint8_t kind;
    uint32_t cost; /* most rules that share one of its constants */
};

/* One constant of a candidate. */
struct use {
    uint64_t key;
    uint32_t candidate;
    uint16_t slot;
    uint8_t kind;
};

struct search {
    struct emit *e;
    VEC(struct candidate) found;
    VEC(struct use) uses;
};

static bool all_single(const struct comp *c, const struct where *w)
{
    for (uint32_t i = 0; i < w->ntest; i++)
        if (!num_is_single(&c->tests.v[w->test0 + i]))
            return false;
    return w->ntest > 0 && !w->negate;
}

static bool any_empty(const struct comp *c, const struct atom *a)
{
    for (uint32_t i = 0; i < a->nval; i++)
        if (STRLEN(c, c->values.v[a->val0 + i].text) == 0)
            return true;
    return false;
}

/* KEY_KINDS: the node is no key. */
static enum key_kind kind_of(const struct comp *c, const struct atom *a, const struct where *w)
{
    bool list = a->op == OP_IN || a->op == OP_INTERSECTS;
    bool any = list || a->mod == MOD_ANYOF || (a->mod == MOD_NONE && a->nval == 1);
    bool plain = w->slot >= 0 && w->slot2 < 0 && w->guard == GUARD_NONE;
    if (!plain || w->place == PLACE_USER)
        return KEY_KINDS;
    if (w->shape == SHAPE_NUM && w->ntest <= KEY_VALUES && all_single(c, w))
        return KEY_NUM;
    if (w->shape != SHAPE_TEXT || !any || a->nval == 0 || a->nval > KEY_VALUES)
        return KEY_KINDS;
    if (list || a->op == OP_EQ)
        return KEY_EXACT;
    if (a->op == OP_ENDSWITH && !any_empty(c, a))
        return KEY_SUFFIX;
    if (a->op == OP_CONTAINS && !any_empty(c, a))
        return KEY_WITHIN;
    return a->op == OP_STARTSWITH && !any_empty(c, a) ? KEY_PREFIX : KEY_KINDS;
}

uint32_t key_count(const struct comp *c, dag_id node, enum event_id event, enum key_kind kind)
{
    atom_id atom = c->dag.v[node.i].atom;
    return kind == KEY_NUM ? place_where(c, atom, event)->ntest : c->atoms.v[atom.i].nval;
}

uint64_t key_value(const struct comp *c, dag_id node, enum event_id event, enum key_kind kind,
                   uint32_t i)
{
    atom_id atom = c->dag.v[node.i].atom;
    if (kind == KEY_NUM)
        return c->tests.v[place_where(c, atom, event)->test0 + i].b;
    return c->values.v[c->atoms.v[atom.i].val0 + i].text.i;
}

static void add_candidate(struct search *s, uint32_t pos, dag_id node)
{
    struct comp *c = s->e->c;
    const struct dag_node *n = &c->dag.v[node.i];
    const struct where *w = place_where(c, n->atom, s->e->event);
    enum key_kind kind = kind_of(c, &c->atoms.v[n->atom.i], w);
    if (kind == KEY_KINDS || n->neg || emit_decided(s->e, n->no).i != DAG_FALSE)
        return;
    struct candidate k = {
        .pos = pos, .node = node, .slot = (uint16_t)w->slot, .kind = (uint8_t)kind};
    uint32_t at = VEC_PUSH(c->arena, &s->found, k);
    for (uint32_t i = 0; i < key_count(c, node, s->e->event, kind); i++) {
        struct use use = {.key = key_value(c, node, s->e->event, kind, i),
                          .candidate = at,
                          .slot = k.slot,
                          .kind = k.kind};
        VEC_PUSH(c->arena, &s->uses, use);
    }
}

/*
 * Nodes on every path of the rule to yes: nodes come in order, so that one is on every path if no
 * edge from before it goes beyond it.
 */
static void find_candidates(struct search *s, uint32_t pos, dag_id root)
{
    struct nodes list = {0};
    s->e->serial++;
    memset(s->e->known, 0, sizeof(s->e->known));
    root = emit_decided(s->e, root);
    emit_collect(s->e, &list, root);
    uint32_t reach = root.i;
    for (uint32_t i = 0; i < list.id.n && reach != DAG_TRUE; i++) {
        uint32_t id = list.id.v[i];
        const struct dag_node *n = &s->e->c->dag.v[id];
        uint32_t to[2] = {emit_decided(s->e, n->yes).i, emit_decided(s->e, n->no).i};
        if (id == reach)
            add_candidate(s, pos, (dag_id){id});
        for (int k = 0; k < 2; k++)
            if (to[k] != DAG_FALSE && to[k] > reach)
                reach = to[k];
    }
}

static int compare_uses(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->candidate < y->candidate ? -1 : x->candidate > y->candidate;
}

/* A look-up from each byte of the text on, or groups that may be too small for a table. */
static uint32_t key_penalty(unsigned kind)
{
    return kind == KEY_WITHIN ? 64 : kind == KEY_SUFFIX ? 16 : 1;
}

static void count_uses(struct search *s)
{
    if (s->uses.n)
        qsort(s->uses.v, s->uses.n, sizeof(*s->uses.v), compare_uses);
    for (uint32_t i = 0, end; i < s->uses.n; i = end) {
        const struct use *u = &s->uses.v[i];
        for (end = i + 1; end < s->uses.n; end++)
            if (s->uses.v[end].key != u->key || s->uses.v[end].slot != u->slot ||
                s->uses.v[end].kind != u->kind)
                break;
        for (uint32_t k = i; k < end; k++) {
            struct candidate *c = &s->found.v[s->uses.v[k].candidate];
            uint32_t cost = (end - i) * key_penalty(c->kind);
            c->cost = cost > c->cost ? cost : c->cost;
        }
    }
}

static struct group *group_at(struct emit *e, struct grouping *out, unsigned slot, unsigned kind)
{
    for (uint32_t i = 0; i < out->groups.n; i++)
        if (out->groups.v[i].slot == slot && out->groups.v[i].kind == kind)
            return &out->groups.v[i];
    struct group g = {.slot = slot, .kind = (enum key_kind)kind};
    uint32_t i = VEC_PUSH(e->c->arena, &out->groups, g);
    return &out->groups.v[i];
}

/*
 * Code answers within a few compares, but the kernel must verify each instruction of it, and holds
 * it to a million: so many slots of it are made for one group of rules.
 */
#define GROUP_SLOTS 10000u
#define RULE_SLOTS 40u /* of a rule's other tests, about */
#define CONSTANT_SLOTS 6u

/* So many rules and constants are better served by tables than by code. */
static bool outgrows_code(uint32_t rules, uint32_t constants)
{
    return (uint64_t)rules * RULE_SLOTS + (uint64_t)constants * CONSTANT_SLOTS > GROUP_SLOTS;
}

static bool wants_table(struct emit *e, const struct group *g)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->rules.n; i++)
        n += key_count(e->c, g->rules.v[i].key, e->event, g->kind);
    if (g->kind == KEY_WITHIN)
        return g->rules.n >= SCAN_MIN;
    return outgrows_code(g->rules.n, n);
}

/* Is it worth it? Ends and parts of texts are looked up in tables only. */
static bool is_large(const struct group *g)
{
    return g->rules.n >= GROUP_MIN && (g->table || g->kind < KEY_SUFFIX);
}

/* Groups that are too small, and rules that would be in too many classes, go to the rest. */
static void sift(struct emit *e, struct grouping *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < out->groups.n; i++) {
        struct group *g = &out->groups.v[i];
        g->table = wants_table(e, g);
        if (is_large(g))
            group_evict(e, g, out);
        if (is_large(g)) {
            out->groups.v[n++] = *g;
            continue;
        }
        for (uint32_t k = 0; k < g->rules.n; k++)
            VEC_PUSH(e->c->arena, &out->rest, g->rules.v[k].pos);
    }
    out->groups.n = n;
    vec_sort_u32(out->rest.v, out->rest.n);
}

void group_rules(struct emit *e, const struct event_rules *row, struct grouping *out)
{
    struct search s = {.e = e};
    for (uint32_t i = 0; i < row->nroot && row->nroot >= GROUP_MIN; i++)
        find_candidates(&s, i, e->c->roots.v[row->root0 + i].root);
    count_uses(&s);
    for (uint32_t i = 0, k = 0; i < row->nroot; i++) {
        const struct candidate *best = NULL;
        for (; k < s.found.n && s.found.v[k].pos == i; k++)
            if (!best || s.found.v[k].cost < best->cost)
                best = &s.found.v[k];
        if (best) {
            struct keyed_rule r = {.pos = i, .key = best->node};
            struct group *g = group_at(e, out, best->slot, best->kind);
            VEC_PUSH(e->c->arena, &g->rules, r);
        } else {
            VEC_PUSH(e->c->arena, &out->rest, i);
        }
    }
    sift(e, out);
}
