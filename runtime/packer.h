/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a recording (capture.h), compressed. They are collected in a block of CAPTURE_BLOCK
 * bytes, which stands for itself; it is packed piece by piece as it fills, so that what is there
 * need not wait for more, and a piece of one record still shrinks by those before it.
 */
#ifndef RULEC_PACKER_H
#define RULEC_PACKER_H

#include "capture.h"

union LZ4_stream_u;

struct packer {
    union LZ4_stream_u *stream;
    uint8_t *block;
    size_t used;   /* bytes of the block that are packed already */
    uint64_t last; /* check of the frame that the last of them are in */
};

/* False: out of memory. Either way it may be closed. */
bool packer_open(struct packer *p);
void packer_close(struct packer *p);

/*
 * Where the caller puts whole frames of kinds 1 to 5, whose sums are 0, the first of which has
 * `first` bytes: a new block begins if this one has no room for it. `*room`: bytes that there are.
 */
uint8_t *packer_room(struct packer *p, size_t first, size_t *room);
/*
 * Makes what the file gets of `n` bytes that were put there: one packed frame, or, where that is no
 * shorter, the frames with their sums. How many bytes of `out` that takes, which has CAPTURE_BLOCK.
 */
size_t packer_pack(struct packer *p, size_t n, uint8_t *out);

#endif
