/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "arena.h"
#include "intern.h"
#include "lower.h"

/* Falco warns above this many event codes. */
#define CODES_MAX 100
#define EVENTS_MAX (CODES_MAX / 2)

static unsigned codes_of(enum event_id e)
{
    static const uint8_t codes[EV_COUNT] = {
#define EVENT_CODES(id, n) [EV_##id] = (n),
#include "../grammar/events.def"
    };
    return codes[e] ? codes[e] : 2; /* enter and exit */
}

static bool tells_apart(const struct comp *c, const struct site *one, const struct site *rest)
{
    for (uint32_t i = 1; i < c->atoms.n; i++)
        if (fold_type(c, (atom_id){i}, one) != fold_type(c, (atom_id){i}, rest))
            return true;
    return false;
}

/* Atoms over the event's name alone; most packs have a dozen. */
static bool any_type_atom(const struct comp *c)
{
    for (uint32_t i = 1; i < c->atoms.n; i++)
        if (fold_is_type(c, (atom_id){i}))
            return true;
    return false;
}

static void add_generic(struct comp *c, struct sites *out)
{
    struct site rest = site_of_syscall(NULL);
    VEC_PUSH(c->arena, &out->v, rest);
    if (!any_type_atom(c))
        return;
    uint32_t first = out->v.n;
    const struct syscall_info *s;
    for (unsigned i = 0; (s = catalog_syscall_at(i)); i++) {
        struct site one = site_of_syscall(s);
        if (s->event != EV_generic || s->nr < 0 || !tells_apart(c, &one, &rest))
            continue;
        uint32_t k = VEC_PUSH(c->arena, &out->v, one);
        for (; k > first && out->v.v[k - 1].sysnr > one.sysnr; k--)
            out->v.v[k] = out->v.v[k - 1];
        out->v.v[k] = one;
    }
}

void sites_of_pack(struct comp *c, struct sites *out)
{
    for (unsigned e = EV_NONE + 1; e < EV_COUNT; e++)
        if (e == EV_generic)
            add_generic(c, out);
        else
            VEC_PUSH(c->arena, &out->v, site_of_event((enum event_id)e));
}

enum tri { NO, YES, MAYBE };

static enum tri not3(enum tri t)
{
    return t == MAYBE ? MAYBE : t == YES ? NO : YES;
}

/* Which tests of the event's type say something: all, or those that Falco looks at. */
enum view { VIEW_EXACT, VIEW_FALCO };

static bool is_neutral(const struct comp *c, const struct node *n, enum view view)
{
    bool plain = n->op == OP_EQ || n->op == OP_NE || n->op == OP_IN || n->op == OP_EXISTS;
    return view == VIEW_FALCO && fold_is_type(c, n->atom) && (!plain || n->mod != MOD_NONE);
}

/*
 * What Falco's set of codes says of the two codes that all generic calls share: a test that names
 * one of these calls stands for all of them.
 */
static enum tri on_generic(const struct comp *c, const struct node *n)
{
    bool named = false;
    for (uint32_t i = 0; i < n->nlit; i++) {
        str_id name = c->lits.v[n->lit0 + i].text;
        const struct syscall_info *s = catalog_syscall_by_name(STR(c, name), STRLEN(c, name));
        named = named || (s && s->event == EV_generic);
    }
    return named == (n->op != OP_NE) ? YES : NO;
}

/* Kleene's logic, everything but the event's type being unknown. */
static enum tri on_site(const struct comp *c, node_id id, const struct site *s, enum view view)
{
    const struct node *n = &c->nodes.v[id.i];
    if (n->kind == NODE_TEST) {
        bool neutral = is_neutral(c, n, view);
        if (view == VIEW_FALCO && s->event == EV_generic && fold_is_type(c, n->atom) && !neutral &&
            n->op != OP_EXISTS)
            return on_generic(c, n);
        enum fold f = neutral ? FOLD_KEEP : fold_type(c, n->atom, s);
        return f == FOLD_KEEP ? MAYBE : f == FOLD_TRUE ? YES : NO;
    }
    if (n->kind == NODE_NOT)
        return not3(on_site(c, c->kids.v[n->kid0], s, view));
    if (n->kind != NODE_AND && n->kind != NODE_OR)
        return n->kind == NODE_TRUE ? YES : NO;
    enum tri zero = n->kind == NODE_AND ? NO : YES, all = not3(zero);
    for (uint32_t i = 0; i < n->nkid; i++) {
        enum tri t = on_site(c, c->kids.v[n->kid0 + i], s, view);
        if (t == zero)
            return zero;
        all = t == MAYBE ? MAYBE : all;
    }
    return all;
}

void event_set_of_rule(const struct comp *c, const struct sites *sites, const struct rule *r,
                       struct event_set *out)
{
    bool counted[EV_COUNT] = {[EV_asyncevent] = true};
    unsigned codes = codes_of(EV_asyncevent), events = 0;
    memset(out, 0, sizeof(*out));
    for (uint32_t i = 0; i < sites->v.n; i++) {
        const struct site *s = &sites->v.v[i];
        if (!out->may[s->event] && on_site(c, r->condition, s, VIEW_EXACT) != NO) {
            out->may[s->event] = true;
            events++;
        }
        if (!counted[s->event] && on_site(c, r->condition, s, VIEW_FALCO) != NO) {
            counted[s->event] = true;
            codes += codes_of(s->event);
        }
    }
    out->all = events > EVENTS_MAX;
    out->many = codes > CODES_MAX;
    out->falco_loses = out->may[EV_generic] && !counted[EV_generic];
}
