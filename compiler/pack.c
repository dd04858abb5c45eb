/* SPDX-License-Identifier: Apache-2.0 */
/* Items into the store: lists, macros, requirements; and what all kinds of items share. */
#include "pack.h"

#include <string.h>

#include "arena.h"
#include "diag.h"
#include "doc.h"
#include "intern.h"
#include "near.h"

#define ALTERNATIVES_MAX 100u
#define ENGINE_MINOR 63u /* the rule language that this compiler reads is version 0.63.0 */

static const char *shown(struct comp *c, str_id s)
{
    return diag_word(c, STR(c, s), STRLEN(c, s));
}

/* ---- names ---- */

static uint32_t count_of(const struct pack *pk, enum item_kind kind)
{
    return kind == ITEM_LIST ? pk->lists.n : kind == ITEM_MACRO ? pk->macros.n : pk->rules.n;
}

static str_id name_of(const struct pack *pk, enum item_kind kind, uint32_t i)
{
    return kind == ITEM_LIST    ? pk->lists.v[i].name
           : kind == ITEM_MACRO ? pk->macros.v[i].name
                                : pk->c->rules.v[pk->rules.v[i].rule].name;
}

const char *pack_near(struct pack *pk, enum item_kind kind, str_id name)
{
    struct comp *c = pk->c;
    struct near near = near_start(STR(c, name), STRLEN(c, name));
    bool search = pk->near_tries++ < NEAR_TRIES_MAX;
    for (uint32_t i = 0; i < count_of(pk, kind) && search; i++) {
        str_id other = name_of(pk, kind, i);
        near_try(&near, STR(c, other), STRLEN(c, other));
    }
    return near_hint(c, near.best);
}

/* ---- keys ---- */

static bool is_known(const char *const *known, const char *key)
{
    for (size_t i = 0; known[i]; i++)
        if (!strcmp(known[i], key))
            return true;
    return false;
}

static void unknown_key(struct comp *c, enum diag_code code, const struct yaml *key,
                        const char *const *known)
{
    if (key->kind == YAML_SEQ || key->kind == YAML_MAP) {
        diag(c, RK0202, key->at, NULL, "a key must be a single value");
        return;
    }
    bool merge = key->kind == YAML_SCALAR && !strcmp(STR(c, key->text), "<<");
    diag(c, code, key->at,
         merge ? "keys are not merged: write them out"
               : near_of(c, STR(c, key->text), STRLEN(c, key->text), known),
         "unknown key `%s` is ignored", key->kind == YAML_NULL ? "null" : shown(c, key->text));
}

void pack_check_quiet_keys(struct pack *pk, enum diag_code code, uint32_t map,
                           const char *const *known)
{
    struct comp *c = pk->c;
    const struct yaml m = c->yaml.v[map];
    pk->checks++;
    for (uint32_t i = 0; i < m.nkid; i += 2) {
        const struct yaml *key = &c->yaml.v[c->ykids.v[m.kid0 + i]];
        if (key->kind != YAML_SCALAR || !is_known(known, STR(c, key->text))) {
            unknown_key(c, code, key, known);
            continue;
        }
        while (pk->seen.n <= key->text.i)
            VEC_PUSH(c->arena, &pk->seen, 0);
        if (pk->seen.v[key->text.i] == pk->checks) {
            diag(c, RK0112, key->at, NULL, "`%s` is given twice; the first one counts",
                 STR(c, key->text));
            diag_note(c, doc_key_at(c, map, STR(c, key->text)), "the first one");
        }
        pk->seen.v[key->text.i] = pk->checks;
    }
}

void pack_check_keys(struct pack *pk, uint32_t map, const char *const *known)
{
    pack_check_quiet_keys(pk, RK0111, map, known);
}

bool pack_wants_append(struct pack *pk, uint32_t map, const char *hint)
{
    bool append = false;
    if (doc_bool(pk->c, map, "append", &append) == DOC_OK && append) {
        diag(pk->c, RK0209, doc_key_at(pk->c, map, "append"), hint,
             "`append: true` is the old way to add to an earlier item");
        return true;
    }
    return false;
}

/* ---- override ---- */

static const struct override_key *find_override(const struct override_key *keys, unsigned n,
                                                const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(keys[i].key, name))
            return &keys[i];
    return NULL;
}

static enum override_op override_op(const struct comp *c, const struct yaml *value)
{
    const char *text = value->kind == YAML_SCALAR ? STR(c, value->text) : "";
    return !strcmp(text, "append")    ? OVERRIDE_APPEND
           : !strcmp(text, "replace") ? OVERRIDE_REPLACE
                                      : OVERRIDE_NONE;
}

static const char *near_override(struct comp *c, const struct override_key *keys, unsigned n,
                                 const char *name)
{
    struct near near = near_start(name, strlen(name));
    for (unsigned i = 0; i < n; i++)
        near_try(&near, keys[i].key, strlen(keys[i].key));
    return near_hint(c, near.best);
}

static const char *near_operation(struct comp *c, const struct yaml *value)
{
    static const char *const operations[] = {"append", "replace", NULL};
    return value->kind == YAML_SCALAR
               ? near_of(c, STR(c, value->text), STRLEN(c, value->text), operations)
               : NULL;
}

/* One `key: operation` pair. */
static bool read_override(struct pack *pk, uint32_t map, const uint32_t *pair,
                          const struct override_key *keys, unsigned n, enum override_op *op)
{
    struct comp *c = pk->c;
    const struct yaml *key = &c->yaml.v[pair[0]], *value = &c->yaml.v[pair[1]];
    const char *name = key->kind == YAML_SCALAR ? STR(c, key->text) : "";
    const struct override_key *k = find_override(keys, n, name);
    enum override_op what = override_op(c, value);
    if (!k || !what || !(what == OVERRIDE_APPEND ? k->append : k->replace)) {
        const char *can = !k ? "cannot be overridden"
                          : k->append && k->replace
                              ? "can be overridden by `append` or `replace` only"
                              : "can be overridden by `replace` only";
        diag(c, RK0205, k && !what ? value->at : key->at,
             k ? (what ? NULL : near_operation(c, value)) : near_override(c, keys, n, name),
             "`%s` %s", *name ? diag_word(c, name, strlen(name)) : "[...]", can);
        return false;
    }
    if (op[k - keys] && op[k - keys] != what) {
        diag(c, RK0205, key->at, NULL, "`%s` cannot be both appended to and replaced", name);
        return false;
    }
    op[k - keys] = what;
    if (!doc_get(c, map, name)) {
        diag(c, RK0205, key->at, NULL, "`%s` is to be overridden but is not in the item", name);
        return false;
    }
    return true;
}

bool pack_read_override(struct pack *pk, uint32_t map, const struct override_key *keys, unsigned n,
                        enum override_op *op, bool *present)
{
    struct comp *c = pk->c;
    uint32_t value = doc_get(c, map, "override");
    memset(op, 0, n * sizeof(*op));
    *present = false;
    if (!value)
        return true;
    const struct yaml y = c->yaml.v[value];
    if (y.kind == YAML_SEQ && y.nkid) {
        diag(c, RK0205, doc_key_at(c, map, "override"), NULL,
             "`override` must be a mapping of keys to `append` or `replace`");
        return false;
    }
    if (!y.nkid) {
        diag(c, RK0243, doc_key_at(c, map, "override"), "name the keys: override: {KEY: replace}",
             "`override` names no keys: this is a new definition");
        return true;
    }
    bool ok = true;
    for (uint32_t i = 0; i < y.nkid; i += 2) {
        uint32_t pair[2] = {c->ykids.v[y.kid0 + i], c->ykids.v[y.kid0 + i + 1]};
        ok &= read_override(pk, map, pair, keys, n, op);
    }
    *present = true;
    if (doc_get(c, map, "append")) {
        bool append;
        if (doc_bool(c, map, "append", &append) != DOC_OK || append) {
            diag(c, RK0205, doc_key_at(c, map, "append"), NULL,
                 "`append` and `override` cannot be in one item");
            ok = false;
        }
    }
    return ok;
}

/* ---- lists ---- */

static bool has_delimiter(const char *s)
{
    return s[strcspn(s, " \t\r\n(),=")] != 0;
}

static struct list_def *list_entry(struct pack *pk, str_id name, span_id at)
{
    uint32_t i = PACK_FIND(&pk->list_of, name);
    if (!i) {
        i = VEC_PUSH(pk->c->arena, &pk->lists,
                     (struct list_def){.name = name,
                                       .at = at,
                                       .first = pk->counter,
                                       .odd = has_delimiter(STR(pk->c, name))});
        PACK_SET(pk, &pk->list_of, name, i);
        i++;
    }
    pk->lists.v[i - 1].last = pk->counter;
    pk->lists.v[i - 1].changed = pk->file;
    return &pk->lists.v[i - 1];
}

/* An append or override wants an earlier definition. */
static void no_target(struct pack *pk, enum item_kind kind, const struct yaml *name)
{
    diag(pk->c, RK0206, name->at, pack_near(pk, kind, name->text), "there is no %s `%s` to add to",
         kind == ITEM_LIST ? "list" : "macro", shown(pk->c, name->text));
}

static void check_list_name(struct comp *c, const struct yaml *name)
{
    const char *s = STR(c, name->text);
    if (s[strcspn(s, " \t\r\n()\"'=,")]) {
        diag(c, RK0211, name->at, NULL,
             "the name of list `%s` should have none of ( ) \" ' = , "
             "and no blanks",
             shown(c, name->text));
    }
}

static void add_list(struct pack *pk, uint32_t map)
{
    static const char *const known[] = {"list", "items", "append", "override", NULL};
    static const struct override_key keys[] = {{"items", true, true}};
    struct comp *c = pk->c;
    uint32_t name, items;
    enum override_op op[1];
    bool present;
    pack_check_keys(pk, map, known);
    if (doc_scalar(c, map, "list", &name) != DOC_OK)
        return;
    const struct yaml n = c->yaml.v[name];
    check_list_name(c, &n);
    bool ok = pack_read_override(pk, map, keys, 1, op, &present);
    bool append = op[0] == OVERRIDE_APPEND ||
                  (!present && pack_wants_append(pk, map, "write `override: {items: append}`"));
    enum doc_found found = doc_seq(c, map, "items", &items);
    if (found == DOC_NONE)
        diag(c, RK0201, n.at, NULL, "list `%s` has no `items`", shown(c, n.text));
    if (append && !PACK_FIND(&pk->list_of, n.text))
        no_target(pk, ITEM_LIST, &n);
    struct list_def *l = list_entry(pk, n.text, n.at);
    if (!append)
        l->items.n = 0;
    for (uint32_t i = 0; ok && found == DOC_OK && i < c->yaml.v[items].nkid; i++) {
        uint32_t item = doc_elem(c, items, i);
        if (doc_member(c, item, "items"))
            VEC_PUSH(c->arena, &l->items, item);
    }
}

/* ---- macros ---- */

static struct macro_def *macro_entry(struct pack *pk, str_id name, span_id at, uint32_t file)
{
    uint32_t i = PACK_FIND(&pk->macro_of, name);
    if (!i) {
        i = VEC_PUSH(
            pk->c->arena, &pk->macros,
            (struct macro_def){.name = name, .at = at, .first = pk->counter, .file = file});
        PACK_SET(pk, &pk->macro_of, name, i);
        i++;
    }
    pk->macros.v[i - 1].last = pk->counter;
    pk->macros.v[i - 1].changed = pk->file;
    return &pk->macros.v[i - 1];
}

static void check_macro_name(struct comp *c, const struct yaml *name)
{
    const char *s = STR(c, name->text);
    size_t len = STRLEN(c, name->text);
    bool ok = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
    for (size_t i = 0; i < len; i++) {
        ok &= (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
              (s[i] >= '0' && s[i] <= '9') || s[i] == '_';
    }
    if (!ok) {
        diag(c, RK0210, name->at, NULL, "no condition can refer to a macro called `%s`",
             shown(c, name->text));
    }
}

static void add_macro(struct pack *pk, const struct item *item)
{
    static const char *const known[] = {"macro", "condition", "append", "override", NULL};
    static const struct override_key keys[] = {{"condition", true, true}};
    struct comp *c = pk->c;
    uint32_t name, cond;
    enum override_op op[1];
    bool present;
    pack_check_keys(pk, item->yaml, known);
    if (doc_scalar(c, item->yaml, "macro", &name) != DOC_OK)
        return;
    const struct yaml n = c->yaml.v[name];
    check_macro_name(c, &n);
    bool ok = pack_read_override(pk, item->yaml, keys, 1, op, &present);
    bool append =
        op[0] == OVERRIDE_APPEND ||
        (!present && pack_wants_append(pk, item->yaml, "write `override: {condition: append}`"));
    enum doc_found found = doc_scalar(c, item->yaml, "condition", &cond);
    if (found == DOC_NONE)
        diag(c, RK0201, n.at, NULL, "macro `%s` has no `condition`", shown(c, n.text));
    bool there = PACK_FIND(&pk->macro_of, n.text);
    if (append && !there)
        no_target(pk, ITEM_MACRO, &n);
    struct macro_def *m = macro_entry(pk, n.text, n.at, item->doc_file);
    if (!append) {
        m->condition = (struct text){0};
        m->failed = false;
    }
    if (!ok || found != DOC_OK || (append && !there)) {
        m->failed = true;
        return;
    }
    if (append)
        text_put_fixed(c, &m->condition, " ", c->yaml.v[cond].at);
    text_put_yaml(c, &m->condition, cond);
}

/* ---- requirements ---- */

/* "major.minor.patch" with anything behind it. */
static bool read_version(const char *s, uint64_t v[3])
{
    for (unsigned n = 0; n < 3; n++) {
        const char *start = s;
        for (v[n] = 0; *s >= '0' && *s <= '9' && v[n] < UINT32_MAX; s++)
            v[n] = v[n] * 10 + (uint64_t)(*s - '0');
        if (s == start || (n < 2 && *s++ != '.'))
            return false;
    }
    return true;
}

/* One number is the minor version; else three. */
static bool read_engine(const char *s, uint64_t *v)
{
    v[0] = v[2] = 0;
    return doc_read_uint(s, UINT32_MAX, &v[1]) || read_version(s, v);
}

static void add_engine(struct pack *pk, uint32_t map)
{
    static const char *const known[] = {"required_engine_version", NULL};
    struct comp *c = pk->c;
    uint32_t value;
    uint64_t v[3];
    pack_check_keys(pk, map, known);
    if (doc_scalar(c, map, known[0], &value) != DOC_OK)
        return;
    const struct yaml *y = &c->yaml.v[value];
    if (!read_engine(STR(c, y->text), v)) {
        diag(c, RK0213, y->at, "write 63 or 0.63.0", "`%s` is not a version", shown(c, y->text));
    } else if (v[0] != 0 || v[1] > ENGINE_MINOR || (v[1] == ENGINE_MINOR && v[2] > 0)) {
        diag(c, RK0212, y->at, NULL,
             "version %s of the rule language is required, this is version 0.%u.0",
             shown(c, y->text), ENGINE_MINOR);
    }
}

/* {name, version}. `name`: 0 if an error was reported. */
static str_id read_plugin(struct pack *pk, uint32_t map, const char *const *known)
{
    struct comp *c = pk->c;
    uint32_t name, version;
    uint64_t v[3];
    const struct yaml m = c->yaml.v[map];
    if (m.kind != YAML_MAP) {
        diag(c, RK0202, m.at, NULL, "a plugin is a mapping of `name` and `version`");
        return (str_id){0};
    }
    pack_check_keys(pk, map, known);
    enum doc_found has_name = doc_scalar(c, map, "name", &name);
    enum doc_found has_version = doc_scalar(c, map, "version", &version);
    if (has_name == DOC_NONE || has_version == DOC_NONE)
        diag(c, RK0201, m.at, NULL, "a plugin needs a `name` and a `version`");
    if (has_name != DOC_OK || has_version != DOC_OK)
        return (str_id){0};
    const struct yaml *y = &c->yaml.v[version];
    if (!read_version(STR(c, y->text), v)) {
        diag(c, RK0247, y->at, "write three numbers: 0.4.0", "`%s` is not a version",
             shown(c, y->text));
    }
    return c->yaml.v[name].text;
}

/* An entry is met if the plugin or one of its alternatives is there. */
static void add_plugin(struct pack *pk, uint32_t entry)
{
    static const char *const known[] = {"name", "version", "alternatives", NULL};
    static const char *const known_alternative[] = {"name", "version", NULL};
    struct comp *c = pk->c;
    str_id first = read_plugin(pk, entry, known);
    if (!first.i)
        return;
    str_id container = intern_cstr(c->intern, "container");
    bool there = first.i == container.i;
    VEC(str_id) names = {0};
    VEC_PUSH(c->arena, &names, first);
    uint32_t seq;
    enum doc_found found = doc_seq(c, entry, "alternatives", &seq);
    for (uint32_t i = 0; found == DOC_OK && i < c->yaml.v[seq].nkid && i < ALTERNATIVES_MAX; i++) {
        str_id name = read_plugin(pk, doc_elem(c, seq, i), known_alternative);
        for (uint32_t k = 0; name.i && k < names.n; k++) {
            if (names.v[k].i == name.i) {
                diag(c, RK0215, c->yaml.v[doc_elem(c, seq, i)].at, NULL,
                     "plugin `%s` is required twice", shown(c, name));
                break;
            }
        }
        VEC_PUSH(c->arena, &names, name);
        there |= name.i == container.i;
    }
    if (!there) {
        static const char *const built_in[] = {"container", NULL};
        uint32_t name = doc_get(c, entry, "name");
        diag(c, RK0214, c->yaml.v[name].at, near_of(c, STR(c, first), STRLEN(c, first), built_in),
             "plugin `%s` is not there", shown(c, first));
    }
}

static void add_plugins(struct pack *pk, uint32_t map)
{
    static const char *const known[] = {"required_plugin_versions", NULL};
    struct comp *c = pk->c;
    uint32_t seq;
    pack_check_keys(pk, map, known);
    if (doc_seq(c, map, known[0], &seq) == DOC_OK)
        for (uint32_t i = 0; i < c->yaml.v[seq].nkid; i++)
            add_plugin(pk, doc_elem(c, seq, i));
}

void pack_add_item(struct pack *pk, const struct item *item)
{
    pk->counter++;
    pk->file = item->doc_file;
    diag_set_rule(pk->c, (str_id){0});
    switch (item->kind) {
    case ITEM_NONE:
        break;
    case ITEM_ENGINE:
        add_engine(pk, item->yaml);
        break;
    case ITEM_PLUGINS:
        add_plugins(pk, item->yaml);
        break;
    case ITEM_LIST:
        add_list(pk, item->yaml);
        break;
    case ITEM_MACRO:
        add_macro(pk, item);
        break;
    case ITEM_RULE:
        pack_add_rule(pk, item);
        break;
    }
    diag_set_rule(pk->c, (str_id){0});
}
