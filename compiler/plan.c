/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include <assert.h>
#include <string.h>

#include "arena.h"
#include "fold.h"
#include "hooks.h"
#include "leave.h"
#include "need.h"
#include "place.h"
#include "reach.h"
#include "../grammar/supply.h"

#define BIT(g) (1ull << (g))
#define FAILED_LOW (-4095) /* results of a failed call */

static bool is_terminal(dag_id d)
{
    return d.i >= DAG_TRUE;
}

static void mark(uint32_t *stamp, uint32_t now, dag_id d)
{
    if (!is_terminal(d))
        stamp[d.i] = now;
}

/* Every atom that the event's rules can come to. Edges point upwards: one pass. */
static void plan_atoms(struct planner *p)
{
    struct comp *c = p->c;
    uint32_t *stamp = arena_alloc(c->arena, c->dag.n * sizeof(*stamp));
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *e = &c->events.v[i];
        for (uint32_t k = 0; k < e->nroot; k++)
            mark(stamp, i + 1, c->roots.v[e->root0 + k].root);
        for (uint32_t d = 1; d < c->dag.n; d++) {
            if (stamp[d] == i + 1) {
                need_atom(p, c->dag.v[d].atom, e->event);
                place_atom(p, c->dag.v[d].atom, e->event);
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
        for (uint32_t k = 0; k < e->nroot; k++)
            need_output(p, &c->rules.v[c->roots.v[e->root0 + k].rule.i], e->event);
    }
}

/* ---- failed exec calls ---- */

static bool reaches(const bool *can, dag_id d)
{
    return is_terminal(d) ? d.i == DAG_TRUE : can[d.i];
}

/* Marks the rules that a failed execve or execveat can match; the first of them, or 0. */
static rule_id failed_exec(struct comp *c, const struct event_rules *e)
{
    const struct assume result = {.slot = SLOT_OF_NUM(N_RES), .low = FAILED_LOW, .high = -1};
    rule_id first = {0};
    bool *can = arena_alloc(c->arena, c->dag.n + 1);
    for (uint32_t i = c->dag.n; i-- > 1;) {
        const struct dag_node *d = &c->dag.v[i];
        struct outcomes o = reach_atom(c, d->atom, e->event, &result, 1);
        can[i] = (o.yes && reaches(can, d->yes)) || (o.no && reaches(can, d->no));
    }
    for (uint32_t k = 0; k < e->nroot; k++) {
        const struct root *root = &c->roots.v[e->root0 + k];
        if (reaches(can, root->root)) {
            c->rules.v[root->rule.i].failed_exec = true;
            first = first.i ? first : root->rule;
        }
    }
    return first;
}

/* ---- hooks and system calls ---- */

static void want_event(struct plan *p, enum event_id e)
{
    uint64_t calls[CATALOG_CALLS / 64] = {0};
    catalog_calls(e, calls);
    for (int i = 0; i < CATALOG_CALLS / 64; i++)
        p->probe.syscalls[i] |= calls[i];
}

/* A generic call that has a row, or all that have none. */
static void want_generic(struct comp *c, const struct event_rules *row)
{
    uint64_t calls[CATALOG_CALLS / 64] = {0};
    catalog_calls(EV_generic, calls);
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *e = &c->events.v[i];
        if (e->event == EV_generic && e->sysnr >= 0 && e->sysnr < CATALOG_CALLS)
            calls[e->sysnr / 64] &= ~BIT(e->sysnr % 64);
    }
    for (int i = 0; i < CATALOG_CALLS / 64; i++)
        if (row->sysnr < 0)
            c->plan.probe.syscalls[i] |= calls[i];
        else if (row->sysnr / 64 == i)
            c->plan.probe.syscalls[i] |= BIT(row->sysnr % 64);
}

static void want_hook(struct plan *p, enum hook_id h, rule_id rule)
{
    if (!p->hook[h]) {
        p->hook[h] = true;
        p->hook_rule[h] = rule;
    }
}

/* The first rule of the row, if it can be one that is on. */
static rule_id first_rule(const struct comp *c, const struct event_rules *e)
{
    for (uint32_t k = 0; k < e->nroot; k++) {
        rule_id r = c->roots.v[e->root0 + k].rule;
        if (c->rules.v[r.i].enabled)
            return r;
    }
    return c->roots.v[e->root0].rule;
}

static void plan_event(struct comp *c, const struct event_rules *e)
{
    struct plan *p = &c->plan;
    rule_id first = first_rule(c, e);
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
    uint8_t hooks = hooks_of_event(e->event, e->sysnr);
    for (unsigned h = 0; h < HOOK_COUNT; h++)
        if (hooks >> h & 1)
            want_hook(p, (enum hook_id)h, first);
    if (e->event != EV_generic)
        want_event(p, e->event);
    else
        want_generic(c, e);
}

static void plan_hooks(struct comp *c)
{
    struct plan *p = &c->plan;
    for (uint32_t i = 0; i < c->events.n; i++)
        if (c->events.v[i].nroot)
            plan_event(c, &c->events.v[i]);
    if (p->probe.groups & SUPPLY_STATE) {
        want_hook(p, HOOK_EXEC, (rule_id){0});
        want_hook(p, HOOK_FORK, (rule_id){0});
    }
}

int pass_plan(struct comp *c)
{
    struct planner p = {.c = c, .patterns.arena = c->arena};
    leave_out(c);
    c->plan = PLAN_EMPTY;
    p.placed = arena_alloc(c->arena, c->atoms.n * sizeof(*p.placed));
    plan_atoms(&p);
    plan_outputs(&p);
    place_sort(c);
    plan_hooks(c);
    assert(c->plan.probe.readings & READ_BIT(READ_KERNEL));
    return 0;
}
