/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a struct file says: the kind of the event's descriptor, and paths from a dentry up to a
 * root. These run for nearly every event that a rule looks into, so they read through casts
 * (kernel.h).
 */
#define KERNEL_CASTS
#include "probe.h"
#include "place.h"
#include "sketching.h"

/* Eight bytes of the kernel's memory as one number: through a type that begins with such. */
#define WORD_AT(addr) ((__u64)KREAD(struct timespec64, addr, tv_sec))

/* ---- paths ---- */

struct walk {
    __u64 dentry, mnt, mnt_root;
    __u64 root_dentry, root_mnt;
    __u32 off;
    __u32 done;
};

/* From the root of a mount to the directory that it is mounted on. False: there is none. */
static __always_inline bool cross_mount(__u64 *dentry, __u64 *mnt, __u64 *mnt_root)
{
    __u64 self = *mnt - bpf_core_field_offset(struct mount, mnt);
    __u64 up = (__u64)KREAD(struct mount, self, mnt_parent);

    if (up == self)
        return false;
    *dentry = (__u64)KREAD(struct mount, self, mnt_mountpoint);
    *mnt = up + bpf_core_field_offset(struct mount, mnt);
    *mnt_root = (__u64)KREAD(struct vfsmount, *mnt, mnt_root);
    return true;
}

/* One component, or one mount crossed. 1: the walk ends; `done` tells if it reached a root. */
static long walk_step(__u32 i, struct walk *k)
{
    struct work *w = work_get();
    struct qstr name;
    __u64 parent;
    __u32 off, len;

    if (!w || (k->dentry == k->root_dentry && k->mnt == k->root_mnt)) {
        k->done = 1;
        return 1;
    }
    parent = (__u64)KREAD(struct dentry, k->dentry, d_parent);
    if (k->dentry == k->mnt_root || k->dentry == parent) {
        if (k->dentry == k->mnt_root && cross_mount(&k->dentry, &k->mnt, &k->mnt_root))
            return 0;
        k->done = 1;
        return 1;
    }
    name.len = KREAD(struct dentry, k->dentry, d_name.len);
    name.name = KREAD(struct dentry, k->dentry, d_name.name);
    len = name.len & 0xff;
    if (k->off < len + 1)
        return 1;
    off = k->off - len - 1;
    k->off = off;
    off &= PATH_CAP - 1;
    w->path[off] = '/';
    bpf_probe_read_kernel(w->path + off + 1, len, name.name);
    k->dentry = parent;
    return 0;
}

/* Written from the end of work.path backwards, component by component. */
__attribute__((noinline)) int path_build(__u64 dentry, __u64 vfsmount, __u32 rooted)
{
    struct work *w = work_get();
    struct walk k = {.dentry = dentry, .mnt = vfsmount};

    if (!w)
        return 0;
    if (rooted) {
        __u64 fs = (__u64)KREAD(struct task_struct, bpf_get_current_task_btf(), fs);

        k.root_dentry = (__u64)KREAD(struct fs_struct, fs, root.dentry);
        k.root_mnt = (__u64)KREAD(struct fs_struct, fs, root.mnt);
    }
    k.mnt_root = (__u64)KREAD(struct vfsmount, vfsmount, mnt_root);
    k.off = untold(w, PATH_CAP);
    k.done = untold(w, 0);
    bpf_loop(PATH_CAP, walk_step, &k, 0);
    if (!k.done || k.off == 0)
        return 0;
    if (k.off == PATH_CAP) {
        w->path[PATH_CAP - 1] = '/';
        return 1;
    }
    return (int)(PATH_CAP - k.off);
}

/* ---- FD ---- */

static __always_inline __u64 fd_file(__u64 task, __s64 fd)
{
    __u64 fdt = (__u64)KREAD(struct task_struct, task, files, fdt);

    if (fd < 0 || fd >= KREAD(struct fdtable, fdt, max_fds))
        return 0;
    return WORD_AT((__u64)KREAD(struct fdtable, fdt, fd) + (__u64)fd * 8);
}

__attribute__((noinline)) __u64 file_of_fd(__s64 fd)
{
    return fd_file((__u64)bpf_get_current_task_btf(), fd);
}

/* As file_of_event() (probe.h), without a call. */
static __always_inline __u64 event_file(struct ev *ev)
{
    if (!ev->file && ev->h.st[N_FD_NUM] == ST_PRESENT)
        ev->file = fd_file(ev->task, ev->h.num[N_FD_NUM]);
    return ev->file;
}

/* Eight bytes of a name as one number, to compare with. */
#define WORD8(a, b, c, d, e, f, g, h)                                                              \
    ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 |       \
     (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

static __always_inline __u32 type_of_anon(__u64 dentry)
{
    __u64 name = 0;

    bpf_probe_read_kernel_str(&name, sizeof(name), KREAD(struct dentry, dentry, d_name.name));
    switch (name) { /* seven bytes and a NUL */
    case WORD8('[', 'e', 'v', 'e', 'n', 't', 'f', 0):
        return FDT_EVENT;
    case WORD8('[', 'e', 'v', 'e', 'n', 't', 'p', 0):
        return FDT_EPOLL;
    case WORD8('i', 'n', 'o', 't', 'i', 'f', 'y', 0):
        return FDT_INOTIFY;
    case WORD8('[', 't', 'i', 'm', 'e', 'r', 'f', 0):
        return FDT_TIMER;
    case WORD8('[', 's', 'i', 'g', 'n', 'a', 'l', 0):
        return FDT_SIGNAL;
    case WORD8('[', 'u', 's', 'e', 'r', 'f', 'a', 0):
        return FDT_USERFAULT;
    case WORD8('[', 'i', 'o', '_', 'u', 'r', 'i', 0):
        return FDT_IO_URING;
    case WORD8('[', 'p', 'i', 'd', 'f', 'd', ']', 0):
        return FDT_PIDFD;
    case WORD8('b', 'p', 'f', '-', 'm', 'a', 'p', 0):
    case WORD8('b', 'p', 'f', '-', 'p', 'r', 'o', 0):
    case WORD8('b', 'p', 'f', '-', 'l', 'i', 'n', 0):
    case WORD8('b', 'p', 'f', '_', 'l', 'i', 'n', 0):
        return FDT_BPF;
    }
    return FDT_UNKNOWN;
}

/* A bound or listening socket that has no peer is the server's kind in the language's table. */
static __always_inline __u32 type_of_socket(__u64 sk)
{
    switch (KREAD(struct sock, sk, __sk_common.skc_family)) {
    case AF_INET:
        return FDT_IPV4;
    case AF_INET6:
        return FDT_IPV6;
    case AF_UNIX:
        return FDT_UNIX;
    case AF_NETLINK:
        return FDT_NETLINK;
    }
    return FDT_UNKNOWN;
}

static __always_inline __u32 type_of_file(__u64 file, __u64 inode)
{
    __u64 dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    __u64 magic = KREAD(struct inode, inode, i_sb, s_magic);

    if (is_socket(file))
        return type_of_socket(sock_of_file(file));
    if (magic == PIPEFS_MAGIC)
        return FDT_PIPE;
    if (magic == PIDFS_MAGIC)
        return FDT_PIDFD;
    if (magic == ANON_INODE_FS_MAGIC)
        return type_of_anon(dentry);
    if (is_memfd(dentry))
        return FDT_MEMFD;
    /* By the flag, not the inode: a directory opened without O_DIRECTORY counts as a file. */
    return KREAD(struct file, file, f_flags) & 0200000 ? FDT_DIRECTORY : FDT_FILE;
}

__attribute__((noinline)) int kind_of_file(__u64 file)
{
    return file ? (int)type_of_file(file, (__u64)KREAD(struct file, file, f_inode)) : -1;
}

/* No open file: the call failed, or the number names nothing. */
static __always_inline void no_file(struct ev *ev)
{
    __u8 open = event_is_open(ev->h.event) && ev->h.event != EV_open, none = without_fd(ev);

    put_state(ev, N_FD_DEV, none);
    put_state(ev, N_FD_INO, none);
    put_state(ev, N_FD_UPPER, none);
    put_state(ev, N_FD_LOWER, none);
    put_state(ev, N_FD_TYPE, none);
    if (ev->h.st[N_FD_NUM] != ST_PRESENT)
        return;
    if (open)
        put_num(ev, N_FD_TYPE, FDT_FILE);
    else if (ev->h.event == EV_open)
        put_num(ev, N_FD_TYPE, FDT_UNKNOWN);
    else if (ev->h.event == EV_socket || ev->h.event == EV_accept || ev->h.event == EV_accept4)
        put_num(ev, N_FD_TYPE, FDT_IPV4);
}

__attribute__((noinline)) int extract_fd(struct ev *ev)
{
    __u64 file, inode, dentry;
    __u32 dev, type, layer;

    if (!ev)
        return 0;
    file = event_file(ev);
    if (!file) {
        no_file(ev);
        return 0;
    }
    inode = (__u64)KREAD(struct file, file, f_inode);
    type = type_of_file(file, inode);
    put_num(ev, N_FD_TYPE, type);
    put_num(ev, N_FD_DEV, 0);
    put_num(ev, N_FD_INO, 0);
    put_num(ev, N_FD_UPPER, 0);
    put_num(ev, N_FD_LOWER, 0);
    if (type != FDT_FILE && type != FDT_DIRECTORY)
        return 0;
    /* The language's library learns these from opens with a result above 0. */
    if (event_is_open(ev->h.event) && ev->h.num[N_RES] == 0 && !ev->ring)
        return 0;
    dentry = (__u64)KREAD(struct file, file, f_path.dentry);
    dev = KREAD(struct inode, inode, i_sb, s_dev);
    put_num(ev, N_FD_DEV, encode_dev(dev));
    put_num(ev, N_FD_INO, (__s64)KREAD(struct inode, inode, i_ino));
    layer = overlay_layer(dentry, 1, 2);
    put_num(ev, N_FD_UPPER, layer == 1);
    put_num(ev, N_FD_LOWER, layer == 2);
    return 0;
}

/* ---- the sketch of a path (sketch.h) ---- */

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
static __always_inline void compare_word(struct ev *ev, struct sketching *s, __u64 word, __u32 at)
{
    __u32 len = name_len(s), place = (s->left - len + at) & (PATH_CAP - 1);

    if (len > s->left || ((match_word(ev->s_A0 + place) ^ word) & match_mask(len - at)))
        s->spelling = SPELLED_ELSE;
}

/* The component's bytes agree with the text's: what stands before them? */
static __always_inline void compare_end(struct ev *ev, struct sketching *s, __u64 parent)
{
    __u32 left = s->left - name_len(s);

    s->left = left - 1;
    if (left == 0)
        s->spelling =
            parent == s->base_dentry && s->mnt == s->base_mnt ? SPELLED_SAME : SPELLED_ELSE;
    else if (ev->s_A0[(left - 1) & (PATH_CAP - 1)] != '/')
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
static __always_inline bool see_word(struct ev *ev, struct sketching *s, __u64 name, __u32 at)
{
    __u64 word;

    if (at >= name_len(s) || (s->spelling != SPELLED_SO_FAR && !sketch_head.within))
        return true;
    word = WORD_AT(name + at);
    if (sketch_head.within && name_len(s) >= at + 8)
        see_within(s, word);
    if (s->spelling == SPELLED_SO_FAR)
        compare_word(ev, s, word, at);
    return false;
}

/* Pointers and an address, which a loop's context may hold: looked up once, not in each turn. */
struct sketch_ctx {
    struct ev *ev;
    struct sketching *s;
    __u64 name;
};

static long word_step(__u32 i, struct sketch_ctx *c)
{
    return see_word(c->ev, c->s, c->name, i * 8);
}

/* The words of a name behind its first one: those of a short one without a call for each. */
static __always_inline void see_words(struct ev *ev, struct sketching *s, __u64 name)
{
    struct sketch_ctx c = {.ev = ev, .s = s, .name = name};

#pragma unroll
    for (__u32 at = 8; at < NEAR_NAME; at += 8)
        if (see_word(ev, s, name, at))
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

static __always_inline void see_name(struct ev *ev, struct sketching *s, __u64 name, __u64 parent)
{
    __u64 word = WORD_AT(name) & match_mask(name_len(s));

    if (s->spelling == SPELLED_WHOLE)
        see_end_of_text(s);
    see_row(s, word);
    s->word = word;
    if (s->spelling == SPELLED_SO_FAR)
        compare_word(ev, s, word, 0);
    if (name_len(s) > 8)
        see_words(ev, s, name);
    if (s->spelling == SPELLED_SO_FAR)
        compare_end(ev, s, parent);
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
static __always_inline bool sketch_go(struct ev *ev, struct sketching *s)
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
    see_name(ev, s, (__u64)KREAD(struct dentry, dentry, d_name.name), parent);
    s->dentry = parent;
    return sketch_ends(s) || s->size >= PATH_CAP ||
           (!sketch_head.shift && s->spelling >= SPELLED_SHORT);
}

/* Three of them. No loop: before 6.3 the verifier refuses one that clang enters in its middle. */
static __always_inline bool sketch_near(struct ev *ev, struct sketching *s)
{
    return sketch_go(ev, s) || sketch_go(ev, s) || sketch_go(ev, s);
}

static long sketch_step(__u32 i, struct sketch_ctx *c)
{
    return sketch_go(c->ev, c->s);
}

/*
 * Goes up from work.sketching.dentry and .mnt to a root and leaves there the bits of the
 * components, and whether the first `left` bytes of slot A0 spell the same path. What path_build
 * could not tell is unknown. `near`: the first ones are looked at without a call for each.
 */
static __always_inline void sketch_walk(struct ev *ev, struct sketching *s, bool near)
{
    __u64 fs = (__u64)KREAD(struct task_struct, ev->task, fs);
    struct sketch_ctx c = {.ev = ev, .s = s};

    s->mnt_root = (__u64)KREAD(struct vfsmount, s->mnt, mnt_root);
    s->root_dentry = (__u64)KREAD(struct fs_struct, fs, root.dentry);
    s->root_mnt = (__u64)KREAD(struct fs_struct, fs, root.mnt);
    s->bits = s->first = s->word = 0;
    s->n = s->size = s->done = 0;
    if (!sketch_ends(s) && (!near || !sketch_near(ev, s)))
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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
