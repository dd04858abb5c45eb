/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks of a scap file, which sysdig and Falco write: pcapng's, little-endian, each with its
 * type, its length before and behind it, and bytes between that scap_list.h and scap_event.h read.
 * The file may be compressed with gzip, in several members too.
 *
 * Files are hostile and may be cut anywhere: a block is handed out only if it is whole and both
 * lengths agree. Memory grows with the longest block that was really there, up to SCAP_BLOCK_MAX.
 */
#ifndef RULEC_SCAP_IN_H
#define RULEC_SCAP_IN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <zlib.h>

#define SCAP_BLOCK_MAX (64u << 20)
#define SCAP_RAW (64u << 10) /* bytes read at a time */
#define SCAP_SECTION 0x0a0d0d0au

enum scap_got {
    SCAP_GOT,
    SCAP_DONE,   /* the file ends behind a block */
    SCAP_CUT,    /* it ends within one */
    SCAP_BROKEN, /* what stands at `offset` is no block, or no compressed data */
    SCAP_FAILED, /* it could not be read: `error` */
    SCAP_NO_MEMORY,
};

struct scap_in {
    ssize_t (*read)(void *ctx, void *buf, size_t n); /* as read(2) */
    void *ctx;
    uint8_t *raw; /* SCAP_RAW bytes as they stand in the file */
    size_t raw_at, raw_len;
    bool zipped, ended; /* ended: the file has no more bytes */
    bool in_member;     /* of compressed data, and its end was not there yet */
    z_stream z;
    enum scap_got why; /* bytes ran out because of this; SCAP_GOT: they did not */
    uint8_t *block;
    size_t cap;
    uint64_t offset; /* of what is read next, in the file without compression */
    int error;
};

struct scap_block {
    uint32_t type;
    uint32_t size;
    const uint8_t *body; /* 8-aligned, until the next call */
};

/* `read` and `ctx` are the caller's. False: out of memory. */
bool scap_in_open(struct scap_in *in);
void scap_in_close(struct scap_in *in);
enum scap_got scap_in_next(struct scap_in *in, struct scap_block *out);

/* ---- bytes of a block ---- */

/* What is left to read of some bytes. Reading beyond them gives zeros, and `bad`. */
struct scap_bytes {
    const uint8_t *at;
    size_t left;
    bool bad;
};
/* `n` bytes in place; NULL if they are not there. */
const uint8_t *scap_take(struct scap_bytes *b, size_t n);
/* A little-endian number of 1, 2, 4 or 8 bytes. */
uint64_t scap_number(const uint8_t *at, size_t n);
uint64_t scap_take_number(struct scap_bytes *b, size_t n);

#endif
