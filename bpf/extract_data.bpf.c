/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The bytes that a call moved: the first DATA_CAP of them, as they are when the call returns. What
 * was read is the result's length; of what is written the result's, or all of it if the call
 * failed.
 */
#include "args.h"

#define DATA_CAP 80 /* the language's default; sizeof(ev->s_DATA) */

/* The next part's bytes behind those that are there; 1: there is no room, nothing left, or a fault.
 */
static long gather_step(__u32 i, void *none)
{
    __u32 cpu = bpf_get_smp_processor_id(), at, n;
    struct ev *ev = bpf_map_lookup_elem(&scratch, &cpu);
    struct work *w = work_get();
    __u64 base, len;

    if (!ev || !w || !w->gather.left)
        return 1;
    if (!part_at(ev->compat, &w->gather.at, &base, &len)) {
        w->gather.bad = 1;
        return 1;
    }
    len = len > w->gather.left ? w->gather.left : len;
    at = w->gather.len;
    OPAQUE(at);
    if (at >= DATA_CAP)
        return 1;
    n = len > DATA_CAP - at ? DATA_CAP - at : (__u32)len;
    OPAQUE(n);
    if (n > DATA_CAP)
        return 1;
    if (!user_bytes(ev->s_DATA + at, n, base)) {
        w->gather.bad = 1;
        return 1;
    }
    w->gather.len = at + n;
    w->gather.left -= n;
    return 0;
}

static __always_inline void put_data(struct ev *ev, __u32 len, bool known)
{
    put_text(ev, S_DATA, len, known ? ST_PRESENT : ST_UNKNOWN);
}

static __always_inline void data_of_vector(struct ev *ev, __u64 iov, __u64 parts, __u64 left)
{
    struct work *w = work_get();

    if (!w)
        return;
    w->gather = (struct gather){.at = iov, .left = left};
    bpf_loop(parts > IOV_PARTS ? IOV_PARTS : (__u32)parts, gather_step, NULL, 0);
    put_data(ev, w->gather.len, !w->gather.bad);
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
    if (wanted(175) && ev->h.event == EV_init_module)
        data_at(ev, ev->args[0], ev->args[1]);
    else if (wanted(431) && ev->h.event == EV_fsconfig &&
             (__u32)ev->args[1] == FSCONFIG_SET_BINARY && ev->h.num[N_RES] >= 0)
        data_at(ev, ev->args[3], (__u32)ev->args[4]);
}

__attribute__((noinline)) int extract_data(struct ev *ev)
{
    __u32 event;
    __u8 source, reads;
    __u64 left, iov, parts;
    struct user_msg m;

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
    if (reads && ev->h.num[N_RES] <= 0) {
        put_data(ev, 0, ev->h.st[N_RES] == ST_PRESENT); /* there is none: an empty value */
        return 0;
    }
    /* Of many messages the result is their number. */
    if (event == EV_sendmmsg || event == EV_recvmmsg)
        user_bytes(&left, 4, ev->args[1] + (ev->compat ? 28 : 56));
    if (source == BUFFER) {
        data_at(ev, ev->args[1], left || reads ? left : ev->args[2]);
        return 0;
    }
    if (source == NO_DATA) {
        data_of_other(ev);
        return 0;
    }
    iov = ev->args[1];
    parts = ev->args[2];
    if (source == MESSAGE) {
        if (!user_msg(ev, ev->args[1], &m)) {
            put_text(ev, S_DATA, 0, ST_UNKNOWN);
            return 0;
        }
        iov = m.iov;
        parts = m.parts;
        if (reads)
            control_of(ev, &m);
    }
    data_of_vector(ev, iov, parts, left || reads ? left : ~0ull);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
