/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a compilation: their bytes, and where their lines begin. A place is a byte offset;
 * lines and columns (both from 1, columns in code points) are computed when something is shown.
 * Lines end as libyaml ends them (LF, CR, CRLF, U+0085, U+2028, U+2029), so that its marks agree.
 */
#ifndef RULEC_SOURCE_H
#define RULEC_SOURCE_H

#include "model.h"

#define SOURCE_MAX (64u << 20) /* bytes of one file; larger is an error of the input */

struct sources *sources_new(struct arena *a);
/*
 * Reads a file ("-": standard input). Its index (from 1), or -errno; -EFBIG beyond SOURCE_MAX.
 * `shown` names it in messages.
 */
int source_read(struct sources *s, const char *path, const char *shown);
/* Text that is in memory already (tests, one-line conditions). */
int source_add(struct sources *s, const char *shown, const char *text, size_t len);
/* A file that could not be read: it has a name, so that messages can say which, and no places. */
int source_add_missing(struct sources *s, const char *shown);
uint32_t source_count(const struct sources *s);
const char *source_name(const struct sources *s, uint32_t file);
const char *source_text(const struct sources *s, uint32_t file, size_t *len);

struct place {
    uint32_t line, column;
}; /* 0, 0: a missing file has no lines */
struct place source_place(const struct sources *s, uint32_t file, uint32_t off);
/* The line that holds `off`, without its end; `*start` is its first byte. */
const char *source_line(const struct sources *s, uint32_t file, uint32_t off, size_t *len,
                        uint32_t *start);

#endif
