/* SPDX-License-Identifier: Apache-2.0 */
/* Text of the stages dag, plan and table. */
#include <string.h>

#include "fold.h"
#include "hooks.h"
#include "intern.h"
#include "lore.h"
#include "pipeline.h"
#include "place.h"
#include "record.h"
#include "rpk.h"
#include "show.h"

static void put_event(FILE *out, enum event_id event, int32_t sysnr)
{
    if (event != EV_generic) {
        fputs(catalog_event(event)->name, out);
    } else if (sysnr == SYSNR_OTHER) {
        fputs("(other system calls)", out);
    } else {
        const struct syscall_info *s = catalog_syscall_by_nr(sysnr);
        fputs(s ? s->name : "?", out);
    }
}

static void put_name(struct comp *c, FILE *out, rule_id r)
{
    str_id name = c->rules.v[r.i].name;
    show_quoted(out, STR(c, name), STRLEN(c, name));
}

static void put_edge(FILE *out, dag_id d)
{
    if (d.i == DAG_TRUE || d.i == DAG_FALSE)
        fputs(d.i == DAG_TRUE ? "yes" : "no", out);
    else
        fprintf(out, "n%u", d.i);
}

/* ---- dag ---- */

void dump_dag(struct comp *c, FILE *out)
{
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *e = &c->events.v[i];
        fputs("event ", out);
        put_event(out, e->event, e->sysnr);
        fputc('\n', out);
        for (uint32_t k = 0; k < e->nroot; k++) {
            const struct root *r = &c->roots.v[e->root0 + k];
            fputs("  ", out);
            put_name(c, out, r->rule);
            fputs(" -> ", out);
            put_edge(out, r->root);
            fputc('\n', out);
        }
    }
    fputs("nodes\n", out);
    for (uint32_t i = 1; i < c->dag.n; i++) {
        const struct dag_node *d = &c->dag.v[i];
        fprintf(out, "  n%u: %s", i, d->neg ? "not " : "");
        print_atom(c, out, d->atom);
        fputs(" ? ", out);
        put_edge(out, d->neg ? d->no : d->yes);
        fputs(" : ", out);
        put_edge(out, d->neg ? d->yes : d->no);
        fputc('\n', out);
    }
}

/* ---- plan ---- */

static void put_groups(FILE *out, uint64_t groups)
{
    for (unsigned g = 0; g < G_COUNT; g++)
        if (groups >> g & 1)
            fprintf(out, " %s", catalog_group_name((enum slot_group)g));
}

static void put_syscalls(const struct probe_plan *p, FILE *out)
{
    unsigned other = 0;
    for (int32_t nr = 0; nr < 512; nr++) {
        const struct syscall_info *s = catalog_syscall_by_nr(nr);
        if (!(p->syscalls[nr / 64] >> (nr % 64) & 1))
            continue;
        if (s && s->event != EV_generic)
            fprintf(out, " %s", s->name);
        else
            other++;
    }
    if (other)
        fprintf(out, " and %u without an event of their own", other);
}

static void put_test(FILE *out, const struct num_test *t)
{
    if (t->kind == NT_MASK && t->a == UINT64_MAX)
        fprintf(out, " ==%lld", (long long)t->b);
    else if (t->kind == NT_MASK)
        fprintf(out, " &0x%llx==0x%llx", (unsigned long long)t->a, (unsigned long long)t->b);
    else if (t->kind == NT_SIGNED)
        fprintf(out, " %lld..%lld", (long long)t->a, (long long)t->b);
    else
        fprintf(out, " %llu..%llu", (unsigned long long)t->a, (unsigned long long)t->b);
}

static void put_number(struct comp *c, FILE *out, const struct where *w)
{
    fprintf(out, "%s", w->negate ? " not" : "");
    for (uint32_t i = 0; i < w->ntest; i++)
        put_test(out, &c->tests.v[w->test0 + i]);
}

void print_readings(FILE *out, unsigned readings)
{
    for (unsigned k = 0; k < READ_COUNT; k++)
        if (readings & READ_BIT(k))
            fprintf(out, " %s", record_reading_name((enum reading)k));
}

/* "inline name", "matcher cmdline patterns 0 3", "user" */
void print_where(struct comp *c, FILE *out, const struct where *w)
{
    static const char *const places[] = {"inline", "matcher", "class", "lore", "user"};
    static const char *const guards[] = {
        [GUARD_NONE] = "",
        [GUARD_NONEMPTY] = " if not empty",
        [GUARD_WORD] = " or <NA> if empty",
        [GUARD_ABSOLUTE] = " if absolute",
    };
    fputs(places[w->place], out);
    if (w->place == PLACE_USER)
        return;
    if (w->place == PLACE_LORE) {
        fprintf(out, " %s bit %u", lore_info((enum lore_kind)w->lore)->name, w->bit);
        return;
    }
    if (w->shape == SHAPE_ANC)
        fprintf(out, " ancestor %u", w->anc + 1u);
    else if (w->shape == SHAPE_ANC_ANY)
        fputs(" any ancestor", out);
    else
        fprintf(out, " %s", catalog_slot((unsigned)w->slot)->name);
    if (w->slot2 >= 0)
        fprintf(out, " or %s", catalog_slot((unsigned)w->slot2)->name);
    if (w->shape == SHAPE_NUM)
        put_number(c, out, w);
    if (w->set != NO_SET)
        fprintf(out, " set %u", w->set);
    for (uint32_t i = 0; w->pattern0 != NO_PATTERN && i < c->atoms.v[w->atom.i].nval; i++)
        fprintf(out, " pattern %u", c->value_pattern.v[w->pattern0 + i]);
    fputs(guards[w->guard], out);
    if (w->narrow.i) {
        fputs(", user if ", out);
        print_atom(c, out, w->narrow);
    }
}

static void put_extra(const struct probe_plan *p, FILE *out)
{
    static const char *const kinds[] = {"", "exe", "exepath", "cmdline", "args"};
    for (int i = 0; i < 4 && p->extra[i].kind; i++) {
        fprintf(out, "extra X%d: %s of ancestor %u\n", i, kinds[p->extra[i].kind],
                (unsigned)p->extra[i].index);
    }
}

void dump_plan(struct comp *c, FILE *out)
{
    const struct plan *p = &c->plan;
    for (unsigned h = 0; h < HOOK_COUNT; h++) {
        if (p->hook[h]) {
            fprintf(out, "hook %s: ", hook_info((enum hook_id)h)->tracepoint);
            if (p->hook_rule[h].i) {
                put_name(c, out, p->hook_rule[h]);
                fputc('\n', out);
            } else {
                fputs("state of processes\n", out);
            }
        }
    }
    fputs("syscalls", out);
    put_syscalls(&p->probe, out);
    fputs("\ngroups", out);
    put_groups(out, p->probe.groups);
    fputs("\nreadings", out);
    print_readings(out, p->probe.readings);
    fprintf(out, "\nfailed exec %s\n", p->probe.failed_exec ? "yes" : "no");
    put_extra(&p->probe, out);
    fputs("tests\n", out);
    for (uint32_t i = 0; i < c->where.n; i++) {
        const struct where *w = &c->where.v[i];
        fputs("  ", out);
        print_atom(c, out, w->atom);
        if (w->event)
            fprintf(out, " on %s", catalog_event(w->event)->name);
        fputs(": ", out);
        print_where(c, out, w);
        fputc('\n', out);
    }
}

/* ---- table ---- */

static void put_text(const struct rpk *r, FILE *out, struct rpk_str s)
{
    show_quoted(out, r->strings + s.off, s.len);
}

static void dump_refs(const struct rpk *r, FILE *out)
{
    for (uint32_t i = 0; i < r->head->refs.n; i++) {
        const struct rpk_ref *f = &r->refs[i];
        fprintf(out, "ref %u: ", i);
        if (f->is_literal) {
            put_text(r, out, f->name);
        } else if (f->xform) {
            fprintf(out, "transformer %u of %u..%u", f->xform, f->kid0, f->kid0 + f->nkid - 1);
            if (f->name.len)
                fprintf(out, " for %s", r->strings + f->name.off);
        } else {
            fputs(catalog_field((enum field_id)f->field)->name, out);
            if (f->index >= 0)
                fprintf(out, "[%d]", f->index);
            if (f->name.len)
                fprintf(out, "[%s]", r->strings + f->name.off);
        }
        fputc('\n', out);
    }
}

static void dump_rules(const struct rpk *r, FILE *out)
{
    for (uint32_t i = 0; i < r->head->rules.n; i++) {
        const struct rpk_rule *u = &r->rules[i];
        fprintf(out, "rule %u: ", i);
        put_text(r, out, u->name);
        fprintf(out, " line %u priority %u tags %u..%u pieces %u..%u\n", u->line, u->priority,
                u->tags.off, u->tags.off + u->tags.n, u->pieces.off, u->pieces.off + u->pieces.n);
        if (u->flags & RPK_RULE_OFF) {
            fprintf(out, "rule %u: disabled%s\n", i,
                    u->flags & RPK_RULE_LEFT_OUT ? ", left out" : "");
        }
    }
    for (uint32_t i = 0; i < r->head->pieces.n; i++) {
        const struct rpk_piece *p = &r->pieces[i];
        fprintf(out, "piece %u: ", i);
        put_text(r, out, p->text);
        if (p->ref != 0xffffffffu)
            fprintf(out, " ref %u width %u", p->ref, p->width);
        fputc('\n', out);
    }
}

static void dump_value(const struct rpk *r, FILE *out, const struct rpk_value *v)
{
    fputc(' ', out);
    if (v->kind == VAL_TEXT) {
        put_text(r, out, v->text);
    } else if (v->kind == VAL_NUM) {
        fprintf(out, "%lld", (long long)v->num);
    } else {
        for (int i = 0; i < (v->family == 4 ? 4 : 16); i++)
            fprintf(out, "%02x", v->addr[i]);
        fprintf(out, v->kind == VAL_NET ? "/%u" : "", v->prefix);
    }
}

static void dump_atoms(const struct rpk *r, FILE *out)
{
    static const char *const mods[] = {"", " anyof", " allof", " oneof"};
    for (uint32_t i = 0; i < r->head->atoms.n; i++) {
        const struct rpk_atom *a = &r->atoms[i];
        fprintf(out, "test %u: ref %u %s%s", i, a->lhs, catalog_op((enum op_id)a->op)->text,
                mods[a->mod]);
        if (a->rhs != 0xffffffffu)
            fprintf(out, " ref %u", a->rhs);
        for (uint32_t k = 0; k < a->nval; k++) {
            dump_value(r, out, &r->values[a->val0 + k]);
            if (a->op == OP_REGEX)
                fprintf(out, " (regex %lld)", (long long)r->values[a->val0 + k].num);
        }
        fputc('\n', out);
    }
}

static void dump_regexes(const struct rpk *r, FILE *out)
{
    for (uint32_t i = 0; i < r->head->regexes.n; i++) {
        const struct rpk_regex *x = &r->regexes[i];
        fprintf(out, "regex %u: %u %s, %u classes\n", i, x->nstate,
                x->kind == RPK_AUTOMATON ? "states" : "instructions", x->nclass);
    }
}

static void dump_row_edge(FILE *out, uint32_t to)
{
    if (to >= RPK_TRUE)
        fputs(to == RPK_TRUE ? " yes" : " no", out);
    else
        fprintf(out, " %u", to);
}

static void dump_decisions(const struct rpk *r, FILE *out)
{
    for (uint32_t i = 0; i < r->head->nodes.n; i++) {
        const struct rpk_node *n = &r->nodes[i];
        fprintf(out, "node %u: test %u", i, n->atom);
        dump_row_edge(out, n->yes);
        dump_row_edge(out, n->no);
        fputs(n->neg ? " neg\n" : "\n", out);
    }
    for (uint32_t i = 0; i < r->head->events.n; i++) {
        const struct rpk_event *e = &r->events[i];
        fputs("event ", out);
        put_event(out, (enum event_id)e->event, e->sysnr);
        fputc(':', out);
        for (uint32_t k = 0; k < e->nroot; k++) {
            fprintf(out, " rule %u", r->roots[e->root0 + k].rule);
            dump_row_edge(out, r->roots[e->root0 + k].node);
            fputs(k + 1 < e->nroot ? "," : "", out);
        }
        fputc('\n', out);
    }
}

void dump_table(struct comp *c, FILE *out)
{
    struct rpk r;
    char err[200];
    if (rpk_open_section(&r, c->table.v, c->table.n, err, sizeof(err)) < 0) {
        fprintf(out, "not a valid table: %s\n", err);
        return;
    }
    dump_rules(&r, out);
    dump_refs(&r, out);
    dump_atoms(&r, out);
    dump_regexes(&r, out);
    dump_decisions(&r, out);
    for (uint32_t i = 0; i < r.head->patterns.n; i++) {
        fprintf(out, "pattern %u: ", i);
        put_text(&r, out, r.patterns[i]);
        fputc('\n', out);
    }
    for (uint32_t i = 0; i < r.head->names.n; i++)
        fprintf(out, "set %u: %s\n", r.names[i].set, r.names[i].name);
    for (uint32_t i = 0; i < r.head->lore.n; i++) {
        fprintf(out, "lore %s bit %u: atom %u\n", lore_info((enum lore_kind)r.lore[i].kind)->name,
                r.lore[i].bit, r.lore[i].atom);
    }
}
