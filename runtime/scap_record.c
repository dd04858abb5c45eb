/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_record.h"

#include <string.h>

#include "fmt.h"

/* ---- slots ---- */

void scap_put_num(struct scap_record *r, enum num_slot slot, int64_t v)
{
    r->rec.h.num[slot] = v;
    r->rec.h.st[SLOT_OF_NUM(slot)] = ST_PRESENT;
}

void scap_put_num_state(struct scap_record *r, enum num_slot slot, enum slot_state st)
{
    r->rec.h.st[SLOT_OF_NUM(slot)] = (uint8_t)st;
}

void scap_put_text(struct scap_record *r, enum str_slot slot, const char *s, size_t n)
{
    uint32_t cap = catalog_slot(SLOT_OF_STR(slot))->cap;

    r->text[slot] = (struct scap_slice){s, n < cap ? (uint32_t)n : cap};
    r->rec.h.st[SLOT_OF_STR(slot)] = n > cap ? ST_CUT : ST_PRESENT;
}

void scap_put_state(struct scap_record *r, enum str_slot slot, enum slot_state st)
{
    r->rec.h.st[SLOT_OF_STR(slot)] = (uint8_t)st;
}

struct fmt scap_room(struct scap_record *r, size_t n)
{
    size_t left = sizeof(r->pool) - r->used;

    return fmt_in(r->pool + r->used, n < left ? n : left);
}

void scap_put_made(struct scap_record *r, enum str_slot slot, const struct fmt *made)
{
    scap_put_text(r, slot, made->buf, made->len);
    if (made->full)
        scap_put_state(r, slot, ST_CUT);
    r->used += (uint32_t)made->len;
}

/* ---- the record ---- */

static void begin(struct scap_record *r, const struct scap_event *e)
{
    struct ev_head *h = &r->rec.h;

    memset(&r->rec, 0, sizeof(r->rec));
    memset(h->st, ST_UNKNOWN, sizeof(h->st));
    memset(r->text, 0, sizeof(r->text));
    r->base = (struct scap_slice){NULL, 0};
    r->used = 0;
    h->ts = e->ts;
    h->event = (uint16_t)e->event;
    h->cpu = e->cpu;
    h->readings = READ_BIT(READ_KERNEL);
    h->reading = READ_KERNEL;
    h->anc_state = ST_UNKNOWN;
}

static char *add(char *at, const struct scap_slice *s)
{
    if (s->n)
        memcpy(at, s->s, s->n);
    return at + s->n;
}

/* Head, texts in slot order, the directory. All slots full are less than REC_MAX. */
static const struct rec *pack(struct scap_record *r, size_t *size)
{
    struct rec *out = (struct rec *)r->out;
    char *at = (char *)(out + 1);

    for (unsigned s = 0; s < S_COUNT; s++) {
        uint8_t st = r->rec.h.st[SLOT_OF_STR(s)];

        r->rec.h.len[s] = 0;
        if (st != ST_PRESENT && st != ST_CUT)
            continue;
        r->rec.h.len[s] = r->text[s].n;
        at = add(at, &r->text[s]);
    }
    r->rec.base_len = r->base.n < PATH_CAP ? r->base.n : 0;
    if (r->rec.base_len)
        at = add(at, &r->base);
    *size = (size_t)(at - (char *)out);
    r->rec.h.size = (uint32_t)*size;
    *out = r->rec;
    return out;
}

const struct rec *scap_record_make(struct scap_record *r, const struct scap_event *e,
                                   const struct scap_thread *h, size_t *size)
{
    static const struct scap_thread nobody = {0};
    const struct scap_thread *thread = h ? h : &nobody;

    begin(r, e);
    scap_put_num(r, N_TID, e->tid);
    if (thread->known)
        scap_put_num(r, N_PID, thread->pid);
    scap_fill_args(r, e, thread);
    scap_fill_fd(r, e, thread);
    scap_fill_process(r, e, thread);
    return pack(r, size);
}
