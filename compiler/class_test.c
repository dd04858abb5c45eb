/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule's tests as rows that class_judge() follows. Edges mean what those of generated code mean
 * (emit.h). Made from the last test to the first, so that equal ends of rules are one.
 */
#include <string.h>

#include "arena.h"
#include "classes.h"
#include "intern.h"
#include "place.h"

/* Where the outcomes of a test lead: rows or terminals. */
struct leads {
    uint32_t yes, no, absent, maybe;
};

/* An atom with the place of its value. */
struct subject {
    struct classes_maker *m;
    atom_id id;
    const struct atom *at;
    const struct where *w;
};

static uint64_t groups_of(const struct classes_maker *m, uint32_t test)
{
    return test >= CLASS_PASS ? 0 : m->test_groups.v[test];
}

uint64_t class_groups_of(const struct classes_maker *m, uint32_t test)
{
    return groups_of(m, test);
}

struct wanted_test {
    const struct comp *c;
    struct class_test test;
};

static bool same_test(const void *ctx, uint32_t id)
{
    const struct wanted_test *w = ctx;
    return !memcmp(&w->test, &w->c->class_tests.v[id - 1], sizeof(w->test));
}

/* The one row of such a test. */
static uint32_t put_test(struct classes_maker *m, struct class_test t, struct leads to)
{
    t.yes = to.yes;
    t.no = to.no;
    t.absent = to.absent;
    t.maybe = to.maybe;
    struct wanted_test w = {m->c, t};
    uint64_t hash = cons_hash(CONS_SEED, &t, sizeof(t));
    hash ^= hash >> 32;
    uint32_t id = cons_find(&m->tests_index, hash, same_test, &w);
    if (!id) {
        uint64_t own = t.kind == CT_ANC ? 1ull << G_ANC : 1ull << catalog_slot(t.slot)->group;
        own |= groups_of(m, to.yes) | groups_of(m, to.no) | groups_of(m, to.absent) |
               groups_of(m, to.maybe);
        id = VEC_PUSH(m->c->arena, &m->c->class_tests, t) + 1;
        VEC_PUSH(m->c->arena, &m->test_groups, own);
        cons_add(&m->tests_index, hash, id);
    }
    return id - 1;
}

typedef uint32_t put_side(const struct subject *s, unsigned slot, struct leads to);

/* One side of a value or both: see emit_sides(). */
static uint32_t put_sides(const struct subject *s, struct leads to, put_side *side)
{
    if (s->w->slot2 < 0)
        return side(s, (unsigned)s->w->slot, to);
    bool all = s->at->op == OP_NE;
    struct leads second = to, first = to;
    second.absent = all ? to.yes : to.no;
    uint32_t then = side(s, (unsigned)s->w->slot2, second);
    first.absent = all ? side(s, (unsigned)s->w->slot2, to) : then;
    first.yes = all ? then : to.yes;
    first.no = all ? to.no : then;
    return side(s, (unsigned)s->w->slot, first);
}

static uint32_t put_exists(const struct subject *s, unsigned slot, struct leads to)
{
    return put_test(s->m, (struct class_test){.kind = CT_EXISTS, .slot = (uint8_t)slot}, to);
}

static uint32_t put_number(const struct subject *s, unsigned slot, struct leads to)
{
    static const uint8_t kinds[] = {
        [NT_MASK] = CT_MASK, [NT_SIGNED] = CT_SIGNED, [NT_UNSIGNED] = CT_UNSIGNED};
    const struct num_test *t = s->m->c->tests.v + s->w->test0;
    struct leads step = to;
    uint32_t at = s->w->negate ? to.yes : to.no;
    step.yes = s->w->negate ? to.no : to.yes;
    for (uint32_t i = s->w->ntest; i--;) {
        struct class_test row = {
            .kind = kinds[t[i].kind], .slot = (uint8_t)slot, .a = t[i].a, .b = t[i].b};
        step.no = at;
        at = put_test(s->m, row, step);
    }
    return at;
}

static uint32_t put_find(const struct subject *s, unsigned slot, struct leads to)
{
    enum class_how how = class_how_of(s->at->op);
    struct class_test t = {.kind = CT_FIND, .slot = (uint8_t)slot, .b = how};
    struct leads turned = to;
    t.arg = trie_of_atom(s->m, s->id, how);
    t.a = emit_text_off(slot);
    if (s->at->op == OP_NE) {
        turned.yes = to.no;
        turned.no = to.yes;
    }
    return put_test(s->m, t, turned);
}

static uint32_t put_name(const struct subject *s, struct leads to)
{
    struct class_test t = {.kind = CT_NAME, .slot = (uint8_t)s->w->slot, .arg = s->w->set};
    struct leads turned = to;
    if (s->at->op == OP_NE) {
        turned.yes = to.no;
        turned.no = to.yes;
    }
    return put_test(s->m, t, turned);
}

/* Contains one of the constants. */
static uint32_t put_contains(const struct subject *s, struct leads to)
{
    uint32_t at = to.no;
    for (uint32_t i = s->at->nval; i--;) {
        struct class_test t = {.kind = CT_CONTAINS,
                               .slot = (uint8_t)s->w->slot,
                               .arg = s->m->c->value_pattern.v[s->w->pattern0 + i],
                               .b = s->at->op == OP_ICONTAINS};
        struct leads step = to;
        step.no = at;
        at = put_test(s->m, t, step);
    }
    return at;
}

static bool is_equal_op(enum op_id op)
{
    return op == OP_EQ || op == OP_NE || op == OP_IN || op == OP_INTERSECTS;
}

/* One of the constants is enough, or with OP_NE none may hold. */
static bool is_any(const struct atom *at)
{
    if (at->op == OP_NE)
        return at->mod == MOD_NONE || at->mod == MOD_ALLOF;
    return at->op == OP_IN || at->op == OP_INTERSECTS || at->mod == MOD_ANYOF ||
           (at->mod == MOD_NONE && (at->nval == 1 || at->op == OP_EQ));
}

static bool can_test_text(const struct atom *at, const struct where *w)
{
    if (at->op == OP_EXISTS)
        return true;
    return w->guard == GUARD_NONE && at->nval > 0 && is_any(at) &&
           (is_equal_op(at->op) || at->op == OP_STARTSWITH || at->op == OP_ENDSWITH ||
            at->op == OP_CONTAINS || at->op == OP_ICONTAINS);
}

static bool can_test_addr(const struct comp *c, const struct atom *at)
{
    bool plain = is_equal_op(at->op) && at->mod == MOD_NONE;
    for (uint32_t i = 0; i < at->nval; i++)
        plain = plain && c->values.v[at->val0 + i].kind == VAL_IP;
    return plain || at->op == OP_EXISTS;
}

bool class_can_test(const struct comp *c, const struct atom *at, const struct where *w)
{
    switch ((enum shape)w->shape) {
    case SHAPE_NUM:
        return true;
    case SHAPE_TEXT:
        return can_test_text(at, w);
    case SHAPE_ADDR:
        return can_test_addr(c, at);
    case SHAPE_ANC_ANY:
        return at->op != OP_EXISTS && w->set != NO_SET;
    case SHAPE_ANC:
    case SHAPE_LORE:
    case SHAPE_NONE:
        break;
    }
    return false;
}

static uint32_t put_text(const struct subject *s, struct leads to)
{
    if (s->at->op == OP_EXISTS)
        return put_exists(s, (unsigned)s->w->slot, to);
    if (s->w->set != NO_SET)
        return put_name(s, to);
    return s->w->pattern0 != NO_PATTERN ? put_contains(s, to)
                                        : put_find(s, (unsigned)s->w->slot, to);
}

static uint32_t put_anc(const struct subject *s, struct leads to)
{
    struct class_test t = {.kind = CT_ANC, .arg = s->w->set, .b = s->at->op == OP_NE};
    return put_test(s->m, t, to);
}

static uint32_t put_atom(const struct subject *s, struct leads to)
{
    bool exists = s->at->op == OP_EXISTS;
    if (!class_can_test(s->m->c, s->at, s->w))
        return to.maybe;
    if (s->w->shape == SHAPE_NUM)
        return put_sides(s, to, exists && !s->w->ntest ? put_exists : put_number);
    if (s->w->shape == SHAPE_ADDR)
        return put_sides(s, to, exists ? put_exists : put_find);
    return s->w->shape == SHAPE_TEXT ? put_text(s, to) : put_anc(s, to);
}

static uint32_t put_test_of(struct emit *e, atom_id id, struct leads to)
{
    const struct where *w = place_where(e->c, id, e->event);
    struct subject s = {e->classes, id, &e->c->atoms.v[id.i], w};
    if (w->narrow.i) { /* where the other test is true, this one may be */
        s.id = w->narrow;
        s.at = &e->c->atoms.v[w->narrow.i];
        to.yes = to.maybe;
    }
    return put_atom(&s, to);
}

static uint32_t lead(struct emit *e, dag_id d)
{
    d = emit_decided(e, d);
    return is_node(d) ? e->classes->test_of[d.i] : d.i == DAG_TRUE ? CLASS_PASS : CLASS_FAIL;
}

uint32_t class_tests_of(struct emit *e, dag_id root, uint32_t event_row)
{
    struct classes_maker *m = e->classes;
    struct nodes list = {0};
    uint32_t last_known = e->known[0].i > e->known[1].i ? e->known[0].i : e->known[1].i;
    e->serial++;
    root = emit_decided(e, root);
    if (is_node(root))
        emit_collect(e, &list, root);
    for (uint32_t i = list.id.n; i--;) {
        uint32_t id = list.id.v[i];
        /* Behind the tests that this rule is known to pass, it is what it is for every rule. */
        if (id > last_known && m->test_row[id] == event_row + 1)
            continue;
        const struct dag_node *n = &e->c->dag.v[id];
        struct leads to = {.yes = lead(e, n->yes), .no = lead(e, n->no)};
        to.absent = to.no;
        to.maybe = n->neg ? to.no : to.yes;
        m->test_of[id] = to.yes == to.no ? to.yes : put_test_of(e, n->atom, to);
        m->test_row[id] = id > last_known ? event_row + 1 : 0;
    }
    return lead(e, root);
}
