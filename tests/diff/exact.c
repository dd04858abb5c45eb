/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules `rulec explain` says are decided in the kernel: held against what the filter does. */
#include "diff.h"

#include <stdlib.h>

#include "../../compiler/grade.h"

static const struct event_rules *row_of(const struct comp *c, const struct event *e)
{
    const struct event_rules *others = NULL;
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *row = &c->events.v[i];
        if (row->event != e->type)
            continue;
        if (row->event != EV_generic || row->sysnr == e->sysnr)
            return row;
        others = row->sysnr == SYSNR_OTHER ? row : others;
    }
    return others;
}

/* Tables in the kernel decide some tests only. */
static bool has_table(const struct comp *c, const struct event_rules *row)
{
    for (uint32_t k = row->key0; k < row->key0 + row->nkey; k++)
        if (c->keys.v[k].table)
            return true;
    return false;
}

/* Every test that the root leads to. Edges point upwards. */
static bool all_decided(const struct comp *c, const struct event_rules *row, dag_id root)
{
    bool good = true, *in = calloc(c->dag.n + 1, 1);
    if (root.i < DAG_TRUE)
        in[root.i] = true;
    for (uint32_t i = 1; i < c->dag.n && good; i++) {
        const struct dag_node *d = &c->dag.v[i];
        if (!in[i])
            continue;
        good = !grade_why(c, d, row->event, false);
        if (d->yes.i < DAG_TRUE)
            in[d->yes.i] = true;
        if (d->no.i < DAG_TRUE)
            in[d->no.i] = true;
    }
    free(in);
    return good;
}

bool exact_rule(const struct judge *j, const struct event *e, uint32_t rule)
{
    const struct event_rules *row = row_of(j->c, e);
    if (!row || j->c->filter_left || has_table(j->c, row))
        return false;
    for (uint32_t i = 0; i < row->nroot; i++) {
        const struct root *r = &j->c->roots.v[row->root0 + i];
        if (j->c->rules.v[r->rule.i].index == rule)
            return all_decided(j->c, row, r->root);
    }
    return false;
}

bool exact_event(const struct judge *j, const struct event *e)
{
    for (uint32_t i = 0; i < e->facts.n; i++)
        if (e->facts.v[i].state == FACT_UNKNOWN)
            return false;
    for (unsigned s = 0; s < SLOT_COUNT; s++)
        if (j->ev->h.st[s] != ST_PRESENT && j->ev->h.st[s] != ST_ABSENT)
            return false;
    return j->ev->h.anc_state == ST_PRESENT && !j->user.holes;
}
