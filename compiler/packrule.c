/* SPDX-License-Identifier: Apache-2.0 */
/* Rules into the store: new ones, and items that change earlier ones. */
#include "pack.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "diag.h"
#include "doc.h"
#include "intern.h"
#include "near.h"

/* Keys of a rule that `override` can name. The order is that of rule_keys[]. */
enum rule_key {
    KEY_CONDITION,
    KEY_OUTPUT,
    KEY_DESC,
    KEY_TAGS,
    KEY_EXCEPTIONS,
    KEY_PRIORITY,
    KEY_ENABLED,
    KEY_WARN_EVTTYPES,
    KEY_SKIP,
    KEY_CAPTURE,
    KEY_CAPTURE_DURATION,
    KEY_COUNT
};

static const struct override_key rule_keys[] = {
    [KEY_CONDITION] = {"condition", true, true},
    [KEY_OUTPUT] = {"output", true, true},
    [KEY_DESC] = {"desc", true, true},
    [KEY_TAGS] = {"tags", true, true},
    [KEY_EXCEPTIONS] = {"exceptions", true, true},
    [KEY_PRIORITY] = {"priority", false, true},
    [KEY_ENABLED] = {"enabled", false, true},
    [KEY_WARN_EVTTYPES] = {"warn_evttypes", false, true},
    [KEY_SKIP] = {"skip-if-unknown-filter", false, true},
    [KEY_CAPTURE] = {"capture", false, true},
    [KEY_CAPTURE_DURATION] = {"capture_duration", false, true},
};
_Static_assert(sizeof(rule_keys) / sizeof(rule_keys[0]) == KEY_COUNT, "a rule's key lacks its row");

static const char *const known_keys[] = {
    "rule",
    "condition",
    "output",
    "desc",
    "priority",
    "source",
    "enabled",
    "tags",
    "exceptions",
    "warn_evttypes",
    "capture",
    "append",
    "override",
    "capture_duration",
    "skip-if-unknown-filter",
    NULL,
};

static const char *shown(struct comp *c, str_id s)
{
    return diag_word(c, STR(c, s), STRLEN(c, s));
}

static struct rule *rule_of(struct pack *pk, const struct rule_def *d)
{
    return &pk->c->rules.v[d->rule];
}

/* ---- one key each: all return false if an error was reported ---- */

static bool put_text(struct pack *pk, uint32_t map, const char *key, struct text *t, bool append)
{
    struct comp *c = pk->c;
    uint32_t value;
    enum doc_found found = doc_scalar(c, map, key, &value);
    if (found != DOC_OK)
        return found == DOC_NONE;
    if (append)
        text_put_fixed(c, t, " ", c->yaml.v[value].at);
    else
        *t = (struct text){0};
    text_put_yaml(c, t, value);
    return true;
}

static bool put_condition(struct pack *pk, uint32_t map, struct rule_def *d, bool append)
{
    struct rule *r = rule_of(pk, d);
    if (!append && doc_get(pk->c, map, "condition"))
        r->condition_at = pk->c->yaml.v[doc_get(pk->c, map, "condition")].at;
    return put_text(pk, map, "condition", &d->condition, append);
}

static bool put_output(struct pack *pk, uint32_t map, struct rule_def *d, bool append)
{
    if (!put_text(pk, map, "output", &d->output, append))
        return false;
    if (!append && doc_get(pk->c, map, "output"))
        rule_of(pk, d)->output_at = pk->c->yaml.v[doc_get(pk->c, map, "output")].at;
    return true;
}

static const struct {
    const char *name;
    enum priority priority;
} priorities[] = {
    {"EMERGENCY", PRI_EMERGENCY}, {"ALERT", PRI_ALERT},     {"CRITICAL", PRI_CRITICAL},
    {"ERROR", PRI_ERROR},         {"WARNING", PRI_WARNING}, {"NOTICE", PRI_NOTICE},
    {"INFORMATIONAL", PRI_INFO},  {"INFO", PRI_INFO},       {"DEBUG", PRI_DEBUG},
};
#define PRIORITIES (sizeof(priorities) / sizeof(priorities[0]))

static const char *near_priority(struct comp *c, const char *s, size_t len)
{
    char up[20] = "";
    for (size_t i = 0; len < sizeof(up) && i < len; i++)
        up[i] = (char)(s[i] >= 'a' && s[i] <= 'z' ? s[i] - 32 : s[i]);
    struct near near = near_start(up, strlen(up));
    for (size_t i = 0; i < PRIORITIES; i++)
        near_try(&near, priorities[i].name, strlen(priorities[i].name));
    if (near.best)
        return near_hint(c, near.best);
    const char *all = "";
    for (size_t i = 0; i < PRIORITIES; i++)
        all = arena_printf(c->arena, "%s %s", all, priorities[i].name);
    return arena_printf(c->arena, "priorities are%s", all);
}

static bool put_priority(struct pack *pk, uint32_t map, struct rule_def *d)
{
    struct comp *c = pk->c;
    uint32_t value;
    enum doc_found found = doc_scalar(c, map, "priority", &value);
    if (found != DOC_OK)
        return found == DOC_NONE;
    const struct yaml *y = &c->yaml.v[value];
    for (size_t i = 0; i < PRIORITIES; i++) {
        if (!strcasecmp(STR(c, y->text), priorities[i].name)) {
            rule_of(pk, d)->priority = priorities[i].priority;
            return true;
        }
    }
    diag(c, RK0204, y->at, near_priority(c, STR(c, y->text), STRLEN(c, y->text)),
         "unknown priority `%s`", shown(c, y->text));
    return true; /* the rule is read on: its other findings count too */
}

static bool put_tags(struct pack *pk, uint32_t map, struct rule_def *d, bool append)
{
    struct comp *c = pk->c;
    uint32_t seq;
    enum doc_found found = doc_seq(c, map, "tags", &seq);
    if (found != DOC_OK)
        return found == DOC_NONE;
    if (!append)
        d->tags.n = 0;
    bool ok = true;
    for (uint32_t i = 0; i < c->yaml.v[seq].nkid; i++) {
        uint32_t tag = doc_elem(c, seq, i);
        if (!doc_member(c, tag, "tags")) {
            ok = false;
            continue;
        }
        VEC_PUSH(c->arena, &d->tags, c->yaml.v[tag].text);
    }
    return ok;
}

static bool put_flag(struct pack *pk, uint32_t map, const char *key, bool *flag)
{
    return doc_bool(pk->c, map, key, flag) != DOC_BAD;
}

/* Captures are Falco's own; their keys are checked and have no effect here. */
static bool check_capture(struct pack *pk, uint32_t map)
{
    bool capture;
    uint64_t duration;
    bool ok = doc_bool(pk->c, map, "capture", &capture) != DOC_BAD;
    return doc_uint(pk->c, map, "capture_duration", UINT32_MAX, &duration) != DOC_BAD && ok;
}

static bool put_exceptions(struct pack *pk, uint32_t map, struct rule_def *d, bool append)
{
    uint32_t seq;
    uint32_t value = doc_get(pk->c, map, "exceptions");
    if (pk->c->yaml.v[value].kind == YAML_NULL) {
        d->exceptions.n = append ? d->exceptions.n : 0;
        return true;
    }
    if (doc_seq(pk->c, map, "exceptions", &seq) != DOC_OK)
        return false;
    return append ? except_append(pk, d, seq) : except_define(pk, d, seq);
}

/* ---- finding rules ---- */

/* The rule of that name, or NULL with an error that there is none to `verb`. */
static struct rule_def *earlier_rule(struct pack *pk, const struct yaml *name, const char *verb)
{
    uint32_t i = PACK_FIND(&pk->rule_of, name->text);
    if (!i) {
        diag(pk->c, RK0206, name->at, pack_near(pk, ITEM_RULE, name->text),
             "there is no rule `%s` to %s", shown(pk->c, name->text), verb);
        return NULL;
    }
    pk->rules.v[i - 1].changed = pk->file;
    return &pk->rules.v[i - 1];
}

/* An item that changes a rule may name its source; it must be the same. */
static bool same_source(struct pack *pk, uint32_t map, const struct rule_def *d)
{
    struct comp *c = pk->c;
    uint32_t value = doc_get(c, map, "source");
    if (c->yaml.v[value].kind != YAML_SCALAR || !c->yaml.v[value].text.i)
        return true; /* none; or a wrong one, which pack_add_rule() has reported */
    const struct rule *r = rule_of(pk, d);
    if (c->yaml.v[value].text.i == r->source.i)
        return true;
    diag(c, RK0207, c->yaml.v[value].at, NULL, "rule `%s` is of source %s", shown(c, r->name),
         STR(c, r->source));
    diag_note(c, r->at, "it is defined here");
    return false;
}

/* ---- a new rule ---- */

static str_id source_of(struct comp *c, uint32_t map)
{
    uint32_t value;
    if (doc_scalar(c, map, "source", &value) == DOC_OK)
        return c->yaml.v[value].text;
    return intern_cstr(c->intern, "syscall");
}

/*
 * The rule's entry, new or emptied for a redefinition, which keeps its place. NULL: the
 * redefinition is of another source (reported).
 */
static struct rule_def *rule_entry(struct pack *pk, const struct yaml *name, str_id source)
{
    struct comp *c = pk->c;
    uint32_t i = PACK_FIND(&pk->rule_of, name->text);
    struct rule fresh = {
        .name = name->text,
        .source = source,
        .at = name->at,
        .enabled = true,
        .warn_evttypes = true,
        .priority = PRI_DEBUG,
    };
    if (i) {
        struct rule *old = rule_of(pk, &pk->rules.v[i - 1]);
        if (old->source.i != source.i) {
            diag(c, RK0207, name->at, NULL, "rule `%s` was of source %s, and now is of %s",
                 shown(c, name->text), shown(c, old->source), shown(c, source));
            diag_note(c, old->at, "the earlier definition");
            return NULL;
        }
        *old = fresh;
        uint32_t rule = pk->rules.v[i - 1].rule;
        pk->rules.v[i - 1] = (struct rule_def){.rule = rule, .changed = pk->file};
        return &pk->rules.v[i - 1];
    }
    uint32_t rule = VEC_PUSH(c->arena, &c->rules, fresh);
    i = VEC_PUSH(c->arena, &pk->rules, (struct rule_def){.rule = rule, .changed = pk->file});
    PACK_SET(pk, &pk->rule_of, name->text, i);
    return &pk->rules.v[i];
}

/* Reports which of the required keys are missing, all at once. */
static bool has_required(struct pack *pk, uint32_t map, const struct yaml *name)
{
    static const char *const required[] = {"condition", "output", "desc", "priority"};
    struct comp *c = pk->c;
    const char *missing = "";
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        if (!doc_get(c, map, required[i])) {
            missing =
                arena_printf(c->arena, "%s%s`%s`", missing, *missing ? ", " : "", required[i]);
        }
    }
    if (*missing)
        diag(c, RK0201, name->at, NULL, "rule `%s` has no %s", shown(c, name->text), missing);
    return !*missing;
}

/* Another source: the rule is kept by name, so that it can be changed, and never compiled. */
static void leave_out(struct pack *pk, struct rule_def *d, const struct yaml *name, span_id at)
{
    struct comp *c = pk->c;
    struct rule *r = rule_of(pk, d);
    const char *source = STR(c, r->source), *plugin = catalog_source_plugin(source);
    size_t len = STRLEN(c, r->source);
    bool near = !plugin && len < 20 && catalog_distance(source, len, "syscall", 7, 2) <= 2;
    d->foreign = true;
    r->dropped = true;
    diag(c, RK0208, at, near ? "did you mean `syscall`?" : NULL,
         plugin ? "rule `%s` is left out: its source is %s, which plugin %s supplies"
                : "rule `%s` is left out: its source is %s, not syscall",
         shown(c, name->text), shown(c, r->source), plugin);
}

static void define_rule(struct pack *pk, uint32_t map, const struct yaml *name)
{
    struct comp *c = pk->c;
    struct rule_def *d = rule_entry(pk, name, source_of(c, map));
    if (!d)
        return;
    struct rule *r = rule_of(pk, d);
    if (strcmp(STR(c, r->source), "syscall") != 0)
        leave_out(pk, d, name, c->yaml.v[doc_get(c, map, "source")].at);
    bool ok = has_required(pk, map, name);
    ok &= put_condition(pk, map, d, false);
    ok &= put_output(pk, map, d, false);
    text_strip(c, &d->output);
    ok &= put_text(pk, map, "desc", &d->desc, false);
    ok &= put_priority(pk, map, d);
    ok &= put_tags(pk, map, d, false);
    ok &= put_flag(pk, map, "enabled", &r->enabled);
    ok &= put_flag(pk, map, "warn_evttypes", &r->warn_evttypes);
    ok &= put_flag(pk, map, "skip-if-unknown-filter", &r->skip_if_unknown);
    ok &= check_capture(pk, map);
    ok &= put_exceptions(pk, map, d, false);
    r->failed = !ok;
}

/* ---- changes ---- */

static void append_rule(struct pack *pk, uint32_t map, const struct yaml *name)
{
    struct comp *c = pk->c;
    struct rule_def *d = earlier_rule(pk, name, "append to");
    if (!d)
        return;
    bool ok = same_source(pk, map, d);
    if (!doc_get(c, map, "condition") && !doc_get(c, map, "exceptions")) {
        diag(c, RK0246, name->at, NULL, "nothing to append: neither `condition` nor `exceptions`");
        ok = false;
    }
    ok &= put_condition(pk, map, d, true);
    ok &= put_exceptions(pk, map, d, true);
    rule_of(pk, d)->failed |= !ok;
}

/* Every key that could be overridden and is in the item must be listed under `override`. */
static bool all_listed(struct pack *pk, uint32_t map, const enum override_op *op)
{
    bool ok = true;
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        if (!op[i] && doc_get(pk->c, map, rule_keys[i].key)) {
            diag(pk->c, RK0205, doc_key_at(pk->c, map, rule_keys[i].key), NULL,
                 "`%s` is in the item but not listed under `override`", rule_keys[i].key);
            ok = false;
        }
    }
    return ok;
}

static bool override_texts(struct pack *pk, uint32_t map, struct rule_def *d,
                           const enum override_op *op, enum override_op which)
{
    bool append = which == OVERRIDE_APPEND, ok = true;
    if (op[KEY_CONDITION] == which)
        ok &= put_condition(pk, map, d, append);
    if (op[KEY_OUTPUT] == which)
        ok &= put_output(pk, map, d, append);
    if (op[KEY_DESC] == which)
        ok &= put_text(pk, map, "desc", &d->desc, append);
    if (op[KEY_TAGS] == which)
        ok &= put_tags(pk, map, d, append);
    if (op[KEY_EXCEPTIONS] == which)
        ok &= put_exceptions(pk, map, d, append);
    return ok;
}

static void override_rule(struct pack *pk, uint32_t map, const struct yaml *name,
                          const enum override_op *op)
{
    struct rule_def *d = earlier_rule(pk, name, "override");
    if (!d)
        return;
    struct rule *r = rule_of(pk, d);
    bool ok = all_listed(pk, map, op);
    if (op[KEY_CONDITION])
        ok &= same_source(pk, map, d);
    ok &= override_texts(pk, map, d, op, OVERRIDE_APPEND);
    ok &= override_texts(pk, map, d, op, OVERRIDE_REPLACE);
    ok &= put_priority(pk, map, d);
    ok &= put_flag(pk, map, "enabled", &r->enabled);
    ok &= put_flag(pk, map, "warn_evttypes", &r->warn_evttypes);
    ok &= put_flag(pk, map, "skip-if-unknown-filter", &r->skip_if_unknown);
    ok &= check_capture(pk, map);
    r->failed |= !ok;
}

/* An item with none of condition, output, desc and priority only says `enabled`. */
static void enable_rule(struct pack *pk, uint32_t map, const struct yaml *name)
{
    struct comp *c = pk->c;
    if (!doc_get(c, map, "enabled")) {
        has_required(pk, map, name);
        return;
    }
    struct rule_def *d = earlier_rule(pk, name, "enable or disable");
    diag(c, RK0209, name->at, "write `override: {enabled: replace}`",
         "an item with nothing but `enabled` is the old way to switch a rule");
    if (d)
        put_flag(pk, map, "enabled", &rule_of(pk, d)->enabled);
}

/* An item that is no new rule may leave `source` empty. */
static void check_source(struct comp *c, uint32_t map)
{
    uint32_t value;
    doc_scalar_or_nothing(c, map, "source", &value);
}

static bool is_definition(const struct comp *c, uint32_t map)
{
    return doc_get(c, map, "condition") || doc_get(c, map, "output") || doc_get(c, map, "desc") ||
           doc_get(c, map, "priority");
}

/* How `append: true` of a rule is written today. */
static const char *hint_append(const struct comp *c, uint32_t map)
{
    bool condition = doc_get(c, map, "condition"), exceptions = doc_get(c, map, "exceptions");
    return !exceptions ? "write `override: {condition: append}`"
           : condition ? "write `override: {condition: append, exceptions: append}`"
                       : "write `override: {exceptions: append}`";
}

void pack_add_rule(struct pack *pk, const struct item *item)
{
    struct comp *c = pk->c;
    uint32_t map = item->yaml, name;
    enum override_op op[KEY_COUNT];
    bool present;
    pack_check_keys(pk, map, known_keys);
    if (doc_scalar(c, map, "rule", &name) != DOC_OK)
        return;
    const struct yaml n = c->yaml.v[name];
    diag_set_rule(c, n.text);
    bool ok = pack_read_override(pk, map, rule_keys, KEY_COUNT, op, &present);
    if (!ok) {
        if (PACK_FIND(&pk->rule_of, n.text))
            rule_of(pk, &pk->rules.v[PACK_FIND(&pk->rule_of, n.text) - 1])->failed = true;
    } else if (present) {
        check_source(c, map);
        override_rule(pk, map, &n, op);
    } else if (pack_wants_append(pk, map, hint_append(c, map))) {
        check_source(c, map);
        append_rule(pk, map, &n);
    } else if (!is_definition(c, map)) {
        check_source(c, map);
        enable_rule(pk, map, &n);
    } else {
        define_rule(pk, map, &n);
    }
}
