/* SPDX-License-Identifier: Apache-2.0 */
/* Paths among the parameters: fs.path.*raw and evt.abspath. (fs.path.* itself are slots.) */
#include "get.h"

enum role { ROLE_NAME, ROLE_SOURCE, ROLE_TARGET };

struct path_row {
    uint16_t event;
    uint8_t role, param, slot, dir;
};

static const struct path_row rows[] = {
#define FSPATH(event, role, param, slot, dir) {EV_##event, ROLE_##role, param, S_##slot, dir},
#include "../grammar/fspath.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct path_row *find_role(uint16_t event, enum role role)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].event == event && rows[i].role == role)
            return &rows[i];
    return NULL;
}

/* As given, and only of calls that succeeded; opens count unless they failed with EPERM. */
static struct val raw_path(struct record *r, enum role role)
{
    const struct path_row *row = find_role(r->h->event, role);
    struct val res = slot_num(r, N_RES), v;
    bool opens = strncmp(catalog_event(r->h->event)->name, "open", 4) == 0;

    if (role == ROLE_NAME && (r->h->event == EV_fchmod || r->h->event == EV_fchown))
        return res.state == ST_PRESENT && res.num == 0 ? get_field(r, F_fd_name) : val_absent();
    if (!row || (res.state == ST_PRESENT && (opens ? res.num == -1 : res.num != 0)))
        return val_absent();
    if (res.state != ST_PRESENT)
        return res;
    v = slot_text(r, (enum str_slot)row->slot);
    return v;
}

struct val get_fs_path_nameraw(struct record *r, const struct want *w)
{
    (void)w;
    return raw_path(r, ROLE_NAME);
}

struct val get_fs_path_sourceraw(struct record *r, const struct want *w)
{
    (void)w;
    return raw_path(r, ROLE_SOURCE);
}

struct val get_fs_path_targetraw(struct record *r, const struct want *w)
{
    (void)w;
    return raw_path(r, ROLE_TARGET);
}

/*
 * The parameter that evt.abspath means: one that starts from a descriptor's directory. Of two the
 * first is `.src` and the one without a word, the second `.dst`; where there is one all mean it.
 */
static const struct path_row *abspath_row(uint16_t event, const char *word)
{
    const struct path_row *first = NULL, *last = NULL;

    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].event != event || !rows[i].dir)
            continue;
        first = !first || rows[i].param < first->param ? &rows[i] : first;
        last = !last || rows[i].param > last->param ? &rows[i] : last;
    }
    return strcmp(word, "dst") == 0 ? last : first;
}

/* The record's base is that of the first relative path: of another only if both start alike. */
static bool base_is_of(const struct record *r, const struct path_row *row)
{
    struct val other;

    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].event != r->h->event || rows[i].param >= row->param || !rows[i].dir)
            continue;
        other = slot_text(r, (enum str_slot)rows[i].slot);
        if (other.state == ST_PRESENT && other.len && other.text[0] == '/')
            continue;
        if (slot_num(r, (enum num_slot)(N_P0 + rows[i].dir)).num !=
            slot_num(r, (enum num_slot)(N_P0 + row->dir)).num)
            return false;
    }
    return r->base_len > 0;
}

struct val get_evt_abspath(struct record *r, const struct want *w)
{
    const struct path_row *row = abspath_row(r->h->event, w->name);
    struct val v;
    struct fmt t;

    if (r->h->event == EV_open_by_handle_at)
        return slot_num(r, N_RES).num > 0 ? get_field(r, F_fd_name) : val_absent();
    if (!row)
        return val_absent();
    v = slot_text(r, (enum str_slot)(S_FS_NAME + row->role)); /* of calls that succeeded */
    if (v.state == ST_PRESENT && v.len)
        return v;
    v = slot_text(r, (enum str_slot)row->slot);
    if (v.state != ST_PRESENT)
        return v;
    if ((!v.len || v.text[0] != '/') && !base_is_of(r, row))
        return val_unknown();
    t = scratch_begin(r);
    fmt_path(&t, r->base, r->base_len, v.text, v.len);
    return scratch_end(r, &t);
}
