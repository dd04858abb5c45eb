/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "arena.h"
#include "intern.h"
#include "type.h"

#define INDEX_MAX 1000000

/* What is left of a field's spelling once the catalog has found its name. */
struct rest {
    const char *dot; /* ".flags" of evt.arg.flags, without the dot; NULL: none */
    size_t ndot;
};

struct field_ref operand_ref(const struct comp *c, operand_id id)
{
    const struct operand *o = &c->operands.v[id.i];
    return (struct field_ref){o->field, o->index, o->argname};
}

bool operand_same(const struct comp *c, operand_id x, operand_id y)
{
    const struct operand *a = &c->operands.v[x.i], *b = &c->operands.v[y.i];
    if (a->kind != b->kind || a->call != b->call || a->nop != b->nop)
        return false;
    if (a->kind == OPERAND_FIELD)
        return a->field == b->field && a->index == b->index && a->argname.i == b->argname.i;
    if (a->call == XF_NONE)
        return a->name.i == b->name.i;
    if (a->has_arg != b->has_arg || a->arg.i != b->arg.i)
        return false;
    for (uint32_t i = 0; i < a->nop; i++)
        if (!operand_same(c, c->opkids.v[a->op0 + i], c->opkids.v[b->op0 + i]))
            return false;
    return true;
}

void type_unknown(struct typer *t, enum diag_code code, span_id at, const char *hint,
                  const char *what, const char *name)
{
    if (t->rule->skip_if_unknown) {
        diag(t->c, RK0242, at, hint, "rule `%s` is left out: unknown %s `%s`",
             STR(t->c, t->rule->name), what, name);
        t->rule->dropped = true;
        t->skipped = true;
        return;
    }
    diag(t->c, code, at, hint, "unknown %s `%s`", what, name);
    t->rule->failed = true;
}

static const char *did_you_mean(struct typer *t, const char *near)
{
    return near ? arena_printf(t->c->arena, "did you mean `%s`?", near) : NULL;
}

static bool unknown_field(struct typer *t, const struct operand *o)
{
    const char *name = STR(t->c, o->name);
    const char *near = catalog_near(NEAR_FIELD, name, STRLEN(t->c, o->name));
    const char *shown = diag_word(t->c, name, STRLEN(t->c, o->name));
    type_unknown(t, RK0301, o->at, did_you_mean(t, near), "field", shown);
    return false;
}

/* To Falco this is no field at all. */
static bool argument_too_many(struct typer *t, const struct operand *o)
{
    const char *name = STR(t->c, o->name), *arg = STR(t->c, o->arg);
    if (!o->has_arg)
        return unknown_field(t, o);
    type_unknown(
        t, RK0301, o->at, arena_printf(t->c->arena, "`%s` takes no argument", name), "field",
        arena_printf(t->c->arena, "%s[%s]", name, diag_word(t->c, arg, STRLEN(t->c, o->arg))));
    return false;
}

static bool bad_argument(struct typer *t, const struct operand *o, const char *expected)
{
    diag(t->c, RK0302, o->at, NULL, "`%s` %s", STR(t->c, o->name), expected);
    t->rule->failed = true;
    return false;
}

/* A decimal number without sign. */
static bool parse_index(const char *s, size_t n, int32_t *out)
{
    int32_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9' || v > INDEX_MAX)
            return false;
        v = v * 10 + (s[i] - '0');
    }
    *out = v;
    return n > 0;
}

static bool bind_index(struct typer *t, struct operand *o)
{
    const char *s = STR(t->c, o->arg);
    size_t n = STRLEN(t->c, o->arg);
    if (!strcmp(s, "-1"))
        return true; /* as if there were none */
    return parse_index(s, n, &o->index) ||
           bad_argument(t, o, "wants a number up to 1000000 in its brackets");
}

static bool all_digits(const char *s, size_t n)
{
    return n && strspn(s, "0123456789") == n;
}

static bool bind_param_name(struct typer *t, struct operand *o, const char *s, size_t n)
{
    if (catalog_param_known(s, n)) {
        o->argname = intern_put(t->c->intern, s, n);
        return true;
    }
    diag(t->c, RK0303, o->at, did_you_mean(t, catalog_near(NEAR_PARAM, s, n)),
         "no event has a parameter `%s`", diag_word(t->c, s, n));
    t->rule->failed = true;
    return false;
}

/* evt.arg.NAME, evt.arg[N] and evt.rawarg.NAME */
static bool bind_param(struct typer *t, struct operand *o, struct rest r, bool by_index)
{
    if (r.dot)
        return o->has_arg ? unknown_field(t, o) : bind_param_name(t, o, r.dot, r.ndot);
    if (by_index && o->has_arg) {
        const char *s = STR(t->c, o->arg);
        if (!strcmp(s, "-1")) {
            o->index =
                INDEX_MAX; /* beyond every event's parameters: absent, as the language has it */
            return true;
        }
        return parse_index(s, STRLEN(t->c, o->arg), &o->index) ||
               bad_argument(t, o, "wants the number of a parameter in its brackets");
    }
    return bad_argument(t, o,
                        by_index ? "needs a parameter: evt.arg.flags or evt.arg[1]"
                                 : "needs a parameter: evt.rawarg.res");
}

static bool bind_event_name(struct typer *t, struct operand *o, struct rest r)
{
    o->argname = intern_put(t->c->intern, r.dot, r.ndot);
    if (o->field != F_evt_type_is || catalog_event_by_name(r.dot, r.ndot) ||
        catalog_event_old_name(r.dot, r.ndot) || all_digits(r.dot, r.ndot))
        return true;
    type_unknown(t, RK0307, o->at, did_you_mean(t, catalog_near(NEAR_EVENT, r.dot, r.ndot)),
                 "event type", diag_word(t->c, r.dot, r.ndot));
    return false;
}

/* True if the field may have `.name` / `[argument]` after its name, or must. */
static bool shape_fits(enum field_arg arg, bool dot, bool bracket)
{
    static const struct {
        bool dot, bracket, required;
    } shapes[] = {
        [ARG_NONE] = {0, 0, 0},     [ARG_INDEX_OPT] = {0, 1, 0},     [ARG_TEXT_OPT] = {0, 1, 0},
        [ARG_TEXT] = {0, 1, 1},     [ARG_NAME_OR_INDEX] = {1, 1, 0}, [ARG_NAME] = {1, 0, 0},
        [ARG_NAME_OPT] = {1, 0, 0}, [ARG_INDEX_OR_TEXT] = {0, 1, 0}, [ARG_NAME_OR_TEXT] = {1, 1, 1},
        [ARG_TIME] = {0, 1, 1},
    };
    return (!dot || shapes[arg].dot) && (!bracket || shapes[arg].bracket) && !(dot && bracket) &&
           (!shapes[arg].required || dot || bracket);
}

static bool is_word(struct rest r, const char *word)
{
    return r.ndot == strlen(word) && !memcmp(r.dot, word, r.ndot);
}

static bool bind_argument(struct typer *t, struct operand *o, struct rest r)
{
    enum field_arg arg = catalog_field(o->field)->arg;
    if (!shape_fits(arg, r.dot != NULL, o->has_arg)) {
        bool missing = !r.dot && !o->has_arg;
        return missing ? bad_argument(t, o, "needs an argument in brackets")
                       : argument_too_many(t, o);
    }
    if (o->field == F_evt_arg || o->field == F_evt_rawarg)
        return bind_param(t, o, r, o->field == F_evt_arg);
    if (o->field == F_evt_abspath && r.dot && !is_word(r, "src") && !is_word(r, "dst"))
        return unknown_field(t, o);
    if (r.dot)
        return bind_event_name(t, o, r);
    if (arg == ARG_NAME)
        return bad_argument(t, o, "needs a name after a dot");
    if (!o->has_arg)
        return true;
    const char *s = STR(t->c, o->arg);
    if (arg == ARG_INDEX_OPT || (arg == ARG_INDEX_OR_TEXT && all_digits(s, STRLEN(t->c, o->arg))))
        return bind_index(t, o);
    o->argname = o->arg;
    return arg != ARG_TIME || all_digits(s, STRLEN(t->c, o->arg)) ||
           bad_argument(t, o, "wants a time in nanoseconds in its brackets");
}

static bool bind_field(struct typer *t, struct operand *o)
{
    const char *name = STR(t->c, o->name);
    size_t len = STRLEN(t->c, o->name), used = 0;
    o->index = -1;
    o->argname = (str_id){0};
    o->field = catalog_field_by_name(name, len, &used);
    if (!o->field)
        return unknown_field(t, o);
    struct rest r = {0};
    if (used < len)
        r = (struct rest){name + used + 1, len - used - 1};
    if (!bind_argument(t, o, r))
        return false;
    const struct field_info *f = catalog_field(o->field);
    o->type = f->type;
    o->is_list = f->flags & FF_LIST;
    if (o->field == F_evt_rawarg)
        o->type = catalog_param_type(STR(t->c, o->argname), STRLEN(t->c, o->argname));
    if (f->flags & FF_FALCO_WARNS)
        diag(t->c, RK0315, o->at, NULL, "`%s` is deprecated: %s", f->name, f->doc);
    else if (f->flags & FF_DEPRECATED)
        diag(t->c, RK0321, o->at, NULL, "`%s` is not set any more", f->name);
    return true;
}

bool operand_bind(struct typer *t, operand_id id)
{
    struct operand *o = &t->c->operands.v[id.i];
    return o->kind == OPERAND_FIELD ? bind_field(t, o) : call_bind(t, id);
}
