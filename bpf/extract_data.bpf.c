/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The bytes that a call moved: the first DATA_CAP of them, as they are when the call returns. What
 * was read is the result's length; of what is written the result's, or all of it if the call
 * failed.
 */
#include "args.h"

#define DATA_CAP 80 /* the language's default; sizeof(ev->s_DATA) */

/* One piece after the other, until DATA_CAP bytes are there or `left` is used up. */
struct gather {
    struct iov_walk iov;
    struct ev *ev;
    __u64 left;
    __u32 len;
};

static long gather_step(__u32 i, struct gather *g)
{
    __u64 base, len;
    __u32 at = g->len, n;

    if (at >= DATA_CAP || !g->left)
        return 1;
    if (!iov_next(&g->iov, &base, &len)) {
        g->iov.bad = 1;
        return 1;
    }
    len = len > g->left ? g->left : len;
    n = len > DATA_CAP - at ? DATA_CAP - at : (__u32)len;
    OPAQUE(n);
    OPAQUE(at);
    if (n > DATA_CAP || at > DATA_CAP - n)
        return 1;
    if (!user_bytes(g->ev->s_DATA + at, n, base)) {
        g->iov.bad = 1;
        return 1;
    }
    g->len = at + n;
    g->left -= n;
    return 0;
}

static __always_inline void put_data(struct ev *ev, __u32 len, bool known)
{
    put_text(ev, S_DATA, len, !known ? ST_UNKNOWN : len ? ST_PRESENT : ST_ABSENT);
}

static __always_inline void data_of_vector(struct ev *ev, __u64 iov, __u64 parts, __u64 left)
{
    struct work *w = work_get();
    struct gather g = {.iov = {.at = iov, .compat = ev->compat}, .ev = ev, .left = left};

    if (!w)
        return;
    g.iov.bad = untold(w, 0);
    g.len = untold(w, 0);
    bpf_loop(parts > IOV_PARTS ? IOV_PARTS : (__u32)parts, gather_step, &g, 0);
    put_data(ev, g.len, !g.iov.bad);
}

static __always_inline void data_at(struct ev *ev, __u64 user, __u64 left)
{
    __u32 n = left > DATA_CAP ? DATA_CAP : (__u32)left;

    OPAQUE(n);
    if (n <= DATA_CAP)
        put_data(ev, n, n == 0 || user_bytes(ev->s_DATA, n, user));
}

static __always_inline void control_of(struct ev *ev, const struct user_msg *m)
{
    __u32 n = m->control_len > DATA_CAP ? DATA_CAP : (__u32)m->control_len;

    OPAQUE(n);
    if (!m->control || n == 0 || n > DATA_CAP)
        return;
    if (!user_bytes(ev->s_CONTROL, n, m->control))
        put_text(ev, S_CONTROL, 0, ST_UNKNOWN);
    else
        put_text(ev, S_CONTROL, n, m->control_len > DATA_CAP ? ST_CUT : ST_PRESENT);
}

static __always_inline void data_of_message(struct ev *ev, __u64 left)
{
    struct user_msg m;

    if (!user_msg(ev, ev->args[1], &m)) {
        put_text(ev, S_DATA, 0, ST_UNKNOWN);
        return;
    }
    data_of_vector(ev, m.iov, m.parts, left);
    if (ev->h.event == EV_recvmsg || ev->h.event == EV_recvmmsg)
        control_of(ev, &m);
}

enum source { NO_DATA, BUFFER, VECTOR, MESSAGE };
struct data_row {
    __u8 source; /* enum source; BUFFER: argument 1, argument 2 its length */
    __u8 reads;  /* nothing if the call failed */
};

static const volatile struct data_row data_rows[EV_COUNT] = {
    [EV_read] = {BUFFER, 1},
    [EV_pread] = {BUFFER, 1},
    [EV_recvfrom] = {BUFFER, 1},
    [EV_write] = {BUFFER, 0},
    [EV_pwrite] = {BUFFER, 0},
    [EV_sendto] = {BUFFER, 0},
    [EV_readv] = {VECTOR, 1},
    [EV_preadv] = {VECTOR, 1},
    [EV_writev] = {VECTOR, 0},
    [EV_pwritev] = {VECTOR, 0},
    [EV_sendmsg] = {MESSAGE, 0},
    [EV_recvmsg] = {MESSAGE, 1},
    [EV_sendmmsg] = {MESSAGE, 0},
    [EV_recvmmsg] = {MESSAGE, 1},
    [EV_process_vm_readv] = {VECTOR, 1},
    [EV_process_vm_writev] = {VECTOR, 1},
};

#define FSCONFIG_SET_BINARY 2

/* Bytes that are no stream's: a module's image, a blob of options. */
static __always_inline void data_of_other(struct ev *ev)
{
    if (ev->h.event == EV_init_module)
        data_at(ev, ev->args[0], ev->args[1]);
    else if (ev->h.event == EV_fsconfig && (__u32)ev->args[1] == FSCONFIG_SET_BINARY &&
             ev->h.num[N_RES] >= 0)
        data_at(ev, ev->args[3], (__u32)ev->args[4]);
}

__attribute__((noinline)) int extract_data(struct ev *ev)
{
    __u32 event;
    __u8 source, reads;
    __u64 left;

    if (!ev)
        return 0;
    put_text(ev, S_DATA, 0, ST_ABSENT);
    put_text(ev, S_CONTROL, 0, ST_ABSENT);
    event = ev->h.event;
    OPAQUE(event);
    if (event >= EV_COUNT)
        return 0;
    source = data_rows[event].source;
    reads = data_rows[event].reads;
    left = ev->h.num[N_RES] > 0 ? (__u64)ev->h.num[N_RES] : 0;
    if (reads && ev->h.num[N_RES] <= 0)
        return 0;
    /* Of many messages the result is their number. */
    if (event == EV_sendmmsg || event == EV_recvmmsg)
        user_bytes(&left, 4, ev->args[1] + (ev->compat ? 28 : 56));
    if (source == BUFFER)
        data_at(ev, ev->args[1], left || reads ? left : ev->args[2]);
    else if (source == VECTOR)
        data_of_vector(ev, ev->args[1], ev->args[2], left || reads ? left : ~0ull);
    else if (source == MESSAGE)
        data_of_message(ev, left || reads ? left : ~0ull);
    else
        data_of_other(ev);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
