/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the ancestors' names: ev_head.anc[], NUL-padded to 16 bytes. The first anc_count are
 * true unless anc_state is UNKNOWN; beyond them there is nobody, unless it is CUT.
 */
#include <string.h>

#include "arena.h"
#include "emit.h"
#include "intern.h"

enum { R0 = BPF_REG_0, R1, R2, R6 = BPF_REG_6 };

#define STATE_OFF ((int32_t)offsetof(struct ev_head, anc_state))
#define COUNT_OFF ((int32_t)offsetof(struct ev_head, anc_count))

/* Goes on, live, with anc_state in r1: something is known, or there is certainly nobody. */
static void emit_filled(struct emit *e, struct edges to)
{
    label_id known = asm_label(e->a);
    asm_load(e->a, 1, R1, R6, STATE_OFF);
    if (!asm_fact(e->a, G_ANC) && !asm_fact(e->a, FACT_NAMES)) {
        label_id empty = asm_label(e->a), filled = asm_label(e->a);
        asm_if(e->a, BPF_JEQ, R1, ST_UNFILLED, empty, filled);
        asm_bind(e->a, empty);
        emit_call(e, "extract_names");
        asm_load(e->a, 1, R1, R6, STATE_OFF);
        asm_goto(e->a, filled);
        asm_bind(e->a, filled);
        asm_set_fact(e->a, FACT_NAMES);
    }
    asm_if(e->a, BPF_JEQ, R1, ST_UNKNOWN, to.maybe, known);
    asm_bind(e->a, known);
}

/* Beyond what is known: nobody, or the rest of a list that was cut. */
static void emit_beyond(struct emit *e, struct edges to)
{
    asm_load(e->a, 1, R1, R6, STATE_OFF);
    asm_if(e->a, BPF_JEQ, R1, ST_CUT, to.maybe, to.no);
}

static const char *value_bytes(struct emit *e, const struct atom *at, uint32_t i, size_t *n)
{
    str_id s = e->c->values.v[at->val0 + i].text;
    *n = STRLEN(e->c, s);
    return STR(e->c, s);
}

/* The name, with its NULs, is one of the constants. */
static void emit_name_in(struct emit *e, const struct atom *at, struct text_at place, label_id yes,
                         label_id no)
{
    struct member *m = arena_alloc(e->c->arena, at->nval * sizeof(*m));
    uint32_t n = 0;
    for (uint32_t i = 0; i < at->nval; i++) {
        size_t len;
        const char *bytes = value_bytes(e, at, i, &len);
        if (len >= COMM_SIZE)
            continue;
        char *padded = arena_alloc(e->c->arena, COMM_SIZE);
        memcpy(padded, bytes, len);
        m[n++] = (struct member){.bytes = padded, .len = COMM_SIZE, .to = yes};
    }
    members_sort(m, n);
    if (n == 1) /* up to its NUL is enough */
        emit_bytes(e, place, m[0].bytes, strlen(m[0].bytes) + 1, yes, no);
    else if (n)
        emit_members(e, place, m, n, no);
    else
        asm_goto(e->a, no);
}

/* The name ends with the constant: for each length it can have, the bytes before its NUL. */
static void emit_name_ends(struct emit *e, const struct atom *at, struct text_at place,
                           label_id yes, label_id no)
{
    size_t n;
    const char *bytes = value_bytes(e, at, 0, &n);
    for (size_t len = n; len < COMM_SIZE; len++) {
        label_id next = asm_label(e->a);
        char tail[COMM_SIZE] = {0};
        memcpy(tail, bytes, n);
        emit_bytes(e, (struct text_at){.off = place.off + (uint32_t)(len - n)}, tail, n + 1, yes,
                   next);
        asm_bind(e->a, next);
    }
    asm_goto(e->a, no);
}

static void emit_name(struct emit *e, const struct atom *at, struct text_at place, struct edges to)
{
    enum op_id op = at->op;
    bool one = at->mod == MOD_NONE && at->nval == 1;
    size_t n = 0;
    const char *bytes = one ? value_bytes(e, at, 0, &n) : NULL;
    if (at->nval == 0)
        asm_goto(e->a, to.no);
    else if (op == OP_IN || op == OP_INTERSECTS || (op == OP_EQ && (one || at->mod == MOD_ANYOF)))
        emit_name_in(e, at, place, to.yes, to.no);
    else if (op == OP_NE && (one || at->mod == MOD_ALLOF))
        emit_name_in(e, at, place, to.no, to.yes);
    else if ((op == OP_STARTSWITH || op == OP_ENDSWITH) && one && n >= COMM_SIZE)
        asm_goto(e->a, to.no);
    else if (op == OP_STARTSWITH && one)
        emit_bytes(e, place, bytes, n, to.yes, to.no);
    else if (op == OP_ENDSWITH && one)
        emit_name_ends(e, at, place, to.yes, to.no);
    else
        asm_goto(e->a, to.maybe);
}

void emit_anc(struct emit *e, const struct atom *at, const struct where *w, struct edges to)
{
    uint32_t off = (uint32_t)(offsetof(struct ev_head, anc) + (size_t)w->anc * COMM_SIZE);
    label_id here = asm_label(e->a), beyond = asm_label(e->a);
    emit_filled(e, to);
    asm_load(e->a, 1, R2, R6, COUNT_OFF);
    asm_if(e->a, BPF_JGT, R2, w->anc, here, beyond);
    asm_bind(e->a, beyond);
    emit_beyond(e, to);
    asm_bind(e->a, here);
    if (at->op == OP_EXISTS)
        asm_goto(e->a, to.yes);
    else
        emit_name(e, at, (struct text_at){.off = off}, to);
}

void emit_anc_any(struct emit *e, const struct atom *at, const struct where *w, struct edges to)
{
    label_id beyond = asm_label(e->a);
    bool list = at->op == OP_EQ || at->op == OP_IN || at->op == OP_INTERSECTS;
    if (at->op != OP_EXISTS && (w->set == NO_SET || !(list || at->op == OP_NE))) {
        asm_goto(e->a, to.maybe);
        return;
    }
    emit_filled(e, to);
    if (at->op == OP_EXISTS) {
        asm_load(e->a, 1, R1, R6, COUNT_OFF);
        asm_if(e->a, BPF_JNE, R1, 0, to.yes, beyond);
    } else {
        asm_mov_imm(e->a, R2, w->set);
        emit_call(e, "match_anc");
        asm_load(e->a, 1, R1, R6, COUNT_OFF);
        if (list)
            asm_if(e->a, BPF_JNE, R0, 0, to.yes, beyond);
        else /* some ancestor is not in the set */
            asm_if_reg(e->a, BPF_JLT, R0, R1, to.yes, beyond);
    }
    asm_bind(e->a, beyond);
    emit_beyond(e, to);
}
