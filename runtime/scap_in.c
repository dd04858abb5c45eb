/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST (64u << 10)
#define HEAD 8u    /* type and length */
#define TRAILER 4u /* the length again */
#define GZIP_0 0x1f
#define GZIP_1 0x8b

bool scap_in_open(struct scap_in *in)
{
    in->raw = malloc(SCAP_RAW);
    in->block = malloc(BLOCK_FIRST);
    in->cap = BLOCK_FIRST;
    return in->raw && in->block;
}

void scap_in_close(struct scap_in *in)
{
    if (in->zipped)
        inflateEnd(&in->z);
    free(in->raw);
    free(in->block);
    *in = (struct scap_in){0};
}

/* ---- bytes, decompressed ---- */

/* Reads on if nothing is left. False: there is no more, or it cannot be read. */
static bool fill(struct scap_in *in)
{
    ssize_t n;

    if (in->raw_at < in->raw_len)
        return true;
    if (in->ended)
        return false;
    do
        n = in->read(in->ctx, in->raw, SCAP_RAW);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        in->error = errno;
        in->why = SCAP_FAILED;
    }
    in->ended = n <= 0;
    in->raw_at = 0;
    in->raw_len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* Is the file compressed? Asked once, in front of its first byte. */
static bool begin(struct scap_in *in)
{
    ssize_t n = 0;

    if (!fill(in))
        return true;
    while (in->raw_len < 2 && (n = in->read(in->ctx, in->raw + in->raw_len, 1)) > 0)
        in->raw_len += (size_t)n;
    in->zipped = in->raw_len >= 2 && in->raw[0] == GZIP_0 && in->raw[1] == GZIP_1;
    if (in->zipped && inflateInit2(&in->z, 15 + 16) != Z_OK) {
        in->zipped = false;
        in->why = SCAP_NO_MEMORY;
        return false;
    }
    in->in_member = in->zipped;
    return true;
}

/* Behind a member: another one, or the end. */
static void member_done(struct scap_in *in)
{
    in->in_member = false;
    if (fill(in) && inflateReset(&in->z) == Z_OK)
        in->in_member = true;
}

static size_t inflate_some(struct scap_in *in, uint8_t *to, size_t n)
{
    int rc;

    if (!in->in_member)
        return 0;
    if (!fill(in)) {
        if (in->why == SCAP_GOT)
            in->why = SCAP_CUT;
        return 0;
    }
    in->z.next_in = in->raw + in->raw_at;
    in->z.avail_in = (unsigned)(in->raw_len - in->raw_at);
    in->z.next_out = to;
    in->z.avail_out = (unsigned)n;
    rc = inflate(&in->z, Z_NO_FLUSH);
    in->raw_at = in->raw_len - in->z.avail_in;
    n -= in->z.avail_out;
    if (rc == Z_STREAM_END)
        member_done(in);
    else if (rc != Z_OK && rc != Z_BUF_ERROR)
        in->why = rc == Z_MEM_ERROR ? SCAP_NO_MEMORY : SCAP_BROKEN;
    return n;
}

static size_t copy_some(struct scap_in *in, uint8_t *to, size_t n)
{
    if (!fill(in))
        return 0;
    if (n > in->raw_len - in->raw_at)
        n = in->raw_len - in->raw_at;
    memcpy(to, in->raw + in->raw_at, n);
    in->raw_at += n;
    return n;
}

/* As many of `n` bytes as there are. */
static size_t get(struct scap_in *in, uint8_t *to, size_t n)
{
    size_t at = 0;

    if (in->offset == 0 && !in->raw_len && !begin(in))
        return 0;
    while (at < n && in->why == SCAP_GOT) {
        bool more = in->zipped ? in->in_member : !in->ended || in->raw_at < in->raw_len;

        if (!more)
            break;
        at += in->zipped ? inflate_some(in, to + at, n - at) : copy_some(in, to + at, n - at);
    }
    in->offset += at;
    return at;
}

/* ---- blocks ---- */

/* The block's bytes, into memory that grows as they come. */
static enum scap_got get_block(struct scap_in *in, size_t n)
{
    size_t at = 0, part;

    while (at < n) {
        if (at == in->cap) {
            size_t cap = in->cap ? in->cap * 2 : BLOCK_FIRST;
            uint8_t *more = realloc(in->block, cap);

            if (!more)
                return SCAP_NO_MEMORY;
            in->block = more;
            in->cap = cap;
        }
        part = n < in->cap ? n - at : in->cap - at;
        if (get(in, in->block + at, part) != part)
            return in->why == SCAP_GOT ? SCAP_CUT : in->why;
        at += part;
    }
    return SCAP_GOT;
}

/* The block at `start` is none: that is where one looks for what is wrong. */
static enum scap_got broken(struct scap_in *in, uint64_t start)
{
    in->offset = start;
    return SCAP_BROKEN;
}

enum scap_got scap_in_next(struct scap_in *in, struct scap_block *out)
{
    uint64_t start = in->offset;
    uint8_t head[HEAD];
    size_t n = get(in, head, HEAD);
    uint32_t size;
    enum scap_got got;

    if (n < HEAD && in->why != SCAP_GOT)
        return in->why;
    if (n < HEAD)
        return n ? SCAP_CUT : SCAP_DONE;
    size = (uint32_t)scap_number(head + 4, 4);
    if (size < HEAD + TRAILER || size > SCAP_BLOCK_MAX)
        return broken(in, start);
    got = get_block(in, size - HEAD);
    if (got != SCAP_GOT)
        return got;
    out->type = (uint32_t)scap_number(head, 4);
    out->size = size - HEAD - TRAILER;
    out->body = in->block;
    return scap_number(in->block + out->size, TRAILER) == size ? SCAP_GOT : broken(in, start);
}

/* ---- bytes of a block ---- */

const uint8_t *scap_take(struct scap_bytes *b, size_t n)
{
    const uint8_t *at = b->at;

    if (n > b->left) {
        b->bad = true;
        b->left = 0;
        return NULL;
    }
    b->at += n;
    b->left -= n;
    return at;
}

uint64_t scap_number(const uint8_t *at, size_t n)
{
    uint64_t v = 0;

    memcpy(&v, at, n);
    return v;
}

uint64_t scap_take_number(struct scap_bytes *b, size_t n)
{
    const uint8_t *at = scap_take(b, n);

    return at ? scap_number(at, n) : 0;
}
