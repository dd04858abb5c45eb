/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that knows where each of its bytes comes from.
 *
 * A condition is put together as text: appended pieces, generated exceptions, the items of lists.
 * What is parsed in the end stands in no file; segments lead each byte back to one, and to the
 * places that brought it in. Segments are in order of `off` and cover the text without holes.
 */
#ifndef RULEC_TEXT_H
#define RULEC_TEXT_H

#include "model.h"

struct segment {
    uint32_t off; /* first byte of the text that it stands for; it ends where the next begins */
    uint32_t file;
    uint32_t src;   /* where that byte is in the file */
    uint32_t fixed; /* not 0: every byte comes from all of src..src+fixed (generated text) */
    span_id via;    /* as in struct span */
    str_id what;
};

struct text {
    VEC(char) bytes; /* a NUL that is not counted follows once text_end() was called */
    VEC(struct segment) segs;
};

/* A scalar as written, through its text map. */
void text_put_yaml(struct comp *c, struct text *t, uint32_t yaml);
/* Generated text: all of it stands at `at`. */
void text_put_fixed(struct comp *c, struct text *t, const char *s, span_id at);
/* Bytes off..off+len of another text, which must not be `t`. */
void text_put_range(struct comp *c, struct text *t, const struct text *from, uint32_t off,
                    uint32_t len);
/* All of `from`, brought in by `via` as `what` ("list shells"). */
void text_put_used(struct comp *c, struct text *t, const struct text *from, span_id via,
                   str_id what);
/* Segments from `first` on were brought in by `via` as `what`. */
void text_mark_used(struct comp *c, struct text *t, uint32_t first, span_id via, str_id what);
/* Cut to its first `len` bytes. */
void text_cut(struct text *t, uint32_t len);
/* Without blanks at both ends. */
void text_strip(struct comp *c, struct text *t);
/* Puts the NUL behind the last byte. */
void text_end(struct comp *c, struct text *t);

/* The place of bytes off..off+len; where they come from several, that of the first of them. */
span_id text_span(struct comp *c, const struct text *t, uint32_t off, uint32_t len);
str_id text_intern(struct comp *c, const struct text *t);

/* A place of its own; the same place with one more outermost use. */
span_id span_new(struct comp *c, struct span s);
span_id span_used(struct comp *c, span_id at, span_id via, str_id what);

/* space, tab, line feed, carriage return: what lists and stripping call blank */
static inline bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

#endif
