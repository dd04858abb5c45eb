/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions from the catalog: every operator on every type with every modifier that the language
 * has, on a field of that type, under `not` and beside a second test as chance has it.
 */
#include "diff.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/event_param.h"
#include "../../grammar/ops.h"

/* What a test is about; each kind goes its own way through the evaluators. */
enum kind {
    KIND_PLAIN,
    KIND_EITHER,   /* fields with a comparison of their own */
    KIND_ANCESTOR, /* with index or without */
    KIND_LIST,     /* fields that are lists */
    KIND_ARG,      /* evt.arg.NAME */
    KIND_RAW,      /* evt.rawarg.NAME */
    KINDS,
};

struct combination {
    enum kind kind;
    enum op_id op;
    enum type_id type;
    enum op_modifier mod;
};

/* ---- which there are ---- */

static bool usable(const struct field_info *f)
{
    return f->source != SRC_PARAM && f->arg != ARG_TIME &&
           !(f->flags & (FF_PRINT_ONLY | FF_DEPRECATED));
}

static bool fits(const struct field_info *f, const struct combination *x)
{
    bool event = !strcmp(f->name, "evt.type") || !strcmp(f->name, "syscall.type");
    if (event && catalog_op(x->op)->group == OPG_NUMERIC)
        return false; /* the number would have to be an event's name */
    enum kind kind = f->flags & FF_EITHER_SIDE ? KIND_EITHER
                     : f->flags & FF_ANCESTOR  ? KIND_ANCESTOR
                     : f->flags & FF_LIST      ? KIND_LIST
                                               : KIND_PLAIN;
    return usable(f) && f->type == x->type && kind == x->kind;
}

/* Parameters of live events, with the type of their constants as evt.rawarg. */
struct live_params {
    struct {
        const struct param_info *info;
        enum type_id raw;
    } v[1024];
    uint32_t n;
};

static const struct live_params *live_params(void)
{
    static struct live_params all;
    bool made = all.n > 0;
    for (int e = EV_NONE + 1; e < EV_COUNT && !made; e++) {
        bool live = catalog_event((enum event_id)e)->live && e != EV_generic;
        for (unsigned i = 0; live && i < catalog_param_count((enum event_id)e); i++) {
            const struct param_info *p = catalog_param((enum event_id)e, i);
            all.v[all.n].info = p;
            all.v[all.n++].raw = catalog_param_type(p->name, strlen(p->name));
        }
    }
    return &all;
}

/* Parameter number `want` of those that fit, or how many there are. */
static uint32_t find_param(const struct combination *x, uint32_t want,
                           const struct param_info **out)
{
    const struct live_params *all = live_params();
    uint32_t n = 0;
    for (uint32_t i = 0; i < all->n; i++)
        if ((x->kind == KIND_ARG || all->v[i].raw == x->type) && n++ == want)
            *out = all->v[i].info;
    return n;
}

static uint32_t count_subjects(const struct combination *x)
{
    uint32_t n = 0;
    const struct param_info *p;
    if (x->kind == KIND_ARG || x->kind == KIND_RAW)
        return find_param(x, UINT32_MAX, &p);
    for (int i = F_NONE + 1; i < F_COUNT; i++)
        n += fits(catalog_field((enum field_id)i), x);
    return n;
}

static bool possible(const struct combination *x)
{
    if (!ops_defined(x->op, x->type, x->kind == KIND_LIST))
        return false;
    if (x->mod != MOD_NONE && catalog_op(x->op)->group != OPG_STRING)
        return false;
    if (x->kind == KIND_ARG && x->type != T_CHARBUF)
        return false;
    bool bytes = catalog_type(x->type)->base == BASE_BYTES;
    if (x->kind == KIND_RAW && bytes && x->op != OP_EXISTS)
        return false;
    return count_subjects(x) > 0;
}

struct combinations {
    struct combination v[4096];
    uint32_t n;
};

static void add_kind(struct combinations *all, enum kind kind)
{
    for (int op = OP_NONE + 1; op < OP_COUNT; op++)
        for (int type = T_NONE + 1; type < T_COUNT; type++)
            for (int mod = MOD_NONE; mod <= MOD_ONEOF; mod++) {
                struct combination x = {kind, (enum op_id)op, (enum type_id)type,
                                        (enum op_modifier)mod};
                if (possible(&x))
                    all->v[all->n++] = x;
            }
}

/* All of them, made once. */
static const struct combinations *combinations(void)
{
    static struct combinations all;
    bool made = all.n > 0;
    for (int kind = 0; kind < KINDS && !made; kind++)
        add_kind(&all, (enum kind)kind);
    return &all;
}

uint32_t cond_total(void)
{
    return combinations()->n;
}

/* ---- constants ---- */

static const char *const paths[] = {"/etc/passwd",     "/etc",       "/usr/bin/sh",
                                    "/tmp/a b",        "/",          "",
                                    "/var/log/syslog", "/dev/shm/x", "/etc/passwd.bak"};
static const char *const words[] = {
    "cat", "sh",   "bash", "s",  "SH",  "nginx", "a_long_name_1234", "exactly15bytes_",
    "tcp", "host", "<NA>", "-c", "root"};
static const char *const globs[] = {"/etc/*", "*sh", "?at",     "[a-c]at",
                                    "/*/p*d", "*",   "b[!x]sh", "/usr/bin/??"};
static const char *const prefixes[] = {"/etc", "/usr/*/sh", "tmp", "/", "/var/log", "/e?c"};
static const char *const numbers[] = {"0", "1", "-1", "2", "77", "1000", "65535", "34816"};
static const char *const addresses[] = {"127.0.0.1", "10.1.2.3", "::1", "fe80::1", "0.0.0.0"};
static const char *const networks[] = {"10.0.0.0/8", "127.0.0.0/8", "10.1.2.0/23",
                                       "fe80::/10",  "10.1.2.3/32", "0.0.0.0/0"};
static const char *const bytes[] = {"ab", "", "a\\x00b", "/etc", "\\xff\\xfe"};
static const char *const hexes[] = {"61", "6162", "00", "2f657463", "fffe", "", "FF", "610062"};
static const char *const events[] = {"open", "openat", "execve", "connect", "uname", "chmod"};

static const char *flag_name(struct rng *r, enum flag_table table)
{
    unsigned n;
    const struct flag_row *rows = catalog_flags(table, &n);
    return n ? rows[rng_below(r, n)].text : "x";
}

struct subject {
    enum field_id field;
    enum type_id type;
    enum flag_table table;
};

static const char *text_constant(struct rng *r, const struct subject *s, enum op_id op)
{
    if (s->field == F_evt_type || s->field == F_syscall_type)
        return PICK(r, events);
    if (s->table != FT_NONE && rng_chance(r, 85))
        return flag_name(r, s->table);
    if (op == OP_GLOB || op == OP_IGLOB)
        return PICK(r, globs);
    if (op == OP_PMATCH)
        return PICK(r, prefixes);
    if (op == OP_BCONTAINS || op == OP_BSTARTSWITH)
        return PICK(r, hexes);
    if (catalog_type(s->type)->base == BASE_BYTES)
        return PICK(r, bytes);
    return rng_chance(r, 50) ? PICK(r, paths) : PICK(r, words);
}

static const char *constant(struct rng *r, const struct subject *s, enum op_id op)
{
    switch (catalog_type(s->type)->base) {
    case BASE_TEXT:
    case BASE_BYTES:
        return text_constant(r, s, op);
    case BASE_BOOL:
        return rng_chance(r, 50) ? "true" : "false";
    case BASE_IP:
        return PICK(r, addresses);
    case BASE_NET:
        return PICK(r, networks);
    case BASE_PORT:
        return rng_chance(r, 50) ? "443" : PICK(r, numbers);
    case BASE_INT:
    case BASE_UINT:
    case BASE_NONE:
    case BASE_DOUBLE:
        break;
    }
    return PICK(r, numbers);
}

/* ---- tests ---- */

static void put_quoted(FILE *out, const char *s)
{
    fprintf(out, "\"%s\"", s[0] == '-' && s[1] == '1' && !s[2] ? "1" : s);
}

/* A constant in quotes. */
static void put_constant(FILE *out, struct rng *r, const struct subject *s, enum op_id op)
{
    bool event = s->field == F_evt_type || s->field == F_syscall_type;
    if (op != OP_REGEX || event || (s->table != FT_NONE && rng_chance(r, 70))) {
        put_quoted(out, constant(r, s, op));
        return;
    }
    fputc('"', out);
    regex_pattern(out, r);
    fputc('"', out);
}

static void put_list(FILE *out, struct rng *r, const struct subject *s, enum op_id op)
{
    uint32_t n = rng_below(r, rng_chance(r, 10) ? 20 : 4);
    fputs(" (", out);
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            fputs(", ", out);
        put_constant(out, r, s, op);
    }
    fputc(')', out);
}

/* After < <= > >=: a number, of a port one that is one. */
static const char *number_token(struct rng *r, enum base_type base)
{
    const char *s = PICK(r, numbers);
    return base == BASE_TEXT || (base == BASE_PORT && s[0] == '-') ? "5" : s;
}

/* Operator and right side. */
static void put_right(FILE *out, struct rng *r, const struct subject *s, enum op_id op,
                      enum op_modifier mod)
{
    static const char *const mods[] = {"", " anyof", " allof", " oneof"};
    const struct op_info *info = catalog_op(op);
    fprintf(out, " %s%s", info->text, mods[mod]);
    if (info->group == OPG_UNARY)
        return;
    if (mod != MOD_NONE || info->group == OPG_LIST) {
        put_list(out, r, s, op);
    } else if (info->group == OPG_NUMERIC) {
        fprintf(out, " %s", number_token(r, catalog_type(s->type)->base));
    } else {
        fputc(' ', out);
        put_constant(out, r, s, op);
    }
}

/* A bundle has room for four texts of ancestors beyond the parent. */
static uint32_t index_of(struct rng *r, enum field_id f)
{
    bool few =
        f == F_proc_aexe || f == F_proc_aexepath || f == F_proc_acmdline || f == F_proc_aargs;
    return rng_below(r, few ? 3 : 4);
}

static void put_argument(FILE *out, struct rng *r, enum field_id id)
{
    const struct field_info *f = catalog_field(id);
    bool some = rng_chance(r, id == F_proc_args ? 20 : 40);
    switch (f->arg) {
    case ARG_INDEX_OPT:
        if (some)
            fprintf(out, "[%u]", index_of(r, id));
        break;
    case ARG_TEXT_OPT:
    case ARG_INDEX_OR_TEXT:
        fputs(some ? "[HOME]" : "", out);
        break;
    case ARG_TEXT:
        fputs("[/mnt]", out);
        break;
    case ARG_NAME_OR_TEXT:
        fputs(some ? "[app]" : ".app", out);
        break;
    case ARG_NAME:
        fputs(id == F_evt_type_is ? ".openat" : ".cpu", out);
        break;
    case ARG_NAME_OPT:
        fputs(some ? ".src" : "", out);
        break;
    case ARG_NONE:
    case ARG_NAME_OR_INDEX:
    case ARG_TIME:
        break;
    }
}

static void put_param_test(FILE *out, struct rng *r, const struct combination *x)
{
    const struct param_info *p = NULL;
    find_param(x, rng_below(r, count_subjects(x)), &p);
    assert(p); /* possible() has counted one */
    bool text = x->kind == KIND_ARG;
    struct subject s = {.field = text ? F_evt_arg : F_evt_rawarg,
                        .type = x->type,
                        .table = text ? p->flags : FT_NONE};
    fprintf(out, "%s.%s", catalog_field(s.field)->name, p->name);
    put_right(out, r, &s, x->op, x->mod);
}

static void put_test(FILE *out, struct rng *r, const struct combination *x)
{
    if (x->kind == KIND_ARG || x->kind == KIND_RAW) {
        put_param_test(out, r, x);
        return;
    }
    uint32_t pick = rng_below(r, count_subjects(x));
    for (int i = F_NONE + 1; i < F_COUNT; i++) {
        const struct field_info *f = catalog_field((enum field_id)i);
        if (!fits(f, x) || pick--)
            continue;
        struct subject s = {.field = (enum field_id)i, .type = x->type, .table = f->table};
        fputs(f->name, out);
        put_argument(out, r, s.field);
        put_right(out, r, &s, x->op, x->mod);
        return;
    }
}

static void put_events(FILE *out, struct rng *r)
{
    fputs("evt.type in (", out);
    for (int n = 0; n < 6;) {
        enum event_id id = (enum event_id)(1 + rng_below(r, EV_COUNT - 1));
        if (!catalog_event(id)->live || id == EV_generic)
            continue;
        fprintf(out, "%s%s", n++ ? ", " : "", catalog_event(id)->name);
    }
    fputs(", uname)", out);
}

static void put_rule(FILE *out, struct rng *r, uint32_t number)
{
    struct combination x, y;
    x = combinations()->v[number % cond_total()];
    y = combinations()->v[rng_below(r, cond_total())];
    fprintf(out, "- rule: g%u\n  desc: d\n  priority: INFO\n  output: o\n  condition: >\n    ",
            number);
    if (x.kind == KIND_ARG || x.kind == KIND_RAW || rng_chance(r, 70)) {
        put_events(out, r);
        fputs(" and ", out);
    }
    fputs(rng_chance(r, 30) ? "(not " : "(", out);
    put_test(out, r, &x);
    if (rng_chance(r, 60)) {
        fputs(rng_chance(r, 50) ? " and " : " or ", out);
        fputs(rng_chance(r, 30) ? "not " : "", out);
        if (rng_chance(r, 50))
            expr_test(out, r);
        else
            put_test(out, r, &y);
    }
    fputs(")\n", out);
}

void cond_yaml(struct rng *r, uint32_t from, uint32_t n, char **text, size_t *len)
{
    FILE *out = open_memstream(text, len);
    for (uint32_t i = 0; i < n; i++)
        put_rule(out, r, from + i);
    fclose(out);
}
