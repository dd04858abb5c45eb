/* SPDX-License-Identifier: Apache-2.0 */
#include "hint.h"

#include <string.h>

#include "../grammar/transform.h"
#include "arena.h"
#include "near.h"

#define NO_TEST "a field alone is no test: write `= true`, or `exists`"
#define SMALL "`and`, `or` and `not` are written in small letters"

struct row {
    enum lex_mode mode;
    const char *text, *hint;
};

/* By what was found. Letters stand for a whole word. */
static const struct row found_rows[] = {
    {LEX_AFTER, "&&", "write `and`"},
    {LEX_AFTER, "||", "write `or`"},
    {LEX_AFTER, "AND", SMALL},
    {LEX_AFTER, "OR", SMALL},
    {LEX_AFTER, "#", "a condition has no comments"},
    {LEX_AFTER, "=", "a field's name has a dot in it; a word without one is a macro"},
    {LEX_AFTER, ",", "several constants need `in (a, b)`"},
    {LEX_TEST, "!", "write `not`"},
    {LEX_TEST, "#", "a condition has no comments"},
    {LEX_TEST, ")", "there is nothing between the parentheses, or nothing after `and`, `or`"},
    {LEX_VALUE, "(",
     "one constant needs no parentheses; several need `in`, or `anyof` before them"},
    {LEX_LIST, "\"", "write `(\"a\", \"b\")`"},
    {LEX_LIST, "[", "write `(a, b)`"},
    {LEX_LIST, "{", "write `(a, b)`"},
    {LEX_OPERATOR, ")", NO_TEST},
    {LEX_OPERATOR, "and", NO_TEST},
    {LEX_OPERATOR, "or", NO_TEST},
    {LEX_OPERATOR, "&&", NO_TEST},
    {LEX_OPERATOR, "||", NO_TEST},
    {LEX_OPERATOR, "not", "`not` stands before the field: not proc.name in (a, b)"},
    {LEX_OPERATOR, "!", "write `!=`"},
    {LEX_OPERATOR, "~", "write `regex`"},
    {LEX_OPERATOR, "is", "write `=`"},
    {LEX_OPERATOR, "eq", "write `=`"},
    {LEX_OPERATOR, "ne", "write `!=`"},
    {LEX_OPERATOR, "like", "write `glob`"},
    {LEX_OPERATOR, "matches", "write `regex` or `glob`"},
    {LEX_OPERATOR, "starts", "write `startswith`"},
    {LEX_OPERATOR, "ends", "write `endswith`"},
    {LEX_OPERATOR, "[",
     "an argument in brackets is not empty; one with blanks needs quotes: [\"a b\"]"},
};

/* By the word before it, which was taken for a macro's name. */
static const struct row before_rows[] = {
    {LEX_AFTER, "and", "a test is missing before `and`"},
    {LEX_AFTER, "or", "a test is missing before `or`"},
    {LEX_AFTER, "NOT", SMALL},
    {LEX_AFTER, "AND", SMALL},
    {LEX_AFTER, "OR", SMALL},
    {LEX_AFTER, "exists", "`exists` stands behind the field"},
};
#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

static bool is_word(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_';
}

/* Does `s` begin with it; if it is a word, with no longer one? */
static bool begins(const char *s, size_t len, const char *text)
{
    size_t n = strlen(text);
    return len >= n && !memcmp(s, text, n) && (!is_word(text[0]) || len == n || !is_word(s[n]));
}

static const char *look_up(const struct row *rows, size_t n, enum lex_mode mode, const char *s,
                           size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].mode == mode && begins(s, len, rows[i].text))
            return rows[i].hint;
    return NULL;
}

/* The word that ends before `at`, blanks left out: where it begins, and its length. */
static const char *word_before(const char *text, size_t at, size_t *len)
{
    while (at && text[at - 1] && strchr(" \t\r\n\b", text[at - 1]))
        at--;
    size_t end = at;
    while (at && is_word(text[at - 1]))
        at--;
    *len = end - at;
    return text + at;
}

static bool is(const char *word, size_t len, const char *text)
{
    return len == strlen(text) && !memcmp(word, text, len);
}

/* The word at `at` stands where a test must: it was taken for a macro's name. */
static bool is_macro(const char *text, size_t at)
{
    size_t n;
    const char *word = word_before(text, at, &n);
    bool first = word == text || word[-1] == '(';
    return n ? is(word, n, "and") || is(word, n, "or") || is(word, n, "not") : first;
}

const char *hint_unexpected(enum lex_mode mode, const char *text, size_t len, size_t at)
{
    if (at >= len)
        return mode == LEX_OPERATOR ? NO_TEST : NULL;
    const char *hint = look_up(found_rows, ROWS(found_rows), mode, text + at, len - at);
    if (hint)
        return hint;
    size_t n;
    const char *word = word_before(text, at, &n);
    if (text[at] == '(' && xform_by_name(word, n) != XF_NONE)
        return "no blank stands between a transformer and its parenthesis";
    return n && is_macro(text, (size_t)(word - text))
               ? look_up(before_rows, ROWS(before_rows), mode, word, n)
               : NULL;
}

const char *hint_operators(struct comp *c, uint32_t mask)
{
    const char *all = "";
    for (int i = 1; i < OP_COUNT; i++) {
        if (mask >> i & 1)
            all = arena_printf(c->arena, "%s%s%s", all, *all ? " " : "",
                               catalog_op((enum op_id)i)->text);
    }
    return all;
}

const char *hint_operator(struct comp *c, const char *word, size_t len)
{
    const char *hint = look_up(found_rows, ROWS(found_rows), LEX_OPERATOR, word, len);
    if (!hint)
        hint = near_hint(c, catalog_near(NEAR_OP, word, len));
    return hint ? hint : arena_printf(c->arena, "operators are %s", hint_operators(c, ~0u));
}

const char *hint_transformer(struct comp *c, const char *word, size_t len)
{
    if (is(word, len, "val"))
        return "val(...) stands on the right side of a test";
    const char *near = catalog_near(NEAR_TRANSFORMER, word, len);
    if (near)
        return near_hint(c, near);
    const char *all = "";
    for (int i = XF_NONE + 1; i < XF_VAL; i++)
        all = arena_printf(c->arena, "%s %s", all, xform_name((enum xform_id)i));
    return arena_printf(c->arena, "transformers are%s; a macro takes no parentheses", all);
}
