/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scap file, as sysdig and Falco write them, read as a row of records: the ends of system calls
 * that a bundle has rules for, each with what is known of its process and descriptors.
 */
#ifndef RULEC_SCAP_H
#define RULEC_SCAP_H

#include "capture.h"
#include "scap_in.h"

struct enrich;
struct scap;

/* Do these first bytes of a file begin a scap file, compressed or not? */
bool scap_is(const uint8_t *bytes, size_t n);

struct scap_source {
    ssize_t (*read)(void *ctx, void *buf, size_t n); /* as read(2) */
    void *ctx;
    const uint8_t *first; /* bytes that were read already, and stay where they are */
    size_t nfirst;
};
/*
 * Reads up to the first event. `head` gets what a recording of all events would say of itself.
 * NULL with the reason in `err`.
 */
struct scap *scap_open(const struct scap_source *from, struct capture_head *head, char *err,
                       size_t errlen);
void scap_close(struct scap *s);
/* The machine's addresses, for what enrich.h makes of them. */
void scap_machine(const struct scap *s, struct enrich *e);
/* The bundle that will be asked: no record is made for what it has no rules for. */
void scap_bind(struct scap *s, const struct rpk *p);

struct scap_row {
    const void *bytes; /* NULL: an event that nobody asks for; until the next call */
    size_t size;
    uint64_t number; /* of the event in the file, from 1 */
};
/* The next call's end. Anything but SCAP_GOT: there is none. */
enum scap_got scap_next(struct scap *s, struct scap_row *out);
/* How far it has read, in the file without compression; errno of a read that failed. */
uint64_t scap_offset(const struct scap *s, int *error);

/*
 * What the file tells outside of calls: names of ids, of processes, and of containers. False: it is
 * none of these. `*missing` is set where a container's metadata is asked for and was not told.
 */
struct scap_question {
    enum field_id field;
    int32_t index;
    const char *name;
};
bool scap_get(struct scap *s, const struct record *r, const struct scap_question *q,
              struct val *out, bool *missing);

struct scap_count {
    uint64_t malformed; /* events and lists that are not right */
    uint64_t unknown;   /* events of numbers that this version does not know */
    uint64_t no_start;  /* ends of calls whose start is not in the file, though it has those */
    uint64_t lost;      /* processes, descriptors and texts that there was no room for */
};
struct scap_count scap_count(const struct scap *s);

#endif
