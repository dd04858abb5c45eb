/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a recording (capture.h) on their way to its file, through a bounded buffer that a
 * thread empties: whoever puts never waits for the disk. The thread packs what it finds, in blocks
 * of whole frames. Trouble with the file is said once on standard error when it begins and once
 * when it is over; until then the thread tries again each second.
 *
 * A file never becomes larger than it may, nor does it take the last of its file system: where less
 * is free than a twentieth of it or a gigabyte, whichever is less, it ends as where it has its
 * size, with frames that say so (CAPTURE_STOP, CAPTURE_END). That is said, too. What is put from
 * then on is counted and not kept.
 */
#ifndef RULEC_SPOOL_H
#define RULEC_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_RESERVE (1ull << 30) /* bytes of a file system that stay free, or */
#define SPOOL_RESERVE_PART 20      /* so small a part of it, if that is less */
#define SPOOL_MAX_LEAST (64u << 10)

struct spool;

struct spool_file {
    const char *path;
    uint64_t max; /* bytes that it may have, SPOOL_MAX_LEAST or more; 0: as there is room */
};

/* How it went. */
struct spool_end {
    uint64_t records; /* that were put, until it ended */
    uint64_t dropped; /* that found no room, until it ended */
    uint64_t after;   /* that came later */
    uint64_t left;    /* bytes that the file did not take, the closing frame's among them */
};

/* Creates the file with mode 0600, or empties it; NULL with a message in `err`. */
struct spool *spool_open(const struct spool_file *file, size_t buffer, char *err, size_t errlen);
/* What the file begins with, as it is: the header and a few frames, before the thread starts. */
void spool_begin(struct spool *s, const void *bytes, size_t n);
/* Starts the thread, which first gives up its privileges. 0, or -errno with a message. */
int spool_start(struct spool *s, char *err, size_t errlen);
/*
 * A frame of kind 1 to 5 with the sum 0, and its payload, in two parts one behind the other; zeros
 * are added up to a multiple of 8. If there is no room, nothing and false.
 */
bool spool_put(struct spool *s, const void *frame, size_t n, const void *more, size_t nmore);
/* A record is left out, because what it rests on found no room. */
void spool_miss(struct spool *s);
/* It has ended by itself: what is put is not kept. */
bool spool_ended(const struct spool *s);
/* What was put may go to the file now; else it goes when the buffer is half full. */
void spool_kick(struct spool *s);
/* Closes the file properly, which it waits for at most `seconds`, and frees all. */
struct spool_end spool_close(struct spool *s, unsigned seconds);

#endif
