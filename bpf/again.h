/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The same again: what an open that ended limited is remembered by, one for each CPU.
 *
 * A flood is mostly one task that opens one file over and over. The filter's verdict on an open
 * follows from what is here, if it has looked at nothing else (same_open.h sees to that); so an
 * open of which all of it is as it was gets the same verdict, without a look at any rule. All is
 * held against the open at hand by value, so that nothing has to be taken away when it changes.
 */
#ifndef RULEC_AGAIN_H
#define RULEC_AGAIN_H

/* Which task it is, in which program, and the generation of those above it (keep.h). */
struct task_ref {
    __u64 task, start, execs; /* address, start_boottime, self_exec_id */
    __u64 generation;
};

/* The same, and what else can change the outcome of a test of the task. */
struct task_id {
    struct task_ref ref;
    __u64 ids;     /* effective user and group; this and what follows: if plan.task says so */
    __u64 caps[3]; /* effective, permitted, inheritable */
};

/* What extractors of an open tell of a file, its path apart. */
struct file_facts {
    __u64 magic, ino;
    __u32 dev, inode_mode;
    __u32 mode, flags; /* of the struct file */
    __u32 layer;       /* of overlayfs: overlay_layer() */
    __u32 pad;
};

#define AGAIN_ARGS 4
#define AGAIN_TEXT 128
#define AGAIN_TEXT_MAX (AGAIN_TEXT - 2) /* of a longer text it could not be told that it is one */
struct again {
    struct task_id id; /* ref.task 0: there is none */
    __u64 nr;
    __s64 res;
    __u64 args[AGAIN_ARGS];
    __u64 at; /* which of them is the text's address */
    struct file_facts file;
    __u64 tick;    /* of the kernel's clock, when it was written: once in a tick is enough */
    __u32 limited; /* the one lane that was closed to it */
    __u32 len;     /* of the text, which is absolute, and the file's path */
    __u32 event, pad;
    char text[AGAIN_TEXT];
};

/* The lane that was found closed last, and when: that holds for the rest of the clock's tick. */
struct shut {
    __u64 tick;
    __u32 lane, pad;
};

#endif
