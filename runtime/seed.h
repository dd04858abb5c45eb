/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State of the processes that already run when the daemon starts, from /proc into the kernel's maps
 * (`procs`, and those of long texts). Done once, after the exec and fork hooks are attached: what
 * these write in the meantime is newer and stays (BPF_NOEXIST). A process is named by a pidfd, so
 * that a reused pid is not mistaken for the one that was read.
 */
#ifndef RULEC_SEED_H
#define RULEC_SEED_H

#include "../bpf/texts.h"

/* Descriptors of the maps of states; -1: it is not there, or nothing looks at what it has. */
struct state_maps {
    int procs;
    int args[TEXT_CLASSES], envs[TEXT_CLASSES]; /* by class, from 1 on */
};

/* A process as it was read; long arguments and the environment are beside its state. */
struct seeded {
    struct proc_state st;
    char args[ARGS_CAP], env[ENV_CAP];
};

/* Where /proc is, and the clocks' distance; `proc` is "/proc" but for tests. */
struct seed {
    const char *proc;
    __u64 boot_offset_ns;
    char cgroup2[256]; /* where the cgroup2 hierarchy is mounted, or "" */
};

void seed_init(struct seed *s, const char *proc, __u64 boot_offset_ns);
/* Reads one process, but for its environment. 0, or -errno: it is gone or cannot be read. */
int seed_read(const struct seed *s, int pid, struct seeded *out);
/* Reads the environment of one that was read. Unknown if it cannot be. */
void seed_env(const struct seed *s, int pid, struct seeded *out);
/*
 * Fills the maps from every process in /proc. Their number, or -errno. A child of a process that
 * is not known yet has nothing to inherit, and may have a number that was passed by already: /proc
 * is read until nobody is found, at most SEED_PASSES times.
 */
#define SEED_PASSES 4
int seed_all(const struct seed *s, const struct state_maps *m);

#endif
