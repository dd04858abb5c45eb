/* SPDX-License-Identifier: Apache-2.0 */
#include "field.h"

#include <string.h>

#include "parse.h"

#define NAME_MAX_TRIED 512u /* bytes of a word in a template that may belong to a field's name */

/* An index: digits, or -1, which stands for none. */
static bool read_index(const char *s, size_t len, int32_t *index)
{
    if (len == 2 && s[0] == '-' && s[1] == '1') {
        *index = -1;
        return true;
    }
    int64_t v = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        v = v * 10 + (s[i] - '0');
        if (v > INT32_MAX)
            return false;
    }
    *index = (int32_t)v;
    return len > 0;
}

/* What stands behind the field's own name: ".NAME" or nothing, and "[ARG]" or NULL. */
struct tail {
    const char *dot;
    size_t dotlen;
    const char *arg;
    size_t arglen;
};

static bool take_dot(const struct tail *t, struct field_name *out)
{
    out->arg = t->dot;
    out->arglen = t->dotlen;
    return t->dotlen > 0 && !t->arg;
}

static bool take_bracket(const struct tail *t, struct field_name *out)
{
    out->arg = t->arg;
    out->arglen = t->arglen;
    return t->arg && !t->dotlen;
}

static bool take_index(const struct tail *t, struct field_name *out)
{
    return t->arg && !t->dotlen && read_index(t->arg, t->arglen, &out->index);
}

/* Parameters are known by name; what other fields take after a dot is free. */
static bool known_name(enum field_id field, const char *name, size_t len)
{
    bool param = field == F_evt_arg || field == F_evt_rawarg;
    return !param || catalog_param_known(name, len);
}

static bool take_argument(enum field_arg kind, const struct tail *t, struct field_name *out)
{
    bool none = !t->dotlen && !t->arg;
    switch (kind) {
    case ARG_NONE:
        return none;
    case ARG_INDEX_OPT:
        return none || take_index(t, out);
    case ARG_TEXT_OPT:
        return none || take_bracket(t, out);
    case ARG_TEXT:
    case ARG_TIME:
        return take_bracket(t, out);
    case ARG_NAME_OR_INDEX:
        return take_index(t, out) ||
               (take_dot(t, out) && known_name(out->field, t->dot, t->dotlen));
    case ARG_NAME:
        return take_dot(t, out) && known_name(out->field, t->dot, t->dotlen);
    case ARG_NAME_OPT:
        return none || take_dot(t, out);
    case ARG_INDEX_OR_TEXT:
        return none || take_index(t, out) || take_bracket(t, out);
    case ARG_NAME_OR_TEXT:
        return take_bracket(t, out) || take_dot(t, out);
    }
    return false;
}

bool field_read(const char *name, size_t len, const char *arg, size_t arglen,
                struct field_name *out)
{
    size_t used;
    enum field_id field = catalog_field_by_name(name, len, &used);
    *out = (struct field_name){.field = field, .index = -1};
    if (field == F_NONE || (catalog_field(field)->flags & FF_TABLE_ONLY))
        return false;
    struct tail t = {.arg = arg, .arglen = arglen};
    if (used < len) {
        t.dot = name + used + 1;
        t.dotlen = len - used - 1;
    }
    bool ok = take_argument(catalog_field(field)->arg, &t, out);
    if (out->index >= 0) {
        out->arg = NULL;
        out->arglen = 0;
    }
    return ok;
}

size_t field_prefix(const char *s, size_t len, size_t *name)
{
    struct field_name f;
    struct range arg;
    size_t most = lex_field_length(s, len);
    size_t all = lex_bracket_length(s + most, len - most, &arg);
    if (all && field_read(s, most, s + most + arg.off, arg.end - arg.off, &f)) {
        *name = most;
        return most + all;
    }
    for (size_t n = most < NAME_MAX_TRIED ? most : NAME_MAX_TRIED; n > 0; n--) {
        if (s[n - 1] == '.')
            continue;
        if (field_read(s, n, NULL, 0, &f)) {
            *name = n;
            return n;
        }
    }
    return 0;
}

/* By the beginning of the name; the first row that fits. */
static const struct {
    const char *prefix, *why;
} missing[] = {
    {"evt.around", "it selects from a capture file"},
    {"evt.deltatime", "it depends on what was judged before, and the kernel judges out of sight"},
    {"fdlist.",
     "of the descriptors that poll was asked about, the numbers and types alone are read"},
    {"proc.aenv", "of ancestors the environment is not looked up"},
    {"thread.cgroup", "of control groups the container alone is read"},
    {"util.cnt", "it counts how often a check was made, and the kernel makes checks out of sight"},
};

const char *event_why_missing(enum event_id event)
{
    static const char *const why[EV_COUNT] = {
#define EVENT_WHY(id, reason) [EV_##id] = (reason),
#include "events.def"
    };
    return event < EV_COUNT ? why[event] : NULL;
}

const char *field_why_missing(enum field_id field)
{
    const struct field_info *f = catalog_field(field);
    if (f->source != SRC_MISSING)
        return NULL;
    for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++)
        if (!strncmp(f->name, missing[i].prefix, strlen(missing[i].prefix)))
            return missing[i].why;
    return "the probe does not read it";
}
