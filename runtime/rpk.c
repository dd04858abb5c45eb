/* SPDX-License-Identifier: Apache-2.0 */
#include "rpk.h"
#include "../grammar/transform.h"
#include "../grammar/catalog.h"
#include "../grammar/lore.h"
#include "../bpf/texts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NONE 0xffffffffu
#define PATTERN_MAX 259 /* struct bpf_pattern of the probe holds these and a NUL */

/* A bundle under test. The first finding is kept; everything after it is skipped. */
struct check {
    struct rpk r;
    char *err;
    size_t errlen;
    int rc;
};

__attribute__((format(printf, 2, 3))) static bool bad(struct check *c, const char *fmt, ...)
{
    va_list ap;

    if (c->rc)
        return false;
    c->rc = -EINVAL;
    if (c->errlen) {
        va_start(ap, fmt);
        vsnprintf(c->err, c->errlen, fmt, ap);
        va_end(ap);
    }
    return false;
}

static const struct {
    const char *name;
    size_t head; /* where in rpk_head the span is */
    size_t elem;
} tables[] = {
#define TABLE(field, type)                                                                         \
    {                                                                                              \
#field, offsetof(struct rpk_head, field), sizeof(type)                                     \
    }
    TABLE(rules, struct rpk_rule),
    TABLE(events, struct rpk_event),
    TABLE(roots, struct rpk_root),
    TABLE(nodes, struct rpk_node),
    TABLE(atoms, struct rpk_atom),
    TABLE(values, struct rpk_value),
    TABLE(pieces, struct rpk_piece),
    TABLE(refs, struct rpk_ref),
    TABLE(tags, struct rpk_str),
    TABLE(patterns, struct rpk_str),
    TABLE(names, struct rpk_name),
    TABLE(regexes, struct rpk_regex),
    TABLE(ranges, struct rpk_range),
    TABLE(words, uint16_t),
    TABLE(strings, char),
    TABLE(keys, struct rpk_key),
    TABLE(ranks, uint32_t),
    TABLE(class_edges, struct class_bucket),
    TABLE(class_rows, struct class_row),
    TABLE(class_cands, struct class_cand),
    TABLE(class_tests, struct class_test),
    TABLE(sketch, struct sketch_row),
    TABLE(lore, struct rpk_lore),
#undef TABLE
};

static const struct rpk_span *head_span(const struct rpk_head *h, size_t off)
{
    return (const struct rpk_span *)(const void *)((const char *)h + off);
}

static bool check_spans(struct check *c)
{
    const struct rpk_head *h = c->r.head;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        const struct rpk_span *s = head_span(h, tables[i].head);

        if (s->off % 8)
            return bad(c, "table '%s' is not aligned", tables[i].name);
        if (s->off < sizeof(*h) || s->off > h->size)
            return bad(c, "table '%s' begins outside the bundle", tables[i].name);
        if (s->n > (h->size - s->off) / tables[i].elem)
            return bad(c, "table '%s' reaches past the end of the bundle", tables[i].name);
    }
    return true;
}

static void fill_view(struct rpk *r)
{
    const struct rpk_head *h = r->head;

    r->base = (const uint8_t *)h;
    r->rules = (const void *)(r->base + h->rules.off);
    r->events = (const void *)(r->base + h->events.off);
    r->roots = (const void *)(r->base + h->roots.off);
    r->nodes = (const void *)(r->base + h->nodes.off);
    r->atoms = (const void *)(r->base + h->atoms.off);
    r->values = (const void *)(r->base + h->values.off);
    r->pieces = (const void *)(r->base + h->pieces.off);
    r->refs = (const void *)(r->base + h->refs.off);
    r->tags = (const void *)(r->base + h->tags.off);
    r->patterns = (const void *)(r->base + h->patterns.off);
    r->names = (const void *)(r->base + h->names.off);
    r->regexes = (const void *)(r->base + h->regexes.off);
    r->ranges = (const void *)(r->base + h->ranges.off);
    r->words = (const void *)(r->base + h->words.off);
    r->strings = (const char *)(r->base + h->strings.off);
    r->keys = (const void *)(r->base + h->keys.off);
    r->ranks = (const void *)(r->base + h->ranks.off);
    r->class_edges = (const void *)(r->base + h->class_edges.off);
    r->class_rows = (const void *)(r->base + h->class_rows.off);
    r->class_cands = (const void *)(r->base + h->class_cands.off);
    r->class_tests = (const void *)(r->base + h->class_tests.off);
    r->sketch = (const void *)(r->base + h->sketch.off);
    r->lore = (const void *)(r->base + h->lore.off);
}

static bool check_str(struct check *c, struct rpk_str s, const char *what, uint32_t row)
{
    uint32_t n = c->r.head->strings.n;

    if (s.off >= n || s.len >= n - s.off)
        return bad(c, "%s %u: text outside the string table", what, row);
    if (c->r.strings[s.off + s.len] != '\0')
        return bad(c, "%s %u: text does not end where it says", what, row);
    return true;
}

static bool check_rule(struct check *c, uint32_t i)
{
    const struct rpk_rule *u = &c->r.rules[i];
    const struct rpk_head *h = c->r.head;

    if (!check_str(c, u->name, "rule", i) || !check_str(c, u->desc, "rule", i) ||
        !check_str(c, u->source, "rule", i) || !check_str(c, u->file, "rule", i))
        return false;
    if (u->priority > 7)
        return bad(c, "rule %u: no priority has number %u", i, u->priority);
    if (u->flags & ~(RPK_RULE_OFF | RPK_RULE_LEFT_OUT | RPK_RULE_FAILED_EXEC) ||
        (u->flags & (RPK_RULE_OFF | RPK_RULE_LEFT_OUT)) == RPK_RULE_LEFT_OUT)
        return bad(c, "rule %u: unknown flags %u", i, u->flags);
    if (!rpk_rows_exist(u->tags.off, u->tags.n, h->tags.n))
        return bad(c, "rule %u: tags outside their table", i);
    if (!rpk_rows_exist(u->pieces.off, u->pieces.n, h->pieces.n))
        return bad(c, "rule %u: output outside its table", i);
    return true;
}

static bool check_event(struct check *c, uint32_t i)
{
    const struct rpk_event *e = &c->r.events[i];

    if (e->event == EV_NONE || e->event >= EV_COUNT)
        return bad(c, "event row %u: no event has number %u", i, e->event);
    if (e->event != EV_generic ? e->sysnr != -1 : e->sysnr < -1)
        return bad(c, "event row %u: system call %d does not fit the event", i, e->sysnr);
    if (i && (e[-1].event > e->event || (e[-1].event == e->event && e[-1].sysnr >= e->sysnr)))
        return bad(c, "event row %u: out of order", i);
    if (e->nroot > RULES_MAX || !rpk_rows_exist(e->root0, e->nroot, c->r.head->roots.n))
        return bad(c, "event row %u: roots outside their table", i);
    for (uint32_t k = 1; k < e->nroot; k++)
        if (c->r.roots[e->root0 + k - 1].rule >= c->r.roots[e->root0 + k].rule)
            return bad(c, "event row %u: rules out of order", i);
    return true;
}

static bool check_event_keys(struct check *c, uint32_t i)
{
    const struct rpk_event *e = &c->r.events[i];
    const struct rpk_head *h = c->r.head;

    if (!rpk_rows_exist(e->key0, e->nkey, h->keys.n) ||
        !rpk_rows_exist(e->rest0, e->nrest, h->ranks.n))
        return bad(c, "event row %u: keys outside their table", i);
    return true;
}

static bool check_classes(struct check *c)
{
    const struct rpk_head *h = c->r.head;
    const struct {
        const char *name;
        enum rpk_class_table table;
        uint32_t n;
    } pass[] = {{"key", RPK_KEY, h->keys.n},
                {"rank", RPK_RANK, h->ranks.n},
                {"bucket", RPK_BUCKET, h->class_edges.n},
                {"class", RPK_CLASS, h->class_rows.n},
                {"candidate", RPK_CAND, h->class_cands.n},
                {"class test", RPK_CLASS_TEST, h->class_tests.n},
                {"sketch", RPK_SKETCH, h->sketch.n}};

    for (size_t p = 0; p < sizeof(pass) / sizeof(pass[0]); p++)
        for (uint32_t i = 0; i < pass[p].n; i++) {
            const char *why = rpk_class_wrong(&c->r, pass[p].table, i);

            if (why)
                return bad(c, "%s %u: %s", pass[p].name, i, why);
        }
    return true;
}

static bool edge_ok(uint32_t to, uint32_t above, uint32_t n)
{
    return to == RPK_TRUE || to == RPK_FALSE || (to >= above && to < n);
}

static bool check_root(struct check *c, uint32_t i)
{
    const struct rpk_root *t = &c->r.roots[i];

    if (t->rule >= c->r.head->rules.n)
        return bad(c, "root %u: no rule has number %u", i, t->rule);
    if (!edge_ok(t->node, 0, c->r.head->nodes.n))
        return bad(c, "root %u: no node has number %u", i, t->node);
    return true;
}

static bool check_node(struct check *c, uint32_t i)
{
    const struct rpk_node *d = &c->r.nodes[i];
    uint32_t n = c->r.head->nodes.n;

    if (d->atom >= c->r.head->atoms.n)
        return bad(c, "node %u: no test has number %u", i, d->atom);
    if (!edge_ok(d->yes, i + 1, n) || !edge_ok(d->no, i + 1, n))
        return bad(c, "node %u: an edge does not lead forward", i);
    if (d->neg > 1)
        return bad(c, "node %u: sense is %u", i, d->neg);
    return true;
}

/* The kind of constants that a comparison of this type has; -1: any. */
static int value_kind_of(enum type_id type)
{
    switch (catalog_type(type)->base) {
    case BASE_TEXT:
    case BASE_BYTES:
        return 1;
    case BASE_INT:
    case BASE_UINT:
    case BASE_BOOL:
    case BASE_PORT:
    case BASE_DOUBLE:
        return 0;
    case BASE_IP:
        return 2;
    case BASE_NET:
        return 3;
    case BASE_NONE:
        break;
    }
    return -1;
}

static bool check_order(struct check *c, uint32_t i)
{
    const struct rpk_atom *a = &c->r.atoms[i];
    const struct rpk_value *v = &c->r.values[a->val0];

    for (uint32_t k = 1; a->sorted && k < a->nval; k++)
        if (v[k].kind > 2 || v[k].kind != v[0].kind ||
            rpk_value_order(&c->r, a->type, &v[k - 1], &v[k]) >= 0)
            return bad(c, "test %u: constant %u is out of order", i, k);
    return true;
}

static bool check_atom(struct check *c, uint32_t i)
{
    const struct rpk_atom *a = &c->r.atoms[i];
    const struct rpk_head *h = c->r.head;

    if (a->lhs >= h->refs.n || (a->rhs != NONE && a->rhs >= h->refs.n))
        return bad(c, "test %u: operand outside its table", i);
    if (a->op == OP_NONE || a->op >= OP_COUNT)
        return bad(c, "test %u: no operator has number %u", i, a->op);
    if (a->mod > MOD_ONEOF)
        return bad(c, "test %u: no modifier has number %u", i, a->mod);
    if (a->type == T_NONE || a->type >= T_COUNT)
        return bad(c, "test %u: no type has number %u", i, a->type);
    if (!rpk_rows_exist(a->val0, a->nval, h->values.n))
        return bad(c, "test %u: constants outside their table", i);
    for (uint32_t k = 0; k < a->nval; k++) {
        int want = value_kind_of(a->type);

        if (want >= 0 && c->r.values[a->val0 + k].kind != want)
            return bad(c, "test %u: constant %u is of another type", i, k);
        if (a->op == OP_REGEX && (uint64_t)c->r.values[a->val0 + k].num >= h->regexes.n)
            return bad(c, "test %u: constant %u is no pattern", i, k);
    }
    if (a->sorted > 1)
        return bad(c, "test %u: order is %u", i, a->sorted);
    return check_order(c, i);
}

static bool check_value(struct check *c, uint32_t i)
{
    const struct rpk_value *v = &c->r.values[i];

    if (v->kind > 3)
        return bad(c, "constant %u: no kind has number %u", i, v->kind);
    if (v->kind == 1)
        return check_str(c, v->text, "constant", i);
    if (v->kind >= 2 && v->family != 4 && v->family != 6)
        return bad(c, "constant %u: no address family %u", i, v->family);
    if (v->kind == 3 && v->prefix > (v->family == 4 ? 32 : 128))
        return bad(c, "constant %u: network of %u bits", i, v->prefix);
    return true;
}

/* Counts what evaluating a ref costs, so that sharing cannot multiply without bound. */
static bool ref_bounded(const struct rpk *r, uint32_t i, unsigned depth, unsigned *budget)
{
    const struct rpk_ref *f = &r->refs[i];

    if (depth > RPK_REF_DEPTH || *budget == 0)
        return false;
    --*budget;
    for (uint32_t k = 0; f->xform && k < f->nkid; k++)
        if (!ref_bounded(r, f->kid0 + k, depth + 1, budget))
            return false;
    return true;
}

static bool check_ref(struct check *c, uint32_t i)
{
    const struct rpk_ref *f = &c->r.refs[i];
    unsigned budget = RPK_REF_BUDGET;

    if (!check_str(c, f->name, "operand", i))
        return false;
    if (f->is_literal > 1 || f->field >= F_COUNT || f->index < -1)
        return bad(c, "operand %u: no such field", i);
    if ((f->field != F_NONE) + (f->xform != 0) + f->is_literal != 1)
        return bad(c, "operand %u: neither field, transformer nor literal", i);
    if (!f->xform)
        return true;
    if (f->xform >= XF_COUNT)
        return bad(c, "operand %u: no transformer has number %u", i, f->xform);
    if (!rpk_rows_exist(f->kid0, f->nkid, i))
        return bad(c, "operand %u: arguments do not come before it", i);
    if (f->nkid < xform_min_args((enum xform_id)f->xform))
        return bad(c, "operand %u: too few arguments", i);
    if (!ref_bounded(&c->r, i, 0, &budget))
        return bad(c, "operand %u: too deeply nested", i);
    return true;
}

static bool check_piece(struct check *c, uint32_t i)
{
    const struct rpk_piece *p = &c->r.pieces[i];

    if (!check_str(c, p->text, "output piece", i))
        return false;
    if (p->ref != NONE && p->ref >= c->r.head->refs.n)
        return bad(c, "output piece %u: no operand has number %u", i, p->ref);
    return true;
}

static bool check_tag(struct check *c, uint32_t i)
{
    return check_str(c, c->r.tags[i], "tag", i);
}

static bool check_pattern(struct check *c, uint32_t i)
{
    if (!check_str(c, c->r.patterns[i], "pattern", i))
        return false;
    if (c->r.patterns[i].len > PATTERN_MAX)
        return bad(c, "pattern %u: too long", i);
    return true;
}

static bool check_name(struct check *c, uint32_t i)
{
    if (c->r.names[i].name[COMM_SIZE - 1] != '\0')
        return bad(c, "name %u: not terminated", i);
    return true;
}

static bool check_regex(struct check *c, uint32_t i)
{
    const char *why = rpk_regex_wrong(&c->r, i);

    return !why || bad(c, "regular expression %u: %s", i, why);
}

/* Each bit is one test's, and that is of a field of its kind. */
static bool check_lore(struct check *c, uint32_t i)
{
    const struct rpk_lore *l = &c->r.lore[i];
    const struct rpk_ref *f;

    if (l->atom >= c->r.head->atoms.n)
        return bad(c, "lore %u: no test has number %u", i, l->atom);
    f = &c->r.refs[c->r.atoms[l->atom].lhs];
    if (l->kind >= LORE_KINDS || l->bit >= LORE_BITS || c->r.atoms[l->atom].rhs != NONE ||
        lore_of_field((enum field_id)f->field, f->index) != (enum lore_kind)l->kind)
        return bad(c, "lore %u: its test is of another kind", i);
    if (i && (l->kind << 8 | l->bit) <= (l[-1].kind << 8 | l[-1].bit))
        return bad(c, "lore %u: out of order", i);
    return true;
}

static bool check_rows(struct check *c)
{
    const struct rpk_head *h = c->r.head;
    const struct {
        bool (*fn)(struct check *, uint32_t);
        uint32_t n;
    } pass[] = {
        {check_rule, h->rules.n},        {check_ref, h->refs.n},
        {check_value, h->values.n},      {check_atom, h->atoms.n},
        {check_node, h->nodes.n},        {check_root, h->roots.n},
        {check_event, h->events.n},      {check_piece, h->pieces.n},
        {check_tag, h->tags.n},          {check_name, h->names.n},
        {check_pattern, h->patterns.n},  {check_regex, h->regexes.n},
        {check_event_keys, h->events.n}, {check_lore, h->lore.n},
    };

    for (size_t p = 0; p < sizeof(pass) / sizeof(pass[0]); p++)
        for (uint32_t i = 0; i < pass[p].n; i++)
            if (!pass[p].fn(c, i))
                return false;
    return true;
}

static bool check_plan(struct check *c)
{
    const struct rpk_head *h = c->r.head;

    if (!check_str(c, h->name, "pack", 0) || !check_str(c, h->compiler, "pack", 0))
        return false;
    if (h->plan.readings > READINGS_ALL || !(h->plan.readings & READ_BIT(READ_KERNEL)))
        return bad(c, "plan: unknown readings of a path");
    if (h->plan.groups >> G_COUNT)
        return bad(c, "plan: unknown groups of values");
    for (size_t i = 0; i < 4; i++)
        if (h->plan.extra[i].kind > EXTRA_ARGS || h->plan.extra[i].index > ANC_MAX)
            return bad(c, "plan: unknown text of an ancestor");
    return true;
}

/* Versions come before everything else: the tables of another version may mean anything. */
static bool check_versions(struct check *c, size_t size)
{
    const struct rpk_head *h = c->r.head;

    if (h->magic != RPK_MAGIC) {
        bad(c, "not a rule bundle");
        c->rc = -ENOEXEC;
    } else if (h->version != RPK_VERSION) {
        bad(c, "bundle of format version %u; this program reads version %u", h->version,
            RPK_VERSION);
        c->rc = -EPROTO;
    } else if (h->abi != rpk_abi_digest()) {
        bad(c, "bundle for another event layout (%016llx, this program has %016llx)",
            (unsigned long long)h->abi, (unsigned long long)rpk_abi_digest());
        c->rc = -EPROTO;
    } else if (h->catalog != catalog_digest()) {
        bad(c, "bundle for another catalog (%016llx, this program has %016llx)",
            (unsigned long long)h->catalog, (unsigned long long)catalog_digest());
        c->rc = -EPROTO;
    } else if (h->size != size) {
        bad(c, "bundle says it has %u bytes, and has %zu", h->size, size);
    }
    return c->rc == 0;
}

int rpk_open_section(struct rpk *r, const void *section, size_t size, char *err, size_t errlen)
{
    struct check c = {.err = err, .errlen = errlen};

    memset(r, 0, sizeof(*r));
    if ((uintptr_t)section % 8) {
        bad(&c, "bundle is not aligned in memory");
        return c.rc;
    }
    if (size < sizeof(struct rpk_head)) {
        bad(&c, "bundle is cut short: %zu bytes", size);
        return c.rc;
    }
    c.r.head = section;
    if (check_versions(&c, size) && check_spans(&c)) {
        fill_view(&c.r);
        if (check_plan(&c) && check_rows(&c) && check_classes(&c))
            *r = c.r;
    }
    return c.rc;
}

int rpk_open(struct rpk *r, const void *bytes, size_t size, char *err, size_t errlen)
{
    const uint64_t magic = RPK_MAGIC;
    uint64_t off, len;
    int rc;

    memset(r, 0, sizeof(*r));
    if (size >= sizeof(magic) && memcmp(bytes, &magic, sizeof(magic)) == 0)
        return rpk_open_section(r, bytes, size, err, errlen);
    rc = rpk_elf_find(bytes, size, RPK_SECTION, &off, &len, err, errlen);
    return rc ? rc : rpk_open_section(r, (const uint8_t *)bytes + off, len, err, errlen);
}

const char *rpk_text(const struct rpk *r, struct rpk_str s)
{
    return r->strings + s.off;
}

static int order_bytes(const void *a, size_t na, const void *b, size_t nb)
{
    int order = memcmp(a, b, na < nb ? na : nb);

    return order ? order : na < nb ? -1 : na > nb;
}

int rpk_value_order(const struct rpk *r, uint8_t type, const struct rpk_value *a,
                    const struct rpk_value *b)
{
    uint64_t flip = catalog_type((enum type_id)type)->base == BASE_INT ? 1ull << 63 : 0;
    uint64_t x = (uint64_t)a->num ^ flip, y = (uint64_t)b->num ^ flip;

    if (a->kind == 0)
        return x < y ? -1 : x > y;
    if (a->kind == 1)
        return order_bytes(rpk_text(r, a->text), a->text.len, rpk_text(r, b->text), b->text.len);
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->addr, b->addr, sizeof(a->addr));
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        h = (h ^ ((v >> (8 * i)) & 0xff)) * 0x100000001b3ull;
    return h;
}

static uint64_t mix_text(uint64_t h, const char *s)
{
    while (*s)
        h = (h ^ (uint8_t)*s++) * 0x100000001b3ull;
    return mix(h, 0);
}

/* FNV-1a over what the kernel side, the daemon and the compiler must agree on. */
uint64_t rpk_abi_digest(void)
{
    uint64_t h = 0xcbf29ce484222325ull;

#define SLOT_NUM(id, group, doc) h = mix_text(mix(h, G_##group), #id);
#define SLOT_STR(id, group, cap, doc) h = mix_text(mix(mix(h, G_##group), cap), #id);
#include "../grammar/slots.def"
    h = mix(h, sizeof(struct ev_head));
    h = mix(h, sizeof(struct ev));
    h = mix(h, offsetof(struct ev_head, anc));
    h = mix(h, sizeof(struct rec));
    h = mix(h, sizeof(struct probe_plan));
    h = mix(h, sizeof(struct proc_state));
    h = mix(h, sizeof(struct cpu_stats));
    h = mix(h, sizeof(struct lane));
#define TEXT_SIZE(class, size, h) h = mix(h, sizeof(struct text##class));
    TEXT_SIZES(TEXT_SIZE, h)
    h = mix(h, sizeof(struct rpk_head));
    return h;
}
