/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include <arpa/inet.h>
#include <string.h>

#include "../grammar/catalog.h"
#include "../grammar/ops.h"
#include "../grammar/transform.h"
#include "hooks.h"
#include "model.h"
#include "place.h"
#include "show.h"

static void put(const struct rpk *p, FILE *out, struct rpk_str s)
{
    show_text(out, rpk_text(p, s), s.len);
}

static void put_quoted(const struct rpk *p, FILE *out, struct rpk_str s)
{
    show_quoted(out, rpk_text(p, s), s.len);
}

/* ---- manifest ---- */

static void put_hooks(FILE *out, uint8_t hooks)
{
    const char *sep = "hooks      ";
    for (int h = 0; h < HOOK_COUNT; h++) {
        if (!(hooks >> h & 1))
            continue;
        fprintf(out, "%s%s", sep, hook_info((enum hook_id)h)->tracepoint);
        sep = " ";
    }
    fputs(hooks ? "\n" : "hooks      none\n", out);
}

void bundle_print_head(const struct rpk *p, FILE *out)
{
    const struct rpk_head *h = p->head;
    fputs("name       ", out);
    put(p, out, h->name);
    fputs("\ncompiler   ", out);
    put(p, out, h->compiler);
    fprintf(out, "\nversion    %u\nsources    sha256:", h->version);
    for (size_t i = 0; i < sizeof(h->source_digest); i++)
        fprintf(out, "%02x", h->source_digest[i]);
    fprintf(out, "\ncatalog    %016llx\nlayout     %016llx\n", (unsigned long long)h->catalog,
            (unsigned long long)h->abi);
    put_hooks(out, h->hooks);
    fputs("groups     event", out);
    for (unsigned g = 0; g < G_COUNT; g++)
        if (g != G_EVENT && h->plan.groups >> g & 1)
            fprintf(out, " %s", catalog_group_name((enum slot_group)g));
    fputs("\nreadings  ", out);
    print_readings(out, h->plan.readings);
    fprintf(out, "\nrules      %u\nevents     %u\nnodes      %u\natoms      %u\n", h->rules.n,
            h->events.n, h->nodes.n, h->atoms.n);
    fprintf(out, "patterns   %u\nname sets  %u names\nlore       %u tests\n", h->patterns.n,
            h->names.n, h->lore.n);
}

/* ---- rules ---- */

static const char *const PRIORITY[] = {"Emergency", "Alert",  "Critical",      "Error",
                                       "Warning",   "Notice", "Informational", "Debug"};

static void put_tags(const struct rpk *p, FILE *out, struct rpk_span tags)
{
    if (!tags.n)
        return;
    fputs("  tags     ", out);
    for (uint32_t i = 0; i < tags.n; i++) {
        fputs(i ? ", " : "", out);
        put(p, out, p->tags[tags.off + i]);
    }
    fputc('\n', out);
}

void bundle_print_rules(const struct rpk *p, FILE *out)
{
    for (uint32_t i = 0; i < p->head->rules.n; i++) {
        const struct rpk_rule *r = &p->rules[i];
        fprintf(out, "rule %u ", i);
        put_quoted(p, out, r->name);
        fputs("\n  at       ", out);
        put(p, out, r->file);
        fprintf(out, ":%u\n  priority %s\n", r->line, PRIORITY[r->priority & 7]);
        if (r->flags & RPK_RULE_OFF)
            fprintf(out, "  disabled%s\n",
                    r->flags & RPK_RULE_LEFT_OUT ? ", and not in this bundle" : "");
        put_tags(p, out, r->tags);
        fputs("  output   ", out);
        for (uint32_t k = 0; k < r->pieces.n; k++) {
            const struct rpk_piece *piece = &p->pieces[r->pieces.off + k];
            if (piece->ref != UINT32_MAX && piece->width)
                fprintf(out, "%%%u", piece->width);
            else if (piece->ref != UINT32_MAX)
                fputc('%', out);
            put(p, out, piece->text);
        }
        fputc('\n', out);
    }
}

/* ---- decision table ---- */

static void put_ref(const struct rpk *p, FILE *out, uint32_t row)
{
    const struct rpk_ref *r = &p->refs[row];
    if (r->is_literal) {
        put_quoted(p, out, r->name);
    } else if (r->xform == XF_NONE && r->field != F_NONE) {
        const struct field_info *f = catalog_field((enum field_id)r->field);
        bool dot = f->arg == ARG_NAME || f->arg == ARG_NAME_OPT || f->arg == ARG_NAME_OR_INDEX;
        fputs(f->name, out);
        if (r->index >= 0) {
            fprintf(out, "[%d]", r->index);
        } else if (r->name.len) {
            fputs(dot ? "." : "[", out);
            put(p, out, r->name);
            fputs(dot ? "" : "]", out);
        }
    } else { /* kids are lower rows: rpk_open() has bounded the depth */
        fprintf(out, "%s(", xform_name((enum xform_id)r->xform));
        for (uint32_t i = 0; i < r->nkid; i++) {
            fputs(i ? ", " : "", out);
            put_ref(p, out, r->kid0 + i);
        }
        fputc(')', out);
        if (r->name.len) {
            fputc('[', out);
            put(p, out, r->name);
            fputc(']', out);
        }
    }
}

static void put_value(const struct rpk *p, FILE *out, const struct rpk_atom *a,
                      const struct rpk_value *v)
{
    char text[INET6_ADDRSTRLEN] = "?";
    enum base_type base = catalog_type((enum type_id)a->type)->base;
    if (v->kind == VAL_TEXT) {
        put_quoted(p, out, v->text);
    } else if (v->kind == VAL_NUM && base == BASE_BOOL) {
        fputs(v->num ? "true" : "false", out);
    } else if (v->kind == VAL_NUM && base == BASE_DOUBLE) {
        fprintf(out, "%.0f", ops_real_of(v->num));
    } else if (v->kind == VAL_NUM) {
        fprintf(out, base == BASE_INT ? "%lld" : "%llu", (long long)v->num);
    } else {
        inet_ntop(v->family == 4 ? AF_INET : AF_INET6, v->addr, text, sizeof(text));
        fputs(text, out);
        if (v->kind == VAL_NET)
            fprintf(out, "/%u", v->prefix);
    }
}

static void put_atom(const struct rpk *p, FILE *out, const struct rpk_atom *a)
{
    static const char *const mod[] = {"", " anyof", " allof", " oneof"};
    const struct op_info *op = catalog_op((enum op_id)a->op);
    bool list = op->group == OPG_LIST || a->mod != MOD_NONE;
    put_ref(p, out, a->lhs);
    fprintf(out, " %s%s", op->text, mod[a->mod & 3]);
    if (a->rhs != UINT32_MAX) {
        fputs(" val(", out);
        put_ref(p, out, a->rhs);
        fputc(')', out);
        return;
    }
    if (a->op == OP_EXISTS)
        return;
    fputs(list ? " (" : " ", out);
    for (uint32_t i = 0; i < a->nval; i++) {
        fputs(i ? ", " : "", out);
        put_value(p, out, a, &p->values[a->val0 + i]);
    }
    fputs(list ? ")" : "", out);
}

static void put_edge(FILE *out, uint32_t to)
{
    if (to == RPK_TRUE || to == RPK_FALSE)
        fputs(to == RPK_TRUE ? "yes" : "no", out);
    else
        fprintf(out, "n%u", to);
}

static void put_event(FILE *out, const struct rpk_event *e)
{
    const struct syscall_info *s = e->sysnr >= 0 ? catalog_syscall_by_nr(e->sysnr) : NULL;
    if (e->event != EV_generic)
        fprintf(out, "event %s\n", catalog_event((enum event_id)e->event)->name);
    else if (e->sysnr < 0)
        fputs("event (other system calls)\n", out);
    else
        fprintf(out, "event %s\n", s ? s->name : "?");
}

void bundle_print_table(const struct rpk *p, FILE *out)
{
    for (uint32_t i = 0; i < p->head->events.n; i++) {
        const struct rpk_event *e = &p->events[i];
        put_event(out, e);
        for (uint32_t k = 0; k < e->nroot; k++) {
            const struct rpk_root *r = &p->roots[e->root0 + k];
            fprintf(out, "  rule %u: ", r->rule);
            put_edge(out, r->node);
            fputc('\n', out);
        }
    }
    for (uint32_t i = 0; i < p->head->nodes.n; i++) {
        const struct rpk_node *n = &p->nodes[i];
        fprintf(out, "n%u: %s", i, n->neg ? "not " : "");
        put_atom(p, out, &p->atoms[n->atom]);
        fputs(" ? ", out);
        put_edge(out, n->neg ? n->no : n->yes);
        fputs(" : ", out);
        put_edge(out, n->neg ? n->yes : n->no);
        fputc('\n', out);
    }
}
