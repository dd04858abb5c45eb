/* SPDX-License-Identifier: Apache-2.0 */
#include "spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "packer.h"
#include "priv.h"

#define RETRY_S 1
#define BITE (256u << 10) /* bytes that are packed before their room is given back */
#define CLOSING_BYTES (2 * sizeof(struct capture_frame) + 8 + sizeof(struct capture_end))

struct spool {
    struct spool_file file;
    int fd;
    bool regular; /* a file whose growth takes room */
    pthread_t thread;
    bool running; /* there is a thread */
    uint8_t *buf;
    size_t size;
    struct packer packer;    /* the thread's, as are */
    uint8_t *out;            /* CAPTURE_BLOCK bytes, which go to the file next */
    uint8_t *frame;          /* as many: one that the buffer has in two parts */
    uint64_t written;        /* bytes of the file */
    uint64_t packed;         /* records among them, or in `out` */
    bool closed;             /* the closing frame is made */
    pthread_mutex_t lock;    /* of what follows */
    pthread_cond_t wake;     /* the thread has something to do */
    pthread_cond_t ready;    /* the thread has begun */
    uint64_t put, taken;     /* bytes so far; those between are in the buffer */
    size_t out_at, out_size; /* bytes of `out`: those that the file has, and all */
    uint64_t records, dropped, after;
    bool due, closing, begun, failing;
    bool ended; /* by itself; read without the lock, too */
    int drop;   /* what giving up privileges came to */
    char why[128];
};

static int create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
    struct stat st;

    /* An old file's mode is not what its new content needs. */
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) &&
        fchmod(fd, 0600) != 0) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void destroy(struct spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    pthread_cond_destroy(&s->ready);
    free(s->buf);
    packer_close(&s->packer);
    free(s->out);
    free(s->frame);
    free(s);
}

struct spool *spool_open(const struct spool_file *file, size_t buffer, char *err, size_t errlen)
{
    struct spool *s = calloc(1, sizeof(*s));
    struct stat st;

    if (s) {
        s->fd = -1;
        s->file = *file;
        s->size = buffer;
        s->buf = malloc(buffer);
        s->out = malloc(CAPTURE_BLOCK);
        s->frame = malloc(CAPTURE_BLOCK);
        pthread_mutex_init(&s->lock, NULL);
        pthread_cond_init(&s->wake, NULL);
        pthread_cond_init(&s->ready, NULL);
    }
    if (s && packer_open(&s->packer) && s->buf && s->out && s->frame)
        s->fd = create(file->path);
    if (s && s->fd >= 0) {
        s->regular = fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode);
        return s;
    }
    snprintf(err, errlen, "%s: %s", file->path, strerror(errno));
    if (s)
        destroy(s);
    return NULL;
}

void spool_begin(struct spool *s, const void *bytes, size_t n)
{
    assert(!s->running && n <= CAPTURE_BLOCK - s->out_size);
    memcpy(s->out + s->out_size, bytes, n);
    s->out_size += n;
}

/* ---- the thread: the file. All of it is called with the lock. ---- */

static void trouble(struct spool *s, int error)
{
    if (!s->failing)
        dprintf(STDERR_FILENO,
                "rulerun: recording %s: %s; records are left out until it recovers\n", s->file.path,
                strerror(error));
    s->failing = true;
}

static void recovered(struct spool *s)
{
    if (s->failing)
        dprintf(STDERR_FILENO, "rulerun: recording %s: works again\n", s->file.path);
    s->failing = false;
}

/* Waits a little after a failure, less if the end has come. */
static void pause_a_while(struct spool *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RETRY_S;
    while (!s->closing && pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
        ;
}

/* Writes what is made, for as long as that takes. False: it fails, and the end has come. */
static bool write_out(struct spool *s)
{
    while (s->out_at < s->out_size) {
        ssize_t rc;
        int error;

        pthread_mutex_unlock(&s->lock);
        rc = write(s->fd, s->out + s->out_at, s->out_size - s->out_at);
        error = rc < 0 ? errno : ENOSPC;
        pthread_mutex_lock(&s->lock);
        if (rc > 0) {
            s->out_at += (size_t)rc;
            s->written += (uint64_t)rc;
            recovered(s);
        } else if (error != EINTR) {
            trouble(s, error);
            if (s->closing)
                return false;
            pause_a_while(s);
        }
    }
    return true;
}

/* Too little is free for a file to grow. What cannot be told is no reason. */
static bool is_scarce(const struct spool *s)
{
    struct statfs fs;
    uint64_t reserve;

    if (!s->regular || fstatfs(s->fd, &fs) != 0 || fs.f_blocks == 0)
        return false;
    reserve = fs.f_blocks / SPOOL_RESERVE_PART * (uint64_t)fs.f_bsize;
    reserve = reserve < SPOOL_RESERVE ? reserve : SPOOL_RESERVE;
    return fs.f_bavail * (uint64_t)fs.f_bsize < reserve;
}

/* May `n` bytes be written, and the closing frame behind them? */
static enum capture_why may_grow(const struct spool *s, size_t n)
{
    if (s->file.max && s->written + n + CLOSING_BYTES > s->file.max)
        return CAPTURE_STOP_SIZE;
    return is_scarce(s) ? CAPTURE_STOP_SPACE : CAPTURE_NO_STOP;
}

/* ---- the thread: frames ---- */

static void add_frame(struct spool *s, enum capture_kind kind, const void *bytes, size_t n)
{
    const struct capture_frame f = capture_frame_of(kind, bytes, n);

    memcpy(s->out + s->out_size, &f, sizeof(f));
    memcpy(s->out + s->out_size + sizeof(f), bytes, n);
    s->out_size += capture_whole(&f);
}

/* Makes the end of the file. */
static void close_file(struct spool *s, enum capture_why why)
{
    const struct capture_end end = {s->packed, s->dropped};
    const uint64_t reason = why;

    s->out_at = s->out_size = 0;
    if (why != CAPTURE_NO_STOP)
        add_frame(s, CAPTURE_STOP, &reason, sizeof(reason));
    add_frame(s, CAPTURE_END, &end, sizeof(end));
    s->closed = true;
}

/* Ends the file before its time. */
static void stop(struct spool *s, enum capture_why why)
{
    dprintf(STDERR_FILENO, "rulerun: recording %s: it ends here, with %llu records: %s\n",
            s->file.path, (unsigned long long)s->packed,
            why == CAPTURE_STOP_SIZE ? "it has the size that --record-max allows"
                                     : "little of the file system is free");
    s->after = s->records - s->packed;
    s->records = s->packed;
    s->taken = s->put;
    __atomic_store_n(&s->ended, true, __ATOMIC_RELAXED);
    close_file(s, why);
}

/* Bytes of the buffer, from a place in all that was put. */
static void copy_out(const struct spool *s, uint64_t from, void *to, size_t n)
{
    size_t at = from % s->size, first = n < s->size - at ? n : s->size - at;

    memcpy(to, s->buf + at, first);
    memcpy((uint8_t *)to + first, s->buf, n - first);
}

/* The frame that stands at a place in all that was put. */
static struct capture_frame frame_at(const struct spool *s, uint64_t at)
{
    struct capture_frame f;

    copy_out(s, at, &f, sizeof(f));
    return f;
}

/* A frame and its payload, 8-aligned: where it stands in the buffer, if it stands there whole. */
static const struct capture_frame *whole_frame(struct spool *s, uint64_t at)
{
    const struct capture_frame f = frame_at(s, at);

    if (at % s->size % 8 == 0 && s->size - at % s->size >= capture_whole(&f))
        return (const struct capture_frame *)(s->buf + at % s->size);
    copy_out(s, at, s->frame, capture_whole(&f));
    return (const struct capture_frame *)s->frame;
}

/* Packs whole frames of those up to `put`, as many as `out` has room for and are given back at
 * once; their bytes. */
static size_t gather(struct spool *s, uint64_t put, uint64_t *records)
{
    const struct capture_frame *f;
    size_t n = 0;

    while (s->taken + n < put && n < BITE &&
           packer_add(&s->packer, f = whole_frame(s, s->taken + n))) {
        *records += f->kind == CAPTURE_RECORD;
        n += capture_whole(f);
    }
    return n;
}

/* Packs what is there, as `out` takes it. The lock is not held meanwhile; nobody else takes from
 * the buffer. */
static void pack(struct spool *s)
{
    uint64_t put = s->put, records = 0;
    enum capture_why why;
    size_t n, size;

    pthread_mutex_unlock(&s->lock);
    packer_begin(&s->packer, s->out);
    n = gather(s, put, &records);
    size = packer_end(&s->packer);
    why = may_grow(s, size);
    pthread_mutex_lock(&s->lock);
    if (why != CAPTURE_NO_STOP) {
        stop(s, why);
        return;
    }
    s->taken += n;
    s->packed += records;
    s->out_at = 0;
    s->out_size = size;
}

static void carry(struct spool *s)
{
    while (write_out(s) && !s->closed) {
        if (s->put == s->taken && s->closing) {
            close_file(s, CAPTURE_NO_STOP);
            continue;
        }
        if (s->put == s->taken)
            s->due = false;
        while (!s->due && !s->closing)
            pthread_cond_wait(&s->wake, &s->lock);
        if (s->put != s->taken)
            pack(s);
    }
}

static void *run(void *arg)
{
    struct spool *s = arg;
    int drop = priv_drop(false, s->why, sizeof(s->why));

    pthread_mutex_lock(&s->lock);
    s->drop = drop;
    s->begun = true;
    pthread_cond_signal(&s->ready);
    if (drop == 0)
        carry(s);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int spool_start(struct spool *s, char *err, size_t errlen)
{
    int rc = pthread_create(&s->thread, NULL, run, s);

    if (rc) {
        snprintf(err, errlen, "recording %s: %s", s->file.path, strerror(rc));
        return -rc;
    }
    s->running = true;
    pthread_mutex_lock(&s->lock);
    while (!s->begun)
        pthread_cond_wait(&s->ready, &s->lock);
    rc = s->drop;
    pthread_mutex_unlock(&s->lock);
    if (rc)
        snprintf(err, errlen, "recording %s: %s", s->file.path, s->why);
    return rc;
}

/* ---- the other side ---- */

static void copy_in(struct spool *s, const void *bytes, size_t n)
{
    size_t at = s->put % s->size, first = n < s->size - at ? n : s->size - at;

    memcpy(s->buf + at, bytes, first);
    memcpy(s->buf, (const uint8_t *)bytes + first, n - first);
    s->put += n;
}

/* A frame is a record's. */
static bool is_record(const void *frame)
{
    struct capture_frame f;

    memcpy(&f, frame, sizeof(f));
    return f.kind == CAPTURE_RECORD;
}

bool spool_put(struct spool *s, const void *frame, size_t n, const void *more, size_t nmore)
{
    static const uint8_t zeros[8];
    const size_t whole = capture_padded(n + nmore);
    bool fits;

    pthread_mutex_lock(&s->lock);
    fits = !s->ended && whole <= s->size - (s->put - s->taken);
    if (fits) {
        copy_in(s, frame, n);
        copy_in(s, more, nmore);
        copy_in(s, zeros, whole - n - nmore);
    }
    if (is_record(frame))
        *(fits ? &s->records : s->ended ? &s->after : &s->dropped) += 1;
    if (!s->due && s->put - s->taken > s->size / 2) {
        s->due = true;
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    return fits;
}

void spool_miss(struct spool *s)
{
    pthread_mutex_lock(&s->lock);
    *(s->ended ? &s->after : &s->dropped) += 1;
    pthread_mutex_unlock(&s->lock);
}

bool spool_ended(const struct spool *s)
{
    return __atomic_load_n(&s->ended, __ATOMIC_RELAXED);
}

void spool_kick(struct spool *s)
{
    pthread_mutex_lock(&s->lock);
    s->due = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

/* Called with the lock, or when there is no thread any more. */
static struct spool_end result(const struct spool *s)
{
    uint64_t left = s->put - s->taken + (s->out_size - s->out_at);

    /* Without the closing frame it is cut, if only by that. */
    if (!s->closed)
        left += CLOSING_BYTES;
    return (struct spool_end){s->records, s->dropped, s->after, left};
}

struct spool_end spool_close(struct spool *s, unsigned seconds)
{
    struct timespec until;
    struct spool_end end;

    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    if (s->running && pthread_timedjoin_np(s->thread, NULL, &until) != 0) {
        pthread_mutex_lock(&s->lock);
        end = result(s);
        pthread_mutex_unlock(&s->lock);
        return end; /* the thread hangs in the disk: its memory is left to it */
    }
    end = result(s);
    destroy(s);
    return end;
}
