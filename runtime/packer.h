/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a recording (capture.h) as its file gets them: records as thin ones (thin.h), in pieces
 * of blocks of CAPTURE_BLOCK bytes, each of which stands for itself; what is no record, and records
 * that no probe writes, as they are. A piece that LZ4 halves is packed: unlike texts are then
 * alike. A piece ends with what is there, so that nothing has to wait for more, and the next one
 * still rests on those before it.
 */
#ifndef RULEC_PACKER_H
#define RULEC_PACKER_H

#include "capture.h"
#include "thinner.h"

union LZ4_stream_u;

struct packer {
    struct thinner *thinner;
    union LZ4_stream_u *stream;
    uint8_t *block, *packed; /* `packed`: what LZ4 makes of a piece */
    size_t from, used;       /* bytes of the block: those before the piece that is made, and all */
    uint64_t last;           /* check of the frame of the piece before it */
    uint8_t *out;
    size_t size; /* of it, without that piece */
};

/* False: out of memory. Either way it may be closed. */
bool packer_open(struct packer *p);
void packer_close(struct packer *p);

/* What is added goes to `out`, which has CAPTURE_BLOCK bytes. */
void packer_begin(struct packer *p, uint8_t *out);
/* Adds a frame of kind 1 to 5 with its payload, 8-aligned. False: no room, `out` is to be written.
 */
bool packer_add(struct packer *p, const struct capture_frame *frame);
/* How many bytes of `out` that took. */
size_t packer_end(struct packer *p);

#endif
