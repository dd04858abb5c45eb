/* SPDX-License-Identifier: Apache-2.0 */
/* What rules of a bundle refer to: the fields of all tests that a rule can come to, and those of
 * its output. */
#ifndef RULEC_REFS_H
#define RULEC_REFS_H

#include "../grammar/catalog.h"
#include "rpk.h"

struct ref_walk {
    const struct rpk *p;
    /* Told of each plain field: not of transformers, nor of literals. May be told twice. */
    void (*see)(void *ctx, uint32_t ref);
    void *ctx;
    uint32_t *seen; /* by node: the number of the last walk that came by */
    uint32_t *todo;
    uint32_t now;
};

/* 0, or -ENOMEM; to be closed in either case. */
int ref_walk_open(struct ref_walk *w, const struct rpk *p, void (*see)(void *ctx, uint32_t ref),
                  void *ctx);
/* A rule on the event whose root this is. */
void ref_walk_root(struct ref_walk *w, const struct rpk_root *root);
void ref_walk_close(struct ref_walk *w);

/* All groups of slots that a field needs on an event, but for texts of further ancestors. */
uint64_t ref_groups(const struct rpk *p, const struct rpk_ref *f, enum event_id event);

#endif
