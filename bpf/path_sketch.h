/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The sketch of an event's path (sketch.h): one walk from the file up to the caller's root, held
 * against what the caller wrote. Part of extract_fd.bpf.c, because it reads through casts:
 * libbpf 1.1 joins no two objects that name one of the kernel's functions.
 */
#ifndef RULEC_PATH_SKETCH_H
#define RULEC_PATH_SKETCH_H

#include "file.h"
#include "sketching.h"

/* ---- a file's path ---- */

#define NAME_WORDS 32 /* of a component: 255 bytes */
#define NEAR_NAME 32  /* bytes of one that are looked at without a call for each word */

/*
 * The length of the component, anew from memory each time: the verifier would follow each range of
 * it apart.
 */
static __always_inline __u32 name_len(const struct sketching *s)
{
    return *(const volatile __u32 *)&s->len;
}

/* Are bytes [at, at + 8) of a component, `word`, those at the end of the text? */
static __always_inline void compare_word(const char *text, struct sketching *s, __u64 word,
                                         __u32 at)
{
    __u32 len = name_len(s), place = (s->left - len + at) & (PATH_CAP - 1);

    if (len > s->left || ((match_word(text + place) ^ word) & match_mask(len - at)))
        s->spelling = SPELLED_ELSE;
}

/* The component's bytes agree with the text's: what stands before them? */
static __always_inline void compare_end(const char *text, struct sketching *s, __u64 parent)
{
    __u32 left = s->left - name_len(s);

    s->left = left - 1;
    if (left == 0)
        s->spelling =
            parent == s->base_dentry && s->mnt == s->base_mnt ? SPELLED_SAME : SPELLED_ELSE;
    else if (text[(left - 1) & (PATH_CAP - 1)] != '/')
        s->spelling = SPELLED_ELSE;
    else if (left == 1)
        s->spelling = SPELLED_WHOLE;
}

/* The first word of a component. */
static __always_inline void see_row(struct sketching *s, __u64 word)
{
    struct sketch_row *row = sketch_row(word);

    s->first = 0;
    if (!row)
        return;
    s->first = row->first;
    s->bits |= row->any;
    if (sketch_head.within && name_len(s) >= 8)
        s->bits |= row->within;
    if (s->n <= 1)
        s->bits |= row->dir;
    if (s->n == 0)
        s->bits |= row->last;
}

static __always_inline void see_within(struct sketching *s, __u64 word)
{
    struct sketch_row *row = sketch_row(word);

    s->bits |= row ? row->within : 0;
}

/* Bytes [at, at + 8) of a component, behind its first word. True: that was its last one. */
static __always_inline bool see_word(const char *text, struct sketching *s, __u64 name, __u32 at)
{
    __u64 word;

    if (at >= name_len(s) || (s->spelling != SPELLED_SO_FAR && !sketch_head.within))
        return true;
    word = WORD_AT(name + at);
    if (sketch_head.within && name_len(s) >= at + 8)
        see_within(s, word);
    if (s->spelling == SPELLED_SO_FAR)
        compare_word(text, s, word, at);
    return false;
}

/* Pointers and an address, which a loop's context may hold: looked up once, not in each turn. */
struct sketch_ctx {
    const char *text; /* the caller's, PATH_CAP bytes and a word */
    struct sketching *s;
    __u64 name;
};

static long word_step(__u32 i, struct sketch_ctx *c)
{
    return see_word(c->text, c->s, c->name, i * 8);
}

/* The words of a name behind its first one: those of a short one without a call for each. */
static __always_inline void see_words(const char *text, struct sketching *s, __u64 name)
{
    struct sketch_ctx c = {.text = text, .s = s, .name = name};

#pragma unroll
    for (__u32 at = 8; at < NEAR_NAME; at += 8)
        if (see_word(text, s, name, at))
            return;
    bpf_loop(NAME_WORDS, word_step, &c, 0);
}

/* The end of a component: two dots, or what a last one ends with. */
static __always_inline void see_tail(struct sketching *s, __u64 name, __u64 word)
{
    __u32 len = name_len(s);
    __u64 tail = len < 8 ? sketch_short_tail(word, len) : WORD_AT(name + len - 8);

    if (tail >> 48 == SKETCH_DOTS)
        s->bits |= sketch_head.dots;
    if (s->n == 0)
        sketch_tails(s, tail);
}

/*
 * The path has more than the text. All components of the text were the path's last ones: but for
 * what its first one has for being that, its bits are there.
 */
static __always_inline void see_end_of_text(struct sketching *s)
{
    s->bits |= s->first;
    if (s->n < 2)
        s->bits |= sketch_head.shallow;
    s->text_word = s->word;
    s->spelling = SPELLED_SHORT;
}

/* A component, and the words behind its first one for the sketch, against the text. */
static __always_inline void compare_name(const char *text, struct sketching *s, __u64 name,
                                         __u64 word, __u64 parent)
{
    if (s->spelling == SPELLED_SO_FAR)
        compare_word(text, s, word, 0);
    if (name_len(s) > 8)
        see_words(text, s, name);
    if (s->spelling == SPELLED_SO_FAR)
        compare_end(text, s, parent);
}

static __always_inline void see_name(const char *text, struct sketching *s, __u64 name,
                                     __u64 parent)
{
    __u64 word = WORD_AT(name) & match_mask(name_len(s));

    if (s->spelling == SPELLED_WHOLE)
        see_end_of_text(s);
    see_row(s, word);
    s->word = word;
    compare_name(text, s, name, word, parent);
    if (s->n == 0 || sketch_head.dots)
        see_tail(s, name, word);
    s->n++;
    s->size += name_len(s) + 1;
}

/* True: the walk has come to the caller's root. */
static __always_inline bool sketch_ends(struct sketching *s)
{
    if (s->dentry != s->root_dentry || s->mnt != s->root_mnt)
        return false;
    if (s->spelling == SPELLED_WHOLE)
        s->spelling = SPELLED_SAME;
    s->done = 1;
    return true;
}

/* One component, or one mount crossed. True: the walk ends. */
static __always_inline bool sketch_go(const char *text, struct sketching *s)
{
    __u64 dentry = s->dentry, parent;

    parent = (__u64)KREAD(struct dentry, dentry, d_parent);
    if (dentry == s->mnt_root || dentry == parent) {
        if (dentry == s->mnt_root && cross_mount(&s->dentry, &s->mnt, &s->mnt_root))
            return sketch_ends(s);
        s->done = dentry == s->mnt_root; /* else it is in no directory */
        return true;
    }
    s->len = KREAD(struct dentry, dentry, d_name.len) & 0xff;
    see_name(text, s, (__u64)KREAD(struct dentry, dentry, d_name.name), parent);
    s->dentry = parent;
    return sketch_ends(s) || s->size >= PATH_CAP ||
           (!sketch_head.shift && s->spelling >= SPELLED_SHORT);
}

/* Three of them. No loop: before 6.3 the verifier refuses one that clang enters in its middle. */
static __always_inline bool sketch_near(const char *text, struct sketching *s)
{
    return sketch_go(text, s) || sketch_go(text, s) || sketch_go(text, s);
}

static long sketch_step(__u32 i, struct sketch_ctx *c)
{
    return sketch_go(c->text, c->s);
}

/* From where a walk starts, and the caller's root, where it ends. */
static __always_inline void walk_from(__u64 task, struct sketching *s)
{
    __u64 fs = (__u64)KREAD(struct task_struct, task, fs);

    s->mnt_root = (__u64)KREAD(struct vfsmount, s->mnt, mnt_root);
    s->root_dentry = (__u64)KREAD(struct fs_struct, fs, root.dentry);
    s->root_mnt = (__u64)KREAD(struct fs_struct, fs, root.mnt);
}

/*
 * Goes up from work.sketching.dentry and .mnt to a root and leaves there the bits of the
 * components, and whether the first `left` bytes of slot A0 spell the same path. What path_build
 * could not tell is unknown. `near`: the first ones are looked at without a call for each.
 */
static __always_inline void sketch_walk(struct ev *ev, struct sketching *s, bool near)
{
    struct sketch_ctx c = {.text = ev->s_A0, .s = s};

    walk_from(ev->task, s);
    s->bits = s->first = s->word = 0;
    s->n = s->size = s->done = 0;
    if (!sketch_ends(s) && (!near || !sketch_near(ev->s_A0, s)))
        bpf_loop(PATH_CAP, sketch_step, &c, 0);
    s->bits |= s->first;
    if (s->n)
        sketch_parts(s, s->word);
    if (s->n < 2)
        s->bits |= sketch_head.shallow;
    if (!s->done || s->size >= PATH_CAP)
        s->bits = SKETCH_UNKNOWN;
}

/* Bits of what extract_path's third reading would be. */
static __always_inline __u64 stored_bits(struct ev *ev, struct sketching *s, __u64 file)
{
    __u64 mount;

    if (!(plan.readings & READ_BIT(READ_STORED)))
        return 0;
    mount = stored_in(file, ev->task);
    ev->own_place = mount == 0;
    if (mount == 0 || mount == PLACE_UNKNOWN || !sketch_head.shift)
        return mount ? SKETCH_UNKNOWN : 0;
    s->dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    s->mnt = mount;
    s->spelling = SPELLED_ELSE;
    sketch_walk(ev, s, false);
    return s->bits;
}

/* Bits of an open file's path, as the kernel knows it and as it is stored; s->spelling as said. */
static __always_inline __u64 file_bits(struct ev *ev, struct sketching *s, __u64 file)
{
    __u32 spelling;
    __u64 bits;

    s->dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    s->mnt = (__u64)KREAD(struct file, file, f_path.mnt);
    sketch_walk(ev, s, true);
    bits = s->bits;
    spelling = s->spelling;
    bits |= stored_bits(ev, s, file);
    s->spelling = spelling;
    return bits;
}

/* ---- an open ---- */

/* Bits of the caller's text; a relative one goes on in a directory that is not looked at here. */
static __always_inline __u64 text_bits(struct ev *ev, __u32 n)
{
    struct work *w = work_get();

    OPAQUE(n);
    if (!w || n == 0 || n >= PATH_CAP || ev->s_A0[0] != '/')
        return SKETCH_UNKNOWN;
    bpf_probe_read_kernel(w->fold, n, ev->s_A0);
    return sketch_text(n);
}

static __always_inline void put_base(struct ev *ev, struct sketching *s)
{
    int dirfd = open_dirfd(ev);
    __u64 file;

    s->base_dentry = s->base_mnt = 0;
    if (ev->s_A0[0] == '/')
        return;
    if (dirfd == AT_FDCWD) {
        s->base_dentry = (__u64)KREAD(struct task_struct, ev->task, fs, pwd.dentry);
        s->base_mnt = (__u64)KREAD(struct task_struct, ev->task, fs, pwd.mnt);
        return;
    }
    file = fd_file(ev->task, dirfd);
    if (!file)
        return;
    s->base_dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    s->base_mnt = (__u64)KREAD(struct file, file, f_path.mnt);
}

/* Length of the text; 0: it may have been cut. */
static __always_inline __u32 open_len(struct ev *ev)
{
    __u32 n = spelled_len(ev);

    return n >= PATH_CAP - 1 ? 0 : n;
}

/* An open whose file or text is not known: by the other one alone. */
static __always_inline __u64 open_bits(struct ev *ev, __u64 file, __u32 n)
{
    return !file && ev->h.st[N_FD_NUM] == ST_UNKNOWN ? SKETCH_UNKNOWN : text_bits(ev, n);
}

/* The file's path, beside the `n` bytes of an open's text. One place for all events: the walk is
 * long, and code. */
static __always_inline __u64 both_bits(struct ev *ev, struct sketching *s, __u64 file, __u32 n)
{
    __u64 bits;

    s->left = n;
    n = *(volatile __u32 *)&s->left; /* of memory the verifier knows nothing */
    s->spelling = n ? SPELLED_SO_FAR : SPELLED_ELSE;
    if (n)
        put_base(ev, s);
    bits = file_bits(ev, s, file);
    s->bits = 0;
    if (s->spelling == SPELLED_SAME)
        ev->spelled = 1;
    else if (s->spelling == SPELLED_SHORT)
        sketch_parts(s, s->text_word);
    else if (n && sketch_head.shift)
        s->bits = text_bits(ev, n);
    return bits | s->bits;
}

/* ---- all of it ---- */

/* The bits that tests of a text slot have a part in, by its state alone; or of its text. */
static __always_inline __u64 slot_bits(struct ev *ev, __u32 slot, __u64 bits)
{
    __u8 state = ev->h.st[SLOT_OF_STR(slot)];

    if (!bits || state == ST_ABSENT)
        return 0;
    return state == ST_PRESENT ? bits & sketch_text((__u32)match_take(ev, slot)) : bits;
}

/* Of an event whose slots are all filled (hook_test.bpf.c): of these texts, whatever they say. */
static __always_inline __u64 filled_bits(struct ev *ev)
{
    return slot_bits(ev, S_FD_NAME, sketch_head.name) | slot_bits(ev, S_FD_DIR, sketch_head.dir) |
           slot_bits(ev, S_FD_FILE, sketch_head.file) | slot_bits(ev, S_FD_RAW, sketch_head.raw);
}

__attribute__((noinline)) int path_sketch(struct ev *ev)
{
    struct work *w = work_get();
    __u32 n = 0;
    __u64 file;

    if (!ev || !w)
        return 0;
    if (!plan.groups) {
        ev->sketch = filled_bits(ev);
        return 0;
    }
    if (ev->sketched)
        return 0;
    ev->sketched = 1;
    ev->sketch = SKETCH_UNKNOWN;
    file = event_file(ev);
    if (event_is_open(ev->h.event)) {
        n = open_len(ev);
        if (!file || n == 0) {
            if (sketch_head.shift)
                ev->sketch = open_bits(ev, file, n);
            return 0;
        }
    }
    if (file)
        ev->sketch = both_bits(ev, &w->sketching, file, n);
    return 0;
}

#endif
