/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text built into a caller's buffer, bounded. What does not fit is left out, `full` says so, and
 * nothing is ever written past `cap`. No terminator is kept; no allocation.
 */
#ifndef RULEC_FMT_H
#define RULEC_FMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fmt {
    char *buf;
    size_t cap, len;
    bool full;
};

static inline struct fmt fmt_in(char *buf, size_t cap)
{
    return (struct fmt){.buf = buf, .cap = cap};
}

static inline void fmt_add(struct fmt *t, const char *s, size_t n)
{
    if (n > t->cap - t->len) {
        n = t->cap - t->len;
        t->full = true;
    }
    if (n)
        memcpy(t->buf + t->len, s, n);
    t->len += n;
}

/* The same of bytes that may stand in the buffer, behind what is there. */
static inline void fmt_move(struct fmt *t, const char *s, size_t n)
{
    if (n > t->cap - t->len) {
        n = t->cap - t->len;
        t->full = true;
    }
    if (n)
        memmove(t->buf + t->len, s, n);
    t->len += n;
}

static inline void fmt_str(struct fmt *t, const char *s)
{
    fmt_add(t, s, strlen(s));
}

static inline void fmt_char(struct fmt *t, char c)
{
    fmt_add(t, &c, 1);
}

/* A number in `base` (8, 10, 16: upper-case digits), at least `digits` long. */
void fmt_unsigned(struct fmt *t, uint64_t v, unsigned base, unsigned digits);
void fmt_signed(struct fmt *t, int64_t v);
/* Dotted quad, or IPv6 as inet_ntop(3); `len` is 4 or 16. */
void fmt_addr(struct fmt *t, const char *addr, size_t len);
/* As a JSON string without quotes: invalid UTF-8 becomes U+FFFD, '/' and DEL stay. */
void fmt_json(struct fmt *t, const char *s, size_t n);
/* Of `ts`, ns since the epoch: `2026-11-24`, `04:24:59` with nine digits more if `fraction`. */
void fmt_date(struct fmt *t, uint64_t ts);
void fmt_clock(struct fmt *t, uint64_t ts, bool fraction);
/* Both with a T between, all digits, then `zone`. */
void fmt_iso8601(struct fmt *t, uint64_t ts, const char *zone);
/* `base` (a directory) and `path`, if that is relative, folded as text: no `.`, `..`, `//`. */
void fmt_path(struct fmt *t, const char *base, size_t nbase, const char *path, size_t npath);

#endif
