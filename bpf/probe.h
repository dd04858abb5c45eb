/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the probe's objects share: maps, constants, and the functions that one object has and
 * another calls.
 *
 * core.bpf.c defines the maps and constants. A function that crosses objects is global and
 * `noinline`: the kernel verifies it once, apart from its callers. It gets the event by pointer
 * and kernel objects as plain addresses, and must take neither on trust: NULL is tested, addresses
 * are only read with fault-safe reads.
 *
 * The chain hook -> rule_filter -> its parts -> extractor -> path_build -> loop body is all that
 * the kernel's limit of eight frames and 512 bytes of stack allows for: extractors call nothing
 * deeper than path_build or one another once.
 */
#ifndef RULEC_PROBE_H
#define RULEC_PROBE_H

#include "kernel.h"
#include "abi.h"
#include "again.h"
#include "class.h"
#include "events.h"
#include "lore.h"
#include "sketch.h"
#include "texts.h"

#define PROBE_CPUS 2 /* of `scratch` and `stats`; the loader sets the number of possible CPUs */

/* One pattern of match_contains: bytes as the rule has them; for match_icontains in lower case. */
#define PATTERN_CAP 260
struct bpf_pattern {
    __u32 len;
    char text[PATTERN_CAP];
};

struct name_key {
    __u32 set;
    char name[COMM_SIZE];
};

/*
 * A walk up from the control groups of one controller after the other (state_live.h). It is here
 * and not on the stack, where the verifier would follow each way that a turn of the loop can leave
 * it.
 */
#define CONTROLLERS 5
struct groups {
    __u64 kn, leaf, below;   /* the component; the path's last; the one before */
    __u64 ctr;               /* the first path of containerd's own form, /NAMESPACE/ID: its last */
    __u64 next[CONTROLLERS]; /* paths to come; 0: none */
    __u32 turn;              /* paths begun */
    __u32 depth, scope;      /* components seen; one of them had a suffix .scope */
    __u32 leaf_unit;         /* the path's last component has a unit's suffix */
    __u32 found, at, len;    /* an engine's id is in work.fold */
    __u32 kind;              /* enum container_kind of what was found */
    __u32 leaf_len;          /* bytes of the path's last component */
};

/* Of the event's process, while those above it are walked (extract_anc.bpf.c). */
struct above {
    __u64 session; /* address of the session's struct pid */
    __u32 host;    /* the process is in the first pid namespace */
    __u32 named;   /* a process of the session has been found */
    __u32 cut;     /* an ancestor's name is not known: the walk has ended there */
    __u32 top;     /* the walk has come to the first task */
    __u32 unsure;  /* an ancestor is exiting, or has no state (task.bpf.c) */
    __u32 pad;
};

/* A walk over a vector's parts (extract_data.bpf.c), here for the same reason. */
struct gather {
    __u64 at;   /* the part to come */
    __u64 left; /* bytes that the call moved and that are not here yet */
    __u32 len;  /* bytes that are here */
    __u32 bad;  /* a part could not be read */
};

/* A walk over a path's components (path_sketch.h), here for the same reason as `groups`. */
enum spelling {
    SPELLED_SO_FAR, /* the components seen are the ends of the caller's text */
    SPELLED_WHOLE,  /* ... and of an absolute text nothing is left: the walk must be at the root */
    SPELLED_SAME,   /* the caller's text names this path */
    SPELLED_SHORT,  /* an absolute text of the path's last components alone: of a link to there */
    SPELLED_ELSE,
};
struct sketching {
    __u64 bits;
    __u64 dentry, mnt, mnt_root; /* of a file's path: where the walk is */
    __u64 root_dentry, root_mnt;
    __u64 base_dentry, base_mnt; /* of the directory that a relative text starts from */
    __u64 word, tail;            /* of the component seen last: its first and its last 8 bytes */
    __u64 last, dir, above;      /* bits of the last component and of the one before, of a text */
    __u64 first;                 /* of a file's path: bits of the component seen last */
    __u64 text_word;             /* SPELLED_SHORT: the text's first component */
    __u32 n;                     /* components seen */
    __u32 size;                  /* of the path so far */
    __u32 spelling;              /* enum spelling */
    __u32 left;                  /* bytes of the caller's text that are not compared yet */
    __u32 done;                  /* a root was reached */
    __u32 len;                   /* of a component, or a text */
    __u32 at, start;             /* of a text: place, start of the component */
};

/* Where a walk over the mounts of a namespace has come to (place.h), here for the same reason. */
struct mounts {
    __u64 sb, ns; /* addresses, as plain numbers: the verifier computes with no pointer */
    __u64 at, end;
    __u32 move, done;
    __u32 key;  /* of the entry in `mount_sets` that is filled */
    __u32 own;  /* place of the file's own mount in it */
    __u32 best; /* mounts from here on are no better than what was found */
    __u32 pad;
};

/* What the messages of one call share (hook_sys_exit.bpf.c). */
struct messages {
    __u64 args[6];
    __u8 compat, time64, left; /* of struct ev */
    __u8 pad[5];
};

/* Mounts of one file system in one namespace, the oldest first. */
#define MOUNT_SETS 16
#define SET_MOUNTS 64
struct mount_set {
    __u64 sb, ns;    /* addresses */
    __u64 event, id; /* of the namespace: it is the same, and nothing was mounted since */
    __u32 n;
    __u32 more; /* there are more, or there may be */
    struct {
        __u64 mnt, root;
    } v[SET_MOUNTS];
};

/* Where path_build leaves its text: path[PATH_CAP - length .. PATH_CAP). */
struct work {
    struct again again; /* first: places in its text are bounded as those in longer ones are */
    char path[2 * PATH_CAP];
    char fold[3 * PATH_CAP]; /* path_fold: the text before folding, at most 2 * PATH_CAP */
    struct proc_state live;  /* of a process that `procs` does not know */
    struct groups groups;
    struct above above;
    struct gather gather;
    struct sketching sketching;
    struct mounts mounts;
    struct messages messages;
    struct shut shut;
    struct sock_ends ends;    /* where sock_ends() leaves them */
    struct lore_key key;      /* lore_find */
    __u32 zero;               /* never written: see untold() */
    __u32 found[CLASS_FOUND]; /* class_scan */
    __u32 fence;              /* lore_find */
};

/* What was found of a task, and what it rests on (keep.h). */
struct task_entry {
    struct task_id id;
    struct task_bits bits;
};

/* The names above a process's children, and what they rest on (extract_anc.bpf.c). */
#define LINEAGES 16     /* rows: the parent's number leads to one */
#define LINEAGE_SETS 63 /* sets of names whose numbers are less */
struct lineage {
    __u64 parent, start, execs; /* the first of them: address, start_boottime, self_exec_id */
    __u64 generation;
    __u8 count;
    __u8 in[LINEAGE_SETS]; /* 1 + how many of the names are in the set; 0: not looked up yet */
    char anc[ANC_MAX][COMM_SIZE];
};

struct scratch_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, PROBE_CPUS);
    __type(key, __u32);
    __type(value, struct ev);
};
struct work_map {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct work);
};
struct mount_sets_map {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, MOUNT_SETS);
    __type(key, __u32);
    __type(value, struct mount_set);
};
struct procs_map {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct proc_state);
};
#define TEXT_MAP(class, size, kind)                                                                \
    struct kind##class##_map                                                                       \
    {                                                                                              \
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);                                                   \
        __uint(map_flags, BPF_F_NO_PREALLOC);                                                      \
        __type(key, int);                                                                          \
        __type(value, struct text##class);                                                         \
    };                                                                                             \
    extern struct kind##class##_map kind##class SEC(".maps");
TEXT_SIZES(TEXT_MAP, args)
TEXT_SIZES(TEXT_MAP, envs)
struct tasks_map { /* task_slots rows for each CPU */
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, PROBE_CPUS);
    __type(key, __u32);
    __type(value, struct task_entry);
};
struct lineages_map {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, LINEAGES);
    __type(key, __u32);
    __type(value, struct lineage);
};
struct generation_map { /* abi.h names the rows */
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, GENERATION_ROWS);
    __type(key, __u32);
    __type(value, __u64);
};
struct patterns_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct bpf_pattern);
};
struct names_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, struct name_key);
    __type(value, __u8);
};
struct edges_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct class_bucket);
};
struct class_rows_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct class_row);
};
struct class_cands_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct class_cand);
};
struct class_tests_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct class_test);
};
struct judges_map {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
};
struct sketch_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct sketch_row);
};
struct events_map {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 << 20);
};
/* Those that user space maps into its memory. */
struct stats_map { /* key: the CPU */
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, PROBE_CPUS);
    __type(key, __u32);
    __type(value, struct cpu_stats);
};
struct lanes_map { /* key: h.rule */
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct lane);
};
struct reader_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct ring_reader);
};

struct lore_map { /* lore_rows of them */
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct lore_row);
};

extern struct scratch_map scratch SEC(".maps");
extern struct work_map work SEC(".maps");
extern struct mount_sets_map mount_sets SEC(".maps");
extern struct procs_map procs SEC(".maps");
extern struct tasks_map tasks SEC(".maps");
extern struct lineages_map lineages SEC(".maps");
extern struct generation_map generation SEC(".maps");
extern struct patterns_map patterns SEC(".maps");
extern struct names_map name_sets SEC(".maps");
extern struct edges_map class_edges SEC(".maps");
extern struct class_rows_map class_rows SEC(".maps");
extern struct class_cands_map class_cands SEC(".maps");
extern struct class_tests_map class_tests SEC(".maps");
extern struct judges_map judges SEC(".maps");
extern struct sketch_map sketch_rows SEC(".maps");
extern struct events_map events SEC(".maps");
extern struct stats_map stats SEC(".maps");
extern struct lanes_map lanes SEC(".maps");
extern struct reader_map reader SEC(".maps");
extern struct lore_map lore SEC(".maps");

/* Filled by the loader before the programs; the verifier takes them as constants. */
extern const volatile struct probe_plan plan;
extern const volatile struct sketch_head sketch_head;
extern const volatile __u64 boot_offset_ns; /* CLOCK_REALTIME minus CLOCK_BOOTTIME, in ns */
extern const volatile __u64 name_bits[NAME_BITS / 64]; /* abi.h: name_bit() */
extern const volatile __u32 task_slots;                /* a power of two */
extern const volatile __u32 lore_rows;                 /* likewise */

/* Generated by `rulec`: 0: no rule can match; else 1 + index of the first that might. */
extern int rule_filter(struct ev *ev);
/* The same of a system call's exit, of a program's start, and of what judge_event() gets, alone. */
extern int rule_filter_calls(struct ev *ev);
extern int rule_filter_exec(struct ev *ev);
extern int rule_filter_judged(struct ev *ev);
/* Works out the tests of the task that its first open will ask for. */
extern int rule_task_start(struct ev *ev);
/*
 * enum left_answer: which can match an event of the class, by a task with these bits (left_of) of
 * tests, on a path of this sketch (SKETCH_UNKNOWN: not made yet).
 */
extern int rule_left(__u32 event, __u32 class, __u64 low, __u64 high, __u64 sketch);

/*
 * state_live.h: what is known of the current process, its texts apart: as it is now / of the
 * program that it has just started.
 */
int state_live(struct proc_state *st);
int state_exec(struct proc_state *st);
/* What a new process has of its own: `pid` its struct pid, `css_set` its control groups. */
int state_fork(struct proc_state *st, __u64 pid, __u64 css_set);
/* texts.bpf.c: those of the program that the current process has just started, after state_exec. */
int state_texts(struct proc_state *st);

/* task.bpf.c: for rule_task, before it looks at the task. Fills ev->kept.settled. */
int task_settle(struct ev *ev);
int task_keep(struct ev *ev, struct task_entry *row);

/* extract_fd.bpf.c */
/*
 * Length of the path's text in work.path, 1..4095, or 0: could not be told. `rooted`: as seen from
 * the caller's root, else from that of the mount namespace.
 */
int path_build(__u64 dentry, __u64 vfsmount, __u32 rooted);
/* The caller's open file, or 0. In a race with a close in another thread: 0, or its heir. */
__u64 file_of_fd(__s64 fd);

/*
 * The vfsmount to name an open file through, another than its own (place.h). 0: its own; or
 * PLACE_UNKNOWN.
 */
#define PLACE_UNKNOWN 1
__u64 place_of_file(__u64 file);
/* Its type, of flag table fd_type; -1 of address 0. */
int kind_of_file(__u64 file);
/* Folds work.fold[0..len) as text; the length of what is then at the end of work.path, or 0. */
int path_fold(__u32 len);
/* Both ends of an IP socket, into work.ends. */
int sock_ends(__u64 sk);

/* extract_*.bpf.c: each fills its group, sets every state of it, and returns 0. */
int extract_args(struct ev *ev);
/*
 * The caller's path of an open, to where slot A0 has its bytes: their number with the NUL, at most
 * PATH_CAP, or less than 1. Read once for an event, so that all who look at it see the same,
 * whatever another thread makes of it.
 */
int read_open_text(struct ev *ev);
int args_base(struct ev *ev); /* fills ev->base for the first relative path among the ARGS */
int extract_data(struct ev *ev);
int extract_fd(struct ev *ev);
int extract_sock(struct ev *ev);
int extract_path(struct ev *ev);
int extract_dir(struct ev *ev);
int extract_raw(struct ev *ev);
int extract_fspath(struct ev *ev);
int extract_abspath(struct ev *ev);
int extract_fdtab(struct ev *ev);
int extract_stdio(struct ev *ev);
int extract_other(struct ev *ev);
int extract_poll(struct ev *ev);
int extract_proc(struct ev *ev);
int extract_use(struct ev *ev);
int extract_cred(struct ev *ev);
int extract_exe(struct ev *ev);
int extract_cmd(struct ev *ev);
int extract_env(struct ev *ev);
int extract_envraw(struct ev *ev);
int extract_exepath(struct ev *ev);
int extract_container(struct ev *ev);
int extract_cwd(struct ev *ev);
int extract_parent(struct ev *ev);
int extract_pexepath(struct ev *ev);
int extract_anc(struct ev *ev);
int extract_names(struct ev *ev); /* of ANC the names alone */
int extract_lead(struct ev *ev);
int extract_shell(struct ev *ev);
int extract_extra(struct ev *ev);

/* match.bpf.c: `slot` is an enum str_slot. */
int match_contains(struct ev *ev, __u32 slot, __u32 pattern);
int match_icontains(struct ev *ev, __u32 slot, __u32 pattern);
/* enum match_end: MATCH_ON says that it is open. */
int match_glob(struct ev *ev, __u32 slot, __u32 pattern);
int match_iglob(struct ev *ev, __u32 slot, __u32 pattern);
int match_path(struct ev *ev, __u32 slot, __u32 pattern);
int match_name(struct ev *ev, __u32 slot, __u32 set);
int match_anc(struct ev *ev, __u32 set);   /* extract_anc.bpf.c */
int match_take(struct ev *ev, __u32 slot); /* the slot's text into work.fold; its length */

/* match_class.bpf.c */
int class_find(struct ev *ev, __u32 off, __u32 node, __u32 how);
int class_number(struct ev *ev, __u32 num, __u32 node);
int class_scan(struct ev *ev, __u32 str, __u32 node);
int class_found(struct ev *ev, __u32 i);
int class_judge(struct ev *ev, __u32 class);

/* hook_ring.bpf.c: the request's end was judged, its texts are needed no more. */
int ring_forget(__u64 req);
/* path_sketch.h: fills ev->sketch. */
int path_sketch(struct ev *ev);
/*
 * same_open.h: remembers an open that ended limited / is this call of the task, of which arguments
 * and result are the remembered ones, the same again? 1: it is. `w`: this CPU's.
 */
int open_keep(struct ev *ev);
int open_again(struct work *w, __u64 task);

/* lore.bpf.c: fills ev->lore[kind]; what it is told from is filled. */
int lore_find(struct ev *ev, __u32 kind);

/* lane.bpf.c */
/* What a filter says of rule `number` - 1 that it cannot exclude: `number`; 0: its lane is closed.
 */
int lane_answer(struct ev *ev, __u32 number);
/* Counts an event of which no rule is left but those that are closed, and remembers an open. */
int lane_limit(struct ev *ev);

/* record.bpf.c */
/* 0: a record of the event would find no room, even without its texts; it is counted as lost. */
int record_fits(struct ev *ev);
int record_fill(struct ev *ev);
int record_send(struct ev *ev);
int record_swap(struct ev *ev, __u32 alt); /* exchanges fd.name and ev->alt[alt]; 0: it cannot */

/* ---- small tools of the extractors ---- */

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
static __always_inline __u64 *counters(__u32 cpu, __u64 event)
{
    struct cpu_stats *s = bpf_map_lookup_elem(&stats, &cpu);

    OPAQUE(event);
    if (!s || event >= STAT_EVENTS)
        return NULL;
    OPAQUE(event); /* what is added to the address is what was tested */
    return s->n[event];
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

#define GROUP_BIT(g) (1ull << (g))

#endif
