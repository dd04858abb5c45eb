/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interned byte strings: equal bytes have equal ids, so comparing is `==`. Id 0 is the empty
 * string. Bytes may hold NUL; one more NUL follows each, so that intern_text() can be printed.
 * Pointers stay valid as long as the arena.
 */
#ifndef RULEC_INTERN_H
#define RULEC_INTERN_H

#include "model.h"

struct intern *intern_new(struct arena *a);
str_id intern_put(struct intern *in, const char *bytes, size_t len);
/* The id of bytes that are there already; 0 if they are not (or are empty). */
str_id intern_find(const struct intern *in, const char *bytes, size_t len);
str_id intern_cstr(struct intern *in, const char *text);
const char *intern_text(const struct intern *in, str_id s);
size_t intern_len(const struct intern *in, str_id s);

/* Short forms over a compilation. */
#define STR(c, s) intern_text((c)->intern, (s))
#define STRLEN(c, s) intern_len((c)->intern, (s))

#endif
