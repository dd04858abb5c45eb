/* SPDX-License-Identifier: Apache-2.0 */
/* The fields container.* and k8s.* from a container's metadata. */
#include <string.h>

#include "match.h"
#include "meta.h"

/* What is not there: cut away, so that nobody can tell, or never told. */
static struct val none(const struct meta *m)
{
    return m->cut ? val_unknown() : val_absent();
}

static struct val text_of(const struct meta *m, enum meta_text which)
{
    return m->text[which].off ? meta_val(m, m->text[which]) : none(m);
}

static struct val made(const struct meta *m, const struct fmt *t)
{
    struct val v = val_text(t->buf, t->len);

    if (t->full || m->cut)
        v.state = ST_CUT;
    return v;
}

/* ---- the image's name: [HOST[:PORT]/]PATH[:TAG][@DIGEST] ---- */

/* An image that was asked for by its id has no name. */
static bool is_image_id(struct val v)
{
    if (v.len > 7 && memcmp(v.text, "sha256:", 7) == 0)
        return true;
    if (v.len != 64)
        return false;
    for (uint32_t i = 0; i < v.len; i++)
        if (!strchr("0123456789abcdef", v.text[i]) || !v.text[i])
            return false;
    return true;
}

static struct val repository(const struct meta *m, struct val *tag, struct val *digest)
{
    struct val v = text_of(m, META_IMAGE);
    const char *at, *slash, *colon;
    size_t name;

    *tag = *digest = v;
    if (v.state != ST_PRESENT)
        return v;
    *digest = val_absent();
    if (is_image_id(v))
        return *tag = val_absent();
    at = memchr(v.text, '@', v.len);
    if (at)
        *digest = val_text(at + 1, (size_t)(v.text + v.len - at - 1));
    name = at ? (size_t)(at - v.text) : v.len;
    slash = memrchr(v.text, '/', name);
    slash = slash ? slash : v.text;
    colon = memrchr(slash, ':', (size_t)(v.text + name - slash));
    /* Engines take the tag `latest` where neither tag nor digest is named. */
    *tag = colon ? val_text(colon + 1, (size_t)(v.text + name - colon - 1))
                 : val_text("latest", at ? 0 : 6);
    return val_text(v.text, colon ? (size_t)(colon - v.text) : name);
}

static struct val image_part(const struct meta *m, enum field_id f)
{
    struct val tag, digest, repo = repository(m, &tag, &digest);

    if (f == F_container_image_repository)
        return repo;
    if (f == F_container_image_tag)
        return tag;
    return m->text[META_DIGEST].off ? meta_val(m, m->text[META_DIGEST]) : digest;
}

/* ---- labels ---- */

static int label_order(const struct meta *m, const struct meta_label *a, const struct meta_label *b)
{
    uint16_t n = a->key.len < b->key.len ? a->key.len : b->key.len;
    int cmp = memcmp(m->pool + a->key.off, m->pool + b->key.off, n);

    cmp = cmp ? cmp : a->key.len - b->key.len;
    return cmp ? cmp : (a > b) - (a < b);
}

static struct val one_label(const struct meta *m, bool pod, const char *name)
{
    size_t n = strlen(name);

    for (unsigned i = 0; i < m->nlabel; i++) {
        const struct meta_label *l = &m->label[i];

        if (l->pod == pod && l->key.len == n && memcmp(m->pool + l->key.off, name, n) == 0)
            return meta_val(m, l->value);
    }
    return none(m);
}

/* `key:value, key:value`, sorted by key. */
static struct val all_labels(const struct meta *m, bool pod, struct fmt *t)
{
    const struct meta_label *last = NULL, *next;

    for (;; last = next) {
        next = NULL;
        for (unsigned i = 0; i < m->nlabel; i++) {
            const struct meta_label *l = &m->label[i];

            if (l->pod == pod && (!last || label_order(m, l, last) > 0) &&
                (!next || label_order(m, l, next) < 0))
                next = l;
        }
        if (!next)
            break;
        if (last)
            fmt_str(t, ", ");
        fmt_add(t, m->pool + next->key.off, next->key.len);
        fmt_char(t, ':');
        fmt_add(t, m->pool + next->value.off, next->value.len);
    }
    return last ? made(m, t) : none(m);
}

/* ---- mounts ---- */

static void put_mount(struct fmt *t, const struct meta *m, const struct meta_mount *mount)
{
    const struct meta_str part[] = {mount->source, mount->dest, mount->mode};

    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        fmt_add(t, m->pool + part[i].off, part[i].len);
        fmt_char(t, ':');
    }
    fmt_str(t, mount->writable ? "true:" : "false:");
    fmt_add(t, m->pool + mount->propagation.off, mount->propagation.len);
}

/* `[n]`, or the first whose source (by_source) or destination the glob matches. */
static const struct meta_mount *find_mount(const struct meta *m, int32_t index, const char *name,
                                           bool by_source)
{
    if (index < 0 && *name && strspn(name, "0123456789") == strlen(name) && strlen(name) < 6) {
        index = 0;
        for (; *name; name++)
            index = index * 10 + (*name - '0');
    }
    if (index >= 0)
        return index < m->nmount ? &m->mount[index] : NULL;
    for (unsigned i = 0; i < m->nmount; i++) {
        struct meta_str s = by_source ? m->mount[i].source : m->mount[i].dest;

        if (glob_match(m->pool + s.off, s.len, name, strlen(name), false))
            return &m->mount[i];
    }
    return NULL;
}

static struct val one_mount(const struct meta *m, enum field_id f, const struct meta_mount *mount,
                            struct fmt *t)
{
    if (!mount)
        return none(m);
    if (f == F_container_mount_source)
        return meta_val(m, mount->source);
    if (f == F_container_mount_dest)
        return meta_val(m, mount->dest);
    if (f == F_container_mount_mode)
        return val_text(m->pool + mount->mode.off, mount->mode.len);
    if (f == F_container_mount_propagation)
        return val_text(m->pool + mount->propagation.off, mount->propagation.len);
    if (f == F_container_mount_rdwr)
        return mount->writable ? val_text("true", 4) : val_text("false", 5);
    put_mount(t, m, mount);
    return made(m, t);
}

static struct val all_mounts(const struct meta *m, struct fmt *t)
{
    for (unsigned i = 0; i < m->nmount; i++) {
        if (i)
            fmt_char(t, ',');
        put_mount(t, m, &m->mount[i]);
    }
    return made(m, t);
}

/* ---- the table ---- */

static struct val flag_of(const struct meta *m, enum meta_flag which)
{
    return m->flag[which] < 0 ? val_absent() : val_num(BASE_BOOL, m->flag[which]);
}

/* The first digits of the sandbox's id. */
static struct val sandbox_id(const struct meta *m)
{
    struct val v = text_of(m, META_SANDBOX);

    if (v.state == ST_PRESENT && v.len > CONTAINER_ID_SHOWN)
        v.len = CONTAINER_ID_SHOWN;
    return v;
}

static bool plain(const struct meta *m, enum field_id f, struct val *out)
{
    static const struct {
        enum field_id field;
        enum meta_text text;
    } texts[] = {
        {F_container_name, META_NAME},         {F_container_image, META_IMAGE},
        {F_container_image_id, META_IMAGE_ID}, {F_container_ip, META_IP},
        {F_k8s_ns_name, META_NAMESPACE},       {F_k8s_pod_name, META_POD},
        {F_k8s_pod_id, META_POD_UID},          {F_k8s_pod_uid, META_POD_UID},
        {F_k8s_pod_ip, META_POD_IP},           {F_k8s_pod_full_sandbox_id, META_SANDBOX},
    };
    static const struct {
        enum field_id field;
        enum meta_flag flag;
    } flags[] = {
        {F_container_privileged, META_PRIVILEGED},
        {F_container_host_pid, META_HOST_PID},
        {F_container_host_network, META_HOST_NETWORK},
        {F_container_host_ipc, META_HOST_IPC},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].field == f)
            return *out = text_of(m, texts[i].text), true;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (flags[i].field == f)
            return *out = flag_of(m, flags[i].flag), true;
    return false;
}

struct val meta_get(const struct meta *m, enum field_id f, int32_t index, const char *name,
                    struct fmt *t)
{
    struct val v;

    if (plain(m, f, &v))
        return v;
    if (f == F_container_image_repository || f == F_container_image_tag ||
        f == F_container_image_digest)
        return image_part(m, f);
    if (f == F_container_label || f == F_k8s_pod_label)
        return one_label(m, f == F_k8s_pod_label, name);
    if (f == F_container_labels || f == F_k8s_pod_labels)
        return all_labels(m, f == F_k8s_pod_labels, t);
    if (f == F_container_mounts)
        return all_mounts(m, t);
    if (f == F_k8s_pod_sandbox_id)
        return sandbox_id(m);
    if (strncmp(catalog_field(f)->name, "container.mount", 15) == 0)
        return one_mount(
            m, f, find_mount(m, index, name, f == F_container_mount || f == F_container_mount_dest),
            t);
    return val_absent();
}
