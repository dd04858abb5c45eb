/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON: keys are field names, values are checked against the catalog. */
#include "event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../grammar/ops.h"
#include "arena.h"
#include "base64.h"
#include "event_param.h"
#include "intern.h"

#define FACTS_MAX 512 /* members of one event */
#define INDEX_MAX 100000

/* ---- names ---- */

static bool number_arg(const char *s, size_t len, int32_t *out)
{
    int32_t v = 0;
    if (!len || len > 6)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        v = v * 10 + (s[i] - '0');
    }
    *out = v;
    return v <= INDEX_MAX;
}

/* What stands after a field's own name: nothing, ".word", "[word]" or "['word']". */
struct arg {
    bool dot, bracket;
    const char *text;
    size_t len;
};

static bool arg_split(const char *s, size_t len, struct arg *out)
{
    *out = (struct arg){.text = s};
    if (!len)
        return true;
    if (s[0] == '.') {
        *out = (struct arg){.dot = true, .text = s + 1, .len = len - 1};
        return len > 1;
    }
    if (s[0] != '[' || s[len - 1] != ']' || len < 3)
        return false;
    s++, len -= 2;
    if (len >= 2 && (s[0] == '"' || s[0] == '\'') && s[len - 1] == s[0])
        s++, len -= 2;
    *out = (struct arg){.bracket = true, .text = s, .len = len};
    return true;
}

/* True if a field that takes arguments of this kind takes this one; fills index or name. */
static bool arg_fits(struct comp *c, enum field_arg kind, const struct arg *a,
                     struct field_ref *out)
{
    bool none = !a->dot && !a->bracket;
    /* Where names are wanted digits are one too: proc.env[5], container.mount[0]. */
    bool text = kind == ARG_TEXT || kind == ARG_TEXT_OPT || kind == ARG_NAME_OR_TEXT;
    bool index = a->bracket && !text && number_arg(a->text, a->len, &out->index);
    if (!index)
        out->index = -1;
    out->name.i = 0;
    if (!index && !none)
        out->name = intern_put(c->intern, a->text, a->len);
    switch (kind) {
    case ARG_NONE:
        return none;
    case ARG_INDEX_OPT:
        return none || index;
    case ARG_TEXT_OPT:
        return none || a->bracket;
    case ARG_INDEX_OR_TEXT:
        return none || a->bracket;
    case ARG_TEXT:
        return a->bracket;
    case ARG_NAME_OR_INDEX:
        return a->dot || index;
    case ARG_NAME:
        return a->dot;
    case ARG_NAME_OPT:
        return none || a->dot;
    case ARG_NAME_OR_TEXT:
        return a->dot || a->bracket;
    case ARG_TIME:
        return index;
    }
    return false;
}

bool event_field(struct comp *c, const char *name, size_t len, struct field_ref *out, char *err,
                 size_t errlen)
{
    size_t used = 0;
    struct arg a;
    const char *near;
    size_t own = 0;
    while (own < len && name[own] != '[')
        own++;
    *out = (struct field_ref){.field = catalog_field_by_name(name, own, &used), .index = -1};
    if (out->field == F_NONE) {
        near = catalog_near(NEAR_FIELD, name, own);
        snprintf(err, errlen,
                 near ? "no field is called '%.*s'; did you mean '%s'?"
                      : "no field is called '%.*s'",
                 (int)(len < 80 ? len : 80), name, near);
        return false;
    }
    const struct field_info *f = catalog_field(out->field);
    if (!arg_split(name + used, len - used, &a) || !arg_fits(c, f->arg, &a, out)) {
        near = used < own ? catalog_near(NEAR_FIELD, name, own) : NULL;
        snprintf(err, errlen,
                 near ? "'%.*s' does not fit the field %s; did you mean '%s'?"
                      : "'%.*s' does not fit the field %s",
                 (int)(len < 80 ? len : 80), name, f->name, near);
        return false;
    }
    bool param = out->field == F_evt_arg || out->field == F_evt_rawarg;
    if (param && a.dot && !catalog_param_known(a.text, a.len)) {
        near = catalog_near(NEAR_PARAM, a.text, a.len);
        snprintf(err, errlen,
                 near ? "no event has a parameter '%.*s'; did you mean '%s'?"
                      : "no event has a parameter '%.*s'",
                 (int)(a.len < 80 ? a.len : 80), a.text, near);
        return false;
    }
    return true;
}

/* ---- values ---- */

static bool want(struct json *j, const struct json_value *v, const char *field, const char *what)
{
    return json_fail(j, v->at, "the value of %s is %s", field, what);
}

static bool whole(struct json *j, const struct json_value *v, const struct field_info *f,
                  const struct type_info *t, struct fact *out)
{
    bool sign = t->base == BASE_INT;
    unsigned bits = t->base == BASE_PORT ? 16 : t->bits;
    if (v->kind != JSON_INT)
        return want(j, v, f->name, "a whole number");
    if (v->negative && !sign)
        return want(j, v, f->name, "not negative");
    uint64_t top = (uint64_t)v->num;
    if (v->negative)
        top = 0 - top - 1;
    if (sign)
        bits--;
    if (bits < 64 && top >> bits)
        return json_fail(j, v->at, "%s holds numbers of %u bits", f->name, bits + sign);
    out->kind = VAL_NUM;
    out->num = v->num;
    return true;
}

static bool text(struct json *j, const struct json_value *v, const struct field_info *f, bool bytes,
                 struct fact *out)
{
    if (v->kind != JSON_TEXT && !(bytes && v->kind == JSON_BYTES))
        return want(j, v, f->name, bytes ? "a string or {\"base64\": \"...\"}" : "a string");
    if (!bytes && memchr(STR(j->c, v->text), 0, STRLEN(j->c, v->text)))
        return want(j, v, f->name, "a text, which cannot hold a NUL byte");
    out->kind = VAL_TEXT;
    out->text = v->text;
    return true;
}

/* A name of the field's table, or several of a mask. */
static bool name(struct json *j, const struct json_value *v, const struct field_info *f,
                 struct fact *out)
{
    uint64_t n;
    if (!text(j, v, f, false, out))
        return false;
    const char *s = STR(j->c, v->text);
    size_t len = STRLEN(j->c, v->text);
    bool none = !len && catalog_flags_kind(f->table) != FLAGS_ENUM;
    if (none || event_named_number(f->table, s, len, &n))
        return true;
    const char *near = catalog_near_flag(f->table, s, len);
    return json_fail(j, v->at,
                     near ? "%s is never '%.80s'; did you mean '%s'?" : "%s is never '%.80s'",
                     f->name, s, near);
}

static bool address(struct json *j, const struct json_value *v, const struct field_info *f,
                    struct fact *out)
{
    uint8_t addr[16];
    if (v->kind != JSON_TEXT)
        return want(j, v, f->name, "an address as a string");
    const char *s = STR(j->c, v->text);
    if (strlen(s) != STRLEN(j->c, v->text) ||
        (inet_pton(AF_INET, s, addr) != 1 && inet_pton(AF_INET6, s, addr) != 1))
        return want(j, v, f->name, "an IPv4 or IPv6 address");
    out->kind = VAL_TEXT;
    out->text = v->text;
    return true;
}

static bool loose_number(struct json *j, const struct json_value *v, const struct field_info *f,
                         struct fact *out)
{
    if (v->kind != JSON_INT)
        return want(j, v, f->name, "a whole number");
    out->kind = VAL_NUM;
    out->num = v->num;
    return true;
}

static bool real(struct json *j, const struct json_value *v, const struct field_info *f,
                 struct fact *out)
{
    if (v->kind != JSON_INT && v->kind != JSON_REAL)
        return want(j, v, f->name, "a number");
    double whole = v->negative ? (double)v->num : (double)(uint64_t)v->num;
    out->kind = VAL_NUM;
    out->num = ops_real_bits(v->kind == JSON_REAL ? v->real : whole);
    return true;
}

/* evt.arg and evt.rawarg: as text, or as the number behind it. */
static bool loose(struct json *j, const struct json_value *v, const struct field_info *f,
                  struct fact *out)
{
    return v->kind == JSON_INT ? loose_number(j, v, f, out) : text(j, v, f, true, out);
}

static bool single(struct json *j, const struct json_value *v, const struct field_info *f,
                   struct fact *out)
{
    const struct type_info *t = catalog_type(f->type);
    if (out->field.field == F_evt_arg || out->field.field == F_evt_rawarg)
        return loose(j, v, f, out);
    if (f->table != FT_NONE)
        return name(j, v, f, out);
    switch (t->base) {
    case BASE_TEXT:
        return text(j, v, f, false, out);
    case BASE_BYTES:
        return text(j, v, f, true, out);
    case BASE_BOOL:
        if (v->kind != JSON_BOOL)
            return want(j, v, f->name, "true or false");
        out->kind = VAL_NUM;
        out->num = v->num;
        return true;
    case BASE_IP:
    case BASE_NET:
        return address(j, v, f, out);
    case BASE_INT:
    case BASE_UINT:
    case BASE_PORT:
        return whole(j, v, f, t, out);
    case BASE_DOUBLE:
        return real(j, v, f, out);
    case BASE_NONE:
        return want(j, v, f->name, "of a type that events cannot give");
    }
    return false;
}

/* An ancestor field without index is a list: one value is a list of one. */
static bool is_ancestors(const struct field_info *f, struct field_ref ref)
{
    return f->flags & FF_ANCESTOR && ref.index < 0 && !ref.name.i;
}

static bool one_ancestor(struct json *j, const struct json_value *v, const struct field_info *f,
                         struct event *e, struct fact *out)
{
    char digits[24];
    if (!single(j, v, f, out))
        return false;
    if (out->kind == VAL_NUM) {
        snprintf(digits, sizeof(digits), "%lld", (long long)out->num);
        out->text = intern_cstr(j->c->intern, digits);
    }
    out->is_list = true;
    out->kind = VAL_TEXT;
    out->list0 = VEC_PUSH(j->c->arena, &e->list, out->text);
    out->nlist = 1;
    return true;
}

static bool many(struct json *j, const struct json_value *v, const struct field_info *f,
                 const json_list *list, struct fact *out)
{
    bool ancestors = is_ancestors(f, out->field);
    if (!(f->flags & FF_LIST) && !ancestors)
        return want(j, v, f->name, "not an array");
    if (v->list_open && !ancestors)
        return want(j, v, f->name, "a list that is known or unknown as a whole");
    for (uint32_t i = 0; i < v->nlist; i++) {
        str_id s = list->v[v->list0 + i];
        if (memchr(STR(j->c, s), 0, STRLEN(j->c, s)))
            return want(j, v, f->name, "a list of texts, which cannot hold a NUL byte");
    }
    out->is_list = true;
    out->kind = VAL_TEXT;
    out->list0 = v->list0;
    out->nlist = v->nlist;
    out->state = v->list_open ? FACT_UNKNOWN : FACT_PRESENT;
    return true;
}

static bool member(struct json *j, str_id key, size_t at, struct event *e)
{
    struct json_value v;
    char why[256];
    struct fact f = {.state = FACT_PRESENT};
    if (!event_field(j->c, STR(j->c, key), STRLEN(j->c, key), &f.field, why, sizeof(why)))
        return json_fail(j, at, "%s", why);
    if (event_given(e, f.field))
        return json_fail(j, at, "the field '%s' is given twice", STR(j->c, key));
    if (e->facts.n >= FACTS_MAX)
        return json_fail(j, at, "more than %d fields", FACTS_MAX);
    if (!json_read(j, &e->list, &v))
        return false;
    const struct field_info *info = catalog_field(f.field.field);
    bool ok = true;
    if (v.kind == JSON_NULL)
        f.state = FACT_ABSENT;
    else if (v.kind == JSON_UNKNOWN)
        f.state = FACT_UNKNOWN;
    else if (v.kind == JSON_LIST)
        ok = many(j, &v, info, &e->list, &f);
    else if (is_ancestors(info, f.field))
        ok = one_ancestor(j, &v, info, e, &f);
    else if (info->flags & FF_LIST)
        ok = want(j, &v, info->name, "an array");
    else
        ok = single(j, &v, info, &f);
    if (ok && f.field.field == F_evt_num && (f.state != FACT_PRESENT || !f.num))
        ok = want(j, &v, info->name, "known, and 1 for the first event");
    if (ok && (f.field.field == F_evt_rawtime || f.field.field == F_evt_cpu) &&
        f.state != FACT_PRESENT)
        ok = want(j, &v, info->name, "known of every event");
    if (ok)
        VEC_PUSH(j->c->arena, &e->facts, f);
    return ok;
}

/* evt.type names an event, or a system call that has no event of its own. */
static bool find_type(struct json *j, struct event *e)
{
    struct field_ref type = {.field = F_evt_type, .index = -1};
    const struct fact *f = event_given(e, type);
    e->type = EV_NONE;
    e->sysnr = -1;
    if (!f || f->state != FACT_PRESENT)
        return true;
    const char *name = STR(j->c, f->text);
    size_t len = STRLEN(j->c, f->text);
    const struct syscall_info *call = catalog_syscall_by_name(name, len);
    e->type = catalog_event_by_name(name, len);
    if (e->type == EV_NONE && call) {
        e->type = call->event;
        e->sysnr = call->nr;
    }
    if (e->type == EV_NONE) {
        const char *near = catalog_near(NEAR_EVENT, name, len);
        return json_fail(j, 0,
                         near ? "no event is called '%.80s'; did you mean '%s'?"
                              : "no event is called '%.80s'",
                         name, near);
    }
    return true;
}

const struct fact *event_given(const struct event *e, struct field_ref f)
{
    for (uint32_t i = 0; i < e->facts.n; i++) {
        const struct field_ref *g = &e->facts.v[i].field;
        if (g->field == f.field && g->index == f.index && g->name.i == f.name.i)
            return &e->facts.v[i];
    }
    return NULL;
}

int event_parse(struct comp *c, const char *line, size_t len, struct event *out, char *err,
                size_t errlen)
{
    struct json j;
    str_id key;
    size_t at = 0;
    out->facts.n = 0;
    out->list.n = 0;
    out->num = 0;
    json_start(&j, c, line, len, err, errlen);
    if (!json_open(&j))
        return -EINVAL;
    for (bool first = true; json_member(&j, first, &key, &at); first = false)
        if (!member(&j, key, at, out))
            break;
    return !j.failed && find_type(&j, out) ? 0 : -EINVAL;
}

/* ---- printing ---- */

/* Bytes that are no UTF-8 stay: what is read again is the same. */
static void json_print_text(FILE *out, const char *s, size_t len)
{
    fputc('"', out);
    for (size_t i = 0; i < len; i++) {
        unsigned char ch = (unsigned char)s[i];
        if (ch == '"' || ch == '\\')
            fprintf(out, "\\%c", ch);
        else if (ch < 0x20 || ch == 0x7f)
            fprintf(out, "\\u%04x", ch);
        else
            fputc(ch, out);
    }
    fputc('"', out);
}

static void print_text(struct comp *c, FILE *out, str_id s)
{
    json_print_text(out, STR(c, s), STRLEN(c, s));
}

/* Bytes as a string, if they are one. */
static void print_bytes(struct comp *c, FILE *out, str_id s)
{
    size_t n = STRLEN(c, s), i = 0;
    while (i < n && (unsigned char)STR(c, s)[i] < 0x80)
        i++;
    if (i == n) {
        print_text(c, out, s);
        return;
    }
    fputs("{\"base64\": \"", out);
    base64_print(out, STR(c, s), n);
    fputs("\"}", out);
}

static void print_list(struct comp *c, const struct event *e, const struct fact *f, FILE *out)
{
    fputc('[', out);
    for (uint32_t i = 0; i < f->nlist; i++) {
        if (i)
            fputs(", ", out);
        print_text(c, out, e->list.v[f->list0 + i]);
    }
    if (f->state == FACT_UNKNOWN)
        fprintf(out, "%s{\"unknown\": true}", f->nlist ? ", " : "");
    fputc(']', out);
}

static void print_key(struct comp *c, const struct field_ref *f, FILE *out)
{
    const struct field_info *info = catalog_field(f->field);
    bool dot = info->arg == ARG_NAME || info->arg == ARG_NAME_OR_INDEX || info->arg == ARG_NAME_OPT;
    char key[600];
    int n = snprintf(key, sizeof(key), "%s", info->name);
    if (f->name.i)
        n = snprintf(key, sizeof(key), dot ? "%s.%s" : "%s[%s]", info->name, STR(c, f->name));
    else if (f->index >= 0)
        n = snprintf(key, sizeof(key), "%s[%d]", info->name, f->index);
    json_print_text(out, key, n < (int)sizeof(key) ? (size_t)n : sizeof(key) - 1);
}

void event_print(struct comp *c, const struct event *e, FILE *out)
{
    fputc('{', out);
    for (uint32_t i = 0; i < e->facts.n; i++) {
        const struct fact *f = &e->facts.v[i];
        const struct type_info *t = catalog_type(catalog_field(f->field.field)->type);
        if (i)
            fputs(", ", out);
        print_key(c, &f->field, out);
        fputs(": ", out);
        if (f->is_list)
            print_list(c, e, f, out);
        else if (f->state == FACT_ABSENT)
            fputs("null", out);
        else if (f->state == FACT_UNKNOWN)
            fputs("{\"unknown\": true}", out);
        else if (f->kind == VAL_TEXT && t->base == BASE_BYTES)
            print_bytes(c, out, f->text);
        else if (f->kind == VAL_TEXT)
            print_text(c, out, f->text);
        else if (t->base == BASE_BOOL)
            fputs(f->num ? "true" : "false", out);
        else if (t->base == BASE_DOUBLE)
            fprintf(out, "%.17g", ops_real_of(f->num));
        else
            fprintf(out, t->base == BASE_UINT ? "%llu" : "%lld", (long long)f->num);
    }
    fputc('}', out);
}
