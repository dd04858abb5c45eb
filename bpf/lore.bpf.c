/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What user space has told of the event's user, container, address (lore.h). */
#include "probe.h"

/* Loads and stores on both sides of it keep their order, on any machine. */
static __always_inline void fence(struct work *w)
{
    __sync_lock_test_and_set(&w->fence, 1);
}

/* The key in w->key; false: the event does not tell the thing. */
static __always_inline bool make_key(struct ev *ev, struct work *w, __u32 num, __u32 str,
                                     const char *text)
{
    struct lore_key *key = &w->key;
    __u32 len = ev->h.len[str];

    if (ev->h.st[SLOT_OF_STR(str)] != ST_PRESENT || len > LORE_TEXT ||
        (num < N_COUNT && ev->h.st[num] != ST_PRESENT))
        return false;
    key->len = len;
    key->num = num < N_COUNT ? ev->h.num[num] : 0;
    __builtin_memset(key->text, 0, sizeof(key->text));
    OPAQUE(len);
    if (len <= LORE_TEXT)
        bpf_probe_read_kernel(key->text, len, text);
    return true;
}

static __always_inline bool key_of(struct ev *ev, struct work *w, __u32 kind)
{
    w->key.kind = kind;
    switch (kind) {
#define LORE(id, num, str, doc)                                                                    \
    case LORE_##id:                                                                                \
        return make_key(ev, w, num, S_##str, ev->s_##str);
#include "../grammar/lore.def"
    }
    return false;
}

/* The value that the answers are about is not there: every test of it is false. */
static __always_inline bool is_absent(struct ev *ev, __u32 kind)
{
    switch (kind) {
#define LORE(id, num, str, doc)                                                                    \
    case LORE_##id:                                                                                \
        return ev->h.st[num < N_COUNT ? num : SLOT_OF_STR(S_##str)] == ST_ABSENT;
#include "../grammar/lore.def"
    }
    return false;
}

/* To read the clock costs as much as all the rest: what holds for ever does not ask it. */
static __always_inline bool still_holds(__u64 until)
{
    return until == LORE_ALWAYS || bpf_ktime_get_boot_ns() + boot_offset_ns < until;
}

/* Copies what the row says of the key; false: nothing that holds now. */
static __always_inline bool read_row(struct work *w, struct lore_bits *out)
{
    __u32 at = lore_hash(&w->key) & (lore_rows - 1), seq;
    struct lore_row *row = bpf_map_lookup_elem(&lore, &at);
    __u64 until;

    if (!row)
        return false;
    seq = *(volatile __u32 *)&row->seq;
    fence(w);
    if (seq & 1 || !lore_same_key(&row->key, &w->key))
        return false;
    until = row->until;
    *out = row->bits;
    fence(w);
    return *(volatile __u32 *)&row->seq == seq && still_holds(until);
}

__attribute__((noinline)) int lore_find(struct ev *ev, __u32 kind)
{
    struct work *w = work_get();
    struct lore_bits *bits;

    OPAQUE(kind);
    if (!ev || !w || kind >= LORE_KINDS)
        return 0;
    bits = &ev->lore[kind];
    ev->lore_found |= (__u8)(1u << kind);
    if (key_of(ev, w, kind) && read_row(w, bits))
        return 0;
    __builtin_memset(bits, 0, sizeof(*bits));
    if (is_absent(ev, kind))
        __builtin_memset(bits->known, 0xff, sizeof(bits->known));
    else
        ev->wanted |= 1u << kind;
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
