/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Is an open the same as one before that ended limited (again.h)? Part of extract_fd.bpf.c, because
 * it reads through casts.
 *
 * The verdict on an open is remembered if it rests on nothing but the task, as far as its tests are
 * kept (keep.h), the call's arguments and result, the caller's text, what the file is, and that the
 * text is the file's one path. Then there is one reading to judge, and it is the text. The path is
 * walked anew for each open: a directory above the file may have got another name.
 */
#ifndef RULEC_SAME_OPEN_H
#define RULEC_SAME_OPEN_H

#include "keep.h"
#include "path_sketch.h"

/* ---- the file ---- */

static __always_inline struct file_facts facts_of(__u64 file)
{
    __u64 inode = (__u64)KREAD(struct file, file, f_inode);
    struct file_facts f = {
        .magic = KREAD(struct inode, inode, i_sb, s_magic),
        .ino = KREAD(struct inode, inode, i_ino),
        .dev = KREAD(struct inode, inode, i_sb, s_dev),
        .inode_mode = KREAD(struct inode, inode, i_mode),
        .mode = KREAD(struct file, file, f_mode),
        .flags = KREAD(struct file, file, f_flags),
    };

    if (f.magic == OVERLAYFS_MAGIC)
        f.layer = overlay_layer((__u64)KREAD(struct file, file, f_path.dentry), 1, 2);
    return f;
}

static __always_inline bool same_file(const struct file_facts *f, __u64 file)
{
    struct file_facts now = facts_of(file);

    return f->ino == now.ino && f->magic == now.magic && f->dev == now.dev &&
           f->inode_mode == now.inode_mode && f->mode == now.mode && f->flags == now.flags &&
           f->layer == now.layer;
}

/* ---- the path ---- */

/* One component of the text, or one mount crossed. True: the walk ends. */
static __always_inline bool same_go(const char *text, struct sketching *s)
{
    __u64 dentry = s->dentry, name, parent = (__u64)KREAD(struct dentry, dentry, d_parent);

    if (dentry == s->mnt_root || dentry == parent)
        return dentry != s->mnt_root || !cross_mount(&s->dentry, &s->mnt, &s->mnt_root) ||
               sketch_ends(s);
    if (s->spelling != SPELLED_SO_FAR)
        return true;
    s->len = KREAD(struct dentry, dentry, d_name.len) & 0xff;
    name = (__u64)KREAD(struct dentry, dentry, d_name.name);
    compare_name(text, s, name, WORD_AT(name), parent);
    s->dentry = parent;
    return s->spelling == SPELLED_ELSE || sketch_ends(s);
}

static long same_step(__u32 i, struct sketch_ctx *c)
{
    return same_go(c->text, c->s);
}

/* There is no older mount that shows the file. The walk from its mount was over in that one. */
static __always_inline bool has_own_place(const struct sketching *s, __u64 mnt, __u64 task,
                                          __u64 file)
{
    if (!(plan.readings & READ_BIT(READ_STORED)))
        return true;
    if (s->root_mnt == mnt && s->root_dentry == s->mnt_root &&
        (__u64)KREAD(struct vfsmount, mnt, mnt_sb, s_root) == s->mnt_root)
        return true;
    return place_of_file(file) == 0;
}

/* Is the text the file's path as the caller sees it, and is there no older mount that shows it? */
static __always_inline bool same_path(const char *text, struct sketching *s, __u64 task, __u64 file)
{
    __u64 mnt = (__u64)KREAD(struct file, file, f_path.mnt);
    struct sketch_ctx c = {.text = text, .s = s};

    s->base_dentry = s->base_mnt = 0;
    s->spelling = SPELLED_SO_FAR;
    s->dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    s->mnt = mnt;
    walk_from(task, s);
    if (!same_go(text, s) && !same_go(text, s) && !same_go(text, s))
        bpf_loop(PATH_CAP, same_step, &c, 0);
    return s->spelling == SPELLED_SAME && has_own_place(s, mnt, task, file);
}

/* ---- the text ---- */

/* True: these are the last eight bytes of the text, or they differ. */
static __always_inline bool same_word(const char *text, const struct again *a, __u32 at, __u32 n,
                                      __u64 *diff)
{
    if (at >= n)
        return true;
    *diff = (match_word(text + at) ^ match_word(a->text + at)) & match_mask(n - at);
    return *diff;
}

/* Is what stands at the caller's address the text, of `n` bytes? */
static __always_inline bool same_text(const struct again *a, __u32 n)
{
    char text[AGAIN_TEXT];
    __u64 diff = 0;

    if (bpf_probe_read_user_str(text, sizeof(text), (void *)a->at) != (long)n + 1)
        return false;
#pragma unroll
    for (__u32 i = 0; i < AGAIN_TEXT / 8; i++)
        if (same_word(text, a, i * 8, n, &diff))
            break;
    return !diff;
}

/* The text last: the kernel lets no read of a caller's memory run ahead of what comes before. */
__attribute__((noinline)) int open_again(struct work *w, __u64 task)
{
    __u64 file;

    if (!w)
        return 0;
    file = fd_file(task, w->again.res);
    w->sketching.left = w->again.len;
    return file && same_file(&w->again.file, file) &&
           same_path(w->again.text, &w->sketching, task, file) &&
           same_text(&w->again, w->again.len);
}

/* ---- what is remembered ---- */

/* Groups of slots that follow from what is compared. */
#define SAME_GROUPS                                                                                \
    (GROUP_BIT(G_EVENT) | GROUP_BIT(G_ARGS) | GROUP_BIT(G_FD) | GROUP_BIT(G_PATH) |                \
     GROUP_BIT(G_DIR) | GROUP_BIT(G_RAW))
#define OTHER(group) (SAME_GROUPS & GROUP_BIT(G_##group) ? 0 : 0xff)

/* All ones for each state of another slot. */
static const volatile __u8 is_other[(SLOT_COUNT + 7) / 8 * 8] = {
#define SLOT_NUM(id, group, doc) [SLOT_OF_NUM(N_##id)] = OTHER(group),
#define SLOT_STR(id, group, cap, doc) [SLOT_OF_STR(S_##id)] = OTHER(group),
#include "../grammar/slots.def"
};
#undef OTHER

/* Has the filter looked at anything beyond? Of the task it has if a test of it was made anew. */
static __always_inline bool looked_beyond(const struct ev *ev)
{
    __u64 seen = ev->lore_found | ev->h.anc_state;

#pragma unroll
    for (__u32 i = 0; i < SLOT_COUNT; i += 8)
        seen |= match_word((const char *)ev->h.st + i) & match_word((const char *)is_other + i);
    return seen;
}

static __always_inline bool may_keep(const struct ev *ev)
{
    bool own = ev->own_place || !(plan.readings & READ_BIT(READ_STORED));

    return (ev->h.event == EV_open || ev->h.event == EV_openat) && !ev->compat && !ev->ring &&
           ev->file && ev->spelled && own && !(ev->limited & LIMITED_MORE) && ev->s_A0[0] == '/' &&
           !looked_beyond(ev);
}

__attribute__((noinline)) int open_keep(struct ev *ev)
{
    struct work *w = work_get();
    __u64 now = bpf_jiffies64();
    struct again *a;
    __u32 n;

    if (!ev || !w || w->again.tick == now)
        return 0;
    a = &w->again;
    a->tick = now;
    n = spelled_len(ev);
    if (n == 0 || n > AGAIN_TEXT_MAX || !may_keep(ev))
        return 0;
    keep_put_id(&a->id, ev->kept.generation);
    a->nr = (__u64)ev->h.num[N_SYSNR];
    a->res = ev->h.num[N_RES];
    __builtin_memcpy(a->args, ev->args, sizeof(a->args));
    a->at = open_text(ev);
    a->file = facts_of(ev->file);
    a->limited = ev->limited;
    a->event = ev->h.event;
    a->len = n;
    __builtin_memcpy(a->text, ev->s_A0, sizeof(a->text));
    return 0;
}

#endif
