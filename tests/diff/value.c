/* SPDX-License-Identifier: Apache-2.0 */
/* Values that make a test true, or miss it by little. */
#include "diff.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/arena.h"
#include "../../compiler/event_param.h"
#include "../../compiler/intern.h"
#include "../../grammar/ops.h"

#define VALUE_MAX 8192

/* A text under construction. */
struct buf {
    char s[VALUE_MAX];
    size_t n;
};

static void add(struct buf *b, const char *s, size_t n)
{
    if (n > sizeof(b->s) - 1 - b->n)
        n = sizeof(b->s) - 1 - b->n;
    memcpy(b->s + b->n, s, n);
    b->n += n;
    b->s[b->n] = 0;
}

static void add_str(struct buf *b, const char *s)
{
    add(b, s, strlen(s));
}

/* ---- texts ---- */

static const char *const bits[] = {"", "x", "/", "a/b", ".", " ", "-", "0", "SH", "/x", "é"};

static void add_bit(struct gen *g, struct buf *b)
{
    add_str(b, bits[rng_below(&g->rng, sizeof(bits) / sizeof(bits[0]))]);
}

/* A text that a glob matches: most of the time. */
static void add_glob(struct gen *g, struct buf *b, const char *p)
{
    for (; *p; p++) {
        const char *close = *p == '[' ? strchr(p + 1, ']') : NULL;
        if (*p == '*') {
            add_bit(g, b);
        } else if (*p == '?') {
            add_str(b, "q");
        } else if (close && close > p + 1) {
            add(b, p + 1, 1);
            p = close;
        } else {
            p += *p == '\\' && p[1];
            add(b, p, 1);
        }
    }
}

static void add_regex(struct gen *g, struct buf *b, const char *pattern)
{
    char text[512];
    add(b, text, regex_text(&g->rng, pattern, text, sizeof(text)));
}

static void add_true(struct gen *g, struct buf *b, enum op_id op, const char *s)
{
    if (op == OP_CONTAINS || op == OP_ICONTAINS || op == OP_ENDSWITH)
        add_bit(g, b);
    if (op == OP_GLOB || op == OP_IGLOB || op == OP_PMATCH)
        add_glob(g, b, s);
    else if (op == OP_REGEX)
        add_regex(g, b, s);
    else
        add_str(b, s);
    if (op == OP_PMATCH && rng_chance(&g->rng, 50))
        add_str(b, rng_chance(&g->rng, 80) ? "/deeper" : "er");
    if (op == OP_CONTAINS || op == OP_ICONTAINS || op == OP_STARTSWITH || op == OP_NE)
        add_bit(g, b);
}

static void swap_case(struct buf *b, size_t at)
{
    if ((b->s[at] | 32) >= 'a' && (b->s[at] | 32) <= 'z')
        b->s[at] = (char)(b->s[at] ^ 32);
}

/* Longer than any slot, now and then: then only its beginning reaches the kernel. */
static void make_long(struct gen *g, struct buf *b)
{
    size_t want = 4090 + rng_below(&g->rng, 60);
    while (b->n < want)
        add_str(b, "/long");
}

/* A little off. */
static void spoil(struct gen *g, struct buf *b)
{
    size_t at = b->n ? rng_below(&g->rng, (uint32_t)b->n) : 0;
    switch (rng_below(&g->rng, 9)) {
    case 0: /* a true prefix */
        b->s[b->n -= b->n > 0] = 0;
        break;
    case 1:
        add_str(b, "x");
        break;
    case 2:
        add_str(b, "/");
        break;
    case 3: /* a neighbour */
        if (b->n && b->s[b->n - 1] > 1)
            b->s[b->n - 1] = (char)(b->s[b->n - 1] + (rng_chance(&g->rng, 50) ? 1 : -1));
        break;
    case 4:
        swap_case(b, at);
        break;
    case 5:
        b->s[b->n = 0] = 0;
        break;
    case 6: /* without its first byte */
        if (b->n)
            memmove(b->s, b->s + 1, b->n--);
        break;
    case 7:
        if (b->n)
            b->s[at] = b->s[at] == '#' ? '$' : '#';
        break;
    default:
        if (rng_chance(&g->rng, 5))
            make_long(g, b);
        break;
    }
}

static const char *some_constant(struct gen *g, const struct node *n)
{
    const struct atom *a = &g->c->atoms.v[n->atom.i];
    if ((n->op == OP_BCONTAINS || n->op == OP_BSTARTSWITH) && a->nval)
        return STR(g->c, g->c->values.v[a->val0 + rng_below(&g->rng, a->nval)].text);
    bool other = g->texts.n && rng_chance(&g->rng, 8);
    if (other || !n->nlit)
        return g->texts.n ? STR(g->c, g->texts.v[rng_below(&g->rng, g->texts.n)]) : "x";
    return STR(g->c, g->c->lits.v[n->lit0 + rng_below(&g->rng, n->nlit)].text);
}

static str_id text_value(struct gen *g, const struct node *n, bool want)
{
    struct buf b = {.n = 0};
    if (n->mod == MOD_ALLOF && want)
        for (uint32_t i = 0; i < n->nlit; i++)
            add_true(g, &b, n->op, STR(g->c, g->c->lits.v[n->lit0 + i].text));
    else
        add_true(g, &b, n->op, some_constant(g, n));
    if (want == (n->op == OP_NE) || rng_chance(&g->rng, 4))
        spoil(g, &b);
    return intern_put(g->c->intern, b.s, b.n);
}

/* ---- numbers ---- */

static int64_t fit(int64_t v, enum type_id type)
{
    const struct type_info *t = catalog_type(type);
    unsigned width = t->base == BASE_PORT ? 16 : t->bits ? t->bits : 64;
    if (t->base == BASE_BOOL)
        return v & 1;
    if (t->base == BASE_DOUBLE) /* its bits; no event has what is not a number */
        return isfinite(ops_real_of(v)) ? v : ops_real_bits(0.5);
    if (width >= 64)
        return v;
    uint64_t low = (uint64_t)v & ((1ull << width) - 1);
    bool minus = t->base == BASE_INT && low >> (width - 1);
    return (int64_t)(minus ? low | ~0ull << width : low);
}

static int64_t num_value(struct gen *g, const struct node *n, const struct atom *a, bool want)
{
    static const int64_t odd[] = {0,     1,         -1,         2,         255,
                                  65535, INT32_MAX, UINT32_MAX, INT64_MAX, INT64_MIN};
    int64_t v = 0;
    if (a->nval)
        v = g->c->values.v[a->val0 + rng_below(&g->rng, a->nval)].num;
    if (!a->nval || rng_chance(&g->rng, 6))
        v = odd[rng_below(&g->rng, sizeof(odd) / sizeof(odd[0]))];
    bool above = n->op == OP_GT || (n->op == OP_GE && rng_chance(&g->rng, 50));
    bool below = n->op == OP_LT || (n->op == OP_LE && rng_chance(&g->rng, 50));
    uint64_t u = (uint64_t)v;
    if (above || below)
        u += (above == want) ? 1 : (uint64_t)-1;
    else if (n->op != OP_GE && n->op != OP_LE && want == (n->op == OP_NE))
        u += rng_chance(&g->rng, 50) ? 1 : (uint64_t)-1;
    else if ((n->op == OP_GE && !want) || (n->op == OP_LE && !want))
        u += n->op == OP_LE ? 1 : (uint64_t)-1;
    return fit((int64_t)u, a->type);
}

/* ---- addresses ---- */

static str_id addr_value(struct gen *g, const struct node *n, const struct atom *a, bool want)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t addr[16] = {10, 1, 2, 3};
    uint8_t family = 4;
    unsigned keep = 0;
    if (a->nval) {
        const struct value *v = &g->c->values.v[a->val0 + rng_below(&g->rng, a->nval)];
        family = v->family;
        memcpy(addr, v->addr, sizeof(addr));
        keep = v->kind == VAL_NET ? v->prefix : family == 4 ? 32 : 128;
    }
    unsigned width = family == 4 ? 32 : 128;
    for (unsigned i = keep; i < width; i++)
        if (rng_chance(&g->rng, 50))
            addr[i / 8] ^= (uint8_t)(0x80 >> i % 8);
    if (want == (n->op == OP_NE) && keep) {
        unsigned i = rng_chance(&g->rng, 70) ? keep - 1 : rng_below(&g->rng, keep);
        addr[i / 8] ^= (uint8_t)(0x80 >> i % 8);
    }
    if (rng_chance(&g->rng, 5))
        family = family == 4 ? 6 : 4;
    inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, text, sizeof(text));
    return intern_cstr(g->c->intern, text);
}

/* ---- names of numbers ---- */

/* A value of a table whose text passes (or not) the test against one of the constants. */
static int64_t flag_value(struct gen *g, enum flag_table table, const struct node *n, bool want)
{
    unsigned rows;
    const struct flag_row *row = catalog_flags(table, &rows);
    const char *s = some_constant(g, n);
    bool mask = catalog_flags_kind(table) != FLAGS_ENUM;
    bool hit = want != (n->op == OP_NE);
    uint64_t v = 0, exact;
    if (event_named_number(table, s, strlen(s), &exact) && hit && rng_chance(&g->rng, 60))
        v = exact;
    for (unsigned i = 0; i < rows; i++) {
        bool fits = ops_text(n->op, row[i].text, strlen(row[i].text), s, strlen(s));
        if ((mask && rng_chance(&g->rng, 12)) || (hit && fits && rng_chance(&g->rng, 50)))
            v = mask ? v | row[i].value : row[i].value;
    }
    if (!hit && !mask)
        v = row[rng_below(&g->rng, rows)].value;
    if (mask && rng_chance(&g->rng, 3))
        v ^= 1ull << rng_below(&g->rng, 31);
    for (unsigned i = 0; i < rows && !mask; i++)
        if (row[i].value == v)
            return (int64_t)v;
    return (int64_t)(mask ? v : row[rng_below(&g->rng, rows)].value);
}

/* ---- into the event ---- */

static void set(struct gen *g, struct field_ref f, bool num, int64_t v, str_id s)
{
    gen_set(g, (struct fact){.field = f,
                             .state = FACT_PRESENT,
                             .kind = num ? VAL_NUM : VAL_TEXT,
                             .num = v,
                             .text = s});
}

static void set_plain(struct gen *g, enum field_id field, bool num, int64_t v, str_id s)
{
    set(g, (struct field_ref){.field = field, .index = -1}, num, v, s);
}

static void set_state(struct gen *g, struct field_ref f, enum fact_state state)
{
    if (!gen_always(f.field))
        gen_set(g, (struct fact){.field = f, .state = state});
}

static void set_name(struct gen *g, int at, str_id s)
{
    if (at >= 8)
        return;
    if (STRLEN(g->c, s) >= COMM_SIZE && !rng_chance(&g->rng, 3))
        s = intern_put(g->c->intern, STR(g->c, s), COMM_SIZE - 1);
    while (g->nanc <= at)
        g->anc[g->nanc++] = intern_cstr(g->c->intern, "init");
    g->anc[at] = s;
}

/* A parameter, where the event has it. */
static void param_value(struct gen *g, const struct node *n, const struct atom *a, bool want)
{
    struct field_ref f = a->lhs;
    int i = f.index;
    if (i < 0)
        i = catalog_param_index(g->e.type, STR(g->c, f.name), STRLEN(g->c, f.name));
    const struct param_info *p = i < 0 ? NULL : catalog_param(g->e.type, (unsigned)i);
    if (!p)
        return;
    f = (struct field_ref){
        .field = F_evt_arg, .index = -1, .name = intern_cstr(g->c->intern, p->name)};
    if (rng_chance(&g->rng, a->lhs.field == F_evt_rawarg ? 50 : 5))
        f.field = F_evt_rawarg;
    if (a->lhs.field == F_evt_rawarg && event_param_is_number(p) && rng_chance(&g->rng, 80)) {
        set(g, f, true, fit(num_value(g, n, a, want), p->type), (str_id){0});
    } else if (p->flags != FT_NONE) {
        set(g, f, true, fit(flag_value(g, p->flags, n, want), p->type), (str_id){0});
    } else if (event_param_is_number(p)) {
        const char *s = some_constant(g, n);
        int64_t v = a->nval && a->lhs.field == F_evt_rawarg ? num_value(g, n, a, want)
                    : event_param_result(s, strlen(s), &v)  ? v + !want
                                                            : 7;
        if (p->slot == SLOT_OF_NUM(N_RES))
            set_plain(g, F_evt_rawres, true, v, (str_id){0});
        else
            set(g, f, true, fit(v, p->type), (str_id){0});
    } else {
        set(g, f, false, 0, text_value(g, n, want));
    }
}

/* Fields that follow from others: the others are set. True if this was one. */
static bool derived_value(struct gen *g, const struct node *n, const struct atom *a, bool want)
{
    bool client = rng_chance(&g->rng, 50), yes = want;
    int64_t v = a->nval ? g->c->values.v[a->val0].num : 0;
    switch ((int)a->lhs.field) {
    case F_evt_type:
    case F_syscall_type:
    case F_evt_type_is:
    case F_evt_num:
        return true; /* the event has been chosen */
    case F_evt_failed:
        yes = (v != 0) == (want != (n->op == OP_NE));
        set_plain(g, F_evt_rawres, true, yes ? -13 : 3, (str_id){0});
        return true;
    case F_evt_buflen:
        set_plain(g, F_evt_rawres, true, num_value(g, n, a, want), (str_id){0});
        return true;
    case F_fd_ip:
    case F_fd_net:
        set_plain(g, client ? F_fd_cip : F_fd_sip, false, 0, addr_value(g, n, a, want));
        return true;
    case F_fd_cnet:
    case F_fd_snet:
        set_plain(g, a->lhs.field == F_fd_cnet ? F_fd_cip : F_fd_sip, false, 0,
                  addr_value(g, n, a, want));
        return true;
    case F_fd_port:
    case F_fd_proto:
        set_plain(g, client ? F_fd_cport : F_fd_sport, true, num_value(g, n, a, want), (str_id){0});
        return true;
    case F_proc_is_sid_leader:
    case F_proc_is_vpgid_leader:
        yes = (v != 0) == (want != (n->op == OP_NE));
        set_plain(g, F_proc_vpid, true, 77, (str_id){0});
        set_plain(g, a->lhs.field == F_proc_is_sid_leader ? F_proc_sid : F_proc_vpgid, true,
                  yes ? 77 : 76, (str_id){0});
        return true;
    case F_proc_is_pgid_leader:
        set_plain(g, F_proc_pgid, true, yes ? 1000 : 5, (str_id){0});
        return true;
    case F_proc_exeline:
        set_plain(g, F_proc_exe, false, 0, text_value(g, n, want));
        set_plain(g, F_proc_args, false, 0, text_value(g, n, want));
        return true;
    case F_proc_cmdnargs:
    case F_proc_cmdlenargs:
        set_plain(g, F_proc_args, false, 0, intern_cstr(g->c->intern, "a bc  d"));
        return rng_chance(&g->rng, 50);
    default:
        return false;
    }
}

static bool ancestor_value(struct gen *g, const struct node *n, const struct atom *a, bool want)
{
    if (a->lhs.field == F_proc_pname || (a->lhs.field == F_proc_aname && a->lhs.index != 0)) {
        int at = a->lhs.field == F_proc_pname ? 0
                 : a->lhs.index > 0           ? a->lhs.index - 1
                                              : (int)rng_below(&g->rng, 4);
        if (n->op == OP_EXISTS && !want)
            g->nanc = at < g->nanc ? at : g->nanc;
        else
            set_name(g, at, text_value(g, n, want));
        return true;
    }
    if (!(catalog_field(a->lhs.field)->flags & FF_ANCESTOR) || a->lhs.index >= 0)
        return false;
    struct field_ref f = {.field = a->lhs.field, .index = 1 + (int32_t)rng_below(&g->rng, 3)};
    bool num = catalog_type(a->type)->base == BASE_INT;
    set(g, f, num, num ? num_value(g, n, a, want) : 0, num ? (str_id){0} : text_value(g, n, want));
    return true;
}

static void plain_value(struct gen *g, const struct node *n, const struct atom *a, bool want)
{
    const struct field_info *info = catalog_field(a->lhs.field);
    enum base_type base = catalog_type(info->type)->base;
    char buf[2048];
    if (info->flags & FF_LIST || base == BASE_BYTES) {
        expr_value(g, a->lhs, text_value(g, n, want));
    } else if (info->table != FT_NONE) {
        uint64_t v = (uint64_t)flag_value(g, info->table, n, want);
        size_t len = catalog_flags_text(info->table, v, false, buf, sizeof(buf));
        set(g, a->lhs, false, 0, intern_put(g->c->intern, buf, len));
    } else if (base == BASE_TEXT) {
        str_id s = text_value(g, n, want);
        bool comm = a->lhs.field == F_proc_name || a->lhs.field == F_proc_sname;
        if (comm && STRLEN(g->c, s) >= COMM_SIZE && !rng_chance(&g->rng, 3))
            s = intern_put(g->c->intern, STR(g->c, s), COMM_SIZE - 1);
        set(g, a->lhs, false, 0, s);
    } else if (base == BASE_IP || base == BASE_NET) {
        set(g, a->lhs, false, 0, addr_value(g, n, a, want));
    } else {
        set(g, a->lhs, true, num_value(g, n, a, want), (str_id){0});
    }
}

/* The first field inside an expression: it gets a constant as it is, or close to it. */
static void expression_value(struct gen *g, operand_id id, const struct node *n, bool want)
{
    const struct operand *o = &g->c->operands.v[id.i];
    if (o->kind == OPERAND_FIELD)
        expr_value(g, (struct field_ref){o->field, o->index, o->argname}, text_value(g, n, want));
    for (uint32_t i = 0; o->kind == OPERAND_CALL && i < o->nop; i++)
        expression_value(g, g->c->opkids.v[o->op0 + i], n, want);
}

/* Field against field: both get the same, or nearly. */
static void pair_value(struct gen *g, const struct atom *a, bool want)
{
    struct field_ref sides[2] = {a->lhs, a->rhs};
    enum base_type base = catalog_type(a->type)->base;
    for (int i = 0; i < 2; i++) {
        if (sides[i].field == F_NONE || catalog_field(sides[i].field)->source == SRC_PARAM)
            continue;
        bool off = i == 1 && !want;
        if (base == BASE_TEXT)
            set(g, sides[i], false, 0, intern_cstr(g->c->intern, off ? "samf" : "same"));
        else if (base == BASE_IP)
            set(g, sides[i], false, 0, intern_cstr(g->c->intern, off ? "10.0.0.2" : "10.0.0.1"));
        else
            set(g, sides[i], true, fit(40 + off, a->type), (str_id){0});
    }
}

void value_for(struct gen *g, const struct node *n, bool want)
{
    const struct atom *a = &g->c->atoms.v[n->atom.i];
    if (rng_chance(&g->rng, 3))
        want = !want;
    if (n->rhs.i && a->lhs.field != F_NONE && a->rhs.field != F_NONE)
        pair_value(g, a, want);
    else if (a->lhs.field == F_NONE || n->rhs.i)
        expression_value(g, n->lhs, n, want);
    else if (derived_value(g, n, a, want) || ancestor_value(g, n, a, want))
        return;
    else if (a->lhs.field == F_evt_arg || a->lhs.field == F_evt_rawarg)
        param_value(g, n, a, want);
    else if (!want && rng_chance(&g->rng, n->op == OP_EXISTS ? 90 : 10))
        set_state(g, a->lhs, FACT_ABSENT);
    else
        plain_value(g, n, a, want);
}
