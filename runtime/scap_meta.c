/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_meta.h"

#include <stdlib.h>
#include <string.h>

#include "../bpf/abi.h"
#include "jread.h"

#define PENDING "incomplete" /* what stands for a text that Falco was still waiting for */
#define ID_MAX 64

struct entry {
    uint32_t len;
    char id[ID_MAX];
    struct meta meta;
};

struct scap_metas {
    struct entry *v[SCAP_METAS];
    unsigned n;
    struct entry made; /* the text at hand */
    struct meta_mount *mount;
    bool pending;
    struct jread json;
};

struct scap_metas *scap_metas_new(void)
{
    return calloc(1, sizeof(struct scap_metas));
}

void scap_metas_clear(struct scap_metas *s)
{
    while (s->n)
        free(s->v[--s->n]);
}

void scap_metas_free(struct scap_metas *s)
{
    if (s)
        scap_metas_clear(s);
    free(s);
}

static struct entry *find(const struct scap_metas *s, const char *id, size_t n)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->v[i]->len == n && memcmp(s->v[i]->id, id, n) == 0)
            return s->v[i];
    return NULL;
}

const struct meta *scap_metas_find(const struct scap_metas *s, const char *id, size_t n)
{
    const struct entry *e = find(s, id, n);

    return e ? &e->meta : NULL;
}

/* ---- the text ---- */

static const struct {
    const char *place;
    enum meta_text to;
} texts[] = {
    {"container.name", META_NAME},
    {"container.image", META_IMAGE},
    {"container.imageid", META_IMAGE_ID},
    {"container.imagedigest", META_DIGEST},
    {"container.ip", META_IP},
};

static void on_mount(struct scap_metas *s, const struct jread *j, enum jread_kind kind)
{
    struct meta *m = &s->made.meta;

    if (kind == JREAD_OPEN && jread_is(j, "container.Mounts.*"))
        s->mount = meta_mount(m);
    if (!s->mount)
        return;
    if (jread_is(j, "container.Mounts.*.RDW"))
        s->mount->writable = kind == JREAD_TRUE;
    if (kind != JREAD_TEXT)
        return;
    if (jread_is(j, "container.Mounts.*.Source"))
        s->mount->source = meta_keep(m, j->value, j->nvalue);
    else if (jread_is(j, "container.Mounts.*.Destination"))
        s->mount->dest = meta_keep(m, j->value, j->nvalue);
    else if (jread_is(j, "container.Mounts.*.Mode"))
        s->mount->mode = meta_keep(m, j->value, j->nvalue);
    else if (jread_is(j, "container.Mounts.*.Propagation"))
        s->mount->propagation = meta_keep(m, j->value, j->nvalue);
}

static void on_text(struct scap_metas *s, const struct jread *j)
{
    struct entry *e = &s->made;
    const char *key;
    size_t nkey;

    if (jread_is(j, "container.id") && j->nvalue <= ID_MAX) {
        e->len = j->nvalue;
        memcpy(e->id, j->value, j->nvalue);
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (jread_is(j, texts[i].place)) {
            s->pending |= j->nvalue == strlen(PENDING) && memcmp(j->value, PENDING, j->nvalue) == 0;
            meta_set(&e->meta, texts[i].to, j->value, j->nvalue);
        }
    if (jread_is(j, "container.labels.*")) {
        key = jread_key(j, &nkey);
        meta_label(&e->meta, false, key, nkey, j->value, j->nvalue);
    }
}

static void on_json(void *ctx, const struct jread *j, enum jread_kind kind)
{
    struct scap_metas *s = ctx;

    if (jread_is(j, "container.privileged") && (kind == JREAD_TRUE || kind == JREAD_FALSE))
        s->made.meta.flag[META_PRIVILEGED] = kind == JREAD_TRUE;
    if (kind == JREAD_TEXT)
        on_text(s, j);
    on_mount(s, j, kind);
}

bool scap_metas_put(struct scap_metas *s, const char *json, size_t n)
{
    struct entry *e;

    memset(&s->made, 0, sizeof(s->made));
    meta_clear(&s->made.meta);
    s->mount = NULL;
    s->pending = false;
    if (jread_run(&s->json, json, n, on_json, s) || s->made.len == 0)
        return false;
    if (s->made.len > CONTAINER_ID_SHOWN && s->made.len == ID_MAX)
        s->made.len = CONTAINER_ID_SHOWN; /* a whole id */
    e = find(s, s->made.id, s->made.len);
    if (s->pending)
        return true; /* what is known already is better */
    if (!e) {
        e = s->n < SCAP_METAS ? malloc(sizeof(*e)) : NULL;
        if (!e)
            return false;
        s->v[s->n++] = e;
    }
    *e = s->made;
    return true;
}
