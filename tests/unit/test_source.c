/* SPDX-License-Identifier: Apache-2.0 */
#include "front.h"

#include <errno.h>

#include "../../compiler/arena.h"
#include "../../compiler/show.h"

static void places_of_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t off, line, column;
    } rows[] = {
        {"abc", 0, 1, 1},
        {"abc", 2, 1, 3},
        {"abc", 3, 1, 4},
        {"a\nb", 2, 2, 1},
        {"a\r\nb", 3, 2, 1},
        {"a\rb", 2, 2, 1},
        {"a\n\n\nb", 4, 4, 1},
        {"\xc3\xa9x", 2, 1, 2}, /* columns are characters */
        {"a\xc2\x85"
         "b",
         3, 2, 1}, /* NEL, LS and PS end a line for libyaml */
        {"a\xe2\x80\xa8"
         "b",
         4, 2, 1},
        {"a\xe2\x80\xa9"
         "b",
         4, 2, 1},
        {"", 0, 1, 1},
        {"a\n", 2, 2, 1},
    };
    struct arena *a = arena_new();
    struct sources *s = sources_new(a);
    for (size_t i = 0; i < ROWS(rows); i++) {
        int file = source_add(s, "t", rows[i].text, strlen(rows[i].text));
        struct place p = source_place(s, (uint32_t)file, rows[i].off);
        assert_int_equal(p.line, rows[i].line);
        assert_int_equal(p.column, rows[i].column);
    }
    arena_free(a);
}

/* Places far into a line, on both sides of the blocks in which characters are counted. */
static void columns_of_a_long_line(void **state)
{
    static const struct {
        uint32_t off, column;
    } rows[] = {{511, 506},   {512, 507}, {513, 508},  {1024, 763},
                {1535, 1019}, {5, 3},     {1533, 1018}};
    (void)state;
    char text[1537] = "\xef\xbb\xbf";
    memset(text + 3, 'a', 509);
    for (unsigned i = 512; i < 1535; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[5] = '\n';
    struct arena *a = arena_new();
    struct sources *s = sources_new(a);
    uint32_t file = (uint32_t)source_add(s, "t", text, 1536);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct place p = source_place(s, file, rows[i].off);
        assert_int_equal(p.line, rows[i].off == 5 ? 1 : 2);
        assert_int_equal(p.column, rows[i].column);
    }
    arena_free(a);
}

static void lines_without_their_end(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct sources *s = sources_new(a);
    uint32_t file = (uint32_t)source_add(s, "t", "one\r\ntwo\n\nlast", 14), start;
    size_t len;
    assert_memory_equal(source_line(s, file, 1, &len, &start), "one", 3);
    assert_int_equal(len, 3);
    assert_memory_equal(source_line(s, file, 6, &len, &start), "two", 3);
    assert_int_equal(start, 5);
    source_line(s, file, 9, &len, &start);
    assert_int_equal(len, 0);
    assert_memory_equal(source_line(s, file, 14, &len, &start), "last", 4);
    assert_int_equal(len, 4);
    arena_free(a);
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct sources *s = sources_new(a);
    assert_int_equal(source_read(s, "/no/such/file", "x"), -ENOENT);
    assert_int_equal(source_read(s, "/", "x"), -EISDIR);
    assert_int_equal(source_read(s, "/dev/zero", "x"), -EFBIG);
    int file = source_add_missing(s, "gone.yaml");
    assert_int_equal(source_place(s, (uint32_t)file, 0).line, 0);
    assert_string_equal(source_name(s, (uint32_t)file), "gone.yaml");
    assert_true(source_read(s, "/proc/self/status", "status") > 0); /* of size 0, by stat */
    arena_free(a);
}

/* What is shown cannot steer a terminal. */
static void bytes_are_made_fit_to_be_shown(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *text, *json;
    } rows[] = {
        {"plain", 5, "plain", "\"plain\""},
        {"\x1b[2J", 4, "\\x1b[2J", "\"\\u001b[2J\""},
        {"\xc3\xa9", 2, "\xc3\xa9", "\"\xc3\xa9\""},
        {"\xff", 1, "\\xff", "\"\\ufffd\""},
        {"\xe2\x80\xae", 3, "\\u{202e}", "\"\xe2\x80\xae\""},
        {"\xc0\x80", 2, "\\xc0\\x80", "\"\\ufffd\\ufffd\""},
        {"\xc2\x9b", 2, "\\u{9b}", "\"\xc2\x9b\""},
        {"a\"\\\n", 4, "a\"\\\\x0a", "\"a\\\"\\\\\\u000a\""},
        {"\0", 1, "\\x00", "\"\\u0000\""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char buf[100] = "";
        FILE *out = fmemopen(buf, sizeof(buf), "w");
        show_text(out, rows[i].bytes, rows[i].len);
        fclose(out);
        assert_string_equal(buf, rows[i].text);
        memset(buf, 0, sizeof(buf));
        out = fmemopen(buf, sizeof(buf), "w");
        show_json(out, rows[i].bytes, rows[i].len);
        fclose(out);
        assert_string_equal(buf, rows[i].json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_of_bytes),
        cmocka_unit_test(columns_of_a_long_line),
        cmocka_unit_test(lines_without_their_end),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(bytes_are_made_fit_to_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
