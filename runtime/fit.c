/* SPDX-License-Identifier: Apache-2.0 */
#include "fit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../grammar/supply.h"
#include "hooks.h"
#include "refs.h"

#define NAMED 8 /* fields and events of a rule that are named; of more there is a word */

/* What one rule lacks. */
struct lack {
    uint32_t refs[NAMED];
    uint16_t events[NAMED];
    unsigned nref, nevent; /* may be more than are named */
    unsigned nhad;         /* events that are there */
    uint16_t apart;        /* one that is not, and comes from a hook of its own */
    bool failed_exec, off;
};

struct walk {
    const struct fit *fit;
    const struct rpk *p;
    const struct selected *s;
    enum event_id event;
    bool has_event; /* of the row at hand */
    struct lack *lack;
    struct ref_walk refs;
};

bool fit_same_rules(const struct fit *f, const struct rpk *p)
{
    return f->head->all ||
           (memcmp(f->head->source, p->head->source_digest, sizeof(f->head->source)) == 0 &&
            f->head->nrule == p->head->rules.n);
}

/* ---- values ---- */

static bool same_ref(const struct rpk *p, uint32_t a, uint32_t b)
{
    const struct rpk_ref *x = &p->refs[a], *y = &p->refs[b];

    return x->field == y->field && x->index == y->index &&
           strcmp(rpk_text(p, x->name), rpk_text(p, y->name)) == 0;
}

static void add_ref(const struct walk *w, uint32_t ref)
{
    struct lack *l = w->lack;

    for (unsigned i = 0; i < l->nref && i < NAMED; i++)
        if (same_ref(w->p, l->refs[i], ref))
            return;
    if (l->nref < NAMED)
        l->refs[l->nref] = ref;
    l->nref++;
}

/* A text of an ancestor beyond the parent, which the recording has if its own bundle wanted it. */
static bool has_extra(const struct walk *w, const struct rpk_ref *f)
{
    const struct supply_anc *a = supply_anc((enum field_id)f->field);
    const struct extra_want *x = w->fit->head->plan.extra;

    if (!a || f->index < 1 || (f->index == 1 && a->parent >= 0))
        return true;
    for (unsigned i = 0; i < 4; i++)
        if (x[i].kind == a->kind && x[i].index == f->index)
            return true;
    return false;
}

static bool has_field(const struct walk *w, const struct rpk_ref *f)
{
    const struct probe_plan *plan = &w->fit->head->plan;
    enum field_id field = (enum field_id)f->field;

    if (ref_groups(w->p, f, w->event) & ~plan->groups)
        return false;
    if (w->p->head->plan.readings & supply_readings(field, w->event) & ~plan->readings)
        return false;
    return has_extra(w, f);
}

static void look_at_ref(void *ctx, uint32_t ref)
{
    const struct walk *w = ctx;

    if (!has_field(w, &w->p->refs[ref]))
        add_ref(w, ref);
}

/* ---- events ---- */

/* The kernel was asked for all calls of the event that this bundle would ask it for. */
static bool has_event(const struct walk *w, const struct rpk_event *e)
{
    const struct capture_head *h = w->fit->head;
    uint64_t calls[CATALOG_CALLS / 64] = {0};

    if (e->event == EV_execve && w->s->hooks >> HOOK_EXEC & 1 && !(h->hooks >> HOOK_EXEC & 1))
        return false;
    if (e->event == EV_generic && e->sysnr >= 0 && e->sysnr < CATALOG_CALLS)
        calls[e->sysnr / 64] = 1ull << (e->sysnr % 64);
    else
        catalog_calls((enum event_id)e->event, calls);
    for (int i = 0; i < CATALOG_CALLS / 64; i++)
        if (calls[i] & w->s->plan.syscalls[i] & ~h->plan.syscalls[i])
            return false;
    return true;
}

/* Does the event come from a hook of its own, and not where system calls end? */
static bool is_apart(const struct rpk_event *e)
{
    return !(hooks_of_event((enum event_id)e->event, e->sysnr) >> HOOK_SYS_EXIT & 1);
}

static void look_at_event(struct walk *w, const struct rpk_event *e, const struct rpk_root *root)
{
    const struct rpk_rule *rule = &w->p->rules[root->rule];
    struct lack *l = w->lack;

    if (!w->has_event && is_apart(e)) { /* of many events, these are easily done without */
        l->apart = e->event;
        return;
    }
    if (!w->has_event) {
        if (l->nevent < NAMED)
            l->events[l->nevent] = e->event;
        l->nevent++;
        return;
    }
    l->nhad++;
    l->failed_exec |= rule->flags & RPK_RULE_FAILED_EXEC && w->s->plan.failed_exec &&
                      !w->fit->head->plan.failed_exec;
    ref_walk_root(&w->refs, root);
}

static bool was_off(const struct walk *w, uint32_t rule)
{
    const struct fit *f = w->fit;

    return !f->head->all && fit_same_rules(f, w->p) && f->on && rule / 8 < f->non &&
           !(f->on[rule / 8] >> (rule % 8) & 1);
}

/* ---- what is said ---- */

static void say_ref(const struct rpk *p, uint32_t ref, FILE *out)
{
    const struct rpk_ref *f = &p->refs[ref];
    const char *name = catalog_field((enum field_id)f->field)->name;

    if (f->index >= 0)
        fprintf(out, "%s[%d]", name, f->index);
    else
        fprintf(out, "%s%s%s", name, f->name.len ? "." : "", rpk_text(p, f->name));
}

static void say(const struct fit *f, const struct rpk *p, uint32_t rule, const struct lack *l,
                FILE *out)
{
    const char *sep = ": it has no ";

    fprintf(out, "rulerun: %s: rule \"%s\" is left out", f->path, rpk_text(p, p->rules[rule].name));
    if (l->off)
        fputs(": it was off when this was recorded", out);
    for (unsigned i = 0; i < l->nevent && i < NAMED; i++, sep = ", ")
        fprintf(out, "%s%s events", sep, catalog_event(l->events[i])->name);
    if (l->failed_exec)
        fprintf(out, "%sfailed execve events", sep), sep = ", ";
    for (unsigned i = 0; i < l->nref && i < NAMED; i++, sep = ", ") {
        fputs(sep, out);
        say_ref(p, l->refs[i], out);
    }
    fputs(l->nref > NAMED || l->nevent > NAMED ? ", ...\n" : "\n", out);
}

/* ---- all rules ---- */

static void look_at_rules(struct walk *w, struct lack *lacks)
{
    const struct rpk *p = w->p;

    for (uint32_t i = 0; i < p->head->events.n; i++) {
        const struct rpk_event *e = &p->events[i];

        w->event = (enum event_id)e->event;
        w->has_event = has_event(w, e);
        for (uint32_t k = 0; k < e->nroot; k++) {
            const struct rpk_root *root = &p->roots[e->root0 + k];

            w->lack = &lacks[root->rule];
            if (w->s->on[root->rule])
                look_at_event(w, e, root);
        }
    }
    for (uint32_t i = 0; i < p->head->rules.n; i++)
        lacks[i].off = was_off(w, i);
}

int fit_rules(const struct fit *f, const struct rpk *p, struct selected *s, FILE *out)
{
    uint32_t nrule = p->head->rules.n;
    struct lack *lacks = calloc(nrule + 1u, sizeof(*lacks));
    struct walk w = {.fit = f, .p = p, .s = s};
    int left_out = 0;

    if (ref_walk_open(&w.refs, p, look_at_ref, &w) == 0 && lacks)
        look_at_rules(&w, lacks);
    else
        left_out = -ENOMEM;
    for (uint32_t i = 0; i < nrule && left_out >= 0; i++) {
        struct lack *l = &lacks[i];

        if (l->apart && !l->nhad && !l->nevent)
            l->events[l->nevent++] = l->apart;
        if (!s->on[i] || !(l->nref || l->nevent || l->failed_exec || l->off))
            continue;
        say(f, p, i, l, out);
        s->on[i] = 0;
        s->nrule--;
        left_out++;
    }
    ref_walk_close(&w.refs);
    free(lacks);
    return left_out;
}
