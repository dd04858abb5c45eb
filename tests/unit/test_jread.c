/* SPDX-License-Identifier: Apache-2.0 */
/* The strict JSON reader: what it hands on and where, what it refuses, and its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/fmt.h"
#include "../../runtime/jread.h"

static struct jread reader;
static char told[1 << 17];

/* PLACE=VALUE; for each value. Keys and indexes are joined by dots, an array's member is `#`. */
static void tell(void *ctx, const struct jread *j, enum jread_kind kind)
{
    static const char marks[] = {
        [JREAD_OPEN] = '+',  [JREAD_CLOSE] = '-', [JREAD_NUMBER] = '0', [JREAD_TRUE] = 't',
        [JREAD_FALSE] = 'f', [JREAD_NULL] = 'n',  [JREAD_TEXT] = '\''};
    struct fmt *t = ctx;

    for (unsigned i = 0; i < j->depth; i++) {
        if (i)
            fmt_char(t, '.');
        if (j->step[i].is_array)
            fmt_char(t, '#');
        else
            fmt_add(t, j->keys + j->step[i].off, j->step[i].len);
    }
    fmt_char(t, '=');
    fmt_char(t, marks[kind]);
    if (kind == JREAD_TEXT)
        fmt_add(t, j->value, j->nvalue);
    fmt_char(t, ';');
}

/* The text stands at the end of memory of its own, so that a sanitizer sees a step beyond it. */
static int run(const char *text, size_t len, struct fmt *t)
{
    char *copy = malloc(len ? len : 1);
    int rc;

    memcpy(copy, text, len);
    *t = fmt_in(told, sizeof(told) - 1);
    rc = jread_run(&reader, copy, len, tell, t);
    told[t->len] = '\0';
    free(copy);
    return rc;
}

static void test_values(void **state)
{
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"{}", "=+;=-;"},
        {" [ ] ", "=+;=-;"},
        {"\"a\"", "='a;"},
        {"-0.5e+10", "=0;"},
        {"0", "=0;"},
        {"null\n", "=n;"},
        {"{\"a\": {\"b\": [1, true, \"x\"]}, \"c\": false}",
         "=+;a=+;a.b=+;a.b.#=0;a.b.#=t;a.b.#='x;a.b=-;a=-;c=f;=-;"},
        {"{\"long\":1,\"s\":{\"t\":2},\"u\":3}", "=+;long=0;s=+;s.t=0;s=-;u=0;=-;"},
        {"[[],[{}]]", "=+;#=+;#=-;#=+;#.#=+;#.#=-;#=-;=-;"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "='\"\\/\b\f\n\r\t;"},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "='A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80;"},
        {"\"\xff\xfe\"", "='\xff\xfe;"}, /* not UTF-8: outputs see to that */
        {"{\"\\u006bey\":1,\"\":2}", "=+;key=0;=0;=-;"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fmt t;

        assert_int_equal(run(rows[i].text, strlen(rows[i].text), &t), 0);
        assert_string_equal(told, rows[i].told);
    }
}

static void test_refused(void **state)
{
    static const char *const rows[] = {
        "",
        " ",
        "{",
        "[",
        "}",
        "]",
        "{]",
        "[}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{1:2}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "1 2",
        "[] []",
        "{}x",
        "nul",
        "nulll",
        "True",
        "tru",
        "-",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "--1",
        "NaN",
        "Infinity",
        "\"",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\ud800x\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"\\ud800\\",
        "\"a\nb\"",
        "\"a\tb\"",
        "// x\n1",
        "/* */1",
        "[1]//",
        "\xef\xbb\xbf{}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fmt t;

        if (run(rows[i], strlen(rows[i]), &t) != -EPROTO)
            fail_msg("taken: %s", rows[i]);
    }
    struct fmt t;
    assert_int_equal(run("\"a\0b\"", 5, &t), -EPROTO);
    assert_int_equal(run("{}\0", 3, &t), -EPROTO);
}

/* Every beginning of a good text but the whole is refused, without a look beyond it. */
static void test_beginnings(void **state)
{
    static const char text[] = "{\"a\":[1.5e3,{\"b\":\"x\\u20ac\\n\"},true,null],\"c\":{}}";
    struct fmt t;

    (void)state;
    for (size_t n = 0; n < sizeof(text) - 1; n++)
        assert_int_equal(run(text, n, &t), -EPROTO);
    assert_int_equal(run(text, sizeof(text) - 1, &t), 0);
}

static int nested(unsigned depth, char open, char close)
{
    char text[4096];
    struct fmt t;

    memset(text, open, depth);
    memset(text + depth, close, depth);
    return run(text, (size_t)2 * depth, &t);
}

static void test_bounds(void **state)
{
    static char big[JREAD_VALUE + 100];
    struct fmt t;

    (void)state;
    assert_int_equal(nested(JREAD_DEPTH, '[', ']'), 0);
    assert_int_equal(nested(JREAD_DEPTH + 1, '[', ']'), -E2BIG);
    assert_int_equal(nested(2000, '[', ']'), -E2BIG);
    memset(big, 'x', sizeof(big));
    big[0] = '"';
    big[sizeof(big) - 1] = '"';
    assert_int_equal(run(big, sizeof(big), &t), 0);
    assert_true(reader.cut);
    assert_int_equal(reader.nvalue, JREAD_VALUE);
    /* the same as a key */
    big[0] = '{';
    big[1] = '"';
    memcpy(big + sizeof(big) - 4, "\":1}", 4);
    assert_int_equal(run(big, sizeof(big), &t), -E2BIG);
    assert_int_equal(run("\"ab\"", 4, &t), 0);
    assert_false(reader.cut);
}

struct place {
    const char *want;
    bool met;
};

static void look(void *ctx, const struct jread *j, enum jread_kind kind)
{
    struct place *p = ctx;

    p->met |= kind == JREAD_TEXT && jread_is(j, p->want);
}

static void test_places(void **state)
{
    static const char text[] =
        "{\"a\":{\"b\":\"x\"},\"l\":[{\"i\":\"y\"}],\"a.b\":\"z\",\"ab\":\"z\"}";
    static const struct {
        const char *place;
        bool met;
    } rows[] = {
        {"a.b", true}, {"a.*", true}, {"a", false},    {"a.b.c", false}, {"b", false},
        {"*.b", true}, {"*", true},   {"l.*.i", true}, {"l.0.i", false}, {"l.i", false},
        {"ab", true},  {"aa", false}, {"", false},     {"a.bb", false},  {"*.*.i", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct place p = {.want = rows[i].place};

        assert_int_equal(jread_run(&reader, text, strlen(text), look, &p), 0);
        if (p.met != rows[i].met)
            fail_msg("%s", rows[i].place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_beginnings), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
