/* SPDX-License-Identifier: Apache-2.0 */
#include "reach.h"

#include "place.h"

static bool overlaps(const struct num_test *t, const struct assume *k)
{
    if (t->kind == NT_MASK && t->b & k->clear)
        return false;
    if (t->kind == NT_MASK && k->low == k->high)
        return ((uint64_t)k->low & t->a) == t->b;
    if (t->kind == NT_MASK)
        return t->a != UINT64_MAX || ((int64_t)t->b >= k->low && (int64_t)t->b <= k->high);
    if (t->kind == NT_SIGNED)
        return (int64_t)t->a <= k->high && (int64_t)t->b >= k->low;
    return t->a <= (uint64_t)k->high && t->b >= (uint64_t)k->low;
}

static bool covers(const struct num_test *t, const struct assume *k)
{
    if (t->kind == NT_MASK && k->low == k->high)
        return ((uint64_t)k->low & t->a) == t->b;
    if (t->kind == NT_MASK)
        return !(t->a & ~k->clear) && !t->b;
    if (t->kind == NT_SIGNED)
        return (int64_t)t->a <= k->low && (int64_t)t->b >= k->high;
    return t->a <= (uint64_t)k->low && t->b >= (uint64_t)k->high;
}

struct outcomes reach_atom(const struct comp *c, atom_id a, enum event_id event,
                           const struct assume *known, unsigned n)
{
    const struct where *w = place_where(c, a, event);
    const struct assume *k = NULL;
    bool some = false, all = false;
    for (unsigned i = 0; w && i < n; i++)
        if (w->shape == SHAPE_NUM && w->slot2 < 0 && w->slot == known[i].slot)
            k = &known[i];
    if (!k || (c->atoms.v[a.i].op == OP_EXISTS && !w->ntest))
        return (struct outcomes){true, true};
    for (uint32_t i = 0; i < w->ntest; i++) {
        const struct num_test *t = &c->tests.v[w->test0 + i];
        some = some || overlaps(t, k);
        all = all || covers(t, k);
    }
    return w->negate ? (struct outcomes){!all, some} : (struct outcomes){some, !all};
}
