/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "arena.h"
#include "ast.h"
#include "diag.h"
#include "../grammar/field.h"
#include "intern.h"
#include "need.h"
#include "lower.h"
#include "near.h"

/* Calls that C libraries make in place of another one: naming the old one alone sees little. */
static const struct {
    enum event_id old, now[3];
} replaced[] = {
    {EV_open, {EV_openat, EV_openat2, EV_NONE}},
    {EV_creat, {EV_openat, EV_open, EV_openat2}},
    {EV_unlink, {EV_unlinkat, EV_NONE, EV_NONE}},
    {EV_rename, {EV_renameat, EV_renameat2, EV_NONE}},
    {EV_mkdir, {EV_mkdirat, EV_NONE, EV_NONE}},
    {EV_chmod, {EV_fchmodat, EV_NONE, EV_NONE}},
    {EV_symlink, {EV_symlinkat, EV_NONE, EV_NONE}},
    {EV_link, {EV_linkat, EV_NONE, EV_NONE}},
    {EV_accept, {EV_accept4, EV_NONE, EV_NONE}},
    {EV_dup2, {EV_dup3, EV_NONE, EV_NONE}},
};

/* Where a test writes this constant; the test's own place if it is not found as it stands. */
static span_id place_of_constant(struct comp *c, const struct node *n, str_id text)
{
    for (uint32_t i = 0; i < n->nlit; i++) {
        const struct lit *l = &c->lits.v[n->lit0 + i];
        if (l->text.i == text.i)
            return node_place(c, n, l->at);
    }
    return n->at;
}

/* Where a condition names an event; 0: it does not, or only by what it leaves out. */
static span_id find_event_name(struct comp *c, node_id id, str_id name)
{
    const struct node n = c->nodes.v[id.i];
    span_id at = {0};
    if (n.kind == NODE_TEST) {
        enum field_id f = c->atoms.v[n.atom.i].lhs.field;
        bool named = f == F_evt_type || f == F_syscall_type;
        for (uint32_t i = 0; i < n.nlit && named; i++)
            if (c->lits.v[n.lit0 + i].text.i == name.i)
                return node_place(c, &n, c->lits.v[n.lit0 + i].at);
        return at;
    }
    for (uint32_t i = 0; i < n.nkid && !at.i; i++)
        at = find_event_name(c, c->kids.v[n.kid0 + i], name);
    return at;
}

static span_id place_of_event(struct comp *c, const struct rule *r, enum event_id event)
{
    str_id name = intern_cstr(c->intern, catalog_event(event)->name);
    span_id at = find_event_name(c, r->condition, name);
    return at.i ? at : r->condition_at;
}

static void lint_replaced(struct comp *c, const struct rule *r, const struct event_set *set)
{
    for (size_t i = 0; i < sizeof(replaced) / sizeof(*replaced); i++) {
        const char *missing = NULL;
        bool named = false;
        if (!set->may[replaced[i].old])
            continue;
        for (int k = 0; k < 3 && replaced[i].now[k]; k++) {
            const char *name = catalog_event(replaced[i].now[k])->name;
            named = named || set->may[replaced[i].now[k]];
            missing = missing ? arena_printf(c->arena, "%s, %s", missing, name) : name;
        }
        if (!named) {
            diag(c, RK0402, place_of_event(c, r, replaced[i].old), NULL,
                 "the rule sees `%s` but not %s", catalog_event(replaced[i].old)->name, missing);
        }
    }
}

/* The constant is part of `text` as the operator wants it. */
static bool could_be(enum op_id op, const char *text, const char *s)
{
    size_t nt = strlen(text), ns = strlen(s);
    if (op == OP_ICONTAINS)
        return strcasestr(text, s);
    if (op == OP_CONTAINS)
        return strstr(text, s);
    return op == OP_STARTSWITH ? !strncmp(text, s, ns) : ns <= nt && !strcmp(text + nt - ns, s);
}

static bool table_has(enum flag_table t, const struct atom *a, const char *s, size_t n)
{
    uint64_t value;
    unsigned rows;
    const struct flag_row *f = catalog_flags(t, &rows);
    if (a->op == OP_EQ || a->op == OP_IN || a->op == OP_NE)
        return catalog_flags_value(t, s, n, &value);
    if (strspn(s, "0123456789| ") == n || strchr(s, '|'))
        return true; /* numbers, and texts of several flags: too clever to judge */
    for (unsigned i = 0; i < rows; i++)
        if (could_be(a->op, f[i].text, s))
            return true;
    return false;
}

static bool is_judged(enum op_id op)
{
    return op == OP_EQ || op == OP_IN || op == OP_NE || op == OP_CONTAINS || op == OP_ICONTAINS ||
           op == OP_STARTSWITH || op == OP_ENDSWITH;
}

/* Tables that a test's text can come from, over the events of the rule. False: other texts too. */
static bool tables_of(const struct comp *c, const struct atom *a, const struct event_set *set,
                      bool tables[FT_COUNT])
{
    const struct field_info *f = catalog_field(a->lhs.field);
    if (f->source == SRC_SLOT) {
        tables[f->table] = true;
        return f->table != FT_NONE;
    }
    if (a->lhs.field != F_evt_arg)
        return false;
    bool any = false;
    for (unsigned e = EV_NONE + 1; e < EV_COUNT; e++) {
        const struct param_info *p = set->may[e] ? fold_param(c, a->lhs, (enum event_id)e) : NULL;
        if (p && !p->flags && catalog_type(p->type)->base != BASE_UINT)
            return false;
        if (p && p->flags)
            tables[p->flags] = any = true;
    }
    return any;
}

static void lint_flags(struct comp *c, const struct node *n, const struct event_set *set)
{
    const struct atom *a = &c->atoms.v[n->atom.i];
    bool tables[FT_COUNT] = {0};
    if (!is_judged(a->op) || a->rhs.field || a->expr.i || a->rexpr.i ||
        !tables_of(c, a, set, tables))
        return;
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id text = c->values.v[a->val0 + i].text;
        const char *s = STR(c, text), *near = NULL, *table = NULL;
        bool found = false;
        for (unsigned t = FT_NONE + 1; t < FT_COUNT && !found; t++) {
            if (tables[t]) {
                found = table_has((enum flag_table)t, a, s, STRLEN(c, text));
                near = near ? near : catalog_near_flag((enum flag_table)t, s, STRLEN(c, text));
                table = table ? table : catalog_flags_name((enum flag_table)t);
            }
        }
        if (!found) {
            diag(c, RK0403, place_of_constant(c, n, text), near_hint(c, near),
                 "`%s` is never part of this value: it shows the names of `%s`",
                 diag_word(c, s, STRLEN(c, text)), table);
        }
    }
}

/* evt.res shows SUCCESS or the name of an error. */
static void lint_result(struct comp *c, const struct node *n)
{
    const struct atom *a = &c->atoms.v[n->atom.i];
    if (a->lhs.field != F_evt_res || (a->op != OP_EQ && a->op != OP_IN && a->op != OP_NE))
        return;
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id text = c->values.v[a->val0 + i].text;
        const char *s = STR(c, text);
        size_t len = STRLEN(c, text);
        if (strcmp(s, "SUCCESS") != 0 && !catalog_errno_by_name(s, len) && s[0] != '-') {
            const char *near = catalog_near_flag(FT_errno, s, len);
            diag(c, RK0403, place_of_constant(c, n, text), near_hint(c, near),
                 "evt.res is SUCCESS or the name of an error, never `%s`", diag_word(c, s, len));
        }
    }
}

/*
 * Fields that Falco compares by code of their own, which looks at the first constant alone, and at
 * no number of a list (rule-language 7). True if Falco's answer is another one than ours.
 */
static bool falco_loses(const struct comp *c, const struct node *n)
{
    const struct atom *a = &c->atoms.v[n->atom.i];
    const struct field_info *f = a->lhs.field ? catalog_field(a->lhs.field) : NULL;
    bool either = f && f->flags & FF_EITHER_SIDE, raw = f && a->lhs.field == F_evt_rawarg;
    bool some = f && f->flags & FF_ANCESTOR && a->lhs.index < 0 && !a->lhs.name.i;
    if (!either && !some && !raw)
        return false;
    enum base_type base = catalog_type(a->type)->base;
    if (n->op == OP_IN || n->op == OP_INTERSECTS) {
        bool ports = base == BASE_PORT && n->op == OP_IN;
        bool one_net = base == BASE_NET && n->op == OP_IN && n->nlit == 1;
        return base != BASE_TEXT && !ports && !one_net;
    }
    return (n->op == OP_EXISTS && either) || (n->mod != MOD_NONE && n->nlit > 1);
}

static void lint_tests(struct comp *c, node_id id, const struct event_set *set)
{
    const struct node n = c->nodes.v[id.i];
    if (n.kind == NODE_TEST) {
        if (falco_loses(c, &n)) {
            diag(c, RK0410, n.at, NULL,
                 "Falco answers otherwise: it has a comparison of its own for this field");
        }
        lint_flags(c, &n, set);
        lint_result(c, &n);
        return;
    }
    for (uint32_t i = 0; i < n.nkid; i++)
        lint_tests(c, c->kids.v[n.kid0 + i], set);
}

bool lint_wants_dead(const struct event_set *set)
{
    for (unsigned e = EV_NONE + 1; e < EV_COUNT && !set->all; e++)
        if (set->may[e] && !catalog_event((enum event_id)e)->live)
            return true;
    return false;
}

/* Events that the rule names and this version does not deliver. */
static void lint_not_live(struct comp *c, const struct rule *r, const struct event_set *set)
{
    enum diag_code code = need_code(c, RK0406);
    if (set->all || !code)
        return;
    for (unsigned e = EV_NONE + 1; e < EV_COUNT; e++) {
        const struct event_info *info = catalog_event((enum event_id)e);
        if (set->may[e] && !info->live) {
            diag(c, code, place_of_event(c, r, (enum event_id)e),
                 event_why_missing((enum event_id)e),
                 "the rule wants `%s`, which this version does not deliver", info->name);
        }
    }
}

void lint_many(struct comp *c, const struct rule *r, const struct event_set *set)
{
    if (set->many && r->warn_evttypes) {
        diag(c, RK0401, r->at, "say which with evt.type, or `warn_evttypes: false`",
             "rule `%s` is judged on every kind of event", STR(c, r->name));
    }
}

void lint_rule(struct comp *c, const struct rule *r, const struct event_set *set)
{
    if (!set->all)
        lint_replaced(c, r, set);
    if (set->falco_loses) {
        diag(c, RK0411, r->condition_at, NULL,
             "Falco does not try this rule on system calls without an event of their own");
    }
    lint_tests(c, r->condition, set);
    lint_not_live(c, r, set);
}

/*
 * Placeholders that a user is meant to fill: evt.num = 0 is never true, and so is a test of an
 * empty list.
 */
static bool has_placeholder(const struct comp *c, node_id id)
{
    const struct node *n = &c->nodes.v[id.i];
    if (n->kind == NODE_TEST) {
        const struct atom *a = &c->atoms.v[n->atom.i];
        return a->lhs.field == F_evt_num || (a->op == OP_IN && !a->nval && !a->rhs.field);
    }
    for (uint32_t i = 0; i < n->nkid; i++)
        if (has_placeholder(c, c->kids.v[n->kid0 + i]))
            return true;
    return n->kind == NODE_FALSE;
}

void lint_never(struct comp *c, const struct rule *r, const struct event_set *set)
{
    /* It would match, were the event delivered: lint_not_live() has said so. */
    if (!lint_wants_dead(set) && !has_placeholder(c, r->condition))
        diag(c, RK0404, r->at, NULL, "rule `%s` can never match", STR(c, r->name));
}
