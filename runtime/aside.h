/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that a thread of its own hands to the kernel, while libbpf goes on with the others of
 * its object: what the verifier takes for it then costs no time where there are two processors.
 *
 * aside_start() is called by a prog_prepare_load_fn: all of the program is known there. What libbpf
 * then loads in its place is a program that does nothing, and aside_end() takes it away. The thread
 * allocates no memory, so that none is set up for it.
 */
#ifndef RULEC_ASIDE_H
#define RULEC_ASIDE_H

#include <bpf/bpf.h>
#include <pthread.h>
#include <stddef.h>

struct bpf_program;

struct aside {
    struct bpf_program *prog; /* NULL: none was started */
    const char *license;      /* this and `log` are the caller's; until the end */
    char *log;                /* what the verifier says, if it refuses */
    size_t log_size;
    pthread_t thread;
    struct bpf_insn *code;
    size_t n;
    struct bpf_prog_load_opts opts;
    int fd; /* or -errno */
};

/*
 * `code`: n instructions of malloc(), taken over. If no thread can be had the program is left for
 * libbpf to load. 0 or -errno.
 */
int aside_start(struct aside *a, struct bpf_program *prog, struct bpf_insn *code, size_t n,
                struct bpf_prog_load_opts *opts);
/*
 * Waits for it; to be called after the object was loaded, whether it was or not. A descriptor of
 * the program, the caller's to close, -errno, or -ENOENT: none was started.
 */
int aside_end(struct aside *a);

#endif
