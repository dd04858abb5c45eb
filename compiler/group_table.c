/* SPDX-License-Identifier: Apache-2.0 */
/* A group that is too large for code: its classes as tables, and the code that asks them. */
#include <string.h>

#include "arena.h"
#include "classes.h"
#include "group_key.h"

enum { R0 = BPF_REG_0, R1, R2, R3, R8 = BPF_REG_8, R9 };

static enum class_how how_of(enum key_kind kind)
{
    static const enum class_how how[KEY_KINDS] = {[KEY_NUM] = CLASS_NUMBER,
                                                  [KEY_EXACT] = CLASS_EXACT,
                                                  [KEY_PREFIX] = CLASS_PREFIX,
                                                  [KEY_SUFFIX] = CLASS_SUFFIX,
                                                  [KEY_WITHIN] = CLASS_WITHIN};
    return how[kind];
}

/* What each rule tests besides its key; no test at all where its code is asked instead. */
static uint32_t *tests_of_rules(struct emit *e, const struct root *roots, const struct group *g,
                                uint32_t event_row)
{
    uint32_t *test = arena_alloc(e->c->arena, (g->rules.n + 1) * sizeof(*test));
    for (uint32_t i = 0; i < g->rules.n; i++) {
        test[i] = CLASS_PASS;
        if (!g->table)
            continue;
        memset(e->known, 0, sizeof(e->known));
        e->known[0] = g->rules.v[i].key;
        test[i] = class_tests_of(e, roots[g->rules.v[i].pos].root, event_row);
    }
    memset(e->known, 0, sizeof(e->known));
    return test;
}

static void put_candidate(struct emit *e, const struct root *roots, uint32_t pos, uint32_t test)
{
    const struct rule *rule = &e->c->rules.v[roots[pos].rule.i];
    struct class_cand cand = {
        .rule = rule->index, .root = pos, .test = test, .off = !rule->enabled};
    VEC_PUSH(e->c->arena, &e->c->class_cands, cand);
}

/* The rows of the classes; returns the first one's number. */
static uint32_t put_classes(struct emit *e, const struct root *roots, const struct group *g,
                            const struct classes *x, const uint32_t *test)
{
    struct comp *c = e->c;
    uint32_t first = c->class_rows.n;
    for (uint32_t i = 0; i < x->n; i++)
        VEC_PUSH(c->arena, &c->class_rows, (struct class_row){0});
    for (uint32_t i = 0; i < x->list.n; i++) {
        const struct constant *k = &x->list.v[i];
        struct class_row *row = &c->class_rows.v[first + k->class];
        if (row->ncand)
            continue;
        *row = (struct class_row){c->class_cands.n, k->nrule};
        for (uint32_t n = 0; n < k->nrule; n++) {
            uint32_t r = x->rules.v[k->rule0 + n];
            put_candidate(e, roots, g->rules.v[r].pos, test[r]);
        }
    }
    return first;
}

/* The class of a value that is not known: every rule of the group passes. */
static uint32_t put_unknown(struct emit *e, const struct root *roots, const struct group *g)
{
    struct comp *c = e->c;
    struct class_row row = {c->class_cands.n, g->rules.n};
    for (uint32_t i = 0; i < g->rules.n; i++)
        put_candidate(e, roots, g->rules.v[i].pos, CLASS_PASS);
    return VEC_PUSH(c->arena, &c->class_rows, row);
}

static uint32_t put_constants(struct emit *e, const struct classes *x, enum key_kind kind,
                              uint32_t first)
{
    uint32_t trie = trie_new(e->classes);
    for (uint32_t i = 0; i < x->list.n; i++) {
        const struct constant *k = &x->list.v[i];
        if (kind == KEY_NUM)
            trie_put_number(e->classes, trie, k->num, first + k->class);
        else
            trie_put(e->classes, trie, k->bytes, k->len, first + k->class);
        if (kind == KEY_WITHIN)
            trie_put_start(e->classes, trie, k->bytes, k->len);
    }
    return trie_node(e->classes, trie);
}

static bool same_ref(struct field_ref a, struct field_ref b)
{
    return a.field == b.field && a.index == b.index && a.name.i == b.name.i;
}

/* For the decision table: a key for each field that the rules call the slot by. */
static void put_keys(struct emit *e, const struct group *g, uint32_t node, struct event_rules *row)
{
    struct comp *c = e->c;
    struct class_key key = {.node = node,
                            .how = how_of(g->kind),
                            .rank0 = c->ranks.n,
                            .nrank = g->rules.n,
                            .table = g->table};
    uint32_t first = c->keys.n;
    for (uint32_t i = 0; i < g->rules.n; i++)
        VEC_PUSH(c->arena, &c->ranks, g->rules.v[i].pos);
    for (uint32_t i = 0; i < g->rules.n; i++) {
        key.atom = c->dag.v[g->rules.v[i].key.i].atom;
        bool known = false;
        for (uint32_t k = first; k < c->keys.n && !known; k++)
            known = same_ref(c->atoms.v[c->keys.v[k].atom.i].lhs, c->atoms.v[key.atom.i].lhs);
        if (!known)
            VEC_PUSH(c->arena, &c->keys, key);
    }
    row->key0 = row->nkey ? row->key0 : first;
    row->nkey = c->keys.n - row->key0;
}

static uint64_t groups_read(struct emit *e, const struct group *g, const uint32_t *test)
{
    uint64_t groups = 0;
    for (uint32_t i = 0; i < g->rules.n; i++)
        groups |= class_groups_of(e->classes, test[i]);
    return groups;
}

/* The group's tables; returns its trie's node. */
static uint32_t put_tables(struct emit *e, struct event_rules *row, const struct group *g,
                           uint64_t *groups)
{
    const struct root *roots = &e->c->roots.v[row->root0];
    struct classes x = {0};
    group_classes(e, g, &x);
    uint32_t *test = tests_of_rules(e, roots, g, (uint32_t)(row - e->c->events.v));
    uint32_t node = put_constants(e, &x, g->kind, put_classes(e, roots, g, &x, test));
    put_keys(e, g, node, row);
    *groups = groups_read(e, g, test);
    return node;
}

void group_put_key(struct emit *e, struct event_rules *row, const struct group *g)
{
    uint64_t groups;
    put_tables(e, row, g, &groups);
}

/* The value's class, and what its rules say. */
static void emit_look_up(struct emit *e, const struct group *g, uint32_t node, uint64_t groups,
                         label_id none)
{
    label_id some = asm_label(e->a);
    if (g->kind == KEY_NUM)
        emit_find_number(e, g->slot, node);
    else
        emit_find(e, g->slot, node, how_of(g->kind));
    asm_if(e->a, BPF_JNE, R0, 0, some, none);
    asm_bind(e->a, some);
    asm_mov(e->a, R8, R0);
    emit_fill(e, groups); /* few events come so far */
    asm_mov(e->a, R2, R8);
    emit_call(e, "class_judge");
    asm_exit(e->a);
}

/* The answer of class `i` of those found, if it is less than r9. */
static void emit_found(struct emit *e, uint32_t i)
{
    label_id next = asm_label(e->a), hit = asm_label(e->a), less = asm_label(e->a);
    asm_mov_imm(e->a, R2, i);
    emit_call(e, "class_found");
    asm_mov(e->a, R2, R0);
    emit_call(e, "class_judge");
    asm_if(e->a, BPF_JNE, R0, 0, hit, next);
    asm_bind(e->a, hit);
    asm_alu_imm(e->a, BPF_SUB, R0, 1);
    asm_if_reg(e->a, BPF_JLT, R0, R9, less, next);
    asm_bind(e->a, less);
    asm_mov(e->a, R9, R0);
    asm_goto(e->a, next);
    asm_bind(e->a, next);
}

/* Each class that stands in the text: r8 is their number, r9 the least answer less one so far. */
static void emit_scan(struct emit *e, const struct group *g, uint32_t node, uint64_t groups,
                      struct edges to)
{
    label_id some = asm_label(e->a), few = asm_label(e->a), done = asm_label(e->a);
    asm_mov_imm(e->a, R2, g->slot - N_COUNT);
    asm_mov_imm(e->a, R3, node);
    emit_call(e, "class_scan");
    asm_if(e->a, BPF_JNE, R0, 0, some, to.no);
    asm_bind(e->a, some);
    asm_if(e->a, BPF_JLE, R0, CLASS_FOUND, few, to.unknown);
    asm_bind(e->a, few);
    asm_mov(e->a, R8, R0);
    asm_mov_imm(e->a, R9, UINT64_MAX);
    emit_fill(e, groups);
    for (uint32_t i = 0; i < CLASS_FOUND; i++) {
        label_id more = asm_label(e->a);
        emit_found(e, i);
        if (i + 1 < CLASS_FOUND)
            asm_if(e->a, BPF_JGT, R8, i + 1, more, done);
        asm_bind(e->a, more);
    }
    asm_goto(e->a, done);
    asm_bind(e->a, done);
    asm_mov(e->a, R0, R9);
    asm_alu_imm(e->a, BPF_ADD, R0, 1);
    asm_exit(e->a);
}

void group_emit_table(struct emit *e, struct event_rules *row, const struct group *g)
{
    const struct root *roots = &e->c->roots.v[row->root0];
    label_id none = asm_label(e->a), unknown = asm_label(e->a);
    uint64_t groups;
    uint32_t node = put_tables(e, row, g, &groups);
    group_emit_pretests(e, roots, g, none);
    emit_present(e, g->slot, (struct edges){.absent = none, .unknown = unknown});
    if (g->kind == KEY_WITHIN)
        emit_scan(e, g, node, groups, (struct edges){.no = none, .unknown = unknown});
    else
        emit_look_up(e, g, node, groups, none);
    asm_bind(e->a, unknown);
    if (asm_live(e->a)) {
        asm_mov_imm(e->a, R2, put_unknown(e, roots, g));
        emit_call(e, "class_judge");
        asm_exit(e->a);
    }
    asm_bind(e->a, none);
}
