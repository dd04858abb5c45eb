/* SPDX-License-Identifier: Apache-2.0 */
#include "numtext.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"

#define TEXT_MAX 1024
#define PART_BITS 6 /* rows that share bits: at most so many bits, so 64 values */

static bool add(struct num_tests *t, enum num_test_kind kind, uint64_t a, uint64_t b)
{
    if (t->n == NUMTEXT_TESTS)
        return false;
    t->v[t->n++] = (struct num_test){kind, a, b};
    return true;
}

/* ---- what a text test says of one text; not grammar/ops.c, which checks this ---- */

static unsigned char fold_case(char ch)
{
    return (unsigned char)(ch >= 'A' && ch <= 'Z' ? ch + ('a' - 'A') : ch);
}

static bool find(const char *s, size_t ns, const char *p, size_t np, bool nocase)
{
    for (size_t i = 0; np <= ns && i <= ns - np; i++) {
        size_t k = 0;
        while (k < np && (nocase ? fold_case(s[i + k]) == fold_case(p[k]) : s[i + k] == p[k]))
            k++;
        if (k == np)
            return true;
    }
    return false;
}

static bool holds(enum op_id op, const char *s, size_t ns, const char *p, size_t np)
{
    if (op == OP_CONTAINS || op == OP_ICONTAINS)
        return find(s, ns, p, np, op == OP_ICONTAINS);
    if (op == OP_STARTSWITH)
        return np <= ns && !memcmp(s, p, np);
    if (op == OP_ENDSWITH)
        return np <= ns && !memcmp(s + ns - np, p, np);
    return ns == np && !memcmp(s, p, np); /* =, in, and != by its negation */
}

static bool is_equality(enum op_id op)
{
    return op == OP_EQ || op == OP_IN || op == OP_NE;
}

static bool is_partial(enum op_id op)
{
    return op == OP_CONTAINS || op == OP_ICONTAINS || op == OP_STARTSWITH || op == OP_ENDSWITH;
}

/* Some constant fits the text. */
static bool any_holds(const struct comp *c, const struct atom *a, const char *s)
{
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id t = c->values.v[a->val0 + i].text;
        if (holds(a->op, s, strlen(s), STR(c, t), STRLEN(c, t)))
            return true;
    }
    return false;
}

/* Tests whose constants are or-ed; the others user space judges. */
static bool is_simple(const struct atom *a)
{
    bool any = a->mod == MOD_NONE || a->mod == MOD_ANYOF;
    return any && (is_partial(a->op) || (is_equality(a->op) && (a->op != OP_NE || a->nval == 1)));
}

/* The number that a text is the decimal spelling of. */
static bool decimal_of(const char *s, size_t n, int64_t *v)
{
    char buf[32];
    errno = 0;
    long long parsed = strtoll(s, NULL, 10);
    int len = snprintf(buf, sizeof(buf), "%lld", parsed);
    *v = parsed;
    return !errno && (size_t)len == n && !memcmp(buf, s, n);
}

/* A part of a decimal number could be what is asked for. */
static bool may_be_digits(const struct comp *c, const struct atom *a)
{
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id t = c->values.v[a->val0 + i].text;
        if (strspn(STR(c, t), "-0123456789") == STRLEN(c, t))
            return true;
    }
    return false;
}

bool numtext_decimal(const struct comp *c, const struct atom *a, struct num_tests *out)
{
    *out = (struct num_tests){.negate = a->op == OP_NE};
    if (!is_simple(a) || !is_equality(a->op))
        return false;
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id t = c->values.v[a->val0 + i].text;
        int64_t v;
        if (decimal_of(STR(c, t), STRLEN(c, t), &v) && !add(out, NT_MASK, UINT64_MAX, (uint64_t)v))
            return false;
    }
    return true;
}

/* ---- enumerations: one row, one number ---- */

static bool enum_tests(const struct comp *c, const struct atom *a, enum flag_table table,
                       struct num_tests *out)
{
    unsigned rows;
    const struct flag_row *f = catalog_flags(table, &rows);
    for (unsigned i = 0; i < rows; i++) {
        char text[TEXT_MAX];
        bool again = false;
        for (unsigned k = 0; k < i; k++)
            again = again || f[k].value == f[i].value;
        if (again ||
            catalog_flags_text(table, f[i].value, true, text, sizeof(text)) >= sizeof(text))
            continue;
        if (any_holds(c, a, text) && !add(out, NT_MASK, UINT64_MAX, f[i].value))
            return false;
    }
    return true;
}

/* Values without a name are shown in decimal. */
static bool unnamed_tests(const struct comp *c, const struct atom *a, enum flag_table table,
                          struct num_tests *out)
{
    for (uint32_t i = 0; i < a->nval && is_equality(a->op); i++) {
        str_id t = c->values.v[a->val0 + i].text;
        char text[TEXT_MAX];
        int64_t v;
        if (decimal_of(STR(c, t), STRLEN(c, t), &v) &&
            !catalog_flags_text(table, (uint64_t)v, true, text, sizeof(text)) &&
            !add(out, NT_MASK, UINT64_MAX, (uint64_t)v))
            return false;
    }
    return true;
}

/* ---- masks: rows that share bits form a part, and parts do not know of one another ---- */

/* A table's rows: at most 64, so that a set of them is a number. */
struct mask {
    enum flag_table table;
    const struct flag_row *f;
    unsigned n;
};
struct part {
    uint64_t bits;
    uint64_t rows; /* bit per row of the table */
};

/* The part that holds row `i`: grown until no other row shares a bit with it. */
static struct part part_of(const struct mask *m, unsigned i)
{
    const struct flag_row *f = m->f;
    struct part p = {f[i].value, 1ull << i};
    for (bool grown = true; grown;) {
        grown = false;
        for (unsigned k = 0; k < m->n; k++) {
            if ((f[k].value & p.bits) && !(p.rows >> k & 1)) {
                p.bits |= f[k].value;
                p.rows |= 1ull << k;
                grown = true;
            }
        }
    }
    return p;
}

/* Rows of the part that the walk prints for `v`. */
static uint64_t printed(const struct mask *m, struct part p, uint64_t v)
{
    uint64_t left = v & p.bits, out = 0;
    for (unsigned k = 0; k < m->n; k++) {
        if ((p.rows >> k & 1) && left && (left & m->f[k].value) == m->f[k].value) {
            out |= 1ull << k;
            left &= ~m->f[k].value;
        }
    }
    return out;
}

/*
 * The walk as the catalog does it also stops at an entry that equals the whole value. If that ever
 * shows on a part alone, the parts do know of the rest, and user space judges.
 */
static bool same_as_walk(const struct mask *m, uint64_t rows, uint64_t v)
{
    char text[TEXT_MAX], mine[TEXT_MAX] = "";
    size_t len = 0, got = catalog_flags_text(m->table, v, true, text, sizeof(text));
    const char *sep = m->table == FT_capabilities ? " " : "|";
    for (unsigned k = 0; k < m->n; k++) {
        if (rows >> k & 1) {
            len += (size_t)snprintf(mine + len, sizeof(mine) - len, "%s%s", len ? sep : "",
                                    m->f[k].text);
        }
    }
    return got < sizeof(text) && (got ? !strcmp(text, mine) : !rows);
}

static bool next_subset(uint64_t bits, uint64_t *v)
{
    *v = (*v - bits) & bits;
    return *v;
}

/* One value of a part after another: those that print a name which holds a constant. */
static bool partial_tests(const struct comp *c, const struct atom *a, const struct mask *m,
                          struct part p, struct num_tests *out)
{
    uint64_t v = 0;
    if (__builtin_popcountll(p.bits) > PART_BITS)
        return false;
    do {
        uint64_t rows = printed(m, p, v);
        bool hit = false;
        if (v && !same_as_walk(m, rows, v))
            return false;
        for (unsigned k = 0; k < m->n; k++)
            hit = hit || ((rows >> k & 1) && any_holds(c, a, m->f[k].text));
        if (hit && !add(out, NT_MASK, p.bits, v))
            return false;
    } while (next_subset(p.bits, &v));
    return true;
}

/* contains: a name that holds the constant is printed. Separators in it ask for more than that. */
static bool mask_contains(const struct comp *c, const struct atom *a, const struct mask *m,
                          struct num_tests *out)
{
    uint64_t done = 0;
    for (uint32_t i = 0; i < a->nval; i++)
        if (strpbrk(STR(c, c->values.v[a->val0 + i].text), "| "))
            return false;
    for (unsigned k = 0; k < m->n; k++) {
        if (!m->f[k].value) {
            if (any_holds(c, a, m->f[k].text) && !add(out, NT_MASK, UINT64_MAX, 0))
                return false;
            continue;
        }
        struct part p = part_of(m, k);
        if (!(done & p.rows) && !partial_tests(c, a, m, p, out))
            return false;
        done |= p.rows;
    }
    return true;
}

/* True if each part has one value for what it prints: then a text has one known part, too. */
static bool is_injective(const struct mask *m)
{
    for (unsigned k = 0; k < m->n; k++) {
        struct part p = part_of(m, k);
        uint64_t v = 0, seen[1 << PART_BITS];
        unsigned nseen = 0;
        if (__builtin_popcountll(p.bits) > PART_BITS)
            return false;
        do {
            uint64_t rows = printed(m, p, v);
            for (unsigned i = 0; i < nseen; i++)
                if (seen[i] == rows)
                    return false;
            seen[nseen++] = rows;
            if (v && !same_as_walk(m, rows, v))
                return false;
        } while (next_subset(p.bits, &v));
    }
    return true;
}

/* =: all that has a name is as the text says; bits without a name may be set. */
static bool mask_equals(const struct comp *c, const struct atom *a, const struct mask *m,
                        struct num_tests *out)
{
    uint64_t named = 0;
    for (unsigned k = 0; k < m->n; k++)
        named |= m->f[k].value;
    if (!is_injective(m))
        return false;
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id t = c->values.v[a->val0 + i].text;
        char text[TEXT_MAX];
        uint64_t v;
        if (!STRLEN(c, t))
            return false;
        if (!catalog_flags_value(m->table, STR(c, t), STRLEN(c, t), &v))
            continue; /* no value has this text */
        size_t len = catalog_flags_text(m->table, v, true, text, sizeof(text));
        if (len == STRLEN(c, t) && !memcmp(text, STR(c, t), len) &&
            !add(out, NT_MASK, v ? named : UINT64_MAX, v))
            return false;
    }
    return true;
}

bool numtext_flags(const struct comp *c, const struct atom *a, enum flag_table table,
                   struct num_tests *out)
{
    struct mask m = {.table = table};
    m.f = catalog_flags(table, &m.n);
    *out = (struct num_tests){.negate = a->op == OP_NE};
    if (!is_simple(a) || m.n > 64 || (is_partial(a->op) && may_be_digits(c, a))) {
        return catalog_flags_kind(table) == FLAGS_ENUM && is_simple(a) && is_equality(a->op) &&
               enum_tests(c, a, table, out) && unnamed_tests(c, a, table, out);
    }
    if (catalog_flags_kind(table) == FLAGS_ENUM)
        return enum_tests(c, a, table, out) && unnamed_tests(c, a, table, out);
    if (is_equality(a->op)) {
        /* Without a name a mode is shown in octal. */
        if (catalog_flags_kind(table) == FLAGS_MODE && may_be_digits(c, a))
            return false;
        return mask_equals(c, a, &m, out) && unnamed_tests(c, a, table, out);
    }
    if (a->op != OP_CONTAINS && a->op != OP_ICONTAINS)
        return false;
    return mask_contains(c, a, &m, out);
}

/* ---- results ---- */

#define ERRNO_MAX 4095

/* Runs of neighbours become one range: `evt.res startswith E` is a few tests. */
static bool add_error(struct num_tests *out, int64_t e)
{
    struct num_test *last = out->n ? &out->v[out->n - 1] : NULL;
    if (last && last->kind == NT_SIGNED && (int64_t)last->a == -e + 1) {
        last->a = (uint64_t)-e;
        return true;
    }
    return add(out, NT_SIGNED, (uint64_t)-e, (uint64_t)-e);
}

bool numtext_result(const struct comp *c, const struct atom *a, bool is_param,
                    struct num_tests *out)
{
    *out = (struct num_tests){.negate = a->op == OP_NE};
    if (!is_simple(a) || (is_partial(a->op) && may_be_digits(c, a)))
        return false;
    for (int e = 1; e <= ERRNO_MAX; e++) {
        char digits[16];
        const char *name = catalog_errno_name(e);
        snprintf(digits, sizeof(digits), "-%d", e);
        if (any_holds(c, a, name ? name : digits) && !add_error(out, e))
            return false;
    }
    if (!is_param)
        return !any_holds(c, a, "SUCCESS") || add(out, NT_SIGNED, 0, INT64_MAX);
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id t = c->values.v[a->val0 + i].text;
        int64_t v;
        if (decimal_of(STR(c, t), STRLEN(c, t), &v) && (v >= 0 || v < -ERRNO_MAX) &&
            !add(out, NT_MASK, UINT64_MAX, (uint64_t)v))
            return false;
    }
    return true;
}

/* ---- plain numbers ---- */

/* The number in the width of the type. */
static uint64_t fit(const struct type_info *t, int64_t v)
{
    unsigned spare = t->bits && t->bits < 64 ? 64 - t->bits : 0;
    uint64_t up = (uint64_t)v << spare;
    return t->base == BASE_INT ? (uint64_t)((int64_t)up >> spare) : up >> spare;
}

bool numtext_number(const struct comp *c, const struct atom *a, enum type_id type,
                    struct num_tests *out)
{
    const struct value *v = c->values.v + a->val0;
    const struct type_info *info = catalog_type(type);
    enum num_test_kind kind = NT_UNSIGNED;
    uint64_t low = 0, high = UINT64_MAX;
    *out = (struct num_tests){.negate = a->op == OP_NE};
    if (info->base == BASE_INT) {
        kind = NT_SIGNED;
        low = 1ull << 63;
        high = INT64_MAX;
    }
    if (a->mod != MOD_NONE || (a->op == OP_NE && a->nval != 1))
        return false;
    if (a->op == OP_EXISTS)
        return add(out, NT_MASK, 0, 0);
    if (is_equality(a->op)) {
        for (uint32_t i = 0; i < a->nval; i++)
            if (!add(out, NT_MASK, UINT64_MAX, fit(info, v[i].num)))
                return false;
        return true;
    }
    if (a->nval != 1)
        return false;
    uint64_t x = fit(info, v->num);
    if (a->op == OP_LE)
        return add(out, kind, low, x);
    if (a->op == OP_GE)
        return add(out, kind, x, high);
    if (a->op == OP_LT)
        return x == low || add(out, kind, low, x - 1);
    return a->op == OP_GT && (x == high || add(out, kind, x + 1, high));
}
