/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_sock.h"

#include <stdio.h>
#include <string.h>

#include "../bpf/abi.h"

enum { AF_UNIX_ = 1, AF_INET_ = 2, AF_INET6_ = 10, AF_NETLINK_ = 16 };
enum { L4_TCP = 2, L4_UDP = 3, L4_ICMP = 4, L4_RAW = 5 };
#define IN_PROGRESS (-115)
#define SOCK_CLOEXEC_ 0x80000

/* ---- parameters ---- */

/* A tuple or an address; `family` 0: none. */
struct scap_ends {
    uint8_t family; /* 1 unix, 2, 10 */
    uint8_t len;    /* bytes of an address: 4 or 16; v6 ones that stand for v4 have 4 */
    uint16_t port[2];
    uint8_t addr[2][16];
    uint64_t kernel[2]; /* unix */
    const char *path;
    uint32_t npath;
};

/* A v6 address that stands for a v4 one is that. */
static bool mapped(const uint8_t *a)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(a, prefix, sizeof(prefix)) == 0;
}

static void unmap(struct scap_ends *x, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!mapped(x->addr[i]))
            return;
    for (unsigned i = 0; i < n; i++)
        memmove(x->addr[i], x->addr[i] + 12, 4);
    x->len = 4;
}

/* From one end to the other, or (`pair` false) one end alone. */
static struct scap_ends ends_of(const struct scap_param *p, bool pair)
{
    struct scap_bytes b = {p ? p->at : NULL, p && p->at ? p->len : 0, false};
    struct scap_ends x = {.family = (uint8_t)scap_take_number(&b, 1)};
    unsigned n = pair ? 2 : 1;

    if (x.family == AF_UNIX_) {
        for (unsigned i = 0; pair && i < 2; i++)
            x.kernel[i] = scap_take_number(&b, 8);
        x.path = (const char *)b.at;
        x.npath = (uint32_t)strnlen(x.path ? x.path : "", b.left);
    } else if (x.family == AF_INET_ || x.family == AF_INET6_) {
        x.len = x.family == AF_INET_ ? 4 : 16;
        for (unsigned i = 0; i < n; i++) {
            const uint8_t *a = scap_take(&b, x.len);

            if (a)
                memcpy(x.addr[i], a, x.len);
            x.port[i] = (uint16_t)scap_take_number(&b, 2);
        }
        if (x.len == 16)
            unmap(&x, n);
    } else {
        x.family = 0;
    }
    if (b.bad)
        x.family = 0;
    return x;
}

/* ---- descriptors ---- */

static uint8_t type_of(const struct scap_ends *x)
{
    if (x->family == AF_UNIX_)
        return SCAP_FD_UNIX;
    return x->len == 4 ? SCAP_FD_IPV4 : SCAP_FD_IPV6;
}

static void set_end(struct scap_fd *f, const struct scap_ends *x, unsigned i, bool client)
{
    memcpy(client ? f->cip : f->sip, x->addr[i], x->len);
    if (client)
        f->cport = x->port[i];
    else
        f->sport = x->port[i];
}

/* `client`: which of both ends is the client's. */
static void set_ends(struct scap_state *s, struct scap_fd *f, const struct scap_ends *x,
                     unsigned client)
{
    char name[40 + PATH_CAP];
    int n;

    f->type = type_of(x);
    if (x->family == AF_UNIX_) {
        n = snprintf(name, sizeof(name), "%llx->%llx %.*s", (unsigned long long)x->kernel[0],
                     (unsigned long long)x->kernel[1],
                     (int)(x->npath < PATH_CAP ? x->npath : PATH_CAP), x->path ? x->path : "");
        scap_fd_name(s->procs, f, name, (size_t)n);
        return;
    }
    f->alen = x->len;
    f->has_client = f->has_server = true;
    set_end(f, x, client, true);
    set_end(f, x, !client, false);
}

/* The event's descriptor, to change it; `data`: if a message may do so. */
static struct scap_fd *event_fd(struct scap_state *s, struct scap_thread *h,
                                const struct scap_event *e, bool data)
{
    struct scap_thread *leader = scap_leader(s->procs, h);
    const struct scap_fd *f;
    int64_t num;

    if (!leader || !scap_event_fd(e, &num) || num < 0)
        return NULL;
    f = scap_fd_find(leader, num);
    if (!f || (data && f->type != SCAP_FD_UNIX && !scap_fd_is_ip(f->type)))
        return NULL;
    return scap_fd_edit(s->procs, leader, num);
}

static uint8_t l4_of(int64_t type, int64_t proto)
{
    enum { STREAM = 1, DGRAM, RAW };

    if ((type & 0xff) == RAW)
        return L4_RAW;
    if (proto == 6 || (proto == 0 && (type & 0xff) == STREAM))
        return L4_TCP;
    if (proto == 17 || (proto == 0 && (type & 0xff) == DGRAM))
        return L4_UDP;
    return proto == 1 || proto == 58 ? L4_ICMP : 0;
}

void scap_sock_new(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    struct scap_thread *leader = scap_leader(s->procs, h);
    int64_t num = -1, domain = -1, type = 0, proto = 0;
    struct scap_fd *f;

    scap_param_num(e, 0, &num);
    f = leader && num >= 0 ? scap_fd_new(s->procs, leader, num) : NULL;
    if (!f || !scap_named_num(e, "domain", &domain))
        return;
    scap_named_num(e, "type", &type);
    scap_named_num(e, "proto", &proto);
    f->type = domain == AF_INET_      ? SCAP_FD_IPV4
              : domain == AF_INET6_   ? SCAP_FD_IPV6
              : domain == AF_UNIX_    ? SCAP_FD_UNIX
              : domain == AF_NETLINK_ ? SCAP_FD_NETLINK
                                      : SCAP_FD_NONE;
    f->close_on_exec = type & SOCK_CLOEXEC_;
    if (scap_fd_is_ip(f->type))
        f->l4 = l4_of(type, proto);
    else
        scap_fd_name(s->procs, f, "", 0);
}

void scap_sock_pair(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    struct scap_thread *leader = scap_leader(s->procs, h);
    struct scap_ends x = {.family = AF_UNIX_};
    int64_t res = -1, num, source = 0, peer = 0;

    if (!leader || !scap_param_num(e, 0, &res) || res < 0)
        return;
    scap_named_num(e, "source", &source);
    scap_named_num(e, "peer", &peer);
    for (unsigned i = 0; i < 2; i++) {
        struct scap_fd *f =
            scap_named_num(e, i ? "fd2" : "fd1", &num) ? scap_fd_new(s->procs, leader, num) : NULL;

        x.kernel[0] = (uint64_t)(i ? peer : source);
        x.kernel[1] = (uint64_t)(i ? source : peer);
        if (f)
            set_ends(s, f, &x, 0);
    }
}

void scap_sock_connect(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    const struct scap_ends x = ends_of(scap_param(e, "tuple"), true);
    struct scap_fd *f = event_fd(s, h, e, false);
    int64_t res = 0;

    if (!f || !scap_param_num(e, 0, &res) || (res < 0 && res != IN_PROGRESS))
        return;
    f->connected = true;
    if (!x.family)
        return;
    if (f->role == SCAP_NO_ROLE)
        f->role = SCAP_CLIENT;
    set_ends(s, f, &x, f->role == SCAP_SERVER && f->l4 == L4_UDP);
    s->renamed = true;
}

void scap_sock_accept(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    const struct scap_ends x = ends_of(scap_param(e, "tuple"), true);
    struct scap_thread *leader = scap_leader(s->procs, h);
    int64_t num = -1, flags = 0;
    struct scap_fd *f;

    scap_param_num(e, 0, &num);
    f = leader && num >= 0 ? scap_fd_new(s->procs, leader, num) : NULL;
    if (!f || !x.family)
        return;
    f->role = SCAP_SERVER;
    f->connected = true;
    if (e->event == EV_accept4 && scap_named_num(e, "flags", &flags))
        f->close_on_exec = flags & SOCK_CLOEXEC_;
    set_ends(s, f, &x, 0);
    if (scap_fd_is_ip(f->type))
        f->l4 = L4_TCP;
}

void scap_sock_bind(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    const struct scap_ends x = ends_of(scap_param(e, "addr"), false);
    struct scap_fd *f = event_fd(s, h, e, false);
    int64_t res = -1;

    if (!f || !scap_param_num(e, 0, &res) || res < 0 || !x.family)
        return;
    if (x.family == AF_UNIX_) {
        scap_fd_name(s->procs, f, x.path, x.npath);
        s->renamed = true;
        return;
    }
    if (x.port[0] == 0)
        return;
    f->type = x.len == 4 ? SCAP_FD_IPV4_SERVER : SCAP_FD_IPV6_SERVER;
    f->alen = x.len;
    f->role = SCAP_SERVER;
    f->has_client = false;
    f->has_server = true;
    set_end(f, &x, 0, false);
    s->renamed = true;
}

/*
 * Where a socket is no TCP one each message tells both ends: from the sender's to the receiver's.
 * Who bound a port serves there; else who was first seen to send or receive is the client.
 */
void scap_sock_data(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    const struct scap_ends x = ends_of(scap_param(e, "tuple"), true);
    bool reads = catalog_event(e->event)->flags & EVF_READS_FD;
    struct scap_fd *f;
    int64_t res = -1;

    if (!scap_param_num(e, 0, &res) || res < 0)
        return;
    f = event_fd(s, h, e, true);
    if (!f)
        return;
    if (f->type == SCAP_FD_IPV4 || f->type == SCAP_FD_IPV6)
        f->connected = true;
    if (!x.family || (f->l4 == L4_TCP && f->has_server))
        return;
    if (x.family != AF_UNIX_ && f->l4 == 0)
        f->l4 = L4_UDP;
    if (x.family != AF_UNIX_ && f->role == SCAP_NO_ROLE)
        f->role = SCAP_CLIENT;
    set_ends(s, f, &x, reads ^ (f->role == SCAP_SERVER));
    s->renamed = true;
}
