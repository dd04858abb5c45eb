/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML text -> values with places -> items. libyaml's events are read in one loop, without
 * recursion: depth is a number here. An alias shares the value of its anchor; what all of them
 * would come to if written out is counted, so that later passes may walk values as a tree.
 */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "arena.h"
#include "diag.h"
#include "intern.h"
#include "pipeline.h"
#include "source.h"
#include "text.h"
#include "textmap.h"

#define DEPTH_MAX 64u
#define RESTARTS_MAX 1000u
#define ALIAS_MAX 1000000u /* values that the aliases of a file may stand for */

struct anchor {
    str_id name;
    uint32_t yaml;
    uint32_t doc; /* anchors last until their document's end */
    bool open;    /* its end has not been read */
};

struct open {
    uint32_t yaml;
    uint32_t kid0;   /* in loader.kids */
    uint32_t weight; /* values below it, aliases written out */
    uint32_t anchor; /* 1 + index, or 0 */
};

struct loader {
    struct comp *c;
    uint32_t file;
    const char *text; /* what libyaml reads: without byte order mark, without what was read */
    uint32_t base;    /* bytes before it */
    uint32_t len;
    uint32_t at_char, at_byte; /* libyaml counts characters; where the last look-up was */
    struct open open[DEPTH_MAX];
    uint32_t depth;
    VEC(uint32_t) kids; /* of all open collections, those of the innermost last */
    VEC(struct anchor) anchors;
    VEC(uint32_t) anchor_of; /* by str_id: 1 + index of the newest of that name */
    uint32_t doc;
    VEC(uint32_t) weights; /* by yaml index - first */
    uint32_t first;
    uint32_t aliased;
    uint32_t root;     /* of the document that is being read */
    uint32_t restarts; /* of libyaml: begins_document() */
    bool empty_doc;    /* a document with nothing in it came before */
};

/* Byte offset in the file of libyaml's character `index`. Indices mostly go up, by little. */
static uint32_t byte_of(struct loader *l, size_t index)
{
    while (l->at_char < index && l->at_byte < l->len) {
        l->at_byte++;
        while (l->at_byte < l->len && ((unsigned char)l->text[l->at_byte] & 0xc0) == 0x80) {
            l->at_byte++;
        }
        l->at_char++;
    }
    while (l->at_char > index && l->at_byte > 0) {
        l->at_byte--;
        while (l->at_byte > 0 && ((unsigned char)l->text[l->at_byte] & 0xc0) == 0x80) {
            l->at_byte--;
        }
        l->at_char--;
    }
    return l->base + l->at_byte;
}

/* The parser's text begins at this offset in the file. */
static void move_to(struct loader *l, uint32_t off)
{
    l->text += off - l->base;
    l->len -= off - l->base;
    l->base = off;
    l->at_char = l->at_byte = 0;
    l->restarts++;
}

static span_id place(struct loader *l, uint32_t from, uint32_t to)
{
    return span_new(l->c, (struct span){.file = l->file, .off = from, .len = to - from});
}

static span_id event_place(struct loader *l, const yaml_event_t *e)
{
    uint32_t from = byte_of(l, e->start_mark.index);
    return place(l, from, byte_of(l, e->end_mark.index));
}

static uint32_t add_yaml(struct loader *l, struct yaml y)
{
    VEC_PUSH(l->c->arena, &l->weights, 1);
    return VEC_PUSH(l->c->arena, &l->c->yaml, y);
}

/* Puts a finished value where it belongs: into the innermost collection, or as the document. */
static void add_kid(struct loader *l, uint32_t yaml)
{
    if (!l->depth) {
        l->root = yaml;
        return;
    }
    struct open *o = &l->open[l->depth - 1];
    o->weight += l->weights.v[yaml - l->first];
    VEC_PUSH(l->c->arena, &l->kids, yaml);
}

/* 1 + the index of the anchor, or 0 where there is none. */
static uint32_t add_anchor(struct loader *l, const yaml_char_t *name, uint32_t yaml, bool open)
{
    if (!name) {
        return 0;
    }
    struct arena *a = l->c->arena;
    str_id s = intern_cstr(l->c->intern, (const char *)name);
    while (l->anchor_of.n <= s.i) {
        VEC_PUSH(a, &l->anchor_of, 0);
    }
    l->anchor_of.v[s.i] = VEC_PUSH(a, &l->anchors, (struct anchor){s, yaml, l->doc, open}) + 1;
    return l->anchors.n;
}

static bool is_null(const yaml_event_t *e)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || !e->data.scalar.plain_implicit) {
        return false;
    }
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        if (!strcmp((const char *)e->data.scalar.value, nulls[i])) {
            return e->data.scalar.length == strlen(nulls[i]);
        }
    }
    return false;
}

/* libyaml's start includes `&anchor` and `!tag`: behind them, and the blanks that follow. */
static uint32_t skip_properties(const char *src, uint32_t s, uint32_t end)
{
    for (;;) {
        if (s < end && (src[s] == '&' || src[s] == '!')) {
            while (s < end && !is_blank(src[s])) {
                s++;
            }
        } else if (s < end && src[s] == '#') {
            while (s < end && src[s] != '\n') {
                s++;
            }
        } else if (s < end && is_blank(src[s])) {
            s++;
        } else {
            return s;
        }
    }
}

static enum scalar_style style_of(const yaml_event_t *e)
{
    switch (e->data.scalar.style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return SCALAR_SINGLE;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return SCALAR_DOUBLE;
    case YAML_LITERAL_SCALAR_STYLE:
        return SCALAR_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE:
        return SCALAR_FOLDED;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE:
        break;
    }
    return SCALAR_PLAIN;
}

static void on_scalar(struct loader *l, const yaml_event_t *e)
{
    struct comp *c = l->c;
    uint32_t from = byte_of(l, e->start_mark.index), to = byte_of(l, e->end_mark.index);
    const char *src = l->text - l->base;
    if (e->data.scalar.anchor || e->data.scalar.tag) {
        from = skip_properties(src, from, to);
    }
    /* A block scalar ends behind the blank lines that follow it. */
    uint32_t shown = to;
    while (shown > from && is_blank(src[shown - 1])) {
        shown--;
    }
    struct yaml y = {
        .kind = is_null(e) ? YAML_NULL : YAML_SCALAR,
        .quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE,
        .text = intern_put(c->intern, (const char *)e->data.scalar.value, e->data.scalar.length),
        .at = place(l, from, shown),
    };
    if (y.kind == YAML_SCALAR) {
        textmap_build(c, &y, style_of(e), src, from, to);
    }
    uint32_t yaml = add_yaml(l, y);
    add_anchor(l, e->data.scalar.anchor, yaml, false);
    add_kid(l, yaml);
}

static bool on_start(struct loader *l, const yaml_event_t *e, enum yaml_kind kind,
                     const yaml_char_t *anchor)
{
    span_id at = event_place(l, e);
    if (l->depth == DEPTH_MAX) {
        diag(l->c, RK0106, at, NULL, "YAML is nested more than %u deep", DEPTH_MAX);
        return false;
    }
    uint32_t yaml = add_yaml(l, (struct yaml){.kind = kind, .at = at});
    l->open[l->depth++] = (struct open){
        .yaml = yaml,
        .kid0 = l->kids.n,
        .weight = 1,
        .anchor = add_anchor(l, anchor, yaml, true),
    };
    return true;
}

static void on_end(struct loader *l, const yaml_event_t *e)
{
    struct comp *c = l->c;
    struct open o = l->open[--l->depth];
    struct yaml *y = &c->yaml.v[o.yaml];
    y->kid0 = c->ykids.n;
    y->nkid = l->kids.n - o.kid0;
    for (uint32_t i = o.kid0; i < l->kids.n; i++) {
        VEC_PUSH(c->arena, &c->ykids, l->kids.v[i]);
    }
    l->kids.n = o.kid0;
    /* A block collection's end is seen where the next thing begins: take its last value's. */
    struct span *at = &c->spans.v[y->at.i];
    uint32_t end = byte_of(l, e->end_mark.index);
    if (y->nkid && e->start_mark.index == e->end_mark.index) {
        const struct span *last = &c->spans.v[c->yaml.v[c->ykids.v[c->ykids.n - 1]].at.i];
        end = last->via.i ? end : last->off + last->len;
    }
    at->len = end > at->off ? end - at->off : 0;
    /* Its start gave it a weight: weights.v is there. */
    l->weights.v[o.yaml - l->first] = o.weight; // NOLINT(clang-analyzer-core.NullDereference)
    if (o.anchor) {
        l->anchors.v[o.anchor - 1].open = false;
    }
    add_kid(l, o.yaml);
}

/* The newest anchor of that name: a name may be given again. */
static const struct anchor *find_anchor(const struct loader *l, str_id name)
{
    uint32_t i = name.i < l->anchor_of.n ? l->anchor_of.v[name.i] : 0;
    const struct anchor *a = i ? &l->anchors.v[i - 1] : NULL;
    return a && a->doc == l->doc ? a : NULL;
}

static bool on_alias(struct loader *l, const yaml_event_t *e)
{
    struct comp *c = l->c;
    const char *text = (const char *)e->data.alias.anchor;
    const char *word = diag_word(c, text, strlen(text));
    str_id name = intern_cstr(c->intern, text);
    span_id at = event_place(l, e);
    const struct anchor *a = find_anchor(l, name);
    if (!a || a->open) {
        diag(c, RK0107, at, NULL,
             a ? "alias `*%s` stands inside what it names" : "alias `*%s` names nothing above it",
             word);
        return false;
    }
    uint32_t weight = l->weights.v[a->yaml - l->first];
    if (weight > ALIAS_MAX - l->aliased) {
        diag(c, RK0107, at, NULL, "aliases stand for more than %u values", ALIAS_MAX);
        return false;
    }
    l->aliased += weight;
    struct yaml y = c->yaml.v[a->yaml];
    y.at = span_used(c, y.at, at, intern_cstr(c->intern, arena_printf(c->arena, "alias %s", word)));
    uint32_t yaml = add_yaml(l, y);
    l->weights.v[yaml - l->first] = weight;
    add_kid(l, yaml);
    return true;
}

/* ---- documents to items ---- */

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
#define ITEM_KEYS (sizeof item_keys / sizeof item_keys[0])

static enum item_kind item_kind(const struct comp *c, const struct yaml *map)
{
    size_t best = ITEM_KEYS;
    for (uint32_t i = 0; i < map->nkid; i += 2) {
        const struct yaml *key = &c->yaml.v[c->ykids.v[map->kid0 + i]];
        for (size_t k = 0; key->kind == YAML_SCALAR && k < best; k++) {
            if (!strcmp(STR(c, key->text), item_keys[k].key)) {
                best = k;
            }
        }
    }
    return best < ITEM_KEYS ? item_keys[best].kind : ITEM_NONE;
}

/* A key that is meant to be one of item_keys, or NULL. */
static const char *near_item_key(const char *key, size_t len)
{
    for (size_t k = 0; k < ITEM_KEYS; k++) {
        const char *name = item_keys[k].key;
        if (catalog_distance(key, len, name, strlen(name), 2) <= 2) {
            return name;
        }
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

static void add_item(struct loader *l, uint32_t yaml)
{
    struct comp *c = l->c;
    const struct yaml *y = &c->yaml.v[yaml];
    if (y->kind == YAML_NULL) {
        return;
    }
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
             (struct item){.kind = kind, .yaml = yaml, .at = y->at, .doc_file = l->file});
}

/* Falco reads nothing behind an empty document; whoever wrote something there wants it read. */
static void after_empty(struct loader *l, const struct yaml *root)
{
    if (root->kind == YAML_NULL) {
        l->empty_doc = true;
    } else if (l->empty_doc) {
        l->empty_doc = false;
        diag(l->c, RK0113, root->at, "take out the `---` with nothing behind it",
             "Falco does not read what stands behind an empty document");
    }
}

static void add_document(struct loader *l)
{
    struct comp *c = l->c;
    const struct yaml root = c->yaml.v[l->root];
    after_empty(l, &root);
    if (root.kind == YAML_SEQ) {
        for (uint32_t i = 0; i < root.nkid; i++) {
            add_item(l, c->ykids.v[root.kid0 + i]);
        }
    } else if (root.kind != YAML_NULL) {
        diag(c, RK0108, root.at, root.kind == YAML_MAP ? "begin each item with `- `" : NULL,
             "a rules file is a sequence of items");
    }
}

/* ---- the loop ---- */

static void yaml_error(struct loader *l, const yaml_parser_t *p)
{
    struct comp *c = l->c;
    const char *problem = p->problem ? p->problem : "no reason given";
    if (p->error == YAML_READER_ERROR) {
        /* Here, and only here, libyaml gives a place in bytes, and no mark. */
        uint32_t off = l->base + (uint32_t)p->problem_offset;
        diag(c, RK0104, place(l, off, off + 1), NULL, "not text: %s", problem);
        return;
    }
    uint32_t off = byte_of(l, p->problem_mark.index);
    span_id at = place(l, off, off + 1);
    diag(c, RK0105, at, NULL, "not YAML: %s", problem);
    if (p->context) {
        uint32_t from = byte_of(l, p->context_mark.index);
        diag_note(c, place(l, from, from + 1), "%s", p->context);
    }
}

/* False: an error was reported, and the rest of the file is not read. */
static bool on_event(struct loader *l, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        l->root = 0;
        l->doc++;
        return true;
    case YAML_DOCUMENT_END_EVENT:
        add_document(l);
        return true;
    case YAML_SCALAR_EVENT:
        on_scalar(l, e);
        return true;
    case YAML_SEQUENCE_START_EVENT:
        return on_start(l, e, YAML_SEQ, e->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return on_start(l, e, YAML_MAP, e->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(l, e);
        return true;
    case YAML_ALIAS_EVENT:
        return on_alias(l, e);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
        break;
    }
    return true;
}

/*
 * Between documents libyaml wants `---`. Falco's reader does not: where a sequence ends because a
 * line is indented less than it, or behind `...`, the next document begins. True if the text goes
 * on like that, from `*at`, the beginning of a line.
 */
static bool begins_document(struct loader *l, const yaml_parser_t *p, uint32_t *at)
{
    if (p->error != YAML_PARSER_ERROR || !p->problem || l->depth || l->restarts == RESTARTS_MAX ||
        strcmp(p->problem, "did not find expected <document start>") != 0) {
        return false;
    }
    const char *src = l->text - l->base;
    uint32_t off = byte_of(l, p->problem_mark.index);
    while (off > l->base && (src[off - 1] == ' ' || src[off - 1] == '\t')) {
        off--;
    }
    *at = off;
    return off > l->base && (src[off - 1] == '\n' || src[off - 1] == '\r');
}

static void read_events(struct loader *l, yaml_parser_t *p)
{
    for (bool more = true; more;) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e)) {
            return;
        }
        more = on_event(l, &e) && e.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
}

/* Reads from l->text on. False: there is more, which l->text has been moved to. */
static bool read_stream(struct loader *l, int *err)
{
    yaml_parser_t p;
    uint32_t at = 0;
    if (!yaml_parser_initialize(&p)) {
        *err = -ENOMEM;
        return true;
    }
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)l->text, l->len);
    read_events(l, &p);
    bool more = begins_document(l, &p, &at);
    if (p.error == YAML_MEMORY_ERROR) {
        *err = -ENOMEM;
    } else if (more) {
        diag(l->c, RK0114, place(l, at, at + 1), "indent it like the items above, or write `---`",
             "a new document begins here: the line is no part of the sequence above");
        move_to(l, at);
    } else if (p.error != YAML_NO_ERROR) {
        yaml_error(l, &p);
    }
    yaml_parser_delete(&p);
    return !more;
}

int pass_load(struct comp *c, uint32_t file)
{
    size_t len;
    const char *text = source_text(c->sources, file, &len);
    /* Left to libyaml, the mark would either be taken for UTF-16 or shift the first line. */
    uint32_t base = len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
    struct loader l = {
        .c = c,
        .file = file,
        .text = text + base,
        .base = base,
        .len = (uint32_t)len - base,
        .first = c->yaml.n,
    };
    int err = 0;
    while (!read_stream(&l, &err)) {}
    return err;
}
