/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that events of a scap file make, connect and bind, and their ends, as parameters give
 * them. Each is a change of scap_apply.h; `h` is the thread that called.
 */
#ifndef RULEC_SCAP_SOCK_H
#define RULEC_SCAP_SOCK_H

#include "scap_state.h"

void scap_sock_new(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_sock_pair(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_sock_connect(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_sock_accept(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_sock_bind(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
/* Data was sent or received. */
void scap_sock_data(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);

#endif
