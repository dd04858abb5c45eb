/* SPDX-License-Identifier: Apache-2.0 */
/* Derived fields of the event itself: result, kind, times. */
#include "event_derive.h"

#include <stdio.h>
#include <time.h>

/* ---- constants and copies ---- */

struct fact derive_const_num(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)c, (void)e;
    return fact_num(f, arg);
}

struct fact derive_const_dir(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)e, (void)arg;
    return fact_word(c, f, "<");
}

struct fact derive_const_source(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)e, (void)arg;
    return fact_word(c, f, "syscall");
}

struct fact derive_const_human(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)e, (void)arg;
    return fact_word(c, f, "0ns");
}

struct fact derive_same_as(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    return fact_as(fact_of(c, e, (enum field_id)arg), f);
}

struct fact derive_syscall_type(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    bool call = e->type == EV_NONE || catalog_event_is_syscall(e->type);
    return call ? derive_same_as(c, e, f, arg) : fact_none(f, FACT_ABSENT);
}

/* ---- evt.*: result, flags of the event's row ---- */

struct fact derive_rawres(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact v;
    (void)arg;
    if (e->type == EV_NONE || e->type == EV_generic)
        return fact_none(f, FACT_ABSENT);
    const struct fact *res = event_given(e, PLAIN(F_evt_res));
    if (res && res->state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    if (res && res->state == FACT_PRESENT) {
        int64_t n;
        if (!strcmp(STR(c, res->text), "SUCCESS"))
            return fact_num(f, 0);
        if (event_param_result(STR(c, res->text), STRLEN(c, res->text), &n))
            return fact_num(f, n);
    }
    v = event_param_given(c, e, 0);
    if (v.state != FACT_ABSENT)
        return fact_as(v, f);
    if (catalog_event(e->type)->flags & EVF_CREATES_FD && fact_given(e, F_fd_num, &v))
        return fact_num(f, v.num);
    return fact_none(f, FACT_ABSENT);
}

struct fact derive_res(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact raw = fact_of(c, e, F_evt_rawres);
    char buf[32];
    (void)arg;
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    if (raw.num >= 0)
        return fact_word(c, f, "SUCCESS");
    const char *name = raw.num > -4096 ? catalog_errno_name((int)-raw.num) : NULL;
    if (name)
        return fact_word(c, f, name);
    snprintf(buf, sizeof(buf), "%lld", (long long)raw.num);
    return fact_word(c, f, buf);
}

struct fact derive_failed(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact raw = fact_of(c, e, F_evt_rawres);
    (void)arg;
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    return fact_num(f, raw.num < 0);
}

struct fact derive_type_is(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    return fact_num(f, e->type == catalog_event_by_name(STR(c, f.name), STRLEN(c, f.name)));
}

struct fact derive_has_flag(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)c;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    return fact_num(f, (event_row_flags(e) & (uint32_t)arg) != 0);
}

struct fact derive_io_dir(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    if (e->type == EV_NONE || !(event_row_flags(e) & (EVF_READS_FD | EVF_WRITES_FD)))
        return fact_none(f, FACT_ABSENT);
    return fact_word(c, f, event_row_flags(e) & EVF_WRITES_FD ? "write" : "read");
}

struct fact derive_syslog(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact name = fact_of(c, e, F_fd_name);
    (void)arg;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    if (!(event_row_flags(e) & EVF_WRITES_FD) || name.state == FACT_ABSENT)
        return fact_num(f, 0);
    if (name.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    return fact_num(f, strstr(STR(c, name.text), "/dev/log") != NULL);
}

/* What io_* events say instead of a category of their own. */
static const char *fd_category(struct comp *c, struct fact type)
{
    static const char *const rows[][2] = {
        {"file", "file"}, {"directory", "file"}, {"ipv4", "net"},
        {"ipv6", "net"},  {"pipe", "ipc"},       {"unix", "ipc"},
        {"event", "ipc"}, {"signalfd", "ipc"},   {"inotify", "ipc"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (fact_is(c, type, rows[i][0]))
            return rows[i][1];
    return "unknown";
}

struct fact derive_category(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    const char *own = catalog_event(e->type)->category;
    if (strncmp(own, "io_", 3) != 0)
        return fact_word(c, f, own);
    struct fact type = fact_of(c, e, F_fd_type);
    if (type.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    return fact_word(c, f, fd_category(c, type));
}

/* Which of evt.count.error.* a failure belongs to: the field's id. */
static enum field_id error_kind(struct comp *c, const struct event *e)
{
    const struct event_info *info = catalog_event(e->type);
    const char *of_fd = fd_category(c, fact_of(c, e, F_fd_type));
    if (!strcmp(of_fd, "net"))
        return F_evt_count_error_net;
    if (!strcmp(of_fd, "file") || !strncmp(info->name, "open", 4) || e->type == EV_creat)
        return F_evt_count_error_file;
    return !strcmp(info->category, "memory") ? F_evt_count_error_memory : F_evt_count_error_other;
}

struct fact derive_count_error(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact raw = fact_of(c, e, F_evt_rawres);
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    bool mine = arg == F_evt_count_error || (enum field_id)arg == error_kind(c, e);
    return raw.num < 0 && mine ? fact_num(f, 1) : fact_none(f, FACT_ABSENT);
}

struct fact derive_buflen(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    uint32_t want = arg & LEN_IN ? EVF_READS_FD : 0;
    struct fact raw = fact_of(c, e, F_evt_rawres), type = fact_of(c, e, F_fd_type);
    want |= arg & LEN_OUT ? EVF_WRITES_FD : 0;
    if (e->type == EV_NONE || !(event_row_flags(e) & want) || raw.state == FACT_ABSENT)
        return fact_none(f, FACT_ABSENT);
    bool any = !(arg & (LEN_FILE | LEN_NET)), told = any || type.state != FACT_UNKNOWN;
    bool file = fact_is(c, type, "file"),
         net = fact_is(c, type, "ipv4") || fact_is(c, type, "ipv6");
    if ((raw.state == FACT_PRESENT && raw.num < 0) || (told && arg & LEN_FILE && !file) ||
        (told && arg & LEN_NET && !net))
        return fact_none(f, FACT_ABSENT);
    if (raw.state == FACT_UNKNOWN || !told)
        return fact_none(f, FACT_UNKNOWN);
    return fact_num(f, raw.num);
}

/* ---- evt.is_open_* ---- */

static struct fact open_exec(struct comp *c, const struct event *e, struct field_ref f,
                             struct fact flags)
{
    uint64_t makes = flag_bit(FT_file_flags, "O_CREAT") | flag_bit(FT_file_flags, "O_TMPFILE");
    struct fact mode = event_param_number(c, e, "mode");
    if (e->type == EV_open_by_handle_at)
        return fact_num(f, 0);
    if (e->type != EV_creat && flags.state == FACT_PRESENT && !((uint64_t)flags.num & makes))
        return fact_num(f, 0);
    enum fact_state state = e->type == EV_creat ? mode.state : fact_both(flags, mode);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    return fact_num(f, (mode.num & 0111) != 0);
}

static struct fact open_create(struct comp *c, const struct event *e, struct field_ref f,
                               struct fact flags)
{
    struct fact raw = fact_of(c, e, F_evt_rawres);
    if ((uint64_t)flags.num & flag_bit(FT_file_flags, "O_F_CREATED"))
        return fact_num(f, 1);
    if (!((uint64_t)flags.num & flag_bit(FT_file_flags, "O_TMPFILE")))
        return fact_num(f, 0);
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    return fact_num(f, raw.num >= 0);
}

struct fact derive_open_is(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    if (!event_opens(e->type) && !(e->type == EV_creat && arg == OPEN_EXEC))
        return fact_num(f, 0);
    struct fact flags = event_param_number(c, e, "flags");
    if (arg == OPEN_EXEC)
        return open_exec(c, e, f, flags);
    if (flags.state != FACT_PRESENT)
        return fact_none(f, flags.state);
    if (arg == OPEN_CREATE)
        return open_create(c, e, f, flags);
    return fact_num(f, ((uint64_t)flags.num &
                        flag_bit(FT_file_flags, arg == OPEN_READ ? "O_RDONLY" : "O_WRONLY")) != 0);
}

/* ---- times ---- */

static struct fact since(struct comp *c, struct field_ref f, struct fact from, struct fact to)
{
    (void)c;
    enum fact_state state = fact_both(from, to);
    if (state != FACT_PRESENT || !from.num || !to.num)
        return fact_none(f, state == FACT_UNKNOWN ? state : FACT_ABSENT);
    return fact_num(f, (int64_t)((uint64_t)to.num - (uint64_t)from.num));
}

struct fact derive_age(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    return since(c, f, fact_of(c, e, (enum field_id)arg), fact_of(c, e, F_evt_rawtime));
}

struct fact derive_exe_age(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact ctime = fact_of(c, e, F_proc_exe_ino_ctime);
    (void)arg;
    if (f.field == F_proc_exe_ino_ctime_duration_proc_start)
        return since(c, f, ctime, fact_of(c, e, F_proc_pid_ts));
    struct fact v = since(c, f, fact_of(c, e, F_proc_pidns_init_start_ts), ctime);
    return v.state == FACT_PRESENT && v.num <= 0 ? fact_none(f, FACT_ABSENT) : v;
}

struct fact derive_rawtime_part(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact t = fact_of(c, e, F_evt_rawtime);
    if (t.state != FACT_PRESENT)
        return fact_none(f, t.state);
    uint64_t ns = (uint64_t)t.num;
    return fact_num(f, (int64_t)(arg ? ns / 1000000000 : ns % 1000000000));
}

/* Local time, or UTC for evt.time.iso8601, as strftime(3) has it. */
struct fact derive_clock_text(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact t = fact_of(c, e, F_evt_rawtime);
    char buf[64], fraction[16] = "";
    struct tm tm;
    if (t.state != FACT_PRESENT)
        return fact_none(f, t.state);
    time_t seconds = (time_t)((uint64_t)t.num / 1000000000);
    bool utc = f.field == F_evt_time_iso8601;
    if (!(utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
        return fact_none(f, FACT_UNKNOWN);
    size_t n = utc                ? strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S", &tm)
               : arg & CLOCK_DATE ? strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm)
                                  : strftime(buf, sizeof(buf), "%H:%M:%S", &tm);
    if (arg & CLOCK_NS)
        snprintf(fraction, sizeof(fraction), ".%09u", (unsigned)((uint64_t)t.num % 1000000000));
    snprintf(buf + n, sizeof(buf) - n, "%s%s", fraction, utc ? "+0000" : "");
    return fact_word(c, f, buf);
}

struct fact derive_number_of(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)c, (void)arg;
    return fact_num(f, e->num ? (int64_t)e->num : 1);
}
