/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getters of one field each, behind record_get(). Inside runtime/ only.
 *
 * A getter that derives a value from other fields asks record_get() for them, so that a field
 * that is given (record_user.given) counts everywhere. Texts it makes go into the view's scratch.
 */
#ifndef RULEC_GET_H
#define RULEC_GET_H

#include "record.h"
#include "fmt.h"

/* Which field is wanted, with its argument. */
struct want {
    enum field_id field;
    int32_t index;
    const char *name;
};

typedef struct val (*field_getter)(struct record *, const struct want *);

/* get_ID for every derived field: one that is missing fails the link. */
#define DECLARE_SLOT(id)
#define DECLARE_PARAM(id)
#define DECLARE_ANC(id)
#define DECLARE_DERIVED(id) struct val get_##id(struct record *r, const struct want *w);
#define DECLARE_USER(id)
#define DECLARE_CONST(id)
#define DECLARE_MISSING(id)
#define FIELD(id, name, type, fmt, arg, flags, cls, source, slot, table, doc) DECLARE_##source(id)
#include "../grammar/fields.def"

struct val get_param(struct record *r, const struct want *w); /* evt.arg, evt.rawarg */
struct val get_anc(struct record *r, const struct want *w);   /* proc.aname and its like */
struct val get_const(struct record *r, const struct want *w);
struct val get_arg_at(struct record *r, int32_t n);            /* proc.args[n] */
struct val get_env_at(struct record *r, const struct want *w); /* proc.env[NAME] */
struct val get_fd_name(struct record *r); /* of sockets: made here from their addresses */
struct val record_time_utc(struct record *r, const char *zone); /* ISO 8601, ns, then `zone` */
struct val get_tuple(struct record *r);                         /* SOCKTUPLE as text */

/* The value of a slot: fd.name and its parts are those of the reading in force. */
struct val slot_num(const struct record *r, enum num_slot slot);
struct val slot_text(const struct record *r, enum str_slot slot);
struct val slot_bytes(const struct record *r, enum str_slot slot); /* NUL ends nothing */
/* What a parameter refers to, as its own type (evt.rawarg). */
struct val param_raw(struct record *r, const struct param_info *p);

static inline struct val val_state(enum slot_state st)
{
    return (struct val){.state = (uint8_t)st};
}

static inline struct val val_absent(void)
{
    return val_state(ST_ABSENT);
}

static inline struct val val_unknown(void)
{
    return val_state(ST_UNKNOWN);
}

static inline struct val val_num(enum base_type base, int64_t n)
{
    return (struct val){.state = ST_PRESENT, .base = (uint8_t)base, .num = n};
}

static inline struct val val_text(const char *s, size_t n)
{
    return (struct val){.state = ST_PRESENT, .base = BASE_TEXT, .text = s, .len = (uint32_t)n};
}

static inline bool val_here(struct val v)
{
    return v.state == ST_PRESENT || v.state == ST_CUT;
}

/* The first text of what is left of a list; false: nothing is. */
static inline bool val_next(struct val *list, struct val *element)
{
    if (list->len == 0)
        return false;
    *element = val_text(list->text, strnlen(list->text, list->len));
    list->text += element->len + 1;
    list->len -= element->len + 1;
    return true;
}

static inline struct val get_field(struct record *r, enum field_id f)
{
    return record_get(r, f, -1, "");
}

/* A value as outputs show it; nothing for one that is not there. `f` NULL: a transformer's. */
void value_text(struct fmt *t, struct val v, const struct field_info *f);
/* The value of a reference as outputs want it: all ancestors of an unindexed one as one text. */
struct val output_value(struct record *r, const struct rpk *p, uint32_t ref);

/* Text made in the scratch: begin, append, end. What did not fit makes the value CUT. */
struct fmt scratch_begin(struct record *r);
struct val scratch_end(struct record *r, const struct fmt *t);
/* Two texts and a byte between them, of the first only what is there; cut where the second is. */
struct val scratch_pair(struct record *r, const struct val *first, char between,
                        const struct val *second);

/* The name of a descriptor that is not the event's own: what the kernel told, or of its socket's
 * ends. */
struct val get_name_of(struct record *r, enum str_slot slot, enum num_slot kind);

#endif
