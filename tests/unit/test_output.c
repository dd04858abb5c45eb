/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks: whole lines, slow readers, full disks; nothing blocks and nothing is lost in silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/output.h"
#include "folder.h"

static char dir[] = "/tmp/test_output.XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return folder_remove(dir);
}

static off_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void test_file(void **state)
{
    char url[80], err[200] = "";
    struct output o;

    (void)state;
    snprintf(url, sizeof(url), "file:%s/a", dir);
    for (int i = 0; i < 2; i++) { /* the second time it is appended to */
        assert_int_equal(output_open(&o, url, err, sizeof(err)), 0);
        output_write(&o, "line\n", 5, 1);
        assert_int_equal(o.written, 1);
        output_close(&o);
    }
    assert_int_equal(size_of(url + 5), 10);
}

static void test_bad_urls(void **state)
{
    static const char *const urls[] = {"", "file:", "syslog:x", "file:/nonexistent/x", "/tmp/x"};
    struct output o;

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char err[200] = "";

        assert_true(output_open(&o, urls[i], err, sizeof(err)) < 0);
        assert_true(err[0] != '\0');
        assert_int_equal(o.fd, -1);
    }
}

/* "No such device or address" would tell nobody what is wrong. */
static void test_pipe_without_reader(void **state)
{
    char url[80], err[200] = "";
    struct output o;

    (void)state;
    snprintf(url, sizeof(url), "file:%s/fifo", dir);
    assert_int_equal(mkfifo(url + 5, 0600), 0);
    assert_int_equal(output_open(&o, url, err, sizeof(err)), -ENXIO);
    assert_non_null(strstr(err, "nobody has the pipe open for reading"));
    unlink(url + 5);
}

/* A disk that is full in the middle of a line: the part is taken back, later lines follow whole. */
static void test_full_disk(void **state)
{
    struct rlimit old, small = {.rlim_cur = 12};
    char url[80], err[200] = "", got[64] = "";
    struct output o;
    int fd;

    (void)state;
    snprintf(url, sizeof(url), "file:%s/full", dir);
    assert_int_equal(output_open(&o, url, err, sizeof(err)), 0);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    output_write(&o, "first 10.\n", 10, 1);
    output_write(&o, "second one\n", 11, 1);
    output_write(&o, "third\n", 6, 1);
    assert_true(o.failing);
    assert_int_equal(o.dropped, 2);
    setrlimit(RLIMIT_FSIZE, &old);
    output_write(&o, "fourth\n", 7, 1);
    assert_false(o.failing);
    assert_int_equal(o.written, 2);
    output_close(&o);
    fd = open(url + 5, O_RDONLY);
    assert_int_equal(read(fd, got, sizeof(got)), 17);
    close(fd);
    assert_memory_equal(got, "first 10.\nfourth\n", 17);
}

/* Of lines that are written together, those that fit. */
static void test_full_disk_batch(void **state)
{
    static const char lines[] = "one\ntwo\nthree\nfour\n";
    struct rlimit old, small = {.rlim_cur = 10};
    char url[80], err[200] = "", got[64] = "";
    struct output o;
    int fd;

    (void)state;
    snprintf(url, sizeof(url), "file:%s/batch", dir);
    assert_int_equal(output_open(&o, url, err, sizeof(err)), 0);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    output_write(&o, lines, sizeof(lines) - 1, 4);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(o.written, 2);
    assert_int_equal(o.dropped, 2);
    output_close(&o);
    fd = open(url + 5, O_RDONLY);
    assert_int_equal(read(fd, got, sizeof(got)), 8);
    close(fd);
    assert_memory_equal(got, "one\ntwo\n", 8);
}

/* Everything is refused: counted, and no line is waited for. */
static void test_dev_full(void **state)
{
    char err[200] = "";
    struct output o;

    (void)state;
    assert_int_equal(output_open(&o, "file:/dev/full", err, sizeof(err)), 0);
    for (int i = 0; i < 100; i++)
        output_write(&o, "line\n", 5, 1);
    assert_int_equal(o.dropped, 100);
    output_close(&o);
}

/* A reader that does not read: lines are kept, then dropped; read at last, they come whole. */
static void test_slow_reader(void **state)
{
    static char line[4096], four[4 * sizeof(line)], got[1 << 16];
    char path[80], url[90], err[200] = "";
    struct output o;
    size_t taken = 0;
    ssize_t n;
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "%s/fifo", dir);
    snprintf(url, sizeof(url), "file:%s", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    fd = open(path, O_RDONLY | O_NONBLOCK);
    assert_int_equal(output_open(&o, url, err, sizeof(err)), 0);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (size_t i = 0; i < 4; i++)
        memcpy(four + i * sizeof(line), line, sizeof(line));
    for (int i = 0; i < 2000; i++)
        output_write(&o, line, sizeof(line), 1);
    assert_true(output_waiting(&o));
    assert_true(o.dropped > 0);
    assert_int_equal(o.written + o.dropped, 2000);
    while ((n = read(fd, got, sizeof(got))) > 0) {
        taken += (size_t)n;
        output_flush(&o);
    }
    assert_false(output_waiting(&o));
    assert_int_equal(taken, o.written * sizeof(line));
    for (int i = 0; i < 1000; i += 4)
        output_write(&o, four, sizeof(four), 4);
    assert_true(output_waiting(&o));
    assert_int_equal(o.written + o.dropped, 3000);
    close(fd);
    output_write(&o, line, sizeof(line), 1); /* the reader is gone */
    assert_true(o.failing);
    output_end(&o);
    assert_int_equal(o.written + o.dropped, 3001);
    assert_false(output_waiting(&o));
    output_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_bad_urls),
        cmocka_unit_test(test_pipe_without_reader),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_full_disk_batch),
        cmocka_unit_test(test_dev_full),
        cmocka_unit_test(test_slow_reader),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
