/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "get.h"

#define CACHE 4096             /* answers remembered, */
#define WAYS 4                 /* so many whose keys have the same hash; powers of two */
#define CACHED_BYTES 512       /* of key and text; longer ones are written each time */
#define TOLD 64                /* answers given in one event */
#define TOLD_BYTES 65536       /* of their keys and texts */
#define NAMES_ASKED 64         /* of an address, as many as a test looks at */
#define AGAIN_NS 1000000000ull /* what was asked within this time is not asked in advance */

/* The last answer to a key, as it was written. */
struct cached {
    uint64_t asked; /* ns; 0: this place is empty */
    uint32_t size;
    char frame[sizeof(struct capture_answer) + CACHED_BYTES]; /* the payload */
};

/* An answer given in this event. */
struct told {
    const char *key;
    size_t nkey;
    bool known;
    struct val value;
};

struct recorder {
    struct spool *spool;
    struct enrich *enrich;
    const char *path;
    int32_t utc_offset;
    uint16_t ahead[F_COUNT]; /* fields that are asked for in advance */
    unsigned nahead;
    bool incomplete; /* an answer of this event found no room */
    unsigned ntold;
    size_t told_used;
    struct told told[TOLD];
    char told_bytes[TOLD_BYTES];
    struct cached cache[CACHE];
    _Alignas(8) char frame[sizeof(struct capture_frame) + CAPTURE_FRAME_MAX + 8];
};

/* ---- frames ---- */

/* Where the payload of the next frame is made. */
static char *payload(struct recorder *rec)
{
    return rec->frame + sizeof(struct capture_frame);
}

/* Its sum is the spool's matter. */
static bool put_frame(struct recorder *rec, enum capture_kind kind, size_t size)
{
    const struct capture_frame f = {.size = (uint32_t)size, .kind = (uint16_t)kind};

    memcpy(rec->frame, &f, sizeof(f));
    return spool_put(rec->spool, rec->frame, sizeof(f) + size, "", 0);
}

/* One of those that the file begins with. */
static void begin_frame(struct recorder *rec, enum capture_kind kind, size_t size)
{
    struct capture_frame f;

    memset(payload(rec) + size, 0, capture_padded(size) - size);
    f = capture_frame_of(kind, payload(rec), size);
    memcpy(rec->frame, &f, sizeof(f));
    spool_begin(rec->spool, rec->frame, capture_whole(&f));
}

static void begin_rules(struct recorder *rec, const uint8_t *on, uint32_t n)
{
    memset(payload(rec), 0, (n + 7) / 8);
    for (uint32_t i = 0; i < n; i++)
        if (on[i])
            payload(rec)[i / 8] |= (char)(1u << (i % 8));
    begin_frame(rec, CAPTURE_RULES, (n + 7) / 8);
}

static void begin_addrs(struct recorder *rec, const struct enrich *e)
{
    struct capture_addr *a = (struct capture_addr *)payload(rec);

    memset(a, 0, e->nlocal * sizeof(*a));
    for (unsigned i = 0; i < e->nlocal; i++) {
        a[i].len = e->local[i].len;
        memcpy(a[i].addr, e->local[i].addr, sizeof(a[i].addr));
    }
    begin_frame(rec, CAPTURE_ADDRS, e->nlocal * sizeof(*a));
}

void recorder_plan(struct probe_plan *plan)
{
    plan->groups = (1ull << G_COUNT) - 1;
    plan->readings = READINGS_ALL;
    for (int e = EV_NONE + 1; e < EV_COUNT; e++)
        if (e != EV_generic && e != EV_switch && catalog_event((enum event_id)e)->live)
            catalog_calls((enum event_id)e, (uint64_t *)plan->syscalls);
}

/* Those that user space alone knows, and that have a value without an argument. */
static void find_ahead(struct recorder *rec)
{
    for (int f = F_NONE + 1; f < F_COUNT; f++) {
        const struct field_info *info = catalog_field((enum field_id)f);

        if (info->source == SRC_USER && !(info->flags & FF_DEPRECATED) &&
            (info->arg == ARG_NONE || info->arg == ARG_INDEX_OPT || info->arg == ARG_TEXT_OPT))
            rec->ahead[rec->nahead++] = (uint16_t)f;
    }
}

struct recorder *recorder_open(const struct spool_file *file, struct capture_head *head,
                               const uint8_t *on, struct enrich *e, char *err, size_t errlen)
{
    struct recorder *rec = calloc(1, sizeof(*rec));

    if (!rec) {
        snprintf(err, errlen, "out of memory");
        return NULL;
    }
    rec->path = file->path;
    rec->enrich = e;
    find_ahead(rec);
    rec->utc_offset = head->utc_offset;
    rec->spool = spool_open(file, RECORDER_BUFFER, err, errlen);
    if (!rec->spool) {
        free(rec);
        return NULL;
    }
    capture_seal(head);
    spool_begin(rec->spool, head, sizeof(*head));
    begin_rules(rec, on, head->nrule);
    begin_addrs(rec, e);
    return rec;
}

int recorder_start(struct recorder *rec, char *err, size_t errlen)
{
    return spool_start(rec->spool, err, errlen);
}

/* ---- answers ---- */

static struct told *find_told(struct recorder *rec, const char *key, size_t nkey)
{
    for (unsigned i = 0; i < rec->ntold; i++)
        if (rec->told[i].nkey == nkey && memcmp(rec->told[i].key, key, nkey) == 0)
            return &rec->told[i];
    return NULL;
}

/* Bytes of this event, until the next. */
static const char *keep(struct recorder *rec, const char *bytes, size_t n)
{
    char *to = rec->told_bytes + rec->told_used;

    if (n)
        memcpy(to, bytes, n);
    rec->told_used += n;
    return to;
}

static void remember_told(struct recorder *rec, const char *key, size_t nkey, bool known,
                          struct val *v)
{
    struct told *t = &rec->told[rec->ntold];

    if (rec->ntold == TOLD || nkey + v->len > TOLD_BYTES - rec->told_used)
        return; /* the question is asked anew */
    if (v->text)
        v->text = keep(rec, v->text, v->len);
    *t = (struct told){keep(rec, key, nkey), nkey, known, *v};
    rec->ntold++;
}

/* The payload of an answer, where frames are made; its size, 0 if it is too long for one. */
static size_t make_answer(struct recorder *rec, const char *key, size_t nkey, bool known,
                          const struct val *v)
{
    struct capture_answer a = {.nkey = (uint32_t)nkey, .known = known, .state = ST_ABSENT};
    size_t ntext = known && val_here(*v) && v->text ? v->len : 0;
    char *to = payload(rec);

    if (sizeof(a) + nkey + ntext > CAPTURE_FRAME_MAX)
        return 0;
    if (known)
        a.state = v->state;
    if (known && val_here(*v)) {
        a.base = v->base;
        a.family = v->family;
        a.is_list = v->is_list;
        a.num = v->num;
        a.has_text = v->text != NULL;
    }
    memcpy(to, &a, sizeof(a));
    memcpy(to + sizeof(a), key, nkey);
    if (ntext)
        memcpy(to + sizeof(a) + nkey, v->text, ntext);
    return sizeof(a) + nkey + ntext;
}

/* The place holds an answer to this key. */
static bool is_of(const struct cached *c, const char *key, size_t nkey)
{
    struct capture_answer a;

    if (!c->asked)
        return false;
    memcpy(&a, c->frame, sizeof(a));
    return a.nkey == nkey && memcmp(c->frame + sizeof(a), key, nkey) == 0;
}

/* The place of a key: the one that has it, or the one that was asked the longest time ago. */
static struct cached *place_of(struct recorder *rec, const char *key, size_t nkey)
{
    char padded[ENRICH_KEY + 8] = "";
    struct cached *set, *oldest;

    memcpy(padded, key, nkey);
    set = &rec->cache[capture_check(nkey, padded, capture_padded(nkey)) % (CACHE / WAYS) * WAYS];
    oldest = set;
    for (struct cached *c = set; c < set + WAYS; c++) {
        if (is_of(c, key, nkey))
            return c;
        if (c->asked < oldest->asked)
            oldest = c;
    }
    return oldest;
}

/* Writes an answer unless it is the one that was written last. */
static void put_answer(struct recorder *rec, struct cached *c, size_t size, uint64_t now)
{
    if (size && c->asked && c->size == size && memcmp(c->frame, payload(rec), size) == 0) {
        c->asked = now;
        return;
    }
    c->asked = 0;
    if (!size || !put_frame(rec, CAPTURE_ANSWER, size)) {
        rec->incomplete = true;
        return;
    }
    if (size > sizeof(c->frame))
        return;
    memcpy(c->frame, payload(rec), size);
    c->size = (uint32_t)size;
    c->asked = now ? now : 1;
}

static bool ask(struct recorder *rec, const struct record *r, const struct enrich_question *q,
                bool in_advance, struct val *out)
{
    char key[ENRICH_KEY];
    size_t nkey = enrich_key(rec->enrich, r, q, key);
    struct cached *c;
    struct told *t;
    bool known, pending, before = rec->enrich->pending;

    if (nkey == 0)
        return !in_advance && enrich_get(rec->enrich, r, q->field, q->index, q->name, out);
    t = find_told(rec, key, nkey);
    if (t) {
        *out = t->value;
        return t->known;
    }
    c = place_of(rec, key, nkey);
    if (in_advance && is_of(c, key, nkey) && r->h->ts - c->asked < AGAIN_NS)
        return false;
    rec->enrich->pending = false;
    known = enrich_get(rec->enrich, r, q->field, q->index, q->name, out);
    pending = rec->enrich->pending;
    rec->enrich->pending |= before;
    if (pending) /* no answer yet */
        return known;
    put_answer(rec, c, make_answer(rec, key, nkey, known, out), r->h->ts);
    remember_told(rec, key, nkey, known, out);
    return known;
}

bool recorder_get(void *ctx, const struct record *r, enum field_id field, int32_t index,
                  const char *name, struct val *out)
{
    const struct enrich_question q = {field, index, name};

    return ask(ctx, r, &q, false, out);
}

/* ---- in advance ---- */

/* True if there is an answer, and it was not known yet. */
static bool ask_ahead(struct recorder *rec, struct record *r, enum field_id field, int32_t index)
{
    const struct enrich_question q = {field, index, ""};
    struct val v = val_absent();

    return ask(rec, r, &q, true, &v) && val_here(v);
}

/* An address has several names: all of them, and that there are no more. */
static void ask_names(struct recorder *rec, struct record *r)
{
    static const enum field_id names[] = {F_fd_cip_name, F_fd_sip_name};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (int32_t k = 0; k < NAMES_ASKED && ask_ahead(rec, r, names[i], k); k++)
            ;
}

/* Names of the ids among the event's parameters. */
static void ask_params(struct recorder *rec, struct record *r)
{
    unsigned n = catalog_param_count(r->h->event);

    for (unsigned i = 0; i < n; i++) {
        const struct param_info *p = catalog_param(r->h->event, i);
        enum field_id f = p->type == T_UID   ? F_user_name
                          : p->type == T_GID ? F_group_name
                          : p->type == T_PID ? F_proc_name
                                             : F_NONE;
        struct val v = f && p->slot >= 0 ? param_raw(r, p) : val_absent();

        if (v.state == ST_PRESENT && !v.text && v.num >= 0 && v.num <= INT32_MAX)
            ask_ahead(rec, r, f, (int32_t)v.num);
    }
}

/* All that could be asked of this event without an argument, by this bundle or another. */
static void ask_all(struct recorder *rec, struct record *r)
{
    for (unsigned i = 0; i < rec->nahead; i++)
        ask_ahead(rec, r, (enum field_id)rec->ahead[i], -1);
    ask_names(rec, r);
    ask_params(rec, r);
}

/* ---- events ---- */

static void next_event(struct recorder *rec)
{
    rec->ntold = 0;
    rec->told_used = 0;
    rec->incomplete = false;
}

void recorder_forget(struct recorder *rec)
{
    next_event(rec);
}

void recorder_event(struct recorder *rec, struct record *r, uint64_t number, const void *bytes,
                    size_t size)
{
    struct {
        struct capture_frame frame;
        struct capture_record record;
    } head = {.frame.kind = CAPTURE_RECORD, .record.number = number};

    if (r && !spool_ended(rec->spool))
        ask_all(rec, r);
    if (size > REC_MAX)
        size = REC_MAX; /* malformed, and still is */
    head.frame.size = (uint32_t)(sizeof(head.record) + size);
    if (rec->incomplete)
        spool_miss(rec->spool);
    else
        spool_put(rec->spool, &head, sizeof(head), bytes, size);
    next_event(rec);
}

void recorder_offset(struct recorder *rec, int32_t utc_offset)
{
    int64_t seconds = utc_offset;

    if (utc_offset == rec->utc_offset)
        return;
    memcpy(payload(rec), &seconds, sizeof(seconds));
    if (put_frame(rec, CAPTURE_OFFSET, sizeof(seconds)))
        rec->utc_offset = utc_offset;
}

void recorder_kick(struct recorder *rec)
{
    spool_kick(rec->spool);
}

void recorder_close(struct recorder *rec, FILE *out)
{
    const struct spool_end end = spool_close(rec->spool, RECORDER_PATIENCE_S);

    fprintf(out, "rulerun: recording %s: records=%llu dropped=%llu\n", rec->path,
            (unsigned long long)end.records, (unsigned long long)end.dropped);
    if (end.after)
        fprintf(out, "rulerun: recording %s: %llu records came after its end\n", rec->path,
                (unsigned long long)end.after);
    if (end.left)
        fprintf(out, "rulerun: recording %s: it is cut: its last %llu bytes were not written\n",
                rec->path, (unsigned long long)end.left);
    free(rec);
}
