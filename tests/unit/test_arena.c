/* SPDX-License-Identifier: Apache-2.0 */
#include "front.h"

#include "../../compiler/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 65536, 3u << 20, 5};
    struct arena *a = arena_new();
    for (size_t i = 0; i < ROWS(sizes); i++) {
        unsigned char *p = arena_alloc(a, sizes[i]);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xff, sizes[i]);
    }
    assert_true(arena_size(a) >= 3u << 20);
    arena_free(a);
    arena_free(NULL);
}

static void printf_keeps_long_texts(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    char *s = arena_printf(a, "%s-%d", "x", 7);
    assert_string_equal(s, "x-7");
    s = arena_printf(a, "%100000d", 1);
    assert_int_equal(strlen(s), 100000);
    assert_string_equal(arena_printf(a, "%s", ""), "");
    arena_free(a);
}

static void vectors_grow_and_keep(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    VEC(uint32_t) one = {0}, two = {0};
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(VEC_PUSH(a, &one, i), i);
        if (i % 7 == 0)
            VEC_PUSH(a, &two, ~i); /* now and then something stands behind the other vector */
    }
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(one.v[i], i);
        assert_int_equal(two.v[i / 7], ~(i / 7 * 7));
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(printf_keeps_long_texts),
        cmocka_unit_test(vectors_grow_and_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
