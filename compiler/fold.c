/* SPDX-License-Identifier: Apache-2.0 */
#include "fold.h"

#include <string.h>

#include "intern.h"
#include "ops.h"
#include "regex.h"
#include "../grammar/supply.h"

/* No event is called so: stands for the calls that no rule tells from one another. */
static const char no_name[] = "\001";

struct site site_of_event(enum event_id e)
{
    const char *name = catalog_event(e)->name;
    return (struct site){e, SYSNR_OTHER, name, strlen(name), catalog_event_is_syscall(e)};
}

struct site site_of_syscall(const struct syscall_info *s)
{
    const char *name = s ? s->name : no_name;
    return (struct site){EV_generic, s ? s->nr : SYSNR_OTHER, name, strlen(name), true};
}

static bool has_fd(enum event_id e)
{
    return catalog_event(e)->flags & (EVF_CREATES_FD | EVF_USES_FD | EVF_DESTROYS_FD);
}

const struct param_info *fold_param(const struct comp *c, struct field_ref f, enum event_id e)
{
    int i = f.index;
    if (f.name.i)
        i = catalog_param_index(e, STR(c, f.name), STRLEN(c, f.name));
    return i < 0 ? NULL : catalog_param(e, (unsigned)i);
}

/* Parameter 0 is the result, but of generic calls, which bring none. */
static bool has_result(enum event_id e)
{
    return e != EV_generic && catalog_param(e, 0);
}

/* The event has no value for the field. */
static bool is_absent(const struct comp *c, struct field_ref f, const struct site *s)
{
    if (f.field == F_NONE)
        return false;
    const struct field_info *info = catalog_field(f.field);
    if (info->source == SRC_PARAM)
        return !fold_param(c, f, s->event);
    if (!strcmp(info->cls, "fd") && f.field != F_fd_types)
        return !has_fd(s->event);
    if (f.field == F_evt_res || f.field == F_evt_rawres || f.field == F_evt_failed)
        return !has_result(s->event) || !s->syscall;
    return f.field == F_syscall_type && !s->syscall;
}

/* A transformer of an absent value is absent, and so is a concatenation with one absent part. */
static bool expr_absent(const struct comp *c, operand_id id, const struct site *s)
{
    const struct operand *o = &c->operands.v[id.i];
    if (o->kind == OPERAND_FIELD)
        return is_absent(c, (struct field_ref){o->field, o->index, o->argname}, s);
    for (uint32_t i = 0; i < o->nop; i++)
        if (expr_absent(c, c->opkids.v[o->op0 + i], s))
            return true;
    return false;
}

static enum fold known(bool yes)
{
    return yes ? FOLD_TRUE : FOLD_FALSE;
}

static enum fold fold_text(const struct comp *c, const struct atom *a, const char *s, size_t n)
{
    size_t hits = 0;
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id t = c->values.v[a->val0 + i].text;
        hits += a->op == OP_REGEX ? regex_eval(regex_of(c, t), s, n)
                                  : ops_text(a->op, s, n, STR(c, t), STRLEN(c, t));
    }
    return known(ops_combine(a->op, a->mod, hits, a->nval));
}

static enum fold fold_number(const struct comp *c, const struct atom *a, int64_t v)
{
    size_t hits = 0;
    bool is_signed = catalog_type(a->type)->base == BASE_INT;
    for (uint32_t i = 0; i < a->nval; i++)
        hits += ops_num(a->op, is_signed, v, c->values.v[a->val0 + i].num);
    return known(ops_combine(a->op, a->mod, hits, a->nval));
}

/*
 * evt.num counts from 1, and what a test says of all larger numbers is decided between the
 * constants: the same answer for 1, for each constant above it, and for its neighbours is the
 * answer for all.
 */
static enum fold fold_evt_num(const struct comp *c, const struct atom *a)
{
    if (a->op == OP_EXISTS)
        return FOLD_TRUE;
    enum fold first = fold_number(c, a, 1);
    for (uint32_t i = 0; i < a->nval; i++) {
        uint64_t v = (uint64_t)c->values.v[a->val0 + i].num;
        if (v == UINT64_MAX)
            return FOLD_KEEP; /* `-1`: never reached, which Falco does not see */
        for (uint64_t d = !v; d < 3; d++) {
            uint64_t near = v + d - 1;
            if (near >= 1 && near >= v - 1 && fold_number(c, a, (int64_t)near) != first)
                return FOLD_KEEP;
        }
    }
    return first;
}

bool fold_is_type(const struct comp *c, atom_id id)
{
    const struct atom *a = &c->atoms.v[id.i];
    return a->lhs.field == F_evt_type || a->lhs.field == F_syscall_type;
}

enum fold fold_type(const struct comp *c, atom_id id, const struct site *s)
{
    const struct atom *a = &c->atoms.v[id.i];
    if (a->expr.i || a->rexpr.i || a->rhs.field)
        return FOLD_KEEP;
    if (a->lhs.field == F_evt_num)
        return fold_evt_num(c, a);
    if (!fold_is_type(c, id))
        return FOLD_KEEP;
    if (a->lhs.field == F_syscall_type && !s->syscall)
        return FOLD_FALSE;
    return a->op == OP_EXISTS ? FOLD_TRUE : fold_text(c, a, s->name, s->len);
}

/* Fields whose value follows from the event's row in the catalog. */
static enum fold fold_event_field(const struct comp *c, const struct atom *a, const struct site *s)
{
    const struct event_info *e = catalog_event(s->event);
    bool in = e->flags & EVF_READS_FD, out = e->flags & EVF_WRITES_FD;
    if (a->lhs.field == F_evt_dir)
        return fold_text(c, a, "<", 1);
    if (a->lhs.field == F_evt_source)
        return fold_text(c, a, "syscall", 7);
    if (a->lhs.field == F_evt_category && strncmp(e->category, "io_", 3) != 0)
        return fold_text(c, a, e->category, strlen(e->category));
    if (a->lhs.field == F_evt_is_io)
        return fold_number(c, a, in || out);
    if (a->lhs.field == F_evt_is_io_read || a->lhs.field == F_evt_is_io_write)
        return fold_number(c, a, a->lhs.field == F_evt_is_io_read ? in : out);
    if (a->lhs.field == F_evt_is_wait)
        return fold_number(c, a, (e->flags & EVF_WAITS) != 0);
    bool open_field = a->lhs.field == F_evt_is_open_read || a->lhs.field == F_evt_is_open_write ||
                      a->lhs.field == F_evt_is_open_exec || a->lhs.field == F_evt_is_open_create;
    if (open_field && !supply_is_open(s->event) && s->event != EV_open_by_handle_at)
        return fold_number(c, a, 0);
    if (a->lhs.field == F_evt_type_is &&
        catalog_event_by_name(STR(c, a->lhs.name), STRLEN(c, a->lhs.name))) {
        return fold_number(c, a,
                           STRLEN(c, a->lhs.name) == s->len && s->event != EV_generic &&
                               !memcmp(STR(c, a->lhs.name), s->name, s->len));
    }
    return FOLD_KEEP;
}

/* A list of nothing holds nothing, whatever the value is; but of a list's no elements it has all.
 */
static bool is_empty_list(const struct comp *c, const struct atom *a)
{
    bool list =
        a->expr.i ? c->operands.v[a->expr.i].is_list : catalog_field(a->lhs.field)->flags & FF_LIST;
    return !list && a->op != OP_EXISTS && !a->nval && !a->rhs.field && !a->rexpr.i;
}

enum fold fold_atom(const struct comp *c, atom_id id, const struct site *s)
{
    const struct atom *a = &c->atoms.v[id.i];
    if (is_empty_list(c, a) || is_absent(c, a->lhs, s) || is_absent(c, a->rhs, s) ||
        (a->expr.i && expr_absent(c, a->expr, s)) || (a->rexpr.i && expr_absent(c, a->rexpr, s)))
        return FOLD_FALSE;
    if (a->expr.i || a->rexpr.i || a->rhs.field)
        return FOLD_KEEP;
    enum fold f = fold_type(c, id, s);
    if (f != FOLD_KEEP)
        return f;
    if (a->op == OP_EXISTS)
        return a->lhs.field == F_evt_arg || a->lhs.field == F_evt_dir ? FOLD_TRUE : FOLD_KEEP;
    return fold_event_field(c, a, s);
}
