/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference evaluator: a plain walk over the typed condition of every rule, with the meaning
 * of each operator from grammar/ops.c.
 *
 * Two-valued logic over what is known. A test that rests on something unknown says MAYBE, and is
 * then judged twice: once so that it passes, whatever its sign, and once so that it does not. A
 * rule that holds both times matches; one that holds only the first time may match.
 */
#include "eval_tree.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../grammar/ops.h"
#include "event_param.h"
#include "intern.h"
#include "regex.h"

/* What one test says; MAYBE: it rests on something unknown. */
enum outcome3 { NO, YES, MAYBE };

/* ---- one value against the constants of a test ---- */

static bool address(const char *s, struct ops_addr *out)
{
    memset(out, 0, sizeof(*out));
    out->family = inet_pton(AF_INET, s, out->bytes) == 1 ? 4 : 6;
    return out->family == 4 || inet_pton(AF_INET6, s, out->bytes) == 1;
}

static bool against_address(struct tree *t, enum op_id op, str_id text, const struct value *v)
{
    struct ops_addr a, b = {.family = v->family};
    memcpy(b.bytes, v->addr, sizeof(b.bytes));
    if (!address(STR(t->c, text), &a))
        return false;
    return v->kind == VAL_NET ? ops_net(op, &a, &b, v->prefix) : ops_ip(op, &a, &b);
}

static bool against_text(struct tree *t, const struct node *n, enum base_type base, str_id a,
                         str_id b)
{
    const char *sa = STR(t->c, a), *sb = STR(t->c, b);
    size_t na = STRLEN(t->c, a), nb = STRLEN(t->c, b);
    if (n->op == OP_REGEX)
        return regex_eval(regex_of(t->c, b), sa, strnlen(sa, na));
    return base == BASE_BYTES ? ops_bytes(n->op, sa, na, sb, nb) : ops_text(n->op, sa, na, sb, nb);
}

/*
 * The type in which numbers are compared. The constants of evt.rawarg were read in the type that
 * some event gives the parameter; the event at hand may have it in another width.
 */
static const struct type_info *number_type(struct tree *t, const struct atom *a)
{
    if (a->lhs.field == F_evt_rawarg) {
        int i = catalog_param_index(t->e->type, STR(t->c, a->lhs.name), STRLEN(t->c, a->lhs.name));
        const struct param_info *p = i < 0 ? NULL : catalog_param(t->e->type, (unsigned)i);
        enum base_type base = p ? catalog_type(p->type)->base : BASE_NONE;
        if (base == BASE_INT || base == BASE_UINT)
            return catalog_type(p->type);
    }
    return catalog_type(a->type);
}

static int64_t in_width(const struct type_info *type, int64_t v)
{
    if (!type->bits || type->bits >= 64)
        return v;
    uint64_t top = 1ull << (type->bits - 1), low = (uint64_t)v & (2 * top - 1);
    return type->base == BASE_INT && (low & top) ? (int64_t)(low - 2 * top) : (int64_t)low;
}

static bool numbers(enum op_id op, enum base_type base, int64_t a, int64_t b)
{
    return base == BASE_DOUBLE ? ops_real(op, ops_real_of(a), ops_real_of(b))
                               : ops_num(op, base == BASE_INT, a, b);
}

static bool against_number(struct tree *t, enum op_id op, const struct atom *a, int64_t v,
                           int64_t k)
{
    const struct type_info *type = number_type(t, a);
    return numbers(op, type->base, v, in_width(type, k));
}

/* One constant. Texts are taken as written; numbers and addresses as type.c has parsed them. */
static bool against(struct tree *t, const struct node *n, const struct atom *a, struct tree_value v,
                    const struct value *k)
{
    enum base_type base = catalog_type(a->type)->base;
    if (k->kind == VAL_IP || k->kind == VAL_NET)
        return !v.is_num && against_address(t, n->op, v.text, k);
    if (k->kind == VAL_NUM)
        return v.is_num && against_number(t, n->op, a, v.num, k->num);
    return !v.is_num && against_text(t, n, base, v.text, k->text);
}

static bool verbatim(const struct node *n, const struct atom *a)
{
    enum base_type base = catalog_type(a->type)->base;
    return (base == BASE_TEXT || base == BASE_BYTES) && n->op != OP_BCONTAINS &&
           n->op != OP_BSTARTSWITH;
}

static size_t constants(const struct node *n, const struct atom *a)
{
    return verbatim(n, a) ? n->nlit : a->nval;
}

static size_t hits_of(struct tree *t, const struct node *n, const struct atom *a,
                      struct tree_value v)
{
    size_t hits = 0;
    if (!verbatim(n, a)) {
        for (uint32_t i = 0; i < a->nval; i++)
            hits += against(t, n, a, v, &t->c->values.v[a->val0 + i]);
        return hits;
    }
    for (uint32_t i = 0; i < n->nlit; i++) {
        struct value k = {.kind = VAL_TEXT, .text = t->c->lits.v[n->lit0 + i].text};
        hits += against(t, n, a, v, &k);
    }
    return hits;
}

static enum outcome3 list_test(struct tree *t, const struct node *n, const struct atom *a,
                               struct tree_value v)
{
    size_t hits = 0;
    for (uint32_t i = 0; i < v.nlist; i++) {
        struct node eq = *n;
        eq.op = OP_EQ;
        hits +=
            hits_of(t, &eq, a, (struct tree_value){.state = FACT_PRESENT, .text = v.list[i]}) > 0;
    }
    return ops_list(n->op, v.nlist, hits) ? YES : NO;
}

static enum outcome3 value_test(struct tree *t, const struct node *n, const struct atom *a,
                                struct tree_value v)
{
    if (v.state != FACT_PRESENT)
        return v.state == FACT_ABSENT ? NO : MAYBE;
    if (n->op == OP_EXISTS)
        return YES;
    if (v.is_list)
        return list_test(t, n, a, v);
    return ops_combine(n->op, n->mod, hits_of(t, n, a, v), constants(n, a)) ? YES : NO;
}

/* ---- field against field ---- */

/* Texts up to their first NUL, as everywhere. */
static bool same_text(struct tree *t, str_id a, str_id b)
{
    return !strcmp(STR(t->c, a), STR(t->c, b));
}

static enum outcome3 list_in_list(struct tree *t, enum op_id op, struct tree_value left,
                                  struct tree_value right)
{
    size_t hits = 0;
    for (uint32_t i = 0; i < left.nlist; i++) {
        bool hit = false;
        for (uint32_t k = 0; k < right.nlist; k++)
            hit = hit || same_text(t, left.list[i], right.list[k]);
        hits += hit;
    }
    return ops_list(op, left.nlist, hits) ? YES : NO;
}

static enum outcome3 right_side(struct tree *t, const struct node *n, const struct atom *a,
                                struct tree_value left)
{
    struct tree_value right = tree_operand(t, n->rhs);
    enum base_type base = catalog_type(a->type)->base;
    if (left.state == FACT_ABSENT || right.state == FACT_ABSENT)
        return NO;
    if (left.state == FACT_UNKNOWN || right.state == FACT_UNKNOWN)
        return MAYBE;
    if (left.is_list)
        return list_in_list(t, n->op, left, right);
    if (left.is_num)
        return right.is_num && numbers(n->op, base, left.num, right.num) ? YES : NO;
    if (base == BASE_IP || base == BASE_NET) {
        struct ops_addr x, y;
        bool good = address(STR(t->c, left.text), &x) && address(STR(t->c, right.text), &y);
        return good && ops_ip(n->op, &x, &y) ? YES : NO;
    }
    return !right.is_num && against_text(t, n, base, left.text, right.text) ? YES : NO;
}

/* ---- fields with a comparison of their own ---- */

/* fd.ip and its like: `!=` must hold of both sides that are there, the others of one. */
static enum outcome3 either_side(struct tree *t, const struct node *n, const struct atom *a)
{
    bool port = a->lhs.field == F_fd_port || a->lhs.field == F_fd_proto;
    enum field_id sides[2] = {port ? F_fd_cport : F_fd_cip, port ? F_fd_sport : F_fd_sip};
    enum outcome3 out[2];
    int here = 0;
    for (int i = 0; i < 2; i++) {
        struct field_ref f = {.field = sides[i], .index = -1};
        struct tree_value v = tree_field(t, f);
        if (v.state != FACT_ABSENT)
            out[here++] = value_test(t, n, a, v);
    }
    if (here < 2)
        return here ? out[0] : NO;
    bool all_yes = ops_either(n->op, out[0] == YES, out[1] == YES);
    bool could = ops_either(n->op, out[0] != NO, out[1] != NO);
    return all_yes ? YES : could ? MAYBE : NO;
}

/* An ancestor field without index: some proper ancestor passes. */
static enum outcome3 some_ancestor(struct tree *t, const struct node *n, const struct atom *a)
{
    int32_t count = event_ancestors(t->c, t->e, a->lhs.field);
    enum outcome3 best = NO;
    for (int32_t i = 1; i <= count; i++) {
        struct field_ref f = {.field = a->lhs.field, .index = i};
        enum outcome3 one = value_test(t, n, a, tree_field(t, f));
        if (one == YES)
            return YES;
        if (one == MAYBE)
            best = MAYBE;
    }
    return best;
}

/* evt.around[T] = D: the event is at most D milliseconds away from T; otherwise as a distance. */
static enum outcome3 around(struct tree *t, const struct node *n, const struct atom *a)
{
    struct tree_value now = tree_field(t, (struct field_ref){.field = F_evt_rawtime, .index = -1});
    uint64_t then = strtoull(STR(t->c, a->lhs.name), NULL, 10), ts = (uint64_t)now.num;
    uint64_t away = ((ts > then ? ts - then : then - ts) + 999999) / 1000000;
    bool within = n->op == OP_EQ || n->op == OP_IN || n->op == OP_INTERSECTS;
    enum op_id op = within ? OP_LE : n->op == OP_NE ? OP_GT : n->op;
    size_t hits = 0;
    for (uint32_t i = 0; i < a->nval; i++)
        hits += ops_num(op, false, (int64_t)away, t->c->values.v[a->val0 + i].num);
    return ops_combine(n->op, n->mod, hits, a->nval) ? YES : NO;
}

static enum outcome3 tree_test(struct tree *t, const struct node *n)
{
    const struct atom *a = &t->c->atoms.v[n->atom.i];
    uint32_t flags = a->lhs.field ? catalog_field(a->lhs.field)->flags : 0;
    /* Of no constants none can hold, whatever the value is. Of a list's no elements all can. */
    if (!n->rhs.i && n->op != OP_EXISTS && !constants(n, a) && !t->c->operands.v[n->lhs.i].is_list)
        return NO;
    /* A parameter that the event has is there even if it is empty: it shows as <NA> or NULL. */
    if (n->op == OP_EXISTS && a->lhs.field == F_evt_arg)
        return event_has_param(t->c, t->e, a->lhs) ? YES : NO;
    if (a->lhs.field == F_evt_around)
        return around(t, n, a);
    if (a->lhs.field != F_NONE) {
        if (flags & FF_EITHER_SIDE)
            return either_side(t, n, a);
        if (flags & FF_ANCESTOR && a->lhs.index < 0 && !a->lhs.name.i)
            return some_ancestor(t, n, a);
    }
    struct tree_value left = tree_operand(t, n->lhs);
    return n->rhs.i ? right_side(t, n, a, left) : value_test(t, n, a, left);
}

/* ---- the walk ---- */

/* `neg`: under an odd number of `not`. `pass`: what a test that says MAYBE comes to. */
static bool holds(struct tree *t, node_id id, bool neg, bool pass)
{
    const struct node *n = &t->c->nodes.v[id.i];
    bool all = (n->kind == NODE_AND) != neg;
    enum outcome3 o;
    switch (n->kind) {
    case NODE_TRUE:
        return !neg;
    case NODE_FALSE:
        return neg;
    case NODE_NOT:
        return holds(t, t->c->kids.v[n->kid0], !neg, pass);
    case NODE_TEST:
        o = tree_test(t, n);
        return o == MAYBE ? pass : (o == YES) != neg;
    case NODE_AND:
    case NODE_OR:
        for (uint32_t i = 0; i < n->nkid; i++)
            if (holds(t, t->c->kids.v[n->kid0 + i], neg, pass) != all)
                return !all;
        return all;
    case NODE_POISON:
    case NODE_MACRO:
        break;
    }
    return false;
}

void eval_tree(struct comp *c, const struct event *e, uint8_t *hit)
{
    struct tree t = {c, e};
    for (uint32_t i = 1; i < c->rules.n; i++) {
        const struct rule *r = &c->rules.v[i];
        if (r->dropped || r->failed || !r->condition.i)
            continue;
        hit[r->index] = 0;
        if (r->enabled && holds(&t, r->condition, false, true))
            hit[r->index] = holds(&t, r->condition, false, false) ? 1 : 2;
    }
}
