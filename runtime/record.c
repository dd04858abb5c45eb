/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <errno.h>
#include <string.h>

#include "get.h"

const uint32_t record_text_cap[S_COUNT] = {
#define SLOT_STR(id, group, cap, doc) cap,
#include "../grammar/slots.def"
};

static bool states_ok(const struct ev_head *h)
{
    uint64_t eight = 0, wrong = 0;
    size_t i = 0;

    /* Eight at a time, no early end: the highest bit of a byte is set if it is above ST_CUT. */
    for (; i + sizeof(eight) <= SLOT_COUNT; i += sizeof(eight)) {
        memcpy(&eight, h->st + i, sizeof(eight));
        wrong |= eight | (eight + (0x7f - ST_CUT) * 0x0101010101010101ull);
    }
    for (; i < SLOT_COUNT; i++)
        wrong |= h->st[i] | (h->st[i] + (0x7full - ST_CUT));
    return !(wrong & 0x8080808080808080ull) && h->anc_state <= ST_CUT && h->anc_count <= ANC_MAX;
}

static bool readings_ok(const struct ev_head *h)
{
    return h->readings <= READINGS_ALL && (h->readings & READ_BIT(READ_KERNEL)) &&
           h->reading < READ_COUNT;
}

bool record_head_ok(const struct ev_head *h)
{
    return h->event > EV_NONE && h->event < EV_COUNT && readings_ok(h) && states_ok(h);
}

/* Places the texts one behind the other; false if they do not fill the record exactly. */
static bool place_texts(struct record *r, const struct rec *rec, size_t size)
{
    const char *at = (const char *)(rec + 1);
    size_t left = size - sizeof(*rec);

    for (unsigned s = 0; s < S_COUNT; s++) {
        if (!record_text_sent(&rec->h, s))
            continue;
        if (rec->h.len[s] > record_text_cap[s] || rec->h.len[s] > left)
            return false;
        r->text[s] = at;
        at += rec->h.len[s];
        left -= rec->h.len[s];
    }
    for (unsigned k = 0; k < READ_ALTS; k++) {
        r->alt_len[k] = rec->h.readings & READ_BIT(k + 1) ? rec->alt_len[k] : 0;
        if (r->alt_len[k] > PATH_CAP || r->alt_len[k] > left)
            return false;
        r->alt[k] = at;
        at += r->alt_len[k];
        left -= r->alt_len[k];
    }
    r->base_len = rec->base_len;
    r->base = at;
    return r->base_len <= PATH_CAP && r->base_len <= left && left - r->base_len < 8;
}

int record_open(struct record *r, const void *bytes, size_t size, const struct record_user *user,
                char *scratch)
{
    const struct rec *rec = bytes;

    if ((uintptr_t)bytes % 8 || size < sizeof(*rec) || rec->h.size < sizeof(*rec) ||
        rec->h.size > size || rec->h.size > REC_MAX || !record_head_ok(&rec->h))
        return -EPROTO;
    memset(r, 0, sizeof(*r));
    r->h = &rec->h;
    r->user = user;
    r->scratch = scratch;
    r->wanted = rec->wanted;
    return place_texts(r, rec, rec->h.size) ? 0 : -EPROTO;
}

const char *record_reading_name(enum reading reading)
{
    static const char *const names[READ_COUNT] = {"opened", "spelled", "stored"};

    return names[reading];
}

void record_reset(struct record *r)
{
    r->used = 0;
}

struct fmt scratch_begin(struct record *r)
{
    return fmt_in(r->scratch + r->used, RECORD_SCRATCH - r->used);
}

struct val scratch_end(struct record *r, const struct fmt *t)
{
    struct val v = val_text(t->buf, t->len);

    if (t->full)
        v.state = ST_CUT;
    r->used += (uint32_t)t->len;
    return v;
}

struct val scratch_pair(struct record *r, const struct val *first, char between,
                        const struct val *second)
{
    struct fmt t = scratch_begin(r);
    struct val v;

    if (val_here(*first))
        fmt_add(&t, first->text, first->len);
    fmt_char(&t, between);
    fmt_add(&t, second->text, second->len);
    v = scratch_end(r, &t);
    if (second->state == ST_CUT)
        v.state = ST_CUT;
    return v;
}

struct val slot_num(const struct record *r, enum num_slot slot)
{
    uint8_t st = r->h->st[SLOT_OF_NUM(slot)];

    if (st == ST_PRESENT)
        return val_num(BASE_INT, r->h->num[slot]);
    return val_state(st == ST_ABSENT ? ST_ABSENT : ST_UNKNOWN);
}

/* fd.name under a reading of its own, or its directory or last component, as the language has it.
 */
static struct val alt_part(const struct record *r, unsigned alt, enum str_slot slot)
{
    struct val v = val_text(r->alt[alt], r->alt_len[alt]);
    const char *slash = v.len ? memrchr(v.text, '/', v.len) : NULL;
    struct val type = slot_num(r, N_FD_TYPE);
    bool dir = type.state == ST_PRESENT && type.num == 2;

    if (slot == S_FD_NAME || (slot == S_FD_DIR && dir))
        return v;
    if (r->h->st[SLOT_OF_STR(slot)] == ST_ABSENT || (slot == S_FD_FILE && dir))
        return val_absent();
    if (slot == S_FD_FILE)
        return slash ? val_text(slash + 1, (size_t)(v.text + v.len - slash - 1)) : v;
    if (!slash || slash + 1 == v.text + v.len)
        return v;
    return val_text(v.text, slash == v.text ? 1 : (size_t)(slash - v.text));
}

/* No bytes are a path that could not be told. */
static struct val alt_text(const struct record *r, unsigned alt, enum str_slot slot)
{
    struct val v = alt_part(r, alt, slot);

    if (v.state == ST_PRESENT && r->alt_len[alt] == 0)
        return val_unknown();
    if (v.state == ST_PRESENT && r->alt_len[alt] == PATH_CAP)
        v.state = ST_CUT;
    return v;
}

struct val slot_text(const struct record *r, enum str_slot slot)
{
    uint8_t st = r->h->st[SLOT_OF_STR(slot)];
    struct val v;

    if (r->reading != READ_KERNEL && (r->h->readings & READ_BIT(r->reading)) &&
        (slot == S_FD_NAME || slot == S_FD_DIR || slot == S_FD_FILE))
        return alt_text(r, READ_ALT(r->reading), slot);
    if (!r->text[slot])
        return val_state(st == ST_ABSENT ? ST_ABSENT : ST_UNKNOWN);
    v = val_text(r->text[slot], strnlen(r->text[slot], r->h->len[slot]));
    if (v.len == r->h->len[slot])
        v.state = st;
    return v;
}

struct val slot_bytes(const struct record *r, enum str_slot slot)
{
    struct val v = slot_text(r, slot);

    if (r->text[slot]) {
        v.state = r->h->st[SLOT_OF_STR(slot)];
        v.base = BASE_BYTES;
        v.len = r->h->len[slot];
    }
    return v;
}

static struct val slot_addr(const struct record *r, enum str_slot slot, enum base_type base)
{
    struct val v = slot_text(r, slot);

    if (v.state == ST_ABSENT || !r->text[slot])
        return v;
    v.state = ST_PRESENT;
    v.len = r->h->len[slot]; /* addresses hold NUL */
    if (v.len != 4 && v.len != 16)
        return val_unknown();
    v.base = (uint8_t)base;
    v.family = v.len == 4 ? 4 : 6;
    return v;
}

static struct val flags_text(struct record *r, enum flag_table table, int64_t num)
{
    struct fmt t = scratch_begin(r);
    size_t n = catalog_flags_text(table, (uint64_t)num, false, t.buf, t.cap);

    t.full = n >= t.cap;
    t.len = t.full ? (t.cap ? t.cap - 1 : 0) : n;
    return scratch_end(r, &t);
}

static struct val get_slot(struct record *r, const struct want *w)
{
    const struct field_info *f = catalog_field(w->field);
    enum base_type base = catalog_type(f->type)->base;
    struct val v;

    if (w->field == F_proc_args && w->index >= 0)
        return get_arg_at(r, w->index);
    if (w->field == F_proc_env && (w->index >= 0 || w->name[0]))
        return get_env_at(r, w);
    if (w->field == F_fd_name)
        return get_fd_name(r);
    if (f->slot >= N_COUNT) {
        enum str_slot s = (enum str_slot)(f->slot - N_COUNT);

        if (base == BASE_BYTES)
            return slot_bytes(r, s);
        return base == BASE_IP || base == BASE_NET ? slot_addr(r, s, base) : slot_text(r, s);
    }
    v = slot_num(r, (enum num_slot)f->slot);
    if (v.state != ST_PRESENT)
        return v;
    if (f->table != FT_NONE)
        return flags_text(r, f->table, v.num);
    v.base = (uint8_t)base;
    return v;
}

static struct val get_user(struct record *r, const struct want *w)
{
    struct val v = val_absent();

    if (r->user && r->user->get && r->user->get(r->user->ctx, r, w->field, w->index, w->name, &v))
        return v;
    return val_absent();
}

static struct val get_missing(struct record *r, const struct want *w)
{
    (void)r;
    (void)w;
    return val_unknown();
}

static struct val get_none(struct record *r, const struct want *w)
{
    (void)r;
    (void)w;
    return val_absent();
}

#define GETTER_SLOT(id) get_slot
#define GETTER_PARAM(id) get_param
#define GETTER_ANC(id) get_anc
#define GETTER_DERIVED(id) get_##id
#define GETTER_USER(id) get_user
#define GETTER_CONST(id) get_const
#define GETTER_MISSING(id) get_missing
static const field_getter getters[F_COUNT] = {
    [F_NONE] = get_none,
#define FIELD(id, name, type, fmt, arg, flags, cls, source, slot, table, doc)                      \
    [F_##id] = GETTER_##source(id),
#include "../grammar/fields.def"
};

struct val record_get(struct record *r, enum field_id field, int32_t index, const char *name)
{
    const struct want w = {field, index, name};
    struct val v = val_absent();

    if (r->user && r->user->given && r->user->given(r->user->ctx, field, index, name, &v))
        return v;
    return getters[field](r, &w);
}
