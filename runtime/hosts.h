/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of addresses, from the host's /etc/hosts alone: no name server is asked, so that an alert
 * waits for nobody. Read again when it changes; memory is fixed at start.
 */
#ifndef RULEC_HOSTS_H
#define RULEC_HOSTS_H

#include <stddef.h>
#include <stdint.h>

struct hosts;

struct hosts *hosts_new(const char *etc); /* NULL: out of memory */
void hosts_free(struct hosts *h);
/* An address of 4 or 16 bytes, and how many of its names are skipped. */
struct hosts_want {
    const char *addr;
    size_t len;
    unsigned skip;
};
/* A name of an address; its length, 0 if it has no more. `now` is in ns. */
size_t hosts_find(struct hosts *h, struct hosts_want want, uint64_t now, const char **out);
/* Until when answers would be given again, whatever happens to the file. */
uint64_t hosts_until(const struct hosts *h);

#endif
