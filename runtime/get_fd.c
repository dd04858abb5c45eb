/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the event's descriptor. */
#include "get.h"

enum { FAMILY_UNIX = 2 };                     /* of flag table fd_sockfamily */
enum { TYPE_IPV4 = 3, TYPE_IPV6_SERVER = 6 }; /* of flag table fd_type, the four IP kinds */

static void add_end(struct fmt *t, struct val ip, struct val port)
{
    fmt_addr(t, ip.text, ip.len);
    fmt_char(t, ':');
    if (port.state == ST_PRESENT)
        fmt_unsigned(t, (uint16_t)port.num, 10, 1);
}

/* `sip:sport->dip:dport`, or the server's end alone. Empty while there are no addresses. */
struct val get_tuple(struct record *r)
{
    struct val cip = get_field(r, F_fd_cip), sip = get_field(r, F_fd_sip);
    struct fmt t;

    if (slot_num(r, N_SOCKFAMILY).num == FAMILY_UNIX)
        return slot_text(r, S_FD_NAME);
    if (cip.state == ST_UNKNOWN || sip.state == ST_UNKNOWN)
        return val_unknown();
    t = scratch_begin(r);
    if (val_here(cip)) {
        add_end(&t, cip, get_field(r, F_fd_cport));
        if (val_here(sip))
            fmt_str(&t, "->");
    }
    if (val_here(sip))
        add_end(&t, sip, get_field(r, F_fd_sport));
    return scratch_end(r, &t);
}

struct val get_fd_name(struct record *r)
{
    struct val v = slot_text(r, S_FD_NAME), type = slot_num(r, N_FD_TYPE);

    if (val_here(v) || type.state != ST_PRESENT || type.num < TYPE_IPV4 ||
        type.num > TYPE_IPV6_SERVER)
        return v;
    return get_tuple(r);
}

struct val get_name_of(struct record *r, enum str_slot slot, enum num_slot kind)
{
    struct val v = slot_text(r, slot), type = slot_num(r, kind);
    struct sock_ends ends;
    struct fmt t;

    if (type.state != ST_PRESENT || type.num < TYPE_IPV4 || type.num > TYPE_IPV6_SERVER)
        return v;
    if (!r->text[slot] || r->h->len[slot] != sizeof(ends))
        return val_unknown();
    memcpy(&ends, r->text[slot], sizeof(ends));
    t = scratch_begin(r);
    if (ends.client_len == 4 || ends.client_len == 16) {
        fmt_addr(&t, (const char *)ends.client, ends.client_len);
        fmt_char(&t, ':');
        fmt_unsigned(&t, ends.client_port, 10, 1);
        fmt_str(&t, "->");
    }
    if (ends.server_len == 4 || ends.server_len == 16) {
        fmt_addr(&t, (const char *)ends.server, ends.server_len);
        fmt_char(&t, ':');
        fmt_unsigned(&t, ends.server_port, 10, 1);
    }
    return scratch_end(r, &t);
}

struct val get_proc_stdin_name(struct record *r, const struct want *w)
{
    (void)w;
    return get_name_of(r, S_STDIN_NAME, N_STDIN_TYPE);
}

struct val get_proc_stdout_name(struct record *r, const struct want *w)
{
    (void)w;
    return get_name_of(r, S_STDOUT_NAME, N_STDOUT_TYPE);
}

struct val get_proc_stderr_name(struct record *r, const struct want *w)
{
    (void)w;
    return get_name_of(r, S_STDERR_NAME, N_STDERR_TYPE);
}

/* The name of a type in `name`, unless one of the mask before it has the same. */
static bool new_name(uint64_t kinds, unsigned kind, char *name, size_t cap)
{
    char other[32];

    if (!(kinds >> kind & 1) || !catalog_flags_text(FT_fd_type, kind, false, name, cap))
        return false;
    for (unsigned i = 0; i < kind; i++)
        if (kinds >> i & 1 && catalog_flags_text(FT_fd_type, i, false, other, sizeof(other)) &&
            strcmp(name, other) == 0)
            return false;
    return true;
}

/* The names of a mask of types, as a list. */
static struct val type_names(struct record *r, uint64_t kinds)
{
    struct val v = {.state = ST_PRESENT, .base = BASE_TEXT, .is_list = 1};
    struct fmt t = scratch_begin(r);
    char name[32];

    for (unsigned i = 0; i < 64; i++) {
        if (!new_name(kinds, i, name, sizeof(name)))
            continue;
        fmt_add(&t, name, strlen(name) + 1);
        v.num++;
    }
    v.text = t.buf;
    v.len = (uint32_t)t.len;
    r->used += v.len;
    return v;
}

struct val get_fd_types(struct record *r, const struct want *w)
{
    struct val kinds;

    if (w->index > 2)
        return val_unknown();
    kinds = slot_num(r, w->index < 0 ? N_FD_KINDS : (enum num_slot)(N_STDIN_TYPE + w->index));
    if (kinds.state != ST_PRESENT)
        return kinds;
    return type_names(r, w->index < 0 ? (uint64_t)kinds.num : 1ull << (kinds.num & 63));
}

/* The numbers alone, of the list that poll's parameter is: up to each colon. */
struct val get_fdlist_nums(struct record *r, const struct want *w)
{
    struct val list = slot_text(r, S_FDLIST);
    struct fmt t;

    (void)w;
    if (list.state != ST_PRESENT)
        return list;
    t = scratch_begin(r);
    for (uint32_t i = 0; i < list.len; i++) {
        if (list.text[i] == ':')
            while (i < list.len && list.text[i] != ' ')
                i++;
        if (i < list.len)
            fmt_char(&t, list.text[i] == ' ' ? ',' : list.text[i]);
    }
    return scratch_end(r, &t);
}

static struct val as_net(struct val v)
{
    v.base = BASE_NET;
    return v;
}

struct val get_fd_cnet(struct record *r, const struct want *w)
{
    (void)w;
    return as_net(get_field(r, F_fd_cip));
}

struct val get_fd_snet(struct record *r, const struct want *w)
{
    (void)w;
    return as_net(get_field(r, F_fd_sip));
}

/*
 * Tests of fd.ip, fd.port, fd.net, fd.proto look at both ends (table.c). As one value they are only
 * asked whether they are there.
 */
static struct val either(struct record *r, enum field_id a, enum field_id b)
{
    struct val v = get_field(r, a);

    return v.state == ST_ABSENT ? get_field(r, b) : v;
}

struct val get_fd_ip(struct record *r, const struct want *w)
{
    (void)w;
    return either(r, F_fd_cip, F_fd_sip);
}

struct val get_fd_net(struct record *r, const struct want *w)
{
    (void)w;
    return as_net(either(r, F_fd_cip, F_fd_sip));
}

struct val get_fd_port(struct record *r, const struct want *w)
{
    (void)w;
    return either(r, F_fd_cport, F_fd_sport);
}

struct val get_fd_proto(struct record *r, const struct want *w)
{
    return get_fd_port(r, w);
}

/* Ports as text. Names of services belong to the machine that loads the rules, not to this one. */
static struct val port_text(struct record *r, enum field_id port)
{
    struct val v = get_field(r, port);
    struct fmt t;

    if (v.state != ST_PRESENT)
        return v;
    t = scratch_begin(r);
    fmt_unsigned(&t, (uint16_t)v.num, 10, 1);
    return scratch_end(r, &t);
}

struct val get_fd_cproto(struct record *r, const struct want *w)
{
    (void)w;
    return port_text(r, F_fd_cport);
}

struct val get_fd_sproto(struct record *r, const struct want *w)
{
    (void)w;
    return port_text(r, F_fd_sport);
}

struct val get_fd_dev_major(struct record *r, const struct want *w)
{
    struct val v = get_field(r, F_fd_dev);

    (void)w;
    if (v.state == ST_PRESENT)
        v.num = (v.num >> 8) & 0xfff;
    return v;
}

struct val get_fd_dev_minor(struct record *r, const struct want *w)
{
    struct val v = get_field(r, F_fd_dev);

    (void)w;
    if (v.state == ST_PRESENT)
        v.num = (v.num & 0xff) | ((v.num >> 12) & 0xfff00);
    return v;
}

struct val get_fd_uid(struct record *r, const struct want *w)
{
    struct val tid = get_field(r, F_thread_tid), num = get_field(r, F_fd_num);
    struct fmt t;

    (void)w;
    if (num.state == ST_ABSENT || tid.state == ST_ABSENT)
        return val_absent();
    if (num.state != ST_PRESENT || tid.state != ST_PRESENT)
        return val_unknown();
    t = scratch_begin(r);
    fmt_signed(&t, tid.num);
    fmt_signed(&t, num.num);
    return scratch_end(r, &t);
}

static struct val in_container(struct record *r, enum field_id part)
{
    struct val v = get_field(r, part), id = get_field(r, F_container_id);

    if (!val_here(v))
        return v;
    return id.state == ST_UNKNOWN ? id : scratch_pair(r, &id, ':', &v);
}

struct val get_fd_containername(struct record *r, const struct want *w)
{
    (void)w;
    return in_container(r, F_fd_name);
}

struct val get_fd_containerdirectory(struct record *r, const struct want *w)
{
    (void)w;
    return in_container(r, F_fd_directory);
}
