/* SPDX-License-Identifier: Apache-2.0 */
/* What rulerun was asked to do, and how it ended. */
#ifndef RULEC_OPTIONS_H
#define RULEC_OPTIONS_H

#include "alert.h"
#include "limit.h"
#include "metacache.h"
#include "select.h"
#include "tell.h"

#define DAEMON_SELECT 256

struct daemon_options {
    const char *pack; /* path of the bundle, or "-" */
    const char *outputs[TELL_OUTPUTS];
    unsigned noutput;
    struct alert_style style;                  /* but for the host's name */
    unsigned readings;                         /* bit per enum reading */
    unsigned priority;                         /* rules less severe than this are not there */
    struct select_entry select[DAEMON_SELECT]; /* in order; see select.h */
    unsigned nselect;
    uint32_t buffer;            /* bytes of the ring buffer */
    struct limit_options limit; /* of alerts by rule; none in a replay */
    bool all_matches, audit;
    bool strict; /* do not run with a part of the hooks */
    struct metacache_options containers;
    const char *record;  /* path of a recording to write, or NULL */
    uint64_t record_max; /* bytes of it; 0: as there is room */
    bool record_all;     /* every event, not those alone that passed the filter */
    const char *replay;  /* path of a recording to judge in place of the kernel, or "-", or NULL */
};

enum daemon_result {
    DAEMON_DONE,   /* ended by a signal, or with the recording */
    DAEMON_CANNOT, /* could not run; said why */
    DAEMON_WRONG,  /* the audit found a disagreement */
    DAEMON_PART,   /* a recording is cut or damaged, or lacks what rules ask for; said so */
};

#endif
