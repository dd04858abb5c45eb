/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sketch of a path: which rules it can concern, told from a glance at its components.
 *
 * Most rules of opens cannot match unless the path has one of a few constants in it: a last
 * component `shadow`, a first one `etc`, a directory `cron.d`. The compiler gives each such set of
 * constants one bit (compiler/sketch.c). The probe looks at the first eight bytes of each
 * component, finds them in one small hash table, and joins the bits of the rows it finds. A rule
 * whose bit is off cannot match, whatever else is true of the event; one whose bit is on may, and
 * is judged in full. So the sketch only ever says more than is so, and it covers both readings of
 * the path.
 *
 * Shared by bpf/, which makes sketches by words, and compiler/, which makes the table, and sketches
 * of whole texts for the interpreter (compiler/eval_sketch.c).
 */
#ifndef RULEC_SKETCH_H
#define RULEC_SKETCH_H

#ifndef __bpf__
#include <linux/types.h>
#include <stddef.h>
#endif

/* Bits of a component whose first eight bytes (padded with zeros) are `word`, by where it stands.
 */
struct sketch_row {
    __u64 word;   /* 0: no row */
    __u64 any;    /* anywhere */
    __u64 last;   /* the last one */
    __u64 dir;    /* the last but one, or the last, since a directory can be opened */
    __u64 first;  /* the first one */
    __u64 part;   /* the first one begins with this word, of less than eight bytes */
    __u64 tail;   /* the last one ends with this word, of at most eight bytes */
    __u64 within; /* its bytes 0 to 7, 8 to 15, ... of any component are this word */
};

/* Row 0 of the table; the others are found by sketch_place(). */
struct sketch_head {
    __u64 mul;                  /* of the hash, odd: no two words of the table fall on one row */
    __u64 name, dir, file, raw; /* bits that tests of slot FD_NAME, FD_DIR, ... have a part in */
    __u64 shallow;              /* bits of a path with less than two components */
    __u64 dots;                 /* bits of a component that ends with `..` */
    __u8 firsts, tails; /* bit n: there are words of n bytes (bit 0: of 8) in `part`, in `tail` */
    __u8 within;        /* there are words in `within` */
    __u8 shift;         /* 64 less the bits of a row's number; 0: there is no table */
    __u16 part_starts;  /* SKETCH_BYTE of the first byte of each word in `part` */
    __u16 tail_ends;    /* ... of the last byte of each word in `tail` */
};

#define SKETCH_BITS 64
#define SKETCH_UNKNOWN (~0ull) /* every bit: nothing can be said */
#define SKETCH_DOTS 0x2e2eull  /* `..` as a number */
#define SKETCH_BYTE(byte) (1u << ((byte)&15))

/* The number of the row where a word must be. */
static inline __u32 sketch_place(const struct sketch_head *h, __u64 word)
{
    return 1 + (__u32)((word * h->mul) >> h->shift);
}

_Static_assert(sizeof(struct sketch_row) == 64, "sketch_row");
_Static_assert(sizeof(struct sketch_head) == sizeof(struct sketch_row), "sketch_head");

#endif
