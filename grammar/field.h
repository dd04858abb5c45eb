/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of fields with their arguments, as written: `proc.name`, `proc.aname[2]`, `evt.arg.flags`.
 * Class, name and argument must be consumed completely: what is left over makes it another name.
 */
#ifndef RULEC_FIELD_H
#define RULEC_FIELD_H

#include "catalog.h"

struct field_name {
    enum field_id field;
    int32_t index;   /* numeric argument, or -1 */
    const char *arg; /* evt.arg.NAME, env[NAME]: points into the input; else NULL */
    size_t arglen;
};

/*
 * Reads `name`, and the text between the brackets where `arg` is not NULL. False: there is no such
 * field, or not with such an argument (catalog_field_by_name() tells which of the two).
 */
bool field_read(const char *name, size_t len, const char *arg, size_t arglen,
                struct field_name *out);

/* Why no rule can be given the field's value; NULL if this version supplies it. */
const char *field_why_missing(enum field_id field);
/* Why the probe does not deliver an event; NULL if it does. */
const char *event_why_missing(enum event_id event);

/*
 * Output templates: the longest beginning of `s` that is a field, with its argument if that
 * belongs to it. Bytes used, 0 if there is none; `*name` is how many of them are the name.
 */
size_t field_prefix(const char *s, size_t len, size_t *name);

#endif
