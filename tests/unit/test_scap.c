/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scap files: cut at any byte, absurd in their lengths and counts, larger than the tables; what
 * the tables of processes and descriptors keep. (tests/scap.py holds what is read of good ones.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../runtime/get.h"
#include "../../runtime/scap.h"
#include "../../runtime/scap_proc.h"
#include "../../runtime/scap_state.h"

/* ---- a file, made ---- */

#define FILE_CAP (64u << 20)

struct file {
    uint8_t *v;
    size_t n, block; /* block: where the one that is being written began */
    size_t at;       /* of the reader */
};

static struct file new_file(void)
{
    return (struct file){.v = malloc(FILE_CAP)};
}

static void put(struct file *f, const void *bytes, size_t n)
{
    assert_true(n <= FILE_CAP - f->n);
    memcpy(f->v + f->n, bytes, n);
    f->n += n;
}

static void num(struct file *f, uint64_t v, size_t n)
{
    put(f, &v, n);
}

static void text(struct file *f, const char *s)
{
    num(f, strlen(s), 2);
    put(f, s, strlen(s));
}

static void begin(struct file *f, uint32_t type)
{
    f->block = f->n;
    num(f, type, 4);
    num(f, 0, 4);
}

static void end(struct file *f)
{
    uint32_t size;

    while ((f->n - f->block) % 4)
        num(f, 0, 1);
    size = (uint32_t)(f->n - f->block) + 4;
    memcpy(f->v + f->block + 4, &size, 4);
    num(f, size, 4);
}

static void section(struct file *f)
{
    begin(f, 0x0a0d0d0a);
    num(f, 0x1a2b3c4d, 4);
    num(f, 1, 2);
    num(f, 2, 2);
    num(f, UINT64_MAX, 8);
    end(f);
}

/* One entry of a list of the first version. */
static void process(struct file *f, uint64_t pid, const char *comm)
{
    num(f, pid, 8);
    num(f, pid, 8);
    num(f, 1, 8);
    text(f, comm);
    text(f, "/bin/exe");
    text(f, "");
    text(f, "/home");
    num(f, 1024, 8);
    num(f, 0, 4);
    num(f, 7, 4);
    num(f, 7, 4);
}

/* The head of an event that tells its count of parameters; `size`: of what is behind it. */
static void event(struct file *f, uint16_t code, uint64_t tid, uint32_t nparam, uint32_t size)
{
    begin(f, 0x216);
    num(f, 0, 2);
    num(f, 1000000000, 8);
    num(f, tid, 8);
    num(f, 26 + size, 4);
    num(f, code, 2);
    num(f, nparam, 4);
}

static void open_event(struct file *f, uint64_t tid, int64_t fd, const char *name)
{
    uint16_t n = (uint16_t)strlen(name) + 1;

    event(f, 3, tid, 4, 8 + 8 + n + 8u);
    num(f, 8, 2);
    num(f, n, 2);
    num(f, 4, 2);
    num(f, 4, 2);
    num(f, (uint64_t)fd, 8);
    put(f, name, n);
    num(f, 1, 4);
    num(f, 0, 4);
    end(f);
}

static void kill_event(struct file *f, uint64_t tid)
{
    event(f, 129, tid, 1, 10);
    num(f, 8, 2);
    num(f, 0, 8);
    end(f);
}

static void lists(struct file *f)
{
    section(f);
    begin(f, 0x202);
    process(f, 100, "one");
    process(f, 200, "two");
    end(f);
    begin(f, 0x206);
    num(f, 0, 1);
    num(f, 7, 4);
    num(f, 7, 4);
    text(f, "seven");
    text(f, "/home/7");
    text(f, "/bin/sh");
    end(f);
}

/* ---- reading it ---- */

static ssize_t read_file(void *ctx, void *buf, size_t n)
{
    struct file *f = ctx;

    n = n < f->n - f->at ? n : f->n - f->at;
    memcpy(buf, f->v + f->at, n);
    f->at += n;
    return (ssize_t)n;
}

static struct scap *start(struct file *f, char *err, size_t errlen)
{
    const struct scap_source from = {.read = read_file, .ctx = f};
    struct capture_head head;

    f->at = 0;
    err[0] = '\0';
    return scap_open(&from, &head, err, errlen);
}

/* Reads all; how it ended, and how many records there were, each of which opens. */
static enum scap_got read_all(struct scap *s, unsigned *records)
{
    char *scratch = malloc(RECORD_SCRATCH);
    struct scap_row row;
    struct record r;
    enum scap_got got;

    for (*records = 0; (got = scap_next(s, &row)) == SCAP_GOT; ++*records)
        assert_int_equal(record_open(&r, row.bytes, row.size, NULL, scratch), 0);
    free(scratch);
    return got;
}

/* Is there a border of blocks at this byte? */
static bool border(const struct file *f, size_t n)
{
    size_t at = 0;

    while (at < n) {
        uint32_t size;

        memcpy(&size, f->v + at + 4, 4);
        at += size;
    }
    return at == n;
}

static void test_cut_anywhere(void **state)
{
    struct file f = new_file();
    size_t whole, ends[3];
    unsigned records;
    char err[256];

    (void)state;
    lists(&f);
    ends[0] = f.n;
    open_event(&f, 100, 3, "/etc/passwd");
    ends[1] = f.n;
    kill_event(&f, 200);
    ends[2] = whole = f.n;
    for (f.n = 0; f.n <= whole; f.n++) {
        struct scap *s = start(&f, err, sizeof(err));

        if (!s) {
            assert_true(f.n < ends[1] && err[0]); /* nothing before the first event is lost */
            continue;
        }
        assert_int_equal(read_all(s, &records), border(&f, f.n) ? SCAP_DONE : SCAP_CUT);
        assert_int_equal(records, f.n < ends[1] ? 0 : f.n < ends[2] ? 1 : 2);
        scap_close(s);
    }
    free(f.v);
}

/* A length of a block that cannot be. */
static void test_block_lengths(void **state)
{
    static const uint32_t lengths[] = {0, 4, 11, SCAP_BLOCK_MAX + 1, UINT32_MAX};
    char err[256];

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct file f = new_file();
        unsigned records;
        struct scap *s;
        size_t at;

        lists(&f);
        kill_event(&f, 100);
        at = f.n;
        kill_event(&f, 100);
        memcpy(f.v + at + 4, &lengths[i], 4);
        s = start(&f, err, sizeof(err));
        assert_non_null(s);
        assert_int_equal(read_all(s, &records), SCAP_BROKEN);
        assert_int_equal(records, 1);
        scap_close(s);
        free(f.v);
    }
}

/* A block that says it is long: no more memory is taken than there are bytes. */
static void test_long_block(void **state)
{
    struct file f = new_file();
    uint32_t size = SCAP_BLOCK_MAX;
    unsigned records;
    struct scap *s;
    char err[256];

    (void)state;
    lists(&f);
    kill_event(&f, 100);
    num(&f, 0x999, 4);
    num(&f, size, 4);
    s = start(&f, err, sizeof(err));
    assert_non_null(s);
    assert_int_equal(read_all(s, &records), SCAP_CUT);
    scap_close(s);
    free(f.v);
}

static void bad_event(struct file *f, unsigned which)
{
    switch (which) {
    case 0: /* more parameters than there are bytes */
        event(f, 3, 100, UINT32_MAX, 8);
        num(f, 0, 8);
        break;
    case 1: /* a parameter that is longer than the event */
        event(f, 3, 100, 1, 2);
        num(f, 65535, 2);
        break;
    case 2: /* shorter than its head */
        event(f, 3, 100, 0, (uint32_t)-20);
        break;
    case 3: /* longer than its block */
        event(f, 3, 100, 0, 1000);
        break;
    case 4: /* a list of processes with a text that is not there */
        begin(f, 0x202);
        for (unsigned i = 0; i < 3; i++)
            num(f, 300, 8);
        num(f, 65535, 2);
        break;
    case 5: /* descriptors of a kind that is unknown, in entries without a size */
        begin(f, 0x203);
        num(f, 100, 8);
        num(f, 1, 8);
        num(f, 1, 8);
        num(f, 99, 1);
        break;
    case 6: /* an entry that is smaller than its own size */
        begin(f, 0x215);
        num(f, 3, 4);
        num(f, 0, 8);
        break;
    case 7: /* and one that is larger than the block */
        begin(f, 0x220);
        num(f, UINT32_MAX, 4);
        break;
    default: /* an interface of no kind */
        begin(f, 0x205);
        num(f, 77, 2);
        num(f, 9, 8);
        break;
    }
    end(f);
}

/* What is not right is counted and passed over; what follows is read. */
static void test_malformed(void **state)
{
    char err[256];

    (void)state;
    for (unsigned which = 0; which < 9; which++) {
        struct file f = new_file();
        unsigned records;
        struct scap *s;

        lists(&f);
        kill_event(&f, 100);
        bad_event(&f, which);
        kill_event(&f, 200);
        s = start(&f, err, sizeof(err));
        assert_non_null(s);
        assert_int_equal(read_all(s, &records), SCAP_DONE);
        assert_int_equal(records, 2);
        assert_int_equal(scap_count(s).malformed, 1);
        scap_close(s);
        free(f.v);
    }
}

static void test_unknown_numbers(void **state)
{
    struct file f = new_file();
    unsigned records;
    struct scap *s;
    char err[256];

    (void)state;
    lists(&f);
    event(&f, 60000, 100, 0, 0);
    end(&f);
    event(&f, 234, 100, 0, 0); /* known, and of no use */
    end(&f);
    kill_event(&f, 100);
    s = start(&f, err, sizeof(err));
    assert_int_equal(read_all(s, &records), SCAP_DONE);
    assert_int_equal(records, 1);
    assert_int_equal(scap_count(s).unknown, 1);
    assert_int_equal(scap_count(s).malformed, 0);
    scap_close(s);
    free(f.v);
}

/* More threads than the table holds, and more descriptors: counted, and unknown. */
static void test_bounds(void **state)
{
    struct file f = new_file();
    const uint32_t threads = SCAP_THREADS_MAX + 10, fds = SCAP_FDS_MAX + 5;
    char *scratch = malloc(RECORD_SCRATCH), err[256];
    struct scap_row row;
    struct record r;
    struct scap *s;

    (void)state;
    lists(&f);
    for (uint32_t i = 0; i < fds; i++)
        open_event(&f, 100, i, "/tmp/x");
    for (uint32_t i = 0; i < threads; i++)
        kill_event(&f, 1000 + i);
    s = start(&f, err, sizeof(err));
    assert_non_null(s);
    for (uint32_t i = 0; i < fds + threads; i++) {
        assert_int_equal(scap_next(s, &row), SCAP_GOT);
        assert_int_equal(record_open(&r, row.bytes, row.size, NULL, scratch), 0);
        if (i == SCAP_FDS_MAX - 1 || i == SCAP_FDS_MAX)
            assert_int_equal(r.h->st[SLOT_OF_NUM(N_FD_TYPE)],
                             i == SCAP_FDS_MAX ? ST_UNKNOWN : ST_PRESENT);
    }
    assert_int_equal(r.h->st[SLOT_OF_STR(S_NAME)], ST_UNKNOWN);
    assert_int_equal(r.h->st[SLOT_OF_NUM(N_PID)], ST_UNKNOWN);
    assert_int_equal(scap_next(s, &row), SCAP_DONE);
    /* Each call of a thread without a place is asked for it twice, one list's place is taken. */
    assert_true(scap_count(s).lost >= fds - SCAP_FDS_MAX + threads - SCAP_THREADS_MAX);
    scap_close(s);
    free(scratch);
    free(f.v);
}

/* A second section forgets the first one's processes. */
static void test_sections(void **state)
{
    struct file f = new_file();
    char *scratch = malloc(RECORD_SCRATCH), err[256];
    struct scap_row row;
    struct record r;
    struct scap *s;

    (void)state;
    lists(&f);
    kill_event(&f, 100);
    section(&f);
    kill_event(&f, 100);
    s = start(&f, err, sizeof(err));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(scap_next(s, &row), SCAP_GOT);
        assert_int_equal(row.number, i + 1);
        assert_int_equal(record_open(&r, row.bytes, row.size, NULL, scratch), 0);
        assert_int_equal(r.h->st[SLOT_OF_STR(S_NAME)], i ? ST_UNKNOWN : ST_PRESENT);
    }
    scap_close(s);
    free(scratch);
    free(f.v);
}

static void test_is(void **state)
{
    static const uint8_t plain[] = {0x0a, 0x0d, 0x0d, 0x0a, 1}, packed[] = {0x1f, 0x8b, 8};

    (void)state;
    assert_true(scap_is(plain, sizeof(plain)));
    assert_false(scap_is(plain, 3));
    assert_true(scap_is(packed, sizeof(packed)));
    assert_false(scap_is((const uint8_t *)"rurecap1", 8));
    assert_false(scap_is(NULL, 0));
}

/* ---- tables ---- */

static void add_fd(struct scap_procs *t, struct scap_thread *h, int num, const char *name)
{
    struct scap_fd *f = scap_fd_new(t, h, num);

    assert_non_null(f);
    f->type = SCAP_FD_FILE;
    scap_fd_name(t, f, name, strlen(name));
}

static bool has_fd(const struct scap_thread *h, int num, const char *name)
{
    const struct scap_fd *f = scap_fd_find(h, num);

    return f && f->name && f->name->len == strlen(name) &&
           memcmp(f->name->s, name, f->name->len) == 0;
}

/* What a fork shares is told apart when one side changes it. */
static void test_fork(void **state)
{
    struct scap_procs *t = scap_procs_new();
    struct scap_thread *a = scap_thread_get(t, 1), *b = scap_thread_get(t, 2);

    (void)state;
    for (int i = 9; i >= 0; i--)
        add_fd(t, a, i, "x");
    scap_fd_edit(t, a, 4)->close_on_exec = true;
    scap_thread_text(t, a, TT_COMM, "a", 1);
    scap_thread_copy(t, b, a);
    assert_ptr_equal(a->fds, b->fds);
    add_fd(t, b, 3, "y");
    scap_fd_close(t, b, 7, 8);
    assert_ptr_not_equal(a->fds, b->fds);
    assert_true(has_fd(a, 3, "x") && has_fd(a, 7, "x") && a->fds->n == 10);
    assert_true(has_fd(b, 3, "y") && !scap_fd_find(b, 7) && b->fds->n == 8);
    scap_fd_close_on_exec(t, b);
    assert_true(!scap_fd_find(b, 4) && scap_fd_find(a, 4) && b->fds->n == 7);
    scap_fd_copy(t, b, 20, scap_fd_find(b, 3));
    assert_true(has_fd(b, 20, "y"));
    assert_ptr_equal(a->text[TT_COMM], b->text[TT_COMM]);
    scap_thread_drop(t, a, 0);
    assert_null(scap_thread_find(t, 1));
    assert_int_equal(b->text[TT_COMM]->s[0], 'a');
    assert_int_equal(scap_procs_lost(t), 0);
    scap_procs_free(t);
}

/* A process that ended leaves its children to the one that the file names. */
static void test_reaper(void **state)
{
    struct scap_procs *t = scap_procs_new();
    struct scap_thread *first = scap_thread_get(t, 1), *mid = scap_thread_get(t, 2);
    struct scap_thread *leaf = scap_thread_get(t, 3);

    (void)state;
    mid->ppid = 1;
    leaf->ppid = 2;
    mid->knows_ppid = leaf->knows_ppid = true;
    assert_ptr_equal(scap_parent(t, leaf), mid);
    scap_thread_drop(t, mid, 1);
    assert_ptr_equal(scap_parent(t, leaf), first);
    scap_thread_drop(t, first, 1); /* itself: nobody */
    assert_null(scap_parent(t, leaf));
    scap_procs_free(t);
}

/* A leader that ends before its threads stays until the last of them. */
static void test_threads(void **state)
{
    struct scap_procs *t = scap_procs_new();
    struct scap_thread *leader = scap_thread_get(t, 10), *h = scap_thread_get(t, 11);

    (void)state;
    scap_thread_join(t, h, 10);
    assert_int_equal(leader->nthreads, 2);
    assert_ptr_equal(scap_leader(t, h), leader);
    scap_thread_drop(t, leader, 0);
    assert_ptr_equal(scap_thread_find(t, 10), leader);
    scap_thread_drop(t, h, 0);
    assert_null(scap_thread_find(t, 10));
    assert_null(scap_thread_find(t, 11));
    scap_procs_free(t);
}

static void test_cgroups(void **state)
{
    static const char docker[] =
        "cpuset=/\0cpu=/docker/"
        "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e\0memory=/";
    struct scap_procs *t = scap_procs_new();
    struct scap_thread *h = scap_thread_get(t, 1);

    (void)state;
    scap_state_cgroups(t, h, "cpuset=/user.slice\0memory=/", 27);
    assert_int_equal(h->num[TN_CONTAINER], CONTAINER_HOST);
    assert_int_equal(h->text[TT_CONTAINER]->len, 0);
    scap_state_cgroups(t, h, docker, sizeof(docker));
    assert_int_equal(h->num[TN_CONTAINER], CONTAINER_BARE);
    assert_memory_equal(h->text[TT_CONTAINER]->s, "3ad7b26ded6d", 12);
    scap_procs_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_block_lengths),
        cmocka_unit_test(test_long_block),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_unknown_numbers),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_is),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_reaper),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_cgroups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
