/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts about ourselves: when they come, of what, and that they add up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/notice.h"

#define SECOND 1000000000ull
#define START (1700000000 * SECOND) /* 2023-11-14T22:13:20Z */

/* Forty rules called r10, r11, ... */
#define RULES 40
struct world {
    struct shared shared;
    struct limit limit;
    struct rpk_head head;
    struct rpk_rule rules[RULES];
    char strings[8 * RULES];
    struct rpk pack;
    struct alert_style style;
    struct tell tell;
    struct notice n;
    char path[40], url[48];
};

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    char err[100];

    *state = w;
    w->pack = (struct rpk){.head = &w->head, .rules = w->rules};
    w->head.rules.n = RULES;
    for (uint32_t i = 0; i < RULES; i++) {
        sprintf(w->strings + (size_t)8 * i, "r%u", 10 + i);
        w->rules[i].name = (struct rpk_str){8 * i, 3};
    }
    w->pack.strings = w->strings;
    w->style = (struct alert_style){.format = ALERT_TEXT};
    strcpy(w->path, "/tmp/test_notice.XXXXXX");
    close(mkstemp(w->path));
    snprintf(w->url, sizeof(w->url), "file:%s", w->path);
    const char *urls[] = {w->url, "file:/dev/full"};
    if (tell_open(&w->tell, urls, 2, -1, err, sizeof(err)) ||
        shared_open(&w->shared, (struct shared_maps){-1, -1, -1}, 1, RULES) ||
        limit_open(&w->limit, (struct limit_options){10, 1}, RULES, w->shared.lanes))
        return -1;
    w->n = (struct notice){.shared = &w->shared,
                           .limit = &w->limit,
                           .pack = &w->pack,
                           .style = &w->style,
                           .tell = &w->tell};
    return notice_open(&w->n, START);
}

static int close_world(void **state)
{
    struct world *w = *state;

    notice_close(&w->n);
    limit_close(&w->limit);
    shared_close(&w->shared);
    tell_close(&w->tell);
    unlink(w->path);
    free(w);
    return 0;
}

static void lose(struct world *w, uint32_t rule, uint64_t n)
{
    w->shared.lanes[rule + 1].lost += n;
    w->shared.reader->lost = 1;
}

/* What was written since the last call, from behind the sentence of the last line on. */
static void assert_told(struct world *w, const char *want)
{
    char got[4096] = "";
    int fd = open(w->path, O_RDWR);

    tell_flush(&w->tell);
    assert_true(read(fd, got, sizeof(got) - 1) >= 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    if (*want)
        assert_non_null(strchr(got, '('));
    assert_string_equal(*want ? strchr(got, '(') : got, want);
}

static void test_when(void **state)
{
    struct world *w = *state;

    w->tell.nout = 1;
    assert_int_equal(notice_wait(&w->n, START), -1);
    notice_look(&w->n, START);
    assert_told(w, "");
    lose(w, 2, 5);
    assert_int_equal(notice_wait(&w->n, START), 0);
    notice_look(&w->n, START + SECOND / 2); /* at once */
    assert_told(w, "(lost=5 lost[r12]=5 ms=500)\n");
    lose(w, 2, 1);
    lose(w, 0, 2);
    notice_look(&w->n, START + SECOND); /* not yet */
    assert_told(w, "");
    assert_int_equal(notice_wait(&w->n, START + SECOND), 501);
    notice_look(&w->n, START + SECOND / 2 + SECOND);
    assert_told(w, "(lost=3 lost[r10]=2 lost[r12]=1 ms=1000)\n");
    assert_int_equal(notice_wait(&w->n, START + 2 * SECOND), -1);
    lose(w, 39, 7);
    notice_end(&w->n, START + 2 * SECOND); /* the rest */
    assert_told(w, "(lost=7 lost[r49]=7 ms=500)\n");
    w->tell.nout = 2;
}

/* More rules than are named: the others are a sum. */
static void test_many(void **state)
{
    struct world *w = *state;
    char want[4096] = "(lost=820";

    w->tell.nout = 1;
    for (uint32_t i = 0; i < RULES; i++) {
        lose(w, i, i + 1);
        if (i < NOTICE_ROWS)
            sprintf(want + strlen(want), " lost[r%u]=%u", 10 + i, i + 1);
    }
    strcat(want, " lost[other rules]=292 ms=0)\n");
    notice_look(&w->n, START);
    assert_told(w, want);
    notice_end(&w->n, START);
    assert_told(w, "");
    w->tell.nout = 2;
}

/* Alerts beyond the limit, and events that the kernel did not even send, are one number. */
static void test_limited(void **state)
{
    struct world *w = *state;

    w->tell.nout = 1;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(limit_take(&w->limit, 3, START), i == 0);
    w->shared.lanes[4].limited += 10;
    w->shared.reader->limited = 1;
    notice_look(&w->n, START);
    assert_told(w, "(limited=13 limited[r13]=13 ms=0)\n");
    assert_int_equal(notice_limited(&w->n, 3), 13);
    /* The kernel may limit more while nothing wakes us. */
    assert_int_equal(notice_wait(&w->n, START), 1001);
    assert_int_equal(notice_wait(&w->n, START + 2 * SECOND), -1);
    w->tell.nout = 2;
}

/* What a processor has counted and not added to the lane yet; while it does, less is seen. */
static void test_limited_by_processor(void **state)
{
    struct world *w = *state;
    __u64 *own = &w->shared.stats->limited, *added = &w->shared.lanes[4].limited;

    w->tell.nout = 1;
    *added = 10;
    *own = 4ull << 32 | 5;
    assert_int_equal(notice_limited(&w->n, 3), 15);
    assert_int_equal(notice_limited(&w->n, 2), 0);
    w->shared.reader->limited = 1;
    notice_look(&w->n, START);
    assert_told(w, "(limited=15 limited[r13]=15 ms=0)\n");
    *own = 3ull << 32 | 1;
    w->shared.reader->limited = 1;
    notice_look(&w->n, START + SECOND);
    assert_told(w, "(limited=1 limited[r12]=1 ms=1000)\n");
    *added += 5 + 2;
    w->shared.reader->limited = 1;
    notice_end(&w->n, START + SECOND);
    assert_told(w, "(limited=2 limited[r13]=2 ms=0)\n");
    w->tell.nout = 2;
}

/* What one output does not take is told at the other; that the first has not that line is no news.
 */
static void test_dropped(void **state)
{
    struct world *w = *state;

    memcpy(tell_room(&w->tell), "(one)\n(two)\n", 12);
    tell_line(&w->tell, 6);
    tell_line(&w->tell, 6);
    notice_look(&w->n, START); /* not written yet, so not dropped either */
    assert_told(w, "(one)\n(two)\n");
    notice_look(&w->n, START);
    assert_told(w, "(dropped=2 dropped[file:/dev/full]=2 ms=0)\n");
    notice_look(&w->n, START + 2 * SECOND);
    notice_end(&w->n, START + 2 * SECOND);
    assert_told(w, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_when, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_many, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_limited, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_limited_by_processor, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_dropped, open_world, close_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
