/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include "../../runtime/select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const check_names[CHECK_COUNT] = {
    [CHECK_TABLE] = "tree and table differ",
    [CHECK_SOUND] = "the filter drops a match",
    [CHECK_KERNEL] = "kernel and bytecode differ",
    [CHECK_EXACT] = "the filter passes what it is said to decide",
    [CHECK_RUN] = "an evaluator could not run",
};

static bool fail(struct judge *j, const char *what, const char *why)
{
    if (why != j->error)
        snprintf(j->error, sizeof(j->error), "%s: %s", what, why);
    return false;
}

#define OFF_PERCENT 30

/* In tree, table and filter alike. */
static bool switch_rules(struct judge *j, uint64_t seed, uint8_t *code, size_t size)
{
    struct rng r = {seed};
    j->on = calloc(j->nrule + 1u, 1);
    for (uint32_t i = 1; j->on && i < j->c->rules.n; i++) {
        struct rule *rule = &j->c->rules.v[i];
        if (!rule_is_kept(rule))
            continue;
        rule->enabled = !rule->left_out && (!seed || !rng_chance(&r, OFF_PERCENT));
        j->on[rule->index] = rule->enabled;
    }
    j->rpk.on = j->on;
    return j->on && select_gates(code, size, &j->rpk) == 0;
}

/* Of a bundle; of a compilation that stopped before link, its parts. */
static bool open_pack(struct judge *j, uint64_t seed, char *why, size_t size)
{
    struct comp *c = j->c;
    bool whole = c->rpk.n > 0;
    uint8_t *code = whole ? c->rpk.v : c->filter_elf.v;
    size_t ncode = whole ? c->rpk.n : c->filter_elf.n;
    if (whole ? rpk_open(&j->rpk, c->rpk.v, c->rpk.n, why, size)
              : rpk_open_section(&j->rpk, c->table.v, c->table.n, why, size))
        return fail(j, "bundle", why);
    if (!switch_rules(j, seed, code, ncode))
        return fail(j, "bundle", "its rules cannot be switched");
    j->vm = bpf_vm_new(code, ncode, why, size);
    if (!j->vm)
        return fail(j, "interpreter", why);
    if (!whole)
        bpf_vm_tables(j->vm, c);
    return true;
}

bool judge_open(struct judge *j, struct comp *c, bool kernel, uint64_t seed)
{
    char why[400];
    memset(j, 0, sizeof(*j));
    j->c = c;
    j->nrule = c->nrule;
    if (!open_pack(j, seed, why, sizeof(why)))
        return false;
    if (kernel) {
        j->kernel = kernel_filter_new(c->rpk.v, c->rpk.n, why, sizeof(why));
        if (!j->kernel)
            return fail(j, "kernel", why);
    }
    j->ev = kernel ? kernel_filter_event(j->kernel) : calloc(1, sizeof(*j->ev));
    j->record = aligned_alloc(8, REC_MAX);
    j->scratch = malloc(RECORD_SCRATCH);
    j->tree = calloc(c->nrule + 1u, 1);
    j->table = calloc(c->nrule + 1u, 1);
    j->matches = calloc(c->nrule + 1u, sizeof(*j->matches));
    if (!j->ev || !j->record || !j->scratch || !j->tree || !j->table || !j->matches)
        return fail(j, "memory", "none left");
    /* What stands behind a text must not count: let it be something. */
    memset(j->ev, 0xa5, sizeof(*j->ev));
    return true;
}

void judge_close(struct judge *j)
{
    if (!j->kernel)
        free(j->ev);
    kernel_filter_free(j->kernel);
    bpf_vm_free(j->vm);
    free(j->record);
    free(j->scratch);
    free(j->tree);
    free(j->table);
    free(j->matches);
    free(j->on);
}

static enum check cannot(struct judge *j, const char *who, const char *why)
{
    fail(j, who, why);
    return CHECK_RUN;
}

/* All rules at once, as the daemon asks, where keys pick the rules that are tried; and one by one.
 */
static bool ask_table(struct judge *j)
{
    struct record r;
    int len = ev_pack(j->ev, j->record, REC_MAX);
    if (len <= 0 || record_open(&r, j->record, (size_t)len, &j->user.user, j->scratch))
        return fail(j, "table", "the record is refused");
    memset(j->table, VERDICT_NONE, j->nrule);
    record_reset(&r);
    unsigned n = table_match(&j->rpk, &r, 1u << READ_KERNEL, false, j->matches, j->nrule);
    for (unsigned i = 0; i < n; i++)
        j->table[j->matches[i].rule] = j->matches[i].verdict;
    for (uint32_t i = 0; i < j->nrule; i++) {
        record_reset(&r);
        if (table_rule(&j->rpk, &r, i) != (enum verdict)j->table[i])
            return fail(j, "table", "one rule alone has another verdict than among all");
    }
    for (unsigned k = 0; k < LORE_KINDS; k++)
        lore_ask(&j->rpk, &r, (enum lore_kind)k, &j->lore[k]);
    return true;
}

/* It lets a match pass, and does so for no later a rule. */
static bool sound(int64_t passed, uint32_t first)
{
    return first == UINT32_MAX || (passed != 0 && passed - 1 <= first);
}

static enum check compare(struct judge *j, const struct event *e, uint32_t *rule)
{
    uint32_t first = UINT32_MAX;
    for (uint32_t i = 0; i < j->nrule; i++) {
        *rule = i;
        if (j->tree[i] != j->table[i])
            return CHECK_TABLE;
        if (j->tree[i] && first == UINT32_MAX)
            first = i;
    }
    *rule = first;
    if (!sound(j->bytecode, first) || !sound(j->told, first))
        return CHECK_SOUND;
    if (j->in_kernel >= 0 && (j->in_kernel != j->bytecode || j->told_in_kernel != j->told))
        return CHECK_KERNEL;
    if (j->told == 0 || !exact_event(j, e) || !exact_rule(j, e, (uint32_t)j->told - 1))
        return CHECK_COUNT;
    *rule = (uint32_t)j->told - 1;
    j->exact = true;
    return j->table[*rule] == VERDICT_NONE ? CHECK_EXACT : CHECK_COUNT;
}

static enum check run_filters(struct judge *j, bool kernel, int64_t *bytecode, int64_t *in_kernel)
{
    *bytecode = bpf_vm_filter(j->vm, j->ev);
    if (*bytecode < 0)
        return cannot(j, "interpreter", bpf_vm_error(j->vm));
    *in_kernel = -1;
    if (kernel && j->kernel) {
        *in_kernel = kernel_filter_run(j->kernel);
        if (*in_kernel < 0)
            return cannot(j, "kernel", strerror((int)-*in_kernel));
    }
    return CHECK_COUNT;
}

enum check judge_event(struct judge *j, const struct event *e, bool kernel, uint32_t *rule)
{
    *rule = UINT32_MAX;
    memset(j->tree, 0, j->nrule);
    eval_tree(j->c, e, j->tree);
    if (event_to_ev(j->c, e, j->ev, &j->user))
        return cannot(j, "event", "it cannot be written as the kernel would");
    if (!ask_table(j))
        return CHECK_RUN;
    j->exact = false;
    if (run_filters(j, kernel, &j->bytecode, &j->in_kernel) != CHECK_COUNT)
        return CHECK_RUN;
    j->told = j->bytecode;
    j->told_in_kernel = j->in_kernel;
    memcpy(j->ev->lore, j->lore, sizeof(j->lore));
    if (j->c->lore.n && run_filters(j, kernel, &j->told, &j->told_in_kernel) != CHECK_COUNT)
        return CHECK_RUN;
    return compare(j, e, rule);
}
