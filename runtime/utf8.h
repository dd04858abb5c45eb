/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8, one sequence at a time. Overlong forms, surrogates and what lies beyond U+10FFFF are
 * broken; of a broken sequence the bytes that could begin a whole one go together (at least one),
 * and stand for one U+FFFD.
 */
#ifndef RULEC_UTF8_H
#define RULEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffdu

/* Bytes of the sequence at `s`; n > 0. `*want` is how many it would have, 0: it begins none. */
static inline size_t utf8_length(const char *s, size_t n, size_t *want)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char c = p[0];
    size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    size_t i = 1;

    while (i < len && i < n && p[i] >= low && p[i] <= high) {
        low = 0x80;
        high = 0xbf;
        i++;
    }
    *want = len;
    return i;
}

/* The code point at `s`, n > 0: U+FFFD if it is broken. Bytes it takes. */
static inline size_t utf8_take(const char *s, size_t n, uint32_t *code, bool *broken)
{
    size_t want, len = utf8_length(s, n, &want);
    uint32_t c = (unsigned char)s[0];

    *broken = len != want;
    if (len > 1)
        c &= 0x7fu >> len;
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3f);
    *code = *broken ? UTF8_REPLACEMENT : c;
    return len;
}

#endif
