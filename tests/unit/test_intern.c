/* SPDX-License-Identifier: Apache-2.0 */
#include "front.h"

#include "../../compiler/arena.h"

static void equal_bytes_have_equal_ids(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {{"a", 1}, {"b", 1}, {"ab", 2}, {"a\0b", 3}, {"a\0c", 3}, {"a\0", 2}, {"\xff", 1}};
    struct arena *a = arena_new();
    struct intern *in = intern_new(a);
    str_id ids[ROWS(rows)];
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(intern_find(in, rows[i].bytes, rows[i].len).i, 0);
        ids[i] = intern_put(in, rows[i].bytes, rows[i].len);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(ids[i].i, ids[k].i);
    }
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_int_equal(intern_put(in, rows[i].bytes, rows[i].len).i, ids[i].i);
        assert_int_equal(intern_find(in, rows[i].bytes, rows[i].len).i, ids[i].i);
        assert_int_equal(intern_len(in, ids[i]), rows[i].len);
        assert_memory_equal(intern_text(in, ids[i]), rows[i].bytes, rows[i].len);
        assert_int_equal(intern_text(in, ids[i])[rows[i].len], 0);
    }
    assert_int_equal(intern_put(in, "", 0).i, 0);
    assert_string_equal(intern_text(in, (str_id){0}), "");
    arena_free(a);
}

static void texts_stay_where_they_are(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct intern *in = intern_new(a);
    str_id first = intern_cstr(in, "first");
    const char *text = intern_text(in, first);
    for (int i = 0; i < 50000; i++) {
        char buf[16];
        snprintf(buf, sizeof(buf), "w%d", i);
        intern_cstr(in, buf);
    }
    assert_ptr_equal(intern_text(in, first), text);
    assert_int_equal(intern_cstr(in, "first").i, first.i);
    assert_string_equal(intern_text(in, intern_cstr(in, "w31337")), "w31337");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_bytes_have_equal_ids),
        cmocka_unit_test(texts_stay_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
