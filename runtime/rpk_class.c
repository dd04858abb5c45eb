/* SPDX-License-Identifier: Apache-2.0 */
/* What the validator holds against the tables of classes. */
#include <stdbool.h>

#include "rpk.h"

static const char *key_wrong(const struct rpk *r, uint32_t i)
{
    const struct rpk_key *k = &r->keys[i];

    if (k->ref >= r->head->refs.n || k->how > CLASS_WITHIN)
        return "no such value";
    return rpk_rows_exist(k->rank0, k->nrank, r->head->ranks.n) ? NULL
                                                                : "roots outside their table";
}

/* Row 0 tells how many buckets follow: a power of two, so that a mask finds one. */
static bool buckets_ok(const struct rpk *r)
{
    uint64_t n = (uint64_t)r->class_edges[0].edge[0].from + 1;

    return n == r->head->class_edges.n - 1 && (n & (n - 1)) == 0;
}

static bool sketch_ok(const struct rpk *r)
{
    const struct sketch_head *h = (const void *)r->sketch;

    return h->shift >= 32 && h->shift < 64 && r->head->sketch.n == 1 + (1ull << (64 - h->shift));
}

static const char *class_wrong(const struct rpk *r, uint32_t i)
{
    const struct class_row *c = &r->class_rows[i];

    return rpk_rows_exist(c->cand0, c->ncand, r->head->class_cands.n) ? NULL
                                                                      : "rules outside their table";
}

static bool back_ok(uint32_t to, uint32_t below)
{
    return to >= CLASS_PASS || to < below;
}

static const char *cand_wrong(const struct rpk *r, uint32_t i)
{
    const struct class_cand *c = &r->class_cands[i];
    bool good = c->rule < r->head->rules.n && c->root < RULES_MAX &&
                back_ok(c->test, r->head->class_tests.n);

    return good ? NULL : "no such rule or test";
}

static const char *test_wrong(const struct rpk *r, uint32_t i)
{
    const struct class_test *t = &r->class_tests[i];

    if (!back_ok(t->yes, i) || !back_ok(t->no, i) || !back_ok(t->absent, i) ||
        !back_ok(t->maybe, i))
        return "an edge does not lead back";
    return t->kind < CT_KINDS && t->slot < SLOT_COUNT ? NULL : "no such test";
}

/*
 * A rank and a candidate's root need not be roots of each event that leads to them, since events
 * share keys: table.c passes over those that are none.
 */
const char *rpk_class_wrong(const struct rpk *r, enum rpk_class_table table, uint32_t row)
{
    switch (table) {
    case RPK_KEY:
        return key_wrong(r, row);
    case RPK_RANK:
        return r->ranks[row] < RULES_MAX ? NULL : "more than a bundle can hold";
    case RPK_BUCKET:
        return row || buckets_ok(r) ? NULL : "it tells another number of buckets";
    case RPK_CLASS:
        return class_wrong(r, row);
    case RPK_CAND:
        return cand_wrong(r, row);
    case RPK_CLASS_TEST:
        return test_wrong(r, row);
    case RPK_SKETCH:
        return row || sketch_ok(r) ? NULL : "it tells another number of rows";
    }
    return NULL;
}
