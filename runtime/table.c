/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include "match.h"

/* Edges lead forward only (rpk.c has checked that), so a walk ends. */
enum walk { WALK_BEST, WALK_WORST };

/*
 * Follows one rule's decisions. A literal over something unknown holds in the best case and fails
 * in the worst; `*unsure` says that one was met. The literal is the atom, or its negation (neg).
 */
static bool walk(const struct rpk *p, struct record *r, uint32_t node, enum walk how, bool *unsure)
{
    while (node != RPK_TRUE && node != RPK_FALSE) {
        const struct rpk_node *d = &p->nodes[node];
        enum outcome o = match_atom(p, r, &p->atoms[d->atom]);
        bool yes = o == OUT_TRUE;

        if (o == OUT_MAYBE) {
            *unsure = true;
            yes = (how == WALK_BEST) != (d->neg != 0);
        }
        node = yes ? d->yes : d->no;
    }
    return node == RPK_TRUE;
}

static enum verdict judge(const struct rpk *p, struct record *r, uint32_t node)
{
    bool unsure = false;

    if (!walk(p, r, node, WALK_BEST, &unsure))
        return VERDICT_NONE;
    if (!unsure || walk(p, r, node, WALK_WORST, &unsure))
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

/* The best verdict over the readings asked for; the first reading wins among equals. */
static struct match judge_readings(const struct rpk *p, struct record *r, unsigned readings,
                                   const struct rpk_root *root)
{
    struct match best = {.rule = root->rule};
    unsigned last = r->h->readings == 2 ? READ_SPELLED : READ_KERNEL;

    for (unsigned k = READ_KERNEL; k <= last; k++) {
        enum verdict v;

        if (last == READ_SPELLED && !(readings & 1u << k))
            continue;
        r->reading = (enum reading)k;
        v = judge(p, r, root->node);
        if (v != VERDICT_NONE && (best.verdict == VERDICT_NONE || v < best.verdict)) {
            best.verdict = (uint8_t)v;
            best.reading = (uint8_t)k;
        }
        if (best.verdict == VERDICT_MATCH)
            break;
    }
    return best;
}

unsigned table_match(const struct rpk *p, struct record *r, unsigned readings, bool first,
                     struct match *out, unsigned cap)
{
    const struct rpk_event *e = event_row(p, r->h);
    unsigned n = 0;

    for (uint32_t i = 0; e && i < e->nroot && n < cap; i++) {
        const struct rpk_root *root = &p->roots[e->root0 + i];
        struct match m;

        if (!rpk_rule_on(p, root->rule))
            continue;
        m = judge_readings(p, r, readings, root);
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

    for (uint32_t i = 0; e && i < e->nroot && rpk_rule_on(p, rule); i++)
        if (p->roots[e->root0 + i].rule == rule)
            return judge(p, r, p->roots[e->root0 + i].node);
    return VERDICT_NONE;
}
