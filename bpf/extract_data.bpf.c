/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The first bytes of what a call read or wrote (evt.buffer), from the caller's memory. It is read
 * when the call is over: of a write, another thread can have changed it since.
 */
#include "probe.h"

#define DATA_CAP 80 /* the slot's size */
#define VECTORS 32  /* of a message: what the language looks at */

struct vector {
    __u64 base, len;
};

/* Bytes that count: those moved; where a write failed, those it was asked to. */
static __always_inline __u64 moved(struct ev *ev, __u64 asked)
{
    __s64 res = ev->h.num[N_RES];

    if (res > 0)
        return (__u64)res;
    switch (ev->h.event) {
    case EV_write:
    case EV_pwrite:
    case EV_sendto:
    case EV_sendmsg:
        return res < 0 ? asked : 0;
    }
    return 0;
}

static __always_inline void put_data(struct ev *ev, __u64 from, __u64 whole)
{
    __u32 n = whole < DATA_CAP ? (__u32)whole : DATA_CAP;

    OPAQUE(n);
    if (n > DATA_CAP || (n && bpf_probe_read_user(ev->s_DATA, n, (void *)from)))
        put_text(ev, S_DATA, 0, ST_UNKNOWN);
    else
        put_text(ev, S_DATA, n, ST_PRESENT);
}

/* Vector `i` behind what is in work.fold already. */
static long gather_step(__u32 i, void *unused)
{
    struct work *w = work_get();
    struct gather *g;
    struct vector v;
    __u32 n, at;

    if (!w)
        return 1;
    g = &w->gather;
    at = g->at;
    if (i >= g->iovlen || at >= g->want || at >= DATA_CAP)
        return 1;
    g->failed = 1;
    if (bpf_probe_read_user(&v, sizeof(v), (void *)(g->iov + i * sizeof(v))))
        return 1;
    n = v.len < g->want - at ? (__u32)v.len : g->want - at;
    OPAQUE(n);
    if (n > DATA_CAP || (n && bpf_probe_read_user(w->fold + at, n, (void *)v.base)))
        return 1;
    g->failed = 0;
    g->at = at + n;
    return 0;
}

static __always_inline void put_message(struct ev *ev)
{
    struct work *w = work_get();
    struct message m;
    __u64 want = moved(ev, DATA_CAP);
    __u32 n;

    put_text(ev, S_DATA, 0, ST_UNKNOWN);
    if (!w || !read_message(ev, &m))
        return;
    w->gather.iov = m.iov;
    w->gather.iovlen = m.iovlen;
    w->gather.want = want < DATA_CAP ? (__u32)want : DATA_CAP;
    w->gather.at = w->gather.failed = 0;
    bpf_loop(VECTORS, gather_step, NULL, 0);
    n = w->gather.at;
    OPAQUE(n);
    if (w->gather.failed || n > DATA_CAP)
        return;
    bpf_probe_read_kernel(ev->s_DATA, n, w->fold);
    put_text(ev, S_DATA, n, ST_PRESENT);
}

__attribute__((noinline)) int extract_data(struct ev *ev)
{
    if (!ev)
        return 0;
    switch (ev->h.event) {
    case EV_read:
    case EV_pread:
    case EV_recvfrom:
    case EV_write:
    case EV_pwrite:
    case EV_sendto:
        put_data(ev, ev->args[1], moved(ev, ev->args[2]));
        break;
    case EV_recvmsg:
    case EV_sendmsg:
        put_message(ev);
        break;
    default:
        put_text(ev, S_DATA, 0, ST_ABSENT);
    }
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
