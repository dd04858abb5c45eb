/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that wait for something, in the order they came, in a ring of fixed size. Taken out in
 * any order; room is free again once all before it are out. No allocation after wait_open().
 */
#ifndef RULEC_WAIT_H
#define RULEC_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metacache.h"

#define WAIT_BYTES (4u << 20)
#define WAIT_RECORDS 1024

/* A record in the ring; its bytes follow, 8-aligned. */
struct wait_item {
    uint32_t size;  /* of item and record, a multiple of the item's */
    uint32_t bytes; /* of the record; 0: out, or the unused end of the ring */
    struct meta_key key;
    int64_t pid; /* whose event it is */
    uint64_t evt_num;
};

struct wait {
    uint8_t *ring;
    uint32_t head, tail; /* offsets of the oldest and of the next; equal: empty */
    unsigned n;          /* items that are not out */
};

int wait_open(struct wait *w); /* 0 or -ENOMEM */
void wait_close(struct wait *w);
/* False: there is no room (see wait_first). The item's other members are the caller's to give. */
bool wait_add(struct wait *w, const struct wait_item *item, const void *bytes, size_t size);
/* The oldest, and the next after it; NULL: there is none. */
struct wait_item *wait_first(const struct wait *w);
struct wait_item *wait_next(const struct wait *w, const struct wait_item *item);
static inline const void *wait_record(const struct wait_item *item)
{
    return item + 1;
}
/* Takes it out; its bytes stay valid until the next wait_add(). */
void wait_out(struct wait *w, struct wait_item *item);

#endif
