/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "classes.h"
#include "emit.h"
#include "group.h"
#include "hooks.h"
#include "intern.h"
#include "pipeline.h"
#include "place.h"
#include "sketch.h"
#include "task.h"

enum { R0 = BPF_REG_0, R1, R2, R6 = BPF_REG_6, R7, R8 };

/* A function that is longer when a rule ends goes on in another one. */
#define FUNC_SLOTS 20000
/* Slots of the whole filter. The kernel takes a million in a program, the probe's included. */
#define FILTER_SLOTS 700000
/* Functions of the whole filter: the kernel takes 256 in a program. */
#define FILTER_FUNCS 176

/* ---- functions ---- */

void emit_begin(struct emit *e, const char *name, span_id at)
{
    asm_func_begin(e->a, name);
    asm_mark(e->a, at, NULL);
    label_id null = asm_label(e->a), there = asm_label(e->a);
    asm_if(e->a, BPF_JEQ, R1, 0, null, there);
    asm_bind(e->a, null);
    asm_mov_imm(e->a, R0, 0);
    asm_exit(e->a);
    asm_bind(e->a, there);
    asm_mov(e->a, R6, R1);
}

void emit_finish(struct emit *e)
{
    if (asm_live(e->a)) {
        asm_mov_imm(e->a, R0, 0);
        asm_exit(e->a);
    }
    asm_func_end(e->a);
}

/* One set of rules: a run of functions. */
struct unit {
    uint32_t row;          /* comp.events: the first that has it */
    uint32_t func0, nfunc; /* names, in asm_code.funcs */
    uint32_t ngroup;       /* the first of them are groups (group.h) */
    uint32_t pass;         /* what to answer when none of them has an answer */
    struct grouping parts;
    struct task_mask want; /* the tests of the task that its rules look at */
};

static span_id place_of(struct emit *e, const struct root *r)
{
    return e->c->rules.v[r->rule.i].at;
}

static const char *unit_name(struct emit *e, const struct event_rules *row, uint32_t part)
{
    const char *event = catalog_event(row->event)->name;
    const struct syscall_info *call = row->sysnr >= 0 ? catalog_syscall_by_nr(row->sysnr) : NULL;
    char *name = part ? arena_printf(e->c->arena, "rule_%s_%u", call ? call->name : event, part + 1)
                      : arena_printf(e->c->arena, "rule_%s", call ? call->name : event);
    for (char *p = name; *p; p++) /* a symbol: words and digits */
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')))
            *p = '_';
    return name;
}

/* Begins the unit's next function. False: the filter is full. */
static bool begin_part(struct emit *e, const struct unit *u, const struct root *first)
{
    if (e->a->insns.n >= FILTER_SLOTS || e->a->funcs.n >= FILTER_FUNCS)
        return false;
    emit_begin(e, unit_name(e, &e->c->events.v[u->row], e->a->funcs.n - u->func0),
               place_of(e, first));
    asm_mov(e->a, R7, R6);
    asm_alu_imm(e->a, BPF_ADD, R7, ASM_FAR);
    return true;
}

/* What does not fit is left to user space: these rules, from the first on, always pass. */
static void leave(struct emit *e, struct unit *u, const struct root *first, uint32_t n)
{
    uint32_t pass = e->c->rules.v[first->rule.i].index + 1;
    u->pass = u->pass && u->pass < pass ? u->pass : pass;
    e->c->filter_left += n;
}

static void emit_group(struct emit *e, struct event_rules *row, const struct group *g)
{
    if (g->table)
        group_emit_table(e, row, g);
    else
        group_emit(e, &e->c->roots.v[row->root0], g);
    emit_finish(e);
}

/* For the decision table: the roots that none of the event's groups has. */
static void note_rest(struct emit *e, struct event_rules *row, const struct grouping *parts)
{
    struct comp *c = e->c;
    row->rest0 = c->ranks.n;
    for (uint32_t i = 0; i < parts->rest.n; i++)
        VEC_PUSH(c->arena, &c->ranks, parts->rest.v[i]);
    row->nrest = c->ranks.n - row->rest0;
}

/* One of the rules that are tried one after the other. */
static void emit_one(struct emit *e, const struct root *r)
{
    label_id miss = asm_label(e->a);
    e->may = e->task->may[r - e->c->roots.v];
    if (e->may == SKETCH_NONE) {
        asm_bind(e->a, e->no_bits);
        e->no_bits = asm_label(e->a);
    }
    emit_rule(e, r, miss);
    asm_bind(e->a, miss);
}

/* The rules without a group, one after the other. */
static void emit_rest(struct emit *e, struct unit *u, const struct root *roots)
{
    const uint32_t *rest = u->parts.rest.v, n = u->parts.rest.n;
    bool more = true;
    e->by_bit = true;
    for (uint32_t i = 0; i < n && more;) {
        uint32_t start = e->a->insns.n;
        if (!begin_part(e, u, &roots[rest[i]])) {
            leave(e, u, &roots[rest[i]], n - i);
            break;
        }
        memset(e->known, 0, sizeof(e->known));
        e->no_bits = asm_label(e->a);
        while (i < n && asm_live(e->a) && e->a->insns.n - start < FUNC_SLOTS)
            emit_one(e, &roots[rest[i++]]);
        asm_bind(e->a, e->no_bits);
        e->may = SKETCH_NONE;
        more = asm_live(e->a); /* else some rule always passes: those behind are never reached */
        emit_finish(e);
    }
    e->by_bit = false;
}

static void emit_unit(struct emit *e, struct unit *u)
{
    struct event_rules *row = &e->c->events.v[u->row];
    const struct root *roots = &e->c->roots.v[row->root0];
    const struct grouping *parts = &u->parts;
    e->event = row->event;
    u->func0 = e->a->funcs.n;
    for (uint32_t i = 0; i < parts->groups.n; i++) {
        const struct group *g = &parts->groups.v[i];
        bool emitted = begin_part(e, u, &roots[g->rules.v[0].pos]);
        if (emitted) {
            emit_group(e, row, g);
            u->ngroup++;
        } else {
            leave(e, u, &roots[g->rules.v[0].pos], g->rules.n);
        }
        if (!g->table || !emitted)
            group_put_key(e, row, g);
    }
    if (row->nkey)
        note_rest(e, row, parts);
    emit_rest(e, u, roots);
    u->nfunc = e->a->funcs.n - u->func0;
}

/* ---- which events share a function ---- */

/* A row of comp.events and the atoms that its rules test. */
struct row {
    uint64_t hash;
    struct nodes list;
};

static bool same_tests(const struct comp *c, const struct where *a, const struct where *b)
{
    for (uint32_t i = 0; i < a->ntest; i++) {
        const struct num_test *x = &c->tests.v[a->test0 + i], *y = &c->tests.v[b->test0 + i];
        if (x->kind != y->kind || x->a != y->a || x->b != y->b)
            return false;
    }
    return true;
}

/* The same code comes of both. */
static bool same_place(const struct comp *c, const struct where *a, const struct where *b)
{
    return a == b ||
           (a->place == b->place && a->shape == b->shape && a->negate == b->negate &&
            a->guard == b->guard && a->slot == b->slot && a->slot2 == b->slot2 &&
            a->anc == b->anc && a->lore == b->lore && a->bit == b->bit && a->set == b->set &&
            a->pattern0 == b->pattern0 && a->ntest == b->ntest && same_tests(c, a, b));
}

static void read_row(struct emit *e, const struct event_rules *row, struct row *out)
{
    e->event = row->event;
    e->serial++;
    out->hash = CONS_SEED;
    for (uint32_t i = 0; i < row->nroot; i++) {
        const struct root *r = &e->c->roots.v[row->root0 + i];
        out->hash = cons_hash_u32(cons_hash_u32(out->hash, r->rule.i), r->root.i);
        emit_collect_all(e, &out->list, r->root);
    }
}

static bool same_rules(struct comp *c, const struct event_rules *a, const struct event_rules *b,
                       const struct nodes *list)
{
    if (a->nroot != b->nroot || task_is_exec(a->event) != task_is_exec(b->event))
        return false;
    for (uint32_t i = 0; i < a->nroot; i++) {
        const struct root *x = &c->roots.v[a->root0 + i], *y = &c->roots.v[b->root0 + i];
        if (x->rule.i != y->rule.i || x->root.i != y->root.i)
            return false;
    }
    for (uint32_t i = 0; i < list->id.n && a->event != b->event; i++) {
        atom_id atom = c->dag.v[list->id.v[i]].atom;
        if (!same_place(c, place_where(c, atom, a->event), place_where(c, atom, b->event)))
            return false;
    }
    return true;
}

/* Makes the units; `unit_of` gets each row's. Returns their number. */
static uint32_t find_units(struct emit *e, struct unit *units, uint32_t *unit_of)
{
    struct comp *c = e->c;
    struct row *rows = arena_alloc(c->arena, (c->events.n + 1) * sizeof(*rows));
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *row = &c->events.v[i];
        uint32_t u = 0;
        read_row(e, row, &rows[i]);
        for (; u < n; u++) {
            uint32_t other = units[u].row;
            if (rows[other].hash == rows[i].hash &&
                same_rules(c, row, &c->events.v[other], &rows[i].list))
                break;
        }
        if (u == n)
            units[n++] = (struct unit){.row = i};
        unit_of[i] = u;
    }
    return n;
}

/* ---- rule_filter ---- */

/*
 * r8 is the least answer less one; no answer, 0, becomes the greatest number. The groups come first
 * and all of them are asked; of the others, which are in order, the first that answers is enough.
 */
static void emit_least(struct emit *e, const struct unit *u)
{
    label_id done = asm_label(e->a);
    asm_mov_imm(e->a, R8, (uint64_t)u->pass - 1);
    for (uint32_t i = 0; i < u->nfunc; i++) {
        label_id next = asm_label(e->a), less = asm_label(e->a), some = asm_label(e->a);
        emit_call(e, e->a->funcs.v[u->func0 + i].name);
        asm_if(e->a, BPF_JNE, R0, 0, some, next);
        asm_bind(e->a, some);
        asm_alu_imm(e->a, BPF_SUB, R0, 1);
        asm_if_reg(e->a, BPF_JLT, R0, R8, less, i < u->ngroup ? next : done);
        asm_bind(e->a, less);
        asm_mov(e->a, R8, R0);
        asm_goto(e->a, i < u->ngroup ? next : done);
        asm_bind(e->a, next);
    }
    asm_bind(e->a, done);
    asm_mov(e->a, R0, R8);
    asm_alu_imm(e->a, BPF_ADD, R0, 1);
    asm_exit(e->a);
}

/* Calls the unit's functions until one has an answer, which is the caller's. */
static void emit_calls(struct emit *e, const struct unit *u)
{
    task_emit_want(e, &u->want);
    if (u->nfunc > 1 || u->pass) {
        emit_least(e, u);
        return;
    }
    if (u->nfunc)
        emit_call(e, e->a->funcs.v[u->func0].name);
    else
        asm_mov_imm(e->a, R0, 0);
    asm_exit(e->a);
}

/* Generic events [from, to) of comp.events: by number, the row for all others last. */
static void emit_generic(struct emit *e, const label_id *to_unit, const uint32_t *unit_of,
                         uint32_t from, uint32_t to, label_id none)
{
    struct key *keys = arena_alloc(e->c->arena, (to - from + 1) * sizeof(*keys));
    uint32_t n = 0;
    for (uint32_t i = from; i < to; i++) {
        const struct event_rules *row = &e->c->events.v[i];
        label_id unit = to_unit[unit_of[i]];
        if (row->sysnr >= 0)
            keys[n++] = (struct key){.key = (uint32_t)row->sysnr, .to = unit};
        else
            none = unit;
    }
    asm_load(e->a, 8, R2, R6, (int32_t)offsetof(struct ev_head, num[N_SYSNR]));
    emit_switch(e, R2, KEY_64, keys, n, none);
}

/*
 * Of the same filter a hook calls the part that has its events, so that the kernel need not verify
 * the others a second time.
 */
enum part { PART_ALL, PART_CALLS, PART_EXEC, PART_JUDGED, PART_COUNT };
static const char *const PART_NAME[PART_COUNT] = {"rule_filter", "rule_filter_calls",
                                                  "rule_filter_exec", "rule_filter_judged"};

static bool is_in(const struct comp *c, enum part part, enum event_id event)
{
    bool exec = event == EV_execve || event == EV_execveat;
    switch (part) {
    case PART_CALLS:
        return !exec || c->plan.probe.failed_exec;
    case PART_EXEC:
        return event == EV_execve;
    case PART_JUDGED:
        return hooks_of_event(event, -1) & HOOKS_JUDGED;
    case PART_ALL:
    case PART_COUNT:
        break;
    }
    return true;
}

static void emit_filter(struct emit *e, enum part part, const struct unit *units, uint32_t nunit,
                        const uint32_t *unit_of)
{
    struct comp *c = e->c;
    struct key *keys = arena_alloc(c->arena, (c->events.n + 1) * sizeof(*keys));
    uint32_t n = 0;
    span_id at = c->roots.n ? place_of(e, &c->roots.v[0]) : (span_id){0};
    emit_begin(e, PART_NAME[part], at);
    label_id none = asm_label(e->a),
             *to_unit = arena_alloc(c->arena, (nunit + 1) * sizeof(*to_unit));
    for (uint32_t u = 0; u < nunit; u++)
        to_unit[u] = asm_label(e->a);
    label_id generic = asm_label(e->a);
    uint32_t generic0 = 0, generic1 = 0;
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *row = &c->events.v[i];
        bool is_generic = row->event == EV_generic;
        generic0 = is_generic && !generic1 ? i : generic0;
        generic1 = is_generic ? i + 1 : generic1;
        if ((n && keys[n - 1].key == row->event) || !is_in(c, part, row->event))
            continue;
        keys[n++] = (struct key){row->event, is_generic ? generic : to_unit[unit_of[i]]};
    }
    asm_load(e->a, 2, R2, R6, (int32_t)offsetof(struct ev_head, event));
    emit_switch(e, R2, KEY_32, keys, n, none);
    asm_bind(e->a, generic);
    if (asm_live(e->a))
        emit_generic(e, to_unit, unit_of, generic0, generic1, none);
    for (uint32_t u = 0; u < nunit; u++) {
        asm_bind(e->a, to_unit[u]);
        if (asm_live(e->a))
            emit_calls(e, &units[u]);
    }
    asm_bind(e->a, none);
    emit_finish(e);
}

/* Events of one unit have the same roots, and so the same keys. */
static void share_keys(struct comp *c, const struct unit *units, const uint32_t *unit_of)
{
    for (uint32_t i = 0; i < c->events.n; i++) {
        struct event_rules *row = &c->events.v[i];
        const struct event_rules *from = &c->events.v[units[unit_of[i]].row];
        row->key0 = from->key0;
        row->nkey = from->nkey;
        row->rest0 = from->rest0;
        row->nrest = from->nrest;
    }
}

/* ---- tests of the task ---- */

static void find_tests(struct emit *e, const struct unit *u)
{
    const struct event_rules *row = &e->c->events.v[u->row];
    bool *direct = arena_alloc(e->c->arena, row->nroot + 1);
    for (uint32_t i = 0; i < u->parts.rest.n; i++)
        direct[u->parts.rest.v[i]] = true;
    task_add_row(e, row, direct);
}

/* What the rules outside of groups need of a path. */
static void find_paths(struct emit *e, const struct unit *u)
{
    const struct event_rules *row = &e->c->events.v[u->row];
    e->event = row->event;
    memset(e->known, 0, sizeof(e->known));
    for (uint32_t i = 0; i < u->parts.rest.n; i++) {
        uint32_t root = row->root0 + u->parts.rest.v[i];
        e->task->may[root] = (int16_t)sketch_bit(e->sketch, e, e->c->roots.v[root].root);
    }
}

/* Events of one unit have the same roots, and so the same tests. */
static void share_tests(struct emit *e, const struct unit *u, uint32_t row)
{
    const struct event_rules *from = &e->c->events.v[u->row], *to = &e->c->events.v[row];
    memcpy(&e->task->direct[to->root0], &e->task->direct[from->root0], from->nroot);
    memcpy(&e->task->test_of[to->root0], &e->task->test_of[from->root0],
           from->nroot * sizeof(*e->task->test_of));
    memcpy(&e->task->may[to->root0], &e->task->may[from->root0],
           from->nroot * sizeof(*e->task->may));
}

static void want_gated(struct emit *e, struct unit *u, struct task_gated g)
{
    for (uint32_t i = 0; i < u->want.ngated; i++)
        if (e->task->gated.v[u->want.gated0 + i].rule == g.rule)
            return;
    VEC_PUSH(e->c->arena, &e->task->gated, g);
    u->want.ngated++;
}

/* The tests that the rules without a group begin with, and those that tell that no rule is left. */
static void find_want(struct emit *e, struct unit *u, uint32_t unit, const uint32_t *unit_of)
{
    const struct event_rules *row = &e->c->events.v[u->row];
    u->want.gated0 = e->task->gated.n;
    for (uint32_t i = 0; i < u->parts.rest.n; i++) {
        const struct root *r = &e->c->roots.v[row->root0 + u->parts.rest.v[i]];
        const struct rule *rule = &e->c->rules.v[r->rule.i];
        uint32_t bit = task_bit(e, r);
        if (bit != TASK_BITS && rule->enabled)
            u->want.bits[bit / 32] |= 1u << bit % 32;
        else if (bit != TASK_BITS)
            want_gated(e, u, (struct task_gated){rule->index, bit});
    }
    for (uint32_t i = 0; i < e->c->events.n * LEFT_CLASSES; i++) {
        const struct task_mask *m = &e->task->left[i / LEFT_CLASSES][i % LEFT_CLASSES];
        if (m->open || unit_of[i / LEFT_CLASSES] != unit)
            continue;
        for (uint32_t w = 0; w < TASK_WORDS; w++)
            u->want.bits[w] |= m->bits[w];
        for (uint32_t k = 0; k < m->ngated; k++)
            want_gated(e, u, e->task->gated.v[m->gated0 + k]);
    }
}

/* Groups first: what is outside of them is first in line for the bits. */
static void plan_task(struct emit *e, struct unit *units, uint32_t n, uint32_t *unit_of)
{
    struct comp *c = e->c;
    c->task = e->task = task_plan_new(c);
    for (uint32_t u = 0; u < n; u++) {
        const struct event_rules *row = &c->events.v[units[u].row];
        e->event = row->event;
        group_rules(e, row, &units[u].parts);
        find_tests(e, &units[u]);
        find_paths(e, &units[u]);
    }
    task_assign(e);
    for (uint32_t i = 0; i < c->events.n; i++) {
        share_tests(e, &units[unit_of[i]], i);
        left_find(e, i);
    }
    for (uint32_t u = 0; u < n; u++)
        find_want(e, &units[u], u, unit_of);
    c->plan.probe.task = e->task->ties;
    if (e->task->ties & TASK_ANC)
        c->plan.hook[HOOK_EXIT] = true;
}

/*
 * `int rule_task_start(ev)`: has the tests worked out that openat asks for. A program opens files
 * as soon as it runs, and when it starts all that they look at is at hand.
 */
static void emit_start(struct emit *e, const struct unit *units, const uint32_t *unit_of)
{
    struct comp *c = e->c;
    emit_begin(e, "rule_task_start", c->roots.n ? place_of(e, &c->roots.v[0]) : (span_id){0});
    for (uint32_t i = 0; i < c->events.n; i++)
        if (c->events.v[i].event == EV_openat)
            task_emit_want(e, &units[unit_of[i]].want);
    emit_finish(e);
}

struct emit *emit_new(struct comp *c, bool notes)
{
    struct emit *e = arena_alloc(c->arena, sizeof(*e));
    *e = (struct emit){.c = c, .a = asm_new(c->arena), .notes = notes};
    e->atom_at = arena_alloc(c->arena, (c->atoms.n + 1) * sizeof(*e->atom_at));
    e->atom_rule = arena_alloc(c->arena, (c->atoms.n + 1) * sizeof(*e->atom_rule));
    e->label_of = arena_alloc(c->arena, (c->dag.n + 1) * sizeof(*e->label_of));
    e->label_root = arena_alloc(c->arena, (c->dag.n + 1) * sizeof(*e->label_root));
    e->skip[0] = arena_alloc(c->arena, (c->dag.n + 1) * sizeof(*e->skip[0]));
    e->skip[1] = arena_alloc(c->arena, (c->dag.n + 1) * sizeof(*e->skip[1]));
    e->skip_view = arena_alloc(c->arena, (c->dag.n + 1) * sizeof(*e->skip_view));
    e->skip_to = arena_alloc(c->arena, (c->dag.n + 1) * sizeof(*e->skip_to));
    return e;
}

struct asm_code *bpf_emit(struct comp *c, bool notes)
{
    struct emit *e = emit_new(c, notes);
    struct unit *units = arena_alloc(c->arena, (c->events.n + 1) * sizeof(*units));
    uint32_t *unit_of = arena_alloc(c->arena, (c->events.n + 1) * sizeof(*unit_of));
    uint32_t n = find_units(e, units, unit_of);
    c->filter_left = 0;
    e->classes = classes_new(c);
    e->sketch = sketch_new(c);
    e->may = SKETCH_NONE;
    plan_task(e, units, n, unit_of);
    task_emit(e);
    for (uint32_t u = 0; u < n; u++)
        emit_unit(e, &units[u]);
    share_keys(c, units, unit_of);
    sketch_finish(e->sketch);
    if (classes_finish(e->classes))
        return NULL;
    for (enum part p = PART_ALL; p < PART_COUNT; p++)
        emit_filter(e, p, units, n, unit_of);
    emit_start(e, units, unit_of);
    left_emit(e);
    return e->a;
}

bool bpf_is_filter(const char *function)
{
    return strncmp(function, "rule_", 5) == 0;
}

int pass_bpf(struct comp *c)
{
    const struct asm_code *a = bpf_emit(c, false);
    if (!a)
        fputs("rulec: more constants than a bundle can hold\n", stderr);
    return a ? obj_write(c, a) : -E2BIG;
}
