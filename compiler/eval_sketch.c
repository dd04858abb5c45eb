/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_sketch.h"

#include <string.h>

static const struct sketch_row NONE;

static const struct sketch_head *head_of(const struct sketch_row *rows)
{
    return (const struct sketch_head *)(const void *)rows;
}

/* Up to eight bytes as a word. */
static uint64_t word_of(const char *text, size_t n)
{
    uint64_t word = 0;
    memcpy(&word, text, n < 8 ? n : 8);
    return word;
}

static const struct sketch_row *row_of(const struct sketch_row *rows, uint64_t word)
{
    const struct sketch_row *row = &rows[sketch_place(head_of(rows), word)];
    return row->word == word ? row : &NONE;
}

static uint64_t first_bits(const struct sketch_row *rows, const char *text, size_t len)
{
    uint64_t bits = row_of(rows, word_of(text, len))->first;
    for (size_t n = 1; n < 8; n++)
        if (head_of(rows)->firsts >> n & 1)
            bits |= row_of(rows, word_of(text, n < len ? n : len))->part;
    return bits;
}

static uint64_t last_bits(const struct sketch_row *rows, const char *text, size_t len)
{
    uint64_t bits = row_of(rows, word_of(text, len))->last;
    for (size_t n = 1; n <= 8 && n <= len; n++)
        if (head_of(rows)->tails >> (n & 7) & 1)
            bits |= row_of(rows, word_of(text + len - n, n))->tail;
    return bits;
}

static uint64_t any_bits(const struct sketch_row *rows, const char *text, size_t len)
{
    uint64_t bits = row_of(rows, word_of(text, len))->any;
    for (size_t at = 0; at + 8 <= len && head_of(rows)->within; at += 8)
        bits |= row_of(rows, word_of(text + at, 8))->within;
    if (len >= 2 && memcmp(text + len - 2, "..", 2) == 0)
        bits |= head_of(rows)->dots;
    return bits;
}

uint64_t eval_sketch_text(const struct sketch_row *rows, const char *text, size_t len)
{
    const char *last[2] = {"", ""};
    size_t size[2] = {0, 0};
    uint64_t bits = 0;
    unsigned n = 0;
    for (size_t at = 0; at < len;) {
        const char *from = text + at, *slash = memchr(from, '/', len - at);
        size_t k = slash ? (size_t)(slash - from) : len - at;
        at += k + 1;
        if (k == 0 || (k == 1 && from[0] == '.'))
            continue;
        if (k == 2 && memcmp(from, "..", 2) == 0)
            return SKETCH_UNKNOWN;
        bits |= any_bits(rows, from, k) | (n++ ? 0 : first_bits(rows, from, k));
        last[1] = last[0];
        size[1] = size[0];
        last[0] = from;
        size[0] = k;
    }
    if (n < 2)
        bits |= head_of(rows)->shallow;
    if (n == 0)
        return bits;
    return bits | last_bits(rows, last[0], size[0]) | row_of(rows, word_of(last[0], size[0]))->dir |
           row_of(rows, word_of(last[1], size[1]))->dir;
}

static uint64_t slot_bits(const struct sketch_row *rows, const struct ev *ev, unsigned slot,
                          const char *text, uint64_t bits)
{
    uint8_t state = ev->h.st[SLOT_OF_STR(slot)];
    if (!bits || state == ST_ABSENT)
        return 0;
    if (state != ST_PRESENT || ev->h.len[slot] >= PATH_CAP)
        return bits;
    return bits & eval_sketch_text(rows, text, ev->h.len[slot]);
}

uint64_t eval_sketch(const struct sketch_row *rows, const struct ev *ev)
{
    const struct sketch_head *h = head_of(rows);
    return slot_bits(rows, ev, S_FD_NAME, ev->s_FD_NAME, h->name) |
           slot_bits(rows, ev, S_FD_DIR, ev->s_FD_DIR, h->dir) |
           slot_bits(rows, ev, S_FD_FILE, ev->s_FD_FILE, h->file) |
           slot_bits(rows, ev, S_FD_RAW, ev->s_FD_RAW, h->raw);
}
