/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "say.h"

#define BUNDLE_MAX (256u << 20)

/* ---- start ---- */

/* Reads all of a file; its size need not be known beforehand. malloc()'s alignment is enough. */
static int read_bundle(struct judge *j)
{
    const char *path = j->opt->pack;
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t cap = 1u << 16;
    ssize_t n = 0;

    if (fd < 0)
        return say_at(path, strerror(errno));
    j->bytes = malloc(cap);
    while (j->bytes && (n = read(fd, j->bytes + j->size, cap - j->size)) > 0) {
        j->size += (size_t)n;
        if (j->size < cap)
            continue;
        cap *= 2;
        uint8_t *more = cap <= BUNDLE_MAX ? realloc(j->bytes, cap) : NULL;
        if (!more)
            free(j->bytes);
        j->bytes = more;
    }
    n = n < 0 ? errno : 0;
    if (fd != STDIN_FILENO)
        close(fd);
    if (!j->bytes)
        return say_at(path, "too big");
    return n ? say_at(path, strerror((int)n)) : 0;
}

int judge_open_pack(struct judge *j)
{
    char err[256] = "";

    if (read_bundle(j))
        return -1;
    return rpk_open(&j->pack, j->bytes, j->size, err, sizeof(err)) ? say_at(j->opt->pack, err) : 0;
}

/* Whole pages alone; they read as zeros from now on. */
static void forget(uint8_t *from, uint8_t *to)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)from + page - 1) / page * page, end = (uintptr_t)to / page * page;

    if (first < end)
        madvise((void *)first, end - first, MADV_DONTNEED);
}

void judge_settle(struct judge *j)
{
    uint64_t off = 0, len = 0;

    if (rpk_elf_find(j->bytes, j->size, RPK_SECTION, &off, &len, NULL, 0))
        return;
    forget(j->bytes, j->bytes + off);
    forget(j->bytes + off + len, j->bytes + j->size);
}

int judge_select_rules(struct judge *j)
{
    const struct daemon_options *o = j->opt;

    if (select_rules_on(&j->selected, &j->pack, o->select, o->nselect, o->priority, stderr))
        return say("out of memory");
    if (j->selected.nrule == 0)
        say("no rule is on: there will be no alert");
    j->pack.on = j->selected.on;
    j->audit.selected = &j->selected;
    if (select_gates(j->bytes, j->size, &j->pack))
        return say_at(o->pack, "a switch of a rule has no rule");
    return 0;
}

int judge_open_outputs(struct judge *j, int epoll)
{
    char err[256];

    if (tell_open(&j->tell, j->opt->outputs, j->opt->noutput, epoll, err, sizeof(err)))
        return say(err);
    return stats_open(&j->stats, j->pack.head->rules.n) ? say("out of memory") : 0;
}

void judge_close(struct judge *j)
{
    if (j->recorder)
        recorder_close(j->recorder, stderr);
    tell_close(&j->tell);
    stats_close(&j->stats);
    limit_close(&j->limit);
    lore_close(&j->lore);
    select_close(&j->selected);
    enrich_close(&j->enrich);
    waiting_close(&j->waiting);
    free(j->bytes);
}

/* ---- records ---- */

static void emit(struct judge *j, struct record *r, const struct match *m)
{
    struct rule_stats *rule = &j->stats.by_rule[m->rule];
    size_t n;

    record_reset(r);
    n = alert_write(&j->style, &j->pack, r, m, tell_room(&j->tell), ALERT_MAX);
    j->stats.alerts++;
    rule->alerts++;
    if (j->enrich.missing)
        rule->no_metadata++;
    if (n == 0)
        j->stats.dropped++; /* even with its values cut it does not fit */
    else
        tell_line(&j->tell, n);
}

/* False: the rule has had its share of alerts. */
static bool tell_match(struct judge *j, struct record *r, const struct match *m, bool missing)
{
    if (!limit_take(&j->limit, m->rule, r->h->ts))
        return false;
    j->enrich.missing = missing;
    emit(j, r, m);
    return true;
}

static unsigned find_matches(struct judge *j, struct record *r, bool may_wait, bool all)
{
    record_reset(r);
    enrich_begin(&j->enrich, may_wait);
    return table_match(&j->pack, r, j->opt->readings, !all, j->matches, JUDGE_MATCHES);
}

/*
 * The first rule is beyond its limit: the next one that matches tells of the event, so that who
 * floods one rule hides nothing from the others. The kernel's filter goes on in the same way.
 */
static void tell_next(struct judge *j, struct record *r)
{
    uint32_t first = j->matches[0].rule;
    unsigned n = find_matches(j, r, false, true);
    bool missing = j->enrich.missing, told = false;

    for (unsigned i = 0; i < n && !told; i++)
        if (j->matches[i].rule != first)
            told = tell_match(j, r, &j->matches[i], missing);
}

/* The first rule that matches, or all. False: nothing was told, the record must wait. */
static bool judge(struct judge *j, struct record *r, bool may_wait)
{
    bool missing, told = true, all = j->opt->all_matches;
    unsigned n = find_matches(j, r, may_wait, all);

    if (n && may_wait && waiting_must(&j->waiting, r, j->matches, n))
        return false;
    missing = j->enrich.missing;
    for (unsigned i = 0; i < n; i++)
        told = tell_match(j, r, &j->matches[i], missing);
    if (!told && !all)
        tell_next(j, r);
    return true;
}

void judge_release(void *ctx, const struct wait_item *item)
{
    struct judge *j = ctx;
    struct record r;

    j->user.evt_num = item->evt_num;
    if (record_open(&r, wait_record(item), item->bytes, &j->user, j->scratch) != 0)
        return;
    enrich_event(&j->enrich);
    judge(j, &r, false);
    lore_tell(&j->lore, &r, &j->enrich);
    if (j->recorder)
        recorder_event(j->recorder, &r, item->evt_num, wait_record(item), item->bytes);
}

/* What was answered so far was not the event's last judgement. */
static void take_back(struct judge *j)
{
    if (j->recorder)
        recorder_forget(j->recorder);
}

static void count_broken(struct judge *j)
{
    if (j->stats.broken++ == 0)
        say("a record is malformed; it is counted and skipped");
}

void judge_again(struct judge *j, struct record *r)
{
    if (!r) {
        count_broken(j);
        return;
    }
    enrich_event(&j->enrich);
    judge(j, r, false);
}

void judge_record(struct judge *j, const void *data, size_t size, bool may_wait)
{
    struct record r;
    int rc = record_open(&r, data, size, &j->user, j->scratch);

    if (rc)
        count_broken(j);
    enrich_event(&j->enrich);
    if (rc == 0 && j->opt->audit) {
        enrich_begin(&j->enrich, false);
        audit_event(&j->audit, &j->pack, &r, stderr);
        take_back(j);
    }
    if (rc == 0 && !judge(j, &r, may_wait)) {
        take_back(j);
        waiting_add(&j->waiting, &r, data, size);
        return;
    }
    if (rc == 0)
        lore_tell(&j->lore, &r, &j->enrich);
    if (j->recorder)
        recorder_event(j->recorder, rc ? NULL : &r, j->user.evt_num, data, size);
}
