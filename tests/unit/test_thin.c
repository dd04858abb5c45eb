/* SPDX-License-Identifier: Apache-2.0 */
/* Thin records: what is made thin is read again as it was, what is wrong is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "../../runtime/packer.h"
#include "../flat.h"
#include "bundle.h"
#include "frames.h"

#define FILE_MAX (64u << 20)

/* ---- a file of them ---- */

/* A recording's frames as they are put to it, and as its file has them. */
struct made {
    struct packer packer;
    uint8_t *plain, *file, *out;
    size_t nplain, size;
    unsigned n; /* records */
};

static struct made *begin(void)
{
    struct made *m = calloc(1, sizeof(*m));

    m->plain = aligned_alloc(8, FILE_MAX);
    m->file = aligned_alloc(8, FILE_MAX);
    m->out = aligned_alloc(8, CAPTURE_BLOCK);
    assert_true(packer_open(&m->packer));
    packer_begin(&m->packer, m->out);
    return m;
}

static void end_piece(struct made *m)
{
    size_t n = packer_end(&m->packer);

    assert_true(n <= CAPTURE_BLOCK && m->size + n <= FILE_MAX);
    memcpy(m->file + m->size, m->out, n);
    m->size += n;
    packer_begin(&m->packer, m->out);
}

static void put(struct made *m, enum capture_kind kind, const void *payload, size_t size)
{
    struct capture_frame *f = (struct capture_frame *)(m->plain + m->nplain);

    memset(f, 0, sizeof(*f) + capture_padded(size));
    f->kind = (uint16_t)kind;
    f->size = (uint32_t)size;
    memcpy(f + 1, payload, size);
    m->nplain += capture_whole(f);
    m->n += kind == CAPTURE_RECORD;
    if (packer_add(&m->packer, f))
        return;
    end_piece(m);
    assert_true(packer_add(&m->packer, f));
}

/* The event as record number `number`; it is freed. */
static void put_event(struct made *m, struct ev *ev, uint64_t number)
{
    size_t size;
    void *bytes = e_pack(ev, &size);
    char *payload = malloc(sizeof(number) + size);

    memcpy(payload, &number, sizeof(number));
    memcpy(payload + sizeof(number), bytes, size);
    put(m, CAPTURE_RECORD, payload, sizeof(number) + size);
    free(payload);
    free(bytes);
    free(ev);
}

static void drop(struct made *m)
{
    packer_close(&m->packer);
    free(m->plain);
    free(m->file);
    free(m->out);
    free(m);
}

/* Reads `size` bytes of the file: the frames that it has are the first of those that were put. */
static unsigned read_same(const struct made *m, size_t size, uint8_t *buffer, enum capture_got *end)
{
    static _Alignas(8) char bytes[REC_MAX];
    struct memory from = {m->file, size, 0};
    struct capture_in in = {.read = read_memory, .ctx = &from, .buf = buffer};
    struct capture_part part;
    const uint8_t *at = m->plain;
    unsigned n = 0;

    while ((*end = capture_next(&in, &part)) == CAPTURE_GOT) {
        const struct capture_frame *f = (const struct capture_frame *)at;
        size_t flat;

        assert_true(at < m->plain + m->nplain);
        at += capture_whole(f);
        n++;
        assert_int_equal(part.kind, f->kind);
        assert_memory_equal(part.bytes, f + 1, part.size);
        if (!part.view)
            continue;
        flat = flat_record(part.view, bytes);
        assert_int_equal(part.size, 8);
        assert_int_equal(flat, f->size - 8);
        assert_memory_equal(bytes, (const char *)(f + 1) + 8, flat);
    }
    return n;
}

static void same(const struct made *m, unsigned want)
{
    uint8_t *buffer = aligned_alloc(8, CAPTURE_BUFFER);
    enum capture_got end;

    assert_int_equal(read_same(m, m->size, buffer, &end), want);
    assert_int_equal(end, CAPTURE_CUT);
    free(buffer);
}

/* ---- events ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* An event of one of 50 threads, with texts that are new, old, or parts of others. */
static struct ev *some_event(unsigned i, uint64_t *seed)
{
    static const enum event_id kinds[] = {EV_openat, EV_close, EV_execve, EV_read};
    struct ev *ev = e_new(kinds[next_random(seed) % 4]);
    char path[64];
    int n = snprintf(path, sizeof(path), "/usr/share/a%u/file", (unsigned)next_random(seed) % 99);

    ev->h.ts = 1000000000ull * i;
    e_num(ev, N_TID, (int64_t)next_random(seed) % 50);
    e_num(ev, N_RES, (int64_t)next_random(seed) - 1000000000);
    e_num(ev, N_FD_INO, INT64_MIN + i % 2);
    e_text(ev, S_NAME, i % 3 ? "cat" : "sh");
    e_text(ev, S_FD_NAME, path);
    e_text(ev, S_FD_FILE, "file");
    e_bytes(ev, S_FD_DIR, path, (size_t)n - 5);
    e_text(ev, S_A0, "");
    if (i % 5 == 0)
        e_state(ev, SLOT_OF_STR(S_FD_NAME), ST_CUT);
    if (i % 7 == 0) {
        ev->h.readings |= READ_BIT(READ_SPELLED);
        ev->alt_len[READ_ALT(READ_SPELLED)] = (uint32_t)n;
        memcpy(ev->alt[READ_ALT(READ_SPELLED)], path, (size_t)n);
        ev->base_len = 4;
        memcpy(ev->base, "/usr", 4);
    }
    if (i % 11 == 0)
        e_anc(ev, "bash");
    return ev;
}

/* `n` events, some of them at a time in a piece. */
static struct made *some_events(unsigned n, unsigned piece)
{
    struct made *m = begin();
    uint64_t seed = n;

    for (unsigned i = 1; i <= n; i++) {
        put_event(m, some_event(i, &seed), i + i / 100);
        if (i % piece == 0)
            end_piece(m);
    }
    end_piece(m);
    return m;
}

static void test_same(void **state)
{
    (void)state;
    for (unsigned piece = 1; piece < 300; piece *= 4) {
        struct made *m = some_events(3000, piece);

        same(m, 3000);
        assert_true(m->size < m->nplain / 10);
        drop(m);
    }
}

/* What makes a record as large as it can be, of random bytes. */
static struct ev *large_event(uint64_t *seed)
{
    struct ev *ev = e_new(EV_execve);
    char text[PATH_CAP + 32];

    for (unsigned k = 0; k < N_COUNT; k++)
        e_num(ev, (enum num_slot)k, (int64_t)(next_random(seed) << 33 ^ next_random(seed)));
    for (unsigned s = 0; s < S_COUNT; s++) {
        for (size_t i = 0; i < record_text_cap[s]; i++)
            text[i] = (char)next_random(seed);
        e_bytes(ev, (enum str_slot)s, text, record_text_cap[s]);
    }
    return ev;
}

/* Several blocks, some with a record alone; records that no probe writes, and what is none. */
static void test_kinds(void **state)
{
    const int64_t zone = 3600;
    const struct capture_addr addr = {.len = 4, .addr = {1, 2, 3, 4}};
    static uint64_t huge[CAPTURE_FRAME_MAX / 8];
    struct made *m = begin();
    uint64_t seed = 1;

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        put_event(m, large_event(&seed), 10 * i);
        put_event(m, some_event((unsigned)i, &seed), 10 * i + 1);
        put(m, CAPTURE_OFFSET, &zone, sizeof(zone));
        put(m, CAPTURE_RECORD, huge, i % 2 ? 8 + 3 * i : sizeof(huge)); /* malformed */
        put(m, CAPTURE_ADDRS, &addr, sizeof(addr));
        put_event(m, some_event((unsigned)i, &seed), 10 * i + 2);
        huge[0]++;
    }
    end_piece(m);
    same(m, 120);
    drop(m);
}

/* Texts that are nearly alike, each new to its block: their piece is packed. */
static void test_packed(void **state)
{
    struct made *m = begin();

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        struct ev *ev = e_new(EV_execve);
        char env[1001];

        snprintf(env, sizeof(env), "%1000u", i);
        e_text(ev, S_ENV, env);
        put_event(m, ev, i);
    }
    end_piece(m);
    assert_true(m->size < 50000);
    same(m, 500);
    drop(m);
}

/* Pieces that are cut anywhere, or have a wrong byte: those before are read, and no more. */
static void test_torn(void **state)
{
    struct made *m = some_events(8, 2);
    uint8_t *buffer = aligned_alloc(8, CAPTURE_BUFFER);
    size_t ends[5] = {0};
    enum capture_got end;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        ends[i + 1] = ends[i] + capture_whole((const struct capture_frame *)(m->file + ends[i]));
    assert_int_equal(ends[4], m->size);
    for (size_t n = 0; n < m->size; n++) {
        unsigned whole = 0;

        while (ends[whole + 1] <= n)
            whole++;
        assert_int_equal(read_same(m, n, buffer, &end), 2 * whole);
        assert_int_equal(end, CAPTURE_CUT);
        m->file[n] ^= 0x10;
        assert_int_equal(read_same(m, m->size, buffer, &end), 2 * whole);
        assert_true(end == CAPTURE_BROKEN || end == CAPTURE_CUT);
        m->file[n] ^= 0x10;
    }
    drop(m);
    free(buffer);
}

/* ---- what no recorder writes ---- */

#define TEXT(which, place)                                                                         \
    (which), (uint8_t)(place), (uint8_t)((place) >> 8), (uint8_t)((place) >> 16)
#define HERE(which) TEXT(which, THIN_HERE)
/* Entries of a word `gap` words behind the last: `v` is added, of one byte or of six. */
#define WORD(gap, v) (uint8_t)((gap) << 3), 2 * (v)
#define BYTE(v, n) (uint8_t)((uint64_t)(v) >> (8 * (n)))
#define LONG(gap, v)                                                                               \
    (uint8_t)((gap) << 3 | 5), BYTE(v, 0), BYTE(v, 1), BYTE(v, 2), BYTE(v, 3), BYTE(v, 4),         \
        BYTE(v, 5)
#define SKIP (uint8_t)(THIN_GAP << 3)
/* What a good record from nothing has: its event, and in the next word READ_KERNEL. */
#define GOOD LONG(2, 2ull * EV_openat << 32), LONG(0, 2ull << 40)
/* Behind them: the length of S_NAME. */
#define LENGTH(n) SKIP, SKIP, WORD(81 - 2 * THIN_GAP, n)
#define FRESH 0, THIN_CONTEXTS

_Static_assert(offsetof(struct thin_head, rec.h.event) == 8 * 2 + 4, "GOOD");
_Static_assert(offsetof(struct thin_head, rec.h.readings) == 8 * 3 + 5, "GOOD");
_Static_assert(offsetof(struct thin_head, rec.h.len) == (size_t)8 * (4 + 81), "LENGTH");

static enum capture_got piece(const uint8_t *bytes, size_t n)
{
    struct {
        struct capture_packed head;
        uint8_t bytes[200];
    } payload = {.head.size = (uint32_t)n};

    memcpy(payload.bytes, bytes, n);
    return frame(CAPTURE_THIN, &payload, sizeof(payload.head) + n);
}

#define PIECE(...) piece((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
static void test_words(void **state)
{
    (void)state;
    assert_int_equal(PIECE(FRESH, 2, 0, GOOD), CAPTURE_GOT);
    assert_int_equal(PIECE(THIN_CONTEXTS - 1, THIN_CONTEXTS, 2, 0, GOOD), CAPTURE_GOT);
    assert_int_equal(PIECE(FRESH, 2), CAPTURE_BROKEN);             /* cut in its head */
    assert_int_equal(PIECE(FRESH, 3, 0, GOOD), CAPTURE_BROKEN);    /* a word is not there */
    assert_int_equal(PIECE(FRESH, 3, 0, GOOD, 7), CAPTURE_BROKEN); /* nor its bytes */
    assert_int_equal(PIECE(FRESH, 0, 0), CAPTURE_BROKEN);          /* no event */
    assert_int_equal(PIECE(FRESH, 3, 0, WORD(0, 1), GOOD), CAPTURE_BROKEN); /* another word */
    assert_int_equal(PIECE(0, 0, 2, 0, GOOD), CAPTURE_BROKEN); /* from what there is not */
    assert_int_equal(PIECE(0, THIN_CONTEXTS + 1, 2, 0, GOOD), CAPTURE_BROKEN);
    assert_int_equal(PIECE(THIN_CONTEXTS, THIN_CONTEXTS, 2, 0, GOOD), CAPTURE_BROKEN);
    assert_int_equal(PIECE(FRESH, 3, 0, GOOD, SKIP), CAPTURE_GOT);
    assert_int_equal(PIECE(FRESH, 3, 0, GOOD, SKIP | 1, 0, 0), CAPTURE_BROKEN);
    assert_int_equal(PIECE(FRESH, 9, 0, GOOD, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, WORD(1, 0)),
                     CAPTURE_BROKEN); /* behind the last word */
}

static void test_texts(void **state)
{
    (void)state;
    assert_int_equal(PIECE(FRESH, 5, 1, GOOD, LENGTH(2), HERE(0), 'a', 'b'), CAPTURE_GOT);
    assert_int_equal(PIECE(FRESH, 5, 1, GOOD, LENGTH(2), HERE(0), 'a'), CAPTURE_BROKEN);
    assert_int_equal(PIECE(FRESH, 5, 1, GOOD, LENGTH(2), TEXT(0, 0)), CAPTURE_GOT);
    assert_int_equal(PIECE(FRESH, 5, 1, GOOD, LENGTH(2), TEXT(0, 200)), CAPTURE_BROKEN);
    assert_int_equal(PIECE(FRESH, 5, 1, GOOD, LENGTH(2), TEXT(0, 24)), CAPTURE_GOT);
    assert_int_equal(PIECE(FRESH, 5, 1, GOOD, LENGTH(2), TEXT(0, 25)), CAPTURE_BROKEN);
    assert_int_equal(PIECE(FRESH, 5, 1, GOOD, LENGTH(2), HERE(THIN_TEXTS), 'a', 'b'),
                     CAPTURE_BROKEN);
    assert_int_equal(PIECE(FRESH, 5, 1, GOOD, LENGTH(17), TEXT(0, 0)), CAPTURE_BROKEN); /* cap */
    assert_int_equal(PIECE(FRESH, 5, 1, GOOD, LENGTH(16), TEXT(0, 0)), CAPTURE_GOT);
    assert_int_equal(PIECE(FRESH, 2, 2, GOOD, HERE(0)), CAPTURE_BROKEN); /* half the entries */
}

/* The second record of a piece is wrong: the first one is good. */
static void test_second(void **state)
{
    const uint8_t bytes[] = {FRESH, 2, 0, GOOD, 1, 2, 0, 0};
    struct {
        struct capture_frame f;
        struct capture_packed head;
        uint8_t bytes[(sizeof(bytes) + 7) / 8 * 8];
    } file = {.head.size = sizeof(bytes)};
    struct memory m = {(const uint8_t *)&file, sizeof(file), 0};
    struct capture_in in = {
        .read = read_memory, .ctx = &m, .buf = aligned_alloc(8, CAPTURE_BUFFER)};
    struct capture_part part;

    (void)state;
    memcpy(file.bytes, bytes, sizeof(bytes));
    file.f = capture_frame_of(CAPTURE_THIN, &file.head, sizeof(file.head) + sizeof(bytes));
    assert_int_equal(capture_next(&in, &part), CAPTURE_GOT);
    assert_int_equal(part.view->h->event, EV_openat);
    assert_int_equal(capture_next(&in, &part), CAPTURE_BROKEN);
    assert_int_equal(in.offset, 0); /* the frame that is broken */
    free(in.buf);
}

/* Pieces in wrong places: of another block, and of none. */
static void test_places(void **state)
{
    struct made *m = some_events(4, 1);
    uint8_t *buffer = aligned_alloc(8, CAPTURE_BUFFER);
    size_t first = capture_whole((const struct capture_frame *)m->file);
    size_t second = capture_whole((const struct capture_frame *)(m->file + first));
    enum capture_got end;

    (void)state;
    memmove(m->file + first, m->file + first + second, m->size - first - second);
    assert_int_equal(read_same(m, m->size - second, buffer, &end), 1);
    assert_int_equal(end, CAPTURE_BROKEN);
    memmove(m->file, m->file + first, m->size - first - second);
    assert_int_equal(read_same(m, m->size - first - second, buffer, &end), 0);
    assert_int_equal(end, CAPTURE_BROKEN);
    drop(m);
    free(buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),   cmocka_unit_test(test_kinds),  cmocka_unit_test(test_packed),
        cmocka_unit_test(test_torn),   cmocka_unit_test(test_words),  cmocka_unit_test(test_texts),
        cmocka_unit_test(test_second), cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
