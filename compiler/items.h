/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of YAML -> items of a rules file. Only what an item is gets judged here; its keys are
 * resolve's. Between load.c, which makes the documents, and comp.items.
 */
#ifndef RULEC_ITEMS_H
#define RULEC_ITEMS_H

#include "model.h"

struct document {
    uint32_t root;  /* comp.yaml */
    span_id begins; /* where it begins without `---`, because of its indentation; 0: it does not */
};

/* The items of all documents of a file, in order. */
void items_add(struct comp *c, uint32_t file, const struct document *docs, uint32_t n);

#endif
