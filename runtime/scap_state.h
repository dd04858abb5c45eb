/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the events of a scap file change: processes, their directories and identity, descriptors
 * and the ends of sockets. Rules see an event after its change, but for what ends with it: a
 * process that exits and a descriptor that is closed are still there.
 */
#ifndef RULEC_SCAP_STATE_H
#define RULEC_SCAP_STATE_H

#include "scap_event.h"
#include "scap_proc.h"

struct scap_state {
    struct scap_procs *procs;
    uint64_t boot_ts;                           /* ns since the epoch */
    int64_t end_tid, reaper;                    /* a thread that ends with this event; 0: none */
    int64_t close_tid, close_first, close_last; /* descriptors that do; close_tid 0: none */
    bool renamed;                               /* the event's descriptor has a new name */
};

/* The event, a call's end or what is told of: takes part in `s`. Its thread, or NULL: no room. */
struct scap_thread *scap_state_apply(struct scap_state *s, const struct scap_event *e);
/* Before the next event. */
void scap_state_settle(struct scap_state *s);

/* Its result is known, and no error. */
bool scap_succeeded(const struct scap_event *e);
/* The path that a parameter names, absolute and folded. False: unknown, or it does not fit. */
struct fmt;
bool scap_path_of(const struct scap_state *s, const struct scap_thread *h,
                  const struct scap_event *e, const char *name, struct fmt *out);

/* The descriptor that fd.* speak of, and in `*num` its number. False: the event has none. */
bool scap_event_fd(const struct scap_event *e, int64_t *num);

/*
 * The directory that a path parameter starts from: the thread's, or that of the descriptor in the
 * parameter before it. NULL: unknown.
 */
const struct scap_text *scap_base(const struct scap_procs *t, const struct scap_thread *h,
                                  const struct scap_event *e, unsigned param);

/* Sets the directory, with a slash behind it. */
void scap_state_cwd(struct scap_procs *t, struct scap_thread *h, const char *s, size_t n);
/* Control groups, each with a NUL behind it: the container that one of them names. */
void scap_state_cgroups(struct scap_procs *t, struct scap_thread *h, const char *s, size_t n);

#endif
