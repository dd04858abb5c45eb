/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a recording, judged with our own rules (the folders stdlib and rules, seen from
 * where the program runs). The highest bit of the first byte keeps what follows as it is; without
 * it digests and sums are made right first, so that what is in the frames is reached. The next bit
 * packs the frames, whatever they are, in two pieces between the rules and an end. A
 * recording is read to an end that is within it, and what it says of rules leads to alerts that are
 * sound.
 */
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/fit.h"
#include "../../runtime/replay.h"
#include "lib/fuzz.h"

#define RAW 0x80u
#define PACK 0x40u
#define MATCHES 8u

static bool is_open;
static struct rpk pack;
static struct selected all; /* the rules that are on before a recording is looked at */
static uint8_t *on;

static void open_pack(void)
{
    fuzz_open_pack(&pack);
    is_open = true;
    on = malloc(pack.head->rules.n);
    if (!on || select_rules_on(&all, &pack, NULL, 0, 7, stderr))
        fuzz_fail("no memory");
}

static void make_head_current(uint8_t *file)
{
    struct capture_head head;
    memcpy(&head, file, sizeof(head));
    head.hostname[sizeof(head.hostname) - 1] = head.pack[sizeof(head.pack) - 1] = 0;
    capture_seal(&head);
    memcpy(file, &head, sizeof(head));
}

/* What unpacks by itself begins a block. */
static void make_block_current(uint8_t *payload, size_t size)
{
    struct capture_packed head;
    if (size < sizeof(head))
        return;
    memcpy(&head, payload, sizeof(head));
    size_t n = head.size & ~7u;
    if (n > CAPTURE_BLOCK)
        return;
    uint8_t *block = malloc(n + 8);
    if (LZ4_decompress_safe((char *)payload + sizeof(head), (char *)block,
                            (int)(size - sizeof(head)), (int)n) == (int)n) {
        head = (struct capture_packed){.size = (uint32_t)n};
        memcpy(payload, &head, sizeof(head));
    }
    free(block);
}

static void make_current(uint8_t *file, size_t size)
{
    struct capture_frame f;
    size_t at = sizeof(struct capture_head);
    if (size < at)
        return;
    make_head_current(file);
    while (size - at >= sizeof(f)) {
        memcpy(&f, file + at, sizeof(f));
        if (capture_padded(f.size) > size - at - sizeof(f))
            return;
        if (f.kind == CAPTURE_PACKED)
            make_block_current(file + at + sizeof(f), f.size);
        f = capture_frame_of((enum capture_kind)f.kind, file + at + sizeof(f), f.size);
        memcpy(file + at, &f, sizeof(f));
        at += sizeof(f) + capture_padded(f.size);
    }
}

/* Sums of frames that are packed are 0. */
static void clear_sums(uint8_t *frames, size_t size)
{
    struct capture_frame f;
    for (size_t at = 0; size - at >= sizeof(f); at += capture_whole(&f)) {
        memcpy(&f, frames + at, sizeof(f));
        f.check = 0;
        memcpy(frames + at, &f, sizeof(f));
        if (capture_padded(f.size) > size - at - sizeof(f))
            return;
    }
}

static size_t add_frame(uint8_t *at, enum capture_kind kind, const void *bytes, size_t n)
{
    memset(at, 0, sizeof(struct capture_frame) + capture_padded(n));
    memcpy(at + sizeof(struct capture_frame), bytes, n);
    const struct capture_frame f = capture_frame_of(kind, at + sizeof(struct capture_frame), n);
    memcpy(at, &f, sizeof(f));
    return capture_whole(&f);
}

/* Adds a piece of a block, if it shrinks enough; what that takes. `*last`: the check of its frame.
 */
static size_t add_piece(uint8_t *at, LZ4_stream_t *stream, const uint8_t *block, size_t before,
                        size_t n, uint64_t *last)
{
    static _Alignas(8) uint8_t payload[CAPTURE_FRAME_MAX];
    const struct capture_packed head = {
        .size = (uint32_t)n, .before = (uint32_t)before, .after = *last};
    memcpy(payload, &head, sizeof(head));
    int packed = LZ4_compress_fast_continue(stream, (const char *)block + before,
                                            (char *)payload + sizeof(head), (int)n,
                                            sizeof(payload) - sizeof(head), 1);
    if (packed <= 0)
        return 0;
    packed = (int)add_frame(at, CAPTURE_PACKED, payload, sizeof(head) + (size_t)packed);
    *last = ((const struct capture_frame *)at)->check;
    return (size_t)packed;
}

/* Bytes of the frames but for an end, which has no place in a piece. */
static size_t without_end(const uint8_t *frames, size_t n)
{
    const size_t whole = sizeof(struct capture_frame) + sizeof(struct capture_end);
    struct capture_frame f = {0};
    if (n > whole)
        memcpy(&f, frames + n - whole, sizeof(f));
    return f.kind == CAPTURE_END ? n - whole : n;
}

/* Where the first of two pieces ends: behind the first half's frames. */
static size_t half(const uint8_t *frames, size_t n)
{
    struct capture_frame f;
    size_t at = 0;
    while (at < n / 2 && n - at >= sizeof(f)) {
        memcpy(&f, frames + at, sizeof(f));
        if (capture_whole(&f) >= n - at)
            break;
        at += capture_whole(&f);
    }
    return at;
}

/*
 * A recording whose frames are packed: the header, for a bundle of 64 rules, all of them on, then
 * those, the pieces, an end. Replaces the file; its size, 0 if it is too short.
 */
static size_t pack_frames(uint8_t **file, size_t size)
{
    const size_t nhead = sizeof(struct capture_head);
    const struct capture_end end = {0, 0};
    if (size < nhead + 8)
        return 0;
    uint8_t *frames = *file + nhead, *made = malloc(3 * CAPTURE_BLOCK);
    size_t n = without_end(frames, (size - nhead) & ~(size_t)7), first = half(frames, n);
    LZ4_stream_t *stream = LZ4_createStream();
    uint64_t last = 0;
    ((struct capture_head *)*file)->nrule = 64;
    make_head_current(*file);
    memcpy(made, *file, nhead);
    clear_sums(frames, n);
    size = nhead + add_frame(made + nhead, CAPTURE_RULES, "\377\377\377\377\377\377\377", 8);
    if (first)
        size += add_piece(made + size, stream, frames, 0, first, &last);
    size += add_piece(made + size, stream, frames, first, n - first, &last);
    size += add_frame(made + size, CAPTURE_END, &end, sizeof(end));
    LZ4_freeStream(stream);
    free(*file);
    *file = made;
    return size;
}

static void judge(struct replay *p, const void *bytes, size_t size, char *scratch)
{
    const struct record_user user = {
        .ctx = p, .get = replay_get, .evt_num = p->number, .utc_offset = p->utc_offset};
    struct match hits[MATCHES];
    struct record r;
    if (!record_open(&r, bytes, size, &user, scratch))
        fuzz_alerts(&pack, &r, hits, table_match(&pack, &r, READINGS_ALL, false, hits, MATCHES));
}

static void check_fit(const struct replay *p)
{
    const struct fit f = {.path = "f", .head = &p->head, .on = p->on, .non = p->non};
    struct selected s = all;
    FILE *out = fopen("/dev/null", "w");
    if (!out)
        fuzz_fail("no file");
    s.on = memcpy(on, all.on, pack.head->rules.n);
    int left_out = fit_rules(&f, &pack, &s, out);
    if (left_out < 0 || s.nrule + (uint32_t)left_out != all.nrule)
        fuzz_fail("%d of %u rules are left out, %u remain", left_out, all.nrule, s.nrule);
    fclose(out);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (!is_open)
        open_pack();
    if (!size)
        return;
    uint8_t *file = malloc(size);
    size_t nfile = size - 1;
    memcpy(file, data + 1, nfile);
    if ((data[0] & (RAW | PACK)) == PACK)
        nfile = pack_frames(&file, nfile);
    else if (!(data[0] & RAW))
        make_current(file, nfile);
    struct fuzz_bytes from = {file, nfile};
    struct replay p = {.path = "f", .fd = -1, .in = {.read = fuzz_read, .ctx = &from}};
    char why[256] = "", *scratch = malloc(RECORD_SCRATCH);
    if (!replay_begin(&p, why, sizeof(why)) && !p.scap) { /* those are the harness scap's */
        const void *bytes;
        size_t n;
        bool whole;
        /* It looks through all calls for each event of the pack: now and then is enough. */
        if (fuzz_hash(data, size) % 16 == 0)
            check_fit(&p);
        while (replay_next(&p, &bytes, &n, &whole, why, sizeof(why)))
            judge(&p, bytes, n, scratch);
        if (p.in.offset > nfile || whole != (p.in.offset == nfile && !why[0]))
            fuzz_fail("read to %llu of %zu bytes: %s", (unsigned long long)p.in.offset, nfile, why);
    } else if (!why[0] && !p.scap) {
        fuzz_fail("refused without a reason");
    }
    replay_close(&p);
    free(scratch);
    free(file);
}
