/* SPDX-License-Identifier: Apache-2.0 */
#include "intern.h"

#include <string.h>

#include "arena.h"

struct word {
    const char *text;
    uint32_t len, hash;
};

/* Open addressing over ids; at most half full, so that a probe always ends. Id 0 marks a hole. */
struct intern {
    struct arena *arena;
    VEC(struct word) words;
    uint32_t *slots;
    uint32_t nslot; /* a power of two */
};

/* FNV-1a, folded: the low bits choose the slot. */
static uint32_t hash_bytes(const char *bytes, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32);
}

struct intern *intern_new(struct arena *a)
{
    struct intern *in = arena_alloc(a, sizeof(*in));
    in->arena = a;
    in->nslot = 1024;
    in->slots = arena_alloc(a, in->nslot * sizeof(*in->slots));
    VEC_PUSH(a, &in->words, (struct word){.text = ""});
    return in;
}

static void rehash(struct intern *in)
{
    in->nslot *= 2;
    in->slots = arena_alloc(in->arena, in->nslot * sizeof(*in->slots));
    for (uint32_t id = 1; id < in->words.n; id++) {
        uint32_t at = in->words.v[id].hash & (in->nslot - 1);
        while (in->slots[at])
            at = (at + 1) & (in->nslot - 1);
        in->slots[at] = id;
    }
}

/* The slot that holds these bytes, or the hole where they belong. */
static uint32_t find_slot(const struct intern *in, const char *bytes, size_t len, uint32_t hash)
{
    uint32_t at = hash & (in->nslot - 1);
    for (; in->slots[at]; at = (at + 1) & (in->nslot - 1)) {
        const struct word *w = &in->words.v[in->slots[at]];
        if (w->hash == hash && w->len == len && !memcmp(w->text, bytes, len))
            break;
    }
    return at;
}

str_id intern_find(const struct intern *in, const char *bytes, size_t len)
{
    return (str_id){len ? in->slots[find_slot(in, bytes, len, hash_bytes(bytes, len))] : 0};
}

str_id intern_put(struct intern *in, const char *bytes, size_t len)
{
    if (!len)
        return (str_id){0};
    if (in->words.n >= in->nslot / 2)
        rehash(in);
    uint32_t hash = hash_bytes(bytes, len);
    uint32_t at = find_slot(in, bytes, len, hash);
    if (!in->slots[at]) {
        char *copy = arena_alloc(in->arena, len + 1);
        memcpy(copy, bytes, len);
        in->slots[at] = VEC_PUSH(in->arena, &in->words, (struct word){copy, (uint32_t)len, hash});
    }
    return (str_id){in->slots[at]};
}

str_id intern_cstr(struct intern *in, const char *text)
{
    return intern_put(in, text, strlen(text));
}

const char *intern_text(const struct intern *in, str_id s)
{
    return in->words.v[s.i].text;
}

size_t intern_len(const struct intern *in, str_id s)
{
    return in->words.v[s.i].len;
}
