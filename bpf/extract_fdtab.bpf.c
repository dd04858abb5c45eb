/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The descriptors of a process: how many and of which types, what its first three are, and which
 * of them poll was asked about. All from the kernel's own table, at the time of the event.
 */
#include "args.h"
#include "name.h"

/* ---- FDTAB ---- */

#define FDS_MAX 65536 /* descriptors looked at; a table of more is not told */

struct count {
    __u64 files; /* address of the table */
    __u64 kinds;
    __u32 open;
};

static long count_step(__u32 i, struct count *c)
{
    __u64 file = 0;
    int kind;

    bpf_probe_read_kernel(&file, sizeof(file), (void *)(c->files + (__u64)i * 8));
    if (!file)
        return 0;
    kind = kind_of_file(file);
    c->open++;
    if (kind >= 0 && kind < 64)
        c->kinds |= 1ull << kind;
    return 0;
}

__attribute__((noinline)) int extract_fdtab(struct ev *ev)
{
    __u64 fdt = (__u64)KREAD(struct task_struct, bpf_get_current_task_btf(), files, fdt);
    struct work *w = work_get();
    struct count c = {};
    __u32 max;

    if (!ev || !w)
        return 0;
    put_state(ev, N_FD_OPEN, ST_UNKNOWN);
    put_state(ev, N_FD_KINDS, ST_UNKNOWN);
    max = fdt ? KREAD(struct fdtable, fdt, max_fds) : 0;
    if (max > FDS_MAX)
        return 0;
    c.files = (__u64)KREAD(struct fdtable, fdt, fd);
    c.kinds = untold(w, 0);
    c.open = untold(w, 0);
    bpf_loop(max, count_step, &c, 0);
    put_num(ev, N_FD_OPEN, c.open);
    put_num(ev, N_FD_KINDS, (__s64)c.kinds);
    return 0;
}

/* ---- STDIO ---- */

/* Ends of an IP socket, to be named in user space. */
static __always_inline void put_ends(struct ev *ev, __u32 slot, char *to, __u64 file)
{
    sock_ends(sock_of_file(file));
    struct work *w = work_get();

    if (!w)
        return;
    bpf_probe_read_kernel(to, sizeof(w->ends), &w->ends);
    put_text(ev, slot, sizeof(w->ends), ST_PRESENT);
}

static __always_inline void put_std(struct ev *ev, __s32 fd, __u32 type, __u32 slot, char *to)
{
    __u64 file = file_of_fd(fd);
    int kind = kind_of_file(file);

    if (kind < 0) {
        put_state(ev, type, ST_ABSENT);
        put_text(ev, slot, 0, ST_ABSENT);
        return;
    }
    put_num(ev, type, kind);
    put_text(ev, slot, 0, ST_PRESENT);
    if (kind == FDT_FILE || kind == FDT_DIRECTORY)
        put_path(ev, slot, to, path_of_file(file));
    else if (kind == FDT_UNIX)
        put_text(ev, slot, put_unix_name(to, file), ST_PRESENT);
    else if (kind == FDT_MEMFD)
        put_text(ev, slot, put_memfd_name(to, file), ST_PRESENT);
    else if (kind == FDT_IPV4 || kind == FDT_IPV6)
        put_ends(ev, slot, to, file);
}

__attribute__((noinline)) int extract_stdio(struct ev *ev)
{
    if (!ev)
        return 0;
    put_std(ev, 0, N_STDIN_TYPE, S_STDIN_NAME, ev->s_STDIN_NAME);
    put_std(ev, 1, N_STDOUT_TYPE, S_STDOUT_NAME, ev->s_STDOUT_NAME);
    put_std(ev, 2, N_STDERR_TYPE, S_STDERR_NAME, ev->s_STDERR_NAME);
    return 0;
}

/* ---- OTHER ---- */

/* 1 + the argument that has it. (fd_of in call.h has the event's own.) */
static const volatile __u8 other_fd[EV_COUNT] = {
    [EV_copy_file_range] = 1, [EV_dup] = 1,    [EV_dup2] = 1, [EV_dup3] = 1,
    [EV_sendfile] = 2,        [EV_splice] = 1,
};

__attribute__((noinline)) int extract_other(struct ev *ev)
{
    __u32 event, arg;

    if (!ev)
        return 0;
    put_state(ev, N_OTHER_FD, ST_ABSENT);
    put_state(ev, N_OTHER_TYPE, ST_ABSENT);
    put_text(ev, S_OTHER_NAME, 0, ST_ABSENT);
    event = ev->h.event;
    OPAQUE(event);
    if (event >= EV_COUNT || !other_fd[event])
        return 0;
    arg = other_fd[event] - 1;
    OPAQUE(arg);
    if (arg >= 6)
        return 0;
    put_num(ev, N_OTHER_FD, (__s32)ev->args[arg]);
    put_std(ev, (__s32)ev->args[arg], N_OTHER_TYPE, S_OTHER_NAME, ev->s_OTHER_NAME);
    return 0;
}

/* ---- POLL ---- */

#define POLL_FDS 16   /* as many as the language shows */
#define POLL_ENTRY 20 /* bytes of one: a number of 11, a colon, a letter, 4 digits, a blank */

#pragma clang diagnostic ignored "-Winitializer-overrides"
static const volatile char kind_letters[32] = {
#define FLAG(table, text, value, native)                                                           \
    [FT_##table == FT_fd_typechar ? (value)&31 : 31] = (text)[0],
#include "../grammar/flags.def"
};

/* Digits of `v` so that they end before to[12]; the place of the first. */
static __always_inline __u32 put_digits(char *to, __u32 v, __u32 base)
{
    __u32 at = 12;

    for (int i = 0; i < 10; i++) {
        __u32 digit = v % base;

        if (i && !v)
            break;
        to[--at] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
        v /= base;
    }
    return at;
}

struct poll_walk {
    struct ev *ev;
    __u64 at;
    __u32 len, bad;
};

static __always_inline void add_bytes(struct poll_walk *p, const char *from, __u32 n)
{
    __u32 at = p->len;

    OPAQUE(at);
    OPAQUE(n);
    if (n > 12 || at > sizeof(p->ev->s_FDLIST) - POLL_ENTRY)
        return;
    bpf_probe_read_kernel(p->ev->s_FDLIST + at, n, from);
    p->len = at + n;
}

static long poll_step(__u32 i, struct poll_walk *p)
{
    struct {
        __s32 fd;
        __u16 events, revents;
    } one = {};
    char digits[16] = {}, mark[4] = {' ', '-'};
    __u32 first;
    int kind;

    if (bpf_probe_read_user(&one, sizeof(one), (void *)p->at)) {
        p->bad = 1;
        return 1;
    }
    p->at += sizeof(one);
    if (i)
        add_bytes(p, mark, 1);
    if (one.fd < 0)
        add_bytes(p, mark + 1, 1);
    first = put_digits(digits, one.fd < 0 ? -(__u32)one.fd : (__u32)one.fd, 10);
    add_bytes(p, digits + (first & 15), 12 - first);
    kind = kind_of_file(file_of_fd(one.fd));
    mark[0] = ':';
    mark[1] = kind < 0 ? 'x' : kind_letters[kind & 31];
    add_bytes(p, mark, 2);
    first = put_digits(digits, (__u32)flags_by_table(FT_poll_flags, one.revents), 16);
    add_bytes(p, digits + (first & 15), 12 - first);
    return 0;
}

__attribute__((noinline)) int extract_poll(struct ev *ev)
{
    struct work *w = work_get();
    struct poll_walk p = {.ev = ev};
    __u32 n;

    if (!ev || !w)
        return 0;
    put_text(ev, S_FDLIST, 0, ST_ABSENT);
    if (ev->h.event != EV_poll && ev->h.event != EV_ppoll)
        return 0;
    p.at = ev->args[0];
    p.len = untold(w, 0);
    p.bad = untold(w, 0);
    n = (__u32)ev->args[1];
    bpf_loop(n > POLL_FDS ? POLL_FDS : n, poll_step, &p, 0);
    put_text(ev, S_FDLIST, p.len, p.bad ? ST_UNKNOWN : p.len ? ST_PRESENT : ST_ABSENT);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
