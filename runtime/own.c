/* SPDX-License-Identifier: Apache-2.0 */
#include "own.h"

#include "fmt.h"

#define NS 1000000000ll

static void add_quoted(struct fmt *t, const char *s, size_t n)
{
    fmt_char(t, '"');
    fmt_json(t, s, n);
    fmt_char(t, '"');
}

static void add_list(struct fmt *t, const struct own_field *f, size_t limit)
{
    const char *at = f->text;
    size_t used = 0;

    fmt_char(t, '[');
    for (uint64_t i = 0; i < f->number; i++) {
        size_t n = strlen(at);

        if (i)
            fmt_char(t, ',');
        used += n + 1;
        if (used > limit) {
            fmt_str(t, "\"... and ");
            fmt_unsigned(t, f->number - i, 10, 1);
            fmt_str(t, " more\"");
            break;
        }
        add_quoted(t, at, n);
        at += n + 1;
    }
    fmt_char(t, ']');
}

static void add_value(struct fmt *t, const struct own_field *f, size_t limit)
{
    if (f->list)
        add_list(t, f, limit);
    else if (f->text)
        add_quoted(t, f->text, strnlen(f->text, limit));
    else
        fmt_unsigned(t, f->number, 10, 1);
}

static void add_name(struct fmt *t, const struct own_field *f)
{
    fmt_str(t, f->key);
    if (!f->of)
        return;
    fmt_char(t, '[');
    fmt_json(t, f->of, strlen(f->of));
    fmt_char(t, ']');
}

static void write_text(struct fmt *t, const struct alert_style *style, const struct own *o,
                       size_t limit)
{
    if (style->time_iso8601)
        fmt_iso8601(t, o->ts, "+0000");
    else
        fmt_clock(t, o->ts + (uint64_t)(o->utc_offset * NS), true);
    fmt_str(t, ": ");
    fmt_str(t, alert_priority(o->priority));
    fmt_char(t, ' ');
    fmt_json(t, o->message, strlen(o->message));
    for (unsigned i = 0; i < o->nfield; i++) {
        fmt_str(t, i ? " " : " (");
        add_name(t, &o->fields[i]);
        fmt_char(t, '=');
        add_value(t, &o->fields[i], limit);
    }
    fmt_str(t, o->nfield ? ")\n" : "\n");
}

/* `"KEY":"TEXT"`, and before it a comma. */
static void add_key(struct fmt *t, const char *key, const char *text)
{
    fmt_str(t, ",\"");
    fmt_str(t, key);
    fmt_str(t, "\":");
    add_quoted(t, text, strlen(text));
}

static void write_json(struct fmt *t, const struct alert_style *style, const struct own *o,
                       size_t limit)
{
    fmt_str(t, "{\"hostname\":");
    add_quoted(t, style->hostname, strlen(style->hostname));
    if (style->message)
        add_key(t, "message", o->message);
    if (style->output)
        add_key(t, "output", o->message);
    if (style->fields)
        fmt_str(t, ",\"output_fields\":{");
    for (unsigned i = 0; i < o->nfield && style->fields; i++) {
        fmt_str(t, i ? ",\"" : "\"");
        add_name(t, &o->fields[i]);
        fmt_str(t, "\":");
        add_value(t, &o->fields[i], limit);
    }
    if (style->fields)
        fmt_char(t, '}');
    add_key(t, "priority", alert_priority(o->priority));
    add_key(t, "rule", o->rule);
    add_key(t, "source", "internal");
    fmt_str(t, ",\"time\":\"");
    fmt_iso8601(t, o->ts, "Z");
    fmt_str(t, "\"}\n");
}

size_t own_alert(const struct alert_style *style, const struct own *o, char *buf, size_t cap)
{
    static const size_t limits[] = {SIZE_MAX, 4096, 512, 64};

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct fmt t = fmt_in(buf, cap);

        if (style->format == ALERT_JSON)
            write_json(&t, style, o, limits[i]);
        else
            write_text(&t, style, o, limits[i]);
        if (!t.full)
            return t.len;
    }
    return 0;
}
