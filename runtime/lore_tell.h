/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the kernel what user space knows (bpf/lore.h): after a record was judged that the filter
 * let through for want of it, each test of lore about the record's user, container, address is
 * answered by the table's own evaluator, and the answers are written to memory that the filter
 * reads.
 *
 * A row holds no longer than what is looked up would be answered alike here, so that the kernel
 * never knows older things than user space. Of what is still waited for the row says nothing, for a
 * moment, so that it is not asked for with each event. No allocation after lore_open(), no system
 * call at all.
 */
#ifndef RULEC_LORE_TELL_H
#define RULEC_LORE_TELL_H

#include "../bpf/lore.h"
#include "enrich.h"

struct lore {
    struct lore_row *rows; /* NULL: there is nobody to tell */
    uint32_t nrow;
    const struct rpk *pack;
    uint64_t evicted; /* containers forgotten, when the rows were last right */
};

/* How many rows the bundle asks for: a power of two. */
uint32_t lore_rows(const struct rpk *p);
/* `fd`: map `lore`; -1: none. 0, or -errno. `p` outlives it. lore_close() is called in any case. */
int lore_open(struct lore *l, int fd, const struct rpk *p);
void lore_close(struct lore *l);
/* The record was judged, and is looked at for the last time. */
void lore_tell(struct lore *l, struct record *r, const struct enrich *e);

/*
 * The key of what the record says of this kind; false: it does not tell. And what the record's own
 * answers are: for tests, too.
 */
bool lore_key(const struct record *r, enum lore_kind kind, struct lore_key *key);
void lore_ask(const struct rpk *p, struct record *r, enum lore_kind kind, struct lore_bits *bits);

#endif
