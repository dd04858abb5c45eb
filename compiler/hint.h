/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people write who come from other languages, and what to write in its place: hints for
 * mistakes of a condition's syntax. All return NULL where nothing is to be said.
 */
#ifndef RULEC_HINT_H
#define RULEC_HINT_H

#include "../grammar/parse.h"
#include "model.h"

/* For what stands at `at` (`len`: the text ends), where something that fits `mode` must. */
const char *hint_unexpected(enum lex_mode mode, const char *text, size_t len, size_t at);
/* For a word that is no operator: never NULL. */
const char *hint_operator(struct comp *c, const char *word, size_t len);
/* For a word that is no transformer; `val` is one, but not there. Never NULL. */
const char *hint_transformer(struct comp *c, const char *word, size_t len);
/* The names of these operators, one bit each, with blanks between them. */
const char *hint_operators(struct comp *c, uint32_t mask);

#endif
