/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns to trees. What is accepted follows RE2 with posix_syntax and nothing else set. */
#include <stdlib.h>
#include <string.h>

#include "../runtime/utf8.h"
#include "arena.h"
#include "regex.h"

#define NEWLINE '\n'
#define NUMBER_END 100000000u /* digits beyond: no count, the brace is a plain character */

struct parser {
    struct arena *arena;
    struct regex *re;
    const char *s;
    uint32_t n, at;
    struct regex_error *err;
    bool failed;
    VEC(struct re_range) set; /* of the class at hand */
};

static uint32_t fail(struct parser *p, uint32_t from, const char *hint, const char *text)
{
    if (!p->failed)
        *p->err = (struct regex_error){from, p->at > from ? p->at - from : 1, text, hint};
    p->failed = true;
    return 0;
}

static bool more(const struct parser *p)
{
    return !p->failed && p->at < p->n;
}

static char peek(const struct parser *p, uint32_t ahead)
{
    return p->at + ahead < p->n ? p->s[p->at + ahead] : 0;
}

static bool digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* ---- nodes ---- */

static uint32_t add(struct parser *p, struct re_node node)
{
    const struct re_node *v = p->re->nodes.v;
    uint32_t a = v[node.a].copies, b = v[node.b].copies;
    node.copies = a > b ? a : b;
    if (node.kind == RE_REPEAT) {
        uint32_t times = node.max == RE_NO_MAX ? node.min : node.max;
        node.copies *= times ? times : 1;
    }
    node.copies = node.copies ? node.copies : 1;
    return VEC_PUSH(p->arena, &p->re->nodes, node);
}

static int compare_ranges(const void *a, const void *b)
{
    const struct re_range *x = a, *y = b;
    return x->lo != y->lo ? (x->lo < y->lo ? -1 : 1) : (x->hi > y->hi) - (x->hi < y->hi);
}

/* Ascending, with gaps between them. */
static void normalize(struct parser *p)
{
    struct re_range *v = p->set.v;
    uint32_t n = 0;
    if (p->set.n)
        qsort(v, p->set.n, sizeof(*v), compare_ranges);
    for (uint32_t i = 0; i < p->set.n; i++)
        if (n && v[i].lo <= v[n - 1].hi + 1)
            v[n - 1].hi = v[i].hi > v[n - 1].hi ? v[i].hi : v[n - 1].hi;
        else
            v[n++] = v[i];
    p->set.n = n;
}

static void put_range(struct parser *p, uint32_t lo, uint32_t hi)
{
    VEC_PUSH(p->arena, &p->set, (struct re_range){lo, hi});
}

static void negate(struct parser *p)
{
    uint32_t from = 0;
    normalize(p);
    uint32_t n = p->set.n;
    struct re_range *old = arena_alloc(p->arena, (n + 1) * sizeof(*old));
    if (n)
        memcpy(old, p->set.v, n * sizeof(*old));
    p->set.n = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (old[i].lo > from)
            put_range(p, from, old[i].lo - 1);
        from = old[i].hi + 1;
    }
    if (from <= REGEX_CODE_MAX)
        put_range(p, from, REGEX_CODE_MAX);
}

static bool same_set(const struct parser *p, uint32_t i)
{
    const struct re_set *s = &p->re->sets.v[i];
    return s->n == p->set.n && (!s->n || !memcmp(p->re->ranges.v + s->range0, p->set.v,
                                                 s->n * sizeof(struct re_range)));
}

/* A node of the class at hand, which is empty again after. */
static uint32_t set_node(struct parser *p)
{
    struct regex *re = p->re;
    uint32_t i = 0;
    normalize(p);
    while (i < re->sets.n && !same_set(p, i))
        i++;
    if (i == re->sets.n) {
        VEC_PUSH(p->arena, &re->sets, (struct re_set){re->ranges.n, p->set.n});
        for (uint32_t k = 0; k < p->set.n; k++)
            VEC_PUSH(p->arena, &re->ranges, p->set.v[k]);
    }
    p->set.n = 0;
    return add(p, (struct re_node){.kind = RE_SET, .set = i});
}

static uint32_t literal(struct parser *p, uint32_t code)
{
    put_range(p, code, code);
    return set_node(p);
}

/* ---- characters ---- */

static uint32_t plain(struct parser *p)
{
    uint32_t code, from = p->at;
    bool broken;
    p->at += (uint32_t)utf8_take(p->s + p->at, p->n - p->at, &code, &broken);
    return broken ? fail(p, from, NULL, "the pattern is not UTF-8 here") : code;
}

static int hex_value(char ch)
{
    return digit(ch)                ? ch - '0'
           : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
           : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                    : -1;
}

/* Behind `\x`: two digits, or any number of them in braces. */
static uint32_t hex(struct parser *p, uint32_t from)
{
    static const char wrong[] = "`\\x` wants two hexadecimal digits, or up to 10FFFF in braces";
    bool braces = peek(p, 0) == '{';
    uint32_t code = 0, digits = 0;
    p->at += braces;
    while (more(p) && hex_value(peek(p, 0)) >= 0 && (braces || digits < 2)) {
        code = code * 16 + (uint32_t)hex_value(p->s[p->at++]);
        digits++;
        if (code > REGEX_CODE_MAX)
            return fail(p, from, NULL, wrong);
    }
    if (braces ? !digits || peek(p, 0) != '}' : digits != 2)
        return fail(p, from, NULL, wrong);
    p->at += braces;
    return code;
}

static uint32_t octal(struct parser *p, uint32_t first)
{
    uint32_t code = first;
    for (int i = 0; i < 2 && peek(p, 0) >= '0' && peek(p, 0) <= '7'; i++)
        code = code * 8 + (uint32_t)(p->s[p->at++] - '0');
    return code;
}

/* Why a letter or digit behind a backslash is no escape, and what to write instead. */
static uint32_t no_escape(struct parser *p, uint32_t from, char ch)
{
    static const struct {
        const char *letters, *hint;
    } hints[] = {
        {"dD", "write [0-9] or [[:digit:]]; [^0-9] for all others"},
        {"wW", "write [[:word:]]; [[:^word:]] for all others"},
        {"sS", "write [[:space:]]; [[:^space:]] for all others"},
        {"bB", "there are no word boundaries"},
        {"pP", "there are no Unicode classes; [[:alpha:]] and its like are of ASCII"},
        {"AzZ", "the whole value is matched in any case"},
        {"QE", "put a backslash before each character that is special"},
        {"123456789", "there are no back-references"},
    };
    for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
        if (strchr(hints[i].letters, ch))
            return fail(p, from, hints[i].hint, "POSIX patterns have no such escape");
    return fail(p, from, NULL, "POSIX patterns have no such escape");
}

/* At a backslash. */
static uint32_t escape(struct parser *p)
{
    static const char names[] = "afnrtv", codes[] = "\a\f\n\r\t\v";
    uint32_t from = p->at++;
    char ch = peek(p, 0);
    if (p->at == p->n) {
        return fail(p, from, "a backslash itself is `\\\\` here and `\\\\\\\\` in quotes",
                    "nothing follows the backslash");
    }
    if ((unsigned char)ch >= 0x80) {
        plain(p);
        return fail(p, from, NULL, "POSIX patterns have no such escape");
    }
    p->at++;
    const char *named = ch ? strchr(names, ch) : NULL;
    if (named)
        return (uint32_t)codes[named - names];
    if (ch == 'x')
        return hex(p, from);
    if (ch == '0' || (ch >= '1' && ch <= '7' && peek(p, 0) >= '0' && peek(p, 0) <= '7'))
        return octal(p, (uint32_t)(ch - '0'));
    bool letter = (ch | 0x20) >= 'a' && (ch | 0x20) <= 'z';
    return letter || digit(ch) ? no_escape(p, from, ch) : (unsigned char)ch;
}

/* ---- classes ---- */

static const struct {
    const char *name;
    struct re_range v[4];
    uint8_t n;
} classes[] = {
    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, 3},
    {"alpha", {{'A', 'Z'}, {'a', 'z'}}, 2},
    {"ascii", {{0, 0x7f}}, 1},
    {"blank", {{'\t', '\t'}, {' ', ' '}}, 2},
    {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}, 2},
    {"digit", {{'0', '9'}}, 1},
    {"graph", {{'!', '~'}}, 1},
    {"lower", {{'a', 'z'}}, 1},
    {"print", {{' ', '~'}}, 1},
    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, 4},
    {"space", {{'\t', '\r'}, {' ', ' '}}, 2},
    {"upper", {{'A', 'Z'}}, 1},
    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, 3},
};

static void put_class(struct parser *p, size_t i, bool negated)
{
    uint32_t from = 0;
    for (uint32_t k = 0; k < classes[i].n; k++) {
        struct re_range r = classes[i].v[k];
        if (!negated)
            put_range(p, r.lo, r.hi);
        else if (r.lo > from)
            put_range(p, from, r.lo - 1);
        from = r.hi + 1;
    }
    if (negated)
        put_range(p, from, REGEX_CODE_MAX);
}

/* `[:name:]` or `[:^name:]`. False: it is none, a plain bracket. */
static bool named_class(struct parser *p)
{
    const char *s = p->s + p->at, *end;
    if (p->n - p->at < 4 || s[0] != '[' || s[1] != ':' ||
        !(end = memmem(s + 2, p->n - p->at - 2, ":]", 2)))
        return false;
    bool negated = s[2] == '^';
    const char *name = s + 2 + negated;
    size_t len = (size_t)(end - name);
    uint32_t from = p->at;
    p->at += (uint32_t)(end + 2 - s);
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
        if (strlen(classes[i].name) == len && !memcmp(classes[i].name, name, len)) {
            put_class(p, i, negated);
            return true;
        }
    }
    fail(p, from,
         "alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, punct, space, "
         "upper, word and xdigit are",
         "this is not the name of a class");
    return true;
}

static uint32_t class_char(struct parser *p, uint32_t open)
{
    if (p->at == p->n)
        return fail(p, open, NULL, "the bracket is never closed");
    return peek(p, 0) == '\\' ? escape(p) : plain(p);
}

static void class_range(struct parser *p, uint32_t open)
{
    uint32_t from = p->at, lo = class_char(p, open), hi = lo;
    if (peek(p, 0) == '-' && p->at + 1 < p->n && peek(p, 1) != ']') {
        p->at++;
        hi = class_char(p, open);
        if (!p->failed && hi < lo)
            fail(p, from, NULL, "the range ends before it begins");
    }
    put_range(p, lo, hi);
}

/* At a `[`. */
static uint32_t bracket(struct parser *p)
{
    uint32_t open = p->at++;
    bool negated = peek(p, 0) == '^';
    p->at += negated;
    for (bool first = true; more(p) && (peek(p, 0) != ']' || first); first = false) {
        if (peek(p, 0) == '-' && !first && p->at + 1 < p->n && peek(p, 1) != ']') {
            uint32_t from = p->at++;
            return fail(p, from, "write it first or last, or `\\\\-`",
                        "a hyphen in the middle of a class is ambiguous");
        }
        if (!named_class(p))
            class_range(p, open);
    }
    if (p->failed || p->at == p->n)
        return fail(p, open, NULL, "the bracket is never closed");
    p->at++;
    if (negated)
        negate(p);
    return set_node(p);
}

/* ---- repetition ---- */

/* A number without leading zeros; false: it is none. */
static bool number(const struct parser *p, uint32_t *at, uint32_t *out)
{
    uint32_t i = *at, v = 0;
    if (i >= p->n || !digit(p->s[i]) || (p->s[i] == '0' && i + 1 < p->n && digit(p->s[i + 1])))
        return false;
    for (; i < p->n && digit(p->s[i]); i++) {
        if (v >= NUMBER_END)
            return false;
        v = v * 10 + (uint32_t)(p->s[i] - '0');
    }
    *at = i;
    *out = v;
    return true;
}

/* `{n}`, `{n,}`, `{n,m}` at the brace: moves behind it. False: a plain brace. */
static bool counts(struct parser *p, uint32_t *min, uint32_t *max)
{
    uint32_t at = p->at + 1;
    if (!number(p, &at, min))
        return false;
    *max = *min;
    if (at < p->n && p->s[at] == ',') {
        at++;
        *max = RE_NO_MAX;
        if (at < p->n && p->s[at] != '}' && !number(p, &at, max))
            return false;
    }
    if (at >= p->n || p->s[at] != '}')
        return false;
    p->at = at + 1;
    return true;
}

/* Takes `* + ? {n,m}` if one stands here. */
static bool take_repeat(struct parser *p, uint32_t *min, uint32_t *max)
{
    char ch = peek(p, 0);
    if (p->at == p->n || (ch != '*' && ch != '+' && ch != '?'))
        return ch == '{' && counts(p, min, max);
    *min = ch == '+';
    *max = ch == '?' ? 1 : RE_NO_MAX;
    p->at++;
    return true;
}

/* `node` is ~0 where nothing stands before the operator. */
static uint32_t repeat(struct parser *p, uint32_t node, uint32_t from, uint32_t min, uint32_t max)
{
    if ((max < min) || min > REGEX_COUNT_MAX || (max != RE_NO_MAX && max > REGEX_COUNT_MAX)) {
        return fail(p, from, "counts go from 0 to 1000, the smaller one first",
                    "this count is out of range");
    }
    if (node == UINT32_MAX) {
        bool group = p->s[from] == '?' && from && p->s[from - 1] == '(';
        return fail(p, group ? from - 1 : from,
                    group ? "there are neither groups with options nor look-around" : NULL,
                    group ? "`(?` is not of POSIX patterns" : "there is nothing to repeat");
    }
    node = add(p, (struct re_node){.kind = RE_REPEAT, .a = node, .min = min, .max = max});
    if (p->re->nodes.v[node].copies > REGEX_COUNT_MAX &&
        (min >= 2 || (max >= 2 && max != RE_NO_MAX))) {
        return fail(p, from, "counts within counts multiply: to 1000 at most",
                    "this repeats too often");
    }
    return node;
}

/* ---- the whole ---- */

static uint32_t alternation(struct parser *p);

static uint32_t group(struct parser *p)
{
    uint32_t open = p->at++, node = alternation(p);
    if (!p->failed && peek(p, 0) != ')') {
        p->at = open + 1;
        return fail(p, open, NULL, "the parenthesis is never closed");
    }
    p->at++;
    return node;
}

static uint32_t one(struct parser *p)
{
    char ch = peek(p, 0);
    if (ch == '(')
        return group(p);
    if (ch == '[')
        return bracket(p);
    if (ch == '\\')
        return literal(p, escape(p));
    if (ch != '.' && ch != '^' && ch != '$')
        return literal(p, plain(p));
    p->at++;
    if (ch != '.')
        return add(p, (struct re_node){.kind = ch == '^' ? RE_BOL : RE_EOL});
    put_range(p, 0, NEWLINE - 1);
    put_range(p, NEWLINE + 1, REGEX_CODE_MAX);
    return set_node(p);
}

static uint32_t sequence(struct parser *p)
{
    uint32_t all = 0, last = UINT32_MAX, min, max;
    while (more(p) && peek(p, 0) != '|' && peek(p, 0) != ')') {
        uint32_t from = p->at;
        if (take_repeat(p, &min, &max)) {
            last = repeat(p, last, from, min, max);
            continue;
        }
        if (last != UINT32_MAX)
            all = all ? add(p, (struct re_node){.kind = RE_CAT, .a = all, .b = last}) : last;
        last = one(p);
    }
    if (last == UINT32_MAX)
        return 0;
    return all ? add(p, (struct re_node){.kind = RE_CAT, .a = all, .b = last}) : last;
}

static void put_set(struct parser *p, uint32_t node)
{
    const struct re_set s = p->re->sets.v[p->re->nodes.v[node].set];
    for (uint32_t i = 0; i < s.n; i++)
        VEC_PUSH(p->arena, &p->set, p->re->ranges.v[s.range0 + i]);
}

/* One character or another is one of a class. */
static uint32_t either(struct parser *p, uint32_t a, uint32_t b)
{
    const struct re_node *v = p->re->nodes.v;
    if (p->failed || v[a].kind != RE_SET || v[b].kind != RE_SET)
        return add(p, (struct re_node){.kind = RE_ALT, .a = a, .b = b});
    put_set(p, a);
    put_set(p, b);
    return set_node(p);
}

static uint32_t alternation(struct parser *p)
{
    uint32_t all = sequence(p);
    while (more(p) && peek(p, 0) == '|') {
        p->at++;
        all = either(p, all, sequence(p));
    }
    return all;
}

struct regex *regex_parse(struct arena *a, const char *pattern, size_t len, struct regex_error *err)
{
    struct parser p = {.arena = a, .s = pattern, .n = (uint32_t)len, .err = err};
    p.re = arena_alloc(a, sizeof(*p.re));
    p.re->work_max = REGEX_WORK_MAX;
    if (len > REGEX_PATTERN_MAX) {
        fail(&p, 0, NULL, "the pattern is too long");
        return NULL;
    }
    VEC_PUSH(a, &p.re->nodes, (struct re_node){.kind = RE_EMPTY, .copies = 1});
    p.re->root = alternation(&p);
    if (!p.failed && p.at < p.n) {
        p.at++;
        fail(&p, p.at - 1, "a parenthesis itself is `\\\\)`", "no parenthesis is open here");
    }
    return p.failed ? NULL : p.re;
}
