/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "did you mean": the name that a misspelt word is nearest to, of those that are tried. What the
 * catalog names is found by catalog_near(); this is for names of the input and for short lists.
 */
#ifndef RULEC_NEAR_H
#define RULEC_NEAR_H

#include "model.h"

struct near {
    const char *word, *best;
    size_t len;
    unsigned limit; /* a name must be nearer than this */
};

struct near near_start(const char *word, size_t len);
void near_try(struct near *n, const char *name, size_t len);
/* The hint for diag(); NULL if the name is: none is near. */
const char *near_hint(struct comp *c, const char *name);
/* All in one, for a list of names that NULL ends. */
const char *near_of(struct comp *c, const char *word, size_t len, const char *const *names);

#endif
