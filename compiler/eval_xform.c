/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers, as rule-language 4.3 has them: the reference. */
#include "eval_tree.h"

#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "base64.h"
#include "intern.h"

struct tree_value tree_field(struct tree *t, struct field_ref f)
{
    struct fact v = event_fact(t->c, t->e, f);
    struct tree_value out = {.state = v.state,
                             .is_num = v.kind == VAL_NUM,
                             .is_list = v.is_list,
                             .num = v.num,
                             .text = v.text};
    if (v.is_list) {
        out.list = t->e->list.v + v.list0;
        out.nlist = v.nlist;
    }
    return out;
}

static struct tree_value none(enum fact_state state)
{
    return (struct tree_value){.state = state};
}

static struct tree_value text(struct tree *t, const char *s, size_t len)
{
    return (struct tree_value){.state = FACT_PRESENT, .text = intern_put(t->c->intern, s, len)};
}

static struct tree_value number(int64_t n)
{
    return (struct tree_value){.state = FACT_PRESENT, .is_num = true, .num = n};
}

/* ---- of one text ---- */

static struct tree_value change_case(struct tree *t, str_id s, bool upper)
{
    size_t n = STRLEN(t->c, s);
    char *out = arena_alloc(t->c->arena, n + 1);
    for (size_t i = 0; i < n; i++) {
        char ch = STR(t->c, s)[i];
        if (upper ? ch >= 'a' && ch <= 'z' : ch >= 'A' && ch <= 'Z')
            ch = (char)(ch ^ 0x20);
        out[i] = ch;
    }
    return text(t, out, n);
}

static struct tree_value base_name(struct tree *t, str_id s)
{
    const char *slash = strrchr(STR(t->c, s), '/');
    const char *from = slash ? slash + 1 : STR(t->c, s);
    return text(t, from, strlen(from));
}

static struct tree_value b64(struct tree *t, str_id s, bool bytes)
{
    char *out = arena_alloc(t->c->arena, STRLEN(t->c, s) + 1);
    int64_t n = base64_decode(STR(t->c, s), STRLEN(t->c, s), out);
    if (n < 0)
        return none(FACT_ABSENT);
    /* A text ends at its first NUL. */
    return text(t, out, bytes ? (size_t)n : strnlen(out, (size_t)n));
}

static struct tree_value one_text(struct tree *t, const struct operand *o, str_id s)
{
    if (o->call == XF_TOLOWER || o->call == XF_TOUPPER)
        return change_case(t, s, o->call == XF_TOUPPER);
    return o->call == XF_BASENAME ? base_name(t, s) : b64(t, s, o->type == T_BYTEBUF);
}

/* A list goes through element by element; it is absent if one of them is. */
static struct tree_value of_text(struct tree *t, const struct operand *o, struct tree_value v)
{
    if (v.state != FACT_PRESENT)
        return none(v.state);
    if (!v.is_list)
        return one_text(t, o, v.text);
    str_id *out = arena_alloc(t->c->arena, (v.nlist + 1) * sizeof(*out));
    for (uint32_t i = 0; i < v.nlist; i++) {
        struct tree_value one = one_text(t, o, v.list[i]);
        if (one.state != FACT_PRESENT)
            return none(one.state);
        out[i] = one.text;
    }
    v.list = out;
    return v;
}

static struct tree_value length(struct tree *t, struct tree_value v, bool bytes)
{
    size_t n = STRLEN(t->c, v.text);
    if (v.state != FACT_PRESENT)
        return none(v.state);
    if (v.is_list)
        return number(v.nlist);
    return number((int64_t)(bytes ? n : strnlen(STR(t->c, v.text), n)));
}

/* ---- of several ---- */

static struct tree_value argument(struct tree *t, const struct operand *o, uint32_t i)
{
    return tree_operand(t, t->c->opkids.v[o->op0 + i]);
}

static struct tree_value concat(struct tree *t, const struct operand *o)
{
    const char *sofar = "";
    bool unknown = false;
    for (uint32_t i = 0; i < o->nop; i++) {
        struct tree_value v = argument(t, o, i);
        if (v.state == FACT_ABSENT)
            return none(FACT_ABSENT);
        unknown |= v.state == FACT_UNKNOWN;
        if (v.state == FACT_PRESENT)
            sofar = arena_printf(t->c->arena, "%s%s", sofar, STR(t->c, v.text));
    }
    return unknown ? none(FACT_UNKNOWN) : text(t, sofar, strlen(sofar));
}

static struct tree_value join(struct tree *t, const struct operand *o)
{
    struct tree_value sep = argument(t, o, 0), list = argument(t, o, 1);
    const char *sofar = "";
    if (sep.state == FACT_ABSENT || list.state == FACT_ABSENT)
        return none(FACT_ABSENT);
    if (sep.state == FACT_UNKNOWN || list.state == FACT_UNKNOWN)
        return none(FACT_UNKNOWN);
    for (uint32_t i = 0; i < list.nlist; i++)
        sofar = arena_printf(t->c->arena, "%s%s%s", sofar, i ? STR(t->c, sep.text) : "",
                             STR(t->c, list.list[i]));
    return text(t, sofar, strlen(sofar));
}

/* A number in a list is its decimal text: outputs show no field of 64 bits otherwise. */
static str_id shown_number(struct tree *t, const struct operand *o, int64_t n)
{
    char buf[24];
    bool is_signed = catalog_type(o->type)->base == BASE_INT;
    snprintf(buf, sizeof(buf), is_signed ? "%lld" : "%llu", (long long)n);
    return intern_cstr(t->c->intern, buf);
}

/* A list in parentheses: absent or unknown as soon as one element is. */
static struct tree_value list_of(struct tree *t, const struct operand *o)
{
    struct tree_value out = {.state = FACT_PRESENT, .is_list = true, .nlist = o->nop};
    str_id *v = arena_alloc(t->c->arena, (o->nop + 1) * sizeof(*v));
    for (uint32_t i = 0; i < o->nop; i++) {
        struct tree_value e = argument(t, o, i);
        if (e.state == FACT_ABSENT)
            return none(FACT_ABSENT);
        if (e.state == FACT_UNKNOWN)
            out.state = FACT_UNKNOWN;
        v[i] = e.is_num ? shown_number(t, &t->c->operands.v[t->c->opkids.v[o->op0 + i].i], e.num)
                        : e.text;
    }
    out.list = v;
    return out;
}

/* ---- getopt(3) on short options, without permutation ---- */

struct option {
    char letter; /* `?`: not known */
    bool takes;
    const char *value;
};
struct options {
    VEC(struct option) v;
};

/* The letters of one argument; takes the argument behind it as a value if one is wanted. */
static void letters(struct tree *t, const char *a, const char *known, const char *next,
                    bool *took_next, struct options *out)
{
    *took_next = false;
    for (; *a; a++) {
        const char *at = *a == ':' ? NULL : strchr(known, *a);
        struct option o = {.letter = at ? *a : '?', .takes = at && at[1] == ':', .value = ""};
        if (o.takes) {
            *took_next = !a[1] && next;
            o.value = a[1] ? a + 1 : next ? next : "";
        }
        VEC_PUSH(t->c->arena, &out->v, o);
        if (o.takes)
            return;
    }
}

static struct options options_of(struct tree *t, struct tree_value args, const char *known)
{
    struct options out = {0};
    bool took = false;
    for (uint32_t i = 0; i < args.nlist; i += 1 + took) {
        const char *a = STR(t->c, args.list[i]);
        const char *next = i + 1 < args.nlist ? STR(t->c, args.list[i + 1]) : NULL;
        took = false;
        if (a[0] != '-' || !a[1] || !strcmp(a, "--"))
            break;
        if (a[1] != '-')
            letters(t, a + 1, known, next, &took, &out);
    }
    return out;
}

static struct tree_value last_option(struct tree *t, struct options all, char letter)
{
    for (uint32_t i = all.v.n; i--;) {
        const struct option *o = &all.v.v[i];
        if (o->letter == letter)
            return o->takes ? text(t, o->value, strlen(o->value)) : text(t, &letter, 1);
    }
    return none(FACT_ABSENT);
}

static struct tree_value getopt_of(struct tree *t, const struct operand *o)
{
    struct tree_value args = argument(t, o, 0), known = argument(t, o, 1);
    if (args.state == FACT_ABSENT || known.state == FACT_ABSENT)
        return none(FACT_ABSENT);
    if (args.state == FACT_UNKNOWN || known.state == FACT_UNKNOWN)
        return none(FACT_UNKNOWN);
    struct options all = options_of(t, args, STR(t->c, known.text));
    if (o->has_arg)
        return last_option(t, all, STR(t->c, o->arg)[0]);
    struct tree_value out = {.state = FACT_PRESENT, .is_list = true};
    str_id *v = arena_alloc(t->c->arena, (2 * (size_t)all.v.n + 1) * sizeof(*v));
    for (uint32_t i = 0; i < all.v.n; i++) {
        const struct option *one = &all.v.v[i];
        v[out.nlist++] = text(t, &one->letter, 1).text;
        if (one->takes)
            v[out.nlist++] = text(t, one->value, strlen(one->value)).text;
    }
    out.list = v;
    return out;
}

struct tree_value tree_operand(struct tree *t, operand_id id)
{
    const struct operand *o = &t->c->operands.v[id.i];
    if (o->kind == OPERAND_FIELD)
        return tree_field(t, (struct field_ref){o->field, o->index, o->argname});
    const struct operand *first = o->nop ? &t->c->operands.v[t->c->opkids.v[o->op0].i] : NULL;
    switch (o->call) {
    case XF_NONE:
        return (struct tree_value){.state = FACT_PRESENT, .text = o->name};
    case XF_LIST:
        return list_of(t, o);
    case XF_VAL:
        return argument(t, o, 0);
    case XF_TOLOWER:
    case XF_TOUPPER:
    case XF_BASENAME:
    case XF_B64:
        return of_text(t, o, argument(t, o, 0));
    case XF_LEN:
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the type pass gave it an operand
        return length(t, argument(t, o, 0), first->type == T_BYTEBUF);
    case XF_CONCAT:
        return concat(t, o);
    case XF_JOIN:
        return join(t, o);
    case XF_GETOPT:
        return getopt_of(t, o);
    case XF_COUNT:
        break;
    }
    return none(FACT_ABSENT);
}
