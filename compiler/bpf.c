/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "emit.h"
#include "intern.h"
#include "pipeline.h"
#include "place.h"

enum { R0 = BPF_REG_0, R1, R2, R6 = BPF_REG_6, R7 };

/* A function that is longer when a rule ends goes on in another one. */
#define FUNC_SLOTS 20000
/* Slots of the whole filter. The kernel takes a million in a program, the probe's included. */
#define FILTER_SLOTS 700000
/* Functions of the whole filter: the kernel takes 256 in a program. */
#define FILTER_FUNCS 176

/* ---- slots ---- */

static const char *const EXTRACTOR[G_COUNT] = {
#define SLOT_GROUP(id, doc) [G_##id] = #id,
#include "../grammar/slots.def"
};
static const uint8_t GROUP_OF[SLOT_COUNT] = {
#define SLOT_NUM(id, group, doc) [SLOT_OF_NUM(N_##id)] = G_##group,
#define SLOT_STR(id, group, cap, doc) [SLOT_OF_STR(S_##id)] = G_##group,
#include "../grammar/slots.def"
};

/* Facts about a path: a group's extractor has run; a slot's value is present. */
#define FACT_PRESENT(slot) (G_COUNT + (slot))
_Static_assert(G_COUNT + SLOT_COUNT <= 64 * ASM_FACTS, "facts");

void emit_call(struct emit *e, const char *symbol)
{
    asm_mov(e->a, R1, R6);
    asm_call(e->a, symbol);
}

void emit_load_len(struct emit *e, int dst, unsigned str)
{
    asm_load(e->a, 4, dst, R6, (int32_t)(offsetof(struct ev_head, len) + 4 * str));
}

static void load_state(struct emit *e, unsigned slot)
{
    asm_load(e->a, 1, R1, R6, (int32_t)(offsetof(struct ev_head, st) + slot));
}

static const char *extractor_name(struct emit *e, unsigned group)
{
    char *name = arena_printf(e->c->arena, "extract_%s", EXTRACTOR[group]);
    for (char *p = name; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 'a' - 'A');
    return name;
}

/* The slot's state in r1, its extractor having run. */
static void emit_state(struct emit *e, unsigned slot)
{
    unsigned group = GROUP_OF[slot];
    load_state(e, slot);
    if (group == G_EVENT || asm_fact(e->a, group))
        return;
    label_id empty = asm_label(e->a), filled = asm_label(e->a);
    asm_if(e->a, BPF_JEQ, R1, ST_UNFILLED, empty, filled);
    asm_bind(e->a, empty);
    emit_call(e, extractor_name(e, group));
    load_state(e, slot);
    asm_goto(e->a, filled);
    asm_bind(e->a, filled);
    asm_set_fact(e->a, group);
}

void emit_present(struct emit *e, unsigned slot, struct edges to)
{
    if (asm_fact(e->a, FACT_PRESENT(slot)))
        return;
    label_id present = asm_label(e->a), other = asm_label(e->a);
    emit_state(e, slot);
    if (to.unknown.i == to.absent.i) {
        asm_if(e->a, BPF_JEQ, R1, ST_PRESENT, present, to.absent);
    } else {
        asm_if(e->a, BPF_JEQ, R1, ST_ABSENT, to.absent, other);
        asm_bind(e->a, other);
        asm_if(e->a, BPF_JEQ, R1, ST_PRESENT, present, to.unknown);
    }
    asm_bind(e->a, present);
    asm_set_fact(e->a, FACT_PRESENT(slot));
}

void emit_exists(struct emit *e, unsigned slot, struct edges to)
{
    if (asm_fact(e->a, FACT_PRESENT(slot))) {
        asm_goto(e->a, to.yes);
        return;
    }
    label_id here = asm_label(e->a), other = asm_label(e->a), cut = asm_label(e->a);
    emit_state(e, slot);
    asm_if(e->a, BPF_JEQ, R1, ST_PRESENT, here, other);
    asm_bind(e->a, here);
    asm_set_fact(e->a, FACT_PRESENT(slot));
    asm_goto(e->a, to.yes);
    asm_bind(e->a, other);
    asm_if(e->a, BPF_JEQ, R1, ST_ABSENT, to.absent, cut);
    asm_bind(e->a, cut);
    asm_if(e->a, BPF_JEQ, R1, ST_CUT, to.yes, to.unknown);
}

/* ---- one rule ---- */

static bool is_node(dag_id d)
{
    return d.i < DAG_TRUE;
}

/* Beyond the nodes that the kernel cannot decide: each passes along its optimistic edge. */
static dag_id decided(struct emit *e, dag_id d)
{
    while (is_node(d)) {
        const struct dag_node *n = &e->c->dag.v[d.i];
        if (place_where(e->c, n->atom, e->event)->place != PLACE_USER)
            return d;
        d = n->neg ? n->no : n->yes;
    }
    return d;
}

/*
 * Beyond the tests of a slot that is absent (or else unknown): their outcome is known from its state
 * alone.
 */
static dag_id beyond(struct emit *e, dag_id d, int slot, bool absent)
{
    for (;;) {
        d = decided(e, d);
        if (!is_node(d))
            return d;
        const struct dag_node *n = &e->c->dag.v[d.i];
        const struct where *w = place_where(e->c, n->atom, e->event);
        bool exists = e->c->atoms.v[n->atom.i].op == OP_EXISTS;
        if (slot < 0 || w->slot != slot || w->slot2 >= 0 || (exists && !absent))
            return d;
        d = absent || n->neg ? n->no : n->yes;
    }
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

struct nodes { VEC(uint32_t) id; };

/* Gives the node a label if it has none for this root yet, and puts it on the list. */
static void visit(struct emit *e, struct nodes *list, dag_id d)
{
    if (!is_node(d) || e->label_root[d.i] == e->serial)
        return;
    e->label_root[d.i] = e->serial;
    e->label_of[d.i] = asm_label(e->a).i;
    VEC_PUSH(e->c->arena, &list->id, d.i);
}

/* Nodes that the root reaches, in order: every edge then goes forward. */
static void collect(struct emit *e, struct nodes *list, dag_id root)
{
    visit(e, list, root);
    for (uint32_t i = 0; i < list->id.n; i++) {
        const struct dag_node *n = &e->c->dag.v[list->id.v[i]];
        visit(e, list, decided(e, n->yes));
        visit(e, list, decided(e, n->no));
    }
    qsort(list->id.v, list->id.n, sizeof *list->id.v, compare_u32);
}

/* The same with the nodes that only user space decides; in no order. */
static void collect_all(struct emit *e, struct nodes *list, dag_id root)
{
    uint32_t i = list->id.n;
    visit(e, list, root);
    for (; i < list->id.n; i++) {
        const struct dag_node *n = &e->c->dag.v[list->id.v[i]];
        visit(e, list, n->yes);
        visit(e, list, n->no);
    }
}

static label_id label_of(struct emit *e, dag_id d, label_id hit, label_id miss)
{
    d = decided(e, d);
    return d.i == DAG_TRUE ? hit : d.i == DAG_FALSE ? miss : (label_id){e->label_of[d.i]};
}

static struct edges edges_of(struct emit *e, const struct dag_node *n, label_id hit, label_id miss)
{
    const struct where *w = place_where(e->c, n->atom, e->event);
    int slot = w->slot2 < 0 ? w->slot : -1;
    label_id yes = label_of(e, n->yes, hit, miss), no = label_of(e, n->no, hit, miss);
    dag_id absent = beyond(e, n->no, slot, true);
    dag_id unknown = beyond(e, n->neg ? n->no : n->yes, slot, false);
    return (struct edges){.yes = yes, .no = no, .maybe = n->neg ? no : yes,
                          .absent = label_of(e, absent, hit, miss),
                          .unknown = label_of(e, unknown, hit, miss)};
}

/* Where the rule itself has the atom (atoms are shared), or else where the atom was first used. */
static void note_atom(struct emit *e, uint32_t rule, const struct dag_node *n)
{
    char *text = NULL;
    size_t len = 0;
    span_id at = e->atom_rule[n->atom.i] == rule ? e->atom_at[n->atom.i]
                                                 : e->c->atoms.v[n->atom.i].at;
    FILE *out = e->notes ? open_memstream(&text, &len) : NULL;
    if (out) {
        print_atom(e->c, out, n->atom);
        fclose(out);
    }
    asm_mark(e->a, at, text ? arena_printf(e->c->arena, "%s%s", n->neg ? "not " : "", text) : NULL);
    free(text);
}

static void emit_node(struct emit *e, const struct dag_node *n, struct edges to)
{
    const struct atom *at = &e->c->atoms.v[n->atom.i];
    const struct where *w = place_where(e->c, n->atom, e->event);
    switch ((enum shape)w->shape) {
    case SHAPE_NUM:
        emit_num(e, at, w, to);
        break;
    case SHAPE_TEXT:
        emit_text(e, at, w, to);
        break;
    case SHAPE_ADDR:
        emit_addr(e, at, w, to);
        break;
    case SHAPE_ANC:
        emit_anc(e, at, w, to);
        break;
    case SHAPE_ANC_ANY:
        emit_anc_any(e, at, w, to);
        break;
    case SHAPE_NONE:
        asm_goto(e->a, to.maybe);
        break;
    }
}

/* Places of the rule's own tests, so that code shared through atoms points into this rule. */
static void find_atoms(struct emit *e, uint32_t rule, node_id id)
{
    const struct node *n = &e->c->nodes.v[id.i];
    if (n->kind == NODE_TEST && n->atom.i && e->atom_rule[n->atom.i] != rule) {
        e->atom_rule[n->atom.i] = rule;
        e->atom_at[n->atom.i] = n->at;
    }
    for (uint32_t i = 0; i < n->nkid; i++)
        find_atoms(e, rule, e->c->kids.v[n->kid0 + i]);
}

/* Leaves code live only if the rule can be excluded on some path. */
static void emit_root(struct emit *e, const struct root *r)
{
    const struct rule *rule = &e->c->rules.v[r->rule.i];
    dag_id root = decided(e, r->root);
    if (root.i == DAG_FALSE)
        return;
    struct nodes list = {0};
    label_id hit = asm_label(e->a), miss = asm_label(e->a);
    if (e->c->nodes.n)
        find_atoms(e, r->rule.i, rule->condition);
    e->serial++;
    collect(e, &list, root);
    for (uint32_t i = 0; i < list.id.n; i++) {
        const struct dag_node *n = &e->c->dag.v[list.id.v[i]];
        asm_bind(e->a, (label_id){e->label_of[list.id.v[i]]});
        if (!asm_live(e->a))
            continue;
        note_atom(e, r->rule.i, n);
        emit_node(e, n, edges_of(e, n, hit, miss));
    }
    asm_bind(e->a, hit);
    if (asm_live(e->a)) {
        asm_mark(e->a, rule->at, e->notes ? STR(e->c, rule->name) : NULL);
        asm_mov_imm(e->a, R0, rule->index + 1);
        asm_exit(e->a);
    }
    asm_bind(e->a, miss);
}

/* ---- functions ---- */

static void begin(struct emit *e, const char *name, span_id at)
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

static void finish(struct emit *e)
{
    if (asm_live(e->a)) {
        asm_mov_imm(e->a, R0, 0);
        asm_exit(e->a);
    }
    asm_func_end(e->a);
}

/* One set of rules: a run of functions. */
struct unit {
    uint32_t row;              /* comp.events: the first that has it */
    uint32_t func0, nfunc;     /* names, in asm_code.funcs */
    uint32_t pass;             /* what to answer when none of them has an answer */
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

static bool is_full(const struct emit *e)
{
    return e->a->insns.n >= FILTER_SLOTS || e->a->funcs.n >= FILTER_FUNCS;
}

/* What does not fit is left to user space: the first rule without code passes. */
static void emit_unit(struct emit *e, struct unit *u)
{
    const struct event_rules *row = &e->c->events.v[u->row];
    const struct root *roots = &e->c->roots.v[row->root0];
    e->event = row->event;
    u->func0 = e->a->funcs.n;
    for (uint32_t i = 0; i < row->nroot && !u->pass;) {
        if (is_full(e)) {
            u->pass = e->c->rules.v[roots[i].rule.i].index + 1;
            e->c->filter_left += row->nroot - i;
            break;
        }
        begin(e, unit_name(e, row, e->a->funcs.n - u->func0), place_of(e, &roots[i]));
        asm_mov(e->a, R7, R6);
        asm_alu_imm(e->a, BPF_ADD, R7, ASM_FAR);
        uint32_t start = e->a->insns.n;
        while (i < row->nroot && asm_live(e->a) && e->a->insns.n - start < FUNC_SLOTS)
            emit_root(e, &roots[i++]);
        bool more = asm_live(e->a);
        finish(e);
        if (!more)
            break; /* some rule always passes: those behind it are never reached */
    }
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
            a->anc == b->anc && a->set == b->set && a->pattern0 == b->pattern0 &&
            a->ntest == b->ntest && same_tests(c, a, b));
}

static void read_row(struct emit *e, const struct event_rules *row, struct row *out)
{
    e->event = row->event;
    e->serial++;
    out->hash = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < row->nroot; i++) {
        const struct root *r = &e->c->roots.v[row->root0 + i];
        out->hash = (out->hash ^ r->rule.i) * 0x100000001b3u;
        out->hash = (out->hash ^ r->root.i) * 0x100000001b3u;
        collect_all(e, &out->list, r->root);
    }
}

static bool same_rules(struct comp *c, const struct event_rules *a, const struct event_rules *b,
                       const struct nodes *list)
{
    if (a->nroot != b->nroot)
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
    struct row *rows = arena_alloc(c->arena, (c->events.n + 1) * sizeof *rows);
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

/* Calls the unit's functions until one has an answer, which is the caller's. */
static void emit_calls(struct emit *e, const struct unit *u)
{
    label_id done = asm_label(e->a);
    for (uint32_t i = 0; i < u->nfunc; i++) {
        label_id next = asm_label(e->a);
        emit_call(e, e->a->funcs.v[u->func0 + i].name);
        if (i + 1 < u->nfunc || u->pass)
            asm_if(e->a, BPF_JNE, R0, 0, done, next);
        asm_bind(e->a, next);
    }
    if (u->nfunc == 0 || u->pass)
        asm_mov_imm(e->a, R0, u->pass);
    asm_goto(e->a, done);
    asm_bind(e->a, done);
    asm_exit(e->a);
}

/* Generic events [from, to) of comp.events: by number, the row for all others last. */
static void emit_generic(struct emit *e, const label_id *to_unit, const uint32_t *unit_of,
                         uint32_t from, uint32_t to, label_id none)
{
    struct key *keys = arena_alloc(e->c->arena, (to - from + 1) * sizeof *keys);
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

static void emit_filter(struct emit *e, const struct unit *units, uint32_t nunit,
                        const uint32_t *unit_of)
{
    struct comp *c = e->c;
    struct key *keys = arena_alloc(c->arena, (c->events.n + 1) * sizeof *keys);
    uint32_t *first = arena_alloc(c->arena, (c->events.n + 1) * sizeof *first), n = 0;
    span_id at = c->roots.n ? place_of(e, &c->roots.v[0]) : (span_id){0};
    begin(e, "rule_filter", at);
    label_id none = asm_label(e->a), *to_unit = arena_alloc(c->arena, (nunit + 1) * sizeof *to_unit);
    for (uint32_t u = 0; u < nunit; u++)
        to_unit[u] = asm_label(e->a);
    label_id generic = asm_label(e->a);
    uint32_t generic0 = 0, generic1 = 0;
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *row = &c->events.v[i];
        bool is_generic = row->event == EV_generic;
        generic0 = is_generic && !generic1 ? i : generic0;
        generic1 = is_generic ? i + 1 : generic1;
        if (n && keys[n - 1].key == row->event)
            continue;
        first[n] = i;
        keys[n++] = (struct key){row->event, is_generic ? generic : to_unit[unit_of[i]]};
    }
    asm_load(e->a, 2, R2, R6, (int32_t)offsetof(struct ev_head, event));
    emit_switch(e, R2, KEY_32, keys, n, none);
    asm_bind(e->a, generic);
    if (generic1)
        emit_generic(e, to_unit, unit_of, generic0, generic1, none);
    for (uint32_t u = 0; u < nunit; u++) {
        asm_bind(e->a, to_unit[u]);
        if (asm_live(e->a))
            emit_calls(e, &units[u]);
    }
    asm_bind(e->a, none);
    finish(e);
}

struct asm_code *bpf_emit(struct comp *c, bool notes)
{
    struct emit *e = &(struct emit){.c = c, .a = asm_new(c->arena), .notes = notes};
    struct unit *units = arena_alloc(c->arena, (c->events.n + 1) * sizeof *units);
    uint32_t *unit_of = arena_alloc(c->arena, (c->events.n + 1) * sizeof *unit_of);
    e->atom_at = arena_alloc(c->arena, (c->atoms.n + 1) * sizeof *e->atom_at);
    e->atom_rule = arena_alloc(c->arena, (c->atoms.n + 1) * sizeof *e->atom_rule);
    e->label_of = arena_alloc(c->arena, (c->dag.n + 1) * sizeof *e->label_of);
    e->label_root = arena_alloc(c->arena, (c->dag.n + 1) * sizeof *e->label_root);
    uint32_t n = find_units(e, units, unit_of);
    c->filter_left = 0;
    for (uint32_t u = 0; u < n; u++)
        emit_unit(e, &units[u]);
    emit_filter(e, units, n, unit_of);
    return e->a;
}

bool bpf_is_filter(const char *function)
{
    return strncmp(function, "rule_", 5) == 0;
}

int pass_bpf(struct comp *c)
{
    return obj_write(c, bpf_emit(c, false));
}
