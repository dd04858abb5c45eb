/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The probe's layouts of map values (bpf/maps.h). */
struct pattern_value {
    uint32_t len;
    char text[260];
};
struct name_key {
    uint32_t set;
    char name[COMM_SIZE];
};

/* ---- constants ---- */

void *object_constant(const struct bpf_object *object, const char *name, size_t want)
{
    const struct btf *btf = bpf_object__btf(object);
    int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;
    struct bpf_map *map = NULL, *m;
    const struct btf_type *sec;
    const struct btf_var_secinfo *v;
    char *data = NULL;
    size_t size = 0;

    bpf_object__for_each_map (m, object) {
        const char *dot = strchr(bpf_map__name(m), '.'); /* not .rodata.str1.1 */

        if (dot && strcmp(dot, ".rodata") == 0)
            map = m;
    }
    if (map)
        data = (char *)(uintptr_t)bpf_map__initial_value(map, &size);
    if (id < 0 || !data)
        return NULL;
    sec = btf__type_by_id(btf, (uint32_t)id);
    v = btf_var_secinfos(sec);
    for (unsigned i = 0; i < btf_vlen(sec); i++) {
        const struct btf_type *var = btf__type_by_id(btf, v[i].type);

        if (strcmp(btf__name_by_offset(btf, var->name_off), name) == 0 && v[i].size == want &&
            v[i].offset <= size && want <= size - v[i].offset)
            return data + v[i].offset;
    }
    return NULL;
}

/* ---- maps: how large ---- */

void object_size_map(const struct bpf_object *object, const char *name, uint32_t entries)
{
    struct bpf_map *m = bpf_object__find_map_by_name(object, name);

    if (m)
        bpf_map__set_max_entries(m, entries ? entries : 1);
}

struct table {
    const char *map;
    const void *rows;
    uint32_t n;
    uint32_t size;
};
enum { TABLES = 5 };

static void list_tables(const struct rpk *p, struct table out[TABLES])
{
    const struct rpk_head *h = p->head;

    out[0] =
        (struct table){"class_edges", p->class_edges, h->class_edges.n, sizeof(*p->class_edges)};
    out[1] = (struct table){"class_rows", p->class_rows, h->class_rows.n, sizeof(*p->class_rows)};
    out[2] =
        (struct table){"class_cands", p->class_cands, h->class_cands.n, sizeof(*p->class_cands)};
    out[3] =
        (struct table){"class_tests", p->class_tests, h->class_tests.n, sizeof(*p->class_tests)};
    out[4] = (struct table){"sketch_rows", p->sketch, h->sketch.n, sizeof(*p->sketch)};
}

static void set_name_bits(const struct bpf_object *object, const struct rpk *p)
{
    uint64_t *bits = object_constant(object, "name_bits", NAME_BITS / 8), words[2];

    if (!bits)
        return;
    memset(bits, 0, NAME_BITS / 8);
    for (uint32_t i = 0; i < p->head->names.n; i++) {
        memcpy(words, p->names[i].name, sizeof(words));
        uint32_t bit = name_bit(words[0], words[1]);
        bits[bit / 64] |= 1ull << bit % 64;
    }
}

void object_size_maps(const struct bpf_object *object, const struct rpk *p)
{
    struct sketch_head *head = object_constant(object, "sketch_head", sizeof(*head));
    struct table t[TABLES];

    if (head && p->head->sketch.n)
        memcpy(head, p->sketch, sizeof(*head));
    set_name_bits(object, p);
    list_tables(p, t);
    for (int i = 0; i < TABLES; i++)
        object_size_map(object, t[i].map, t[i].n);
    object_size_map(object, "patterns", p->head->patterns.n);
    object_size_map(object, "name_sets", p->head->names.n);
}

/* ---- maps: what is in them ---- */

/* All in one call. */
static int update(const struct bpf_map *m, const void *keys, const void *values, uint32_t n)
{
    LIBBPF_OPTS(bpf_map_batch_opts, opts);
    uint32_t done = n;

    if (bpf_map_update_batch(bpf_map__fd(m), keys, values, &done, &opts) != 0 || done != n)
        return errno ? -errno : -EIO;
    return 0;
}

/*
 * Array maps: key and row number are one. Values are written whole: one that another probe sized
 * otherwise would be read past its end.
 */
static int fill_table(const struct bpf_object *object, const struct table *t)
{
    struct bpf_map *m = bpf_object__find_map_by_name(object, t->map);
    uint32_t *keys;
    int rc;

    if (t->n == 0)
        return 0;
    if (!m || bpf_map__value_size(m) != t->size)
        return -EINVAL;
    keys = malloc(t->n * sizeof(*keys));
    if (!keys)
        return -ENOMEM;
    for (uint32_t i = 0; i < t->n; i++)
        keys[i] = i;
    rc = update(m, keys, t->rows, t->n);
    free(keys);
    return rc;
}

static int fill_patterns(const struct bpf_object *object, const struct rpk *p)
{
    uint32_t n = p->head->patterns.n;
    struct pattern_value *rows = calloc(n + 1u, sizeof(*rows));
    int rc = rows ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < n && !rc; i++) {
        rows[i].len = p->patterns[i].len;
        if (rows[i].len > sizeof(rows[i].text))
            rc = -E2BIG;
        else
            memcpy(rows[i].text, rpk_text(p, p->patterns[i]), rows[i].len);
    }
    if (!rc)
        rc = fill_table(object, &(struct table){"patterns", rows, n, sizeof(*rows)});
    free(rows);
    return rc;
}

static int fill_names(const struct bpf_object *object, const struct rpk *p)
{
    struct bpf_map *m = bpf_object__find_map_by_name(object, "name_sets");
    uint32_t n = p->head->names.n;
    struct name_key *keys;
    uint8_t *ones;
    int rc = -ENOMEM;

    if (n == 0)
        return 0;
    if (!m || bpf_map__key_size(m) != sizeof(*keys) || bpf_map__value_size(m) != sizeof(*ones))
        return -EINVAL;
    keys = calloc(n, sizeof(*keys));
    ones = malloc(n);
    for (uint32_t i = 0; i < n && keys; i++) {
        keys[i].set = p->names[i].set;
        memcpy(keys[i].name, p->names[i].name, COMM_SIZE);
    }
    if (keys && ones) {
        memset(ones, 1, n);
        rc = update(m, keys, ones, n);
    }
    free(keys);
    free(ones);
    return rc;
}

int object_fill_maps(const struct bpf_object *object, const struct rpk *p)
{
    struct table t[TABLES];
    int rc = fill_patterns(object, p);

    if (!rc)
        rc = fill_names(object, p);
    list_tables(p, t);
    for (int i = 0; i < TABLES && !rc; i++)
        rc = fill_table(object, &t[i]);
    return rc;
}
