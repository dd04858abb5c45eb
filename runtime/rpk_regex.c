/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The validator's part on compiled patterns: after it, a walk through any value stays inside the
 * tables whatever the bytes of the value are. (What a pattern matches is the compiler's word.)
 */
#include "rpk.h"

static const char *classes_wrong(const struct rpk *r, const struct rpk_regex *x)
{
    if (x->nclass == 0 || x->nclass > RPK_CLASSES_MAX)
        return "number of classes";
    if (x->newline != RPK_CLASSES_MAX && x->newline >= x->nclass)
        return "class of the newline";
    for (int i = 0; i < 128; i++)
        if (x->ascii[i] >= x->nclass)
            return "class of a character";
    if (x->nrange == 0)
        return "no range";
    for (uint32_t i = 0; i < x->nrange; i++) {
        const struct rpk_range *g = &r->ranges[x->range0 + i];

        if (g->cls >= x->nclass)
            return "class of a range";
        if (i ? g->first <= g[-1].first : g->first != 128)
            return "ranges out of order";
    }
    return NULL;
}

static const char *automaton_wrong(const struct rpk_regex *x, const uint16_t *w)
{
    uint32_t width = x->nclass + 1u;

    if (x->nstate == 0 || x->nstate > UINT16_MAX || x->nword != (uint64_t)x->nstate * width)
        return "number of transitions";
    if (x->start >= x->nstate)
        return "first state";
    for (uint32_t i = 0; i < x->nword; i++) {
        if (i % width == width - 1 ? w[i] > 1 : w[i] >= x->nstate)
            return "a transition leads nowhere";
        if (i < width && w[i])
            return "state 0 leads on";
    }
    return NULL;
}

static const char *program_wrong(const struct rpk_regex *x, const uint16_t *w)
{
    if (x->nstate == 0 || x->nstate > RPK_PROGRAM_MAX ||
        x->nword != x->nstate * RPK_INST_WORDS + x->nset * (uint32_t)RPK_SET_WORDS)
        return "number of instructions";
    if (x->start >= x->nstate)
        return "first instruction";
    for (uint32_t i = 0; i < x->nstate; i++, w += RPK_INST_WORDS) {
        if (w[0] >= RI_COUNT)
            return "unknown instruction";
        if (w[0] != RI_MATCH && w[1] >= x->nstate)
            return "an instruction leads nowhere";
        if ((w[0] == RI_SPLIT && w[2] >= x->nstate) || (w[0] == RI_SET && w[2] >= x->nset))
            return "an instruction leads nowhere";
    }
    return NULL;
}

const char *rpk_regex_wrong(const struct rpk *r, uint32_t row)
{
    const struct rpk_regex *x = &r->regexes[row];
    const char *why;

    /* One row behind the other: none is read twice, whatever the rows say. */
    if (x->word0 != (row ? x[-1].word0 + x[-1].nword : 0) || x->nword > r->head->words.n - x->word0)
        return "transitions outside their table";
    if (x->range0 != (row ? x[-1].range0 + x[-1].nrange : 0) ||
        x->nrange > r->head->ranges.n - x->range0)
        return "ranges outside their table";
    why = classes_wrong(r, x);
    if (why)
        return why;
    if (x->kind > RPK_PROGRAM)
        return "unknown form";
    return x->kind == RPK_AUTOMATON ? automaton_wrong(x, r->words + x->word0)
                                    : program_wrong(x, r->words + x->word0);
}
