/* SPDX-License-Identifier: Apache-2.0 */
#include "select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../grammar/catalog.h"
#include "gate.h"
#include "hooks.h"

/* ---- entries ---- */

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

bool select_parse(const char *text, struct select_entry *out)
{
    const char *enable = after(text, "enable:"), *what = enable ? enable : after(text, "disable:");
    const char *tag = what ? after(what, "tag=") : NULL, *rule = what ? after(what, "rule=") : NULL;

    if (!what)
        return false;
    *out = (struct select_entry){.enable = enable != NULL, .tag = tag != NULL, .what = what};
    if (tag)
        out->what = tag;
    else if (rule)
        out->what = rule;
    return *out->what != '\0';
}

/* After a star, what follows is tried further and further on; only the last star need be kept. */
bool select_name(const char *pattern, const char *name, size_t len)
{
    const char *star = NULL, *end = name + len, *retry = name;

    while (name < end) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern && *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static bool has_tag(const struct rpk *p, const struct rpk_rule *r, const char *tag)
{
    size_t len = strlen(tag);

    for (uint32_t i = 0; i < r->tags.n; i++) {
        struct rpk_str s = p->tags[r->tags.off + i];

        if (s.len == len && memcmp(rpk_text(p, s), tag, len) == 0)
            return true;
    }
    return false;
}

static void apply(struct selected *s, const struct rpk *p, const struct select_entry *e, FILE *warn)
{
    unsigned found = 0;

    for (uint32_t i = 0; i < p->head->rules.n; i++) {
        const struct rpk_rule *r = &p->rules[i];
        const char *name = rpk_text(p, r->name);

        if (e->tag ? !has_tag(p, r, e->what) : !select_name(e->what, name, r->name.len))
            continue;
        found++;
        if (!(r->flags & RPK_RULE_LEFT_OUT))
            s->on[i] = e->enable;
        else if (e->enable)
            fprintf(warn,
                    "rulerun: rule '%s' cannot be enabled: it is not in the bundle, because rulec "
                    "could not build it\n",
                    name);
    }
    if (!found)
        fprintf(warn, "rulerun: --rules %s:%s%s: there is no such rule\n",
                e->enable ? "enable" : "disable", e->tag ? "tag=" : "", e->what);
}

/* ---- what the rules that are on need ---- */

static bool any_on(const struct selected *s, const struct rpk *p, const struct rpk_event *e,
                   uint8_t flag)
{
    for (uint32_t i = 0; i < e->nroot; i++) {
        uint32_t rule = p->roots[e->root0 + i].rule;

        if (s->on[rule] && (!flag || p->rules[rule].flags & flag))
            return true;
    }
    return false;
}

static void set_bit(uint64_t *bits, int32_t nr, bool on)
{
    if (nr < 0 || nr >= CATALOG_CALLS)
        return;
    if (on)
        bits[nr / 64] |= 1ull << (nr % 64);
    else
        bits[nr / 64] &= ~(1ull << (nr % 64));
}

/* A generic call without a row is judged by the row of all others; one with a row by that. */
static void want_generic(const struct selected *s, const struct rpk *p, uint64_t *wanted)
{
    uint64_t calls[CATALOG_CALLS / 64] = {0};

    for (uint32_t i = 0; i < p->head->events.n; i++)
        if (p->events[i].event == EV_generic && p->events[i].sysnr < 0 &&
            any_on(s, p, &p->events[i], 0))
            catalog_calls(EV_generic, calls);
    for (uint32_t i = 0; i < p->head->events.n; i++)
        if (p->events[i].event == EV_generic)
            set_bit(calls, p->events[i].sysnr, any_on(s, p, &p->events[i], 0));
    for (int i = 0; i < CATALOG_CALLS / 64; i++)
        wanted[i] |= calls[i];
}

static void trim_plan(struct selected *s, const struct rpk *p)
{
    uint8_t hooks = 1u << HOOK_EXEC | 1u << HOOK_FORK;
    uint64_t wanted[CATALOG_CALLS / 64] = {0};

    want_generic(s, p, wanted);
    s->plan.failed_exec = 0;
    if (s->plan.task & TASK_ANC)
        hooks |= 1u << HOOK_EXIT;
    for (uint32_t i = 0; i < p->head->events.n; i++) {
        const struct rpk_event *e = &p->events[i];

        if (!any_on(s, p, e, 0))
            continue;
        if (e->event != EV_generic)
            catalog_calls((enum event_id)e->event, wanted);
        if (e->event != EV_execve && e->event != EV_execveat) {
            hooks |= hooks_of_event((enum event_id)e->event, e->sysnr);
        } else if (any_on(s, p, e, RPK_RULE_FAILED_EXEC)) {
            s->plan.failed_exec = p->head->plan.failed_exec;
            hooks |= 1u << HOOK_SYS_EXIT;
        }
    }
    for (int i = 0; i < CATALOG_CALLS / 64; i++)
        s->plan.syscalls[i] &= wanted[i];
    s->hooks &= s->nrule ? hooks : 0;
}

int select_rules_on(struct selected *s, const struct rpk *p, const struct select_entry *entries,
                    unsigned n, unsigned min_priority, FILE *warn)
{
    *s = (struct selected){
        .on = calloc(p->head->rules.n + 1u, 1), .plan = p->head->plan, .hooks = p->head->hooks};
    if (!s->on)
        return -ENOMEM;
    for (uint32_t i = 0; i < p->head->rules.n; i++)
        s->on[i] = !(p->rules[i].flags & RPK_RULE_OFF);
    for (unsigned i = 0; i < n; i++)
        apply(s, p, &entries[i], warn);
    for (uint32_t i = 0; i < p->head->rules.n; i++) {
        if (p->rules[i].priority > min_priority)
            s->on[i] = 0;
        s->nrule += s->on[i];
    }
    trim_plan(s, p);
    return 0;
}

/* ---- gates ---- */

/* The same for rules that are found by tables. `p` is a view of the file. */
static int switch_candidates(uint8_t *file, size_t size, const struct rpk *p)
{
    size_t from = (size_t)((const uint8_t *)p->class_cands - file);
    size_t n = p->head->class_cands.n * sizeof(struct class_cand);

    if (n == 0)
        return 0;
    if ((const uint8_t *)p->class_cands < file || from > size || n > size - from)
        return -EINVAL;
    for (size_t at = from; at < from + n; at += sizeof(struct class_cand)) {
        struct class_cand c;

        memcpy(&c, file + at, sizeof(c));
        c.off = !rpk_rule_on(p, c.rule);
        memcpy(file + at, &c, sizeof(c));
    }
    return 0;
}

int select_gates(uint8_t *file, size_t size, const struct rpk *p)
{
    uint64_t len = 0, code = rpk_code(file, size, &len);
    struct bpf_insn pair[2];

    for (uint64_t at = 0; len >= sizeof(pair) && at <= len - sizeof(pair); at += sizeof(pair[0])) {
        uint32_t number;

        memcpy(pair, file + code + at, sizeof(pair));
        if (gate_is_look_up(&pair[0])) {
            pair[0].imm = MAY_LOOK_UP;
            memcpy(file + code + at, pair, sizeof(pair[0]));
        }
        number = gate_at(pair);
        if (number > p->head->rules.n)
            return -EINVAL;
        if (!number)
            continue;
        pair[0] = gate_number(number, rpk_rule_on(p, number - 1));
        memcpy(file + code + at, pair, sizeof(pair[0]));
    }
    return switch_candidates(file, size, p);
}

void select_close(struct selected *s)
{
    free(s->on);
    s->on = NULL;
}
