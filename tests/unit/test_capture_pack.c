/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that are packed in a recording: what is packed is read again, what is wrong is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <lz4.h>

#include "../../runtime/packer.h"
#include "../../runtime/replay.h"
#include "frames.h"

/* Frames that are packed: a zone, an address list of one, a zone; what is in them repeats. */
struct three {
    struct capture_frame zone;
    int64_t seconds;
    struct capture_frame addrs;
    struct capture_addr addr;
    struct capture_frame last;
    int64_t more;
};

static struct three three_frames(void)
{
    return (struct three){.zone = {.size = 8, .kind = CAPTURE_OFFSET},
                          .seconds = 3600,
                          .addrs = {.size = 24, .kind = CAPTURE_ADDRS},
                          .addr = {.len = 4},
                          .last = {.size = 8, .kind = CAPTURE_OFFSET},
                          .more = 7200};
}

/* Those bytes as a packed frame's payload, rightly summed; what reading it comes to. */
static enum capture_got packed(const void *bytes, size_t n, uint32_t size)
{
    struct {
        struct capture_packed head;
        char block[200];
    } payload = {.head.size = size};
    int got = LZ4_compress_default(bytes, payload.block, (int)n, sizeof(payload.block));

    assert_true(got > 0);
    return frame(CAPTURE_PACKED, &payload, sizeof(payload.head) + (size_t)got);
}

static enum capture_got packed_three(const struct three *t)
{
    return packed(t, sizeof(*t), sizeof(*t));
}

static void test_packed(void **state)
{
    const struct three good = three_frames();
    struct three t = good;
    struct capture_packed none = {.size = 0};

    (void)state;
    assert_int_equal(packed_three(&t), CAPTURE_GOT);
    assert_int_equal(packed(&t, sizeof(t), sizeof(t) - 8), CAPTURE_BROKEN); /* another size */
    assert_int_equal(packed(&t, sizeof(t), sizeof(t) + 8), CAPTURE_BROKEN);
    assert_int_equal(packed(&t, sizeof(t), 0), CAPTURE_BROKEN);
    assert_int_equal(packed(&t, sizeof(t), CAPTURE_BLOCK + 8), CAPTURE_BROKEN);
    assert_int_equal(packed(&t, sizeof(t), UINT32_MAX), CAPTURE_BROKEN);
    assert_int_equal(packed(&t, 40, 40), CAPTURE_BROKEN); /* a frame that is cut */
    assert_int_equal(packed(&t, 24, 24), CAPTURE_GOT);
    assert_int_equal(packed(&t, 32, 32), CAPTURE_BROKEN);
    t.last.kind = CAPTURE_PACKED;
    assert_int_equal(packed_three(&t), CAPTURE_BROKEN);
    t.last.kind = CAPTURE_STOP;
    t.more = 1;
    assert_int_equal(packed_three(&t), CAPTURE_BROKEN);
    t.last.kind = 0;
    assert_int_equal(packed_three(&t), CAPTURE_BROKEN);
    t = good;
    t.last.size = UINT32_MAX;
    assert_int_equal(packed_three(&t), CAPTURE_BROKEN);
    t = good;
    t.zone.check = 1; /* the packed frame's sum speaks for them */
    assert_int_equal(packed_three(&t), CAPTURE_BROKEN);
    t = good;
    t.addrs.pad = 1;
    assert_int_equal(packed_three(&t), CAPTURE_BROKEN);
    t = good;
    t.addr.len = 5;
    assert_int_equal(packed_three(&t), CAPTURE_BROKEN);
    assert_int_equal(frame(CAPTURE_PACKED, &none, sizeof(none)), CAPTURE_BROKEN);
}

/* What the sums of the file do not show: pieces of no block, or that unpack to nothing. */
static void test_packed_place(void **state)
{
    const struct three t = three_frames();
    struct {
        struct capture_packed head;
        char block[200];
    } payload = {.head.size = sizeof(t)};
    size_t n = (size_t)LZ4_compress_default((const char *)&t, payload.block, sizeof(t), 200);

    (void)state;
    n += sizeof(payload.head);
    assert_int_equal(frame(CAPTURE_PACKED, &payload, n), CAPTURE_GOT);
    payload.head.after = 1; /* which is not there */
    assert_int_equal(frame(CAPTURE_PACKED, &payload, n), CAPTURE_BROKEN);
    payload.head.after = 0;
    assert_int_equal(frame(CAPTURE_PACKED, &payload, n - 1), CAPTURE_BROKEN);
    payload.head.before = sizeof(t); /* which are not there */
    assert_int_equal(frame(CAPTURE_PACKED, &payload, n), CAPTURE_BROKEN);
    payload.head.before = 0;
    memset(payload.block, 0xff, sizeof(payload.block));
    assert_int_equal(frame(CAPTURE_PACKED, &payload, n), CAPTURE_BROKEN);
}

/* `n` records of `each` bytes, which are random or zeros. */
static uint8_t *make_records(size_t n, size_t each, bool random)
{
    size_t whole = sizeof(struct capture_frame) + capture_padded(each);
    const struct capture_frame f = {.size = (uint32_t)each, .kind = CAPTURE_RECORD};
    uint8_t *frames = calloc(n, whole);
    uint64_t seed = 1;

    for (size_t i = 0; i < n; i++) {
        memcpy(frames + i * whole, &f, sizeof(f));
        for (size_t k = 0; random && k < each; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            frames[i * whole + sizeof(f) + k] = (uint8_t)(seed >> 56);
        }
    }
    return frames;
}

/* What a file gets of them, `piece` records at a time; its size. */
static size_t pack_pieces(const uint8_t *frames, size_t whole, size_t n, size_t piece,
                          uint8_t *file)
{
    struct packer p;
    size_t size = 0, room;

    assert_true(packer_open(&p));
    for (size_t i = 0; i < n; i += piece) {
        uint8_t *to = packer_room(&p, piece * whole, &room);

        assert_true(room >= piece * whole);
        memcpy(to, frames + i * whole, piece * whole);
        size += packer_pack(&p, piece * whole, file + size);
    }
    packer_close(&p);
    return size;
}

/* Packs such records; they are read again as they were. Bytes that the file has more or less. */
static long pack_records(size_t n, size_t each, size_t piece, bool random)
{
    size_t whole = sizeof(struct capture_frame) + capture_padded(each), size;
    uint8_t *frames = make_records(n, each, random), *file = aligned_alloc(8, n * whole);
    struct memory m = {file, 0, 0};
    struct capture_in in = {
        .read = read_memory, .ctx = &m, .buf = aligned_alloc(8, CAPTURE_BUFFER)};
    struct capture_part part;

    m.size = size = pack_pieces(frames, whole, n, piece, file);
    assert_int_equal(size % 8, 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(capture_next(&in, &part), CAPTURE_GOT);
        assert_int_equal(part.size, each);
        assert_memory_equal(part.bytes, frames + i * whole + sizeof(struct capture_frame), each);
    }
    assert_int_equal(capture_next(&in, &part), CAPTURE_CUT);
    assert_int_equal(in.offset, size);
    free(frames);
    free(in.buf);
    free(file);
    return (long)(n * whole) - (long)size;
}

static void test_pack(void **state)
{
    (void)state;
    assert_int_equal(pack_records(1, 8, 1, false), 0);
    assert_int_equal(pack_records(1, CAPTURE_FRAME_MAX, 1, true), 0);
    assert_int_equal(pack_records(3, CAPTURE_FRAME_MAX, 1, true), 0);
    assert_true(pack_records(3, CAPTURE_FRAME_MAX, 1, false) > 3l * CAPTURE_FRAME_MAX / 2);
    assert_true(pack_records(100, 1000, 100, true) > 0); /* the headers alone are alike */
    assert_true(pack_records(250, 1021, 250, false) > 250000);
    assert_int_equal(pack_records(50, 13, 1, false),
                     0); /* no piece shrinks by more than it costs */
    /* Pieces of one record, over several blocks. */
    assert_true(pack_records(1000, 2000, 1, false) > 1900000);
    assert_true(pack_records(1000, 400, 5, true) > 0);
}

/* A piece that follows another one, and one that says so and does not. */
static void test_pieces(void **state)
{
    const size_t whole = sizeof(struct capture_frame) + 2000;
    uint8_t *frames = make_records(1, 2000, true), *file = aligned_alloc(8, 4 * whole);
    struct packer p;
    size_t room, first, second;
    struct capture_in in = {.read = read_memory, .buf = aligned_alloc(8, CAPTURE_BUFFER)};
    struct capture_part part;

    (void)state;
    assert_true(packer_open(&p));
    memcpy(packer_room(&p, whole, &room), frames, whole);
    memset(p.block + 1000, 0, 500); /* so that it shrinks at all */
    first = packer_pack(&p, whole, file);
    memcpy(packer_room(&p, whole, &room), p.block, whole);
    second = packer_pack(&p, whole, file + first);
    assert_true(first < whole && second < 100); /* it refers to the first */
    packer_close(&p);
    in.ctx = &(struct memory){file, first + second, 0};
    assert_int_equal(capture_next(&in, &part), CAPTURE_GOT);
    assert_int_equal(capture_next(&in, &part), CAPTURE_GOT);
    assert_memory_equal((const uint8_t *)part.bytes, frames + sizeof(struct capture_frame), 900);
    assert_int_equal(capture_next(&in, &part), CAPTURE_CUT);
    /* The second one alone, and behind itself. */
    in = (struct capture_in){.read = read_memory, .buf = in.buf};
    in.ctx = &(struct memory){file + first, second, 0};
    assert_int_equal(capture_next(&in, &part), CAPTURE_BROKEN);
    memcpy(file + first + second, file + first, second);
    in = (struct capture_in){.read = read_memory, .buf = in.buf};
    in.ctx = &(struct memory){file, first + 2 * second, 0};
    assert_int_equal(capture_next(&in, &part), CAPTURE_GOT);
    assert_int_equal(capture_next(&in, &part), CAPTURE_GOT);
    assert_int_equal(capture_next(&in, &part), CAPTURE_BROKEN);
    assert_int_equal(in.offset, first + second);
    free(frames);
    free(file);
    free(in.buf);
}

/* How many records, all of them zeros, come out of a file, and how it ends. */
static unsigned read_zeros(const uint8_t *file, size_t size, uint8_t *buffer, enum capture_got *end)
{
    static const uint8_t zeros[300];
    struct memory m = {file, size, 0};
    struct capture_in in = {.read = read_memory, .ctx = &m, .buf = buffer};
    struct capture_part part;
    unsigned n = 0;

    while ((*end = capture_next(&in, &part)) == CAPTURE_GOT) {
        assert_int_equal(part.size, sizeof(zeros));
        assert_memory_equal(part.bytes, zeros, sizeof(zeros));
        n++;
    }
    return n;
}

/* Pieces that are cut anywhere, or have a wrong byte: those before are read, and no more. */
static void test_torn_pieces(void **state)
{
    const size_t whole = sizeof(struct capture_frame) + capture_padded(300);
    uint8_t *frames = make_records(4, 300, false), *file = aligned_alloc(8, 4 * whole);
    uint8_t *buffer = aligned_alloc(8, CAPTURE_BUFFER);
    size_t first = pack_pieces(frames, whole, 1, 1, file);
    size_t size = pack_pieces(frames, whole, 4, 1, file), rest = (size - first) / 3;
    enum capture_got end;

    (void)state;
    assert_true(first < whole && first + 3 * rest == size); /* the later ones are alike */
    for (size_t n = 0; n <= size; n++) {
        const unsigned there = n < first ? 0 : 1 + (unsigned)((n - first) / rest);

        assert_int_equal(read_zeros(file, n, buffer, &end), there);
        assert_int_equal(end, CAPTURE_CUT);
        if (n == size)
            break;
        file[n] ^= 0x10;
        assert_int_equal(read_zeros(file, size, buffer, &end), there);
        assert_true(end == CAPTURE_BROKEN || end == CAPTURE_CUT);
        file[n] ^= 0x10;
    }
    free(frames);
    free(file);
    free(buffer);
}

/* The frames of version 1 are those of today, none of them packed. */
static void test_version_one(void **state)
{
    struct {
        struct capture_head head;
        struct capture_frame rules;
        uint64_t on;
        struct capture_frame end;
        struct capture_end counts;
    } file = {.head.nrule = 1, .on = 1};
    struct memory m = {(const uint8_t *)&file, sizeof(file), 0};
    struct replay p = {.fd = -1, .in = {.read = read_memory, .ctx = &m}};
    const void *bytes;
    char err[200];
    size_t size;
    bool whole;

    (void)state;
    capture_seal(&file.head);
    file.head.version = 1;
    file.head.check = capture_check(0, &file.head, offsetof(struct capture_head, check));
    file.rules = capture_frame_of(CAPTURE_RULES, &file.on, 1);
    file.end = capture_frame_of(CAPTURE_END, &file.counts, sizeof(file.counts));
    assert_int_equal(replay_begin(&p, err, sizeof(err)), 0);
    assert_int_equal(p.on[0], 1);
    assert_false(replay_next(&p, &bytes, &size, &whole, err, sizeof(err)));
    assert_true(whole);
    replay_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed),      cmocka_unit_test(test_packed_place),
        cmocka_unit_test(test_pack),        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_torn_pieces), cmocka_unit_test(test_version_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
