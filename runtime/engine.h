/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata of containers from the files that engines keep, one module per family.
 *
 * Nothing in those files is trusted: they are opened beneath their root without following links,
 * must be regular, are read up to ENGINE_FILE bytes without ever waiting, and parsed by a strict
 * reader. What a file says counts only if all of it is well-formed. No allocation.
 */
#ifndef RULEC_ENGINE_H
#define RULEC_ENGINE_H

#include <sys/types.h>

#include "jread.h"
#include "meta.h"

#define ENGINE_FILE (8u << 20) /* podman keeps all containers in one file: 10,000 of them fit */

/* id: --container-root's word; default roots. */
#define ENGINES(X)                                                                                 \
    X(PODMAN, podman, "podman", "/var/lib/containers/storage", "/run/containers/storage")          \
    X(DOCKER, docker, "docker", "/var/lib/docker", NULL)                                           \
    X(CONTAINERD, containerd, "containerd", "/run/containerd", NULL)                               \
    X(CRIO, crio, "cri-o", "/run/containers/storage", "/var/lib/containers/storage")

#define ENGINE_ENUM(id, fn, word, root1, root2) ENGINE_##id,
enum engine_id { ENGINES(ENGINE_ENUM) ENGINE_COUNT };

/* Room to work in; its pages are touched only as far as files are long. */
struct engine_io {
    struct jread json, inner; /* inner: a text that is JSON itself */
    struct meta spare;
    char bytes[ENGINE_FILE];
};

/* A look beneath one root. */
struct engine_look {
    struct engine_io *io;
    int root; /* a directory */
    const char *id;
    bool bare; /* the id alone does not say whose it is */
};

/*
 * Adds what the engine says to `m`. 1: it knows the container; 0: not here, or not yet. Negative: a
 * file is not whole (it may be being written); what was added to `m` must then be thrown away.
 */
#define ENGINE_DECLARE(id, fn, word, root1, root2)                                                 \
    int engine_##fn(const struct engine_look *l, struct meta *m);
ENGINES(ENGINE_DECLARE)

/* A directory by its path, which the administrator vouches for; -errno. */
int engine_open_root(const char *path);
/* All of a file beneath the root into io->bytes: its length, or -errno. */
ssize_t engine_read(const struct engine_look *l, const char *path);
/* Names in a directory beneath the root, each with a NUL; their number, or -errno. */
int engine_list(const struct engine_look *l, const char *path, char *names, size_t cap);
/* Reads and parses a file. 0 or -errno. */
int engine_parse(const struct engine_look *l, const char *path,
                 void (*put)(void *ctx, const struct jread *j, enum jread_kind kind), void *ctx);

/* An OCI runtime's config.json: engine_oci.c. */
struct oci_look {
    bool podman;  /* its own annotations; namespaces with a path are other containers' */
    bool sandbox; /* the pod's own container: labels and addresses are the pod's */
};
int engine_oci(const struct engine_look *l, const char *path, struct oci_look how, struct meta *m);

static inline bool engine_text_is(const struct jread *j, const char *word)
{
    size_t n = strlen(word);

    return j->nvalue == n && memcmp(j->value, word, n) == 0;
}

#endif
