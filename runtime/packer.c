/* SPDX-License-Identifier: Apache-2.0 */
#include "packer.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#define FAST 1 /* LZ4's default: more is quicker and larger */
#define HEADS (sizeof(struct capture_frame) + sizeof(struct capture_packed))

_Static_assert(HEADS + THIN_MAX + 16 <= CAPTURE_BLOCK, "the largest thin record has room");

bool packer_open(struct packer *p)
{
    *p = (struct packer){.thinner = malloc(sizeof(*p->thinner)),
                         .stream = LZ4_createStream(),
                         .block = malloc(CAPTURE_BLOCK),
                         .packed = malloc(LZ4_COMPRESSBOUND(CAPTURE_BLOCK))};
    if (!p->thinner || !p->stream || !p->block || !p->packed)
        return false;
    thinner_begin(p->thinner, p->block);
    return true;
}

void packer_close(struct packer *p)
{
    free(p->thinner);
    LZ4_freeStream(p->stream);
    free(p->block);
    free(p->packed);
    *p = (struct packer){NULL};
}

void packer_begin(struct packer *p, uint8_t *out)
{
    p->out = out;
    p->size = 0;
}

/* The bytes that the file gets of the piece, and how many; `n` of the block, or fewer packed. */
static const uint8_t *pack(struct packer *p, size_t *n)
{
    const uint8_t *piece = p->block + p->from;
    int got;

    if (p->from == 0)
        LZ4_resetStream_fast(p->stream);
    got = LZ4_compress_fast_continue(p->stream, (const char *)piece, (char *)p->packed, (int)*n,
                                     LZ4_COMPRESSBOUND(CAPTURE_BLOCK), FAST);
    if (got <= 0 || (size_t)got > *n / 2)
        return piece;
    *n = (size_t)got;
    return p->packed;
}

/* Ends the piece that is being made. */
static void end_piece(struct packer *p)
{
    size_t n = p->used - p->from;
    const struct capture_packed head = {
        .size = (uint32_t)n, .before = (uint32_t)p->from, .after = p->from ? p->last : 0};
    uint8_t *payload = p->out + p->size + sizeof(struct capture_frame);
    struct capture_frame f;
    const uint8_t *bytes;

    if (n == 0)
        return;
    bytes = pack(p, &n);
    memcpy(payload, &head, sizeof(head));
    memcpy(payload + sizeof(head), bytes, n);
    memset(payload + sizeof(head) + n, 0, capture_padded(n) - n);
    f = capture_frame_of(CAPTURE_THIN, payload, sizeof(head) + n);
    memcpy(payload - sizeof(f), &f, sizeof(f));
    p->size += capture_whole(&f);
    p->last = f.check;
    p->from = p->used;
}

/* Bytes of `out` that are left if the piece ends now. */
static size_t room(const struct packer *p)
{
    size_t piece = p->used - p->from;

    return CAPTURE_BLOCK - p->size - (piece ? HEADS + capture_padded(piece) : 0);
}

/* Adds a frame as it is, with its sum. */
static bool add_whole(struct packer *p, const struct capture_frame *frame)
{
    struct capture_frame f;

    if (capture_whole(frame) > room(p))
        return false;
    end_piece(p);
    memcpy(p->out + p->size, frame, capture_whole(frame));
    f = capture_frame_of((enum capture_kind)frame->kind, frame + 1, frame->size);
    memcpy(p->out + p->size, &f, sizeof(f));
    p->size += capture_whole(frame);
    return true;
}

/* Adds a record that is at most `most` bytes thin. */
static bool add_thin(struct packer *p, const struct record *r, uint64_t number, size_t most)
{
    if (HEADS + most + 8 > room(p))
        return false;
    if (most > CAPTURE_BLOCK - p->used) {
        end_piece(p);
        p->from = p->used = 0;
        thinner_begin(p->thinner, p->block);
        if (HEADS + most + 8 > room(p))
            return false;
    }
    p->used += thinner_put(p->thinner, r, number, p->used);
    return true;
}

bool packer_add(struct packer *p, const struct capture_frame *frame)
{
    const struct capture_record *head = (const struct capture_record *)(frame + 1);
    struct record r;

    if (frame->kind != CAPTURE_RECORD || frame->size < sizeof(*head) ||
        record_open(&r, head + 1, frame->size - sizeof(*head), NULL, NULL) != 0)
        return add_whole(p, frame);
    return add_thin(p, &r, head->number, THIN_ENTRIES + r.h->size - sizeof(struct rec));
}

size_t packer_end(struct packer *p)
{
    end_piece(p);
    return p->size;
}
