/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <stdbool.h>
#include <string.h>

#define DEPTH 6 /* components that the language looks at */
#define NAME_MAX_LEN 255
#define ID_DIGITS 64

/* What a component's name says. KIND_ID: an id of 64 digits starts at `at`. */
enum kind { KIND_OTHER, KIND_ID, KIND_LXC_PARENT, KIND_LXC, KIND_UNIT };

struct name {
    const char *s;
    size_t len;
};

static bool begins(struct name n, const char *word)
{
    size_t len = strlen(word);

    return n.len >= len && memcmp(n.s, word, len) == 0;
}

static bool ends(struct name n, const char *word)
{
    size_t len = strlen(word);

    return n.len > len && memcmp(n.s + n.len - len, word, len) == 0;
}

static bool all_hex(const char *s)
{
    for (size_t i = 0; i < ID_DIGITS; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f') ||
              (s[i] >= 'A' && s[i] <= 'F')))
            return false;
    return true;
}

/* Where the id would start; `*bare`: the name needs no suffix .scope. */
static size_t id_prefix(struct name n, bool *bare)
{
    static const char cri[] = ":cri-containerd:";

    *bare = true;
    if (begins(n, "libpod-"))
        return 7;
    if (begins(n, "crio-"))
        return 5;
    if (n.len >= ID_DIGITS + sizeof(cri) - 1 &&
        memcmp(n.s + n.len - ID_DIGITS - (sizeof(cri) - 1), cri, sizeof(cri) - 1) == 0)
        return n.len - ID_DIGITS;
    *bare = n.len == ID_DIGITS;
    if (begins(n, "docker-"))
        return 7;
    return begins(n, "cri-containerd-") ? 15 : 0;
}

/* `leaf`: the last component; `scope`: a later one is a unit, and only the last unit counts. */
static enum kind kind_of(struct name n, bool leaf, bool scope, size_t *at)
{
    bool bare, unit = ends(n, ".scope");
    size_t end = n.len;

    if (n.len == 0 || n.len > NAME_MAX_LEN)
        return KIND_OTHER;
    *at = id_prefix(n, &bare);
    if (unit && *at)
        end -= 6;
    if (end >= *at && end - *at == ID_DIGITS && all_hex(n.s + *at) &&
        ((unit && !scope && *at) || (!unit && leaf && bare)))
        return KIND_ID;
    if ((n.len == 3 && begins(n, "lxc")) || (n.len == 11 && begins(n, "lxc.payload")))
        return KIND_LXC_PARENT;
    if (n.len > 12 && begins(n, "lxc.payload."))
        return KIND_LXC;
    return unit || ends(n, ".service") || ends(n, ".slice") ? KIND_UNIT : KIND_OTHER;
}

static void take(struct name n, size_t most, char *out, size_t *len)
{
    *len = n.len < most ? n.len : most;
    memcpy(out, n.s, *len);
}

/* The component that ends at `*end`, which moves before it. */
static bool last_name(const char *path, size_t *end, struct name *n)
{
    size_t start;

    while (*end && path[*end - 1] == '/')
        --*end;
    for (start = *end; start && path[start - 1] != '/'; start--)
        ;
    *n = (struct name){path + start, *end - start};
    *end = start;
    return n->len != 0;
}

/* As id_kind() in bpf/state_live.h. */
static enum container_kind id_kind(struct name n, size_t at)
{
    if (at == 0)
        return CONTAINER_BARE;
    if (at == 5)
        return CONTAINER_CRIO;
    if (at == 7)
        return n.s[0] == 'l' ? CONTAINER_PODMAN : CONTAINER_DOCKER;
    return CONTAINER_CRI;
}

enum container_kind container_scan(const char *path, char *out, size_t *len)
{
    size_t end = strlen(path), at = 0;
    struct name n, below = {NULL, 0}, leaf = {NULL, 0};
    enum kind leaf_kind = KIND_OTHER;
    unsigned depth = 0;
    bool scope = false;

    for (; depth < DEPTH && last_name(path, &end, &n); depth++) {
        enum kind k = kind_of(n, depth == 0, scope, &at);

        if (depth == 0) {
            leaf = n;
            leaf_kind = k;
        }
        if (k == KIND_ID) {
            take((struct name){n.s + at, ID_DIGITS}, CONTAINER_ID_MAX, out, len);
            return id_kind(n, at);
        }
        if (k == KIND_LXC)
            n = (struct name){n.s + 12, n.len - 12};
        else if (k == KIND_LXC_PARENT && depth)
            n = below;
        if (k == KIND_LXC || (k == KIND_LXC_PARENT && depth)) {
            take(n, CONTAINER_ID_MAX, out, len);
            return CONTAINER_LXC;
        }
        scope |= k == KIND_UNIT;
        below = n;
    }
    if (depth != 2 || leaf_kind == KIND_UNIT || leaf.len > CONTAINER_ID_MAX)
        return CONTAINER_HOST;
    take(leaf, CONTAINER_ID_MAX, out, len);
    return CONTAINER_CONTAINERD;
}
