/* SPDX-License-Identifier: Apache-2.0 */
/* Text built into a buffer: JSON strings wherever in them something stands, numbers, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../runtime/fmt.h"

#define LENGTH_MAX 27 /* of a text: some words of eight bytes, and what is left */

/* What a few bytes in a text become. */
static const struct row {
    const char *in, *out;
    size_t nin;
} rows[] = {
    {"y", "y", 1},
    {"~", "~", 1},
    {" ", " ", 1},
    {"\x7f", "\x7f", 1},
    {"/", "/", 1},
    {"\"", "\\\"", 1},
    {"\\", "\\\\", 1},
    {"\n", "\\n", 1},
    {"\x1f", "\\u001f", 1},
    {"\0", "\\u0000", 1},
    {"\"\"", "\\\"\\\"", 2},
    {"\"!", "\\\"!", 2}, /* next to one that is escaped */
    {"!\"", "!\\\"", 2},
    {"\\]", "\\\\]", 2},
    {"\x1f ", "\\u001f ", 2},
    {"\xc3\xa9", "\xc3\xa9", 2},
    {"\xe2\x82\xac", "\xe2\x82\xac", 3},
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 4},
    {"\x80", "\xef\xbf\xbd", 1},
    {"\xff", "\xef\xbf\xbd", 1},
};

/* `n` times x, but `bytes` from `at` on. */
static size_t place(char *to, size_t n, const char *bytes, size_t nbytes, size_t at)
{
    memset(to, 'x', n);
    memcpy(to + at, bytes, nbytes);
    memset(to + at + nbytes, 'x', n - at);
    return n + nbytes;
}

/* In a buffer of any size: as much of it as there is room for, and nothing behind that. */
static void in_any_room(const char *in, size_t n, const char *want, size_t nwant)
{
    for (size_t cap = 0; cap <= nwant + 1; cap++) {
        char buf[64];
        struct fmt t = fmt_in(buf, cap);

        memset(buf, '#', sizeof(buf));
        fmt_json(&t, in, n);
        assert_int_equal(t.len, cap < nwant ? cap : nwant);
        assert_memory_equal(buf, want, t.len);
        assert_int_equal(t.full, cap < nwant);
        for (size_t i = cap; i < sizeof(buf); i++)
            assert_int_equal(buf[i], '#');
    }
}

static void test_json(void **state)
{
    (void)state;
    in_any_room("", 0, "", 0);
    for (const struct row *r = rows; r < rows + sizeof(rows) / sizeof(rows[0]); r++)
        for (size_t n = 0; n < LENGTH_MAX; n++)
            for (size_t at = 0; at <= n; at++) {
                char in[LENGTH_MAX + 8], want[LENGTH_MAX + 16];
                size_t nin = place(in, n, r->in, r->nin, at);

                in_any_room(in, nin, want, place(want, n, r->out, strlen(r->out), at));
            }
}

/* A character that is cut at the end of the text is none. */
static void test_cut(void **state)
{
    (void)state;
    in_any_room("abcdefg\xe2\x82", 9, "abcdefg\xef\xbf\xbd", 10);
}

static void test_numbers(void **state)
{
    static const struct {
        uint64_t v;
        unsigned base, digits;
        const char *want;
    } numbers[] = {
        {0, 10, 1, "0"},
        {9, 10, 1, "9"},
        {10, 10, 1, "10"},
        {99, 10, 1, "99"},
        {100, 10, 1, "100"},
        {1009, 10, 1, "1009"},
        {7, 10, 2, "07"},
        {7, 10, 9, "000000007"},
        {123456789, 10, 9, "123456789"},
        {1795802140101234642ull, 10, 1, "1795802140101234642"},
        {UINT64_MAX, 10, 1, "18446744073709551615"},
        {UINT64_MAX, 16, 1, "FFFFFFFFFFFFFFFF"},
        {UINT64_MAX, 8, 1, "1777777777777777777777"},
        {0644, 8, 4, "0644"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char buf[32];
        struct fmt t = fmt_in(buf, sizeof(buf));

        fmt_unsigned(&t, numbers[i].v, numbers[i].base, numbers[i].digits);
        assert_int_equal(t.len, strlen(numbers[i].want));
        assert_memory_equal(buf, numbers[i].want, t.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
