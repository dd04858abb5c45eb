/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of one compilation: taken in blocks, given back all at once.
 *
 * Nothing here returns NULL: when memory runs out the program ends with exit code 2 and one line
 * on standard error (the only exit outside main.c). All memory is zeroed.
 */
#ifndef RULEC_ARENA_H
#define RULEC_ARENA_H

#include <stddef.h>
#include <string.h>
#include <stdint.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);                /* NULL is fine */
void *arena_alloc(struct arena *a, size_t size); /* aligned to 16 */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes taken from the system so far. */
size_t arena_size(const struct arena *a);

/* Room for one more element of `size` bytes in a VEC: its array. An old one stays in the arena. */
void *vec_grow(struct arena *a, void *v, uint32_t *n, uint32_t *cap, size_t size);

/* The same for `want` elements in all. */
void *vec_room(struct arena *a, void *v, uint32_t *cap, size_t size, size_t want);

/* Elements of a VEC, ascending. */
void vec_sort_u32(uint32_t *v, size_t n);

/* VEC_PUSH(arena, vec, element): appends, and is the index of the new element. */
#define VEC_PUSH(arena, vec, ...)                                                                  \
    ((vec)->v = vec_grow((arena), (vec)->v, &(vec)->n, &(vec)->cap, sizeof(*(vec)->v)),            \
     (vec)->v[(vec)->n] = (__VA_ARGS__), (vec)->n++)

/* VEC_APPEND(arena, vec, elements, count): appends them all. */
#define VEC_APPEND(arena, vec, from, count)                                                        \
    do {                                                                                           \
        size_t count_ = (count);                                                                   \
        (vec)->v = vec_room((arena), (vec)->v, &(vec)->cap, sizeof(*(vec)->v), (vec)->n + count_); \
        if (count_)                                                                                \
            memcpy((vec)->v + (vec)->n, (from), count_ * sizeof(*(vec)->v));                       \
        (vec)->n += (uint32_t)count_;                                                              \
    } while (0)

#endif
