/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions (rule-language 5.3): each row is judged by the tree and by the compiled form.
 * The dialect is RE2's in POSIX mode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../compiler/arena.h"
#include "../../compiler/intern.h"
#include "../../compiler/pipeline.h"
#include "../../compiler/regex.h"
#include "../../runtime/match.h"

static const struct {
    const char *pattern, *value;
    bool match;
} rows[] = {
    /* the whole value */
    {"the_file", "/tmp/the_file", false},
    {"/tmp/.*", "/tmp/the_file", true},
    {"", "", true},
    {"", "a", false},
    {"a", "aa", false},
    {"abc", "abc", true},
    {"a|b|cd", "cd", true},
    {"a|b|cd", "ad", false},
    {"(a|b)(c|)", "b", true},
    {"|a", "", true},
    {"()", "", true},
    /* lines */
    {".", "\n", false},
    {"[^x]", "\n", true},
    {"/tmp/.*", "/tmp/a\nb", false},
    {"/tmp/[^x]*", "/tmp/a\nb", true},
    {"^a$", "a", true},
    {"a$\nb", "a\nb", true},
    {"a\n^b", "a\nb", true},
    {"a$\n^b$", "a\nb", true},
    {"a^b", "ab", false},
    {"a$b", "ab", false},
    {"(^a\n)*", "a\na\n", true},
    {"(a$\n)*$^", "a\na\n", true},
    {"\n$^\n", "\n\n", true},
    {"^*a$+", "a", true},
    {"(^|b)a", "ba", true},
    {"[[:space:]]", "\n", true},
    /* repetition; lazy forms mean nothing */
    {"a*", "aaaa", true},
    {"a+", "", false},
    {"a?b", "b", true},
    {"a*?b", "aab", true},
    {"a??", "aa", false},
    {"a**", "aaa", true},
    {"a{3}", "aaa", true},
    {"a{3}", "aa", false},
    {"a{2,}", "aaaaa", true},
    {"a{2,}", "a", false},
    {"a{1,3}", "aaaa", false},
    {"a{0}", "", true},
    {"a{0}b", "ab", false},
    {"(ab){2}{2}", "abababab", true},
    {"a{,2}", "a{,2}", true},
    {"a{01}", "a{01}", true},
    {"{", "{", true},
    {"x{", "x{", true},
    {"a{1000000000}", "a{1000000000}", true},
    {"(|a)+", "aaa", true},
    {"(a*)*", "aaa", true},
    {"(a*)+b", "aaab", true},
    /* classes */
    {"[abc]+", "cab", true},
    {"[^abc]", "d", true},
    {"[a-c]", "d", false},
    {"[]a]*", "]a]", true},
    {"[^]a]", "b", true},
    {"[^]a]", "]", false},
    {"[a-]*", "a-a", true},
    {"[-a]*", "-a", true},
    {"[+--]", ",", true},
    {"[a\\]b]*", "a]b", true},
    {"[\\x61-\\x63]", "b", true},
    {"[[]", "[", true},
    {"[.*]", "*", true},
    {"[[=a=]]", "a]", true},
    {"[[:alpha:]]*", "aZ", true},
    {"[[:alpha:]]", "\xc3\xa9", false},
    {"[[:^alpha:]]", "\xc3\xa9", true},
    {"[[:digit:][:upper:]_]*", "A_0", true},
    {"[^[:digit:]]", "x", true},
    {"[[:word:]]*", "a_Z9", true},
    {"[[:ascii:]]", "\x7f", true},
    {"[[:blank:]]", "\t", true},
    {"[[:punct:]]", "~", true},
    {"[[:xdigit:]]*", "fF0", true},
    {"[[:cntrl:]]", "\x1b", true},
    {"[[:graph:]]", " ", false},
    {"[[:print:]]", " ", true},
    {"[[:lower:]]", "A", false},
    {"[[:alnum:]]*", "a0Z", true},
    {"[[:alpha]", ":", true}, /* no name of a class: it is not closed */
    {"[^\\x00-\\x{10FFFF}]", "a", false},
    /* escapes */
    {"\\.", ".", true},
    {"\\.", "a", false},
    {"\\x41\\x{42}", "AB", true},
    {"\\x{10FFFF}", "\xf4\x8f\xbf\xbf", true},
    {"\\101", "A", true},
    {"\\060", "0", true},
    {"\\0601", "01", true},
    {"\\a\\f\\n\\r\\t\\v", "\a\f\n\r\t\v", true},
    {"\\_\\/\\ \\-", "_/ -", true},
    {"\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\^\\$\\\\", "*+?()[]{}|^$\\", true},
    /* UTF-8; what is broken counts as U+FFFD, one for each sequence that breaks off */
    {".", "\xc3\xa9", true},
    {"..", "\xc3\xa9", false},
    {"[\xc3\xa9-\xc3\xbc]", "\xc3\xaf", true},
    {"\xc3\xa9{2}", "\xc3\xa9\xc3\xa9", true},
    {"/p./q.", "/p\xff/q\xff", true},
    {"/p./q", "/p\xff/q\xff", false},
    {"\xef\xbf\xbd", "\xff", true},
    {"..", "\xff\xfe", true},
    {".", "\xe2\x82", true},
    {"..", "\xe2\x82", false},
    {"..", "\xed\xa0", true},
    {".{3}", "\xed\xa0\x80", true}, /* a surrogate is none */
    {"\\x{D800}", "\xed\xa0\x80", false},
    {"..", "\xc0\x80", true},
    {"a.b",
     "a\xf0\x9f\x98\x80"
     "b",
     true},
    {"[^a]", "\xf0\x9f\x98\x80", true},
    /* what takes others long */
    {"(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    {"(a|a)*", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
    {"(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
    {"(x+x+)+y", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false},
    {"((a{10}){10}){10}", "aaaaaaaaaa", false},
    {"(a?){30}a{30}", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
    {".*a.{14}", "abcdefgaijklmnopqrstu", false},
    {".*a.{14}", "xxxaabcdefghijklmno", true},
    {".*a.{20}", "bacccccccccccccccccccc", true}, /* a program: 2^20 states would be too many */
    {".*a.{20}", "baccccccccccccccccccccc", false},
    {"(.*a.{20}\n^)*", "bacccccccccccccccccccc\nbacccccccccccccccccccc\n", true},
    {"(.*a.{20}\n^)*", "bacccccccccccccccccccc\nbaccccccccccccccccccc\n", false},
    {"(.*a.{20}$)*.*", "bacccccccccccccccccccc", true},
    {".*\xc3\xa9.{20}",
     "a\xc3\xa9\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
     "\xff\xff\xff\xff",
     true},
};

/* A bundle's view of one pattern. */
struct one {
    struct rpk rpk;
    struct rpk_head head;
};

static void view(struct one *o, struct re_table *t)
{
    memset(o, 0, sizeof(*o));
    o->head.regexes.n = 1;
    o->head.words.n = t->words.n;
    o->head.ranges.n = t->ranges.n;
    o->rpk.head = &o->head;
    o->rpk.regexes = &t->head;
    o->rpk.words = t->words.v;
    o->rpk.ranges = t->ranges.v;
}

static struct regex *parsed(struct arena *a, const char *pattern)
{
    struct regex_error err = {0};
    struct regex *re = regex_parse(a, pattern, strlen(pattern), &err);
    if (!re)
        fail_msg("%s: %s", pattern, err.text);
    return re;
}

static enum outcome run(struct re_table *t, const char *value, uint32_t len, enum slot_state state)
{
    struct one o;
    struct val v = {.state = (uint8_t)state, .base = BASE_TEXT, .text = value, .len = len};
    view(&o, t);
    assert_null(rpk_regex_wrong(&o.rpk, 0));
    return match_regex(&o.rpk, 0, v);
}

static void both_evaluators_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct arena *a = arena_new();
        struct regex *re = parsed(a, rows[i].pattern);
        struct re_table t;
        uint32_t len = (uint32_t)strlen(rows[i].value);
        assert_true(regex_compile(a, re, &t));
        bool tree = regex_eval(re, rows[i].value, len);
        bool table = run(&t, rows[i].value, len, ST_PRESENT) == OUT_TRUE;
        arena_free(a);
        if (tree != rows[i].match || table != rows[i].match)
            fail_msg("`%s` of `%s`: tree %d, table %d", rows[i].pattern, rows[i].value, tree,
                     table);
    }
}

/* Of a value that matches, every beginning may still match. */
static void beginnings_stay_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct arena *a = arena_new();
        struct re_table t;
        assert_true(regex_compile(a, parsed(a, rows[i].pattern), &t));
        for (uint32_t n = 0; rows[i].match && n <= strlen(rows[i].value); n++)
            if (run(&t, rows[i].value, n, ST_CUT) != OUT_MAYBE)
                fail_msg("`%s` of the first %u bytes of `%s`", rows[i].pattern, n, rows[i].value);
        arena_free(a);
    }
}

static void a_beginning_can_rule_out(void **state)
{
    static const struct {
        const char *pattern, *value;
        enum outcome out;
    } cut[] = {
        {"/etc/.*", "/tmp", OUT_FALSE},      {"/etc/.*", "/et", OUT_MAYBE},
        {"a{3}", "aaaa", OUT_FALSE},         {"a{3}", "aaa", OUT_MAYBE},
        {".*a.{20}", "x\ny", OUT_FALSE},     {".*a.{20}", "x", OUT_MAYBE},
        {"\xc3\xa9", "\xc3", OUT_MAYBE}, /* the character may go on */
        {"\xc3\xa9", "\xc4\xa9", OUT_FALSE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cut) / sizeof(*cut); i++) {
        struct arena *a = arena_new();
        struct re_table t;
        assert_true(regex_compile(a, parsed(a, cut[i].pattern), &t));
        enum outcome out = run(&t, cut[i].value, (uint32_t)strlen(cut[i].value), ST_CUT);
        arena_free(a);
        if (out != cut[i].out)
            fail_msg("`%s` of `%s`...: %d", cut[i].pattern, cut[i].value, out);
    }
}

/* ---- patterns that are none ---- */

static const struct {
    const char *pattern;
    uint32_t off, len;
    const char *text;
} wrong[] = {
    {"a\\d+", 1, 2, "POSIX patterns have no such escape"},
    {"\\w", 0, 2, "POSIX patterns have no such escape"},
    {"\\s", 0, 2, "POSIX patterns have no such escape"},
    {"\\bx\\b", 0, 2, "POSIX patterns have no such escape"},
    {"[\\d]", 1, 2, "POSIX patterns have no such escape"},
    {"\\pN", 0, 2, "POSIX patterns have no such escape"},
    {"\\p{Greek}", 0, 2, "POSIX patterns have no such escape"},
    {"\\Qa.b\\E", 0, 2, "POSIX patterns have no such escape"},
    {"\\A\\z", 0, 2, "POSIX patterns have no such escape"},
    {"\\C", 0, 2, "POSIX patterns have no such escape"},
    {"(a)\\1", 3, 2, "POSIX patterns have no such escape"},
    {"\\18", 0, 2, "POSIX patterns have no such escape"},
    {"\\8", 0, 2, "POSIX patterns have no such escape"},
    {"\\\xc3\xa9", 0, 3, "POSIX patterns have no such escape"},
    {"a\\", 1, 1, "nothing follows the backslash"},
    {"\\x", 0, 2, "`\\x` wants two hexadecimal digits, or up to 10FFFF in braces"},
    {"\\x1", 0, 3, "`\\x` wants two hexadecimal digits, or up to 10FFFF in braces"},
    {"\\x{}", 0, 3, "`\\x` wants two hexadecimal digits, or up to 10FFFF in braces"},
    {"\\x{110000}", 0, 9, "`\\x` wants two hexadecimal digits, or up to 10FFFF in braces"},
    {"(?i)a", 0, 2, "`(?` is not of POSIX patterns"},
    {"x(?:a)", 1, 2, "`(?` is not of POSIX patterns"},
    {"(?=a)", 0, 2, "`(?` is not of POSIX patterns"},
    {"(?P<n>a)", 0, 2, "`(?` is not of POSIX patterns"},
    {"*a", 0, 1, "there is nothing to repeat"},
    {"a|*", 2, 1, "there is nothing to repeat"},
    {"(+)", 1, 1, "there is nothing to repeat"},
    {"{2}", 0, 3, "there is nothing to repeat"},
    {"a{1001}", 1, 6, "this count is out of range"},
    {"a{2,1}", 1, 5, "this count is out of range"},
    {"(a{100}){11}", 8, 4, "this repeats too often"},
    {"((a{10}){10}){11}", 13, 4, "this repeats too often"},
    {"(a{0,1000}b){2}", 12, 3, "this repeats too often"},
    {"(ab", 0, 1, "the parenthesis is never closed"},
    {"ab)c", 2, 1, "no parenthesis is open here"},
    {"x[ab", 1, 3, "the bracket is never closed"},
    {"[]", 0, 2, "the bracket is never closed"},
    {"[a", 0, 2, "the bracket is never closed"},
    {"[[:alpha:]", 0, 10, "the bracket is never closed"},
    {"[[:foo:]]", 1, 7, "this is not the name of a class"},
    {"[[:^foo:]]", 1, 8, "this is not the name of a class"},
    {"[z-a]", 1, 3, "the range ends before it begins"},
    {"[a-c-e]", 4, 1, "a hyphen in the middle of a class is ambiguous"},
    {"a\xff", 1, 1, "the pattern is not UTF-8 here"},
    {"[\xc3]", 1, 1, "the pattern is not UTF-8 here"},
};

static void mistakes_have_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct arena *a = arena_new();
        struct regex_error err = {0};
        assert_null(regex_parse(a, wrong[i].pattern, strlen(wrong[i].pattern), &err));
        arena_free(a);
        if (err.off != wrong[i].off || err.len != wrong[i].len ||
            strcmp(err.text, wrong[i].text) != 0)
            fail_msg("`%s`: %u+%u %s", wrong[i].pattern, err.off, err.len, err.text);
    }
}

/* ---- forms and limits ---- */

static void forms_and_limits(void **state)
{
    static const struct {
        const char *pattern;
        int form; /* -1: too large */
    } forms[] = {
        {"/etc/[a-z]+\\.conf", RPK_AUTOMATON},
        {"a{1000}", RPK_AUTOMATON},
        {"(abcdefghij){1000}", RPK_AUTOMATON},
        {"(a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t|u|v|w|x|y|z){1000}", RPK_AUTOMATON},
        {"[^a]{100}|.*x.{5}", RPK_AUTOMATON},
        {".*a.{12}", RPK_AUTOMATON},
        {".*a.{20}", RPK_PROGRAM},
        {".*a.{1000}", RPK_PROGRAM},
        {"(.*a.{20}){40}", RPK_PROGRAM},
        {"(.*abcdefghijklmnopqrstuvwxyz){1000}", -1},
        {"(abcdefghijklmnopqrstuvwxyz){1000}", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct arena *a = arena_new();
        struct re_table t;
        bool fits = regex_compile(a, parsed(a, forms[i].pattern), &t);
        arena_free(a);
        if ((fits ? t.head.kind : -1) != forms[i].form)
            fail_msg("`%s`: form %d", forms[i].pattern, fits ? t.head.kind : -1);
    }
}

/* 255 bytes of the worst: it must come to an end, and both must agree. */
static void long_patterns_end(void **state)
{
    char pattern[REGEX_PATTERN_MAX + 2], value[2001];
    static const char *const parts[] = {"(a*)*", ".*", "[^a]?", "(a|b|)", "a?", "((", "[a-z]{9}"};
    struct regex_error err;
    (void)state;
    memset(value, 'a', sizeof(value));
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        struct arena *a = arena_new();
        size_t n = 0, len = strlen(parts[i]);
        for (; n + len <= REGEX_PATTERN_MAX; n += len)
            memcpy(pattern + n, parts[i], len);
        struct regex *re = regex_parse(a, pattern, n, &err);
        struct re_table t;
        assert_int_equal(re == NULL, i == 5);
        if (re && regex_compile(a, re, &t))
            assert_int_equal(regex_eval(re, value, 2000),
                             run(&t, value, 2000, ST_PRESENT) == OUT_TRUE);
        arena_free(a);
    }
    memset(pattern, 'a', sizeof(pattern));
    struct arena *a = arena_new();
    assert_non_null(regex_parse(a, pattern, REGEX_PATTERN_MAX, &err));
    assert_null(regex_parse(a, pattern, REGEX_PATTERN_MAX + 1, &err));
    arena_free(a);
}

/* ---- facts ---- */

static const struct {
    const char *pattern, *prefix, *suffix, *strings;
} facts[] = {
    {"/etc/.*", "/etc/", "", ""},
    {".*\\.sh", "", ".sh", ""},
    {"/etc/[a-z]+\\.conf", "/etc/", ".conf", ""},
    {"cp", "cp", "cp", "cp"},
    {"^(cp|mv)$", "", "", "cp mv"},
    {"(ab|ac)x", "a", "x", "abx acx"},
    {"(ab|ac)+x", "a", "x", ""},
    {"a{2}b?c", "aa", "c", "aac aabc"},
    {"a{2,}", "aa", "aa", ""},
    {"[Ff]oo", "", "oo", "Foo foo"},
    {"a(b|)c", "a", "c", "abc ac"},
    {"a^b", "ab", "ab", ""},
    {"x\xef\xbf\xbd", "x", "", ""},
    {"x\\x00", "x", "", ""},
    {"", "", "", ""},
    {"[a-z]", "", "", "a b c d e f g h i j k l m n o p q r s t u v w x y z"},
    {"[a-zA-Z]", "", "", ""},
};

static void what_is_known_beforehand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
        struct comp *c = comp_new();
        struct regex *re = parsed(c->arena, facts[i].pattern);
        struct re_strings found = {0};
        const char *all = "";
        uint32_t n = regex_strings(c, re, 32, &found);
        for (uint32_t k = 0; k < n; k++)
            all = arena_printf(c->arena, "%s%s%s", all, k ? " " : "", STR(c, found.v.v[k]));
        assert_string_equal(STR(c, regex_prefix(c, re)), facts[i].prefix);
        assert_string_equal(STR(c, regex_suffix(c, re)), facts[i].suffix);
        assert_string_equal(all, facts[i].strings);
        comp_free(c);
    }
}

/* ---- hostile tables ---- */

typedef void change(struct re_table *t);
static void c_class(struct re_table *t)
{
    t->head.ascii['a'] = 200;
}
static void c_nclass(struct re_table *t)
{
    t->head.nclass = 0;
}
static void c_nclass_max(struct re_table *t)
{
    t->head.nclass = 257;
}
static void c_newline(struct re_table *t)
{
    t->head.newline = 255;
}
static void c_ranges(struct re_table *t)
{
    t->head.nrange = 1000;
}
static void c_no_range(struct re_table *t)
{
    t->head.nrange = 0;
}
static void c_range0(struct re_table *t)
{
    t->head.range0 = 1;
}
static void c_range_class(struct re_table *t)
{
    t->ranges.v[0].cls = 99;
}
static void c_range_first(struct re_table *t)
{
    t->ranges.v[0].first = 127;
}
static void c_range_order(struct re_table *t)
{
    t->ranges.v[1].first = 128;
}
static void c_word0(struct re_table *t)
{
    t->head.word0 = 2;
}
static void c_nword(struct re_table *t)
{
    t->head.nword = UINT32_MAX;
}
static void c_nword_less(struct re_table *t)
{
    t->head.nword--;
}
static void c_kind(struct re_table *t)
{
    t->head.kind = 2;
}
static void c_other_kind(struct re_table *t)
{
    t->head.kind ^= 1;
}
static void c_states(struct re_table *t)
{
    t->head.nstate++;
}
static void c_no_states(struct re_table *t)
{
    t->head.nstate = 0;
}
static void c_start(struct re_table *t)
{
    t->head.start = UINT16_MAX;
}
static void c_edge(struct re_table *t)
{
    t->words.v[t->head.nclass + 1] = UINT16_MAX;
}
static void c_zero(struct re_table *t)
{
    t->words.v[0] = 1;
}
static void c_zero_end(struct re_table *t)
{
    t->words.v[t->head.nclass] = 1;
}
static void c_end(struct re_table *t)
{
    t->words.v[2 * t->head.nclass + 1] = 2;
}
static void c_op(struct re_table *t)
{
    t->words.v[3] = RI_COUNT;
}
static void c_next(struct re_table *t)
{
    t->words.v[4] = UINT16_MAX;
}
static void c_set(struct re_table *t)
{
    t->words.v[5] = UINT16_MAX;
}
static void c_nset(struct re_table *t)
{
    t->head.nset++;
}

static const struct {
    const char *pattern;
    change *change;
    const char *text;
} hostile[] = {
    {"a\xc3\xa9*", c_class, "class of a character"},
    {"a\xc3\xa9*", c_nclass, "number of classes"},
    {"a\xc3\xa9*", c_nclass_max, "number of classes"},
    {"a\xc3\xa9*", c_newline, "class of the newline"},
    {"a\xc3\xa9*", c_ranges, "ranges outside their table"},
    {"a\xc3\xa9*", c_no_range, "no range"},
    {"a\xc3\xa9*", c_range0, "ranges outside their table"},
    {"a\xc3\xa9*", c_range_class, "class of a range"},
    {"a\xc3\xa9*", c_range_first, "ranges out of order"},
    {"a\xc3\xa9*", c_range_order, "ranges out of order"},
    {"a\xc3\xa9*", c_word0, "transitions outside their table"},
    {"a\xc3\xa9*", c_nword, "transitions outside their table"},
    {"a\xc3\xa9*", c_nword_less, "number of transitions"},
    {"a\xc3\xa9*", c_kind, "unknown form"},
    {"a\xc3\xa9*", c_other_kind, "number of instructions"},
    {"a\xc3\xa9*", c_states, "number of transitions"},
    {"a\xc3\xa9*", c_no_states, "number of transitions"},
    {"a\xc3\xa9*", c_start, "first state"},
    {"a\xc3\xa9*", c_edge, "a transition leads nowhere"},
    {"a\xc3\xa9*", c_zero, "state 0 leads on"},
    {"a\xc3\xa9*", c_zero_end, "state 0 leads on"},
    {"a\xc3\xa9*", c_end, "a transition leads nowhere"},
    {".*a.{20}", c_op, "unknown instruction"},
    {".*a.{20}", c_next, "an instruction leads nowhere"},
    {".*a.{20}", c_set, "an instruction leads nowhere"},
    {".*a.{20}", c_nset, "number of instructions"},
    {".*a.{20}", c_states, "number of instructions"},
    {".*a.{20}", c_no_states, "number of instructions"},
    {".*a.{20}", c_start, "first instruction"},
    {".*a.{20}", c_other_kind, "number of transitions"},
};

static void hostile_tables_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
        struct arena *a = arena_new();
        struct re_table t;
        struct one o;
        assert_true(regex_compile(a, parsed(a, hostile[i].pattern), &t));
        view(&o, &t);
        assert_null(rpk_regex_wrong(&o.rpk, 0));
        hostile[i].change(&t);
        const char *why = rpk_regex_wrong(&o.rpk, 0);
        if (!why || strcmp(why, hostile[i].text) != 0)
            fail_msg("row %zu: %s, not %s", i, why ? why : "accepted", hostile[i].text);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_evaluators_match),    cmocka_unit_test(beginnings_stay_open),
        cmocka_unit_test(a_beginning_can_rule_out), cmocka_unit_test(mistakes_have_their_place),
        cmocka_unit_test(forms_and_limits),         cmocka_unit_test(long_patterns_end),
        cmocka_unit_test(what_is_known_beforehand), cmocka_unit_test(hostile_tables_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
