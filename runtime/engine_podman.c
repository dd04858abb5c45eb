/* SPDX-License-Identifier: Apache-2.0 */
/*
 * podman: ROOT/DRIVER-containers/containers.json names all containers and their images (those that
 * are removed when they end may stand in volatile-containers.json, below the run root);
 * DRIVER-containers/ID/userdata/config.json is the container's OCI configuration, and
 * DRIVER-images/images.json knows the image's digest. Its labels are in a database we do not read.
 */
#include <errno.h>
#include <stdio.h>

#include "engine.h"

static const char *const drivers[] = {"overlay", "vfs", "btrfs", "zfs"};

/* One element of a list at a time goes to `spare`; the one that is looked for is taken. */
struct search {
    const struct engine_look *l;
    struct meta *out;
    const char *id;
    size_t len;
    bool match, found;
};

static void on_metadata(void *ctx, const struct jread *j, enum jread_kind kind)
{
    if (kind == JREAD_TEXT && jread_is(j, "image-name"))
        meta_set(ctx, META_IMAGE, j->value, j->nvalue);
}

static void take(struct search *s)
{
    static const enum meta_text texts[] = {META_NAME, META_IMAGE, META_IMAGE_ID, META_DIGEST};
    const struct meta *from = &s->l->io->spare;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct meta_str t = from->text[texts[i]];

        meta_set(s->out, texts[i], from->pool + t.off, t.len);
    }
    s->found = true;
}

static void on_list(void *ctx, const struct jread *j, enum jread_kind kind)
{
    struct search *s = ctx;
    struct meta *spare = &s->l->io->spare;

    if (kind == JREAD_OPEN && jread_is(j, "*")) {
        meta_clear(spare);
        s->match = false;
    } else if (kind == JREAD_CLOSE && jread_is(j, "*") && s->match) {
        take(s);
    }
    if (kind != JREAD_TEXT)
        return;
    if (jread_is(j, "*.id"))
        s->match = j->nvalue == s->len && memcmp(j->value, s->id, s->len) == 0;
    else if (jread_is(j, "*.names.*"))
        meta_set(spare, META_NAME, j->value, j->nvalue);
    else if (jread_is(j, "*.image"))
        meta_set(spare, META_IMAGE_ID, j->value, j->nvalue);
    else if (jread_is(j, "*.digest"))
        meta_set(spare, META_DIGEST, j->value, j->nvalue);
    else if (jread_is(j, "*.metadata"))
        jread_run(&s->l->io->inner, j->value, j->nvalue, on_metadata, spare);
}

static int find(const struct engine_look *l, const char *path, const char *id, size_t len,
                struct meta *m)
{
    struct search s = {.l = l, .out = m, .id = id, .len = len};
    ssize_t n = engine_read(l, path);
    int rc;

    if (n < 0)
        return n == -ENOENT ? 0 : (int)n;
    /* The list may be long, and is looked at again and again for a container that is not in it. */
    if (!memmem(l->io->bytes, (size_t)n, id, len))
        return 0;
    rc = jread_run(&l->io->json, l->io->bytes, (size_t)n, on_list, &s);
    return rc ? rc : s.found;
}

/* The digest of the image, which has names too, but those of now and not of when it was used. */
static int find_digest(const struct engine_look *l, const char *driver, struct meta *m)
{
    struct meta_str id = m->text[META_IMAGE_ID];
    char path[64];

    snprintf(path, sizeof(path), "%s-images/images.json", driver);
    if (!id.off || m->text[META_DIGEST].off)
        return 0;
    return find(l, path, m->pool + id.off, id.len, m);
}

static int look(const struct engine_look *l, const char *driver, struct meta *m)
{
    char path[192];
    int found, rc = -ENOENT;

    snprintf(path, sizeof(path), "%s-containers/containers.json", driver);
    found = find(l, path, l->id, strlen(l->id), m);
    if (found == 0) {
        snprintf(path, sizeof(path), "%s-containers/volatile-containers.json", driver);
        found = find(l, path, l->id, strlen(l->id), m);
    }
    snprintf(path, sizeof(path), "%s-containers/%s/userdata/config.json", driver, l->id);
    if (found >= 0 && m->flag[META_PRIVILEGED] < 0)
        rc = engine_oci(l, path, (struct oci_look){.podman = true}, m);
    if (found < 0 || (rc < 0 && rc != -ENOENT))
        return found < 0 ? found : rc;
    rc = find_digest(l, driver, m);
    return rc < 0 ? rc : found;
}

int engine_podman(const struct engine_look *l, struct meta *m)
{
    int found = 0;

    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]) && found == 0; i++)
        found = look(l, drivers[i], m);
    return found;
}
