/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The addresses of the event's socket, from struct sock.
 *
 * The language's library keeps a table of descriptors that it fills from the calls it saw. The
 * kernel has the objects themselves; where the two differ (a role that only a table remembers) is
 * said beside the code. Part of extract_fd.bpf.c, because it reads through casts (path_sketch.h).
 */
#ifndef RULEC_EXTRACT_SOCK_H
#define RULEC_EXTRACT_SOCK_H

#include "args.h"
#include <bpf/bpf_endian.h>

enum { L4_UNKNOWN = 0, L4_TCP = 2, L4_UDP = 3, L4_ICMP = 4, L4_RAW = 5 };
enum { FAMILY_IP = 1, FAMILY_UNIX = 2 };
#define SOCK_RAW 3

struct side {
    __u32 len;  /* of the address: 4 or 16 */
    __u16 port; /* host order */
    __u8 addr[16];
};

static __always_inline __u32 l4_of(__u64 sk)
{
    if (KREAD(struct sock, sk, sk_type) == SOCK_RAW)
        return L4_RAW;
    switch (KREAD(struct sock, sk, sk_protocol)) {
    case 6:
        return L4_TCP;
    case 17:
        return L4_UDP;
    case 1:
    case 58:
        return L4_ICMP;
    }
    return L4_UNKNOWN;
}

static __always_inline void read_side(struct side *s, __u64 sk, __u32 family, bool remote)
{
    __builtin_memset(s, 0, sizeof(*s));
    if (family == AF_INET) {
        __u32 a = remote ? KREAD(struct sock, sk, __sk_common.skc_daddr)
                         : KREAD(struct inet_sock, sk, inet_saddr);

        s->len = 4;
        *(__u32 *)s->addr = a;
    } else {
        struct in6_addr a = remote ? KREAD(struct sock, sk, __sk_common.skc_v6_daddr)
                                   : KREAD(struct sock, sk, __sk_common.skc_v6_rcv_saddr);

        s->len = 16;
        __builtin_memcpy(s->addr, a.bytes, 16);
    }
    s->port = remote ? bpf_ntohs(KREAD(struct sock, sk, __sk_common.skc_dport))
                     : bpf_ntohs(KREAD(struct inet_sock, sk, inet_sport));
}

/* The destination that connect() or sendto() was given, where the socket has none (yet). */
static __always_inline bool read_sockaddr(struct ev *ev, struct side *s, __u64 at, __u32 family)
{
    __u32 size = family == AF_INET ? 8 : 24;
    long failed;
    struct {
        __u16 family;
        __be16 port;
        __u32 addr4; /* v6: flow info */
        __u8 addr6[16];
    } a = {};

    __builtin_memset(s, 0, sizeof(*s));
    if (at == (__u64)ev->peer)
        failed = bpf_probe_read_kernel(&a, size, (void *)at);
    else
        failed = bpf_probe_read_user(&a, size, (void *)at);
    if (!at || failed || a.family != family)
        return false;
    s->port = bpf_ntohs(a.port);
    s->len = family == AF_INET ? 4 : 16;
    if (family == AF_INET)
        *(__u32 *)s->addr = a.addr4;
    else
        __builtin_memcpy(s->addr, a.addr6, 16);
    return true;
}

/* The address that a datagram goes to or came from; 0: the call has none. */
static __always_inline __u64 message_address(struct ev *ev)
{
    struct user_msg m;

    switch (ev->h.event) {
    case EV_sendto:
        return ev->ring && ev->has_peer ? (__u64)ev->peer : ev->args[4];
    case EV_recvfrom:
        return ev->h.num[N_RES] >= 0 ? ev->args[4] : 0;
    case EV_sendmsg:
    case EV_sendmmsg:
        return user_msg(ev, ev->args[1], &m) ? m.name : 0;
    case EV_recvmsg:
    case EV_recvmmsg:
        return ev->h.num[N_RES] >= 0 && user_msg(ev, ev->args[1], &m) ? m.name : 0;
    }
    return 0;
}

static __always_inline void put_sides(struct ev *ev, struct side *client, struct side *server)
{
    __builtin_memset(ev->s_CIP, 0, sizeof(ev->s_CIP));
    put_state(ev, N_CPORT, ST_ABSENT);
    put_text(ev, S_CIP, 0, ST_ABSENT);
    if (client) {
        __builtin_memcpy(ev->s_CIP, client->addr, 16);
        put_num(ev, N_CPORT, client->port);
        put_text(ev, S_CIP, client->len, ST_PRESENT);
    }
    __builtin_memcpy(ev->s_SIP, server->addr, 16);
    put_num(ev, N_SPORT, server->port);
    put_text(ev, S_SIP, server->len, ST_PRESENT);
}

static __always_inline void no_sock(struct ev *ev)
{
    put_num(ev, N_L4PROTO, L4_UNKNOWN);
    put_state(ev, N_SOCKFAMILY, ST_ABSENT);
    put_state(ev, N_CPORT, ST_ABSENT);
    put_state(ev, N_SPORT, ST_ABSENT);
    put_num(ev, N_CONNECTED, 0);
    put_num(ev, N_NAME_CHANGED, 0);
    put_num(ev, N_SOCK_SERVER, 0);
    put_text(ev, S_CIP, 0, ST_ABSENT);
    put_text(ev, S_SIP, 0, ST_ABSENT);
}

static __always_inline bool serves(__u64 sk, __u32 l4)
{
    struct sock *s = (struct sock *)sk;

    if (l4 == L4_TCP)
        return KREAD(struct sock, sk, sk_max_ack_backlog) != 0;
    return BPF_CORE_READ_BITFIELD_PROBED(s, sk_userlocks) & SOCK_BINDPORT_LOCK;
}

/*
 * Which side is the client's. The language's table remembers who called connect, accept or bind.
 * The kernel shows it in what a TCP socket inherits: one that was accepted has its listener's
 * backlog, one that connected has none. Elsewhere, a port that the program chose itself is a
 * server's.
 */
static __always_inline bool is_server(struct ev *ev, __u64 sk, __u32 l4)
{
    switch (ev->h.event) {
    case EV_accept:
    case EV_accept4:
    case EV_bind:
    case EV_listen:
        return true;
    case EV_connect:
        return false;
    }
    return serves(sk, l4);
}

static __always_inline void ip_sock(struct ev *ev, __u64 sk, __u32 family)
{
    __s64 res = ev->h.num[N_RES];
    struct side local, remote;
    bool peer, server;
    __u32 l4 = l4_of(sk);

    put_num(ev, N_SOCKFAMILY, FAMILY_IP);
    if (ev->h.event == EV_connect && res < 0 && res != -115)
        return; /* refused: the language's table learns nothing from it */
    read_side(&local, sk, family, false);
    read_side(&remote, sk, family, true);
    peer = remote.port != 0;
    if (!peer && ev->h.event == EV_connect)
        peer = read_sockaddr(ev, &remote, ev->args[1], family);
    if (!peer && l4 != L4_TCP)
        peer = read_sockaddr(ev, &remote, message_address(ev), family);
    if (!peer && (!local.port || ev->h.event == EV_socket))
        return; /* no role yet */
    server = !peer || is_server(ev, sk, l4);
    put_num(ev, N_L4PROTO, l4);
    put_num(ev, N_SOCK_SERVER, server);
    put_num(ev, N_CONNECTED, peer && !(ev->h.event == EV_connect && res < 0));
    put_num(ev, N_NAME_CHANGED, ev->h.event == EV_connect || ev->h.event == EV_bind);
    if (!peer)
        put_sides(ev, NULL, &local);
    else if (server)
        put_sides(ev, &remote, &local);
    else
        put_sides(ev, &local, &remote);
}

static __always_inline void set_client(struct work *w, const struct side *s)
{
    w->ends.client_len = (__u8)s->len;
    w->ends.client_port = s->port;
    __builtin_memcpy(w->ends.client, s->addr, 16);
}

static __always_inline void set_server(struct work *w, const struct side *s)
{
    w->ends.server_len = (__u8)s->len;
    w->ends.server_port = s->port;
    __builtin_memcpy(w->ends.server, s->addr, 16);
}

__attribute__((noinline)) int sock_ends(__u64 sk)
{
    struct work *w = work_get();
    struct side local, remote;
    __u32 family;

    if (!w)
        return 0;
    __builtin_memset(&w->ends, 0, sizeof(w->ends));
    family = KREAD(struct sock, sk, __sk_common.skc_family);
    read_side(&local, sk, family, false);
    read_side(&remote, sk, family, true);
    if (!local.port && !remote.port)
        return 0;
    if (!remote.port || serves(sk, l4_of(sk))) {
        set_server(w, &local);
        if (remote.port)
            set_client(w, &remote);
    } else {
        set_client(w, &local);
        set_server(w, &remote);
    }
    return 0;
}

static __always_inline void no_descriptor(struct ev *ev, __u8 state)
{
    put_state(ev, N_L4PROTO, state);
    put_state(ev, N_SOCKFAMILY, state);
    put_state(ev, N_CPORT, state);
    put_state(ev, N_SPORT, state);
    put_state(ev, N_CONNECTED, state);
    put_state(ev, N_NAME_CHANGED, state);
    put_state(ev, N_SOCK_SERVER, state);
    put_text(ev, S_CIP, 0, state);
    put_text(ev, S_SIP, 0, state);
}

__attribute__((noinline)) int extract_sock(struct ev *ev)
{
    __u64 file, sk;
    __u32 family;

    if (!ev)
        return 0;
    no_sock(ev);
    if (ev->h.st[N_FD_NUM] != ST_PRESENT) {
        no_descriptor(ev, without_fd(ev));
        return 0;
    }
    file = file_of_event(ev);
    if (!file || !is_socket(file))
        return 0;
    sk = sock_of_file(file);
    family = KREAD(struct sock, sk, __sk_common.skc_family);
    if (family == AF_UNIX) {
        put_num(ev, N_SOCKFAMILY, FAMILY_UNIX);
        put_num(ev, N_CONNECTED, KREAD(struct sock, sk, __sk_common.skc_state) == TCP_ESTABLISHED);
    } else if (family == AF_INET || family == AF_INET6) {
        ip_sock(ev, sk, family);
    }
    return 0;
}

#endif
