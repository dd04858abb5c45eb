/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alert as Falco writes it: the text line, or the JSON object with its keys in byte order. Pure:
 * bytes into the caller's buffer, never more than `cap`, a newline at the end.
 *
 * What Falco does not say is added so that its readers are not disturbed: in JSON a key `rulerun`,
 * in text a remark in brackets at the end; both only where a path has other readings (which one
 * fired), where the match depends on something that is not known, or where metadata of a container
 * was asked for and nobody has it.
 */
#ifndef RULEC_ALERT_H
#define RULEC_ALERT_H

#include "table.h"

enum alert_format { ALERT_TEXT, ALERT_JSON };

/* How alerts look: Falco's settings of the same names, with its defaults in ALERT_STYLE. */
struct alert_style {
    enum alert_format format;
    const char *hostname;
    bool time_iso8601; /* the time before the message is UTC with its date */
    /* JSON: which of the keys there are. */
    bool message; /* the output without time and priority: json_include_message_property */
    bool output;  /* json_include_output_property */
    bool fields;  /* json_include_output_fields_property */
    bool tags;    /* json_include_tags_property */
};
#define ALERT_STYLE(how, host)                                                                     \
    ((struct alert_style){                                                                         \
        .format = (how), .hostname = (host), .output = true, .fields = true, .tags = true})

#define ALERT_MAX (1u << 20) /* a buffer of this size holds any alert of sane rules */

/*
 * Length, or 0 if the rule's own words do not fit. An alert that is too long keeps its form: its
 * values are cut instead, all to the same bound.
 */
size_t alert_write(const struct alert_style *style, const struct rpk *p, struct record *r,
                   const struct match *m, char *buf, size_t cap);
/* "Warning" of 4; "" beyond the last. */
const char *alert_priority(unsigned priority);

#endif
