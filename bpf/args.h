/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Between extract_args.bpf.c, which follows args.def, and extract_more.bpf.c, which has what more
 * than one argument says.
 */
#ifndef RULEC_ARGS_H
#define RULEC_ARGS_H

#include "probe.h"

/* A number in the caller's memory. LONG and TIME (two of them, in ns) are narrower for a 32-bit
 * call. */
enum user_kind { USER_U32, USER_S32, USER_U64, USER_LONG, USER_TIME, USER_KINDS };

/* The language's numbers of native flags, by the rows of a table of flags.def. */
__u64 flags_by_table(__u32 table, __u64 native);
__u64 enum_by_table(__u32 table, __s64 native);

/* Reads a number into a slot; UNKNOWN if the memory is not there. `slot` is below N_COUNT. */
int user_number(struct ev *ev, __u32 slot, __u64 user, __u32 kind);

/* What args.def cannot say of an event; called when its rows are done. */
int args_special(struct ev *ev);

/* ---- structures in the caller's memory ---- */

static __always_inline bool user_bytes(void *to, __u32 n, __u64 user)
{
    return bpf_probe_read_user(to, n, (void *)user) == 0;
}

/* A `long` of the caller's; `at` counts in longs. */
static __always_inline bool user_long(struct ev *ev, __u64 user, __u32 at, __s64 *to)
{
    __s32 narrow = 0;

    if (!ev->compat)
        return user_bytes(to, 8, user + at * 8);
    if (!user_bytes(&narrow, 4, user + at * 4))
        return false;
    *to = narrow;
    return true;
}

/* struct msghdr, as far as it is asked for. */
struct user_msg {
    __u64 name, iov, parts, control, control_len;
};

static __always_inline bool user_msg(struct ev *ev, __u64 user, struct user_msg *m)
{
    __u64 at[6] = {};
    __u32 narrow[6] = {};

    if (ev->compat) {
        if (!user_bytes(narrow, sizeof(narrow), user))
            return false;
        *m = (struct user_msg){narrow[0], narrow[2], narrow[3], narrow[4], narrow[5]};
        return true;
    }
    if (!user_bytes(at, sizeof(at), user))
        return false;
    *m = (struct user_msg){at[0], at[2], at[3], at[4], at[5]};
    return true;
}

#define IOV_PARTS 32 /* of a vector that are looked at, as many as the language's library does */

/* The part of a vector at `*at`, which moves on; false: it cannot be read. */
static __always_inline bool part_at(bool compat, __u64 *at, __u64 *base, __u64 *len)
{
    __u64 part[2] = {};
    __u32 narrow[2] = {};

    if (compat) {
        if (!user_bytes(narrow, sizeof(narrow), *at))
            return false;
        *base = narrow[0];
        *len = narrow[1];
        *at += sizeof(narrow);
        return true;
    }
    if (!user_bytes(part, sizeof(part), *at))
        return false;
    *base = part[0];
    *len = part[1];
    *at += sizeof(part);
    return true;
}

/*
 * Does any rule ask for a call? The plan is a constant: what no rule asks for is not even verified.
 * Numbers of x86-64.
 */
static __always_inline bool wanted(__u32 nr)
{
    return plan.syscalls[nr / 64] >> (nr % 64) & 1;
}

#endif
