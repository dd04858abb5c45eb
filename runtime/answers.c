/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST 1024 /* places at the start; always a power of two, at most half of them in use */

struct answers {
    struct capture_part *places; /* bytes NULL: free */
    size_t nplace, n;
    uint64_t secret;
};

struct answers *answers_new(void)
{
    struct answers *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    a->places = calloc(FIRST, sizeof(*a->places));
    a->nplace = FIRST;
    if (a->places && getrandom(&a->secret, sizeof(a->secret), 0) == sizeof(a->secret))
        return a;
    answers_free(a);
    return NULL;
}

void answers_free(struct answers *a)
{
    for (size_t i = 0; a && a->places && i < a->nplace; i++)
        free((void *)(uintptr_t)a->places[i].bytes);
    if (a)
        free(a->places);
    free(a);
}

static size_t hash(const struct answers *a, const char *key, size_t nkey)
{
    uint64_t last = nkey, h;
    size_t whole = nkey & ~(size_t)7;

    memcpy(&last, key + whole, nkey - whole);
    h = capture_check(a->secret, key, whole);
    return (size_t)capture_check(h, &last, sizeof(last));
}

/* The place of a key, or the free one where it would stand. */
static struct capture_part *place(const struct answers *a, const char *key, size_t nkey)
{
    for (size_t i = hash(a, key, nkey);; i++) {
        struct capture_part *p = &a->places[i & (a->nplace - 1)];
        const char *other;
        size_t n;

        if (!p->bytes)
            return p;
        other = capture_key(p, &n);
        if (n == nkey && memcmp(other, key, n) == 0)
            return p;
    }
}

static bool grow(struct answers *a)
{
    struct answers more = *a;

    more.nplace = 2 * a->nplace;
    more.places = calloc(more.nplace, sizeof(*more.places));
    if (!more.places)
        return false;
    for (size_t i = 0; i < a->nplace; i++) {
        const char *key;
        size_t nkey;

        if (!a->places[i].bytes)
            continue;
        key = capture_key(&a->places[i], &nkey);
        *place(&more, key, nkey) = a->places[i];
    }
    free(a->places);
    *a = more;
    return true;
}

bool answers_put(struct answers *a, const struct capture_part *answer)
{
    struct capture_part *p, copy = *answer;
    size_t nkey;
    const char *key = capture_key(answer, &nkey);
    void *bytes;

    if (2 * (a->n + 1) > a->nplace && !grow(a))
        return false;
    bytes = malloc(answer->size);
    if (!bytes)
        return false;
    memcpy(bytes, answer->bytes, answer->size);
    copy.bytes = bytes;
    p = place(a, key, nkey);
    a->n += !p->bytes;
    free((void *)(uintptr_t)p->bytes);
    *p = copy;
    return true;
}

const struct capture_part *answers_find(const struct answers *a, const char *key, size_t nkey)
{
    const struct capture_part *p = place(a, key, nkey);

    return p->bytes ? p : NULL;
}
