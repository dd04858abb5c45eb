/* SPDX-License-Identifier: Apache-2.0 */
/* The limit of alerts by rule: rows are alerts at times, and which of them may be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../runtime/limit.h"

#define MS 1000000ull
#define START (1700000000000 * MS)

struct row {
    struct limit_options o;
    unsigned n;         /* alerts, */
    uint64_t every;     /* ms from one to the next, */
    unsigned told;      /* of which so many are told */
    uint64_t closed_at; /* ms at which the lane was closed last; 0: never */
    uint64_t closed_ms; /* and for how long from then on */
};

static const struct row rows[] = {
    /* in ordinary use nothing is held back */
    {{1000, 10000}, 10000, 0, 10000, 0, 0},
    {{1000, 10000}, 50000, 1, 50000, 0, 0},
    {{0, 1}, 50000, 0, 50000, 0, 0},
    /* the burst, then one for each step */
    {{1000, 10000}, 10001, 0, 10000, 0, 100},
    {{10, 20}, 21, 0, 20, 0, 100},
    {{10, 1}, 10, 100, 10, 0, 0},
    {{10, 1}, 11, 50, 6, 450, 100},
    /* slower than the shortest time: until there is an alert to its credit again */
    {{1, 2}, 3, 0, 2, 0, 1000},
    {{1, 1}, 2, 300, 1, 300, 700},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct lane lanes[3] = {0};
        struct limit l;
        unsigned told = 0;
        uint64_t until = START + (row->closed_at + row->closed_ms) * MS;

        assert_int_equal(limit_open(&l, row->o, 2, lanes), 0);
        for (unsigned k = 0; k < row->n; k++)
            told += limit_take(&l, 1, START + k * row->every * MS);
        assert_int_equal(told, row->told);
        assert_int_equal(l.total, row->n - row->told);
        assert_int_equal(l.over[1], row->n - row->told);
        assert_int_equal(lanes[2].closed, row->closed_ms ? until : 0);
        assert_int_equal(l.closed, lanes[2].closed);
        assert_int_equal(lanes[0].closed + lanes[1].closed, 0);
        assert_true(limit_take(&l, 0, START)); /* another rule's is its own */
        limit_close(&l);
    }
}

/* A lane that was closed stays open by a crack only, until the rule has been quiet for a while. */
static void test_open(void **state)
{
    struct lane lanes[2] = {0};
    struct limit l;

    (void)state;
    assert_int_equal(limit_open(&l, (struct limit_options){100, 50}, 1, lanes), 0);
    for (unsigned i = 0; i <= 50; i++)
        assert_int_equal(limit_take(&l, 0, START), i < 50);
    assert_int_equal(lanes[1].closed, START + 100 * MS);
    assert_true(limit_take(&l, 0, START + 100 * MS));
    assert_int_equal(lanes[1].closed, START + 100 * MS);
    assert_true(limit_take(&l, 0, START + 199 * MS));
    assert_int_equal(lanes[1].closed, START + 100 * MS);
    assert_true(limit_take(&l, 0, START + 230 * MS));
    assert_int_equal(lanes[1].closed, 0);
    limit_close(&l);
}

/* Times that go back, as between processors, give no credit. */
static void test_back(void **state)
{
    struct limit l;

    (void)state;
    assert_int_equal(limit_open(&l, (struct limit_options){10, 2}, 1, NULL), 0);
    assert_true(limit_take(&l, 0, START));
    assert_true(limit_take(&l, 0, START));
    assert_false(limit_take(&l, 0, START - 50 * MS));
    assert_true(limit_take(&l, 0, START + 100 * MS));
    limit_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_open),
                                       cmocka_unit_test(test_back)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
