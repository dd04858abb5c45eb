/* SPDX-License-Identifier: Apache-2.0 */
#include "thinner.h"

#include <string.h>

#define ODD 0x9e3779b97f4a7c15ull
#define WORTH 8u /* bytes of a text that is looked for in others */

/* A text that is another than it was in the context. */
struct change {
    unsigned which;
    const char *text;
    uint32_t n, at; /* where it is in the block */
    bool here;
};

struct changes {
    unsigned n;
    struct change of[THIN_TEXTS];
};

void thinner_begin(struct thinner *t, uint8_t *block)
{
    t->block = block;
    t->last = THIN_CONTEXTS;
    memset(t->used, 0, sizeof(t->used));
    memset(t->seen, 0, sizeof(t->seen));
}

/* Events of one kind by one thread are alike. */
static unsigned context_of(const struct ev_head *h)
{
    uint64_t key = (uint64_t)h->num[N_TID] * ODD + h->event;

    return (unsigned)(key * ODD >> 59) % THIN_CONTEXTS;
}

/* ---- words ---- */

/* The head as it is kept: texts that are not there have no length. */
static void make_words(const struct record *r, uint64_t number, union thin_words *out)
{
    struct rec *rec = &out->head.rec;

    out->head.number = number;
    memcpy(rec, r->h, sizeof(*rec));
    for (unsigned s = 0; s < S_COUNT; s++)
        if (!r->text[s])
            rec->h.len[s] = 0;
    for (unsigned k = 0; k < READ_ALTS; k++)
        rec->alt_len[k] = r->alt_len[k];
}

/* Its entry behind `to`, `gap` words behind the last one; how many entries that are. */
static unsigned put_word(uint8_t **to, size_t gap, uint64_t differs)
{
    uint64_t v = differs << 1 ^ (0 - (differs >> 63));
    unsigned bytes = (71 - (unsigned)__builtin_clzll(v)) / 8, n = 1;

    for (; gap >= THIN_GAP; gap -= THIN_GAP, n++)
        *(*to)++ = THIN_GAP << 3;
    *(*to)++ = (uint8_t)(gap << 3 | (bytes - 1));
    memcpy(*to, &v, sizeof(v)); /* there is room for more entries */
    *to += bytes;
    return n;
}

/* Entries of all words that differ; their number. */
static unsigned put_words(const union thin_words *was, const union thin_words *now, uint8_t **to)
{
    size_t next = 0;
    unsigned n = 0;

    for (size_t w = 0; w < THIN_WORDS; w++)
        if (was->word[w] != now->word[w]) {
            n += put_word(to, w - next, now->word[w] - was->word[w]);
            next = w + 1;
        }
    return n;
}

/* ---- texts ---- */

static struct change text_of(const struct record *r, unsigned which)
{
    if (which < S_COUNT)
        return (struct change){which, r->text[which], r->text[which] ? r->h->len[which] : 0, 0, 0};
    if (which < THIN_BASE)
        return (struct change){which, r->alt[which - S_COUNT], r->alt_len[which - S_COUNT], 0, 0};
    return (struct change){which, r->base, r->base_len, 0, 0};
}

/* Texts that are others than in the context. */
static void find_changes(const struct thinner *t, const struct thinner_context *c,
                         const struct record *r, struct changes *out)
{
    out->n = 0;
    for (unsigned k = 0; k < THIN_TEXTS; k++) {
        struct change x = text_of(r, k);

        if (x.n && (thin_length(&c->now.head.rec, k) != x.n ||
                    memcmp(t->block + c->place[k], x.text, x.n) != 0))
            out->of[out->n++] = x;
    }
}

static struct thinner_text *seen_place(struct thinner *t, const struct change *x)
{
    uint64_t first = 0, middle = 0, last = 0;

    if (x->n >= 8) {
        memcpy(&first, x->text, 8);
        memcpy(&middle, x->text + (x->n - 8) / 2, 8);
        memcpy(&last, x->text + x->n - 8, 8);
    } else {
        memcpy(&first, x->text, x->n);
    }
    first = (first ^ x->n) * ODD;
    middle = (middle ^ first >> 32) * ODD;
    last = (last ^ first ^ middle >> 32) * ODD;
    return &t->seen[last >> 32 & (THINNER_SEEN - 1)];
}

/* The text begins or ends one of this record that was placed already, as names do their paths. */
static bool find_within(const struct thinner *t, const struct changes *all, struct change *x)
{
    for (const struct change *y = all->of; y < x && x->n >= WORTH; y++) {
        if (y->n < x->n)
            continue;
        x->at = y->at;
        if (memcmp(t->block + x->at, x->text, x->n) == 0)
            return true;
        x->at = y->at + y->n - x->n;
        if (memcmp(t->block + x->at, x->text, x->n) == 0)
            return true;
    }
    return false;
}

/* Finds places for all of them, new ones from `here` on; where the last of those ends. */
static size_t place_changes(struct thinner *t, struct changes *all, size_t here)
{
    for (struct change *x = all->of; x < all->of + all->n; x++) {
        struct thinner_text *seen = seen_place(t, x);

        x->at = seen->at;
        if (seen->n == x->n && memcmp(t->block + x->at, x->text, x->n) == 0)
            continue;
        if (!find_within(t, all, x)) {
            memcpy(t->block + here, x->text, x->n);
            x->at = (uint32_t)here;
            x->here = true;
            here += x->n;
        }
        *seen = (struct thinner_text){x->at, x->n};
    }
    return here;
}

static void put_entries(const struct changes *all, uint8_t *to, uint32_t *place)
{
    for (const struct change *x = all->of; x < all->of + all->n; x++, to += 4) {
        uint32_t entry = x->which | (x->here ? THIN_HERE : x->at) << 8;

        memcpy(to, &entry, sizeof(entry));
        place[x->which] = x->at;
    }
}

/* ---- records ---- */

/* The context that it begins from; its own if that was used in this block. */
static unsigned begin_from(struct thinner *t, unsigned to)
{
    struct thinner_context *c = &t->contexts[to];

    if (t->used[to])
        return to;
    if (t->last == THIN_CONTEXTS)
        memset(c, 0, sizeof(*c));
    else
        *c = t->contexts[t->last];
    return t->last;
}

size_t thinner_put(struct thinner *t, const struct record *r, uint64_t number, size_t at)
{
    unsigned to = context_of(r->h), from = begin_from(t, to);
    struct thinner_context *c = &t->contexts[to];
    uint8_t *start = t->block + at, *end = start + 4;
    union thin_words now;
    struct changes changes;

    make_words(r, number, &now);
    start[0] = (uint8_t)to;
    start[1] = (uint8_t)from;
    start[2] = (uint8_t)put_words(&c->now, &now, &end);
    find_changes(t, c, r, &changes);
    start[3] = (uint8_t)changes.n;
    at = place_changes(t, &changes, (size_t)(end - t->block) + 4 * (size_t)changes.n);
    put_entries(&changes, end, c->place);
    c->now = now;
    t->used[to] = true;
    t->last = to;
    return at - (size_t)(start - t->block);
}
