/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict JSON reader over bytes that nobody vouches for: each value is handed to a function, with
 * the way to it. No recursion, no allocation; it looks at nothing outside the text.
 *
 * Bounds: JREAD_DEPTH containers inside one another, JREAD_KEYS bytes of keys on the way to a
 * value; beyond them the text is refused. A string longer than JREAD_VALUE is handed on cut.
 * What was handed on before a mistake must be thrown away by the caller.
 */
#ifndef RULEC_JREAD_H
#define RULEC_JREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JREAD_DEPTH 24
#define JREAD_KEYS 4096
#define JREAD_VALUE 65536

enum jread_kind {
    JREAD_OPEN, /* an object or array begins; CLOSE: it ends, at the same place */
    JREAD_CLOSE,
    JREAD_TEXT,
    JREAD_NUMBER, /* its value is not read */
    JREAD_TRUE,
    JREAD_FALSE,
    JREAD_NULL
};

/* A container that is being read, and its member: the key is keys[off .. off + len). */
struct jread_step {
    uint32_t off, len;
    bool is_array, begun;
};

struct jread {
    const char *text;
    size_t len, at;
    void (*put)(void *ctx, const struct jread *j, enum jread_kind kind);
    void *ctx;
    unsigned depth;
    struct jread_step step[JREAD_DEPTH];
    char keys[JREAD_KEYS];
    char value[JREAD_VALUE]; /* JREAD_TEXT: decoded, `nvalue` bytes, none of them NUL */
    uint32_t nvalue;
    bool cut;
};

/* One value and blanks. 0, or -EPROTO; -E2BIG: beyond a bound. `j` is the caller's memory. */
int jread_run(struct jread *j, const char *text, size_t len,
              void (*put)(void *ctx, const struct jread *j, enum jread_kind kind), void *ctx);
/* Is this the place? `Config.Labels.*`: keys; `*` is any member, of an array too. */
bool jread_is(const struct jread *j, const char *place);
/* The key of the member; "" in an array. Not NUL-terminated. */
const char *jread_key(const struct jread *j, size_t *len);

#endif
