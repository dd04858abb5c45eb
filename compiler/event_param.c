/* SPDX-License-Identifier: Apache-2.0 */
#include "event_param.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "intern.h"

bool event_param_is_number(const struct param_info *p)
{
    enum base_type base = catalog_type(p->type)->base;
    if (p->slot >= 0)
        return p->slot < N_COUNT;
    return base == BASE_INT || base == BASE_UINT || base == BASE_BOOL || base == BASE_PORT ||
           p->type == T_UID || p->type == T_GID || p->type == T_SIGTYPE;
}

bool event_param_result(const char *s, size_t len, int64_t *out)
{
    int n = catalog_errno_by_name(s, len);
    char *end;
    if (n) {
        *out = -n;
        return true;
    }
    *out = strtoll(s, &end, 10);
    return len && end == s + len && *s != ' ';
}

bool event_named_number(enum flag_table table, const char *s, size_t len, uint64_t *out)
{
    unsigned n;
    const struct flag_row *rows = catalog_flags(table, &n);
    for (unsigned i = 0; i < n; i++) {
        if (strlen(rows[i].text) == len && !memcmp(rows[i].text, s, len)) {
            *out = rows[i].value;
            return true;
        }
    }
    return catalog_flags_value(table, s, len, out);
}

/* The number that a parameter's text stands for. */
static bool number_of(const struct param_info *p, const char *s, size_t len, int64_t *out)
{
    uint64_t v;
    if (p->flags != FT_NONE && event_named_number(p->flags, s, len, &v)) {
        *out = (int64_t)v;
        return true;
    }
    if (p->type == T_FD && len == 8 && !memcmp(s, "AT_FDCWD", 8)) {
        *out = -100;
        return true;
    }
    if (p->format == FMT_HEX || p->format == FMT_OCT) {
        char *end;
        *out = (int64_t)strtoull(s, &end, p->format == FMT_HEX ? 16 : 8);
        return len && end == s + len && *s != ' ' && *s != '-';
    }
    return event_param_result(s, len, out);
}

struct fact event_param_given(struct comp *c, const struct event *e, unsigned index)
{
    const struct param_info *p = e->type == EV_NONE ? NULL : catalog_param(e->type, index);
    struct field_ref f = {.field = F_evt_rawarg, .index = -1};
    const struct fact *g;
    int64_t n;
    if (!p)
        return fact_none(f, FACT_ABSENT);
    f.name = intern_cstr(c->intern, p->name);
    g = event_given(e, f);
    f.field = F_evt_arg;
    if (!g)
        g = event_given(e, f);
    if (!g)
        g = event_given(e, (struct field_ref){.field = F_evt_arg, .index = (int32_t)index});
    if (!g || g->state != FACT_PRESENT)
        return fact_none(f, g ? g->state : FACT_ABSENT);
    if (g->kind == VAL_TEXT && event_param_is_number(p) &&
        number_of(p, STR(c, g->text), STRLEN(c, g->text), &n))
        return fact_num(f, n);
    if (g->kind == VAL_NUM && !event_param_is_number(p)) {
        char buf[24];
        int len = snprintf(buf, sizeof(buf), "%lld", (long long)g->num);
        return fact_text(c, f, buf, (size_t)len);
    }
    return *g;
}

/* A field that stands in the same slot: proc.exepath for execve's trusted_exepath. */
static enum field_id field_of_slot(int slot)
{
    for (int f = F_NONE + 1; slot >= 0 && f < F_COUNT; f++) {
        const struct field_info *info = catalog_field((enum field_id)f);
        if (info->source == SRC_SLOT && info->slot == slot && info->table == FT_NONE)
            return (enum field_id)f;
    }
    return F_NONE;
}

struct fact event_param_raw(struct comp *c, const struct event *e, unsigned index)
{
    struct fact v = event_param_given(c, e, index);
    const struct param_info *p = e->type == EV_NONE ? NULL : catalog_param(e->type, index);
    enum field_id field;
    if (!p || event_param_named(c, e, index))
        return v;
    field = field_of_slot(p->slot);
    if (field == F_NONE)
        return v;
    return event_fact(c, e, (struct field_ref){.field = field, .index = -1});
}

bool event_param_named(struct comp *c, const struct event *e, unsigned index)
{
    const struct param_info *p = catalog_param(e->type, index);
    struct field_ref f = {
        .field = F_evt_rawarg, .index = -1, .name = intern_cstr(c->intern, p->name)};
    bool raw = event_given(e, f) != NULL;
    f.field = F_evt_arg;
    return raw || event_given(e, f) ||
           event_given(e, (struct field_ref){.field = F_evt_arg, .index = (int32_t)index});
}

struct fact event_param_number(struct comp *c, const struct event *e, const char *name)
{
    struct field_ref f = {.field = F_evt_rawarg, .index = -1};
    int i = e->type == EV_NONE ? -1 : catalog_param_index(e->type, name, strlen(name));
    if (i < 0)
        return fact_none(f, FACT_ABSENT);
    struct fact v = event_param_raw(c, e, (unsigned)i);
    return v.state == FACT_PRESENT && v.kind != VAL_NUM ? fact_none(f, FACT_ABSENT) : v;
}

struct fact event_param_of_slot(struct comp *c, const struct event *e, int slot)
{
    unsigned n = e->type == EV_NONE ? 0 : catalog_param_count(e->type);
    for (unsigned i = 0; i < n; i++)
        if (catalog_param(e->type, i)->slot == slot && event_param_named(c, e, i))
            return event_param_given(c, e, i);
    return fact_none((struct field_ref){0}, FACT_ABSENT);
}

/* ---- texts ---- */

static struct fact own(struct comp *c, const struct event *e, enum field_id field)
{
    return event_fact(c, e, (struct field_ref){.field = field, .index = -1});
}

struct fact event_param_name_of(struct comp *c, const struct event *e, enum field_id field,
                                int64_t id)
{
    enum field_id number = field == F_user_name    ? F_user_uid
                           : field == F_group_name ? F_group_gid
                                                   : F_thread_tid;
    struct fact mine = own(c, e, number);
    if (mine.state != FACT_PRESENT || mine.num != id)
        return fact_none(mine.field, FACT_ABSENT);
    return own(c, e, field);
}

static str_id text_of(struct comp *c, const char *s)
{
    return intern_cstr(c->intern, s);
}

/* The signals of a mask, by blanks. */
static str_id signal_set(struct comp *c, uint32_t mask)
{
    const char *all = "";
    char name[32];
    for (unsigned i = 1; i <= 32; i++)
        if (mask & (1u << (i - 1)) && catalog_flags_text(FT_signal, i, true, name, sizeof(name)))
            all = arena_printf(c->arena, "%s%s%s", all, *all ? " " : "", name);
    return text_of(c, all);
}

/* The number as its format has it. Masks and enumerations show plain decimals. */
static str_id raw_text(struct comp *c, const struct param_info *p, int64_t v)
{
    bool sign = catalog_type(p->type)->base == BASE_INT || p->type == T_UID || p->type == T_GID ||
                p->type == T_DYN;
    unsigned long long u = (unsigned long long)v;
    char buf[32];
    if (p->type == T_SIGSET)
        return signal_set(c, (uint32_t)v);
    if (p->type == T_RELTIME && v == -1)
        return text_of(c, "none");
    if (p->type == T_MODE || (p->format == FMT_OCT && p->flags == FT_NONE))
        snprintf(buf, sizeof(buf), u ? "0%llo" : "%llo", u);
    else if (p->format == FMT_HEX && p->flags == FT_NONE)
        snprintf(buf, sizeof(buf), "%llX", u);
    else if (sign)
        snprintf(buf, sizeof(buf), "%lld", (long long)v);
    else
        snprintf(buf, sizeof(buf), "%llu", u);
    return text_of(c, buf);
}

/* `<T>name` of the event's own descriptor. Of others nothing but the number is known. */
static struct fact fd_text(struct comp *c, const struct event *e, struct field_ref f, int64_t fd)
{
    struct fact num = own(c, e, F_fd_num), type = own(c, e, F_fd_type), proto;
    struct fact letter = own(c, e, F_fd_typechar), name = own(c, e, F_fd_name);
    bool mine = num.state == FACT_PRESENT && num.num == fd;
    char tag[2] = "";
    if (!mine)
        return fact_none(f, FACT_UNKNOWN);
    if (type.state == FACT_ABSENT)
        return fact_none(f, FACT_ABSENT);
    if (letter.state != FACT_PRESENT || name.state != FACT_PRESENT)
        return fact_none(f, FACT_UNKNOWN);
    proto = own(c, e, F_fd_l4proto);
    if (!strncmp(STR(c, type.text), "ipv", 3) && proto.state == FACT_PRESENT &&
        STR(c, proto.text)[0] != '<')
        tag[0] = STR(c, proto.text)[0];
    const char *s = arena_printf(c->arena, "<%s%s>%s", STR(c, letter.text), tag, STR(c, name.text));
    return fact_text(c, f, s, strlen(s));
}

static struct fact error_text(struct comp *c, struct field_ref f, int64_t v)
{
    const char *name = v < 0 && v > -4096 ? catalog_errno_name((int)-v) : NULL;
    return name ? fact_text(c, f, name, strlen(name)) : fact_none(f, FACT_ABSENT);
}

static struct fact id_text(struct comp *c, const struct event *e, struct field_ref f,
                           const struct param_info *p, int64_t v)
{
    if (v == -1 || v == UINT32_MAX)
        return fact_text(c, f, "<NONE>", 6);
    struct fact name = event_param_name_of(c, e, p->type == T_UID ? F_user_name : F_group_name, v);
    if (name.state != FACT_PRESENT)
        return fact_text(c, f, "<NA>", 4);
    name.field = f;
    return name;
}

/* What the number is called: a flag, an error, a descriptor. ABSENT: it has no other text. */
static struct fact resolved(struct comp *c, const struct event *e, struct field_ref f,
                            const struct param_info *p, int64_t v)
{
    enum flag_table table = p->type == T_SIGTYPE ? FT_signal : p->flags;
    char buf[2048];
    size_t n;
    if (p->type == T_FD && v >= 0)
        return fd_text(c, e, f, v);
    if (p->type == T_FD && v == -100)
        return fact_text(c, f, "AT_FDCWD", 8);
    if (p->type == T_FD || p->type == T_ERRNO)
        return error_text(c, f, v);
    if (p->type == T_PID)
        return event_param_name_of(c, e, F_proc_name, v);
    if (p->type == T_UID || p->type == T_GID)
        return id_text(c, e, f, p, v);
    if (p->type == T_RELTIME && v != -1) {
        const char *s = arena_printf(c->arena, "%gs", (double)(uint64_t)v / 1e9);
        return fact_text(c, f, s, strlen(s));
    }
    if (table == FT_NONE)
        return fact_none(f, FACT_ABSENT);
    n = catalog_flags_text(table, (uint64_t)v, true, buf, sizeof(buf));
    return n && n < sizeof(buf) ? fact_text(c, f, buf, n) : fact_none(f, FACT_ABSENT);
}

/* `dir` and `path` as one path, folded as text: no `.`, no `..`, no doubled slashes. */
static str_id folded(struct comp *c, const char *dir, const char *path)
{
    const char *s = arena_printf(c->arena, "%s/%s", dir, path);
    char *out = arena_alloc(c->arena, strlen(s) + 2);
    size_t n = 0;
    for (size_t len; *s; s += len) {
        s += strspn(s, "/");
        len = strcspn(s, "/");
        if (len == 2 && !memcmp(s, "..", 2)) {
            while (n > 0 && out[--n] != '/')
                ;
        } else if (len && !(len == 1 && *s == '.')) {
            out[n++] = '/';
            memcpy(out + n, s, len);
            n += len;
        }
    }
    if (!n)
        out[n++] = '/';
    return intern_put(c->intern, out, n);
}

/* Types whose empty value is shown as NULL; others show <NA>. */
static bool shows_null(const struct param_info *p)
{
    return p->type == T_BYTEBUF || p->type == T_SOCKTUPLE || p->type == T_FDLIST ||
           p->type == T_DYN;
}

/* The text of a text: an empty one has a word for it, and a relative path begins somewhere. */
static struct fact text_as_shown(struct comp *c, const struct event *e, const struct param_info *p,
                                 struct fact raw)
{
    const char *s = STR(c, raw.text);
    bool path = p->type == T_FSPATH || p->type == T_FSRELPATH;
    if (!*s)
        return shows_null(p) ? fact_text(c, raw.field, "NULL", 4)
                             : fact_text(c, raw.field, "<NA>", 4);
    if (!path || *s == '/')
        return raw;
    struct fact cwd = own(c, e, F_proc_cwd), dir = event_param_number(c, e, "dirfd");
    if (p->type == T_FSRELPATH && dir.state == FACT_PRESENT && dir.num != -100)
        return fact_none(raw.field, FACT_UNKNOWN);
    if (cwd.state == FACT_ABSENT)
        return raw;
    if (cwd.state == FACT_PRESENT)
        raw.text = folded(c, STR(c, cwd.text), s);
    raw.state = cwd.state;
    return raw;
}

/* Only the raw value was given: as evt.arg it is shown in another way. */
static bool given_raw(struct comp *c, const struct event *e, const struct param_info *p)
{
    struct field_ref f = {
        .field = F_evt_rawarg, .index = -1, .name = intern_cstr(c->intern, p->name)};
    return event_given(e, f) != NULL;
}

/* Bytes as a text: a point stands for each that cannot be printed. */
static str_id printable(struct comp *c, str_id bytes)
{
    size_t n = STRLEN(c, bytes);
    char *out = arena_alloc(c->arena, n + 1);
    for (size_t i = 0; i < n; i++) {
        char b = STR(c, bytes)[i];
        out[i] = b >= 0x20 && b < 0x7f ? b : '.';
    }
    return intern_put(c->intern, out, n);
}

static struct fact as_text(struct comp *c, const struct event *e, struct field_ref f,
                           const struct param_info *p, struct fact raw)
{
    if (raw.kind == VAL_TEXT && raw.state == FACT_PRESENT && given_raw(c, e, p))
        raw = text_as_shown(c, e, p, raw);
    if (raw.kind == VAL_TEXT && p->type == T_BYTEBUF && raw.state == FACT_PRESENT)
        raw.text = printable(c, raw.text);
    if (raw.kind == VAL_TEXT || raw.state != FACT_PRESENT) {
        raw.field = f;
        return raw;
    }
    struct fact name = resolved(c, e, f, p, raw.num);
    bool empty = name.state == FACT_PRESENT && !STRLEN(c, name.text);
    if (name.state == FACT_ABSENT || empty)
        name =
            (struct fact){.state = FACT_PRESENT, .kind = VAL_TEXT, .text = raw_text(c, p, raw.num)};
    name.field = f;
    return name;
}

/* Which parameter of the event it is, or -1. */
static int find_param(struct comp *c, const struct event *e, struct field_ref f)
{
    int i = f.index;
    if (e->type == EV_NONE)
        return -1;
    if (i < 0)
        i = catalog_param_index(e->type, STR(c, f.name), STRLEN(c, f.name));
    return i >= 0 && catalog_param(e->type, (unsigned)i) ? i : -1;
}

bool event_has_param(struct comp *c, const struct event *e, struct field_ref f)
{
    return find_param(c, e, f) >= 0;
}

struct fact event_param_fact(struct comp *c, const struct event *e, struct field_ref f)
{
    int i = find_param(c, e, f);
    const struct param_info *p = i < 0 ? NULL : catalog_param(e->type, (unsigned)i);
    if (!p)
        return fact_none(f, FACT_ABSENT);
    if (p->type == T_SYSCALLID && f.field == F_evt_arg)
        return own(c, e, F_evt_type);
    if (p->type == T_SYSCALLID)
        return e->sysnr < 0 ? fact_none(f, FACT_ABSENT) : fact_num(f, e->sysnr);
    struct fact raw = event_param_raw(c, e, (unsigned)i);
    raw.field = f;
    return f.field == F_evt_rawarg ? raw : as_text(c, e, f, p, raw);
}

/* `name=raw(resolved)`, `name=raw`, or a word where there is no value. */
static const char *one_of_all(struct comp *c, const struct event *e, unsigned i,
                              enum fact_state *state)
{
    const struct param_info *p = catalog_param(e->type, i);
    struct fact raw = event_param_raw(c, e, i);
    if (raw.state == FACT_UNKNOWN)
        *state = FACT_UNKNOWN;
    if (raw.state != FACT_PRESENT)
        return arena_printf(c->arena, "%s=%s", p->name, shows_null(p) ? "NULL" : "<NA>");
    if (raw.kind == VAL_TEXT)
        return arena_printf(c->arena, "%s=%s", p->name, STR(c, raw.text));
    const char *number = STR(c, raw_text(c, p, raw.num));
    struct fact name = resolved(c, e, raw.field, p, raw.num);
    if (name.state != FACT_PRESENT || !STRLEN(c, name.text))
        return arena_printf(c->arena, "%s=%s", p->name, number);
    return arena_printf(c->arena, "%s=%s(%s)", p->name, number, STR(c, name.text));
}

struct fact event_param_all(struct comp *c, const struct event *e, struct field_ref f, int unused)
{
    enum fact_state state = FACT_PRESENT;
    const char *sofar = "";
    (void)unused;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    for (unsigned i = 0; e->type != EV_generic && i < catalog_param_count(e->type); i++)
        sofar = arena_printf(c->arena, "%s%s%s", sofar, i ? " " : "", one_of_all(c, e, i, &state));
    return state == FACT_PRESENT ? fact_text(c, f, sofar, strlen(sofar)) : fact_none(f, state);
}
