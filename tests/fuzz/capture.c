/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a recording, judged with our own rules (the folders stdlib and rules, seen from
 * where the program runs). The highest bit of the first byte keeps what follows as it is; without
 * it digests and sums are made right first, so that what is in the frames is reached. The next bit
 * packs the frames, whatever they are, in two pieces between the rules and an end. The third one
 * makes thin records of the frames, as a recorder does, which are the same records; with the first,
 * what follows are thin records, in two pieces. A
 * recording is read to an end that is within it, and what it says of rules leads to alerts that are
 * sound.
 */
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/fit.h"
#include "../../runtime/packer.h"
#include "../../runtime/replay.h"
#include "../flat.h"
#include "lib/fuzz.h"

#define RAW 0x80u
#define PACK 0x40u
#define THIN 0x20u
#define MODE (RAW | PACK | THIN)
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

/* Begins a recording that is made: the header and the rules are in `made`; their bytes. */
static size_t begin_made(uint8_t *made, uint8_t *head)
{
    const size_t nhead = sizeof(struct capture_head);
    ((struct capture_head *)head)->nrule = 64;
    make_head_current(head);
    memcpy(made, head, nhead);
    return nhead + add_frame(made + nhead, CAPTURE_RULES, "\377\377\377\377\377\377\377", 8);
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
    uint8_t *frames = *file + nhead, *made = malloc(3 * CAPTURE_BLOCK + size);
    size_t n = without_end(frames, (size - nhead) & ~(size_t)7), first = half(frames, n);
    LZ4_stream_t *stream = LZ4_createStream();
    uint64_t last = 0;
    clear_sums(frames, n);
    size = begin_made(made, *file);
    if (first)
        size += add_piece(made + size, stream, frames, 0, first, &last);
    size += add_piece(made + size, stream, frames, first, n - first, &last);
    size += add_frame(made + size, CAPTURE_END, &end, sizeof(end));
    LZ4_freeStream(stream);
    free(*file);
    *file = made;
    return size;
}

/* Whole frames of kinds 1 to 5 from `at` on, and behind them an end, which is the file's. */
static bool is_plain(const uint8_t *file, size_t size, size_t at)
{
    struct capture_frame f = {0};
    while (size - at >= sizeof(f)) {
        memcpy(&f, file + at, sizeof(f));
        if (f.size > CAPTURE_FRAME_MAX || capture_whole(&f) > size - at)
            return false;
        at += capture_whole(&f);
        if (f.kind == CAPTURE_END)
            return at == size;
        if (f.kind == 0 || f.kind > CAPTURE_ADDRS)
            return false;
    }
    return false;
}

/* The frames between the rules and the end, as a recorder writes them; their bytes. */
static size_t make_thin(const uint8_t *frames, size_t size, uint8_t *made)
{
    const struct capture_frame *f;
    struct packer p;
    size_t n = 0;
    if (!packer_open(&p))
        fuzz_fail("no memory");
    packer_begin(&p, made);
    for (size_t at = 0; at < size; at += capture_whole(f)) {
        f = (const struct capture_frame *)(frames + at);
        bool fits = packer_add(&p, f);
        if (fits && f->size % 3) /* pieces of one record and of more */
            continue;
        n += packer_end(&p);
        packer_begin(&p, made + n);
        if (!fits && !packer_add(&p, f))
            fuzz_fail("a frame has no room");
    }
    n += packer_end(&p);
    packer_close(&p);
    return n;
}

/* The same recording with thin records; its size, 0 if it is none that is made of frames. */
static size_t thin_frames(const uint8_t *file, size_t size, uint8_t **out)
{
    const size_t nend = sizeof(struct capture_frame) + sizeof(struct capture_end);
    const struct capture_frame *rules =
        (const struct capture_frame *)(file + sizeof(struct capture_head));
    size_t at = sizeof(struct capture_head);
    if (size < at + sizeof(*rules) + nend || rules->size > RULES_MAX / 8)
        return 0;
    at += capture_whole(rules);
    if (at > size || !is_plain(file, size, at))
        return 0;
    *out = malloc(2 * size + 2 * CAPTURE_BLOCK);
    memcpy(*out, file, at);
    size_t n = at + make_thin(file + at, size - nend - at, *out + at);
    memcpy(*out + n, file + size - nend, nend);
    return n + nend;
}

/* A recording of two pieces that are given as they are. */
static size_t thin_pieces(uint8_t **file, size_t size)
{
    const struct capture_end end = {0, 0};
    const size_t most = CAPTURE_FRAME_MAX - sizeof(struct capture_packed);
    uint8_t head[sizeof(struct capture_head)] = {0};
    uint8_t *made = malloc(size + 4096), *payload = malloc(CAPTURE_FRAME_MAX);
    size_t n = begin_made(made, head), first = size / 2;
    uint64_t last = 0;
    for (size_t at = 0; at < size && size <= most; at = at < first ? first : size) {
        const size_t piece = (at < first ? first : size) - at;
        const struct capture_packed h = {
            .size = (uint32_t)piece, .before = (uint32_t)at, .after = last};
        memcpy(payload, &h, sizeof(h));
        memcpy(payload + sizeof(h), *file + at, piece);
        struct capture_frame *f = (struct capture_frame *)(made + n);
        n += add_frame(made + n, CAPTURE_THIN, payload, sizeof(h) + piece);
        last = f->check;
    }
    n += add_frame(made + n, CAPTURE_END, &end, sizeof(end));
    free(payload);
    free(*file);
    *file = made;
    return n;
}

static void judge(struct record *r)
{
    struct match hits[MATCHES];
    if (r)
        fuzz_alerts(&pack, r, hits, table_match(&pack, r, READINGS_ALL, false, hits, MATCHES));
}

/* A sum over a record, as a probe would send it; 1: it is malformed. */
static uint64_t sum_of(const struct record *r)
{
    static _Alignas(8) char bytes[REC_MAX + 8];
    if (!r)
        return 1;
    size_t n = flat_record(r, bytes);
    struct rec *rec = (struct rec *)bytes;
    for (unsigned s = 0; s < S_COUNT; s++) /* nobody looks at those */
        if (!r->text[s])
            rec->h.len[s] = 0;
    memcpy(rec->alt_len, r->alt_len, sizeof(rec->alt_len));
    memset(bytes + n, 0, 8);
    return capture_check(n, bytes, capture_padded(n));
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

/* Reads a recording to its end; a sum over its records. */
static uint64_t read_all(uint8_t *file, size_t nfile, bool check)
{
    struct fuzz_bytes from = {file, nfile};
    struct replay p = {.path = "f", .fd = -1, .in = {.read = fuzz_read, .ctx = &from}};
    struct record_user user = {.ctx = &p, .get = replay_get};
    char why[256] = "";
    uint64_t sum = 0;
    p.user = &user;
    p.scratch = malloc(RECORD_SCRATCH);
    char *scratch = p.scratch;
    if (!replay_begin(&p, why, sizeof(why)) && !p.scap) { /* those are the harness scap's */
        struct record *view;
        bool whole;
        if (check)
            check_fit(&p);
        while (replay_next(&p, &view, &whole, why, sizeof(why))) {
            user.evt_num = p.number;
            user.utc_offset = p.utc_offset;
            const uint64_t parts[] = {sum, p.number, sum_of(view), (uint64_t)p.utc_offset};
            sum = capture_check(p.records, parts, sizeof(parts));
            judge(view);
        }
        if (p.in.offset > nfile || whole != (p.in.offset == nfile && !why[0]))
            fuzz_fail("read to %llu of %zu bytes: %s", (unsigned long long)p.in.offset, nfile, why);
    } else if (!why[0] && !p.scap) {
        fuzz_fail("refused without a reason");
    }
    replay_close(&p);
    free(scratch);
    return sum;
}

/* Its records are the same when they are thin. */
static void compare_thin(uint8_t *file, size_t size)
{
    uint8_t *thin = NULL;
    make_current(file, size);
    size_t n = thin_frames(file, size, &thin);
    if (n && read_all(file, size, false) != read_all(thin, n, false))
        fuzz_fail("thin records are others");
    free(thin);
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
    else if ((data[0] & MODE) == THIN)
        compare_thin(file, nfile);
    else if ((data[0] & (RAW | THIN)) == (RAW | THIN))
        nfile = thin_pieces(&file, nfile);
    else if (!(data[0] & RAW))
        make_current(file, nfile);
    /* It looks through all calls for each event of the pack: now and then is enough. */
    read_all(file, nfile, fuzz_hash(data, size) % 16 == 0);
    free(file);
}
