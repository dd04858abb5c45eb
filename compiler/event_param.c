/* SPDX-License-Identifier: Apache-2.0 */
#include "event_param.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"

bool param_is_number(const struct param_info *p)
{
    enum base_type base = catalog_type(p->type)->base;
    if (p->slot >= 0)
        return p->slot < N_COUNT;
    return base == BASE_INT || base == BASE_UINT || base == BASE_BOOL || base == BASE_PORT ||
           p->type == T_UID || p->type == T_GID || p->type == T_SIGTYPE;
}

bool param_result(const char *s, size_t len, int64_t *out)
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

/* The number that a parameter's text stands for. */
static bool number_of(const struct param_info *p, const char *s, size_t len, int64_t *out)
{
    uint64_t v;
    if (p->flags != FT_NONE && catalog_flags_value(p->flags, s, len, &v)) {
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
    return param_result(s, len, out);
}

struct fact param_given(struct comp *c, const struct event *e, unsigned index)
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
    if (g->kind == VAL_TEXT && param_is_number(p) &&
        number_of(p, STR(c, g->text), STRLEN(c, g->text), &n))
        return fact_num(f, n);
    if (g->kind == VAL_NUM && !param_is_number(p)) {
        char buf[24];
        int len = snprintf(buf, sizeof buf, "%lld", (long long)g->num);
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

struct fact param_raw(struct comp *c, const struct event *e, unsigned index)
{
    struct fact v = param_given(c, e, index);
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
    struct field_ref f = {.field = F_evt_rawarg, .index = -1,
                          .name = intern_cstr(c->intern, p->name)};
    bool raw = event_given(e, f) != NULL;
    f.field = F_evt_arg;
    return raw || event_given(e, f) ||
           event_given(e, (struct field_ref){.field = F_evt_arg, .index = (int32_t)index});
}

struct fact param_number(struct comp *c, const struct event *e, const char *name)
{
    struct field_ref f = {.field = F_evt_rawarg, .index = -1};
    int i = e->type == EV_NONE ? -1 : catalog_param_index(e->type, name, strlen(name));
    if (i < 0)
        return fact_none(f, FACT_ABSENT);
    struct fact v = param_raw(c, e, (unsigned)i);
    return v.state == FACT_PRESENT && v.kind != VAL_NUM ? fact_none(f, FACT_ABSENT) : v;
}

struct fact param_of_slot(struct comp *c, const struct event *e, int slot)
{
    unsigned n = e->type == EV_NONE ? 0 : catalog_param_count(e->type);
    for (unsigned i = 0; i < n; i++)
        if (catalog_param(e->type, i)->slot == slot && event_param_named(c, e, i))
            return param_given(c, e, i);
    return fact_none((struct field_ref){0}, FACT_ABSENT);
}

/* ---- texts ---- */

static size_t raw_text(const struct param_info *p, int64_t v, char *buf, size_t cap)
{
    const struct type_info *t = catalog_type(p->type);
    unsigned long long u = (unsigned long long)v;
    if (p->format == FMT_HEX)
        return (size_t)snprintf(buf, cap, "%llX", t->bits == 32 ? u & 0xffffffff : u);
    if (p->format == FMT_OCT)
        return (size_t)snprintf(buf, cap, "0%llo", u);
    if (t->base == BASE_UINT)
        return (size_t)snprintf(buf, cap, "%llu", u);
    return (size_t)snprintf(buf, cap, "%lld", (long long)v);
}

/* What the number is called: a flag, an error, a descriptor. False: it has no other text. */
static bool resolved(struct comp *c, const struct event *e, const struct param_info *p, int64_t v,
                     struct fact *out)
{
    char buf[2048];
    size_t n = 0;
    if (p->flags != FT_NONE)
        n = catalog_flags_text(p->flags, (uint64_t)v, true, buf, sizeof buf);
    else if (p->type == T_FD && v == -100)
        n = (size_t)snprintf(buf, sizeof buf, "AT_FDCWD");
    else if ((p->type == T_ERRNO || p->type == T_FD) && v < 0 && v > -4096 &&
             catalog_errno_name((int)-v))
        n = (size_t)snprintf(buf, sizeof buf, "%s", catalog_errno_name((int)-v));
    if (!n || n >= sizeof buf)
        return false;
    (void)e;
    *out = fact_text(c, out->field, buf, n);
    return true;
}

static struct fact as_text(struct comp *c, const struct event *e, struct field_ref f,
                           const struct param_info *p, struct fact raw)
{
    struct fact out = {.field = f};
    char buf[32];
    if (raw.kind == VAL_TEXT || raw.state != FACT_PRESENT) {
        raw.field = f;
        return raw;
    }
    if (resolved(c, e, p, raw.num, &out))
        return out;
    return fact_text(c, f, buf, raw_text(p, raw.num, buf, sizeof buf));
}

struct fact param_fact(struct comp *c, const struct event *e, struct field_ref f)
{
    int i = f.index;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    if (i < 0)
        i = catalog_param_index(e->type, STR(c, f.name), STRLEN(c, f.name));
    const struct param_info *p = i < 0 ? NULL : catalog_param(e->type, (unsigned)i);
    if (!p)
        return fact_none(f, FACT_ABSENT);
    struct fact raw = param_raw(c, e, (unsigned)i);
    raw.field = f;
    return f.field == F_evt_rawarg ? raw : as_text(c, e, f, p, raw);
}
