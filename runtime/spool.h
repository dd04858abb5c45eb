/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes on their way to a file, through a bounded buffer that a thread empties: whoever puts never
 * waits for the disk. Trouble with the file is said once on standard error when it begins and once
 * when it is over; until then the thread tries again each second.
 */
#ifndef RULEC_SPOOL_H
#define RULEC_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool;

/* Creates the file with mode 0600, or empties it; NULL with a message in `err`. */
struct spool *spool_open(const char *path, size_t buffer, char *err, size_t errlen);
/* Starts the thread, which first gives up its privileges. 0, or -errno with a message. */
int spool_start(struct spool *s, char *err, size_t errlen);
/* All of it, or, if there is no room, nothing and false. */
bool spool_put(struct spool *s, const void *bytes, size_t n);
/* What was put may go to the file now; else it goes when the buffer is half full. */
void spool_kick(struct spool *s);
/* Waits at most `seconds` for the file to take the rest, and frees all. Bytes it did not take. */
uint64_t spool_close(struct spool *s, unsigned seconds);

#endif
