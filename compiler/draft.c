/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands where a file ends must compile as it stands, even if a later file changes it: each
 * file is loaded on top of those before it. What no later file changes is compiled at the end, with
 * everything else. The rest is compiled here, for its errors alone: the rules and macros that a
 * later file changes, or whose lists and macros it changes. Such rules become comp.drafts.
 *
 * To find them costs a look at every word of the store for each such file. What goes beyond
 * DRAFT_WORDS_MAX words is left to the end: only a mistake that a later file mends is then missed.
 */
#include "pack.h"

#include <string.h>

#include "arena.h"
#include "diag.h"
#include "doc.h"
#include "intern.h"

/* ---- words ---- */

typedef void word_fn(struct pack *pk, str_id word, void *context);

static bool ends_word(char ch)
{
    return is_blank(ch) || ch == '(' || ch == ')' || ch == ',' || ch == '=';
}

static void each_word(struct pack *pk, const char *s, size_t len, word_fn *fn, void *context)
{
    for (size_t i = 0, from = 0; i <= len; i++) {
        if (i < len && !ends_word(s[i]))
            continue;
        str_id word = intern_find(pk->c->intern, s + from, i - from);
        if (word.i)
            fn(pk, word, context);
        from = i + 1;
    }
}

static void each_word_of_yaml(struct pack *pk, uint32_t yaml, word_fn *fn, void *context)
{
    const struct yaml y = pk->c->yaml.v[yaml];
    if (y.kind == YAML_SCALAR)
        each_word(pk, STR(pk->c, y.text), STRLEN(pk->c, y.text), fn, context);
    for (uint32_t i = 0; y.kind == YAML_SEQ && i < y.nkid; i++)
        each_word_of_yaml(pk, doc_elem(pk->c, yaml, i), fn, context);
}

static void each_word_of_rule(struct pack *pk, const struct rule_def *r, word_fn *fn, void *context)
{
    each_word(pk, r->condition.bytes.v, r->condition.bytes.n, fn, context);
    for (uint32_t i = 0; i < r->exceptions.n; i++) {
        const struct exception *e = &r->exceptions.v[i];
        for (uint32_t k = 0; k < e->values.n; k++)
            each_word_of_yaml(pk, e->values.v[k], fn, context);
    }
}

static void mark_word(struct pack *pk, str_id word, void *context)
{
    (void)context;
    uint32_t list = PACK_FIND(&pk->list_of, word), macro = PACK_FIND(&pk->macro_of, word);
    if (list)
        pk->lists.v[list - 1].used = true;
    if (macro)
        pk->macros.v[macro - 1].used = true;
}

void draft_mark_used(struct pack *pk, const struct rule_def *r)
{
    each_word_of_rule(pk, r, mark_word, NULL);
}

/* ---- which file changes a name last ---- */

static struct last_change *last_change(struct pack *pk, enum item_kind kind, str_id name)
{
    struct last_changes *t = &pk->last[kind];
    while (t->n <= name.i)
        VEC_PUSH(pk->c->arena, t, (struct last_change){0, 0});
    return &t->v[name.i];
}

void draft_prepare(struct pack *pk)
{
    static const char *const keys[] = {
        [ITEM_LIST] = "list", [ITEM_MACRO] = "macro", [ITEM_RULE] = "rule"};
    struct comp *c = pk->c;
    for (uint32_t i = 0; i < c->items.n; i++) {
        const struct item *item = &c->items.v[i];
        const char *key = item->kind >= ITEM_LIST ? keys[item->kind] : NULL;
        uint32_t name = key ? doc_get(c, item->yaml, key) : 0;
        if (c->yaml.v[name].kind != YAML_SCALAR)
            continue;
        struct last_change *l = last_change(pk, item->kind, c->yaml.v[name].text);
        pk->drafts |= l->last && l->last != item->doc_file;
        l->first = l->first ? l->first : item->doc_file;
        l->last = item->doc_file;
    }
}

bool draft_comes_later(struct pack *pk, str_id macro)
{
    return last_change(pk, ITEM_MACRO, macro)->last > pk->file;
}

/* ---- the names among the words of a text, collected once for each change ---- */

static void keep_name(struct pack *pk, str_id word, void *context)
{
    struct words *w = context;
    pk->draft_words++;
    if (last_change(pk, ITEM_LIST, word)->last || last_change(pk, ITEM_MACRO, word)->last)
        VEC_PUSH(pk->c->arena, w, word);
}

/* True: they are to be collected anew. */
static bool is_stale(struct words *w, uint32_t changed)
{
    bool stale = w->changed != changed;
    w->changed = changed;
    w->n = stale ? 0 : w->n;
    return stale;
}

static const struct words *list_words(struct pack *pk, struct list_def *l)
{
    for (uint32_t i = 0, n = is_stale(&l->words, l->changed) ? l->items.n : 0; i < n; i++)
        each_word_of_yaml(pk, l->items.v[i], keep_name, &l->words);
    return &l->words;
}

static const struct words *macro_words(struct pack *pk, struct macro_def *m)
{
    if (is_stale(&m->words, m->changed))
        each_word(pk, m->condition.bytes.v, m->condition.bytes.n, keep_name, &m->words);
    return &m->words;
}

static const struct words *rule_words(struct pack *pk, struct rule_def *r)
{
    if (is_stale(&r->words, r->changed))
        each_word_of_rule(pk, r, keep_name, &r->words);
    return &r->words;
}

/* ---- what has to be looked at ---- */

/* FRESH: changed in this file. LATER: a file behind it changes it. */
enum { FRESH = 1, LATER = 2, BOTH = 3 };

struct bits {
    uint8_t *lists, *macros;
    uint8_t now; /* of what is being looked at */
};

static uint8_t own_bits(struct pack *pk, enum item_kind kind, str_id name, uint32_t changed)
{
    return (uint8_t)((changed == pk->file ? FRESH : 0) |
                     (last_change(pk, kind, name)->last > pk->file ? LATER : 0));
}

static void add_bits(struct pack *pk, struct bits *b, const struct words *w)
{
    for (uint32_t i = 0; b->now != BOTH && i < w->n; i++) {
        uint32_t list = PACK_FIND(&pk->list_of, w->v[i]);
        uint32_t macro = PACK_FIND(&pk->macro_of, w->v[i]);
        b->now |= list ? b->lists[list - 1] : 0;
        b->now |= macro ? b->macros[macro - 1] : 0;
    }
    pk->draft_words += w->n;
}

static bool set_bits(uint8_t *bits, uint8_t now)
{
    bool changed = *bits != now;
    *bits = now;
    return changed;
}

/* One round over lists and macros; true if it changed something. */
static bool spread_bits(struct pack *pk, struct bits *b)
{
    bool changed = false;
    for (uint32_t i = 0; i < pk->lists.n; i++) {
        struct list_def *l = &pk->lists.v[i];
        b->now = b->lists[i] | own_bits(pk, ITEM_LIST, l->name, l->changed);
        add_bits(pk, b, list_words(pk, l));
        changed |= set_bits(&b->lists[i], b->now);
    }
    for (uint32_t i = 0; i < pk->macros.n; i++) {
        struct macro_def *m = &pk->macros.v[i];
        b->now = b->macros[i] | own_bits(pk, ITEM_MACRO, m->name, m->changed);
        add_bits(pk, b, macro_words(pk, m));
        changed |= set_bits(&b->macros[i], b->now);
    }
    return changed;
}

/* Something that a file up to this one defines is changed by one behind it. */
static bool any_later(const struct pack *pk)
{
    for (unsigned kind = ITEM_LIST; kind <= ITEM_RULE; kind++) {
        for (uint32_t i = 0; i < pk->last[kind].n; i++) {
            const struct last_change *l = &pk->last[kind].v[i];
            if (l->first && l->first <= pk->file && l->last > pk->file)
                return true;
        }
    }
    return false;
}

static void draft_rule(struct pack *pk, const struct rule_def *def)
{
    struct comp *c = pk->c;
    struct rule_def d = *def;
    struct rule r = c->rules.v[d.rule];
    if (r.failed || d.foreign)
        return;
    resolve_rule(pk, &d, &r);
    if (!r.failed && r.condition.i)
        VEC_PUSH(c->arena, &c->drafts, r);
}

/* As if nothing had been compiled yet. */
static void reset(struct pack *pk)
{
    for (uint32_t i = 0; i < pk->lists.n; i++) {
        pk->lists.v[i].text = (struct text){0};
        pk->lists.v[i].ready = false;
        pk->lists.v[i].used = false;
    }
    for (uint32_t i = 0; i < pk->macros.n; i++) {
        struct macro_def *m = &pk->macros.v[i];
        m->state = MACRO_TODO;
        m->node = (node_id){0};
        m->used = false;
    }
}

static void compile(struct pack *pk, struct bits *b)
{
    for (uint32_t i = 0; i < pk->macros.n; i++)
        if (b->macros[i] == BOTH)
            bind_one(pk, &pk->macros.v[i]);
    for (uint32_t i = 0; i < pk->rules.n; i++) {
        struct rule_def *r = &pk->rules.v[i];
        b->now = own_bits(pk, ITEM_RULE, pk->c->rules.v[r->rule].name, r->changed);
        add_bits(pk, b, rule_words(pk, r));
        if (b->now == BOTH)
            draft_rule(pk, r);
    }
    reset(pk);
}

void draft_file(struct pack *pk)
{
    struct comp *c = pk->c;
    if (!pk->drafts || pk->draft_words > DRAFT_WORDS_MAX || !any_later(pk))
        return;
    struct bits b = {
        .lists = arena_alloc(c->arena, pk->lists.n),
        .macros = arena_alloc(c->arena, pk->macros.n),
    };
    while (spread_bits(pk, &b) && pk->draft_words <= DRAFT_WORDS_MAX) {}
    diag_set_draft(c, true);
    pk->draft = true;
    compile(pk, &b);
    pk->draft = false;
    diag_set_draft(c, false);
}
