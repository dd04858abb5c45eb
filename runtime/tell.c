/* SPDX-License-Identifier: Apache-2.0 */
#include "tell.h"

#include <sys/epoll.h>

int tell_open(struct tell *t, const char *const *urls, unsigned n, int epoll, char *err,
              size_t errlen)
{
    int rc = 0;

    t->epoll = epoll;
    for (t->nout = 0; t->nout < n && !rc; t->nout++)
        rc = output_open(&t->out[t->nout], urls[t->nout], err, errlen);
    return rc;
}

/* Asks epoll to say when a slow reader has taken something; once it has all, no longer. */
static void watch(struct tell *t, unsigned i)
{
    struct epoll_event ev = {.events = EPOLLOUT, .data.fd = t->out[i].fd};
    bool want = output_waiting(&t->out[i]);

    if (want != t->watched[i] &&
        epoll_ctl(t->epoll, want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, ev.data.fd, &ev) == 0)
        t->watched[i] = want;
}

void tell_flush(struct tell *t)
{
    for (unsigned i = 0; i < t->nout && t->held; i++) {
        output_write(&t->out[i], t->line, t->held, t->n);
        if (t->epoll < 0)
            output_drain(&t->out[i]);
        else
            watch(t, i);
    }
    t->held = 0;
    t->n = 0;
}

void tell_line(struct tell *t, size_t n)
{
    t->held += n;
    t->n++;
    if (t->held >= TELL_HELD)
        tell_flush(t);
}

void tell_ready(struct tell *t, int fd)
{
    for (unsigned i = 0; i < t->nout; i++)
        if (fd == t->out[i].fd) {
            output_flush(&t->out[i]);
            watch(t, i);
        }
}

void tell_end(struct tell *t)
{
    tell_flush(t);
    for (unsigned i = 0; i < t->nout; i++)
        output_end(&t->out[i]);
}

uint64_t tell_dropped(const struct tell *t)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < t->nout; i++)
        n += t->out[i].dropped;
    return n;
}

void tell_close(struct tell *t)
{
    for (unsigned i = 0; i < t->nout; i++)
        output_close(&t->out[i]);
    t->nout = 0;
}
