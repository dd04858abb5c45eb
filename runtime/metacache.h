/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata by container, kept once it is known.
 *
 * A container that is asked for is looked up in the files of the engines that its id can belong
 * to, at once. If they exist and do not know it, it is PENDING: metacache_retry() looks again, at
 * growing intervals, until `wait_ns` have passed. Then nobody knows it; it is looked up again when
 * it is asked for after a second. The files of containers whose ids people choose are looked at
 * each time they are asked for, since an id may be used again.
 *
 * A fixed number of containers; the one not asked for longest makes room. No allocation after
 * metacache_new().
 */
#ifndef RULEC_METACACHE_H
#define RULEC_METACACHE_H

#include "engine.h"

#define METACACHE_SIZE 1024
#define METACACHE_ROOTS 32
#define METACACHE_GIVEN 24 /* of them, those from the command line */

struct metacache_root {
    enum engine_id engine;
    const char *path; /* absolute; outlives the cache */
};

/* Roots to look in; an engine that is not among them is looked for in its default places. */
struct metacache_options {
    struct metacache_root root[METACACHE_ROOTS];
    unsigned nroot;
    uint64_t wait_ns;
};

enum meta_state { META_FREE, META_PENDING, META_KNOWN, META_NOBODY };

struct metacache_stats {
    uint64_t known, nobody;   /* containers, each time one became it */
    uint64_t waited, expired; /* of `known`, those after waiting; of `nobody`, likewise */
    uint64_t longest_ns;      /* from the first question to the answer */
    uint64_t reads, evicted;
};

struct metacache;
/* A handle to a container, stale once another one took its place. */
struct meta_key {
    uint32_t at, generation;
};

struct metacache *metacache_new(const struct metacache_options *o); /* NULL: out of memory */
void metacache_free(struct metacache *c);
/* The container's entry, looked up if need be. `now`: monotonic, ns. */
struct meta_key metacache_find(struct metacache *c, enum container_kind kind, const char *id,
                               size_t len, uint64_t now);
enum meta_state metacache_state(const struct metacache *c, struct meta_key k);
/* META_KNOWN: what is known. `engine`: who knows it. */
const struct meta *metacache_get(const struct metacache *c, struct meta_key k,
                                 enum engine_id *engine);
/*
 * For how many ns from `now` on the same is known of it, whatever happens to the engine's files;
 * UINT64_MAX: until another container takes its place (metacache_stats.evicted).
 */
uint64_t metacache_holds(const struct metacache *c, struct meta_key k, uint64_t now);
/* Looks again for those that are due; true if any is no longer pending. */
bool metacache_retry(struct metacache *c, uint64_t now);
unsigned metacache_pending(const struct metacache *c);
const struct metacache_stats *metacache_stats(const struct metacache *c);
/* Of an engine's word; ENGINE_COUNT: there is none. */
enum engine_id engine_by_word(const char *word, size_t len);

#endif
