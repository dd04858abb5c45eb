/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of numbers, and the search trees that all tests of many constants use. */
#include <stdlib.h>

#include "arena.h"
#include "emit.h"
#include "group_key.h"

enum { R1 = BPF_REG_1, R2 = BPF_REG_2 };

/* Up to this many keys are tried one after the other. */
#define SWITCH_LINEAR 4

static void emit_if_key(struct emit *e, int op, int reg, enum key_width width, struct key k,
                        label_id no)
{
    if (width == KEY_32)
        asm_if32(e->a, op, reg, (uint32_t)k.key, k.to, no);
    else
        asm_if(e->a, op, reg, k.key, k.to, no);
}

void emit_switch(struct emit *e, int reg, enum key_width width, const struct key *keys, uint32_t n,
                 label_id none)
{
    if (n > SWITCH_LINEAR) {
        uint32_t half = n / 2;
        label_id low = asm_label(e->a), high = asm_label(e->a);
        emit_if_key(e, BPF_JGE, reg, width, (struct key){keys[half].key, high}, low);
        asm_bind(e->a, low);
        emit_switch(e, reg, width, keys, half, none);
        asm_bind(e->a, high);
        emit_switch(e, reg, width, keys + half, n - half, none);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        label_id next = asm_label(e->a);
        emit_if_key(e, BPF_JEQ, reg, width, keys[i], next);
        asm_bind(e->a, next);
    }
    asm_goto(e->a, none);
}

bool num_is_single(const struct num_test *t)
{
    return t->kind == NT_MASK ? t->a == UINT64_MAX : t->a == t->b;
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* r1 is one of the tests' numbers. */
static void emit_singles(struct emit *e, const struct num_test *t, uint32_t n, struct edges to)
{
    struct key *keys = arena_alloc(e->c->arena, n * sizeof(*keys));
    for (uint32_t i = 0; i < n; i++)
        keys[i] = (struct key){.key = t[i].b, .to = to.yes};
    qsort(keys, n, sizeof(*keys), compare_keys);
    uint32_t unique = 0;
    for (uint32_t i = 0; i < n; i++)
        if (unique == 0 || keys[unique - 1].key != keys[i].key)
            keys[unique++] = keys[i];
    emit_switch(e, R1, KEY_64, keys, unique, to.no);
}

static void emit_mask(struct emit *e, const struct num_test *t, label_id yes, label_id no)
{
    if (t->a == UINT64_MAX) {
        asm_if(e->a, BPF_JEQ, R1, t->b, yes, no);
        return;
    }
    bool one_bit = t->a != 0 && (t->a & (t->a - 1)) == 0;
    if (t->b == 0 || (one_bit && t->a == t->b)) {
        asm_if(e->a, BPF_JSET, R1, t->a, t->b ? yes : no, t->b ? no : yes);
        return;
    }
    asm_mov(e->a, R2, R1);
    asm_alu_imm(e->a, BPF_AND, R2, t->a);
    asm_if(e->a, BPF_JEQ, R2, t->b, yes, no);
}

/* a <= r1 <= b; `least` and `most` are the type's own bounds, `le` and `ge` its compares. */
static void emit_range(struct emit *e, const struct num_test *t, label_id yes, label_id no)
{
    bool is_signed = t->kind == NT_SIGNED;
    uint64_t least = is_signed ? (uint64_t)INT64_MIN : 0;
    uint64_t most = is_signed ? (uint64_t)INT64_MAX : UINT64_MAX;
    if (is_signed ? (int64_t)t->a > (int64_t)t->b : t->a > t->b) {
        asm_goto(e->a, no);
    } else if (t->a == least && t->b == most) {
        asm_goto(e->a, yes);
    } else if (t->a == t->b) {
        asm_if(e->a, BPF_JEQ, R1, t->a, yes, no);
    } else if (t->a == least) {
        asm_if(e->a, is_signed ? BPF_JSLE : BPF_JLE, R1, t->b, yes, no);
    } else if (t->b == most) {
        asm_if(e->a, is_signed ? BPF_JSGE : BPF_JGE, R1, t->a, yes, no);
    } else { /* wraps around below a, so that one unsigned compare does */
        asm_mov(e->a, R2, R1);
        asm_alu_imm(e->a, BPF_SUB, R2, t->a);
        asm_if(e->a, BPF_JLE, R2, t->b - t->a, yes, no);
    }
}

static void emit_tests(struct emit *e, const struct atom *at, const struct where *w, unsigned slot,
                       struct edges to)
{
    (void)at;
    const struct num_test *t = &e->c->tests.v[w->test0];
    emit_present(e, slot, to);
    struct edges out = to;
    if (w->negate) {
        out.yes = to.no;
        out.no = to.yes;
    }
    bool single = w->ntest > 1;
    for (uint32_t i = 0; i < w->ntest; i++)
        single = single && num_is_single(&t[i]);
    if (w->ntest)
        emit_load_num(e, R1, slot);
    if (single) {
        emit_singles(e, t, w->ntest, out);
        return;
    }
    for (uint32_t i = 0; i < w->ntest && asm_live(e->a); i++) {
        label_id next = asm_label(e->a);
        (t[i].kind == NT_MASK ? emit_mask : emit_range)(e, &t[i], out.yes, next);
        asm_bind(e->a, next);
    }
    asm_goto(e->a, out.no);
}

static void emit_there(struct emit *e, const struct atom *at, const struct where *w, unsigned slot,
                       struct edges to)
{
    (void)at, (void)w;
    emit_exists(e, slot, to);
}

void emit_num(struct emit *e, const struct atom *at, const struct where *w, struct edges to)
{
    bool state_alone = at->op == OP_EXISTS && w->ntest == 0;
    emit_sides(e, at, w, to, state_alone ? emit_there : emit_tests);
}

void emit_sides(struct emit *e, const struct atom *at, const struct where *w, struct edges to,
                emit_side *side)
{
    if (w->slot2 < 0) {
        side(e, at, w, (unsigned)w->slot, to);
        return;
    }
    bool all = at->op == OP_NE;
    label_id then = asm_label(e->a), alone = all ? asm_label(e->a) : then;
    struct edges first = {.yes = all ? then : to.yes,
                          .no = all ? to.no : then,
                          .maybe = to.maybe,
                          .absent = alone,
                          .unknown = to.maybe};
    side(e, at, w, (unsigned)w->slot, first);
    if (all) {
        asm_bind(e->a, alone);
        if (asm_live(e->a))
            side(e, at, w, (unsigned)w->slot2, to);
    }
    asm_bind(e->a, then);
    to.absent = all ? to.yes : to.no;
    if (asm_live(e->a))
        side(e, at, w, (unsigned)w->slot2, to);
}
