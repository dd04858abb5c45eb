/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a recording (capture.h) while the daemon judges.
 *
 * What is written goes into a bounded buffer, which a thread of its own packs and carries to the
 * file (spool.h): a slow or full disk never keeps detection waiting. A record that finds no room is
 * left out and counted. A recording ends by itself when the file may not grow; the daemon goes on.
 *
 * Names that are looked up stand between the daemon and enrich.c: recorder_get() in the place of
 * enrich_get(). An answer is written when it is another than the last one to the same key; within
 * an event equal questions have one answer.
 */
#ifndef RULEC_RECORDER_H
#define RULEC_RECORDER_H

#include <stdio.h>

#include "capture.h"
#include "enrich.h"
#include "spool.h"

#define RECORDER_BUFFER (16u << 20) /* untouched pages take no memory */
#define RECORDER_PATIENCE_S 10      /* for the file to take the rest, at the end */

struct recorder;

/* Widens a plan to all values, and all events that have a name of their own. */
void recorder_plan(struct probe_plan *plan);
/*
 * Creates the file (mode 0600, an old one is emptied), writes the header, the bundle's rules that
 * are on (`on`, by rule) and the addresses of `e`. NULL with a message in `err`.
 */
struct recorder *recorder_open(const struct spool_file *file, struct capture_head *head,
                               const uint8_t *on, struct enrich *e, char *err, size_t errlen);
/* Starts the thread, which gives up its privileges. 0, or -errno with a message in `err`. */
int recorder_start(struct recorder *rec, char *err, size_t errlen);

/* record_user.get; ctx is a struct recorder. */
bool recorder_get(void *ctx, const struct record *r, enum field_id field, int32_t index,
                  const char *name, struct val *out);
/*
 * The event was judged: asks what another bundle could ask, and writes the record with what it
 * rests on. `r` NULL: it was malformed.
 */
void recorder_event(struct recorder *rec, struct record *r, uint64_t number, const void *bytes,
                    size_t size);
/* The event is judged once more: what it was told so far does not count. */
void recorder_forget(struct recorder *rec);
void recorder_offset(struct recorder *rec, int32_t utc_offset);
/* A batch is over: what is in the buffer may go to the file. */
void recorder_kick(struct recorder *rec);
/* Writes the closing frame and waits a bounded time; says on `out` what was lost. */
void recorder_close(struct recorder *rec, FILE *out);

#endif
