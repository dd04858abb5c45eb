/* SPDX-License-Identifier: Apache-2.0 */
#include "simplify.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "cost.h"
#include "type.h"

#define MILLION 1000000u
#define NO_NEXT UINT32_MAX
#define EXPR_LEFT_OUT ((expr_id){0})

void exprs_init(struct exprs *x, struct comp *c)
{
    *x = (struct exprs){.c = c, .table.arena = c->arena, .atoms.arena = c->arena};
    atom_index(c, &x->atoms);
    for (int i = 0; i < 3; i++) {
        VEC_PUSH(c->arena, &x->v, (struct expr){.kind = i ? EXPR_CONST : EXPR_NONE, .odds = 500});
        VEC_PUSH(c->arena, &x->mark, 0);
        VEC_PUSH(c->arena, &x->memo, (struct memo){0});
    }
}

struct wanted {
    const struct exprs *x;
    const struct expr *e;
    const expr_id *kids;
};

static bool same(const void *ctx, uint32_t id)
{
    const struct wanted *w = ctx;
    const struct expr *a = w->e, *b = &w->x->v.v[id];
    return a->kind == b->kind && a->neg == b->neg && a->atom.i == b->atom.i && a->nkid == b->nkid &&
           (!a->nkid || !memcmp(w->kids, w->x->kids.v + b->kid0, a->nkid * sizeof(*w->kids)));
}

/* The one expression with these parts; `kids` may not lie in x->kids. */
static expr_id cons(struct exprs *x, struct expr e, const expr_id *kids)
{
    uint64_t h = cons_hash_u32(CONS_SEED, (uint32_t)e.kind << 1 | e.neg);
    h = cons_hash_u32(h, e.atom.i);
    for (uint32_t i = 0; i < e.nkid; i++)
        h = cons_hash_u32(h, kids[i].i);
    uint32_t id = cons_find(&x->table, h, same, &(struct wanted){x, &e, kids});
    if (id)
        return (expr_id){id};
    e.kid0 = x->kids.n;
    for (uint32_t i = 0; i < e.nkid; i++)
        VEC_PUSH(x->c->arena, &x->kids, kids[i]);
    id = VEC_PUSH(x->c->arena, &x->v, e);
    VEC_PUSH(x->c->arena, &x->mark, 0);
    VEC_PUSH(x->c->arena, &x->memo, (struct memo){0});
    cons_add(&x->table, h, id);
    return (expr_id){id};
}

/* Fields that fold_atom() may decide once the event is known. */
static bool may_fold(const struct comp *c, atom_id id)
{
    const struct atom *a = &c->atoms.v[id.i];
    if (a->expr.i || a->rexpr.i || a->rhs.field)
        return true;
    const char *cls = catalog_field(a->lhs.field)->cls;
    return !strcmp(cls, "evt") || !strcmp(cls, "fd") || (!a->nval && a->op != OP_EXISTS);
}

static expr_id literal(struct exprs *x, atom_id a, bool neg)
{
    struct expr e = {.kind = EXPR_LIT, .neg = neg, .atom = a};
    e.varies = may_fold(x->c, a);
    e.cost = cost_of_atom(x->c, a);
    e.odds = neg ? 1000 - cost_prior(x->c, a) : cost_prior(x->c, a);
    return cons(x, e, &(expr_id){0});
}

/* Collects operands on x->work, those of a nested expression of the same kind one by one. */
static void gather(struct exprs *x, enum expr_kind kind, expr_id e)
{
    const struct expr *v = &x->v.v[e.i];
    if (v->kind != kind) {
        VEC_PUSH(x->c->arena, &x->work, e);
        return;
    }
    for (uint32_t i = 0; i < v->nkid; i++)
        VEC_PUSH(x->c->arena, &x->work, x->kids.v[v->kid0 + i]);
}

static bool is_plain(const struct exprs *x, expr_id e, bool neg)
{
    const struct expr *v = &x->v.v[e.i];
    return v->kind == EXPR_LIT && v->neg == neg;
}

/* True for `field = constant` and `field in (constants)`, and nothing else. */
static bool is_membership(const struct atom *a)
{
    return !a->expr.i && !a->rexpr.i && !a->rhs.field && a->mod == MOD_NONE && a->nval &&
           (a->op == OP_EQ || a->op == OP_IN) && !(catalog_field(a->lhs.field)->flags & FF_LIST);
}

/*
 * A long list is looked up as a whole, and rules share it: to join it with another would make a new
 * long list for each rule that uses it.
 */
#define JOIN_MAX 256

static bool can_join(const struct comp *c, atom_id id)
{
    const struct atom *a = &c->atoms.v[id.i];
    return a->nval <= JOIN_MAX && is_membership(a);
}

/* By what they compare, and where they stand. */
static int by_field(const void *pa, const void *pb)
{
    const struct joinable *a = pa, *b = pb;
    if (a->field != b->field)
        return a->field < b->field ? -1 : 1;
    if (a->index != b->index)
        return a->index < b->index ? -1 : 1;
    if (a->name.i != b->name.i)
        return a->name.i < b->name.i ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static bool one_field(const struct joinable *a, const struct joinable *b)
{
    return a->field == b->field && a->index == b->index && a->name.i == b->name.i;
}

/* Fills x->joinable with the operands that may be joined, those of one field side by side. */
static void find_joinable(struct exprs *x, const expr_id *v, uint32_t n, bool neg)
{
    x->joinable.n = 0;
    for (uint32_t i = 0; i < n; i++) {
        atom_id id = x->v.v[v[i].i].atom;
        if (!is_plain(x, v[i], neg) || !can_join(x->c, id))
            continue;
        const struct field_ref *lhs = &x->c->atoms.v[id.i].lhs;
        struct joinable j = {.field = lhs->field, .index = lhs->index, .name = lhs->name, .at = i};
        VEC_PUSH(x->c->arena, &x->joinable, j);
    }
    if (x->joinable.n > 1)
        qsort(x->joinable.v, x->joinable.n, sizeof(*x->joinable.v), by_field);
}

/* One test for `n` of them, all of one field. */
static atom_id join(struct comp *c, struct cons *atoms, const atom_id *v, uint32_t n)
{
    struct atom u = c->atoms.v[v[0].i];
    u.op = OP_IN;
    u.val0 = c->values.n;
    for (uint32_t i = 0; i < n; i++) {
        const struct atom a = c->atoms.v[v[i].i];
        for (uint32_t k = 0; k < a.nval; k++)
            VEC_PUSH(c->arena, &c->values, c->values.v[a.val0 + k]);
    }
    u.nval = c->values.n - u.val0;
    return atom_intern(c, atoms, u);
}

/* Joins the operands v[i], x->next[i], ...: the first becomes the test, the others nothing. */
static void join_chain(struct exprs *x, expr_id *v, uint32_t i, bool neg)
{
    x->group.n = 0;
    for (uint32_t k = i; k != NO_NEXT; k = x->next.v[k]) {
        VEC_PUSH(x->c->arena, &x->group, x->v.v[v[k].i].atom);
        v[k] = EXPR_LEFT_OUT;
    }
    v[i] = literal(x, join(x->c, &x->atoms, x->group.v, x->group.n), neg);
}

/* Links operands of one field: x->next[i] is the one that follows v[i]. */
static void chain_joinable(struct exprs *x, uint32_t n)
{
    x->next.n = 0;
    for (uint32_t i = 0; i < n; i++)
        VEC_PUSH(x->c->arena, &x->next, NO_NEXT);
    for (uint32_t i = 1; i < x->joinable.n; i++)
        if (one_field(&x->joinable.v[i - 1], &x->joinable.v[i]))
            x->next.v[x->joinable.v[i - 1].at] = x->joinable.v[i].at;
}

/*
 * a = 1 or a = 2 is a in (1, 2), and not a = 1 and not a = 2 is not a in (1, 2): one test instead
 * of two, known or unknown. New tests are made in the order of the first that goes into each.
 */
static uint32_t merge(struct exprs *x, enum expr_kind kind, expr_id *v, uint32_t n)
{
    bool neg = kind == EXPR_AND;
    find_joinable(x, v, n, neg);
    if (x->joinable.n < 2)
        return n;
    chain_joinable(x, n);
    uint32_t left = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].i == EXPR_LEFT_OUT.i)
            continue;
        if (x->next.v[i] != NO_NEXT)
            join_chain(x, v, i, neg);
        v[left++] = v[i];
    }
    return left;
}

/* Drops operands that occur twice. */
static uint32_t unique(struct exprs *x, expr_id *v, uint32_t n)
{
    uint32_t left = 0;
    x->stamp++;
    for (uint32_t i = 0; i < n; i++) {
        if (x->mark.v[v[i].i] != x->stamp) {
            x->mark.v[v[i].i] = x->stamp;
            v[left++] = v[i];
        }
    }
    return left;
}

/* a and (a or b) is a; likewise the other way round. All of v are marked with x->stamp. */
static uint32_t absorb(const struct exprs *x, enum expr_kind kind, expr_id *v, uint32_t n)
{
    enum expr_kind dual = kind == EXPR_AND ? EXPR_OR : EXPR_AND;
    uint32_t left = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct expr *e = &x->v.v[v[i].i];
        bool absorbed = false;
        for (uint32_t k = 0; k < e->nkid && e->kind == dual && !absorbed; k++)
            absorbed = x->mark.v[x->kids.v[e->kid0 + k].i] == x->stamp;
        if (!absorbed)
            v[left++] = v[i];
    }
    return left;
}

/*
 * What it costs to be done: of independent operands those come first that settle the matter at the
 * least expected cost, and that order is the best there is.
 */
static uint64_t rank_of(const struct exprs *x, enum expr_kind kind, expr_id e)
{
    const struct expr *v = &x->v.v[e.i];
    return (uint64_t)v->cost * 1000 / (kind == EXPR_AND ? 1000 - v->odds : v->odds);
}

static int by_rank(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->e.i < b->e.i ? -1 : a->e.i > b->e.i;
}

/*
 * Where nothing tells them apart, as they were met first in the pack: rules that ask for the same
 * in another order come to the same.
 */
static void sort_by_rank(struct exprs *x, enum expr_kind kind, expr_id *v, uint32_t n)
{
    bool sorted = true;
    x->rank.n = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct ranked r = {.e = v[i], .rank = rank_of(x, kind, v[i])};
        sorted = sorted && (!i || by_rank(&x->rank.v[i - 1], &r) < 0);
        VEC_PUSH(x->c->arena, &x->rank, r);
    }
    if (sorted)
        return;
    qsort(x->rank.v, n, sizeof(*x->rank.v), by_rank);
    for (uint32_t i = 0; i < n; i++)
        v[i] = x->rank.v[i].e;
}

/* Expected cost and odds of operands that are tried in this order. */
static void expect(const struct exprs *x, const expr_id *v, struct expr *e)
{
    uint64_t cost = 0, reach = MILLION;
    for (uint32_t i = 0; i < e->nkid; i++) {
        const struct expr *kid = &x->v.v[v[i].i];
        cost += kid->cost * reach / MILLION;
        reach = reach * (e->kind == EXPR_AND ? kid->odds : 1000 - kid->odds) / 1000;
    }
    uint32_t odds = (uint32_t)(reach / 1000);
    odds = e->kind == EXPR_AND ? odds : 1000 - odds;
    e->cost = cost < COST_USER ? (uint32_t)cost : COST_USER;
    e->odds = odds < 1 ? 1 : odds > 999 ? 999 : odds;
}

/* AND or OR of the operands on x->work from `base` on; takes them off. */
static expr_id nary(struct exprs *x, enum expr_kind kind, uint32_t base)
{
    expr_id unit = kind == EXPR_AND ? EXPR_TRUE : EXPR_FALSE;
    expr_id zero = kind == EXPR_AND ? EXPR_FALSE : EXPR_TRUE;
    expr_id *v = x->work.v + base;
    uint32_t n = 0;
    bool dead = false;
    for (uint32_t i = base; i < x->work.n; i++) {
        expr_id e = x->work.v[i];
        dead = dead || e.i == zero.i;
        if (e.i != unit.i)
            v[n++] = e;
    }
    x->work.n = base;
    if (dead || !n)
        return dead ? zero : unit;
    n = merge(x, kind, v, n);
    n = unique(x, v, n);
    n = absorb(x, kind, v, n);
    if (n == 1)
        return v[0];
    sort_by_rank(x, kind, v, n);
    struct expr e = {.kind = (uint8_t)kind, .nkid = n};
    expect(x, v, &e);
    for (uint32_t i = 0; i < n; i++)
        e.varies = e.varies || x->v.v[v[i].i].varies;
    return cons(x, e, v);
}

expr_id expr_of_node(struct exprs *x, node_id id, bool neg)
{
    const struct node n = x->c->nodes.v[id.i];
    if (n.kind == NODE_TRUE || n.kind == NODE_FALSE)
        return (n.kind == NODE_TRUE) != neg ? EXPR_TRUE : EXPR_FALSE;
    if (n.kind == NODE_TEST)
        return literal(x, n.atom, neg);
    if (n.kind == NODE_NOT)
        return expr_of_node(x, x->c->kids.v[n.kid0], !neg);
    if (n.kind != NODE_AND && n.kind != NODE_OR)
        return EXPR_FALSE;
    enum expr_kind kind = (n.kind == NODE_AND) != neg ? EXPR_AND : EXPR_OR;
    uint32_t base = x->work.n;
    for (uint32_t i = 0; i < n.nkid; i++)
        gather(x, kind, expr_of_node(x, x->c->kids.v[n.kid0 + i], neg));
    return nary(x, kind, base);
}

void exprs_next_site(struct exprs *x)
{
    x->site_stamp++;
}

static expr_id fold_literal(const struct exprs *x, expr_id id, const struct site *s)
{
    const struct expr *e = &x->v.v[id.i];
    enum fold f = fold_atom(x->c, e->atom, s);
    if (f == FOLD_KEEP)
        return id;
    return (f == FOLD_TRUE) != e->neg ? EXPR_TRUE : EXPR_FALSE;
}

expr_id expr_on_site(struct exprs *x, expr_id id, const struct site *s)
{
    const struct expr e = x->v.v[id.i];
    if (!e.varies)
        return id;
    if (x->memo.v[id.i].stamp == x->site_stamp)
        return x->memo.v[id.i].result;
    expr_id r;
    if (e.kind == EXPR_LIT) {
        r = fold_literal(x, id, s);
    } else {
        uint32_t base = x->work.n;
        for (uint32_t i = 0; i < e.nkid; i++)
            gather(x, (enum expr_kind)e.kind, expr_on_site(x, x->kids.v[e.kid0 + i], s));
        r = nary(x, (enum expr_kind)e.kind, base);
    }
    x->memo.v[id.i] = (struct memo){x->site_stamp, r};
    return r;
}
