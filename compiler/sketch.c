/* SPDX-License-Identifier: Apache-2.0 */
#include "sketch.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "intern.h"
#include "place.h"

#define WORDS_MAX 128 /* of the table: so few that a hash without collisions is soon found */
#define VALUES_MAX 64 /* constants of one test */
#define TRIES 4096    /* multipliers, before the table gets twice as large */
#define WITHIN_MIN 15 /* bytes that have eight of a component in them from a multiple of 8 on */

/* Where a constant's word must stand: columns of struct sketch_row, and what has no word. */
enum spot_kind {
    SPOT_ANY,
    SPOT_LAST,
    SPOT_DIR,
    SPOT_FIRST,
    SPOT_PART,
    SPOT_TAIL,
    SPOT_WITHIN,
    SPOT_SHALLOW,
    SPOT_DOTS,
};
struct spot {
    uint64_t word; /* 0: SHALLOW and DOTS have none */
    uint8_t kind;
    uint8_t len; /* bytes of the word */
    uint8_t str; /* enum str_slot of the test */
};
struct spots {
    VEC(struct spot) list;
};

struct sketch_maker {
    struct comp *c;
    VEC(struct sketch_row) rows;
    struct sketch_head head;
    struct spots sets[SKETCH_BITS];
    uint32_t nset;
};

struct sketch_maker *sketch_new(struct comp *c)
{
    struct sketch_maker *m = arena_alloc(c->arena, sizeof(*m));
    m->c = c;
    c->sketch.n = 0;
    return m;
}

/* ---- what a test needs of a path ---- */

/* A constant, and where its spots go. */
struct text {
    struct comp *c;
    struct spots *out;
    const char *s;
    size_t n;
    uint8_t str;
};

static bool add(const struct text *t, enum spot_kind kind, const char *bytes, size_t n)
{
    struct spot spot = {.kind = (uint8_t)kind, .len = (uint8_t)(n < 8 ? n : 8), .str = t->str};
    memcpy(&spot.word, bytes, spot.len);
    VEC_PUSH(t->c->arena, &t->out->list, spot);
    return true;
}

/* A component that folding leaves as it is. */
static bool is_name(const char *s, size_t n)
{
    return n && !(s[0] == '.' && (n == 1 || (n == 2 && s[1] == '.')));
}

/* An absolute path of such components. */
static bool is_path(const struct text *t)
{
    size_t at = 1;
    if (t->n == 0 || t->s[0] != '/')
        return false;
    for (size_t i = 1; i <= t->n; i++) {
        if (i < t->n && t->s[i] != '/')
            continue;
        if (!is_name(t->s + at, i - at))
            return false;
        at = i + 1;
    }
    return true;
}

/* Behind the last slash of the first n bytes. */
static size_t after_slash(const char *s, size_t n)
{
    while (n && s[n - 1] != '/')
        n--;
    return n;
}

static bool exact(const struct text *t)
{
    size_t last = after_slash(t->s, t->n);
    if (t->str == S_FD_FILE)
        return !last && is_name(t->s, t->n) && add(t, SPOT_LAST, t->s, t->n);
    if (t->n == 1 && t->s[0] == '/')
        return add(t, SPOT_SHALLOW, t->s, 0);
    return is_path(t) &&
           add(t, t->str == S_FD_DIR ? SPOT_DIR : SPOT_LAST, t->s + last, t->n - last);
}

static bool prefix(const struct text *t)
{
    const char *slash = t->n > 1 ? memchr(t->s + 1, '/', t->n - 1) : NULL;
    size_t n = slash ? (size_t)(slash - t->s) - 1 : t->n - 1;
    if (t->str == S_FD_FILE)
        return t->n >= 8 && !memchr(t->s, '/', t->n) && add(t, SPOT_LAST, t->s, 8);
    if (t->n < 2 || t->s[0] != '/' || !is_name(t->s + 1, n))
        return false;
    return add(t, slash || n >= 8 ? SPOT_FIRST : SPOT_PART, t->s + 1, n);
}

static bool suffix(const struct text *t)
{
    size_t last = after_slash(t->s, t->n), n = t->n - last;
    if (!is_name(t->s + last, n))
        return false;
    if (last)
        return add(t, t->str == S_FD_DIR ? SPOT_DIR : SPOT_LAST, t->s + last, n);
    n = n < 8 ? n : 8;
    return t->str != S_FD_DIR && add(t, SPOT_TAIL, t->s + t->n - n, n);
}

/* A run of bytes without a slash. `whole`: a slash stands on both sides; `begun`: before it. */
static bool run_within(const struct text *t, const char *s, size_t n, bool begun, bool whole)
{
    if (!is_name(s, n))
        return false;
    if (whole || (begun && n >= 8))
        return add(t, SPOT_ANY, s, n);
    for (size_t k = 0; k < 8 && n >= WITHIN_MIN; k++)
        add(t, SPOT_WITHIN, s + k, 8);
    return n >= WITHIN_MIN;
}

static bool within(const struct text *t)
{
    size_t at = 0;
    for (size_t i = 0; i <= t->n; i++) {
        if (i < t->n && t->s[i] != '/')
            continue;
        if (run_within(t, t->s + at, i - at, at > 0, at > 0 && i < t->n))
            return true;
        at = i + 1;
    }
    return false;
}

/* Of nameraw what goes up: a component that ends with two dots has them. */
static bool raw(const struct text *t)
{
    return memmem(t->s, t->n, "../", 3) && add(t, SPOT_DOTS, t->s, 0);
}

/* A component that a pattern has as it is. */
static bool is_plain(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strchr("*?[]{}\\", s[i]))
            return false;
    return is_name(s, n);
}

/* Of a pattern: its last component if that is plain (`whole`: nothing may follow), or its first. */
static bool pattern(const struct text *t, bool whole)
{
    size_t last = after_slash(t->s, t->n);
    const char *slash = t->n > 1 ? memchr(t->s + 1, '/', t->n - 1) : NULL;
    size_t n = slash ? (size_t)(slash - t->s) - 1 : t->n - 1;
    if (t->str != S_FD_NAME || t->n < 2 || t->s[0] != '/')
        return false;
    if (whole && is_plain(t->s + last, t->n - last))
        return add(t, SPOT_LAST, t->s + last, t->n - last);
    return (slash || !whole) && is_plain(t->s + 1, n) && add(t, SPOT_FIRST, t->s + 1, n);
}

static bool constant(const struct text *t, enum op_id op)
{
    if (memchr(t->s, 0, t->n))
        return false;
    if (t->str == S_FD_RAW)
        return op == OP_CONTAINS && raw(t);
    if (op == OP_EQ || op == OP_IN || op == OP_INTERSECTS)
        return exact(t);
    if (op == OP_STARTSWITH)
        return prefix(t);
    if (op == OP_ENDSWITH)
        return suffix(t);
    if (op == OP_GLOB || op == OP_PMATCH)
        return pattern(t, op == OP_GLOB);
    return op == OP_CONTAINS && within(t);
}

/* Adds what the path must have where the test is true; false: it cannot be said so. */
static bool test_spots(struct comp *c, const struct where *w, struct spots *out)
{
    const struct atom *a = &c->atoms.v[w->narrow.i ? w->narrow.i : w->atom.i];
    int str = w->slot - N_COUNT;
    bool path = str == S_FD_NAME || str == S_FD_DIR || str == S_FD_FILE || str == S_FD_RAW;
    uint32_t had = out->list.n;
    if (w->shape != SHAPE_TEXT || !path || w->slot2 >= 0 || w->guard != GUARD_NONE || !a->nval ||
        a->nval > VALUES_MAX)
        return false;
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id s = c->values.v[a->val0 + i].text;
        struct text t = {c, out, STR(c, s), STRLEN(c, s), (uint8_t)str};
        if (!constant(&t, a->op)) {
            out->list.n = had;
            return false;
        }
    }
    return true;
}

/* ---- what a rule needs ---- */

/*
 * Follows the rule where each test of `out` is false, and all others are either. True: it cannot
 * match. A test whose true edge leads to no match needs no spot.
 */
static bool rule_spots(struct emit *e, dag_id root, struct spots *out)
{
    struct nodes list = {0};
    e->serial++;
    emit_collect(e, &list, root);
    uint8_t *reached = arena_alloc(e->c->arena, list.id.n + 1);
    for (uint32_t i = 0; i < list.id.n; i++) {
        const struct dag_node *n = &e->c->dag.v[list.id.v[i]];
        const struct where *w = place_where(e->c, n->atom, e->event);
        dag_id to[2] = {emit_decided(e, n->no), emit_decided(e, n->yes)};
        unsigned edges = 2;
        if (i && !reached[i])
            continue;
        if (to[1].i == DAG_FALSE || test_spots(e->c, w, out))
            edges = 1;
        for (unsigned k = 0; k < edges; k++) {
            if (to[k].i == DAG_TRUE)
                return false;
            for (uint32_t j = i + 1; j < list.id.n && is_node(to[k]); j++)
                reached[j] |= list.id.v[j] == to[k].i;
        }
    }
    return true;
}

static int compare_spots(const void *pa, const void *pb)
{
    const struct spot *a = pa, *b = pb;
    if (a->word != b->word)
        return a->word < b->word ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->str < b->str ? -1 : a->str > b->str;
}

static void sort_spots(struct spots *s)
{
    uint32_t n = 0;
    qsort(s->list.v, s->list.n, sizeof(*s->list.v), compare_spots);
    for (uint32_t i = 0; i < s->list.n; i++)
        if (!n || compare_spots(&s->list.v[n - 1], &s->list.v[i]) != 0)
            s->list.v[n++] = s->list.v[i];
    s->list.n = n;
}

static bool same_spots(const struct spots *a, const struct spots *b)
{
    if (a->list.n != b->list.n)
        return false;
    for (uint32_t i = 0; i < a->list.n; i++)
        if (compare_spots(&a->list.v[i], &b->list.v[i]) != 0)
            return false;
    return true;
}

/* ---- the table ---- */

static struct sketch_row *row_of(struct sketch_maker *m, uint64_t word)
{
    for (uint32_t i = 0; i < m->rows.n; i++)
        if (m->rows.v[i].word == word)
            return &m->rows.v[i];
    return NULL;
}

static bool has_room(struct sketch_maker *m, const struct spots *s)
{
    uint32_t n = m->rows.n;
    for (uint32_t i = 0; i < s->list.n; i++)
        n += s->list.v[i].word && !row_of(m, s->list.v[i].word);
    return n <= WORDS_MAX && m->nset < SKETCH_BITS;
}

static uint64_t last_byte(const struct spot *s)
{
    return s->word >> (8 * (s->len - 1));
}

static void put_head(struct sketch_head *h, const struct spot *s, uint64_t bit)
{
    h->name |= s->str == S_FD_NAME ? bit : 0;
    h->dir |= s->str == S_FD_DIR ? bit : 0;
    h->file |= s->str == S_FD_FILE ? bit : 0;
    h->raw |= s->str == S_FD_RAW ? bit : 0;
    h->shallow |= s->kind == SPOT_SHALLOW ? bit : 0;
    h->dots |= s->kind == SPOT_DOTS ? bit : 0;
    h->firsts |= (uint8_t)(s->kind == SPOT_PART ? 1u << (s->len & 7) : 0);
    h->tails |= (uint8_t)(s->kind == SPOT_TAIL ? 1u << (s->len & 7) : 0);
    h->within |= s->kind == SPOT_WITHIN;
    h->part_starts |= (uint16_t)(s->kind == SPOT_PART ? SKETCH_BYTE(s->word) : 0);
    h->tail_ends |= (uint16_t)(s->kind == SPOT_TAIL ? SKETCH_BYTE(last_byte(s)) : 0);
}

static void put_row(struct sketch_row *row, enum spot_kind kind, uint64_t bit)
{
    row->any |= kind == SPOT_ANY ? bit : 0;
    row->last |= kind == SPOT_LAST ? bit : 0;
    row->dir |= kind == SPOT_DIR ? bit : 0;
    row->first |= kind == SPOT_FIRST ? bit : 0;
    row->part |= kind == SPOT_PART ? bit : 0;
    row->tail |= kind == SPOT_TAIL ? bit : 0;
    row->within |= kind == SPOT_WITHIN ? bit : 0;
}

static void put_spot(struct sketch_maker *m, const struct spot *s, uint64_t bit)
{
    struct sketch_row *row = row_of(m, s->word);
    put_head(&m->head, s, bit);
    if (!s->word)
        return;
    if (!row) {
        uint32_t at = VEC_PUSH(m->c->arena, &m->rows, (struct sketch_row){.word = s->word});
        row = &m->rows.v[at];
    }
    put_row(row, s->kind, bit);
}

int sketch_bit(struct sketch_maker *m, struct emit *e, dag_id root)
{
    struct spots s = {0};
    dag_id from = emit_decided(e, root);
    if (!is_node(from) || !rule_spots(e, from, &s) || !s.list.n)
        return SKETCH_NONE;
    sort_spots(&s);
    for (uint32_t i = 0; i < m->nset; i++)
        if (same_spots(&m->sets[i], &s))
            return (int)i;
    if (!has_room(m, &s))
        return SKETCH_NONE;
    for (uint32_t i = 0; i < s.list.n; i++)
        put_spot(m, &s.list.v[i], 1ull << m->nset);
    m->sets[m->nset] = s;
    return (int)m->nset++;
}

/* False: two words of the table fall on one row. */
static bool lay_out(const struct sketch_maker *m, struct sketch_row *out, uint32_t n)
{
    memset(out, 0, n * sizeof(*out));
    memcpy(out, &m->head, sizeof(*out));
    for (uint32_t i = 0; i < m->rows.n; i++) {
        struct sketch_row *row = &out[sketch_place(&m->head, m->rows.v[i].word)];
        if (row->word)
            return false;
        *row = m->rows.v[i];
    }
    return true;
}

void sketch_finish(struct sketch_maker *m)
{
    uint64_t mul = 0x9e3779b97f4a7c15ull;
    if (!m->nset)
        return;
    for (uint8_t bits = 6;; bits++) {
        uint32_t n = 1 + (1u << bits);
        struct sketch_row *out = arena_alloc(m->c->arena, n * sizeof(*out));
        m->head.shift = (uint8_t)(64 - bits);
        for (uint32_t i = 0; i < TRIES && n > m->rows.n; i++) {
            mul = (mul ^ mul >> 29) * 0xbf58476d1ce4e5b9ull;
            m->head.mul = mul | 1;
            if (!lay_out(m, out, n))
                continue;
            for (uint32_t k = 0; k < n; k++)
                VEC_PUSH(m->c->arena, &m->c->sketch, out[k]);
            return;
        }
    }
}
