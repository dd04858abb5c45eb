/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_proc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 32768u /* a power of two */
#define TAKEN 16384u   /* who took children over: the last of each place */

/* Children of `tid` are now those of `reaper`. */
struct taken {
    int64_t tid, reaper;
};

struct scap_procs {
    struct scap_thread *bucket[BUCKETS];
    struct taken taken[TAKEN];
    uint64_t secret; /* strangers choose the numbers, so places are drawn */
    uint64_t bytes, lost;
    uint32_t n;
    bool handed; /* some row of `taken` is in use */
};

/* ---- memory ---- */

static void *take(struct scap_procs *t, void *old, size_t had, size_t want)
{
    void *p = NULL;

    if (t->bytes - had + want <= SCAP_BYTES_MAX)
        p = realloc(old, want);
    if (p)
        t->bytes += want - had;
    else
        t->lost++;
    return p;
}

static void give(struct scap_procs *t, void *p, size_t had)
{
    if (p)
        t->bytes -= had;
    free(p);
}

static struct scap_text *text_new(struct scap_procs *t, const char *s, size_t n)
{
    struct scap_text *x = n < UINT32_MAX ? take(t, NULL, 0, sizeof(*x) + n) : NULL;

    if (x) {
        x->refs = 1;
        x->len = (uint32_t)n;
        if (n)
            memcpy(x->s, s, n);
    }
    return x;
}

static struct scap_text *text_share(struct scap_text *x)
{
    if (x)
        x->refs++;
    return x;
}

static void text_drop(struct scap_procs *t, struct scap_text *x)
{
    if (x && --x->refs == 0)
        give(t, x, sizeof(*x) + x->len);
}

/* ---- threads ---- */

static uint64_t place(const struct scap_procs *t, int64_t tid)
{
    uint64_t h = ((uint64_t)tid ^ t->secret) * 0x9e3779b97f4a7c15ull;

    h = (h ^ h >> 32) * 0xd6e8feb86659fd93ull;
    return h ^ h >> 29;
}

struct scap_procs *scap_procs_new(void)
{
    struct scap_procs *t = calloc(1, sizeof(*t));

    if (t && getrandom(&t->secret, sizeof(t->secret), GRND_NONBLOCK) < 0)
        t->secret = (uintptr_t)t;
    return t;
}

void scap_fd_empty(struct scap_procs *t, struct scap_fd *f)
{
    text_drop(t, f->name);
    text_drop(t, f->raw);
    f->name = f->raw = NULL;
}

static void fds_drop(struct scap_procs *t, struct scap_fds *f)
{
    if (!f || --f->refs)
        return;
    for (uint32_t i = 0; i < f->n; i++)
        scap_fd_empty(t, &f->v[i]);
    give(t, f->v, f->cap * sizeof(*f->v));
    give(t, f, sizeof(*f));
}

void scap_thread_empty(struct scap_procs *t, struct scap_thread *h)
{
    for (unsigned i = 0; i < TT_COUNT; i++) {
        text_drop(t, h->text[i]);
        h->text[i] = NULL;
    }
    fds_drop(t, h->fds);
    h->fds = NULL;
}

static void release(struct scap_procs *t, struct scap_thread *h)
{
    scap_thread_empty(t, h);
    give(t, h->enter, h->enter_cap);
    free(h);
    t->n--;
}

void scap_procs_clear(struct scap_procs *t)
{
    if (t->n == 0 && !t->handed) /* sections may follow one another */
        return;
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct scap_thread *h = t->bucket[i], *next; h; h = next) {
            next = h->next;
            release(t, h);
        }
    memset(t->bucket, 0, sizeof(t->bucket));
    memset(t->taken, 0, sizeof(t->taken));
    t->handed = false;
}

void scap_procs_free(struct scap_procs *t)
{
    if (t)
        scap_procs_clear(t);
    free(t);
}

uint64_t scap_procs_lost(const struct scap_procs *t)
{
    return t->lost;
}

struct scap_thread *scap_thread_find(const struct scap_procs *t, int64_t tid)
{
    struct scap_thread *h = t->bucket[place(t, tid) % BUCKETS];

    while (h && h->tid != tid)
        h = h->next;
    return h;
}

struct scap_thread *scap_thread_get(struct scap_procs *t, int64_t tid)
{
    struct scap_thread *h = scap_thread_find(t, tid), **at = &t->bucket[place(t, tid) % BUCKETS];

    if (h)
        return h;
    h = t->n < SCAP_THREADS_MAX ? calloc(1, sizeof(*h)) : NULL;
    if (!h) {
        t->lost++;
        return NULL;
    }
    h->tid = h->pid = tid;
    h->nthreads = 1;
    h->next = *at;
    *at = h;
    t->n++;
    return h;
}

struct scap_thread *scap_leader(const struct scap_procs *t, const struct scap_thread *h)
{
    return h ? scap_thread_find(t, h->pid) : NULL;
}

void scap_thread_join(struct scap_procs *t, struct scap_thread *h, int64_t pid)
{
    struct scap_thread *old = h->pid == h->tid ? NULL : scap_leader(t, h), *leader;

    if (h->pid == pid)
        return;
    if (old && old->nthreads > 1)
        old->nthreads--;
    h->pid = pid;
    leader = pid == h->tid ? NULL : scap_thread_get(t, pid);
    if (leader)
        leader->nthreads++;
}

static void unlink_thread(struct scap_procs *t, struct scap_thread *h)
{
    struct scap_thread **at = &t->bucket[place(t, h->tid) % BUCKETS];

    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    release(t, h);
}

void scap_thread_drop(struct scap_procs *t, struct scap_thread *h, int64_t reaper)
{
    struct scap_thread *leader = h->pid == h->tid ? NULL : scap_leader(t, h);

    if (reaper > 0 && reaper != h->tid) {
        t->taken[place(t, h->tid) % TAKEN] = (struct taken){h->tid, reaper};
        t->handed = true;
    }
    if (h->pid == h->tid && h->nthreads > 1) {
        h->gone = true;
        return;
    }
    unlink_thread(t, h);
    if (leader && leader->nthreads > 1 && --leader->nthreads == 1 && leader->gone)
        unlink_thread(t, leader);
}

struct scap_thread *scap_parent(const struct scap_procs *t, const struct scap_thread *h)
{
    int64_t tid = h->knows_ppid ? h->ppid : 0;
    struct scap_thread *parent = NULL;

    for (unsigned i = 0; i < SCAP_DEPTH && tid > 0; i++) {
        const struct taken *by = &t->taken[place(t, tid) % TAKEN];

        parent = scap_thread_find(t, tid);
        if (parent || by->tid != tid)
            break;
        tid = by->reaper;
    }
    return parent ? scap_leader(t, parent) : NULL;
}

struct scap_thread *scap_thread_next(const struct scap_procs *t, const struct scap_thread *h)
{
    size_t i = h ? place(t, h->tid) % BUCKETS + 1 : 0;

    if (h && h->next)
        return h->next;
    while (i < BUCKETS && !t->bucket[i])
        i++;
    return i < BUCKETS ? t->bucket[i] : NULL;
}

void scap_thread_set(struct scap_thread *h, enum scap_num n, int64_t v)
{
    h->num[n] = v;
    h->has |= 1u << n;
}

static void set_text(struct scap_procs *t, struct scap_text **at, struct scap_text *x)
{
    text_drop(t, *at);
    *at = x;
}

void scap_thread_text(struct scap_procs *t, struct scap_thread *h, enum scap_txt which,
                      const char *s, size_t n)
{
    set_text(t, &h->text[which], text_new(t, s, n));
}

void scap_thread_unknown(struct scap_procs *t, struct scap_thread *h, enum scap_txt which)
{
    set_text(t, &h->text[which], NULL);
}

void scap_thread_copy(struct scap_procs *t, struct scap_thread *to, const struct scap_thread *from)
{
    const struct scap_thread *leader = scap_leader(t, from);

    scap_thread_empty(t, to);
    to->has = from->has;
    memcpy(to->num, from->num, sizeof(to->num));
    for (unsigned i = 0; i < TT_COUNT; i++) {
        bool shared = i == TT_CWD || i == TT_ENV;
        const struct scap_thread *of = shared && leader ? leader : from;

        to->text[i] = text_share(of->text[i]);
    }
    if (leader && leader->fds) {
        to->fds = leader->fds;
        to->fds->refs++;
    }
}

void scap_thread_enter(struct scap_procs *t, struct scap_thread *h, uint32_t type,
                       const uint8_t *bytes, uint32_t size)
{
    h->enter_size = 0;
    if (size > h->enter_cap) {
        uint8_t *more = take(t, h->enter, h->enter_cap, size);

        if (!more)
            return;
        h->enter = more;
        h->enter_cap = size;
    }
    if (size)
        memcpy(h->enter, bytes, size);
    h->enter_size = size;
    h->enter_type = type;
}

/* ---- descriptors ---- */

/* Where the number stands, or would. */
static uint32_t fd_at(const struct scap_fds *f, int64_t num)
{
    uint32_t lo = 0, hi = f->n;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (f->v[mid].num < num)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct scap_fd *scap_fd_find(const struct scap_thread *h, int64_t num)
{
    uint32_t i = h->fds ? fd_at(h->fds, num) : 0;

    return h->fds && i < h->fds->n && h->fds->v[i].num == num ? &h->fds->v[i] : NULL;
}

/* Room for one more in a table that nobody else has. */
static bool own(struct scap_procs *t, struct scap_thread *h, uint32_t room)
{
    struct scap_fds *old = h->fds, *f = old;
    uint32_t cap = old ? old->cap : 0;

    if (!old || old->refs > 1) {
        f = take(t, NULL, 0, sizeof(*f));
        if (!f)
            return false;
        *f = (struct scap_fds){.refs = 1, .full = old && old->full};
    }
    if (f != old || f->n + room > f->cap) {
        struct scap_fd *v;

        cap = old && old->n + room > cap ? cap * 2 : cap;
        cap = cap < 8 ? 8 : cap;
        v = take(t, f->v, f->cap * sizeof(*v), cap * sizeof(*v));
        if (!v) {
            if (f != old)
                give(t, f, sizeof(*f));
            return false;
        }
        f->v = v;
        f->cap = cap;
    }
    if (f == old)
        return true;
    for (; old && f->n < old->n; f->n++) {
        f->v[f->n] = old->v[f->n];
        text_share(f->v[f->n].name);
        text_share(f->v[f->n].raw);
    }
    fds_drop(t, old);
    h->fds = f;
    return true;
}

struct scap_fd *scap_fd_edit(struct scap_procs *t, struct scap_thread *h, int64_t num)
{
    return scap_fd_find(h, num) && own(t, h, 0) ? &h->fds->v[fd_at(h->fds, num)] : NULL;
}

struct scap_fd *scap_fd_new(struct scap_procs *t, struct scap_thread *h, int64_t num)
{
    struct scap_fd *f = scap_fd_edit(t, h, num);
    uint32_t i;

    if (num < 0 || num > INT32_MAX)
        return NULL;
    if (f) {
        scap_fd_empty(t, f);
        *f = (struct scap_fd){.num = (int32_t)num};
        return f;
    }
    if ((h->fds && h->fds->n >= SCAP_FDS_MAX) || !own(t, h, 1)) {
        t->lost++;
        if (h->fds)
            h->fds->full = true;
        return NULL;
    }
    i = fd_at(h->fds, num);
    memmove(&h->fds->v[i + 1], &h->fds->v[i], (h->fds->n - i) * sizeof(*f));
    h->fds->n++;
    h->fds->v[i] = (struct scap_fd){.num = (int32_t)num};
    return &h->fds->v[i];
}

void scap_fd_copy(struct scap_procs *t, struct scap_thread *h, int64_t num,
                  const struct scap_fd *from)
{
    struct scap_fd copy = *from, *f;

    if (from->num == num)
        return;
    text_share(copy.name); /* `from` may move */
    text_share(copy.raw);
    f = scap_fd_new(t, h, num);
    if (!f) {
        scap_fd_empty(t, &copy);
        return;
    }
    *f = copy;
    f->num = (int32_t)num;
    f->close_on_exec = false;
}

/* Takes out those from `first` to `last` that are closed at an exec, or all of them. */
static void close_some(struct scap_procs *t, struct scap_thread *h, int64_t first, int64_t last,
                       bool exec)
{
    struct scap_fds *f = h->fds;
    uint32_t i, to, any = 0;

    for (i = f ? fd_at(f, first) : 0; f && i < f->n && f->v[i].num <= last; i++)
        any += !exec || f->v[i].close_on_exec;
    if (!any || !own(t, h, 0))
        return;
    f = h->fds;
    to = fd_at(f, first);
    for (i = to; i < f->n; i++)
        if (f->v[i].num <= last && (!exec || f->v[i].close_on_exec))
            scap_fd_empty(t, &f->v[i]);
        else
            f->v[to++] = f->v[i];
    f->n = to;
}

void scap_fd_close(struct scap_procs *t, struct scap_thread *h, int64_t first, int64_t last)
{
    close_some(t, h, first, last, false);
}

void scap_fd_close_on_exec(struct scap_procs *t, struct scap_thread *h)
{
    close_some(t, h, 0, INT32_MAX, true);
}

void scap_fd_name(struct scap_procs *t, struct scap_fd *f, const char *s, size_t n)
{
    set_text(t, &f->name, text_new(t, s, n));
}

void scap_fd_raw(struct scap_procs *t, struct scap_fd *f, const char *s, size_t n)
{
    set_text(t, &f->raw, text_new(t, s, n));
}
