/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that events of a scap file open, copy and close; sockets are in scap_sock.h. Each is
 * a change of scap_apply.h; `h` is the thread that called.
 */
#ifndef RULEC_SCAP_OPEN_H
#define RULEC_SCAP_OPEN_H

#include "scap_state.h"

/* Of the open family; of calls that make one of another kind; of a pipe both. */
void scap_fd_open(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_fd_made(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_fd_pipe(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
/* dup and its like, and fcntl. */
void scap_fd_dup(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
/* close and close_range: they go with the next event. */
void scap_fd_closed(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);

#endif
