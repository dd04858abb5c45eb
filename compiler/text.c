/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <string.h>

#include "arena.h"
#include "intern.h"

span_id span_new(struct comp *c, struct span s)
{
    return (span_id){VEC_PUSH(c->arena, &c->spans, s)};
}

/* Chains are as long as lists and macros are nested, which resolve.c bounds. */
span_id span_used(struct comp *c, span_id at, span_id via, str_id what)
{
    struct span s = c->spans.v[at.i];
    if (s.via.i) {
        s.via = span_used(c, s.via, via, what);
    } else {
        s.via = via;
        s.what = what;
    }
    return span_new(c, s);
}

static void put_bytes(struct comp *c, struct text *t, const char *s, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        VEC_PUSH(c->arena, &t->bytes, s[i]);
}

static void put_segment(struct comp *c, struct text *t, struct segment s)
{
    s.off = t->bytes.n;
    VEC_PUSH(c->arena, &t->segs, s);
}

void text_put_yaml(struct comp *c, struct text *t, uint32_t yaml)
{
    const struct yaml *y = &c->yaml.v[yaml];
    const struct span at = c->spans.v[y->at.i];
    const char *s = STR(c, y->text);
    uint32_t len = (uint32_t)STRLEN(c, y->text);
    struct segment seg = {.file = at.file, .src = at.off, .via = at.via, .what = at.what};
    if (!y->nmap && len) {
        seg.fixed = at.len ? at.len : 1;
        put_segment(c, t, seg);
        put_bytes(c, t, s, len);
    }
    for (uint32_t i = 0; i < y->nmap; i++) {
        struct textmap row = c->textmap.v[y->map0 + i];
        uint32_t end = i + 1 < y->nmap ? c->textmap.v[y->map0 + i + 1].value_off : len;
        seg.src = row.src_off;
        put_segment(c, t, seg);
        put_bytes(c, t, s + row.value_off, end - row.value_off);
    }
}

void text_put_fixed(struct comp *c, struct text *t, const char *s, span_id at)
{
    const struct span *p = &c->spans.v[at.i];
    put_segment(c, t,
                (struct segment){.file = p->file,
                                 .src = p->off,
                                 .fixed = p->len ? p->len : 1,
                                 .via = p->via,
                                 .what = p->what});
    put_bytes(c, t, s, (uint32_t)strlen(s));
}

/* Index of the segment that byte `off` belongs to; the last one for the end of the text. */
static uint32_t find_segment(const struct text *t, uint32_t off)
{
    uint32_t lo = 0, hi = t->segs.n;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (t->segs.v[mid].off <= off)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static uint32_t segment_end(const struct text *t, uint32_t i)
{
    return i + 1 < t->segs.n ? t->segs.v[i + 1].off : t->bytes.n;
}

void text_put_range(struct comp *c, struct text *t, const struct text *from, uint32_t off,
                    uint32_t len)
{
    uint32_t end = off + len;
    for (uint32_t i = len ? find_segment(from, off) : 0; off < end; i++) {
        struct segment s = from->segs.v[i];
        uint32_t stop = segment_end(from, i) < end ? segment_end(from, i) : end;
        s.src += s.fixed ? 0 : off - s.off;
        put_segment(c, t, s);
        put_bytes(c, t, from->bytes.v + off, stop - off);
        off = stop;
    }
}

void text_put_used(struct comp *c, struct text *t, const struct text *from, span_id via,
                   str_id what)
{
    uint32_t first = t->segs.n;
    text_put_range(c, t, from, 0, from->bytes.n);
    text_mark_used(c, t, first, via, what);
}

void text_mark_used(struct comp *c, struct text *t, uint32_t first, span_id via, str_id what)
{
    for (uint32_t i = first; i < t->segs.n; i++) {
        struct segment *s = &t->segs.v[i];
        if (s->via.i) {
            s->via = span_used(c, s->via, via, what);
        } else {
            s->via = via;
            s->what = what;
        }
    }
}

void text_cut(struct text *t, uint32_t len)
{
    t->bytes.n = len;
    while (t->segs.n && t->segs.v[t->segs.n - 1].off >= len)
        t->segs.n--;
}

void text_strip(struct comp *c, struct text *t)
{
    uint32_t from = 0, to = t->bytes.n;
    while (from < to && is_blank(t->bytes.v[from]))
        from++;
    while (to > from && is_blank(t->bytes.v[to - 1]))
        to--;
    struct text stripped = {0};
    text_put_range(c, &stripped, t, from, to - from);
    *t = stripped;
}

void text_end(struct comp *c, struct text *t)
{
    VEC_PUSH(c->arena, &t->bytes, 0);
    t->bytes.n--;
}

span_id text_span(struct comp *c, const struct text *t, uint32_t off, uint32_t len)
{
    if (!t->segs.n)
        return (span_id){0};
    uint32_t i = find_segment(t, off);
    struct segment s = t->segs.v[i];
    struct span at = {.file = s.file, .off = s.src, .len = s.fixed, .via = s.via, .what = s.what};
    if (!s.fixed) {
        at.off += off - s.off;
        uint32_t end = segment_end(t, i), want = off + len;
        at.len = (want < end ? want : end) - off;
        /* Folded lines and escapes cut one scalar into segments: go on while it is the same. */
        for (i++; i < t->segs.n && t->segs.v[i].off < want; i++) {
            struct segment n = t->segs.v[i];
            if (n.fixed || n.file != s.file || n.via.i != s.via.i || n.src < at.off + at.len)
                break;
            end = segment_end(t, i);
            at.len = n.src + ((want < end ? want : end) - n.off) - at.off;
        }
    }
    return span_new(c, at);
}

str_id text_intern(struct comp *c, const struct text *t)
{
    return intern_put(c->intern, t->bytes.v, t->bytes.n);
}
