/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test can come to where something is known of numbers beforehand: of the result of a call
 * that failed, of the flags of one that only reads. Both answers may be possible; never none.
 */
#ifndef RULEC_REACH_H
#define RULEC_REACH_H

#include "model.h"

/* The slot's number is there, in low..high (of one sign), and has no bit of `clear`. */
struct assume {
    int16_t slot;
    int64_t low, high;
    uint64_t clear;
};

struct outcomes {
    bool yes, no;
};
struct outcomes reach_atom(const struct comp *c, atom_id a, enum event_id event,
                           const struct assume *known, unsigned n);

#endif
