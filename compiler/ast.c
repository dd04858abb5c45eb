/* SPDX-License-Identifier: Apache-2.0 */
#include "ast.h"

#include <string.h>

#include "../grammar/field.h"
#include "../grammar/parse.h"
#include "arena.h"
#include "cond.h"
#include "diag.h"
#include "hint.h"
#include "intern.h"
#include "near.h"

/*
 * Members of the groups, lists and calls that are still open wait on one stack: what is begun
 * last ends first, so that a finished one copies its members from the top to where they stay.
 */
struct build {
    struct comp *c;
    const struct text *t;
    VEC(uint32_t) stack;
    bool output;
    bool skip;    /* a mistake is a warning, and the rule is left out */
    bool unknown; /* there was one */
};

static span_id place(struct parse *p, struct range at)
{
    return text_span(p->build->c, p->build->t, at.off, at.end > at.off ? at.end - at.off : 0);
}

static str_id word(struct parse *p, struct range at)
{
    return intern_put(p->build->c->intern, p->text + at.off, at.end - at.off);
}

static const char *shown(struct parse *p, struct range at)
{
    return diag_word(p->build->c, p->text + at.off, at.end - at.off);
}

/* ---- mistakes ---- */

static const char *const expected[] = {
    [LEX_TEST] = "a test, a macro or `(`",
    [LEX_OPERATOR] = "an operator",
    [LEX_NUMBER] = "a number without quotes",
    [LEX_VALUE] = "a constant",
    [LEX_LIST] = "a list in parentheses",
    [LEX_MEMBER] = "constants with commas between them, and `)`",
    [LEX_ARG] = "fields or quoted strings with commas between them, and `)`",
    [LEX_AFTER] = "`and`, `or` or the end",
    [LEX_TEMPLATE] = "text",
    [LEX_FIELD] = "a field",
};

static void mistake(struct parse *p, enum diag_code code, struct range at, const char *hint,
                    const char *text)
{
    struct comp *c = p->build->c;
    p->build->unknown = p->build->skip;
    diag(c, p->build->skip ? RK0242 : code, place(p, at), hint,
         p->build->skip ? "the rule is left out: %s" : "%s", text);
}

static void unexpected(struct parse *p, struct range at)
{
    struct arena *a = p->build->c->arena;
    enum diag_code code = p->build->output ? RK0240 : RK0230;
    const char *want = expected[p->at_mode];
    if (p->at_mode == LEX_AFTER && p->depth)
        want = "`and`, `or` or `)`";
    const char *hint = hint_unexpected(p->at_mode, p->text, p->len, at.off);
    if (at.off >= p->len) {
        at.off = p->len ? p->len - 1 : 0;
        at.end = p->len;
        mistake(p, code, at, hint, arena_printf(a, "expected %s, but the text ends", want));
        return;
    }
    mistake(p, code, at, hint, arena_printf(a, "expected %s, found `%s`", want, shown(p, at)));
}

static void unknown_operator(struct parse *p, struct range at)
{
    struct comp *c = p->build->c;
    mistake(p, RK0231, at, hint_operator(c, p->text + at.off, at.end - at.off),
            arena_printf(c->arena, "unknown operator `%s`", shown(p, at)));
}

static void unknown_transformer(struct parse *p, struct range at)
{
    struct comp *c = p->build->c;
    mistake(p, RK0234, at, hint_transformer(c, p->text + at.off, at.end - at.off),
            arena_printf(c->arena, "`%s` is no transformer that could stand here", shown(p, at)));
}

/* The word at `at.off` in a template; the lexer does not know where a field's name would end. */
static void unknown_field(struct parse *p, struct range at)
{
    struct comp *c = p->build->c;
    uint32_t len = (uint32_t)lex_field_length(p->text + at.off, p->len - at.off);
    len = len ? len : at.end - at.off;
    at.end = at.off + len;
    const char *near = len < 100 ? catalog_near(NEAR_FIELD, p->text + at.off, len) : NULL;
    mistake(p, RK0241, at, near_hint(c, near),
            arena_printf(c->arena, "unknown field `%s` in the output", shown(p, at)));
}

/* To Falco what follows is an unknown field; only behind a `%` at the very end, or behind its
 * width, there is nothing. */
static void no_field(struct parse *p, struct range at)
{
    uint32_t end = at.off + 1;
    while (end < p->len && p->text[end] >= '0' && p->text[end] <= '9')
        end++;
    p->build->skip = p->build->skip && end < p->len;
    bool word = (p->text[end] | 32) >= 'a' && (p->text[end] | 32) <= 'z';
    mistake(p, RK0240, at,
            word ? "a field's name has a dot in it: %proc.name"
                 : "there is no way to write a percent sign",
            "`%` is not followed by a field");
}

void mk_error(struct parse *p, enum parse_error what, struct range at)
{
    struct comp *c = p->build->c;
    enum diag_code syntax = p->build->output ? RK0240 : RK0230;
    if (p->failed)
        return;
    p->failed = true;
    switch (what) {
    case PARSE_UNEXPECTED:
        unexpected(p, at);
        break;
    case PARSE_OPERATOR:
        unknown_operator(p, at);
        break;
    case PARSE_BLANK:
        mistake(p, syntax, at, NULL,
                arena_printf(c->arena, "`%s` needs a blank behind it", shown(p, at)));
        break;
    case PARSE_DEPTH:
        mistake(p, RK0232, at, NULL,
                arena_printf(c->arena, "more than %u parentheses are open here", NESTING_MAX));
        break;
    case PARSE_STRING:
        at.end = at.off + 1;
        mistake(p, RK0233, at, NULL, "this quoted string does not end");
        break;
    case PARSE_TRANSFORMER:
        unknown_transformer(p, at);
        break;
    case PARSE_NUL:
        mistake(p, syntax, at, NULL, "a NUL byte stands here");
        break;
    case PARSE_FIELD:
        unknown_field(p, at);
        break;
    case PARSE_PERCENT:
        no_field(p, at);
        break;
    }
}

void mk_glued(struct parse *p, struct range at)
{
    diag(p->build->c, RK0235, place(p, at), "put a blank behind the `or`",
         "Falco allows no `and` behind `or(...)`; it is read here as if a blank were there");
}

/* ---- nodes ---- */

static uint32_t add_node(struct parse *p, struct node n)
{
    struct comp *c = p->build->c;
    return VEC_PUSH(c->arena, &c->nodes, n);
}

static uint32_t push(struct parse *p, uint32_t count, uint32_t id)
{
    VEC_PUSH(p->build->c->arena, &p->build->stack, id);
    return count + 1;
}

uint32_t mk_first(struct parse *p, uint32_t node)
{
    return push(p, 0, node);
}

uint32_t mk_more(struct parse *p, uint32_t count, uint32_t node)
{
    return push(p, count, node);
}

static uint32_t group(struct parse *p, enum node_kind kind, struct range at, uint32_t count)
{
    struct comp *c = p->build->c;
    p->build->stack.n -= count;
    const uint32_t *top = p->build->stack.v + p->build->stack.n;
    if (count == 1)
        return top[0];
    uint32_t kid0 = c->kids.n;
    for (uint32_t i = 0; i < count; i++)
        VEC_PUSH(c->arena, &c->kids, (node_id){top[i]});
    return add_node(p,
                    (struct node){.kind = kind, .at = place(p, at), .kid0 = kid0, .nkid = count});
}

uint32_t mk_and(struct parse *p, struct range at, uint32_t count)
{
    return group(p, NODE_AND, at, count);
}

uint32_t mk_or(struct parse *p, struct range at, uint32_t count)
{
    return group(p, NODE_OR, at, count);
}

uint32_t mk_not(struct parse *p, struct range at, uint32_t nots, uint32_t node)
{
    struct comp *c = p->build->c;
    if (nots % 2 == 0)
        return node;
    uint32_t kid0 = VEC_PUSH(c->arena, &c->kids, (node_id){node});
    return add_node(p,
                    (struct node){.kind = NODE_NOT, .at = place(p, at), .kid0 = kid0, .nkid = 1});
}

uint32_t mk_macro(struct parse *p, struct range at)
{
    return add_node(p, (struct node){.kind = NODE_MACRO, .at = place(p, at), .name = word(p, at)});
}

uint32_t mk_test(struct parse *p, struct range at, uint32_t lhs, unsigned op, struct range op_at,
                 struct rhs rhs)
{
    return add_node(p, (struct node){
                           .kind = NODE_TEST,
                           .at = place(p, at),
                           .lhs = {lhs},
                           .rhs = {rhs.operand},
                           .op = (enum op_id)op,
                           .op_at = place(p, op_at),
                           .mod = rhs.mod,
                           .lit0 = rhs.lit0,
                           .nlit = rhs.nlit,
                       });
}

/* ---- right sides ---- */

struct rhs mk_none(void)
{
    return (struct rhs){0};
}

static struct rhs add_lit(struct parse *p, struct lit lit)
{
    struct comp *c = p->build->c;
    return (struct rhs){.lit0 = VEC_PUSH(c->arena, &c->lits, lit), .nlit = 1};
}

struct rhs mk_constant(struct parse *p, struct range at, bool number)
{
    return add_lit(p, (struct lit){.text = word(p, at), .number = number, .at = place(p, at)});
}

/* The value of the quoted string at `at`; a wrong escape is reported. */
static str_id unquote(struct parse *p, struct range at)
{
    struct comp *c = p->build->c;
    size_t bad, len = at.end - at.off;
    char *buf = arena_alloc(c->arena, len);
    int64_t n = lex_unquote(p->text + at.off, len, buf, &bad);
    if (n < 0) {
        struct range esc = {at.off + (uint32_t)bad, at.off + (uint32_t)bad + 2};
        if (!p->failed) {
            mistake(
                p, RK0233, esc, "a backslash itself is written `\\\\`",
                arena_printf(c->arena, "unknown escape `%s` in a quoted string", shown(p, esc)));
        }
        p->failed = true;
        return (str_id){0};
    }
    return intern_put(c->intern, buf, (size_t)n);
}

/* `"\\"` at the end, which Falco takes for an escaped quote, and `\ `, which loses its blank. */
static void doubtful_escapes(struct parse *p, struct range at)
{
    struct comp *c = p->build->c;
    const char *s = p->text;
    for (uint32_t i = at.off + 1; i + 2 < at.end; i++) {
        if (s[i] != '\\')
            continue;
        struct range escape = {i, i + 2};
        if (s[++i] == ' ' && i + 2 < at.end) {
            diag(c, RK0236, place(p, escape), "write `\\\\ ` for both",
                 "a backslash and a blank stand for the backslash alone");
        } else if (s[i] == '\\' && i + 2 == at.end) {
            diag(c, RK0235, place(p, escape), NULL,
                 "in Falco a quoted string cannot end in a backslash");
        }
    }
}

struct rhs mk_string(struct parse *p, struct range at)
{
    doubtful_escapes(p, at);
    return add_lit(p, (struct lit){.text = unquote(p, at), .quoted = true, .at = place(p, at)});
}

struct rhs mk_member(struct rhs list, struct rhs one)
{
    list.nlit += one.nlit;
    return list;
}

struct rhs mk_modified(unsigned mod, struct rhs list)
{
    list.mod = (enum op_modifier)mod;
    return list;
}

struct rhs mk_operand(uint32_t operand)
{
    return (struct rhs){.operand = operand};
}

/* ---- operands ---- */

static uint32_t add_operand(struct parse *p, struct operand o)
{
    struct comp *c = p->build->c;
    o.index = -1;
    return VEC_PUSH(c->arena, &c->operands, o);
}

/* `at` is the whole field, `arg` what stands between its brackets: at least one byte. */
uint32_t mk_field(struct parse *p, struct range at, struct range arg)
{
    struct range name = at;
    if (arg.end)
        name.end = at.off + (uint32_t)lex_field_length(p->text + at.off, at.end - at.off);
    struct operand o = {.kind = OPERAND_FIELD, .at = place(p, at), .name = word(p, name)};
    if (arg.end) {
        o.has_arg = true;
        o.arg = word(p, arg);
    }
    struct field_name f;
    const char *text = p->text;
    if (p->build->output && !p->failed &&
        !field_read(text + name.off, name.end - name.off, arg.end ? text + arg.off : NULL,
                    arg.end - arg.off, &f))
        mk_error(p, PARSE_FIELD, at);
    return add_operand(p, o);
}

static void take_operands(struct parse *p, struct operand *o, uint32_t count)
{
    struct comp *c = p->build->c;
    p->build->stack.n -= count;
    o->op0 = c->opkids.n;
    o->nop = count;
    for (uint32_t i = 0; i < count; i++)
        VEC_PUSH(c->arena, &c->opkids, (operand_id){p->build->stack.v[p->build->stack.n + i]});
}

uint32_t mk_call(struct parse *p, struct range at, unsigned call, uint32_t nargs, struct range arg)
{
    struct operand o = {.kind = OPERAND_CALL, .at = place(p, at), .call = (enum xform_id)call};
    o.name = intern_cstr(p->build->c->intern, xform_name(o.call));
    if (arg.end) {
        o.has_arg = true;
        o.arg = word(p, arg);
    }
    take_operands(p, &o, nargs);
    return add_operand(p, o);
}

uint32_t mk_val(struct parse *p, struct range at, uint32_t field)
{
    return mk_call(p, at, XF_VAL, mk_first_arg(p, field), (struct range){0, 0});
}

uint32_t mk_text_arg(struct parse *p, struct range at, bool quoted)
{
    return add_operand(p, (struct operand){
                              .kind = OPERAND_CALL,
                              .at = place(p, at),
                              .name = quoted ? unquote(p, at) : word(p, at),
                          });
}

uint32_t mk_list_arg(struct parse *p, struct range at, uint32_t count)
{
    struct operand o = {.kind = OPERAND_CALL, .at = place(p, at), .call = XF_LIST};
    take_operands(p, &o, count);
    return add_operand(p, o);
}

uint32_t mk_first_arg(struct parse *p, uint32_t operand)
{
    return push(p, 0, operand);
}

uint32_t mk_next_arg(struct parse *p, uint32_t count, uint32_t operand)
{
    return push(p, count, operand);
}

/* ---- output templates ---- */

static void add_piece(struct parse *p, struct piece piece)
{
    struct comp *c = p->build->c;
    VEC_PUSH(c->arena, &c->pieces, piece);
}

void mk_literal_piece(struct parse *p, struct range at)
{
    add_piece(p, (struct piece){.text = word(p, at), .at = place(p, at)});
}

void mk_field_piece(struct parse *p, struct range at, unsigned width, uint32_t operand)
{
    add_piece(p, (struct piece){
                     .is_field = true,
                     .text = word(p, at),
                     .operand = {operand},
                     .width = width,
                     .at = place(p, at),
                 });
}

/* ---- entry points ---- */

static struct parse begin(struct build *b, int start, enum lex_mode mode)
{
    return (struct parse){
        .text = b->t->bytes.v,
        .len = b->t->bytes.n,
        .cursor = (const unsigned char *)b->t->bytes.v,
        .mode = mode,
        .at_mode = mode,
        .start = start,
        .build = b,
    };
}

node_id ast_condition(struct comp *c, const struct text *t)
{
    struct build b = {.c = c, .t = t};
    struct parse p = begin(&b, TOK_CONDITION, LEX_TEST);
    bool ok = cond_parse(&p) == 0 && !p.failed;
    return (node_id){ok ? p.root : 0};
}

enum output_result ast_output(struct comp *c, const struct text *t, bool skip, uint32_t *out0,
                              uint32_t *nout)
{
    struct build b = {.c = c, .t = t, .output = true, .skip = skip};
    struct parse p = begin(&b, TOK_OUTPUT, LEX_TEMPLATE);
    /* A leading star asked an old Falco to print events that lack a value; all do by now. */
    p.cursor += p.len && p.text[0] == '*';
    *out0 = c->pieces.n;
    *nout = 0;
    if (p.cursor == (const unsigned char *)p.text + p.len)
        return OUTPUT_OK; /* a star alone */
    bool ok = cond_parse(&p) == 0 && !p.failed;
    *nout = ok ? c->pieces.n - *out0 : 0;
    return ok ? OUTPUT_OK : b.unknown ? OUTPUT_UNKNOWN : OUTPUT_BAD;
}

span_id node_place(struct comp *c, const struct node *node, span_id at)
{
    return node->use.i ? span_used(c, at, node->use, node->use_what) : at;
}
