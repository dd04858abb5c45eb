/* SPDX-License-Identifier: Apache-2.0 */
#include "textmap.h"

#include <string.h>

#include "arena.h"
#include "intern.h"

/* Two readers side by side: the value's bytes and the source's. */
struct walk {
    struct comp *c;
    struct yaml *y;
    const char *val, *src;
    uint32_t v, vlen;
    uint32_t s, end;
};

/* Notes that from here on the two run one to one, unless they did already. */
static void mark(struct walk *w)
{
    struct comp *c = w->c;
    if (w->y->nmap) {
        struct textmap last = c->textmap.v[c->textmap.n - 1];
        if (w->s - w->v == last.src_off - last.value_off)
            return;
        if (last.value_off == w->v) {
            c->textmap.v[c->textmap.n - 1].src_off = w->s;
            return;
        }
    }
    VEC_PUSH(c->arena, &c->textmap, (struct textmap){w->v, w->s});
    w->y->nmap++;
}

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\t';
}

static uint32_t break_len(const struct walk *w, uint32_t s)
{
    if (s >= w->end || (w->src[s] != '\n' && w->src[s] != '\r'))
        return 0;
    return w->src[s] == '\r' && s + 1 < w->end && w->src[s + 1] == '\n' ? 2 : 1;
}

/*
 * White space that holds line breaks folds to one blank, or to one line feed less than it has
 * breaks; behind an escaped break the blank is missing. Without breaks it stands as it is.
 */
static void walk_white(struct walk *w, bool escaped)
{
    uint32_t s = w->s, breaks = 0, n;
    while (s < w->end && (is_space(w->src[s]) || break_len(w, s))) {
        n = break_len(w, s);
        breaks += n > 0;
        s += n ? n : 1;
    }
    if (!breaks) {
        mark(w);
        w->v += s - w->s;
    } else {
        w->v += escaped || breaks > 1 ? breaks - 1 : 1;
    }
    w->s = s;
}

/* Bytes of the UTF-8 character that begins with `b`. */
static uint32_t char_len(char b)
{
    unsigned char u = (unsigned char)b;
    return u < 0x80 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
}

/* Bytes of an escape in double quotes; `ch` is what follows the backslash. */
static uint32_t escape_len(char ch)
{
    return ch == 'x' ? 4 : ch == 'u' ? 6 : ch == 'U' ? 10 : 2;
}

static void walk_flow(struct walk *w, enum scalar_style style)
{
    w->s += style != SCALAR_PLAIN;
    while (w->v < w->vlen && w->s < w->end) {
        char ch = w->src[w->s];
        if (is_space(ch) || break_len(w, w->s)) {
            walk_white(w, false);
            continue;
        }
        mark(w);
        if (style == SCALAR_DOUBLE && ch == '\\' && w->s + 1 < w->end) {
            if (break_len(w, w->s + 1)) {
                w->s++;
                walk_white(w, true);
                continue;
            }
            w->s += escape_len(w->src[w->s + 1]);
            w->v += char_len(w->val[w->v]);
        } else if (style == SCALAR_SINGLE && ch == '\'') {
            w->s += 2;
            w->v += 1;
        } else if (ch == w->val[w->v]) {
            w->s++;
            w->v++;
        } else {
            return;
        }
    }
}

static uint32_t line_end(const struct walk *w, uint32_t s)
{
    while (s < w->end && !break_len(w, s))
        s++;
    return s;
}

/* Block scalars: the header `|2-` goes, up to its line end. */
static void skip_header(struct walk *w)
{
    w->s = line_end(w, w->s);
    w->s += break_len(w, w->s);
}

/* Each line of the value is the tail of one line of the source. */
static void walk_literal(struct walk *w)
{
    skip_header(w);
    while (w->v < w->vlen && w->s < w->end) {
        const char *nl = memchr(w->val + w->v, '\n', w->vlen - w->v);
        uint32_t vlen = nl ? (uint32_t)(nl - w->val) - w->v : w->vlen - w->v;
        uint32_t next = line_end(w, w->s);
        if (vlen > next - w->s || memcmp(w->src + next - vlen, w->val + w->v, vlen) != 0)
            return;
        w->s = next - vlen;
        if (vlen)
            mark(w);
        w->v += vlen + 1;
        w->s = next + break_len(w, next);
    }
}

static uint32_t count_spaces(const char *s, uint32_t len)
{
    uint32_t n = 0;
    while (n < len && s[n] == ' ')
        n++;
    return n;
}

/* Indentation of a folded scalar: what its first line with text has more than the value. */
static uint32_t folded_indent(const struct walk *w)
{
    uint32_t s = w->s, v = 0;
    while (s < w->end) {
        uint32_t end = line_end(w, s), n = count_spaces(w->src + s, end - s);
        if (n < end - s) {
            while (v < w->vlen && w->val[v] == '\n')
                v++;
            uint32_t own = count_spaces(w->val + v, w->vlen - v);
            return n > own ? n - own : 0;
        }
        s = end + break_len(w, end);
        if (s == end)
            break;
    }
    return 0;
}

/* Lines of the source stand whole in the value; between them are blanks and line feeds. */
static void walk_folded(struct walk *w)
{
    skip_header(w);
    uint32_t indent = folded_indent(w);
    while (w->v < w->vlen && w->s < w->end) {
        uint32_t end = line_end(w, w->s), next = end + break_len(w, end);
        uint32_t skip = count_spaces(w->src + w->s, end - w->s);
        if (skip < end - w->s) {
            w->s += skip < indent ? skip : indent;
            bool deeper = is_space(w->src[w->s]);
            while (w->v < w->vlen && (w->val[w->v] == '\n' || (!deeper && w->val[w->v] == ' ')))
                w->v++;
            uint32_t len = end - w->s;
            if (len > w->vlen - w->v || memcmp(w->src + w->s, w->val + w->v, len) != 0)
                return;
            mark(w);
            w->v += len;
        }
        if (next == w->s)
            return;
        w->s = next;
    }
}

void textmap_build(struct comp *c, struct yaml *y, enum scalar_style style, const char *src,
                   uint32_t from, uint32_t to)
{
    struct walk w = {
        .c = c,
        .y = y,
        .val = STR(c, y->text),
        .vlen = (uint32_t)STRLEN(c, y->text),
        .src = src,
        .s = from,
        .end = to,
    };
    y->map0 = c->textmap.n;
    y->nmap = 0;
    if (style == SCALAR_LITERAL)
        walk_literal(&w);
    else if (style == SCALAR_FOLDED)
        walk_folded(&w);
    else
        walk_flow(&w, style);
    /* The map begins with the value: a leading line feed belongs to the first text there is. */
    if (y->nmap) {
        struct textmap *first = &c->textmap.v[y->map0];
        if (first->value_off) {
            first->src_off -= first->value_off < first->src_off ? first->value_off : 0;
            first->value_off = 0;
        }
    }
}
