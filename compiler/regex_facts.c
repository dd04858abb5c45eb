/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of a pattern without running it, and the patterns of a compilation. */
#include <string.h>

#include "../runtime/utf8.h"
#include "arena.h"
#include "cons.h"
#include "intern.h"
#include "regex.h"

#define KNOWN_MAX 32u /* code points of a beginning or end */

/*
 * A code point that stands for its own bytes and no others: U+FFFD stands for broken ones too, and
 * no value holds NUL or a surrogate.
 */
static bool is_plain(uint32_t code)
{
    return code && code != UTF8_REPLACEMENT && (code < 0xd800 || code > 0xdfff);
}

static size_t put_code(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xf0u) | code);
    return n;
}

/* ---- patterns that are a few strings ---- */

/* `ends`: this is where the value ends; `begins`: where it begins. */
struct side {
    bool begins, ends;
};

struct finite {
    struct comp *c;
    const struct regex *re;
    uint32_t max;
};

static bool list(struct finite *f, uint32_t node, struct side at, struct re_strings *out);

static bool add_string(struct finite *f, struct re_strings *out, const char *s, size_t n)
{
    VEC_PUSH(f->c->arena, &out->v, intern_put(f->c->intern, s, n));
    return out->v.n <= f->max;
}

static bool list_set(struct finite *f, const struct re_set *s, struct re_strings *out)
{
    char buf[4];
    for (uint32_t i = 0; i < s->n; i++) {
        const struct re_range *r = &f->re->ranges.v[s->range0 + i];
        for (uint32_t code = r->lo; code <= r->hi; code++)
            if (!is_plain(code) || !add_string(f, out, buf, put_code(buf, code)))
                return false;
    }
    return true;
}

/* Each of `a` before each of `b`. */
static bool multiply(struct finite *f, const struct re_strings *a, const struct re_strings *b,
                     struct re_strings *out)
{
    struct comp *c = f->c;
    for (uint32_t i = 0; i < a->v.n; i++) {
        for (uint32_t k = 0; k < b->v.n; k++) {
            size_t na = STRLEN(c, a->v.v[i]), nb = STRLEN(c, b->v.v[k]);
            char *s = arena_alloc(c->arena, na + nb + 1);
            memcpy(s, STR(c, a->v.v[i]), na);
            memcpy(s + na, STR(c, b->v.v[k]), nb);
            if (na + nb > REGEX_PATTERN_MAX || !add_string(f, out, s, na + nb))
                return false;
        }
    }
    return true;
}

static bool list_repeat(struct finite *f, const struct re_node *n, struct re_strings *out)
{
    struct re_strings some = {0}, once = {0};
    if (n->max > f->max || !list(f, n->a, (struct side){0}, &once))
        return false;
    add_string(f, &some, "", 0);
    for (uint32_t i = 0; i <= n->max; i++) {
        for (uint32_t k = 0; k < some.v.n && i >= n->min; k++)
            VEC_PUSH(f->c->arena, &out->v, some.v.v[k]);
        struct re_strings longer = {0};
        if (out->v.n > f->max || (i < n->max && !multiply(f, &some, &once, &longer)))
            return false;
        some = longer;
    }
    return true;
}

static bool list(struct finite *f, uint32_t node, struct side at, struct re_strings *out)
{
    const struct re_node *n = &f->re->nodes.v[node];
    struct re_strings first = {0}, then = {0};
    switch (n->kind) {
    case RE_EMPTY:
        return add_string(f, out, "", 0);
    case RE_SET:
        return list_set(f, &f->re->sets.v[n->set], out);
    case RE_CAT:
        return list(f, n->a, (struct side){.begins = at.begins}, &first) &&
               list(f, n->b, (struct side){.ends = at.ends}, &then) &&
               multiply(f, &first, &then, out);
    case RE_ALT:
        return list(f, n->a, at, out) && list(f, n->b, at, out);
    case RE_REPEAT:
        return list_repeat(f, n, out);
    case RE_BOL:
        return at.begins && add_string(f, out, "", 0);
    case RE_EOL:
        return at.ends && add_string(f, out, "", 0);
    }
    return false;
}

uint32_t regex_strings(struct comp *c, const struct regex *re, uint32_t max, struct re_strings *out)
{
    struct finite f = {c, re, max};
    struct re_strings found = {0};
    if (!list(&f, re->root, (struct side){true, true}, &found))
        return 0;
    for (uint32_t i = 0; i < found.v.n; i++)
        VEC_PUSH(c->arena, &out->v, found.v.v[i]);
    return found.v.n;
}

/* ---- how every match begins, or ends ---- */

struct known {
    uint32_t code[KNOWN_MAX], n; /* from the end inwards, if that is asked for */
    bool backwards;
};

static bool known_node(const struct regex *re, uint32_t node, struct known *k);

/* What both begin with. True if that is all of both. */
static bool known_either(const struct regex *re, const struct re_node *n, struct known *k)
{
    struct known a = {.backwards = k->backwards}, b = a;
    bool all = known_node(re, n->a, &a) & known_node(re, n->b, &b);
    uint32_t same = 0;
    while (same < a.n && same < b.n && a.code[same] == b.code[same])
        same++;
    for (uint32_t i = 0; i < same; i++) {
        if (k->n == KNOWN_MAX)
            return false;
        k->code[k->n++] = a.code[i];
    }
    return all && same == a.n && same == b.n;
}

/* Appends what the node must begin with. True if it is nothing but that, and more may follow. */
static bool known_node(const struct regex *re, uint32_t node, struct known *k)
{
    const struct re_node *n = &re->nodes.v[node];
    const struct re_set *s;
    switch (n->kind) {
    case RE_SET:
        s = &re->sets.v[n->set];
        if (k->n == KNOWN_MAX || s->n != 1 ||
            re->ranges.v[s->range0].lo != re->ranges.v[s->range0].hi ||
            !is_plain(re->ranges.v[s->range0].lo))
            return false;
        k->code[k->n++] = re->ranges.v[s->range0].lo;
        return true;
    case RE_CAT:
        return known_node(re, k->backwards ? n->b : n->a, k) &&
               known_node(re, k->backwards ? n->a : n->b, k);
    case RE_ALT:
        return known_either(re, n, k);
    case RE_REPEAT:
        for (uint32_t i = 0; i < n->min; i++)
            if (!known_node(re, n->a, k))
                return false;
        return n->max == n->min;
    case RE_EMPTY:
    case RE_BOL:
    case RE_EOL:
        break;
    }
    return true; /* takes no character */
}

static str_id known_text(const struct comp *c, const struct regex *re, bool backwards)
{
    struct known k = {.backwards = backwards};
    char buf[4 * KNOWN_MAX];
    size_t len = 0;
    known_node(re, re->root, &k);
    for (uint32_t i = 0; i < k.n; i++)
        len += put_code(buf + len, k.code[backwards ? k.n - 1 - i : i]);
    return intern_put(c->intern, buf, len);
}

str_id regex_prefix(const struct comp *c, const struct regex *re)
{
    return known_text(c, re, false);
}

str_id regex_suffix(const struct comp *c, const struct regex *re)
{
    return known_text(c, re, true);
}

/* ---- the patterns of a compilation ---- */

static bool row_same(const void *ctx, uint32_t id)
{
    (void)ctx;
    return id != 0; /* interned: the hash is the id */
}

uint32_t regex_row(struct comp *c, str_id pattern, struct regex_error *err)
{
    if (!c->regex_ids) {
        c->regex_ids = arena_alloc(c->arena, sizeof(*c->regex_ids));
        c->regex_ids->arena = c->arena;
        // NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers
        VEC_PUSH(c->arena, &c->regexes, NULL);
    }
    uint32_t row = cons_find(c->regex_ids, (uint64_t)pattern.i + 1, row_same, NULL);
    if (row)
        return row;
    struct regex *re = regex_parse(c->arena, STR(c, pattern), STRLEN(c, pattern), err);
    if (!re)
        return 0;
    struct re_table *table = arena_alloc(c->arena, sizeof(*table));
    re->table = table;
    uint64_t left = REGEX_ALL_WORK_MAX - c->regex_work;
    re->work_max = left < re->work_max ? left : re->work_max;
    bool good = regex_compile(c->arena, re, table);
    c->regex_work += table->work < left ? table->work : left;
    if (!good) {
        *err = (struct regex_error){
            0, (uint32_t)STRLEN(c, pattern), "the pattern is too large",
            arena_printf(c->arena, "with its counts written out it needs more than %u instructions",
                         RPK_PROGRAM_MAX)};
        return 0;
    }
    // NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers
    row = VEC_PUSH(c->arena, &c->regexes, re);
    cons_add(c->regex_ids, (uint64_t)pattern.i + 1, row);
    return row;
}

const struct regex *regex_of(const struct comp *c, str_id pattern)
{
    return c->regexes.v[cons_find(c->regex_ids, (uint64_t)pattern.i + 1, row_same, NULL)];
}
