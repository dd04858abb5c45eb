/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of one container: texts in one pool of fixed size, handles into it. No allocation.
 * What does not fit is left out and `cut` says so.
 */
#ifndef RULEC_META_H
#define RULEC_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "get.h"

#define META_LABELS 96
#define META_MOUNTS 32
#define META_POOL 8192

enum meta_text {
    META_NAME,
    META_IMAGE, /* as it was asked for; repository and tag are cut out of it */
    META_IMAGE_ID,
    META_DIGEST,
    META_IP,
    META_NAMESPACE,
    META_POD,
    META_POD_UID,
    META_POD_IP,
    META_SANDBOX, /* the whole id */
    META_TEXTS
};

enum meta_flag { META_PRIVILEGED, META_HOST_PID, META_HOST_NETWORK, META_HOST_IPC, META_FLAGS };

struct meta_str {
    uint16_t off, len; /* off 0: not told */
};
struct meta_label {
    struct meta_str key, value;
    bool pod; /* the pod's, not the container's */
};
struct meta_mount {
    struct meta_str source, dest, mode, propagation;
    bool writable;
};
struct meta {
    int8_t flag[META_FLAGS]; /* -1: not told */
    bool cut;
    uint16_t used, nlabel, nmount;
    struct meta_str text[META_TEXTS];
    struct meta_label label[META_LABELS];
    struct meta_mount mount[META_MOUNTS];
    char pool[META_POOL];
};

void meta_clear(struct meta *m);
struct meta_str meta_keep(struct meta *m, const char *s, size_t n);
/* Takes the text unless one is there. An empty one counts as not told. */
void meta_set(struct meta *m, enum meta_text which, const char *s, size_t n);
/* Labels of Kubernetes name the pod, too. */
void meta_label(struct meta *m, bool pod, const char *key, size_t nkey, const char *s, size_t n);
/* A mount to fill in; NULL: there are too many. */
struct meta_mount *meta_mount(struct meta *m);

static inline struct val meta_val(const struct meta *m, struct meta_str s)
{
    return s.off ? val_text(m->pool + s.off, s.len) : val_absent();
}

/*
 * container.* and k8s.* of a container whose metadata is known. Texts point into `m` or are made in
 * `t`. What nobody told is absent; what was cut away is unknown.
 */
struct val meta_get(const struct meta *m, enum field_id field, int32_t index, const char *name,
                    struct fmt *t);

#endif
