/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event as text: what `rulec eval` reads and the differential test makes. A set of fields with
 * values; a field that is not there is absent, unless the language derives it from others.
 */
#ifndef RULEC_EVENT_H
#define RULEC_EVENT_H

#include <stdio.h>

#include "../runtime/record.h"
#include "json.h"

enum fact_state { FACT_ABSENT, FACT_PRESENT, FACT_UNKNOWN };
struct fact {
    struct field_ref field;
    enum fact_state state;
    enum value_kind kind; /* VAL_NUM or VAL_TEXT (addresses are text until they are compared) */
    int64_t num;
    str_id text;
    uint32_t list0, nlist; /* list fields, and ancestors from the parent up: event.list */
    bool is_list;          /* FACT_UNKNOWN with is_list: what follows the elements is unknown */
};
struct event {
    VEC(struct fact) facts;
    json_list list;
    enum event_id type;
    int32_t sysnr; /* generic events: which system call; else -1 */
    uint64_t num;  /* evt.num unless given; 0 counts as 1 */
};

/*
 * Parses one JSON object (a line). 0, or -EINVAL with "COLUMN: message" in `err`: a field that does
 * not exist, a value of the wrong shape, broken JSON, ... Columns are bytes, from 1. An event may
 * lack its evt.type (type is EV_NONE then): only the tree can judge it. `out` is zeroed by the
 * caller before its first use; what it held before is forgotten, its memory used again.
 */
int event_parse(struct comp *c, const char *text, size_t len, struct event *out, char *err,
                size_t errlen);

/* A field's name with its argument, as JSON keys spell it. "" or the reason it is none, in `err`.
 */
bool event_field(struct comp *c, const char *name, size_t len, struct field_ref *out, char *err,
                 size_t errlen);
/* The event as JSON, one line without its end: what event_parse() reads. For messages of tests. */
void event_print(struct comp *c, const struct event *e, FILE *out);

/* True if an event of this type cannot have the field, whatever was given. */
bool event_lacks(const struct event *e, enum field_id field);
/* The fact that was given for exactly this field, or NULL. */
const struct fact *event_given(const struct event *e, struct field_ref f);
/* How many ancestors the event speaks of, as values of an unindexed ancestor field. */
int32_t event_ancestors(struct comp *c, const struct event *e, enum field_id field);
/* The field that says the same as ancestor 0 or 1 of this one: proc.pname of proc.aname[1]. */
enum field_id event_ancestor_field(enum field_id field, int32_t index);
/* The fact of a field, derived from others where the language does so and it is not given. */
struct fact event_fact(struct comp *c, const struct event *e, struct field_ref f);

/* The same, as if the field itself had not been given. */
struct fact event_derived(struct comp *c, const struct event *e, struct field_ref f);

/*
 * What a record lacks of an event that was given as text: fields that only user space supplies,
 * and facts that no slot can express (a name that is too long, a result that contradicts its
 * text). `user` goes to record_open(); valid as long as this struct and the event are.
 */
struct event_user {
    struct record_user user;
    struct comp *c;
    const struct event *e;
    VEC(struct fact) over; /* facts that overrule what the record says */
    bool holes;            /* an ancestor without a name, or one that is too long: so for all */
};

/*
 * Writes the event as the kernel would: every slot filled (none is ST_UNFILLED). What a slot cannot
 * express is UNKNOWN there and overruled in `user`, so that the filter stays sound and the table
 * exact. `ev` may hold an earlier event; texts are followed by zeros up to a multiple of 8 only.
 * `user` is zeroed by the caller before its first use. -EINVAL: the event has no type.
 */
int event_to_ev(struct comp *c, const struct event *e, struct ev *ev, struct event_user *user);
/* Packs the scratch into a wire record, as the probe does. Bytes written, or -ENOSPC. */
int ev_pack(const struct ev *ev, void *rec, size_t cap);

/*
 * The reference evaluator: walks the typed condition of every rule kept, and fills hit[rule index]:
 * 0 none, 1 match, 2 only some completion of what is unknown would match (enum verdict).
 */
void eval_tree(struct comp *c, const struct event *e, uint8_t *hit);

#endif
