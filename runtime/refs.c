/* SPDX-License-Identifier: Apache-2.0 */
#include "refs.h"

#include <errno.h>
#include <stdlib.h>

#include "../grammar/supply.h"

int ref_walk_open(struct ref_walk *w, const struct rpk *p, void (*see)(void *ctx, uint32_t ref),
                  void *ctx)
{
    uint32_t nnode = p->head->nodes.n;

    *w = (struct ref_walk){.p = p, .see = see, .ctx = ctx};
    w->seen = calloc(nnode + 1u, sizeof(*w->seen));
    w->todo = calloc(nnode + 1u, sizeof(*w->todo));
    return w->seen && w->todo ? 0 : -ENOMEM;
}

void ref_walk_close(struct ref_walk *w)
{
    free(w->todo);
    free(w->seen);
}

static void see_ref(const struct ref_walk *w, uint32_t ref)
{
    const struct rpk_ref *f = &w->p->refs[ref];

    for (uint32_t i = 0; f->xform && i < f->nkid; i++)
        see_ref(w, f->kid0 + i);
    if (!f->xform && !f->is_literal)
        w->see(w->ctx, ref);
}

static void see_nodes(struct ref_walk *w, uint32_t root)
{
    uint32_t n = 0, next[2];

    w->now++;
    if (root < RPK_TRUE)
        w->todo[n++] = root;
    while (n) {
        const struct rpk_node *d = &w->p->nodes[w->todo[--n]];
        const struct rpk_atom *a = &w->p->atoms[d->atom];

        see_ref(w, a->lhs);
        if (a->rhs != RPK_NO_REF)
            see_ref(w, a->rhs);
        next[0] = d->yes;
        next[1] = d->no;
        for (unsigned k = 0; k < 2; k++)
            if (next[k] < RPK_TRUE && w->seen[next[k]] != w->now) {
                w->seen[next[k]] = w->now;
                w->todo[n++] = next[k];
            }
    }
}

void ref_walk_root(struct ref_walk *w, const struct rpk_root *root)
{
    const struct rpk_rule *rule = &w->p->rules[root->rule];

    see_nodes(w, root->node);
    for (uint32_t i = 0; i < rule->pieces.n; i++)
        if (w->p->pieces[rule->pieces.off + i].ref != RPK_NO_REF)
            see_ref(w, w->p->pieces[rule->pieces.off + i].ref);
}

/* Parameters that a field stands for on an event: their groups of slots. */
static uint64_t param_groups(const struct rpk *p, const struct rpk_ref *f, enum event_id event)
{
    const char *name = rpk_text(p, f->name);
    const struct param_info *param;
    int index = f->index;
    uint64_t groups = 0;

    if (f->field == F_evt_args || f->field == F_evt_info) {
        for (unsigned i = 0; (param = catalog_param(event, i)); i++)
            groups |= supply_param(param);
        return groups;
    }
    if (f->name.len)
        index = catalog_param_index(event, name, f->name.len);
    param = index < 0 ? NULL : catalog_param(event, (unsigned)index);
    return param ? supply_param(param) : 0;
}

uint64_t ref_groups(const struct rpk *p, const struct rpk_ref *f, enum event_id event)
{
    return supply_field((enum field_id)f->field, rpk_text(p, f->name), f->index, event) |
           param_groups(p, f, event);
}
