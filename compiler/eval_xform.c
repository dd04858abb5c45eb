/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers, as rule-language 4.3 has them: the reference. */
#include "eval_tree.h"

#include <string.h>

#include "arena.h"
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

static int sextet(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52;
    return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

/* Padding is optional, but where it stands it must complete the last group. */
static struct tree_value b64(struct tree *t, str_id s)
{
    const char *in = STR(t->c, s);
    size_t n = STRLEN(t->c, s), pad = 0, len = 0;
    char *out = arena_alloc(t->c->arena, n + 1);
    while (pad < 2 && n && n + pad && in[n - 1] == '=' && (n + pad) % 4 == 0)
        n--, pad++;
    if (n % 4 == 1)
        return none(FACT_ABSENT);
    uint32_t acc = 0;
    for (size_t i = 0; i < n; i++) {
        int v = sextet(in[i]);
        if (v < 0)
            return none(FACT_ABSENT);
        acc = acc << 6 | (uint32_t)v;
        if (i % 4 != 0)
            out[len++] = (char)(acc >> (6 - 2 * (i % 4)));
    }
    return text(t, out, len);
}

static struct tree_value one_text(struct tree *t, enum xform_id call, str_id s)
{
    if (call == XF_TOLOWER || call == XF_TOUPPER)
        return change_case(t, s, call == XF_TOUPPER);
    return call == XF_BASENAME ? base_name(t, s) : b64(t, s);
}

/* A list goes through element by element. */
static struct tree_value of_text(struct tree *t, enum xform_id call, struct tree_value v)
{
    if (v.state != FACT_PRESENT)
        return none(v.state);
    if (!v.is_list)
        return one_text(t, call, v.text);
    str_id *out = arena_alloc(t->c->arena, (v.nlist + 1) * sizeof *out);
    for (uint32_t i = 0; i < v.nlist; i++)
        out[i] = one_text(t, call, v.list[i]).text;
    v.list = out;
    return v;
}

static struct tree_value length(struct tree *t, struct tree_value v)
{
    if (v.state != FACT_PRESENT)
        return none(v.state);
    return number(v.is_list ? (int64_t)v.nlist : (int64_t)STRLEN(t->c, v.text));
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

/* A list in parentheses: absent or unknown as soon as one element is. */
static struct tree_value list_of(struct tree *t, const struct operand *o)
{
    struct tree_value out = {.state = FACT_PRESENT, .is_list = true, .nlist = o->nop};
    str_id *v = arena_alloc(t->c->arena, (o->nop + 1) * sizeof *v);
    for (uint32_t i = 0; i < o->nop; i++) {
        struct tree_value e = argument(t, o, i);
        if (e.state == FACT_ABSENT)
            return none(FACT_ABSENT);
        if (e.state == FACT_UNKNOWN)
            out.state = FACT_UNKNOWN;
        v[i] = e.text;
    }
    out.list = v;
    return out;
}

/* getopt(3) on short options, without permutation. */
static struct tree_value getopt_of(struct tree *t, const struct operand *o)
{
    struct tree_value args = argument(t, o, 0), opts = argument(t, o, 1);
    if (args.state != FACT_PRESENT || opts.state != FACT_PRESENT)
        return none(args.state != FACT_PRESENT ? args.state : opts.state);
    size_t most = 1;
    for (uint32_t i = 0; i < args.nlist; i++)
        most += STRLEN(t->c, args.list[i]) * 2;
    struct tree_value out = {.state = FACT_PRESENT, .is_list = true};
    str_id *v = arena_alloc(t->c->arena, most * sizeof *v);
    for (uint32_t i = 0; i < args.nlist; i++) {
        const char *a = STR(t->c, args.list[i]);
        if (!strcmp(a, "--") || a[0] != '-' || !a[1])
            break;
        for (a += a[1] == '-' ? strlen(a) : 1; *a; a++) {
            const char *known = *a == ':' ? NULL : strchr(STR(t->c, opts.text), *a);
            v[out.nlist++] = text(t, known ? a : "?", 1).text;
            if (!known || known[1] != ':')
                continue;
            const char *value = a[1] ? a + 1 : i + 1 < args.nlist ? STR(t->c, args.list[++i]) : "";
            v[out.nlist++] = text(t, value, strlen(value)).text;
            break;
        }
    }
    out.list = v;
    return out;
}

struct tree_value tree_operand(struct tree *t, operand_id id)
{
    const struct operand *o = &t->c->operands.v[id.i];
    if (o->kind == OPERAND_FIELD)
        return tree_field(t, (struct field_ref){o->field, o->index, o->argname});
    switch (o->call) {
    case XF_NONE:
        return o->nop ? list_of(t, o) : (struct tree_value){.state = FACT_PRESENT, .text = o->name};
    case XF_VAL:
        return argument(t, o, 0);
    case XF_TOLOWER:
    case XF_TOUPPER:
    case XF_BASENAME:
    case XF_B64:
        return of_text(t, o->call, argument(t, o, 0));
    case XF_LEN:
        return length(t, argument(t, o, 0));
    case XF_CONCAT:
        return concat(t, o);
    case XF_JOIN:
        return join(t, o);
    case XF_GETOPT:
        return getopt_of(t, o);
    }
    return none(FACT_ABSENT);
}
