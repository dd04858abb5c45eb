/* SPDX-License-Identifier: Apache-2.0 */
/* Code for one rule on one event: a walk over its part of the DAG, and the states of slots. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "emit.h"
#include "intern.h"
#include "lore.h"
#include "pipeline.h"
#include "place.h"
#include "supply.h"
#include "task.h"

enum { R0 = BPF_REG_0, R1, R2, R3, R4, R6 = BPF_REG_6 };

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
/* ... of the path's sketch: it is made; it has bits; it has that of the rule at hand. */
enum { FACT_SKETCHED = G_COUNT + SLOT_COUNT, FACT_BITS, FACT_MAY, FACT_LORE };
/* ... lore of a kind was looked for. */
#define FACT_COUNT (FACT_LORE + LORE_KINDS)
_Static_assert(FACT_COUNT <= FACT_NAMES, "facts");

void emit_call(struct emit *e, const char *symbol)
{
    asm_mov(e->a, R1, R6);
    asm_call(e->a, symbol);
}

void emit_load_len(struct emit *e, int dst, unsigned str)
{
    asm_load(e->a, 4, dst, R6, (int32_t)(offsetof(struct ev_head, len) + (size_t)4 * str));
}

void emit_load_num(struct emit *e, int dst, unsigned num)
{
    asm_load(e->a, 8, dst, R6, (int32_t)(offsetof(struct ev_head, num) + (size_t)8 * num));
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
    /* A walk tells whether an open's path is what the caller wrote; to build it costs twice that.
     */
    if (supply_is_open(e->event) && (group == G_PATH || group == G_DIR) &&
        !asm_fact(e->a, FACT_SKETCHED))
        emit_call(e, "path_sketch");
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

/* Some slot of the group; -1: it has none. */
static int slot_of_group(unsigned group)
{
    for (int s = 0; s < SLOT_COUNT; s++)
        if (GROUP_OF[s] == group)
            return s;
    return -1;
}

void emit_fill(struct emit *e, uint64_t groups)
{
    for (unsigned g = 0; g < G_COUNT; g++) {
        int slot = slot_of_group(g);
        if (!(groups >> g & 1) || asm_fact(e->a, g))
            continue;
        if (slot >= 0)
            emit_state(e, (unsigned)slot);
    }
}

void emit_find(struct emit *e, unsigned slot, uint32_t node, enum class_how how)
{
    asm_mov_imm(e->a, R2, emit_text_off(slot));
    asm_mov_imm(e->a, R3, node);
    asm_mov_imm(e->a, R4, (slot - N_COUNT) << 8 | (unsigned)how);
    emit_call(e, "class_find");
}

void emit_find_number(struct emit *e, unsigned slot, uint32_t node)
{
    asm_mov_imm(e->a, R2, slot);
    asm_mov_imm(e->a, R3, node);
    emit_call(e, "class_number");
}

/* ---- lore ---- */

/* Has the probe look for what is known of the event's thing of this kind, once. */
static void find_lore(struct emit *e, unsigned kind)
{
    label_id ask = asm_label(e->a), found = asm_label(e->a);
    if (asm_fact(e->a, FACT_LORE + kind))
        return;
    asm_load(e->a, 1, R1, R6, (int32_t)offsetof(struct ev, lore_found));
    asm_if(e->a, BPF_JSET, R1, 1u << kind, found, ask);
    asm_bind(e->a, ask);
    emit_fill(e, lore_groups((enum lore_kind)kind));
    asm_mov_imm(e->a, R2, kind);
    emit_call(e, "lore_find");
    asm_goto(e->a, found);
    asm_bind(e->a, found);
    asm_set_fact(e->a, FACT_LORE + kind);
}

static void emit_lore(struct emit *e, const struct where *w, struct edges to)
{
    size_t byte = offsetof(struct ev, lore) + w->lore * sizeof(struct lore_bits) + w->bit / 8u;
    uint64_t bit = 1u << w->bit % 8;
    label_id known = asm_label(e->a);
    find_lore(e, w->lore);
    asm_load(e->a, 1, R1, R6, (int32_t)(byte + offsetof(struct lore_bits, known)));
    asm_if(e->a, BPF_JSET, R1, bit, known, to.unknown);
    asm_bind(e->a, known);
    asm_load(e->a, 1, R1, R6, (int32_t)(byte + offsetof(struct lore_bits, yes)));
    asm_if(e->a, BPF_JSET, R1, bit, to.yes, to.no);
}

/* ---- one rule ---- */

/* User space alone tells: of a negation, what is true of a weaker test says nothing at all. */
static bool passes(struct emit *e, const struct dag_node *n)
{
    const struct where *w = place_where(e->c, n->atom, e->event);
    return w->place == PLACE_USER || (w->narrow.i && n->neg);
}

dag_id emit_decided(struct emit *e, dag_id d)
{
    while (is_node(d)) {
        const struct dag_node *n = &e->c->dag.v[d.i];
        if (e->view && e->skip_view[d.i] == e->view)
            d = e->skip_to[d.i];
        else if (d.i == e->known[0].i || d.i == e->known[1].i)
            d = n->neg ? n->no : n->yes;
        else if (!passes(e, n))
            return d;
        else
            d = n->neg ? n->no : n->yes;
    }
    return d;
}

/* The node is a test of this slot alone, and decided by the slot's state: where it leads. */
static bool passes_by(struct emit *e, dag_id d, int slot, bool absent, dag_id *next)
{
    const struct dag_node *n = &e->c->dag.v[d.i];
    const struct where *w = place_where(e->c, n->atom, e->event);
    bool exists = e->c->atoms.v[n->atom.i].op == OP_EXISTS;
    if (slot < 0 || w->slot != slot || w->slot2 >= 0 || (exists && !absent))
        return false;
    *next = emit_decided(e, absent || n->neg ? n->no : n->yes);
    return true;
}

/*
 * Beyond the tests of a slot that is absent (or else unknown): their outcome is known from its
 * state alone. What is found holds for every test on the way, and is kept for them.
 */
static dag_id beyond(struct emit *e, dag_id from, int slot, bool absent)
{
    struct skip *skip = e->skip[absent];
    dag_id d = emit_decided(e, from), next;
    from = d;
    while (is_node(d) && skip[d.i].root != e->serial && passes_by(e, d, slot, absent, &next))
        d = next;
    if (is_node(d) && skip[d.i].root == e->serial && passes_by(e, d, slot, absent, &next))
        d = skip[d.i].to;
    dag_id to = d;
    for (d = from; d.i != to.i && skip[d.i].root != e->serial; d = next) {
        passes_by(e, d, slot, absent, &next);
        skip[d.i] = (struct skip){e->serial, to};
    }
    return to;
}

/* A test of what the hook has at hand, or nearly: before the sketch is made. */
static bool is_cheap(struct emit *e, const struct dag_node *n)
{
    const struct where *w = place_where(e->c, n->atom, e->event);
    unsigned group = w->shape == SHAPE_NUM ? GROUP_OF[w->slot] : G_COUNT;
    return group == G_EVENT || group == G_ARGS || group == G_FD;
}

/* Goes on, live, where the sketch has the bit of the rule at hand. */
static void emit_bit(struct emit *e, label_id miss)
{
    label_id may = asm_label(e->a);
    asm_load(e->a, 4, R1, R6, (int32_t)offsetof(struct ev, sketch) + 4 * (e->may / 32));
    asm_if(e->a, BPF_JSET, R1, 1ull << e->may % 32, may, miss);
    asm_bind(e->a, may);
}

/* Goes on, live, where the path can concern the rule at hand. */
static void emit_may(struct emit *e, label_id miss)
{
    if (!asm_fact(e->a, FACT_SKETCHED)) {
        emit_call(e, "path_sketch");
        asm_set_fact(e->a, FACT_SKETCHED);
    }
    if (!asm_fact(e->a, FACT_BITS)) {
        label_id bits = asm_label(e->a);
        asm_load(e->a, 8, R1, R6, (int32_t)offsetof(struct ev, sketch));
        asm_if(e->a, BPF_JEQ, R1, 0, e->no_bits, bits);
        asm_bind(e->a, bits);
        asm_set_fact(e->a, FACT_BITS);
    }
    emit_bit(e, miss);
    asm_set_fact(e->a, FACT_MAY);
}

/* Gives the node a label if it has none for this root yet, and puts it on the list. */
static void visit(struct emit *e, struct nodes *list, dag_id d)
{
    if (!is_node(d) || e->label_root[d.i] == e->serial)
        return;
    e->label_root[d.i] = e->serial;
    e->label_of[d.i] = asm_label(e->a).i;
    VEC_PUSH(e->c->arena, &list->id, d.i);
}

void emit_collect(struct emit *e, struct nodes *list, dag_id root)
{
    visit(e, list, root);
    for (uint32_t i = 0; i < list->id.n; i++) {
        const struct dag_node *n = &e->c->dag.v[list->id.v[i]];
        visit(e, list, emit_decided(e, n->yes));
        visit(e, list, emit_decided(e, n->no));
    }
    vec_sort_u32(list->id.v, list->id.n);
}

void emit_collect_all(struct emit *e, struct nodes *list, dag_id root)
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
    d = emit_decided(e, d);
    return d.i == DAG_TRUE ? hit : d.i == DAG_FALSE ? miss : (label_id){e->label_of[d.i]};
}

static struct edges edges_of(struct emit *e, const struct dag_node *n, label_id hit, label_id miss)
{
    const struct where *w = place_where(e->c, n->atom, e->event);
    int slot = w->slot2 < 0 ? w->slot : -1;
    label_id yes = label_of(e, n->yes, hit, miss), no = label_of(e, n->no, hit, miss);
    dag_id absent = beyond(e, n->no, slot, true);
    dag_id unknown = beyond(e, n->neg ? n->no : n->yes, slot, false);
    return (struct edges){.yes = yes,
                          .no = no,
                          .maybe = n->neg ? no : yes,
                          .absent = label_of(e, absent, hit, miss),
                          .unknown = label_of(e, unknown, hit, miss)};
}

/* Where the rule itself has the atom (atoms are shared), or else where the atom was first used. */
static void note_atom(struct emit *e, uint32_t rule, const struct dag_node *n)
{
    char *text = NULL;
    size_t len = 0;
    span_id at =
        e->atom_rule[n->atom.i] == rule ? e->atom_at[n->atom.i] : e->c->atoms.v[n->atom.i].at;
    FILE *out = e->notes ? open_memstream(&text, &len) : NULL;
    if (out) {
        print_atom(e->c, out, n->atom);
        fclose(out);
    }
    asm_mark(e->a, at, text ? arena_printf(e->c->arena, "%s%s", n->neg ? "not " : "", text) : NULL);
    free(text);
}

void emit_test(struct emit *e, const struct dag_node *n, struct edges to)
{
    const struct atom *at = &e->c->atoms.v[n->atom.i];
    const struct where *w = place_where(e->c, n->atom, e->event);
    if (w->narrow.i) {
        at = &e->c->atoms.v[w->narrow.i];
        to.yes = to.maybe;
    }
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
    case SHAPE_LORE:
        emit_lore(e, w, to);
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

void emit_answer(struct emit *e, label_id closed)
{
    label_id open = asm_label(e->a);
    asm_mov(e->a, R2, R0);
    emit_call(e, "lane_answer");
    asm_if(e->a, BPF_JNE, R0, 0, open, closed);
    asm_bind(e->a, open);
    asm_exit(e->a);
}

void emit_nodes(struct emit *e, const struct root *r, label_id hit, label_id miss)
{
    struct nodes list = {0};
    dag_id root = emit_decided(e, r->root);
    if (!is_node(root)) {
        asm_goto(e->a, root.i == DAG_TRUE ? hit : miss);
        return;
    }
    if (e->c->nodes.n)
        find_atoms(e, r->rule.i, e->c->rules.v[r->rule.i].condition);
    asm_drop_fact(e->a, FACT_MAY);
    if (e->may >= 0) /* a sketch that is not made has all bits */
        emit_bit(e, miss);
    e->serial++;
    emit_collect(e, &list, root);
    for (uint32_t i = 0; i < list.id.n; i++) {
        const struct dag_node *n = &e->c->dag.v[list.id.v[i]];
        asm_bind(e->a, (label_id){e->label_of[list.id.v[i]]});
        if (!asm_live(e->a))
            continue;
        note_atom(e, r->rule.i, n);
        if (e->may >= 0 && !is_cheap(e, n) && !asm_fact(e->a, FACT_MAY))
            emit_may(e, miss);
        emit_test(e, n, edges_of(e, n, hit, miss));
    }
}

void emit_rule(struct emit *e, const struct root *r, label_id miss)
{
    const struct rule *rule = &e->c->rules.v[r->rule.i];
    label_id hit = asm_label(e->a);
    uint32_t bit = e->by_bit ? task_bit(e, r) : TASK_BITS;
    if (emit_decided(e, r->root).i == DAG_FALSE) {
        asm_goto(e->a, miss);
        return;
    }
    /* Rules that start out off are passed over; the others keep what is known, and mute a hit. */
    if (!rule->enabled)
        asm_gate(e->a, rule->index + 1, false, miss);
    if (bit != TASK_BITS) {
        asm_mark(e->a, rule->at,
                 e->notes ? arena_printf(e->c->arena, "bit %u of the task", bit) : NULL);
        task_emit_bit(e, bit, miss);
        task_show(e, r, e->event, false);
    }
    emit_nodes(e, r, hit, miss);
    task_show_all(e);
    asm_bind(e->a, hit);
    if (asm_live(e->a)) {
        asm_mark(e->a, rule->at, e->notes ? STR(e->c, rule->name) : NULL);
        if (rule->enabled)
            asm_gate(e->a, rule->index + 1, true, miss);
        else
            asm_mov_imm(e->a, R0, rule->index + 1);
        emit_answer(e, miss);
    }
}
