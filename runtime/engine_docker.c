/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker: DATA-ROOT/containers/ID/config.v2.json and hostconfig.json, and the names and digests of
 * images in DATA-ROOT/image/DRIVER/repositories.json.
 */
#include <errno.h>
#include <stdio.h>

#include "engine.h"

struct config {
    const struct engine_look *l;
    struct meta *m;
    struct meta_mount *mount;
    bool found;
    char driver[32];
};

static struct meta_str keep(struct meta *m, const struct jread *j)
{
    return meta_keep(m, j->value, j->nvalue);
}

static void on_mount(struct config *c, const struct jread *j, enum jread_kind kind)
{
    if (kind == JREAD_OPEN && jread_is(j, "MountPoints.*"))
        c->mount = meta_mount(c->m);
    if (!c->mount)
        return;
    if (jread_is(j, "MountPoints.*.RW"))
        c->mount->writable = kind == JREAD_TRUE;
    if (kind != JREAD_TEXT)
        return;
    if (jread_is(j, "MountPoints.*.Source"))
        c->mount->source = keep(c->m, j);
    else if (jread_is(j, "MountPoints.*.Destination"))
        c->mount->dest = keep(c->m, j);
    else if (jread_is(j, "MountPoints.*.Relabel")) /* the mode's name in this file */
        c->mount->mode = keep(c->m, j);
    else if (jread_is(j, "MountPoints.*.Propagation"))
        c->mount->propagation = keep(c->m, j);
}

static void on_text(struct config *c, const struct jread *j)
{
    struct meta *m = c->m;
    const char *key;
    size_t n;

    if (jread_is(j, "ID"))
        c->found = engine_text_is(j, c->l->id);
    else if (jread_is(j, "Name"))
        meta_set(m, META_NAME, j->value + (j->value[0] == '/'),
                 j->nvalue - (j->nvalue && j->value[0] == '/'));
    else if (jread_is(j, "Config.Image"))
        meta_set(m, META_IMAGE, j->value, j->nvalue);
    else if (jread_is(j, "Image") && j->nvalue > 7 && memcmp(j->value, "sha256:", 7) == 0)
        meta_set(m, META_IMAGE_ID, j->value + 7, j->nvalue - 7);
    else if (jread_is(j, "NetworkSettings.Networks.*.IPAddress"))
        meta_set(m, META_IP, j->value, j->nvalue);
    else if (jread_is(j, "Driver"))
        snprintf(c->driver, sizeof(c->driver), "%.*s", (int)j->nvalue, j->value);
    else if (jread_is(j, "Config.Labels.*")) {
        key = jread_key(j, &n);
        meta_label(m, false, key, n, j->value, j->nvalue);
    }
}

static void on_config(void *ctx, const struct jread *j, enum jread_kind kind)
{
    on_mount(ctx, j, kind);
    if (kind == JREAD_TEXT)
        on_text(ctx, j);
}

static void on_host(void *ctx, const struct jread *j, enum jread_kind kind)
{
    static const struct {
        const char *place;
        enum meta_flag flag;
    } modes[] = {
        {"NetworkMode", META_HOST_NETWORK}, {"PidMode", META_HOST_PID}, {"IpcMode", META_HOST_IPC}};
    struct meta *m = ctx;

    if (jread_is(j, "Privileged") && (kind == JREAD_TRUE || kind == JREAD_FALSE))
        m->flag[META_PRIVILEGED] = kind == JREAD_TRUE;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]) && kind == JREAD_TEXT; i++)
        if (jread_is(j, modes[i].place))
            m->flag[modes[i].flag] = engine_text_is(j, "host");
}

/* ---- images ---- */

/* `REPOSITORY:TAG` and `REPOSITORY@DIGEST` are the keys, images' ids the values. */
static void on_image(void *ctx, const struct jread *j, enum jread_kind kind)
{
    struct meta *m = ctx;
    struct meta_str id = m->text[META_IMAGE_ID], image = m->text[META_IMAGE];
    const char *key, *at;
    size_t n;

    if (kind != JREAD_TEXT || !jread_is(j, "Repositories.*.*") || j->nvalue != id.len + 7u ||
        memcmp(j->value + 7, m->pool + id.off, id.len) != 0)
        return;
    key = jread_key(j, &n);
    at = memchr(key, '@', n);
    if (at)
        meta_set(m, META_DIGEST, at + 1, (size_t)(key + n - at - 1));
    else if (image.len >= 7 && memcmp(m->pool + image.off, "sha256:", 7) == 0)
        m->text[META_IMAGE] = meta_keep(m, key, n); /* it was asked for by its id */
}

static int find_image(const struct engine_look *l, const char *driver, struct meta *m)
{
    char path[96];

    if (!m->text[META_IMAGE_ID].off || !*driver || strchr(driver, '/'))
        return 0;
    snprintf(path, sizeof(path), "image/%s/repositories.json", driver);
    return engine_parse(l, path, on_image, m);
}

int engine_docker(const struct engine_look *l, struct meta *m)
{
    struct config c = {.l = l, .m = m};
    char path[192];
    int rc;

    snprintf(path, sizeof(path), "containers/%s/config.v2.json", l->id);
    rc = engine_parse(l, path, on_config, &c);
    if (rc || !c.found)
        return rc == -ENOENT ? 0 : rc;
    snprintf(path, sizeof(path), "containers/%s/hostconfig.json", l->id);
    rc = engine_parse(l, path, on_host, m);
    if (rc == 0)
        rc = find_image(l, c.driver, m);
    return rc == 0 || rc == -ENOENT ? 1 : rc;
}
