/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The filter alone, for BPF_PROG_TEST_RUN: judges the event in `test_ev`, whose states are all set,
 * so that no extractor runs. raw_tp and not syscall: a syscall program may sleep, and for those the
 * verifier does not let the extractors follow a task's parents.
 */
#include "probe.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, __u32);
    __type(value, struct ev);
} test_ev SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, __u32);
    __type(value, __u32);
} test_result SEC(".maps");

static __always_inline int ask_left(struct ev *ev, __u64 sketch)
{
    return rule_left(ev->h.event, ev->kept.test_class - 1, left_of(&ev->kept.bits, 0),
                     left_of(&ev->kept.bits, 2), sketch);
}

/* As the hook on system calls asks, before it makes an event. */
static __always_inline bool is_left(struct ev *ev)
{
    int left = ask_left(ev, SKETCH_UNKNOWN);

    if (left != LEFT_BY_PATH)
        return left != LEFT_NONE;
    path_sketch(ev);
    return ask_left(ev, ev->sketch) != LEFT_NONE;
}

SEC("raw_tp")
int test_filter(void *ctx)
{
    __u32 zero = 0;
    struct ev *ev = bpf_map_lookup_elem(&test_ev, &zero);
    __u32 *result = bpf_map_lookup_elem(&test_result, &zero);

    if (!ev || !result)
        return 0;
    ev->sketch = SKETCH_UNKNOWN;
    *result = (__u32)rule_filter(ev);
    if (*result && ev->kept.test_class && !is_left(ev))
        *result = 0;
    /* Once more, as where the hook has made the sketch first. */
    if (*result && ev->sketch != SKETCH_UNKNOWN)
        *result = (__u32)rule_filter(ev);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
