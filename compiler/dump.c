/* SPDX-License-Identifier: Apache-2.0 */
/* Text of the first stages, and the spellings that all dumps and messages share. */
#include <arpa/inet.h>
#include <string.h>

#include "../grammar/ops.h"
#include "intern.h"
#include "pipeline.h"
#include "show.h"
#include "source.h"

static void indent(FILE *out, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++)
        fputs("  ", out);
}

static void put_str(const struct comp *c, FILE *out, str_id s)
{
    show_text(out, STR(c, s), STRLEN(c, s));
}

static void put_quoted(const struct comp *c, FILE *out, str_id s)
{
    show_quoted(out, STR(c, s), STRLEN(c, s));
}

static void put_place(const struct comp *c, FILE *out, span_id at)
{
    const struct span *s = &c->spans.v[at.i];
    struct place p = source_place(c->sources, s->file, s->off);
    fprintf(out, " @%u:%u", p.line, p.column);
}

/* ---- docs ---- */

static void dump_yaml(struct comp *c, FILE *out, uint32_t yaml, unsigned level);

/* Where the value's bytes stand, if that is not simply one piece: "value offset=line:column". */
static void put_map(struct comp *c, FILE *out, const struct yaml *y)
{
    uint32_t file = c->spans.v[y->at.i].file;
    for (uint32_t i = 0; y->nmap > 1 && i < y->nmap; i++) {
        struct textmap row = c->textmap.v[y->map0 + i];
        struct place p = source_place(c->sources, file, row.src_off);
        fprintf(out, "%s%u=%u:%u", i ? " " : " map ", row.value_off, p.line, p.column);
    }
}

static void dump_kids(struct comp *c, FILE *out, const struct yaml *y, unsigned level)
{
    uint32_t step = y->kind == YAML_MAP ? 2 : 1;
    for (uint32_t i = 0; i < y->nkid; i += step) {
        indent(out, level);
        if (step == 2) {
            const struct yaml *key = &c->yaml.v[c->ykids.v[y->kid0 + i]];
            if (key->kind == YAML_SCALAR)
                put_str(c, out, key->text);
            else
                fputc('?', out);
            fputs(": ", out);
        } else {
            fputs("- ", out);
        }
        dump_yaml(c, out, c->ykids.v[y->kid0 + i + step - 1], level + 1);
    }
}

static void dump_yaml(struct comp *c, FILE *out, uint32_t yaml, unsigned level)
{
    const struct yaml y = c->yaml.v[yaml];
    switch (y.kind) {
    case YAML_NULL:
        fputs("null", out);
        put_place(c, out, y.at);
        break;
    case YAML_SCALAR:
        if (y.quoted)
            put_quoted(c, out, y.text);
        else
            put_str(c, out, y.text);
        put_place(c, out, y.at);
        put_map(c, out, &y);
        break;
    case YAML_SEQ:
    case YAML_MAP:
        fputs(y.kind == YAML_SEQ ? "sequence" : "mapping", out);
        put_place(c, out, y.at);
        fputc('\n', out);
        dump_kids(c, out, &y, level);
        return;
    }
    fputc('\n', out);
}

void dump_docs(struct comp *c, FILE *out)
{
    static const char *const kinds[] = {"none", "engine", "plugins", "list", "macro", "rule"};
    for (uint32_t i = 0; i < c->items.n; i++) {
        const struct item *item = &c->items.v[i];
        const struct yaml y = c->yaml.v[item->yaml];
        fprintf(out, "%s", kinds[item->kind]);
        put_place(c, out, item->at);
        fputc('\n', out);
        dump_kids(c, out, &y, 1);
    }
}

/* ---- pack ---- */

static const char *const priority_names[] = {
    "EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFORMATIONAL", "DEBUG",
};

static void dump_rule_head(struct comp *c, FILE *out, const struct rule *r)
{
    fputs("rule ", out);
    put_quoted(c, out, r->name);
    put_place(c, out, r->at);
    fprintf(out, "%s%s%s\n", r->enabled ? "" : " disabled", r->dropped ? " dropped" : "",
            r->failed ? " failed" : "");
}

void dump_pack(struct comp *c, FILE *out)
{
    for (uint32_t i = 1; i < c->rules.n; i++) {
        const struct rule *r = &c->rules.v[i];
        dump_rule_head(c, out, r);
        fprintf(out, "  priority %s source ", priority_names[r->priority]);
        put_str(c, out, r->source);
        fputs("\n  tags", out);
        for (uint32_t k = 0; k < r->ntag; k++) {
            fputc(' ', out);
            put_quoted(c, out, c->tags.v[r->tag0 + k]);
        }
        fputs("\n  desc ", out);
        put_quoted(c, out, r->desc);
        fputs("\n  output ", out);
        put_quoted(c, out, r->output_text);
        fputs("\n  condition ", out);
        put_quoted(c, out, r->condition_text);
        fputs("\n  substituted ", out);
        put_quoted(c, out, r->condition_final);
        fputc('\n', out);
    }
}

/* ---- ast ---- */

static void put_operand(struct comp *c, FILE *out, operand_id id)
{
    const struct operand *o = &c->operands.v[id.i];
    if (o->kind == OPERAND_CALL && o->call == XF_NONE) {
        put_quoted(c, out, o->name);
        return;
    }
    put_str(c, out, o->name);
    if (o->kind == OPERAND_CALL) {
        fputc('(', out);
        for (uint32_t i = 0; i < o->nop; i++) {
            fputs(i ? ", " : "", out);
            put_operand(c, out, c->opkids.v[o->op0 + i]);
        }
        fputc(')', out);
    }
    if (o->has_arg) {
        fputc('[', out);
        put_str(c, out, o->arg);
        fputc(']', out);
    }
}

static const char *modifier_name(enum op_modifier mod)
{
    static const char *const names[] = {"", " anyof", " allof", " oneof"};
    return names[mod];
}

/* Right sides are in parentheses wherever the language wants or allows several constants. */
static bool is_list(enum op_id op, enum op_modifier mod)
{
    return catalog_op(op)->group == OPG_LIST || mod != MOD_NONE;
}

static void put_literal(struct comp *c, FILE *out, const struct lit *l)
{
    if (l->quoted)
        put_quoted(c, out, l->text);
    else
        put_str(c, out, l->text);
}

void print_test(struct comp *c, FILE *out, const struct node *n)
{
    bool list = is_list(n->op, n->mod) && !n->rhs.i;
    put_operand(c, out, n->lhs);
    fprintf(out, " %s%s", catalog_op(n->op)->text, modifier_name(n->mod));
    if (n->rhs.i) {
        fputc(' ', out);
        put_operand(c, out, n->rhs);
    } else if (n->op != OP_EXISTS) {
        fputs(list ? " (" : " ", out);
        for (uint32_t i = 0; i < n->nlit; i++) {
            fputs(i ? ", " : "", out);
            put_literal(c, out, &c->lits.v[n->lit0 + i]);
        }
        fputs(list ? ")" : "", out);
    }
}

/* Recursion is bounded: resolve refuses trees of more than LEVELS_MAX levels (pack.h). */
static void dump_node(struct comp *c, FILE *out, node_id id, unsigned level)
{
    const struct node n = c->nodes.v[id.i];
    indent(out, level);
    switch (n.kind) {
    case NODE_POISON:
        fputs("poison\n", out);
        return;
    case NODE_TRUE:
        fputs("true\n", out);
        return;
    case NODE_FALSE:
        fputs("false\n", out);
        return;
    case NODE_MACRO:
        put_str(c, out, n.name);
        fputc('\n', out);
        return;
    case NODE_TEST:
        if (n.atom.i)
            print_atom(c, out, n.atom);
        else
            print_test(c, out, &n);
        fputc('\n', out);
        return;
    case NODE_AND:
    case NODE_OR:
    case NODE_NOT:
        fprintf(out, "%s\n", n.kind == NODE_AND ? "and" : n.kind == NODE_OR ? "or" : "not");
        break;
    }
    for (uint32_t i = 0; i < n.nkid; i++)
        dump_node(c, out, c->kids.v[n.kid0 + i], level + 1);
}

static void dump_piece(struct comp *c, FILE *out, const struct piece *p)
{
    indent(out, 2);
    if (!p->is_field) {
        put_quoted(c, out, p->text);
    } else {
        fputc('%', out);
        if (p->width)
            fprintf(out, "%u ", p->width);
        put_operand(c, out, p->operand);
    }
    fputc('\n', out);
}

void dump_ast(struct comp *c, FILE *out)
{
    for (uint32_t i = 1; i < c->rules.n; i++) {
        const struct rule *r = &c->rules.v[i];
        dump_rule_head(c, out, r);
        fputs("  condition\n", out);
        dump_node(c, out, r->condition, 2);
        fputs("  output\n", out);
        for (uint32_t k = 0; k < r->nout; k++)
            dump_piece(c, out, &c->pieces.v[r->out0 + k]);
    }
}

/* ---- shared spellings ---- */

void print_field_ref(struct comp *c, FILE *out, struct field_ref f)
{
    const struct field_info *info = catalog_field(f.field);
    fputs(info->name, out);
    if (f.index >= 0) {
        fprintf(out, "[%d]", f.index);
    } else if (f.name.i) {
        bool dot =
            info->arg == ARG_NAME || info->arg == ARG_NAME_OPT || info->arg == ARG_NAME_OR_INDEX;
        fputs(dot ? "." : "[", out);
        put_str(c, out, f.name);
        fputs(dot ? "" : "]", out);
    }
}

static void put_value(struct comp *c, FILE *out, const struct atom *a, const struct value *v)
{
    char addr[INET6_ADDRSTRLEN] = "?";
    enum base_type base = catalog_type(a->type)->base;
    switch (v->kind) {
    case VAL_TEXT:
        put_quoted(c, out, v->text);
        break;
    case VAL_NUM:
        if (base == BASE_BOOL)
            fputs(v->num ? "true" : "false", out);
        else if (base == BASE_DOUBLE)
            fprintf(out, "%.0f", ops_real_of(v->num));
        else if (base == BASE_INT)
            fprintf(out, "%lld", (long long)v->num);
        else
            fprintf(out, "%llu", (unsigned long long)v->num);
        break;
    case VAL_IP:
    case VAL_NET:
        inet_ntop(v->family == 4 ? AF_INET : AF_INET6, v->addr, addr, sizeof(addr));
        fputs(addr, out);
        if (v->kind == VAL_NET)
            fprintf(out, "/%u", v->prefix);
        break;
    }
}

void print_atom(struct comp *c, FILE *out, atom_id id)
{
    const struct atom *a = &c->atoms.v[id.i];
    bool list = is_list(a->op, a->mod);
    if (a->expr.i)
        put_operand(c, out, a->expr);
    else
        print_field_ref(c, out, a->lhs);
    fprintf(out, " %s%s", catalog_op(a->op)->text, modifier_name(a->mod));
    if (a->rexpr.i) {
        fputc(' ', out);
        put_operand(c, out, a->rexpr);
    } else if (a->rhs.field != F_NONE) {
        fputs(" val(", out);
        print_field_ref(c, out, a->rhs);
        fputc(')', out);
    } else if (a->op != OP_EXISTS) {
        fputs(list ? " (" : " ", out);
        for (uint32_t i = 0; i < a->nval; i++) {
            fputs(i ? ", " : "", out);
            put_value(c, out, a, &c->values.v[a->val0 + i]);
        }
        fputs(list ? ")" : "", out);
    }
}
