/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The parameters of the call, converted to the language's numbers, and its texts as given.
 *
 * args.def says which argument becomes which parameter; the few events whose parameters come from
 * elsewhere (the opened file, a struct in user memory) have a function here.
 */
#include "probe.h"
#include "args.h"

enum conversion {
    AS_NONE, /* ends a row's list */
    AS_ZERO,
    AS_S32,
    AS_U8,
    AS_U32,
    AS_U64,
    AS_GOT, /* the result, or 0 where it is an error */
    AS_TEXT,
    AS_TEXT_OUT, /* written by the call: absent if it failed */
    AS_PATH,
    AS_PATH_AT,
    AS_MODE,
    AS_MKNOD_MODE,
    AS_OPEN,
    AS_CLONE,
    AS_CLONE_USER,
    AS_FORK,
    AS_MOUNT,
    AS_SOCKET_FLAGS,
    AS_NONBLOCK,
    AS_FUTEX,
    AS_FLAGS, /* by a table of flags.def: row `of` */
    AS_ENUM,
    AS_AT, /* what the argument points to: AS_AT + enum user_kind, at offset `of` */
    AS_OUT = AS_AT + USER_KINDS,
    AS_END = AS_OUT + USER_KINDS,
};

/* Texts and numbers in one row: the slots of texts count on where those of numbers end. */
#define ROW_P0 N_P0
#define ROW_P1 N_P1
#define ROW_P2 N_P2
#define ROW_P3 N_P3
#define ROW_P4 N_P4
#define ROW_P5 N_P5
#define ROW_P6 N_P6
#define ROW_P7 N_P7
#define ROW_P8 N_P8
#define ROW_P9 N_P9
#define ROW_A0 SLOT_OF_STR(S_A0)
#define ROW_A1 SLOT_OF_STR(S_A1)
#define ROW_A2 SLOT_OF_STR(S_A2)

struct arg_row {
    __u8 slot, arg, as, of;
};

#define ARG_ROWS 8
#define ROW(slot, arg, as, of)                                                                     \
    {                                                                                              \
        ROW_##slot, arg, as, of                                                                    \
    }
static const volatile struct arg_row rows[EV_COUNT][ARG_ROWS] = {
#define FROM(slot, arg, as) ROW(slot, arg, AS_##as, 0)
#define FLAGS(slot, arg, table) ROW(slot, arg, AS_FLAGS, FT_##table)
#define ENUM(slot, arg, table) ROW(slot, arg, AS_ENUM, FT_##table)
#define AT(slot, arg, kind, off) ROW(slot, arg, AS_AT + USER_##kind, off)
#define OUT(slot, arg, kind, off) ROW(slot, arg, AS_OUT + USER_##kind, off)
#define ARGS(event, ...) [EV_##event] = {__VA_ARGS__},
#include "args.def"
};

static __always_inline __u64 call_arg(struct ev *ev, __u32 arg)
{
    OPAQUE(arg);
    return arg < 6 ? ev->args[arg] : 0;
}

/* ---- numbers ---- */

#define NATIVE_ACCMODE 3
#define NATIVE_O_CREAT 0x40
#define NATIVE_O_CLOEXEC 0x80000
#define NATIVE_O_SYNC 0x101000    /* __O_SYNC | O_DSYNC: either sets the language's O_SYNC */
#define NATIVE_O_TMPFILE 0x410000 /* __O_TMPFILE | O_DIRECTORY: either sets its O_TMPFILE */

/* Most opens have one of two combinations, which are constants to clang. */
static __always_inline __u32 open_table_flags(__u64 native)
{
    switch (native & ~(__u64)NATIVE_ACCMODE) {
    case 0:
        return 0;
    case NATIVE_O_CLOEXEC:
        return (__u32)flags_from_native(FT_file_flags, NATIVE_O_CLOEXEC);
    }
    return (__u32)flags_from_native(FT_file_flags, native);
}

static __always_inline __u32 open_flags(__u64 native)
{
    __u32 out = open_table_flags(native), mode = native & NATIVE_ACCMODE;

    out |= mode == 1 ? O_F_WRONLY : mode == 2 ? O_F_RDONLY | O_F_WRONLY : O_F_RDONLY;
    if (native & NATIVE_O_SYNC)
        out |= O_F_SYNC;
    if (native & NATIVE_O_TMPFILE)
        out |= O_F_TMPFILE;
    return out;
}

/* The child's pid namespace is not the caller's own. */
static __always_inline __u32 clone_in_pidns(__u32 flags)
{
    struct task_struct *task = bpf_get_current_task_btf();
    __u64 pid = pid_of(task);

    if (flags & CLONE_F_NEWPID)
        return CLONE_F_IN_PIDNS;
    return (__u64)KREAD(struct task_struct, task, nsproxy, pid_ns_for_children) !=
                   pid_ns(pid, KREAD(struct pid, pid, level))
               ? CLONE_F_IN_PIDNS
               : 0;
}

static __always_inline __u64 mount_flags(__u64 native)
{
    __u32 flags = (__u32)native;

    return (flags & 0xffff0000) == 0xc0ed0000 ? flags & 0xffff : flags;
}

static __always_inline __u64 convert_flags(__u8 as, __u64 v)
{
    switch (as) {
    case AS_OPEN:
        return open_flags(v);
    case AS_MOUNT:
        return mount_flags(v);
    case AS_SOCKET_FLAGS:
        return (v & 0x800 ? 0x40 : 0) | (v & 0x80000 ? 0x1000 : 0);
    case AS_NONBLOCK:
        return v & 0x800 ? 0x40 : 0;
    case AS_FUTEX:
        return (v & 127) <= 12 ? v & 127 : 0;
    case AS_MKNOD_MODE: /* without a type it is an ordinary file */
        return (v & 07777) | (v & S_IFMT ? v & S_IFMT : S_IFREG);
    }
    return v;
}

static __always_inline __u64 convert(__u8 as, __u64 v)
{
    switch (as) {
    case AS_ZERO:
        return 0;
    case AS_S32:
        return (__u64)(__s64)(__s32)v;
    case AS_U8:
        return (__u8)v;
    case AS_U32:
        return (__u32)v;
    case AS_MODE:
        return v & 07777;
    case AS_CLONE:
        return flags_from_native(FT_clone_flags, v);
    }
    return convert_flags(as, v);
}

/* ---- texts ---- */

__attribute__((noinline)) int read_open_text(struct ev *ev)
{
    return ev ? (int)open_text_once(ev) : -1;
}

/* A NULL pointer is an empty parameter, which the language shows as this text. */
static __always_inline void read_text(struct ev *ev, __u32 s, char *to, __u64 user)
{
    long n;

    if (!user) {
        __builtin_memcpy(to, "<NA>", 4);
        put_text(ev, s, 4, ST_PRESENT);
        return;
    }
    n = s == S_A0 && event_is_open(ev->h.event) ? open_text_once(ev) : read_arg_text(ev, to, user);
    if (n <= 0)
        put_text(ev, s, 0, ST_UNKNOWN);
    else
        put_text(ev, s, (__u32)n - 1, n == PATH_CAP ? ST_CUT : ST_PRESENT);
}

static __always_inline void put_text_row(struct ev *ev, __u8 slot, __u64 user)
{
    if (slot == ROW_A0)
        read_text(ev, S_A0, ev->s_A0, user);
    else if (slot == ROW_A1)
        read_text(ev, S_A1, ev->s_A1, user);
    else if (slot == ROW_A2)
        read_text(ev, S_A2, ev->s_A2, user);
}

/* ---- events with parameters of their own kind ---- */

/* How each open has its flags and mode; openat2: struct open_how {flags, mode, resolve}. */
static __always_inline bool open_native(struct ev *ev, __u64 how[3])
{
    switch (ev->h.event) {
    case EV_open:
        how[0] = (__u32)ev->args[1];
        how[1] = ev->args[2];
        return true;
    case EV_openat:
        how[0] = (__u32)ev->args[2];
        how[1] = ev->args[3];
        return true;
    case EV_creat:
        how[0] = 01101; /* O_CREAT | O_WRONLY | O_TRUNC */
        how[1] = ev->args[1];
        return true;
    }
    if (ev->ring) { /* the kernel has it already (open_args) */
        __builtin_memcpy(how, &ev->args[2], 24);
        return true;
    }
    return bpf_probe_read_user(how, 24, (void *)ev->args[2]) == 0;
}

struct opened {
    __s64 dev, ino;
};

/* Adds to ev->flags. Group FD has the same facts, and reads them faster (extract_fd.bpf.c). */
static __always_inline void read_opened(struct ev *ev, struct opened *o, bool creates)
{
    __u64 file;

    if (ev->h.num[N_RES] < 0 || (ev->h.num[N_RES] == 0 && !ev->file))
        return;
    if (ev->h.st[N_FD_TYPE] == ST_UNFILLED)
        extract_fd(ev);
    file = ev->file;
    if (!file)
        return;
    o->dev = ev->h.num[N_FD_DEV];
    o->ino = ev->h.num[N_FD_INO];
    if (ev->h.num[N_FD_UPPER])
        ev->flags |= O_F_UPPER;
    else if (ev->h.num[N_FD_LOWER])
        ev->flags |= O_F_LOWER;
    if (creates && KREAD(struct file, file, f_mode) & FMODE_CREATED)
        ev->flags |= O_F_CREATED;
}

static __always_inline void put_is_open(struct ev *ev, __u32 flags, __u32 mode)
{
    bool creat = ev->h.event == EV_creat, makes = flags & (O_F_CREAT | O_F_TMPFILE);

    put_num(ev, N_OPEN_EXEC, makes && (mode & 0111));
    if (creat) /* of a creat the language asks for nothing else */
        return;
    put_num(ev, N_OPEN_READ, !!(flags & O_F_RDONLY));
    put_num(ev, N_OPEN_WRITE, !!(flags & O_F_WRONLY));
    put_num(ev, N_OPEN_CREATE,
            (flags & O_F_CREATED) || ((flags & O_F_TMPFILE) && ev->h.num[N_RES] >= 0));
    if (makes && ev->h.st[N_RES] == ST_UNKNOWN)
        put_state(ev, N_OPEN_CREATE, ST_UNKNOWN);
}

static __always_inline void unknown_how(struct ev *ev)
{
    put_state(ev, N_P3, ST_UNKNOWN);
    put_state(ev, N_P4, ST_UNKNOWN);
    put_state(ev, N_P5, ST_UNKNOWN);
    put_state(ev, N_OPEN_READ, ST_UNKNOWN);
    put_state(ev, N_OPEN_WRITE, ST_UNKNOWN);
    put_state(ev, N_OPEN_EXEC, ST_UNKNOWN);
    put_state(ev, N_OPEN_CREATE, ST_UNKNOWN);
}

static __always_inline void open_params(struct ev *ev)
{
    struct opened o = {};
    __u64 how[3] = {};
    bool known = open_native(ev, how);
    __u32 flags, mode = 0, at = N_P5;

    ev->flags = open_flags(how[0]);
    read_opened(ev, &o, how[0] & (NATIVE_O_CREAT | NATIVE_O_TMPFILE));
    /* Of memory the verifier knows nothing: else it would follow each set of flags to the end. */
    flags = *(volatile __u32 *)&ev->flags;
    if (flags & (O_F_CREAT | O_F_TMPFILE))
        mode = how[1] & 07777;
    put_is_open(ev, flags, mode);
    if (ev->h.event == EV_creat) {
        put_num(ev, N_P3, o.dev);
        put_num(ev, N_P4, o.ino);
        put_num(ev, N_P5, flags & O_F_UPPER ? 1 : flags & O_F_LOWER ? 2 : 0);
        return;
    }
    put_num(ev, N_P3, flags);
    put_num(ev, N_P4, mode);
    if (ev->h.event == EV_openat2) {
        put_num(ev, N_P5, (__s64)flags_from_native(FT_openat2_flags, how[2]));
        at = N_P6;
        if (!known)
            unknown_how(ev);
    }
    put_num(ev, at, o.dev);
    put_num(ev, at + 1, o.ino);
}

/* The caller has no path of it: there is the kernel's alone. */
static __always_inline void handle_params(struct ev *ev)
{
    struct opened o = {};

    read_opened(ev, &o, false);
    put_is_open(ev, (__u32)ev->h.num[N_P2], 0);
    put_num(ev, N_P4, o.dev);
    put_num(ev, N_P5, o.ino);
    if (ev->h.num[N_RES] >= 0 && file_of_event(ev))
        put_path(ev, S_A0, ev->s_A0, path_of_file(ev->file));
}

/* The queue of the socket that accept() was called on. */
static __always_inline void accept_params(struct ev *ev)
{
    __u64 file = file_of_fd((__s32)ev->args[0]), socket, sk;
    __u32 len = 0, max = 0;

    if (file && is_socket(file)) {
        socket = (__u64)KREAD(struct file, file, private_data);
        sk = (__u64)KREAD(struct socket, socket, sk);
        len = KREAD(struct sock, sk, sk_ack_backlog);
        max = KREAD(struct sock, sk, sk_max_ack_backlog);
    }
    put_num(ev, N_P2, max ? (__u64)len * 100 / max : 0);
    put_num(ev, N_P3, len);
    put_num(ev, N_P4, max);
}

#define PR_SET_NAME 15
#define PR_GET_NAME 16
#define PR_GET_CHILD_SUBREAPER 37

static __always_inline void prctl_params(struct ev *ev)
{
    __s32 option = (__s32)ev->args[0], reaper = 0;
    bool named = option == PR_SET_NAME || option == PR_GET_NAME;

    put_num(ev, N_P1, option);
    put_num(ev, N_P3, named ? 0 : (__s64)ev->args[1]);
    read_text(ev, S_A0, ev->s_A0, named ? ev->args[1] : 0);
    if (option != PR_GET_CHILD_SUBREAPER)
        return;
    if (bpf_probe_read_user(&reaper, sizeof(reaper), (void *)ev->args[1]))
        put_state(ev, N_P3, ST_UNKNOWN);
    else
        put_num(ev, N_P3, reaper);
}

static __always_inline void clone_user(struct ev *ev, __u8 slot)
{
    __u64 native = 0;
    __u32 flags;

    if (bpf_probe_read_user(&native, sizeof(native), (void *)ev->args[0])) {
        put_state(ev, N_P7, ST_UNKNOWN);
        return;
    }
    flags = (__u32)flags_from_native(FT_clone_flags, native);
    put_num(ev, N_P7, flags | clone_in_pidns(flags));
}

/* ---- ARGS ---- */

/* What an argument points to; for what the call writes, -1 if it failed. */
static __always_inline void put_pointed(struct ev *ev, __u32 slot, __u64 user,
                                        const volatile struct arg_row *row)
{
    __u32 kind = row->as - AS_AT;
    bool out = kind >= USER_KINDS;

    put_num(ev, slot, out && ev->h.num[N_RES] < 0 ? -1 : 0);
    if (user && !(out && ev->h.num[N_RES] < 0))
        user_number(ev, slot, user + row->of, out ? kind - USER_KINDS : kind);
}

static __always_inline void put_text_arg(struct ev *ev, __u32 slot, __u64 v, __u8 as)
{
    if (as != AS_TEXT_OUT || ev->h.num[N_RES] >= 0)
        put_text_row(ev, (__u8)slot, v);
}

static __always_inline __u64 convert_by_event(struct ev *ev, __u64 v, __u8 as, __u8 of)
{
    switch (as) {
    case AS_GOT:
        return ev->h.num[N_RES] > 0 ? (__u64)ev->h.num[N_RES] : 0;
    case AS_FLAGS:
        return flags_by_table(of, v);
    case AS_ENUM:
        return enum_by_table(of, (__s64)(__s32)v);
    case AS_FORK:
        return clone_in_pidns(0);
    }
    v = convert(as, v);
    if (as == AS_CLONE && ev->h.event == EV_clone)
        v |= clone_in_pidns((__u32)v);
    return v;
}

static __always_inline void put_row(struct ev *ev, const volatile struct arg_row *row)
{
    __u64 v = call_arg(ev, row->arg);
    __u32 slot = row->slot;
    __u8 as = row->as;

    if (as == AS_TEXT || as == AS_TEXT_OUT || as == AS_PATH || as == AS_PATH_AT) {
        put_text_arg(ev, slot, v, as);
        return;
    }
    if (as == AS_CLONE_USER) {
        clone_user(ev, (__u8)slot);
        return;
    }
    if (slot >= N_COUNT)
        return;
    if (as >= AS_AT)
        put_pointed(ev, slot, v, row);
    else
        put_num(ev, slot, (__s64)convert_by_event(ev, v, as, row->of));
}

/* Row `i` of the event's table. On its own, so that it is verified once. */
__attribute__((noinline)) int args_row(struct ev *ev, __u32 i)
{
    const volatile struct arg_row *row;
    __u32 event;

    if (!ev)
        return 0;
    event = ev->h.event;
    OPAQUE(event);
    if (event >= EV_COUNT || i >= ARG_ROWS)
        return 0;
    row = &rows[event][i];
    put_row(ev, row);
    return 0;
}

/* The row, without a call if it is one of those that opens have. They have no more than these. */
#define NEAR_ROWS 2
static __always_inline void near_row(struct ev *ev, const volatile struct arg_row *row, __u32 i)
{
    __u64 v = call_arg(ev, row->arg);
    __u8 as = row->as;

    if (row->slot == ROW_A0 && (as == AS_PATH_AT || as == AS_PATH))
        read_text(ev, S_A0, ev->s_A0, v);
    else if (row->slot == N_P1 && as == AS_S32)
        put_num(ev, N_P1, (__s32)v);
    else
        args_row(ev, i);
}

static __always_inline void args_rows(struct ev *ev, __u32 event)
{
    OPAQUE(event);
    if (event >= EV_COUNT)
        return;
    for (__u32 i = 0; i < ARG_ROWS; i++) {
        const volatile struct arg_row *row = &rows[event][i];

        if (row->as == AS_NONE)
            break;
        if (i < NEAR_ROWS)
            near_row(ev, row, i);
        else
            args_row(ev, i);
    }
}

static __always_inline void nothing_yet(struct ev *ev)
{
    for (__u32 i = N_P0; i <= N_P15; i++)
        put_state(ev, i, ST_ABSENT);
    ev->h.num[N_P0] = ev->h.num[N_RES];
    ev->h.st[N_P0] = ev->h.st[N_RES];
    put_num(ev, N_OPEN_READ, 0);
    put_num(ev, N_OPEN_WRITE, 0);
    put_num(ev, N_OPEN_EXEC, 0);
    put_num(ev, N_OPEN_CREATE, 0);
    put_text(ev, S_A1, 0, ST_ABSENT);
    put_text(ev, S_A2, 0, ST_ABSENT);
    if (ev->h.st[SLOT_OF_STR(S_A0)] == ST_UNFILLED)
        put_text(ev, S_A0, 0, ST_ABSENT);
}

__attribute__((noinline)) int extract_args(struct ev *ev)
{
    __u32 event;

    if (!ev)
        return 0;
    event = ev->h.event;
    /* The exec hook has put the program's name there already, from the kernel's memory. */
    bool named = ev->h.st[SLOT_OF_STR(S_A0)] == ST_PRESENT;

    nothing_yet(ev);
    if (!named)
        args_rows(ev, event);
    if (event_is_open(event))
        open_params(ev);
    else if (event == EV_open_by_handle_at)
        handle_params(ev);
    else if (event == EV_accept || event == EV_accept4)
        accept_params(ev);
    else if (event == EV_prctl)
        prctl_params(ev);
    else
        args_special(ev);
    return 0;
}

/* ---- the directory of a relative path ---- */

static __always_inline bool is_relative(struct ev *ev, __u8 slot)
{
    if (slot == ROW_A0)
        return ev->h.st[slot] == ST_PRESENT && ev->h.len[S_A0] && ev->s_A0[0] != '/';
    return ev->h.st[slot] == ST_PRESENT && ev->h.len[S_A1] && ev->s_A1[0] != '/';
}

/* Fills ev->base for the event's first relative path. Called once its ARGS are there. */
__attribute__((noinline)) int args_base(struct ev *ev)
{
    struct work *w = work_get();
    int dirfd = AT_FDCWD, len;
    __u32 event, n;
    bool wanted = false;

    if (!ev || !w)
        return 0;
    event = ev->h.event;
    OPAQUE(event);
    if (event >= EV_COUNT)
        return 0;
    for (__u32 i = 0; i < ARG_ROWS; i++) {
        const volatile struct arg_row *row;
        __u32 slot, arg;

        if (wanted)
            break;
        row = &rows[event][i];
        slot = row->slot;
        arg = row->arg;
        if ((row->as != AS_PATH && row->as != AS_PATH_AT) || slot >= SLOT_COUNT)
            continue;
        wanted = is_relative(ev, (__u8)slot);
        if (wanted && row->as == AS_PATH_AT)
            dirfd = (int)call_arg(ev, arg - 1);
    }
    if (!wanted)
        return 0;
    len = path_of_dirfd(dirfd);
    n = (__u32)len;
    OPAQUE(n);
    if (n == 0 || n >= PATH_CAP)
        return 0;
    bpf_probe_read_kernel(ev->base, n, w->path + PATH_CAP - n);
    ev->base_len = n;
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
