/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the matchers of the probe compute, as plain C: match.bpf.c runs the steps in the kernel, and
 * user space the whole (match_text), so that both mean the same.
 *
 * The search is naive, eight bytes at a time: at each place the pattern's first word decides nearly
 * always. `icontains` folds the text's ASCII letters first; its patterns are in lower case already.
 */
#ifndef RULEC_MATCH_H
#define RULEC_MATCH_H

#define MATCH_ONES 0x0101010101010101ull

/* Eight bytes as one little-endian number; reads all eight, wherever they stand. */
static inline unsigned long long match_word(const char *p)
{
#ifdef __bpf__ /* clang would load byte by byte; the kernels' machines need no alignment */
    return *(const unsigned long long *)p;
#else
    unsigned long long w;

    __builtin_memcpy(&w, p, sizeof(w));
    return w;
#endif
}

/* Which bits of a word are compared where `left` bytes of the pattern are left. */
static inline unsigned long long match_mask(unsigned left)
{
    return left >= 8 ? ~0ull : (1ull << (8 * left)) - 1;
}

/*
 * Eight bytes, upper case ASCII letters made lower. Adding moves bit 7 of each byte over A, and
 * over what follows Z; where the two differ stands a letter, and 0x80 >> 2 is the bit that makes it
 * small.
 */
static inline unsigned long long match_lower8(unsigned long long w)
{
    unsigned long long low = w & (0x7f * MATCH_ONES);
    unsigned long long from_a = low + (0x80 - 'A') * MATCH_ONES;
    unsigned long long above_z = low + (0x7f - 'Z') * MATCH_ONES;

    return w | ((~w & (0x80 * MATCH_ONES) & (from_a ^ above_z)) >> 2);
}

/* 0x80 in each byte that is at least `c`; both below 0x80. */
static inline unsigned long long match_at_least(unsigned long long w, unsigned c)
{
    return (w + (0x80 - c) * MATCH_ONES) & (0x80 * MATCH_ONES);
}

/* 0x80 in each of eight bytes that is a hexadecimal digit, of either case. */
static inline unsigned long long match_hex8(unsigned long long w)
{
    unsigned long long ascii = w & (0x7f * MATCH_ONES), lower = ascii | (0x20 * MATCH_ONES);
    unsigned long long digit = match_at_least(ascii, '0') & ~match_at_least(ascii, '9' + 1);
    unsigned long long letter = match_at_least(lower, 'a') & ~match_at_least(lower, 'f' + 1);

    return (digit | letter) & ~w;
}

/* The place of the first NUL in eight bytes; 8: there is none. */
static inline unsigned match_nul8(unsigned long long w)
{
    unsigned long long nul = ((w - MATCH_ONES) & ~w & (0x80 * MATCH_ONES)) >> 7;

    return (unsigned)((((nul - 1) & ~nul & MATCH_ONES) * MATCH_ONES) >> 56);
}

/* 0x80 in each of eight bytes that is a NUL. */
static inline unsigned long long match_nuls8(unsigned long long w)
{
    unsigned long long low = 0x7f * MATCH_ONES;

    return ~(((w & low) + low) | w | low);
}

/* Eight bytes, each NUL made a blank. */
static inline unsigned long long match_blank8(unsigned long long w)
{
    return w | match_nuls8(w) >> 2;
}

/*
 * Of a path: 0x80 where a slash stands and the text is not folded, or may not be: another slash is
 * behind it, the text's end, or a dot with a slash, a dot or the end behind. `w`, `next` and `more`
 * begin at a byte and one and two behind.
 */
static inline unsigned long long match_unfolded8(unsigned long long w, unsigned long long next,
                                                 unsigned long long more)
{
    const unsigned long long slash = 0x2f * MATCH_ONES, dot = 0x2e * MATCH_ONES;
    unsigned long long dots =
        match_nuls8(more) | match_nuls8(more ^ slash) | match_nuls8(more ^ dot);

    return match_nuls8(w ^ slash) &
           (match_nuls8(next) | match_nuls8(next ^ slash) | (match_nuls8(next ^ dot) & dots));
}

/*
 * ---- globs and paths, a byte at a time ----
 *
 * A glob's `*` and `?` are bytes that no text of a rule has. For `iglob` text and pattern are in
 * lower case already. A path is written as components with single slashes between; the text may
 * have as many as it likes. `pat` must be readable at pat[n].
 */
#define MATCH_STAR ((char)0xff)
#define MATCH_ANY ((char)0xfe)
#define MATCH_TEXT_MAX 4128
#define MATCH_STEPS 65536 /* after so many it is open whether the text matches */

enum match_end { MATCH_NO, MATCH_YES, MATCH_ON };

#ifdef __bpf__ /* clang must not move a bound away from what the verifier is to see bounded */
#define MATCH_OPAQUE(v) asm volatile("" : "+r"(v))
#else
#define MATCH_OPAQUE(v) ((void)(v))
#endif

struct match_glob {
    unsigned text, pat;  /* places to come */
    unsigned star, mark; /* behind the last star, or 0; where the text is tried from then on */
};

/* To fall back to the last star is enough: an earlier one cannot do better. */
static inline enum match_end match_glob_step(struct match_glob *g, const char *text, unsigned len,
                                             const char *pat, unsigned n)
{
    unsigned t = g->text, p = g->pat;
    char sign;

    MATCH_OPAQUE(t);
    MATCH_OPAQUE(p);
    if (t > len || t > MATCH_TEXT_MAX || p > n || p > 255)
        return MATCH_NO;
    sign = pat[p];
    if (p < n && sign == MATCH_STAR) {
        g->star = g->pat = p + 1;
        g->mark = t;
        return p + 1 == n ? MATCH_YES : MATCH_ON;
    }
    if (t == len)
        return p == n ? MATCH_YES : MATCH_NO;
    if (p < n && (sign == MATCH_ANY || sign == text[t])) {
        g->text = t + 1;
        g->pat = p + 1;
        return MATCH_ON;
    }
    if (!g->star)
        return MATCH_NO;
    g->text = g->mark = g->mark + 1;
    g->pat = g->star;
    return MATCH_ON;
}

struct match_path {
    unsigned text, pat; /* places to come */
    unsigned slash;     /* a slash was before, or nothing */
};

/* Are the pattern's components the first ones of the text? */
static inline enum match_end match_path_step(struct match_path *m, const char *text, unsigned len,
                                             const char *pat, unsigned n)
{
    unsigned t = m->text, p = m->pat;
    char c;

    MATCH_OPAQUE(t);
    MATCH_OPAQUE(p);
    if (n == 0)
        return MATCH_YES;
    if (t >= len || t >= MATCH_TEXT_MAX || p > 255)
        return p == n ? MATCH_YES : MATCH_NO;
    c = text[t];
    m->text = t + 1;
    if (c == '/' && m->slash)
        return MATCH_ON;
    m->slash = c == '/';
    if (p == n)
        return c == '/' ? MATCH_YES : MATCH_NO;
    m->pat = p + 1;
    return pat[p] == c ? MATCH_ON : MATCH_NO;
}

/* Do the words of pattern[0..n) stand at text? Reads whole words: up to 7 bytes beyond both. */
static inline int match_here(const char *text, const char *pattern, unsigned n)
{
    for (unsigned i = 0; i < n; i += 8)
        if ((match_word(text + i) ^ match_word(pattern + i)) & match_mask(n - i))
            return 0;
    return 1;
}

/*
 * Does text[0..len) contain pattern[0..n)? Both buffers must be readable 8 bytes beyond their ends;
 * with `fold` the text is changed in place. The empty pattern is in every text.
 */
static inline int match_text(char *text, unsigned len, const char *pattern, unsigned n, int fold)
{
    for (unsigned i = 0; fold && i < len; i += 8) {
        unsigned long long w = match_lower8(match_word(text + i));

        __builtin_memcpy(text + i, &w, sizeof(w));
    }
    for (unsigned at = 0; n <= len && at <= len - n; at++)
        if (match_here(text + at, pattern, n))
            return 1;
    return 0;
}

#endif
