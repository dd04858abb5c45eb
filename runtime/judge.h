/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a record to its alerts: what the live daemon and a replay have in common. Here are the
 * bundle, the rules that are on, what user space knows besides, and the alerts being told. Where
 * records come from is the caller's: daemon.c takes them from the kernel, rejudge.c from a file.
 */
#ifndef RULEC_JUDGE_H
#define RULEC_JUDGE_H

#include "audit.h"
#include "enrich.h"
#include "limit.h"
#include "lore_tell.h"
#include "options.h"
#include "recorder.h"
#include "stats.h"
#include "tell.h"
#include "waiting.h"

#define JUDGE_MATCHES 256 /* alerts of one event */

struct judge {
    const struct daemon_options *opt;
    uint8_t *bytes; /* the bundle; the view points into it */
    size_t size;
    struct rpk pack;
    struct selected selected;
    struct enrich enrich;
    struct record_user user; /* evt_num and utc_offset are set before each record */
    struct alert_style style;
    struct tell tell;
    struct waiting waiting;
    struct limit limit; /* of alerts by rule; not opened, there is none */
    struct lore lore;   /* what the kernel is told; not opened, nothing */
    struct audit audit;
    struct recorder *recorder; /* or NULL */
    struct stats stats;
    struct match matches[JUDGE_MATCHES];
    char scratch[RECORD_SCRATCH];
};

/* Those with a result say on standard error what is wrong, and return 0 or -1. */
int judge_open_pack(struct judge *j);    /* reads the bundle that the options name */
int judge_select_rules(struct judge *j); /* which rules are on, and their gates */
/* Of the bundle only what judges is needed from now on: not its code, which was loaded. */
void judge_settle(struct judge *j);
/* Outputs and counters; `epoll` as in tell.h. The bundle is open. */
int judge_open_outputs(struct judge *j, int epoll);
void judge_close(struct judge *j);

/* Judges record number user.evt_num, and tells what matches; it may first have to wait. */
void judge_record(struct judge *j, const void *data, size_t size, bool may_wait);
/* Judges a record of the past, which has been opened; NULL: it is malformed. */
void judge_again(struct judge *j, struct record *r);
/* waiting.release; ctx is a struct judge. */
void judge_release(void *ctx, const struct wait_item *item);

#endif
