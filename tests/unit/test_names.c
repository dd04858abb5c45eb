/* SPDX-License-Identifier: Apache-2.0 */
/* Names of users, and when their file is looked at again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/names.h"
#include "folder.h"

#define MS 1000000ull
#define START (1000000 * MS)

static char dir[] = "/tmp/test_names.XXXXXX";

static void add_line(const char *line)
{
    folder_put(dir, "passwd", "a", line, strlen(line));
}

static void assert_name(struct names *n, uint32_t id, uint64_t now, const char *want)
{
    const char *got = NULL;
    size_t len = names_find(n, NAMES_PASSWD, "", 0, id, 0, now, &got);

    assert_int_equal(len, strlen(want));
    assert_memory_equal(len ? got : "", want, len);
}

static void test_again(void **state)
{
    struct names *n;

    (void)state;
    assert_non_null(mkdtemp(dir));
    n = names_new(dir);
    add_line("ann:x:1:1::/home/ann:/bin/sh\n");
    assert_name(n, 1, START, "ann");
    assert_int_equal(names_until(n), START + 1000 * MS);
    assert_name(n, 2, START, "");
    assert_int_equal(names_until(n), START + 10 * MS);
    add_line("bob:x:2:2::/home/bob:/bin/sh\n");
    assert_name(n, 2, START + 9 * MS, ""); /* whoever asks often does not have it read often */
    assert_name(n, 2, START + 10 * MS, "bob");
    assert_name(n, 1, START + 11 * MS, "ann");
    assert_int_equal(names_until(n), START + 1010 * MS); /* it was read then */
    assert_int_equal(folder_remove(dir), 0);
    names_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_again)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
