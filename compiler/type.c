/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "arena.h"
#include "hint.h"
#include "intern.h"
#include "pipeline.h"
#include "type.h"

#define BIT(op) (1u << (op))

static const uint32_t ops_equal = BIT(OP_EQ) | BIT(OP_NE) | BIT(OP_IN) | BIT(OP_INTERSECTS);
static const uint32_t ops_order = BIT(OP_LT) | BIT(OP_LE) | BIT(OP_GT) | BIT(OP_GE);
static const uint32_t ops_part = BIT(OP_CONTAINS) | BIT(OP_STARTSWITH) | BIT(OP_ENDSWITH);
static const uint32_t ops_bytes = BIT(OP_BCONTAINS) | BIT(OP_BSTARTSWITH);
static const uint32_t ops_text =
    BIT(OP_ICONTAINS) | BIT(OP_GLOB) | BIT(OP_IGLOB) | BIT(OP_REGEX) | BIT(OP_PMATCH);

/* The operators of a type (rule-language 5.1), as a mask. */
static uint32_t operators_of(enum type_id type, bool is_list)
{
    if (is_list)
        return BIT(OP_IN) | BIT(OP_INTERSECTS);
    switch (catalog_type(type)->base) {
    case BASE_TEXT:
        return ops_equal | ops_order | ops_part | ops_text;
    case BASE_BYTES:
        return ops_equal | ops_part | ops_bytes;
    case BASE_INT:
    case BASE_UINT:
    case BASE_PORT:
    case BASE_DOUBLE:
        return ops_equal | ops_order;
    case BASE_BOOL:
    case BASE_IP:
    case BASE_NET:
        return ops_equal;
    case BASE_NONE:
        break;
    }
    return 0;
}

static void fail(struct typer *t, struct node *n)
{
    t->rule->failed = t->rule->failed || !t->skipped;
    n->kind = NODE_POISON;
}

static const char *operand_name(struct typer *t, operand_id id)
{
    const struct operand *o = &t->c->operands.v[id.i];
    return o->kind == OPERAND_FIELD ? arena_printf(t->c->arena, "`%s`", STR(t->c, o->name))
                                    : "the expression";
}

static bool check_operator(struct typer *t, const struct node *n)
{
    const struct operand *o = &t->c->operands.v[n->lhs.i];
    bool is_list = o->is_list;
    const char *name = operand_name(t, n->lhs);
    const char *op = catalog_op(n->op)->text;
    if (n->op == OP_EXISTS)
        return true;
    /* Of a parameter's bytes only their being there can be asked for: evt.buffer has the rest. */
    bool raw_bytes = o->kind == OPERAND_FIELD && o->field == F_evt_rawarg &&
                     catalog_type(o->type)->base == BASE_BYTES;
    uint32_t fit = raw_bytes ? 0 : operators_of(o->type, is_list);
    if (!(fit & BIT(n->op))) {
        const char *hint =
            arena_printf(t->c->arena, "it has %s", hint_operators(t->c, fit | BIT(OP_EXISTS)));
        diag(t->c, RK0304, n->op_at, hint, "%s is of type %s%s, which has no operator `%s`", name,
             is_list ? "list of " : "", catalog_type(o->type)->name, op);
        return false;
    }
    return true;
}

static bool event_name_known(const char *s, size_t n)
{
    return catalog_event_by_name(s, n) || catalog_event_old_name(s, n) ||
           catalog_syscall_by_name(s, n);
}

/* A constant of evt.type must be the name of an event or of a system call, for each operator. */
static bool check_event_name(struct typer *t, const struct lit *l)
{
    const char *s = STR(t->c, l->text);
    size_t n = STRLEN(t->c, l->text);
    if (event_name_known(s, n))
        return true;
    const char *near = catalog_near(NEAR_EVENT, s, n);
    type_unknown(t, RK0307, lit_place(t, l),
                 near ? arena_printf(t->c->arena, "did you mean `%s`?", near) : NULL, "event type",
                 diag_word(t->c, s, n));
    return false;
}

/* syscall.type takes any text, but one that no call has is never true. */
static void check_syscall_name(struct typer *t, const struct lit *l, enum op_id op)
{
    const char *s = STR(t->c, l->text);
    size_t n = STRLEN(t->c, l->text);
    if ((op == OP_EQ || op == OP_IN || op == OP_NE || op == OP_INTERSECTS) &&
        !event_name_known(s, n)) {
        const char *near = catalog_near(NEAR_EVENT, s, n);
        diag(t->c, RK0314, lit_place(t, l),
             near ? arena_printf(t->c->arena, "did you mean `%s`?", near) : NULL,
             "no system call is called `%s`", diag_word(t->c, s, n));
    }
}

static bool type_constants(struct typer *t, const struct node *n, struct atom *a)
{
    bool good = true;
    t->test = n;
    a->val0 = t->c->values.n;
    for (uint32_t i = 0; i < n->nlit; i++) {
        struct lit l = t->c->lits.v[n->lit0 + i];
        struct value v;
        if (!const_parse(t, &l, a->type, a->op, &v) ||
            (a->lhs.field == F_evt_type && !check_event_name(t, &l))) {
            good = false;
            continue;
        }
        if (a->lhs.field == F_syscall_type)
            check_syscall_name(t, &l, a->op);
        VEC_PUSH(t->c->arena, &t->c->values, v);
    }
    a->nval = t->c->values.n - a->val0;
    return good;
}

/* The field inside val(), or the transformer, on the right. */
static operand_id unwrap(const struct comp *c, operand_id id)
{
    const struct operand *o = &c->operands.v[id.i];
    return o->kind == OPERAND_CALL && o->call == XF_VAL && o->nop ? c->opkids.v[o->op0] : id;
}

static bool mismatch(struct typer *t, const struct node *n, const char *why)
{
    diag(t->c, RK0309, t->c->operands.v[n->rhs.i].at, NULL, "%s %s",
         operand_name(t, unwrap(t->c, n->rhs)), why);
    return false;
}

/* Field against field (rule-language 5.4). */
static bool type_right(struct typer *t, const struct node *n, struct atom *a)
{
    operand_id id = unwrap(t->c, n->rhs);
    if (!operand_bind(t, id))
        return false;
    const struct operand *l = &t->c->operands.v[n->lhs.i], *r = &t->c->operands.v[id.i];
    enum field_id both[2] = {l->kind == OPERAND_FIELD ? l->field : F_NONE,
                             r->kind == OPERAND_FIELD ? r->field : F_NONE};
    for (int i = 0; i < 2; i++) {
        const struct field_info *f = both[i] ? catalog_field(both[i]) : NULL;
        if (f && (f->flags & FF_NO_RHS)) {
            return mismatch(t, n,
                            "cannot be compared: one of the fields has a comparison of its own");
        }
        if (both[i] == F_evt_type || both[i] == F_syscall_type)
            return mismatch(t, n, "cannot be compared: the event's type is known before any field");
    }
    enum base_type base = catalog_type(l->type)->base;
    if (base == BASE_NET || n->op == OP_PMATCH || n->op == OP_REGEX || n->mod != MOD_NONE)
        return mismatch(t, n, "cannot stand here: this test takes constants only");
    if (l->is_list != r->is_list) {
        return mismatch(t, n,
                        r->is_list ? "is a list, the left side is none"
                                   : "is no list, the left side is one");
    }
    bool texts = base == BASE_TEXT && catalog_type(r->type)->base == BASE_TEXT;
    if (l->type != r->type && !texts) {
        return mismatch(t, n,
                        arena_printf(t->c->arena, "is of type %s, the left side of type %s",
                                     catalog_type(r->type)->name, catalog_type(l->type)->name));
    }
    a->rexpr = r->kind == OPERAND_CALL ? id : (operand_id){0};
    a->rhs = r->kind == OPERAND_FIELD ? operand_ref(t->c, id) : (struct field_ref){.index = -1};
    return true;
}

static bool type_left(struct typer *t, const struct node *n, struct atom *a)
{
    if (!operand_bind(t, n->lhs))
        return false;
    const struct operand *o = &t->c->operands.v[n->lhs.i];
    const struct field_info *f = NULL;
    a->type = o->type;
    if (o->kind == OPERAND_FIELD) {
        f = catalog_field(o->field);
        a->lhs = operand_ref(t->c, n->lhs);
    } else {
        a->expr = n->lhs;
    }
    if (f && (f->flags & FF_PRINT_ONLY)) {
        diag(t->c, RK0316, o->at, NULL, "`%s` can only be printed", f->name);
        return false;
    }
    return check_operator(t, n);
}

static bool type_test(struct typer *t, const struct node *n, struct atom *a)
{
    *a = (struct atom){.op = n->op, .mod = n->mod, .at = n->at, .lhs.index = -1, .rhs.index = -1};
    if (!type_left(t, n, a))
        return false;
    if (n->op == OP_EXISTS)
        return true;
    return n->rhs.i ? type_right(t, n, a) : type_constants(t, n, a);
}

/*
 * The copies of a macro's test share its constants: the first one that had no finding has told what
 * they mean, so that a long list is not read again at each use of the macro.
 */
static bool type_copy(struct typer *t, struct node *n)
{
    bool known = n->nlit && !n->rhs.i && t->typed[n->lit0].i && operand_bind(t, n->lhs);
    if (known)
        n->atom = t->typed[n->lit0];
    return known;
}

static void type_new(struct typer *t, struct node *n)
{
    struct atom a;
    uint32_t nvalue = t->c->values.n, before = diag_total(t->c);
    if (!type_test(t, n, &a)) {
        t->c->values.n = nvalue;
        fail(t, n);
        return;
    }
    n->atom = atom_intern(t->c, &t->atoms, a);
    if (n->nlit && !n->rhs.i && diag_total(t->c) == before)
        t->typed[n->lit0] = n->atom;
}

static void type_node(struct typer *t, node_id id)
{
    struct node *n = &t->c->nodes.v[id.i];
    if (t->skipped)
        return;
    if (!id.i || n->kind == NODE_POISON) {
        t->rule->failed = true;
        return;
    }
    if (n->kind != NODE_TEST) {
        for (uint32_t i = 0; i < n->nkid; i++)
            type_node(t, t->c->kids.v[n->kid0 + i]);
        return;
    }
    if (!n->atom.i && !type_copy(t, n)) /* else of a macro that another rule has used before */
        type_new(t, n);
}

static void type_output(struct typer *t)
{
    const struct rule *r = t->rule;
    t->in_output = true;
    for (uint32_t i = 0; i < r->nout && !t->skipped; i++) {
        const struct piece p = t->c->pieces.v[r->out0 + i];
        if (!p.is_field || !operand_bind(t, p.operand))
            continue;
        const struct operand *o = &t->c->operands.v[p.operand.i];
        if (o->field == F_evt_rawarg && catalog_type(o->type)->base == BASE_NONE) {
            diag(t->c, RK0320, p.at, "evt.arg is the parameter's text",
                 "`evt.rawarg.%s` has no text that could be printed", STR(t->c, o->argname));
            t->rule->failed = true;
        }
        if (o->kind == OPERAND_FIELD && (catalog_field(o->field)->flags & FF_FILTER_ONLY)) {
            diag(t->c, RK0317, p.at, NULL, "`%s` has no single value and always prints <NA>",
                 STR(t->c, o->name));
        }
    }
    t->in_output = false;
}

static void type_rules(struct comp *c, struct rule *rules, uint32_t first, uint32_t n)
{
    struct typer t = {.c = c, .atoms.arena = c->arena};
    t.typed = arena_alloc(c->arena, (c->lits.n + 1) * sizeof(*t.typed));
    for (uint32_t i = first; i < n; i++) {
        t.rule = &rules[i];
        t.skipped = false;
        if (t.rule->dropped)
            continue; /* resolve has left it out */
        diag_set_rule(c, t.rule->name);
        type_node(&t, t.rule->condition);
        type_output(&t);
    }
    diag_set_rule(c, (str_id){0});
}

int pass_type(struct comp *c)
{
    if (!c->atoms.n)
        VEC_PUSH(c->arena, &c->atoms, (struct atom){0});
    /* Drafts leave nothing behind but errors. */
    uint32_t natom = c->atoms.n, nvalue = c->values.n;
    diag_set_draft(c, true);
    type_rules(c, c->drafts.v, 0, c->drafts.n);
    diag_set_draft(c, false);
    c->atoms.n = natom;
    c->values.n = nvalue;
    type_rules(c, c->rules.v, 1, c->rules.n);
    return 0;
}
