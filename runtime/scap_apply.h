/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the events of a scap file change: processes, their directories and identity, descriptors
 * and the ends of sockets. Rules see an event after its change, but for what ends with it: a
 * process that exits and a descriptor that is closed are still there.
 */
#ifndef RULEC_SCAP_APPLY_H
#define RULEC_SCAP_APPLY_H

#include "scap_state.h"

/* The event, a call's end or what is told of: takes part in `s`. Its thread, or NULL: no room. */
struct scap_thread *scap_apply(struct scap_state *s, const struct scap_event *e);
/* Before the next event. */
void scap_settle(struct scap_state *s);

#endif
