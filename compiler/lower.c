/* SPDX-License-Identifier: Apache-2.0 */
#include "lower.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "intern.h"
#include "pipeline.h"

/*
 * While the DAG is being made nodes are numbered bottom-up: both edges of a node are smaller than
 * the node. dag_seal() turns that round.
 */
struct lowering {
    struct comp *c;
    struct exprs x;
    struct cons table;
    struct sites sites;
    VEC(expr_id) cond; /* by rule index */
    VEC(rule_id) kept;
    bool rest_fires; /* some rule fires on generic calls that no rule tells apart */
};

struct dag_wanted {
    const struct comp *c;
    struct dag_node node;
};

static bool dag_same(const void *ctx, uint32_t id)
{
    const struct dag_wanted *w = ctx;
    const struct dag_node *a = &w->node, *b = &w->c->dag.v[id];
    return a->atom.i == b->atom.i && a->yes.i == b->yes.i && a->no.i == b->no.i && a->neg == b->neg;
}

/* The one constructor of nodes. */
static dag_id dag_node(struct lowering *l, atom_id atom, bool neg, dag_id pass, dag_id fail)
{
    if (pass.i == fail.i)
        return pass;
    struct dag_wanted w = {l->c, {atom, neg ? fail : pass, neg ? pass : fail, neg}};
    uint64_t h = cons_hash_u32(CONS_SEED, atom.i << 1 | neg);
    h = cons_hash_u32(cons_hash_u32(h, w.node.yes.i), w.node.no.i);
    uint32_t id = cons_find(&l->table, h, dag_same, &w);
    if (!id) {
        id = VEC_PUSH(l->c->arena, &l->c->dag, w.node);
        cons_add(&l->table, h, id);
    }
    return (dag_id){id};
}

/* Short-circuit evaluation, from the last operand to the first. */
static dag_id dag_expr(struct lowering *l, expr_id id, dag_id yes, dag_id no)
{
    const struct expr e = l->x.v.v[id.i];
    if (e.kind == EXPR_LIT)
        return dag_node(l, e.atom, e.neg, yes, no);
    if (e.kind == EXPR_CONST || e.kind == EXPR_NONE)
        return id.i == EXPR_TRUE.i ? yes : no;
    dag_id next = e.kind == EXPR_AND ? yes : no;
    for (uint32_t i = e.nkid; i-- > 0;) {
        expr_id kid = l->x.kids.v[e.kid0 + i];
        next = e.kind == EXPR_AND ? dag_expr(l, kid, next, no) : dag_expr(l, kid, yes, next);
    }
    return next;
}

static bool is_terminal(dag_id d)
{
    return d.i >= DAG_TRUE;
}

/* Live nodes: those that a root leads to. Children have smaller numbers, so one pass downwards. */
static uint32_t mark_live(struct comp *c, uint32_t *number)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->roots.n; i++)
        if (!is_terminal(c->roots.v[i].root))
            number[c->roots.v[i].root.i] = 1;
    for (uint32_t i = c->dag.n; i-- > 1;) {
        const struct dag_node *d = &c->dag.v[i];
        if (!number[i])
            continue;
        number[i] = ++n;
        if (!is_terminal(d->yes))
            number[d->yes.i] = 1;
        if (!is_terminal(d->no))
            number[d->no.i] = 1;
    }
    return n;
}

static dag_id renumber(const uint32_t *number, dag_id d)
{
    return is_terminal(d) ? d : (dag_id){number[d.i]};
}

/* Drops the dead and numbers the rest so that both edges of a node are greater than the node. */
static void dag_seal(struct comp *c)
{
    uint32_t *number = arena_alloc(c->arena, (c->dag.n + 1) * sizeof(*number));
    uint32_t n = mark_live(c, number);
    struct dag_node *v = arena_alloc(c->arena, (n + 1) * sizeof(*v));
    for (uint32_t i = 1; i < c->dag.n; i++) {
        if (number[i]) {
            struct dag_node d = c->dag.v[i];
            d.yes = renumber(number, d.yes);
            d.no = renumber(number, d.no);
            assert(d.yes.i > number[i] && d.no.i > number[i]);
            v[number[i]] = d;
        }
    }
    for (uint32_t i = 0; i < c->roots.n; i++)
        c->roots.v[i].root = renumber(number, c->roots.v[i].root);
    c->dag.v = v;
    c->dag.n = c->dag.cap = n + 1;
}

static int keep_rules(struct lowering *l)
{
    struct comp *c = l->c;
    for (uint32_t i = 1; i < c->rules.n; i++) {
        struct rule *r = &c->rules.v[i];
        if (!rule_is_kept(r))
            continue;
        if (c->nrule == RULES_MAX) {
            fprintf(stderr, "rulec: a bundle can hold %d rules\n", RULES_MAX);
            return -E2BIG;
        }
        r->index = c->nrule++;
        VEC_PUSH(c->arena, &l->kept, (rule_id){i});
        VEC_PUSH(c->arena, &l->cond, expr_of_node(&l->x, r->condition, false));
    }
    return 0;
}

/*
 * The roots of one kind of event, in rule order. A row without roots is left out, unless it tells
 * a generic system call from the rest, on which some rule fires.
 */
static void lower_site(struct lowering *l, const struct site *s, bool *alive)
{
    struct comp *c = l->c;
    struct event_rules row = {.event = s->event, .sysnr = s->sysnr, .root0 = c->roots.n};
    exprs_next_site(&l->x);
    for (uint32_t i = 0; i < l->kept.n; i++) {
        expr_id e = expr_on_site(&l->x, l->cond.v[i], s);
        if (e.i != EXPR_FALSE.i) {
            dag_id root = dag_expr(l, e, (dag_id){DAG_TRUE}, (dag_id){DAG_FALSE});
            VEC_PUSH(c->arena, &c->roots, (struct root){l->kept.v[i], root});
            alive[i] = true;
        }
    }
    row.nroot = c->roots.n - row.root0;
    if (row.nroot || (l->rest_fires && s->event == EV_generic))
        VEC_PUSH(c->arena, &c->events, row);
    l->rest_fires =
        l->rest_fires || (s->event == EV_generic && s->sysnr == SYSNR_OTHER && row.nroot);
}

static void lint(struct lowering *l, const bool *alive)
{
    struct comp *c = l->c;
    for (uint32_t i = 0; i < l->kept.n; i++) {
        const struct rule *r = &c->rules.v[l->kept.v[i].i];
        struct event_set set;
        diag_set_rule(c, r->name);
        event_set_of_rule(c, &l->sites, r, &set);
        lint_many(c, r, &set);
        if (!r->enabled) {
            c->rules.v[l->kept.v[i].i].left_out = c->build && lint_wants_dead(&set);
            continue;
        }
        lint_rule(c, r, &set);
        if (!alive[i])
            lint_never(c, r, &set);
    }
    diag_set_rule(c, (str_id){0});
}

int pass_lower(struct comp *c)
{
    struct lowering l = {.c = c, .table.arena = c->arena};
    c->nrule = 0;
    exprs_init(&l.x, c);
    if (!c->dag.n)
        VEC_PUSH(c->arena, &c->dag, (struct dag_node){0}); /* poison */
    int err = keep_rules(&l);
    if (err)
        return err;
    sites_of_pack(c, &l.sites);
    bool *alive = arena_alloc(c->arena, l.kept.n + 1);
    for (uint32_t i = 0; i < l.sites.v.n; i++)
        if (catalog_event(l.sites.v.v[i].event)->live)
            lower_site(&l, &l.sites.v.v[i], alive);
    dag_seal(c);
    lint(&l, alive);
    return 0;
}
