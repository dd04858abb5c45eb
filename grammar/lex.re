/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lexer: one function per mode (parse.h), each a table of what fits there. A function returns
 * a token, sets the mode for the next one, and leaves the cursor behind the token; cond_lex() has
 * skipped blanks before. Bytes are taken as they are: no locale, and NUL is a byte like others.
 */
#include "parse.h"

#include <string.h>

#include "cond.h"
#include "field.h"

/*!re2c
    re2c:api:style = free-form;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = p->cursor;
    re2c:define:YYLIMIT = limit;
    re2c:define:YYMARKER = marker;
    
    re2c:yyfill:enable = 0;
    re2c:eof = 0;

    blank = [ \t\r\n\b];
    word = [A-Za-z] [A-Za-z0-9_]*;
    field = word ("." word)+;
    bare = [^()"'=,\x00 \t\r\n\b]+;
    bracket = "[" [^[\]"'\x00 \t\r\n\b]+ "]";
    number = [-+]? (("0x" [0-9A-Fa-f]+) | [0-9]+ ("." [0-9]+)? ([eE] [-+] [0-9]+)?);
    call = word "(";
*/

static const unsigned char *start_of(const struct parse *p)
{
    return (const unsigned char *)p->text;
}

static struct range since(const struct parse *p, const unsigned char *from)
{
    return (struct range){(uint32_t)(from - start_of(p)), (uint32_t)(p->cursor - start_of(p))};
}

/* A mistake that the lexer has seen itself: the parser then gives up without a word. */
static int wrong(struct parse *p, enum parse_error what, const unsigned char *from)
{
    mk_error(p, what, since(p, from));
    return TOK_COND_error;
}

/* Nothing of this mode fits: takes what looks like one word, so that the message can name it. */
static int unexpected(struct parse *p, const unsigned char *from)
{
    const unsigned char *limit = start_of(p) + p->len;
    p->cursor = from;
    while (p->cursor < limit && !strchr(" \t\r\n\b()\"'=,", *p->cursor)) {
        p->cursor++;
    }
    if (p->cursor == from && from < limit) {
        p->cursor++;
    }
    if (p->mode == LEX_OPERATOR && p->cursor - from > 0 && !strchr("()\"',", *from)) {
        return wrong(p, PARSE_OPERATOR, from);
    }
    return wrong(p, from < limit && !*from ? PARSE_NUL : PARSE_UNEXPECTED, from);
}

static bool is_word(unsigned char ch)
{
    return (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
           ch == '_';
}

/* What may stand behind a string: the end of a list, call or index, `and`, `or`, or nothing. */
static bool ends_value(const unsigned char *s, const unsigned char *limit)
{
    while (s < limit && *s && strchr(" \t\r\n\b", *s)) {
        s++;
    }
    size_t n = 0;
    while (s + n < limit && is_word(s[n])) {
        n++;
    }
    return s == limit || (*s && strchr("),]", *s)) || (n == 2 && !memcmp(s, "or", 2)) ||
           (n == 3 && !memcmp(s, "and", 3));
}

/*
 * The end of the string that begins with the quote at `s`, or NULL. To Falco it is the first quote
 * that no backslash stands before, even in `"a\\"b"`. Where that leads to nothing, as it does in
 * `"a\\"` alone, a backslash belongs to the character behind it.
 */
static const unsigned char *string_end(const unsigned char *s, const unsigned char *limit)
{
    const unsigned char *falco = s + 1, *plain = s + 1;
    while (falco < limit && (*falco != *s || falco[-1] == '\\')) {
        falco++;
    }
    while (plain < limit && *plain != *s) {
        plain += 1 + (*plain == '\\');
    }
    if (falco < limit && (falco == plain || plain >= limit || ends_value(falco + 1, limit))) {
        return falco + 1;
    }
    return plain < limit ? plain + 1 : NULL;
}

static int take_string(struct parse *p, const unsigned char *from)
{
    const unsigned char *limit = start_of(p) + p->len, *end = string_end(from, limit);
    p->cursor = end ? end : limit;
    return end ? TOK_STRING : wrong(p, PARSE_STRING, from);
}

static int open_call(struct parse *p, const unsigned char *from, enum xform_id call)
{
    if (p->depth + p->calls >= NESTING_MAX) {
        return wrong(p, PARSE_DEPTH, from);
    }
    p->call_open[p->calls++] = (uint8_t)call;
    p->mode = LEX_ARG;
    return call != XF_LIST ? TOK_CALL : TOK_LPAR;
}

/*
 * `name(`: the cursor is behind the parenthesis. val() stands on the right side only. An unknown
 * name is an error here and now, where it can be named.
 */
static int transformer(union COND_STYPE *value, struct parse *p, const unsigned char *from,
                       bool right)
{
    enum xform_id id = xform_by_name((const char *)from, (size_t)(p->cursor - from) - 1);
    if (id == XF_NONE || (id == XF_VAL && !right)) {
        p->cursor--;
        return wrong(p, PARSE_TRANSFORMER, from);
    }
    int token = open_call(p, from, id);
    value->num = id;
    return token == TOK_CALL && id == XF_VAL ? TOK_VAL : token;
}

/* `[argument]` right behind a field's name or a transformer's end. */
static struct range take_bracket(struct parse *p)
{
    struct range arg;
    size_t left = (size_t)(start_of(p) + p->len - p->cursor);
    size_t used = lex_bracket_length((const char *)p->cursor, left, &arg);
    uint32_t base = (uint32_t)(p->cursor - start_of(p));
    p->cursor += used;
    return used ? (struct range){base + arg.off, base + arg.end} : (struct range){0, 0};
}

static int lex_field_token(union COND_STYPE *value, struct parse *p, enum lex_mode next)
{
    value->arg = take_bracket(p);
    p->mode = next;
    return TOK_FIELD;
}

static int lex_test(union COND_STYPE *value, struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    const unsigned char *marker;
    bool glued = p->glued && p->tight;
    p->glued = false;
    /*!re2c
        "not" / (blank | "(")  { return TOK_NOT; }
        "("                     { if (p->depth + p->calls >= NESTING_MAX) {
                                      return wrong(p, PARSE_DEPTH, from);
                                  }
                                  p->or_open[p->depth++] = glued;
                                  return TOK_LPAR; }
        field                   { return lex_field_token(value, p, LEX_OPERATOR); }
        call                    { p->after_call = LEX_OPERATOR;
                                  return transformer(value, p, from, false); }
        word                    { p->mode = LEX_AFTER; return TOK_WORD; }
        *                       { return unexpected(p, from); }
        $                       { return 0; }
    */
}

/* After and, or and the operators that are words, the blank is required. */
static int lex_operator(union COND_STYPE *value, struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    const unsigned char *marker;
    int token;
    /*!re2c
        "exists"                         { token = TOK_UNARY; p->mode = LEX_AFTER; goto known; }
        "<=" | "<" | ">=" | ">"          { token = TOK_NUMERIC; p->mode = LEX_NUMBER; goto known; }
        "=" | "==" | "!="                { token = TOK_STRINGOP; p->mode = LEX_VALUE; goto known; }
        "in" | "intersects" | "pmatch"   { token = TOK_LISTOP; p->mode = LEX_LIST; goto known; }
        "glob" | "iglob" | "contains" | "icontains" | "bcontains" | "startswith" |
        "bstartswith" | "endswith" | "regex"
                                         { token = TOK_STRINGOP; p->mode = LEX_VALUE; goto word; }
        *                                { return unexpected(p, from); }
        $                                { return wrong(p, PARSE_UNEXPECTED, from); }
    */
word:
    if (p->cursor < limit && !strchr(" \t\r\n\b", *p->cursor)) {
        p->mode = LEX_OPERATOR;
        return is_word(*p->cursor) ? unexpected(p, from) : wrong(p, PARSE_BLANK, from);
    }
known:;
    size_t len = (size_t)(p->cursor - from);
    value->num = len == 2 && from[0] == '=' ? OP_EQ : catalog_op_by_name((const char *)from, len);
    p->modified = false;
    return token;
}

static int lex_number(union COND_STYPE *value, struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    const unsigned char *marker;
    p->after_call = LEX_AFTER;
    /*!re2c
        number  { p->mode = LEX_AFTER; return TOK_NUMBER; }
        call    { return transformer(value, p, from, true); }
        *       { return unexpected(p, from); }
        $       { return 0; }
    */
}

/* True if oneof, anyof or allof is followed by a list, and is no constant. */
static bool list_follows(const unsigned char *s, const unsigned char *limit)
{
    while (s < limit && strchr(" \t\r\n\b", *s) && *s) {
        s++;
    }
    if (s < limit && *s == '(') {
        return true;
    }
    size_t n = 0;
    while (s + n < limit && is_word(s[n])) {
        n++;
    }
    bool keyword = (n == 3 && (!memcmp(s, "and", 3) || !memcmp(s, "not", 3))) ||
                   (n == 2 && !memcmp(s, "or", 2));
    return n && !keyword && !(*s >= '0' && *s <= '9') && *s != '_';
}

static int lex_value(union COND_STYPE *value, struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    p->after_call = LEX_AFTER;
    /*!re2c
        ("oneof" | "anyof" | "allof") / blank {
            if (!p->tight && list_follows(p->cursor, limit)) {
                value->num = from[0] == 'o'   ? MOD_ONEOF
                             : from[1] == 'n' ? MOD_ANYOF
                                              : MOD_ALLOF;
                p->modified = true;
                p->mode = LEX_LIST;
                return TOK_MODIFIER;
            }
            p->mode = LEX_AFTER;
            return TOK_BARE;
        }
        call    { return transformer(value, p, from, true); }
        ["']    { p->mode = LEX_AFTER; return take_string(p, from); }
        bare    { p->mode = LEX_AFTER; return TOK_BARE; }
        *       { return unexpected(p, from); }
        $       { return 0; }
    */
}

static int lex_list(union COND_STYPE *value, struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    p->after_call = LEX_AFTER;
    /*!re2c
        "("     { p->mode = LEX_MEMBER; return TOK_LPAR; }
        call    { if (p->modified) {
                      p->cursor--;
                      return wrong(p, PARSE_UNEXPECTED, from);
                  }
                  return transformer(value, p, from, true); }
        word    { p->mode = LEX_AFTER; return TOK_WORD; }
        *       { return unexpected(p, from); }
        $       { return 0; }
    */
}

static int lex_member(struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    /*!re2c
        ")"     { p->mode = LEX_AFTER; return TOK_RPAR; }
        ","     { return TOK_COMMA; }
        ["']    { return take_string(p, from); }
        bare    { return TOK_BARE; }
        *       { return unexpected(p, from); }
        $       { return 0; }
    */
}

static int close_arg(union COND_STYPE *value, struct parse *p)
{
    enum xform_id call = (enum xform_id)p->call_open[--p->calls];
    if (!p->calls) {
        p->mode = p->after_call;
    }
    if (call == XF_LIST) {
        return TOK_RPAR;
    }
    value->arg = call == XF_GETOPT ? take_bracket(p) : (struct range){0, 0};
    return TOK_CLOSE;
}

static int lex_arg(union COND_STYPE *value, struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    const unsigned char *marker;
    /*!re2c
        ")"     { return close_arg(value, p); }
        ","     { return TOK_COMMA; }
        "("     { return open_call(p, from, XF_LIST); }
        field   { return lex_field_token(value, p, LEX_ARG); }
        call    { return transformer(value, p, from, false); }
        ["']    { return take_string(p, from); }
        number  { return TOK_NUMBER; }
        *       { return unexpected(p, from); }
        $       { return 0; }
    */
}

/* `and` or `or` with neither a blank nor a parenthesis behind it. */
static int bare_keyword(struct parse *p, const unsigned char *from)
{
    if (p->cursor < start_of(p) + p->len) {
        return is_word(*p->cursor) ? unexpected(p, from) : wrong(p, PARSE_BLANK, from);
    }
    p->at_mode = LEX_TEST;
    return wrong(p, PARSE_UNEXPECTED, p->cursor);
}

static int lex_after(struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    const unsigned char *marker;
    bool glued = p->closed_glued;
    p->closed_glued = false;
    /*!re2c
        "and" / (blank | "(")  { if (glued) {
                                      mk_glued(p, since(p, from));
                                  }
                                  p->mode = LEX_TEST;
                                  return TOK_AND; }
        "or" / (blank | "(")   { p->glued = true; p->mode = LEX_TEST; return TOK_OR; }
        "and" | "or"            { return bare_keyword(p, from); }
        ")"                     { p->depth -= p->depth > 0;
                                  p->closed_glued = p->or_open[p->depth];
                                  return TOK_RPAR; }
        *                       { return unexpected(p, from); }
        $                       { return 0; }
    */
}

/* Literal text up to the next `%`; or `%` with its width. Blanks are text here. */
static int lex_template(union COND_STYPE *value, struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    if (from == limit) {
        return 0;
    }
    if (*from != '%') {
        const void *next = memchr(from, '%', (size_t)(limit - from));
        p->cursor = next ? next : limit;
        return TOK_TEXT;
    }
    unsigned width = 0;
    for (p->cursor++; p->cursor < limit && *p->cursor >= '0' && *p->cursor <= '9'; p->cursor++) {
        width = width * 10 + (unsigned)(*p->cursor - '0');
        if (width > UINT16_MAX) {
            return wrong(p, PARSE_PERCENT, from);
        }
    }
    value->num = width;
    p->mode = LEX_FIELD;
    return TOK_PERCENT;
}

static int lex_template_field(union COND_STYPE *value, struct parse *p)
{
    const unsigned char *from = p->cursor, *limit = start_of(p) + p->len;
    const unsigned char *marker;
    size_t name, used;
    p->after_call = LEX_TEMPLATE;
    /*!re2c
        call   { return transformer(value, p, from, false); }
        field  { used = field_prefix((const char *)from, (size_t)(limit - from), &name);
                 if (!used) {
                     return wrong(p, PARSE_FIELD, from);
                 }
                 p->cursor = from + name;
                 if (used > name) {
                     return lex_field_token(value, p, LEX_TEMPLATE);
                 }
                 value->arg = (struct range){0, 0};
                 p->mode = LEX_TEMPLATE;
                 return TOK_FIELD; }
        *      { return wrong(p, PARSE_PERCENT, from - 1); }
        $      { return wrong(p, PARSE_PERCENT, from - 1); }
    */
}

static void skip_blanks(struct parse *p)
{
    const unsigned char *limit = start_of(p) + p->len;
    while (p->cursor < limit && *p->cursor && strchr(" \t\r\n\b", *p->cursor)) {
        p->cursor++;
    }
}

static int lex_mode_token(union COND_STYPE *value, struct parse *p)
{
    switch (p->mode) {
    case LEX_TEST:
        return lex_test(value, p);
    case LEX_OPERATOR:
        return lex_operator(value, p);
    case LEX_NUMBER:
        return lex_number(value, p);
    case LEX_VALUE:
        return lex_value(value, p);
    case LEX_LIST:
        return lex_list(value, p);
    case LEX_MEMBER:
        return lex_member(p);
    case LEX_ARG:
        return lex_arg(value, p);
    case LEX_AFTER:
        return lex_after(p);
    case LEX_TEMPLATE:
        return lex_template(value, p);
    case LEX_FIELD:
        return lex_template_field(value, p);
    }
    return 0;
}

int cond_lex(union COND_STYPE *value, struct range *at, struct parse *p)
{
    if (p->start) {
        int token = p->start;
        p->start = 0;
        *at = (struct range){0, 0};
        return token;
    }
    const unsigned char *before = p->cursor;
    if (p->mode != LEX_TEMPLATE && p->mode != LEX_FIELD) {
        skip_blanks(p);
    }
    const unsigned char *from = p->cursor;
    p->tight = from == before;
    p->at_mode = p->mode;
    int token = lex_mode_token(value, p);
    *at = since(p, from);
    return token;
}

size_t lex_field_length(const char *s, size_t len)
{
    struct parse state = {.cursor = (const unsigned char *)s}, *p = &state;
    const unsigned char *limit = p->cursor + len, *marker;
    /*!re2c
        field  { return (size_t)((const char *)p->cursor - s); }
        *      { return 0; }
        $      { return 0; }
    */
}

size_t lex_bracket_length(const char *s, size_t len, struct range *arg)
{
    struct parse state = {.cursor = (const unsigned char *)s}, *p = &state;
    const unsigned char *limit = p->cursor + len, *marker;
    if (len > 1 && s[0] == '[' && (s[1] == '"' || s[1] == '\'')) {
        p->cursor = string_end(p->cursor + 1, limit);
        if (!p->cursor || p->cursor == limit || *p->cursor++ != ']') {
            return 0;
        }
        goto found;
    }
    /*!re2c
        bracket  { goto found; }
        *        { return 0; }
        $        { return 0; }
    */
found:;
    uint32_t used = (uint32_t)((const char *)p->cursor - s);
    uint32_t quote = s[1] == '"' || s[1] == '\'';
    *arg = (struct range){1 + quote, used - 1 - quote};
    return used;
}
