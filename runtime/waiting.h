/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches that wait for the metadata of their container: which must, until when, and that alerts
 * of one process keep their order. The records stand in a ring (wait.h); a timer looks for what is
 * missing as long as anything waits, and only then.
 */
#ifndef RULEC_WAITING_H
#define RULEC_WAITING_H

#include "enrich.h"
#include "rpk.h"
#include "stats.h"
#include "table.h"
#include "wait.h"

struct waiting {
    struct wait ring;
    int timer; /* its descriptor, in the owner's epoll; -1: nothing ever waits */
    bool ticking;
    const struct rpk *pack;
    struct enrich *enrich;
    struct stats *stats;
    /* Judges a record with what is known now. */
    void (*release)(void *ctx, const struct wait_item *item);
    void *ctx;
};
#define WAITING_NONE ((struct waiting){.timer = -1})

/* The members of the second half are the caller's to set. 0, or -errno. */
int waiting_open(struct waiting *w, int epoll);
void waiting_close(struct waiting *w);

/*
 * Must these matches of a record wait? True: a condition or an output asks for what may still come,
 * or a record of the same process waits already; the key of what is waited for is in enrich->key.
 */
bool waiting_must(struct waiting *w, struct record *r, const struct match *matches, unsigned n);
/* Keeps the record; if there is no room, the oldest ones are released first. */
void waiting_add(struct waiting *w, const struct record *r, const void *data, size_t size);
/* The timer has fired: looks again, and releases what need not wait any more. */
void waiting_tick(struct waiting *w);
/* Releases all. */
void waiting_end(struct waiting *w);

#endif
