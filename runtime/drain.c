/* SPDX-License-Identifier: Apache-2.0 */
#include "drain.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../bpf/abi.h"

#define WINDOW (256u << 10)
_Static_assert(RING_ROOM(sizeof(struct ev)) <= WINDOW, "the longest record is in one window");

#define LEN_DISCARDED ((uint32_t)BPF_RINGBUF_DISCARD_BIT)

/* What precedes a record: its length with two flags, and where its page is. */
struct head {
    uint32_t len, page;
};

static void *map_pages(const struct drain *d, void *at, size_t len, int prot, size_t page)
{
    int flags = at ? MAP_SHARED | MAP_FIXED : MAP_SHARED;
    void *got = mmap(at, len, prot, flags, d->fd, (off_t)(page * d->page));

    return got == MAP_FAILED ? NULL : got;
}

static void unmap(const void *at, size_t len)
{
    if (at)
        munmap((void *)(uintptr_t)at, len);
}

int drain_open(struct drain *d, int fd, uint32_t size)
{
    *d = (struct drain){.fd = fd, .size = size, .page = (size_t)sysconf(_SC_PAGESIZE)};
    /* A record begins anywhere in the window's first page. */
    d->window_len = (size < WINDOW ? size : WINDOW) + d->page;
    d->consumer = map_pages(d, NULL, d->page, PROT_READ | PROT_WRITE, 0);
    if (d->consumer)
        d->producer = map_pages(d, NULL, d->page, PROT_READ, 1);
    return d->producer ? 0 : -errno;
}

/* The window then begins with the page that `at` is in. */
static int move_window(struct drain *d, uint64_t at)
{
    uint64_t first = at & ~(uint64_t)(d->page - 1);
    size_t page = 2 + (size_t)((first & (d->size - 1)) / d->page);
    void *old = (void *)(uintptr_t)d->window;
    int rc;

    d->window = map_pages(d, old, d->window_len, PROT_READ, page);
    d->window_at = first;
    if (d->window)
        return 0;
    rc = -errno;
    unmap(old, d->window_len);
    return rc;
}

/* `len` bytes at that position, in the window as it is; NULL: they are not all in it. */
static const void *in_sight(const struct drain *d, uint64_t at, size_t len)
{
    uint64_t from = at - d->window_at;

    return d->window && len <= d->window_len && from <= d->window_len - len ? d->window + from
                                                                            : NULL;
}

/* The same, with the window moved if it has to be. */
static const void *look(struct drain *d, uint64_t at, size_t len, int *rc)
{
    const void *found = in_sight(d, at, len);

    if (found)
        return found;
    *rc = move_window(d, at);
    return *rc ? NULL : in_sight(d, at, len);
}

/* The record at that position, with its head; NULL: it is still being written, or `*rc`. */
static const struct head *record_at(struct drain *d, uint64_t at, uint32_t *len, int *rc)
{
    const struct head *h = look(d, at, sizeof(*h), rc);

    if (!h)
        return NULL;
    *len = __atomic_load_n(&h->len, __ATOMIC_ACQUIRE);
    if (*len & BPF_RINGBUF_BUSY_BIT)
        return NULL;
    h = look(d, at, sizeof(*h) + (*len & ~LEN_DISCARDED), rc);
    if (!h && !*rc)
        *rc = -EMSGSIZE;
    return h;
}

int drain_take(struct drain *d, drain_record *take, void *ctx)
{
    unsigned long at, end;
    bool on = true;
    int rc = 0;

    if (d->fd < 0)
        return 0;
    at = __atomic_load_n(d->consumer, __ATOMIC_RELAXED);
    end = __atomic_load_n(d->producer, __ATOMIC_ACQUIRE);
    while (on && at < end) {
        uint32_t len;
        const struct head *h = record_at(d, at, &len, &rc);

        if (!h)
            break;
        if (len & LEN_DISCARDED)
            len &= ~LEN_DISCARDED;
        else
            on = take(ctx, h + 1, len);
        at += (sizeof(*h) + len + 7) & ~7ul;
        __atomic_store_n(d->consumer, at, __ATOMIC_RELEASE);
        if (at == end)
            end = __atomic_load_n(d->producer, __ATOMIC_ACQUIRE);
    }
    return rc;
}

void drain_close(struct drain *d)
{
    unmap(d->window, d->window_len);
    unmap(d->producer, d->page);
    unmap(d->consumer, d->page);
    *d = (struct drain)DRAIN_NONE;
}
