/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Every structure that the kernel side and user space share.
 *
 * An event is judged in a scratch `struct ev` (one per CPU): numbers, a state byte per slot, and
 * texts at fixed places. What survives the filter crosses to user space as a `struct rec`: the
 * same head, then only the texts that are present, packed. All integers are little-endian and of
 * fixed width, padding is explicit, sizes and offsets are asserted below.
 *
 * Shared by bpf/, runtime/ and compiler/. Needs <stdint.h>-like types: bpf/kernel.h gives them to
 * BPF code, <linux/types.h> to everyone else.
 */
#ifndef RULEC_ABI_H
#define RULEC_ABI_H

#ifndef __bpf__
#include <linux/types.h>
#include <stddef.h>
#endif

/* Groups: G_EVENT, G_ARGS, ... One extractor each: `int extract_GROUP(struct ev *)`, lower case. */
enum slot_group {
#define SLOT_GROUP(id, doc) G_##id,
#include "../grammar/slots.def"
    G_COUNT
};

/* Number slots N_RES, N_SYSNR, ...; index into ev.num[] and ev.st[]. */
enum num_slot {
#define SLOT_NUM(id, group, doc) N_##id,
#include "../grammar/slots.def"
    N_COUNT
};

/* Text slots S_NAME, ...; index into ev.len[], and S + N_COUNT into ev.st[]. */
enum str_slot {
#define SLOT_STR(id, group, cap, doc) S_##id,
#include "../grammar/slots.def"
    S_COUNT
};

/* Kinds of lore: LORE_USER, LORE_CONTAINER, ... (bpf/lore.h). */
enum lore_kind {
#define LORE(id, num, str, doc) LORE_##id,
#include "../grammar/lore.def"
    LORE_KINDS
};

#define SLOT_OF_NUM(n) (n)
#define SLOT_OF_STR(s) (N_COUNT + (s))
#define SLOT_COUNT (N_COUNT + S_COUNT)

/*
 * State of a slot. A test of an ABSENT value is false; a literal (a test or its negation) over an
 * UNKNOWN or CUT value passes. CUT: the bytes are a true beginning of the value, the rest is lost.
 */
enum slot_state {
    ST_UNFILLED = 0, /* its extractor has not run yet: only inside the kernel */
    ST_PRESENT = 1,
    ST_ABSENT = 2,
    ST_UNKNOWN = 3,
    ST_CUT = 4,
};

#define ANC_MAX 32   /* ancestors kept, from the parent up; more: anc_state is ST_CUT */
#define COMM_SIZE 16 /* bytes of a process name, NUL-padded */

/* The head that `struct ev` and `struct rec` share. Zeroed before each event. */
struct ev_head {
    __u64 ts;    /* ns since the epoch */
    __u32 size;  /* bytes of the whole record on the wire; 0 in the scratch */
    __u16 event; /* enum event_id of the catalog */
    __u16 cpu;
    __u32 rule; /* 1 + pack index of the first rule that the filter could not exclude; 0: dropped */
    __u8 reading;   /* enum reading, that `rule` was found under */
    __u8 readings;  /* READ_BIT of each reading that the record holds; READ_KERNEL is always one */
    __u8 anc_state; /* enum slot_state of the ancestors' names */
    __u8 anc_count; /* of ancestors in anc[] */
    __u64 cgroup;   /* id of the cgroup2 group */
    __s64 num[N_COUNT];
    __u32 len[S_COUNT];  /* bytes of each text slot, no NUL counted */
    __u8 st[SLOT_COUNT]; /* enum slot_state */
    __u8 pad[(8 - (4 * S_COUNT + SLOT_COUNT) % 8) % 8];
    char anc[ANC_MAX][COMM_SIZE]; /* anc[0] is the parent; NUL-padded */
};

/* Which meaning of fd.name is judged (docs/internals.md: readings of a path). */
enum reading {
    READ_KERNEL = 0,  /* what was really opened */
    READ_SPELLED = 1, /* what the caller wrote, made absolute and folded as text */
    READ_STORED = 2,  /* where the oldest mount that shows the file has it */
    READ_COUNT
};
#define READ_BIT(r) (1u << (r))
#define READINGS_ALL ((1u << READ_COUNT) - 1)
#define READ_ALTS (READ_COUNT - 1) /* readings that are texts beside FD_NAME */
#define READ_ALT(r) ((r)-1)        /* which of them a reading is */

/* How far a call has come that was made through an io_uring (hook_ring.bpf.c). */
enum ring_how {
    RING_NONE,      /* a system call */
    RING_SUBMITTED, /* its result is not known */
    RING_COMPLETED,
};

/*
 * Tests of the task alone, as the filter works them out (rule_task, compiler/bpf_task.c): one bit
 * each. A rule looks at `yes`, whose bits mean something where those of `known` are set.
 */
#define TASK_WORDS 4
#define TASK_BITS (32 * TASK_WORDS)
struct task_bits {
    __u32 yes[TASK_WORDS];
    __u32 known[TASK_WORDS];
};
struct ev_task {
    struct task_bits bits;
    __u32 want[TASK_WORDS]; /* what rule_task is asked for */
    __u32 settled;          /* what it has found may be kept */
    __u32 test_class;       /* for hook_test: 1 + the event's class, or 0: no look at rule_left */
    __u64 generation;       /* of ancestors, before anything was looked at */
};

/* What can change the outcome of a test of the task: bits (slots.def has each value's). */
enum task_tie { TASK_EXEC = 1, TASK_CRED = 2, TASK_ANC = 4 };

/*
 * What is known of an event before it is looked at (rule_left): bits. READS is of open and openat
 * alone: a native call that neither writes, creates nor truncates.
 */
enum left_class { LEFT_FAILED = 1, LEFT_READS = 2, LEFT_CLASSES = 4 };

/* Its answers. BY_PATH: rules are left, but each may yet be excluded by the path's sketch. */
enum left_answer { LEFT_NONE, LEFT_ANY, LEFT_BY_PATH };

/* What is known of the event's thing of one kind of lore: a bit for each test of that kind. */
#define LORE_TEXT 64 /* bytes of a key's text */
#define LORE_WORDS 2
#define LORE_BITS (64 * LORE_WORDS)
struct lore_bits {
    __u64 known[LORE_WORDS];
    __u64 yes[LORE_WORDS];
};

/*
 * The scratch. `alt` holds the readings of fd.name beside the kernel's, which is in FD_NAME; the
 * hook exchanges the two to judge another one. A reading that is there and has no bytes is unknown.
 * `base` is the directory that a relative path argument starts from.
 */
#define PATH_CAP 4096
#define LIMITED_MORE 0x80000000u
struct ev {
    struct ev_head h;
    __u32 alt_len[READ_ALTS];
    __u32 base_len;
    __u32 wanted;    /* lore: bit per kind that was looked for, and of which nothing is known */
    __u64 args[6];   /* the system call's own, 64-bit numbering */
    __u8 compat;     /* the call was a 32-bit one */
    __u8 ring;       /* enum ring_how; texts among the arguments are then the kernel's own copies */
    __u8 time64;     /* a 32-bit one with times of 64 bits */
    __u8 has_peer;   /* see peer[] */
    __u32 limited;   /* h.rule of the first rule that might match, had it not been closed; 0: none.
                        LIMITED_MORE: another one might, too */
    __u8 sketched;   /* `sketch` is made; until then it has all bits */
    __u8 lore_found; /* bit per kind whose `lore` is filled */
    __u16 text;  /* of an open: what reading the caller's path gave (tools.h), or 0: not read yet */
    __u32 flags; /* of an open, in the language's numbers: for extract_args() */
    __u8 left;   /* of a call: what rule_left said before it was made an event */
    __u8 spelled;   /* of an open: the sketch found that the caller's text names the opened path */
    __u8 own_place; /* ... and no older mount that shows the file: there is no third reading */
    __u8 lineage;   /* 1 + row of `lineages` that has the names above (maps.h); 0: none */
    __u64 sketch;   /* which rules the path can concern (bpf/sketch.h) */
    __u64 req;      /* of a ring: address of the request, if this is its end */
    __u8 peer[24];  /* of a ring: beginning of the socket address that a datagram goes to */
    __u64 file;     /* address of the event's struct file, or 0: for extractors only */
    __u64 task;     /* address of the event's task_struct: for extractors only */
    struct ev_task kept;
    struct lore_bits lore[LORE_KINDS];
#define SLOT_STR(id, group, cap, doc) char s_##id[cap];
#include "../grammar/slots.def"
    char alt[READ_ALTS][PATH_CAP];
    char base[PATH_CAP];
};

/* Where the bytes of a text slot stand in `struct ev`, and how many fit. Compile-time constants. */
#define EV_STR_OFF(s) offsetof(struct ev, s)

/*
 * The record on the wire: this head, then for each text slot whose state is PRESENT or CUT its
 * len[] bytes, in slot order, then the other readings of fd.name (alt_len[] bytes each, 0 of those
 * that are not in h.readings), then the base directory (base_len bytes). No terminators, no
 * alignment between texts. h.size is the sum. `wanted`: as in struct ev.
 */
struct rec {
    struct ev_head h;
    __u32 alt_len[READ_ALTS];
    __u32 base_len;
    __u32 wanted;
};

/* Largest record: all texts full. A power of two above it bounds the kernel's packing buffer. */
#define REC_MAX 262144

/* The ends of an IP socket as text slots STDIN_NAME and its like hold them: client, then server. */
struct sock_ends {
    __u8 client_len, server_len; /* of the addresses: 4, 16, or 0 for none */
    __u16 client_port, server_port;
    __u16 pad;
    __u8 client[16], server[16];
};

/*
 * Counters of each CPU (map `stats`), summed in user space. Of each type of event:
 * seen == filtered + limited + sent + lost, always.
 */
enum stat_id {
    STAT_SEEN,     /* events that reached the filter */
    STAT_FILTERED, /* no rule can match */
    STAT_LIMITED,  /* only rules can whose lanes are closed */
    STAT_SENT,     /* records submitted to the ring buffer */
    STAT_LOST,     /* records that found no room in the ring buffer */
    STAT_COUNT
};
enum { /* in the order of enum event_id */
       STAT_OF_NONE,
#define EVENT(id, name, category, flags, live) STAT_OF_##id,
#include "../grammar/events.def"
       STAT_EVENTS
};
struct cpu_stats {
    __u64 n[STAT_EVENTS][STAT_COUNT]; /* first index: enum event_id */
    /*
     * Events that were limited and are not added to their lane yet, so that processors in a flood
     * do not share one counter: how many, and above 32 bits of which lane. Given up before it is
     * added, so that who reads the lane first counts nothing twice.
     */
    __u64 limited;
};

/*
 * Not every kind of program may look tasks up by their number. One instruction of the code that
 * does loads one of these numbers, so that the verifier sees nothing of the rest where it is the
 * second. A bundle has that one everywhere, and any tool can load it; rulerun puts the first in its
 * place, but for programs that may not (runtime/load.c).
 */
#define MAY_LOOK_UP 0x6c656164
#define MAY_NOT_LOOK_UP 0x6c656163

/*
 * Where the names of all sets have their bits in the constant `name_bits`, by a name's two words,
 * padded with NULs. Most names are in no set, and a bit that is off says so without a look-up.
 */
#define NAME_BITS 4096
static inline __u32 name_bit(__u64 low, __u64 high)
{
    const __u64 odd = 0x9e3779b97f4a7c15ull; /* as good as random */

    return (__u32)((low ^ high * odd) * odd >> 52);
}

#define RULES_MAX 65536 /* of a bundle */

/*
 * A lane is what one rule takes of the way to user space (map `lanes`, row h.rule; row 0: events
 * that an audit sends though no rule can match). A lane may hold as many bytes of the ring buffer
 * as are free, so that one rule that floods takes half of it, k of them take k/(k+1), and every
 * other one finds room. A lane that user space has closed sends nothing; the filter goes on to the
 * next rule.
 */
struct lane {
    __u64 sent;    /* bytes of the ring buffer that its records took, by the kernel */
    __u64 taken;   /* of them, those that user space has given back */
    __u64 closed;  /* until this time, by the events' clock (h.ts); then open by a crack, until user
                      space sets it to 0 */
    __u64 lost;    /* records that found no room */
    __u64 limited; /* events that only closed rules might match; this is the first of them. Those of
                      cpu_stats.limited come on top */
    __u64 pad[3];
};

/* Bytes that a record takes of the ring buffer: a head of 8, and all of it rounded up to 8. */
#define RING_ROOM(size) (((__u64)(size) + 15) & ~7ull)

/* The reader of the ring buffer (map `reader`, one row): whether a record must wake it. */
enum reader_state {
    READER_AWAKE,
    READER_NAPPING, /* it will look soon; earlier if a quarter of the buffer is full, or lore wanted
                     */
    READER_ASLEEP,
};
struct ring_reader {
    __u32 state;   /* enum reader_state; who sets it to AWAKE from here on wakes the reader */
    __u32 lost;    /* some lane has lost more since the reader set this to 0: */
    __u32 limited; /* or limited more; the lane is counted first */
    __u32 unkept; /* states of processes, and texts of them, that found no room: they are unknown */
    __u32 pad[12];
};

/* Kind of an ancestor's text, for slots X0..X3 (rodata `extra_want`). */
enum extra_kind { EXTRA_NONE, EXTRA_EXE, EXTRA_EXEPATH, EXTRA_CMDLINE, EXTRA_ARGS };
struct extra_want {
    __u8 kind;  /* enum extra_kind */
    __u8 index; /* 0: the process itself, 1: its parent, ... */
};

/*
 * Constants that `rulec` links beside the filter (the symbol `plan` in the bundle's .rodata) and
 * the probe reads. Everything the pack does not need costs nothing.
 */
struct probe_plan {
    __u64 groups;      /* bit per slot_group: fill before a record is sent */
    __u64 syscalls[8]; /* bit per x86-64 system call number that any rule can match */
    struct extra_want extra[4];
    __u8 readings;    /* READ_BIT of each reading of a path to judge; READ_KERNEL is always one */
    __u8 audit;       /* send every event, with the filter's verdict in h.rule */
    __u8 failed_exec; /* events of exec calls that failed are wanted */
    __u8 task; /* enum task_tie of the tests that are decided once per task; 0: there are none */
    __u8 pad[4];
};

/* Whose a container is, by the form of its control group's name. Host: not in a container. */
enum container_kind {
    CONTAINER_HOST,
    CONTAINER_PODMAN,
    CONTAINER_CRIO,
    CONTAINER_CRI, /* containerd, for Kubernetes */
    CONTAINER_DOCKER,
    CONTAINER_BARE, /* a bare id of 64 digits: docker, or containerd for Kubernetes */
    CONTAINER_LXC,
    CONTAINER_CONTAINERD, /* /NAMESPACE/ID: any other form wins over it */
    CONTAINER_KINDS
};
#define CONTAINER_ID_SHOWN 12 /* digits of container.id; names of LXC are shown whole */

/* Rows of the map `generation`, which user space begins at 0. */
enum {
    GENERATION_NOW, /* of ancestors (bpf/keep.h); 0: nothing is kept of tasks */
    STATES_KEPT,    /* 1: every process has been given a state, and its hooks are attached */
    GENERATION_ROWS
};

/*
 * State of a process: written at exec and fork, read by the extractors of PROC, EXE, CMD, ... Its
 * arguments, if they are longer than ARGS_INLINE, and its environment, as it was at its exec, are
 * in maps of their own (bpf/texts.h). It fills a piece of 512 bytes of the kernel's memory,
 * together with the STORAGE_HEAD that the kernel puts before each value.
 */
#define STORAGE_HEAD 80
#define ARGS_CAP 4096
#define ENV_CAP 4096
#define ARGS_INLINE 248
struct proc_state {
    __u64 start_ts; /* clone time, ns since the epoch */
    __u64 exe_ino;
    __u64 exe_ctime; /* ns */
    __u64 exe_mtime; /* ns */
    __u64 cgroup;    /* id of the cgroup2 group */
    __u64 groups; /* which groups the container was told from (state_live.h); 0: user space did */
    __u32 tty;
    __u32 loginuid;
    __s32 vpid;
    __s32 sid; /* number in the process's own pid namespace */
    __s32 vpgid;
    __s32 pgid;
    __u32 exe_flags;      /* EXE_* of flag table execve_flags */
    __u32 exe_len;        /* argv[0]; its bytes come first */
    __u32 args_len;       /* bytes of them: argv[0], NUL, the other arguments joined by blanks */
    __u32 nargs;          /* arguments after argv[0] */
    __u8 args_state;      /* enum slot_state of the arguments */
    __u8 container_state; /* enum slot_state of container_id */
    __u8 container_len;   /* of container_id */
    __u8 container_kind;  /* enum container_kind */
    __u32 execs;          /* low bits of the task's self_exec_id; 0: user space wrote it */
    __u32 env_len;        /* bytes of NAME=value, NUL between; the last NUL is not one */
    __u8 env_state;       /* enum slot_state of the environment */
    __u8 args_class;      /* which map has the arguments; 0: they are in args[] */
    __u8 env_class;       /* which has the environment; 0: none */
    __u8 pad;
    char comm[COMM_SIZE];
    char container_id[64]; /* the whole id; `host` outside */
    char args[ARGS_INLINE];
};

/* What no group needs is not kept. */
#define ARGS_GROUPS                                                                                \
    (1ull << G_EXE | 1ull << G_CMD | 1ull << G_PARENT | 1ull << G_LEAD | 1ull << G_EXTRA)
#define ENV_GROUPS (1ull << G_ENV | 1ull << G_ENVRAW)

#define ABI_ASSERT(what) _Static_assert(what, #what)
ABI_ASSERT(sizeof(struct ev_head) % 8 == 0);
ABI_ASSERT(offsetof(struct ev_head, num) == 32);
ABI_ASSERT(sizeof(struct rec) == sizeof(struct ev_head) + 16);
ABI_ASSERT(sizeof(struct ev) < REC_MAX);
ABI_ASSERT(offsetof(struct ev, args) == sizeof(struct rec));
ABI_ASSERT(offsetof(struct rec, wanted) == offsetof(struct ev, wanted));
ABI_ASSERT(LORE_KINDS <= 8);
ABI_ASSERT(NAME_BITS == 1 << (64 - 52));
ABI_ASSERT(sizeof(struct sock_ends) == 40);
ABI_ASSERT(sizeof(struct lane) == 64);
ABI_ASSERT(sizeof(struct ring_reader) == 64);
ABI_ASSERT(sizeof(struct probe_plan) == 88);
ABI_ASSERT(offsetof(struct proc_state, comm) == 104);
ABI_ASSERT(sizeof(struct proc_state) + STORAGE_HEAD == 512);

#endif
