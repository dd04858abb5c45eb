/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings: the file format, and the one reader of it. docs/capture.md describes it for others.
 *
 * A header, then frames, each with a length, a kind and a check sum; all integers little-endian,
 * everything a multiple of 8 bytes. Records are kept as the probe sent them. What user space adds
 * when it judges is kept too: names that were looked up, as answers to the keys of enrich.h, before
 * the first record that rests on them. Records repeat one another, so most are thin (thin.h): what
 * differs from those before them in their block, a frame for each piece of one. So a file can be
 * cut anywhere: what is whole can be read. A recording that was ended properly has a closing frame.
 * Version 2 had frames as they are instead, packed (LZ4) in blocks.
 *
 * Files are hostile: the reader checks all that it hands out, and never reads beyond it. Packed
 * frames hold no packed ones, and blocks stand in a buffer of fixed size.
 */
#ifndef RULEC_CAPTURE_H
#define RULEC_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "thin.h"

#define CAPTURE_MAGIC 0x3170616365727572ull /* "rurecap1" */
#define CAPTURE_VERSION 3u
/* That can still be read: it has neither blocks nor CAPTURE_STOP. */
#define CAPTURE_OLDEST 1u

struct capture_head {
    uint64_t magic;
    uint32_t version;
    uint32_t size;           /* of this header */
    uint64_t catalog;        /* catalog_digest() of the recorder */
    uint64_t abi;            /* rpk_abi_digest() of the recorder */
    uint8_t source[32];      /* rpk_head.source_digest of the bundle that was armed */
    struct probe_plan plan;  /* what the kernel was asked for: groups, system calls, ancestors */
    uint64_t boot_offset_ns; /* CLOCK_REALTIME minus CLOCK_BOOTTIME */
    int32_t utc_offset;      /* seconds east of UTC when it began */
    uint32_t nrule;          /* rules of the bundle */
    uint8_t hooks;           /* bit per hook_id: those that were attached */
    uint8_t all;             /* 1: every event; 0: those that passed the filter */
    uint8_t pad[6];
    char hostname[256]; /* NUL-padded, as is the bundle's name */
    char pack[64];
    uint64_t check; /* capture_check() over what stands before it */
};

enum capture_kind {
    CAPTURE_RECORD = 1, /* struct capture_record, then a struct rec with its texts */
    CAPTURE_ANSWER = 2, /* struct capture_answer, then the key, then the text */
    CAPTURE_OFFSET = 3, /* int64_t: seconds east of UTC from here on */
    CAPTURE_RULES = 4,  /* bytes: bit per rule of the bundle, those that were on */
    CAPTURE_ADDRS = 5,  /* struct capture_addr each: the machine's own addresses */
    CAPTURE_END = 6,    /* struct capture_end: the recorder was done */
    CAPTURE_PACKED =
        7,            /* struct capture_packed, then whole frames of kinds 1 to 5 as an LZ4 block */
    CAPTURE_STOP = 8, /* uint64_t: why it ends before the run that it records (capture_why) */
    CAPTURE_THIN = 9, /* struct capture_packed, then that many bytes of thin records,
                         or an LZ4 block of them */
};

enum capture_why {
    CAPTURE_NO_STOP,
    CAPTURE_STOP_SIZE,  /* the file has the size that it may have */
    CAPTURE_STOP_SPACE, /* the file system is nearly full */
};

struct capture_frame {
    uint32_t size; /* of the payload; zeros follow up to a multiple of 8 */
    uint16_t kind;
    uint16_t pad;
    uint64_t check; /* capture_check() over the padded payload, from size and kind; 0 if packed */
};
struct capture_record {
    uint64_t number; /* evt.num; what is left out was lost to a full buffer */
};
struct capture_answer {
    uint32_t nkey;
    uint8_t known; /* 0: the question has no answer, the rest is empty */
    uint8_t state, base, family;
    uint8_t is_list, has_text;
    uint8_t pad[6];
    int64_t num;
};
struct capture_addr {
    uint8_t len; /* 4 or 16 */
    uint8_t addr[16];
    uint8_t pad[7];
};
struct capture_end {
    uint64_t records, dropped;
};
struct capture_packed {
    uint32_t size;   /* bytes of the block that this piece is, unpacked */
    uint32_t before; /* those before it, which it may refer to; 0: it begins one */
    uint64_t after;  /* check of the frame of the piece before it in its block; 0: it begins one */
};

#define CAPTURE_FRAME_MAX (REC_MAX + 64) /* bytes of a payload */
/* Bytes of a block of frames, unpacked: the largest frame has room. */
#define CAPTURE_BLOCK (sizeof(struct capture_frame) + CAPTURE_FRAME_MAX)

_Static_assert(sizeof(struct capture_head) % 8 == 0, "capture_head");
_Static_assert(sizeof(struct capture_frame) == 16, "capture_frame");
_Static_assert(sizeof(struct capture_answer) == 24, "capture_answer");
_Static_assert(sizeof(struct capture_addr) == 24, "capture_addr");
_Static_assert(sizeof(struct capture_packed) == 16, "capture_packed");

/* Sum over `n` bytes, a multiple of 8: any change within 8 of them changes it. */
uint64_t capture_check(uint64_t start, const void *bytes, size_t n);
/* Completes a header: magic, version, size, digests, check. */
void capture_seal(struct capture_head *h);
static inline size_t capture_padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}
/* Bytes of a frame with its payload. */
static inline size_t capture_whole(const struct capture_frame *f)
{
    return sizeof(*f) + capture_padded(f->size);
}
/* Makes a frame's header; `bytes` is the payload with its padding. */
struct capture_frame capture_frame_of(enum capture_kind kind, const void *bytes, size_t size);

/* ---- reading ---- */

#define CAPTURE_AHEAD (320u << 10) /* bytes of the file that are read ahead */
#define CAPTURE_BUFFER (CAPTURE_AHEAD + CAPTURE_BLOCK + 8 + sizeof(struct thin)) /* and a block */

_Static_assert(CAPTURE_AHEAD >= CAPTURE_BLOCK && CAPTURE_AHEAD % 8 == 0, "a frame has room");

struct capture_in {
    ssize_t (*read)(void *ctx, void *buf, size_t n); /* as read(2) */
    void *ctx;
    uint8_t *buf; /* CAPTURE_BUFFER bytes, 8-aligned: the caller's */
    size_t at, len;
    uint64_t offset;         /* in the file, of what is read next */
    enum capture_kind block; /* CAPTURE_PACKED or CAPTURE_THIN: what its pieces are, or 0 */
    size_t block_at,
        block_size;        /* of it, behind what is read ahead: what was handed out, and all */
    uint64_t block_check;  /* of the frame of its last piece */
    uint64_t block_offset; /* of that frame, in the file */
    int error;             /* errno of a read that failed */
};

struct capture_part {
    enum capture_kind kind;
    const void *bytes; /* 8-aligned, until the next call */
    size_t size;
    struct record *view; /* of a record that was thin: `bytes` is its struct capture_record alone */
};

enum capture_got {
    CAPTURE_GOT,
    CAPTURE_DONE,   /* after the closing frame: nothing follows */
    CAPTURE_CUT,    /* the file ends at or within a frame, and no closing frame was there */
    CAPTURE_BROKEN, /* what stands at `offset` is no frame */
    CAPTURE_FAILED, /* it could not be read: `error` */
};

/* The header: 0, or -EPROTO with the reason in `err`; -errno if it cannot be read. */
int capture_begin(struct capture_in *in, struct capture_head *head, char *err, size_t errlen);
/*
 * The next frame, checked in length, kind, sum and shape. Those that were packed come one by one;
 * none of them comes unless all are good. Thin records come one by one, none unless the sum of
 * their piece and its place are right.
 */
enum capture_got capture_next(struct capture_in *in, struct capture_part *out);

/* Parts of an answer: key and value; the text points into the frame. False: it has no value. */
const char *capture_key(const struct capture_part *p, size_t *nkey);
bool capture_value(const struct capture_part *p, struct val *out);

#endif
