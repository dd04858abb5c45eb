/* SPDX-License-Identifier: Apache-2.0 */
#include "metacache.h"

#include <stdlib.h>
#include <unistd.h>

#define BUCKETS 1024
#define NONE 0xffffffffu
#define FIRST_RETRY_NS 5000000ull
#define AGAIN_NS 1000000000ull /* what nobody knew is asked for again after this */

struct entry {
    char id[65];
    uint8_t len, kind, state, engine;
    uint32_t next, generation;
    uint64_t used;       /* turn of the last question */
    uint64_t since, due; /* the first question; the next look */
    struct meta meta;
};

struct metacache {
    struct metacache_options opt;
    struct metacache_stats stats;
    struct engine_io io;
    uint64_t turn;
    unsigned pending;
    uint32_t bucket[BUCKETS];
    struct entry e[METACACHE_SIZE];
};

/* ---- engines ---- */

#define NO_ENGINE ENGINE_COUNT
#define ENGINES_OF_KIND 2

/* Whose files can know a container of this kind, in order. */
static const uint8_t engines_of[CONTAINER_KINDS][ENGINES_OF_KIND] = {
    [CONTAINER_HOST] = {NO_ENGINE, NO_ENGINE},
    [CONTAINER_PODMAN] = {ENGINE_PODMAN, NO_ENGINE},
    [CONTAINER_CRIO] = {ENGINE_CRIO, NO_ENGINE},
    [CONTAINER_CRI] = {ENGINE_CONTAINERD, NO_ENGINE},
    [CONTAINER_DOCKER] = {ENGINE_DOCKER, NO_ENGINE},
    [CONTAINER_BARE] = {ENGINE_DOCKER, ENGINE_CONTAINERD},
    [CONTAINER_LXC] = {NO_ENGINE, NO_ENGINE},
    [CONTAINER_CONTAINERD] = {ENGINE_CONTAINERD, NO_ENGINE},
};

#define ENGINE_WORD(id, fn, word, root1, root2) word,
static const char *const words[] = {ENGINES(ENGINE_WORD)};
#define ENGINE_ROOTS(id, fn, word, root1, root2) {root1, root2},
static const char *const default_roots[][2] = {ENGINES(ENGINE_ROOTS)};
#define ENGINE_READ(id, fn, word, root1, root2) engine_##fn,
static int (*const readers[])(const struct engine_look *, struct meta *) = {ENGINES(ENGINE_READ)};

enum engine_id engine_by_word(const char *word, size_t len)
{
    unsigned i = 0;

    while (i < ENGINE_COUNT && (strlen(words[i]) != len || memcmp(words[i], word, len) != 0))
        i++;
    return (enum engine_id)i;
}

/* One engine's answer over all its roots; `*there`: it has one, so that it may yet know. */
static int ask(struct metacache *c, const struct entry *e, enum engine_id engine, struct meta *m,
               bool *there)
{
    int known = 0;

    for (unsigned i = 0; i < c->opt.nroot && known >= 0; i++) {
        struct engine_look l = {.io = &c->io, .id = e->id, .bare = e->kind == CONTAINER_BARE};
        int rc;

        if (c->opt.root[i].engine != engine)
            continue;
        l.root = engine_open_root(c->opt.root[i].path);
        if (l.root < 0)
            continue;
        *there = true;
        rc = readers[engine](&l, m);
        close(l.root);
        known = rc < 0 ? rc : known | rc;
        if (known > 0 && engine != ENGINE_PODMAN) /* whose roots hold a part each */
            break;
    }
    return known;
}

/* ---- entries ---- */

static void set_state(struct metacache *c, struct entry *e, enum meta_state state, uint64_t now)
{
    enum meta_state before = (enum meta_state)e->state;
    bool waited = before == META_PENDING;

    c->pending -= waited;
    c->pending += state == META_PENDING;
    e->state = (uint8_t)state;
    if (state == META_KNOWN) {
        c->stats.known++;
        c->stats.waited += waited;
        if (now - e->since > c->stats.longest_ns)
            c->stats.longest_ns = now - e->since;
    }
    if (state == META_NOBODY) {
        c->stats.nobody += before != META_NOBODY;
        c->stats.expired += waited;
        e->due = now + AGAIN_NS;
    }
}

/* It becomes a directory's name in a path. */
static bool sane_id(const struct entry *e)
{
    return e->len && e->id[0] != '.' && !memchr(e->id, '/', e->len);
}

/* Asks the engines; `may_wait`: who does not know yet may be asked again. */
static void look(struct metacache *c, struct entry *e, bool may_wait, uint64_t now)
{
    bool there = false;

    c->stats.reads++;
    for (unsigned i = 0; i < ENGINES_OF_KIND && sane_id(e); i++) {
        enum engine_id engine = (enum engine_id)engines_of[e->kind][i];

        if (engine == NO_ENGINE)
            break;
        meta_clear(&e->meta);
        if (ask(c, e, engine, &e->meta, &there) > 0) {
            e->engine = (uint8_t)engine;
            set_state(c, e, META_KNOWN, now);
            return;
        }
    }
    if (!there || !may_wait || now - e->since >= c->opt.wait_ns)
        set_state(c, e, META_NOBODY, now);
    else if (e->state != META_PENDING)
        set_state(c, e, META_PENDING, now);
}

static uint32_t hash(const char *id, size_t len)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)id[i]) * 16777619u;
    return h % BUCKETS;
}

static void unlink_entry(struct metacache *c, const struct entry *e)
{
    uint32_t *at = &c->bucket[hash(e->id, e->len)], i = (uint32_t)(e - c->e);

    while (*at != i)
        at = &c->e[*at].next;
    *at = e->next;
}

/* A free entry, or the one not asked for longest; one that is waited for only if all are. */
static struct entry *make_room(struct metacache *c)
{
    struct entry *best = NULL;

    for (unsigned i = 0; i < METACACHE_SIZE; i++) {
        struct entry *e = &c->e[i];

        if (e->state == META_FREE)
            return e;
        if (!best || (e->state == META_PENDING) < (best->state == META_PENDING) ||
            ((e->state == META_PENDING) == (best->state == META_PENDING) && e->used < best->used))
            best = e;
    }
    c->stats.evicted++;
    unlink_entry(c, best);
    c->pending -= best->state == META_PENDING;
    best->state = META_FREE;
    return best;
}

static struct entry *add(struct metacache *c, enum container_kind kind, const char *id, size_t len,
                         uint64_t now)
{
    struct entry *e = make_room(c);
    uint32_t *bucket = &c->bucket[hash(id, len)];

    memcpy(e->id, id, len);
    e->id[len] = '\0';
    e->len = (uint8_t)len;
    e->kind = (uint8_t)kind;
    e->generation++;
    e->since = now;
    e->due = now + FIRST_RETRY_NS;
    e->next = *bucket;
    *bucket = (uint32_t)(e - c->e);
    look(c, e, true, now);
    return e;
}

/* People choose it, so that it may come again for another container. */
static bool chosen_id(const struct entry *e)
{
    return e->kind == CONTAINER_CONTAINERD;
}

/* The same id may be another container now. If its files are gone, what is known stays. */
static void look_again(struct metacache *c, struct entry *e)
{
    bool there = false;

    c->stats.reads++;
    meta_clear(&c->io.spare);
    if (ask(c, e, (enum engine_id)e->engine, &c->io.spare, &there) > 0)
        e->meta = c->io.spare;
}

struct meta_key metacache_find(struct metacache *c, enum container_kind kind, const char *id,
                               size_t len, uint64_t now)
{
    uint32_t i = c->bucket[hash(id, len)];
    struct entry *e;

    while (i != NONE &&
           (c->e[i].kind != kind || c->e[i].len != len || memcmp(c->e[i].id, id, len) != 0))
        i = c->e[i].next;
    e = i == NONE ? add(c, kind, id, len, now) : &c->e[i];
    e->used = ++c->turn;
    if (i != NONE && e->state == META_NOBODY && now >= e->due) {
        e->since = now;
        look(c, e, false, now);
    } else if (i != NONE && e->state == META_KNOWN && chosen_id(e)) {
        look_again(c, e);
    }
    return (struct meta_key){(uint32_t)(e - c->e), e->generation};
}

enum meta_state metacache_state(const struct metacache *c, struct meta_key k)
{
    const struct entry *e = &c->e[k.at];

    return e->generation == k.generation ? (enum meta_state)e->state : META_NOBODY;
}

const struct meta *metacache_get(const struct metacache *c, struct meta_key k,
                                 enum engine_id *engine)
{
    *engine = (enum engine_id)c->e[k.at].engine;
    return &c->e[k.at].meta;
}

uint64_t metacache_holds(const struct metacache *c, struct meta_key k, uint64_t now)
{
    const struct entry *e = &c->e[k.at];
    enum meta_state state = metacache_state(c, k);

    if (e->generation != k.generation)
        return 0;
    if (state == META_NOBODY)
        return e->due > now ? e->due - now : 0;
    return state == META_KNOWN && !chosen_id(e) ? UINT64_MAX : 0;
}

/* The intervals double, so that a container is looked for some eight times in half a second. */
bool metacache_retry(struct metacache *c, uint64_t now)
{
    unsigned before = c->pending;

    for (unsigned i = 0; i < METACACHE_SIZE && c->pending; i++) {
        struct entry *e = &c->e[i];

        if (e->state != META_PENDING || now < e->due)
            continue;
        look(c, e, true, now);
        if (e->state == META_PENDING)
            e->due = now + (now - e->since);
        if (e->due > e->since + c->opt.wait_ns && e->state == META_PENDING)
            e->due = e->since + c->opt.wait_ns;
    }
    return c->pending != before;
}

unsigned metacache_pending(const struct metacache *c)
{
    return c->pending;
}

const struct metacache_stats *metacache_stats(const struct metacache *c)
{
    return &c->stats;
}

/* ---- the whole ---- */

static void add_default_roots(struct metacache_options *o)
{
    bool given[ENGINE_COUNT] = {false};

    for (unsigned i = 0; i < o->nroot; i++)
        given[o->root[i].engine] = true;
    for (unsigned e = 0; e < ENGINE_COUNT; e++)
        for (unsigned k = 0; k < 2 && !given[e]; k++)
            if (default_roots[e][k] && o->nroot < METACACHE_ROOTS)
                o->root[o->nroot++] =
                    (struct metacache_root){(enum engine_id)e, default_roots[e][k]};
}

struct metacache *metacache_new(const struct metacache_options *o)
{
    struct metacache *c = calloc(1, sizeof(*c)); /* pages never written take no memory */

    if (!c)
        return NULL;
    c->opt = *o;
    add_default_roots(&c->opt);
    memset(c->bucket, 0xff, sizeof(c->bucket));
    return c;
}

void metacache_free(struct metacache *c)
{
    free(c);
}
