/* SPDX-License-Identifier: Apache-2.0 */
/* The names of flags and enumerated values, from flags.def. See flags.h. */
#include "flags.h"

#include <stdio.h>
#include <string.h>

#define LEN(a) (sizeof(a) / sizeof(*(a)))

static const struct flag_row flag_rows[] = {
#define FLAG(table, text, value, native) {text, sizeof(text) - 1, value, native},
#include "flags.def"
};

/* Where each flag table begins in flag_rows: an enumerator per row, and none for a table. */
#define GLUE2(a, b) a##b
#define GLUE(a, b) GLUE2(a, b)
enum flag_position {
#define FLAG_TABLE(id, kind) FLAG_START_##id, FLAG_BACK_##id = FLAG_START_##id - 1,
#define FLAG(table, text, value, native) GLUE(FLAG_LINE_, __LINE__),
#include "flags.def"
    FLAG_ROWS
};
_Static_assert(FLAG_ROWS == LEN(flag_rows), "every flag has one row");

/* The texts of all rows with a blank behind each, and where each begins: rows that follow one
   another are copied at once. */
static const char flag_texts[] =
#define FLAG(table, text, value, native) text " "
#include "flags.def"
    ;
enum {
#define FLAG(table, text, value, native)                                                           \
    GLUE(FLAG_AT_, __LINE__),                                                                      \
        GLUE(FLAG_END_, __LINE__) = GLUE(FLAG_AT_, __LINE__) + sizeof(text) - 1,
#include "flags.def"
};
static const uint16_t flag_at[] = {
#define FLAG(table, text, value, native) GLUE(FLAG_AT_, __LINE__),
#include "flags.def"
};
_Static_assert(sizeof(flag_texts) <= UINT16_MAX, "flag_at holds places in it");

struct flag_table_row {
    const char *name;
    enum flag_kind kind;
    uint32_t start;
};
static const struct flag_table_row flag_tables[FT_COUNT + 1] = {
    [FT_NONE] = {"", FLAGS_MASK, 0},
#define FLAG_TABLE(id, kind) [FT_##id] = {#id, kind, (uint32_t)FLAG_START_##id},
#include "flags.def"
    [FT_COUNT] = {"", FLAGS_MASK, FLAG_ROWS},
};

const struct flag_row *catalog_flags(enum flag_table table, unsigned *n)
{
    if (table == FT_NONE || table >= FT_COUNT) {
        *n = 0;
        return NULL;
    }
    *n = flag_tables[table + 1].start - flag_tables[table].start;
    return &flag_rows[flag_tables[table].start];
}

enum flag_kind catalog_flags_kind(enum flag_table table)
{
    return flag_tables[table].kind;
}

const char *catalog_flags_name(enum flag_table table)
{
    return flag_tables[table].name;
}

/* A text that grows up to `cap` bytes with its NUL, and counts what it would need. */
struct text {
    char *buf;
    size_t cap, len;
};

static void text_add(struct text *t, const char *s, size_t n)
{
    const size_t room = t->len < t->cap ? t->cap - t->len - 1 : 0;

    if (room > 0)
        memcpy(t->buf + t->len, s, n < room ? n : room);
    t->len += n;
}

static void text_separate(struct text *t, char separator)
{
    if (t->len > 0 && t->len + 1 < t->cap)
        t->buf[t->len] = separator;
    t->len += t->len > 0;
}

static void text_join(struct text *t, const struct flag_row *f, char separator)
{
    text_separate(t, separator);
    text_add(t, f->text, f->len);
}

static size_t text_end(struct text *t)
{
    if (t->cap > 0)
        t->buf[t->len < t->cap ? t->len : t->cap - 1] = '\0';
    return t->len;
}

/* The walk of rule-language 7: an entry takes its bits out of what is left. */
static void walk_mask(struct text *t, const struct flag_row *f, unsigned n, uint64_t value,
                      bool mode, char separator)
{
    uint64_t left = value;

    for (unsigned i = 0; i < n; i++) {
        uint64_t v = f[i].value;
        bool hit = v == 0 ? value == 0 : left != 0 && (left & v) == v;

        if (mode && v == value && v != 0) {
            text_join(t, &f[i], separator);
            return;
        }
        if (!hit)
            continue;
        text_join(t, &f[i], separator);
        left &= ~v;
        if (v == value)
            return;
    }
}

static bool has_flag(uint64_t value, const struct flag_row *f)
{
    return f->value != 0 && (value & f->value) == f->value;
}

/* Every row that the value has, as many of them at once as follow one another. */
static void blank_between(struct text *t, const struct flag_row *f, unsigned n, uint64_t value)
{
    const struct flag_row *end = f + n;

    while (f < end) {
        const struct flag_row *first = f;
        const char *text = flag_texts + flag_at[first - flag_rows];

        for (; f < end && has_flag(value, f); f++)
            ;
        if (f == first) {
            f++;
            continue;
        }
        text_separate(t, ' ');
        text_add(t, text, flag_at[f - 1 - flag_rows] + f[-1].len - flag_at[first - flag_rows]);
    }
}

size_t catalog_flags_text(enum flag_table table, uint64_t value, bool resolved_only, char *buf,
                          size_t cap)
{
    struct text t = {buf, cap, 0};
    unsigned n;
    const struct flag_row *f = catalog_flags(table, &n);

    if (table == FT_capabilities) {
        blank_between(&t, f, n, value);
        return text_end(&t);
    }
    if (catalog_flags_kind(table) == FLAGS_ENUM) {
        for (unsigned i = 0; i < n; i++)
            if (f[i].value == value)
                text_join(&t, &f[i], '|');
    } else {
        walk_mask(&t, f, n, value, catalog_flags_kind(table) == FLAGS_MODE, '|');
    }
    if (t.len == 0 && !resolved_only) {
        char digits[24];

        text_add(&t, digits,
                 (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value));
    }
    return text_end(&t);
}

static bool flag_by_name(enum flag_table table, const char *name, size_t len, uint64_t *value)
{
    unsigned n;
    const struct flag_row *f = catalog_flags(table, &n);

    for (unsigned i = 0; i < n; i++)
        if (f[i].len == len && !memcmp(f[i].text, name, len)) {
            *value = f[i].value;
            return true;
        }
    return false;
}

static bool number(const char *text, size_t len, uint64_t *value)
{
    uint64_t v = 0;

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint64_t digit = (uint64_t)(unsigned char)text[i] - '0';

        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *value = v;
    return true;
}

bool catalog_flags_value(enum flag_table table, const char *text, size_t len, uint64_t *value)
{
    uint64_t all = 0;

    if (table == FT_capabilities && len == 0) {
        *value = 0;
        return true;
    }
    if (number(text, len, value))
        return true;
    for (size_t at = 0; at <= len;) {
        size_t end = at;
        uint64_t one;

        while (end < len && text[end] != '|' && text[end] != ' ')
            end++;
        if (!flag_by_name(table, text + at, end - at, &one))
            return false;
        all |= one;
        at = end + 1;
    }
    *value = all;
    return true;
}

const char *catalog_errno_name(int number_)
{
    unsigned n;
    const struct flag_row *f = catalog_flags(FT_errno, &n);

    for (unsigned i = 0; i < n; i++)
        if (f[i].value == (uint64_t)(int64_t)number_)
            return f[i].text;
    return NULL;
}

int catalog_errno_by_name(const char *name, size_t len)
{
    uint64_t v;

    return flag_by_name(FT_errno, name, len, &v) ? (int)v : 0;
}
