/* SPDX-License-Identifier: Apache-2.0 */
/* Events that were given as text, in the shape the kernel gives them: scratch and wire record. */
#include "event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../runtime/clock.h"
#include "arena.h"
#include "event_param.h"
#include "intern.h"

struct writer {
    struct comp *c;
    const struct event *e;
    struct ev *ev;
    struct event_user *user;
};

static struct field_ref plain(enum field_id field)
{
    return (struct field_ref){.field = field, .index = -1};
}

static bool same(struct fact a, struct fact b)
{
    if (a.state != b.state || a.state != FACT_PRESENT)
        return a.state == b.state;
    return a.kind == b.kind && (a.kind == VAL_NUM ? a.num == b.num : a.text.i == b.text.i);
}

static void overrule(struct writer *w, struct fact f)
{
    VEC_PUSH(w->c->arena, &w->user->over, f);
}

/*
 * The slot cannot say what the event says: the kernel does not know it, and user space is told
 * the facts of all that would have been read from it.
 */
static void lose_slot(struct writer *w, int slot)
{
    w->ev->h.st[slot] = ST_UNKNOWN;
    for (int id = F_NONE + 1; id < F_COUNT; id++) {
        const struct field_info *info = catalog_field((enum field_id)id);
        if (info->source == SRC_SLOT && info->slot == slot)
            overrule(w, event_fact(w->c, w->e, plain((enum field_id)id)));
    }
    for (unsigned i = 0; i < catalog_param_count(w->e->type); i++) {
        struct field_ref f = {.field = F_evt_arg, .index = -1};
        if (catalog_param(w->e->type, i)->slot != slot)
            continue;
        f.name = intern_cstr(w->c->intern, catalog_param(w->e->type, i)->name);
        overrule(w, event_fact(w->c, w->e, f));
        f.field = F_evt_rawarg;
        overrule(w, event_fact(w->c, w->e, f));
    }
}

/* ---- slots ---- */

static void put_bytes(struct writer *w, int slot, const char *s, size_t len)
{
    struct ev *ev = w->ev;
    const struct slot_info *info = catalog_slot((unsigned)slot);
    char *to = (char *)ev + info->offset;
    size_t padded = (len + 7) & ~(size_t)7;
    if (info->cap <= 64 || padded > info->cap)
        padded = info->cap;
    memcpy(to, s, len);
    memset(to + len, 0, padded - len);
    ev->h.len[slot - N_COUNT] = (uint32_t)len;
    ev->h.st[slot] = ST_PRESENT;
}

/* A name keeps its last byte for the NUL; no other slot does. */
static size_t slot_room(int slot)
{
    size_t cap = catalog_slot((unsigned)slot)->cap;
    bool name =
        slot == SLOT_OF_STR(S_NAME) || slot == SLOT_OF_STR(S_PNAME) || slot == SLOT_OF_STR(S_SNAME);
    return name ? cap - 1 : cap;
}

static bool put_addr(struct writer *w, int slot, const char *s)
{
    uint8_t addr[16];
    if (inet_pton(AF_INET, s, addr) == 1)
        put_bytes(w, slot, (char *)addr, 4);
    else if (inet_pton(AF_INET6, s, addr) == 1)
        put_bytes(w, slot, (char *)addr, 16);
    else
        return false;
    return true;
}

static void put_text(struct writer *w, int slot, struct fact f)
{
    const char *s = STR(w->c, f.text);
    size_t len = STRLEN(w->c, f.text), room = slot_room(slot);
    if (f.kind != VAL_TEXT) {
        lose_slot(w, slot);
    } else if (slot == SLOT_OF_STR(S_CIP) || slot == SLOT_OF_STR(S_SIP)) {
        if (!put_addr(w, slot, s))
            lose_slot(w, slot);
    } else if (len > room) {
        put_bytes(w, slot, s, room);
        lose_slot(w, slot);
        w->ev->h.st[slot] = ST_CUT;
    } else {
        put_bytes(w, slot, s, len);
    }
}

static void put_num(struct writer *w, int slot, struct fact f, enum flag_table table)
{
    uint64_t v = (uint64_t)f.num;
    if (f.kind == VAL_TEXT && (table == FT_NONE || !event_named_number(table, STR(w->c, f.text),
                                                                       STRLEN(w->c, f.text), &v))) {
        lose_slot(w, slot);
        return;
    }
    w->ev->h.num[slot] = (int64_t)v;
    w->ev->h.st[slot] = ST_PRESENT;
}

static void put(struct writer *w, int slot, struct fact f, enum flag_table table)
{
    if (f.state != FACT_PRESENT)
        w->ev->h.st[slot] = f.state == FACT_ABSENT ? ST_ABSENT : ST_UNKNOWN;
    else if (slot < N_COUNT)
        put_num(w, slot, f, table);
    else
        put_text(w, slot, f);
}

/* Reading the slot gives this fact. */
static bool slot_says(struct writer *w, int slot, enum flag_table table, struct fact f)
{
    const struct ev_head *h = &w->ev->h;
    char buf[2048];
    if (f.state != FACT_PRESENT)
        return h->st[slot] == (f.state == FACT_ABSENT ? ST_ABSENT : ST_UNKNOWN);
    if (h->st[slot] != ST_PRESENT)
        return false;
    if (slot >= N_COUNT)
        return f.kind == VAL_TEXT && h->len[slot - N_COUNT] == STRLEN(w->c, f.text) &&
               !memcmp((const char *)w->ev + catalog_slot((unsigned)slot)->offset,
                       STR(w->c, f.text), STRLEN(w->c, f.text));
    if (f.kind == VAL_NUM)
        return h->num[slot] == f.num;
    size_t len = catalog_flags_text(table, (uint64_t)h->num[slot], false, buf, sizeof(buf));
    return len == STRLEN(w->c, f.text) && !memcmp(buf, STR(w->c, f.text), len);
}

/* The name of an IP socket is made in user space from its addresses; unless it was given. */
static struct fact socket_name(struct writer *w, struct fact f)
{
    const struct fact *g = event_given(w->e, plain(F_fd_name));
    struct fact type = event_fact(w->c, w->e, plain(F_fd_type));
    bool ip = type.state == FACT_PRESENT && type.kind == VAL_TEXT &&
              !strncmp(STR(w->c, type.text), "ipv", 3);
    if (!ip)
        return f;
    if (g && g->state != FACT_PRESENT)
        overrule(w, *g);
    return g ? f : fact_none(f.field, FACT_UNKNOWN);
}

static void put_field(struct writer *w, enum field_id id, const struct field_info *info)
{
    struct fact f = event_fact(w->c, w->e, plain(id));
    if (id == F_fd_name)
        f = socket_name(w, f);
    if (w->ev->h.st[info->slot] == ST_UNFILLED)
        put(w, info->slot, f, info->table);
    else if (!slot_says(w, info->slot, info->table, f))
        lose_slot(w, info->slot);
}

/* Given ones first: of two fields in one slot they say more (fd.typechar than fd.type). */
static void put_fields(struct writer *w)
{
    for (int given = 1; given >= 0; given--) {
        for (int id = F_NONE + 1; id < F_COUNT; id++) {
            const struct field_info *info = catalog_field((enum field_id)id);
            bool is = event_given(w->e, plain((enum field_id)id)) != NULL;
            if (info->source == SRC_SLOT && info->slot >= 0 && is == given)
                put_field(w, (enum field_id)id, info);
        }
    }
}

/* A path that the caller gave relative is shown absolute: as a final text it fits no slot. */
static bool relative(struct writer *w, const struct param_info *p, struct fact f)
{
    return (p->type == T_FSPATH || p->type == T_FSRELPATH) && f.state == FACT_PRESENT &&
           f.kind == VAL_TEXT && STR(w->c, f.text)[0] != '/';
}

/* The path as rules see it has a slot of its own. */
static void put_path_param(struct writer *w, const struct param_info *p)
{
    int slot = catalog_path_slot(p);
    struct field_ref f = {
        .field = F_evt_arg, .index = -1, .name = intern_cstr(w->c->intern, p->name)};
    if (slot >= 0 && w->ev->h.st[slot] == ST_UNFILLED)
        put(w, slot, event_fact(w->c, w->e, f), FT_NONE);
}

static void put_params(struct writer *w)
{
    for (unsigned i = 0; i < catalog_param_count(w->e->type); i++) {
        const struct param_info *p = catalog_param(w->e->type, i);
        struct fact raw = event_param_raw(w->c, w->e, i);
        bool named = event_param_named(w->c, w->e, i);
        if (p->slot < 0 || p->slot == SLOT_OF_NUM(N_SYSNR))
            continue;
        if (w->ev->h.st[p->slot] == ST_UNFILLED)
            put(w, p->slot, raw, p->flags);
        else if (named && !slot_says(w, p->slot, p->flags, raw))
            lose_slot(w, p->slot);
        if (relative(w, p, raw))
            lose_slot(w, p->slot);
        put_path_param(w, p);
    }
}

/* ---- ancestors ---- */

/* Some ancestor field has an ancestor without value below one with. */
static bool has_gap(struct comp *c, const struct event *e)
{
    static const enum field_id fields[] = {F_proc_aname,    F_proc_aexe, F_proc_aexepath,
                                           F_proc_acmdline, F_proc_apid, F_proc_aargs};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        int32_t n = event_ancestors(c, e, fields[i]);
        for (int32_t k = 1; k < n; k++) {
            struct field_ref f = {.field = fields[i], .index = k};
            if (event_fact(c, e, f).state == FACT_ABSENT)
                return true;
        }
    }
    return false;
}

/* Puts the names in; false if one of them cannot be said in the kernel's way. */
static bool put_names(struct writer *w)
{
    struct ev_head *h = &w->ev->h;
    int32_t n = event_ancestors(w->c, w->e, F_proc_aname);
    for (int32_t i = 1; i <= n; i++) {
        struct fact f =
            event_fact(w->c, w->e, (struct field_ref){.field = F_proc_aname, .index = i});
        if (i == n && f.state == FACT_UNKNOWN) {
            h->anc_state = h->anc_count ? ST_CUT : ST_UNKNOWN;
            return true;
        }
        size_t len = f.state == FACT_PRESENT ? STRLEN(w->c, f.text) : COMM_SIZE;
        if (len >= COMM_SIZE || i > ANC_MAX)
            return false;
        memcpy(h->anc[i - 1], STR(w->c, f.text), len);
        h->anc_count = (uint8_t)i;
    }
    return true;
}

/*
 * Ancestors. With a gap (one without a name, or one whose name is too long) the kernel knows
 * nothing of them, and user space asks the event.
 */
static void put_ancestors(struct writer *w)
{
    struct ev_head *h = &w->ev->h;
    h->anc_state = ST_PRESENT;
    w->user->holes = has_gap(w->c, w->e) || !put_names(w);
    if (w->user->holes) {
        h->anc_state = ST_UNKNOWN;
        h->anc_count = 0;
    }
}

/* ---- what user space knows ---- */

static bool text_val(struct comp *c, struct fact f, enum base_type base, struct val *out)
{
    char addr[16];
    const char *s = STR(c, f.text);
    out->base = (uint8_t)base;
    out->text = s;
    out->len = (uint32_t)STRLEN(c, f.text);
    if (base != BASE_IP && base != BASE_NET)
        return true;
    bool four = inet_pton(AF_INET, s, addr) == 1;
    if (!four && inet_pton(AF_INET6, s, addr) != 1)
        return false;
    out->family = four ? 4 : 6;
    out->len = four ? 4 : 16;
    out->text = STR(c, intern_put(c->intern, addr, out->len));
    return true;
}

/* A list's texts, a NUL behind each. */
static struct val list_val(struct comp *c, const struct event *e, struct fact f)
{
    struct val v = {.state = ST_PRESENT, .base = BASE_TEXT, .is_list = true, .num = f.nlist};
    size_t len = 0;
    for (uint32_t i = 0; i < f.nlist; i++)
        len += STRLEN(c, e->list.v[f.list0 + i]) + 1;
    char *s = arena_alloc(c->arena, len + 1);
    v.text = s;
    v.len = (uint32_t)len;
    for (uint32_t i = 0; i < f.nlist; i++) {
        size_t n = STRLEN(c, e->list.v[f.list0 + i]) + 1;
        memcpy(s, STR(c, e->list.v[f.list0 + i]), n);
        s += n;
    }
    return v;
}

static struct val fact_val(struct comp *c, const struct event *e, struct fact f)
{
    struct val v = {.state = ST_ABSENT};
    enum base_type base = catalog_type(catalog_field(f.field.field)->type)->base;
    if (f.state != FACT_PRESENT) {
        v.state = f.state == FACT_ABSENT ? ST_ABSENT : ST_UNKNOWN;
        return v;
    }
    if (f.is_list)
        return list_val(c, e, f);
    if (f.field.field == F_evt_rawarg)
        base = f.kind == VAL_TEXT ? BASE_TEXT : BASE_INT;
    v.state = ST_PRESENT;
    v.base = (uint8_t)base;
    v.num = f.num;
    if (f.kind == VAL_TEXT && !text_val(c, f, base, &v))
        v.state = ST_ABSENT;
    return v;
}

static bool user_get(void *ctx, const struct record *r, enum field_id field, int32_t index,
                     const char *name, struct val *out)
{
    struct event_user *u = ctx;
    struct field_ref f = {field, index, intern_cstr(u->c->intern, name)};
    bool by_id = field == F_user_name || field == F_group_name || field == F_proc_name;
    (void)r;
    *out = fact_val(u->c, u->e,
                    by_id && index >= 0 ? event_param_name_of(u->c, u->e, field, index)
                                        : event_fact(u->c, u->e, f));
    return true;
}

static const enum field_id extra_field[] = {
    [EXTRA_NONE] = F_NONE,
    [EXTRA_EXE] = F_proc_aexe,
    [EXTRA_EXEPATH] = F_proc_aexepath,
    [EXTRA_CMDLINE] = F_proc_acmdline,
    [EXTRA_ARGS] = F_proc_aargs,
};

/* A text of an ancestor for which the plan has a slot. */
static bool planned(const struct comp *c, enum field_id field, int32_t index)
{
    for (int i = 0; i < 4; i++)
        if (c->plan.probe.extra[i].kind != EXTRA_NONE && c->plan.probe.extra[i].index == index &&
            extra_field[c->plan.probe.extra[i].kind] == field)
            return true;
    return false;
}

/* Derived fields that the kernel has more for than a text can give: directories, sockets, tables.
 */
static bool told_by_event(enum field_id f)
{
    static const enum field_id fields[] = {
        F_evt_args,          F_evt_info,          F_evt_abspath,      F_fs_path_nameraw,
        F_fs_path_sourceraw, F_fs_path_targetraw, F_fd_types,         F_fdlist_nums,
        F_proc_fdusage,      F_proc_stdin_name,   F_proc_stdout_name, F_proc_stderr_name,
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i] == f)
            return true;
    return false;
}

/* Fields that no record can hold, so that the event alone tells. */
static bool beyond_record(struct event_user *u, struct field_ref f)
{
    const struct param_info *p;
    int i = f.index;
    switch (catalog_field(f.field)->source) {
    case SRC_MISSING:
        return true;
    case SRC_ANC:
        if (f.field == F_proc_aname)
            return f.index > 0 ? u->holes : event_given(u->e, f) != NULL;
        return event_given(u->e, f) || ((f.index > 1 || f.field == F_proc_aargs) && f.index != 0 &&
                                        !planned(u->c, f.field, f.index));
    case SRC_PARAM:
        if (f.name.i)
            i = catalog_param_index(u->e->type, STR(u->c, f.name), STRLEN(u->c, f.name));
        p = i < 0 ? NULL : catalog_param(u->e->type, (unsigned)i);
        return p && p->slot < 0 && p->type != T_SYSCALLID;
    case SRC_DERIVED:
        return told_by_event(f.field);
    case SRC_SLOT:
        return f.name.i != 0; /* proc.env[NAME]: events tell no NUL from a blank */
    case SRC_USER:
    case SRC_CONST:
        break;
    }
    return false;
}

static bool user_given(void *ctx, enum field_id field, int32_t index, const char *name,
                       struct val *out)
{
    struct event_user *u = ctx;
    if (field == F_evt_arg && index >= 0 && catalog_param(u->e->type, (unsigned)index)) {
        name = catalog_param(u->e->type, (unsigned)index)->name;
        index = -1;
    }
    for (uint32_t i = 0; i < u->over.n; i++) {
        const struct fact *f = &u->over.v[i];
        if (f->field.field != field || f->field.index != index ||
            strcmp(STR(u->c, f->field.name), name) != 0)
            continue;
        *out = fact_val(u->c, u->e, *f);
        return true;
    }
    struct field_ref f = {field, index, intern_cstr(u->c->intern, name)};
    if (!beyond_record(u, f))
        return false;
    *out = fact_val(u->c, u->e, event_fact(u->c, u->e, f));
    return true;
}

/* Derived fields that were given another value than follows from the rest; slots they rest on. */
static const struct {
    enum field_id field;
    int slot;
} rests_on[] = {
    {F_evt_failed, SLOT_OF_NUM(N_RES)},
    {F_evt_res, SLOT_OF_NUM(N_RES)},
    {F_evt_count_error, SLOT_OF_NUM(N_RES)},
    {F_fd_cnet, SLOT_OF_STR(S_CIP)},
    {F_fd_snet, SLOT_OF_STR(S_SIP)},
    {F_proc_is_sid_leader, SLOT_OF_NUM(N_SID)},
    {F_proc_is_vpgid_leader, SLOT_OF_NUM(N_VPGID)},
    {F_proc_is_pgid_leader, SLOT_OF_NUM(N_PGID)},
    {F_thread_ismain, SLOT_OF_NUM(N_TID)},
};

static void contradiction(struct writer *w, struct fact f)
{
    overrule(w, f);
    for (size_t i = 0; i < sizeof(rests_on) / sizeof(rests_on[0]); i++)
        if (rests_on[i].field == f.field.field)
            lose_slot(w, rests_on[i].slot);
}

static void put_overrides(struct writer *w)
{
    for (uint32_t i = 0; i < w->e->facts.n; i++) {
        const struct fact *f = &w->e->facts.v[i];
        enum field_source source = catalog_field(f->field.field)->source;
        bool derived = source == SRC_DERIVED || source == SRC_CONST;
        if (derived && f->field.field != F_evt_type && !f->is_list &&
            !same(event_fact(w->c, w->e, f->field), event_derived(w->c, w->e, f->field)))
            contradiction(w, *f);
        if (source == SRC_SLOT && f->field.index >= 0)
            overrule(w, *f);
        enum field_id other = event_ancestor_field(f->field.field, f->field.index);
        if (other && !same(*f, event_fact(w->c, w->e, plain(other))))
            lose_slot(w, catalog_field(other)->slot);
    }
}

/* ---- the whole ---- */

/* Further ancestors' texts that the pack's plan has slots for. */
static void put_extra(struct writer *w)
{
    for (int i = 0; i < 4; i++) {
        struct extra_want x = w->c->plan.probe.extra[i];
        if (x.kind == EXTRA_NONE || x.kind > EXTRA_ARGS)
            continue;
        struct field_ref f = {.field = extra_field[x.kind], .index = x.index};
        put(w, SLOT_OF_STR(S_X0) + i, event_fact(w->c, w->e, f), FT_NONE);
    }
}

static void put_head(struct writer *w)
{
    struct ev_head *h = &w->ev->h;
    const struct syscall_info *call;
    h->event = (uint16_t)w->e->type;
    h->readings = READ_BIT(READ_KERNEL);
    h->ts = (uint64_t)event_fact(w->c, w->e, plain(F_evt_rawtime)).num;
    h->cpu = (uint16_t)event_fact(w->c, w->e, plain(F_evt_cpu)).num;
    w->user->user.utc_offset = clock_utc_offset((time_t)(h->ts / 1000000000));
    w->user->user.evt_num = (uint64_t)event_fact(w->c, w->e, plain(F_evt_num)).num;
    h->num[N_SYSNR] = w->e->sysnr;
    if (w->e->type != EV_generic) {
        const char *name = catalog_event(w->e->type)->name;
        call = catalog_syscall_by_name(name, strlen(name));
        h->num[N_SYSNR] = call ? call->nr : -1;
    }
    h->st[SLOT_OF_NUM(N_SYSNR)] = h->num[N_SYSNR] < 0 ? ST_ABSENT : ST_PRESENT;
}

int event_to_ev(struct comp *c, const struct event *e, struct ev *ev, struct event_user *user)
{
    struct writer w = {c, e, ev, user};
    if (e->type == EV_NONE)
        return -EINVAL;
    user->c = c;
    user->e = e;
    user->over.n = 0;
    user->holes = false;
    user->user = (struct record_user){.ctx = user, .get = user_get, .given = user_given};
    memset(ev, 0, offsetof(struct ev, s_NAME));
    ev->lore_found = (1u << LORE_KINDS) - 1;
    put_head(&w);
    put_fields(&w);
    put_params(&w);
    put_extra(&w);
    put_ancestors(&w);
    put_overrides(&w);
    for (int i = 0; i < SLOT_COUNT; i++)
        if (ev->h.st[i] == ST_UNFILLED)
            ev->h.st[i] = ST_ABSENT;
    return 0;
}

int ev_pack(const struct ev *ev, void *rec, size_t cap)
{
    struct rec *out = rec;
    size_t at = sizeof(*out);
    if (cap < at)
        return -ENOSPC;
    memset(out, 0, at);
    out->h = ev->h;
    out->base_len = ev->base_len;
    for (int s = 0; s < S_COUNT; s++) {
        uint8_t st = ev->h.st[SLOT_OF_STR(s)];
        if (st != ST_PRESENT && st != ST_CUT)
            continue;
        if (cap - at < ev->h.len[s])
            return -ENOSPC;
        memcpy((char *)rec + at, (const char *)ev + catalog_slot((unsigned)SLOT_OF_STR(s))->offset,
               ev->h.len[s]);
        at += ev->h.len[s];
    }
    if (cap - at < out->base_len)
        return -ENOSPC;
    memcpy((char *)rec + at, ev->base, out->base_len);
    at += out->base_len;
    out->h.size = (uint32_t)at;
    return (int)at;
}
