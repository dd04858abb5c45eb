/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text built into a caller's buffer, bounded. What does not fit is left out, `full` says so, and
 * nothing is ever written past `cap`. No terminator is kept; no allocation.
 */
#ifndef RULEC_TEXT_H
#define RULEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    char *buf;
    size_t cap, len;
    bool full;
};

static inline struct text text_in(char *buf, size_t cap)
{
    return (struct text){.buf = buf, .cap = cap};
}

static inline void text_add(struct text *t, const char *s, size_t n)
{
    if (n > t->cap - t->len) {
        n = t->cap - t->len;
        t->full = true;
    }
    if (n)
        memcpy(t->buf + t->len, s, n);
    t->len += n;
}

static inline void text_str(struct text *t, const char *s)
{
    text_add(t, s, strlen(s));
}

static inline void text_char(struct text *t, char c)
{
    text_add(t, &c, 1);
}

/* A number in `base` (8, 10, 16: upper-case digits), at least `digits` long. */
void text_unsigned(struct text *t, uint64_t v, unsigned base, unsigned digits);
void text_signed(struct text *t, int64_t v);
/* Dotted quad, or IPv6 as inet_ntop(3); `len` is 4 or 16. */
void text_addr(struct text *t, const char *addr, size_t len);
/* As a JSON string without quotes: invalid UTF-8 becomes U+FFFD, '/' and DEL stay. */
void text_json(struct text *t, const char *s, size_t n);
/* `base` (a directory) and `path`, if that is relative, folded as text: no `.`, `..`, `//`. */
void text_path(struct text *t, const char *base, size_t nbase, const char *path, size_t npath);

#endif
