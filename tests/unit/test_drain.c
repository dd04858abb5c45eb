/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of a ring buffer, against a writer that keeps the kernel's layout in a memory file:
 * the reader's page, the writer's, and the buffer's pages twice in a row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../runtime/drain.h"

#define PAGE ((size_t)4096)
#define HEAD 8u

struct writer {
    int fd;
    uint32_t size;
    uint8_t *all; /* the file */
    uint64_t at;
};

static struct writer writer_open(uint32_t size)
{
    struct writer w = {.fd = memfd_create("ring", 0), .size = size};
    size_t len = 2 * PAGE + 2 * (size_t)size;

    assert_true(w.fd >= 0);
    assert_int_equal(ftruncate(w.fd, (off_t)len), 0);
    w.all = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, w.fd, 0);
    assert_true(w.all != MAP_FAILED);
    return w;
}

static void writer_close(struct writer *w)
{
    munmap(w->all, 2 * PAGE + 2 * (size_t)w->size);
    close(w->fd);
}

/* Both copies of a byte. */
static void put(const struct writer *w, uint64_t at, uint8_t byte)
{
    size_t in = (size_t)(at & (w->size - 1));

    w->all[2 * PAGE + in] = byte;
    w->all[2 * PAGE + w->size + in] = byte;
}

static void put_head(const struct writer *w, uint64_t at, uint32_t len)
{
    for (unsigned i = 0; i < 4; i++)
        put(w, at + i, (uint8_t)(len >> 8 * i));
}

/* Where the record is. */
static uint64_t add(struct writer *w, uint64_t number, uint32_t len, uint32_t flags)
{
    uint64_t at = w->at;

    put_head(w, at, len | flags);
    for (uint32_t i = 0; i < len; i++)
        put(w, at + HEAD + i, (uint8_t)(number + i / 7));
    w->at += (HEAD + len + 7) & ~7u;
    memcpy(w->all + PAGE, &w->at, sizeof(w->at));
    return at;
}

static uint64_t consumed(const struct writer *w)
{
    uint64_t at;

    memcpy(&at, w->all, sizeof(at));
    return at;
}

struct reader {
    uint64_t n, most; /* records taken; how many a turn may take */
    uint32_t len;     /* of the last one */
    uint64_t number;  /* that the last one begins with */
    bool all;         /* numbers are 1, 2, 3 ... */
};

static bool take(void *ctx, const void *data, size_t size)
{
    struct reader *r = ctx;
    const uint8_t *b = data;

    for (size_t i = 0; i < size; i++)
        assert_int_equal(b[i], (uint8_t)(b[0] + i / 7));
    if (r->all && size)
        assert_int_equal(b[0], (uint8_t)(r->n + 1));
    r->number = size ? b[0] : 0;
    r->len = (uint32_t)size;
    return ++r->n % r->most != 0;
}

/* ---- a few records, one after the other ---- */

static void test_states(void **state)
{
    struct writer w = writer_open(16 * PAGE);
    struct reader r = {.most = 1000};
    struct drain d;
    uint64_t busy;

    (void)state;
    assert_int_equal(drain_open(&d, w.fd, w.size), 0);
    assert_int_equal(drain_take(&d, take, &r), 0);
    assert_int_equal(r.n, 0);
    add(&w, 1, 100, 0);
    add(&w, 2, 100, BPF_RINGBUF_DISCARD_BIT);
    add(&w, 3, 101, 0);
    busy = add(&w, 4, 50, BPF_RINGBUF_BUSY_BIT);
    add(&w, 5, 1, 0);
    assert_int_equal(drain_take(&d, take, &r), 0);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.number, 3);
    assert_int_equal(r.len, 101);
    assert_int_equal(consumed(&w), busy);
    put_head(&w, busy, 50);
    assert_int_equal(drain_take(&d, take, &r), 0);
    assert_int_equal(r.n, 4);
    assert_int_equal(r.number, 5);
    assert_int_equal(consumed(&w), w.at);
    drain_close(&d);
    writer_close(&w);
}

static void test_batches(void **state)
{
    struct writer w = writer_open(16 * PAGE);
    struct reader r = {.most = 3};
    struct drain d;

    (void)state;
    assert_int_equal(drain_open(&d, w.fd, w.size), 0);
    for (uint64_t i = 1; i <= 7; i++)
        add(&w, i, 8, 0);
    for (uint64_t n = 3; n <= 9; n += 3) {
        assert_int_equal(drain_take(&d, take, &r), 0);
        assert_int_equal(r.n, n < 7 ? n : 7);
        assert_int_equal(consumed(&w), 16 * r.n);
    }
    drain_close(&d);
    writer_close(&w);
}

static void test_none(void **state)
{
    struct reader r = {.most = 1};
    struct drain d = DRAIN_NONE;

    (void)state;
    assert_int_equal(drain_take(&d, take, &r), 0);
    drain_close(&d);
    assert_int_equal(drain_open(&d, -1, PAGE), -EBADF);
    drain_close(&d);
}

/* The window cannot be moved: nothing is lost, the record comes once it can. */
static void test_cannot(void **state)
{
    struct writer w = writer_open(1024 * PAGE);
    struct reader r = {.most = 1000};
    struct drain d;

    (void)state;
    assert_int_equal(drain_open(&d, w.fd, w.size), 0);
    add(&w, 1, 154000, 0);
    add(&w, 2, 154000, 0); /* beyond the first window */
    d.fd = 1000000;
    assert_int_equal(drain_take(&d, take, &r), -EBADF);
    assert_int_equal(r.n, 0);
    d.fd = w.fd;
    r.most = 1;
    assert_int_equal(drain_take(&d, take, &r), 0);
    d.fd = 1000000;
    assert_int_equal(drain_take(&d, take, &r), -EBADF);
    assert_int_equal(r.n, 1);
    assert_int_equal(consumed(&w), 154008);
    d.fd = w.fd;
    assert_int_equal(drain_take(&d, take, &r), 0);
    assert_int_equal(r.number, 2);
    assert_int_equal(consumed(&w), w.at);
    drain_close(&d);
    writer_close(&w);
}

/* Longer than the window: the kernel was never asked for such a one. */
static void test_too_long(void **state)
{
    struct writer w = writer_open(1024 * PAGE);
    struct reader r = {.most = 1000};
    struct drain d;

    (void)state;
    assert_int_equal(drain_open(&d, w.fd, w.size), 0);
    add(&w, 1, 300000, 0);
    assert_int_equal(drain_take(&d, take, &r), -EMSGSIZE);
    assert_int_equal(r.n, 0);
    drain_close(&d);
    writer_close(&w);
}

/* ---- all positions ---- */

/* Records of all lengths through a buffer of this size, filled and emptied by turns. */
static void go_around(uint32_t size, uint32_t longest, unsigned records)
{
    struct writer w = writer_open(size);
    struct reader r = {.most = 5, .all = true};
    struct drain d;
    uint64_t number = 0;
    unsigned seed = 7;

    assert_int_equal(drain_open(&d, w.fd, w.size), 0);
    while (number < records) {
        uint32_t len = (uint32_t)rand_r(&seed) % longest;

        while (w.at + HEAD + len + 7 - consumed(&w) > size) {
            uint64_t before = r.n;

            assert_int_equal(drain_take(&d, take, &r), 0);
            assert_true(r.n > before);
            assert_true(r.n <= number);
        }
        add(&w, ++number, len, 0);
    }
    while (consumed(&w) < w.at)
        assert_int_equal(drain_take(&d, take, &r), 0);
    assert_int_equal(r.n, records);
    assert_int_equal(r.len ? r.number : number & 0xff, number & 0xff);
    drain_close(&d);
    writer_close(&w);
}

static void test_around(void **state)
{
    (void)state;
    go_around(PAGE, 2000, 20000);               /* the window shows all of it */
    go_around(16 * PAGE, 16 * PAGE - 16, 3000); /* records as long as the buffer */
    go_around(128 * PAGE, 3000, 20000);         /* it moves now and then, */
    go_around(128 * PAGE, 154016, 1000);        /* and for nearly each record */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),   cmocka_unit_test(test_batches),
        cmocka_unit_test(test_none),     cmocka_unit_test(test_cannot),
        cmocka_unit_test(test_too_long), cmocka_unit_test(test_around),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
