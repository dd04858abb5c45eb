/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an event costs, expected: many events are drawn, in each of which every atom holds or does
 * not by its odds, the same in all rules; each is led through the filter as generated code would
 * lead it. Drawing is by a hash of atom and number, so that the same rules give the same figures.
 */
#include <string.h>

#include "../bpf/lore.h"
#include "arena.h"
#include "cost.h"
#include "lore.h"
#include "place.h"

#define DRAWS_MIN 64u
#define DRAWS_MAX 1024u
#define WORK 60000u     /* roots that are tried, about */
#define FOUND_MOST 500u /* of a thousand look-ups, however many rules there are, find one */

struct draw {
    struct comp *c;
    const struct event_rules *row;
    uint32_t number, of;
    uint64_t filled; /* groups, by enum slot_group */
    unsigned told;   /* lore that was looked for: bit per kind */
    double cost;     /* of this event, so far */
    double *by_root; /* of all events: what each of the row's roots paid */
    double *by_atom; /* the same by atom, of the root `watched` alone; NULL: none is */
    uint32_t watched;
    uint32_t *key_of;  /* by root: 1 + the key of comp.keys that it is found by, or 0 */
    atom_id *key_atom; /* by root: its test by that key */
};

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u; /* splitmix64, of Steele, Lea and Flood */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static bool holds(const struct draw *d, atom_id a)
{
    return mix((uint64_t)d->number << 32 | a.i) % 1000 < cost_prior(d->c, a);
}

static void pay(struct draw *d, uint32_t root, atom_id a, uint32_t cost)
{
    d->cost += cost;
    d->by_root[root] += cost;
    if (d->by_atom && d->watched == root)
        d->by_atom[a.i] += cost;
}

static void fill(struct draw *d, uint32_t root, atom_id a, enum slot_group g)
{
    if (!(d->filled >> g & 1)) {
        d->filled |= 1ull << g;
        pay(d, root, a, cost_group(g));
    }
}

/* What user space has told is looked up once for an event, by all of a key; each test is a bit. */
static void pay_lore(struct draw *d, uint32_t root, atom_id a, const struct where *w)
{
    uint64_t groups = lore_groups((enum lore_kind)w->lore);
    for (unsigned g = 0; g < G_COUNT && !(d->told >> w->lore & 1); g++)
        if (groups >> g & 1)
            fill(d, root, a, (enum slot_group)g);
    if (!(d->told >> w->lore & 1)) {
        pay(d, root, a,
            cost_test(COST_TEST_LOOKUP) +
                (uint32_t)LORE_KEY_WORDS * cost_test(COST_TEST_LOOKUP_WORD));
    }
    d->told |= 1u << w->lore;
    pay(d, root, a, cost_test(COST_TEST_NUM));
}

/* Pays for the atom's value and for its test; `looked_up`: a table follows the rule's tests. */
static void pay_test(struct draw *d, uint32_t root, atom_id a, const struct where *w,
                     bool looked_up)
{
    const struct atom *at = &d->c->atoms.v[w->narrow.i ? w->narrow.i : a.i];
    if (w->shape == SHAPE_LORE) {
        pay_lore(d, root, a, w);
        return;
    }
    if (w->shape == SHAPE_ANC || w->shape == SHAPE_ANC_ANY)
        fill(d, root, a, G_ANC);
    else
        fill(d, root, a, catalog_slot((unsigned)w->slot)->group);
    if (w->slot2 >= 0)
        fill(d, root, a, catalog_slot((unsigned)w->slot2)->group);
    uint32_t cost = cost_of_test(d->c, at);
    pay(d, root, a, looked_up ? cost + cost_test(COST_TEST_ROW) : cost);
}

/* Only user space decides: the literal passes. */
static bool is_left(const struct dag_node *n, const struct where *w)
{
    return w->place == PLACE_USER || (w->narrow.i && n->neg);
}

/* One rule, on the event that was drawn: true if the filter lets it through. */
static bool passes(struct draw *d, uint32_t root)
{
    const struct class_key *key = d->key_of[root] ? &d->c->keys.v[d->key_of[root] - 1] : NULL;
    dag_id at = d->c->roots.v[d->row->root0 + root].root;
    while (at.i < DAG_TRUE) {
        const struct dag_node *n = &d->c->dag.v[at.i];
        const struct where *w = place_where(d->c, n->atom, d->row->event);
        bool yes;
        if (is_left(n, w)) {
            yes = !n->neg;
        } else if (key && n->atom.i == d->key_atom[root].i) {
            yes = true; /* or it would not have been found */
        } else {
            pay_test(d, root, n->atom, w, key && key->table);
            yes = holds(d, n->atom);
        }
        at = yes ? n->yes : n->no;
    }
    return at.i == DAG_TRUE;
}

/* ---- rules that are found by a key ---- */

/* What the root tests of the key's value: on every way to a match, so on that of all literals. */
static atom_id test_by_key(const struct draw *d, uint32_t root, const struct class_key *key)
{
    const struct comp *c = d->c;
    const struct field_ref *want = &c->atoms.v[key->atom.i].lhs;
    dag_id at = c->roots.v[d->row->root0 + root].root;
    while (at.i < DAG_TRUE) {
        const struct dag_node *n = &c->dag.v[at.i];
        const struct field_ref *f = &c->atoms.v[n->atom.i].lhs;
        if (!n->neg && f->field == want->field && f->index == want->index)
            return n->atom;
        at = n->neg ? n->no : n->yes;
    }
    return (atom_id){0};
}

static void find_keys(struct draw *d)
{
    const struct comp *c = d->c;
    for (uint32_t k = d->row->key0; k < d->row->key0 + d->row->nkey; k++) {
        const struct class_key *key = &c->keys.v[k];
        for (uint32_t i = 0; i < key->nrank; i++) {
            uint32_t root = c->ranks.v[key->rank0 + i];
            d->key_of[root] = k + 1;
            d->key_atom[root] = test_by_key(d, root, key);
        }
    }
}

/* The look-up that finds the rules of a key: the first of them pays. */
static void pay_key(struct draw *d, const struct class_key *key)
{
    const struct where *w = place_where(d->c, key->atom, d->row->event);
    uint32_t root = d->c->ranks.v[key->rank0], cost = cost_test(COST_TEST_LIST);
    if (w && w->slot >= 0)
        fill(d, root, key->atom, catalog_slot((unsigned)w->slot)->group);
    for (uint32_t n = key->nrank; n > 8; n /= 2)
        cost += cost_test(COST_TEST_LIST_STEP);
    if (key->how == CLASS_WITHIN)
        cost = 40 * cost_test(COST_TEST_LOOKUP); /* from each byte of the text on */
    else if (key->table)
        cost = cost_test(COST_TEST_LOOKUP) + 4 * cost_test(COST_TEST_LOOKUP_WORD);
    pay(d, root, key->atom, cost);
}

/* ---- one event ---- */

static bool is_on(const struct draw *d, uint32_t root)
{
    return d->c->rules.v[d->c->roots.v[d->row->root0 + root].rule.i].enabled;
}

/* A value is one of the constants at most: now and then a rule is found, and then any of them. */
static bool judge_key(struct draw *d, const struct class_key *key)
{
    uint64_t random = mix((uint64_t)d->number << 32 | ~key->atom.i);
    uint32_t root = d->c->ranks.v[key->rank0 + (random >> 32) % key->nrank];
    uint64_t odds = (uint64_t)key->nrank * cost_prior(d->c, d->key_atom[root]);
    pay_key(d, key);
    return random % 1000 < (odds < FOUND_MOST ? odds : FOUND_MOST) && is_on(d, root) &&
           passes(d, root);
}

/* All keys are asked; of the other rules, the first that lets the event through ends it. */
static void judge(struct draw *d)
{
    const struct event_rules *row = d->row;
    bool passed = false;
    for (uint32_t k = row->key0; k < row->key0 + row->nkey; k++)
        passed = judge_key(d, &d->c->keys.v[k]) || passed;
    for (uint32_t i = 0; i < row->nroot && !passed; i++)
        passed = !d->key_of[i] && is_on(d, i) && passes(d, i);
}

/* The mean. What it costs to send an event is left out: few are, fewer than odds of single tests
 * tell. */
static double draw_all(struct draw *d)
{
    double sum = 0;
    memset(d->by_root, 0, (d->row->nroot + 1) * sizeof(*d->by_root));
    for (d->number = 0; d->number < d->of; d->number++) {
        d->filled = 1ull << G_EVENT;
        d->told = 0;
        d->cost = cost_base(COST_BASE_JUDGE);
        judge(d);
        sum += d->cost;
    }
    return sum / d->of;
}

/* ---- who costs most ---- */

static uint32_t greatest(const double *v, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        best = v[i] > v[best] ? i : best;
    return best;
}

/* Where the rule has the atom; tests that became one have no place of their own. */
static span_id place_of(const struct comp *c, node_id id, atom_id a)
{
    const struct node *n = &c->nodes.v[id.i];
    if (n->kind == NODE_TEST && n->atom.i == a.i)
        return n->at;
    for (uint32_t i = 0; i < n->nkid; i++) {
        span_id at = place_of(c, c->kids.v[n->kid0 + i], a);
        if (at.i)
            return at;
    }
    return (span_id){0};
}

static void find_dearest(struct draw *d, struct estimate *out)
{
    struct comp *c = d->c;
    if (!d->row->nroot)
        return;
    d->watched = greatest(d->by_root, d->row->nroot);
    d->by_atom = arena_alloc(c->arena, (c->atoms.n + 1) * sizeof(*d->by_atom));
    draw_all(d);
    out->rule = c->roots.v[d->row->root0 + d->watched].rule;
    out->rule_units = d->by_root[d->watched] / d->of / COST_UNIT;
    out->atom = (atom_id){greatest(d->by_atom, c->atoms.n)};
    out->atom_units = d->by_atom[out->atom.i] / d->of / COST_UNIT;
    out->at = place_of(c, c->rules.v[out->rule.i].condition, out->atom);
    if (!out->at.i)
        out->at = c->rules.v[out->rule.i].at;
}

struct estimate cost_estimate(struct comp *c, const struct event_rules *row)
{
    struct estimate out = {0};
    uint32_t draws = WORK / (row->nroot + 1);
    struct draw d = {.c = c,
                     .row = row,
                     .of = draws < DRAWS_MIN   ? DRAWS_MIN
                           : draws > DRAWS_MAX ? DRAWS_MAX
                                               : draws};
    d.by_root = arena_alloc(c->arena, (row->nroot + 1) * sizeof(*d.by_root));
    d.key_of = arena_alloc(c->arena, (row->nroot + 1) * sizeof(*d.key_of));
    d.key_atom = arena_alloc(c->arena, (row->nroot + 1) * sizeof(*d.key_atom));
    find_keys(&d);
    out.units = draw_all(&d) / COST_UNIT;
    find_dearest(&d, &out);
    return out;
}
