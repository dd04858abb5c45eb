/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs and paths as the kernel decides them: every short pattern against every short text, held
 * against what the operators mean; what is not decided, and what is known of it all the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../bpf/match.h"
#include "arena.h"
#include "grammar/ops.h"
#include "intern.h"
#include "pattern.h"
#include "pipeline.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

/* The n-th text over an alphabet, the shorter ones first; its length. */
static size_t nth(const char *alphabet, unsigned n, char *out)
{
    unsigned base = (unsigned)strlen(alphabet);
    size_t len = 0;
    for (; n; n = (n - 1) / base)
        out[len++] = alphabet[(n - 1) % base];
    out[len] = '\0';
    return len;
}

static bool matches(enum op_id op, const char *text, size_t len, const char *pat, size_t n)
{
    struct match_glob glob = {0};
    struct match_path path = {.slash = 1};
    enum match_end end = MATCH_ON;
    while (end == MATCH_ON)
        end = op == OP_PMATCH ? match_path_step(&path, text, (unsigned)len, pat, (unsigned)n)
                              : match_glob_step(&glob, text, (unsigned)len, pat, (unsigned)n);
    return end == MATCH_YES;
}

/* How many of the patterns were decided. */
static unsigned hold(enum op_id op, const char *signs, unsigned npattern, const char *letters)
{
    char pattern[16], text[16];
    unsigned simple = 0;
    struct comp *c = comp_new();
    for (unsigned p = 0; p < npattern; p++) {
        size_t np = nth(signs, p, pattern);
        str_id written;
        if (!pattern_write(c, op, intern_put(c->intern, pattern, np), &written))
            continue;
        simple++;
        for (unsigned t = 0; t < 364; t++) { /* up to five letters of three */
            size_t nt = nth(letters, t, text);
            bool want = ops_text(op, text, nt, pattern, np);
            for (size_t i = 0; op == OP_IGLOB && i < nt; i++)
                text[i] = text[i] == 'B' ? 'b' : text[i];
            if (matches(op, text, nt, STR(c, written), STRLEN(c, written)) != want)
                fail_msg("'%s' %s '%s' must be %s", text, catalog_op(op)->text, pattern,
                         want ? "true" : "false");
        }
    }
    comp_free(c);
    return simple;
}

static void as_the_operators_mean_it(void **state)
{
    (void)state;
    assert_int_equal(hold(OP_GLOB, "ab*", 364, "ab/"), 364);
    /* One in five ends in a backslash that quotes nothing, or has one before it. */
    assert_true(hold(OP_GLOB, "a/*?\\", 3906, "ab/") > 3000);
    assert_int_equal(hold(OP_IGLOB, "aB*", 364, "abB"), 364);
    assert_int_equal(hold(OP_PMATCH, "ab/", 1093, "ab/"), 1093);
}

static void what_is_not_decided(void **state)
{
    (void)state;
    static const struct {
        enum op_id op;
        const char *pattern;
    } rows[] = {
        {OP_GLOB, "[ab]c"}, {OP_GLOB, "a\\"},     {OP_IGLOB, "x[!y]"},
        {OP_PMATCH, "a*"},  {OP_PMATCH, "/a?/b"}, {OP_PMATCH, "/[a]"},
    };
    struct comp *c = comp_new();
    char big[PATTERN_WRITTEN_MAX + 2];
    str_id out;
    for (size_t i = 0; i < LEN(rows); i++)
        assert_false(pattern_write(c, rows[i].op, intern_cstr(c->intern, rows[i].pattern), &out));
    memset(big, 'a', sizeof(big));
    assert_true(pattern_write(c, OP_GLOB, intern_put(c->intern, big, sizeof(big) - 2), &out));
    assert_false(pattern_write(c, OP_GLOB, intern_put(c->intern, big, sizeof(big) - 1), &out));
    comp_free(c);
}

static void what_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *glob, *begins, *ends;
    } rows[] = {
        {"/home/[a-z]*/.ssh/*", "/home/", ""},
        {"*.[ch]", "", ""},
        {"a[b]c", "a", "c"},
        {"a\\[b", "a", "b"},
        {"[[:alpha:]]x", "", "x"},
        {"a[b", "a", "b"},
        {"plain", "plain", "plain"},
        {"", "", ""},
    };
    struct comp *c = comp_new();
    struct atom a = {.op = OP_GLOB, .nval = 1};
    VEC_PUSH(c->arena, &c->values, (struct value){.kind = VAL_TEXT});
    for (size_t i = 0; i < LEN(rows); i++) {
        c->values.v[0].text = intern_cstr(c->intern, rows[i].glob);
        assert_string_equal(STR(c, pattern_known(c, &a, 0, OP_STARTSWITH)), rows[i].begins);
        assert_string_equal(STR(c, pattern_known(c, &a, 0, OP_ENDSWITH)), rows[i].ends);
    }
    comp_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_operators_mean_it),
        cmocka_unit_test(what_is_not_decided),
        cmocka_unit_test(what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
