/* SPDX-License-Identifier: Apache-2.0 */
#include "jread.h"

#include <errno.h>
#include <string.h>

/* ---- characters ---- */

static int peek(struct jread *j)
{
    while (j->at < j->len && (j->text[j->at] == ' ' || j->text[j->at] == '\t' ||
                              j->text[j->at] == '\n' || j->text[j->at] == '\r'))
        j->at++;
    return j->at < j->len ? (unsigned char)j->text[j->at] : -1;
}

static bool take(struct jread *j, char c)
{
    if (peek(j) != (unsigned char)c)
        return false;
    j->at++;
    return true;
}

static bool word(struct jread *j, const char *w)
{
    size_t n = strlen(w);

    if (j->len - j->at < n || memcmp(j->text + j->at, w, n) != 0)
        return false;
    j->at += n;
    return true;
}

static size_t digits(struct jread *j)
{
    size_t from = j->at;

    while (j->at < j->len && j->text[j->at] >= '0' && j->text[j->at] <= '9')
        j->at++;
    return j->at - from;
}

static bool one_of(struct jread *j, const char *set)
{
    if (j->at >= j->len || j->text[j->at] == '\0' || !strchr(set, j->text[j->at]))
        return false;
    j->at++;
    return true;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool number(struct jread *j)
{
    one_of(j, "-");
    if (!one_of(j, "0") && digits(j) == 0)
        return false;
    if (one_of(j, ".") && digits(j) == 0)
        return false;
    if (!one_of(j, "eE"))
        return true;
    one_of(j, "+-");
    return digits(j) != 0;
}

/* ---- strings ---- */

/* Where a string goes: a value may be cut, a key may not. */
struct sink {
    char *to;
    size_t cap, len;
    bool full;
};

static void put_run(struct sink *s, const char *run, size_t n)
{
    if (n > s->cap - s->len) {
        n = s->cap - s->len;
        s->full = true;
    }
    if (n)
        memcpy(s->to + s->len, run, n);
    s->len += n;
}

static void put_char(struct sink *s, char c)
{
    put_run(s, &c, 1);
}

static void put_utf8(struct sink *s, uint32_t c)
{
    static const struct {
        uint32_t below;
        uint8_t lead, more;
    } forms[] = {{0x80, 0, 0}, {0x800, 0xc0, 1}, {0x10000, 0xe0, 2}, {0x110000, 0xf0, 3}};
    unsigned i = 0;

    while (c >= forms[i].below)
        i++;
    put_char(s, (char)(forms[i].lead | c >> (6 * forms[i].more)));
    for (unsigned k = forms[i].more; k--;)
        put_char(s, (char)(0x80 | (c >> (6 * k) & 0x3f)));
}

static bool hex4(struct jread *j, uint32_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < 4; i++) {
        static const char hex[] = "0123456789abcdefABCDEF";
        char c = j->at < j->len ? j->text[j->at++] : '\0';
        const char *at = c ? strchr(hex, c) : NULL;
        uint32_t v = at ? (uint32_t)(at - hex) : 0;

        if (!at)
            return false;
        *out = *out << 4 | (v > 15 ? v - 6 : v);
    }
    return true;
}

/* Behind `\u`. Halves of a pair stand side by side; no engine writes a NUL into a text. */
static bool code_point(struct jread *j, struct sink *s)
{
    uint32_t c, low;

    if (!hex4(j, &c) || c == 0 || (c >= 0xdc00 && c < 0xe000))
        return false;
    if (c >= 0xd800 && c < 0xdc00) {
        if (!word(j, "\\u") || !hex4(j, &low) || low < 0xdc00 || low >= 0xe000)
            return false;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(s, c);
    return true;
}

static bool escape(struct jread *j, struct sink *s)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    char c = j->at < j->len ? j->text[j->at++] : '\0';
    const char *at = c ? strchr(names, c) : NULL;

    if (c == 'u')
        return code_point(j, s);
    if (!at)
        return false;
    put_char(s, means[at - names]);
    return true;
}

static bool string(struct jread *j, struct sink *s)
{
    if (!take(j, '"'))
        return false;
    for (;;) {
        size_t from = j->at;

        while (j->at < j->len && (unsigned char)j->text[j->at] >= 0x20 && j->text[j->at] != '"' &&
               j->text[j->at] != '\\')
            j->at++;
        put_run(s, j->text + from, j->at - from);
        if (j->at < j->len && j->text[j->at] == '"') {
            j->at++;
            return true;
        }
        if (j->at == j->len || j->text[j->at++] != '\\' || !escape(j, s))
            return false;
    }
}

/* ---- values ---- */

static int open_container(struct jread *j, bool is_array)
{
    const struct jread_step *up = j->depth ? &j->step[j->depth - 1] : NULL;

    if (j->depth == JREAD_DEPTH)
        return -E2BIG;
    j->at++;
    j->put(j->ctx, j, JREAD_OPEN);
    j->step[j->depth++] =
        (struct jread_step){.off = up ? up->off + up->len : 0, .is_array = is_array};
    return 0;
}

static int text(struct jread *j)
{
    struct sink s = {.to = j->value, .cap = sizeof(j->value)};

    if (!string(j, &s))
        return -EPROTO;
    j->nvalue = (uint32_t)s.len;
    j->cut = s.full;
    j->put(j->ctx, j, JREAD_TEXT);
    return 0;
}

static int value(struct jread *j)
{
    enum jread_kind kind = JREAD_NUMBER;
    int c = peek(j);
    bool ok;

    if (c == '{' || c == '[')
        return open_container(j, c == '[');
    if (c == '"')
        return text(j);
    if (c == 't' || c == 'f' || c == 'n') {
        kind = c == 't' ? JREAD_TRUE : c == 'f' ? JREAD_FALSE : JREAD_NULL;
        ok = word(j, c == 't' ? "true" : c == 'f' ? "false" : "null");
    } else {
        ok = number(j);
    }
    if (!ok)
        return -EPROTO;
    j->put(j->ctx, j, kind);
    return 0;
}

static int key(struct jread *j, struct jread_step *top)
{
    struct sink s = {.to = j->keys + top->off, .cap = sizeof(j->keys) - top->off};

    if (!string(j, &s) || !take(j, ':'))
        return -EPROTO;
    top->len = (uint32_t)s.len;
    return s.full ? -E2BIG : 0;
}

/* The next member of the innermost container, or its end. */
static int advance(struct jread *j)
{
    struct jread_step *top = &j->step[j->depth - 1];
    int rc = 0;

    if (take(j, top->is_array ? ']' : '}')) {
        j->depth--;
        j->put(j->ctx, j, JREAD_CLOSE);
        return 0;
    }
    if (top->begun && !take(j, ','))
        return -EPROTO;
    top->begun = true;
    if (!top->is_array)
        rc = key(j, top);
    return rc ? rc : value(j);
}

int jread_run(struct jread *j, const char *bytes, size_t len,
              void (*put)(void *ctx, const struct jread *j, enum jread_kind kind), void *ctx)
{
    int rc;

    j->text = bytes;
    j->len = len;
    j->at = 0;
    j->put = put;
    j->ctx = ctx;
    j->depth = 0;
    j->nvalue = 0;
    rc = value(j);
    while (rc == 0 && j->depth)
        rc = advance(j);
    return rc == 0 && peek(j) != -1 ? -EPROTO : rc;
}

bool jread_is(const struct jread *j, const char *place)
{
    for (unsigned i = 0; i < j->depth; i++) {
        const struct jread_step *s = &j->step[i];
        size_t n = strcspn(place, ".");
        bool any = n == 1 && place[0] == '*';

        if (n == 0 ||
            (!any && (s->is_array || s->len != n || memcmp(j->keys + s->off, place, n) != 0)))
            return false;
        place += n;
        if (*place == '.')
            place++;
    }
    return *place == '\0';
}

const char *jread_key(const struct jread *j, size_t *len)
{
    const struct jread_step *s = &j->step[j->depth ? j->depth - 1 : 0];

    *len = j->depth ? s->len : 0;
    return j->keys + (j->depth ? s->off : 0);
}
