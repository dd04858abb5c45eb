/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields that the language derives from others, for events that are given as text. Written apart
 * from runtime/record.c on purpose: the differential test holds the two against each other.
 *
 * A fact that is given always wins. What is derived from something unknown is unknown, and from
 * something absent absent, unless the field says otherwise. A derivation asks for other fields by
 * get(); where two fields follow from each other, one of them looks only at what is given.
 */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "event_param.h"
#include "intern.h"

typedef struct fact derive_fn(struct comp *c, const struct event *e, struct field_ref f, int arg);

#define PLAIN(id) ((struct field_ref){.field = (id), .index = -1})

static struct fact get(struct comp *c, const struct event *e, enum field_id field)
{
    return event_fact(c, e, PLAIN(field));
}

struct fact fact_none(struct field_ref f, enum fact_state state)
{
    return (struct fact){.field = f, .state = state};
}

struct fact fact_num(struct field_ref f, int64_t v)
{
    return (struct fact){.field = f, .state = FACT_PRESENT, .kind = VAL_NUM, .num = v};
}

struct fact fact_text(struct comp *c, struct field_ref f, const char *s, size_t len)
{
    return (struct fact){.field = f, .state = FACT_PRESENT, .kind = VAL_TEXT,
                         .text = intern_put(c->intern, s, len)};
}

static struct fact fact_word(struct comp *c, struct field_ref f, const char *s)
{
    return fact_text(c, f, s, strlen(s));
}

/* The same value under another field's name. */
static struct fact rename_to(struct fact v, struct field_ref f)
{
    v.field = f;
    return v;
}

static bool given_present(const struct event *e, enum field_id field, struct fact *out)
{
    const struct fact *g = event_given(e, PLAIN(field));
    if (!g || g->state != FACT_PRESENT)
        return false;
    *out = *g;
    return true;
}

/* PRESENT only if both are. Where one is absent, so is what needs both, whatever the other is. */
static enum fact_state both(struct fact a, struct fact b)
{
    if (a.state == FACT_ABSENT || b.state == FACT_ABSENT)
        return FACT_ABSENT;
    return a.state == FACT_PRESENT && b.state == FACT_PRESENT ? FACT_PRESENT : FACT_UNKNOWN;
}

static bool fact_is(struct comp *c, struct fact v, const char *word)
{
    return v.state == FACT_PRESENT && v.kind == VAL_TEXT && !strcmp(STR(c, v.text), word);
}

static uint64_t flag(enum flag_table table, const char *name)
{
    uint64_t v = 0;
    catalog_flags_value(table, name, strlen(name), &v);
    return v;
}

/* ---- constants and copies ---- */

static struct fact const_num(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)c, (void)e;
    return fact_num(f, arg);
}

static struct fact const_dir(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)e, (void)arg;
    return fact_word(c, f, "<");
}

static struct fact const_source(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)e, (void)arg;
    return fact_word(c, f, "syscall");
}

static struct fact const_human(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)e, (void)arg;
    return fact_word(c, f, "0ns");
}

static struct fact same_as(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    return rename_to(get(c, e, (enum field_id)arg), f);
}

/* ---- evt.*: result, flags of the event's row ---- */

static struct fact rawres(struct comp *c, const struct event *e, struct field_ref f, int arg)
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
        return rename_to(v, f);
    if (catalog_event(e->type)->flags & EVF_CREATES_FD && given_present(e, F_fd_num, &v))
        return fact_num(f, v.num);
    return fact_none(f, FACT_ABSENT);
}

static struct fact res(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact raw = get(c, e, F_evt_rawres);
    char buf[32];
    (void)arg;
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    if (raw.num >= 0)
        return fact_word(c, f, "SUCCESS");
    const char *name = raw.num > -4096 ? catalog_errno_name((int)-raw.num) : NULL;
    if (name)
        return fact_word(c, f, name);
    snprintf(buf, sizeof buf, "%lld", (long long)raw.num);
    return fact_word(c, f, buf);
}

static struct fact failed(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact raw = get(c, e, F_evt_rawres);
    (void)arg;
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    return fact_num(f, raw.num < 0);
}

static struct fact type_is(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    return fact_num(f, e->type == catalog_event_by_name(STR(c, f.name), STRLEN(c, f.name)));
}

static uint32_t event_flags(const struct event *e)
{
    return catalog_event(e->type)->flags;
}

static struct fact has_flag(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)c;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    return fact_num(f, (event_flags(e) & (uint32_t)arg) != 0);
}

static struct fact io_dir(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    if (e->type == EV_NONE || !(event_flags(e) & (EVF_READS_FD | EVF_WRITES_FD)))
        return fact_none(f, FACT_ABSENT);
    return fact_word(c, f, event_flags(e) & EVF_WRITES_FD ? "write" : "read");
}

static struct fact syslog(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact name = get(c, e, F_fd_name);
    (void)arg;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    if (!(event_flags(e) & EVF_WRITES_FD) || name.state == FACT_ABSENT)
        return fact_num(f, 0);
    if (name.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    return fact_num(f, strstr(STR(c, name.text), "/dev/log") != NULL);
}

/* What io_* events say instead of a category of their own. */
static const char *fd_category(struct comp *c, struct fact type)
{
    static const char *const rows[][2] = {
        {"file", "file"}, {"directory", "file"}, {"ipv4", "net"},  {"ipv6", "net"},
        {"pipe", "ipc"},  {"unix", "ipc"},       {"event", "ipc"}, {"signalfd", "ipc"},
        {"inotify", "ipc"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (fact_is(c, type, rows[i][0]))
            return rows[i][1];
    return "unknown";
}

static struct fact category(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    const char *own = catalog_event(e->type)->category;
    if (strncmp(own, "io_", 3) != 0)
        return fact_word(c, f, own);
    struct fact type = get(c, e, F_fd_type);
    if (type.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    return fact_word(c, f, fd_category(c, type));
}

/* Which of evt.count.error.* a failure belongs to: the field's id. */
static enum field_id error_kind(struct comp *c, const struct event *e)
{
    const struct event_info *info = catalog_event(e->type);
    const char *of_fd = fd_category(c, get(c, e, F_fd_type));
    if (!strcmp(of_fd, "net"))
        return F_evt_count_error_net;
    if (!strcmp(of_fd, "file") || !strncmp(info->name, "open", 4) || e->type == EV_creat)
        return F_evt_count_error_file;
    return !strcmp(info->category, "memory") ? F_evt_count_error_memory : F_evt_count_error_other;
}

static struct fact count_error(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact raw = get(c, e, F_evt_rawres);
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    bool mine = arg == F_evt_count_error || (enum field_id)arg == error_kind(c, e);
    return raw.num < 0 && mine ? fact_num(f, 1) : fact_none(f, FACT_ABSENT);
}

#define LEN_IN 1
#define LEN_OUT 2
#define LEN_FILE 4
#define LEN_NET 8

static struct fact buflen(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    uint32_t want = arg & LEN_IN ? EVF_READS_FD : 0;
    struct fact raw = get(c, e, F_evt_rawres), type = get(c, e, F_fd_type);
    want |= arg & LEN_OUT ? EVF_WRITES_FD : 0;
    if (e->type == EV_NONE || !(event_flags(e) & want) || raw.state == FACT_ABSENT)
        return fact_none(f, FACT_ABSENT);
    if (raw.state == FACT_UNKNOWN || (arg & (LEN_FILE | LEN_NET) && type.state == FACT_UNKNOWN))
        return fact_none(f, FACT_UNKNOWN);
    bool file = fact_is(c, type, "file"), net = fact_is(c, type, "ipv4") || fact_is(c, type, "ipv6");
    if (raw.num < 0 || (arg & LEN_FILE && !file) || (arg & LEN_NET && !net))
        return fact_none(f, FACT_ABSENT);
    return fact_num(f, raw.num);
}

/* ---- evt.is_open_* ---- */

enum open_kind { OPEN_READ, OPEN_WRITE, OPEN_EXEC, OPEN_CREATE };

static bool is_open(enum event_id type)
{
    return type == EV_open || type == EV_openat || type == EV_openat2 ||
           type == EV_open_by_handle_at;
}

static struct fact open_exec(struct comp *c, const struct event *e, struct field_ref f,
                             struct fact flags)
{
    uint64_t makes = flag(FT_file_flags, "O_CREAT") | flag(FT_file_flags, "O_TMPFILE");
    struct fact mode = event_param_number(c, e, "mode");
    if (e->type == EV_open_by_handle_at)
        return fact_num(f, 0);
    if (e->type != EV_creat && flags.state == FACT_PRESENT && !((uint64_t)flags.num & makes))
        return fact_num(f, 0);
    enum fact_state state = e->type == EV_creat ? mode.state : both(flags, mode);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    return fact_num(f, (mode.num & 0111) != 0);
}

static struct fact open_create(struct comp *c, const struct event *e, struct field_ref f,
                               struct fact flags)
{
    struct fact raw = get(c, e, F_evt_rawres);
    if ((uint64_t)flags.num & flag(FT_file_flags, "O_F_CREATED"))
        return fact_num(f, 1);
    if (!((uint64_t)flags.num & flag(FT_file_flags, "O_TMPFILE")))
        return fact_num(f, 0);
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    return fact_num(f, raw.num >= 0);
}

static struct fact open_is(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    if (e->type == EV_NONE)
        return fact_none(f, FACT_ABSENT);
    if (!is_open(e->type) && !(e->type == EV_creat && arg == OPEN_EXEC))
        return fact_num(f, 0);
    struct fact flags = event_param_number(c, e, "flags");
    if (arg == OPEN_EXEC)
        return open_exec(c, e, f, flags);
    if (flags.state != FACT_PRESENT)
        return fact_none(f, flags.state);
    if (arg == OPEN_CREATE)
        return open_create(c, e, f, flags);
    return fact_num(f, ((uint64_t)flags.num &
                        flag(FT_file_flags, arg == OPEN_READ ? "O_RDONLY" : "O_WRONLY")) != 0);
}

/* ---- fd.* ---- */

static struct fact fd_num(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    if (e->type == EV_NONE || !(event_flags(e) & EVF_CREATES_FD))
        return fact_none(f, FACT_ABSENT);
    struct fact raw = get(c, e, F_evt_rawres);
    if (raw.state != FACT_PRESENT)
        return fact_none(f, raw.state);
    return fact_num(f, raw.num < 0 ? -1 : raw.num);
}

/* fd.type of fd.typechar and the other way round: both are texts of one number. */
static bool twin(struct comp *c, const struct event *e, enum field_id other, struct fact *out)
{
    const struct fact *g = event_given(e, PLAIN(other));
    enum flag_table to = other == F_fd_type ? FT_fd_typechar : FT_fd_type;
    uint64_t v;
    char buf[32];
    if (!g)
        return false;
    out->state = g->state;
    if (g->state == FACT_PRESENT) {
        if (!event_named_number(catalog_field(other)->table, STR(c, g->text), STRLEN(c, g->text), &v))
            return false;
        size_t n = catalog_flags_text(to, v, false, buf, sizeof buf);
        *out = fact_text(c, out->field, buf, n);
    }
    return true;
}

static struct fact fd_type(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    bool word = f.field == F_fd_type;
    struct fact v = {.field = f}, name;
    if (twin(c, e, word ? F_fd_typechar : F_fd_type, &v))
        return v;
    (void)arg;
    if (given_present(e, F_fd_sip, &v) || given_present(e, F_fd_cip, &v)) {
        bool six = strchr(STR(c, v.text), ':') != NULL;
        return fact_word(c, f, word ? (six ? "ipv6" : "ipv4") : (six ? "6" : "4"));
    }
    if (!given_present(e, F_fd_name, &name) || STR(c, name.text)[0] != '/')
        return fact_none(f, FACT_ABSENT);
    struct fact flags = event_param_number(c, e, "flags");
    bool dir = is_open(e->type) && flags.state == FACT_PRESENT &&
               (uint64_t)flags.num & flag(FT_file_flags, "O_DIRECTORY");
    return fact_word(c, f, word ? (dir ? "directory" : "file") : (dir ? "d" : "f"));
}

static bool failed_open(struct comp *c, const struct event *e)
{
    struct fact raw = get(c, e, F_evt_rawres);
    return (is_open(e->type) || e->type == EV_creat) && raw.state == FACT_PRESENT && raw.num < 0;
}

static struct fact directory(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact name = get(c, e, F_fd_name), type = get(c, e, F_fd_type);
    (void)arg;
    if (name.state != FACT_PRESENT)
        return fact_none(f, name.state);
    bool file = fact_is(c, type, "file") || failed_open(c, e);
    if (!file && type.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    if (!file)
        return fact_is(c, type, "directory") ? rename_to(name, f) : fact_none(f, FACT_ABSENT);
    const char *s = STR(c, name.text);
    const char *slash = strrchr(s, '/');
    if (slash && !slash[1])
        return rename_to(name, f);
    return slash && slash > s ? fact_text(c, f, s, (size_t)(slash - s)) : fact_word(c, f, "/");
}

static struct fact filename(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact name = get(c, e, F_fd_name), type = get(c, e, F_fd_type);
    (void)arg;
    if (name.state != FACT_PRESENT)
        return fact_none(f, name.state);
    if (failed_open(c, e))
        return fact_none(f, FACT_ABSENT);
    if (type.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    if (!fact_is(c, type, "file"))
        return fact_none(f, FACT_ABSENT);
    const char *slash = strrchr(STR(c, name.text), '/');
    if (slash && !slash[1])
        return rename_to(name, f);
    return fact_word(c, f, slash ? slash + 1 : "/");
}

static struct fact sockfamily(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact type = get(c, e, F_fd_type);
    (void)arg;
    if (type.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    if (fact_is(c, type, "ipv4") || fact_is(c, type, "ipv6"))
        return fact_word(c, f, "ip");
    return fact_is(c, type, "unix") ? fact_word(c, f, "unix") : fact_none(f, FACT_ABSENT);
}

/* Present, though "<NA>", on every event with a descriptor. */
static struct fact l4proto(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact type = get(c, e, F_fd_type);
    (void)arg;
    if (type.state != FACT_PRESENT)
        return fact_none(f, type.state);
    return fact_word(c, f, "<NA>");
}

static struct fact port_text(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact port = get(c, e, (enum field_id)arg);
    char buf[24];
    if (port.state != FACT_PRESENT)
        return fact_none(f, port.state);
    snprintf(buf, sizeof buf, "%lld", (long long)port.num);
    return fact_word(c, f, buf);
}

static struct fact dev_part(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact dev = get(c, e, F_fd_dev);
    if (dev.state != FACT_PRESENT)
        return fact_none(f, dev.state);
    uint32_t d = (uint32_t)dev.num;
    return fact_num(f, arg ? (int64_t)((d & 0xfff00) >> 8)
                           : (int64_t)((d & 0xff) | ((d >> 12) & 0xfff00)));
}

/* ---- texts made of two ---- */

static struct fact joined(struct comp *c, struct field_ref f, struct fact a, const char *between,
                          struct fact b)
{
    enum fact_state state = both(a, b);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    const char *s = arena_printf(c->arena, "%s%s%s", STR(c, a.text), between, STR(c, b.text));
    return fact_word(c, f, s);
}

/* Without a container's id its place before the colon is empty. */
static struct fact in_container(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact id = get(c, e, F_container_id);
    if (id.state == FACT_ABSENT)
        id = fact_word(c, f, "");
    return joined(c, f, id, ":", get(c, e, (enum field_id)arg));
}

static const char *endpoint(struct comp *c, const struct event *e, enum field_id ip,
                            enum field_id port)
{
    struct fact a = get(c, e, ip), p = get(c, e, port);
    if (a.state != FACT_PRESENT)
        return "";
    if (p.state != FACT_PRESENT)
        return arena_printf(c->arena, "%s:", STR(c, a.text));
    return arena_printf(c->arena, "%s:%lld", STR(c, a.text), (long long)p.num);
}

/* `client->server`, or the one end that there is: the name of an IP socket. */
static struct fact tuple(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact cip = get(c, e, F_fd_cip), sip = get(c, e, F_fd_sip), type = get(c, e, F_fd_type);
    (void)arg;
    if (!fact_is(c, type, "ipv4") && !fact_is(c, type, "ipv6"))
        return fact_none(f, FACT_ABSENT);
    if (cip.state == FACT_UNKNOWN || sip.state == FACT_UNKNOWN)
        return fact_none(f, FACT_UNKNOWN);
    bool two = cip.state == FACT_PRESENT && sip.state == FACT_PRESENT;
    return fact_word(c, f, arena_printf(c->arena, "%s%s%s", endpoint(c, e, F_fd_cip, F_fd_cport),
                                        two ? "->" : "", endpoint(c, e, F_fd_sip, F_fd_sport)));
}

static struct fact fd_uid(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact tid = get(c, e, F_thread_tid), num = get(c, e, F_fd_num);
    char buf[48];
    (void)arg;
    enum fact_state state = both(tid, num);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    snprintf(buf, sizeof buf, "%lld%lld", (long long)tid.num, (long long)num.num);
    return fact_word(c, f, buf);
}

/* Without arguments the command line is the name alone. */
static struct fact cmdline(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact name = get(c, e, F_proc_name), args = get(c, e, F_proc_args);
    (void)arg;
    if (name.state == FACT_PRESENT && (args.state == FACT_ABSENT ||
                                       (args.state == FACT_PRESENT && !STRLEN(c, args.text))))
        return rename_to(name, f);
    return joined(c, f, name, " ", args);
}

static struct fact exeline(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)arg;
    return joined(c, f, get(c, e, F_proc_exe), " ", get(c, e, F_proc_args));
}

/* ---- proc.* ---- */

static struct fact nargs(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact args = get(c, e, F_proc_args);
    int64_t n = 0;
    (void)arg;
    if (args.state != FACT_PRESENT)
        return fact_none(f, args.state);
    const char *s = STR(c, args.text);
    if (*s)
        for (n = 1; *s; s++)
            n += *s == ' ';
    return fact_num(f, n);
}

static struct fact lenargs(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact args = get(c, e, F_proc_args), n = get(c, e, F_proc_cmdnargs);
    (void)arg;
    if (args.state != FACT_PRESENT || n.state != FACT_PRESENT)
        return fact_none(f, args.state == FACT_ABSENT ? FACT_ABSENT : FACT_UNKNOWN);
    return fact_num(f, n.num > 0 ? (int64_t)STRLEN(c, args.text) - (n.num - 1) : 0);
}

/*
 * proc.args[n]: the n-th of the pieces between blanks; beyond the last it is empty, not absent.
 * Where an argument holds a blank itself they cannot be told apart.
 */
static struct fact args_at(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact args;
    (void)arg;
    if (f.index < 0)
        return fact_none(f, FACT_ABSENT);
    args = get(c, e, F_proc_args);
    if (args.state != FACT_PRESENT)
        return fact_none(f, args.state);
    struct fact n = get(c, e, F_proc_cmdnargs), blanks = nargs(c, e, f, 0);
    if (n.state != FACT_PRESENT || (f.index < n.num && blanks.num != n.num))
        return fact_none(f, FACT_UNKNOWN);
    if (f.index >= n.num)
        return fact_text(c, f, "", 0);
    const char *s = STR(c, args.text);
    for (int32_t i = 0; i < f.index && *s; i++) {
        s += strcspn(s, " ");
        s += *s == ' ';
    }
    return fact_text(c, f, s, strcspn(s, " "));
}

static struct fact leader(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    bool group = arg == F_proc_pgid;
    struct fact a = get(c, e, (enum field_id)arg);
    struct fact b = get(c, e, group ? F_proc_pid : F_proc_vpid);
    enum fact_state state = both(a, b);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    return fact_num(f, a.num == b.num);
}

static struct fact is_main(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact a = get(c, e, F_thread_tid), b = get(c, e, F_proc_pid);
    (void)arg;
    enum fact_state state = both(a, b);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    return fact_num(f, a.num == b.num);
}

/* The flags that an exec event carries say what the new executable is. */
static struct fact exe_is(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    static const char *const names[] = {"EXE_WRITABLE", "EXE_UPPER_LAYER", "EXE_FROM_MEMFD",
                                        "EXE_LOWER_LAYER"};
    if (e->type != EV_execve && e->type != EV_execveat)
        return fact_none(f, FACT_ABSENT);
    struct fact flags = event_param_number(c, e, "flags");
    if (flags.state != FACT_PRESENT)
        return fact_none(f, flags.state);
    return fact_num(f, ((uint64_t)flags.num & flag(FT_execve_flags, names[arg])) != 0);
}

/* ---- times ---- */

#define CLOCK_DATE 1
#define CLOCK_NS 4

static struct fact since(struct comp *c, struct field_ref f, struct fact from, struct fact to)
{
    (void)c;
    enum fact_state state = both(from, to);
    if (state != FACT_PRESENT || !from.num || !to.num)
        return fact_none(f, state == FACT_UNKNOWN ? state : FACT_ABSENT);
    return fact_num(f, (int64_t)((uint64_t)to.num - (uint64_t)from.num));
}

static struct fact age(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    return since(c, f, get(c, e, (enum field_id)arg), get(c, e, F_evt_rawtime));
}

static struct fact exe_age(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact ctime = get(c, e, F_proc_exe_ino_ctime);
    (void)arg;
    if (f.field == F_proc_exe_ino_ctime_duration_proc_start)
        return since(c, f, ctime, get(c, e, F_proc_pid_ts));
    struct fact v = since(c, f, get(c, e, F_proc_pidns_init_start_ts), ctime);
    return v.state == FACT_PRESENT && v.num <= 0 ? fact_none(f, FACT_ABSENT) : v;
}

static struct fact rawtime_part(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact t = get(c, e, F_evt_rawtime);
    if (t.state != FACT_PRESENT)
        return fact_none(f, t.state);
    uint64_t ns = (uint64_t)t.num;
    return fact_num(f, (int64_t)(arg ? ns / 1000000000 : ns % 1000000000));
}

/* Local time, or UTC for evt.time.iso8601, as strftime(3) has it. */
static struct fact clock_text(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    struct fact t = get(c, e, F_evt_rawtime);
    char buf[64], fraction[16] = "";
    struct tm tm;
    if (t.state != FACT_PRESENT)
        return fact_none(f, t.state);
    time_t seconds = (time_t)((uint64_t)t.num / 1000000000);
    bool utc = f.field == F_evt_time_iso8601;
    if (!(utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
        return fact_none(f, FACT_UNKNOWN);
    size_t n = utc ? strftime(buf, sizeof buf, "%Y-%m-%dT%H:%M:%S", &tm)
               : arg & CLOCK_DATE ? strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S", &tm)
                                  : strftime(buf, sizeof buf, "%H:%M:%S", &tm);
    if (arg & CLOCK_NS)
        snprintf(fraction, sizeof fraction, ".%09u", (unsigned)((uint64_t)t.num % 1000000000));
    snprintf(buf + n, sizeof buf - n, "%s%s", fraction, utc ? "+0000" : "");
    return fact_word(c, f, buf);
}

static struct fact number_of(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    (void)c, (void)arg;
    return fact_num(f, e->num ? (int64_t)e->num : 1);
}

/* proc.aargs without index is no set but one text: all ancestors' arguments, joined. */
static struct fact all_args(struct comp *c, const struct event *e, struct field_ref f, int arg)
{
    int32_t n = event_ancestors(c, e, F_proc_aargs);
    const char *sofar = "";
    (void)arg;
    for (int32_t i = 1; i <= n; i++) {
        struct fact v = event_fact(c, e, (struct field_ref){.field = F_proc_aargs, .index = i});
        if (v.state != FACT_PRESENT)
            return fact_none(f, v.state);
        sofar = arena_printf(c->arena, "%s%s%s", sofar, i > 1 ? " " : "", STR(c, v.text));
    }
    return n ? fact_word(c, f, sofar) : fact_none(f, FACT_ABSENT);
}

/* ---- the table ---- */

struct derivation {
    derive_fn *fn;
    int arg;
};

static const struct derivation derivations[F_COUNT] = {
    [F_evt_num] = {number_of, 0},
    [F_evt_dir] = {const_dir, 0},
    [F_evt_source] = {const_source, 0},
    [F_evt_is_async] = {const_num, 0},
    [F_evt_count] = {const_num, 1},
    [F_evt_count_exit] = {const_num, 1},
    [F_evt_cpu] = {const_num, 0},
    [F_evt_rawtime] = {const_num, 0},
    [F_evt_rawtime_s] = {rawtime_part, 1},
    [F_evt_rawtime_ns] = {rawtime_part, 0},
    [F_evt_time] = {clock_text, CLOCK_NS},
    [F_evt_time_s] = {clock_text, 0},
    [F_evt_datetime] = {clock_text, CLOCK_DATE | CLOCK_NS},
    [F_evt_datetime_s] = {clock_text, CLOCK_DATE},
    [F_evt_time_iso8601] = {clock_text, CLOCK_NS},
    [F_evt_args] = {event_param_all, 0},
    [F_evt_info] = {event_param_all, 0},
    [F_evt_latency] = {const_num, 0},
    [F_evt_latency_s] = {const_num, 0},
    [F_evt_latency_ns] = {const_num, 0},
    [F_evt_latency_quantized] = {const_num, 0},
    [F_evt_latency_human] = {const_human, 0},
    [F_evt_wait_latency] = {const_num, 0},
    [F_syscall_type] = {same_as, F_evt_type},
    [F_evt_type_is] = {type_is, 0},
    [F_evt_category] = {category, 0},
    [F_evt_rawres] = {rawres, 0},
    [F_evt_res] = {res, 0},
    [F_evt_failed] = {failed, 0},
    [F_evt_count_error] = {count_error, F_evt_count_error},
    [F_evt_count_error_file] = {count_error, F_evt_count_error_file},
    [F_evt_count_error_net] = {count_error, F_evt_count_error_net},
    [F_evt_count_error_memory] = {count_error, F_evt_count_error_memory},
    [F_evt_count_error_other] = {count_error, F_evt_count_error_other},
    [F_evt_is_io] = {has_flag, EVF_READS_FD | EVF_WRITES_FD},
    [F_evt_is_io_read] = {has_flag, EVF_READS_FD},
    [F_evt_is_io_write] = {has_flag, EVF_WRITES_FD},
    [F_evt_is_wait] = {has_flag, EVF_WAITS},
    [F_evt_io_dir] = {io_dir, 0},
    [F_evt_is_syslog] = {syslog, 0},
    [F_evt_buflen] = {buflen, LEN_IN | LEN_OUT},
    [F_evt_buflen_in] = {buflen, LEN_IN},
    [F_evt_buflen_out] = {buflen, LEN_OUT},
    [F_evt_buflen_file] = {buflen, LEN_IN | LEN_OUT | LEN_FILE},
    [F_evt_buflen_file_in] = {buflen, LEN_IN | LEN_FILE},
    [F_evt_buflen_file_out] = {buflen, LEN_OUT | LEN_FILE},
    [F_evt_buflen_net] = {buflen, LEN_IN | LEN_OUT | LEN_NET},
    [F_evt_buflen_net_in] = {buflen, LEN_IN | LEN_NET},
    [F_evt_buflen_net_out] = {buflen, LEN_OUT | LEN_NET},
    [F_evt_is_open_read] = {open_is, OPEN_READ},
    [F_evt_is_open_write] = {open_is, OPEN_WRITE},
    [F_evt_is_open_exec] = {open_is, OPEN_EXEC},
    [F_evt_is_open_create] = {open_is, OPEN_CREATE},
    [F_fd_num] = {fd_num, 0},
    [F_fd_name] = {tuple, 0},
    [F_fd_type] = {fd_type, 0},
    [F_fd_typechar] = {fd_type, 0},
    [F_fd_directory] = {directory, 0},
    [F_fd_filename] = {filename, 0},
    [F_fd_sockfamily] = {sockfamily, 0},
    [F_fd_l4proto] = {l4proto, 0},
    [F_fd_cnet] = {same_as, F_fd_cip},
    [F_fd_snet] = {same_as, F_fd_sip},
    [F_fd_cproto] = {port_text, F_fd_cport},
    [F_fd_sproto] = {port_text, F_fd_sport},
    [F_fd_dev_major] = {dev_part, 1},
    [F_fd_dev_minor] = {dev_part, 0},
    [F_fd_uid] = {fd_uid, 0},
    [F_fd_containername] = {in_container, F_fd_name},
    [F_fd_containerdirectory] = {in_container, F_fd_directory},
    [F_proc_cmdline] = {cmdline, 0},
    [F_proc_exeline] = {exeline, 0},
    [F_proc_args] = {args_at, 0},
    [F_proc_cmdnargs] = {nargs, 0},
    [F_proc_cmdlenargs] = {lenargs, 0},
    [F_proc_is_sid_leader] = {leader, F_proc_sid},
    [F_proc_is_vpgid_leader] = {leader, F_proc_vpgid},
    [F_proc_is_pgid_leader] = {leader, F_proc_pgid},
    [F_proc_is_exe_writable] = {exe_is, 0},
    [F_proc_is_exe_upper_layer] = {exe_is, 1},
    [F_proc_is_exe_from_memfd] = {exe_is, 2},
    [F_proc_is_exe_lower_layer] = {exe_is, 3},
    [F_proc_duration] = {age, F_proc_pid_ts},
    [F_proc_ppid_duration] = {age, F_proc_ppid_ts},
    [F_proc_exe_ino_ctime_duration_proc_start] = {exe_age, 0},
    [F_proc_exe_ino_ctime_duration_pidns_start] = {exe_age, 0},
    [F_proc_aargs] = {all_args, 0},
    [F_thread_ismain] = {is_main, 0},
    [F_container_start_ts] = {same_as, F_proc_pidns_init_start_ts},
    [F_container_duration] = {age, F_container_start_ts},
};

/* ---- ancestors ---- */

static const struct {
    enum field_id field, self, parent; /* [0] and [1] have names of their own */
} ancestors[] = {
    {F_proc_aname, F_proc_name, F_proc_pname},
    {F_proc_aexe, F_proc_exe, F_proc_pexe},
    {F_proc_aexepath, F_proc_exepath, F_proc_pexepath},
    {F_proc_acmdline, F_proc_cmdline, F_proc_pcmdline},
    {F_proc_apid, F_proc_pid, F_proc_ppid},
    {F_proc_aargs, F_proc_args, F_NONE},
};
#define NANCESTOR (sizeof ancestors / sizeof ancestors[0])

enum field_id event_ancestor_field(enum field_id field, int32_t index)
{
    for (size_t i = 0; i < NANCESTOR; i++)
        if (ancestors[i].field == field && (index == 0 || index == 1))
            return index ? ancestors[i].parent : ancestors[i].self;
    return F_NONE;
}

/* An element of the list that was given for all ancestors: [1] is its first. */
static struct fact listed(struct comp *c, const struct event *e, struct field_ref f)
{
    const struct fact *all = event_given(e, PLAIN(f.field));
    if (!all || !all->is_list)
        return fact_none(f, all ? all->state : FACT_ABSENT);
    if (f.index < 1 || (uint32_t)f.index > all->nlist)
        return fact_none(f, all->state == FACT_UNKNOWN ? FACT_UNKNOWN : FACT_ABSENT);
    str_id s = e->list.v[all->list0 + (uint32_t)f.index - 1];
    if (catalog_type(catalog_field(f.field)->type)->base == BASE_INT)
        return fact_num(f, strtoll(STR(c, s), NULL, 10));
    return (struct fact){.field = f, .state = FACT_PRESENT, .kind = VAL_TEXT, .text = s};
}

static struct fact ancestor(struct comp *c, const struct event *e, struct field_ref f, size_t row)
{
    const struct fact *g = event_given(e, f);
    enum field_id plain = f.index == 0 ? ancestors[row].self : ancestors[row].parent;
    if (g)
        return *g;
    if (f.index < 2 && plain != F_NONE)
        return rename_to(get(c, e, plain), f);
    struct fact v = listed(c, e, f);
    int32_t last = event_ancestors(c, e, f.field);
    /* Above one that is unknown nothing is known. */
    if (v.state == FACT_ABSENT && f.index > last && last > 0) {
        struct field_ref top = {.field = f.field, .index = last};
        if (ancestor(c, e, top, row).state == FACT_UNKNOWN)
            return fact_none(f, FACT_UNKNOWN);
    }
    return v;
}

/* proc.pname and its like, where only proc.aname[1] or the list of all was given. */
static struct fact parent(struct comp *c, const struct event *e, struct field_ref f)
{
    for (size_t i = 0; i < NANCESTOR; i++) {
        if (f.index >= 0 || (ancestors[i].parent != f.field && ancestors[i].self != f.field))
            continue;
        bool self = ancestors[i].self == f.field;
        struct field_ref a = {.field = ancestors[i].field, .index = self ? 0 : 1};
        const struct fact *g = event_given(e, a);
        if (g)
            return rename_to(*g, f);
        if (!self)
            return rename_to(listed(c, e, a), f);
    }
    return fact_none(f, FACT_ABSENT);
}

/* How many ancestors one fact of an ancestor field speaks of. */
static int32_t reach(const struct fact *f)
{
    bool unknown = f->state == FACT_UNKNOWN;
    if (f->is_list)
        return (int32_t)f->nlist + unknown;
    if (f->field.index < 0)
        return unknown;
    return f->state == FACT_ABSENT ? 0 : f->field.index;
}

int32_t event_ancestors(struct comp *c, const struct event *e, enum field_id field)
{
    enum field_id parents = event_ancestor_field(field, 1);
    int32_t n = parents && get(c, e, parents).state != FACT_ABSENT;
    for (uint32_t i = 0; i < e->facts.n; i++) {
        int32_t have = e->facts.v[i].field.field == field ? reach(&e->facts.v[i]) : 0;
        n = have > n ? have : n;
    }
    return n;
}

/* ---- asking ---- */

/* A mask or enumeration was given by name: spell it as the language's walk over the table does. */
static struct fact respell(struct comp *c, struct fact v, enum flag_table table)
{
    char buf[2048];
    uint64_t n;
    if (v.state != FACT_PRESENT || v.kind != VAL_TEXT || table == FT_NONE ||
        !event_named_number(table, STR(c, v.text), STRLEN(c, v.text), &n))
        return v;
    size_t len = catalog_flags_text(table, n, false, buf, sizeof buf);
    return len < sizeof buf ? fact_text(c, v.field, buf, len) : v;
}

/* Another field that stands in the same slot was given: container.start_ts, proc.pidns_init_start_ts. */
static struct fact slot_twin(const struct event *e, struct field_ref f)
{
    const struct field_info *info = catalog_field(f.field);
    for (uint32_t i = 0; i < e->facts.n; i++) {
        const struct fact *g = &e->facts.v[i];
        const struct field_info *other = catalog_field(g->field.field);
        if (other->source == SRC_SLOT && other->slot == info->slot && other->table == FT_NONE &&
            info->table == FT_NONE && g->field.index < 0)
            return rename_to(*g, f);
    }
    return fact_none(f, FACT_ABSENT);
}

struct fact event_derived(struct comp *c, const struct event *e, struct field_ref f)
{
    const struct field_info *info = catalog_field(f.field);
    struct fact v = fact_none(f, FACT_ABSENT);
    if (derivations[f.field].fn)
        v = derivations[f.field].fn(c, e, f, derivations[f.field].arg);
    if (v.state == FACT_ABSENT)
        v = parent(c, e, f);
    if (v.state == FACT_ABSENT && info->source == SRC_SLOT && f.index < 0)
        v = rename_to(event_param_of_slot(c, e, info->slot), f);
    if (v.state == FACT_ABSENT && info->source == SRC_SLOT && f.index < 0)
        v = slot_twin(e, f);
    return respell(c, v, info->table);
}

/*
 * Fields of a descriptor exist only on events that have one, and a result only where parameter 0
 * of a system call is one: what a JSON event says otherwise counts for nothing.
 */
bool event_lacks(const struct event *e, enum field_id field)
{
    if (e->type == EV_NONE)
        return false;
    if (!strcmp(catalog_field(field)->cls, "fd") && field != F_fd_types)
        return !(event_flags(e) & (EVF_CREATES_FD | EVF_USES_FD | EVF_DESTROYS_FD));
    if (field != F_evt_rawres && field != F_evt_res && field != F_evt_failed)
        return false;
    const struct param_info *p = catalog_param(e->type, 0);
    return e->type == EV_generic || !p || (p->type != T_ERRNO && p->type != T_FD &&
                                           p->type != T_PID && p->type != T_INT64);
}

/* Fields that follow from the event's type alone: giving them another value is no use. */
static bool follows_from_type(const struct event *e, enum field_id field)
{
    switch ((int)field) {
    case F_evt_type_is:
    case F_syscall_type:
    case F_evt_is_io:
    case F_evt_is_io_read:
    case F_evt_is_io_write:
    case F_evt_is_wait:
    case F_evt_io_dir:
    case F_evt_dir:
    case F_evt_source:
        return e->type != EV_NONE;
    case F_evt_category:
        return e->type != EV_NONE && strncmp(catalog_event(e->type)->category, "io_", 3) != 0;
    case F_evt_is_open_read:
    case F_evt_is_open_write:
    case F_evt_is_open_exec:
    case F_evt_is_open_create:
        return e->type != EV_NONE && !is_open(e->type) && e->type != EV_creat;
    default:
        return false;
    }
}

struct fact event_fact(struct comp *c, const struct event *e, struct field_ref f)
{
    const struct fact *g;
    if (event_lacks(e, f.field))
        return fact_none(f, FACT_ABSENT);
    if (f.field == F_evt_arg || f.field == F_evt_rawarg)
        return event_param_fact(c, e, f);
    for (size_t i = 0; i < NANCESTOR; i++)
        if (ancestors[i].field == f.field && f.index >= 0)
            return ancestor(c, e, f, i);
    g = follows_from_type(e, f.field) ? NULL : event_given(e, f);
    return g ? respell(c, *g, catalog_field(f.field)->table) : event_derived(c, e, f);
}
