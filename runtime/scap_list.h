/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists at the beginning of a scap file: the machine, its addresses, users and groups, and the
 * processes that ran with their descriptors. Processes go to scap_proc.h's tables.
 */
#ifndef RULEC_SCAP_LIST_H
#define RULEC_SCAP_LIST_H

#include "scap_in.h"
#include "scap_proc.h"

#define SCAP_ADDRS 256
#define SCAP_NAMES_MAX 65536u /* users, and as many groups */

struct scap_addr {
    uint8_t len; /* 4 or 16 */
    uint8_t addr[16];
};
struct scap_id_name {
    uint32_t id, at; /* of the texts: name, and of a user home and shell, a NUL behind each */
};
struct scap_names {
    struct scap_id_name *v;
    uint32_t n, cap;
};

struct scap_lists {
    char hostname[129];
    uint64_t boot_ts; /* ns since the epoch; 0: not told */
    struct scap_addr addr[SCAP_ADDRS];
    unsigned naddr;
    struct scap_names users, groups;
    char *text;
    uint32_t ntext, text_cap;
    uint8_t served[65536 / 8]; /* ports that a listed process waits at */
    bool settled;              /* scap_list_settle() was called */
};

void scap_lists_clear(struct scap_lists *l);
/*
 * A block: 1 if it is a list, 0 if it is none, -EPROTO if it is one that is not right: what stood
 * before the error is kept.
 */
int scap_list_read(struct scap_lists *l, struct scap_procs *t, const struct scap_block *b);
/*
 * Behind the lists, before the first event: which side of each connection is the client's. Lists
 * that follow are settled as they are read.
 */
void scap_list_settle(struct scap_lists *l, struct scap_procs *t);

/* Column 0 the name, 1 home, 2 shell; NULL: the id is not listed. */
const char *scap_list_name(const struct scap_lists *l, bool group, uint32_t id, unsigned column);

#endif
