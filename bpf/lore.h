/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Lore: what user space has told the kernel of a user, a container, an address (grammar/lore.def).
 *
 * Each test of lore has a bit of its kind. A row of the map `lore` says of one thing which tests
 * are known and which of them are true, until some time; user space writes it, and the kernel reads
 * it, without a system call. A thing's row is found by a hash of its key, which stands in the row
 * and is compared whole; things that share a row overwrite each other's, so that memory is bounded
 * and a row can be lost at any time: then the tests are unknown, and the event is sent.
 *
 * A row is written while it is read: `seq` is odd meanwhile, and another one afterwards.
 */
#ifndef RULEC_LORE_ROW_H
#define RULEC_LORE_ROW_H

#include "abi.h"

#define LORE_ALWAYS 0xffffffffffffffffull /* lore_row.until: nothing ends it but user space */
#define LORE_ROWS 2048                    /* of packs that have tests of lore; a power of two */

/* All that the answers rest on. Zeros behind the text. */
struct lore_key {
    __u32 kind; /* enum lore_kind */
    __u32 len;  /* bytes of text */
    __s64 num;
    char text[LORE_TEXT];
};
#define LORE_KEY_WORDS (sizeof(struct lore_key) / 8)

struct lore_row {
    __u32 seq;
    __u32 pad;
    __u64 until; /* the first time, by the events' clock (h.ts), at which it does not hold */
    struct lore_key key;
    struct lore_bits bits;
};

ABI_ASSERT(sizeof(struct lore_key) == 16 + LORE_TEXT);
ABI_ASSERT(sizeof(struct lore_row) == 16 + sizeof(struct lore_key) + sizeof(struct lore_bits));

/* One word after the other: all at a time they fill a BPF program's stack. */
#ifdef __bpf__
#define LORE_STEP(x) OPAQUE(x)
#else
#define LORE_STEP(x)
#endif

/* Said to be aligned, as it is: else it is read byte by byte. */
static inline __u64 lore_key_word(const struct lore_key *key, __u32 i)
{
    const char *words = __builtin_assume_aligned(key, 8);
    __u64 w;

    __builtin_memcpy(&w, words + 8ull * i, sizeof(w));
    return w;
}

/* FNV-1a over words, with its upper bits, which have seen all of them. */
static inline __u32 lore_hash(const struct lore_key *key)
{
    __u64 h = 0xcbf29ce484222325ull;

    for (__u32 i = 0; i < LORE_KEY_WORDS; i++) {
        h = (h ^ lore_key_word(key, i)) * 0x100000001b3ull;
        LORE_STEP(h);
    }
    return (__u32)(h ^ h >> 32);
}

static inline int lore_same_key(const struct lore_key *a, const struct lore_key *b)
{
    __u64 differ = 0;

    for (__u32 i = 0; i < LORE_KEY_WORDS; i++) {
        differ |= lore_key_word(a, i) ^ lore_key_word(b, i);
        LORE_STEP(differ);
    }
    return differ == 0;
}

#endif
