/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions and output templates: text -> calls of the builder.
 *
 * lex.re and cond.y know the language's form and nothing else. Every action of the grammar is one
 * mk_*() call; compiler/ast.c defines them and gives ids (0: poison) for what it made. Places are
 * ranges of the text that is parsed. Nothing here is global: all state is in `struct parse`.
 *
 * The language has no lexer of its own: a token is what fits where it stands (`and` is a constant
 * after `=`). So the lexer keeps a mode, set by the tokens before, never by the parser.
 */
#ifndef RULEC_PARSE_H
#define RULEC_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog.h"
#include "transform.h"

struct comp;
struct text;

/* Pairs of parentheses around a test: 198 pass in Falco, 199 do not. Calls and lists count too. */
#define NESTING_MAX 198u

struct range {
    uint32_t off, end;
};

enum lex_mode {
    LEX_TEST,     /* a test, a macro, `not` or a parenthesis */
    LEX_OPERATOR, /* after the left operand */
    LEX_NUMBER,   /* after < <= > >= */
    LEX_VALUE,    /* after = contains ...: a constant, or a modifier */
    LEX_LIST,     /* after in, pmatch, intersects or a modifier */
    LEX_MEMBER,   /* inside a list */
    LEX_ARG,      /* inside a transformer's parentheses */
    LEX_AFTER,    /* after a whole test: and, or, ) */
    LEX_TEMPLATE, /* output: text and % */
    LEX_FIELD,    /* output: after % and the width */
};

/* The right side of a test. */
struct rhs {
    uint32_t operand; /* a field or a transformer; 0: constants */
    uint32_t lit0, nlit;
    enum op_modifier mod;
};

struct parse {
    const char *text; /* a NUL follows the last byte */
    uint32_t len;
    const unsigned char *cursor;
    enum lex_mode mode;
    enum lex_mode at_mode;    /* the mode in which the last token was read */
    enum lex_mode after_call; /* where a transformer leads to: an operator, or the end of a test */
    bool modified;            /* a modifier stood before this list */
    bool tight;               /* nothing stood between the last two tokens */
    bool glued;               /* the last token was `or` without a blank behind it */
    bool closed_glued;        /* the last token closed a parenthesis that such an `or` opened */
    int start;                /* token to send first: what is to be parsed; 0 once sent */
    uint32_t depth;           /* open parentheses of conditions */
    uint32_t calls;           /* open parentheses of transformers and their lists */
    uint8_t call_open[NESTING_MAX + 1]; /* by depth: enum xform_id; XF_LIST: no transformer's */
    bool or_open[NESTING_MAX + 1];      /* by depth: `or(` opened it */
    bool failed;                        /* reported: one error per text is enough */
    uint32_t root;                      /* the condition */
    struct build *build;                /* ast.c's */
};

/* ---- lex.re ---- */

union COND_STYPE;
int cond_lex(union COND_STYPE *value, struct range *at, struct parse *p);
/* Bytes of the field's name at `s`: words joined by dots. */
size_t lex_field_length(const char *s, size_t len);
/* Bytes of `[argument]` at `s`, 0 if there is none; `*arg` is what is inside, without quotes. */
size_t lex_bracket_length(const char *s, size_t len, struct range *arg);
/*
 * The value of a quoted string, its quotes included in `s`. Writes at most len bytes; the length,
 * or -1 with the offset of the wrong escape in `*bad`.
 */
int64_t lex_unquote(const char *s, size_t len, char *out, size_t *bad);

/* ---- cond.y ---- */

/*
 * int cond_parse(struct parse *p), which bison declares in cond.h.
 * 0: parsed; else an error has been reported through mk_error().
 */

/* ---- ast.c, the builder ---- */

enum parse_error {
    PARSE_UNEXPECTED, /* the grammar wanted something else; p->at_mode tells what */
    PARSE_OPERATOR,   /* unknown operator */
    PARSE_BLANK,      /* an operator or keyword lacks the blank behind it */
    PARSE_DEPTH,
    PARSE_STRING, /* a quoted string does not end */
    PARSE_TRANSFORMER,
    PARSE_NUL,
    PARSE_FIELD,   /* output: no such field */
    PARSE_PERCENT, /* output: no field behind % */
};
void mk_error(struct parse *p, enum parse_error what, struct range at);
/* `or(x) and`, where Falco allows no `and`; `at` is the `and`. */
void mk_glued(struct parse *p, struct range at);

uint32_t mk_first(struct parse *p, uint32_t node);                /* 1: members so far */
uint32_t mk_more(struct parse *p, uint32_t count, uint32_t node); /* count + 1 */
uint32_t mk_and(struct parse *p, struct range at, uint32_t count);
uint32_t mk_or(struct parse *p, struct range at, uint32_t count);
uint32_t mk_not(struct parse *p, struct range at, uint32_t nots, uint32_t node);
uint32_t mk_macro(struct parse *p, struct range at);
uint32_t mk_test(struct parse *p, struct range at, uint32_t lhs, unsigned op, struct range op_at,
                 struct rhs rhs);
struct rhs mk_none(void);
struct rhs mk_constant(struct parse *p, struct range at, bool number);
struct rhs mk_string(struct parse *p, struct range at);
struct rhs mk_member(struct rhs list, struct rhs one); /* constants are made in order */
struct rhs mk_modified(unsigned mod, struct rhs list);
struct rhs mk_operand(uint32_t operand);
uint32_t mk_field(struct parse *p, struct range at, struct range arg);
uint32_t mk_call(struct parse *p, struct range at, unsigned call, uint32_t nargs, struct range arg);
uint32_t mk_val(struct parse *p, struct range at, uint32_t field);
uint32_t mk_text_arg(struct parse *p, struct range at, bool quoted);
uint32_t mk_list_arg(struct parse *p, struct range at, uint32_t count);
uint32_t mk_first_arg(struct parse *p, uint32_t operand);
uint32_t mk_next_arg(struct parse *p, uint32_t count, uint32_t operand);
void mk_literal_piece(struct parse *p, struct range at);
void mk_field_piece(struct parse *p, struct range at, unsigned width, uint32_t operand);

#endif
