/* SPDX-License-Identifier: Apache-2.0 */
#include "leave.h"

#include "arena.h"
#include "diag.h"
#include "intern.h"
#include "need.h"
#include "pipeline.h"

/* A walk over the nodes that one root leads to. */
struct walk {
    struct planner p;
    uint32_t *stamp, now; /* by node: the last walk that came by */
    VEC(dag_id) open;
};

static void visit(struct walk *w, dag_id d)
{
    if (d.i < DAG_TRUE && w->stamp[d.i] != w->now) {
        w->stamp[d.i] = w->now;
        VEC_PUSH(w->p.c->arena, &w->open, d);
    }
}

/* Asks for all that the rule needs on the event. */
static void ask(struct walk *w, const struct root *r, enum event_id event)
{
    const struct comp *c = w->p.c;
    w->now++;
    visit(w, r->root);
    while (w->open.n) {
        struct dag_node d = c->dag.v[w->open.v[--w->open.n].i];
        need_atom(&w->p, d.atom, event);
        visit(w, d.yes);
        visit(w, d.no);
    }
    need_output(&w->p, &c->rules.v[r->rule.i], event);
}

/* Rules that are on come first: the others get what room is left. */
static void try_rules(struct walk *w, bool on)
{
    struct comp *c = w->p.c;
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *e = &c->events.v[i];
        for (uint32_t k = 0; k < e->nroot; k++) {
            const struct root *root = &c->roots.v[e->root0 + k];
            struct rule *r = &c->rules.v[root->rule.i];
            if (r->enabled != on || r->left_out)
                continue;
            w->p.refused = false;
            ask(w, root, e->event);
            r->left_out = !on && w->p.refused;
        }
    }
}

/* Rows that lose all their roots go too, but for system calls that are told from the rest. */
static void drop_roots(struct comp *c)
{
    uint32_t nroot = 0, nrow = 0;
    for (uint32_t i = 0; i < c->events.n; i++) {
        struct event_rules e = c->events.v[i];
        uint32_t from = e.root0, had = e.nroot;
        e.root0 = nroot;
        for (uint32_t k = 0; k < had; k++) {
            struct root root = c->roots.v[from + k];
            if (!c->rules.v[root.rule.i].left_out)
                c->roots.v[nroot++] = root;
        }
        e.nroot = nroot - e.root0;
        if (e.nroot || e.event == EV_generic)
            c->events.v[nrow++] = e;
    }
    c->roots.n = nroot;
    c->events.n = nrow;
}

void leave_out(struct comp *c)
{
    struct walk w = {.p = {.c = c, .trial = true}};
    bool off = false, any = false;
    for (uint32_t i = 1; i < c->rules.n; i++)
        off |= rule_is_kept(&c->rules.v[i]) && !c->rules.v[i].enabled;
    if (!off)
        return;
    c->plan = PLAN_EMPTY;
    w.stamp = arena_alloc(c->arena, c->dag.n * sizeof(*w.stamp));
    try_rules(&w, true);
    try_rules(&w, false);
    for (uint32_t i = 1; i < c->rules.n; i++) {
        const struct rule *r = &c->rules.v[i];
        any |= r->left_out;
        if (r->left_out && c->build) {
            diag(c, RK0409, r->at, "a rule that is on would be refused for what is missing",
                 "disabled rule `%s` needs what this version does not supply, and is left out",
                 STR(c, r->name));
        }
    }
    if (any)
        drop_roots(c);
}
