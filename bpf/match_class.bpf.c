/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Value classes in the kernel (class.h): looking a text up, and judging the rules of a class.
 *
 * Each step is a global function, so that the kernel verifies it once and not in each turn of the
 * loops around it. A hook, rule_filter(), its part, class_judge(), judge_step(), match_contains(),
 * its step and match_rest() are as many frames as the kernel allows.
 */
#include "probe.h"

/* Where an edge leads, or 0: there is none. */
static __always_inline int edge(__u64 word, __u32 from)
{
    __u32 at = 0;
    struct class_bucket *b = bpf_map_lookup_elem(&class_edges, &at);
    __u32 mask;
    __u64 h;

    if (!b)
        return 0;
    mask = b->edge[0].from;
    h = class_hash(b->edge[0].word, word, from);
    for (__u32 k = 0; k < 2; k++) {
        at = 1 + ((__u32)h & mask);
        b = bpf_map_lookup_elem(&class_edges, &at);
        for (__u32 i = 0; b && i < CLASS_BUCKET; i++)
            if (b->edge[i].word == word && b->edge[i].from == from)
                return (int)b->edge[i].to;
        h >>= 32;
    }
    return 0;
}

__attribute__((noinline)) int class_edge(__u64 word, __u32 from)
{
    return edge(word, from);
}

/* The longest constant that ends inside this word, or 0; `left`: bytes of the text from here on. */
__attribute__((noinline)) int class_ends(__u64 word, __u32 node, __u32 left)
{
    __u32 best = 0, to;

    for (__u32 k = 0; k < 8; k++) {
        if (k > left || !(node >> k & 1))
            continue;
        to = (__u32)edge(class_part(word, k), node >> 8 << 4 | k);
        best = to ? to : best;
    }
    return (int)best;
}

#define REACH (8 * CLASS_WORDS) /* bytes that are read at most; ev_head is longer */

/* Goes along a text by words, to where a constant ends. `how`: enum class_how. */
struct finding {
    const char *text; /* REACH bytes; CLASS_SUFFIX: those that end with the text */
    __u32 how;
    __u32 len;
    __u32 node;
    __u32 best; /* the answer so far */
};

static long find_step(__u32 i, struct finding *f)
{
    bool back = f->how == CLASS_SUFFIX;
    __u32 at = (back ? CLASS_WORDS - 1 - i : i) & (CLASS_WORDS - 1), left = f->len - 8 * i, to;
    __u64 word = *(const __u64 *)(f->text + 8 * at);

    if (back)
        word = __builtin_bswap64(word);
    if (f->how != CLASS_EXACT)
        to = (__u32)class_ends(word, f->node, left);
    else
        to = left < 8 ? (__u32)class_edge(class_part(word, left), f->node >> 8 << 4 | left) : 0;
    f->best = to ? to : f->best;
    if (left < 8)
        return 1;
    f->node = (__u32)class_edge(word, f->node >> 8 << 4 | 8);
    return !f->node;
}

static __always_inline int find(const char *text, __u32 len, __u32 node, __u32 how)
{
    struct finding f = {.text = text, .how = how, .len = len, .node = node};
    struct work *w = work_get();

    if (!w)
        return 0;
    f.best = untold(w, 0);
    bpf_loop(CLASS_WORDS, find_step, &f, 0);
    return (int)f.best;
}

/* `how`: enum class_how, and the text's slot from bit 8 on; `off`: its place in the event. */
__attribute__((noinline)) int class_find(struct ev *ev, __u32 off, __u32 node, __u32 how)
{
    __u32 str = how >> 8, len, end;

    OPAQUE(str);
    if (!ev || str >= S_COUNT)
        return 0;
    len = ev->h.len[str];
    if (len > PATH_CAP)
        len = PATH_CAP;
    end = off + len;
    OPAQUE(off);
    OPAQUE(end);
    if (off > sizeof(*ev) - REACH || end < REACH || end > sizeof(*ev))
        return 0;
    how &= 0xff;
    if (how == CLASS_EXACT && len > CLASS_TEXT_MAX)
        return 0;
    if (how == CLASS_SUFFIX)
        off = end - REACH;
    return find((char *)ev + off, len, node, how);
}

/* The value of the number in a slot. */
__attribute__((noinline)) int class_number(struct ev *ev, __u32 num, __u32 node)
{
    OPAQUE(num);
    if (!ev || num >= N_COUNT)
        return 0;
    return class_edge((__u64)ev->h.num[num], node >> 8 << 4 | CLASS_OF_NUM);
}

/* ---- constants anywhere in a text ---- */

#define SCAN_CAP (3 * PATH_CAP - REACH) /* within work.fold */

/* The class of the longest constant that stands at this place of work.fold, or 0. */
__attribute__((noinline)) int class_at(__u32 at, __u32 left, __u32 node)
{
    struct work *w = work_get();

    OPAQUE(at);
    if (!w || at > SCAN_CAP)
        return 0;
    if (CLASS_HAS_STARTS(node) &&
        (left < CLASS_START_LEN ||
         !class_edge(*(__u32 *)(w->fold + at), node >> 8 << 4 | CLASS_START)))
        return 0;
    return find(w->fold + at, left, node, untold(w, CLASS_PREFIX));
}

struct scanning {
    __u32 node, len;
    __u32 n; /* in work.found; beyond CLASS_FOUND: more than there is room for */
};

static long scan_step(__u32 at, struct scanning *s)
{
    struct work *w = work_get();
    __u32 class = (__u32)class_at(at, s->len - at, s->node), n = s->n;

    if (!w)
        return 1;
    if (!class)
        return 0;
    for (__u32 i = 0; i < CLASS_FOUND; i++)
        if (i < n && w->found[i] == class)
            return 0;
    if (n < CLASS_FOUND)
        w->found[n & (CLASS_FOUND - 1)] = class;
    s->n = n + 1;
    return n >= CLASS_FOUND;
}

/* How many classes of constants stand in the text; more than CLASS_FOUND: too many. */
__attribute__((noinline)) int class_scan(struct ev *ev, __u32 str, __u32 node)
{
    struct work *w = work_get();
    struct scanning s = {.node = node};

    if (!ev || !w)
        return 0;
    s.len = (__u32)match_take(ev, str);
    s.n = untold(w, 0);
    bpf_loop(s.len, scan_step, &s, 0);
    return (int)s.n;
}

/* The i-th of them. */
__attribute__((noinline)) int class_found(struct ev *ev, __u32 i)
{
    struct work *w = work_get();

    return ev && w && i < CLASS_FOUND ? (int)w->found[i & (CLASS_FOUND - 1)] : 0;
}

/* ---- the rules of a class ---- */

static __always_inline bool number_holds(const struct class_test *t, __s64 v)
{
    if (t->kind == CT_MASK)
        return ((__u64)v & t->a) == t->b;
    if (t->kind == CT_SIGNED)
        return v >= (__s64)t->a && v <= (__s64)t->b;
    return (__u64)v >= t->a && (__u64)v <= t->b;
}

static __always_inline __u32 test_anc(struct ev *ev, const struct class_test *t)
{
    __u8 state = ev->h.anc_state;
    __u32 n;

    if (state == ST_UNKNOWN || state == ST_UNFILLED)
        return t->maybe;
    n = (__u32)match_anc(ev, t->arg);
    if (t->b ? n < ev->h.anc_count : n != 0)
        return t->yes;
    return state == ST_CUT ? t->maybe : t->no;
}

static __always_inline bool text_holds(struct ev *ev, const struct class_test *t, __u32 str)
{
    if (t->kind == CT_FIND)
        return class_find(ev, (__u32)t->a, t->arg, (__u32)t->b | str << 8) != 0;
    if (t->kind == CT_NAME)
        return match_name(ev, str, t->arg) != 0;
    return t->b ? match_icontains(ev, str, t->arg) != 0 : match_contains(ev, str, t->arg) != 0;
}

/* Where the outcome of a test leads. */
static __always_inline __u32 outcome(struct ev *ev, const struct class_test *t)
{
    __u32 slot = t->slot;
    __u8 state;

    if (t->kind == CT_ANC)
        return test_anc(ev, t);
    OPAQUE(slot);
    if (slot >= SLOT_COUNT)
        return t->maybe;
    state = ev->h.st[slot];
    if (state == ST_ABSENT)
        return t->absent;
    if (t->kind == CT_EXISTS && state == ST_CUT)
        return t->yes;
    if (state != ST_PRESENT)
        return t->maybe;
    if (t->kind == CT_EXISTS)
        return t->yes;
    if (slot >= N_COUNT)
        return text_holds(ev, t, slot - N_COUNT) ? t->yes : t->no;
    return number_holds(t, ev->h.num[slot]) ? t->yes : t->no;
}

#define STEPS_MAX 65536

struct judging {
    struct ev *ev;
    __u32 cand, end; /* the candidates that are left */
    __u32 at;        /* in the tests of the one at hand */
    __u32 rule;      /* it, 1 + index; 0: none matches */
};

static long judge_step(__u32 i, struct judging *j)
{
    struct class_cand *c;
    struct class_test *t;

    if (j->at == CLASS_PASS) {
        if (lane_answer(j->ev, j->rule))
            return 1;
        j->at = CLASS_FAIL;
        return 0;
    }
    if (j->at != CLASS_FAIL) {
        t = bpf_map_lookup_elem(&class_tests, &j->at);
        j->at = t ? outcome(j->ev, t) : CLASS_PASS;
        return 0;
    }
    c = j->cand < j->end ? bpf_map_lookup_elem(&class_cands, &j->cand) : NULL;
    if (!c) {
        j->rule = 0;
        return 1;
    }
    j->cand++;
    j->rule = c->rule + 1;
    j->at = c->off ? CLASS_FAIL : c->test;
    return 0;
}

/*
 * The first rule of the class that cannot be excluded, as rule_filter tells it. What it tests must
 * have been extracted. A rule at which the steps run out is not excluded.
 */
__attribute__((noinline)) int class_judge(struct ev *ev, __u32 class)
{
    struct class_row *row = bpf_map_lookup_elem(&class_rows, &class);
    struct work *w = work_get();
    struct judging j = {.ev = ev};

    if (!ev || !row || !w)
        return 0;
    j.cand = row->cand0;
    j.end = row->cand0 + row->ncand;
    j.at = untold(w, CLASS_FAIL);
    j.rule = untold(w, 0);
    bpf_loop(STEPS_MAX, judge_step, &j, 0);
    return (int)j.rule;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
