/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include <assert.h>
#include <string.h>

#include "../grammar/version.h"
#include "arena.h"
#include "cons.h"
#include "intern.h"
#include "regex.h"
#include "rpk.h"
#include "source.h"

#define NONE 0xffffffffu
#define COMPILER "rulec " PROJECT_VERSION

/* The sections of a bundle while they grow. Only what the rules kept can reach is put in. */
struct table {
    struct comp *c;
    VEC(struct rpk_rule) rules;
    VEC(struct rpk_event) events;
    VEC(struct rpk_root) roots;
    VEC(struct rpk_node) nodes;
    VEC(struct rpk_atom) atoms;
    VEC(struct rpk_value) values;
    VEC(struct rpk_piece) pieces;
    VEC(struct rpk_ref) refs;
    VEC(struct rpk_str) tags, patterns;
    VEC(struct rpk_name) names;
    VEC(struct rpk_key) keys;
    VEC(struct rpk_lore) lore;
    VEC(struct rpk_regex) regexes;
    VEC(struct rpk_range) ranges;
    VEC(uint16_t) words;
    VEC(char) strings;
    VEC(struct rpk_str) placed; /* from 1: texts in `strings`, by table `texts` */
    struct cons texts, same_refs;
    uint32_t *atom_row;  /* by atom */
    uint32_t *regex_row; /* by row of comp.regexes */
};

static bool text_same(const void *ctx, uint32_t id)
{
    (void)ctx;
    return id != 0; /* interned: the hash is the id */
}

/* Each text once; a NUL follows it. */
static struct rpk_str put_text(struct table *t, str_id s)
{
    uint32_t id = cons_find(&t->texts, (uint64_t)s.i + 1, text_same, NULL);
    if (id)
        return t->placed.v[id];
    const char *bytes = STR(t->c, s);
    struct rpk_str at = {t->strings.n, (uint32_t)STRLEN(t->c, s)};
    VEC_APPEND(t->c->arena, &t->strings, bytes, at.len);
    VEC_PUSH(t->c->arena, &t->strings, 0);
    id = VEC_PUSH(t->c->arena, &t->placed, at);
    cons_add(&t->texts, (uint64_t)s.i + 1, id);
    return at;
}

static struct rpk_str put_cstr(struct table *t, const char *s)
{
    return put_text(t, intern_cstr(t->c->intern, s));
}

struct wanted_ref {
    const struct table *t;
    struct rpk_ref ref;
};

static bool ref_same(const void *ctx, uint32_t id)
{
    const struct wanted_ref *w = ctx;
    return !memcmp(&w->ref, &w->t->refs.v[id - 1], sizeof(w->ref));
}

/* A row of refs; plain fields and literals that are alike are one row. */
static uint32_t put_ref(struct table *t, struct rpk_ref ref)
{
    struct wanted_ref w = {t, ref};
    uint64_t h = cons_hash(CONS_SEED, &ref, sizeof(ref));
    uint32_t id = ref.xform ? 0 : cons_find(&t->same_refs, h, ref_same, &w);
    if (!id) {
        id = VEC_PUSH(t->c->arena, &t->refs, ref) + 1;
        cons_add(&t->same_refs, h, id);
    }
    return id - 1;
}

static uint32_t put_field(struct table *t, struct field_ref f)
{
    struct rpk_ref r;
    memset(&r, 0, sizeof(r));
    r.field = (uint16_t)f.field;
    r.index = f.index;
    r.name = put_text(t, f.name);
    return put_ref(t, r);
}

static struct rpk_ref make_ref(struct table *t, operand_id id);

/* Arguments are copied into neighbouring rows behind whatever they need themselves. */
static void put_kids(struct table *t, const struct operand *o, struct rpk_ref *r)
{
    struct rpk_ref *kids = arena_alloc(t->c->arena, (o->nop + 1) * sizeof(*kids));
    for (uint32_t i = 0; i < o->nop; i++)
        kids[i] = make_ref(t, t->c->opkids.v[o->op0 + i]);
    r->kid0 = t->refs.n;
    r->nkid = o->nop;
    for (uint32_t i = 0; i < o->nop; i++)
        VEC_PUSH(t->c->arena, &t->refs, kids[i]);
}

static struct rpk_ref make_ref(struct table *t, operand_id id)
{
    const struct operand o = t->c->operands.v[id.i];
    struct rpk_ref r;
    memset(&r, 0, sizeof(r));
    r.index = -1;
    if (o.kind == OPERAND_FIELD) {
        r.field = (uint16_t)o.field;
        r.index = o.index;
        r.name = put_text(t, o.argname);
    } else if (o.call == XF_NONE) {
        r.is_literal = 1;
        r.name = put_text(t, o.name);
    } else {
        r.xform = (uint8_t)o.call;
        r.name = put_text(t, o.call == XF_GETOPT ? o.arg : (str_id){0});
        put_kids(t, &o, &r);
    }
    return r;
}

static uint32_t put_operand(struct table *t, operand_id id)
{
    return put_ref(t, make_ref(t, id));
}

/* A compiled pattern, once. */
static uint32_t put_regex(struct table *t, uint32_t row)
{
    struct comp *c = t->c;
    const struct re_table *from = c->regexes.v[row]->table;
    struct rpk_regex r = from->head;
    if (t->regex_row[row])
        return t->regex_row[row] - 1;
    r.word0 = t->words.n;
    r.range0 = t->ranges.n;
    for (uint32_t i = 0; i < from->words.n; i++)
        VEC_PUSH(c->arena, &t->words, from->words.v[i]);
    for (uint32_t i = 0; i < from->ranges.n; i++)
        VEC_PUSH(c->arena, &t->ranges, from->ranges.v[i]);
    t->regex_row[row] = VEC_PUSH(c->arena, &t->regexes, r) + 1;
    return t->regex_row[row] - 1;
}

static void put_value(struct table *t, const struct value *v, enum op_id op)
{
    struct rpk_value r;
    memset(&r, 0, sizeof(r));
    r.num = op == OP_REGEX ? (int64_t)put_regex(t, (uint32_t)v->num) : v->num;
    memcpy(r.addr, v->addr, sizeof(r.addr));
    r.text = put_text(t, v->text);
    r.kind = (uint8_t)v->kind;
    r.family = v->family;
    r.prefix = v->prefix;
    VEC_PUSH(t->c->arena, &t->values, r);
}

/* Fewer constants than this are compared one after the other. */
#define SORTED_MIN 8

/* type.c has sorted them; it does not for `oneof`, where a constant that stands twice counts. */
static bool is_sorted(const struct comp *c, const struct atom *a)
{
    bool equal = a->op == OP_EQ || a->op == OP_IN || a->op == OP_INTERSECTS;
    bool any = a->mod == MOD_NONE || a->mod == MOD_ANYOF;
    for (uint32_t i = 0; i < a->nval && equal; i++)
        equal = c->values.v[a->val0 + i].kind != VAL_NET;
    return equal && any && a->nval >= SORTED_MIN;
}

static uint32_t put_atom(struct table *t, atom_id id)
{
    const struct atom a = t->c->atoms.v[id.i];
    struct rpk_atom r;
    if (t->atom_row[id.i])
        return t->atom_row[id.i] - 1;
    memset(&r, 0, sizeof(r));
    r.lhs = a.expr.i ? put_operand(t, a.expr) : put_field(t, a.lhs);
    r.rhs = a.rexpr.i ? put_operand(t, a.rexpr) : a.rhs.field ? put_field(t, a.rhs) : NONE;
    r.op = (uint8_t)a.op;
    r.mod = (uint8_t)a.mod;
    r.type = (uint8_t)a.type;
    r.sorted = is_sorted(t->c, &a);
    r.val0 = t->values.n;
    r.nval = a.nval;
    for (uint32_t i = 0; i < a.nval; i++)
        put_value(t, &t->c->values.v[a.val0 + i], a.op);
    t->atom_row[id.i] = VEC_PUSH(t->c->arena, &t->atoms, r) + 1;
    return t->atom_row[id.i] - 1;
}

/* Rows count from 0, nodes from 1: one less, so that edges still lead forward. */
static uint32_t node_row(dag_id d)
{
    _Static_assert(RPK_TRUE == DAG_TRUE && RPK_FALSE == DAG_FALSE, "terminals");
    return d.i >= DAG_TRUE ? d.i : d.i - 1;
}

static void put_nodes(struct table *t)
{
    for (uint32_t i = 1; i < t->c->dag.n; i++) {
        const struct dag_node *d = &t->c->dag.v[i];
        struct rpk_node r = {put_atom(t, d->atom), node_row(d->yes), node_row(d->no), d->neg};
        assert(r.yes > i - 1 && r.no > i - 1);
        VEC_PUSH(t->c->arena, &t->nodes, r);
    }
}

static void put_events(struct table *t)
{
    const struct comp *c = t->c;
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *e = &c->events.v[i];
        struct rpk_event r = {
            (uint16_t)e->event, 0,       e->sysnr, e->root0, e->nroot, e->key0, e->nkey,
            e->rest0,           e->nrest};
        VEC_PUSH(c->arena, &t->events, r);
    }
    for (uint32_t i = 0; i < c->roots.n; i++) {
        struct rpk_root r = {c->rules.v[c->roots.v[i].rule.i].index, node_row(c->roots.v[i].root)};
        VEC_PUSH(c->arena, &t->roots, r);
    }
}

static void put_output(struct table *t, const struct rule *r, struct rpk_rule *out)
{
    out->pieces = (struct rpk_span){t->pieces.n, r->nout};
    for (uint32_t i = 0; i < r->nout; i++) {
        const struct piece *p = &t->c->pieces.v[r->out0 + i];
        struct rpk_piece row = {put_text(t, p->text), NONE, p->width};
        if (p->is_field)
            row.ref = put_operand(t, p->operand);
        VEC_PUSH(t->c->arena, &t->pieces, row);
    }
}

static uint8_t rule_flags(const struct rule *r)
{
    unsigned flags = 0;
    flags |= r->enabled ? 0 : RPK_RULE_OFF;
    flags |= r->left_out ? RPK_RULE_LEFT_OUT : 0;
    flags |= r->failed_exec ? RPK_RULE_FAILED_EXEC : 0;
    return (uint8_t)flags;
}

static void put_rule(struct table *t, const struct rule *r)
{
    struct comp *c = t->c;
    const struct span *at = &c->spans.v[r->at.i];
    struct rpk_rule row;
    memset(&row, 0, sizeof(row));
    row.name = put_text(t, r->name);
    row.desc = put_text(t, r->desc);
    row.source = put_text(t, r->source);
    const char *name = at->file ? source_name(c->sources, at->file) : "";
    const char *slash = strrchr(name, '/'); /* the bytes must not depend on where the file is */
    row.file = put_cstr(t, slash ? slash + 1 : name);
    row.line = at->file ? source_place(c->sources, at->file, at->off).line : 0;
    row.priority = (uint8_t)r->priority;
    row.flags = rule_flags(r);
    row.tags = (struct rpk_span){t->tags.n, r->ntag};
    for (uint32_t i = 0; i < r->ntag; i++) {
        struct rpk_str tag = put_text(t, c->tags.v[r->tag0 + i]);
        VEC_PUSH(c->arena, &t->tags, tag);
    }
    put_output(t, r, &row);
    VEC_PUSH(c->arena, &t->rules, row);
}

/* Rules kept, in the order of their indexes, which is that of the array. */
static void put_rules(struct table *t)
{
    const struct comp *c = t->c;
    for (uint32_t i = 1; i < c->rules.n; i++) {
        const struct rule *r = &c->rules.v[i];
        if (rule_is_kept(r)) {
            assert(r->index == t->rules.n);
            put_rule(t, r);
        }
    }
}

static void put_matchers(struct table *t)
{
    const struct comp *c = t->c;
    for (uint32_t i = 0; i < c->patterns.n; i++) {
        struct rpk_str s = put_text(t, c->patterns.v[i]);
        VEC_PUSH(c->arena, &t->patterns, s);
    }
    for (uint32_t i = 0; i < c->names.n; i++) {
        struct rpk_name n;
        memset(&n, 0, sizeof(n));
        n.set = c->names.v[i].set;
        memcpy(n.name, STR(c, c->names.v[i].name), STRLEN(c, c->names.v[i].name));
        VEC_PUSH(c->arena, &t->names, n);
    }
}

static void put_keys(struct table *t)
{
    const struct comp *c = t->c;
    for (uint32_t i = 0; i < c->keys.n; i++) {
        const struct class_key *k = &c->keys.v[i];
        struct rpk_key r = {
            put_field(t, c->atoms.v[k->atom.i].lhs), k->node, k->how, k->rank0, k->nrank, 0};
        VEC_PUSH(c->arena, &t->keys, r);
    }
}

/* By kind, of each kind in the order of bits. */
static void put_lore(struct table *t)
{
    const struct comp *c = t->c;
    for (unsigned kind = 0; kind < LORE_KINDS; kind++) {
        for (uint32_t i = 0; i < c->lore.n; i++) {
            const struct lore_test *l = &c->lore.v[i];
            struct rpk_lore r = {.kind = l->kind, .bit = l->bit};
            if (l->kind == kind) {
                r.atom = put_atom(t, l->atom);
                VEC_PUSH(c->arena, &t->lore, r);
            }
        }
    }
}

/* ---- laying out ---- */

static struct rpk_span append(struct comp *c, const void *rows, uint32_t n, size_t size)
{
    while (c->table.n % 8)
        VEC_PUSH(c->arena, &c->table, 0);
    struct rpk_span s = {c->table.n, n};
    VEC_APPEND(c->arena, &c->table, rows, n * size);
    return s;
}

#define APPEND(t, name) append((t)->c, (t)->name.v, (t)->name.n, sizeof(*(t)->name.v))
#define APPEND_COMP(c, name) append(c, (c)->name.v, (c)->name.n, sizeof(*(c)->name.v))

static void lay_out(struct table *t, struct rpk_head *head)
{
    struct comp *c = t->c;
    c->table.n = 0;
    append(c, head, 1, sizeof(*head));
    head->rules = APPEND(t, rules);
    head->events = APPEND(t, events);
    head->roots = APPEND(t, roots);
    head->nodes = APPEND(t, nodes);
    head->atoms = APPEND(t, atoms);
    head->values = APPEND(t, values);
    head->pieces = APPEND(t, pieces);
    head->refs = APPEND(t, refs);
    head->tags = APPEND(t, tags);
    head->patterns = APPEND(t, patterns);
    head->names = APPEND(t, names);
    head->regexes = APPEND(t, regexes);
    head->ranges = APPEND(t, ranges);
    head->words = APPEND(t, words);
    head->strings = APPEND(t, strings);
    head->keys = APPEND(t, keys);
    head->ranks = APPEND_COMP(c, ranks);
    head->class_edges = APPEND_COMP(c, class_edges);
    head->class_rows = APPEND_COMP(c, class_rows);
    head->class_cands = APPEND_COMP(c, class_cands);
    head->class_tests = APPEND_COMP(c, class_tests);
    head->sketch = APPEND_COMP(c, sketch);
    head->lore = APPEND(t, lore);
    append(c, "", 0, 0); /* the section's own end is aligned */
    head->size = c->table.n;
    memcpy(c->table.v, head, sizeof(*head));
}

int pass_table(struct comp *c)
{
    struct table t = {.c = c, .texts.arena = c->arena, .same_refs.arena = c->arena};
    struct rpk_head head;
    VEC_PUSH(c->arena, &t.placed, (struct rpk_str){0});
    t.atom_row = arena_alloc(c->arena, (c->atoms.n + 1) * sizeof(*t.atom_row));
    t.regex_row = arena_alloc(c->arena, (c->regexes.n + 1) * sizeof(*t.regex_row));
    memset(&head, 0, sizeof(head));
    put_text(&t, (str_id){0}); /* offset 0 is the empty text */
    put_rules(&t);
    put_nodes(&t);
    put_events(&t);
    put_matchers(&t);
    put_keys(&t);
    put_lore(&t);
    head.magic = RPK_MAGIC;
    head.version = RPK_VERSION;
    head.catalog = catalog_digest();
    head.abi = rpk_abi_digest();
    head.name = put_text(&t, c->name);
    head.compiler = put_cstr(&t, COMPILER);
    head.plan = c->plan.probe;
    for (int h = 0; h < HOOK_COUNT; h++)
        head.hooks = (uint8_t)(head.hooks | (c->plan.hook[h] << h));
    lay_out(&t, &head);
    return 0;
}
