/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings of versions 1 and 2: frames that are packed are read, what is wrong is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <lz4.h>

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

/* Two pieces of a block as frames of a file, the second of which refers to the first. */
struct two {
    _Alignas(8) uint8_t file[1000];
    size_t first, size;
};

static size_t put_piece(uint8_t *to, LZ4_stream_t *stream, const struct three *t, uint32_t before,
                        uint64_t after)
{
    const struct capture_packed head = {sizeof(*t), before, after};
    uint8_t *payload = to + sizeof(struct capture_frame);
    int got = LZ4_compress_fast_continue(stream, (const char *)t, (char *)payload + sizeof(head),
                                         sizeof(*t), 200, 1);
    struct capture_frame f;

    assert_true(got > 0);
    memcpy(payload, &head, sizeof(head));
    f = capture_frame_of(CAPTURE_PACKED, payload, sizeof(head) + (size_t)got);
    memcpy(to, &f, sizeof(f));
    return capture_whole(&f);
}

static struct two make_two(void)
{
    static struct three block[2];
    LZ4_stream_t *stream = LZ4_createStream();
    struct two f = {.size = 0};

    block[0] = block[1] = three_frames();
    f.first = put_piece(f.file, stream, &block[0], 0, 0);
    f.size = f.first + put_piece(f.file + f.first, stream, &block[1], sizeof(block[0]),
                                 ((const struct capture_frame *)f.file)->check);
    LZ4_freeStream(stream);
    return f;
}

/* How many frames come out of a file, and how it ends. */
static unsigned count_frames(const uint8_t *file, size_t size, struct capture_in *in,
                             enum capture_got *end)
{
    struct memory m = {file, size, 0};
    struct capture_part part;
    unsigned n = 0;

    *in = (struct capture_in){.read = read_memory, .ctx = &m, .buf = in->buf};
    while ((*end = capture_next(in, &part)) == CAPTURE_GOT)
        n++;
    return n;
}

/* A piece that follows another one, and one that says so and does not. */
static void test_pieces(void **state)
{
    struct capture_in in = {.buf = aligned_alloc(8, CAPTURE_BUFFER)};
    struct two f = make_two();
    size_t second = f.size - f.first;
    enum capture_got end;

    (void)state;
    assert_true(second < f.first); /* it refers to the first */
    assert_int_equal(count_frames(f.file, f.size, &in, &end), 6);
    assert_int_equal(end, CAPTURE_CUT);
    /* The second one alone, and behind itself. */
    assert_int_equal(count_frames(f.file + f.first, second, &in, &end), 0);
    assert_int_equal(end, CAPTURE_BROKEN);
    memcpy(f.file + f.size, f.file + f.first, second);
    assert_int_equal(count_frames(f.file, f.size + second, &in, &end), 6);
    assert_int_equal(end, CAPTURE_BROKEN);
    assert_int_equal(in.offset, f.size);
    free(in.buf);
}

/* Pieces that are cut anywhere, or have a wrong byte: those before are read, and no more. */
static void test_torn_pieces(void **state)
{
    struct capture_in in = {.buf = aligned_alloc(8, CAPTURE_BUFFER)};
    struct two f = make_two();
    enum capture_got end;

    (void)state;
    for (size_t n = 0; n < f.size; n++) {
        const unsigned there = n < f.first ? 0 : 3;

        assert_int_equal(count_frames(f.file, n, &in, &end), there);
        assert_int_equal(end, CAPTURE_CUT);
        f.file[n] ^= 0x10;
        assert_int_equal(count_frames(f.file, f.size, &in, &end), there);
        assert_true(end == CAPTURE_BROKEN || end == CAPTURE_CUT);
        f.file[n] ^= 0x10;
    }
    free(in.buf);
}

/* The frames of version 1 are those of today, without blocks. */
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
    struct record *view;
    char err[200];
    bool whole;

    (void)state;
    capture_seal(&file.head);
    file.head.version = 1;
    file.head.check = capture_check(0, &file.head, offsetof(struct capture_head, check));
    file.rules = capture_frame_of(CAPTURE_RULES, &file.on, 1);
    file.end = capture_frame_of(CAPTURE_END, &file.counts, sizeof(file.counts));
    assert_int_equal(replay_begin(&p, err, sizeof(err)), 0);
    assert_int_equal(p.on[0], 1);
    assert_false(replay_next(&p, &view, &whole, err, sizeof(err)));
    assert_true(whole);
    replay_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed),      cmocka_unit_test(test_packed_place),
        cmocka_unit_test(test_pieces),      cmocka_unit_test(test_torn_pieces),
        cmocka_unit_test(test_version_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
