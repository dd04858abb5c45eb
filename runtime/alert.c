/* SPDX-License-Identifier: Apache-2.0 */
#include "alert.h"

#include <math.h>

#include "../grammar/ops.h"
#include "get.h"

#define KEYS_MAX 256 /* of output_fields; a template with more shows the rest in its text only */

/* One alert in the making. */
struct writer {
    const struct alert_style *style;
    const struct rpk *p;
    struct record *r;
    const struct rpk_rule *rule;
    const struct match *m;
    struct fmt out;
    size_t limit; /* bytes that a value may take */
};

/* A key of output_fields; ref RPK_NO_REF: the time before the message, which every alert has. */
struct key {
    uint64_t first; /* eight bytes of the text, so that they compare as it does */
    const char *text;
    uint32_t len, ref;
};
struct keys {
    struct key v[KEYS_MAX];
    unsigned n;
};

const char *alert_priority(unsigned priority)
{
    static const char *const names[] = {"Emergency", "Alert",  "Critical",      "Error",
                                        "Warning",   "Notice", "Informational", "Debug"};

    return priority < sizeof(names) / sizeof(names[0]) ? names[priority] : "";
}

static void add_json(struct writer *w, const char *s, size_t n)
{
    fmt_json(&w->out, s, n < w->limit ? n : w->limit);
}

static void add_quoted(struct writer *w, struct rpk_str s)
{
    fmt_char(&w->out, '"');
    fmt_json(&w->out, rpk_text(w->p, s), s.len);
    fmt_char(&w->out, '"');
}

/* How a reference is shown: evt.rawarg as the event's own parameter is; then it is in `room`. */
static const struct field_info *ref_shape(const struct writer *w, uint32_t ref,
                                          struct field_info *room)
{
    const struct rpk_ref *f = &w->p->refs[ref];
    const struct field_info *shape = catalog_field((enum field_id)f->field);
    const struct param_info *param;

    if (f->field != F_evt_rawarg)
        return shape;
    param = catalog_param(
        w->r->h->event,
        (unsigned)catalog_param_index(w->r->h->event, rpk_text(w->p, f->name), f->name.len));
    if (!param)
        return shape;
    *room = *shape;
    room->type = param->type;
    room->format = param->format;
    return room;
}

/* A value as text, in the scratch until the caller takes it back. */
static struct val shown(struct writer *w, struct val v, const struct field_info *shape)
{
    struct fmt t;

    if (!val_here(v))
        return val_text("<NA>", 4);
    if (v.base == BASE_TEXT && !v.is_list)
        return v;
    t = scratch_begin(w->r);
    value_text(&t, v, shape);
    return scratch_end(w->r, &t);
}

static void add_piece(struct writer *w, const struct rpk_piece *piece)
{
    uint32_t used = w->r->used, width = piece->width;
    struct field_info room;
    struct val v;

    if (piece->ref == RPK_NO_REF) {
        fmt_json(&w->out, rpk_text(w->p, piece->text), piece->text.len);
        return;
    }
    v = output_value(w->r, w->p, piece->ref);
    v = shown(w, v, ref_shape(w, piece->ref, &room));
    if (width && v.len > width)
        v.len = width;
    add_json(w, v.text, v.len);
    for (uint32_t i = v.len; i < width && !w->out.full; i++)
        fmt_char(&w->out, ' ');
    w->r->used = used;
}

static enum field_id time_field(const struct writer *w)
{
    return w->style->time_iso8601 ? F_evt_time_iso8601 : F_evt_time;
}

/* Escaped as the inside of a JSON string: so in text, so in JSON. */
static void add_message(struct writer *w)
{
    for (uint32_t i = 0; i < w->rule->pieces.n; i++)
        add_piece(w, &w->p->pieces[w->rule->pieces.off + i]);
}

/* `TIME: Priority MESSAGE` */
static void add_line(struct writer *w)
{
    uint32_t used = w->r->used;
    struct val time = get_field(w->r, time_field(w));

    fmt_add(&w->out, time.text, time.len);
    w->r->used = used;
    fmt_str(&w->out, ": ");
    fmt_str(&w->out, alert_priority(w->rule->priority));
    fmt_char(&w->out, ' ');
    add_message(w);
}

/* A bundle that judges no path says nothing of it, though a recorder had all readings sent. */
static bool has_readings(const struct writer *w)
{
    return (w->r->h->readings & w->p->head->plan.readings) > READ_BIT(READ_KERNEL);
}

static const char *reading_word(const struct writer *w)
{
    return record_reading_name((enum reading)w->m->reading);
}

/* Asked once all else is written: metadata is looked up when a rule or its output names it. */
static bool no_metadata(const struct writer *w)
{
    return w->r->user && w->r->user->no_metadata && *w->r->user->no_metadata;
}

static void write_text(struct writer *w)
{
    bool path = has_readings(w), unsure = w->m->verdict == VERDICT_UNCERTAIN, bare;

    add_line(w);
    bare = no_metadata(w);
    if (path || unsure || bare)
        fmt_str(&w->out, " [");
    if (path) {
        fmt_str(&w->out, "path as ");
        fmt_str(&w->out, reading_word(w));
    }
    if (unsure)
        fmt_str(&w->out, path ? "; uncertain" : "uncertain");
    if (bare)
        fmt_str(&w->out, path || unsure ? "; no container metadata" : "no container metadata");
    if (path || unsure || bare)
        fmt_char(&w->out, ']');
    fmt_char(&w->out, '\n');
}

static int key_order(const struct key *a, const struct key *b)
{
    uint32_t common = a->len < b->len ? a->len : b->len;
    int cmp;

    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    cmp = memcmp(a->text, b->text, common);
    return cmp ? cmp : (a->len > b->len) - (a->len < b->len);
}

/* Keeps the keys sorted by bytes and unique. */
static void add_key(struct keys *k, const char *text, uint32_t len, uint32_t ref)
{
    struct key new = {.text = text, .len = len, .ref = ref};
    unsigned at = 0;

    memcpy(&new.first, text, len < sizeof(new.first) ? len : sizeof(new.first));
    new.first = __builtin_bswap64(new.first);
    while (at < k->n && key_order(&k->v[at], &new) < 0)
        at++;
    if (k->n == KEYS_MAX || (at < k->n && key_order(&k->v[at], &new) == 0))
        return;
    memmove(&k->v[at + 1], &k->v[at], (k->n - at) * sizeof(k->v[0]));
    k->v[at] = new;
    k->n++;
}

/* How a template spells a field: `evt.arg.flags`, `proc.aname[2]`, `proc.env[HOME]`. */
static struct val field_spelling(struct writer *w, const struct rpk_ref *f)
{
    const struct field_info *info = catalog_field((enum field_id)f->field);
    struct fmt t = scratch_begin(w->r);

    fmt_str(&t, info->name);
    if (f->index >= 0) {
        fmt_char(&t, '[');
        fmt_unsigned(&t, (uint64_t)f->index, 10, 1);
        fmt_char(&t, ']');
    } else if (f->name.len) {
        bool dot = info->arg == ARG_NAME || info->arg == ARG_NAME_OPT ||
                   info->arg == ARG_NAME_OR_INDEX || info->arg == ARG_NAME_OR_TEXT;

        fmt_char(&t, dot ? '.' : '[');
        fmt_add(&t, rpk_text(w->p, f->name), f->name.len);
        if (!dot)
            fmt_char(&t, ']');
    }
    return scratch_end(w->r, &t);
}

/* The plain fields inside a transformer have keys of their own; its result has none. */
static void add_leaf_keys(struct writer *w, struct keys *k, uint32_t ref)
{
    const struct rpk_ref *f = &w->p->refs[ref];
    struct val key;

    for (uint32_t i = 0; f->xform && i < f->nkid; i++)
        add_leaf_keys(w, k, f->kid0 + i);
    if (f->xform || f->is_literal)
        return;
    key = field_spelling(w, f);
    add_key(k, key.text, key.len, ref);
}

static void collect_keys(struct writer *w, struct keys *k)
{
    const char *time = catalog_field(time_field(w))->name;

    k->n = 0;
    add_key(k, time, (uint32_t)strlen(time), RPK_NO_REF);
    for (uint32_t i = 0; i < w->rule->pieces.n; i++) {
        const struct rpk_piece *piece = &w->p->pieces[w->rule->pieces.off + i];

        if (piece->ref == RPK_NO_REF)
            continue;
        if (w->p->refs[piece->ref].xform)
            add_leaf_keys(w, k, piece->ref);
        else
            add_key(k, rpk_text(w->p, piece->text), piece->text.len, piece->ref);
    }
}

static void add_number(struct fmt *out, struct val v, const struct field_info *info)
{
    uint8_t bits = catalog_type(info->type)->bits;
    uint64_t u = (uint64_t)v.num;

    if (v.base == BASE_INT) {
        fmt_signed(out, v.num);
        return;
    }
    if (bits && bits < 64)
        u &= (1ull << bits) - 1;
    fmt_unsigned(out, u, 10, 1);
}

static bool is_clock(enum field_id f)
{
    return f == F_evt_time || f == F_evt_time_s || f == F_evt_time_iso8601 || f == F_evt_datetime ||
           f == F_evt_datetime_s;
}

static void add_list(struct writer *w, struct val list)
{
    struct val v;

    fmt_char(&w->out, '[');
    for (bool first = true; val_next(&list, &v); first = false) {
        fmt_str(&w->out, first ? "\"" : ",\"");
        add_json(w, v.text, v.len);
        fmt_char(&w->out, '"');
    }
    fmt_char(&w->out, ']');
}

/* Real bits that a damaged recording might hold, and for which JSON has no word. */
static bool is_no_number(struct val v)
{
    return v.base == BASE_DOUBLE && !isfinite(ops_real_of(v.num));
}

static void add_value(struct writer *w, uint32_t ref)
{
    enum field_id field = ref == RPK_NO_REF ? time_field(w) : (enum field_id)w->p->refs[ref].field;
    const struct field_info *shape;
    struct field_info room;
    uint32_t used = w->r->used;
    struct val v;

    if (is_clock(field)) {
        fmt_unsigned(&w->out, w->r->h->ts, 10, 1);
        return;
    }
    shape = ref_shape(w, ref, &room);
    v = output_value(w->r, w->p, ref);
    if (!val_here(v) || is_no_number(v)) {
        fmt_str(&w->out, "null");
    } else if (v.base == BASE_BOOL) {
        fmt_str(&w->out, v.num ? "true" : "false");
    } else if (v.is_list) {
        add_list(w, v);
    } else if (v.base == BASE_DOUBLE) {
        value_text(&w->out, v, shape);
    } else if (v.text || shape->format == FMT_HEX || shape->format == FMT_OCT) {
        v = shown(w, v, shape);
        fmt_char(&w->out, '"');
        add_json(w, v.text, v.len);
        fmt_char(&w->out, '"');
    } else if (shape->format == FMT_NA) {
        fmt_str(&w->out, "null");
    } else {
        add_number(&w->out, v, shape);
    }
    w->r->used = used;
}

static void add_fields(struct writer *w)
{
    uint32_t used = w->r->used;
    struct keys k;

    collect_keys(w, &k);
    fmt_str(&w->out, ",\"output_fields\":{");
    for (unsigned i = 0; i < k.n; i++) {
        fmt_str(&w->out, i ? ",\"" : "\"");
        fmt_json(&w->out, k.v[i].text, k.v[i].len);
        fmt_str(&w->out, "\":");
        add_value(w, k.v[i].ref);
    }
    fmt_char(&w->out, '}');
    w->r->used = used;
}

static void add_tags(struct writer *w)
{
    fmt_str(&w->out, ",\"tags\":[");
    for (uint32_t i = 0; i < w->rule->tags.n; i++) {
        if (i)
            fmt_char(&w->out, ',');
        add_quoted(w, w->p->tags[w->rule->tags.off + i]);
    }
    fmt_char(&w->out, ']');
}

static void add_own_key(struct writer *w)
{
    bool path = has_readings(w), unsure = w->m->verdict == VERDICT_UNCERTAIN;
    bool bare = no_metadata(w);

    if (!path && !unsure && !bare)
        return;
    fmt_str(&w->out, ",\"rulerun\":{");
    if (bare)
        fmt_str(&w->out, path || unsure ? "\"no_metadata\":true," : "\"no_metadata\":true");
    if (path) {
        fmt_str(&w->out, "\"path\":\"");
        fmt_str(&w->out, reading_word(w));
        fmt_str(&w->out, unsure ? "\"," : "\"");
    }
    if (unsure)
        fmt_str(&w->out, "\"uncertain\":true");
    fmt_char(&w->out, '}');
}

/* `,"KEY":"` of a text that `put` writes. */
static void add_text_key(struct writer *w, const char *key, void (*put)(struct writer *))
{
    fmt_str(&w->out, ",\"");
    fmt_str(&w->out, key);
    fmt_str(&w->out, "\":\"");
    put(w);
    fmt_char(&w->out, '"');
}

static void write_json(struct writer *w)
{
    const struct alert_style *s = w->style;
    uint32_t used = w->r->used;
    struct val time;

    fmt_str(&w->out, "{\"hostname\":\"");
    fmt_json(&w->out, s->hostname, strlen(s->hostname));
    fmt_char(&w->out, '"');
    if (s->message)
        add_text_key(w, "message", add_message);
    if (s->output)
        add_text_key(w, "output", add_line);
    if (s->fields)
        add_fields(w);
    fmt_str(&w->out, ",\"priority\":\"");
    fmt_str(&w->out, alert_priority(w->rule->priority));
    fmt_str(&w->out, "\",\"rule\":");
    add_quoted(w, w->rule->name);
    add_own_key(w);
    fmt_str(&w->out, ",\"source\":");
    add_quoted(w, w->rule->source);
    if (s->tags)
        add_tags(w);
    fmt_str(&w->out, ",\"time\":\"");
    time = record_time_utc(w->r, "Z");
    fmt_add(&w->out, time.text, time.len);
    w->r->used = used;
    fmt_str(&w->out, "\"}\n");
}

size_t alert_write(const struct alert_style *style, const struct rpk *p, struct record *r,
                   const struct match *m, char *buf, size_t cap)
{
    static const size_t limits[] = {SIZE_MAX, 4096, 512, 64};

    r->reading = (enum reading)m->reading;
    r->plan = &p->head->plan;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct writer w = {
            .style = style, .p = p, .r = r, .rule = &p->rules[m->rule], .m = m, .limit = limits[i]};

        w.out = fmt_in(buf, cap);
        if (style->format == ALERT_JSON)
            write_json(&w);
        else
            write_text(&w);
        if (!w.out.full)
            return w.out.len;
    }
    return 0;
}
