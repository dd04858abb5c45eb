/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs to automata: the subset construction, over classes of code points.
 *
 * A state is the set of instructions that wait: for a character, for the end of a line, or for
 * the end. `^` looks back and is decided on the way in. `$` looks ahead: it stays in the state,
 * and is decided by what comes, a newline or the end; then a `^` behind it needs to know whether
 * this place begins a line, so that states that wait for `$` remember that.
 *
 * State 0 is the one without hope; 1 is the first. A row of words for each state: by class, where
 * it leads; last, 1 if the value may end here.
 */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "cons.h"
#include "regex.h"

struct state {
    uint32_t pc0, n; /* rows of pcs, ascending */
    bool bol;        /* only if some of them is `$` */
};

struct dfa {
    struct arena *arena;
    const struct re_prog *p;
    struct re_table *out;
    VEC(struct state) states; /* from 1 */
    VEC(uint32_t) pcs;
    struct cons seen;
    uint64_t work, work_max;
    /* The set being made. */
    uint32_t *mark, round;
    uint32_t *todo;
    VEC(uint32_t) set;
    bool match, waits; /* it has the end, it has a `$` */
};

static void begin(struct dfa *d)
{
    d->round++;
    d->set.n = 0;
    d->match = d->waits = false;
}

/*
 * Adds the instruction and what can be reached from it without a character. `eol`: the end of a
 * line is here, so that `$` is passed and not kept.
 */
static void enter(struct dfa *d, uint32_t pc, bool bol, bool eol)
{
    uint32_t n = 0;
    d->todo[n++] = pc;
    while (n) {
        pc = d->todo[--n];
        if (d->mark[pc] == d->round)
            continue;
        d->mark[pc] = d->round;
        d->work++;
        const struct re_inst *in = &d->p->inst.v[pc];
        if (in->op == RI_SPLIT) {
            d->todo[n++] = in->y;
            d->todo[n++] = in->x;
        } else if ((in->op == RI_BOL && bol) || (in->op == RI_EOL && eol)) {
            d->todo[n++] = in->x;
        } else if (in->op != RI_BOL) {
            d->match = d->match || in->op == RI_MATCH;
            d->waits = d->waits || in->op == RI_EOL;
            VEC_PUSH(d->arena, &d->set, pc);
        }
    }
}

/* ---- states ---- */

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

struct wanted {
    const struct dfa *d;
    bool bol;
};

static bool same(const void *ctx, uint32_t id)
{
    const struct wanted *w = ctx;
    const struct state *s = &w->d->states.v[id];
    return s->n == w->d->set.n && s->bol == w->bol &&
           !memcmp(w->d->pcs.v + s->pc0, w->d->set.v, s->n * sizeof(uint32_t));
}

/* The state of the set at hand. */
static uint32_t intern_state(struct dfa *d, bool bol)
{
    if (!d->set.n)
        return 0;
    qsort(d->set.v, d->set.n, sizeof(*d->set.v), compare);
    struct wanted w = {d, bol && d->waits};
    uint64_t h = cons_hash(CONS_SEED + w.bol, d->set.v, d->set.n * sizeof(*d->set.v));
    uint32_t id = cons_find(&d->seen, h, same, &w);
    if (!id) {
        struct state s = {d->pcs.n, d->set.n, w.bol};
        for (uint32_t i = 0; i < d->set.n; i++)
            VEC_PUSH(d->arena, &d->pcs, d->set.v[i]);
        id = VEC_PUSH(d->arena, &d->states, s);
        cons_add(&d->seen, h, id);
    }
    return id;
}

/* ---- transitions ---- */

/* The state's instructions in d->set; at the end of a line, with what is behind `$`. */
static void open_state(struct dfa *d, struct state s, bool eol)
{
    begin(d);
    for (uint32_t i = 0; i < s.n; i++)
        enter(d, d->pcs.v[s.pc0 + i], s.bol, eol);
}

static uint32_t step(struct dfa *d, const uint32_t *from, uint32_t n, uint32_t cls)
{
    const struct re_prog *p = d->p;
    bool bol = cls == p->newline;
    begin(d);
    for (uint32_t i = 0; i < n; i++) {
        const struct re_inst *in = &p->inst.v[from[i]];
        d->work++;
        if (in->op == RI_SET && p->member.v[in->set * p->nclass + cls])
            enter(d, in->x, bol, false);
    }
    return intern_state(d, bol);
}

static bool over(const struct dfa *d)
{
    return d->states.n > REGEX_STATES_MAX || d->work > d->work_max ||
           (uint64_t)d->states.n * (d->p->nclass + 1) > REGEX_WORDS_MAX;
}

/* The row of state `i`. The set is copied: what it leads to is made in its place. */
static void put_row(struct dfa *d, uint32_t i, uint32_t *copy)
{
    struct state s = d->states.v[i];
    for (uint32_t cls = 0; cls < d->p->nclass && !over(d); cls++) {
        open_state(d, s, cls == d->p->newline);
        if (d->set.n)
            memcpy(copy, d->set.v, d->set.n * sizeof(*copy));
        VEC_PUSH(d->arena, &d->out->words, (uint16_t)step(d, copy, d->set.n, cls));
    }
    open_state(d, s, true);
    VEC_PUSH(d->arena, &d->out->words, d->match);
}

/* ---- states without hope ---- */

/*
 * Leads every edge to a state from which no end can be reached to state 0. States mostly lead to
 * later ones, so that a few rounds do; where it takes too many, nothing is dropped.
 */
static void drop_hopeless(struct dfa *d)
{
    uint32_t width = d->p->nclass + 1, n = d->states.n;
    uint16_t *w = d->out->words.v;
    bool *hope = arena_alloc(d->arena, n), again = true;
    while (again) {
        again = false;
        d->work += (uint64_t)n * width;
        if (over(d))
            return;
        for (uint32_t i = n; i--;) {
            bool any = w[i * width + width - 1];
            for (uint32_t k = 0; k + 1 < width && !any; k++)
                any = hope[w[i * width + k]];
            again = again || any != hope[i];
            hope[i] = any;
        }
    }
    for (uint32_t i = 0; i < n * width; i++)
        if (i % width + 1 < width && !hope[w[i]])
            w[i] = 0;
}

bool regex_automaton(struct arena *a, const struct re_prog *p, uint64_t work_max,
                     struct re_table *out)
{
    struct dfa d = {.arena = arena_new(), .p = p, .work_max = work_max};
    struct re_table made = {0};
    d.seen.arena = d.arena;
    d.out = &made;
    d.mark = arena_alloc(d.arena, p->inst.n * sizeof(*d.mark));
    d.todo = arena_alloc(d.arena, (2 * p->inst.n + 2) * sizeof(*d.todo));
    uint32_t *copy = arena_alloc(d.arena, p->inst.n * sizeof(*copy));
    VEC_PUSH(d.arena, &d.states, (struct state){0});
    begin(&d);
    enter(&d, p->start, true, false);
    uint32_t first = intern_state(&d, true);
    for (uint32_t i = 0; i < d.states.n && !over(&d); i++)
        put_row(&d, i, copy);
    bool good = !over(&d);
    if (good) {
        drop_hopeless(&d);
        out->head.kind = RPK_AUTOMATON;
        out->head.start = (uint16_t)first;
        out->head.nstate = d.states.n;
        for (uint32_t i = 0; i < made.words.n; i++)
            VEC_PUSH(a, &out->words, made.words.v[i]);
    }
    out->work = d.work;
    arena_free(d.arena);
    return good;
}
