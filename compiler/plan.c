/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include <assert.h>
#include <string.h>

#include "arena.h"
#include "fold.h"
#include "need.h"
#include "place.h"

#define BIT(g) (1ull << (g))
#define SYSCALLS_MAX 512
#define FAILED_LOW (-4095) /* results of a failed call */

/* Groups that are read from a process's entry, which is kept from its exec and fork on. */
#define STATE_GROUPS                                                                               \
    (BIT(G_PROC) | BIT(G_CRED) | BIT(G_EXE) | BIT(G_CMD) | BIT(G_PARENT) | BIT(G_ANC) |            \
     BIT(G_EXTRA) | BIT(G_ENV) | BIT(G_ENVRAW))

static bool is_terminal(dag_id d)
{
    return d.i >= DAG_TRUE;
}

static void mark(uint32_t *stamp, uint32_t now, dag_id d)
{
    if (!is_terminal(d)) {
        stamp[d.i] = now;
    }
}

static bool reads_path(const struct comp *c, operand_id id)
{
    const struct operand *o = &c->operands.v[id.i];
    bool found = o->kind == OPERAND_FIELD && need_is_path(o->field);
    for (uint32_t i = 0; i < o->nop && !found; i++) {
        found = reads_path(c, c->opkids.v[o->op0 + i]);
    }
    return found;
}

static void plan_atom(struct planner *p, atom_id id, enum event_id event)
{
    const struct atom a = p->c->atoms.v[id.i];
    bool path = need_is_path(a.lhs.field) || need_is_path(a.rhs.field) ||
                (a.expr.i && reads_path(p->c, a.expr)) || (a.rexpr.i && reads_path(p->c, a.rexpr));
    if (path && event_is_open(event)) {
        p->c->plan.probe.readings = 2;
    }
    need_field(p, a.lhs, event, a.at);
    need_field(p, a.rhs, event, a.at);
    if (a.expr.i) {
        need_operand(p, a.expr, event);
    }
    if (a.rexpr.i) {
        need_operand(p, a.rexpr, event);
    }
    place_atom(p, id, event);
}

/* Every atom that the event's rules can come to. Edges point upwards: one pass. */
static void plan_atoms(struct planner *p)
{
    struct comp *c = p->c;
    uint32_t *stamp = arena_alloc(c->arena, c->dag.n * sizeof *stamp);
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *e = &c->events.v[i];
        for (uint32_t k = 0; k < e->nroot; k++) {
            mark(stamp, i + 1, c->roots.v[e->root0 + k].root);
        }
        for (uint32_t d = 1; d < c->dag.n; d++) {
            if (stamp[d] == i + 1) {
                plan_atom(p, c->dag.v[d].atom, e->event);
                mark(stamp, i + 1, c->dag.v[d].yes);
                mark(stamp, i + 1, c->dag.v[d].no);
            }
        }
    }
}

/* What the outputs show, on each event that the rule fires on. */
static void plan_outputs(struct planner *p)
{
    const struct comp *c = p->c;
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *e = &c->events.v[i];
        for (uint32_t k = 0; k < e->nroot; k++) {
            const struct rule *r = &c->rules.v[c->roots.v[e->root0 + k].rule.i];
            for (uint32_t n = 0; n < r->nout; n++) {
                const struct piece *out = &c->pieces.v[r->out0 + n];
                if (out->is_field) {
                    need_operand(p, out->operand, e->event);
                }
            }
        }
    }
}

/* ---- failed exec calls ---- */

static bool overlaps(const struct num_test *t, int64_t low, int64_t high)
{
    if (t->kind == NT_MASK) {
        return t->a != UINT64_MAX || ((int64_t)t->b >= low && (int64_t)t->b <= high);
    }
    if (t->kind == NT_SIGNED) {
        return (int64_t)t->a <= high && (int64_t)t->b >= low;
    }
    return t->a <= (uint64_t)high && t->b >= (uint64_t)low;
}

static bool covers(const struct num_test *t, int64_t low, int64_t high)
{
    if (t->kind == NT_MASK) {
        return !t->a;
    }
    if (t->kind == NT_SIGNED) {
        return (int64_t)t->a <= low && (int64_t)t->b >= high;
    }
    return t->a <= (uint64_t)low && t->b >= (uint64_t)high;
}

/* Whether an atom can be true, and can be false, when the call failed. */
static void when_failed(const struct comp *c, atom_id a, enum event_id event, bool *yes, bool *no)
{
    const struct where *w = place_where(c, a, event);
    *yes = *no = true;
    if (!w || w->shape != SHAPE_NUM || w->slot != SLOT_OF_NUM(N_RES) || w->slot2 >= 0) {
        return;
    }
    bool some = false, all = false;
    for (uint32_t i = 0; i < w->ntest; i++) {
        const struct num_test *t = &c->tests.v[w->test0 + i];
        some = some || overlaps(t, FAILED_LOW, -1);
        all = all || covers(t, FAILED_LOW, -1);
    }
    *yes = w->negate ? !all : some;
    *no = w->negate ? some : !all;
}

static bool reaches(const bool *can, dag_id d)
{
    return is_terminal(d) ? d.i == DAG_TRUE : can[d.i];
}

/* The first rule that a failed execve or execveat can match, or 0. */
static rule_id failed_exec(const struct comp *c, const struct event_rules *e)
{
    bool *can = arena_alloc(c->arena, c->dag.n + 1);
    for (uint32_t i = c->dag.n; i-- > 1;) {
        const struct dag_node *d = &c->dag.v[i];
        bool yes, no;
        when_failed(c, d->atom, e->event, &yes, &no);
        can[i] = (yes && reaches(can, d->yes)) || (no && reaches(can, d->no));
    }
    for (uint32_t k = 0; k < e->nroot; k++) {
        if (reaches(can, c->roots.v[e->root0 + k].root)) {
            return c->roots.v[e->root0 + k].rule;
        }
    }
    return (rule_id){0};
}

/* ---- hooks and system calls ---- */

static void want_call(struct plan *p, int32_t nr)
{
    if (nr >= 0 && nr < SYSCALLS_MAX) {
        p->probe.syscalls[nr / 64] |= BIT(nr % 64);
    }
}

static void want_event(struct plan *p, enum event_id e)
{
    const struct syscall_info *s;
    for (unsigned i = 0; (s = catalog_syscall_at(i)); i++) {
        if (s->event == e) {
            want_call(p, s->nr);
        }
    }
}

/* Every number that is no event of its own and has no row of its own. */
static void want_rest(struct comp *c)
{
    for (int32_t nr = 0; nr < SYSCALLS_MAX; nr++) {
        const struct syscall_info *s = catalog_syscall_by_nr(nr);
        bool own = s && s->event != EV_generic;
        for (uint32_t i = 0; i < c->events.n && !own; i++) {
            const struct event_rules *e = &c->events.v[i];
            own = e->event == EV_generic && e->sysnr == nr;
        }
        if (!own) {
            want_call(&c->plan, nr);
        }
    }
}

static void want_hook(struct plan *p, enum hook_id h, rule_id rule)
{
    if (!p->hook[h]) {
        p->hook[h] = true;
        p->hook_rule[h] = rule;
    }
}

static void plan_event(struct comp *c, const struct event_rules *e)
{
    struct plan *p = &c->plan;
    rule_id first = c->roots.v[e->root0].rule;
    if (e->event == EV_execve || e->event == EV_execveat) {
        rule_id failed = failed_exec(c, e);
        if (e->event == EV_execve) { /* its bit lets the exec hook report what it sees */
            want_hook(p, HOOK_EXEC, first);
            want_event(p, EV_execve); /* the hook may be there for the state of processes alone */
        }
        if (failed.i) {
            p->probe.failed_exec = 1;
            want_hook(p, HOOK_SYS_EXIT, failed);
            want_event(p, e->event);
        }
        return;
    }
    want_hook(p, HOOK_SYS_EXIT, first);
    if (e->event != EV_generic) {
        want_event(p, e->event);
    } else if (e->sysnr >= 0) {
        want_call(p, e->sysnr);
    } else {
        want_rest(c);
    }
}

static void plan_hooks(struct comp *c)
{
    struct plan *p = &c->plan;
    for (uint32_t i = 0; i < c->events.n; i++) {
        if (c->events.v[i].nroot) {
            plan_event(c, &c->events.v[i]);
        }
    }
    if (p->probe.groups & STATE_GROUPS) {
        want_hook(p, HOOK_EXEC, (rule_id){0});
        want_hook(p, HOOK_FORK, (rule_id){0});
    }
}

int pass_plan(struct comp *c)
{
    struct planner p = {.c = c, .patterns.arena = c->arena};
    c->plan = (struct plan){.probe.readings = 1, .probe.groups = BIT(G_EVENT)};
    p.placed = arena_alloc(c->arena, c->atoms.n * sizeof *p.placed);
    plan_atoms(&p);
    plan_outputs(&p);
    place_sort(c);
    plan_hooks(c);
    assert(c->plan.probe.readings == 1 || c->plan.probe.readings == 2);
    return 0;
}
