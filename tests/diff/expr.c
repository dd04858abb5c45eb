/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of transformers, lists, bytes, and field against field: all that is no plain field. */
#include "diff.h"

#include <stdio.h>
#include <string.h>

#include "../../compiler/arena.h"
#include "../../compiler/intern.h"

static const char *const words[] = {"cat", "CAT", "sh", "/etc", "passwd", "-c",
                                    "s",   "a",   "b",  "c",    "x",      ""};
static const char *const coded[] = {"Y2F0", "c2g=", "c2g", "YQ==", "!", "YQBi", "L2V0Yw"};
static const char *const options[] = {"abc", "a:bc", "c:", "sx:", "", "-a", "o:v"};

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

/* ---- operands ---- */

static void put_text(FILE *out, struct rng *r, int depth);

/* A list of texts; one in parentheses can only be an argument. */
static void put_texts(FILE *out, struct rng *r, int depth)
{
    static const char *const through[] = {"tolower", "toupper", "basename", "b64"};
    uint32_t kind = depth == 0 ? 2 + rng_below(r, 2) : rng_below(r, depth > 2 ? 2 : 4);
    if (kind == 0) {
        fputs("fd.types", out);
    } else if (kind == 1) {
        uint32_t n = 1 + rng_below(r, 4);
        fputc('(', out);
        for (uint32_t i = 0; i < n; i++) {
            fputs(i ? ", " : "", out);
            put_text(out, r, depth + 2);
        }
        fputc(')', out);
    } else if (kind == 2) {
        fprintf(out, "%s(", PICK(r, through));
        put_texts(out, r, depth + 1);
        fputc(')', out);
    } else {
        fputs("getopt(", out);
        put_texts(out, r, depth + 1);
        fprintf(out, ", \"%s\")", PICK(r, options));
    }
}

static void put_call(FILE *out, struct rng *r, int depth)
{
    static const char *const one[] = {"tolower", "toupper", "basename", "b64"};
    switch (rng_below(r, 6)) {
    case 0:
        fputs("concat(", out);
        put_text(out, r, depth + 1);
        fputs(", ", out);
        put_text(out, r, depth + 1);
        break;
    case 1:
        fputs("join(", out);
        put_text(out, r, depth + 1);
        fputs(", ", out);
        put_texts(out, r, depth + 1);
        break;
    case 2:
        fputs("getopt(", out);
        put_texts(out, r, depth + 1);
        fprintf(out, ", \"%s\")[%c]", PICK(r, options), "abcx?"[rng_below(r, 5)]);
        return;
    default:
        fprintf(out, "%s(", PICK(r, one));
        put_text(out, r, depth + 1);
        break;
    }
    fputc(')', out);
}

/* One text: a field, a constant, or what a transformer makes. */
static void put_text(FILE *out, struct rng *r, int depth)
{
    if (depth == 0 || (depth < 4 && rng_chance(r, 40)))
        put_call(out, r, depth);
    else if (rng_chance(r, 70))
        fputs(some_field(r, T_CHARBUF), out);
    else
        fprintf(out, "\"%s\"", rng_chance(r, 70) ? PICK(r, words) : PICK(r, coded));
}

/* ---- tests ---- */

static void put_members(FILE *out, struct rng *r)
{
    uint32_t n = rng_below(r, 4);
    fputs(" (", out);
    for (uint32_t i = 0; i < n; i++)
        fprintf(out, "%s\"%s\"", i ? ", " : "", PICK(r, words));
    fputc(')', out);
}

/* A text against constants or another text. */
static void put_text_test(FILE *out, struct rng *r)
{
    static const char *const ops[] = {"=",        "!=",        "startswith", "endswith",
                                      "contains", "icontains", "glob",       "iglob"};
    put_text(out, r, 0);
    switch (rng_below(r, 6)) {
    case 0:
        fputs(rng_chance(r, 50) ? " in" : " pmatch", out);
        put_members(out, r);
        break;
    case 1:
        fputs(" regex \"", out);
        regex_pattern(out, r);
        fputc('"', out);
        break;
    case 2:
        fprintf(out, " %s ", PICK(r, ops));
        put_call(out, r, 1);
        break;
    case 3:
        fprintf(out, " %s %s", PICK(r, ops), rng_chance(r, 50) ? "anyof" : "oneof");
        put_members(out, r);
        break;
    case 4:
        fputs(" exists", out);
        break;
    default:
        fprintf(out, " %s \"%s\"", PICK(r, ops), PICK(r, words));
        break;
    }
}

static void put_list_test(FILE *out, struct rng *r)
{
    if (rng_chance(r, 40))
        fputs("fd.types", out);
    else
        put_texts(out, r, 0);
    if (rng_chance(r, 15)) {
        fputs(" exists", out);
        return;
    }
    fputs(rng_chance(r, 50) ? " in" : " intersects", out);
    put_members(out, r);
}

static void put_length_test(FILE *out, struct rng *r)
{
    static const char *const ops[] = {"=", "!=", "<=", ">"};
    fputs("len(", out);
    if (rng_chance(r, 40))
        put_texts(out, r, 1);
    else if (rng_chance(r, 20))
        fputs("evt.buffer", out);
    else
        put_text(out, r, 1);
    fprintf(out, ") %s %u", PICK(r, ops), rng_below(r, 6));
}

static void put_bytes_test(FILE *out, struct rng *r)
{
    static const char *const ops[] = {"=", "!=", "contains", "startswith", "endswith"};
    static const char *const bytes[] = {"a", "\\xff", "\\x00a", "GET /", "", "a\\x00"};
    static const char *const digits[] = {"61", "ff", "0061", "474554", ""};
    const char *left = rng_chance(r, 80) ? "evt.buffer" : "b64(evt.buffer)";
    if (rng_chance(r, 30))
        fprintf(out, "%s %s \"%s\"", left, rng_chance(r, 50) ? "bcontains" : "bstartswith",
                PICK(r, digits));
    else if (rng_chance(r, 20))
        fprintf(out, "%s in (\"%s\", \"%s\")", left, PICK(r, bytes), PICK(r, bytes));
    else
        fprintf(out, "%s %s \"%s\"", left, PICK(r, ops), PICK(r, bytes));
}

static void put_pair(FILE *out, struct rng *r)
{
    static const enum type_id types[] = {T_CHARBUF, T_INT64, T_UINT32, T_BOOL, T_PORT, T_IPADDR};
    enum type_id type = PICK(r, types);
    bool order = type != T_BOOL && type != T_IPADDR && rng_chance(r, 50);
    fprintf(out, "%s %s ", some_field(r, type), order ? "<=" : rng_chance(r, 50) ? "=" : "!=");
    fprintf(out, "val(%s)", some_field(r, type));
}

void expr_test(FILE *out, struct rng *r)
{
    static void (*const kinds[])(FILE *, struct rng *) = {
        put_text_test,   put_text_test,  put_list_test, put_list_test,
        put_length_test, put_bytes_test, put_pair,
    };
    kinds[rng_below(r, sizeof(kinds) / sizeof(kinds[0]))](out, r);
}

/* ---- values ---- */

/* Texts that options, base64 and the words above are about. */
static str_id some_text(struct gen *g)
{
    static const char *const args[] = {"-a", "-abc", "-c", "x", "--", "--long", "-cfile", "-", "/"};
    struct rng *r = &g->rng;
    const char *s = rng_chance(r, 40)   ? PICK(r, args)
                    : rng_chance(r, 50) ? PICK(r, coded)
                                        : PICK(r, words);
    return intern_cstr(g->c->intern, s);
}

static void set_list(struct gen *g, struct field_ref f, str_id text)
{
    struct fact v = {.field = f, .state = FACT_PRESENT, .kind = VAL_TEXT, .is_list = true};
    uint32_t n = rng_below(&g->rng, 4);
    if (rng_chance(&g->rng, 8)) {
        v.state = rng_chance(&g->rng, 50) ? FACT_ABSENT : FACT_UNKNOWN;
        v.is_list = false;
    }
    v.list0 = g->e.list.n;
    for (uint32_t i = 0; i < n && v.is_list; i++)
        VEC_PUSH(g->c->arena, &g->e.list, rng_chance(&g->rng, 60) ? text : some_text(g));
    v.nlist = v.is_list ? n : 0;
    gen_set(g, v);
}

static void set_bytes(struct gen *g, struct field_ref f, str_id text)
{
    struct fact v = {.field = f, .state = FACT_PRESENT, .kind = VAL_TEXT, .text = text};
    char buf[300];
    size_t n = STRLEN(g->c, text) < 256 ? STRLEN(g->c, text) : 256;
    memcpy(buf, STR(g->c, text), n);
    for (uint32_t more = rng_below(&g->rng, 4); more; more--)
        buf[n++] = "a\xff\0A"[rng_below(&g->rng, 4)];
    if (rng_chance(&g->rng, 50))
        v.text = intern_put(g->c->intern, buf, n);
    gen_set(g, v);
}

bool expr_value(struct gen *g, struct field_ref f, str_id text)
{
    const struct field_info *info = catalog_field(f.field);
    enum base_type base = catalog_type(info->type)->base;
    struct fact v = {.field = f, .state = FACT_PRESENT, .kind = VAL_TEXT, .text = text};
    if (info->flags & FF_LIST) {
        set_list(g, f, text);
    } else if (base == BASE_BYTES) {
        set_bytes(g, f, text);
    } else if (base == BASE_TEXT && info->source != SRC_PARAM && info->table == FT_NONE) {
        if (rng_chance(&g->rng, 40))
            v.text = some_text(g);
        gen_set(g, v);
    } else {
        return false;
    }
    return true;
}
