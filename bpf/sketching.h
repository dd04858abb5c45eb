/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sketch of a text (sketch.h): its components by words. path_sketch.h, which includes this,
 * makes that of an event.
 */
#ifndef RULEC_SKETCHING_H
#define RULEC_SKETCHING_H

#include "match.h"
#include "probe.h"

/* The row of a word, or NULL. */
static __always_inline struct sketch_row *sketch_row(__u64 word)
{
    __u32 at = 1 + (__u32)((word * sketch_head.mul) >> (sketch_head.shift & 63));
    struct sketch_row *row = bpf_map_lookup_elem(&sketch_rows, &at);

    return row && row->word == word ? row : NULL;
}

/*
 * Adds the bits of the beginnings of a first component, `word` being how it starts. This and
 * sketch_tails() add in memory: in a register each outcome is another state to follow.
 */
static __always_inline void sketch_parts(struct sketching *s, __u64 word)
{
    struct sketch_row *row;

    if (!(sketch_head.part_starts & SKETCH_BYTE(word)))
        return;
#pragma unroll
    for (__u32 n = 1; n < 8; n++) {
        if (!(sketch_head.firsts >> n & 1))
            continue;
        row = sketch_row(word & match_mask(n));
        if (row)
            s->bits |= row->part;
    }
}

/* Adds those of the endings of a last component: `tail` is its last eight bytes, zeros before. */
static __always_inline void sketch_tails(struct sketching *s, __u64 tail)
{
    struct sketch_row *row;

    if (!(sketch_head.tail_ends & SKETCH_BYTE(tail >> 56)))
        return;
#pragma unroll
    for (__u32 n = 1; n <= 8; n++) {
        if (!(sketch_head.tails >> (n & 7) & 1)) /* a constant to the verifier */
            continue;
        row = sketch_row(tail >> (64 - 8 * n));
        if (row)
            s->bits |= row->tail;
    }
}

/* The last eight bytes of a component that has less: zeros before. */
static __always_inline __u64 sketch_short_tail(__u64 word, __u32 len)
{
    return word << ((64 - 8 * len) & 63);
}

#define SLASHES (0x2f * MATCH_ONES)
#define DOT 0x2eull

/* ---- a text ---- */

static __always_inline void see_component(struct work *w, struct sketching *s, __u32 end)
{
    __u32 len = end - s->start, from = end - 8;
    struct sketch_row *row;

    if (len == 0 || (len == 1 && s->word == DOT))
        return;
    if (len == 2 && s->word == SKETCH_DOTS) {
        s->bits = SKETCH_UNKNOWN;
        return;
    }
    from &= PATH_CAP - 1;
    s->tail = len < 8 ? sketch_short_tail(s->word, len) : match_word(w->fold + from);
    if (s->tail >> 48 == SKETCH_DOTS)
        s->bits |= sketch_head.dots;
    row = sketch_row(s->word);
    if (s->n == 0)
        sketch_parts(s, s->word);
    if (s->n == 0 && row)
        s->bits |= row->first;
    s->bits |= row ? row->any : 0;
    s->above = s->dir;
    s->dir = row ? row->dir : 0;
    s->last = row ? row->last : 0;
    s->n++;
}

/* One word of a component, or the slash behind it. True: there is none. */
static __always_inline bool text_go(struct work *w)
{
    struct sketching *s = &w->sketching;
    struct sketch_row *row;
    __u32 at, left, n;
    __u64 word;

    at = s->at;
    if (at >= s->len || at >= PATH_CAP)
        return true;
    left = s->len - at;
    word = match_word(w->fold + at);
    n = match_nul8(word ^ SLASHES);
    n = n < left ? n : left;
    if (at == s->start)
        s->word = word & match_mask(n);
    if (n == 8 && sketch_head.within) {
        row = sketch_row(word);
        s->bits |= row ? row->within : 0;
    }
    s->at = at + n;
    if (n < 8 || left == 8) {
        see_component(w, s, at + n);
        s->at = s->start = at + n + 1;
    }
    return false;
}

/* Two of them: a call costs as much as one. */
static long text_step(__u32 i, void *unused)
{
    struct work *w = work_get();

    return !w || text_go(w) || text_go(w);
}

/* Bits of the components of work.fold[0..len), folded or not; that of a longer one is unknown. */
__attribute__((noinline)) __u64 sketch_text(__u32 len)
{
    struct work *w = work_get();
    struct sketching *s;

    if (!w || len >= PATH_CAP)
        return SKETCH_UNKNOWN;
    s = &w->sketching;
    s->bits = s->last = s->dir = s->above = s->tail = s->word = 0;
    s->n = 0;
    s->at = s->start = w->fold[0] == '/';
    s->len = len;
    bpf_loop(PATH_CAP, text_step, NULL, 0);
    if (s->n)
        sketch_tails(s, s->tail);
    if (s->n < 2)
        s->bits |= sketch_head.shallow;
    return s->bits | s->last | s->dir | s->above;
}

#endif
