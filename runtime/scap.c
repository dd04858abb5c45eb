/* SPDX-License-Identifier: Apache-2.0 */
#include "scap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "enrich.h"
#include "get.h"
#include "fmt.h"
#include "scap_apply.h"
#include "scap_list.h"
#include "scap_meta.h"
#include "scap_record.h"

#define MAGIC 0x1a2b3c4du
#define MAGIC_SWAPPED 0x4d3c2b1au
#define VERSION_MAX 1
#define MADE 8

struct scap {
    struct scap_source from;
    struct scap_in in;
    struct scap_code codes[SCAP_CODES];
    uint16_t newest; /* code */
    struct scap_lists lists;
    struct scap_state state;
    struct scap_metas *metas;
    char made[MADE][META_POOL]; /* texts of a record that were made of them */
    unsigned next_made;
    struct scap_block block; /* the first event's, until scap_next() takes it */
    bool pending;
    bool wanted[EV_COUNT];
    uint64_t events; /* so far, of all kinds */
    uint64_t first_ts;
    struct scap_count count;
    struct scap_event event, enter;
    struct scap_record record;
};

bool scap_is(const uint8_t *bytes, size_t n)
{
    static const uint8_t section[] = {0x0a, 0x0d, 0x0d, 0x0a}, gzip[] = {0x1f, 0x8b};

    return (n >= sizeof(section) && memcmp(bytes, section, sizeof(section)) == 0) ||
           (n >= sizeof(gzip) && memcmp(bytes, gzip, sizeof(gzip)) == 0);
}

/* What was read already, then the rest. */
static ssize_t read_source(void *ctx, void *buf, size_t n)
{
    struct scap_source *f = ctx;

    if (f->nfirst == 0)
        return f->read(f->ctx, buf, n);
    n = n < f->nfirst ? n : f->nfirst;
    memcpy(buf, f->first, n);
    f->first += n;
    f->nfirst -= n;
    return (ssize_t)n;
}

/* ---- the beginning ---- */

/* NULL, or what is wrong with the block as a section's. */
static const char *section_wrong(const struct scap_block *b)
{
    struct scap_bytes left = {b->body, b->size, false};
    uint32_t magic = (uint32_t)scap_take_number(&left, 4);
    uint32_t version = (uint32_t)scap_take_number(&left, 2);

    if (b->type != SCAP_SECTION || left.bad || (magic != MAGIC && magic != MAGIC_SWAPPED))
        return "this is no recording";
    if (magic == MAGIC_SWAPPED)
        return "the capture is of a machine with the other byte order";
    return version > VERSION_MAX ? "the capture is of a later version of the format" : NULL;
}

static const char *got_text(enum scap_got got)
{
    switch (got) {
    case SCAP_DONE:
    case SCAP_CUT:
        return "the capture is cut before its first event";
    case SCAP_BROKEN:
        return "the capture is damaged before its first event";
    case SCAP_NO_MEMORY:
        return "out of memory";
    case SCAP_GOT:
    case SCAP_FAILED:
        break;
    }
    return "it cannot be read";
}

/* Another section, of a file made of several: nothing of the one before holds. */
static void new_section(struct scap *s)
{
    scap_settle(&s->state);
    scap_procs_clear(s->state.procs);
    scap_lists_clear(&s->lists);
    scap_metas_clear(s->metas);
}

/* A block that is no event. Those that nothing is known of are passed over. */
static void take_list(struct scap *s, const struct scap_block *b)
{
    if (b->type == SCAP_SECTION && !section_wrong(b))
        new_section(s);
    else if (scap_list_read(&s->lists, s->state.procs, b) < 0)
        s->count.malformed++;
    s->state.boot_ts = s->lists.boot_ts;
}

static const char *read_start(struct scap *s)
{
    const char *wrong;
    enum scap_got got = scap_in_next(&s->in, &s->block);

    if (got == SCAP_BROKEN || got == SCAP_DONE || got == SCAP_CUT)
        return "this is no recording";
    wrong = got == SCAP_GOT ? section_wrong(&s->block) : got_text(got);
    if (wrong)
        return wrong;
    while ((got = scap_in_next(&s->in, &s->block)) == SCAP_GOT) {
        if (scap_event_is(s->block.type)) {
            s->pending = true;
            return NULL;
        }
        take_list(s, &s->block);
    }
    return got == SCAP_DONE ? NULL : got_text(got);
}

/* The zone of whoever reads it: the file does not tell the machine's. */
static int32_t utc_offset(const struct scap *s)
{
    return s->first_ts ? clock_utc_offset((time_t)(s->first_ts / 1000000000u)) : 0;
}

static void fill_head(struct scap *s, struct capture_head *head)
{
    *head = (struct capture_head){.hooks = (1u << HOOK_COUNT) - 1, .all = 1};
    head->plan.groups = (1ull << G_COUNT) - 1;
    for (unsigned i = 0; i < SCAP_CODES; i++)
        if (s->codes[i].side != SCAP_ENTER && catalog_event(s->codes[i].event)->live)
            catalog_calls((enum event_id)s->codes[i].event, (uint64_t *)head->plan.syscalls);
    head->plan.readings = READINGS_ALL; /* the one that there is stands for all */
    head->plan.failed_exec = 1;
    if (s->pending && scap_event_read(s->codes, &s->block, &s->event) == 1)
        s->first_ts = s->event.ts;
    head->utc_offset = utc_offset(s);
    snprintf(head->hostname, sizeof(head->hostname), "%s", s->lists.hostname);
}

struct scap *scap_open(const struct scap_source *from, struct capture_head *head, char *err,
                       size_t errlen)
{
    struct scap *s = calloc(1, sizeof(*s));
    const char *wrong = "out of memory";

    if (s) {
        s->from = *from;
        s->in.read = read_source;
        s->in.ctx = &s->from;
        s->state.procs = scap_procs_new();
        s->metas = scap_metas_new();
        s->record.state = &s->state;
        s->record.groups = (1ull << G_COUNT) - 1;
        memset(s->wanted, true, sizeof(s->wanted));
        s->newest = scap_codes_fill(s->codes);
    }
    if (s && s->state.procs && s->metas && scap_in_open(&s->in))
        wrong = read_start(s);
    if (!wrong) {
        scap_list_settle(&s->lists, s->state.procs);
        fill_head(s, head);
        return s;
    }
    snprintf(err, errlen, "%s", s && s->in.error ? strerror(s->in.error) : wrong);
    scap_close(s);
    return NULL;
}

void scap_close(struct scap *s)
{
    if (!s)
        return;
    scap_procs_free(s->state.procs);
    scap_lists_clear(&s->lists);
    scap_metas_free(s->metas);
    scap_in_close(&s->in);
    free(s);
}

void scap_machine(const struct scap *s, struct enrich *e)
{
    e->nlocal = 0;
    for (unsigned i = 0; i < s->lists.naddr && e->nlocal < ENRICH_ADDRS; i++) {
        e->local[e->nlocal].len = s->lists.addr[i].len;
        memcpy(e->local[e->nlocal++].addr, s->lists.addr[i].addr, s->lists.addr[i].len);
    }
    e->start_ts = s->first_ts;
}

void scap_bind(struct scap *s, const struct rpk *p)
{
    memset(s->wanted, false, sizeof(s->wanted));
    for (uint32_t i = 0; i < p->head->events.n; i++)
        if (p->events[i].event < EV_COUNT)
            s->wanted[p->events[i].event] = true;
    s->record.groups = p->head->plan.groups;
    memcpy(s->record.extra, p->head->plan.extra, sizeof(s->record.extra));
}

/* ---- events ---- */

/* The start of its call, if that was told. */
static void join(struct scap *s, struct scap_thread *h)
{
    const struct scap_code *enter = &s->codes[s->event.code - 1];
    struct scap_block b = {h->enter_type, h->enter_size, h->enter};

    if (h->enter_size && scap_event_read(s->codes, &b, &s->enter) == 1)
        scap_event_join(&s->event, &s->enter);
    else
        s->enter.code = 0;
    for (unsigned i = 0; i < enter->n && s->enter.code + 1 != s->event.code; i++)
        if (enter->of[i] >= 0 && !s->event.param[enter->of[i]].at) {
            s->count.no_start++;
            break;
        }
    h->enter_size = 0;
}

/* What is told, and is no call: of a container, by Falco itself or by its plugin. */
static void take_told(struct scap *s, const struct scap_event *e)
{
    const char *text, *name;
    uint32_t n, nname;

    if (e->event == EV_container && scap_param_text(e, "json", &text, &n))
        s->count.malformed += !scap_metas_put(s->metas, text, n);
    if (e->event == EV_asyncevent && scap_param_text(e, "name", &name, &nname) && nname == 9 &&
        memcmp(name, "container", 9) == 0 && scap_param_text(e, "data", &text, &n))
        s->count.malformed += !scap_metas_put(s->metas, text, n);
}

/* One event's block. True: it is the end of a call, and `out` is filled in. */
static bool take_event(struct scap *s, const struct scap_block *b, struct scap_row *out)
{
    struct scap_event *e = &s->event;
    struct scap_thread *h;
    int rc;

    scap_settle(&s->state);
    s->events++;
    rc = scap_event_read(s->codes, b, e);
    s->count.malformed += rc < 0;
    s->count.unknown += rc == 0 && e->code > s->newest;
    if (rc != 1)
        return false;
    e->number = s->events;
    h = scap_thread_get(s->state.procs, e->tid);
    if (e->side == SCAP_ENTER) {
        if (h)
            scap_thread_enter(s->state.procs, h, b->type, b->body, b->size);
        return false;
    }
    if (e->side == SCAP_EXIT && h)
        join(s, h);
    if (e->side == SCAP_TOLD)
        take_told(s, e);
    h = scap_apply(&s->state, e);
    if (!catalog_event(e->event)->live)
        return false;
    *out = (struct scap_row){.number = e->number};
    if (s->wanted[e->event])
        out->bytes = scap_record_make(&s->record, e, h, &out->size);
    return true;
}

enum scap_got scap_next(struct scap *s, struct scap_row *out)
{
    enum scap_got got = SCAP_GOT;

    while (s->pending || (got = scap_in_next(&s->in, &s->block)) == SCAP_GOT) {
        s->pending = false;
        if (!scap_event_is(s->block.type)) {
            take_list(s, &s->block);
            continue;
        }
        scap_list_settle(&s->lists, s->state.procs);
        if (take_event(s, &s->block, out))
            return SCAP_GOT;
    }
    return got;
}

uint64_t scap_offset(const struct scap *s, int *error)
{
    *error = s->in.error;
    return s->in.offset;
}

struct scap_count scap_count(const struct scap *s)
{
    struct scap_count c = s->count;

    c.lost = scap_procs_lost(s->state.procs);
    return c;
}

/* ---- names ---- */

static const struct {
    enum field_id field;
    enum num_slot slot;
    bool group;
    uint8_t column;
    const char *of_root; /* what id 0 is called if it is not listed */
} id_fields[] = {
    {F_user_name, N_UID, false, 0, "root"},     {F_user_loginname, N_LOGINUID, false, 0, "root"},
    {F_user_homedir, N_UID, false, 1, "/root"}, {F_user_shell, N_UID, false, 2, "<NA>"},
    {F_group_name, N_GID, true, 0, "root"},
};

static struct val text_val(const char *s)
{
    return val_text(s, (uint32_t)strlen(s));
}

static bool process_name(const struct scap *s, int32_t tid, struct val *out)
{
    const struct scap_thread *h = scap_thread_find(s->state.procs, tid);
    const struct scap_text *comm = h ? h->text[TT_COMM] : NULL;

    if (comm)
        *out = val_text(comm->s, (uint32_t)strnlen(comm->s, comm->len));
    return comm != NULL;
}

/* The type that its control group's name tells: the text has a number for it. */
static struct val container_type(const struct record *r)
{
    static const char *const types[CONTAINER_KINDS] = {"host",   "podman", "cri-o", "containerd",
                                                       "docker", "docker", "lxc",   "containerd"};
    struct val kind = slot_num(r, N_CONTAINER_KIND);

    return kind.state == ST_PRESENT && kind.num >= 0 && kind.num < CONTAINER_KINDS
               ? text_val(types[kind.num])
               : kind;
}

/* Of a process in a container. On the host nothing need be told. */
static bool of_container(struct scap *s, const struct record *r, const struct scap_question *q,
                         struct val *out, bool *missing)
{
    struct val id = slot_text(r, S_CONTAINER_ID);
    struct fmt made = fmt_in(s->made[s->next_made++ % MADE], META_POOL);
    const struct meta *m;

    if (!enrich_is_metadata(q->field) || catalog_field(q->field)->flags & FF_DEPRECATED ||
        (val_here(id) && id.len == 4 && memcmp(id.text, "host", 4) == 0))
        return false;
    *out = id;
    if (!val_here(id))
        return true;
    m = scap_metas_find(s->metas, id.text, id.len);
    if (q->field == F_container_type)
        *out = container_type(r);
    else if (m)
        *out = meta_get(m, q->field, q->index, q->name, &made);
    else
        *out = val_absent();
    *missing |= !m && q->field != F_container_type;
    return true;
}

bool scap_get(struct scap *s, const struct record *r, const struct scap_question *q,
              struct val *out, bool *missing)
{
    size_t i = 0;
    struct val id;
    const char *text;

    if (q->field == F_proc_name)
        return process_name(s, q->index, out);
    while (i < sizeof(id_fields) / sizeof(id_fields[0]) && id_fields[i].field != q->field)
        i++;
    if (i == sizeof(id_fields) / sizeof(id_fields[0]))
        return of_container(s, r, q, out, missing);
    id = q->index >= 0 ? val_num(BASE_UINT, q->index) : slot_num(r, id_fields[i].slot);
    *out = id;
    if (id.state != ST_PRESENT)
        return true;
    text = scap_list_name(&s->lists, id_fields[i].group, (uint32_t)id.num, id_fields[i].column);
    if (!text)
        text = (uint32_t)id.num == 0 ? id_fields[i].of_root : "<NA>";
    *out = text_val(text);
    return true;
}
