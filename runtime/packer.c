/* SPDX-License-Identifier: Apache-2.0 */
#include "packer.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#define HEADS (sizeof(struct capture_frame) + sizeof(struct capture_packed))
#define FAST 1 /* LZ4's default: more is quicker and larger */

bool packer_open(struct packer *p)
{
    *p = (struct packer){.stream = LZ4_createStream(), .block = malloc(CAPTURE_BLOCK)};
    return p->stream && p->block;
}

void packer_close(struct packer *p)
{
    LZ4_freeStream(p->stream);
    free(p->block);
    *p = (struct packer){NULL};
}

uint8_t *packer_room(struct packer *p, size_t first, size_t *room)
{
    if (first > CAPTURE_BLOCK - p->used)
        p->used = 0;
    *room = CAPTURE_BLOCK - p->used;
    return p->block + p->used;
}

/* The frames as they are, with their sums. */
static size_t put_sums(const uint8_t *frames, size_t n, uint8_t *out)
{
    struct capture_frame f;

    memcpy(out, frames, n);
    for (size_t at = 0; at < n; at += capture_whole(&f)) {
        memcpy(&f, out + at, sizeof(f));
        f = capture_frame_of((enum capture_kind)f.kind, out + at + sizeof(f), f.size);
        memcpy(out + at, &f, sizeof(f));
    }
    return n;
}

/* Bytes of the LZ4 block; 0: with all that goes with it, it would be no shorter. */
static size_t compress(struct packer *p, size_t n, uint8_t *out)
{
    int got;

    if (n <= HEADS + 8) /* padding */
        return 0;
    if (p->used == 0)
        LZ4_resetStream_fast(p->stream);
    got = LZ4_compress_fast_continue(p->stream, (const char *)p->block + p->used, (char *)out,
                                     (int)n, (int)(n - HEADS - 8), FAST);
    return got > 0 ? (size_t)got : 0;
}

size_t packer_pack(struct packer *p, size_t n, uint8_t *out)
{
    uint8_t *frames = p->block + p->used, *payload = out + sizeof(struct capture_frame);
    const struct capture_packed head = {
        .size = (uint32_t)n, .before = (uint32_t)p->used, .after = p->used ? p->last : 0};
    size_t size = compress(p, n, payload + sizeof(head));
    struct capture_frame f;

    if (size == 0) { /* a stream that found no room can only be made anew */
        LZ4_initStream(p->stream, sizeof(*p->stream));
        p->used = 0;
        return put_sums(frames, n, out);
    }
    p->used += n;
    size += sizeof(head);
    memcpy(payload, &head, sizeof(head));
    memset(payload + size, 0, capture_padded(size) - size);
    f = capture_frame_of(CAPTURE_PACKED, payload, size);
    p->last = f.check;
    memcpy(out, &f, sizeof(f));
    return capture_whole(&f);
}
