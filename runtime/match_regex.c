/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled patterns, over the whole value, in one pass: a table access a character, or (Thompson's
 * simulation) one visit of each instruction a character at most. No allocation: a program's sets
 * of instructions stand on the stack, 25 kB of it.
 *
 * Of a CUT value what is not known may be anything: MAYBE, unless nothing that begins so matches.
 */
#include <string.h>

#include "match.h"
#include "utf8.h"

/* Class of a code point from 128 on. */
static uint32_t class_beyond(const struct rpk *p, const struct rpk_regex *x, uint32_t code)
{
    const struct rpk_range *g = &p->ranges[x->range0];
    uint32_t lo = 0, hi = x->nrange;

    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (g[mid].first <= code)
            lo = mid;
        else
            hi = mid;
    }
    return g[lo].cls;
}

/* A value as classes of its characters. */
struct reader {
    const struct rpk *p;
    const struct rpk_regex *x;
    const char *at, *end;
};

/* n > 0 bytes are left. */
static uint32_t next_class(struct reader *r)
{
    uint32_t code;
    bool broken;

    if ((unsigned char)*r->at < 128)
        return r->x->ascii[(unsigned char)*r->at++];
    r->at += utf8_take(r->at, (size_t)(r->end - r->at), &code, &broken);
    return class_beyond(r->p, r->x, code);
}

/* A cut value may end inside a character: that one is not known. */
static void drop_open_end(struct reader *r)
{
    size_t n = (size_t)(r->end - r->at);

    for (size_t back = 1; back <= 3 && back <= n; back++) {
        size_t want, len = utf8_length(r->end - back, back, &want);

        if (len == back && want > len) {
            r->end -= back;
            return;
        }
    }
}

static enum outcome verdict(bool cut, bool hope, bool match)
{
    if (cut)
        return hope ? OUT_MAYBE : OUT_FALSE;
    return match ? OUT_TRUE : OUT_FALSE;
}

static enum outcome run_automaton(struct reader *r, bool cut)
{
    const uint16_t *w = r->p->words + r->x->word0;
    uint32_t width = r->x->nclass + 1u, state = r->x->start;

    while (r->at < r->end && state)
        state = w[state * width + next_class(r)];
    return verdict(cut, state != 0, w[state * width + width - 1]);
}

/* ---- programs ---- */

/* The instructions that wait for a character, and which have been visited at this place. */
struct threads {
    uint16_t at[RPK_PROGRAM_MAX];
    uint32_t n;
};
struct machine {
    const struct rpk_regex *x;
    const uint16_t *inst;
    struct threads now, next;
    uint64_t seen[RPK_PROGRAM_MAX / 64];
    uint16_t todo[RPK_PROGRAM_MAX];
    bool match;
};

/* Where this is in the value: what is before it, and what is behind. */
struct place {
    bool bol, eol;
};

static void begin(struct machine *m)
{
    memset(m->seen, 0, ((size_t)m->x->nstate + 63) / 64 * 8);
    m->next.n = 0;
    m->match = false;
}

/* Each instruction goes on the list of what is to do once, so that it has room. */
static void push(struct machine *m, uint32_t pc, uint32_t *n)
{
    uint64_t bit = 1ull << (pc % 64);

    if (m->seen[pc / 64] & bit)
        return;
    m->seen[pc / 64] |= bit;
    m->todo[(*n)++] = (uint16_t)pc;
}

static void enter(struct machine *m, uint32_t pc, struct place at)
{
    uint32_t n = 0;

    push(m, pc, &n);
    while (n) {
        const uint16_t *in = m->inst + (size_t)m->todo[--n] * RPK_INST_WORDS;

        switch ((enum rpk_inst)in[0]) {
        case RI_MATCH:
            m->match = true;
            break;
        case RI_SET:
            m->next.at[m->next.n++] = (uint16_t)((in - m->inst) / RPK_INST_WORDS);
            break;
        case RI_SPLIT:
            push(m, in[2], &n);
            push(m, in[1], &n);
            break;
        case RI_BOL:
        case RI_EOL:
            if (in[0] == RI_BOL ? at.bol : at.eol)
                push(m, in[1], &n);
            break;
        case RI_COUNT:
            break;
        }
    }
}

/* A line ends before a newline, and at the end of the value; of a cut one, it may. */
static bool line_ends(const struct reader *r)
{
    return r->at == r->end || *r->at == '\n';
}

static void step(struct machine *m, uint32_t cls, struct place at)
{
    const uint16_t *sets = m->inst + (size_t)m->x->nstate * RPK_INST_WORDS;

    m->now.n = m->next.n;
    memcpy(m->now.at, m->next.at, m->next.n * sizeof(m->now.at[0]));
    begin(m);
    for (uint32_t i = 0; i < m->now.n; i++) {
        const uint16_t *in = m->inst + (size_t)m->now.at[i] * RPK_INST_WORDS;

        if (sets[(size_t)in[2] * RPK_SET_WORDS + cls / 16] >> (cls % 16) & 1)
            enter(m, in[1], at);
    }
}

static enum outcome run_program(struct reader *r, bool cut)
{
    struct machine m;

    m.x = r->x;
    m.inst = r->p->words + r->x->word0;
    begin(&m);
    enter(&m, r->x->start, (struct place){true, line_ends(r)});
    while (r->at < r->end && m.next.n) {
        uint32_t cls = next_class(r);

        step(&m, cls, (struct place){cls == r->x->newline, line_ends(r)});
    }
    if (r->at < r->end)
        m.match = false;
    return verdict(cut, m.next.n || m.match, m.match);
}

enum outcome match_regex(const struct rpk *p, uint32_t regex, struct val v)
{
    const struct rpk_regex *x = &p->regexes[regex];
    struct reader r = {p, x, v.text, v.text + v.len};
    bool cut = v.state == ST_CUT;

    if (cut)
        drop_open_end(&r);
    return x->kind == RPK_AUTOMATON ? run_automaton(&r, cut) : run_program(&r, cut);
}
