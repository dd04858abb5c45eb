/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader's side of a BPF ring buffer, without a system call for what is in sight: a window of
 * the buffer is mapped, and moved along when a record reaches beyond it. So what is resident is the
 * window, not the buffer, which would count twice. The kernel lists the buffer's pages twice in a
 * row, so that a record that goes around its end is in one piece in any window.
 *
 * One reader at a time. Records are in the kernel's memory, which can only be read.
 */
#ifndef RULEC_DRAIN_H
#define RULEC_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drain {
    int fd;                        /* of the map, the caller's; -1: there is no buffer */
    uint32_t size;                 /* of the buffer: a power of two, whole pages */
    size_t page, window_len;       /* a window always has room for the longest record */
    uint64_t window_at;            /* position in the buffer that the window begins with */
    const uint8_t *window;         /* NULL: none is mapped */
    unsigned long *consumer;       /* how far we have read; a page of its own */
    const unsigned long *producer; /* how far the kernel has written; as that */
};

#define DRAIN_NONE                                                                                 \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Takes a record; false: no further one for now. It holds until the function returns. */
typedef bool drain_record(void *ctx, const void *data, size_t size);

/* 0 or -errno; drain_close() is called in either case. */
int drain_open(struct drain *d, int fd, uint32_t size);
/* Hands on what is there, in order, each once. 0, or -errno: what is left is there next time. */
int drain_take(struct drain *d, drain_record *take, void *ctx);
void drain_close(struct drain *d);

#endif
