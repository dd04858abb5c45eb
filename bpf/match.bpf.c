/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The matchers that the generated filter calls for what plain words cannot decide.
 *
 * The text is copied to work.fold first: a bounded place of its own, so that one loop body serves
 * all slots (and the events of BPF_PROG_TEST_RUN, which are not in `scratch`).
 */
#include "probe.h"
#include "match.h"

struct place {
    __u32 off, cap;
};
static const volatile struct place places[S_COUNT] = {
#define SLOT_STR(id, group, cap, doc) [S_##id] = {EV_STR_OFF(s_##id), cap},
#include "../grammar/slots.def"
};

#define TEXT_CAP 4128 /* the largest slot */

/* The text of a slot into work.fold; its length. */
static __always_inline __u32 take_text(struct ev *ev, struct work *w, __u32 slot)
{
    __u32 off, n;

    if (slot >= S_COUNT)
        return 0;
    off = places[slot].off;
    n = ev->h.len[slot];
    if (n > places[slot].cap)
        n = places[slot].cap;
    OPAQUE(n);
    OPAQUE(off);
    if (n == 0 || n > TEXT_CAP || off > sizeof(*ev) - TEXT_CAP)
        return 0;
    bpf_probe_read_kernel(w->fold, n, (char *)ev + off);
    return n;
}

__attribute__((noinline)) int match_take(struct ev *ev, __u32 slot)
{
    struct work *w = work_get();

    return ev && w ? (int)take_text(ev, w, slot) : 0;
}

#define CASE_BITS (0x20 * MATCH_ONES) /* what a small letter has beyond its capital */
struct search {
    __u64 either;        /* CASE_BITS if case does not count, else 0 */
    __u64 first, second; /* the pattern's first two bytes, each in all of a word's, and `either` */
    __u64 single;        /* all ones: there is no second */
    __u32 pattern;
    __u32 last; /* the last place where it fits */
    __u32 found;
};

/* Eight bytes of the text, in small letters if `either` is CASE_BITS. */
static __always_inline __u64 text_word(const char *text, __u64 either)
{
    __u64 word = match_word(text);

    return word | (match_lower8(word) & either);
}

/* Does the pattern stand at this place of the text, its first word apart? Rarely called. */
__attribute__((noinline)) int match_rest(__u32 at, __u32 pattern, __u64 either)
{
    struct bpf_pattern *p = bpf_map_lookup_elem(&patterns, &pattern);
    struct work *w = work_get();
    __u32 n, i;

    if (!w || !p || at >= TEXT_CAP)
        return 1;
    n = p->len;
    for (i = 8; i + 8 <= n && i < PATTERN_CAP - 8; i += 8)
        if (text_word(w->fold + at + i, either) != match_word(p->text + i))
            return 0;
    return i >= n || i >= PATTERN_CAP - 8 ||
           ((text_word(w->fold + at + i, either) ^ match_word(p->text + i)) & match_mask(n - i)) ==
               0;
}

/* 1 + the first of up to PLACES places from `at` to `last` where its first word stands; 0: none. */
#define PLACES 32
__attribute__((noinline)) int match_places(__u32 at, __u32 last, __u32 pattern, __u64 either)
{
    struct bpf_pattern *p = bpf_map_lookup_elem(&patterns, &pattern);
    struct work *w = work_get();
    __u64 mask;

    if (!w || !p || at >= TEXT_CAP)
        return (int)at + 1;
    mask = match_mask(p->len);
    for (__u32 k = 0; k < PLACES && at + k <= last; k++)
        if (!((text_word(w->fold + at + k, either) ^ match_word(p->text)) & mask))
            return (int)(at + k) + 1;
    return 0;
}

/*
 * At which of eight bytes the pattern's first two letters may begin; others need no look. Where
 * case does not count the bit that tells it is on in all bytes, a few of which are no letters.
 */
static __always_inline __u64 may_begin8(const char *text, const struct search *s)
{
    return match_nuls8((match_word(text) | s->either) ^ s->first) &
           (match_nuls8((match_word(text + 1) | s->either) ^ s->second) | s->single);
}

static long search_step(__u32 i, struct search *s)
{
    struct work *w = work_get();
    __u32 at = i * PLACES, last;

    if (!w || at >= TEXT_CAP)
        return 1;
    if (!(may_begin8(w->fold + at, s) | may_begin8(w->fold + at + 8, s) |
          may_begin8(w->fold + at + 16, s) | may_begin8(w->fold + at + 24, s)))
        return 0;
    last = s->last - at < PLACES ? s->last : at + PLACES - 1;
    for (__u32 k = 0; k < PLACES; k++) {
        at = (__u32)match_places(at, last, s->pattern, s->either);
        if (!at)
            return 0;
        if (match_rest(at - 1, s->pattern, s->either)) {
            s->found = 1;
            return 1;
        }
    }
    return 0;
}

/* Makes letters of as many bytes small. */
static long lower_step(__u32 i, void *unused)
{
    struct work *w = work_get();
    __u32 at = i * PLACES;

    if (!w || at >= TEXT_CAP)
        return 1;
#pragma unroll
    for (__u32 k = 0; k < PLACES; k += 8)
        *(__u64 *)(w->fold + at + k) = match_lower8(match_word(w->fold + at + k));
    return 0;
}

static __always_inline int contains(struct ev *ev, __u32 slot, __u32 pat, bool fold)
{
    struct work *w = work_get();
    struct bpf_pattern *p = bpf_map_lookup_elem(&patterns, &pat);
    struct search s = {.pattern = pat};
    __u32 len, n;

    if (!w || !p)
        return 1; /* cannot tell: the test may hold */
    n = p->len;
    if (n == 0 || n > PATTERN_CAP - 8)
        return 1;
    len = take_text(ev, w, slot);
    if (len < n)
        return 0;
    s.either = fold ? CASE_BITS : 0;
    s.first = (__u8)p->text[0] * MATCH_ONES | s.either;
    s.second = (__u8)p->text[1] * MATCH_ONES | s.either;
    s.single = n < 2 ? ~0ull : 0;
    s.last = len - n;
    s.found = untold(w, 0);
    bpf_loop(s.last / PLACES + 1, search_step, &s, 0);
    return (int)s.found;
}

__attribute__((noinline)) int match_contains(struct ev *ev, __u32 slot, __u32 pattern)
{
    return ev ? contains(ev, slot, pattern, false) : 1;
}

__attribute__((noinline)) int match_icontains(struct ev *ev, __u32 slot, __u32 pattern)
{
    return ev ? contains(ev, slot, pattern, true) : 1;
}

/* ---- globs and paths ---- */

struct pattern_walk {
    struct match_glob glob;
    struct match_path path;
    __u32 pattern, len, end;
};

static long glob_turn(__u32 i, struct pattern_walk *k)
{
    struct bpf_pattern *p = bpf_map_lookup_elem(&patterns, &k->pattern);
    struct work *w = work_get();

    if (!w || !p)
        return 1;
    k->end = match_glob_step(&k->glob, w->fold, k->len, p->text, p->len);
    return k->end != MATCH_ON;
}

static long path_turn(__u32 i, struct pattern_walk *k)
{
    struct bpf_pattern *p = bpf_map_lookup_elem(&patterns, &k->pattern);
    struct work *w = work_get();

    if (!w || !p)
        return 1;
    k->end = match_path_step(&k->path, w->fold, k->len, p->text, p->len);
    return k->end != MATCH_ON;
}

/* The walk at its start, the text in work.fold. False: there is no memory for it. */
static __always_inline bool walk_begin(struct ev *ev, __u32 slot, struct pattern_walk *k)
{
    struct work *w = work_get();

    if (!ev || !w)
        return false;
    k->len = take_text(ev, w, slot);
    k->glob.text = k->glob.pat = k->glob.star = k->glob.mark = untold(w, 0);
    k->path.text = k->path.pat = untold(w, 0);
    k->path.slash = untold(w, 1);
    k->end = untold(w, MATCH_ON);
    return true;
}

__attribute__((noinline)) int match_glob(struct ev *ev, __u32 slot, __u32 pattern)
{
    struct pattern_walk k = {.pattern = pattern};

    if (!walk_begin(ev, slot, &k))
        return MATCH_ON;
    bpf_loop(MATCH_STEPS, glob_turn, &k, 0);
    return (int)k.end;
}

__attribute__((noinline)) int match_iglob(struct ev *ev, __u32 slot, __u32 pattern)
{
    struct pattern_walk k = {.pattern = pattern};

    if (!walk_begin(ev, slot, &k))
        return MATCH_ON;
    bpf_loop((k.len + PLACES - 1) / PLACES, lower_step, NULL, 0);
    bpf_loop(MATCH_STEPS, glob_turn, &k, 0);
    return (int)k.end;
}

__attribute__((noinline)) int match_path(struct ev *ev, __u32 slot, __u32 pattern)
{
    struct pattern_walk k = {.pattern = pattern};

    if (!walk_begin(ev, slot, &k))
        return MATCH_ON;
    bpf_loop(MATCH_STEPS, path_turn, &k, 0);
    return (int)k.end;
}

/* Is the name in slot NAME, PNAME or SNAME in the set? */
__attribute__((noinline)) int match_name(struct ev *ev, __u32 slot, __u32 set)
{
    if (!ev)
        return 1;
    if (slot == S_NAME)
        return name_in_set(ev->s_NAME, set);
    if (slot == S_PNAME)
        return name_in_set(ev->s_PNAME, set);
    if (slot == S_SNAME)
        return name_in_set(ev->s_SNAME, set);
    return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
