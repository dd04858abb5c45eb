/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of a recording by their keys: the last one to each. Memory grows with what the recording
 * holds; its keys are strangers', so that places are drawn by a secret of this run.
 */
#ifndef RULEC_ANSWERS_H
#define RULEC_ANSWERS_H

#include "capture.h"

struct answers;

struct answers *answers_new(void); /* NULL: out of memory */
void answers_free(struct answers *a);
/* Keeps an answer, in place of an earlier one to its key. False: out of memory. */
bool answers_put(struct answers *a, const struct capture_part *answer);
/* The answer to a key, or NULL. It lasts until the next answers_put(). */
const struct capture_part *answers_find(const struct answers *a, const char *key, size_t nkey);

#endif
