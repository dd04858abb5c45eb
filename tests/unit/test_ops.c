/* SPDX-License-Identifier: Apache-2.0 */
/* The operators' meaning; numbers in comments are rows of rule-language 11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "grammar/ops.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

static void same(bool is, bool want, const char *what, const char *a, const char *op, const char *c)
{
    if (is != want)
        fail_msg("%s: '%s' %s '%s' must be %s", what, a, op, c, want ? "true" : "false");
}

struct text_case {
    const char *value;
    enum op_id op;
    const char *constant;
    bool want;
};

static const struct text_case texts[] = {
    {"cat", OP_EQ, "cat", true},
    {"cat", OP_EQ, "Cat", false},
    {"cat", OP_EQ, "ca", false},
    {"cat", OP_NE, "cat", false},
    {"cat", OP_NE, "cats", true},
    {"", OP_EQ, "", true},
    {"cat", OP_IN, "cat", true},
    {"cat", OP_INTERSECTS, "dog", false},
    {"cat", OP_EXISTS, "", true},
    {"10", OP_LT, "9", true},
    {"9", OP_LT, "10", false},
    {"ab", OP_LT, "abc", true},
    {"abc", OP_GT, "ab", true},
    {"ab", OP_LE, "ab", true},
    {"ab", OP_GE, "ab", true},
    {"ab", OP_GT, "ab", false},
    {"\xe9", OP_GT, "z", true}, /* bytes, not signed char */
    {"/tmp/file", OP_CONTAINS, "/fi", true},
    {"/tmp/file", OP_CONTAINS, "", true},
    {"", OP_CONTAINS, "", true},
    {"", OP_CONTAINS, "a", false},
    {"aab", OP_CONTAINS, "ab", true},
    {"/tmp/file", OP_CONTAINS, "FI", false},
    {"/tmp/File", OP_ICONTAINS, "fILE", true},
    {"[", OP_ICONTAINS, "{", false}, /* they differ by the case bit */
    {"\xc9", OP_ICONTAINS, "\xe9", false},
    {"/tmp/file", OP_STARTSWITH, "/tmp", true},
    {"/tmp", OP_STARTSWITH, "/tmp/", false},
    {"/tmp", OP_STARTSWITH, "", true},
    {"/tmp/file", OP_ENDSWITH, "file", true},
    {"le", OP_ENDSWITH, "file", false},
    {"/tmp", OP_ENDSWITH, "", true},
    {"cat", OP_BCONTAINS, "cat", false},
    {"cat", OP_BSTARTSWITH, "cat", false},
    {"cat", OP_REGEX, "cat", false},
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(texts); i++) {
        const struct text_case *t = &texts[i];

        same(ops_text(t->op, t->value, strlen(t->value), t->constant, strlen(t->constant)), t->want,
             "text", t->value, catalog_op(t->op)->text, t->constant);
    }
}

static void test_text_ends_at_nul(void **state)
{
    (void)state;
    assert_true(ops_text(OP_EQ, "cat\0dog", 7, "cat", 3));
    assert_true(ops_text(OP_ENDSWITH, "cat\0dog", 7, "at", 2));
    assert_false(ops_text(OP_CONTAINS, "cat\0dog", 7, "dog", 3));
    assert_true(ops_text(OP_GLOB, "cat\0dog", 7, "c?t", 3));
}

static void test_bytes(void **state)
{
    (void)state;
    assert_true(ops_bytes(OP_CONTAINS, "cat\0dog", 7, "dog", 3));
    assert_true(ops_bytes(OP_BCONTAINS, "cat\0dog", 7, "t\0d", 3));
    assert_true(ops_bytes(OP_BSTARTSWITH, "\xca\xfe\0", 3, "\xca\xfe", 2));
    assert_false(ops_bytes(OP_BSTARTSWITH, "\xca\xfe", 2, "\xfe", 1));
    assert_false(ops_bytes(OP_EQ, "cat\0", 4, "cat", 3));
    assert_true(ops_bytes(OP_NE, "cat\0", 4, "cat", 3));
    assert_true(ops_bytes(OP_ENDSWITH, "cat\0", 4, "\0", 1));
    assert_true(ops_bytes(OP_IN, "cat", 3, "cat", 3));
    assert_false(ops_bytes(OP_LT, "a", 1, "b", 1));
    assert_false(ops_bytes(OP_GLOB, "a", 1, "*", 1));
}

static const struct text_case globs[] = {
    {"/tmp/the_file", OP_GLOB, "/tmp*", true}, /* 30 */
    {"/tmp/the_file", OP_GLOB, "/tmp", false},
    {"/tmp/a", OP_GLOB, "/tmp/{a,b}", false},
    {"/tmp/{a,b}", OP_GLOB, "/tmp/{a,b}", true},
    {"/tmp/the_file", OP_GLOB, "*/the_?ile", true},
    {"", OP_GLOB, "", true},
    {"", OP_GLOB, "*", true},
    {"", OP_GLOB, "?", false},
    {"a", OP_GLOB, "**", true},
    {".profile", OP_GLOB, "*", true}, /* a leading dot is nothing special */
    {"a/b", OP_GLOB, "a?b", true},
    {"\xc3\xa9", OP_GLOB, "?", false}, /* two bytes */
    {"\xc3\xa9", OP_GLOB, "??", true},
    {"abab", OP_GLOB, "*ab", true},
    {"aXbXc", OP_GLOB, "a*X*c", true},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaa", OP_GLOB, "*a*a*a*a*a*a*a*a*a*a*a*b", false},
    {"b", OP_GLOB, "[abc]", true},
    {"b", OP_GLOB, "[!abc]", false},
    {"d", OP_GLOB, "[^abc]", true},
    {"m", OP_GLOB, "[a-z]", true},
    {"M", OP_GLOB, "[a-z]", false},
    {"M", OP_IGLOB, "[a-z]", true},
    {"-", OP_GLOB, "[a-]", true},
    {"]", OP_GLOB, "[]]", true},
    {"a", OP_GLOB, "[!]]", true},
    {"7", OP_GLOB, "[[:digit:]]", true},
    {"x", OP_GLOB, "[[:digit:]x]", true},
    {"x", OP_GLOB, "[[:alpha:]]", true},
    {"\xe9", OP_GLOB, "[[:alpha:]]", false}, /* C locale */
    {"\t", OP_GLOB, "[[:space:]]", true},
    {"x", OP_GLOB, "[[:nosuch:]x]", false},
    {"-", OP_GLOB, "[[.-.]]", true},
    {"b", OP_GLOB, "[c-a]", false},
    {"*", OP_GLOB, "\\*", true},
    {"x", OP_GLOB, "\\*", false},
    {"]", OP_GLOB, "[\\]]", true},
    {"a", OP_GLOB, "a\\", false},
    {"[a", OP_GLOB, "[a", true},
    {"a", OP_GLOB, "[a", false},
    {"/TMP/X", OP_IGLOB, "/tmp/*", true},
    {"/TMP/X", OP_GLOB, "/tmp/*", false},
};

/* 31, 32, and what section 5.3 says of components. */
static const struct text_case paths[] = {
    {"/tmp/the_file", OP_PMATCH, "/tm", false},
    {"/tmp/the_file", OP_PMATCH, "tmp", true},
    {"/tmp/the_file", OP_PMATCH, "/", true},
    {"/tmp/the_file", OP_PMATCH, "", true},
    {"/tmp/the_file", OP_PMATCH, "/t*", true},
    {"/tmp/the_file", OP_PMATCH, "/tm*/the_file", true},
    {"/tmp/the_file", OP_PMATCH, "/t*/zzz", false},
    {"/tmp/the_file", OP_PMATCH, "//tmp/", true},
    {"//tmp//the_file", OP_PMATCH, "/tmp/the_file", true},
    {"/tmp/the_file", OP_PMATCH, "/tmp/the_file/", true},
    {"/tmp", OP_PMATCH, "/tmp/the_file", false},
    {"/tmp/../etc", OP_PMATCH, "/etc", false},
    {"/tmp/../etc", OP_PMATCH, "/tmp/..", true},
    {"/tmp/a/b", OP_PMATCH, "/tmp/*/b", true},
    {"/tmp/a/c/b", OP_PMATCH, "/tmp/*/b", false}, /* one component each */
    {"/tmp/x", OP_PMATCH, "/[st]mp", true},
    {"/tmp/x", OP_PMATCH, "/?mp", true},
    {"", OP_PMATCH, "/", true},
    {"", OP_PMATCH, "/*", false},
};

static void test_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(globs) + LEN(paths); i++) {
        const struct text_case *t = i < LEN(globs) ? &globs[i] : &paths[i - LEN(globs)];

        same(ops_text(t->op, t->value, strlen(t->value), t->constant, strlen(t->constant)), t->want,
             "pattern", t->value, catalog_op(t->op)->text, t->constant);
    }
}

static void test_numbers(void **state)
{
    static const struct {
        int64_t a;
        enum op_id op;
        int64_t c;
        bool as_signed, as_unsigned;
    } rows[] = {
        {4, OP_EQ, 4, true, true},           {4, OP_NE, 4, false, false},
        {4, OP_LT, 5, true, true},           {5, OP_LE, 5, true, true},
        {5, OP_GE, 6, false, false},         {-1, OP_LT, 0, true, false},
        {-1, OP_GT, 7, false, true},         {7, OP_IN, 7, true, true},
        {7, OP_INTERSECTS, 8, false, false}, {INT64_MIN, OP_LT, INT64_MAX, true, false},
        {0, OP_EXISTS, 0, true, true},       {7, OP_CONTAINS, 7, false, false},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const char *op = catalog_op(rows[i].op)->text;

        same(ops_num(rows[i].op, true, rows[i].a, rows[i].c), rows[i].as_signed, "signed", "", op,
             "");
        same(ops_num(rows[i].op, false, rows[i].a, rows[i].c), rows[i].as_unsigned, "unsigned", "",
             op, "");
    }
}

static void test_addresses(void **state)
{
    const struct ops_addr web = {4, {142, 251, 111, 147}}, ten = {4, {10, 0, 0, 1}};
    const struct ops_addr net = {4, {142, 251, 9, 9}}, zero = {4, {0}};
    const struct ops_addr one6 = {6, {[15] = 1}}, doc6 = {6, {0x20, 1, 0xd, 0xb8, [15] = 9}};
    const struct ops_addr doc_net6 = {6, {0x20, 1, 0xd, 0xb8, 0xff}};

    (void)state;
    assert_true(ops_ip(OP_EQ, &web, &web));
    assert_false(ops_ip(OP_EQ, &web, &ten));
    assert_true(ops_ip(OP_NE, &web, &ten));
    assert_true(ops_ip(OP_IN, &web, &web));
    assert_true(ops_ip(OP_NE, &web, &one6)); /* 21 */
    assert_false(ops_ip(OP_EQ, &zero, &one6));
    assert_true(ops_net(OP_EQ, &web, &net, 16)); /* host bits are ignored */
    assert_true(ops_net(OP_IN, &web, &net, 16));
    assert_false(ops_net(OP_EQ, &web, &net, 24));
    assert_true(ops_net(OP_NE, &web, &net, 24));
    assert_false(ops_net(OP_NE, &web, &net, 16));
    assert_true(ops_net(OP_EQ, &web, &zero, 0));
    assert_false(ops_net(OP_EQ, &web, &one6, 0));
    assert_true(ops_net(OP_NE, &web, &doc6, 32));
    assert_true(ops_net(OP_EQ, &doc6, &doc_net6, 32));
    assert_false(ops_net(OP_EQ, &doc6, &doc_net6, 33));
    assert_false(ops_net(OP_LT, &web, &net, 16));
}

/* 20: != needs both sides to differ, every other operator one of them. */
static void test_either_side(void **state)
{
    (void)state;
    assert_false(ops_either(OP_NE, true, false));
    assert_true(ops_either(OP_NE, true, true));
    assert_true(ops_either(OP_GT, true, false));
    assert_true(ops_either(OP_IN, false, true));
    assert_false(ops_either(OP_EQ, false, false));
}

static void test_several_constants(void **state)
{
    (void)state;
    assert_true(ops_combine(OP_EQ, MOD_NONE, 1, 1));
    assert_false(ops_combine(OP_EQ, MOD_NONE, 0, 1));
    assert_true(ops_combine(OP_IN, MOD_NONE, 1, 3));
    assert_false(ops_combine(OP_PMATCH, MOD_NONE, 0, 0));
    assert_true(ops_combine(OP_EXISTS, MOD_NONE, 0, 0));
    assert_true(ops_combine(OP_EQ, MOD_ANYOF, 1, 2));
    assert_true(ops_combine(OP_NE, MOD_ALLOF, 2, 2));
    assert_false(ops_combine(OP_NE, MOD_ALLOF, 1, 2));
    assert_true(ops_combine(OP_EQ, MOD_ONEOF, 1, 2));
    assert_false(ops_combine(OP_EQ, MOD_ONEOF, 2, 2)); /* 36: a constant twice counts twice */
    assert_false(ops_combine(OP_EQ, MOD_ANYOF, 0, 0)); /* 35 */
    assert_false(ops_combine(OP_NE, MOD_ALLOF, 0, 0));
    assert_false(ops_combine(OP_EQ, MOD_ONEOF, 0, 0));
}

/* 28, and section 7: `in` is true of a list that is present and empty. */
static void test_lists(void **state)
{
    (void)state;
    assert_false(ops_list(OP_IN, 2, 1));
    assert_true(ops_list(OP_IN, 2, 2));
    assert_true(ops_list(OP_IN, 0, 0));
    assert_true(ops_list(OP_INTERSECTS, 2, 1));
    assert_false(ops_list(OP_INTERSECTS, 0, 0));
    assert_true(ops_list(OP_EXISTS, 0, 0));
    assert_false(ops_list(OP_EQ, 1, 1));
}

/* Section 5.1: which operators each kind of type has, spelled out; exists is on everything. */
static void test_defined(void **state)
{
    static const struct {
        enum type_id type;
        bool list;
        const char *ops;
    } rows[] = {
        {T_CHARBUF, false,
         " != < <= = > >= contains endswith exists glob icontains iglob in intersects pmatch regex "
         "startswith "},
        {T_FSRELPATH, false,
         " != < <= = > >= contains endswith exists glob icontains iglob in intersects pmatch regex "
         "startswith "},
        {T_BYTEBUF, false,
         " != = bcontains bstartswith contains endswith exists in intersects startswith "},
        {T_INT64, false, " != < <= = > >= exists in intersects "},
        {T_PORT, false, " != < <= = > >= exists in intersects "},
        {T_FLAGS32, false, " != < <= = > >= exists in intersects "},
        {T_RELTIME, false, " != < <= = > >= exists in intersects "},
        {T_BOOL, false, " != = exists in intersects "},
        {T_IPADDR, false, " != = exists in intersects "},
        {T_IPNET, false, " != = exists in intersects "},
        {T_SOCKTUPLE, false, " exists "},
        {T_UID, false, " exists "},
        {T_CHARBUF, true, " exists in intersects "},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        for (int op = 1; op < OP_COUNT; op++) {
            const char *text = catalog_op((enum op_id)op)->text;
            char word[32];

            snprintf(word, sizeof(word), " %s ", text);
            same(ops_defined((enum op_id)op, rows[i].type, rows[i].list),
                 strstr(rows[i].ops, word) != NULL, "defined", catalog_type(rows[i].type)->name,
                 text, "");
        }
        assert_false(ops_defined(OP_NONE, rows[i].type, rows[i].list));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),        cmocka_unit_test(test_text_ends_at_nul),
        cmocka_unit_test(test_bytes),       cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_either_side), cmocka_unit_test(test_several_constants),
        cmocka_unit_test(test_lists),       cmocka_unit_test(test_defined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
