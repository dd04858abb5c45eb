/* SPDX-License-Identifier: Apache-2.0 */
/* What transformers take, and what they give: rule-language 4.3. */
#include "arena.h"
#include "intern.h"
#include "rpk.h"
#include "type.h"

/* A kind of argument. */
enum want {
    W_TEXT,     /* one text */
    W_TEXTS,    /* a text, or a list of them: element by element */
    W_ENCODED,  /* the same, or bytes */
    W_MEASURED, /* text, bytes, or any list */
    W_LIST,     /* a list of texts */
    W_ELEMENT,  /* a text, or a number that becomes one */
};

static const char *const want_names[] = {
    [W_TEXT] = "a text",
    [W_TEXTS] = "a text or a list of texts",
    [W_ENCODED] = "text, bytes or a list of texts",
    [W_MEASURED] = "text, bytes or a list",
    [W_LIST] = "a list of texts",
    [W_ELEMENT] = "a text or a whole number of 64 bits",
};

/* The first argument, and those after it. */
static const struct {
    enum want first, others;
} wants[XF_COUNT] = {
    [XF_NONE] = {W_TEXT, W_TEXT},       [XF_TOLOWER] = {W_TEXTS, W_TEXT},
    [XF_TOUPPER] = {W_TEXTS, W_TEXT},   [XF_BASENAME] = {W_TEXTS, W_TEXT},
    [XF_B64] = {W_ENCODED, W_TEXT},     [XF_LEN] = {W_MEASURED, W_TEXT},
    [XF_CONCAT] = {W_TEXT, W_TEXT},     [XF_JOIN] = {W_TEXT, W_LIST},
    [XF_GETOPT] = {W_LIST, W_TEXT},     [XF_VAL] = {W_MEASURED, W_TEXT},
    [XF_LIST] = {W_ELEMENT, W_ELEMENT},
};

static const char *shown_name(enum xform_id id)
{
    return id == XF_LIST ? "a list in parentheses" : xform_name(id);
}

static bool wrong(struct typer *t, span_id at, const char *text)
{
    if (t->in_output && t->rule->skip_if_unknown) {
        diag(t->c, RK0242, at, NULL, "rule `%s` is left out: %s", STR(t->c, t->rule->name), text);
        t->rule->dropped = true;
        t->skipped = true;
        return false;
    }
    diag(t->c, RK0310, at, NULL, "%s", text);
    t->rule->failed = true;
    return false;
}

static bool accepts(enum want want, const struct operand *o)
{
    enum base_type base = catalog_type(o->type)->base;
    bool text = base == BASE_TEXT, bytes = base == BASE_BYTES;
    switch (want) {
    case W_TEXT:
        return text && !o->is_list;
    case W_TEXTS:
        return text;
    case W_ENCODED:
        return text || (bytes && !o->is_list);
    case W_MEASURED:
        return text || bytes || o->is_list;
    case W_LIST:
        return text && o->is_list;
    case W_ELEMENT: /* of other numbers Falco takes the bytes in memory */
        return (text && !o->is_list) ||
               (o->kind == OPERAND_FIELD &&
                (o->type == T_INT64 || o->type == T_UINT64 || o->type == T_PID));
    }
    return false;
}

/* What gathers several values takes those of one ancestor, which no other transformer does. */
static bool can_stand(const struct operand *call, const struct operand *o)
{
    uint32_t flags = catalog_field(o->field)->flags;
    bool gathers = call->call == XF_CONCAT || call->call == XF_JOIN || call->call == XF_GETOPT ||
                   call->call == XF_LIST;
    return !(flags & FF_NO_TRANSFORMER) || (gathers && flags & FF_ANCESTOR && o->index >= 0);
}

static bool bind_argument(struct typer *t, const struct operand *call, uint32_t i)
{
    operand_id id = t->c->opkids.v[call->op0 + i];
    if (!operand_bind(t, id))
        return false;
    const struct operand *o = &t->c->operands.v[id.i];
    const char *name = shown_name(call->call);
    if (o->kind == OPERAND_FIELD) {
        if (!can_stand(call, o)) {
            return wrong(
                t, o->at,
                arena_printf(t->c->arena, "`%s` cannot be transformed", STR(t->c, o->name)));
        }
        if ((o->field == F_evt_type || o->field == F_syscall_type) && !t->in_output) {
            return wrong(t, o->at,
                         "the event's type cannot be transformed: it is known before "
                         "any field");
        }
    }
    enum want want = i ? wants[call->call].others : wants[call->call].first;
    return accepts(want, o) ||
           wrong(t, o->at,
                 arena_printf(t->c->arena, "`%s` takes %s here; this is %s%s", name,
                              want_names[want], o->is_list ? "a list of type " : "of type ",
                              catalog_type(o->type)->name));
}

static bool bind_bracket(struct typer *t, const struct operand *o)
{
    if (o->has_arg && STRLEN(t->c, o->arg) != 1)
        return wrong(t, o->at, "the option in the brackets behind `getopt` is one character");
    return true;
}

/* Steps to evaluate the call, and how deeply it nests: a bundle bounds both. */
static uint32_t measure(const struct comp *c, operand_id id, uint32_t *depth)
{
    const struct operand *o = &c->operands.v[id.i];
    uint32_t steps = 1, deepest = 0;
    for (uint32_t i = 0; o->kind == OPERAND_CALL && i < o->nop; i++) {
        uint32_t below;
        steps += measure(c, c->opkids.v[o->op0 + i], &below);
        deepest = below + 1 > deepest ? below + 1 : deepest;
    }
    *depth = deepest;
    return steps;
}

static bool bind_size(struct typer *t, operand_id id)
{
    uint32_t depth, steps = measure(t->c, id, &depth);
    if (depth <= RPK_REF_DEPTH && steps <= RPK_REF_BUDGET)
        return true;
    return wrong(t, t->c->operands.v[id.i].at,
                 arena_printf(t->c->arena, "transformers may nest %d deep, over %d values in all",
                              RPK_REF_DEPTH, RPK_REF_BUDGET));
}

static bool bind_count(struct typer *t, const struct operand *o)
{
    unsigned min = xform_min_args(o->call), max = xform_max_args(o->call);
    const char *many = min == max ? "" : o->nop < min ? "at least " : "at most ";
    unsigned limit = o->nop < min ? min : max;
    if (o->nop >= min && o->nop <= max)
        return true;
    return wrong(t, o->at,
                 arena_printf(t->c->arena, "`%s` takes %s%u argument%s, not %u",
                              shown_name(o->call), many, limit, limit == 1 ? "" : "s", o->nop));
}

bool call_bind(struct typer *t, operand_id id)
{
    const struct operand o = t->c->operands.v[id.i];
    if (o.call != XF_NONE && !bind_count(t, &o))
        return false;
    for (uint32_t i = 0; i < o.nop; i++)
        if (!bind_argument(t, &o, i))
            return false;
    /* Of a call without arguments: of no type, and no list. */
    const struct operand first =
        o.nop ? t->c->operands.v[t->c->opkids.v[o.op0].i] : (struct operand){0};
    bool through =
        o.call == XF_TOLOWER || o.call == XF_TOUPPER || o.call == XF_BASENAME || o.call == XF_B64;
    bool list =
        o.call == XF_LIST || (o.call == XF_GETOPT && !o.has_arg) || (through && first.is_list);
    struct operand *out = &t->c->operands.v[id.i];
    out->type = o.call == XF_LEN ? T_UINT64 : o.call == XF_B64 ? first.type : T_CHARBUF;
    out->type = catalog_type(out->type)->base == BASE_TEXT ? T_CHARBUF : out->type;
    out->is_list = list;
    out->index = -1;
    return bind_bracket(t, &o) && bind_size(t, id);
}
