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

        snprintf(err, errlen, "output '%s': %s", url,
                 rc == -ENXIO ? "nobody has the pipe open for reading" : strerror(-rc));
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
    if (o->fd >= 0)
        close(o->fd);
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

/* How many lines end in these bytes, and how many bytes they are. */
static uint32_t whole_lines(const char *s, size_t n, size_t *bytes)
{
    uint32_t lines = 0;

    *bytes = 0;
    for (const char *at = s; (at = memchr(at, '\n', n - (size_t)(at - s))) != NULL; lines++)
        *bytes = (size_t)(++at - s);
    return lines;
}

/* Of a line that the disk took in part, takes that part away again: a reader sees whole lines. */
static void take_back(const struct output *o, size_t part)
{
    struct stat st;

    if (part && fstat(o->fd, &st) == 0 && st.st_size >= (off_t)part &&
        ftruncate(o->fd, st.st_size - (off_t)part) != 0)
        return; /* nothing more can be done: the next line follows on the torn one */
}

/* The first `taken` of the lines are the reader's, or will be; the others are not. */
static void count_lines(struct output *o, uint32_t taken, uint32_t lines)
{
    o->written += taken;
    o->dropped += lines - taken;
}

/* A file takes a line whole or not at all. */
static void write_file(struct output *o, const char *s, size_t n, uint32_t lines)
{
    size_t done = 0, whole;
    ssize_t rc = 1;

    while (done < n && (rc = put(o, s + done, n - done)) > 0)
        done += (size_t)rc;
    if (done == n) {
        o->written += lines;
        recovered(o);
        return;
    }
    trouble(o, strerror(rc ? (int)-rc : ENOSPC));
    count_lines(o, whole_lines(s, done, &whole), lines);
    take_back(o, done - whole);
}

/* Of what is for later, as many whole lines as there is room for. */
static void keep(struct output *o, const char *s, size_t n, uint32_t lines)
{
    size_t room = OUTPUT_PENDING - o->npending, whole = n;
    uint32_t kept = lines;

    if (n > room) {
        kept = whole_lines(s, room, &whole);
        trouble(o, "the reader is too slow");
    }
    memcpy(o->pending + o->npending, s, whole);
    o->npending += whole;
    count_lines(o, kept, lines);
}

void output_write(struct output *o, const char *s, size_t n, uint32_t lines)
{
    size_t whole, taken;
    uint32_t before;
    ssize_t rc;

    if (o->regular) {
        write_file(o, s, n, lines);
        return;
    }
    rc = o->npending ? 0 : put(o, s, n);
    if (rc < 0) {
        trouble(o, strerror((int)-rc));
        count_lines(o, 0, lines);
        return;
    }
    taken = (size_t)rc;
    before = taken < n ? whole_lines(s, taken, &whole) : lines;
    o->written += before;
    if (taken < n)
        keep(o, s + taken, n - taken, lines - before);
    else
        recovered(o);
}

/* What is pending will never be read. */
static void give_up(struct output *o)
{
    size_t whole;
    uint32_t lines = whole_lines(o->pending, o->npending, &whole);

    o->npending = 0;
    o->written -= lines;
    o->dropped += lines;
}

void output_flush(struct output *o)
{
    while (o->pending && o->npending) {
        ssize_t rc = put(o, o->pending, o->npending);

        if (rc < 0) {
            trouble(o, strerror((int)-rc));
            give_up(o);
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

void output_end(struct output *o)
{
    output_flush(o);
    if (o->npending)
        give_up(o);
}

void output_drain(struct output *o)
{
    struct pollfd p = {.fd = o->fd, .events = POLLOUT};

    while (output_waiting(o)) {
        ppoll(&p, 1, NULL, NULL);
        output_flush(o);
    }
}
