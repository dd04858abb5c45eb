/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containerd: STATE/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json, as long as the
 * container runs. Kubernetes' annotations give names and image; without them (`ctr`) the id is the
 * only name, and the image is in a database we do not read.
 *
 * CRI-O: ROOT/overlay-containers/ID/userdata/config.json, and that of the pod for its labels.
 */
#include <errno.h>
#include <stdio.h>

#include "engine.h"

#define TASKS "io.containerd.runtime.v2.task"
#define CRI_NAMESPACE "k8s.io"

/* What a pod's own container is called, and what a container is called that nobody named. */
static void set_name(const struct engine_look *l, struct meta *m)
{
    struct meta_str pod = m->text[META_POD];

    meta_set(m, META_NAME, m->pool + pod.off, pod.len);
    meta_set(m, META_NAME, l->id, strlen(l->id));
}

static int look_in(const struct engine_look *l, const char *ns, struct meta *m)
{
    char path[512];
    int rc = -ENOENT;

    if ((size_t)snprintf(path, sizeof(path), TASKS "/%s/%s/config.json", ns, l->id) < sizeof(path))
        rc = engine_oci(l, path, (struct oci_look){0}, m);
    return rc == -ENOENT ? 0 : rc ? rc : 1;
}

int engine_containerd(const struct engine_look *l, struct meta *m)
{
    char names[4096], *ns = names;
    int found = look_in(l, CRI_NAMESPACE, m);
    int n = found || l->bare ? 0 : engine_list(l, TASKS, names, sizeof(names));

    for (int i = 0; i < n && found == 0; i++, ns += strlen(ns) + 1)
        found = look_in(l, ns, m);
    if (found > 0)
        set_name(l, m);
    return found;
}

static int look_at(const struct engine_look *l, const char *id, size_t len, bool sandbox,
                   struct meta *m)
{
    char path[256];
    int rc;

    snprintf(path, sizeof(path), "overlay-containers/%.*s/userdata/config.json", (int)len, id);
    rc = engine_oci(l, path, (struct oci_look){.sandbox = sandbox}, m);
    return rc == -ENOENT ? 0 : rc ? rc : 1;
}

int engine_crio(const struct engine_look *l, struct meta *m)
{
    int rc = look_at(l, l->id, strlen(l->id), false, m);
    struct meta_str pod = m->text[META_SANDBOX], ip;

    if (rc <= 0)
        return rc;
    if (pod.off && pod.len <= 64 && !memchr(m->pool + pod.off, '/', pod.len))
        rc = look_at(l, m->pool + pod.off, pod.len, true, m);
    ip = m->text[META_POD_IP];
    meta_set(m, META_IP, m->pool + ip.off, ip.len);
    set_name(l, m);
    return rc < 0 ? rc : 1;
}
