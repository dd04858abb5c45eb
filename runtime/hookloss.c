/* SPDX-License-Identifier: Apache-2.0 */
#include "hookloss.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../grammar/supply.h"
#include "refs.h"

#define CRITICAL 2
#define WARNING 4

/* Does the hook supply the event, as this rule asks for it? */
static bool supplies(enum hook_id h, const struct rpk_event *e, const struct rpk_rule *rule)
{
    bool exec = e->event == EV_execve || e->event == EV_execveat;

    if (h == HOOK_SYS_EXIT && exec && !(rule->flags & RPK_RULE_FAILED_EXEC))
        return false;
    return hooks_of_event((enum event_id)e->event, e->sysnr) >> h & 1;
}

bool hooks_suffice(const struct rpk *p, const struct selected *s, uint8_t set)
{
    for (uint32_t i = 0; i < p->head->events.n; i++) {
        const struct rpk_event *e = &p->events[i];

        for (uint32_t k = 0; k < e->nroot; k++) {
            uint32_t rule = p->roots[e->root0 + k].rule;

            for (unsigned h = 0; h < HOOK_COUNT && s->on[rule]; h++)
                if (set >> h & 1 && supplies((enum hook_id)h, e, &p->rules[rule]))
                    return true;
        }
    }
    return false;
}

/* ---- who suffers ---- */

enum harm { HARM_NONE, HARM_STATE, HARM_EVENTS };

struct harm_walk {
    const struct rpk *p;
    enum event_id event;
    bool state; /* out: the rule at hand looks at the state of processes */
};

static void see_ref(void *ctx, uint32_t ref)
{
    struct harm_walk *w = ctx;
    const struct rpk_ref *f = &w->p->refs[ref];
    const struct supply_anc *a = supply_anc((enum field_id)f->field);

    /* A text of an ancestor is of its state; but a path of a program is as it is now. */
    w->state |=
        (ref_groups(w->p, f, w->event) & SUPPLY_STATE) != 0 || (a && a->kind != EXTRA_EXEPATH);
}

static void harm_event(struct harm_walk *w, struct ref_walk *refs, const struct hook_loss *l,
                       const struct rpk_event *e, uint8_t *harm)
{
    w->event = (enum event_id)e->event;
    for (uint32_t k = 0; k < e->nroot; k++) {
        const struct rpk_root *root = &w->p->roots[e->root0 + k];

        if (supplies(l->hook, e, &w->p->rules[root->rule]))
            harm[root->rule] = HARM_EVENTS;
        if (!hook_info(l->hook)->state || harm[root->rule] != HARM_NONE)
            continue;
        w->state = false;
        ref_walk_root(refs, root);
        if (w->state)
            harm[root->rule] = HARM_STATE;
    }
}

static uint64_t put_names(const struct rpk *p, const struct selected *s, const uint8_t *harm,
                          enum harm which, char *out)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < p->head->rules.n; i++) {
        const char *name = rpk_text(p, p->rules[i].name);

        if (!s->on[i] || harm[i] != which)
            continue;
        out = stpcpy(out, name) + 1;
        n++;
    }
    return n;
}

int hook_loss_open(struct hook_loss *l, const struct rpk *p, const struct selected *s,
                   enum hook_id missing, const char *reason)
{
    struct harm_walk w = {.p = p};
    uint8_t *harm = calloc(p->head->rules.n + 1u, 1);
    struct ref_walk refs;
    size_t size = 1;
    int rc;

    *l = (struct hook_loss){.hook = missing, .reason = reason};
    for (uint32_t i = 0; i < p->head->rules.n; i++)
        size += p->rules[i].name.len + 1;
    l->blind = malloc(size);
    l->unsure = malloc(size);
    rc = ref_walk_open(&refs, p, see_ref, &w);
    if (rc == 0 && (!harm || !l->blind || !l->unsure))
        rc = -ENOMEM;
    if (rc == 0) {
        for (uint32_t i = 0; i < p->head->events.n; i++)
            harm_event(&w, &refs, l, &p->events[i], harm);
        l->nblind = put_names(p, s, harm, HARM_EVENTS, l->blind);
        l->nunsure = put_names(p, s, harm, HARM_STATE, l->unsure);
    }
    ref_walk_close(&refs);
    free(harm);
    return rc;
}

void hook_loss_close(struct hook_loss *l)
{
    free(l->blind);
    free(l->unsure);
}

/* ---- what is said ---- */

static void say_names(const char *what, const char *names, uint64_t n, FILE *out)
{
    if (n)
        fputs(what, out);
    for (uint64_t i = 0; i < n; i++, names += strlen(names) + 1)
        fprintf(out, "%s\"%s\"", i ? ", " : "", names);
    if (n)
        fputc('\n', out);
}

void hook_loss_say(const struct hook_loss *l, FILE *out)
{
    const struct hook_info *hook = hook_info(l->hook);

    fprintf(out, "rulerun: hook %s is missing: %s\n", hook->tracepoint, l->reason);
    fprintf(out, "rulerun: what is lost with it: %s\n", hook->supplies);
    say_names("rulerun: rules that miss events: ", l->blind, l->nblind, out);
    say_names("rulerun: rules that know less of processes: ", l->unsure, l->nunsure, out);
}

size_t hook_loss_alert(const struct hook_loss *l, const struct alert_style *style, uint64_t ts,
                       int32_t utc_offset, char *buf, size_t cap)
{
    const struct hook_info *hook = hook_info(l->hook);
    const struct own_field fields[] = {
        OWN_TEXT("hook", hook->tracepoint),
        OWN_TEXT("lost", hook->supplies),
        OWN_TEXT("reason", l->reason),
        OWN_LIST("rules", l->blind, l->nblind),
        OWN_LIST("rules_uncertain", l->unsure, l->nunsure),
    };
    const struct own o = {.rule = "rulerun: hook missing",
                          .message = "A hook in the kernel is missing",
                          .priority = l->nblind ? CRITICAL : WARNING,
                          .utc_offset = utc_offset,
                          .ts = ts,
                          .fields = fields,
                          .nfield = sizeof(fields) / sizeof(fields[0])};

    return own_alert(style, &o, buf, cap);
}
