/* SPDX-License-Identifier: Apache-2.0 */
/* Makes thin records (thin.h) of records, in the way that keeps them small. */
#ifndef RULEC_THINNER_H
#define RULEC_THINNER_H

#include "thin.h"

#define THINNER_SEEN 2048 /* texts of a block that are found again; a power of two */

struct thinner {
    uint8_t *block;
    unsigned last; /* context */
    bool used[THIN_CONTEXTS];
    struct thinner_context {
        union thin_words now;
        uint32_t place[THIN_TEXTS];
    } contexts[THIN_CONTEXTS];
    struct thinner_text {
        uint32_t at, n; /* n 0: none */
    } seen[THINNER_SEEN];
};

/* A block begins, whose bytes are to stand at `block`. */
void thinner_begin(struct thinner *t, uint8_t *block);
/*
 * Puts a record at a place of the block, behind those before it; how many bytes that takes, at most
 * THIN_ENTRIES and those of its texts. `r` was opened.
 */
size_t thinner_put(struct thinner *t, const struct record *r, uint64_t number, size_t at);

#endif
