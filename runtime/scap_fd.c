/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of the event's descriptor, of the first three, and of the process's table. */
#include "../grammar/supply.h"
#include "fmt.h"
#include "scap_record.h"

#include <string.h>

enum { FAMILY_IP = 1, FAMILY_UNIX = 2 }; /* of flag table fd_sockfamily */
#define BAD_FD (-9)

static void all_fd(struct scap_record *r, enum slot_state st)
{
    static const enum num_slot nums[] = {N_FD_TYPE,  N_FD_DEV,    N_FD_INO,       N_FD_UPPER,
                                         N_FD_LOWER, N_L4PROTO,   N_SOCKFAMILY,   N_CPORT,
                                         N_SPORT,    N_CONNECTED, N_NAME_CHANGED, N_SOCK_SERVER};
    static const enum str_slot texts[] = {S_FD_NAME, S_FD_DIR, S_FD_FILE, S_FD_RAW, S_CIP, S_SIP};

    for (size_t i = 0; i < sizeof(nums) / sizeof(nums[0]); i++)
        scap_put_num_state(r, nums[i], st);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        scap_put_state(r, texts[i], st);
}

/* ---- names ---- */

/* The directory, and (`file`) what is behind the last slash, as the language cuts a name. */
static void put_parts(struct scap_record *r, const char *s, uint32_t n, bool directory, bool file)
{
    const char *slash = n ? memrchr(s, '/', n) : NULL;
    uint32_t dir = slash ? (uint32_t)(slash - s) : 0;

    scap_put_state(r, S_FD_FILE, ST_ABSENT);
    if (directory) {
        scap_put_text(r, S_FD_DIR, s, n);
        return;
    }
    if (slash && slash + 1 == s + n && n > 1)
        dir = n; /* a name that ends in a slash stays whole */
    else if (slash == s)
        dir = 1;
    scap_put_text(r, S_FD_DIR, s, dir);
    if (file && slash)
        scap_put_text(r, S_FD_FILE, slash + 1, n - (uint32_t)(slash - s) - 1);
    else if (file)
        scap_put_text(r, S_FD_FILE, s, n);
}

/* A call that opened nothing: the name that it asked for. */
static void put_failed_open(struct scap_record *r, const struct scap_event *e,
                            const struct scap_thread *h)
{
    int i = catalog_param_index(e->event, "name", 4);
    const struct scap_text *base = i < 0 ? NULL : scap_base(r->state->procs, h, e, (unsigned)i);
    struct fmt path = scap_room(r, PATH_CAP);
    const char *s;
    uint32_t n;

    scap_put_num(r, N_FD_TYPE, e->event == EV_open ? SCAP_FD_NONE : SCAP_FD_FILE);
    scap_put_num(r, N_L4PROTO, 0);
    if (!scap_param_text(e, "name", &s, &n) || (!base && (n == 0 || s[0] != '/'))) {
        scap_put_state(r, S_FD_NAME, ST_UNKNOWN);
        scap_put_state(r, S_FD_DIR, ST_UNKNOWN);
        return;
    }
    if (n && s[0] == '/' && (e->event == EV_open || e->event == EV_creat))
        fmt_add(&path, s, n); /* such a name is not folded */
    else
        fmt_path(&path, base ? base->s : "", base ? base->len : 0, s, n);
    scap_put_made(r, S_FD_NAME, &path);
    put_parts(r, path.buf, (uint32_t)path.len, false, false);
}

static void put_name(struct scap_record *r, const struct scap_fd *f)
{
    bool file = f->type == SCAP_FD_FILE, dir = f->type == SCAP_FD_DIRECTORY;
    enum slot_state st = f->name ? ST_PRESENT : ST_UNKNOWN;

    scap_put_state(r, S_FD_NAME, st);
    scap_put_state(r, S_FD_DIR, ST_ABSENT);
    scap_put_state(r, S_FD_FILE, ST_ABSENT);
    if (scap_fd_is_ip(f->type))
        return; /* made of the addresses */
    if (f->name)
        scap_put_text(r, S_FD_NAME, f->name->s, f->name->len);
    if (f->name && (file || dir)) {
        put_parts(r, f->name->s, f->name->len, dir, true);
    } else if (file || dir) {
        scap_put_state(r, S_FD_DIR, ST_UNKNOWN);
        scap_put_state(r, S_FD_FILE, dir ? ST_ABSENT : ST_UNKNOWN);
    }
}

/* ---- sockets ---- */

static void put_socket(struct scap_record *r, const struct scap_fd *f)
{
    scap_put_num(r, N_L4PROTO, f->role == SCAP_NO_ROLE ? 0 : f->l4);
    scap_put_num(r, N_CONNECTED, f->connected);
    scap_put_num(r, N_NAME_CHANGED, r->state->renamed);
    scap_put_num(r, N_SOCK_SERVER, f->role == SCAP_SERVER);
    if (f->type == SCAP_FD_UNIX)
        scap_put_num(r, N_SOCKFAMILY, FAMILY_UNIX);
    if (!scap_fd_is_ip(f->type))
        return;
    scap_put_num(r, N_SOCKFAMILY, FAMILY_IP);
    if (f->has_client) {
        scap_put_text(r, S_CIP, (const char *)f->cip, f->alen);
        scap_put_num(r, N_CPORT, f->cport);
    }
    if (f->has_server) {
        scap_put_text(r, S_SIP, (const char *)f->sip, f->alen);
        scap_put_num(r, N_SPORT, f->sport);
    }
}

static void put_fd(struct scap_record *r, const struct scap_fd *f)
{
    all_fd(r, ST_ABSENT);
    scap_put_num(r, N_FD_TYPE, f->type);
    scap_put_num(r, N_FD_DEV, f->dev);
    scap_put_num(r, N_FD_INO, (int64_t)f->ino);
    scap_put_num(r, N_FD_UPPER, f->upper);
    scap_put_num(r, N_FD_LOWER, f->lower);
    put_name(r, f);
    put_socket(r, f);
    scap_put_text(r, S_FD_RAW, f->raw ? f->raw->s : "", f->raw ? f->raw->len : 0);
}

/* ---- the process's table ---- */

static void put_std(struct scap_record *r, const struct scap_thread *leader, int num)
{
    enum num_slot type = (enum num_slot)(N_STDIN_TYPE + num);
    enum str_slot slot = (enum str_slot)(S_STDIN_NAME + num);
    const struct scap_fd *f = scap_fd_find(leader, num);
    struct fmt made = scap_room(r, sizeof(struct sock_ends));
    struct sock_ends ends = {0};

    if (!f) {
        scap_put_num_state(r, type, leader->fds && !leader->fds->full ? ST_ABSENT : ST_UNKNOWN);
        scap_put_state(r, slot, leader->fds && !leader->fds->full ? ST_ABSENT : ST_UNKNOWN);
        return;
    }
    scap_put_num(r, type, f->type);
    if (scap_fd_is_ip(f->type)) {
        ends.client_len = f->has_client ? f->alen : 0;
        ends.server_len = f->has_server ? f->alen : 0;
        ends.client_port = f->cport;
        ends.server_port = f->sport;
        memcpy(ends.client, f->cip, sizeof(ends.client));
        memcpy(ends.server, f->sip, sizeof(ends.server));
        fmt_add(&made, (const char *)&ends, sizeof(ends));
        scap_put_made(r, slot, &made);
    } else if (f->name) {
        scap_put_text(r, slot, f->name->s, f->name->len);
    }
}

static void put_table(struct scap_record *r, const struct scap_thread *leader)
{
    uint64_t kinds = 0;

    if (!leader || !leader->fds)
        return;
    for (uint32_t i = 0; i < leader->fds->n; i++)
        kinds |= 1ull << leader->fds->v[i].type;
    if (!leader->fds->full) {
        scap_put_num(r, N_FD_OPEN, leader->fds->n);
        scap_put_num(r, N_FD_KINDS, (int64_t)kinds);
    }
}

/* ---- all ---- */

/* No descriptor of that number: it is not open, or its opening was not told. */
static void no_fd(struct scap_record *r, const struct scap_event *e, const struct scap_thread *h,
                  int64_t num)
{
    int64_t res = 0;

    scap_param_num(e, 0, &res);
    all_fd(r, num < 0 || res == BAD_FD ? ST_ABSENT : ST_UNKNOWN);
    if (num >= 0)
        return;
    if (supply_is_open(e->event))
        put_failed_open(r, e, h);
    else if (e->event == EV_socket || e->event == EV_accept || e->event == EV_accept4)
        scap_put_num(r, N_FD_TYPE, SCAP_FD_IPV4);
}

void scap_fill_fd(struct scap_record *r, const struct scap_event *e, const struct scap_thread *h)
{
    const struct scap_thread *leader = scap_leader(r->state->procs, h);
    const struct scap_fd *f = NULL;
    int64_t num = -1;

    all_fd(r, ST_ABSENT);
    scap_put_num_state(r, N_FD_NUM, ST_ABSENT);
    if (scap_event_fd(e, &num)) {
        scap_put_num(r, N_FD_NUM, num);
        f = leader ? scap_fd_find(leader, num) : NULL;
        if (f)
            put_fd(r, f);
        else
            no_fd(r, e, h, num);
    } else if (catalog_event(e->event)->flags & EVF_USES_FD) {
        all_fd(r, ST_UNKNOWN); /* the call's start is not in the file */
        scap_put_num_state(r, N_FD_NUM, ST_UNKNOWN);
    }
    if (r->groups >> G_FDTAB & 1)
        put_table(r, leader);
    for (int i = 0; i < 3 && leader && r->groups >> G_STDIO & 1; i++)
        put_std(r, leader, i);
}
