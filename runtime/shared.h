/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that the kernel's programs and the daemon have in common (bpf/abi.h): counters, lanes, and
 * whether the daemon sleeps. It is read and written without a system call. Where there is no such
 * map, because there are no rules to look for, it is memory of our own, and stays zero.
 */
#ifndef RULEC_SHARED_H
#define RULEC_SHARED_H

#include <stdint.h>

#include "../bpf/abi.h"

struct shared {
    struct cpu_stats *stats; /* by CPU */
    struct lane *lanes;      /* by 1 + rule */
    struct ring_reader *reader;
    uint32_t cpus, nlane;
};

/* The descriptors of maps `stats`, `lanes` and `reader`; -1: there is none. */
struct shared_maps {
    int stats, lanes, reader;
};

/* 0, or -errno. shared_close() is called in either case. */
int shared_open(struct shared *s, struct shared_maps maps, uint32_t cpus, uint32_t nrule);
void shared_close(struct shared *s);

/*
 * Memory of a map that may be mapped, or our own if `fd` is -1: `size` bytes. NULL: errno says why.
 * It goes with shared_unmap(), which takes NULL, too.
 */
void *shared_map(int fd, size_t size);
void shared_unmap(void *at, size_t size);

/* A counter that the kernel goes on writing. */
static inline uint64_t shared_read(const __u64 *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* The counters of each type of event, summed over CPUs. */
void shared_counts(const struct shared *s, uint64_t out[STAT_EVENTS][STAT_COUNT]);

/*
 * Events of a lane that its rule's limit kept from being sent. While they are counted it can be a
 * few less than it was: those that are on their way from a processor's counter to the lane's.
 */
uint64_t shared_limited(const struct shared *s, uint32_t lane);

/* How the kernel shall wake us: a full barrier, after which the buffer is to be looked at again. */
static inline void shared_set_reader(const struct shared *s, enum reader_state state)
{
    __atomic_store_n(&s->reader->state, state, __ATOMIC_SEQ_CST);
}

#endif
