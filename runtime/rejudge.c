/* SPDX-License-Identifier: Apache-2.0 */
#include "rejudge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit.h"
#include "priv.h"
#include "replay.h"
#include "say.h"

struct rejudge {
    struct judge *j;
    struct replay replay;
    struct rpk_head head; /* the bundle's, with the recording's ancestors */
    bool partial;         /* something is left out, and it was said so */
};

/* Rules that the recording cannot answer for are named and left out. */
static int fit(struct rejudge *d)
{
    const struct replay *p = &d->replay;
    const struct fit f = {.path = p->path, .head = &p->head, .on = p->on, .non = p->non};
    int left_out;

    if (!fit_same_rules(&f, &d->j->pack))
        fprintf(stderr,
                "rulerun: %s: it holds only events that passed the filter of other rules (%s); "
                "what these rules match besides is not in it\n",
                p->path, p->head.pack);
    left_out = fit_rules(&f, &d->j->pack, &d->j->selected, stderr);
    if (left_out < 0)
        return say("out of memory");
    if (left_out && d->j->selected.nrule == 0)
        return say_at(p->path, "it has not what these rules ask for: none of them can be judged");
    d->partial = left_out > 0;
    return 0;
}

static int start(struct rejudge *d)
{
    struct judge *j = d->j;
    char err[512] = "";

    if (judge_open_pack(j))
        return -1;
    if (replay_open(&d->replay, j->opt->replay, err, sizeof(err)))
        return say_at(j->opt->replay, err);
    replay_bind(&d->replay, &j->pack);
    if (judge_select_rules(j) || fit(d) || judge_open_outputs(j, -1))
        return -1;
    d->head = *j->pack.head;
    memcpy(d->head.plan.extra, d->replay.head.plan.extra, sizeof(d->head.plan.extra));
    j->pack.head = &d->head;
    d->replay.no_metadata = &j->enrich.missing;
    j->user = (struct record_user){
        .ctx = &d->replay, .get = replay_get, .no_metadata = &j->enrich.missing};
    j->style = j->opt->style;
    j->style.hostname = d->replay.head.hostname;
    return priv_drop(false, err, sizeof(err)) ? say(err) : 0;
}

static void finish(const struct rejudge *d)
{
    const struct replay *p = &d->replay;
    const struct stats *s = &d->j->stats;

    replay_report(p);
    if (s->broken)
        fprintf(stderr, "rulerun: %s: %llu records are malformed\n", p->path,
                (unsigned long long)s->broken);
    fprintf(stderr, "rulerun: replayed=%llu alerts=%llu dropped=%llu\n",
            (unsigned long long)p->records, (unsigned long long)s->alerts,
            (unsigned long long)s->dropped);
}

static enum daemon_result run(struct rejudge *d)
{
    struct judge *j = d->j;
    struct replay *p = &d->replay;
    struct record *view;
    char err[512] = "";
    bool whole;

    p->user = &j->user;
    p->scratch = j->scratch;
    while (replay_next(p, &view, &whole, err, sizeof(err))) {
        j->user.evt_num = p->number;
        j->user.utc_offset = p->utc_offset;
        judge_again(j, view);
    }
    tell_end(&j->tell);
    if (!whole)
        say_at(p->path, err);
    j->stats.dropped += tell_dropped(&j->tell);
    finish(d);
    return whole && !d->partial && !j->stats.dropped ? DAEMON_DONE : DAEMON_PART;
}

enum daemon_result rejudge(struct judge *j)
{
    struct rejudge *d = calloc(1, sizeof(*d));
    enum daemon_result result = DAEMON_CANNOT;

    if (!d) {
        say("out of memory");
        return DAEMON_CANNOT;
    }
    d->j = j;
    if (start(d) == 0)
        result = run(d);
    replay_close(&d->replay);
    j->pack.head = NULL; /* it is in `d` */
    free(d);
    return result;
}
