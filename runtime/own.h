/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts about ourselves, in the stream of all others: a hook that is missing, records that were
 * lost. They have Falco's form of its own messages: source `internal`, no tags, `output` without
 * time and priority, and in text the fields in parentheses, spelled as in JSON.
 *
 * Pure: bytes into the caller's buffer, a newline at the end.
 */
#ifndef RULEC_OWN_H
#define RULEC_OWN_H

#include "alert.h"

struct own_field {
    const char *key;
    const char *of;   /* not NULL: the key is shown as `key[of]` */
    const char *text; /* NULL: the value is `number` */
    uint64_t number;  /* of a list: how many texts stand one behind the other, each with its NUL */
    bool list;
};
#define OWN_TEXT(k, t) ((struct own_field){.key = (k), .text = (t)})
#define OWN_NUMBER(k, n) ((struct own_field){.key = (k), .number = (n)})
#define OWN_NUMBER_OF(k, o, n) ((struct own_field){.key = (k), .of = (o), .number = (n)})
#define OWN_LIST(k, texts, n)                                                                      \
    ((struct own_field){.key = (k), .text = (texts), .number = (n), .list = true})

struct own {
    const char *rule; /* "rulerun: ..." */
    const char *message;
    unsigned priority; /* 0 emergency .. 7 debug */
    int32_t utc_offset;
    uint64_t ts; /* ns since the epoch */
    const struct own_field *fields;
    unsigned nfield; /* their keys ascend; those of one key are in load order */
};

/*
 * Length, or 0 if rule and message do not fit. Values that are too long are cut, all to the same
 * bound; a list then ends with how many texts it lacks: "... and 12 more".
 */
size_t own_alert(const struct alert_style *style, const struct own *o, char *buf, size_t cap);

#endif
