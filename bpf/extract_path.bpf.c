/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fd.name in its readings, and what is cut out of it.
 *
 * The kernel's path of an opened file is what was really opened. What the caller wrote, made
 * absolute and folded as text, and the file's place in the oldest mount that shows it (place.h) are
 * readings of their own only where they differ: compared bytewise, so that the usual open pays for
 * neither folding nor judging twice.
 */
#include "probe.h"
#include "match.h"
#include "name.h"

/* ---- folding as text ---- */

struct fold {
    __u32 len;  /* of the text */
    __u32 end;  /* of the component that is being looked for, exclusive */
    __u32 skip; /* components that `..` behind them takes away */
    __u32 off;
    __u32 cut;
};

static long fold_step(__u32 i, struct fold *f)
{
    struct work *w = work_get();
    __u32 at = f->len - 1 - i, from = at + 1, n, off;

    if (!w)
        return 1;
    if (w->fold[at & (2 * PATH_CAP - 1)] != '/')
        return 0;
    n = f->end - from;
    f->end = at;
    from &= 2 * PATH_CAP - 1;
    if (n == 0 || (n == 1 && w->fold[from] == '.'))
        return 0;
    if (n == 2 && w->fold[from] == '.' && w->fold[(from + 1) & (2 * PATH_CAP - 1)] == '.') {
        f->skip++;
        return 0;
    }
    if (f->skip) {
        f->skip--;
        return 0;
    }
    if (n >= PATH_CAP || f->off < n + 1) {
        f->cut = 1;
        return 1;
    }
    off = f->off - n - 1;
    f->off = off;
    off &= PATH_CAP - 1;
    n &= PATH_CAP - 1;
    w->path[off] = '/';
    bpf_probe_read_kernel(w->path + off + 1, n, w->fold + from);
    return 0;
}

struct plain {
    struct work *w;
    __u32 n;
    __u32 odd; /* something was found that folding takes out, or may */
};

static long plain_step(__u32 i, struct plain *p)
{
    __u32 at = i * 8;
    __u64 odd;

    if (at >= 2 * PATH_CAP)
        return 1;
    odd = match_unfolded8(match_word(p->w->fold + at), match_word(p->w->fold + at + 1),
                          match_word(p->w->fold + at + 2));
    if (at + 8 > p->n)
        odd &= match_mask(p->n - at);
    p->odd = odd != 0;
    return p->odd;
}

/* Is work.fold[0..n), of at most 2 * PATH_CAP, what folding would make of it, as most texts are? */
static __always_inline bool is_folded(struct work *w, __u32 n)
{
    struct plain p = {.w = w, .n = n};

    OPAQUE(n); /* 6.1 has another copy of it bounded */
    if (n > 2 * PATH_CAP)
        return false;
    p.odd = untold(w, 0);
    w->fold[n] = 0;
    bpf_loop((n + 7) / 8, plain_step, &p, 0);
    return !p.odd;
}

static __always_inline int put_folded(struct work *w, __u32 len)
{
    __u32 off = PATH_CAP - len;

    OPAQUE(len);
    OPAQUE(off);
    if (len == 0 || len >= PATH_CAP)
        return 0;
    bpf_probe_read_kernel(w->path + (off & (PATH_CAP - 1)), len, w->fold);
    return (int)len;
}

/*
 * Folds work.fold[0..len) as text to an absolute path that ends at work.path[PATH_CAP), from its
 * last component backwards, so that nothing is moved twice. Its length, or 0: too long.
 */
__attribute__((noinline)) int path_fold(__u32 len)
{
    struct work *w = work_get();
    struct fold f;

    if (!w || len == 0 || len > 2 * PATH_CAP)
        return 0;
    if (is_folded(w, len))
        return put_folded(w, len);
    f.len = f.end = untold(w, len);
    f.skip = f.cut = untold(w, 0);
    f.off = untold(w, PATH_CAP);
    bpf_loop(len, fold_step, &f, 0);
    if (f.cut || f.off == 0)
        return 0;
    if (f.off == PATH_CAP) {
        w->path[PATH_CAP - 1] = '/';
        return 1;
    }
    return (int)(PATH_CAP - f.off);
}

/* ---- the spelled path ---- */

/* Where another reading's text stands in the event. */
#define ALT_OFF(reading) ((__u32)offsetof(struct ev, alt) + READ_ALT(reading) * PATH_CAP)

/* Two texts in the event, compared by words. */
struct same {
    struct ev *ev;
    __u64 text, n; /* place in the event and length of the one that is held against fd.name */
    __u64 differ;
};

static long same_step(__u32 i, struct same *s)
{
    __u64 at = (__u64)i * 8, text = s->text;
    __u64 diff;

    if (at >= PATH_CAP || text > sizeof(*s->ev) - PATH_CAP)
        return 1;
    diff = match_word(s->ev->s_FD_NAME + at) ^ match_word((char *)s->ev + text + at);
    if (at + 8 > s->n)
        diff &= match_mask((__u32)(s->n - at));
    if (!diff)
        return 0;
    s->differ = 1;
    return 1;
}

/* Is fd.name the text of length `n` at this place in the event? */
static __always_inline bool name_is(struct ev *ev, __u32 text, __u32 n)
{
    struct same s = {.ev = ev, .text = text, .n = n};

    if (n != ev->h.len[S_FD_NAME] || n == 0 || n >= PATH_CAP)
        return false;
    bpf_loop((n + 7) / 8, same_step, &s, 0);
    return !s.differ;
}

/* The first `n` bytes of slot A0, absolute and folded, to its place as a reading. False: it cannot
 * be told. */
static __always_inline bool fold_spelling(struct ev *ev, __u32 n)
{
    struct work *w = work_get();
    __u32 at = 0;
    int len;

    if (!w)
        return false;
    if (ev->s_A0[0] != '/') {
        at = fold_dirfd(w, open_dirfd(ev));
        if (at == 0)
            return false;
    }
    OPAQUE(at);
    OPAQUE(n);
    if (n >= PATH_CAP || at > PATH_CAP)
        return false;
    bpf_probe_read_kernel(w->fold + at, n, ev->s_A0);
    len = path_fold(at + n);
    n = (__u32)len;
    OPAQUE(n);
    if (n == 0 || n >= PATH_CAP)
        return false;
    bpf_probe_read_kernel(ev->alt[READ_ALT(READ_SPELLED)], n, w->path + PATH_CAP - n);
    ev->alt_len[READ_ALT(READ_SPELLED)] = n;
    return true;
}

/* ---- PATH ---- */

/* A failed open has the text alone. `open` and `creat` do not fold an absolute one. */
static __always_inline void name_of_failed(struct ev *ev)
{
    bool plain = ev->h.event == EV_open || ev->h.event == EV_creat;
    __u32 n = spelled_len(ev);

    put_text(ev, S_FD_NAME, 0, ST_UNKNOWN);
    if (n == 0)
        return;
    if (plain && ev->s_A0[0] == '/') {
        copy_text(ev->s_FD_NAME, ev->s_A0, n);
    } else if (fold_spelling(ev, n)) {
        n = ev->alt_len[READ_ALT(READ_SPELLED)];
        copy_text(ev->s_FD_NAME, ev->alt[READ_ALT(READ_SPELLED)], n);
    } else {
        return;
    }
    put_text(ev, S_FD_NAME, n, ST_PRESENT);
}

/* What the caller wrote, if that is another path than the opened file's. */
static __always_inline void read_spelled(struct ev *ev)
{
    __u32 n = spelled_len(ev);

    if (n == 0 || name_is(ev, EV_STR_OFF(s_A0), n) || !fold_spelling(ev, n))
        return;
    if (!name_is(ev, ALT_OFF(READ_SPELLED), ev->alt_len[READ_ALT(READ_SPELLED)]))
        ev->h.readings |= READ_BIT(READ_SPELLED);
}

/* The file in the oldest mount that shows it, if that is another path. Unknown: no bytes. */
static __always_inline void read_stored(struct ev *ev, __u64 file)
{
    __u64 mount = place_of_file(file);
    struct work *w = work_get();
    __u32 n = 0;

    if (!mount || !w)
        return;
    if (mount != PLACE_UNKNOWN)
        n = (__u32)path_build((__u64)KREAD(struct file, file, f_path.dentry), mount, 1);
    OPAQUE(n);
    if (n >= PATH_CAP)
        n = 0;
    bpf_probe_read_kernel(ev->alt[READ_ALT(READ_STORED)], n, w->path + PATH_CAP - n);
    if (name_is(ev, ALT_OFF(READ_STORED), n))
        return;
    ev->alt_len[READ_ALT(READ_STORED)] = n;
    ev->h.readings |= READ_BIT(READ_STORED);
}

/* The path is the caller's text: the sketch has found so. False: it has to be looked for. */
static __always_inline bool name_as_spelled(struct ev *ev)
{
    __u32 n = spelled_len(ev);

    if (!ev->spelled || ev->s_A0[0] != '/' || n == 0 || n >= PATH_CAP)
        return false;
    copy_text(ev->s_FD_NAME, ev->s_A0, n);
    put_text(ev, S_FD_NAME, n, ST_PRESENT);
    return true;
}

static __always_inline void name_of_opened(struct ev *ev, __u64 file)
{
    if (!name_as_spelled(ev))
        put_path(ev, S_FD_NAME, ev->s_FD_NAME, path_of_file(file));
    if ((plan.readings & READ_BIT(READ_SPELLED)) && event_is_open(ev->h.event) && !ev->spelled)
        read_spelled(ev);
    if ((plan.readings & READ_BIT(READ_STORED)) && !ev->own_place)
        read_stored(ev, file);
}

__attribute__((noinline)) int extract_path(struct ev *ev)
{
    __u64 file;

    if (!ev)
        return 0;
    if (ev->h.st[N_FD_TYPE] == ST_UNFILLED)
        extract_fd(ev);
    file = file_of_event(ev);
    if (ev->h.st[N_FD_NUM] != ST_PRESENT) {
        put_text(ev, S_FD_NAME, 0, without_fd(ev));
        return 0;
    }
    if (!file && event_is_open(ev->h.event)) {
        name_of_failed(ev);
        return 0;
    }
    put_text(ev, S_FD_NAME, 0, ST_PRESENT);
    if (!file)
        return 0;
    switch (ev->h.num[N_FD_TYPE]) {
    case FDT_IPV4:
    case FDT_IPV6:
        put_text(ev, S_FD_NAME, 0, ST_UNKNOWN); /* user space writes it from the addresses */
        break;
    case FDT_UNIX:
        put_text(ev, S_FD_NAME, put_unix_name(ev->s_FD_NAME, file), ST_PRESENT);
        break;
    case FDT_MEMFD:
        put_text(ev, S_FD_NAME, put_memfd_name(ev->s_FD_NAME, file), ST_PRESENT);
        break;
    case FDT_FILE:
    case FDT_DIRECTORY:
        name_of_opened(ev, file);
        break;
    }
    return 0;
}

/* ---- DIR ---- */

struct slash {
    __u32 len, at; /* at: 1 + place of the last slash, or 0 */
};

static long slash_step(__u32 i, struct slash *s)
{
    __u32 cpu = bpf_get_smp_processor_id(), at = s->len - 1 - i;
    struct ev *ev = bpf_map_lookup_elem(&scratch, &cpu);

    if (!ev || at >= PATH_CAP)
        return 1;
    if (ev->s_FD_NAME[at] != '/')
        return 0;
    s->at = at + 1;
    return 1;
}

static __always_inline void both(struct ev *ev, __u8 state)
{
    put_text(ev, S_FD_DIR, 0, state);
    put_text(ev, S_FD_FILE, 0, state);
}

__attribute__((noinline)) int extract_dir(struct ev *ev)
{
    struct work *w = work_get();
    struct slash s;
    __u32 type, n;

    if (!ev || !w)
        return 0;
    if (ev->h.st[SLOT_OF_STR(S_FD_NAME)] == ST_UNFILLED)
        extract_path(ev);
    type = (__u32)ev->h.num[N_FD_TYPE];
    n = ev->h.len[S_FD_NAME];
    both(ev, without_fd(ev));
    if (ev->h.st[N_FD_TYPE] != ST_PRESENT ||
        (type != FDT_FILE && type != FDT_DIRECTORY && !event_is_open(ev->h.event)))
        return 0;
    if (ev->h.st[SLOT_OF_STR(S_FD_NAME)] != ST_PRESENT || n == 0 || n >= PATH_CAP) {
        both(ev, ST_UNKNOWN);
        return 0;
    }
    s.len = n;
    s.at = untold(w, 0);
    if (type == FDT_DIRECTORY)
        s.at = n + 1;
    else
        bpf_loop(n, slash_step, &s, 0);
    n = s.at > 1 ? s.at - 1 : 1;
    copy_text(ev->s_FD_DIR, ev->s_FD_NAME, n);
    put_text(ev, S_FD_DIR, s.at ? n : 0, ST_PRESENT);
    if (type == FDT_DIRECTORY || ev->h.num[N_FD_NUM] < 0)
        return 0;
    n = s.len - s.at;
    s.at &= PATH_CAP - 1;
    OPAQUE(n);
    if (n <= PATH_CAP - s.at)
        bpf_probe_read_kernel(ev->s_FD_FILE, n & (PATH_CAP - 1), ev->s_FD_NAME + s.at);
    put_text(ev, S_FD_FILE, n, ST_PRESENT);
    return 0;
}

/* ---- RAW ---- */

struct squeeze {
    __u32 to, last;
};

static long squeeze_step(__u32 i, struct squeeze *q)
{
    struct work *w = work_get();
    __u32 cpu = bpf_get_smp_processor_id(), to = q->to;
    struct ev *ev = bpf_map_lookup_elem(&scratch, &cpu);
    char c;

    if (!w || !ev || i >= PATH_CAP || to >= PATH_CAP)
        return 1;
    c = w->fold[i];
    if (c == '/' && q->last == '/')
        return 0;
    ev->s_FD_RAW[to] = c;
    q->last = (__u32)c;
    q->to = to + 1;
    return 0;
}

__attribute__((noinline)) int extract_raw(struct ev *ev)
{
    struct work *w = work_get();
    struct squeeze q;
    long n;

    if (!ev || !w)
        return 0;
    q.to = q.last = untold(w, 0);
    put_text(ev, S_FD_RAW, 0, without_fd(ev));
    if (ev->h.st[N_FD_NUM] != ST_PRESENT || ev->h.num[N_FD_NUM] < 0)
        return 0;
    put_text(ev, S_FD_RAW, 0, ST_PRESENT);
    if (!event_is_open(ev->h.event))
        return 0;
    n = read_open_text(ev);
    if (n > 0)
        n = bpf_probe_read_kernel_str(w->fold, PATH_CAP, ev->s_A0);
    if (n < 1) {
        put_text(ev, S_FD_RAW, 0, ST_UNKNOWN);
        return 0;
    }
    bpf_loop((__u32)n - 1, squeeze_step, &q, 0);
    put_text(ev, S_FD_RAW, q.to, ST_PRESENT);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
