/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that only user space has: names of users and groups, the host's name, which end of a
 * connection is this machine's, names of addresses, and what is said of containers.
 *
 * What is said of a container comes from its engine's files (metacache.h). Before a record is
 * judged, enrich_begin() says whether it may wait for them: if it may, values that may still come
 * are unknown, and `pending` says that one was asked for. If not, they are absent, as in Falco when
 * its engine does not answer, and `missing` says so. Everything is looked up when asked for, in
 * bounded time; memory is fixed at start.
 */
#ifndef RULEC_ENRICH_H
#define RULEC_ENRICH_H

#include "../grammar/lore.h"
#include "hosts.h"
#include "metacache.h"
#include "names.h"
#include "record.h"

#define ENRICH_TEXTS 64
#define ENRICH_TEXT 256
#define ENRICH_ADDRS 256
#define ENRICH_MADE 8 /* long texts of one record */

struct enrich {
    char hostname[256];
    struct names *names;
    struct hosts *hosts;
    struct {
        uint8_t len, addr[16];
    } local[ENRICH_ADDRS];
    unsigned nlocal;
    char text[ENRICH_TEXTS][ENRICH_TEXT]; /* texts handed out, the oldest overwritten */
    unsigned next;
    uint64_t start_ts; /* ns since the epoch: when watching began; the caller sets it */
    struct metacache *containers;
    struct meta_key key; /* of the record's container, if has_key */
    bool has_key, may_wait;
    bool missing, pending; /* since enrich_begin() */
    /* By kind of lore, since enrich_event(): until when, by the events' clock, the answers hold. */
    uint64_t until[LORE_KINDS];
    uint64_t holds; /* the same, of the answer that is being made */
    char made[ENRICH_MADE][META_POOL];
    unsigned next_made;
};

/* 0, or -ENOMEM. The machine's addresses and name are those of now. */
int enrich_open(struct enrich *e, const char *etc, const struct metacache_options *o);
void enrich_close(struct enrich *e);
/* Another record. */
void enrich_event(struct enrich *e);
/* The record is judged, for the first time or once more. */
void enrich_begin(struct enrich *e, bool may_wait);
/* Is the field one that a container's engine has the value of? */
bool enrich_is_metadata(enum field_id f);
/* Is the metadata of the record's container still waited for? */
bool enrich_pending(struct enrich *e, const struct record *r);
/* record_user.get; ctx is a struct enrich. */
bool enrich_get(void *ctx, const struct record *r, enum field_id field, int32_t index,
                const char *name, struct val *out);

/*
 * Of a recording: the same machine as far as it was written down. There are no files to look into;
 * the caller adds the addresses, and asks enrich_get() only what enrich_key() has no key for.
 */
void enrich_recorded(struct enrich *e, const char *hostname);

/*
 * The key of what is looked up outside of the record to answer a question: equal keys, at the same
 * time, have the same answer. Its length; 0 if the answer follows from the record, the host's name
 * and its addresses alone. Keys are kept in recordings (docs/capture.md).
 */
#define ENRICH_KEY 512
struct enrich_question {
    enum field_id field;
    int32_t index;
    const char *name;
};
size_t enrich_key(const struct enrich *e, const struct record *r, const struct enrich_question *q,
                  char key[ENRICH_KEY]);

#endif
