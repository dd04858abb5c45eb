/* SPDX-License-Identifier: Apache-2.0 */
#include "alert_own.h"

#include "get.h"

struct writer {
    const struct alert_style *style;
    const struct own_alert *a;
    struct fmt out;
};

/* `TIME` as before an alert, or the one of the key `time`, of a record that has nothing else. */
static void add_time(struct writer *w, bool key)
{
    struct ev_head head = {.ts = w->a->ts};
    struct record_user user = {.utc_offset = w->a->utc_offset};
    struct record r = {.h = &head, .user = &user, .scratch = w->a->scratch};
    struct val v = key ? record_time_utc(&r, "Z")
                       : get_field(&r, w->style->time_iso8601 ? F_evt_time_iso8601 : F_evt_time);

    fmt_add(&w->out, v.text, v.len);
}

static void add_escaped(struct writer *w, const char *s)
{
    fmt_json(&w->out, s, strlen(s));
}

static void add_name(struct writer *w, const struct own_field *f)
{
    fmt_str(&w->out, f->key);
    if (!f->of)
        return;
    fmt_char(&w->out, '[');
    add_escaped(w, f->of);
    fmt_char(&w->out, ']');
}

/* As Falco has it in text: the fields follow in parentheses. */
static void add_message(struct writer *w)
{
    const struct own_alert *a = w->a;

    fmt_str(&w->out, a->rule);
    fmt_str(&w->out, ". ");
    fmt_str(&w->out, a->text);
    for (unsigned i = 0; i < a->nfield; i++) {
        fmt_str(&w->out, i ? " " : " (");
        add_name(w, &a->fields[i]);
        fmt_char(&w->out, '=');
        fmt_unsigned(&w->out, a->fields[i].value, 10, 1);
    }
    fmt_str(&w->out, a->nfield ? ")" : "");
}

static void add_line(struct writer *w)
{
    add_time(w, false);
    fmt_str(&w->out, ": ");
    fmt_str(&w->out, alert_priority(w->a->priority));
    fmt_char(&w->out, ' ');
    add_message(w);
}

static void add_fields(struct writer *w)
{
    fmt_str(&w->out, ",\"output_fields\":{\"");
    fmt_str(&w->out, w->style->time_iso8601 ? "evt.time.iso8601" : "evt.time");
    fmt_str(&w->out, "\":");
    fmt_unsigned(&w->out, w->a->ts, 10, 1);
    for (unsigned i = 0; i < w->a->nfield; i++) {
        fmt_str(&w->out, ",\"");
        add_name(w, &w->a->fields[i]);
        fmt_str(&w->out, "\":");
        fmt_unsigned(&w->out, w->a->fields[i].value, 10, 1);
    }
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

    fmt_str(&w->out, "{\"hostname\":\"");
    add_escaped(w, s->hostname);
    fmt_char(&w->out, '"');
    if (s->message)
        add_text_key(w, "message", add_message);
    if (s->output)
        add_text_key(w, "output", add_line);
    if (s->fields)
        add_fields(w);
    fmt_str(&w->out, ",\"priority\":\"");
    fmt_str(&w->out, alert_priority(w->a->priority));
    fmt_str(&w->out, "\",\"rule\":\"");
    add_escaped(w, w->a->rule);
    fmt_str(&w->out, "\",\"source\":\"internal\"");
    if (s->tags)
        fmt_str(&w->out, ",\"tags\":[]");
    fmt_str(&w->out, ",\"time\":\"");
    add_time(w, true);
    fmt_str(&w->out, "\"}\n");
}

size_t alert_write_own(const struct alert_style *style, const struct own_alert *a, char *buf,
                       size_t cap)
{
    struct writer w = {.style = style, .a = a, .out = fmt_in(buf, cap)};

    if (style->format == ALERT_JSON) {
        write_json(&w);
    } else {
        add_line(&w);
        fmt_char(&w.out, '\n');
    }
    return w.out.full ? 0 : w.out.len;
}
