/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of sockets, as parameters of events give them. */
#ifndef RULEC_SCAP_SOCK_H
#define RULEC_SCAP_SOCK_H

#include "scap_state.h"

/* A tuple or an address; `family` 0: none. */
struct scap_ends {
    uint8_t family; /* 1 unix, 2, 10 */
    uint8_t len;    /* bytes of an address: 4 or 16; v6 ones that stand for v4 have 4 */
    uint16_t port[2];
    uint8_t addr[2][16];
    uint64_t kernel[2]; /* unix */
    const char *path;
    uint32_t npath;
};
/* From one end to the other, or (`pair` false) one end alone. */
struct scap_ends scap_ends_of(const struct scap_param *p, bool pair);

void scap_sock_new(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_sock_pair(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_sock_connect(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_sock_accept(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
void scap_sock_bind(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);
/* Data was sent or received. */
void scap_sock_data(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);

#endif
