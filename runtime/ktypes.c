/* SPDX-License-Identifier: Apache-2.0 */
#include "ktypes.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "whole.h"

#define NAMES 2048 /* places for names that are looked for, a power of two; twice their number */
#define MAGIC 0xeb9f

/* What follows a type, by its kind, and where it refers to others. */
struct kind {
    uint8_t fixed, each; /* bytes behind it: in any case, and for each of its vlen parts */
    bool refers;         /* by what is its size otherwise */
    uint8_t at, stride;  /* of references among what follows; stride 0: there are none */
    bool within;         /* what it refers to is part of it: its size, its fields */
};

static const struct kind kinds[] = {
    [BTF_KIND_INT] = {.fixed = 4},
    [BTF_KIND_PTR] = {.refers = true},
    [BTF_KIND_ARRAY] = {.fixed = 12, .stride = 4, .within = true},
    [BTF_KIND_STRUCT] = {.each = 12, .at = 4, .stride = 12, .within = true},
    [BTF_KIND_UNION] = {.each = 12, .at = 4, .stride = 12, .within = true},
    [BTF_KIND_ENUM] = {.each = 8},
    [BTF_KIND_FWD] = {.fixed = 0},
    [BTF_KIND_TYPEDEF] = {.refers = true, .within = true},
    [BTF_KIND_VOLATILE] = {.refers = true, .within = true},
    [BTF_KIND_CONST] = {.refers = true, .within = true},
    [BTF_KIND_RESTRICT] = {.refers = true, .within = true},
    [BTF_KIND_FUNC] = {.refers = true},
    [BTF_KIND_FUNC_PROTO] = {.each = 8, .refers = true, .at = 4, .stride = 8},
    [BTF_KIND_VAR] = {.fixed = 4, .refers = true},
    [BTF_KIND_DATASEC] = {.each = 12, .stride = 12},
    [BTF_KIND_FLOAT] = {.fixed = 0},
    [BTF_KIND_DECL_TAG] = {.fixed = 4, .refers = true},
    [BTF_KIND_TYPE_TAG] = {.refers = true, .within = true},
    [BTF_KIND_ENUM64] = {.each = 12},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct ktypes {
    const struct btf_header *head;
    const char *types, *names; /* types: all of them, one behind the other */
    uint32_t *place;           /* in bytes, of each type; the first is no type */
    bool *kept;                /* of each: with its name */
    uint32_t *todo, ntodo;     /* kept, and not looked into yet */
    uint32_t n, end;           /* types; those from `end` on are not needed */
    const char *wanted[NAMES];
    size_t length[NAMES];
};

/* ---- names ---- */

/* Without its flavor: what follows three underscores tells versions of a type apart. */
static size_t essential(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = n > 4 ? n - 4 : 0; i > 0; i--)
        if (name[i] == '_' && name[i + 1] == '_' && name[i + 2] == '_' && name[i - 1] != '_' &&
            name[i + 3] != '_')
            return i;
    return n;
}

/* Its place in the table, or the free one where it would be. */
static uint32_t place_of(const struct ktypes *k, const char *name, size_t n)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    hash ^= hash >> 16;
    for (hash &= NAMES - 1; k->wanted[hash]; hash = (hash + 1) & (NAMES - 1))
        if (k->length[hash] == n && memcmp(k->wanted[hash], name, n) == 0)
            break;
    return hash;
}

/* False: there are too many. */
static bool want_names(struct ktypes *k, const struct btf *ours)
{
    uint32_t count = 0;

    for (uint32_t i = 1; i < btf__type_cnt(ours); i++) {
        const struct btf_type *t = btf__type_by_id(ours, i);
        const char *name = btf__name_by_offset(ours, t->name_off);
        size_t n = name ? essential(name) : 0;
        uint32_t at = place_of(k, name, n);

        if (n == 0 || btf_is_func(t) || btf_is_var(t) || k->wanted[at])
            continue;
        if (++count > NAMES / 2)
            return false;
        k->wanted[at] = name;
        k->length[at] = n;
    }
    return true;
}

/* ---- types ---- */

static const struct btf_type *type_at(const struct ktypes *k, uint32_t id)
{
    return (const struct btf_type *)(const void *)(k->types + k->place[id]);
}

static size_t size_of(const struct btf_type *t)
{
    const struct kind *kind = &kinds[btf_kind(t)];

    return sizeof(*t) + kind->fixed + (size_t)kind->each * btf_vlen(t);
}

/* How many references are in what follows it. */
static uint32_t count_of(const struct btf_type *t)
{
    return btf_is_array(t) ? 2 : kinds[btf_kind(t)].stride ? btf_vlen(t) : 0;
}

static uint32_t *ref_at(const struct btf_type *t, uint32_t i)
{
    const struct kind *kind = &kinds[btf_kind(t)];

    return (uint32_t *)((uintptr_t)(t + 1) + kind->at + (size_t)i * kind->stride);
}

static void keep(struct ktypes *k, uint32_t id)
{
    if (id == 0 || id >= k->n || k->kept[id])
        return;
    k->kept[id] = true;
    k->todo[k->ntodo++] = id;
    if (id >= k->end)
        k->end = id + 1;
}

/* Finds each type's place. False: not understood. */
static bool find_places(struct ktypes *k)
{
    size_t len = k->head->type_len, at = 0;

    for (k->n = 1; at < len; k->n++) {
        const struct btf_type *t = (const struct btf_type *)(const void *)(k->types + at);

        if (len - at < sizeof(*t) || btf_kind(t) >= KINDS || btf_kind(t) == BTF_KIND_UNKN ||
            size_of(t) > len - at || t->name_off >= k->head->str_len)
            return false;
        k->place[k->n] = (uint32_t)at;
        at += size_of(t);
    }
    return true;
}

static bool is_wanted(const struct ktypes *k, const struct btf_type *t)
{
    const char *name = k->names + t->name_off;

    if (btf_is_int(t)) /* they tell libbpf how wide a pointer is */
        return true;
    if (!*name || btf_is_func(t) || btf_is_var(t))
        return false;
    return k->wanted[place_of(k, name, essential(name))] != NULL;
}

/* What is wanted, and what is part of that. */
static void keep_needed(struct ktypes *k)
{
    for (uint32_t id = 1; id < k->n; id++)
        if (is_wanted(k, type_at(k, id)))
            keep(k, id);
    while (k->ntodo) {
        const struct btf_type *t = type_at(k, k->todo[--k->ntodo]);

        if (!kinds[btf_kind(t)].within)
            continue;
        if (kinds[btf_kind(t)].refers)
            keep(k, t->type);
        for (uint32_t i = 0; i < count_of(t); i++)
            keep(k, *ref_at(t, i));
    }
}

/* A reference to what is cut off says that it is nothing. */
static void bend(const struct ktypes *k, uint32_t *ref)
{
    if (*ref >= k->end)
        *ref = 0;
}

static void *write_kept(const struct ktypes *k, size_t *size)
{
    size_t types = k->end < k->n ? k->place[k->end] : k->head->type_len;
    char *out = malloc(sizeof(*k->head) + types + k->head->str_len);
    struct btf_header *head = (struct btf_header *)(void *)out;

    if (!out)
        return NULL;
    *head = *k->head;
    head->hdr_len = sizeof(*head);
    head->type_off = 0;
    head->type_len = head->str_off = (uint32_t)types;
    memcpy(out + sizeof(*head), k->types, types);
    memcpy(out + sizeof(*head) + types, k->names, k->head->str_len);
    for (uint32_t id = 1; id < k->end; id++) {
        struct btf_type *t = (struct btf_type *)(void *)(out + sizeof(*head) + k->place[id]);

        if (!k->kept[id])
            t->name_off = 0;
        if (kinds[btf_kind(t)].refers)
            bend(k, &t->type);
        for (uint32_t i = 0; i < count_of(t); i++)
            bend(k, ref_at(t, i));
    }
    *size = sizeof(*head) + types + head->str_len;
    return out;
}

/* Where types and names are. False: not understood. */
static bool read_head(struct ktypes *k, const void *all, size_t size)
{
    const struct btf_header *h = all;
    size_t rest;

    if (size < sizeof(*h) || h->magic != MAGIC || h->hdr_len < sizeof(*h) || h->hdr_len > size)
        return false;
    rest = size - h->hdr_len;
    if (h->type_off > rest || h->type_len > rest - h->type_off || h->str_off > rest ||
        h->str_len > rest - h->str_off || h->str_len == 0 || (h->hdr_len + h->type_off) % 4)
        return false;
    k->head = h;
    k->types = (const char *)all + h->hdr_len + h->type_off;
    k->names = (const char *)all + h->hdr_len + h->str_off;
    return k->names[h->str_len - 1] == '\0';
}

void *ktypes_cut(const void *all, size_t size, const struct btf *ours, size_t *cut)
{
    struct ktypes *k = calloc(1, sizeof(*k));
    void *out = NULL;
    size_t most;

    if (!k || !read_head(k, all, size)) {
        free(k);
        return NULL;
    }
    most = k->head->type_len / sizeof(struct btf_type) + 2;
    k->end = 1;
    k->place = malloc(most * sizeof(*k->place));
    k->kept = calloc(most, sizeof(*k->kept));
    k->todo = malloc(most * sizeof(*k->todo));
    if (k->place && k->kept && k->todo && want_names(k, ours) && find_places(k)) {
        keep_needed(k);
        out = write_kept(k, cut);
    }
    free(k->place);
    free(k->kept);
    free(k->todo);
    free(k);
    return out;
}

/* ---- files ---- */

int ktypes_open(char path[KTYPES_PATH])
{
    int fd = memfd_create("types", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    snprintf(path, KTYPES_PATH, "/proc/self/fd/%d", fd);
    if (access(path, R_OK) == 0)
        return fd;
    close(fd);
    return -ENOENT;
}

/* Kernels before 6.16 do not map it. NULL: it cannot be read. */
static void *read_all(int fd, size_t size)
{
    char *all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t at = 0;
    ssize_t n = 1;

    if (all == MAP_FAILED)
        return NULL;
    for (; at < size && n > 0; at += n > 0 ? (size_t)n : 0)
        n = read(fd, all + at, size - at);
    if (at == size)
        return all;
    munmap(all, size);
    return NULL;
}

static void *map_all(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st = {.st_size = 0};
    void *all = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        *size = (size_t)st.st_size;
        all = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (all == MAP_FAILED)
            all = read_all(fd, *size);
    }
    close(fd);
    return all;
}

int ktypes_fill(int fd, const char *from, const struct btf *ours)
{
    size_t size = 0, cut = 0;
    void *all = map_all(from, &size), *part;
    int rc;

    if (!all)
        return -ENOENT;
    part = ours ? ktypes_cut(all, size, ours, &cut) : NULL;
    rc = part ? write_whole(fd, part, cut) : write_whole(fd, all, size);
    free(part);
    munmap(all, size);
    return rc;
}
