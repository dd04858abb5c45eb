/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 16u
#define BLOCK_FIRST (64u << 10)
#define BLOCK_MAX (1u << 20)

struct block {
    struct block *older;
    size_t size, used; /* of data[] */
    _Alignas(ALIGN) char data[];
};

struct arena {
    struct block *block; /* the newest; the only one that is still filled */
    size_t total;
};

/* Memory is the one thing no caller could do anything about: see arena.h. */
static void *take(size_t size)
{
    void *p = calloc(1, size);
    if (!p) {
        fprintf(stderr, "rulec: out of memory (%zu bytes wanted)\n", size);
        exit(2);
    }
    return p;
}

struct arena *arena_new(void)
{
    return take(sizeof(struct arena));
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct block *b = a->block, *older; b; b = older) {
        older = b->older;
        free(b);
    }
    free(a);
}

static size_t round_up(size_t size)
{
    if (size > SIZE_MAX / 2) {
        fprintf(stderr, "rulec: out of memory (%zu bytes wanted)\n", size);
        exit(2);
    }
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/*
 * Blocks double up to BLOCK_MAX. A request above that gets a block to itself, put *behind* the
 * newest one, so that the room left there is not lost.
 */
static struct block *add_block(struct arena *a, size_t size)
{
    size_t want = a->block ? a->block->size * 2 : BLOCK_FIRST;
    want = want > BLOCK_MAX ? BLOCK_MAX : want;
    bool own = a->block && size > want;
    want = size > want ? size : want;
    struct block *b = take(sizeof(*b) + want);
    b->size = want;
    a->total += want;
    if (own) {
        b->older = a->block->older;
        a->block->older = b;
    } else {
        b->older = a->block;
        a->block = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size = round_up(size ? size : 1);
    struct block *b = a->block;
    if (!b || b->size - b->used < size)
        b = add_block(a, size);
    void *p = b->data + b->used;
    b->used += size;
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    size_t size = n < 0 ? 1 : (size_t)n + 1;
    char *s = arena_alloc(a, size);
    if (n > 0)
        vsnprintf(s, size, fmt, again);
    va_end(again);
    va_end(ap);
    return s;
}

size_t arena_size(const struct arena *a)
{
    return a->total;
}

/* True if `v` is the last thing taken from the newest block and can grow where it stands. */
static bool grow_in_place(struct arena *a, const void *v, size_t old, size_t wanted)
{
    struct block *b = a->block;
    old = round_up(old);
    wanted = round_up(wanted);
    if (!b || !v || b->used < old || (const char *)v != b->data + b->used - old)
        return false;
    if (wanted - old > b->size - b->used)
        return false;
    b->used += wanted - old;
    return true;
}

static void too_many(void)
{
    fprintf(stderr, "rulec: out of memory (more than %u elements)\n", UINT32_MAX / 2);
    exit(2);
}

static void *resize(struct arena *a, void *v, uint32_t *cap, size_t size, uint32_t cap_new)
{
    if (!grow_in_place(a, v, *cap * size, cap_new * size)) {
        void *w = arena_alloc(a, cap_new * size);
        if (v)
            memcpy(w, v, *cap * size);
        v = w;
    }
    *cap = cap_new;
    return v;
}

void *vec_grow(struct arena *a, void *v, uint32_t *n, uint32_t *cap, size_t size)
{
    if (*n < *cap)
        return v;
    if (*cap > UINT32_MAX / 2)
        too_many();
    return resize(a, v, cap, size, *cap ? *cap * 2 : 16);
}

void *vec_room(struct arena *a, void *v, uint32_t *cap, size_t size, size_t want)
{
    uint32_t cap_new = *cap ? *cap : 16;
    if (want > UINT32_MAX / 2)
        too_many();
    while (cap_new < want)
        cap_new *= 2;
    return cap_new == *cap ? v : resize(a, v, cap, size, cap_new);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void vec_sort_u32(uint32_t *v, size_t n)
{
    if (n)
        qsort(v, n, sizeof(*v), compare_u32);
}
