/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alert of rulerun about itself, in the form of all others (alert.h), with source `internal` as
 * Falco's own have: a sentence, and numbers by name, some of them of a rule or an output.
 */
#ifndef RULEC_ALERT_OWN_H
#define RULEC_ALERT_OWN_H

#include "alert.h"

struct own_field {
    const char *key;
    const char *of; /* shown as `key[of]`; NULL: the key alone */
    uint64_t value;
};

struct own_alert {
    const char *rule;
    unsigned priority;
    const char *text;
    const struct own_field *fields;
    unsigned nfield;
    uint64_t ts; /* ns since the epoch */
    int32_t utc_offset;
    char *scratch; /* RECORD_SCRATCH bytes, the caller's */
};

/* Length, or 0 if it does not fit. */
size_t alert_write_own(const struct alert_style *style, const struct own_alert *a, char *buf,
                       size_t cap);

#endif
