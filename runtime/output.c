/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A description of our own of what `fd` is open on, not blocking; else a plain copy. */
static int reopen(int fd, mode_t mode)
{
    char path[64];
    int own = -1;

    if (S_ISFIFO(mode) || S_ISCHR(mode)) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int open_url(const char *url)
{
    struct stat st;

    if (strcmp(url, "stdout") == 0)
        return fstat(STDOUT_FILENO, &st) == 0 ? reopen(STDOUT_FILENO, st.st_mode) : -1;
    return open(url + 5, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
}

int output_open(struct output *o, const char *url, char *err, size_t errlen)
{
    struct stat st;

    *o = OUTPUT_NONE;
    o->url = url;
    if (strcmp(url, "stdout") != 0 && (strncmp(url, "file:", 5) != 0 || !url[5])) {
        snprintf(err, errlen, "output '%s': neither 'stdout' nor 'file:PATH'", url);
        return -EINVAL;
    }
    o->fd = open_url(url);
    if (o->fd < 0 || fstat(o->fd, &st) != 0) {
        int rc = -errno;

        snprintf(err, errlen, "output '%s': %s", url, strerror(-rc));
        output_close(o);
        return rc;
    }
    o->regular = S_ISREG(st.st_mode);
    o->is_socket = S_ISSOCK(st.st_mode);
    o->pending = malloc(OUTPUT_PENDING); /* untouched pages take no memory */
    if (!o->pending) {
        snprintf(err, errlen, "output '%s': out of memory", url);
        output_close(o);
        return -ENOMEM;
    }
    return 0;
}

void output_close(struct output *o)
{
    if (o->fd >= 0) {
        output_flush(o);
        close(o->fd);
    }
    free(o->pending);
    o->pending = NULL;
    o->npending = 0;
    o->fd = -1;
}

static void trouble(struct output *o, const char *what)
{
    if (o->failing)
        return;
    o->failing = true;
    o->dropped_before = o->dropped;
    dprintf(STDERR_FILENO, "rulerun: output %s: %s; alerts are dropped until it recovers\n", o->url,
            what);
}

static void recovered(struct output *o)
{
    if (!o->failing)
        return;
    o->failing = false;
    dprintf(STDERR_FILENO, "rulerun: output %s: works again; %llu alerts were dropped\n", o->url,
            (unsigned long long)(o->dropped - o->dropped_before));
}

/* Bytes taken, or -errno; 0: the reader is slow. */
static ssize_t put(const struct output *o, const char *s, size_t n)
{
    ssize_t rc;

    do
        rc = o->is_socket ? send(o->fd, s, n, MSG_DONTWAIT | MSG_NOSIGNAL) : write(o->fd, s, n);
    while (rc < 0 && errno == EINTR);
    if (rc >= 0)
        return rc;
    return errno == EAGAIN ? 0 : -errno;
}

/* Of a line that the disk took in part, takes that part away again: a reader sees whole lines. */
static void take_back(const struct output *o, size_t part)
{
    struct stat st;

    if (part && o->regular && fstat(o->fd, &st) == 0 && st.st_size >= (off_t)part &&
        ftruncate(o->fd, st.st_size - (off_t)part) != 0)
        return; /* nothing more can be done: the next line follows on the torn one */
}

/* A file takes a line whole or not at all. */
static void write_file(struct output *o, const char *line, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t rc = put(o, line + done, n - done);

        if (rc <= 0) {
            take_back(o, done);
            trouble(o, strerror(rc ? (int)-rc : ENOSPC));
            o->dropped++;
            return;
        }
        done += (size_t)rc;
    }
    o->written++;
    recovered(o);
}

static void keep(struct output *o, const char *s, size_t n)
{
    memcpy(o->pending + o->npending, s, n);
    o->npending += n;
}

void output_write(struct output *o, const char *line, size_t n)
{
    ssize_t rc;

    if (o->regular) {
        write_file(o, line, n);
        return;
    }
    rc = o->npending ? 0 : put(o, line, n);
    if (rc < 0 || (size_t)rc + OUTPUT_PENDING < n + o->npending) {
        trouble(o, rc < 0 ? strerror((int)-rc) : "the reader is too slow");
        o->dropped++;
        return;
    }
    if ((size_t)rc < n)
        keep(o, line + rc, n - (size_t)rc);
    else
        recovered(o);
    o->written++;
}

void output_flush(struct output *o)
{
    while (o->pending && o->npending) {
        ssize_t rc = put(o, o->pending, o->npending);

        if (rc < 0) {
            trouble(o, strerror((int)-rc));
            o->npending = 0; /* nobody will read it */
            o->dropped++;
            return;
        }
        if (rc == 0)
            return;
        o->npending -= (size_t)rc;
        memmove(o->pending, o->pending + rc, o->npending);
        if (o->npending == 0)
            recovered(o);
    }
}

void output_drain(struct output *o)
{
    struct pollfd p = {.fd = o->fd, .events = POLLOUT};

    while (output_waiting(o)) {
        ppoll(&p, 1, NULL, NULL);
        output_flush(o);
    }
}
