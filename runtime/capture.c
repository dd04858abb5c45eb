/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <errno.h>
#include <lz4.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LANES 4
#define TURN ((ptrdiff_t)(8 * LANES)) /* bytes of a step of all lanes */
#define ODD 0x9e3779b97f4a7c15ull

/* ---- sums ---- */

static inline uint64_t step(uint64_t h, const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    h = (h ^ word) * ODD;
    return h << 32 | h >> 32;
}

/* Four lanes, so that one product need not wait for another. Each step keeps what differs. */
uint64_t capture_check(uint64_t start, const void *bytes, size_t n)
{
    const unsigned char *at = bytes, *end = at + n;
    uint64_t h[LANES] = {start, ~start, ODD, 1};

    for (; end - at >= TURN; at += TURN)
#pragma GCC unroll 4
        for (size_t k = 0; k < LANES; k++)
            h[k] = step(h[k], at + 8 * k);
    for (size_t k = 0; at < end; at += 8)
        h[k] = step(h[k], at), k++;
    start = n;
    for (size_t k = 0; k < LANES; k++) {
        start = (start ^ h[k]) * ODD;
        start ^= start >> 29;
    }
    return start;
}

static uint64_t frame_check(const struct capture_frame *f, const void *bytes)
{
    return capture_check((uint64_t)f->kind << 32 | f->size, bytes, capture_padded(f->size));
}

struct capture_frame capture_frame_of(enum capture_kind kind, const void *bytes, size_t size)
{
    struct capture_frame f = {.size = (uint32_t)size, .kind = (uint16_t)kind};

    f.check = frame_check(&f, bytes);
    return f;
}

void capture_seal(struct capture_head *h)
{
    h->magic = CAPTURE_MAGIC;
    h->version = CAPTURE_VERSION;
    h->size = sizeof(*h);
    h->catalog = catalog_digest();
    h->abi = rpk_abi_digest();
    h->check = capture_check(0, h, offsetof(struct capture_head, check));
}

/* ---- bytes ---- */

/* Reads on until `want` bytes stand at `at`, or there are no more. False: a read failed. */
static bool fill(struct capture_in *in, size_t want)
{
    if (in->len - in->at >= want)
        return true;
    memmove(in->buf, in->buf + in->at, in->len - in->at);
    in->len -= in->at;
    in->at = 0;
    while (in->len < want) {
        ssize_t n = in->read(in->ctx, in->buf + in->len, CAPTURE_AHEAD - in->len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            in->error = errno;
        if (n <= 0)
            return n == 0;
        in->len += (size_t)n;
    }
    return true;
}

static size_t there(const struct capture_in *in)
{
    return in->len - in->at;
}

static const void *take(struct capture_in *in, size_t n)
{
    const void *bytes = in->buf + in->at;

    in->at += n;
    in->offset += n;
    return bytes;
}

/* ---- the header ---- */

static bool other_version(const struct capture_head *h)
{
    return h->version < CAPTURE_OLDEST || h->version > CAPTURE_VERSION;
}

static const char *head_wrong(const struct capture_head *h, size_t n)
{
    if (n < offsetof(struct capture_head, catalog) || h->magic != CAPTURE_MAGIC)
        return "this is no recording";
    if (other_version(h))
        return "the recording is of another version of the format";
    if (h->size != sizeof(*h) || n < sizeof(*h))
        return "the recording is cut or damaged in its header";
    if (h->check != capture_check(0, h, offsetof(struct capture_head, check)) ||
        h->hostname[sizeof(h->hostname) - 1] || h->pack[sizeof(h->pack) - 1] || h->all > 1 ||
        h->plan.groups >> G_COUNT || h->nrule > RULES_MAX)
        return "the recording's header is damaged";
    if (h->catalog != catalog_digest() || h->abi != rpk_abi_digest())
        return "the recording was made by another version of rulerun, whose fields differ";
    return NULL;
}

int capture_begin(struct capture_in *in, struct capture_head *head, char *err, size_t errlen)
{
    const char *wrong;
    size_t n;

    if (!fill(in, sizeof(*head))) {
        snprintf(err, errlen, "%s", strerror(in->error));
        return -in->error;
    }
    n = there(in) < sizeof(*head) ? there(in) : sizeof(*head);
    memset(head, 0, sizeof(*head));
    memcpy(head, in->buf + in->at, n);
    wrong = head_wrong(head, n);
    if (wrong && head->magic == CAPTURE_MAGIC && other_version(head))
        snprintf(err, errlen, "%s: %u, not %u to %u", wrong, head->version, CAPTURE_OLDEST,
                 CAPTURE_VERSION);
    else if (wrong)
        snprintf(err, errlen, "%s", wrong);
    if (wrong)
        return -EPROTO;
    take(in, sizeof(*head));
    return 0;
}

/* ---- frames ---- */

static bool answer_ok(const struct capture_answer *a, size_t size)
{
    if (size < sizeof(*a) || a->nkey == 0 || a->nkey > size - sizeof(*a) || a->known > 1 ||
        a->has_text > 1 || a->is_list > 1 || a->state < ST_PRESENT || a->state > ST_CUT ||
        a->base > BASE_DOUBLE)
        return false;
    size -= sizeof(*a) + a->nkey;
    if (!a->has_text)
        return size == 0 && !a->is_list && a->base != BASE_TEXT && a->base != BASE_BYTES;
    if (a->is_list) /* texts, each with its NUL */
        return a->base == BASE_TEXT && (!size || ((const char *)(a + 1))[a->nkey + size - 1] == 0);
    return a->base == BASE_TEXT || a->base == BASE_BYTES;
}

static bool addrs_ok(const struct capture_addr *a, size_t size)
{
    for (size_t i = 0; i < size / sizeof(*a); i++)
        if (a[i].len != 4 && a[i].len != 16)
            return false;
    return size % sizeof(*a) == 0;
}

/* What a record holds is record_open()'s to check. */
static bool payload_ok(const struct capture_part *p)
{
    switch (p->kind) {
    case CAPTURE_RECORD:
        return p->size >= sizeof(struct capture_record);
    case CAPTURE_ANSWER:
        return answer_ok(p->bytes, p->size);
    case CAPTURE_OFFSET:
        return p->size == sizeof(int64_t) && *(const int64_t *)p->bytes >= -86400 &&
               *(const int64_t *)p->bytes <= 86400;
    case CAPTURE_RULES:
        return p->size <= RULES_MAX / 8;
    case CAPTURE_ADDRS:
        return addrs_ok(p->bytes, p->size);
    case CAPTURE_END:
        return p->size == sizeof(struct capture_end);
    case CAPTURE_STOP:
        return p->size == sizeof(uint64_t) && *(const uint64_t *)p->bytes > CAPTURE_NO_STOP &&
               *(const uint64_t *)p->bytes <= CAPTURE_STOP_SPACE;
    case CAPTURE_PACKED:
    case CAPTURE_THIN:
        return p->size > sizeof(struct capture_packed);
    }
    return false;
}

/* ---- blocks ---- */

static uint8_t *block_of(const struct capture_in *in)
{
    return in->buf + CAPTURE_AHEAD;
}

static struct thin *thin_of(const struct capture_in *in)
{
    return (struct thin *)(in->buf + CAPTURE_AHEAD + CAPTURE_BLOCK + 8);
}

/* The piece begins a block, or stands behind the one before it in this block, which has room. */
static bool in_place(const struct capture_in *in, enum capture_kind kind,
                     const struct capture_packed *head)
{
    bool goes_on = head->after != 0;

    return head->before == (goes_on ? in->block_size : 0) && head->size > 0 &&
           head->size <= CAPTURE_BLOCK - head->before &&
           (!goes_on || (head->after == in->block_check && kind == in->block));
}

/* The piece in a frame of the file is in its place in the block. */
static void add_piece(struct capture_in *in, const struct capture_part *p)
{
    const struct capture_packed *head = p->bytes;

    in->block = p->kind;
    in->block_at = head->before;
    in->block_size = head->before + head->size;
    in->block_check = ((const struct capture_frame *)p->bytes - 1)->check;
    in->block_offset = in->offset;
}

static void forget_block(struct capture_in *in)
{
    in->block_at = in->block_size = 0;
    in->block_check = 0;
}

/* The frame at the front of `n` bytes of them, unpacked. False: it is none. */
static bool packed_frame(const uint8_t *at, size_t n, struct capture_part *out)
{
    struct capture_frame f;

    if (n < sizeof(f))
        return false;
    memcpy(&f, at, sizeof(f));
    *out = (struct capture_part){(enum capture_kind)f.kind, at + sizeof(f), f.size, NULL};
    return f.size <= CAPTURE_FRAME_MAX && capture_whole(&f) <= n && !f.pad && !f.check &&
           f.kind <= CAPTURE_ADDRS && payload_ok(out);
}

static size_t whole_part(const struct capture_part *p)
{
    return sizeof(struct capture_frame) + capture_padded(p->size);
}

/*
 * Unpacks frames behind those before them in the block. False: that cannot be. Their bytes need no
 * sum of their own: those that they are made from have one, and so have all before them.
 */
static bool unpack_bytes(const struct capture_in *in, const struct capture_packed *head, size_t n)
{
    const size_t before = head->before, size = head->size;
    char *block = (char *)block_of(in);

    return LZ4_decompress_safe_usingDict((const char *)(head + 1), block + before, (int)n,
                                         (int)size, block, (int)before) == (int)size;
}

/* Unpacks a frame's frames, and looks at each. False: something is wrong with one. */
static bool unpack(struct capture_in *in, const struct capture_part *p)
{
    const struct capture_packed *head = p->bytes;
    const size_t end = (size_t)head->before + head->size;
    struct capture_part part;

    if (!in_place(in, CAPTURE_PACKED, head) || head->size % 8 != 0 ||
        !unpack_bytes(in, head, p->size - sizeof(*head)))
        return false;
    for (size_t at = head->before; at < end; at += whole_part(&part))
        if (!packed_frame(block_of(in) + at, end - at, &part))
            return false;
    add_piece(in, p);
    return true;
}

/* The next frame of those that were unpacked, which are good. */
static enum capture_got next_unpacked(struct capture_in *in, struct capture_part *out)
{
    const struct capture_frame *f = (const struct capture_frame *)(block_of(in) + in->block_at);

    *out = (struct capture_part){(enum capture_kind)f->kind, f + 1, f->size, NULL};
    in->block_at += capture_whole(f);
    return CAPTURE_GOT;
}

/* Adds a frame's piece of thin records. False: it has no place here, or cannot be unpacked. */
static bool add_thin(struct capture_in *in, const struct capture_part *p)
{
    const struct capture_packed *head = p->bytes;
    const size_t n = p->size - sizeof(*head);

    if (!in_place(in, CAPTURE_THIN, head))
        return false;
    if (head->before == 0)
        thin_begin(thin_of(in), block_of(in));
    if (n == head->size)
        memcpy(block_of(in) + head->before, head + 1, n);
    else if (!unpack_bytes(in, head, n))
        return false;
    add_piece(in, p);
    return true;
}

static enum capture_got next_thin(struct capture_in *in, struct capture_part *out)
{
    struct thin_context *c = thin_next(thin_of(in), &in->block_at, in->block_size);

    if (!c) {
        in->offset = in->block_offset;
        forget_block(in);
        return CAPTURE_BROKEN;
    }
    *out = (struct capture_part){CAPTURE_RECORD, &c->now, sizeof(struct capture_record), &c->view};
    return CAPTURE_GOT;
}

/* The next of what the block has. */
static enum capture_got next_of_block(struct capture_in *in, struct capture_part *out)
{
    return in->block == CAPTURE_THIN ? next_thin(in, out) : next_unpacked(in, out);
}

/* ---- frames of the file ---- */

/* The frame that stands next in the file, and its bytes; it is not taken yet. */
static enum capture_got look(struct capture_in *in, struct capture_part *out)
{
    struct capture_frame f;

    if (!fill(in, sizeof(f)))
        return CAPTURE_FAILED;
    if (there(in) < sizeof(f))
        return CAPTURE_CUT;
    memcpy(&f, in->buf + in->at, sizeof(f));
    if (f.size > CAPTURE_FRAME_MAX)
        return CAPTURE_BROKEN;
    if (!fill(in, capture_whole(&f)))
        return CAPTURE_FAILED;
    if (there(in) < capture_whole(&f))
        return CAPTURE_CUT;
    *out = (struct capture_part){(enum capture_kind)f.kind, in->buf + in->at + sizeof(f), f.size,
                                 NULL};
    if (f.pad || f.check != frame_check(&f, out->bytes) || !payload_ok(out))
        return CAPTURE_BROKEN;
    return CAPTURE_GOT;
}

enum capture_got capture_next(struct capture_in *in, struct capture_part *out)
{
    enum capture_got got;
    bool is_piece;

    if (in->block_at < in->block_size)
        return next_of_block(in, out);
    got = look(in, out);
    if (got != CAPTURE_GOT)
        return got;
    is_piece = out->kind == CAPTURE_PACKED || out->kind == CAPTURE_THIN;
    if (is_piece && !(out->kind == CAPTURE_THIN ? add_thin(in, out) : unpack(in, out)))
        return CAPTURE_BROKEN;
    take(in, whole_part(out));
    if (is_piece)
        return next_of_block(in, out);
    if (out->kind != CAPTURE_END)
        return CAPTURE_GOT;
    if (!fill(in, 1))
        return CAPTURE_FAILED;
    return there(in) ? CAPTURE_BROKEN : CAPTURE_DONE;
}

const char *capture_key(const struct capture_part *p, size_t *nkey)
{
    const struct capture_answer *a = p->bytes;

    *nkey = a->nkey;
    return (const char *)(a + 1);
}

bool capture_value(const struct capture_part *p, struct val *out)
{
    const struct capture_answer *a = p->bytes;

    *out = (struct val){.state = a->state,
                        .base = a->base,
                        .family = a->family,
                        .is_list = a->is_list,
                        .num = a->num};
    if (a->has_text) {
        out->text = (const char *)(a + 1) + a->nkey;
        out->len = (uint32_t)(p->size - sizeof(*a) - a->nkey);
    }
    return a->known;
}
