/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording, judged again: its records in order, each with the answers, the time zone and the
 * machine that were in force when it was made. Needs no kernel. A scap file, which sysdig and Falco
 * write, is read as if it were a recording of all events (scap.h).
 */
#ifndef RULEC_REPLAY_H
#define RULEC_REPLAY_H

#include "capture.h"
#include "enrich.h"

struct answers;
struct scap;

struct replay {
    const char *path;
    int fd;
    struct capture_in in;
    struct scap *scap; /* NULL: it is a recording of ours */
    struct capture_head head;
    struct enrich enrich; /* the recorded machine's name and addresses */
    struct answers *answers;
    uint8_t *on; /* a bit per rule of the recorded bundle, those that were on; NULL: not told yet */
    size_t non;  /* its bytes */
    int32_t utc_offset;
    uint64_t number;       /* of the record at hand */
    uint64_t highest;      /* so far */
    uint64_t records;      /* so far */
    uint64_t missing;      /* that the recorder had no room for */
    enum capture_why stop; /* why it ends before the run that it records */
    uint64_t unasked;      /* questions that the recording has no answer to */
    bool *no_metadata;     /* set as in struct record_user; may be NULL */
    /* Of the records' views; the caller sets them before the first one. */
    const struct record_user *user;
    char *scratch; /* RECORD_SCRATCH bytes */
    struct record flat;
};

/* `path` may be "-". 0, or a negative errno with what is wrong in `err`. */
int replay_open(struct replay *p, const char *path, char *err, size_t errlen);
/* The same from a reader of `p->in`, which the caller has filled in. */
int replay_begin(struct replay *p, char *err, size_t errlen);
void replay_close(struct replay *p);
/* The bundle that will judge it. */
void replay_bind(struct replay *p, const struct rpk *pack);
/* Says on stderr what was missing, and what the file is not clear about. */
void replay_report(const struct replay *p);

/* record_user.get; ctx is a struct replay. */
bool replay_get(void *ctx, const struct record *r, enum field_id field, int32_t index,
                const char *name, struct val *out);

/*
 * Goes on to the next record, whose view is good until the next call; NULL: it is malformed. False:
 * there is none; `*whole` says whether the recording was ended properly, else `err` says where and
 * how it ends.
 */
bool replay_next(struct replay *p, struct record **view, bool *whole, char *err, size_t errlen);

#endif
