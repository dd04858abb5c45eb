/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../grammar/supply.h"
#include "refs.h"

#define CRITICAL 2
#define WARNING 4

static const struct hook_info hooks[HOOK_COUNT] = {
    [HOOK_EXEC] = {"sched_process_exec", "exec", "starts of programs, and all state of processes",
                   true},
    [HOOK_FORK] = {"sched_process_fork", "fork",
                   "what a new process has of its parent until it starts a program", true},
    [HOOK_EXIT] = {"sched_process_exit", "exit",
                   "ends of threads, and that tests of ancestors are made once per process", false},
    [HOOK_SYS_ENTER] = {"sys_enter", "sys_enter", "descriptors that are closed", false},
    [HOOK_SYS_EXIT] = {"sys_exit", "sys_exit", "system calls", false},
    [HOOK_RING] = {"io_uring", "io_uring", "calls that are made through an io_uring", false},
    [HOOK_SIGNAL] = {"signal_deliver", "signal", "signals that are taken", false},
    [HOOK_SWITCH] = {"sched_switch", "switch", "changes of the running thread", false},
};

const struct hook_info *hook_info(enum hook_id h)
{
    return &hooks[h];
}

enum hook_id hook_of_section(const char *section)
{
    const char *slash = strrchr(section, '/');
    unsigned h = 0;

    if (slash && strncmp(slash + 1, "io_uring_", 9) == 0)
        return HOOK_RING;
    while (h < HOOK_COUNT && strcmp(slash ? slash + 1 : section, hooks[h].tracepoint) != 0)
        h++;
    return (enum hook_id)h;
}

/* ---- what they supply ---- */

uint8_t hooks_kept(uint8_t wanted, uint8_t missing)
{
    if (missing >> HOOK_EXEC & 1)
        missing |= 1u << HOOK_FORK;
    return wanted & (uint8_t)~missing;
}

/* Can the event's call be made through an io_uring? */
static bool comes_by_ring(enum event_id event, int32_t sysnr)
{
    uint64_t calls[CATALOG_CALLS / 64] = {0}, ring[CATALOG_CALLS / 64];
    bool found = false;

    catalog_ring_calls(ring);
    if (event == EV_generic && sysnr >= 0 && sysnr < CATALOG_CALLS)
        return ring[sysnr / 64] >> (sysnr % 64) & 1;
    catalog_calls(event, calls);
    for (int i = 0; i < CATALOG_CALLS / 64; i++)
        found |= (calls[i] & ring[i]) != 0;
    return found;
}

uint8_t hooks_of_event(enum event_id event, int32_t sysnr)
{
    uint8_t ring = comes_by_ring(event, sysnr) ? 1u << HOOK_RING : 0;

    switch ((int)event) {
    case EV_execve:
        return 1u << HOOK_EXEC | 1u << HOOK_SYS_EXIT;
    case EV_close:
        return (uint8_t)(1u << HOOK_SYS_ENTER | ring);
    case EV_procexit:
        return 1u << HOOK_EXIT;
    case EV_signaldeliver:
        return 1u << HOOK_SIGNAL;
    case EV_switch:
        return 1u << HOOK_SWITCH;
    default:
        return (uint8_t)(1u << HOOK_SYS_EXIT | ring);
    }
}

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
    enum hook_id hook = (enum hook_id)(l->hook - hooks);

    w->event = (enum event_id)e->event;
    for (uint32_t k = 0; k < e->nroot; k++) {
        const struct rpk_root *root = &w->p->roots[e->root0 + k];

        if (supplies(hook, e, &w->p->rules[root->rule]))
            harm[root->rule] = HARM_EVENTS;
        if (!l->hook->state || harm[root->rule] != HARM_NONE)
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

    *l = (struct hook_loss){.hook = &hooks[missing], .reason = reason};
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
    fprintf(out, "rulerun: hook %s is missing: %s\n", l->hook->tracepoint, l->reason);
    fprintf(out, "rulerun: what is lost with it: %s\n", l->hook->supplies);
    say_names("rulerun: rules that miss events: ", l->blind, l->nblind, out);
    say_names("rulerun: rules that know less of processes: ", l->unsure, l->nunsure, out);
}

size_t hook_loss_alert(const struct hook_loss *l, const struct alert_style *style, uint64_t ts,
                       int32_t utc_offset, char *buf, size_t cap)
{
    const struct own_field fields[] = {
        OWN_TEXT("hook", l->hook->tracepoint),
        OWN_TEXT("lost", l->hook->supplies),
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
