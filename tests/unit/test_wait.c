/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of waiting records, against a plain list of what should be in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../runtime/wait.h"

static uint8_t bytes[WAIT_BYTES];

static bool add(struct wait *w, uint64_t number, size_t size)
{
    const struct wait_item item = {.pid = (int64_t)(number % 7), .evt_num = number};

    memset(bytes, (int)(number & 0xff), size);
    return wait_add(w, &item, bytes, size);
}

static void check(const struct wait_item *i, uint64_t number)
{
    const uint8_t *b = wait_record(i);

    assert_non_null(i);
    assert_int_equal(i->evt_num, number);
    assert_int_equal(b[0], number & 0xff);
    assert_int_equal(b[i->bytes - 1], number & 0xff);
    assert_int_equal((uintptr_t)b % 8, 0);
}

static void test_order(void **state)
{
    struct wait w;

    (void)state;
    assert_int_equal(wait_open(&w), 0);
    assert_null(wait_first(&w));
    for (uint64_t n = 1; n <= 3; n++)
        assert_true(add(&w, n, 100 * n));
    check(wait_first(&w), 1);
    check(wait_next(&w, wait_first(&w)), 2);
    wait_out(&w, wait_next(&w, wait_first(&w)));
    check(wait_next(&w, wait_first(&w)), 3);
    wait_out(&w, wait_first(&w));
    check(wait_first(&w), 3);
    assert_null(wait_next(&w, wait_first(&w)));
    wait_out(&w, wait_first(&w));
    assert_null(wait_first(&w));
    assert_int_equal(w.n, 0);
    wait_close(&w);
}

static void test_full(void **state)
{
    struct wait w;
    uint64_t n = 0;

    (void)state;
    assert_int_equal(wait_open(&w), 0);
    assert_false(add(&w, 1, 0));
    assert_false(add(&w, 1, WAIT_BYTES / 2 + 1));
    while (add(&w, n + 1, 1))
        n++;
    assert_int_equal(n, WAIT_RECORDS);
    wait_close(&w);
    assert_int_equal(wait_open(&w), 0);
    for (n = 0; add(&w, n + 1, 100000); n++)
        ;
    assert_int_equal(n, WAIT_BYTES / 100032);
    wait_out(&w, wait_first(&w));
    wait_out(&w, wait_first(&w));
    assert_true(add(&w, n + 1, 100000)); /* at the ring's beginning */
    check(wait_first(&w), 3);
    wait_close(&w);
}

/* Random sizes and removals; numbers in the ring ascend, and what is in it is what should be. */
static void test_random(void **state)
{
    static bool in[200000];
    uint64_t next = 1, first = 1, seed = 7;
    struct wait w;

    (void)state;
    assert_int_equal(wait_open(&w), 0);
    for (unsigned turn = 0; turn < 100000; turn++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        unsigned r = (unsigned)(seed >> 40);

        if (r % 3) {
            if (add(&w, next, 1 + r % 9001))
                in[next++] = true;
        } else if (w.n) {
            struct wait_item *i = wait_first(&w), *other;

            for (unsigned k = r / 3 % 4; k && (other = wait_next(&w, i)); k--)
                i = other;
            check(i, i->evt_num);
            assert_true(in[i->evt_num]);
            in[i->evt_num] = false;
            wait_out(&w, i);
        }
        if (turn % 100)
            continue;
        while (first < next && !in[first])
            first++;
        struct wait_item *i = wait_first(&w);
        for (uint64_t n = first; n < next; n++)
            if (in[n]) {
                check(i, n);
                i = wait_next(&w, i);
            }
        assert_null(i);
    }
    assert_true(next > 20000);
    wait_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
