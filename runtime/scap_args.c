/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of an event's parameters, from the parameters themselves. */
#include "../grammar/supply.h"
#include "fmt.h"
#include "scap_record.h"

#include <string.h>

enum { F_RDONLY = 1, F_WRONLY = 2, F_CREAT = 4, F_TMPFILE = 0x2000, F_CREATED = 0x4000 };
#define FDLIST_ENTRY 10 /* bytes: a number and a mask */

static bool is_group(const struct scap_record *r, enum slot_group g)
{
    return r->groups >> g & 1;
}

/* Ids are told apart from -1, which means none, by their 32 bits. */
static int64_t as_id(const struct param_info *p, int64_t v)
{
    return p->type == T_UID || p->type == T_GID ? (int32_t)v : v;
}

/* A number that a byte before it says the kind of. */
static bool dynamic(const struct scap_param *p, int64_t *out)
{
    uint32_t n = p->at && p->len ? p->len - 1 : 0;

    if (n != 1 && n != 2 && n != 4 && n != 8)
        return false;
    *out = (int64_t)scap_number(p->at + 1, n);
    return true;
}

static void put_number(struct scap_record *r, const struct scap_event *e, unsigned i,
                       const struct param_info *p)
{
    int64_t v;
    bool there = p->type == T_DYN ? dynamic(&e->param[i], &v) : scap_param_num(e, i, &v);

    if (there)
        scap_put_num(r, (enum num_slot)p->slot, as_id(p, v));
}

/* `fd:Tmask` for each, by blanks. */
static void put_fdlist(struct scap_record *r, const struct scap_param *p,
                       const struct scap_thread *h)
{
    const struct scap_thread *leader = scap_leader(r->state->procs, h);
    struct scap_bytes b = {p->at, p->at ? p->len : 0, false};
    uint32_t n = (uint32_t)scap_take_number(&b, 2);
    struct fmt out = scap_room(r, catalog_slot(SLOT_OF_STR(S_FDLIST))->cap);
    char letter[4];

    for (uint32_t i = 0; i < n && b.left >= FDLIST_ENTRY; i++) {
        int64_t num = (int64_t)scap_take_number(&b, 8);
        uint64_t mask = scap_take_number(&b, 2);
        const struct scap_fd *f = leader ? scap_fd_find(leader, num) : NULL;

        if (i)
            fmt_char(&out, ' ');
        fmt_signed(&out, num);
        fmt_char(&out, ':');
        if (f && catalog_flags_text(FT_fd_typechar, f->type, false, letter, sizeof(letter)))
            fmt_char(&out, letter[0]);
        else
            fmt_char(&out, 'x');
        fmt_unsigned(&out, mask, 16, 1);
    }
    if (p->at)
        scap_put_made(r, S_FDLIST, &out);
}

/* What could not be read is a parameter of no bytes, which the language shows as <NA>. */
static void put_param_text(struct scap_record *r, const struct scap_event *e, unsigned i,
                           const struct param_info *p)
{
    const struct scap_param *v = &e->param[i];
    enum str_slot slot = (enum str_slot)(p->slot - N_COUNT);
    const char *s = (const char *)v->at;

    if (!v->at)
        return;
    if (p->type == T_BYTEBUF)
        scap_put_text(r, slot, s, v->len);
    else if (v->len == 0)
        scap_put_text(r, slot, "<NA>", 4);
    else
        scap_put_text(r, slot, s, strnlen(s, v->len));
}

static bool opens(enum event_id e)
{
    return supply_is_open(e) || e == EV_open_by_handle_at;
}

static void put_is_open(struct scap_record *r, const struct scap_event *e)
{
    bool creat = e->event == EV_creat, by_handle = e->event == EV_open_by_handle_at;
    int64_t flags = creat ? F_CREAT : 0, mode = 0, res = -1;
    bool told = creat || scap_named_num(e, "flags", &flags);
    bool moded = by_handle || scap_named_num(e, "mode", &mode);
    bool makes = flags & (F_CREAT | F_TMPFILE);

    scap_param_num(e, 0, &res);
    for (enum num_slot s = N_OPEN_READ; s <= N_OPEN_CREATE; s++)
        scap_put_num(r, s, 0);
    if (!opens(e->event))
        return;
    if (told && (moded || !makes))
        scap_put_num(r, N_OPEN_EXEC, makes && (mode & 0111) && !by_handle);
    else
        scap_put_num_state(r, N_OPEN_EXEC, ST_UNKNOWN);
    if (creat)
        return;
    scap_put_num(r, N_OPEN_READ, !!(flags & F_RDONLY));
    scap_put_num(r, N_OPEN_WRITE, !!(flags & F_WRONLY));
    scap_put_num(r, N_OPEN_CREATE, flags & F_CREATED || (flags & F_TMPFILE && res >= 0));
    for (enum num_slot s = N_OPEN_READ; s <= N_OPEN_CREATE && !told; s++)
        scap_put_num_state(r, s, ST_UNKNOWN);
}

static void put_param(struct scap_record *r, const struct scap_event *e, unsigned i,
                      const struct param_info *p, const struct scap_thread *h)
{
    enum slot_group g = p->slot < 0 ? G_COUNT : catalog_slot((unsigned)p->slot)->group;

    if (p->slot < 0 || p->slot == N_PID || p->slot == N_TID ||
        (g != G_EVENT && g != G_ARGS && g != G_DATA && g != G_POLL))
        return; /* of the process: from its state */
    r->rec.h.st[p->slot] = ST_UNKNOWN;
    if (g == G_POLL)
        put_fdlist(r, &e->param[i], h);
    else if (p->slot >= N_COUNT)
        put_param_text(r, e, i, p);
    else
        put_number(r, e, i, p);
}

/* The directory of the first relative path. */
static void put_base(struct scap_record *r, const struct scap_event *e, const struct scap_thread *h)
{
    const struct param_info *p;

    for (unsigned i = 0; i < SCAP_PARAMS && (p = catalog_param(e->event, i)); i++) {
        const struct scap_param *v = &e->param[i];
        const struct scap_text *base;

        if ((p->type != T_FSPATH && p->type != T_FSRELPATH) || !v->at || v->len < 1 ||
            v->at[0] == '/')
            continue;
        base = scap_base(r->state->procs, h, e, i);
        if (base)
            r->base = (struct scap_slice){base->s, base->len};
        return;
    }
}

/* ---- fs.path.* ---- */

enum role { ROLE_NAME, ROLE_SOURCE, ROLE_TARGET };
static const struct path_row {
    uint16_t event;
    uint8_t role, param, slot, dir;
} path_rows[] = {
#define FSPATH(event, role, param, slot, dir) {EV_##event, ROLE_##role, param, S_##slot, dir},
#include "../grammar/fspath.def"
};

static void put_path(struct scap_record *r, const struct scap_event *e, const struct scap_thread *h,
                     const struct path_row *row)
{
    enum str_slot to = (enum str_slot)(S_FS_NAME + row->role);
    const struct scap_thread *leader = scap_leader(r->state->procs, h);
    const struct scap_text *base = leader ? leader->text[TT_CWD] : NULL;
    const struct scap_slice *raw = &r->text[row->slot];
    const struct scap_fd *f;
    struct fmt path = scap_room(r, PATH_CAP);
    int64_t dir = -100;

    if (row->dir && !scap_param_num(e, row->dir, &dir))
        base = NULL;
    else if (row->dir && dir != -100) {
        f = leader ? scap_fd_find(leader, dir) : NULL;
        base = f ? f->name : NULL;
    }
    if (!raw->s || (!base && (raw->n == 0 || raw->s[0] != '/'))) {
        scap_put_state(r, to, ST_UNKNOWN);
        return;
    }
    fmt_path(&path, base ? base->s : "", base ? base->len : 0, raw->s, raw->n);
    scap_put_made(r, to, &path);
}

/* Of calls that succeeded; opens count unless their result is -1. */
static void put_paths(struct scap_record *r, const struct scap_event *e,
                      const struct scap_thread *h)
{
    int64_t res = -1;
    bool done = scap_param_num(e, 0, &res) && (opens(e->event) ? res != -1 : res == 0);

    for (unsigned s = S_FS_NAME; s <= S_FS_TARGET; s++)
        scap_put_state(r, (enum str_slot)s, ST_ABSENT);
    for (size_t i = 0; done && i < sizeof(path_rows) / sizeof(path_rows[0]); i++)
        if (path_rows[i].event == e->event)
            put_path(r, e, h, &path_rows[i]);
}

void scap_fill_args(struct scap_record *r, const struct scap_event *e, const struct scap_thread *h)
{
    static const enum str_slot texts[] = {S_A0, S_A1, S_A2, S_DATA, S_CONTROL, S_FDLIST};
    const struct param_info *p;

    for (unsigned i = N_P0; i <= N_P15; i++)
        scap_put_num_state(r, (enum num_slot)i, ST_ABSENT);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        scap_put_state(r, texts[i], ST_ABSENT);
    scap_put_num_state(r, N_RES, ST_ABSENT);
    scap_put_num_state(r, N_SYSNR, ST_ABSENT);
    for (unsigned i = 0; i < SCAP_PARAMS && (p = catalog_param(e->event, i)); i++)
        put_param(r, e, i, p, h);
    put_is_open(r, e);
    put_base(r, e, h);
    if (is_group(r, G_FSPATH))
        put_paths(r, e, h);
}
