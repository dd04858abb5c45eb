/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory a running daemon can come to take, kernel and user space, said once at start.
 *
 * In the kernel: maps at the size they were made with, the ring buffer, programs with what the
 * kernel keeps beside them; and the state of processes, which grows with their number. All figures
 * are rounded up. In user space: nothing is allocated once the daemon is armed, so that what is
 * mapped then, and a stack, is all that can ever be resident.
 */
#ifndef RULEC_BOUND_H
#define RULEC_BOUND_H

#include <stdio.h>

#include "load.h"

struct bound {
    uint64_t buffer, maps, programs; /* bytes in the kernel */
    uint64_t per_process;            /* bytes more for each; 0: no state is kept */
    uint64_t texts;              /* and at most so many for its long arguments and environment */
    uint64_t processes, pid_max; /* those now, and how many there can be; 0: not told */
    uint64_t daemon, resident;   /* bytes in user space: at most, and now */
};

/* Of what is loaded; `proc`: "/proc". To be called when all is allocated, and what was only for
 * loading is not any more. */
struct bound bound_of(const struct load *l, const char *proc);
/* Two lines: the kernel, the daemon. */
void bound_say(const struct bound *b, FILE *out);

#endif
