/* SPDX-License-Identifier: Apache-2.0 */
#include "thin.h"

#include <stddef.h>
#include <string.h>

#define TOP (1ull << 63) /* what record_head_ok() looks at */

/* What of a block is still to be read. */
struct rest {
    const uint8_t *at, *end;
};

/* The words that a part of the head is in. */
static void concern(struct thin *t, size_t from, size_t size, uint64_t bits)
{
    const size_t head = offsetof(struct thin_head, rec) + from;

    for (size_t w = head / 8; w <= (head + size - 1) / 8; w++)
        t->concerned[w] |= bits;
}

void thin_begin(struct thin *t, const uint8_t *block)
{
    const uint64_t alts = ((1ull << READ_ALTS) - 1) << S_COUNT;

    t->block = block;
    memset(t->used, 0, sizeof(t->used));
    memset(t->concerned, 0, sizeof(t->concerned));
    concern(t, 0, offsetof(struct ev_head, cgroup), TOP | alts);
    concern(t, offsetof(struct ev_head, st), SLOT_COUNT, TOP);
    for (unsigned s = 0; s < S_COUNT; s++) {
        concern(t, offsetof(struct ev_head, st) + SLOT_OF_STR(s), 1, 1ull << s);
        concern(t, offsetof(struct ev_head, len) + sizeof(uint32_t) * s, 4, 1ull << s);
    }
    for (unsigned k = 0; k < READ_ALTS; k++)
        concern(t, offsetof(struct rec, alt_len) + sizeof(uint32_t) * k, 4, 1ull << (S_COUNT + k));
    concern(t, offsetof(struct rec, base_len), 4, 1ull << THIN_BASE);
}

/* ---- one record ---- */

/* The context as it is to begin with. False: there is none to begin from. */
static bool begin_from(struct thin *t, unsigned to, unsigned from)
{
    struct thin_context *c = &t->contexts[to];

    if (from == THIN_CONTEXTS) {
        memset(c, 0, sizeof(*c));
        for (unsigned k = 0; k < THIN_TEXTS; k++)
            c->text[k] = t->block;
    } else if (from > THIN_CONTEXTS || !t->used[from]) {
        return false;
    } else if (from != to) {
        *c = t->contexts[from];
    }
    c->view.h = &c->now.head.rec.h;
    return true;
}

/* Adds what differs. What rests on the words is added to `*bits`. */
static bool read_words(const struct thin *t, uint64_t *word, unsigned n, struct rest *in,
                       uint64_t *bits)
{
    for (size_t w = 0; n > 0; n--) {
        unsigned gap, bytes;
        uint64_t v;

        if (in->at == in->end)
            return false;
        gap = *in->at >> 3;
        bytes = (*in->at++ & 7) + 1;
        w += gap;
        if (gap == THIN_GAP && bytes == 1)
            continue;
        if (gap == THIN_GAP || w >= THIN_WORDS || (size_t)(in->end - in->at) < bytes)
            return false;
        memcpy(&v, in->at, sizeof(v));
        v &= ~0ull >> (64 - 8 * bytes);
        in->at += bytes;
        word[w] += (v >> 1) ^ (0 - (v & 1));
        *bits |= t->concerned[w++];
    }
    return true;
}

/* Where texts stand that are others. Their lengths are known. */
static bool read_texts(const struct thin *t, struct thin_context *c, unsigned n, struct rest *in,
                       uint64_t *bits)
{
    const uint8_t *here = in->at + 4 * (size_t)n;

    if ((size_t)(in->end - in->at) < 4 * (size_t)n)
        return false;
    for (; n > 0; n--, in->at += 4) {
        uint32_t which = in->at[0];
        uint32_t place = in->at[1] | (uint32_t)in->at[2] << 8 | (uint32_t)in->at[3] << 16;

        if (which >= THIN_TEXTS)
            return false;
        *bits |= 1ull << which;
        if (place != THIN_HERE && place > (size_t)(here - t->block))
            return false;
        c->text[which] = place == THIN_HERE ? here : t->block + place;
        if (place != THIN_HERE)
            continue;
        place = thin_length(&c->now.head.rec, which);
        if (place > (size_t)(in->end - here))
            return false;
        here += place;
    }
    in->at = here;
    return true;
}

/* Shows these texts in the view. False: one is too long, or not all of it is there. */
static bool show(struct thin_context *c, uint64_t bits, const uint8_t *end)
{
    const struct rec *rec = &c->now.head.rec;

    for (; bits; bits &= bits - 1) {
        unsigned k = (unsigned)__builtin_ctzll(bits);
        uint32_t n = thin_length(rec, k);
        const char *text = (const char *)c->text[k];

        if (n > thin_cap(k) || n > (size_t)(end - c->text[k]))
            return false;
        if (k < S_COUNT) {
            c->view.text[k] = record_text_sent(&rec->h, k) ? text : NULL;
        } else if (k < THIN_BASE) {
            c->view.alt[k - S_COUNT] = text;
            c->view.alt_len[k - S_COUNT] = rec->h.readings & READ_BIT(k - S_COUNT + 1) ? n : 0;
        } else {
            c->view.base = text;
            c->view.base_len = n;
        }
    }
    return true;
}

struct thin_context *thin_next(struct thin *t, size_t *at, size_t end)
{
    struct rest in = {t->block + *at, t->block + end};
    unsigned to, from, words, texts;
    struct thin_context *c;
    uint64_t bits;

    if (end - *at < 4)
        return NULL;
    to = in.at[0], from = in.at[1], words = in.at[2], texts = in.at[3];
    in.at += 4;
    if (to >= THIN_CONTEXTS || !begin_from(t, to, from))
        return NULL;
    c = &t->contexts[to];
    bits = from == THIN_CONTEXTS ? TOP | ((1ull << THIN_TEXTS) - 1) : 0;
    t->used[to] = false; /* until it is good again */
    if (!read_words(t, c->now.word, words, &in, &bits) || !read_texts(t, c, texts, &in, &bits) ||
        !show(c, bits & ~TOP, in.at) || ((bits & TOP) && !record_head_ok(c->view.h)))
        return NULL;
    t->used[to] = true;
    c->view.wanted = c->now.head.rec.wanted;
    c->view.used = 0;
    c->view.plan = NULL;
    c->view.reading = READ_KERNEL;
    *at = (size_t)(in.at - t->block);
    return c;
}
