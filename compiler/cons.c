/* SPDX-License-Identifier: Apache-2.0 */
#include "cons.h"

#include "arena.h"

#define FNV_PRIME 0x100000001b3ull

uint64_t cons_hash(uint64_t h, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * FNV_PRIME;
    return h;
}

uint64_t cons_hash_u32(uint64_t h, uint32_t v)
{
    h = (h ^ v) * FNV_PRIME;
    return h ^ h >> 29;
}

uint32_t cons_find(const struct cons *t, uint64_t hash, cons_same *same, const void *ctx)
{
    if (!t->cap)
        return 0;
    uint32_t mask = t->cap - 1;
    for (uint32_t i = (uint32_t)hash & mask; t->slots[i].id; i = (i + 1) & mask)
        if (t->slots[i].hash == hash && same(ctx, t->slots[i].id))
            return t->slots[i].id;
    return 0;
}

static void put(struct cons *t, uint64_t hash, uint32_t id)
{
    uint32_t mask = t->cap - 1, i = (uint32_t)hash & mask;
    while (t->slots[i].id)
        i = (i + 1) & mask;
    t->slots[i] = (struct cons_slot){hash, id};
}

static void grow(struct cons *t)
{
    struct cons_slot *old = t->slots;
    uint32_t n = t->cap;
    t->cap = n ? n * 2 : 64;
    t->slots = arena_alloc(t->arena, t->cap * sizeof(*t->slots));
    for (uint32_t i = 0; i < n; i++)
        if (old[i].id)
            put(t, old[i].hash, old[i].id);
}

void cons_add(struct cons *t, uint64_t hash, uint32_t id)
{
    if ((t->n + 1) * 4 > t->cap * 3)
        grow(t);
    put(t, hash, id);
    t->n++;
}
