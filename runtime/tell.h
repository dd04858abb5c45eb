/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts on their way to the outputs. Lines are gathered and written together: one system call for
 * a batch and output. The owner flushes when a batch of events is over, so that no line waits for
 * an event that may never come.
 */
#ifndef RULEC_TELL_H
#define RULEC_TELL_H

#include "alert.h"
#include "output.h"

#define TELL_OUTPUTS 8
#define TELL_HELD (64u << 10) /* bytes of lines after which a batch is written */

struct tell {
    struct output out[TELL_OUTPUTS];
    bool watched[TELL_OUTPUTS]; /* in epoll, until its reader has caught up */
    unsigned nout;
    int epoll;   /* the owner's; -1: wait for slow readers, there is no detection to delay */
    size_t held; /* bytes at the beginning of `line` */
    unsigned n;  /* lines in them */
    char line[TELL_HELD + ALERT_MAX];
};

/* 0, or -errno with a message in `err`. tell_close() is called in either case. */
int tell_open(struct tell *t, const char *const *urls, unsigned n, int epoll, char *err,
              size_t errlen);
/* Where the next line is to be made, of at most ALERT_MAX bytes. */
static inline char *tell_room(struct tell *t)
{
    return t->line + t->held;
}
/* It was made, and is that long. */
void tell_line(struct tell *t, size_t n);
/* Hands what is gathered to the outputs. */
void tell_flush(struct tell *t);
/* The same for the last time: what readers have not taken then counts as dropped. */
void tell_end(struct tell *t);
/* An output's descriptor takes bytes again; nothing is done for other descriptors. */
void tell_ready(struct tell *t, int fd);
/* Alerts that outputs did not take. */
uint64_t tell_dropped(const struct tell *t);
void tell_close(struct tell *t);

#endif
