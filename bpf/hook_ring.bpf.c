/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls that are made through an io_uring: events like those of system calls.
 *
 * The kernel tells twice of a request: when it has taken it from the ring, and when it posts its
 * completion. The arguments are there the first time only, result and file the second, so a request
 * is kept from the one to the other. Both happen in a thread of the process that the request is of:
 * the one that entered the ring, or one that the kernel made for it, which shares its descriptors,
 * memory and directories (a poller of the ring, a worker).
 *
 * What posts no completion when it succeeds is judged when it is submitted, and so is what there is
 * no room to keep: its result is then unknown. A close is judged there too, while there is a file.
 *
 * hook_judge.bpf.c judges what these make.
 */
#include "judge.h"
#include "call.h"
#include "ring.h"

#define CALLS_MAX 16384 /* requests that are kept; memory is taken as they come */
#define TEXTS_MAX 1024

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, CALLS_MAX);
    __type(key, __u64); /* address of the request */
    __type(value, struct ring_call);
} ring_calls SEC(".maps");

/* Those that can complete again and again: later completions do not say of what request they are.
 */
struct again_key {
    __u64 ring, user_data;
};
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, CALLS_MAX);
    __type(key, struct again_key);
    __type(value, struct ring_call);
} ring_again SEC(".maps");

struct text_key {
    __u64 req, which;
};
struct ring_text {
    char text[PATH_CAP];
};
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, TEXTS_MAX);
    __type(key, struct text_key);
    __type(value, struct ring_text);
} ring_texts SEC(".maps");

#define OP_COUNT 64
/* 1 + the number of the call that an operation stands for. */
static const volatile __u16 call_of_op[OP_COUNT] = {
#define RING_OP(name, op, nr) [op] = (nr) + 1,
#include "../grammar/rings.def"
};

enum ring_op {
#define RING_OP(name, op, nr) OP_##name = op,
#define RING_OP_NONE(name, op, reason) OP_##name = op,
#include "../grammar/rings.def"
};

/* ---- arguments, out of the request's own structure ---- */

#define CMD(type, field) ((__u64)KREAD(struct type, req, field))
#define CMD_INT(type, field) ((__u64)(__s64)KREAD(struct type, req, field))

static __always_inline void put_ring_text(struct ring_call *c, __u32 which, __u32 arg,
                                          __u64 filename)
{
    c->text[which] = (__u64)KREAD(struct filename, filename, name);
    c->text_arg[which] = (__u8)arg;
}

#define O_LARGEFILE_NATIVE 0x8000ull /* the kernel sets it by itself */

static __always_inline void open_args(struct ring_call *c, __u64 req)
{
    c->args[0] = CMD_INT(io_open, dfd);
    put_ring_text(c, 0, 1, CMD(io_open, filename));
    c->slot = (__u32)CMD(io_open, file_slot);
    c->args[2] = CMD(io_open, how.flags) & ~O_LARGEFILE_NATIVE;
    c->args[3] = CMD(io_open, how.mode);
    c->args[4] = CMD(io_open, how.resolve); /* of openat2 (open_native) */
}

static __always_inline void rename_args(struct ring_call *c, __u64 req)
{
    c->args[0] = CMD_INT(io_rename, old_dfd);
    put_ring_text(c, 0, 1, CMD(io_rename, oldpath));
    c->args[2] = CMD_INT(io_rename, new_dfd);
    put_ring_text(c, 1, 3, CMD(io_rename, newpath));
    c->args[4] = CMD(io_rename, flags);
}

static __always_inline void link_args(struct ring_call *c, __u64 req)
{
    if (c->op == OP_SYMLINKAT) {
        put_ring_text(c, 0, 0, CMD(io_link, oldpath));
        c->args[1] = CMD_INT(io_link, new_dfd);
        put_ring_text(c, 1, 2, CMD(io_link, newpath));
        return;
    }
    c->args[0] = CMD_INT(io_link, old_dfd);
    put_ring_text(c, 0, 1, CMD(io_link, oldpath));
    c->args[2] = CMD_INT(io_link, new_dfd);
    put_ring_text(c, 1, 3, CMD(io_link, newpath));
    c->args[4] = CMD(io_link, flags);
}

static __always_inline void path_args(struct ring_call *c, __u64 req)
{
    switch (c->op) {
    case OP_OPENAT:
    case OP_OPENAT2:
        open_args(c, req);
        break;
    case OP_UNLINKAT:
        c->args[0] = CMD_INT(io_unlink, dfd);
        put_ring_text(c, 0, 1, CMD(io_unlink, filename));
        c->args[2] = CMD(io_unlink, flags);
        break;
    case OP_MKDIRAT:
        c->args[0] = CMD_INT(io_mkdir, dfd);
        put_ring_text(c, 0, 1, CMD(io_mkdir, filename));
        c->args[2] = CMD(io_mkdir, mode);
        break;
    case OP_RENAMEAT:
        rename_args(c, req);
        break;
    case OP_SYMLINKAT:
    case OP_LINKAT:
        link_args(c, req);
        break;
    }
}

static __always_inline void socket_args(struct ring_call *c, __u64 req)
{
    switch (c->op) {
    case OP_SOCKET:
        c->args[0] = CMD(io_socket, domain);
        c->args[1] = CMD(io_socket, type);
        c->args[2] = CMD(io_socket, protocol);
        c->slot = (__u32)CMD(io_socket, file_slot);
        break;
    case OP_ACCEPT:
        c->args[3] = CMD(io_accept, flags);
        c->slot = (__u32)CMD(io_accept, file_slot);
        break;
    case OP_CONNECT:
        c->args[1] = CMD(io_connect, addr);
        c->args[2] = CMD(io_connect, addr_len);
        break;
    case OP_SHUTDOWN:
        c->args[1] = CMD(io_shutdown, how);
        break;
    case OP_LISTEN:
        if (bpf_core_type_exists(struct io_listen))
            c->args[1] = CMD(io_listen, backlog);
        break;
    }
}

/* Where a datagram goes to: newer kernels have copied the address out of the caller's memory. */
static __always_inline void send_peer(struct ring_call *c, __u64 req)
{
    __u64 data, name;

    if (bpf_core_field_exists(struct io_sr_msg, addr)) {
        c->args[4] = CMD(io_sr_msg, addr);
        return;
    }
    data = CMD(io_kiocb, async_data);
    name = data ? (__u64)KREAD(struct io_async_msghdr, data, msg.msg_name) : 0;
    if (name && bpf_probe_read_kernel(c->peer, sizeof(c->peer), (void *)name) == 0)
        c->has_peer = 1;
}

static __always_inline void data_args(struct ring_call *c, __u64 req)
{
    switch (c->op) {
    case OP_SENDMSG:
    case OP_SENDMSG_ZC:
    case OP_RECVMSG:
        c->args[1] = CMD(io_sr_msg, buf);
        c->args[2] = CMD(io_sr_msg, msg_flags);
        break;
    case OP_SEND:
    case OP_SEND_ZC:
    case OP_RECV:
    case OP_RECV_ZC:
        c->args[1] = CMD(io_sr_msg, buf);
        c->args[2] = CMD(io_sr_msg, len);
        c->args[3] = CMD(io_sr_msg, msg_flags);
        if (c->op == OP_SEND || c->op == OP_SEND_ZC)
            send_peer(c, req);
        break;
    case OP_READ:
    case OP_READV:
    case OP_READ_FIXED:
    case OP_READV_FIXED:
    case OP_READ_MULTISHOT:
    case OP_WRITE:
    case OP_WRITEV:
    case OP_WRITE_FIXED:
    case OP_WRITEV_FIXED:
        c->args[1] = CMD(io_rw, addr);
        c->args[2] = CMD(io_rw, len);
        break;
    }
}

static __always_inline void other_args(struct ring_call *c, __u64 req)
{
    switch (c->op) {
    case OP_CLOSE:
        c->args[0] = CMD_INT(io_close, fd);
        c->slot = (__u32)CMD(io_close, file_slot);
        break;
    case OP_SPLICE:
        c->args[2] = c->args[0]; /* the request's own descriptor is where it goes to */
        c->args[0] = CMD_INT(io_splice, splice_fd_in);
        c->args[4] = CMD(io_splice, len);
        c->args[5] = CMD(io_splice, flags);
        break;
    case OP_PIPE:
        if (bpf_core_type_exists(struct io_pipe)) {
            c->args[0] = CMD(io_pipe, fds);
            c->args[1] = CMD(io_pipe, flags);
        }
        break;
    case OP_EPOLL_WAIT:
        if (bpf_core_type_exists(struct io_epoll_wait))
            c->args[2] = CMD(io_epoll_wait, maxevents);
        break;
    }
}

__attribute__((noinline)) int ring_args(struct ring_call *c)
{
    __u64 req;

    if (!c)
        return 0;
    req = c->req;
    c->args[0] = (__u64)(__s64)KREAD(struct io_kiocb, req, cqe.fd);
    path_args(c, req);
    socket_args(c, req);
    data_args(c, req);
    other_args(c, req);
    return 0;
}

/* ---- the event ---- */

#define FILE_MASK (~7ull) /* a table's entry has flags in its lowest bits */

static __always_inline __u64 file_of_slot(__u64 ring, __u32 at)
{
    __u64 table = ring + bpf_core_field_offset(struct io_ring_ctx, file_table), entry = 0;

    if (bpf_core_type_exists(struct io_fixed_file)) {
        if (at >= KREAD(struct io_ring_ctx, ring, nr_user_files))
            return 0;
        entry = (__u64)KREAD(struct io_file_table___early, table, files) +
                (__u64)at * bpf_core_type_size(struct io_fixed_file);
        return KREAD(struct io_fixed_file, entry, file_ptr) & FILE_MASK;
    }
    if (at >= KREAD(struct io_file_table, table, data.nr))
        return 0;
    bpf_probe_read_kernel(&entry, sizeof(entry),
                          KREAD(struct io_file_table, table, data.nodes) + at);
    return entry ? KREAD(struct io_rsrc_node, entry, file_ptr) & FILE_MASK : 0;
}

/* The event's file, where its number alone does not tell. */
static __always_inline __u64 file_of_call(struct ring_call *c, __u32 event, __s64 res, __u8 how)
{
    __u32 from = event < EV_COUNT ? fd_of[event] : 0;

    if (from == 0)
        return 0;
    if (from == FD_RESULT) {
        if (!c->slot || res < 0 || how == RING_SUBMITTED)
            return 0;
        return file_of_slot(c->ring, c->slot == SLOT_ANY ? (__u32)res : c->slot - 1);
    }
    if (c->op == OP_CLOSE)
        return c->slot ? file_of_slot(c->ring, c->slot - 1) : 0;
    if (how == RING_COMPLETED) /* of calls with paths it is 0 */
        return (__u64)KREAD(struct io_kiocb, c->req, file);
    return c->flags & SQE_FIXED_FILE ? file_of_slot(c->ring, (__u32)c->args[0]) : 0;
}

static __always_inline void unknown_result(struct ev *ev, __u32 event)
{
    put_state(ev, N_RES, ST_UNKNOWN);
    if (event < EV_COUNT && fd_of[event] == FD_RESULT)
        put_state(ev, N_FD_NUM, ST_UNKNOWN);
}

/* Where the copy of a text is; an address that nobody can read: it was not kept. */
static __always_inline __u64 kept_text(__u64 req, __u64 which)
{
    struct text_key key = {req, which};
    struct ring_text *text = bpf_map_lookup_elem(&ring_texts, &key);

    return text ? (__u64)text : 1;
}

static __always_inline void put_text_args(struct ev *ev, struct ring_call *c, __u8 how)
{
#pragma unroll
    for (__u32 i = 0; i < RING_TEXTS; i++) {
        __u32 at = c->text_arg[i];

        if (at < 6)
            ev->args[at] = how == RING_COMPLETED ? kept_text(c->req, i) : c->text[i];
    }
}

/* What is added to the address is what was tested, in 64 bits: else kernel 6.1 has no bound. */
static __always_inline __u32 event_of_call(__u64 nr)
{
    OPAQUE(nr);
    if (nr >= NR_COUNT)
        return EV_generic;
    OPAQUE(nr);
    return event_of[nr];
}

/* Makes the request the event of this CPU. */
__attribute__((noinline)) int ring_event(struct ring_call *c, __s64 res, __u32 how)
{
    struct ev *ev;
    __u32 nr, event;
    __u64 ring;

    if (!c)
        return 0;
    nr = c->nr;
    event = event_of_call(nr);
    ev = event_begin(event, nr, res);
    if (!ev)
        return 0;
    ring = c->ring;
    ev->ring = (__u8)how;
    ev->compat = (__u8)BPF_CORE_READ_BITFIELD_PROBED((struct io_ring_ctx *)ring, compat);
    __builtin_memcpy(ev->args, c->args, sizeof(ev->args));
    put_text_args(ev, c, (__u8)how);
    ev->has_peer = c->has_peer;
    __builtin_memcpy(ev->peer, c->peer, sizeof(ev->peer));
    ev->req = c->final ? c->req : 0;
    put_num(ev, N_RING, 1);
    put_num(ev, N_TID, (__s32)c->tid);
    put_fd(ev, event, res);
    ev->file = file_of_call(c, event, res, (__u8)how);
    if (event == EV_close)
        put_close_result(ev);
    else if (how == RING_SUBMITTED)
        unknown_result(ev, event);
    return 1;
}

/* ---- submission ---- */

static __always_inline void keep_text(struct ring_call *c, __u32 which)
{
    struct text_key key = {c->req, which};
    struct work *w = work_get();

    if (c->text_arg[which] >= 6 || !w)
        return;
    if (bpf_probe_read_kernel_str(w->fold, PATH_CAP, (void *)c->text[which]) > 0)
        bpf_map_update_elem(&ring_texts, &key, w->fold, BPF_ANY);
}

static __always_inline bool comes_again(__u32 op)
{
    return op == OP_ACCEPT || op == OP_RECV || op == OP_RECVMSG || op == OP_READ_MULTISHOT ||
           op == OP_RECV_ZC;
}

/* Keeps the request until it completes. False: there is no room. */
static __always_inline bool keep_call(struct ring_call *c)
{
    if (bpf_map_update_elem(&ring_calls, &c->req, c, BPF_ANY))
        return false;
    keep_text(c, 0);
    keep_text(c, 1);
    if (comes_again(c->op)) {
        struct again_key key = {c->ring, c->user_data};

        bpf_map_update_elem(&ring_again, &key, c, BPF_ANY);
    }
    return true;
}

/* 1: the event is there, and to be judged now. */
__attribute__((noinline)) int ring_submitted(__u64 req)
{
    struct ring_call c = {.req = req, .text_arg = {NO_ARG, NO_ARG}};
    __u32 op;

    if (!bpf_core_type_exists(struct io_cmd_data))
        return 0;
    op = KREAD(struct io_kiocb, req, opcode);
    OPAQUE(op);
    if (op >= OP_COUNT || !call_of_op[op] || !syscall_wanted(call_of_op[op] - 1))
        return 0;
    c.op = (__u8)op;
    c.nr = call_of_op[op] - 1;
    c.tid = (__u32)bpf_get_current_pid_tgid();
    c.ring = KADDR(struct io_kiocb, req, ctx);
    c.flags = (__u32)KREAD(struct io_kiocb, req, flags);
    c.user_data = KREAD(struct io_kiocb, req, cqe.user_data);
    ring_args(&c);
    if (op != OP_CLOSE && !(c.flags & SQE_CQE_SKIP) && keep_call(&c))
        return 0;
    return ring_event(&c, 0, RING_SUBMITTED);
}

SEC("raw_tp/io_uring_submit_req")
int on_ring_submit(__u64 *ctx)
{
    if (ring_submitted(ctx[0]))
        bpf_tail_call(ctx, &judges, 0);
    return 0;
}

SEC("raw_tp/io_uring_submit_sqe") /* its name before 6.4 */
int on_ring_submit_sqe(__u64 *ctx)
{
    if (ring_submitted(ctx[0]))
        bpf_tail_call(ctx, &judges, 0);
    return 0;
}

/* ---- completion ---- */

static __always_inline void forget_text(__u64 req, __u64 which)
{
    struct text_key key = {req, which};

    bpf_map_delete_elem(&ring_texts, &key);
}

static __always_inline void forget(struct ring_call *c)
{
    struct again_key key = {c->ring, c->user_data};

    bpf_map_delete_elem(&ring_calls, &c->req);
    if (comes_again(c->op))
        bpf_map_delete_elem(&ring_again, &key);
}

/* Is this a thread of the process that made the request? A ring that is torn down completes what is
 * left in a thread of the kernel's own. */
static __always_inline bool is_owner(__u64 req)
{
    __u64 task;

    if (bpf_core_field_exists(struct io_kiocb, tctx))
        task = KADDR(struct io_kiocb, req, tctx, task);
    else
        task = KADDR(struct io_kiocb___task, req, task);
    return KREAD(struct task_struct, task, tgid) == (__s32)(bpf_get_current_pid_tgid() >> 32);
}

/* 1: the event is there, and to be judged. */
static __always_inline int completed(struct ring_call *c, __s64 res)
{
    if (is_owner(c->req))
        return ring_event(c, res, RING_COMPLETED);
    if (c->final) {
        forget_text(c->req, 0);
        forget_text(c->req, 1);
    }
    if (res != -ECANCELED) /* who did it is not to be had any more */
        count_unjudged(event_of_call(c->nr), 1);
    return 0;
}

__attribute__((noinline)) int ring_completed(__u64 req, __s64 res)
{
    struct ring_call c, *kept = bpf_map_lookup_elem(&ring_calls, &req);

    if (!kept)
        return 0;
    c = *kept;
    c.final = 1;
    forget(&c);
    return completed(&c, res);
}

/* A completion that is not the request's last, and does not say of what request it is. */
__attribute__((noinline)) int ring_completed_again(__u64 ring, __u64 user_data, __s64 res)
{
    struct again_key key = {ring, user_data};
    struct ring_call c, *kept = bpf_map_lookup_elem(&ring_again, &key);

    if (!kept)
        return 0;
    c = *kept;
    return completed(&c, res);
}

/* Where the completion queue is full a completion is told of by what it says alone. */
struct overflow {
    __u64 ring, user_data, found;
    __s64 res;
};

static long overflow_step(void *map, __u64 *req, struct ring_call *c, struct overflow *o)
{
    if (c->ring != o->ring || c->user_data != o->user_data ||
        KREAD(struct io_kiocb, *req, cqe.res) != (__s32)o->res)
        return 0;
    o->found = *req;
    return 1;
}

__attribute__((noinline)) int ring_overflowed(__u64 ring, __u64 user_data, __s64 res, __u32 flags)
{
    struct overflow o = {ring, user_data, 0, res};

    if (flags & CQE_F_MORE)
        return ring_completed_again(ring, user_data, res);
    bpf_for_each_map_elem(&ring_calls, overflow_step, &o, 0);
    return o.found ? ring_completed(o.found, res) : 0;
}

static __always_inline int on_completion(__u64 ring, __u64 req, __u64 user_data, __s64 res,
                                         __u32 flags)
{
    if (req)
        return ring_completed(req, res);
    return flags & CQE_F_NOTIF ? 0 : ring_completed_again(ring, user_data, res);
}

SEC("raw_tp/io_uring_complete")
int on_ring_complete(__u64 *ctx)
{
    __u64 cqe = ctx[2];

    if (on_completion(ctx[0], ctx[1], KREAD(struct io_uring_cqe, cqe, user_data),
                      KREAD(struct io_uring_cqe, cqe, res), KREAD(struct io_uring_cqe, cqe, flags)))
        bpf_tail_call(ctx, &judges, 0);
    return 0;
}

/* Before 6.14 it has the values themselves, and two more (which this asks for, so that it can be
 * attached there alone). */
SEC("raw_tp/io_uring_complete")
int on_ring_complete_values(__u64 *ctx)
{
    if (on_completion(ctx[0], ctx[1], ctx[2], (__s32)ctx[3], (__u32)ctx[4] | (__u32)(ctx[6] & 0)))
        bpf_tail_call(ctx, &judges, 0);
    return 0;
}

SEC("raw_tp/io_uring_cqe_overflow")
int on_ring_overflow(__u64 *ctx)
{
    if (ring_overflowed(ctx[0], ctx[1], (__s32)ctx[2], (__u32)ctx[3]))
        bpf_tail_call(ctx, &judges, 0);
    return 0;
}

/* ---- after judging ---- */

__attribute__((noinline)) int ring_forget(__u64 req)
{
    forget_text(req, 0);
    forget_text(req, 1);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
