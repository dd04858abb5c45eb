/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

void *shared_map(int fd, size_t size)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *at = mmap(NULL, whole_pages(size), PROT_READ | PROT_WRITE, flags, fd, 0);

    return at == MAP_FAILED ? NULL : at;
}

static void *map_memory(int fd, size_t size, int *rc)
{
    void *at = shared_map(fd, size);

    if (!at)
        *rc = -errno;
    return at;
}

int shared_open(struct shared *s, struct shared_maps maps, uint32_t cpus, uint32_t nrule)
{
    int rc = 0;

    *s = (struct shared){.cpus = cpus ? cpus : 1, .nlane = nrule + 1};
    s->stats = map_memory(maps.stats, s->cpus * sizeof(*s->stats), &rc);
    s->lanes = map_memory(maps.lanes, s->nlane * sizeof(*s->lanes), &rc);
    s->reader = map_memory(maps.reader, sizeof(*s->reader), &rc);
    return rc;
}

void shared_unmap(void *at, size_t size)
{
    if (at)
        munmap(at, whole_pages(size));
}

void shared_close(struct shared *s)
{
    shared_unmap(s->stats, s->cpus * sizeof(*s->stats));
    shared_unmap(s->lanes, s->nlane * sizeof(*s->lanes));
    shared_unmap(s->reader, sizeof(*s->reader));
    *s = (struct shared){0};
}

void shared_counts(const struct shared *s, uint64_t out[STAT_EVENTS][STAT_COUNT])
{
    memset(out, 0, sizeof(s->stats->n));
    for (uint32_t cpu = 0; cpu < s->cpus; cpu++)
        for (unsigned e = 0; e < STAT_EVENTS; e++)
            for (unsigned i = 0; i < STAT_COUNT; i++)
                out[e][i] += shared_read(&s->stats[cpu].n[e][i]);
}

uint64_t shared_limited(const struct shared *s, uint32_t lane)
{
    uint64_t n = __atomic_load_n(&s->lanes[lane].limited, __ATOMIC_ACQUIRE);

    for (uint32_t cpu = 0; cpu < s->cpus; cpu++) {
        uint64_t own = shared_read(&s->stats[cpu].limited);

        n += own >> 32 == lane ? (uint32_t)own : 0;
    }
    return n;
}
