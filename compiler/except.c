/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions: what a rule says of them, and the condition text that they come to. */
#include "pack.h"

#include <string.h>

#include "../grammar/field.h"
#include "../grammar/parse.h"
#include "arena.h"
#include "ast.h"
#include "diag.h"
#include "doc.h"
#include "intern.h"
#include "near.h"

#define EXCEPTIONS_MAX 10000u /* of a rule: names are looked for one by one */

static const char *shown(struct comp *c, str_id s)
{
    return diag_word(c, STR(c, s), STRLEN(c, s));
}

/* ---- operators ---- */

static bool is_modifier(const char *s, size_t len)
{
    return len == 5 && (!memcmp(s, "oneof", 5) || !memcmp(s, "anyof", 5) || !memcmp(s, "allof", 5));
}

/* "startswith oneof": a string operator, one blank, a modifier. */
static bool has_modifier(const char *s)
{
    size_t n = strcspn(s, " ");
    enum op_id op = n == 2 && !memcmp(s, "==", 2) ? OP_EQ : catalog_op_by_name(s, n);
    return s[n] && op && catalog_op(op)->group == OPG_STRING &&
           is_modifier(s + n + 1, strlen(s + n + 1));
}

static bool takes_list(const char *op)
{
    return !strcmp(op, "in") || !strcmp(op, "pmatch") || !strcmp(op, "intersects") ||
           has_modifier(op);
}

static bool known_comp(const char *op)
{
    return !strcmp(op, "==") || catalog_op_by_name(op, strlen(op)) || has_modifier(op);
}

/* ---- reading ---- */

/* No scalar in an exception may be empty. */
static bool is_text(struct pack *pk, uint32_t yaml)
{
    const struct yaml y = pk->c->yaml.v[yaml];
    if (y.kind == YAML_SCALAR && !y.text.i) {
        diag(pk->c, RK0202, y.at, NULL, "a value in an exception must not be empty");
        return false;
    }
    bool ok = true;
    for (uint32_t i = 0; y.kind == YAML_SEQ && i < y.nkid; i++)
        ok &= is_text(pk, doc_elem(pk->c, yaml, i));
    return ok;
}

/*
 * The exception's `fields` or `comps` as scalars; `*single`: it is one, not a sequence. DOC_NONE:
 * it is not there; a null or a mapping counts as that.
 */
static enum doc_found read_scalars(struct pack *pk, uint32_t map, const char *key, bool *single,
                                   uint32_t *first, uint32_t *n)
{
    struct comp *c = pk->c;
    uint32_t value = doc_get(c, map, key);
    const struct yaml *y = &c->yaml.v[value];
    if (y->kind == YAML_NULL || y->kind == YAML_MAP)
        return DOC_NONE;
    *single = y->kind == YAML_SCALAR;
    if (*single) {
        *first = value;
        *n = 1;
        return doc_scalar(c, map, key, first);
    }
    *first = y->kid0;
    *n = y->nkid;
    for (uint32_t i = 0; i < *n; i++) {
        uint32_t member = c->ykids.v[*first + i];
        if (!doc_member(c, member, key) || !is_text(pk, member))
            return DOC_BAD;
    }
    return DOC_OK;
}

static uint32_t scalar_at(const struct comp *c, bool single, uint32_t first, uint32_t i)
{
    return single ? first : c->ykids.v[first + i];
}

static bool read_fields(struct pack *pk, uint32_t map, struct exception *e)
{
    uint32_t first, n;
    enum doc_found found = read_scalars(pk, map, "fields", &e->single, &first, &n);
    if (found != DOC_OK)
        return found == DOC_NONE;
    for (uint32_t i = 0; i < n; i++)
        VEC_PUSH(pk->c->arena, &e->fields, scalar_at(pk->c, e->single, first, i));
    e->has_fields = true;
    return true;
}

static str_id stripped(struct comp *c, str_id s)
{
    const char *text = STR(c, s);
    size_t from = strspn(text, " \t\r\n"), to = strlen(text);
    while (to > from && is_blank(text[to - 1]))
        to--;
    return intern_put(c->intern, text + from, to - from);
}

static const char *comp_hint(struct comp *c, str_id op, bool single)
{
    if (single)
        return "one field takes `in`, `pmatch` or `intersects`";
    return near_hint(c, catalog_near(NEAR_OP, STR(c, op), STRLEN(c, op)));
}

static bool read_comps(struct pack *pk, uint32_t map, struct exception *e)
{
    struct comp *c = pk->c;
    uint32_t first, n;
    bool single;
    enum doc_found found = read_scalars(pk, map, "comps", &single, &first, &n);
    if (found != DOC_OK)
        return found == DOC_NONE;
    e->has_comps = true;
    if (e->has_fields && single != e->single) {
        diag(c, RK0216, doc_key_at(c, map, "comps"), NULL,
             "`fields` and `comps` must both be lists, or both be one value");
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct yaml y = c->yaml.v[scalar_at(c, single, first, i)];
        str_id op = stripped(c, y.text);
        if (!(single ? takes_list(STR(c, op)) : known_comp(STR(c, op)))) {
            diag(c, RK0216, y.at, comp_hint(c, op, single), "`%s` is no operator of an exception",
                 shown(c, op));
            return false;
        }
        VEC_PUSH(c->arena, &e->comps, op);
    }
    return true;
}

/* What the values look like is judged when the condition is made of them: except_condition(). */
static bool add_values(struct pack *pk, struct exception *e, uint32_t seq)
{
    bool ok = true;
    for (uint32_t i = 0; i < pk->c->yaml.v[seq].nkid; i++) {
        uint32_t v = doc_elem(pk->c, seq, i);
        ok &= is_text(pk, v);
        VEC_PUSH(pk->c->arena, &e->values, v);
    }
    return ok;
}

static bool is_field(const char *s, size_t len)
{
    size_t name = lex_field_length(s, len);
    struct range arg = {0, 0};
    size_t bracket = lex_bracket_length(s + name, len - name, &arg);
    struct field_name f;
    return name + bracket == len &&
           field_read(s, name, bracket ? s + name + arg.off : NULL, arg.end - arg.off, &f);
}

/* `tolower(proc.name)`: whatever may stand on the left of a test. */
static bool is_transformed(struct pack *pk, uint32_t yaml)
{
    struct comp *c = pk->c;
    struct text t = {0};
    uint32_t first = c->operands.n;
    text_put_yaml(c, &t, yaml);
    text_put_fixed(c, &t, " exists", c->yaml.v[yaml].at);
    text_end(c, &t);
    bool ok = ast_condition(c, &t).i;
    for (uint32_t i = first; i < c->operands.n; i++) {
        const struct operand *o = &c->operands.v[i];
        struct field_name f;
        ok &= o->kind != OPERAND_FIELD ||
              field_read(STR(c, o->name), STRLEN(c, o->name), o->has_arg ? STR(c, o->arg) : NULL,
                         STRLEN(c, o->arg), &f);
    }
    return ok;
}

static bool check_fields(struct pack *pk, const struct exception *e)
{
    struct comp *c = pk->c;
    bool ok = true;
    for (uint32_t i = 0; i < e->fields.n; i++) {
        const struct yaml y = c->yaml.v[e->fields.v[i]];
        const char *s = STR(c, y.text);
        size_t len = STRLEN(c, y.text);
        if (strchr(s, '(') ? !is_transformed(pk, e->fields.v[i]) : !is_field(s, len)) {
            const char *near = len < 100 ? catalog_near(NEAR_FIELD, s, len) : NULL;
            diag(c, RK0216, y.at, near_hint(c, near), "unknown field `%s` in an exception",
                 shown(c, y.text));
            ok = false;
        }
    }
    return ok;
}

/* Operators that were not given: `in` for one field, `=` for each of several. */
static bool complete(struct pack *pk, struct exception *e, bool foreign)
{
    struct comp *c = pk->c;
    if (!e->has_fields) {
        diag(c, e->null_fields ? RK0216 : RK0201, e->at, NULL, "exception `%s` has no `fields`",
             shown(c, e->name));
        return false;
    }
    if (!e->has_comps)
        for (uint32_t i = 0; i < e->fields.n; i++)
            VEC_PUSH(c->arena, &e->comps, intern_cstr(c->intern, e->single ? "in" : "="));
    if (e->comps.n != e->fields.n) {
        diag(c, RK0216, e->at, NULL, "exception `%s` has %u field%s, but %u operator%s (comps)",
             shown(c, e->name), e->fields.n, e->fields.n == 1 ? "" : "s", e->comps.n,
             e->comps.n == 1 ? "" : "s");
        return false;
    }
    return foreign || check_fields(pk, e);
}

/*
 * One element of `exceptions`, without its values; they need the fields, which an append does not
 * repeat. `*values`: their sequence, or 0.
 */
static bool read_exception(struct pack *pk, uint32_t map, struct exception *e, uint32_t *values)
{
    static const char *const known[] = {"name", "fields", "comps", "values", NULL};
    struct comp *c = pk->c;
    uint32_t name;
    const struct yaml m = c->yaml.v[map];
    *e = (struct exception){.at = m.at};
    *values = 0;
    if (m.kind != YAML_MAP) {
        diag(c, RK0202, m.at, NULL, "an exception must be a mapping with `name`, `fields`, ...");
        return false;
    }
    pack_check_quiet_keys(pk, RK0115, map, known);
    enum doc_found found = doc_scalar(c, map, "name", &name);
    if (found == DOC_NONE)
        diag(c, RK0201, m.at, NULL, "an exception needs a `name`");
    if (found != DOC_OK)
        return false;
    e->name = c->yaml.v[name].text;
    e->at = c->yaml.v[name].at;
    bool ok = read_fields(pk, map, e);
    e->null_fields = !e->has_fields && doc_get(c, map, "fields");
    ok = ok && read_comps(pk, map, e);
    return doc_seq(c, map, "values", values) != DOC_BAD && ok;
}

static struct exception *find_exception(struct rule_def *r, str_id name)
{
    for (uint32_t i = 0; i < r->exceptions.n; i++)
        if (r->exceptions.v[i].name.i == name.i)
            return &r->exceptions.v[i];
    return NULL;
}

static bool add_exception(struct pack *pk, struct rule_def *r, struct exception *e, uint32_t values)
{
    bool ok = complete(pk, e, r->foreign);
    if (ok && values)
        ok = add_values(pk, e, values);
    e->failed = !ok;
    VEC_PUSH(pk->c->arena, &r->exceptions, *e);
    return ok;
}

static bool has_room(struct pack *pk, const struct rule_def *r, uint32_t seq)
{
    const struct yaml y = pk->c->yaml.v[seq];
    if (y.nkid <= EXCEPTIONS_MAX - r->exceptions.n)
        return true;
    diag(pk->c, RK0216, y.at, NULL, "a rule may have %u exceptions", EXCEPTIONS_MAX);
    return false;
}

static void same_name(struct comp *c, const struct exception *e, span_id other)
{
    diag(c, RK0217, e->at, NULL, "two exceptions are called `%s`", shown(c, e->name));
    diag_note(c, other, "the other one");
}

bool except_define(struct pack *pk, struct rule_def *r, uint32_t seq)
{
    struct comp *c = pk->c;
    r->exceptions.n = 0;
    if (!has_room(pk, r, seq))
        return false;
    bool ok = true;
    for (uint32_t i = 0; i < c->yaml.v[seq].nkid; i++) {
        struct exception e;
        uint32_t values;
        if (!read_exception(pk, doc_elem(c, seq, i), &e, &values)) {
            ok = false;
            continue;
        }
        const struct exception *same = find_exception(r, e.name);
        if (same)
            same_name(c, &e, same->at);
        ok &= add_exception(pk, r, &e, values);
    }
    return ok;
}

static bool extend(struct pack *pk, struct exception *old, const struct exception *e,
                   uint32_t values)
{
    struct comp *c = pk->c;
    if (e->has_fields || e->has_comps) {
        diag(c, RK0216, e->at, NULL,
             "exception `%s` is there already: only `values` can be appended", shown(c, e->name));
        diag_note(c, old->at, "it is defined here");
        return false;
    }
    return !values || add_values(pk, old, values);
}

static const char *near_exception(struct comp *c, const struct rule_def *r, str_id name)
{
    struct near near = near_start(STR(c, name), STRLEN(c, name));
    for (uint32_t i = 0; i < r->exceptions.n; i++) {
        str_id known = r->exceptions.v[i].name;
        near_try(&near, STR(c, known), STRLEN(c, known));
    }
    return near_hint(c, near.best);
}

/* What an item appends, by name. */
struct appended {
    str_id name;
    span_id at;
};

bool except_append(struct pack *pk, struct rule_def *r, uint32_t seq)
{
    struct comp *c = pk->c;
    VEC(struct appended) before = {0};
    if (!has_room(pk, r, seq))
        return false;
    bool ok = true;
    for (uint32_t i = 0; i < c->yaml.v[seq].nkid; i++) {
        struct exception e;
        uint32_t values;
        if (!read_exception(pk, doc_elem(c, seq, i), &e, &values)) {
            ok = false;
            continue;
        }
        for (uint32_t k = 0; k < before.n; k++) {
            if (before.v[k].name.i == e.name.i) {
                same_name(c, &e, before.v[k].at);
                break;
            }
        }
        VEC_PUSH(c->arena, &before, (struct appended){e.name, e.at});
        struct exception *old = find_exception(r, e.name);
        if (!values || !c->yaml.v[values].nkid)
            diag(c, RK0218, e.at, NULL, "exception `%s` appends no values", shown(c, e.name));
        if (old) {
            ok &= extend(pk, old, &e, values);
        } else if (!e.has_fields || !values || !c->yaml.v[values].nkid) {
            diag(c, RK0216, e.at, near_exception(c, r, e.name),
                 "a new exception needs `fields` and at least one value");
            ok = false;
        } else {
            ok &= add_exception(pk, r, &e, values);
        }
    }
    return ok;
}

/* ---- condition text (rule-language 1.8) ---- */

void except_put_quoted(struct pack *pk, struct text *t, uint32_t yaml)
{
    struct comp *c = pk->c;
    const struct yaml *y = &c->yaml.v[yaml];
    const char *s = STR(c, y->text);
    bool quote = memchr(s, ' ', STRLEN(c, y->text)) && *s != '"' && *s != '\'';
    span_id at = y->at;
    if (quote)
        text_put_fixed(c, t, "\"", at);
    text_put_yaml(c, t, yaml);
    if (quote)
        text_put_fixed(c, t, "\"", at);
}

/* What is no scalar stands for no text at all. */
static void put_scalar(struct pack *pk, struct text *t, const struct exception *e, uint32_t yaml,
                       bool quote)
{
    struct comp *c = pk->c;
    const struct yaml y = c->yaml.v[yaml];
    if (y.kind != YAML_SCALAR) {
        diag(c, RK0244, y.at, NULL, "a value of an exception is %s, which stands for nothing",
             y.kind == YAML_NULL  ? "null"
             : y.kind == YAML_MAP ? "a mapping"
                                  : "a list in a list");
        return;
    }
    if (*STR(c, y.text) != '(')
        subst_check_item(pk, yaml, "exception", e->name);
    if (quote)
        except_put_quoted(pk, t, yaml);
    else
        text_put_yaml(c, t, yaml);
}

/* (a, b) of a list in a tuple */
static void put_members(struct pack *pk, struct text *t, const struct exception *e, uint32_t seq)
{
    struct comp *c = pk->c;
    const struct yaml y = c->yaml.v[seq];
    text_put_fixed(c, t, "(", y.at);
    for (uint32_t i = 0, start = t->bytes.n; i < y.nkid; i++) {
        uint32_t v = doc_elem(c, seq, i);
        if (t->bytes.n != start)
            text_put_fixed(c, t, ", ", c->yaml.v[v].at);
        put_scalar(pk, t, e, v, true);
    }
    text_put_fixed(c, t, ")", y.at);
}

static void put_word(struct pack *pk, struct text *t, str_id word, span_id at)
{
    text_put_fixed(pk->c, t, STR(pk->c, word), at);
}

static void put_value(struct pack *pk, struct text *t, const struct exception *e, uint32_t k,
                      uint32_t yaml)
{
    struct comp *c = pk->c;
    const struct yaml y = c->yaml.v[yaml];
    const char *op = STR(c, e->comps.v[k]);
    bool bare = y.kind == YAML_SCALAR && *STR(c, y.text) == '(';
    if (y.kind == YAML_SEQ) {
        put_members(pk, t, e, yaml);
    } else if (!takes_list(op)) {
        put_scalar(pk, t, e, yaml, true);
    } else if (bare) {
        put_scalar(pk, t, e, yaml, false);
    } else {
        text_put_fixed(c, t, "(", y.at);
        put_scalar(pk, t, e, yaml, false);
        text_put_fixed(c, t, ")", y.at);
    }
}

static bool put_tuple(struct pack *pk, struct text *t, const struct exception *e, uint32_t tuple)
{
    struct comp *c = pk->c;
    const struct yaml y = c->yaml.v[tuple];
    if ((y.kind == YAML_SEQ ? y.nkid : 0) != e->fields.n) {
        const char *hint = e->fields.n == 1   ? "write [[a], [b]]"
                           : e->fields.n == 2 ? "write [[a, b]]"
                                              : "write [[a, b, ...]]";
        diag(c, RK0216, y.at, y.kind == YAML_SEQ ? NULL : hint,
             "exception `%s` has %u field%s, so each value is a list of %u", shown(c, e->name),
             e->fields.n, e->fields.n == 1 ? "" : "s", e->fields.n);
        return false;
    }
    text_put_fixed(c, t, "(", y.at);
    for (uint32_t k = 0; k < e->fields.n; k++) {
        text_put_fixed(c, t, k ? " and  " : " ", y.at);
        text_put_yaml(c, t, e->fields.v[k]);
        text_put_fixed(c, t, " ", y.at);
        put_word(pk, t, e->comps.v[k], y.at);
        text_put_fixed(c, t, " ", y.at);
        put_value(pk, t, e, k, doc_elem(c, tuple, k));
    }
    text_put_fixed(c, t, ")", y.at);
    return true;
}

static bool put_tuples(struct pack *pk, struct text *t, const struct exception *e)
{
    bool ok = true;
    for (uint32_t i = 0; i < e->values.n; i++) {
        if (i)
            text_put_fixed(pk->c, t, " or ", e->at);
        ok &= put_tuple(pk, t, e, e->values.v[i]);
    }
    return ok;
}

/* FIELD OP (v1, v2, ...) */
static bool put_single(struct pack *pk, struct text *t, const struct exception *e)
{
    struct comp *c = pk->c;
    bool ok = true;
    text_put_yaml(c, t, e->fields.v[0]);
    text_put_fixed(c, t, " ", e->at);
    put_word(pk, t, e->comps.v[0], e->at);
    text_put_fixed(c, t, " (", e->at);
    for (uint32_t i = 0; i < e->values.n; i++) {
        const struct yaml y = c->yaml.v[e->values.v[i]];
        if (y.kind == YAML_SEQ) {
            diag(c, RK0216, y.at, NULL, "exception `%s` has one field, so its values are no lists",
                 shown(c, e->name));
            ok = false;
            continue;
        }
        if (i)
            text_put_fixed(c, t, ", ", y.at);
        put_scalar(pk, t, e, e->values.v[i], true);
    }
    text_put_fixed(c, t, ")", e->at);
    return ok;
}

bool except_condition(struct pack *pk, const struct rule_def *r, struct text *t)
{
    struct comp *c = pk->c;
    span_id at = c->rules.v[r->rule].condition_at;
    bool ok = true;
    *t = (struct text){0};
    if (!r->exceptions.n) {
        text_put_range(c, t, &r->condition, 0, r->condition.bytes.n);
        return true;
    }
    text_put_fixed(c, t, "(", at);
    text_put_range(c, t, &r->condition, 0, r->condition.bytes.n);
    text_put_fixed(c, t, ")", at);
    for (uint32_t i = 0; i < r->exceptions.n; i++) {
        const struct exception *e = &r->exceptions.v[i];
        if (e->values.n && !e->failed) {
            text_put_fixed(c, t, " and not (", e->at);
            ok &= e->single ? put_single(pk, t, e) : put_tuples(pk, t, e);
            text_put_fixed(c, t, ")", e->at);
        }
    }
    return ok;
}
