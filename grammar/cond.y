/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of conditions and of output templates: which of the two, the first token says (it
 * is the caller's, see struct parse). They share fields and transformers.
 */
%{
#include "parse.h"

#include <string.h>

/* Nothing recurses but parentheses, and the lexer counts them: this depth is never reached. */
#define YYINITDEPTH 2048
#define YYMAXDEPTH 2048

#define YYLLOC_DEFAULT(cur, rhs, n)                                                                \
    do {                                                                                           \
        (cur).off = (n) ? YYRHSLOC(rhs, 1).off : YYRHSLOC(rhs, 0).end;                             \
        (cur).end = YYRHSLOC(rhs, n).end;                                                          \
    } while (0)
%}

%define api.prefix {cond_}
%define api.pure full
%define api.location.type {struct range}
%define api.token.prefix {TOK_}
%locations
%param {struct parse *p}

%code requires {
#include "parse.h"
}

%code {
static void cond_error(struct range *at, struct parse *p, const char *text);
}

%union {
    uint32_t id;       /* a node, an operand, or a count */
    unsigned num;      /* an operator, a modifier, a transformer, a width */
    struct range arg;  /* what stands in brackets; end 0: none */
    struct rhs rhs;
}

%token CONDITION OUTPUT
%token AND OR NOT LPAR RPAR COMMA VAL WORD STRING BARE NUMBER TEXT
%token <arg> FIELD CLOSE
%token <num> UNARY NUMERIC STRINGOP LISTOP MODIFIER CALL PERCENT
%type <id> ors or_list ands and_list negated nots primary operand field call args arg items item
%type <rhs> number value list_side list members constant rhs

%%

start: CONDITION ors                 { p->root = $2; }
     | OUTPUT template
     ;

ors: or_list                         { $$ = mk_or(p, @$, $1); }
   ;
or_list: ands                        { $$ = mk_first(p, $1); }
       | or_list OR ands             { $$ = mk_more(p, $1, $3); }
       ;
ands: and_list                       { $$ = mk_and(p, @$, $1); }
    ;
and_list: negated                    { $$ = mk_first(p, $1); }
        | and_list AND negated       { $$ = mk_more(p, $1, $3); }
        ;
negated: primary
       | nots primary                { $$ = mk_not(p, @$, $1, $2); }
       ;
nots: NOT                            { $$ = 1; }
    | nots NOT                       { $$ = $1 + 1; }
    ;
primary: LPAR ors RPAR               { $$ = $2; }
       | WORD                        { $$ = mk_macro(p, @1); }
       | operand UNARY               { $$ = mk_test(p, @$, $1, $2, @2, mk_none()); }
       | operand NUMERIC number      { $$ = mk_test(p, @$, $1, $2, @2, $3); }
       | operand STRINGOP value      { $$ = mk_test(p, @$, $1, $2, @2, $3); }
       | operand LISTOP list_side    { $$ = mk_test(p, @$, $1, $2, @2, $3); }
       ;

number: NUMBER                       { $$ = mk_constant(p, @1, true); }
      | rhs
      ;
value: constant
     | MODIFIER list                 { $$ = mk_modified($1, $2); }
     | rhs
     ;
list_side: list
         | rhs
         ;
list: LPAR RPAR                      { $$ = mk_none(); }
    | LPAR members RPAR              { $$ = $2; }
    | WORD                           { $$ = mk_constant(p, @1, false); }
    ;
members: constant
       | members COMMA constant      { $$ = mk_member($1, $3); }
       ;
constant: STRING                     { $$ = mk_string(p, @1); }
        | BARE                       { $$ = mk_constant(p, @1, false); }
        ;
rhs: VAL field CLOSE                 { $$ = mk_operand(mk_val(p, @$, $2)); }
   | call                            { $$ = mk_operand($1); }
   ;

operand: field
       | call
       ;
field: FIELD                         { $$ = mk_field(p, @1, $1); }
     ;
call: CALL CLOSE                     { $$ = mk_call(p, @$, $1, 0, $2); }
    | CALL args CLOSE                { $$ = mk_call(p, @$, $1, $2, $3); }
    ;
args: arg                            { $$ = mk_first_arg(p, $1); }
    | args COMMA arg                 { $$ = mk_next_arg(p, $1, $3); }
    ;
arg: item
   | LPAR RPAR                       { $$ = mk_list_arg(p, @$, 0); }
   | LPAR items RPAR                 { $$ = mk_list_arg(p, @$, $2); }
   ;
items: item                          { $$ = mk_first_arg(p, $1); }
     | items COMMA item              { $$ = mk_next_arg(p, $1, $3); }
     ;
item: operand
    | STRING                         { $$ = mk_text_arg(p, @1, true); }
    | NUMBER                         { $$ = mk_text_arg(p, @1, false); }
    ;

template: %empty
        | template TEXT              { mk_literal_piece(p, @2); }
        | template PERCENT operand   { mk_field_piece(p, @3, $2, $3); }
        ;

%%

/* Only depth can exhaust the stack. */
static void cond_error(struct range *at, struct parse *p, const char *text)
{
    mk_error(p, strcmp(text, "memory exhausted") ? PARSE_UNEXPECTED : PARSE_DEPTH, *at);
}
