/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Value classes as tables, for what would be too much code: which constants a text satisfies, and
 * what the rules that ask for these constants test besides. Shared by bpf/match_class.bpf.c, which
 * reads these rows as maps, runtime/class_find.c, which reads them in the bundle, and the compiler.
 *
 * Constants stand in tries whose edges are words: from a node, eight bytes lead to the next node,
 * and the last 0 to 7 bytes (padded with zeros) to the value that was put in. All edges of all
 * tries are rows of one hash table, and an edge is its own key, whole: a hash finds the row, but
 * bytes decide. The hash table has buckets of four rows; an edge is in one of its two buckets.
 *
 * A node is told as `id << 8 | lengths`, bit k of lengths: constants end here with k more bytes.
 * That is enough to know at once which beginnings of a text can be constants.
 */
#ifndef RULEC_CLASS_H
#define RULEC_CLASS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

struct class_edge {
    __u64 word;
    __u32 from; /* id of the node << 4 | bytes of the word, 8: the next node; 0: no edge.
                   CLASS_OF_NUM: the word is a number, and leads to its value */
    __u32 to;   /* the next node, or the value; not 0 */
};
#define CLASS_OF_NUM 9
#define CLASS_START                                                                                \
    10 /* the word is how a constant of CLASS_WITHIN starts: CLASS_START_LEN bytes */
#define CLASS_START_LEN 4
/* All constants are that long (by the node's lengths), so that one look-up excludes most places. */
#define CLASS_HAS_STARTS(node) (((node)&0xf) == 0)
#define CLASS_BUCKET 4
/* Row 0 is the head: edge[0].word the hash's seed, edge[0].from the number of buckets less 1. */
struct class_bucket {
    struct class_edge edge[CLASS_BUCKET];
};

#define CLASS_TEXT_MAX 255 /* the longest constant */
#define CLASS_WORDS 32     /* that hold it, with its last 0 to 7 bytes */

/* What a text is looked up as. */
enum class_how {
    CLASS_EXACT,  /* the whole text is a constant */
    CLASS_PREFIX, /* it begins with some: the value of the longest */
    CLASS_SUFFIX, /* it ends with some, which were put in backwards */
    CLASS_NUMBER, /* no text: a number */
    CLASS_WITHIN, /* constants stand in it anywhere: CLASS_PREFIX from each byte on */
};

static inline __u64 class_hash(__u64 seed, __u64 word, __u32 from)
{
    __u64 h = (word ^ seed ^ (__u64)from << 40 ^ from) * 0x9e3779b97f4a7c15ull;

    h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ull;
    return h ^ h >> 32;
}

/* The first n < 8 bytes of a word. */
static inline __u64 class_part(__u64 word, unsigned n)
{
    return word & ((1ull << 8 * n) - 1);
}

#define CLASS_FOUND 8 /* different classes that CLASS_WITHIN finds at most in the kernel */

/* Values of one class: the rules whose key they satisfy. Row 0 is no class. */
struct class_row {
    __u32 cand0, ncand; /* rows of candidates, in rule order */
};
struct class_cand {
    __u32 rule; /* index in the bundle */
    __u32 root; /* its place among the event's roots */
    __u32 test; /* where its remaining tests begin, or a terminal */
    __u32 off;  /* not 0: the rule is switched off (runtime/select.c) */
};

/* Terminals of tests. A test's edges lead to lower rows, so that each walk ends. */
#define CLASS_FAIL 0xffffffffu
#define CLASS_PASS 0xfffffffeu

enum class_test_kind {
    CT_EXISTS,
    CT_MASK,     /* (number & a) == b */
    CT_SIGNED,   /* a <= number <= b */
    CT_UNSIGNED, /* the same */
    CT_FIND,     /* the text at offset a is found from node `arg`, enum class_how b */
    CT_NAME,     /* match_name, set `arg` */
    CT_CONTAINS, /* match_contains, pattern `arg`; b: match_icontains */
    CT_ANC,      /* match_anc, set `arg`: some ancestor is in it; b: some is not */
    CT_KINDS
};
struct class_test {
    __u32 yes, no;
    __u32 absent; /* where the value's state decides: there is none */
    __u32 maybe;  /* it cannot be told */
    __u8 kind;    /* enum class_test_kind */
    __u8 slot;    /* of all slots: SLOT_OF_NUM, SLOT_OF_STR */
    __u8 pad[2];
    __u32 arg;
    __u64 a, b;
};

_Static_assert(sizeof(struct class_bucket) == 64, "class_bucket");
_Static_assert(sizeof(struct class_row) == 8, "class_row");
_Static_assert(sizeof(struct class_cand) == 16, "class_cand");
_Static_assert(sizeof(struct class_test) == 40, "class_test");

#endif
