/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "scap_state.h"

#define TEXTS_MAX (16u << 20)

/* What a list is of; `version` counts from 1, and `sized` lists say how long each entry is. */
enum kind { MACHINE, PROCESSES, DESCRIPTORS, INTERFACES, USERS };
static const struct list_kind {
    uint32_t type;
    uint8_t kind, version;
    bool sized;
} kinds[] = {
    {0x201, MACHINE, 1, false},
    {0x8002abcd, MACHINE, 1, false},
    {0x202, PROCESSES, 1, false},
    {0x8000abcd, PROCESSES, 1, false},
    {0x207, PROCESSES, 2, false},
    {0x8013abcd, PROCESSES, 2, false},
    {0x209, PROCESSES, 3, false},
    {0x8014abcd, PROCESSES, 3, false},
    {0x210, PROCESSES, 4, false},
    {0x211, PROCESSES, 5, false},
    {0x212, PROCESSES, 6, false},
    {0x213, PROCESSES, 7, false},
    {0x214, PROCESSES, 8, false},
    {0x215, PROCESSES, 9, true},
    {0x203, DESCRIPTORS, 1, false},
    {0x8001abcd, DESCRIPTORS, 1, false},
    {0x218, DESCRIPTORS, 2, true},
    {0x205, INTERFACES, 1, false},
    {0x8011abcd, INTERFACES, 1, false},
    {0x219, INTERFACES, 2, true},
    {0x206, USERS, 1, false},
    {0x8012abcd, USERS, 1, false},
    {0x220, USERS, 2, true},
};

/* A text with its length in two bytes before it. */
struct slice {
    const char *s;
    uint32_t n;
};

static struct slice take_text(struct scap_bytes *b)
{
    uint32_t n = (uint32_t)scap_take_number(b, 2);
    const uint8_t *at = scap_take(b, n);

    return (struct slice){at ? (const char *)at : "", at ? n : 0};
}

/*
 * The bytes of one entry: all that is left where entries have no size. `own`: the bytes of the size
 * that it counts itself.
 */
static struct scap_bytes take_entry(struct scap_bytes *b, bool sized, uint32_t own)
{
    struct scap_bytes e = *b;
    uint32_t n;

    if (!sized)
        return e;
    n = (uint32_t)scap_take_number(b, 4);
    e.at = scap_take(b, n < own ? b->left + 1 : n - own);
    e.left = e.at ? n - own : 0;
    e.bad = !e.at;
    return e;
}

/* Behind an entry: where entries have no size, the next one begins where this one ended. */
static bool entry_done(struct scap_bytes *b, const struct scap_bytes *e, bool sized)
{
    if (!sized)
        *b = *e;
    return !e->bad && !b->bad;
}

/* ---- the machine ---- */

static int read_machine(struct scap_lists *l, struct scap_bytes b)
{
    const uint8_t *name;

    scap_take(&b, 4 + 8 + 8);
    name = scap_take(&b, sizeof(l->hostname) - 1);
    if (!name)
        return -EPROTO;
    memcpy(l->hostname, name, sizeof(l->hostname) - 1);
    l->hostname[sizeof(l->hostname) - 1] = '\0';
    l->boot_ts = scap_take_number(&b, 8);
    return 1;
}

static bool read_interface(struct scap_lists *l, struct scap_bytes *e)
{
    enum { IPV4 = 1, IPV6, IPV4_OLD, IPV6_OLD };
    unsigned type = (unsigned)scap_take_number(e, 2);
    uint32_t nname = (uint32_t)scap_take_number(e, 2);
    uint8_t len = type == IPV4 || type == IPV4_OLD ? 4 : 16;
    const uint8_t *addr = scap_take(e, len);

    scap_take(e, 2u * len + (type == IPV4 || type == IPV6 ? 8 : 0));
    scap_take(e, nname);
    if (type < IPV4 || type > IPV6_OLD || e->bad)
        return false;
    if (l->naddr < SCAP_ADDRS) {
        l->addr[l->naddr].len = len;
        memcpy(l->addr[l->naddr++].addr, addr, len);
    }
    return true;
}

/* ---- users and groups ---- */

static bool keep_text(struct scap_lists *l, struct slice s)
{
    if (s.n + 1 > l->text_cap - l->ntext) {
        uint32_t cap = l->text_cap ? l->text_cap * 2 : 1u << 17;
        char *more = cap <= TEXTS_MAX ? realloc(l->text, cap) : NULL;

        if (!more)
            return false;
        l->text = more;
        l->text_cap = cap;
    }
    memcpy(l->text + l->ntext, s.s, s.n);
    l->ntext += s.n;
    l->text[l->ntext++] = '\0';
    return true;
}

/* Where the ids end that are not greater. */
static uint32_t behind(const struct scap_names *in, uint32_t id)
{
    uint32_t lo = 0, hi = in->n;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (in->v[mid].id <= id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* In order of the ids. */
static void keep_name(struct scap_lists *l, struct scap_names *to, uint32_t id,
                      const struct slice text[3], unsigned n)
{
    uint32_t at = l->ntext, place;

    if (to->n == to->cap) {
        uint32_t cap = to->cap ? to->cap * 2 : 64;
        struct scap_id_name *more =
            cap <= SCAP_NAMES_MAX ? realloc(to->v, cap * sizeof(*more)) : NULL;

        if (!more)
            return;
        to->v = more;
        to->cap = cap;
    }
    for (unsigned i = 0; i < n; i++)
        if (!keep_text(l, text[i]))
            return;
    place = behind(to, id);
    memmove(&to->v[place + 1], &to->v[place], (to->n++ - place) * sizeof(*to->v));
    to->v[place] = (struct scap_id_name){id, at};
}

static bool read_user(struct scap_lists *l, struct scap_bytes *e)
{
    bool user = scap_take_number(e, 1) == 0;
    uint32_t id = (uint32_t)scap_take_number(e, 4);
    struct slice text[3] = {{"", 0}};

    scap_take(e, user ? 4 : 0);
    for (unsigned i = 0; i < (user ? 3u : 1u); i++)
        text[i] = take_text(e);
    if (!e->bad)
        keep_name(l, user ? &l->users : &l->groups, id, text, user ? 3 : 1);
    return !e->bad;
}

const char *scap_list_name(const struct scap_lists *l, bool group, uint32_t id, unsigned column)
{
    const struct scap_names *in = group ? &l->groups : &l->users;
    uint32_t i = id ? behind(in, id - 1) : 0; /* the first of several with one id counts */
    const char *s;

    if (i == in->n || in->v[i].id != id)
        return NULL;
    s = l->text + in->v[i].at;
    for (; column; column--)
        s += strlen(s) + 1;
    return s;
}

/* ---- processes ---- */

/* Numbers in a row; version 0 ends them, and a size of 0 is what the format has no use for. */
struct number {
    uint8_t bytes, version;
    int8_t to; /* enum scap_num, or -1 */
};

static void take_numbers(struct scap_bytes *e, struct scap_thread *h, const struct number *n,
                         unsigned version)
{
    for (; n->bytes; n++) {
        int64_t v;

        if (version < n->version)
            continue;
        v = (int64_t)scap_take_number(e, n->bytes);
        if (!e->bad && n->to >= 0)
            scap_thread_set(h, (enum scap_num)n->to, v);
    }
}

/*
 * What version 9 has behind all else: as much as the writer knew of. The first two were put in the
 * middle once; an entry without them has at most 29 bytes here.
 */
static void take_latest(struct scap_bytes *e, struct scap_thread *h)
{
    static const struct {
        uint8_t bytes, to, flag; /* flag: a bit of TN_EXE_FLAGS */
    } rows[] = {
        {8, TN_PIDNS_TS, 0},        {4, TN_TTY, 0},
        {4, TN_LOGINUID, 0},        {1, TN_EXE_FLAGS, 1},
        {8, TN_CAP_INHERITABLE, 0}, {8, TN_CAP_PERMITTED, 0},
        {8, TN_CAP_EFFECTIVE, 0},   {1, TN_EXE_FLAGS, 2},
        {8, TN_EXE_INO, 0},         {8, TN_EXE_CTIME, 0},
        {8, TN_EXE_MTIME, 0},       {1, TN_EXE_FLAGS, 4},
        {1, TN_EXE_FLAGS, 8},       {8, TN_PGID, 0},
    };
    const size_t added = 2, before = 29;

    for (size_t i = e->left > before ? 0 : added; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t v;

        if (e->left < rows[i].bytes)
            return;
        v = (int64_t)scap_take_number(e, rows[i].bytes);
        if (rows[i].flag)
            v = h->num[TN_EXE_FLAGS] | (v ? rows[i].flag : 0);
        scap_thread_set(h, (enum scap_num)rows[i].to, v);
    }
}

static void take_texts(struct scap_procs *t, struct scap_bytes *e, struct scap_thread *h,
                       unsigned version)
{
    static const struct {
        uint8_t version, to;
    } rows[] = {{1, TT_COMM}, {1, TT_EXE}, {7, TT_EXEPATH}, {1, TT_ARGS}, {1, TT_CWD}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice s;

        if (version < rows[i].version)
            continue;
        s = take_text(e);
        if (!e->bad && rows[i].to == TT_CWD)
            scap_state_cwd(t, h, s.s, s.n);
        else if (!e->bad)
            scap_thread_text(t, h, (enum scap_txt)rows[i].to, s.s, s.n);
    }
}

static bool read_process(struct scap_procs *t, struct scap_bytes *e, unsigned version)
{
    static const struct number first[] = {{8, 6, TN_SID}, {8, 8, TN_VPGID}, {0, 0, 0}};
    static const struct number then[] = {
        {8, 1, TN_FDLIMIT},  {4, 1, -1},        {4, 1, TN_UID},     {4, 1, TN_GID},
        {4, 2, TN_VM_SIZE},  {4, 2, TN_VM_RSS}, {4, 2, TN_VM_SWAP}, {8, 2, TN_PF_MAJOR},
        {8, 2, TN_PF_MINOR}, {0, 0, 0},
    };
    static const struct number last[] = {{8, 4, TN_VTID}, {8, 4, TN_VPID}, {0, 0, 0}};
    int64_t tid = (int64_t)scap_take_number(e, 8), pid = (int64_t)scap_take_number(e, 8);
    int64_t ppid = (int64_t)scap_take_number(e, 8);
    struct scap_thread none = {.nthreads = 1}, *h = e->bad ? NULL : scap_thread_get(t, tid);
    struct slice s;

    h = h ? h : &none; /* no room: read all the same, to where the next begins */
    if (h != &none)
        scap_thread_join(t, h, pid);
    h->ppid = ppid;
    h->known = h->knows_ppid = true;
    take_numbers(e, h, first, version);
    take_texts(t, e, h, version);
    take_numbers(e, h, then, version);
    if (version >= 3) {
        s = take_text(e);
        scap_thread_text(t, h, TT_ENV, s.s, s.n);
    }
    take_numbers(e, h, last, version);
    if (version >= 4) {
        s = take_text(e);
        scap_state_cgroups(t, h, s.s, s.n);
    }
    if (version >= 5)
        take_text(e); /* root */
    if (version >= 9)
        take_latest(e, h);
    if (h == &none)
        scap_thread_empty(t, h);
    return !e->bad;
}

/* ---- descriptors ---- */

/* The kernel lists a connection from this side to the other; who waits at its port serves. */
static void choose_side(const struct scap_lists *l, struct scap_fd *f)
{
    struct scap_fd was = *f;

    if (!f->from_list || !f->has_client || !(l->served[f->cport / 8] & (1u << f->cport % 8)))
        return;
    memcpy(f->cip, was.sip, sizeof(f->cip));
    memcpy(f->sip, was.cip, sizeof(f->sip));
    f->cport = was.sport;
    f->sport = was.cport;
    f->role = SCAP_SERVER;
}

static void take_ip(struct scap_lists *l, struct scap_bytes *e, struct scap_fd *f, bool server)
{
    uint8_t len = f->type == SCAP_FD_IPV4 || f->type == SCAP_FD_IPV4_SERVER ? 4 : 16;
    const uint8_t *from = scap_take(e, len), *to = server ? from : scap_take(e, len);
    uint16_t sport = (uint16_t)scap_take_number(e, 2);
    uint16_t dport = server ? sport : (uint16_t)scap_take_number(e, 2);

    f->l4 = (uint8_t)scap_take_number(e, 1);
    if (e->bad)
        return;
    f->alen = len;
    memcpy(f->cip, from, len);
    memcpy(f->sip, to, len);
    f->cport = sport;
    f->sport = dport;
    f->has_server = true;
    f->has_client = !server;
    f->role = server ? SCAP_SERVER : SCAP_CLIENT;
    f->connected = !server;
    if (server)
        l->served[sport / 8] |= (uint8_t)(1u << sport % 8);
    else if (l->settled)
        choose_side(l, f);
}

static void take_name(struct scap_procs *t, struct scap_bytes *e, struct scap_fd *f)
{
    struct slice s = take_text(e);

    scap_fd_name(t, f, s.s, s.n);
}

/* `dev`: entries have a size, and the newest a device behind the name. */
static void take_kind(struct scap_lists *l, struct scap_procs *t, struct scap_bytes *e,
                      struct scap_fd *f, bool dev)
{
    enum { CLOEXEC = 0x1000 };
    bool server = f->type == SCAP_FD_IPV4_SERVER || f->type == SCAP_FD_IPV6_SERVER;

    if (scap_fd_is_ip(f->type)) {
        take_ip(l, e, f, server);
        return;
    }
    if (f->type == SCAP_FD_UNIX)
        scap_take(e, 16);
    if (f->type == SCAP_FD_FILE_V2)
        f->close_on_exec = scap_take_number(e, 4) & CLOEXEC;
    if (f->type != SCAP_FD_NONE)
        take_name(t, e, f);
    if (f->type == SCAP_FD_FILE_V2) {
        f->type = SCAP_FD_FILE;
        if (dev && e->left >= 4)
            f->dev = (uint32_t)scap_take_number(e, 4);
    }
}

static bool read_fd(struct scap_lists *l, struct scap_procs *t, struct scap_thread *h,
                    struct scap_bytes *e, bool sized)
{
    int64_t num = (int64_t)scap_take_number(e, 8);
    uint64_t ino = scap_take_number(e, 8);
    unsigned type = (unsigned)scap_take_number(e, 1);
    struct scap_fd none = {0}, *f = h && !e->bad ? scap_fd_new(t, h, num) : NULL;

    f = f ? f : &none;
    f->type = (uint8_t)type;
    f->ino = ino;
    f->from_list = true;
    if (type < SCAP_FD_TYPES)
        take_kind(l, t, e, f, sized);
    else
        f->type = SCAP_FD_OTHER;
    if (f == &none)
        scap_fd_empty(t, f);
    return !e->bad && (sized || type < SCAP_FD_TYPES);
}

static int read_fds(struct scap_lists *l, struct scap_procs *t, struct scap_bytes b, bool sized)
{
    int64_t tid = (int64_t)scap_take_number(&b, 8);
    struct scap_thread *h = b.bad ? NULL : scap_thread_get(t, tid);

    if (h && h->pid != h->tid)
        h = NULL; /* of a thread that shares its leader's */
    while (b.left >= 4) {
        struct scap_bytes e = take_entry(&b, sized, 4);

        if (!read_fd(l, t, h, &e, sized) || !entry_done(&b, &e, sized))
            return -EPROTO;
    }
    return b.bad ? -EPROTO : 1;
}

/* ---- all ---- */

static int read_entries(struct scap_lists *l, struct scap_procs *t, struct scap_bytes b,
                        const struct list_kind *k)
{
    while (b.left >= 4) {
        struct scap_bytes e = take_entry(&b, k->sized, k->kind == INTERFACES ? 0 : 4);
        bool ok = k->kind == PROCESSES    ? read_process(t, &e, k->version)
                  : k->kind == INTERFACES ? read_interface(l, &e)
                                          : read_user(l, &e);

        if (!ok || !entry_done(&b, &e, k->sized))
            return -EPROTO;
    }
    return 1;
}

int scap_list_read(struct scap_lists *l, struct scap_procs *t, const struct scap_block *block)
{
    struct scap_bytes b = {block->body, block->size, false};
    size_t i = 0;

    while (i < sizeof(kinds) / sizeof(kinds[0]) && kinds[i].type != block->type)
        i++;
    if (i == sizeof(kinds) / sizeof(kinds[0]))
        return 0;
    if (kinds[i].kind == MACHINE)
        return read_machine(l, b);
    if (kinds[i].kind == DESCRIPTORS)
        return read_fds(l, t, b, kinds[i].sized);
    return read_entries(l, t, b, &kinds[i]);
}

void scap_list_settle(struct scap_lists *l, struct scap_procs *t)
{
    for (struct scap_thread *h = l->settled ? NULL : scap_thread_next(t, NULL); h;
         h = scap_thread_next(t, h))
        for (uint32_t i = 0; h->fds && h->fds->refs == 1 && i < h->fds->n; i++) {
            choose_side(l, &h->fds->v[i]);
            h->fds->v[i].from_list = false;
        }
    l->settled = true;
}

void scap_lists_clear(struct scap_lists *l)
{
    free(l->users.v);
    free(l->groups.v);
    free(l->text);
    memset(l, 0, sizeof(*l));
}
