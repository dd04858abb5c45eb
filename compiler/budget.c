/* SPDX-License-Identifier: Apache-2.0 */
#include "budget.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "cost.h"
#include "diag.h"
#include "grade.h"
#include "intern.h"
#include "pipeline.h"
#include "show.h"
#include "source.h"

/* Events that have the same rules: the first of their rows, and what each of them costs. */
struct entry {
    struct estimate e;
    uint32_t row;
};
struct entries {
    VEC(struct entry) v;
};

static bool same_rules(const struct comp *c, const struct event_rules *a,
                       const struct event_rules *b)
{
    bool same = a->nroot == b->nroot && a->nkey == b->nkey;
    for (uint32_t i = 0; i < a->nroot && same; i++) {
        const struct root *x = &c->roots.v[a->root0 + i], *y = &c->roots.v[b->root0 + i];
        same = x->rule.i == y->rule.i && x->root.i == y->root.i;
    }
    return same;
}

static bool is_listed(const struct comp *c, const struct entries *list, uint32_t row)
{
    for (uint32_t i = 0; i < list->v.n; i++)
        if (same_rules(c, &c->events.v[list->v.v[i].row], &c->events.v[row]))
            return true;
    return false;
}

static int by_cost(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->e.units > y->e.units || x->e.units < y->e.units)
        return x->e.units > y->e.units ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void list_entries(struct comp *c, struct entries *list)
{
    for (uint32_t i = 0; i < c->events.n; i++) {
        if (c->events.v[i].nroot && !is_listed(c, list, i)) {
            struct entry e = {.e = cost_estimate(c, &c->events.v[i]), .row = i};
            VEC_PUSH(c->arena, &list->v, e);
        }
    }
    if (list->v.n)
        qsort(list->v.v, list->v.n, sizeof(*list->v.v), by_cost);
}

static void put_events(const struct comp *c, FILE *out, uint32_t row)
{
    fputs(grade_event_name(&c->events.v[row]), out);
    for (uint32_t i = row + 1; i < c->events.n; i++)
        if (same_rules(c, &c->events.v[row], &c->events.v[i]))
            fprintf(out, ", %s", grade_event_name(&c->events.v[i]));
}

static void put_place(const struct comp *c, FILE *out, span_id at)
{
    const struct span *s = &c->spans.v[at.i];
    if (s->file) {
        struct place p = source_place(c->sources, s->file, s->off);
        fprintf(out, " (%s:%u:%u)", source_name(c->sources, s->file), p.line, p.column);
    }
}

static void put_entry(struct comp *c, FILE *out, const struct entry *e)
{
    fprintf(out, "%8.2f  ", e->e.units);
    put_events(c, out, e->row);
    fputc('\n', out);
    if (e->e.rule.i) {
        str_id name = c->rules.v[e->e.rule.i].name;
        fprintf(out, "          %.2f by rule ", e->e.rule_units);
        show_quoted(out, STR(c, name), STRLEN(c, name));
    }
    if (e->e.atom.i) {
        fprintf(out, ", of it %.2f by ", e->e.atom_units);
        print_atom(c, out, e->e.atom);
        put_place(c, out, e->e.at);
    }
    fputc('\n', out);
}

void budget_print(struct comp *c, FILE *out)
{
    struct entries list = {0};
    list_entries(c, &list);
    fputs("   units  expected for each event; 1 is what an empty hook adds to a system call\n",
          out);
    for (uint32_t i = 0; i < list.v.n; i++)
        put_entry(c, out, &list.v.v[i]);
}

/* Text that a function prints, in the arena. */
static const char *text_of_atom(struct comp *c, atom_id a)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return "";
    print_atom(c, out, a);
    fclose(out);
    const char *kept = diag_word(c, text, len);
    free(text);
    return kept;
}

static void report(struct comp *c, const struct entry *e, double units)
{
    const struct rule *r = &c->rules.v[e->e.rule.i];
    diag_set_rule(c, r->name);
    const char *event = grade_event_name(&c->events.v[e->row]);
    diag(c, RK0501, e->e.at, "`rulec explain --cost` tells of all events",
         "%s `%s` event is expected to cost %.2f units, where the budget is %.2f: %.2f by rule "
         "`%s`, "
         "of it %.2f by `%s`",
         strchr("aeiou", *event) ? "an" : "a", event, e->e.units, units, e->e.rule_units,
         diag_word(c, STR(c, r->name), STRLEN(c, r->name)), e->e.atom_units,
         text_of_atom(c, e->e.atom));
    diag_set_rule(c, (str_id){0});
}

void budget_check(struct comp *c, double units)
{
    struct entries list = {0};
    list_entries(c, &list);
    for (uint32_t i = 0; i < list.v.n && list.v.v[i].e.units > units; i++)
        if (list.v.v[i].e.rule.i)
            report(c, &list.v.v[i], units);
}
