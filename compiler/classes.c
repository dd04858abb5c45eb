/* SPDX-License-Identifier: Apache-2.0 */
#include "classes.h"

#include <errno.h>
#include <string.h>

#include "arena.h"
#include "intern.h"

#define NODES_MAX (1u << 23) /* a node's number and its lengths must fit an int of the kernel's */
#define KICKS_MAX 500
#define SEEDS 8 /* tried before there are more buckets */

struct classes_maker *classes_new(struct comp *c)
{
    struct classes_maker *m = arena_alloc(c->arena, sizeof(*m));
    m->c = c;
    m->edges_index.arena = m->tests_index.arena = c->arena;
    m->root_of = arena_alloc(c->arena, (c->atoms.n + 1) * sizeof(*m->root_of));
    m->test_of = arena_alloc(c->arena, (c->dag.n + 1) * sizeof(*m->test_of));
    m->test_row = arena_alloc(c->arena, (c->dag.n + 1) * sizeof(*m->test_row));
    VEC_PUSH(c->arena, &m->edges, (struct class_edge){0});
    VEC_PUSH(c->arena, &m->lengths, 0);
    c->class_edges.n = c->class_tests.n = c->class_cands.n = c->class_rows.n = 0;
    c->keys.n = c->ranks.n = 0;
    VEC_PUSH(c->arena, &c->class_rows, (struct class_row){0});
    return m;
}

/* ---- tries ---- */

struct wanted {
    const struct classes_maker *m;
    uint64_t word;
    uint32_t from;
};

static bool same_edge(const void *ctx, uint32_t id)
{
    const struct wanted *w = ctx;
    const struct class_edge *e = &w->m->edges.v[id];
    return e->from == w->from && e->word == w->word;
}

/* The edge, made if there is none. */
static struct class_edge *edge_at(struct classes_maker *m, uint64_t word, uint32_t from)
{
    struct wanted w = {m, word, from};
    uint64_t hash = class_hash(CONS_SEED, word, from);
    uint32_t id = cons_find(&m->edges_index, hash, same_edge, &w);
    if (!id) {
        id = VEC_PUSH(m->c->arena, &m->edges, (struct class_edge){.word = word, .from = from});
        cons_add(&m->edges_index, hash, id);
    }
    return &m->edges.v[id];
}

uint32_t trie_new(struct classes_maker *m)
{
    return VEC_PUSH(m->c->arena, &m->lengths, 0);
}

void trie_put(struct classes_maker *m, uint32_t trie, const char *bytes, size_t len, uint32_t value)
{
    for (; len >= 8; bytes += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        struct class_edge *e = edge_at(m, word, trie << 4 | 8);
        e->to = e->to ? e->to : trie_new(m);
        trie = e->to;
    }
    uint64_t word = 0;
    memcpy(&word, bytes, len);
    edge_at(m, word, trie << 4 | (uint32_t)len)->to = value;
    m->lengths.v[trie] = (uint8_t)(m->lengths.v[trie] | 1u << len);
}

void trie_put_start(struct classes_maker *m, uint32_t trie, const char *bytes, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, bytes, len < CLASS_START_LEN ? len : CLASS_START_LEN);
    if (len >= CLASS_START_LEN)
        edge_at(m, word, trie << 4 | CLASS_START)->to = 1;
}

void trie_put_number(struct classes_maker *m, uint32_t trie, uint64_t num, uint32_t value)
{
    edge_at(m, num, trie << 4 | CLASS_OF_NUM)->to = value;
}

uint32_t trie_node(const struct classes_maker *m, uint32_t trie)
{
    return trie << 8 | m->lengths.v[trie];
}

const char *class_backwards(struct comp *c, const char *bytes, size_t len)
{
    char *back = arena_alloc(c->arena, len + 1);
    for (size_t i = 0; i < len; i++)
        back[i] = bytes[len - 1 - i];
    return back;
}

enum class_how class_how_of(enum op_id op)
{
    return op == OP_STARTSWITH ? CLASS_PREFIX : op == OP_ENDSWITH ? CLASS_SUFFIX : CLASS_EXACT;
}

static void put_value(struct classes_maker *m, uint32_t trie, const struct value *v,
                      enum class_how how)
{
    if (v->kind != VAL_TEXT) {
        trie_put(m, trie, (const char *)v->addr, v->family == 4 ? 4 : 16, 1);
        return;
    }
    const char *bytes = STR(m->c, v->text);
    size_t len = STRLEN(m->c, v->text);
    trie_put(m, trie, how == CLASS_SUFFIX ? class_backwards(m->c, bytes, len) : bytes, len, 1);
}

uint32_t trie_of_atom(struct classes_maker *m, atom_id id, enum class_how how)
{
    const struct atom *a = &m->c->atoms.v[id.i];
    if (!m->root_of[id.i]) {
        m->root_of[id.i] = trie_new(m);
        for (uint32_t i = 0; i < a->nval; i++)
            put_value(m, m->root_of[id.i], &m->c->values.v[a->val0 + i], how);
    }
    return trie_node(m, m->root_of[id.i]);
}

/* ---- laying out ---- */

struct hashing {
    struct class_bucket *buckets; /* the first one follows the head */
    uint32_t mask;
    uint64_t seed;
};

static struct class_edge *free_row(struct class_bucket *b)
{
    for (int i = 0; i < CLASS_BUCKET; i++)
        if (!b->edge[i].from)
            return &b->edge[i];
    return NULL;
}

/* Puts an edge into one of its two buckets; what is in the way goes to its other one. */
static bool place(struct hashing *h, struct class_edge e)
{
    uint64_t hash = class_hash(h->seed, e.word, e.from);
    uint32_t at = (uint32_t)hash & h->mask;
    if (!free_row(&h->buckets[at]))
        at = (uint32_t)(hash >> 32) & h->mask;
    for (uint32_t kick = 0; kick < KICKS_MAX; kick++) {
        struct class_edge *row = free_row(&h->buckets[at]);
        if (row) {
            *row = e;
            return true;
        }
        row = &h->buckets[at].edge[(kick * 7 + at) % CLASS_BUCKET];
        struct class_edge out = *row;
        *row = e;
        e = out;
        hash = class_hash(h->seed, e.word, e.from);
        uint32_t one = (uint32_t)hash & h->mask, two = (uint32_t)(hash >> 32) & h->mask;
        at = at == one ? two : one;
    }
    return false;
}

static bool place_all(const struct classes_maker *m, struct hashing *h)
{
    memset(h->buckets, 0, ((size_t)h->mask + 1) * sizeof(*h->buckets));
    for (uint32_t i = 1; i < m->edges.n; i++)
        if (!place(h, m->edges.v[i]))
            return false;
    return true;
}

/* Edges between nodes tell the lengths that end at the node, now that they are known. */
static void finish_nodes(struct classes_maker *m)
{
    for (uint32_t i = 1; i < m->edges.n; i++)
        if ((m->edges.v[i].from & 15) == 8)
            m->edges.v[i].to = trie_node(m, m->edges.v[i].to);
}

int classes_finish(struct classes_maker *m)
{
    struct comp *c = m->c;
    if (m->lengths.n > NODES_MAX)
        return -E2BIG;
    if (m->edges.n == 1)
        return 0;
    finish_nodes(m);
    uint32_t n = 1;
    while (n < m->edges.n / 3)
        n *= 2;
    for (;; n *= 2) {
        struct class_bucket *rows = arena_alloc(c->arena, (n + 1) * sizeof(*rows));
        struct hashing h = {.buckets = rows + 1, .mask = n - 1};
        for (h.seed = 1; h.seed <= SEEDS; h.seed++) {
            if (place_all(m, &h)) {
                rows[0].edge[0] = (struct class_edge){.word = h.seed, .from = h.mask};
                c->class_edges.v = rows;
                c->class_edges.n = c->class_edges.cap = n + 1;
                return 0;
            }
        }
    }
}
