/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog's flags and enumerated values: rows of flags.def by table, a value's text, and the
 * value of a text. All of it is `const`, and needs no init call. Part of catalog.h.
 */
#ifndef RULEC_FLAGS_H
#define RULEC_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* flags.def: FLAG_TABLE(ID, kind), FLAG(TABLE, text, value, native). FT_file_flags, ... */
enum flag_table {
    FT_NONE,
#define FLAG_TABLE(id, kind) FT_##id,
#include "flags.def"
    FT_COUNT
};

enum flag_kind { FLAGS_MASK, FLAGS_ENUM, FLAGS_MODE };

struct flag_row {
    const char *text;
    size_t len;
    uint64_t value; /* Falco's number */
    int64_t native; /* the kernel's, or -1 where there is none */
};

/* Rows of a flag table in its own order (the order of the text walk); `*n` gets their number. */
const struct flag_row *catalog_flags(enum flag_table table, unsigned *n);
enum flag_kind catalog_flags_kind(enum flag_table table);
const char *catalog_flags_name(enum flag_table table);
/*
 * Text of a value, by the language's walk (rule-language 7). Writes at most `cap` bytes with a NUL,
 * returns the length the whole text has. Nothing matched: the decimal number for masks (evt.arg's
 * resolved text is then absent: returns 0 if `resolved_only`).
 */
size_t catalog_flags_text(enum flag_table table, uint64_t value, bool resolved_only, char *buf,
                          size_t cap);
/*
 * The value a text stands for: names joined by '|' or ' ', or one decimal number. False if it is
 * neither. Where several values share a text (fd_type) the first: to test a text, test every row.
 */
bool catalog_flags_value(enum flag_table table, const char *text, size_t len, uint64_t *value);
/* "ENOENT" of 2; NULL if unknown. And back: 0 if unknown. */
const char *catalog_errno_name(int number);
int catalog_errno_by_name(const char *name, size_t len);

#endif
