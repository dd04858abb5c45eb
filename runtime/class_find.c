/* SPDX-License-Identifier: Apache-2.0 */
#include "class_find.h"

#include <string.h>

/* ---- looking up ---- */

/* Where an edge leads, or 0. rpk.c has checked the number of buckets. */
static uint32_t edge(const struct rpk *p, uint64_t word, uint32_t from)
{
    const struct class_edge *head = p->class_edges[0].edge;
    uint64_t h = class_hash(head->word, word, from);

    for (int k = 0; k < 2; k++, h >>= 32) {
        const struct class_bucket *b = &p->class_edges[1 + ((uint32_t)h & head->from)];

        for (int i = 0; i < CLASS_BUCKET; i++)
            if (b->edge[i].from == from && b->edge[i].word == word)
                return b->edge[i].to;
    }
    return 0;
}

/* The next n <= 8 bytes from `at` on, or those before len - at, backwards. */
static uint64_t next_word(const char *text, size_t len, size_t at, size_t n, bool back)
{
    uint64_t word = 0;

    for (size_t i = n; i--;)
        word = word << 8 | (uint8_t)(back ? text[len - 1 - at - i] : text[at + i]);
    return word;
}

uint32_t class_find(const struct rpk *p, const char *text, size_t len, uint32_t node,
                    enum class_how how)
{
    uint32_t best = 0;

    if (!p->head->class_edges.n || (how == CLASS_EXACT && len > CLASS_TEXT_MAX))
        return 0;
    for (size_t at = 0; node && at <= CLASS_TEXT_MAX; at += 8) {
        size_t n = len - at < 8 ? len - at : 8;
        uint64_t word = next_word(text, len, at, n, how == CLASS_SUFFIX);

        if (how == CLASS_EXACT && n < 8)
            return edge(p, word, node >> 8 << 4 | (uint32_t)n);
        for (uint32_t k = 0; k < 8 && k <= n && how != CLASS_EXACT; k++) {
            uint32_t to = node >> k & 1 ? edge(p, class_part(word, k), node >> 8 << 4 | k) : 0;

            best = to ? to : best;
        }
        node = n < 8 ? 0 : edge(p, word, node >> 8 << 4 | 8);
    }
    return best;
}

bool class_may_start(const struct rpk *p, const char *text, size_t len, uint32_t node)
{
    if (!CLASS_HAS_STARTS(node) || !p->head->class_edges.n)
        return true;
    return len >= CLASS_START_LEN &&
           edge(p, next_word(text, len, 0, CLASS_START_LEN, false), node >> 8 << 4 | CLASS_START);
}

uint32_t class_find_number(const struct rpk *p, int64_t num, uint32_t node)
{
    return p->head->class_edges.n ? edge(p, (uint64_t)num, node >> 8 << 4 | CLASS_OF_NUM) : 0;
}
