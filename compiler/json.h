/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small strict JSON reader for events: pulls one value after the other out of one line of text.
 *
 * The text is hostile. The reader never looks outside it, and what it reads has a fixed shape
 * (an object of scalars, arrays of scalars, {"unknown": true} and {"base64": "..."}), so nothing
 * recurses. The first mistake is kept, with its byte column, and every later call fails.
 */
#ifndef RULEC_JSON_H
#define RULEC_JSON_H

#include "model.h"

struct json {
    struct comp *c; /* texts are interned here */
    const char *text;
    size_t len, at;
    bool failed;
    char *err; /* "COLUMN: message" of the first mistake */
    size_t errlen;
};

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,
    JSON_REAL, /* with a fraction or an exponent */
    JSON_TEXT,
    JSON_BYTES,
    JSON_LIST,
    JSON_UNKNOWN
};
struct json_value {
    enum json_kind kind;
    size_t at;             /* where it starts */
    bool negative;         /* JSON_INT below zero; others are `num` as an unsigned number */
    int64_t num;           /* JSON_INT, JSON_BOOL */
    double real;           /* JSON_REAL */
    str_id text;           /* JSON_TEXT; JSON_BYTES, decoded */
    uint32_t list0, nlist; /* JSON_LIST: rows of the caller's list; numbers as decimal text */
    bool list_open;        /* JSON_LIST whose last element was {"unknown": true}: more may follow */
};

/* The texts of lists are appended to this. */
typedef VEC(str_id) json_list;

void json_start(struct json *j, struct comp *c, const char *text, size_t len, char *err,
                size_t errlen);
/* Keeps the first mistake; always false, so that callers can return it. */
bool json_fail(struct json *j, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The members of the one object: json_open(), then json_member() until it gives false (then
 * `failed` tells an end from a mistake), each followed by json_read().
 */
bool json_open(struct json *j);
bool json_member(struct json *j, bool first, str_id *key, size_t *key_at);
bool json_read(struct json *j, json_list *list, struct json_value *out);

#endif
