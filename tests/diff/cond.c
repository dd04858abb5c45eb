/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions from the catalog: every operator on every type with every modifier that the language
 * has, on a field of that type, under `not` and beside a second test as chance has it.
 */
#include "diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/event_param.h"
#include "../../grammar/ops.h"

struct combination {
    enum op_id op;
    enum type_id type;
    enum op_modifier mod;
    bool either_side; /* fields with a comparison of their own */
    bool ancestor;
    bool param; /* evt.arg */
};

/* ---- which there are ---- */

static bool usable(const struct field_info *f)
{
    return f->source != SRC_MISSING && !(f->flags & (FF_PRINT_ONLY | FF_LIST | FF_DEPRECATED)) &&
           (f->arg == ARG_NONE || f->arg == ARG_INDEX_OPT || f->arg == ARG_TEXT_OPT);
}

static bool fits(const struct field_info *f, const struct combination *x)
{
    bool event = !strcmp(f->name, "evt.type") || !strcmp(f->name, "syscall.type");
    if (event && catalog_op(x->op)->group == OPG_NUMERIC)
        return false; /* the number would have to be an event's name */
    return usable(f) && f->type == x->type && !(f->flags & FF_EITHER_SIDE) == !x->either_side &&
           !(f->flags & FF_ANCESTOR) == !x->ancestor;
}

static uint32_t count_fields(const struct combination *x)
{
    uint32_t n = 0;
    for (int i = F_NONE + 1; i < F_COUNT; i++)
        n += fits(catalog_field((enum field_id)i), x);
    return n;
}

static bool possible(const struct combination *x)
{
    if (!ops_defined(x->op, x->type, false))
        return false;
    if (x->mod != MOD_NONE && catalog_op(x->op)->group != OPG_STRING)
        return false;
    if (x->param)
        return x->type == T_CHARBUF && !x->either_side && !x->ancestor;
    return count_fields(x) > 0;
}

/* Combination number `want`, or their number if there are not so many. */
static uint32_t find(uint32_t want, struct combination *out)
{
    uint32_t n = 0;
    struct combination x;
    for (int kind = 0; kind < 4; kind++)
        for (int op = OP_NONE + 1; op < OP_COUNT; op++)
            for (int type = T_NONE + 1; type < T_COUNT; type++)
                for (int mod = MOD_NONE; mod <= MOD_ONEOF; mod++) {
                    x = (struct combination){
                        (enum op_id)op, (enum type_id)type, (enum op_modifier)mod,
                        kind == 1,      kind == 2,          kind == 3};
                    if (possible(&x) && n++ == want)
                        *out = x;
                }
    return n;
}

uint32_t cond_total(void)
{
    struct combination x;
    return find(UINT32_MAX, &x);
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
static const char *const events[] = {"open", "openat", "execve", "connect", "uname", "chmod"};
#define PICK(r, list) list[rng_below(r, sizeof list / sizeof list[0])]

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
    if (op != OP_REGEX || event) {
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

/* Some parameter of a live event: `evt.arg.NAME`. */
static const struct param_info *some_param(struct rng *r)
{
    for (;;) {
        enum event_id id = (enum event_id)(1 + rng_below(r, EV_COUNT - 1));
        unsigned n = catalog_param_count(id);
        if (n && catalog_event(id)->live && id != EV_generic)
            return catalog_param(id, rng_below(r, n));
    }
}

/* A bundle has room for four texts of ancestors beyond the parent. */
static uint32_t index_of(struct rng *r, enum field_id f)
{
    bool few =
        f == F_proc_aexe || f == F_proc_aexepath || f == F_proc_acmdline || f == F_proc_aargs;
    return rng_below(r, few ? 3 : 4);
}

static void put_test(FILE *out, struct rng *r, const struct combination *x)
{
    struct subject s = {.type = x->type};
    uint32_t pick = rng_below(r, count_fields(x));
    if (x->param) {
        const struct param_info *p = some_param(r);
        s.field = F_evt_arg;
        s.table = p->flags;
        fprintf(out, "evt.arg.%s", p->name);
        put_right(out, r, &s, x->op, x->mod);
        return;
    }
    for (int i = F_NONE + 1; i < F_COUNT; i++) {
        const struct field_info *f = catalog_field((enum field_id)i);
        if (!fits(f, x) || pick--)
            continue;
        s.field = (enum field_id)i;
        s.table = f->table;
        fputs(f->name, out);
        if (f->arg == ARG_INDEX_OPT && rng_chance(r, i == F_proc_args ? 20 : 40))
            fprintf(out, "[%u]", index_of(r, (enum field_id)i));
        put_right(out, r, &s, x->op, x->mod);
        return;
    }
}

/* ---- transformers, and field against field ---- */

/* A field of this type that may stand in an expression. */
static const char *some_field(struct rng *r, enum type_id type)
{
    const uint32_t never =
        FF_PRINT_ONLY | FF_LIST | FF_DEPRECATED | FF_NO_TRANSFORMER | FF_NO_RHS | FF_EITHER_SIDE;
    for (;;) {
        enum field_id id = (enum field_id)(1 + rng_below(r, F_COUNT - 1));
        const struct field_info *f = catalog_field(id);
        if (f->type == type && f->arg == ARG_NONE && f->source != SRC_MISSING &&
            !(f->flags & never) && id != F_evt_type && id != F_syscall_type)
            return f->name;
    }
}

static void put_expression(FILE *out, struct rng *r)
{
    static const char *const one[] = {"tolower", "toupper", "basename"};
    static const char *const ops[] = {"=", "!=", "startswith", "endswith", "contains", "icontains"};
    static const enum type_id types[] = {T_CHARBUF, T_INT64, T_UINT32, T_BOOL, T_PORT, T_IPADDR};
    enum type_id type = PICK(r, types);
    bool order = type != T_BOOL && type != T_IPADDR && rng_chance(r, 50);
    switch (rng_below(r, 4)) {
    case 0:
        fprintf(out, "%s(%s) %s \"%s\"", PICK(r, one), some_field(r, T_CHARBUF), PICK(r, ops),
                rng_chance(r, 80) ? PICK(r, words) : "CAT");
        break;
    case 1:
        fprintf(out, "len(%s) %s 4", some_field(r, T_CHARBUF), rng_chance(r, 50) ? "<=" : ">");
        break;
    case 2:
        fprintf(out, "concat(%s, \"/\", %s) %s \"%s\"", some_field(r, T_CHARBUF),
                some_field(r, T_CHARBUF), PICK(r, ops), PICK(r, words));
        break;
    default:
        fprintf(out, "%s %s ", some_field(r, type), order ? "<=" : rng_chance(r, 50) ? "=" : "!=");
        fprintf(out, "val(%s)", some_field(r, type));
        break;
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
    struct combination x = {0}, y = {0};
    find(number % cond_total(), &x);
    find(rng_below(r, cond_total()), &y);
    fprintf(out, "- rule: g%u\n  desc: d\n  priority: INFO\n  output: o\n  condition: >\n    ",
            number);
    if (x.param || rng_chance(r, 70)) {
        put_events(out, r);
        fputs(" and ", out);
    }
    fputs(rng_chance(r, 30) ? "(not " : "(", out);
    put_test(out, r, &x);
    if (rng_chance(r, 60)) {
        fputs(rng_chance(r, 50) ? " and " : " or ", out);
        fputs(rng_chance(r, 30) ? "not " : "", out);
        if (rng_chance(r, 30))
            put_expression(out, r);
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
