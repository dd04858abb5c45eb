/* SPDX-License-Identifier: Apache-2.0 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "priv.h"

#define WRITE_MAX (1u << 20)
#define RETRY_S 1

struct spool {
    const char *path;
    int fd;
    pthread_t thread;
    bool running; /* there is a thread */
    uint8_t *buf;
    size_t size;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;  /* the thread has something to do */
    pthread_cond_t ready; /* the thread has begun */
    uint64_t put, taken;  /* bytes so far; those between are in the buffer */
    bool due, closing, begun, failing;
    int drop; /* what giving up privileges came to */
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
    free(s);
}

struct spool *spool_open(const char *path, size_t buffer, char *err, size_t errlen)
{
    struct spool *s = calloc(1, sizeof(*s));

    if (s) {
        s->fd = -1;
        s->path = path;
        s->size = buffer;
        s->buf = malloc(buffer);
        pthread_mutex_init(&s->lock, NULL);
        pthread_cond_init(&s->wake, NULL);
        pthread_cond_init(&s->ready, NULL);
    }
    if (s && s->buf)
        s->fd = create(path);
    if (s && s->fd >= 0)
        return s;
    snprintf(err, errlen, "%s: %s", path, strerror(errno));
    if (s)
        destroy(s);
    return NULL;
}

/* ---- the thread ---- */

static void trouble(struct spool *s, int error)
{
    if (!s->failing)
        dprintf(STDERR_FILENO,
                "rulerun: recording %s: %s; records are left out until it recovers\n", s->path,
                strerror(error));
    s->failing = true;
}

static void recovered(struct spool *s)
{
    if (s->failing)
        dprintf(STDERR_FILENO, "rulerun: recording %s: works again\n", s->path);
    s->failing = false;
}

/* Waits a little after a failure, less if the end has come. Called with the lock. */
static void pause_a_while(struct spool *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RETRY_S;
    while (!s->closing && pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
        ;
}

/* Writes what one call takes. Called with the lock, which is not held while it writes. */
static ssize_t write_some(struct spool *s)
{
    size_t at = s->taken % s->size, n = s->put - s->taken;
    ssize_t rc;
    int error;

    n = n < s->size - at ? n : s->size - at;
    n = n < WRITE_MAX ? n : WRITE_MAX;
    pthread_mutex_unlock(&s->lock);
    rc = write(s->fd, s->buf + at, n);
    error = rc < 0 ? errno : ENOSPC;
    pthread_mutex_lock(&s->lock);
    if (rc > 0) {
        s->taken += (uint64_t)rc;
        recovered(s);
    } else if (error != EINTR) {
        trouble(s, error);
    }
    return rc;
}

static void empty(struct spool *s)
{
    while (s->put != s->taken) {
        if (write_some(s) > 0)
            continue;
        if (s->closing)
            return;
        pause_a_while(s);
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
    while (drop == 0 && !(s->closing && (s->put == s->taken || s->failing))) {
        while (!s->due && !s->closing)
            pthread_cond_wait(&s->wake, &s->lock);
        s->due = false;
        empty(s);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

int spool_start(struct spool *s, char *err, size_t errlen)
{
    int rc = pthread_create(&s->thread, NULL, run, s);

    if (rc) {
        snprintf(err, errlen, "recording %s: %s", s->path, strerror(rc));
        return -rc;
    }
    s->running = true;
    pthread_mutex_lock(&s->lock);
    while (!s->begun)
        pthread_cond_wait(&s->ready, &s->lock);
    rc = s->drop;
    pthread_mutex_unlock(&s->lock);
    if (rc)
        snprintf(err, errlen, "recording %s: %s", s->path, s->why);
    return rc;
}

/* ---- the other side ---- */

static void copy_in(struct spool *s, const uint8_t *bytes, size_t n)
{
    size_t at = s->put % s->size, first = n < s->size - at ? n : s->size - at;

    memcpy(s->buf + at, bytes, first);
    memcpy(s->buf, bytes + first, n - first);
    s->put += n;
}

bool spool_put(struct spool *s, const void *bytes, size_t n)
{
    bool fits;

    pthread_mutex_lock(&s->lock);
    fits = n <= s->size - (s->put - s->taken);
    if (fits)
        copy_in(s, bytes, n);
    if (!s->due && s->put - s->taken > s->size / 2) {
        s->due = true;
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    return fits;
}

void spool_kick(struct spool *s)
{
    pthread_mutex_lock(&s->lock);
    s->due = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

uint64_t spool_close(struct spool *s, unsigned seconds)
{
    struct timespec until;
    uint64_t left;

    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    if (s->running && pthread_timedjoin_np(s->thread, NULL, &until) != 0) {
        pthread_mutex_lock(&s->lock);
        left = s->put - s->taken;
        pthread_mutex_unlock(&s->lock);
        return left; /* the thread hangs in the disk: its memory is left to it */
    }
    left = s->put - s->taken;
    destroy(s);
    return left;
}
