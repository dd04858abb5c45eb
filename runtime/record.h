/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view of one event record, and the value of any field in it.
 *
 * record_open() checks the record's sizes once (records are hostile too). record_get() then gives
 * a field's value under the view's reading: from a slot, a parameter, an ancestor, or derived from
 * others; fields that only user space knows come from `user`. Texts point into the record or into
 * the view's scratch, which the next record_reset() reuses. No allocation, no I/O.
 */
#ifndef RULEC_RECORD_H
#define RULEC_RECORD_H

#include <stdbool.h>

#include "../grammar/catalog.h"
#include "rpk.h"

/* A value that is there, or why it is not. `uncertain` values: bytes known so far may be given. */
struct val {
    uint8_t state;   /* enum slot_state: PRESENT, ABSENT, UNKNOWN, CUT */
    uint8_t base;    /* enum base_type of what is filled in */
    uint8_t family;  /* BASE_IP: 4 or 6 */
    uint8_t is_list; /* BASE_TEXT: `num` texts one behind the other in `text`, a NUL after each */
    int64_t num;
    const char *text; /* BASE_TEXT, BASE_BYTES, BASE_IP: `len` bytes */
    uint32_t len;
};

/*
 * Source of the fields that the kernel cannot supply. `get` fills `*out` (state UNKNOWN: cannot
 * tell; ABSENT: nobody supplies it) and returns true if it knows the field at all. Texts must stay
 * valid until the next record_open(). Names of other ids than the event's own (a parameter that
 * is a uid, a gid or a pid) are asked for as user.name, group.name and proc.name with the id as
 * `index`; false if there is no such name.
 */
struct record;
struct record_user {
    void *ctx;
    bool (*get)(void *ctx, const struct record *r, enum field_id field, int32_t index,
                const char *name, struct val *out);
    uint64_t evt_num; /* evt.num of this event */
    /* Set once metadata of the event's container was asked for and nobody has it. May be NULL. */
    const bool *no_metadata;
    int32_t utc_offset; /* seconds east of UTC, for local times */
    /* Overrides, for events made from text: a field that is given rather than derived. May be NULL.
     */
    bool (*given)(void *ctx, enum field_id field, int32_t index, const char *name, struct val *out);
};

#define RECORD_SCRATCH 65536

struct record {
    const struct ev_head *h;
    const char *text[S_COUNT];         /* bytes of each text slot, or NULL */
    const char *alt[READ_ALTS], *base; /* the other readings of fd.name */
    uint32_t alt_len[READ_ALTS], base_len;
    uint32_t wanted;               /* lore: bit per kind of which the kernel knew nothing */
    enum reading reading;          /* which fd.name is in force */
    const struct probe_plan *plan; /* which ancestors' texts X0..X3 hold; NULL: not known */
    const struct record_user *user;
    char *scratch; /* RECORD_SCRATCH bytes, the caller's */
    uint32_t used;
};

/* Bytes that a text slot has at most. */
extern const uint32_t record_text_cap[S_COUNT];
/* Event, states and readings are such as a probe writes. */
bool record_head_ok(const struct ev_head *h);
/* A text of this slot is sent behind the head. */
static inline bool record_text_sent(const struct ev_head *h, unsigned slot)
{
    return h->st[SLOT_OF_STR(slot)] == ST_PRESENT || h->st[SLOT_OF_STR(slot)] == ST_CUT;
}
/* 0, or -EPROTO: sizes or states that no probe writes. `bytes` must be 8-aligned. */
int record_open(struct record *r, const void *bytes, size_t size, const struct record_user *user,
                char *scratch);
void record_reset(struct record *r);                   /* forgets derived texts */
const char *record_reading_name(enum reading reading); /* as alerts and dumps say it */

/* `name` is NUL-terminated, "" if the field has no text argument; index -1: none. */
struct val record_get(struct record *r, enum field_id field, int32_t index, const char *name);

#endif
