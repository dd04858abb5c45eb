/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Numbers of events and flag tables, and conversions of native flags to the language's numbers,
 * from the tables in grammar/. (grammar/catalog.h has the same enums, but is not for BPF code.)
 */
#ifndef RULEC_EVENTS_H
#define RULEC_EVENTS_H

#include "kernel.h"

enum event_id {
    EV_NONE,
#define EVENT(id, name, category, flags, live) EV_##id,
#include "../grammar/events.def"
    EV_COUNT
};

/* By which tracepoints are asked for (probe_plan.syscalls). */
enum trace_nr {
#define EVENT_TRACE(id, nr) TRACE_##id = nr,
#include "../grammar/events.def"
};

enum flag_table {
    FT_NONE,
#define FLAG_TABLE(id, kind) FT_##id,
#include "../grammar/flags.def"
    FT_COUNT
};

/* Of a constant table: clang keeps that table's rows and drops the rest. */
static __always_inline __u64 flags_from_native(enum flag_table table, __u64 native)
{
    __u64 out = 0;

#define FLAG(t, text, value, nat)                                                                  \
    if (FT_##t == table && (nat) > 0 && (native & (__u64)(nat)) == (__u64)(nat))                   \
        out |= (value);
#include "../grammar/flags.def"
    return out;
}

static __always_inline __u64 enum_from_native(enum flag_table table, __s64 native)
{
#define FLAG(t, text, value, nat)                                                                  \
    if (FT_##t == table && (nat) >= 0 && native == (nat))                                          \
        return (value);
#include "../grammar/flags.def"
    return 0;
}

/* Bits of tables whose rows are made by the driver, not the kernel (flags.def: file_flags). */
enum {
    O_F_DIRECTORY = 0x400,
    O_F_SYNC = 0x80,
    O_F_CREAT = 4,
    O_F_WRONLY = 2,
    O_F_RDONLY = 1,
    O_F_TMPFILE = 0x2000,
    O_F_CREATED = 0x4000,
    O_F_UPPER = 0x8000,
    O_F_LOWER = 0x10000,
    CREAT_UPPER = 1,
    CREAT_LOWER = 2,
    EXE_F_WRITABLE = 1,
    EXE_F_UPPER = 2,
    EXE_F_MEMFD = 4,
    EXE_F_LOWER = 8,
    CLONE_F_NEWPID = 0x40,
    CLONE_F_IN_PIDNS = 0x20000000,
};

/* Rows of flag table fd_type. */
enum {
    FDT_UNKNOWN = 0,
    FDT_DIRECTORY = 2,
    FDT_IPV4 = 3,
    FDT_IPV6 = 4,
    FDT_IPV4_SERVER = 5,
    FDT_IPV6_SERVER = 6,
    FDT_PIPE = 7,
    FDT_UNIX = 8,
    FDT_EVENT = 9,
    FDT_SIGNAL = 0xb,
    FDT_EPOLL = 0xc,
    FDT_INOTIFY = 0xd,
    FDT_TIMER = 0xe,
    FDT_NETLINK = 0xf,
    FDT_FILE = 0x10,
    FDT_BPF = 0x11,
    FDT_USERFAULT = 0x12,
    FDT_IO_URING = 0x13,
    FDT_MEMFD = 0x14,
    FDT_PIDFD = 0x15,
};

static __always_inline bool event_is_open(__u32 event)
{
    return event == EV_openat || event == EV_open || event == EV_openat2 || event == EV_creat;
}

#endif
