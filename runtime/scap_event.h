/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of a scap file: numbers to events of the catalog, and each event's parameters by the
 * catalog's own indexes, whatever version of the format they are in (grammar/scap.def).
 *
 * Old files tell a call in two events, at its start and at its end, and part of the parameters is
 * in the first. scap_event_read() takes one apart; scap_event_join() puts the parameters of a
 * call's start under those of its end.
 */
#ifndef RULEC_SCAP_EVENT_H
#define RULEC_SCAP_EVENT_H

#include "../grammar/catalog.h"
#include "scap_in.h"

#define SCAP_PARAMS 32
#define SCAP_CODES 512

struct scap_param {
    const uint8_t *at; /* NULL: the file does not have it. An empty one has `len` 0 */
    uint32_t len;
};

enum scap_side { SCAP_ENTER, SCAP_EXIT, SCAP_TOLD };

struct scap_event {
    uint64_t ts;
    int64_t tid;
    uint64_t number; /* in the file, from 1 */
    uint16_t cpu;
    uint16_t code; /* the file's number */
    enum event_id event;
    enum scap_side side;
    struct scap_param param[SCAP_PARAMS];
};

/* What each number of the format is, filled once. */
struct scap_code {
    uint16_t event; /* enum event_id; EV_NONE: not known, or of no use */
    uint8_t side;
    uint8_t n;              /* parameters that it may have */
    uint8_t wide;           /* bytes of each length: 2 or 4 */
    int8_t of[SCAP_PARAMS]; /* index in the catalog's event, or -1 */
};
/* The highest number that there is. */
uint16_t scap_codes_fill(struct scap_code codes[SCAP_CODES]);

/* Is the block an event? */
bool scap_event_is(uint32_t type);
/*
 * An event's block. 1: it is in `e`; 0: its number is one that nothing is known of; -EPROTO: its
 * lengths are not right. Parameters point into the block.
 */
int scap_event_read(const struct scap_code *codes, const struct scap_block *b,
                    struct scap_event *e);
/* What `e` lacks of `enter`, if that is the start of its call. */
void scap_event_join(struct scap_event *e, const struct scap_event *enter);

/* A parameter by its name, the catalog's; NULL: the event has none. */
const struct scap_param *scap_param(const struct scap_event *e, const char *name);
/* Its number, sign-extended where its type has a sign. False: it is not there, or no number. */
bool scap_param_num(const struct scap_event *e, unsigned index, int64_t *out);
bool scap_named_num(const struct scap_event *e, const char *name, int64_t *out);
/* Its text without the NUL that ends it. False: it is not there, or empty: it could not be read. */
bool scap_param_text(const struct scap_event *e, const char *name, const char **s, uint32_t *n);

#endif
