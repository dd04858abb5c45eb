/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the event itself: number, time, type, category, result. */
#include "get.h"

#define NS 1000000000ull
#define FD_KINDS 22 /* numbers of flag table fd_type */

struct val get_evt_num(struct record *r, const struct want *w)
{
    (void)w;
    return r->user && r->user->evt_num ? val_num(BASE_UINT, (int64_t)r->user->evt_num)
                                       : val_unknown();
}

struct val get_evt_cpu(struct record *r, const struct want *w)
{
    (void)w;
    return val_num(BASE_INT, r->h->cpu);
}

struct val get_evt_rawtime(struct record *r, const struct want *w)
{
    (void)w;
    return val_num(BASE_UINT, (int64_t)r->h->ts);
}

struct val get_evt_rawtime_s(struct record *r, const struct want *w)
{
    (void)w;
    return val_num(BASE_UINT, (int64_t)(r->h->ts / NS));
}

struct val get_evt_rawtime_ns(struct record *r, const struct want *w)
{
    (void)w;
    return val_num(BASE_UINT, (int64_t)(r->h->ts % NS));
}

static uint64_t local_ts(const struct record *r)
{
    int64_t shift = r->user ? r->user->utc_offset * (int64_t)NS : 0;

    return r->h->ts + (uint64_t)shift;
}

static struct val local_time(struct record *r, bool date, bool fraction)
{
    struct fmt t = scratch_begin(r);
    uint64_t ts = local_ts(r);

    if (date) {
        fmt_date(&t, ts);
        fmt_char(&t, ' ');
    }
    fmt_clock(&t, ts, fraction);
    return scratch_end(r, &t);
}

struct val get_evt_time(struct record *r, const struct want *w)
{
    (void)w;
    return local_time(r, false, true);
}

/* A setting of Falco's command line chooses its form; this is what it is without one. */
struct val get_evt_outputtime(struct record *r, const struct want *w)
{
    return get_evt_time(r, w);
}

struct val get_evt_time_s(struct record *r, const struct want *w)
{
    (void)w;
    return local_time(r, false, false);
}

struct val get_evt_datetime(struct record *r, const struct want *w)
{
    (void)w;
    return local_time(r, true, true);
}

struct val get_evt_datetime_s(struct record *r, const struct want *w)
{
    (void)w;
    return local_time(r, true, false);
}

struct val record_time_utc(struct record *r, const char *zone)
{
    struct fmt t = scratch_begin(r);

    fmt_iso8601(&t, r->h->ts, zone);
    return scratch_end(r, &t);
}

struct val get_evt_time_iso8601(struct record *r, const struct want *w)
{
    (void)w;
    return record_time_utc(r, "+0000");
}

struct val get_evt_type(struct record *r, const struct want *w)
{
    const char *name = catalog_event(r->h->event)->name;

    (void)w;
    if (r->h->event == EV_generic) {
        struct val nr = slot_num(r, N_SYSNR);
        const struct syscall_info *s;

        if (nr.state != ST_PRESENT)
            return nr;
        s = catalog_syscall_by_nr((int32_t)nr.num);
        if (!s)
            return val_absent();
        name = s->name;
    }
    return val_text(name, strlen(name));
}

struct val get_syscall_type(struct record *r, const struct want *w)
{
    bool call = catalog_event_is_syscall((enum event_id)r->h->event);

    return call ? get_evt_type(r, w) : val_absent();
}

struct val get_evt_type_is(struct record *r, const struct want *w)
{
    enum event_id e = catalog_event_by_name(w->name, strlen(w->name));

    return val_num(BASE_UINT, e != EV_NONE && e != EV_generic && e == r->h->event);
}

static uint32_t event_flags(const struct record *r)
{
    return catalog_event(r->h->event)->flags;
}

struct val get_evt_category(struct record *r, const struct want *w)
{
    static const char *const of_fd[FD_KINDS] = {
        [1] = "file", [2] = "file", [16] = "file", [3] = "net", [4] = "net",  [5] = "net",
        [6] = "net",  [7] = "ipc",  [8] = "ipc",   [9] = "ipc", [11] = "ipc", [13] = "ipc",
    };
    const char *word = catalog_event(r->h->event)->category;

    (void)w;
    if (strncmp(word, "io_", 3) == 0) {
        struct val type = slot_num(r, N_FD_TYPE);

        if (type.state == ST_UNKNOWN)
            return type;
        word = "unknown";
        if (type.state == ST_PRESENT && type.num >= 0 && type.num < FD_KINDS && of_fd[type.num])
            word = of_fd[type.num];
    }
    return val_text(word, strlen(word));
}

static struct val flag_value(const struct record *r, uint32_t mask)
{
    return val_num(BASE_BOOL, (event_flags(r) & mask) != 0);
}

struct val get_evt_is_io(struct record *r, const struct want *w)
{
    (void)w;
    return flag_value(r, EVF_READS_FD | EVF_WRITES_FD);
}

struct val get_evt_is_io_read(struct record *r, const struct want *w)
{
    (void)w;
    return flag_value(r, EVF_READS_FD);
}

struct val get_evt_is_io_write(struct record *r, const struct want *w)
{
    (void)w;
    return flag_value(r, EVF_WRITES_FD);
}

struct val get_evt_is_wait(struct record *r, const struct want *w)
{
    (void)w;
    return flag_value(r, EVF_WAITS);
}

struct val get_evt_io_dir(struct record *r, const struct want *w)
{
    (void)w;
    if (event_flags(r) & EVF_WRITES_FD)
        return val_text("write", 5);
    return event_flags(r) & EVF_READS_FD ? val_text("read", 4) : val_absent();
}

struct val get_evt_is_syslog(struct record *r, const struct want *w)
{
    struct val name;

    (void)w;
    if (!(event_flags(r) & EVF_WRITES_FD))
        return val_num(BASE_BOOL, 0);
    name = get_field(r, F_fd_name);
    if (name.state == ST_UNKNOWN)
        return name;
    return val_num(BASE_BOOL, val_here(name) && memmem(name.text, name.len, "/dev/log", 8));
}

enum buflen_of { OF_ANY, OF_FILE, OF_NET };

static bool of_kind(int64_t type, enum buflen_of of)
{
    return of == OF_NET ? type >= 3 && type <= 6 : type == 1 || type == 16;
}

/* The result of a call that moves data in a direction, to or from a descriptor of a kind. */
static struct val buflen(struct record *r, uint32_t directions, enum buflen_of of)
{
    struct val res = get_field(r, F_evt_rawres), type = slot_num(r, N_FD_TYPE);
    bool told = of == OF_ANY || type.state != ST_UNKNOWN;

    if (!(event_flags(r) & directions) || (res.state == ST_PRESENT && res.num < 0))
        return val_absent();
    if (of != OF_ANY && told && (type.state != ST_PRESENT || !of_kind(type.num, of)))
        return val_absent();
    if (res.state == ST_PRESENT && !told)
        return val_unknown();
    res.base = BASE_UINT;
    return res;
}

#define BUFLEN(name, directions, of)                                                               \
    struct val get_evt_buflen##name(struct record *r, const struct want *w)                        \
    {                                                                                              \
        (void)w;                                                                                   \
        return buflen(r, directions, of);                                                          \
    }
BUFLEN(, EVF_READS_FD | EVF_WRITES_FD, OF_ANY)
BUFLEN(_in, EVF_READS_FD, OF_ANY)
BUFLEN(_out, EVF_WRITES_FD, OF_ANY)
BUFLEN(_file, EVF_READS_FD | EVF_WRITES_FD, OF_FILE)
BUFLEN(_file_in, EVF_READS_FD, OF_FILE)
BUFLEN(_file_out, EVF_WRITES_FD, OF_FILE)
BUFLEN(_net, EVF_READS_FD | EVF_WRITES_FD, OF_NET)
BUFLEN(_net_in, EVF_READS_FD, OF_NET)
BUFLEN(_net_out, EVF_WRITES_FD, OF_NET)

/* Generic events carry no result, nor do events without parameters. */
static struct val result_of(struct record *r)
{
    if (r->h->event == EV_generic || catalog_param_count(r->h->event) == 0)
        return val_absent();
    return get_field(r, F_evt_rawres);
}

struct val get_evt_res(struct record *r, const struct want *w)
{
    struct val v = result_of(r);
    const char *name;
    struct fmt t;

    (void)w;
    if (v.state != ST_PRESENT)
        return v;
    if (v.num >= 0)
        return val_text("SUCCESS", 7);
    name = v.num > -4096 ? catalog_errno_name((int)-v.num) : NULL;
    if (name)
        return val_text(name, strlen(name));
    t = scratch_begin(r);
    fmt_signed(&t, v.num);
    return scratch_end(r, &t);
}

struct val get_evt_failed(struct record *r, const struct want *w)
{
    struct val v = result_of(r);

    (void)w;
    return v.state == ST_PRESENT ? val_num(BASE_BOOL, v.num < 0) : v;
}

enum error_class { ERR_FILE = 1, ERR_NET = 2, ERR_MEMORY = 4, ERR_OTHER = 8 };

/* Which of evt.count.error.* an event's failure belongs to. */
static enum error_class error_class(const struct record *r)
{
    const struct event_info *e = catalog_event(r->h->event);
    struct val type = slot_num(r, N_FD_TYPE);

    if (type.state == ST_PRESENT && type.num >= 3 && type.num <= 6)
        return ERR_NET;
    if ((type.state == ST_PRESENT && (type.num == 1 || type.num == 2 || type.num == 16)) ||
        strncmp(e->name, "open", 4) == 0 || r->h->event == EV_creat)
        return ERR_FILE;
    return strcmp(e->category, "memory") == 0 ? ERR_MEMORY : ERR_OTHER;
}

static struct val count_error(struct record *r, unsigned classes)
{
    struct val v = result_of(r);

    if (v.state != ST_PRESENT)
        return v;
    if (v.num >= 0 || !(error_class(r) & classes))
        return val_absent();
    return val_num(BASE_UINT, 1);
}

struct val get_evt_count_error(struct record *r, const struct want *w)
{
    (void)w;
    return count_error(r, ERR_FILE | ERR_NET | ERR_MEMORY | ERR_OTHER);
}

struct val get_evt_count_error_file(struct record *r, const struct want *w)
{
    (void)w;
    return count_error(r, ERR_FILE);
}

struct val get_evt_count_error_net(struct record *r, const struct want *w)
{
    (void)w;
    return count_error(r, ERR_NET);
}

struct val get_evt_count_error_memory(struct record *r, const struct want *w)
{
    (void)w;
    return count_error(r, ERR_MEMORY);
}

struct val get_evt_count_error_other(struct record *r, const struct want *w)
{
    (void)w;
    return count_error(r, ERR_OTHER);
}

struct val get_const(struct record *r, const struct want *w)
{
    static const struct {
        enum field_id field;
        const char *text; /* NULL: a number */
        int64_t num;
    } rows[] = {
        {F_evt_count, NULL, 1},
        {F_evt_count_exit, NULL, 1},
        {F_evt_count_procinfo, NULL, 0},
        {F_evt_count_threadinfo, NULL, 0},
        {F_evt_dir, "<", 0},
        {F_evt_is_async, NULL, 0},
        {F_evt_latency, NULL, 0},
        {F_evt_latency_s, NULL, 0},
        {F_evt_latency_ns, NULL, 0},
        {F_evt_latency_quantized, NULL, 0},
        {F_evt_latency_human, "0ns", 0},
        {F_evt_wait_latency, NULL, 0},
        {F_evt_source, "syscall", 0},
        {F_thread_exectime, NULL, 0},
        {F_thread_totexectime, NULL, 0},
    };

    (void)r;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].field == w->field)
            return rows[i].text
                       ? val_text(rows[i].text, strlen(rows[i].text))
                       : val_num(catalog_type(catalog_field(w->field)->type)->base, rows[i].num);
    return val_absent();
}
