/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that an engine hands to an OCI runtime: mounts, namespaces, annotations. */
#include "engine.h"

/* The element of a list that is being read. */
struct item {
    struct meta_mount *mount;
    bool bind, path, allow, all_access, typed;
    enum meta_flag ns; /* META_FLAGS: none that we look at */
};

struct oci {
    const struct engine_look *l;
    struct oci_look how;
    struct meta *m;
    struct item item;
    bool seen[META_FLAGS];     /* a namespace of its own is listed */
    bool masked, devices, cap; /* what tells a privileged container */
};

/* ---- annotations ---- */

static const struct {
    const char *key;
    enum meta_text text;
} annotations[] = {
    {"io.kubernetes.cri.container-name", META_NAME},
    {"io.kubernetes.cri.image-name", META_IMAGE},
    {"io.kubernetes.cri.sandbox-id", META_SANDBOX},
    {"io.kubernetes.cri.sandbox-name", META_POD},
    {"io.kubernetes.cri.sandbox-namespace", META_NAMESPACE},
    {"io.kubernetes.cri.sandbox-uid", META_POD_UID},
    {"io.kubernetes.container.name", META_NAME},
    {"io.kubernetes.cri-o.ImageName", META_IMAGE},
    {"io.kubernetes.cri-o.SandboxID", META_SANDBOX},
    {"io.kubernetes.cri-o.IP.0", META_POD_IP},
    {"io.kubernetes.pod.name", META_POD},
    {"io.kubernetes.pod.namespace", META_NAMESPACE},
    {"io.kubernetes.pod.uid", META_POD_UID},
};

static bool key_is(const struct jread *j, const char *word)
{
    size_t n;
    const char *key = jread_key(j, &n);

    return n == strlen(word) && memcmp(key, word, n) == 0;
}

/* NAME@sha256:DIGEST, or an image's id. */
static void image_ref(struct meta *m, const struct jread *j)
{
    const char *at = memchr(j->value, '@', j->nvalue);

    if (at)
        meta_set(m, META_DIGEST, at + 1, (size_t)(j->value + j->nvalue - at - 1));
    else
        meta_set(m, META_IMAGE_ID, j->value, j->nvalue);
}

static void on_label(void *ctx, const struct jread *j, enum jread_kind kind)
{
    struct oci *o = ctx;
    size_t n;
    const char *key = jread_key(j, &n);

    if (kind == JREAD_TEXT && jread_is(j, "*"))
        meta_label(o->m, o->how.sandbox, key, n, j->value, j->nvalue);
}

/* Of the pod's own container the pod's labels and address are wanted, when another one is read. */
static void annotation(struct oci *o, const struct jread *j)
{
    if (key_is(j, "io.kubernetes.cri-o.Labels"))
        jread_run(&o->l->io->inner, j->value, j->nvalue, on_label, o);
    else if (key_is(j, "io.kubernetes.cri-o.ImageRef") && !o->how.sandbox)
        image_ref(o->m, j);
    else if (key_is(j, "io.podman.annotations.privileged") && o->how.podman)
        o->m->flag[META_PRIVILEGED] = engine_text_is(j, "TRUE");
    for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++)
        if (key_is(j, annotations[i].key) && !o->how.podman &&
            (!o->how.sandbox || annotations[i].text == META_POD_IP))
            meta_set(o->m, annotations[i].text, j->value, j->nvalue);
}

/* ---- lists ---- */

static void mount_option(struct meta *m, struct meta_mount *mount, const struct jread *j,
                         bool podman)
{
    static const char *const kinds[] = {"private", "shared", "slave"};

    if (engine_text_is(j, "ro"))
        mount->writable = false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        bool deep = j->nvalue == strlen(kinds[i]) + 1 && j->value[0] == 'r' &&
                    memcmp(j->value + 1, kinds[i], j->nvalue - 1) == 0;

        /* Kubernetes says `private`, and means it recursively. */
        if (deep || engine_text_is(j, kinds[i]))
            mount->propagation = deep && i == 0 && !podman
                                     ? meta_keep(m, kinds[i], strlen(kinds[i]))
                                     : meta_keep(m, j->value, j->nvalue);
    }
}

/* Only what was bound from outside is a mount of the container's. */
static void on_mount(struct oci *o, const struct jread *j, enum jread_kind kind)
{
    struct item *i = &o->item;

    if (kind == JREAD_OPEN && jread_is(j, "mounts.*"))
        *i = (struct item){.mount = meta_mount(o->m)};
    if (!i->mount)
        return;
    if (kind == JREAD_CLOSE && jread_is(j, "mounts.*")) {
        if (!i->bind)
            o->m->nmount--;
        i->mount = NULL;
    }
    if (kind != JREAD_TEXT)
        return;
    if (jread_is(j, "mounts.*.source"))
        i->mount->source = meta_keep(o->m, j->value, j->nvalue);
    else if (jread_is(j, "mounts.*.destination"))
        i->mount->dest = meta_keep(o->m, j->value, j->nvalue);
    else if (jread_is(j, "mounts.*.type"))
        i->bind |= engine_text_is(j, "bind");
    else if (jread_is(j, "mounts.*.options.*")) {
        i->bind |= engine_text_is(j, "bind") || engine_text_is(j, "rbind");
        mount_option(o->m, i->mount, j, o->how.podman);
    }
}

static void on_namespace(struct oci *o, const struct jread *j, enum jread_kind kind)
{
    static const struct {
        const char *type;
        enum meta_flag flag;
    } types[] = {{"pid", META_HOST_PID}, {"network", META_HOST_NETWORK}, {"ipc", META_HOST_IPC}};
    struct item *i = &o->item;

    if (kind == JREAD_OPEN && jread_is(j, "linux.namespaces.*"))
        *i = (struct item){.ns = META_FLAGS};
    if (kind == JREAD_CLOSE && jread_is(j, "linux.namespaces.*") && i->ns != META_FLAGS) {
        o->seen[i->ns] = true;
        if (!i->path || o->how.podman)
            o->m->flag[i->ns] = 0;
    }
    if (kind != JREAD_TEXT)
        return;
    if (jread_is(j, "linux.namespaces.*.path"))
        i->path = j->nvalue != 0;
    for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
        if (jread_is(j, "linux.namespaces.*.type") && engine_text_is(j, types[k].type))
            i->ns = types[k].flag;
}

static void on_device(struct oci *o, const struct jread *j, enum jread_kind kind)
{
    struct item *i = &o->item;

    if (kind == JREAD_OPEN && jread_is(j, "linux.resources.devices.*"))
        *i = (struct item){.ns = META_FLAGS};
    if (jread_is(j, "linux.resources.devices.*.allow"))
        i->allow = kind == JREAD_TRUE;
    if (kind == JREAD_TEXT && jread_is(j, "linux.resources.devices.*.access"))
        i->all_access = engine_text_is(j, "rwm");
    if (kind == JREAD_TEXT && jread_is(j, "linux.resources.devices.*.type"))
        i->typed = !engine_text_is(j, "a");
    if (kind == JREAD_NUMBER && jread_is(j, "linux.resources.devices.*.major"))
        i->typed = true;
    if (kind == JREAD_CLOSE && jread_is(j, "linux.resources.devices.*"))
        o->devices |= i->allow && i->all_access && !i->typed;
}

static void on_value(void *ctx, const struct jread *j, enum jread_kind kind)
{
    struct oci *o = ctx;

    if (kind == JREAD_TEXT && jread_is(j, "annotations.*"))
        annotation(o, j);
    if (o->how.sandbox)
        return;
    on_mount(o, j, kind);
    on_namespace(o, j, kind);
    on_device(o, j, kind);
    if (kind != JREAD_TEXT)
        return;
    if (jread_is(j, "linux.maskedPaths.*"))
        o->masked = true;
    if (jread_is(j, "process.capabilities.bounding.*"))
        o->cap |= engine_text_is(j, "CAP_SYS_ADMIN");
}

/* ---- the whole ---- */

static bool contains(const struct meta *m, struct meta_str s, const char *word, size_t n)
{
    return n && memmem(m->pool + s.off, s.len, word, n) != NULL;
}

/* Files that the engine makes for a container or its pod are below a directory of that id. */
static void drop_own_mounts(struct meta *m, const char *id)
{
    struct meta_str pod = m->text[META_SANDBOX];
    uint16_t kept = 0;

    for (uint16_t i = 0; i < m->nmount; i++)
        if (!contains(m, m->mount[i].source, id, strlen(id)) &&
            !contains(m, m->mount[i].source, m->pool + pod.off, pod.len))
            m->mount[kept++] = m->mount[i];
    m->nmount = kept;
}

int engine_oci(const struct engine_look *l, const char *path, struct oci_look how, struct meta *m)
{
    struct oci o = {.l = l, .how = how, .m = m, .item = {.ns = META_FLAGS}};
    int rc = engine_parse(l, path, on_value, &o);

    if (rc != 0 || how.sandbox)
        return rc;
    for (unsigned i = META_HOST_PID; i <= META_HOST_IPC; i++)
        if (!o.seen[i])
            m->flag[i] = 1;
    /* No annotation says so: nothing is masked, all devices are open, and it may do as it likes. */
    if (m->flag[META_PRIVILEGED] < 0)
        m->flag[META_PRIVILEGED] = !o.masked && o.devices && o.cap;
    drop_own_mounts(m, l->id);
    return 0;
}
