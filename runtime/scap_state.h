/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a scap file's processes, and what an event says of them: its descriptor, and
 * its paths from the directory of the thread. What events change in it is in scap_apply.h.
 */
#ifndef RULEC_SCAP_STATE_H
#define RULEC_SCAP_STATE_H

#include "scap_event.h"
#include "scap_proc.h"

struct fmt;

struct scap_state {
    struct scap_procs *procs;
    uint64_t boot_ts;                           /* ns since the epoch */
    int64_t end_tid, reaper;                    /* a thread that ends with this event; 0: none */
    int64_t close_tid, close_first, close_last; /* descriptors that do; close_tid 0: none */
    bool renamed;                               /* the event's descriptor has a new name */
};

/* Its result is known, and no error. */
bool scap_succeeded(const struct scap_event *e);
/* `*num`: the descriptor that fd.* speak of, -1 if the call made none. False: the event has none.
 */
bool scap_event_fd(const struct scap_event *e, int64_t *num);

/*
 * The directory that a path parameter starts from: the thread's, or that of the descriptor in the
 * parameter before it. NULL: unknown.
 */
const struct scap_text *scap_base(const struct scap_procs *t, const struct scap_thread *h,
                                  const struct scap_event *e, unsigned param);
/*
 * Writes the path that the parameter of this name holds, absolute and folded. False: unknown, or
 * it does not fit.
 */
bool scap_path_of(const struct scap_state *s, const struct scap_thread *h,
                  const struct scap_event *e, const char *name, struct fmt *out);

/* Sets the directory, with a slash behind it; of no bytes: unknown. */
void scap_state_cwd(struct scap_procs *t, struct scap_thread *h, const char *s, size_t n);
/* Control groups, each with a NUL behind it: the container that one of them names. */
void scap_state_cgroups(struct scap_procs *t, struct scap_thread *h, const char *s, size_t n);

#endif
