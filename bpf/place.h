/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Through which mount a file is to be named, so that a bind mount gives it no other name: the
 * oldest one of the caller's mount namespace that shows the file. Part of extract_fd.bpf.c, because
 * it reads through casts.
 *
 * Mounts of a namespace are looked through once after each change of it. Those of a file system are
 * kept by CPU, the oldest first, up to one that shows all of it: usually that is the first, and a
 * file opened through it needs no more than the look at what is kept. A change in the midst of such
 * a look can make it miss a mount for the event at hand, and for none after it.
 */
#ifndef RULEC_PLACE_H
#define RULEC_PLACE_H

#include "file.h"

#define MOUNT_TURNS 16384 /* of the walk over a namespace: some three for each mount */

/* ---- all mounts of a namespace, in order of their age ---- */

enum move { MOVE_DOWN, MOVE_RIGHT, MOVE_UP };

/* One step from node to node of a red-black tree, in order. The node that was come to, or 0. */
static __always_inline __u64 tree_step(struct mounts *m)
{
    __u64 next, at = m->at;

    if (m->move == MOVE_DOWN) {
        next = (__u64)KREAD(struct rb_node, at, rb_left);
        m->at = next ? next : at;
        m->move = next ? MOVE_DOWN : MOVE_RIGHT;
        return next ? 0 : at;
    }
    if (m->move == MOVE_RIGHT) {
        next = (__u64)KREAD(struct rb_node, at, rb_right);
        m->at = next ? next : at;
        m->move = next ? MOVE_DOWN : MOVE_UP;
        return 0;
    }
    next = KREAD(struct rb_node, at, __rb_parent_color) & ~3ull;
    m->at = next;
    m->done = next == 0;
    if (!next || (__u64)KREAD(struct rb_node, next, rb_left) != at)
        return 0;
    m->move = MOVE_RIGHT;
    return next;
}

/* The mount that one more step comes to, or 0. */
static __always_inline __u64 next_mount(struct mounts *m)
{
    __u64 node;

    if (bpf_core_field_exists(struct mnt_namespace, mounts)) {
        node = tree_step(m);
        return node ? node - bpf_core_field_offset(struct mount, mnt_node) : 0;
    }
    node = m->at;
    m->done = node == m->end;
    if (m->done)
        return 0;
    m->at = (__u64)KREAD(struct list_head, node, next);
    return node - bpf_core_field_offset(struct mount, mnt_list);
}

static __always_inline void first_mount(struct mounts *m, __u64 ns)
{
    if (bpf_core_field_exists(struct mnt_namespace, mounts)) {
        m->at = (__u64)KREAD(struct mnt_namespace, ns, mounts.rb_node);
        m->move = MOVE_DOWN;
        m->done = m->at == 0;
        return;
    }
    m->end = ns + bpf_core_field_offset(struct mnt_namespace, list);
    m->at = (__u64)KREAD(struct mnt_namespace, ns, list.next);
    m->done = 0;
}

/* ---- those of one file system ---- */

static long mount_step(__u32 i, struct mounts *unused)
{
    struct work *w = work_get();
    struct mount_set *p;
    __u64 mount, mnt, root;
    __u32 key, n;

    if (!w || w->mounts.done)
        return 1;
    key = w->mounts.key;
    p = bpf_map_lookup_elem(&mount_sets, &key);
    mount = next_mount(&w->mounts);
    if (!p || !mount)
        return 0;
    mnt = mount + bpf_core_field_offset(struct mount, mnt);
    if ((__u64)KREAD(struct vfsmount, mnt, mnt_sb) != p->sb)
        return 0;
    root = (__u64)KREAD(struct vfsmount, mnt, mnt_root);
    n = p->n;
    if (n >= SET_MOUNTS)
        return 1;
    p->v[n].mnt = mnt;
    p->v[n].root = root;
    p->n = n + 1;
    w->mounts.done = root == (__u64)KREAD(struct super_block, p->sb, s_root);
    return 0;
}

static __always_inline __u64 namespace_id(__u64 ns)
{
    if (bpf_core_field_exists(struct mnt_namespace, seq))
        return KREAD(struct mnt_namespace, ns, seq);
    if (bpf_core_field_exists(struct ns_common, ns_id))
        return KREAD(struct mnt_namespace, ns, ns.ns_id);
    return 0;
}

static __always_inline __u32 set_key(const struct mounts *m)
{
    return (__u32)(((m->sb ^ m->ns) * 0x9e3779b97f4a7c15ull) >> 32) % MOUNT_SETS;
}

/* The mounts of work.mounts.sb in .ns as it is now: those kept, or looked for anew. */
static __always_inline struct mount_set *set_of(struct work *w)
{
    __u64 sb = w->mounts.sb, ns = w->mounts.ns;
    __u32 key = set_key(&w->mounts);
    struct mount_set *p = bpf_map_lookup_elem(&mount_sets, &key);
    __u64 event = KREAD(struct mnt_namespace, ns, event), id = namespace_id(ns);

    if (!p || (p->sb == sb && p->ns == ns && p->event == event && p->id == id))
        return p;
    p->sb = sb;
    p->ns = ns;
    p->event = event;
    p->id = id;
    p->n = 0;
    w->mounts.key = key;
    first_mount(&w->mounts, ns);
    bpf_loop(MOUNT_TURNS, mount_step, NULL, 0);
    p->more = !w->mounts.done;
    return p;
}

/* ---- the file's own ---- */

/* By way of memory: what follows is then verified once, not for each place that a loop can end at.
 */
#define ANEW(field) (*(volatile __u32 *)&(field))

struct climb {
    __u64 dentry;
    __u32 key;
};

/* One directory up: is it the root of a mount that is older than the best one so far? */
static long climb_step(__u32 i, struct climb *c)
{
    __u32 key = c->key;
    __u64 dentry = c->dentry, parent;
    struct mount_set *p = bpf_map_lookup_elem(&mount_sets, &key);
    struct work *w = work_get();

    if (!p || !w)
        return 1;
    for (__u32 k = 0; k < SET_MOUNTS && k < ANEW(w->mounts.best); k++) {
        if (p->v[k].root != dentry)
            continue;
        w->mounts.best = k;
        break;
    }
    parent = (__u64)KREAD(struct dentry, dentry, d_parent);
    c->dentry = parent;
    return parent == dentry || ANEW(w->mounts.best) == 0;
}

/* The place of a mount among those kept, or how many there are. */
static __always_inline __u32 place_in(struct work *w, const struct mount_set *p, __u64 mnt)
{
    __u32 k = 0;

    while (k < SET_MOUNTS && k < p->n && p->v[k].mnt != mnt)
        k++;
    w->mounts.own = k;
    return ANEW(w->mounts.own);
}

__attribute__((noinline)) __u64 place_of_file(__u64 file)
{
    __u64 mnt = (__u64)KREAD(struct file, file, f_path.mnt);
    __u64 root = (__u64)KREAD(struct vfsmount, mnt, mnt_root);
    __u64 sb = (__u64)KREAD(struct vfsmount, mnt, mnt_sb);
    struct work *w = work_get();
    struct mount_set *p;
    struct climb c;
    __u32 own, best;

    if (!w || is_in_root((__u64)bpf_get_current_task_btf(), mnt, root, sb))
        return 0;
    w->mounts.sb = sb;
    w->mounts.ns = (__u64)KREAD(struct task_struct, bpf_get_current_task_btf(), nsproxy, mnt_ns);
    asm volatile("" : : : "memory");
    p = w->mounts.ns ? set_of(w) : NULL;
    if (!p)
        return PLACE_UNKNOWN;
    if (p->v[0].mnt == mnt && p->n)
        return 0;
    own = place_in(w, p, mnt);
    c.dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    c.key = set_key(&w->mounts);
    w->mounts.best = own;
    if (own)
        bpf_loop(PATH_CAP, climb_step, &c, 0);
    best = ANEW(w->mounts.best);
    if (best < own && best < SET_MOUNTS)
        return p->v[best & (SET_MOUNTS - 1)].mnt;
    return own == p->n && p->more ? PLACE_UNKNOWN : 0;
}

#endif
