/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "get.h"
#include "scap.h"

static ssize_t read_fd(void *ctx, void *buf, size_t n)
{
    return read(*(const int *)ctx, buf, n);
}

/* The first frame says which rules were on. A file that is cut before it has no records either. */
static int read_rules(struct replay *p, char *err, size_t errlen)
{
    struct capture_part part;
    enum capture_got got = capture_next(&p->in, &part);

    if (got == CAPTURE_CUT)
        return 0;
    if (got == CAPTURE_GOT && part.kind == CAPTURE_RULES && part.size == (p->head.nrule + 7) / 8 &&
        (p->on = malloc(part.size + 1)) != NULL) {
        memcpy(p->on, part.bytes, part.size);
        p->non = part.size;
        return 0;
    }
    snprintf(err, errlen, "the recording is damaged behind its header");
    return -EPROTO;
}

/* The first bytes, to tell by what the file is; an error is found again behind them. */
static void read_first(struct capture_in *in)
{
    ssize_t n;

    while (in->len < 8 && (n = in->read(in->ctx, in->buf + in->len, CAPTURE_AHEAD - in->len)) > 0)
        in->len += (size_t)n;
}

static int begin_scap(struct replay *p, char *err, size_t errlen)
{
    const struct scap_source from = {p->in.read, p->in.ctx, p->in.buf, p->in.len};

    p->scap = scap_open(&from, &p->head, err, errlen);
    if (!p->scap)
        return -EPROTO;
    p->utc_offset = p->head.utc_offset;
    enrich_recorded(&p->enrich, p->head.hostname);
    scap_machine(p->scap, &p->enrich);
    return 0;
}

int replay_begin(struct replay *p, char *err, size_t errlen)
{
    p->answers = answers_new();
    p->in.buf = malloc(CAPTURE_BUFFER);
    if (!p->answers || !p->in.buf) {
        snprintf(err, errlen, "out of memory");
        return -ENOMEM;
    }
    read_first(&p->in);
    if (scap_is(p->in.buf, p->in.len))
        return begin_scap(p, err, errlen);
    if (capture_begin(&p->in, &p->head, err, errlen) || read_rules(p, err, errlen))
        return -EPROTO;
    p->utc_offset = p->head.utc_offset;
    enrich_recorded(&p->enrich, p->head.hostname);
    return 0;
}

int replay_open(struct replay *p, const char *path, char *err, size_t errlen)
{
    *p = (struct replay){.path = path, .in.read = read_fd};
    p->in.ctx = &p->fd;
    p->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (p->fd < 0) {
        int rc = -errno;

        snprintf(err, errlen, "%s", strerror(-rc));
        return rc;
    }
    return replay_begin(p, err, errlen);
}

void replay_close(struct replay *p)
{
    if (p->fd > STDIN_FILENO)
        close(p->fd);
    answers_free(p->answers);
    scap_close(p->scap);
    free(p->in.buf);
    free(p->on);
    *p = (struct replay){.fd = -1};
}

void replay_bind(struct replay *p, const struct rpk *pack)
{
    if (!p->scap)
        return;
    scap_bind(p->scap, pack);
    memcpy(p->head.plan.extra, pack->head->plan.extra, sizeof(p->head.plan.extra));
}

/* ---- frames ---- */

static void keep_addrs(struct replay *p, const struct capture_part *part)
{
    const struct capture_addr *a = part->bytes;
    struct enrich *e = &p->enrich;

    e->nlocal = 0;
    for (size_t i = 0; i < part->size / sizeof(*a) && e->nlocal < ENRICH_ADDRS; i++) {
        e->local[e->nlocal].len = a[i].len;
        memcpy(e->local[e->nlocal++].addr, a[i].addr, sizeof(a[i].addr));
    }
}

/*
 * Numbers that were left out, in front of this one. A record that waited for the metadata of its
 * container comes later than its number.
 */
static void count_missing(struct replay *p, uint64_t number)
{
    if (number > p->highest + 1)
        p->missing += number - p->highest - 1;
    else if (number <= p->highest && p->missing)
        p->missing--;
    if (number > p->highest)
        p->highest = number;
    p->number = number;
}

/* Takes in all but records. False: out of memory. */
static bool take_in(struct replay *p, const struct capture_part *part)
{
    if (part->kind == CAPTURE_ANSWER)
        return answers_put(p->answers, part);
    if (part->kind == CAPTURE_OFFSET)
        p->utc_offset = (int32_t) * (const int64_t *)part->bytes;
    else if (part->kind == CAPTURE_ADDRS)
        keep_addrs(p, part);
    else if (part->kind == CAPTURE_STOP)
        p->stop = (enum capture_why) * (const uint64_t *)part->bytes;
    return true;
}

/* How a recording ends that was not ended properly. */
static void say_end(const struct replay *p, enum capture_got got, char *err, size_t errlen)
{
    unsigned long long at = p->in.offset, n = p->records;

    if (got == CAPTURE_CUT)
        snprintf(err, errlen,
                 "the recording is cut behind byte %llu; %llu whole records were judged", at, n);
    else if (got == CAPTURE_BROKEN)
        snprintf(err, errlen,
                 "the recording is damaged at byte %llu; the %llu records before it were judged",
                 at, n);
    else
        snprintf(err, errlen, "it cannot be read behind byte %llu: %s", at, strerror(p->in.error));
}

/* The view of a record that is given as bytes; NULL: it is malformed. */
static struct record *open_flat(struct replay *p, const void *bytes, size_t size)
{
    return record_open(&p->flat, bytes, size, p->user, p->scratch) ? NULL : &p->flat;
}

/* The view of a frame's record. */
static struct record *open_part(struct replay *p, const struct capture_part *part)
{
    const struct capture_record *head = part->bytes;

    if (!part->view)
        return open_flat(p, head + 1, part->size - sizeof(*head));
    part->view->user = p->user;
    part->view->scratch = p->scratch;
    return part->view;
}

static bool next_of_scap(struct replay *p, struct record **view, bool *whole, char *err,
                         size_t errlen)
{
    static const enum capture_got ends[] = {[SCAP_DONE] = CAPTURE_DONE,
                                            [SCAP_CUT] = CAPTURE_CUT,
                                            [SCAP_BROKEN] = CAPTURE_BROKEN,
                                            [SCAP_FAILED] = CAPTURE_FAILED};
    struct scap_row row;
    enum scap_got got;

    while ((got = scap_next(p->scap, &row)) == SCAP_GOT) {
        p->records++;
        p->number = row.number;
        if (!row.bytes)
            continue;
        *view = open_flat(p, row.bytes, row.size);
        return true;
    }
    p->in.offset = scap_offset(p->scap, &p->in.error);
    *whole = got == SCAP_DONE;
    if (got == SCAP_NO_MEMORY)
        snprintf(err, errlen, "out of memory");
    else if (!*whole)
        say_end(p, ends[got], err, errlen);
    return false;
}

bool replay_next(struct replay *p, struct record **view, bool *whole, char *err, size_t errlen)
{
    struct capture_part part;
    enum capture_got got;

    *whole = false;
    if (p->scap)
        return next_of_scap(p, view, whole, err, errlen);
    while ((got = capture_next(&p->in, &part)) == CAPTURE_GOT) {
        if (part.kind == CAPTURE_RECORD) {
            count_missing(p, ((const struct capture_record *)part.bytes)->number);
            p->records++;
            *view = open_part(p, &part);
            return true;
        }
        if (!take_in(p, &part)) {
            snprintf(err, errlen, "out of memory");
            return false;
        }
    }
    *whole = got == CAPTURE_DONE;
    if (!*whole)
        say_end(p, got, err, errlen);
    return false;
}

/* ---- answers ---- */

/* What a stranger's file says is taken only in the shape that the field has. */
static bool fits(const struct val *v, enum field_id field)
{
    const struct field_info *info = catalog_field(field);

    return !val_here(*v) ||
           (v->base == catalog_type(info->type)->base && (!v->is_list || (info->flags & FF_LIST)));
}

/* Each container that an engine knows has a name. */
static bool nobody_knows(const struct replay *p, const struct record *r, enum field_id field)
{
    const struct enrich_question q = {F_container_name, -1, ""};
    const struct capture_part *answer = NULL;
    struct val name = val_absent();
    char key[ENRICH_KEY];
    size_t nkey = 0;

    if (enrich_is_metadata(field) && field != F_container_type)
        nkey = enrich_key(&p->enrich, r, &q, key);
    if (nkey)
        answer = answers_find(p->answers, key, nkey);
    return answer && (!capture_value(answer, &name) || name.state == ST_ABSENT);
}

bool replay_get(void *ctx, const struct record *r, enum field_id field, int32_t index,
                const char *name, struct val *out)
{
    const struct enrich_question q = {field, index, name};
    const struct capture_part *answer;
    struct replay *p = ctx;
    char key[ENRICH_KEY];
    size_t nkey = enrich_key(&p->enrich, r, &q, key);
    const struct scap_question ask = {field, index, name};
    bool known, missing = false;

    if (p->scap && scap_get(p->scap, r, &ask, out, p->no_metadata ? p->no_metadata : &missing))
        return true;
    if (p->scap && field == F_proc_name)
        return false;
    if (nkey == 0)
        return enrich_get(&p->enrich, r, field, index, name, out);
    answer = answers_find(p->answers, key, nkey);
    if (p->no_metadata && nobody_knows(p, r, field))
        *p->no_metadata = true;
    if (answer) {
        known = capture_value(answer, out);
        if (fits(out, field))
            return known;
    }
    p->unasked++;
    *out = val_unknown();
    return true;
}

/* ---- the end ---- */

static void say_count(const struct replay *p, uint64_t n, const char *what)
{
    if (n)
        fprintf(stderr, "rulerun: %s: %llu %s\n", p->path, (unsigned long long)n, what);
}

void replay_report(const struct replay *p)
{
    struct scap_count c = {0};

    if (p->scap)
        c = scap_count(p->scap);
    say_count(p, c.malformed, "events or lists are malformed; they are left out");
    say_count(p, c.unknown, "events are of numbers that this version does not know");
    say_count(p, c.no_start, "calls have no start in it; what that would tell is unknown");
    say_count(p, c.lost, "processes, descriptors and texts had no room; they are unknown");
    if (p->stop != CAPTURE_NO_STOP)
        fprintf(stderr, "rulerun: %s: the recording ended before its run did: %s\n", p->path,
                p->stop == CAPTURE_STOP_SIZE ? "it had the size that --record-max allowed"
                                             : "little of its file system was free");
    say_count(p, p->missing, "records are missing: there was no room for them");
    say_count(p, p->unasked, "questions for names were not asked when it was made");
}
