/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Small tools of all extractors: to fill slots, to go from the kernel's objects to their numbers
 * and paths, and to read what an open was given. Part of probe.h, at its end.
 */
#ifndef RULEC_TOOLS_H
#define RULEC_TOOLS_H

static __always_inline void put_num(struct ev *ev, __u32 slot, __s64 value)
{
    ev->h.num[slot] = value;
    ev->h.st[SLOT_OF_NUM(slot)] = ST_PRESENT;
}

static __always_inline void put_state(struct ev *ev, __u32 slot, __u8 state)
{
    ev->h.num[slot] = 0;
    ev->h.st[SLOT_OF_NUM(slot)] = state;
}

static __always_inline void put_text(struct ev *ev, __u32 slot, __u32 len, __u8 state)
{
    ev->h.len[slot] = len;
    ev->h.st[SLOT_OF_STR(slot)] = state;
}

/* Two words, from `i` on, of tests that the task passes or that are not known yet. */
static __always_inline __u64 left_of(const struct task_bits *k, __u32 i)
{
    __u32 low = k->yes[i] | ~k->known[i], high = k->yes[i + 1] | ~k->known[i + 1];

    return low | (__u64)high << 32;
}

/* Is a name, of COMM_SIZE bytes, in the set? */
static __always_inline bool name_in_set(const char *name, __u32 set)
{
    const __u64 *words = (const __u64 *)name;
    __u32 bit = name_bit(words[0], words[1]);
    struct name_key key = {.set = set};

    OPAQUE(bit);
    if (bit >= NAME_BITS || !(name_bits[bit / 64] >> (bit % 64) & 1))
        return false;
    __builtin_memcpy(key.name, name, COMM_SIZE);
    return bpf_map_lookup_elem(&name_sets, &key) != NULL;
}

/* A CPU's counters of a type of event, by enum stat_id. */
static __always_inline __u64 *counters_of(struct cpu_stats *s, __u64 event)
{
    OPAQUE(event);
    if (!s || event >= STAT_EVENTS)
        return NULL;
    OPAQUE(event); /* what is added to the address is what was tested */
    return s->n[event];
}

static __always_inline __u64 *counters(__u32 cpu, __u64 event)
{
    return counters_of(bpf_map_lookup_elem(&stats, &cpu), event);
}

/* A state of a process, or a text of it, found no room. */
static __always_inline void count_unkept(void)
{
    __u32 zero = 0;
    struct ring_reader *r = bpf_map_lookup_elem(&reader, &zero);

    if (r)
        __sync_fetch_and_add(&r->unkept, 1);
}

static __always_inline struct work *work_get(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&work, &zero);
}

/*
 * A number that the verifier does not know. What a loop's body reads and writes in its context must
 * begin so: before 6.7 the verifier follows the body of bpf_loop once only, with the context of the
 * first turn, and removes as dead what that turn does not reach.
 */
static __always_inline __u32 untold(struct work *w, __u32 value)
{
    return value + *(volatile __u32 *)&w->zero;
}

/*
 * Copies `len` bytes, if they are no more than `size`, a constant. The register that was compared
 * is the one that is used: clang must neither compare a copy of it nor load it again.
 */
static __always_inline bool copy_within(char *to, const char *from, __u32 len, __u32 size)
{
    OPAQUE(len);
    if (len > size)
        return false;
    OPAQUE(len);
    return bpf_probe_read_kernel(to, len, from) == 0;
}

/* Copies `len` (< PATH_CAP) bytes to a text slot's place. */
static __always_inline void copy_text(char *to, const char *from, __u32 len)
{
    OPAQUE(len);
    if (len < PATH_CAP)
        bpf_probe_read_kernel(to, len, from);
}

/* The text that path_build or path_fold left, to a text slot; PRESENT, or UNKNOWN if len is 0. */
static __always_inline void put_path(struct ev *ev, __u32 slot, char *to, int len)
{
    struct work *w = work_get();
    __u32 n = (__u32)len;

    OPAQUE(n);
    if (!w || n == 0 || n >= PATH_CAP) {
        put_text(ev, slot, 0, ST_UNKNOWN);
        return;
    }
    bpf_probe_read_kernel(to, n, w->path + PATH_CAP - n);
    put_text(ev, slot, n, ST_PRESENT);
}

/*
 * Number of a process, group or session in the pid namespace `level` levels below the first, and
 * that namespace. `pid` is a plain address: kernels before 6.3 add nothing variable to a typed one.
 */
static __always_inline __u64 upid_at(__u64 pid, __u32 level)
{
    return pid + bpf_core_field_offset(struct pid, numbers) +
           (__u64)level * bpf_core_type_size(struct upid);
}

static __always_inline __s32 pid_nr(__u64 pid, __u32 level)
{
    return level > KREAD(struct pid, pid, level) ? 0 : KREAD(struct upid, upid_at(pid, level), nr);
}

static __always_inline __u64 pid_ns(__u64 pid, __u32 level)
{
    return (__u64)KREAD(struct upid, upid_at(pid, level), ns);
}

/* A task's own struct pid, and those of its group and session. */
static __always_inline __u64 pid_of(struct task_struct *task)
{
    return (__u64)KREAD(struct task_struct, task, thread_pid);
}

static __always_inline __u64 group_of(struct task_struct *task)
{
    return (__u64)KREAD(struct task_struct, task, signal, pids[PID_OF_GROUP]);
}

static __always_inline __u64 session_of(struct task_struct *task)
{
    return (__u64)KREAD(struct task_struct, task, signal, pids[PID_OF_SESSION]);
}

/* A text among the call's arguments; of a ring it is the kernel's own copy. */
static __always_inline long read_arg_text(struct ev *ev, char *to, __u64 at)
{
    return ev->ring ? bpf_probe_read_kernel_str(to, PATH_CAP, (void *)at)
                    : bpf_probe_read_user_str(to, PATH_CAP, (void *)at);
}

/* State of what follows from a descriptor that is not there: it may be, if the result is not known.
 */
static __always_inline __u8 without_fd(struct ev *ev)
{
    return ev->h.st[N_FD_NUM] == ST_UNKNOWN ? ST_UNKNOWN : ST_ABSENT;
}

/* The event's own file; looked up once. */
static __always_inline __u64 file_of_event(struct ev *ev)
{
    if (!ev->file && ev->h.st[N_FD_NUM] == ST_PRESENT)
        ev->file = file_of_fd(ev->h.num[N_FD_NUM]);
    return ev->file;
}

/* The path that a struct path at this address names, as seen from the caller's root. */
static __always_inline int path_from(const void *path)
{
    struct place_of {
        __u64 mnt, dentry;
    } at = {};

    bpf_probe_read_kernel(&at, sizeof(at), path);
    return path_build(at.dentry, at.mnt, 1);
}

static __always_inline int path_of_file(__u64 file)
{
    return path_from(&((struct file *)file)->f_path);
}

static __always_inline int path_of_cwd(void)
{
    struct task_struct *task = bpf_get_current_task_btf();

    return path_from(&KREAD(struct task_struct, task, fs)->pwd);
}

/* The directory that a relative path of a *at() call starts from. */
static __always_inline int path_of_dirfd(int dirfd)
{
    __u64 file;

    if (dirfd == AT_FDCWD)
        return path_of_cwd();
    file = file_of_fd(dirfd);
    return file ? path_of_file(file) : 0;
}

/* Its path into work.fold, with a slash at its end; the length, or 0: it could not be told. */
static __always_inline __u32 fold_dirfd(struct work *w, int dirfd)
{
    __u32 n = (__u32)path_of_dirfd(dirfd), off = PATH_CAP - n;

    OPAQUE(n);
    OPAQUE(off);
    if (n == 0 || n >= PATH_CAP)
        return 0;
    n &= PATH_CAP - 1; /* 6.1 loads it anew */
    bpf_probe_read_kernel(w->fold, n, w->path + (off & (PATH_CAP - 1)));
    if (n == 1)
        return 1; /* the root, which has it */
    w->fold[n] = '/';
    return n + 1;
}

/* Where an event of the open family has its path, and the directory it starts from. */
static __always_inline __u64 open_text(struct ev *ev)
{
    return ev->h.event == EV_open || ev->h.event == EV_creat ? ev->args[0] : ev->args[1];
}

/* read_open_text() without a call. */
#define TEXT_FAILED 0xffff /* of ev->text */
static __always_inline long open_text_once(struct ev *ev)
{
    long n;

    if (ev->text)
        return ev->text == TEXT_FAILED ? 0 : ev->text;
    n = read_arg_text(ev, ev->s_A0, open_text(ev));
    ev->text = n > 0 ? (__u16)n : TEXT_FAILED;
    return n;
}

/* Length of the caller's path of an open, which is then in slot A0's place; 0: none, or not told.
 */
static __always_inline __u32 spelled_len(struct ev *ev)
{
    __u8 st = ev->h.st[SLOT_OF_STR(S_A0)];
    long n;

    if (st == ST_PRESENT)
        return ev->h.len[S_A0];
    n = st == ST_UNFILLED ? open_text_once(ev) : 0;
    return n > 1 ? (__u32)n - 1 : 0;
}

static __always_inline int open_dirfd(struct ev *ev)
{
    return ev->h.event == EV_open || ev->h.event == EV_creat ? AT_FDCWD : (int)ev->args[0];
}

/* `upper` or `lower`, by the layer of overlayfs that a file is in; 0 outside overlayfs. */
static __always_inline __u32 overlay_layer(__u64 dentry, __u32 upper, __u32 lower)
{
    __u64 inode = (__u64)KREAD(struct dentry, dentry, d_inode), top = 0;

    if (KREAD(struct dentry, dentry, d_sb, s_magic) != OVERLAYFS_MAGIC || !inode)
        return 0;
    /* struct ovl_inode is not in vmlinux's BTF: the upper dentry follows its struct inode. */
    bpf_probe_read_kernel(&top, sizeof(top), (char *)inode + bpf_core_type_size(struct inode));
    return top && KREAD(struct dentry, top, d_inode) ? upper : lower;
}

/* A file of memfd_create(): in no directory, its name starts so. */
#define MEMFD_PREFIX 0x3a64666d656dull /* "memfd:" */
static __always_inline bool is_memfd(__u64 dentry)
{
    __u64 name = 0;

    if ((__u64)KREAD(struct dentry, dentry, d_parent) != dentry)
        return false;
    bpf_probe_read_kernel(&name, 6, KREAD(struct dentry, dentry, d_name.name));
    return name == MEMFD_PREFIX;
}

/* The file of a bound socket can be opened as a path alone: it is no socket. */
static __always_inline bool is_socket(__u64 file)
{
    return (KREAD(struct file, file, f_inode, i_mode) & S_IFMT) == S_IFSOCK &&
           !(KREAD(struct file, file, f_mode) & FMODE_PATH);
}

static __always_inline __u64 sock_of_file(__u64 file)
{
    __u64 socket = (__u64)KREAD(struct file, file, private_data);

    return (__u64)KREAD(struct socket, socket, sk);
}

/* The kernel's own dev_t to the one user space knows. */
static __always_inline __u32 encode_dev(__u32 dev)
{
    __u32 major = dev >> 20, minor = dev & 0xfffff;

    return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

#endif
