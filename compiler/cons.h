/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash-consing: equal things are one. A table of indexes into the caller's own array; the caller
 * hashes and compares. Nothing that is printed or stored follows the table's order.
 */
#ifndef RULEC_CONS_H
#define RULEC_CONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct cons {
    struct arena *arena;
    struct cons_slot {
        uint64_t hash;
        uint32_t id;
    } * slots;
    uint32_t n, cap; /* cap: a power of two, or 0 */
};

/* True if element `id` is what the caller is looking for. */
typedef bool cons_same(const void *ctx, uint32_t id);

/* The id that was added under `hash` and is the same, or 0. */
uint32_t cons_find(const struct cons *t, uint64_t hash, cons_same *same, const void *ctx);
/* Adds `id` (not 0), which must not be in the table yet. */
void cons_add(struct cons *t, uint64_t hash, uint32_t id);

/* FNV-1a over bytes; chain calls, from CONS_SEED. */
#define CONS_SEED 0xcbf29ce484222325ull
uint64_t cons_hash(uint64_t h, const void *bytes, size_t len);
uint64_t cons_hash_u32(uint64_t h, uint32_t v);

#endif
