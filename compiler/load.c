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
#include "items.h"
#include "pipeline.h"
#include "source.h"
#include "text.h"
#include "textmap.h"

#define DEPTH_MAX 64u
#define RESTARTS_MAX 1000u
#define RETRY_MAX (16u << 20) /* bytes that are read again for tabs: is_harmless_tab() */
#define ALIAS_MAX 1000000u    /* values that the aliases of a file may stand for */

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
    bool may_retry;
    uint32_t tab, tab_end; /* READ_AGAIN: blanks to be read as spaces */
    span_id begins;        /* see struct document */
    VEC(struct document) docs;
};

/* Byte offset in the file of libyaml's character `index`. Indices mostly go up, by little. */
static uint32_t byte_of(struct loader *l, size_t index)
{
    while (l->at_char < index && l->at_byte < l->len) {
        l->at_byte++;
        while (l->at_byte < l->len && ((unsigned char)l->text[l->at_byte] & 0xc0) == 0x80)
            l->at_byte++;
        l->at_char++;
    }
    while (l->at_char > index && l->at_byte > 0) {
        l->at_byte--;
        while (l->at_byte > 0 && ((unsigned char)l->text[l->at_byte] & 0xc0) == 0x80)
            l->at_byte--;
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
    if (!name)
        return 0;
    struct arena *a = l->c->arena;
    str_id s = intern_cstr(l->c->intern, (const char *)name);
    while (l->anchor_of.n <= s.i)
        VEC_PUSH(a, &l->anchor_of, 0);
    l->anchor_of.v[s.i] = VEC_PUSH(a, &l->anchors, (struct anchor){s, yaml, l->doc, open}) + 1;
    return l->anchors.n;
}

static bool is_null(const yaml_event_t *e)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || !e->data.scalar.plain_implicit)
        return false;
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        if (!strcmp((const char *)e->data.scalar.value, nulls[i]))
            return e->data.scalar.length == strlen(nulls[i]);
    return false;
}

/* libyaml's start includes `&anchor` and `!tag`: behind them, and the blanks that follow. */
static uint32_t skip_properties(const char *src, uint32_t s, uint32_t end)
{
    for (;;) {
        if (s < end && (src[s] == '&' || src[s] == '!'))
            while (s < end && !is_blank(src[s]))
                s++;
        else if (s < end && src[s] == '#')
            while (s < end && src[s] != '\n')
                s++;
        else if (s < end && is_blank(src[s]))
            s++;
        else
            return s;
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
    if (e->data.scalar.anchor || e->data.scalar.tag)
        from = skip_properties(src, from, to);
    /* A block scalar ends behind the blank lines that follow it. */
    uint32_t shown = to;
    while (shown > from && is_blank(src[shown - 1]))
        shown--;
    struct yaml y = {
        .kind = is_null(e) ? YAML_NULL : YAML_SCALAR,
        .quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE,
        .text = intern_put(c->intern, (const char *)e->data.scalar.value, e->data.scalar.length),
        .at = place(l, from, shown),
    };
    if (y.kind == YAML_SCALAR)
        textmap_build(c, &y, style_of(e), src, from, to);
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
    for (uint32_t i = o.kid0; i < l->kids.n; i++)
        VEC_PUSH(c->arena, &c->ykids, l->kids.v[i]);
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
    if (o.anchor)
        l->anchors.v[o.anchor - 1].open = false;
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

/* ---- the loop ---- */

/* What a file is that is no UTF-8, if its first bytes tell. */
static const char *hint_file(const struct loader *l)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *hint;
    } rows[] = {
        {"\177ELF", 4, "this is a program or a bundle; rules are wanted here"},
        {"\xff\xfe", 2, "this is UTF-16: iconv -f UTF-16 -t UTF-8"},
        {"\xfe\xff", 2, "this is UTF-16: iconv -f UTF-16 -t UTF-8"},
        {"-\0", 2, "this is UTF-16: iconv -f UTF-16LE -t UTF-8"},
        {"\0-", 2, "this is UTF-16: iconv -f UTF-16BE -t UTF-8"},
    };
    size_t len;
    const char *text = source_text(l->c->sources, l->file, &len);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (len >= rows[i].len && !memcmp(text, rows[i].bytes, rows[i].len))
            return rows[i].hint;
    return NULL;
}

/* What to do about the mistakes that are made most often, in libyaml's words. */
static const char *hint_yaml(const char *problem)
{
    static const struct {
        const char *problem, *hint;
    } rows[] = {
        {"mapping values are not allowed in this context",
         "a value with `: ` in it needs quotes, or stands below a `>`"},
        {"found character that cannot start any token",
         "a value that begins with %, @ or ` needs quotes; indent with blanks, not tabs"},
        {"found a tab character that violates indentation", "indent with blanks"},
        {"found unknown escape character", "in single quotes a backslash is no escape"},
        {"did not find expected key",
         "the line is indented otherwise than the keys above, or goes on behind closing quotes"},
        {"did not find expected '-' indicator", "the line is indented otherwise than those above"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!strcmp(problem, rows[i].problem))
            return rows[i].hint;
    return NULL;
}

static void yaml_error(struct loader *l, const yaml_parser_t *p)
{
    struct comp *c = l->c;
    const char *problem = p->problem ? p->problem : "no reason given";
    if (p->error == YAML_READER_ERROR) {
        /* Here, and only here, libyaml gives a place in bytes, and no mark. */
        uint32_t off = l->base + (uint32_t)p->problem_offset;
        diag(c, RK0104, place(l, off, off + 1), hint_file(l), "not text: %s", problem);
        return;
    }
    uint32_t off = byte_of(l, p->problem_mark.index);
    span_id at = place(l, off, off + 1);
    diag(c, RK0105, at, hint_yaml(problem), "not YAML: %s", problem);
    if (p->context && p->context_mark.index != p->problem_mark.index) {
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
        VEC_PUSH(l->c->arena, &l->docs, (struct document){l->root, l->begins});
        l->begins = (span_id){0};
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
        strcmp(p->problem, "did not find expected <document start>") != 0)
        return false;
    const char *src = l->text - l->base;
    uint32_t off = byte_of(l, p->problem_mark.index);
    while (off > l->base && (src[off - 1] == ' ' || src[off - 1] == '\t'))
        off--;
    *at = off;
    return off > l->base && (src[off - 1] == '\n' || src[off - 1] == '\r');
}

/* `...` is the last thing before this place. */
static bool ends_document(const struct loader *l, uint32_t at)
{
    const char *src = l->text - l->base;
    while (at > l->base && is_blank(src[at - 1]))
        at--;
    return at >= l->base + 3 && !memcmp(src + at - 3, "...", 3);
}

static void read_events(struct loader *l, yaml_parser_t *p)
{
    for (bool more = true; more;) {
        yaml_event_t e;
        if (!yaml_parser_parse(p, &e))
            return;
        more = on_event(l, &e) && e.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
}

/* A member of a block sequence that is one word or more, and no mapping. */
static bool is_plain_member(const char *src, uint32_t line, uint32_t tab, uint32_t from,
                            uint32_t end)
{
    while (line < tab && src[line] == ' ')
        line++;
    return line + 1 == tab && src[line] == '-' && src[end - 1] != ':' &&
           !memmem(src + from, end - from, ": ", 2) && !strchr("-?[{&*!|>%@`\"'", src[from]);
}

/* Whether a plain or block scalar may go on at this place, the beginning of a line. */
static bool in_scalar(const char *src, uint32_t first, uint32_t at)
{
    while (at > first && is_blank(src[at - 1]))
        at--;
    uint32_t line = at;
    while (line > first && src[line - 1] != '\n' && src[line - 1] != '\r')
        line--;
    for (uint32_t i = line; i < at; i++)
        if (src[i] == '#' && (i == line || is_blank(src[i - 1])))
            return false;
    return at > first && !strchr("\"':]}", src[at - 1]);
}

/*
 * libyaml takes no tab where a token may begin, Falco's reader does: before a comment, in a line of
 * blanks, if no scalar may go on there; behind the `-` of a plain member. True if the error is such
 * a tab: `from`..`to` are blanks.
 */
static bool is_harmless_tab(struct loader *l, const yaml_parser_t *p, uint32_t *from, uint32_t *to)
{
    const char *src = l->text - l->base;
    uint32_t size = l->base + l->len, off = byte_of(l, p->problem_mark.index), line = off;
    if (p->error != YAML_SCANNER_ERROR || off >= size || src[off] != '\t')
        return false;
    *from = *to = off;
    while (*to < size && (src[*to] == ' ' || src[*to] == '\t'))
        ++*to;
    while (line > l->base && src[line - 1] != '\n' && src[line - 1] != '\r')
        line--;
    uint32_t end = *to;
    while (end < size && src[end] != '\n' && src[end] != '\r')
        end++;
    if (end == *to || src[*to] == '#')
        return !in_scalar(src, l->base, line);
    return is_plain_member(src, line, off, *to, end);
}

enum outcome { READ_ALL, READ_MORE, READ_AGAIN };

/* What an error is answered with; it is reported unless there is a way on. */
static enum outcome after_error(struct loader *l, const yaml_parser_t *p)
{
    uint32_t from;
    if (begins_document(l, p, &from)) {
        if (!ends_document(l, from))
            l->begins = place(l, from, from + 1);
        move_to(l, from);
        return READ_MORE;
    }
    if (l->may_retry && is_harmless_tab(l, p, &l->tab, &l->tab_end))
        return READ_AGAIN;
    yaml_error(l, p);
    return READ_ALL;
}

/* Reads from l->text on. READ_MORE: l->text has been moved to what follows. */
static enum outcome read_stream(struct loader *l, int *err)
{
    yaml_parser_t p;
    enum outcome out = READ_ALL;
    if (!yaml_parser_initialize(&p)) {
        *err = -ENOMEM;
        return READ_ALL;
    }
    yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p, (const unsigned char *)l->text, l->len);
    read_events(l, &p);
    if (p.error == YAML_MEMORY_ERROR)
        *err = -ENOMEM;
    else if (p.error != YAML_NO_ERROR)
        out = after_error(l, &p);
    yaml_parser_delete(&p);
    return out;
}

int pass_load(struct comp *c, uint32_t file)
{
    size_t len;
    const char *text = source_text(c->sources, file, &len);
    /* Left to libyaml, the mark would either be taken for UTF-16 or shift the first line. */
    uint32_t base = len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
    uint64_t read = 0;
    for (char *copy = NULL;; text = copy) {
        struct loader l = {
            .c = c,
            .file = file,
            .text = text + base,
            .base = base,
            .len = (uint32_t)len - base,
            .first = c->yaml.n,
            .may_retry = (read += len) < RETRY_MAX,
        };
        int err = 0;
        enum outcome out;
        while ((out = read_stream(&l, &err)) == READ_MORE) {}
        if (out == READ_ALL) {
            items_add(c, file, l.docs.v, l.docs.n);
            return err;
        }
        if (!copy) {
            copy = arena_alloc(c->arena, len + 1);
            memcpy(copy, text, len);
        }
        memset(copy + l.tab, ' ', l.tab_end - l.tab);
    }
}
