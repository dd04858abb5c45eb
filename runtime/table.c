/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <string.h>

#include "class_find.h"
#include "match.h"
#include "xform.h"

/* Edges lead forward only (rpk.c has checked that), so a walk ends. */
enum walk { WALK_BEST, WALK_WORST };

/* An event being judged. Rules share tests: what came of the last ones is kept. */
#define KEPT 64 /* a power of two */
struct judging {
    const struct rpk *p;
    struct record *r;
    uint32_t atom[KEPT]; /* READ_COUNT * atom + reading + 1; 0: none */
    uint8_t outcome[KEPT];
};

static void begin(struct judging *j, const struct rpk *p, struct record *r)
{
    j->p = p;
    j->r = r;
    memset(j->atom, 0, sizeof(j->atom));
}

static enum outcome outcome_of(struct judging *j, uint32_t atom)
{
    uint32_t key = READ_COUNT * atom + j->r->reading + 1, at = atom & (KEPT - 1);

    if (j->atom[at] != key) {
        j->outcome[at] = (uint8_t)match_atom(j->p, j->r, &j->p->atoms[atom]);
        j->atom[at] = key;
    }
    return (enum outcome)j->outcome[at];
}

/*
 * Follows one rule's decisions. A literal over something unknown holds in the best case and fails
 * in the worst; `*unsure` says that one was met. The literal is the atom, or its negation (neg).
 */
static bool walk(struct judging *j, uint32_t node, enum walk how, bool *unsure)
{
    while (node != RPK_TRUE && node != RPK_FALSE) {
        const struct rpk_node *d = &j->p->nodes[node];
        enum outcome o = outcome_of(j, d->atom);
        bool yes = o == OUT_TRUE;

        if (o == OUT_MAYBE) {
            *unsure = true;
            yes = (how == WALK_BEST) != (d->neg != 0);
        }
        node = yes ? d->yes : d->no;
    }
    return node == RPK_TRUE;
}

static enum verdict judge(struct judging *j, uint32_t node)
{
    bool unsure = false;

    if (!walk(j, node, WALK_BEST, &unsure))
        return VERDICT_NONE;
    if (!unsure || walk(j, node, WALK_WORST, &unsure))
        return VERDICT_MATCH;
    return VERDICT_UNCERTAIN;
}

static int event_order(const struct rpk_event *e, uint16_t event, int32_t sysnr)
{
    if (e->event != event)
        return e->event < event ? -1 : 1;
    return e->sysnr < sysnr ? -1 : e->sysnr > sysnr;
}

static const struct rpk_event *find_event(const struct rpk *p, uint16_t event, int32_t sysnr)
{
    uint32_t lo = 0, hi = p->head->events.n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int cmp = event_order(&p->events[mid], event, sysnr);

        if (cmp == 0)
            return &p->events[mid];
        if (cmp < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

/* The rules that can fire on this event. System calls without an own row share the row -1. */
static const struct rpk_event *event_row(const struct rpk *p, const struct ev_head *h)
{
    const struct rpk_event *e = NULL;

    if (h->event == EV_generic && h->st[N_SYSNR] == ST_PRESENT && h->num[N_SYSNR] >= 0 &&
        h->num[N_SYSNR] <= INT32_MAX)
        e = find_event(p, h->event, (int32_t)h->num[N_SYSNR]);
    return e ? e : find_event(p, h->event, -1);
}

/* Of the readings asked for those to judge: what was spelled as it was opened is READ_KERNEL. */
static unsigned asked_readings(const struct record *r, unsigned readings)
{
    unsigned here = r->h->readings;

    if ((readings & READ_BIT(READ_SPELLED)) && !(here & READ_BIT(READ_SPELLED)))
        readings |= READ_BIT(READ_KERNEL);
    return readings & here ? readings & here : READ_BIT(READ_KERNEL);
}

/* The best verdict over these readings; the first reading wins among equals. */
static struct match judge_readings(struct judging *j, unsigned readings,
                                   const struct rpk_root *root)
{
    struct match best = {.rule = root->rule};

    for (unsigned k = READ_KERNEL; k < READ_COUNT; k++) {
        enum verdict v;

        if (!(readings & READ_BIT(k)))
            continue;
        j->r->reading = (enum reading)k;
        v = judge(j, root->node);
        if (v != VERDICT_NONE && (best.verdict == VERDICT_NONE || v < best.verdict)) {
            best.verdict = (uint8_t)v;
            best.reading = (uint8_t)k;
        }
        if (best.verdict == VERDICT_MATCH)
            break;
    }
    return best;
}

/* ---- which rules are tried ---- */

/*
 * A bit for each of the event's roots. A word of `bits` is there if its bit in `used` is set, so
 * that a large pack costs what is chosen of it, and not its size.
 */
struct chosen {
    uint64_t used[RULES_MAX / 64 / 64];
    uint64_t bits[RULES_MAX / 64];
};

static void choose(struct chosen *c, uint32_t root)
{
    uint32_t word = root / 64;

    if (!(c->used[word / 64] >> word % 64 & 1))
        c->bits[word] = 0;
    c->used[word / 64] |= 1ull << word % 64;
    c->bits[word] |= 1ull << root % 64;
}

/* The lowest bit of `words[0..n)` from bit `i` on; 64 * n: none. */
static uint32_t next_bit(const uint64_t *words, uint32_t n, uint32_t i)
{
    while (i < 64 * n) {
        uint64_t left = words[i / 64] >> i % 64;

        if (left)
            return i + (uint32_t)__builtin_ctzll(left);
        i = (i / 64 + 1) * 64;
    }
    return 64 * n;
}

/* The first root from `i` on that is chosen; RULES_MAX: none. */
static uint32_t next_chosen(const struct chosen *c, uint32_t i)
{
    while (i < RULES_MAX) {
        uint32_t word = next_bit(c->used, RULES_MAX / 64 / 64, i / 64);

        if (word >= RULES_MAX / 64)
            break;
        i = word > i / 64 ? word * 64 : i;
        i = next_bit(c->bits, word + 1, i);
        if (i < 64 * (word + 1))
            return i;
    }
    return RULES_MAX;
}

/* False: the value is not known whole, or not of the key's kind. */
static bool find_class(const struct rpk *p, const struct rpk_key *k, struct val v, uint32_t *class)
{
    if (v.state != ST_PRESENT)
        return false;
    if (k->how == CLASS_NUMBER) {
        *class = v.text ? 0 : class_find_number(p, v.num, k->node);
        return !v.text;
    }
    if (v.base != BASE_TEXT && v.base != BASE_BYTES)
        return false;
    *class =
        k->how == CLASS_WITHIN ? 0 : class_find(p, v.text, v.len, k->node, (enum class_how)k->how);
    return true;
}

static void choose_class(const struct rpk *p, uint32_t class, struct chosen *out)
{
    if (class == 0 || class >= p->head->class_rows.n)
        return;
    for (uint32_t i = 0; i < p->class_rows[class].ncand; i++)
        choose(out, p->class_cands[p->class_rows[class].cand0 + i].root);
}

/* Of the key's rules those that the value can satisfy; all of them if it cannot be told. */
static void choose_by_key(const struct rpk *p, struct record *r, const struct rpk_key *k,
                          struct chosen *out)
{
    uint32_t used = r->used, class;
    struct val v = xform_ref(r, p, k->ref);

    r->used = used;
    if (v.state == ST_ABSENT)
        return;
    if (!find_class(p, k, v, &class)) {
        for (uint32_t i = 0; i < k->nrank; i++)
            choose(out, p->ranks[k->rank0 + i]);
        return;
    }
    choose_class(p, class, out);
    for (uint32_t at = 0; k->how == CLASS_WITHIN && at < v.len; at++)
        if (class_may_start(p, v.text + at, v.len - at, k->node))
            choose_class(p, class_find(p, v.text + at, v.len - at, k->node, CLASS_PREFIX), out);
}

/* Under any reading: what cannot match under one is told so when it is judged. */
static void choose_roots(const struct rpk *p, struct record *r, const struct rpk_event *e,
                         unsigned readings, struct chosen *out)
{
    memset(out->used, 0, sizeof(out->used));
    for (uint32_t i = 0; i < e->nrest && e->nkey; i++)
        choose(out, p->ranks[e->rest0 + i]);
    for (uint32_t i = 0; i < e->nroot && !e->nkey; i++)
        choose(out, i);
    r->plan = &p->head->plan;
    for (unsigned k = READ_KERNEL; k < READ_COUNT; k++) {
        r->reading = (enum reading)k;
        for (uint32_t i = 0; i < e->nkey && (readings & READ_BIT(k)); i++)
            choose_by_key(p, r, &p->keys[e->key0 + i], out);
    }
}

unsigned table_match(const struct rpk *p, struct record *r, unsigned readings, bool first,
                     struct match *out, unsigned cap)
{
    const struct rpk_event *e = event_row(p, r->h);
    struct judging judging;
    struct chosen chosen;
    unsigned n = 0;

    if (!e)
        return 0;
    readings = asked_readings(r, readings);
    choose_roots(p, r, e, readings, &chosen);
    begin(&judging, p, r);
    for (uint32_t i = next_chosen(&chosen, 0); i < e->nroot && n < cap;
         i = next_chosen(&chosen, i + 1)) {
        const struct rpk_root *root = &p->roots[e->root0 + i];
        struct match m;

        if (!rpk_rule_on(p, root->rule))
            continue;
        m = judge_readings(&judging, readings, root);
        if (m.verdict == VERDICT_NONE)
            continue;
        out[n++] = m;
        if (first && m.verdict == VERDICT_MATCH)
            break;
    }
    return n;
}

enum verdict table_rule(const struct rpk *p, struct record *r, uint32_t rule)
{
    const struct rpk_event *e = event_row(p, r->h);
    struct judging judging;

    begin(&judging, p, r);
    for (uint32_t i = 0; e && i < e->nroot && rpk_rule_on(p, rule); i++)
        if (p->roots[e->root0 + i].rule == rule)
            return judge(&judging, p->roots[e->root0 + i].node);
    return VERDICT_NONE;
}
