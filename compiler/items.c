/* SPDX-License-Identifier: Apache-2.0 */
#include "items.h"

#include <string.h>

#include "arena.h"
#include "diag.h"
#include "intern.h"

/* The kind of an item is the first of these keys that it has, whatever their order in the file. */
static const struct {
    const char *key;
    enum item_kind kind;
} item_keys[] = {
    {"required_engine_version", ITEM_ENGINE},
    {"required_plugin_versions", ITEM_PLUGINS},
    {"list", ITEM_LIST},
    {"macro", ITEM_MACRO},
    {"rule", ITEM_RULE},
};
#define ITEM_KEYS (sizeof(item_keys) / sizeof(item_keys[0]))

static enum item_kind item_kind(const struct comp *c, const struct yaml *map)
{
    size_t best = ITEM_KEYS;
    for (uint32_t i = 0; i < map->nkid; i += 2) {
        const struct yaml *key = &c->yaml.v[c->ykids.v[map->kid0 + i]];
        for (size_t k = 0; key->kind == YAML_SCALAR && k < best; k++)
            if (!strcmp(STR(c, key->text), item_keys[k].key))
                best = k;
    }
    return best < ITEM_KEYS ? item_keys[best].kind : ITEM_NONE;
}

/* A key that is meant to be one of item_keys, or NULL. */
static const char *near_item_key(const char *key, size_t len)
{
    for (size_t k = 0; k < ITEM_KEYS; k++) {
        const char *name = item_keys[k].key;
        if (catalog_distance(key, len, name, strlen(name), 2) <= 2)
            return name;
    }
    return NULL;
}

static void unknown_item(struct comp *c, const struct yaml *map)
{
    const char *hint = NULL;
    span_id at = map->at;
    for (uint32_t i = 0; i < map->nkid && !hint; i += 2) {
        const struct yaml *key = &c->yaml.v[c->ykids.v[map->kid0 + i]];
        size_t len = key->kind == YAML_SCALAR ? STRLEN(c, key->text) : 0;
        const char *near = len && len < 40 ? near_item_key(STR(c, key->text), len) : NULL;
        if (near) {
            at = key->at;
            hint = arena_printf(c->arena, "did you mean `%s`?", near);
        }
    }
    diag(c, RK0110, at, hint, "this is neither a rule nor a macro nor a list, and is skipped");
}

static void add_item(struct comp *c, uint32_t file, uint32_t yaml)
{
    const struct yaml *y = &c->yaml.v[yaml];
    if (y->kind == YAML_NULL)
        return;
    if (y->kind != YAML_MAP) {
        diag(c, RK0109, y->at, NULL, "an item must be a mapping, such as `rule: NAME`");
        return;
    }
    enum item_kind kind = item_kind(c, y);
    if (kind == ITEM_NONE) {
        unknown_item(c, y);
        return;
    }
    VEC_PUSH(c->arena, &c->items,
             (struct item){.kind = kind, .yaml = yaml, .at = y->at, .doc_file = file});
}

static void add_document(struct comp *c, uint32_t file, const struct document *d)
{
    const struct yaml root = c->yaml.v[d->root];
    if (d->begins.i) {
        diag(c, RK0114, d->begins, "indent it like the items above, or write `---`",
             "a new document begins here: the line is no part of the sequence above");
    }
    if (root.kind == YAML_SEQ) {
        for (uint32_t i = 0; i < root.nkid; i++)
            add_item(c, file, c->ykids.v[root.kid0 + i]);
    } else if (root.kind != YAML_NULL) {
        diag(c, RK0108, root.at, root.kind == YAML_MAP ? "begin each item with `- `" : NULL,
             "a rules file is a sequence of items");
    }
}

void items_add(struct comp *c, uint32_t file, const struct document *docs, uint32_t n)
{
    bool empty = false;
    for (uint32_t i = 0; i < n; i++) {
        const struct yaml *root = &c->yaml.v[docs[i].root];
        if (root->kind == YAML_NULL) {
            empty = true;
        } else if (empty) {
            empty = false;
            /* Falco stops there; whoever wrote something behind it wants it read. */
            diag(c, RK0113, root->at, "take out the `---` with nothing behind it",
                 "Falco does not read what stands behind an empty document");
        }
        add_document(c, file, &docs[i]);
    }
}
