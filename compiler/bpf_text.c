/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of texts. A text has a length and a place in the event; it is compared by words: loads of
 * the largest size that fits, the last one overlapping the one before, so that no byte beyond the
 * constant's length is read. Many constants become a search tree over length, then over words.
 */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "../grammar/ops.h"
#include "classes.h"
#include "emit.h"
#include "intern.h"
#include "pattern.h"

enum { R0 = BPF_REG_0, R1, R2, R3, R6 = BPF_REG_6, R8 = BPF_REG_8 };

/* ---- words ---- */

static unsigned word_size(size_t n)
{
    return n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
}

static size_t word_count(size_t n)
{
    return (n + word_size(n) - 1) / word_size(n);
}

static size_t word_off(size_t n, size_t word)
{
    size_t off = word * word_size(n);
    return off + word_size(n) <= n ? off : n - word_size(n);
}

/* As a little-endian load of it gives. */
static uint64_t word_of(const char *bytes, size_t n, size_t word)
{
    uint64_t key = 0;
    for (unsigned i = word_size(n); i--;)
        key = key << 8 | (unsigned char)bytes[word_off(n, word) + i];
    return key;
}

static void load_at(struct emit *e, unsigned size, int dst, struct text_at at, size_t plus)
{
    int32_t off = (int32_t)(at.off + plus);
    int base = at.base ? at.base : asm_event_base(e->a, at.off + (uint32_t)plus, &off);
    asm_load(e->a, size, dst, base, off);
}

void emit_bytes(struct emit *e, struct text_at at, const char *bytes, size_t n, label_id yes,
                label_id no)
{
    for (size_t w = 0; w < (n ? word_count(n) : 0); w++) {
        label_id next = asm_label(e->a);
        uint64_t key = word_of(bytes, n, w);
        load_at(e, word_size(n), R1, at, word_off(n, w));
        if (word_size(n) == 8)
            asm_if(e->a, BPF_JEQ, R1, key, next, no);
        else
            asm_if32(e->a, BPF_JEQ, R1, (uint32_t)key, next, no);
        asm_bind(e->a, next);
    }
    asm_goto(e->a, yes);
}

/* ---- sets ---- */

static int compare_members(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    for (size_t w = 0; w < (x->len ? word_count(x->len) : 0); w++) {
        uint64_t p = word_of(x->bytes, x->len, w), q = word_of(y->bytes, y->len, w);
        if (p != q)
            return p < q ? -1 : 1;
    }
    return 0;
}

void members_sort(struct member *m, uint32_t n)
{
    qsort(m, n, sizeof(*m), compare_members);
}

/* Members [0, n) agree in all words before `word`. */
static void members_from(struct emit *e, struct text_at at, const struct member *m, uint32_t n,
                         size_t word, label_id none)
{
    size_t len = m[0].len;
    if (len == 0) {
        asm_goto(e->a, m[0].to);
        return;
    }
    struct key *keys = arena_alloc(e->c->arena, n * sizeof(*keys));
    uint32_t *first = arena_alloc(e->c->arena, (n + 1) * sizeof(*first)), nkey = 0;
    bool last = word + 1 == word_count(len);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t key = word_of(m[i].bytes, len, word);
        if (nkey && keys[nkey - 1].key == key)
            continue;
        first[nkey] = i;
        keys[nkey++] = (struct key){.key = key, .to = last ? m[i].to : asm_label(e->a)};
    }
    first[nkey] = n;
    load_at(e, word_size(len), R1, at, word_off(len, word));
    emit_switch(e, R1, word_size(len) == 8 ? KEY_64 : KEY_32, keys, nkey, none);
    for (uint32_t i = 0; i < nkey && !last; i++) {
        asm_bind(e->a, keys[i].to);
        members_from(e, at, m + first[i], first[i + 1] - first[i], word + 1, none);
    }
}

void emit_members(struct emit *e, struct text_at at, const struct member *m, uint32_t n,
                  label_id none)
{
    members_from(e, at, m, n, 0, none);
}

/* ---- one text slot ---- */

struct text {
    const struct atom *at;
    const struct where *w;
    unsigned str; /* enum str_slot */
    struct text_at place;
    uint32_t cap;
};

static const char *value_bytes(struct emit *e, const struct text *t, uint32_t i, size_t *n)
{
    str_id s = e->c->values.v[t->at->val0 + i].text;
    *n = STRLEN(e->c, s);
    return STR(e->c, s);
}

static void emit_set(struct emit *e, const struct text *t, label_id yes, label_id no)
{
    struct member *m = arena_alloc(e->c->arena, t->at->nval * sizeof(*m));
    struct key *keys = arena_alloc(e->c->arena, t->at->nval * sizeof(*keys));
    uint32_t *first = arena_alloc(e->c->arena, (t->at->nval + 1) * sizeof(*first));
    uint32_t n = 0, nkey = 0;
    for (uint32_t i = 0; i < t->at->nval; i++) {
        m[n].to = yes;
        m[n].bytes = value_bytes(e, t, i, &m[n].len);
        n += m[n].len <= t->cap;
    }
    members_sort(m, n);
    for (uint32_t i = 0; i < n; i++) {
        if (nkey && keys[nkey - 1].key == m[i].len)
            continue;
        first[nkey] = i;
        keys[nkey++] = (struct key){.key = m[i].len, .to = asm_label(e->a)};
    }
    first[nkey] = n;
    emit_load_len(e, R1, t->str);
    emit_switch(e, R1, KEY_32, keys, nkey, no);
    for (uint32_t i = 0; i < nkey; i++) {
        asm_bind(e->a, keys[i].to);
        emit_members(e, t->place, m + first[i], first[i + 1] - first[i], no);
    }
}

static void emit_prefix(struct emit *e, const struct text *t, int op, uint32_t i, label_id yes,
                        label_id no)
{
    size_t n;
    const char *bytes = value_bytes(e, t, i, &n);
    if (n > t->cap) {
        asm_goto(e->a, no);
        return;
    }
    label_id fits = asm_label(e->a);
    emit_load_len(e, R1, t->str);
    asm_if32(e->a, op, R1, (uint32_t)n, fits, no);
    asm_bind(e->a, fits);
    emit_bytes(e, t->place, bytes, n, yes, no);
}

void emit_load_byte(struct emit *e, int dst, struct text_at at, size_t plus)
{
    load_at(e, 1, dst, at, plus);
}

void emit_ends(struct emit *e, const struct pattern_test *t, const char *bytes, size_t n,
               struct edges to)
{
    if (n == 0 || n > t->cap) {
        asm_goto(e->a, n == 0 ? to.yes : to.no);
        return;
    }
    label_id fits = asm_label(e->a), bounded = asm_label(e->a);
    emit_load_len(e, R1, t->str);
    asm_if(e->a, BPF_JGE, R1, n, fits, to.no);
    asm_bind(e->a, fits);
    asm_alu_imm(e->a, BPF_SUB, R1, n);
    /* Always so: said for the verifier, which does not know that len <= cap. */
    asm_if(e->a, BPF_JLE, R1, t->cap - n, bounded, to.no);
    asm_bind(e->a, bounded);
    asm_mov(e->a, R3, R6);
    asm_alu_imm(e->a, BPF_ADD, R3, t->place.off);
    asm_alu(e->a, BPF_ADD, R3, R1);
    emit_bytes(e, (struct text_at){.base = R3}, bytes, n, to.yes, to.no);
}

static struct pattern_test pattern_of(const struct text *t)
{
    return (struct pattern_test){.op = t->at->op, .str = t->str, .place = t->place, .cap = t->cap};
}

static void emit_suffix(struct emit *e, const struct text *t, uint32_t i, struct edges to)
{
    struct pattern_test p = pattern_of(t);
    size_t n;
    const char *bytes = value_bytes(e, t, i, &n);
    emit_ends(e, &p, bytes, n, to);
}

static void emit_pattern_of(struct emit *e, const struct text *t, uint32_t i, struct edges to)
{
    struct pattern_test p = pattern_of(t);
    p.row = e->c->value_pattern.v[t->w->pattern0 + i];
    p.text = STR(e->c, e->c->patterns.v[p.row]);
    p.n = STRLEN(e->c, e->c->patterns.v[p.row]);
    emit_pattern(e, &p, to);
}

/* Byte order, as strcmp() has it. */
static void emit_order(struct emit *e, const struct text *t, uint32_t i, label_id yes, label_id no)
{
    size_t n;
    const char *bytes = value_bytes(e, t, i, &n);
    enum op_id op = t->at->op;
    label_id less = op == OP_LT || op == OP_LE ? yes : no;
    label_id more = op == OP_GT || op == OP_GE ? yes : no;
    label_id same = op == OP_LE || op == OP_GE ? yes : no;
    emit_load_len(e, R2, t->str);
    for (size_t k = 0; k < n; k++) {
        label_id in = asm_label(e->a), next = asm_label(e->a), differs = asm_label(e->a);
        asm_if32(e->a, BPF_JGT, R2, (uint32_t)k, in, less);
        asm_bind(e->a, in);
        load_at(e, 1, R1, t->place, k);
        asm_if32(e->a, BPF_JEQ, R1, (unsigned char)bytes[k], next, differs);
        asm_bind(e->a, differs);
        asm_if32(e->a, BPF_JLT, R1, (unsigned char)bytes[k], less, more);
        asm_bind(e->a, next);
    }
    asm_if32(e->a, BPF_JEQ, R2, (uint32_t)n, same, more);
}

static void emit_contains(struct emit *e, const struct text *t, uint32_t i, label_id yes,
                          label_id no)
{
    bool fold = t->at->op == OP_ICONTAINS;
    uint32_t row = e->c->value_pattern.v[t->w->pattern0 + i];
    label_id fits = asm_label(e->a);
    /* Most texts are shorter than what they might contain, and a call is long. */
    emit_load_len(e, R1, t->str);
    asm_if(e->a, BPF_JGE, R1, STRLEN(e->c, e->c->patterns.v[row]), fits, no);
    asm_bind(e->a, fits);
    asm_mov_imm(e->a, R2, t->str);
    asm_mov_imm(e->a, R3, row);
    emit_call(e, fold ? "match_icontains" : "match_contains");
    asm_if(e->a, BPF_JNE, R0, 0, yes, no);
}

/* The text against constant `i`. An operator that has no code here passes. */
static void emit_one(struct emit *e, const struct text *t, uint32_t i, struct edges to)
{
    enum op_id op = t->at->op;
    if (op == OP_EQ || op == OP_IN || op == OP_INTERSECTS)
        emit_prefix(e, t, BPF_JEQ, i, to.yes, to.no);
    else if (op == OP_NE)
        emit_prefix(e, t, BPF_JEQ, i, to.no, to.yes);
    else if (op == OP_STARTSWITH || op == OP_BSTARTSWITH)
        emit_prefix(e, t, BPF_JGE, i, to.yes, to.no);
    else if (op == OP_ENDSWITH)
        emit_suffix(e, t, i, to);
    else if (op == OP_LT || op == OP_LE || op == OP_GT || op == OP_GE)
        emit_order(e, t, i, to.yes, to.no);
    else if ((op == OP_CONTAINS || op == OP_ICONTAINS || op == OP_BCONTAINS) &&
             t->w->pattern0 != NO_PATTERN)
        emit_contains(e, t, i, to.yes, to.no);
    else if (pattern_is_op(op) && t->w->pattern0 != NO_PATTERN)
        emit_pattern_of(e, t, i, to);
    else
        asm_goto(e->a, to.maybe);
}

/* Exactly one constant: r8 counts, and two are one too many. */
static void emit_one_of(struct emit *e, const struct text *t, struct edges to)
{
    asm_mov_imm(e->a, R8, 0);
    for (uint32_t i = 0; i < t->at->nval && asm_live(e->a); i++) {
        label_id hit = asm_label(e->a), next = asm_label(e->a);
        emit_one(e, t, i, (struct edges){.yes = hit, .no = next, .maybe = to.maybe});
        asm_bind(e->a, hit);
        if (asm_live(e->a)) {
            asm_alu_imm(e->a, BPF_ADD, R8, 1);
            asm_if(e->a, BPF_JGT, R8, 1, to.no, next);
        }
        asm_bind(e->a, next);
    }
    if (asm_live(e->a))
        asm_if(e->a, BPF_JEQ, R8, 1, to.yes, to.no);
}

/* Some constant (stop is the yes edge), or all of them (stop is the no edge). */
static void emit_each(struct emit *e, const struct text *t, bool all, struct edges to)
{
    label_id end = all ? to.yes : to.no;
    for (uint32_t i = 0; i < t->at->nval && asm_live(e->a); i++) {
        label_id next = i + 1 < t->at->nval ? asm_label(e->a) : end;
        struct edges step = {
            .yes = all ? next : to.yes, .no = all ? to.no : next, .maybe = to.maybe};
        emit_one(e, t, i, step);
        if (next.i != end.i)
            asm_bind(e->a, next);
    }
}

static void emit_name_set(struct emit *e, const struct text *t, label_id yes, label_id no)
{
    asm_mov_imm(e->a, R2, t->str);
    asm_mov_imm(e->a, R3, t->w->set);
    emit_call(e, "match_name");
    asm_if(e->a, BPF_JNE, R0, 0, yes, no);
}

static void emit_class(struct emit *e, const struct text *t, label_id yes, label_id no)
{
    enum class_how how = class_how_of(t->at->op);
    emit_find(e, (unsigned)t->w->slot, trie_of_atom(e->classes, t->w->atom, how), how);
    asm_if(e->a, BPF_JNE, R0, 0, yes, no);
}

static void emit_values(struct emit *e, const struct text *t, struct edges to)
{
    enum op_id op = t->at->op;
    enum op_modifier mod = t->at->mod;
    bool list = op == OP_IN || op == OP_INTERSECTS;
    bool any = list || (op == OP_EQ && (mod == MOD_NONE || mod == MOD_ANYOF));
    bool none = op == OP_NE && (mod == MOD_NONE || mod == MOD_ALLOF);
    if (t->at->nval == 0)
        asm_goto(e->a, to.no);
    else if (t->w->place == PLACE_CLASS)
        emit_class(e, t, none ? to.no : to.yes, none ? to.yes : to.no);
    else if (t->w->set != NO_SET && (any || none))
        emit_name_set(e, t, any ? to.yes : to.no, any ? to.no : to.yes);
    else if (any || none)
        emit_set(e, t, any ? to.yes : to.no, any ? to.no : to.yes);
    else if (mod == MOD_ONEOF)
        emit_one_of(e, t, to);
    else
        emit_each(e, t, mod == MOD_ALLOF, to);
}

static const uint32_t TEXT_OFF[] = {
#define SLOT_STR(id, group, cap, doc) offsetof(struct ev, s_##id),
#include "../grammar/slots.def"
};
static const uint32_t TEXT_CAP[] = {
#define SLOT_STR(id, group, cap, doc) cap,
#include "../grammar/slots.def"
};

uint32_t emit_text_off(unsigned slot)
{
    return TEXT_OFF[slot - N_COUNT];
}

/* Is the test true of the word that an empty parameter is shown as? */
static bool word_holds(struct emit *e, const struct text *t)
{
    static const char word[] = "<NA>";
    enum op_modifier mod = t->at->mod;
    uint32_t hits = 0;
    for (uint32_t i = 0; i < t->at->nval; i++) {
        size_t n;
        const char *bytes = value_bytes(e, t, i, &n);
        hits += ops_text(t->at->op, word, sizeof(word) - 1, bytes, n);
    }
    if (mod == MOD_ONEOF)
        return hits == 1;
    return mod == MOD_ALLOF || (mod == MOD_NONE && t->at->op == OP_NE) ? hits == t->at->nval
                                                                       : hits > 0;
}

/* What the slot has is what rules see, or else the literal passes. */
static void emit_guard(struct emit *e, const struct text *t, struct edges to)
{
    label_id some = asm_label(e->a), slash = asm_label(e->a), empty = to.maybe;
    if (t->w->guard == GUARD_WORD)
        empty = word_holds(e, t) ? to.yes : to.no;
    emit_load_len(e, R1, t->str);
    asm_if32(e->a, BPF_JNE, R1, 0, some, empty);
    asm_bind(e->a, some);
    if (t->w->guard != GUARD_ABSOLUTE)
        return;
    load_at(e, 1, R1, t->place, 0);
    asm_if32(e->a, BPF_JEQ, R1, '/', slash, to.maybe);
    asm_bind(e->a, slash);
}

void emit_text(struct emit *e, const struct atom *at, const struct where *w, struct edges to)
{
    unsigned str = (unsigned)w->slot - N_COUNT;
    struct text t = {
        .at = at, .w = w, .str = str, .place = {.off = TEXT_OFF[str]}, .cap = TEXT_CAP[str]};
    if (at->op == OP_EXISTS) {
        emit_exists(e, (unsigned)w->slot, to);
        return;
    }
    emit_present(e, (unsigned)w->slot, to);
    if (w->guard != GUARD_NONE)
        emit_guard(e, &t, to);
    emit_values(e, &t, to);
}
