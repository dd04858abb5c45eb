/* SPDX-License-Identifier: Apache-2.0 */
#include "wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct wait_item) == 32 && WAIT_BYTES % 32 == 0, "wait_item");

/* The tail never reaches the head from behind: a ring whose offsets are equal is empty. */

int wait_open(struct wait *w)
{
    *w = (struct wait){.ring = calloc(1, WAIT_BYTES)}; /* pages never written take no memory */
    return w->ring ? 0 : -ENOMEM;
}

void wait_close(struct wait *w)
{
    free(w->ring);
    w->ring = NULL;
}

static struct wait_item *item_at(const struct wait *w, uint32_t off)
{
    return (void *)(w->ring + off);
}

static uint32_t after(const struct wait *w, uint32_t off)
{
    off += item_at(w, off)->size;
    return off == WAIT_BYTES ? 0 : off;
}

/* Forgets what is out at the old end. */
static void trim(struct wait *w)
{
    while (w->head != w->tail && item_at(w, w->head)->bytes == 0)
        w->head = after(w, w->head);
}

/* Where `size` bytes in a row are free; what is left of the ring's end becomes an item that is out.
 */
static bool find_room(struct wait *w, uint32_t size)
{
    uint32_t end = WAIT_BYTES - w->tail;

    if (w->tail < w->head)
        return w->head - w->tail > size;
    if (end > size || (end == size && w->head != 0))
        return true;
    if (w->head <= size)
        return false;
    *item_at(w, w->tail) = (struct wait_item){.size = end};
    w->tail = 0;
    return true;
}

bool wait_add(struct wait *w, const struct wait_item *item, const void *bytes, size_t size)
{
    struct wait_item *at;
    uint32_t total;

    if (w->n == WAIT_RECORDS || size == 0 || size > WAIT_BYTES / 2)
        return false;
    trim(w);
    if (w->n == 0)
        w->head = w->tail = 0;
    /* A multiple of the item's own size, so that an item fits where the ring's end is left. */
    total = (uint32_t)(sizeof(*item) * (1 + (size + sizeof(*item) - 1) / sizeof(*item)));
    if (!find_room(w, total))
        return false;
    at = item_at(w, w->tail);
    *at = *item;
    at->size = total;
    at->bytes = (uint32_t)size;
    memcpy(at + 1, bytes, size);
    w->tail = after(w, w->tail);
    w->n++;
    return true;
}

static struct wait_item *from(const struct wait *w, uint32_t off)
{
    while (off != w->tail && item_at(w, off)->bytes == 0)
        off = after(w, off);
    return off == w->tail ? NULL : item_at(w, off);
}

struct wait_item *wait_first(const struct wait *w)
{
    return from(w, w->head);
}

struct wait_item *wait_next(const struct wait *w, const struct wait_item *item)
{
    return from(w, after(w, (uint32_t)((const uint8_t *)item - w->ring)));
}

void wait_out(struct wait *w, struct wait_item *item)
{
    item->bytes = 0;
    w->n--;
}
