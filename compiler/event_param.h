/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of an event that is given as text: evt.arg.NAME, evt.arg[N], evt.rawarg.NAME, and
 * the fields that share a slot with them.
 */
#ifndef RULEC_EVENT_PARAM_H
#define RULEC_EVENT_PARAM_H

#include "event.h"

/* A parameter whose value is a number, which a text may name. */
bool event_param_is_number(const struct param_info *p);
/* The parameter that evt.arg or evt.rawarg names is one of this event's. */
bool event_has_param(struct comp *c, const struct event *e, struct field_ref f);
/* evt.arg or evt.rawarg. */
struct fact event_param_fact(struct comp *c, const struct event *e, struct field_ref f);
/*
 * What was given for parameter `index`, by any of its names, as its raw value: a number where
 * event_param_is_number() and the text names one. ABSENT if nothing was given.
 */
struct fact event_param_given(struct comp *c, const struct event *e, unsigned index);
/* True if anything was given for parameter `index`, be it absent or unknown. */
bool event_param_named(struct comp *c, const struct event *e, unsigned index);
/* Raw value of a parameter, given or by way of the field that shares its slot. */
struct fact event_param_raw(struct comp *c, const struct event *e, unsigned index);
/* The same by name; ABSENT if the event has no such parameter or it names no number. */
struct fact event_param_number(struct comp *c, const struct event *e, const char *name);
/* What was given for the parameter that is kept in `slot`. */
struct fact event_param_of_slot(struct comp *c, const struct event *e, int slot);
/* evt.args: `name=raw(resolved)` of all parameters. */
struct fact event_param_all(struct comp *c, const struct event *e, struct field_ref f, int unused);
/*
 * The name of a user, group or process by its id, as asked for by user.name[id] and so on: known
 * only where it is the event's own. ABSENT otherwise.
 */
struct fact event_param_name_of(struct comp *c, const struct event *e, enum field_id field,
                                int64_t id);
/* The number of a result's text: an error's name or decimal digits. */
bool event_param_result(const char *s, size_t len, int64_t *out);

/* The number a table's text stands for; a name that looks like a number (typechar "4") is a name.
 */
bool event_named_number(enum flag_table table, const char *s, size_t len, uint64_t *out);

/* Short ways to make facts (event_derive.c). */
struct fact fact_none(struct field_ref f, enum fact_state state);
struct fact fact_num(struct field_ref f, int64_t v);
struct fact fact_text(struct comp *c, struct field_ref f, const char *s, size_t len);

#endif
