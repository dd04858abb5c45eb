/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event of a scap file as the record that the probe would have sent: the same slots, filled
 * from the event's parameters and from what is known of its process and descriptors.
 *
 * Paths have one reading here, the caller's spelling, since the file tells no other. What the file
 * does not tell is unknown; what the event has not, or Falco itself would not have, is absent.
 */
#ifndef RULEC_SCAP_RECORD_H
#define RULEC_SCAP_RECORD_H

#include "scap_state.h"
#include "../bpf/abi.h"

#define SCAP_POOL (96u << 10)

struct scap_slice {
    const char *s;
    uint32_t n;
};

struct scap_record {
    const struct scap_state *state;
    uint64_t groups;            /* bit per slot_group: those that are asked for */
    struct extra_want extra[4]; /* ancestors' texts X0..X3 */
    struct rec rec;
    struct scap_slice text[S_COUNT];
    struct scap_slice base;
    char pool[SCAP_POOL]; /* texts that are made */
    uint32_t used;
    uint64_t out[REC_MAX / 8];
};

/* The record of a call's end, and its size. It lasts until the next. */
const struct rec *scap_record_make(struct scap_record *r, const struct scap_event *e,
                                   const struct scap_thread *h, size_t *size);

/* ---- for scap_fill.c ---- */

void scap_put_num(struct scap_record *r, enum num_slot slot, int64_t v);
void scap_put_num_state(struct scap_record *r, enum num_slot slot, enum slot_state st);
/* Cut to what the slot holds. */
void scap_put_text(struct scap_record *r, enum str_slot slot, const char *s, size_t n);
void scap_put_state(struct scap_record *r, enum str_slot slot, enum slot_state st);
/* Room to make a text of at most `n` bytes in. */
struct fmt scap_room(struct scap_record *r, size_t n);
/* The text that was made there. */
void scap_put_made(struct scap_record *r, enum str_slot slot, const struct fmt *made);

/* Parameters of the event; descriptors; the process and those above it. */
void scap_fill_args(struct scap_record *r, const struct scap_event *e, const struct scap_thread *h);
void scap_fill_fd(struct scap_record *r, const struct scap_event *e, const struct scap_thread *h);
void scap_fill_process(struct scap_record *r, const struct scap_event *e,
                       const struct scap_thread *h);

#endif
