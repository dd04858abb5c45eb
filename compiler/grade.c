/* SPDX-License-Identifier: Apache-2.0 */
#include "grade.h"

#include "classes.h"
#include "lore.h"
#include "place.h"

const char *grade_event_name(const struct event_rules *e)
{
    if (e->event != EV_generic)
        return catalog_event(e->event)->name;
    const struct syscall_info *s = e->sysnr < 0 ? NULL : catalog_syscall_by_nr(e->sysnr);
    return s ? s->name : "every call without an event of its own";
}

/* ---- why not in the kernel ---- */

static bool is_pattern(enum op_id op)
{
    return op == OP_GLOB || op == OP_IGLOB || op == OP_PMATCH || op == OP_REGEX;
}

/* The reason for PLACE_USER: see place.c. */
static const char *why_user(const struct atom *a)
{
    const struct field_info *f = catalog_field(a->lhs.field);
    if (a->expr.i || a->rexpr.i)
        return "the value is computed";
    if (a->rhs.field)
        return "one value is compared with another";
    if (f->source == SRC_USER && lore_of_field(a->lhs.field, a->lhs.index) != LORE_KINDS)
        return "the pack has too many tests of what user space knows";
    if (f->source == SRC_USER)
        return "only user space knows the value";
    if (f->source == SRC_MISSING)
        return "this version has no such value";
    if (is_pattern(a->op))
        return "no matcher of the kernel knows such a pattern";
    if (a->mod == MOD_ONEOF)
        return "the kernel does not count the constants that hold";
    if (catalog_type(f->type)->base == BASE_BYTES)
        return "bytes are no text to the kernel";
    if (f->source == SRC_SLOT && (a->lhs.index >= 0 || a->lhs.name.i))
        return "it is a part of a text";
    if (f->source == SRC_PARAM)
        return "the parameter's text is made in user space";
    return "the value is made of others";
}

/* Decided, but not wherever the value is there. */
static const char *why_partly(const struct where *w)
{
    static const char *const guards[] = {
        [GUARD_NONE] = NULL,
        [GUARD_WORD] = NULL,
        [GUARD_NONEMPTY] = "an empty value is shown as <NA>",
        [GUARD_ABSOLUTE] = "a relative path is made absolute in user space",
    };
    return guards[w->guard];
}

const char *grade_why(const struct comp *c, const struct dag_node *n, enum event_id event,
                      bool table)
{
    const struct where *w = place_where(c, n->atom, event);
    if (!w || w->place == PLACE_USER)
        return why_user(&c->atoms.v[n->atom.i]);
    if (w->narrow.i) {
        return n->neg ? "no matcher of the kernel knows such a pattern"
                      : "the kernel knows of a pattern only how its matches begin or end";
    }
    if (table && !class_can_test(c, &c->atoms.v[n->atom.i], w))
        return "a rule that is looked up cannot test it in the kernel";
    return why_partly(w);
}
