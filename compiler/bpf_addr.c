/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of addresses: 4 or 16 bytes in network order, against addresses and networks. */
#include <stdlib.h>
#include <string.h>

#include "../grammar/catalog.h"
#include "arena.h"
#include "classes.h"
#include "emit.h"

enum { R0 = BPF_REG_0, R1, R2 };

/* The bytes of a network's mask from bit 8 * `byte` on, as a little-endian word. */
static uint32_t mask_word(unsigned prefix, unsigned byte)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned from = 8 * (byte + i);
        unsigned bits = prefix <= from ? 0 : prefix - from >= 8 ? 8 : prefix - from;
        mask |= (0xff00u >> bits & 0xffu) << 8 * i;
    }
    return mask;
}

static unsigned prefix_of(const struct value *v)
{
    return v->kind == VAL_NET ? v->prefix : v->family == 4 ? 32 : 128;
}

static void load_word(struct emit *e, unsigned slot, unsigned byte)
{
    uint32_t at =
        slot == SLOT_OF_STR(S_CIP) ? offsetof(struct ev, s_CIP) : offsetof(struct ev, s_SIP);
    int32_t off;
    int base = asm_event_base(e->a, at + byte, &off);
    asm_load(e->a, 4, R1, base, off);
}

/* The address in the slot, of the value's family, is the value or inside it. */
static void emit_inside(struct emit *e, unsigned slot, const struct value *v, label_id yes,
                        label_id no)
{
    unsigned size = v->family == 4 ? 4 : 16;
    for (unsigned byte = 0; byte < size; byte += 4) {
        uint32_t mask = mask_word(prefix_of(v), byte), want;
        memcpy(&want, v->addr + byte, sizeof(want));
        if (mask == 0)
            break;
        label_id next = asm_label(e->a);
        load_word(e, slot, byte);
        if (mask != UINT32_MAX)
            asm_alu32_imm(e->a, BPF_AND, R1, mask);
        asm_if32(e->a, BPF_JEQ, R1, want & mask, next, no);
        asm_bind(e->a, next);
    }
    asm_goto(e->a, yes);
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* IPv4 addresses without a network become a search tree; what is not among them goes on. */
static void emit_exact4(struct emit *e, unsigned slot, const struct atom *at, label_id yes)
{
    struct key *keys = arena_alloc(e->c->arena, (at->nval + 1) * sizeof(*keys));
    uint32_t n = 0, unique = 0;
    for (uint32_t i = 0; i < at->nval; i++) {
        const struct value *v = &e->c->values.v[at->val0 + i];
        uint32_t word;
        memcpy(&word, v->addr, sizeof(word));
        if (v->family == 4 && prefix_of(v) == 32)
            keys[n++] = (struct key){.key = word, .to = yes};
    }
    if (n == 0)
        return;
    qsort(keys, n, sizeof(*keys), compare_keys);
    for (uint32_t i = 0; i < n; i++)
        if (unique == 0 || keys[unique - 1].key != keys[i].key)
            keys[unique++] = keys[i];
    label_id rest = asm_label(e->a);
    load_word(e, slot, 0);
    emit_switch(e, R1, KEY_32, keys, unique, rest);
    asm_bind(e->a, rest);
}

static void emit_family(struct emit *e, unsigned slot, const struct atom *at, unsigned family,
                        label_id yes, label_id no)
{
    if (family == 4)
        emit_exact4(e, slot, at, yes);
    for (uint32_t i = 0; i < at->nval && asm_live(e->a); i++) {
        const struct value *v = &e->c->values.v[at->val0 + i];
        if (v->family != family || (family == 4 && prefix_of(v) == 32))
            continue;
        label_id next = asm_label(e->a);
        emit_inside(e, slot, v, yes, next);
        asm_bind(e->a, next);
    }
    asm_goto(e->a, no);
}

/* The address in a slot that is present is one of the values, or inside one. */
static void emit_any(struct emit *e, unsigned slot, const struct atom *at, label_id yes,
                     label_id no)
{
    bool family[2] = {false, false};
    for (uint32_t i = 0; i < at->nval; i++)
        family[e->c->values.v[at->val0 + i].family != 4] = true;
    struct key keys[2];
    label_id four = asm_label(e->a), six = asm_label(e->a);
    uint32_t n = 0;
    if (family[0])
        keys[n++] = (struct key){.key = 4, .to = four};
    if (family[1])
        keys[n++] = (struct key){.key = 16, .to = six};
    emit_load_len(e, R2, slot - N_COUNT);
    emit_switch(e, R2, KEY_32, keys, n, no);
    asm_bind(e->a, four);
    if (family[0])
        emit_family(e, slot, at, 4, yes, no);
    asm_bind(e->a, six);
    if (family[1])
        emit_family(e, slot, at, 6, yes, no);
}

static bool known_op(const struct atom *at)
{
    bool list = at->op == OP_IN || at->op == OP_INTERSECTS;
    return (list || at->op == OP_EQ || at->op == OP_NE) && at->mod == MOD_NONE;
}

/* The same for many addresses, which are looked up. */
static void emit_among(struct emit *e, unsigned slot, const struct atom *at, const struct where *w,
                       struct edges to)
{
    bool none = at->op == OP_NE;
    emit_find(e, slot, trie_of_atom(e->classes, w->atom, CLASS_EXACT), CLASS_EXACT);
    asm_if(e->a, BPF_JNE, R0, 0, none ? to.no : to.yes, none ? to.yes : to.no);
}

static void emit_address(struct emit *e, const struct atom *at, const struct where *w,
                         unsigned slot, struct edges to)
{
    if (at->op == OP_EXISTS) {
        emit_exists(e, slot, to);
        return;
    }
    emit_present(e, slot, to);
    if (!known_op(at))
        asm_goto(e->a, to.maybe);
    else if (w->place == PLACE_CLASS)
        emit_among(e, slot, at, w, to);
    else if (at->op == OP_NE)
        emit_any(e, slot, at, to.no, to.yes);
    else
        emit_any(e, slot, at, to.yes, to.no);
}

void emit_addr(struct emit *e, const struct atom *at, const struct where *w, struct edges to)
{
    emit_sides(e, at, w, to, emit_address);
}
