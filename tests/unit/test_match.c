/* SPDX-License-Identifier: Apache-2.0 */
/* Eight bytes at a time (bpf/match.h): held against what each byte says by itself. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "../../bpf/match.h"

static void hexadecimal_digits(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdefABCDEF";
    for (unsigned byte = 0; byte < 256; byte++)
        for (unsigned at = 0; at < 8; at++) {
            char text[8] = "0aF9f3Ac";
            text[at] = (char)byte;
            bool digit = byte && strchr(digits, (int)byte);
            unsigned long long all = 0x80 * MATCH_ONES;
            unsigned long long want = digit ? all : all & ~(0x80ull << (8 * at));
            assert_int_equal(match_hex8(match_word(text)), want);
        }
}

static void place_of_the_first_nul(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned want;
    } rows[] = {
        {"\0\0\0\0\0\0\0", 0},
        {"a\0\0\0\0\0\0", 1},
        {"sh\0junk", 2},
        {"\x01\0\x01\0\x01\0\x01", 1}, /* what a borrow would reach */
        {"\x80\xff\x80\0\x80\xff\x01", 3},
        {"bash-it\0", 7},
        {"kworker/", 8},
        {"\xff\xff\xff\xff\xff\xff\xff\xff", 8},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(match_nul8(match_word(rows[i].text)), rows[i].want);
}

static void nuls_become_blanks(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++)
        for (unsigned at = 0; at < 8; at++) {
            char text[8] = "\0a\x01\xff\0 \x80=", want[8] = " a\x01\xff  \x80=";
            text[at] = (char)byte;
            want[at] = byte ? (char)byte : ' ';
            assert_int_equal(match_blank8(match_word(text)), match_word(want));
        }
}

/* Does folding leave an absolute path as it is? */
static bool is_folded(const char *path)
{
    size_t len = strlen(path);
    return path[0] == '/' && (len == 1 || path[len - 1] != '/') && !strstr(path, "//") &&
           !strstr(path, "/./") && !strstr(path, "/../") &&
           (len < 2 || strcmp(path + len - 2, "/.") != 0) &&
           (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static bool looks_folded(const char *path)
{
    for (size_t at = 0; at < strlen(path); at += 8)
        if (match_unfolded8(match_word(path + at), match_word(path + at + 1),
                            match_word(path + at + 2)))
            return false;
    return true;
}

/* Every path of a slash and eight more bytes out of three; the place moves over words' borders. */
static void paths_that_folding_changes(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 8; before++)
        for (unsigned code = 0; code < 6561; code++) {
            char path[40] = "/aaaaaaaa", *to = path + 1 + before;
            *to++ = '/';
            for (unsigned left = code, i = 0; i < 8; i++, left /= 3)
                *to++ = "/.b"[left % 3];
            *to = 0;
            if (!is_folded(path))
                assert_false(looks_folded(path));
            else if (!strstr(path, "/.."))
                assert_true(looks_folded(path));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_digits),
        cmocka_unit_test(place_of_the_first_nul),
        cmocka_unit_test(nuls_become_blanks),
        cmocka_unit_test(paths_that_folding_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
