/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors of what was loaded, of our own, so that libbpf's object can go: it keeps megabytes
 * that only loading needs. They hold what would else be undone (an array of programs is emptied
 * with its last descriptor), and tell who looks at /proc/PID/fdinfo what the daemon has.
 */
#ifndef RULEC_HELD_H
#define RULEC_HELD_H

#define HELD_MAX 128

struct bpf_program;

enum held_kind { HELD_TYPES, HELD_MAP, HELD_PROGRAM };

struct held {
    struct held_fd {
        enum held_kind kind;
        int fd;
    } fds[HELD_MAX];
    unsigned n;
};

/* A copy of a descriptor, which is then held; -errno. */
int held_add(struct held *h, enum held_kind kind, int fd);
void held_close(struct held *h);

/* Attaches a program. The descriptor that it is attached by, the caller's to close; -errno. */
int held_attach(const struct bpf_program *prog);
/* The same of a program on a tracepoint by its types, which knows that by itself. */
int held_attach_typed(int prog);

#endif
