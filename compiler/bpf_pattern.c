/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of a text against one pattern. What a look at the text's ends decides is code; the matcher
 * of the probe is called for the rest, which few texts come to.
 */
#include <string.h>

#include "../bpf/match.h"
#include "emit.h"

enum { R0 = BPF_REG_0, R1, R2, R3 };

static void emit_matcher(struct emit *e, const struct pattern_test *t, const char *symbol,
                         struct edges to)
{
    label_id unsure = asm_label(e->a);
    asm_mov_imm(e->a, R2, t->str);
    asm_mov_imm(e->a, R3, t->row);
    emit_call(e, symbol);
    asm_if(e->a, BPF_JEQ, R0, MATCH_NO, to.no, unsure);
    asm_bind(e->a, unsure);
    asm_if(e->a, BPF_JEQ, R0, MATCH_YES, to.yes, to.maybe);
}

static size_t count(const struct pattern_test *t, char sign)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        n += t->text[i] == sign;
    return n;
}

/* Goes on, live, where the text is at least as long as what it must have. */
static void emit_least(struct emit *e, const struct pattern_test *t, size_t least, label_id no)
{
    label_id fits = asm_label(e->a);
    emit_load_len(e, R1, t->str);
    asm_if32(e->a, BPF_JGE, R1, (uint32_t)least, fits, no);
    asm_bind(e->a, fits);
}

static void emit_glob(struct emit *e, const struct pattern_test *t, struct edges to)
{
    size_t stars = count(t, MATCH_STAR), any = count(t, MATCH_ANY), least = t->n - stars;
    size_t head = strcspn(t->text, (char[]){MATCH_STAR, MATCH_ANY, 0}), tail = t->n - head - 1;
    if (least > t->cap) {
        asm_goto(e->a, to.no);
        return;
    }
    emit_least(e, t, least, to.no);
    if (head && least <= t->cap) {
        label_id next = asm_label(e->a);
        emit_bytes(e, t->place, t->text, head, next, to.no);
        asm_bind(e->a, next);
    }
    if (stars == 1 && !any)
        emit_ends(e, t, t->text + head + 1, tail, to);
    else
        emit_matcher(e, t, "match_glob", to);
}

static void emit_iglob(struct emit *e, const struct pattern_test *t, struct edges to)
{
    emit_least(e, t, t->n - count(t, MATCH_STAR), to.no);
    emit_matcher(e, t, "match_iglob", to);
}

/*
 * A text that begins with one slash has its first component behind that: mostly another one, and
 * that decides.
 */
static void emit_path(struct emit *e, const struct pattern_test *t, struct edges to)
{
    size_t first = strcspn(t->text, "/");
    label_id ask = asm_label(e->a), absolute = asm_label(e->a), single = asm_label(e->a);
    if (t->n == 0) {
        asm_goto(e->a, to.yes);
        return;
    }
    emit_least(e, t, first, to.no);
    emit_load_byte(e, R1, t->place, 0);
    asm_if32(e->a, BPF_JEQ, R1, '/', absolute, ask);
    asm_bind(e->a, absolute);
    emit_load_byte(e, R1, t->place, 1);
    asm_if32(e->a, BPF_JNE, R1, '/', single, ask);
    asm_bind(e->a, single);
    emit_least(e, t, first + 1, to.no);
    emit_bytes(e, (struct text_at){.off = t->place.off + 1}, t->text, first, ask, to.no);
    asm_bind(e->a, ask);
    emit_matcher(e, t, "match_path", to);
}

void emit_pattern(struct emit *e, const struct pattern_test *t, struct edges to)
{
    if (t->op == OP_GLOB)
        emit_glob(e, t, to);
    else if (t->op == OP_IGLOB)
        emit_iglob(e, t, to);
    else
        emit_path(e, t, to);
}
