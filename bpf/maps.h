/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The probe's maps and what is in them. Part of probe.h; core.bpf.c defines them. */
#ifndef RULEC_MAPS_H
#define RULEC_MAPS_H

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
    struct task_ref parent; /* the first of them */
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

#endif
