/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that take the verifier long, without what is dead in them (cut.h), handed to the kernel
 * by threads while libbpf goes on with the others of their object: as many at a time as there are
 * processors, in the order in which the object has them, the longest first (Makefile).
 *
 * libbpf asks us about them by their sections, before it loads them, when all is known of them.
 * What it then loads in their place is a program that does nothing, and asides_end() takes it away.
 * If no thread can be had libbpf loads the program itself. The threads allocate no memory, so that
 * none is set up for them.
 */
#ifndef RULEC_ASIDE_H
#define RULEC_ASIDE_H

#include <bpf/bpf.h>
#include <pthread.h>
#include <stddef.h>

#include "cut.h"

struct bpf_object;
struct bpf_program;

enum aside_id {
    ASIDE_JUDGE, /* judges the events of HOOKS_JUDGED */
    ASIDE_EXEC,  /* the hook on starts of programs, which has a filter of its own */
    ASIDE_CALLS, /* the hook on system calls, likewise */
    ASIDES
};

struct aside {
    struct asides *all;
    struct bpf_program *prog; /* NULL: it is none of a thread's */
    const char *license;
    char *log; /* what the verifier says, if it refuses */
    size_t log_size;
    struct cut_code code; /* all of it is allocated */
    struct bpf_prog_load_opts opts;
    int fd;      /* of the program; -1: not loaded, or by libbpf */
    int handler; /* what has libbpf ask us */
};

struct asides {
    struct aside of[ASIDES];
    const struct bpf_object *object;
    pthread_mutex_t lock; /* of what follows, while there are threads */
    struct aside *queue[ASIDES];
    unsigned queued, taken;
    pthread_t threads[ASIDES];
    unsigned started, running, most; /* threads; so many at a time */
};

/*
 * Before an object with such programs is opened. `license`: the object's, to outlive this; logs are
 * as large as that of the caller. 0 or -errno; asides_close() is called in either case. Do not move
 * it: libbpf has its address.
 */
int asides_open(struct asides *a, const char *license, size_t log_size);
/* Before an object is loaded, its programs chosen. 0 or -errno. */
int asides_aim(struct asides *a, const struct bpf_object *object);
/*
 * After the object was loaded, `rc` being the outcome, whatever it is: waits for the threads. `rc`,
 * or -errno of the first that was refused; `*log` is then exchanged for its own.
 */
int asides_end(struct asides *a, int rc, char **log);
/* The descriptor of any program, whoever has loaded it; < 0: nobody has. It goes with
 * asides_drop(). */
int asides_fd(const struct asides *a, const struct bpf_program *prog);
void asides_drop(struct asides *a);
void asides_close(struct asides *a);

const char *aside_name(enum aside_id i); /* of the program */

#endif
