/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Parameters that are more than one argument's conversion: flags by table, structures in the
 * caller's memory, objects behind the descriptors that a call made.
 */
#include "args.h"

/* ---- flags by table ---- */

#define NAMED(a, b) NAMED_(a, b)
#define NAMED_(a, b) a##b

/* Place of each table's first row; a row is named by its line in flags.def. */
enum flag_place {
#define FLAG_TABLE(id, kind) FIRST_##id, BEFORE_##id = FIRST_##id - 1,
#define FLAG(table, text, value, native) NAMED(ROW_, __LINE__),
#include "../grammar/flags.def"
    FLAG_ROWS
};

struct flag_native {
    __s64 native; /* -1: the name of what has no other */
    __u64 value;
};

static const volatile struct flag_native flag_rows[FLAG_ROWS] = {
#define FLAG(table, text, value, native) {native, value},
#include "../grammar/flags.def"
};

static const volatile __u16 flag_first[FT_COUNT + 1] = {
#define FLAG_TABLE(id, kind) [FT_##id] = FIRST_##id,
#include "../grammar/flags.def"
    [FT_COUNT] = FLAG_ROWS,
};

/*
 * 1 + the row of a small number, 0: it has none, which is what most enumerations have. Of rows with
 * one number the last: they have one value (tests/unit/test_flags.c).
 */
#define SMALL 64
#pragma clang diagnostic ignored "-Winitializer-overrides"
static const volatile __u16 row_of_small[FT_COUNT * SMALL + 1] = {
#define FLAG(table, text, value, native)                                                           \
    [(native) >= 0 && (native) < SMALL ? FT_##table * SMALL + (native) : FT_COUNT * SMALL] =       \
        1 + NAMED(ROW_, __LINE__),
#include "../grammar/flags.def"
};

struct flag_walk {
    __u64 native, found;
    __u32 row, is_enum;
};

static long flag_step(__u32 i, struct flag_walk *w)
{
    __u32 at = w->row;
    __s64 native;

    OPAQUE(at);
    if (at >= FLAG_ROWS)
        return 1;
    w->row = at + 1;
    native = flag_rows[at].native;
    if (w->is_enum) {
        if (native == (__s64)w->native) {
            w->found = flag_rows[at].value;
            return 1;
        }
        if (native == -1)
            w->found = flag_rows[at].value;
    } else if (native > 0 && (w->native & (__u64)native)) {
        w->found |= flag_rows[at].value;
    }
    return 0;
}

static __always_inline __u64 walk_flags(__u32 table, __u64 native, __u32 is_enum)
{
    struct work *mem = work_get();
    struct flag_walk w = {.native = native};

    OPAQUE(table);
    if (!mem || table >= FT_COUNT)
        return 0;
    w.is_enum = untold(mem, is_enum);
    w.found = untold(mem, 0);
    w.row = flag_first[table];
    bpf_loop((__u32)flag_first[table + 1] - w.row, flag_step, &w, 0);
    return w.found;
}

__attribute__((noinline)) __u64 flags_by_table(__u32 table, __u64 native)
{
    return walk_flags(table, native, 0);
}

/* Its row, or NULL: that has to be looked for. */
static __always_inline const volatile struct flag_native *small_row(__u32 table, __s64 native)
{
    __u32 at = table * SMALL + (__u32)native;
    __u64 row;

    OPAQUE(at); /* what is added to the address is what was tested */
    if ((__u64)native >= SMALL || at >= FT_COUNT * SMALL)
        return NULL;
    row = row_of_small[at] - 1ull;
    OPAQUE(row);
    return row < FLAG_ROWS ? &flag_rows[row] : NULL;
}

__attribute__((noinline)) __u64 enum_by_table(__u32 table, __s64 native)
{
    const volatile struct flag_native *small = small_row(table, native);

    if (small)
        return small->value;
    return walk_flags(table, (__u64)native, 1);
}

/* ---- numbers in the caller's memory ---- */

__attribute__((noinline)) int user_number(struct ev *ev, __u32 slot, __u64 user, __u32 kind)
{
    __s64 v = 0, ns = 0;
    bool known;

    OPAQUE(slot);
    if (!ev || slot >= N_COUNT)
        return 0;
    if (kind == USER_U64)
        known = user_bytes(&v, 8, user);
    else if (kind == USER_LONG)
        known = user_long(ev, user, 0, &v);
    else if (kind == USER_TIME)
        known = ev->time64 ? user_bytes(&v, 8, user) && user_bytes(&ns, 8, user + 8)
                           : user_long(ev, user, 0, &v) && user_long(ev, user, 1, &ns);
    else
        known = user_bytes(&v, 4, user);
    if (kind == USER_TIME)
        v = v * 1000000000 + ns;
    if (kind == USER_S32)
        v = (__s32)v;
    put_num(ev, slot, v);
    if (!known)
        put_state(ev, slot, ST_UNKNOWN);
    return 0;
}

/* ---- events of their own kind ---- */

/* Both ends of a pipe or of a pair: what the objects behind the first descriptor say. */
static __always_inline void pair_params(struct ev *ev)
{
    __u64 file = ev->h.num[N_RES] == 0 ? file_of_fd(ev->h.num[N_P1]) : 0, sk;

    if (ev->h.event != EV_socketpair) {
        put_num(ev, N_P3, file ? (__s64)KREAD(struct file, file, f_inode, i_ino) : 0);
        return;
    }
    sk = file ? sock_of_file(file) : 0;
    put_num(ev, N_P3, (__s64)sk);
    put_num(ev, N_P4, sk ? (__s64)KREAD(struct unix_sock, sk, peer) : 0);
}

#define SOL_SOCKET 1
#define SO_ERROR 4
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SO_RCVTIMEO_NEW 66
#define SO_SNDTIMEO_NEW 67
#define SO_COOKIE 57

/* The value of an option is a number on the level of sockets alone. */
static __always_inline void sockopt_params(struct ev *ev)
{
    __s32 level = (__s32)ev->args[1], name = (__s32)ev->args[2];
    __u64 user = ev->args[3];

    put_num(ev, N_P3, 0);
    put_state(ev, N_P4, ST_UNKNOWN);
    if (level != SOL_SOCKET)
        return;
    if (name == SO_RCVTIMEO_NEW || name == SO_SNDTIMEO_NEW)
        name -= SO_RCVTIMEO_NEW - SO_RCVTIMEO;
    put_num(ev, N_P3, (__s64)enum_by_table(FT_sockopt_options, name));
    if (name == SO_RCVTIMEO || name == SO_SNDTIMEO) {
        __s64 s = 0, us = 0;

        if (user_long(ev, user, 0, &s) && user_long(ev, user, 1, &us))
            put_num(ev, N_P4, s * 1000000000 + us * 1000);
        return;
    }
    user_number(ev, N_P4, user, name == SO_COOKIE ? USER_U64 : USER_S32);
    if (name == SO_ERROR && ev->h.st[N_P4] == ST_PRESENT)
        put_num(ev, N_P4, -ev->h.num[N_P4]);
}

/* The first two operations; zeros if the call failed. */
static __always_inline void semop_params(struct ev *ev)
{
    struct {
        __u16 num;
        __s16 op;
        __u16 flags;
    } ops[2] = {};
    __u32 n = (__u32)ev->args[2];

    if (ev->h.num[N_RES] == 0 && n == 1)
        user_bytes(ops, 6, ev->args[1]);
    else if (ev->h.num[N_RES] == 0 && n > 1)
        user_bytes(ops, 12, ev->args[1]);
    put_num(ev, N_P2, ops[0].num);
    put_num(ev, N_P3, ops[0].op);
    put_num(ev, N_P4, (__s64)flags_by_table(FT_semop_flags, ops[0].flags));
    put_num(ev, N_P5, ops[1].num);
    put_num(ev, N_P6, ops[1].op);
    put_num(ev, N_P7, (__s64)flags_by_table(FT_semop_flags, ops[1].flags));
}

#define SETVAL 16

static __always_inline void uring_params(struct ev *ev)
{
    put_num(ev, N_P4, (__s64)flags_by_table(FT_io_uring_setup_flags, (__u64)ev->h.num[N_P4]));
    put_num(ev, N_P7, (__s64)flags_by_table(FT_io_uring_setup_feats, (__u64)ev->h.num[N_P7]));
}

/*
 * How many arguments an operation of keyctl has, in the low four bits; the next four say which of
 * them are texts: those are not told.
 */
#define KEYCTL_OPS 33
#define TEXTS(mask) ((mask) << 4)
static const volatile __u8 keyctl_ops[KEYCTL_OPS] = {
    [0] = 2,
    [1] = 1 | TEXTS(1),
    [2] = 3,
    1,
    3,
    2,
    3,
    1,
    2,
    2,
    [10] = 4 | TEXTS(6),
    [11] = 3,
    4,
    3,
    1,
    2,
    1,
    3,
    0,
    4,
    4,
    1,
    2,
    4,
    [24] = 3 | TEXTS(4),
    [25] = 4 | TEXTS(2),
    [26] = 4 | TEXTS(2),
    [27] = 4 | TEXTS(2),
    [28] = 4 | TEXTS(2),
    [29] = 3 | TEXTS(6),
    [30] = 4,
    2,
    3,
};

static __always_inline void keyctl_params(struct ev *ev)
{
    __u32 op = (__u32)ev->args[0], args = 0;

    OPAQUE(op);
    if (op < KEYCTL_OPS)
        args = keyctl_ops[op];
    for (__u32 i = 0; i < 4; i++) {
        put_num(ev, N_P2 + i, i < (args & 15) ? (__s64)ev->args[i + 1] : 0);
        if (args >> (4 + i) & 1)
            put_state(ev, N_P2 + i, ST_UNKNOWN);
    }
}

enum { FSCONFIG_SET_STRING = 1, FSCONFIG_SET_PATH = 3, FSCONFIG_SET_PATH_EMPTY = 4 };

static __always_inline void fsconfig_params(struct ev *ev)
{
    __u32 cmd = (__u32)ev->args[1];
    long n;

    if (ev->h.num[N_RES] < 0 ||
        (cmd != FSCONFIG_SET_STRING && cmd != FSCONFIG_SET_PATH && cmd != FSCONFIG_SET_PATH_EMPTY))
        return;
    n = bpf_probe_read_user_str(ev->s_A1, PATH_CAP, (void *)ev->args[3]);
    put_text(ev, S_A1, n > 0 ? (__u32)n - 1 : 0, n > 0 ? ST_PRESENT : ST_UNKNOWN);
}

/* ---- quotactl ---- */

/* Of flag table quotactl_cmds. */
enum {
    Q_QUOTAON = 1,
    Q_GETFMT = 4,
    Q_GETINFO = 8,
    Q_SETINFO = 0x10,
    Q_GETQUOTA = 0x20,
    Q_SETQUOTA = 0x40,
    Q_XGETQUOTA = 0x400,
    Q_XSETQLIM = 0x800,
    QFMT_NOT_USED = 1,
};
enum { QIF_BLIMITS = 1, QIF_SPACE = 2, QIF_ILIMITS = 4, QIF_BTIME = 0x10, QIF_ITIME = 0x20 };
enum { IIF_BGRACE = 1, IIF_IGRACE = 2, IIF_FLAGS = 4 };

struct if_dqblk {
    __u64 bhard, bsoft, space, ihard, isoft, inodes, btime, itime;
    __u32 valid, pad;
};
struct if_dqinfo {
    __u64 bgrace, igrace;
    __u32 flags, valid;
};

static __always_inline void quota_block(struct ev *ev)
{
    struct if_dqblk b = {};

    user_bytes(&b, 68, ev->args[3]);
    if (b.valid & QIF_BLIMITS) {
        put_num(ev, N_P3, (__s64)b.bhard);
        put_num(ev, N_P4, (__s64)b.bsoft);
    }
    if (b.valid & QIF_SPACE)
        put_num(ev, N_P5, (__s64)b.space);
    if (b.valid & QIF_ILIMITS) {
        put_num(ev, N_P6, (__s64)b.ihard);
        put_num(ev, N_P7, (__s64)b.isoft);
    }
    if (b.valid & QIF_BTIME)
        put_num(ev, N_P8, (__s64)b.btime);
    if (b.valid & QIF_ITIME)
        put_num(ev, N_P9, (__s64)b.itime);
}

static __always_inline void quota_info(struct ev *ev)
{
    struct if_dqinfo i = {};

    user_bytes(&i, sizeof(i), ev->args[3]);
    if (i.valid & IIF_BGRACE)
        put_num(ev, N_P10, (__s64)i.bgrace);
    if (i.valid & IIF_IGRACE)
        put_num(ev, N_P11, (__s64)i.igrace);
    if (i.valid & IIF_FLAGS)
        put_num(ev, N_P12, i.flags);
}

static __always_inline void quota_file(struct ev *ev)
{
    long n = bpf_probe_read_user_str(ev->s_A1, PATH_CAP, (void *)ev->args[3]);

    put_text(ev, S_A1, n > 0 ? (__u32)n - 1 : 0, n > 0 ? ST_PRESENT : ST_UNKNOWN);
    put_num(ev, N_P2, (__s64)enum_by_table(FT_quotactl_quota_fmts, (__s32)ev->args[2]));
}

static __always_inline void quotactl_params(struct ev *ev)
{
    __u32 native = (__u32)ev->args[0], format = 0;
    __u64 cmd = enum_by_table(FT_quotactl_cmds, native >> 8);

    for (__u32 i = N_P3; i <= N_P12; i++)
        put_num(ev, i, 0);
    put_num(ev, N_P1,
            cmd & (Q_GETQUOTA | Q_SETQUOTA | Q_XGETQUOTA | Q_XSETQLIM) ? (__u32)ev->args[2] : 0);
    put_num(ev, N_P2, QFMT_NOT_USED);
    put_num(ev, N_P13, QFMT_NOT_USED);
    put_num(ev, N_P14, (__s64)cmd);
    put_num(ev, N_P15, (__s64)enum_by_table(FT_quotactl_types, native & 0xff));
    if (cmd == Q_QUOTAON)
        quota_file(ev);
    else if (cmd == Q_GETQUOTA || cmd == Q_SETQUOTA)
        quota_block(ev);
    else if (cmd == Q_GETINFO || cmd == Q_SETINFO)
        quota_info(ev);
    else if (cmd == Q_GETFMT && user_bytes(&format, 4, ev->args[3]))
        put_num(ev, N_P13, (__s64)enum_by_table(FT_quotactl_quota_fmts, (__s32)format));
}

/* ---- sizes of vectors ---- */

static long sum_step(__u32 i, void *none)
{
    __u32 cpu = bpf_get_smp_processor_id();
    struct ev *ev = bpf_map_lookup_elem(&scratch, &cpu);
    struct work *w = work_get();
    __u64 base, len;

    if (!ev || !w)
        return 1;
    if (!part_at(ev->compat, &w->gather.at, &base, &len)) {
        w->gather.bad = 1;
        return 1;
    }
    w->gather.left += len;
    return 0;
}

/* Sum of the lengths of a vector's parts; UNKNOWN where it cannot be read. */
static __always_inline void put_iov_size(struct ev *ev, __u32 slot, __u64 iov, __u64 count)
{
    struct work *w = work_get();

    if (!w)
        return;
    w->gather = (struct gather){.at = iov};
    bpf_loop(count > IOV_PARTS ? IOV_PARTS : (__u32)count, sum_step, NULL, 0);
    put_num(ev, slot, (__u32)w->gather.left);
    if (w->gather.bad)
        put_state(ev, slot, ST_UNKNOWN);
}

static __always_inline void put_msg_size(struct ev *ev, __u32 slot)
{
    struct user_msg m;

    if (user_msg(ev, ev->args[1], &m))
        put_iov_size(ev, slot, m.iov, m.parts);
    else
        put_state(ev, slot, ST_UNKNOWN);
}

/* Bytes of the first message of many. */
static __always_inline void put_first_size(struct ev *ev)
{
    __u32 size = 0;

    if (ev->h.num[N_RES] > 0)
        user_bytes(&size, 4, ev->args[1] + (ev->compat ? 28 : 56));
    put_num(ev, N_P2, size);
}

static __always_inline void vector_params(struct ev *ev)
{
    switch (ev->h.event) {
    case EV_writev:
    case EV_pwritev:
        put_iov_size(ev, N_P3, ev->args[1], ev->args[2]);
        break;
    case EV_sendmsg:
        put_msg_size(ev, N_P3);
        break;
    case EV_sendmmsg:
    case EV_recvmmsg:
        put_first_size(ev);
        break;
    }
}

/* ---- all of them ---- */

static __always_inline void semctl_params(struct ev *ev)
{
    put_num(ev, N_P4, (__u16)ev->args[2] == SETVAL ? (__s32)ev->args[3] : 0);
}

static __always_inline void ptrace_params(struct ev *ev)
{
    bool failed = ev->h.num[N_RES] < 0;
    __u32 request = (__u32)ev->args[0];

    put_num(ev, N_P1, failed ? 0 : (__s64)ev->args[2]);
    put_num(ev, N_P2, failed ? 0 : (__s64)ev->args[3]);
    if (!failed && request >= 1 && request <= 3) /* PTRACE_PEEK*: what was read */
        user_number(ev, N_P2, ev->args[3], USER_LONG);
}

#define SPECIAL(id, nr, fill)                                                                      \
    if (wanted(nr) && ev->h.event == EV_##id)                                                      \
        fill(ev);

__attribute__((noinline)) int args_special(struct ev *ev)
{
    if (!ev)
        return 0;
    SPECIAL(writev, 20, vector_params)
    SPECIAL(pipe, 22, pair_params)
    SPECIAL(sendmsg, 46, vector_params)
    SPECIAL(socketpair, 53, pair_params)
    SPECIAL(setsockopt, 54, sockopt_params)
    SPECIAL(getsockopt, 55, sockopt_params)
    SPECIAL(semop, 65, semop_params)
    SPECIAL(semctl, 66, semctl_params)
    SPECIAL(ptrace, 101, ptrace_params)
    SPECIAL(quotactl, 179, quotactl_params)
    SPECIAL(keyctl, 250, keyctl_params)
    SPECIAL(pipe2, 293, pair_params)
    SPECIAL(pwritev, 296, vector_params)
    SPECIAL(recvmmsg, 299, vector_params)
    SPECIAL(sendmmsg, 307, vector_params)
    SPECIAL(io_uring_setup, 425, uring_params)
    SPECIAL(fsconfig, 431, fsconfig_params)
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
