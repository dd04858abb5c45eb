/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt.h"

#include <arpa/inet.h>

#include "utf8.h"

#define NS 1000000000ull

void fmt_unsigned(struct fmt *t, uint64_t v, unsigned base, unsigned digits)
{
    char buf[24]; /* 22 octal digits hold 64 bits */
    unsigned n = 0;

    /* Two at a time, and a hundred by name: the compiler divides by multiplying. */
    for (; base == 10 && v > 99; v /= 100) {
        buf[sizeof(buf) - ++n] = (char)('0' + v % 10);
        buf[sizeof(buf) - ++n] = (char)('0' + v / 10 % 10);
    }
    do {
        buf[sizeof(buf) - ++n] = "0123456789ABCDEF"[v % base];
        v /= base;
    } while (n < sizeof(buf) && (v || n < digits));
    fmt_add(t, buf + sizeof(buf) - n, n);
}

void fmt_signed(struct fmt *t, int64_t v)
{
    if (v < 0)
        fmt_char(t, '-');
    fmt_unsigned(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, 1);
}

void fmt_addr(struct fmt *t, const char *addr, size_t len)
{
    char buf[INET6_ADDRSTRLEN];

    if (inet_ntop(len == 4 ? AF_INET : AF_INET6, addr, buf, sizeof(buf)))
        fmt_str(t, buf);
}

static void json_control(struct fmt *t, unsigned char c)
{
    static const char names[] = "btn\0fr"; /* from 8 on; vertical tab has no short form */

    if (c >= 8 && c <= 13 && names[c - 8]) {
        fmt_char(t, '\\');
        fmt_char(t, names[c - 8]);
        return;
    }
    fmt_str(t, "\\u00");
    fmt_char(t, "0123456789abcdef"[c >> 4]);
    fmt_char(t, "0123456789abcdef"[c & 15]);
}

#define EACH(byte) (0x0101010101010101ull * (byte))

/* The highest bit of each byte that is 0. (Bytes above one may be told wrongly, but not so all.) */
static uint64_t zeros(uint64_t x)
{
    return (x - EACH(1)) & ~x & EACH(0x80);
}

/* It stands for itself in a JSON string: ASCII but for controls, '"' and '\\'. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The highest bit of the first byte that is not plain. (Behind it, it may be set anywhere.) */
static uint64_t not_plain(uint64_t x)
{
    return (x | (x - EACH(0x20)) | zeros(x ^ EACH('"')) | zeros(x ^ EACH('\\'))) & EACH(0x80);
}

/* Adds the plain bytes that it begins with, as far as there is room; how many. */
static size_t add_plain(struct fmt *t, const char *s, size_t n)
{
    char *to = t->buf + t->len;
    size_t room = t->cap - t->len, i = 0;
    uint64_t x, bits = 0;

    n = n < room ? n : room;
    while (n >= sizeof(x) && i < n && !bits) {
        if (n - i < sizeof(x)) /* the last eight, some of them once more */
            i = n - sizeof(x);
        memcpy(&x, s + i, sizeof(x));
        memcpy(to + i, &x, sizeof(x));
        bits = not_plain(x);
        i += bits ? (size_t)__builtin_ctzll(bits) / 8 : sizeof(x);
    }
    for (; n < sizeof(x) && i < n && is_plain((unsigned char)s[i]); i++)
        to[i] = s[i];
    t->len += i;
    return i;
}

void fmt_json(struct fmt *t, const char *s, size_t n)
{
    for (size_t i = add_plain(t, s, n); i < n; i += add_plain(t, s + i, n - i)) {
        size_t want, len;

        if (t->len == t->cap) {
            t->full = true;
            return;
        }
        len = utf8_length(s + i, n - i, &want);
        if (len != want) {
            fmt_str(t, "\xef\xbf\xbd");
        } else if ((unsigned char)s[i] < 0x20) {
            json_control(t, (unsigned char)s[i]);
        } else {
            if (s[i] == '"' || s[i] == '\\')
                fmt_char(t, '\\');
            fmt_add(t, s + i, len);
        }
        i += len;
    }
}

/* Howard Hinnant's civil_from_days, for days after the epoch. */
void fmt_date(struct fmt *t, uint64_t ts)
{
    uint64_t z = ts / NS / 86400 + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    uint64_t month = mp < 10 ? mp + 3 : mp - 9;

    fmt_unsigned(t, yoe + era * 400 + (month <= 2), 10, 4);
    fmt_char(t, '-');
    fmt_unsigned(t, month, 10, 2);
    fmt_char(t, '-');
    fmt_unsigned(t, doy - (153 * mp + 2) / 5 + 1, 10, 2);
}

void fmt_clock(struct fmt *t, uint64_t ts, bool fraction)
{
    uint64_t s = ts / NS % 86400;

    fmt_unsigned(t, s / 3600, 10, 2);
    fmt_char(t, ':');
    fmt_unsigned(t, s / 60 % 60, 10, 2);
    fmt_char(t, ':');
    fmt_unsigned(t, s % 60, 10, 2);
    if (fraction) {
        fmt_char(t, '.');
        fmt_unsigned(t, ts % NS, 10, 9);
    }
}

void fmt_iso8601(struct fmt *t, uint64_t ts, const char *zone)
{
    fmt_date(t, ts);
    fmt_char(t, 'T');
    fmt_clock(t, ts, true);
    fmt_str(t, zone);
}

/* Appends the components of `path` to what stands from `start` on (which begins with a '/'). */
static void path_fold(struct fmt *t, size_t start, const char *path, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = 0;

        while (i + len < n && path[i + len] != '/')
            len++;
        if (len == 2 && path[i] == '.' && path[i + 1] == '.') {
            while (t->len > start && t->buf[t->len - 1] != '/')
                t->len--;
            if (t->len > start)
                t->len--;
        } else if (len && !(len == 1 && path[i] == '.')) {
            fmt_char(t, '/');
            fmt_add(t, path + i, len);
        }
        i += len + 1;
    }
}

void fmt_path(struct fmt *t, const char *base, size_t nbase, const char *path, size_t npath)
{
    size_t start = t->len;

    if (npath == 0 || path[0] != '/')
        path_fold(t, start, base, nbase);
    path_fold(t, start, path, npath);
    if (t->len == start)
        fmt_char(t, '/');
}
