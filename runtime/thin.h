/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a recording (capture.h), each as what differs from one before it: numbers that
 * changed, and texts that its block does not have yet. docs/capture.md describes them for others.
 *
 * A block has THIN_CONTEXTS contexts, each a record: its head, and where its texts stand in the
 * block. A thin record names the context that it replaces and the one that it begins from, then
 * the words of the head that are others, then the texts that are. So reading one touches what is
 * new and no more, and what was checked once stays checked: the view of a context is good at any
 * time.
 *
 *     to, from        1 byte each: contexts; from THIN_CONTEXTS: zeros and no texts
 *     words, texts    1 byte each: how many entries follow
 *     a word          byte: 8 * g + n - 1. It stands g words behind the one after the last entry's;
 *                     n bytes follow, the difference to what it was, zigzag. g = THIN_GAP: n is 1,
 *                     no byte follows, THIN_GAP words are skipped
 *     a text          4 bytes: which (1), where it begins in the block (3); THIN_HERE: in this
 *                     record, behind the entries and the texts before it
 *     texts           those of THIN_HERE, as long as the words say
 */
#ifndef RULEC_THIN_H
#define RULEC_THIN_H

#include "record.h"

#define THIN_CONTEXTS 32
#define THIN_GAP 31u
#define THIN_HERE 0xffffffu
/* Texts by number: slots, then the other readings of fd.name, then the directory. */
#define THIN_BASE (S_COUNT + READ_ALTS)
#define THIN_TEXTS (THIN_BASE + 1)
#define THIN_WORDS (sizeof(struct thin_head) / 8)

/* What the words are of. */
struct thin_head {
    uint64_t number; /* evt.num */
    struct rec rec;
};
union thin_words {
    struct thin_head head;
    uint64_t word[sizeof(struct thin_head) / 8];
};

/* All texts of a record, as long as they can be. */
struct thin_longest {
#define SLOT_STR(id, group, cap, doc) char id[cap];
#include "../grammar/slots.def"
    char others[READ_ALTS + 1][PATH_CAP];
};
/* Bytes that a thin record takes beside its texts, at most: entries of all words, gaps and texts.
 */
#define THIN_ENTRIES (4 + 9 * THIN_WORDS + THIN_WORDS / THIN_GAP + (size_t)4 * THIN_TEXTS)
#define THIN_MAX (THIN_ENTRIES + sizeof(struct thin_longest))

_Static_assert(sizeof(struct thin_head) % 8 == 0, "whole words");
_Static_assert(THIN_WORDS + THIN_WORDS / THIN_GAP < 256, "entries are counted in a byte");
_Static_assert(THIN_TEXTS <= 63, "texts have a bit each, and heads one");

/* Length of a text, as a head says it, and what it may be. */
static inline uint32_t thin_length(const struct rec *rec, unsigned text)
{
    if (text < S_COUNT)
        return rec->h.len[text];
    return text < THIN_BASE ? rec->alt_len[text - S_COUNT] : rec->base_len;
}

static inline uint32_t thin_cap(unsigned text)
{
    return text < S_COUNT ? record_text_cap[text] : PATH_CAP;
}

/* ---- reading ---- */

struct thin_context {
    union thin_words now;
    const uint8_t *text[THIN_TEXTS]; /* where it stands: thin_length() bytes are in the block */
    struct record view;
};

struct thin {
    const uint8_t *block;
    uint64_t concerned[THIN_WORDS]; /* by word: bit per text whose place rests on it, or THIN_TOP */
    bool used[THIN_CONTEXTS];
    struct thin_context contexts[THIN_CONTEXTS];
};

/* A block begins, whose bytes are to stand at `block`; 8 more can be read. No view is good now. */
void thin_begin(struct thin *t, const uint8_t *block);
/*
 * Reads the thin record at `at`, of which not more is there than up to `end`: bytes of the block.
 * NULL: it is none. Else `*at` is behind it; the context is good until the next one is read.
 */
struct thin_context *thin_next(struct thin *t, size_t *at, size_t end);

#endif
