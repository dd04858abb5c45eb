/* SPDX-License-Identifier: Apache-2.0 */
/* Derived fields of the descriptor. */
#include "event_derive.h"

#include <stdio.h>

#include "arena.h"

/* ---- fd.* ---- */

/* Calls that make two descriptors: their result is none. */
static bool makes_two(enum event_id type)
{
    return type == EV_pipe || type == EV_pipe2 || type == EV_socketpair;
}

struct fact derive_fd_num(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    if (e->type == EV_NONE || !(event_row_flags(e) & EVF_CREATES_FD) || makes_two(e->type))
        return fact_none(f, FACT_ABSENT);
    struct fact raw = fact_of(c, e, F_evt_rawres);
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    return fact_num(f, raw.num < 0 ? -1 : raw.num);
}

/* fd.type of fd.typechar and the other way round: both are texts of one number. */
static bool twin(struct comp *c, const struct event *e, enum field_id other, struct fact *out)
{
    const struct fact *g = event_given(e, PLAIN(other));
    enum flag_table to = other == F_fd_type ? FT_fd_typechar : FT_fd_type;
    uint64_t v;
    char buf[32];
    if (!g)
        return false;
    out->state = g->state;
    if (g->state == FACT_PRESENT) {
        if (!event_named_number(catalog_field(other)->table, STR(c, g->text), STRLEN(c, g->text),
                                &v))
            return false;
        size_t n = catalog_flags_text(to, v, false, buf, sizeof(buf));
        *out = fact_text(c, out->field, buf, n);
    }
    return true;
}

struct fact derive_fd_type(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    bool word = f.field == F_fd_type;
    struct fact v = {.field = f}, name;
    if (twin(c, e, word ? F_fd_typechar : F_fd_type, &v))
        return v;
    (void)arg;
    if (fact_given(e, F_fd_sip, &v) || fact_given(e, F_fd_cip, &v)) {
        bool six = strchr(STR(c, v.text), ':') != NULL;
        return fact_word(c, f, word ? (six ? "ipv6" : "ipv4") : (six ? "6" : "4"));
    }
    if (!fact_given(e, F_fd_name, &name) || STR(c, name.text)[0] != '/')
        return fact_none(f, FACT_ABSENT);
    struct fact flags = event_param_number(c, e, "flags");
    bool dir = event_opens(e->type) && flags.state == FACT_PRESENT &&
               (uint64_t)flags.num & flag_bit(FT_file_flags, "O_DIRECTORY");
    return fact_word(c, f, word ? (dir ? "directory" : "file") : (dir ? "d" : "f"));
}

static bool failed_open(struct comp *c, const struct event *e)
{
    struct fact raw = fact_of(c, e, F_evt_rawres);
    return (event_opens(e->type) || e->type == EV_creat) && raw.state == FACT_PRESENT &&
           raw.num < 0;
}

struct fact derive_directory(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact name = fact_of(c, e, F_fd_name), type = fact_of(c, e, F_fd_type);
    (void)arg;
    if (name.state != FACT_PRESENT)
        return fact_none(f, name.state);
    bool file = fact_is(c, type, "file") || failed_open(c, e);
    if (!file && type.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    if (!file)
        return fact_is(c, type, "directory") ? fact_as(name, f) : fact_none(f, FACT_ABSENT);
    const char *s = STR(c, name.text);
    const char *slash = strrchr(s, '/');
    if (slash && !slash[1])
        return fact_as(name, f);
    return slash && slash > s ? fact_text(c, f, s, (size_t)(slash - s)) : fact_word(c, f, "/");
}

struct fact derive_filename(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact name = fact_of(c, e, F_fd_name), type = fact_of(c, e, F_fd_type);
    (void)arg;
    if (name.state != FACT_PRESENT)
        return fact_none(f, name.state);
    if (failed_open(c, e))
        return fact_none(f, FACT_ABSENT);
    if (type.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    if (!fact_is(c, type, "file"))
        return fact_none(f, FACT_ABSENT);
    const char *slash = strrchr(STR(c, name.text), '/');
    if (slash && !slash[1])
        return fact_as(name, f);
    return fact_word(c, f, slash ? slash + 1 : "/");
}

struct fact derive_sockfamily(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact type = fact_of(c, e, F_fd_type);
    (void)arg;
    if (type.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    if (fact_is(c, type, "ipv4") || fact_is(c, type, "ipv6"))
        return fact_word(c, f, "ip");
    return fact_is(c, type, "unix") ? fact_word(c, f, "unix") : fact_none(f, FACT_ABSENT);
}

/* Present, though "<NA>", on every event with a descriptor. */
struct fact derive_l4proto(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact type = fact_of(c, e, F_fd_type);
    (void)arg;
    if (type.state != FACT_PRESENT)
        return fact_none(f, type.state);
    return fact_word(c, f, "<NA>");
}

struct fact derive_port_text(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact port = fact_of(c, e, (enum field_id)arg);
    char buf[24];
    if (port.state != FACT_PRESENT)
        return fact_none(f, port.state);
    snprintf(buf, sizeof(buf), "%lld", (long long)port.num);
    return fact_word(c, f, buf);
}

struct fact derive_dev_part(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact dev = fact_of(c, e, F_fd_dev);
    if (dev.state != FACT_PRESENT)
        return fact_none(f, dev.state);
    uint32_t d = (uint32_t)dev.num;
    return fact_num(f, arg ? (int64_t)((d & 0xfff00) >> 8)
                           : (int64_t)((d & 0xff) | ((d >> 12) & 0xfff00)));
}

/* Without a container's id its place before the colon is empty. */
struct fact derive_in_container(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact id = fact_of(c, e, F_container_id);
    if (id.state == FACT_ABSENT)
        id = fact_word(c, f, "");
    return fact_joined(c, f, id, ":", fact_of(c, e, (enum field_id)arg));
}

static const char *endpoint(struct comp *c, const struct event *e, enum field_id ip,
                            enum field_id port)
{
    struct fact a = fact_of(c, e, ip), p = fact_of(c, e, port);
    if (a.state != FACT_PRESENT)
        return "";
    if (p.state != FACT_PRESENT)
        return arena_printf(c->arena, "%s:", STR(c, a.text));
    return arena_printf(c->arena, "%s:%lld", STR(c, a.text), (long long)p.num);
}

/* `client->server`, or the one end that there is: the name of an IP socket. */
struct fact derive_tuple(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact cip = fact_of(c, e, F_fd_cip), sip = fact_of(c, e, F_fd_sip),
                type = fact_of(c, e, F_fd_type);
    (void)arg;
    if (!fact_is(c, type, "ipv4") && !fact_is(c, type, "ipv6"))
        return fact_none(f, FACT_ABSENT);
    if (cip.state == FACT_UNKNOWN || sip.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    bool two = cip.state == FACT_PRESENT && sip.state == FACT_PRESENT;
    return fact_word(c, f,
                     arena_printf(c->arena, "%s%s%s", endpoint(c, e, F_fd_cip, F_fd_cport),
                                  two ? "->" : "", endpoint(c, e, F_fd_sip, F_fd_sport)));
}

struct fact derive_fd_uid(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact tid = fact_of(c, e, F_thread_tid), num = fact_of(c, e, F_fd_num);
    char buf[48];
    (void)arg;
    enum fact_state state = fact_both(tid, num);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    snprintf(buf, sizeof(buf), "%lld%lld", (long long)tid.num, (long long)num.num);
    return fact_word(c, f, buf);
}

/* An event that gives fd.ip or fd.port alone has one side, as a socket that listens. */
struct fact derive_one_side(struct comp *c, const struct event *e, struct field_ref f, int client)
{
    enum field_id either = client == F_fd_cip ? F_fd_ip : F_fd_port;
    enum field_id other = client == F_fd_cip ? F_fd_net : F_fd_proto;
    const struct fact *g = event_given(e, PLAIN(either));
    (void)c;
    g = g ? g : event_given(e, PLAIN(other));
    if (!g || event_given(e, PLAIN((enum field_id)client)))
        return fact_none(f, FACT_ABSENT);
    return fact_as(*g, f);
}
