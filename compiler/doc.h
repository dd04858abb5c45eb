/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading values out of documents, with the language's rules for scalars (rule-language 1.2). What
 * has the wrong shape is reported here, once, at its place.
 */
#ifndef RULEC_DOC_H
#define RULEC_DOC_H

#include "model.h"

/* Value of a key, or 0. Of a key given twice the first one counts. */
uint32_t doc_get(const struct comp *c, uint32_t map, const char *key);
/* Place of the key itself; the mapping's if it is not there. */
span_id doc_key_at(const struct comp *c, uint32_t map, const char *key);
/* Element i of a sequence. */
uint32_t doc_elem(const struct comp *c, uint32_t seq, uint32_t i);

enum doc_found { DOC_BAD = -1, DOC_NONE, DOC_OK };
/* A scalar that is neither null nor empty; DOC_NONE: there is no such key. */
enum doc_found doc_scalar(struct comp *c, uint32_t map, const char *key, uint32_t *value);
/* The same, but null and empty ones are taken as missing. */
enum doc_found doc_scalar_or_nothing(struct comp *c, uint32_t map, const char *key,
                                     uint32_t *value);
enum doc_found doc_bool(struct comp *c, uint32_t map, const char *key, bool *value);
enum doc_found doc_uint(struct comp *c, uint32_t map, const char *key, uint64_t max,
                        uint64_t *value);
enum doc_found doc_seq(struct comp *c, uint32_t map, const char *key, uint32_t *value);
/*
 * An unsigned number up to `max`: decimal, 0x hexadecimal or 0 octal; a plus sign may stand before
 * it and blanks behind it, as streams of C++ read numbers.
 */
bool doc_read_uint(const char *s, uint64_t max, uint64_t *value);
/* A member of `items`, `tags` and the like: any scalar but null. */
bool doc_member(struct comp *c, uint32_t yaml, const char *of);

#endif
