/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A filter by hand, in place of one that `rulec` generates: passes the events of processes called
 * probe-smoke, and of those whose parent is called so. It asks for groups the way generated code
 * does, and so has the verifier see every extractor called from a filter.
 */
#include "probe.h"

#define ASK(slot, extract)                                                                         \
    if (ev->h.st[slot] == ST_UNFILLED)                                                             \
        extract(ev);

static const char wanted[COMM_SIZE] = "probe-smoke";

static __always_inline int ours(const char *name)
{
    for (int i = 0; i < COMM_SIZE; i++)
        if (name[i] != wanted[i])
            return 0;
    return 1;
}

__attribute__((noinline)) int filter_ours(struct ev *ev)
{
    if (!ev)
        return 0;
    ASK(N_PPID, extract_proc)
    if (ours(ev->s_NAME))
        return 1;
    ASK(SLOT_OF_STR(S_PNAME), extract_parent)
    return ours(ev->s_PNAME);
}

__attribute__((noinline)) int filter_paths(struct ev *ev)
{
    if (!ev)
        return 0;
    ASK(SLOT_OF_STR(S_FD_DIR), extract_dir)
    ASK(SLOT_OF_STR(S_FD_NAME), extract_path)
    ASK(SLOT_OF_STR(S_FD_RAW), extract_raw)
    ASK(N_P0, extract_args)
    ASK(N_L4PROTO, extract_sock)
    /* As rules would: a pattern that the loader left empty matches, a name set that is empty not.
     */
    if (match_icontains(ev, S_FD_NAME, 0) + match_contains(ev, S_FD_NAME, 0) != 2)
        return 0;
    return match_name(ev, S_NAME, 0) || match_anc(ev, 0) ? 0 : 2;
}

__attribute__((noinline)) int filter_second(struct ev *ev)
{
    /* Only the spelled reading passes for what the test calls by this length. */
    return ev && (ev->h.len[S_FD_NAME] != 31 || ev->h.reading == READ_SPELLED) ? 3 : 0;
}

__attribute__((noinline)) int filter_event(struct ev *ev)
{
    if (!ev || !filter_ours(ev) || !filter_paths(ev))
        return 0;
    return filter_second(ev);
}

__attribute__((noinline)) int rule_filter_calls(struct ev *ev)
{
    return ev ? filter_event(ev) : 0;
}

/* No rule is of the task alone. */
__attribute__((noinline)) int rule_task_start(struct ev *ev)
{
    return 0;
}

__attribute__((noinline)) int rule_filter_exec(struct ev *ev)
{
    return ev ? filter_event(ev) : 0;
}

__attribute__((noinline)) int rule_filter_judged(struct ev *ev)
{
    return ev ? filter_event(ev) : 0;
}

/* Every event is looked at. */
__attribute__((noinline)) int rule_left(__u32 event, __u32 class, __u64 low, __u64 high,
                                        __u64 sketch)
{
    return event || class || low || high || sketch ? LEFT_ANY : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
