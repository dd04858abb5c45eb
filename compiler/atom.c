/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "intern.h"
#include "regex.h"
#include "type.h"

/* <0, 0, >0: numbers by `is_signed`, texts by bytes, addresses by family and bytes. */
static int value_compare(const struct comp *c, const struct value *a, const struct value *b,
                         bool is_signed)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == VAL_NUM) {
        uint64_t flip = is_signed ? 1ull << 63 : 0;
        uint64_t x = (uint64_t)a->num ^ flip, y = (uint64_t)b->num ^ flip;
        return x < y ? -1 : x > y;
    }
    if (a->kind == VAL_TEXT) {
        size_t na = STRLEN(c, a->text), nb = STRLEN(c, b->text);
        int d = memcmp(STR(c, a->text), STR(c, b->text), na < nb ? na : nb);
        return d ? d : na < nb ? -1 : na > nb;
    }
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int d = memcmp(a->addr, b->addr, sizeof(a->addr));
    return d ? d : (int)a->prefix - (int)b->prefix;
}

struct order {
    const struct comp *c;
    bool is_signed;
};

static int compare(const void *a, const void *b, void *ctx)
{
    const struct order *o = ctx;
    return value_compare(o->c, a, b, o->is_signed);
}

/* Sorts the atom's values and drops equal ones; they are the last of comp.values. */
static void sort_values(struct comp *c, struct atom *a)
{
    if (a->nval < 2)
        return;
    struct order o = {c, catalog_type(a->type)->base == BASE_INT};
    struct value *v = c->values.v + a->val0;
    qsort_r(v, a->nval, sizeof(*v), compare, &o);
    uint32_t n = 1;
    for (uint32_t i = 1; i < a->nval; i++)
        if (value_compare(c, &v[n - 1], &v[i], o.is_signed))
            v[n++] = v[i];
    c->values.n -= a->nval - n;
    a->nval = n;
}

static bool is_list(const struct comp *c, const struct atom *a)
{
    return a->expr.i ? c->operands.v[a->expr.i].is_list
                     : a->lhs.field && (catalog_field(a->lhs.field)->flags & FF_LIST);
}

#define STRINGS_MAX 32 /* that a pattern is replaced by */

/*
 * Patterns that only some strings match are those strings: `(cp|mv)` is `in (cp, mv)`. The values
 * are the last of comp.values.
 */
static void regex_to_strings(struct comp *c, struct atom *a)
{
    struct re_strings found = {0};
    if (a->nval > 1 && a->mod != MOD_ANYOF)
        return;
    for (uint32_t i = 0; i < a->nval; i++) {
        const struct regex *re = c->regexes.v[c->values.v[a->val0 + i].num];
        if (!regex_strings(c, re, STRINGS_MAX, &found))
            return;
    }
    c->values.n = a->val0;
    for (uint32_t i = 0; i < found.v.n; i++)
        VEC_PUSH(c->arena, &c->values, (struct value){.kind = VAL_TEXT, .text = found.v.v[i]});
    a->nval = found.v.n;
    a->op = OP_IN;
    a->mod = MOD_NONE;
}

/* One form for tests that mean the same, so that they become one atom. */
static void canonical(struct comp *c, struct atom *a)
{
    if (a->rhs.field || a->rexpr.i)
        return;
    if (a->op == OP_REGEX)
        regex_to_strings(c, a);
    /* With oneof a constant that is given twice counts twice. */
    if (a->mod != MOD_ONEOF)
        sort_values(c, a);
    if (is_list(c, a))
        return;
    if (a->op == OP_INTERSECTS || (a->op == OP_EQ && a->mod == MOD_ANYOF)) {
        a->op = OP_IN;
        a->mod = MOD_NONE;
    }
    if (a->nval == 1 && a->op != OP_PMATCH) {
        a->op = a->op == OP_IN ? OP_EQ : a->op;
        a->mod = MOD_NONE;
    }
}

static uint64_t hash_operand(const struct comp *c, uint64_t h, operand_id id)
{
    const struct operand *o = &c->operands.v[id.i];
    h = cons_hash_u32(h, o->kind == OPERAND_FIELD ? (uint32_t)o->field : (uint32_t)o->call);
    h = cons_hash_u32(h, o->arg.i);
    for (uint32_t i = 0; i < o->nop; i++)
        h = hash_operand(c, h, c->opkids.v[o->op0 + i]);
    return h;
}

static uint64_t hash_ref(uint64_t h, struct field_ref f)
{
    h = cons_hash_u32(h, (uint32_t)f.field);
    h = cons_hash_u32(h, (uint32_t)f.index);
    return cons_hash_u32(h, f.name.i);
}

static uint64_t hash_atom(const struct comp *c, const struct atom *a)
{
    uint64_t h = hash_ref(hash_ref(CONS_SEED, a->lhs), a->rhs);
    h = cons_hash_u32(h, (uint32_t)a->op << 16 | (uint32_t)a->mod << 8 | (uint32_t)a->type);
    h = a->expr.i ? hash_operand(c, h, a->expr) : h;
    h = a->rexpr.i ? hash_operand(c, h, a->rexpr) : h;
    for (uint32_t i = 0; i < a->nval; i++) {
        const struct value *v = &c->values.v[a->val0 + i];
        h = cons_hash_u32(cons_hash_u32(h, v->text.i), (uint32_t)v->num);
        h = cons_hash(h, v->addr, v->kind >= VAL_IP ? sizeof(v->addr) : 0);
    }
    return h;
}

struct wanted {
    const struct comp *c;
    const struct atom *atom;
};

static bool ref_same(struct field_ref a, struct field_ref b)
{
    return a.field == b.field && a.index == b.index && a.name.i == b.name.i;
}

static bool expr_same(const struct comp *c, operand_id a, operand_id b)
{
    return a.i && b.i ? operand_same(c, a, b) : a.i == b.i;
}

static bool atom_same(const void *ctx, uint32_t id)
{
    const struct wanted *w = ctx;
    const struct atom *a = w->atom, *b = &w->c->atoms.v[id];
    if (a->op != b->op || a->mod != b->mod || a->type != b->type || a->nval != b->nval ||
        !ref_same(a->lhs, b->lhs) || !ref_same(a->rhs, b->rhs) ||
        !expr_same(w->c, a->expr, b->expr) || !expr_same(w->c, a->rexpr, b->rexpr))
        return false;
    for (uint32_t i = 0; i < a->nval; i++) {
        const struct value *v = w->c->values.v;
        if (value_compare(w->c, &v[a->val0 + i], &v[b->val0 + i], false))
            return false;
    }
    return true;
}

atom_id atom_intern(struct comp *c, struct cons *atoms, struct atom a)
{
    canonical(c, &a);
    uint64_t hash = hash_atom(c, &a);
    uint32_t id = cons_find(atoms, hash, atom_same, &(struct wanted){c, &a});
    if (id) {
        c->values.n -= a.nval;
        return (atom_id){id};
    }
    if (!c->atoms.n)
        VEC_PUSH(c->arena, &c->atoms, (struct atom){0}); /* poison */
    id = VEC_PUSH(c->arena, &c->atoms, a);
    cons_add(atoms, hash, id);
    return (atom_id){id};
}

void atom_index(const struct comp *c, struct cons *atoms)
{
    for (uint32_t i = 1; i < c->atoms.n; i++)
        cons_add(atoms, hash_atom(c, &c->atoms.v[i]), i);
}
