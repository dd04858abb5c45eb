/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the process and its ancestors. */
#include "get.h"

/* `a - b` of two times, or what keeps it from being known; absent if either is, or is 0. */
static struct val since(struct val a, struct val b)
{
    if (a.state == ST_ABSENT || b.state == ST_ABSENT)
        return val_absent();
    if (a.state != ST_PRESENT)
        return a;
    if (b.state != ST_PRESENT)
        return b;
    if (a.num == 0 || b.num == 0)
        return val_absent();
    return val_num(BASE_UINT, (int64_t)((uint64_t)a.num - (uint64_t)b.num));
}

static struct val now(const struct record *r)
{
    return val_num(BASE_UINT, (int64_t)r->h->ts);
}

struct val get_proc_duration(struct record *r, const struct want *w)
{
    (void)w;
    return since(now(r), get_field(r, F_proc_pid_ts));
}

struct val get_proc_ppid_duration(struct record *r, const struct want *w)
{
    (void)w;
    return since(now(r), get_field(r, F_proc_ppid_ts));
}

struct val get_container_duration(struct record *r, const struct want *w)
{
    (void)w;
    return since(now(r), get_field(r, F_container_start_ts));
}

struct val get_proc_exe_ino_ctime_duration_proc_start(struct record *r, const struct want *w)
{
    (void)w;
    return since(get_field(r, F_proc_pid_ts), get_field(r, F_proc_exe_ino_ctime));
}

struct val get_proc_exe_ino_ctime_duration_pidns_start(struct record *r, const struct want *w)
{
    struct val v =
        since(get_field(r, F_proc_exe_ino_ctime), get_field(r, F_proc_pidns_init_start_ts));

    (void)w;
    return v.state == ST_PRESENT && v.num <= 0 ? val_absent() : v;
}

static struct val same_number(struct val a, struct val b)
{
    if (a.state == ST_ABSENT || b.state == ST_ABSENT)
        return val_absent();
    if (a.state != ST_PRESENT)
        return a;
    return b.state == ST_PRESENT ? val_num(BASE_BOOL, a.num == b.num) : b;
}

struct val get_proc_is_sid_leader(struct record *r, const struct want *w)
{
    (void)w;
    return same_number(get_field(r, F_proc_sid), get_field(r, F_proc_vpid));
}

struct val get_proc_is_vpgid_leader(struct record *r, const struct want *w)
{
    (void)w;
    return same_number(get_field(r, F_proc_vpgid), get_field(r, F_proc_vpid));
}

struct val get_proc_is_pgid_leader(struct record *r, const struct want *w)
{
    (void)w;
    return same_number(get_field(r, F_proc_pgid), get_field(r, F_proc_pid));
}

struct val get_thread_ismain(struct record *r, const struct want *w)
{
    (void)w;
    return same_number(get_field(r, F_thread_tid), get_field(r, F_proc_pid));
}

struct val get_proc_exeline(struct record *r, const struct want *w)
{
    struct val exe = get_field(r, F_proc_exe), args = get_field(r, F_proc_args);
    struct fmt t;

    (void)w;
    if (exe.state == ST_ABSENT || args.state == ST_ABSENT)
        return val_absent();
    if (!val_here(exe))
        return exe;
    if (!val_here(args))
        return args;
    t = scratch_begin(r);
    fmt_add(&t, exe.text, exe.len);
    fmt_char(&t, ' ');
    fmt_add(&t, args.text, args.len);
    exe = scratch_end(r, &t);
    if (args.state == ST_CUT)
        exe.state = ST_CUT;
    return exe;
}

struct val get_proc_cmdlenargs(struct record *r, const struct want *w)
{
    struct val args = get_field(r, F_proc_args), n = get_field(r, F_proc_cmdnargs);

    (void)w;
    if (args.state != ST_PRESENT || n.state != ST_PRESENT)
        return args.state == ST_ABSENT ? args : val_unknown();
    return val_num(BASE_UINT, n.num > 0 ? (int64_t)args.len - (n.num - 1) : 0);
}

/*
 * proc.args[n]. The kernel joins arguments by blanks; where no argument holds a blank itself (there
 * are as many blanks as joints) they can be told apart again, else the value is unknown.
 */
struct val get_arg_at(struct record *r, int32_t n)
{
    struct val args = get_field(r, F_proc_args), count = get_field(r, F_proc_cmdnargs);
    const char *at, *end;
    int64_t blanks = 0;

    if (args.state != ST_PRESENT || count.state != ST_PRESENT)
        return args.state == ST_ABSENT ? args : val_unknown();
    if (n >= count.num)
        return val_text("", 0);
    at = args.text;
    end = at + args.len;
    for (const char *p = at; p < end; p++)
        blanks += *p == ' ';
    if (blanks != count.num - 1)
        return val_unknown();
    for (; n > 0; n--)
        at = (const char *)memchr(at, ' ', (size_t)(end - at)) + 1;
    for (const char *p = at; p < end; p++)
        if (*p == ' ')
            end = p;
    return val_text(at, (size_t)(end - at));
}

static struct val trimmed(const char *s, size_t n)
{
    while (n && s[0] == ' ')
        s++, n--;
    while (n && s[n - 1] == ' ')
        n--;
    return val_text(s, n);
}

/*
 * proc.env[NAME]: the value, without blanks around it, of the first such variable; empty if there
 * is none. In what was cut the last value may go on, and a variable may be among what is lost. A
 * number for a name means all of it.
 */
struct val get_env_at(struct record *r, const struct want *w)
{
    const char *at = r->text[S_ENV_RAW], *end, *next;
    size_t n = strlen(w->name);
    uint8_t state = r->h->st[SLOT_OF_STR(S_ENV_RAW)];

    if (w->index >= 0 || strspn(w->name, "0123456789") == n)
        return get_field(r, F_proc_env);
    if (!at)
        return val_state(state == ST_ABSENT ? ST_ABSENT : ST_UNKNOWN);
    for (end = at + r->h->len[S_ENV_RAW]; at < end; at = next + 1) {
        next = memchr(at, '\0', (size_t)(end - at));
        next = next ? next : end;
        if ((size_t)(next - at) <= n || memcmp(at, w->name, n) != 0 || at[n] != '=')
            continue;
        if (next == end && state == ST_CUT)
            break;
        return trimmed(at + n + 1, (size_t)(next - at) - n - 1);
    }
    return state == ST_CUT ? val_unknown() : val_text("", 0);
}

/* What the record does not hold of an ancestor: nothing to hold, or not known. */
static struct val anc_none(const struct ev_head *h, int32_t index)
{
    bool whole = h->anc_state == ST_PRESENT || h->anc_state == ST_ABSENT;

    return whole && index > h->anc_count ? val_absent() : val_unknown();
}

static struct val anc_name(const struct record *r, int32_t index)
{
    const struct ev_head *h = r->h;

    if (index > 0 && index <= h->anc_count && h->anc_state != ST_UNFILLED)
        return val_text(h->anc[index - 1], strnlen(h->anc[index - 1], COMM_SIZE));
    if (index == 1)
        return slot_text(r, S_PNAME);
    return anc_none(h, index);
}

/* An ancestor's text that the pack's outputs name: X0..X3, if the plan has it there. */
static struct val anc_extra(const struct record *r, enum extra_kind kind, int32_t index)
{
    const struct ev_head *h = r->h;

    for (unsigned i = 0; r->plan && i < 4; i++)
        if (r->plan->extra[i].kind == kind && r->plan->extra[i].index == index)
            return slot_text(r, (enum str_slot)(S_X0 + i));
    return anc_none(h, index);
}

static struct val anc_pid(struct record *r, int32_t index)
{
    if (index == 0)
        return get_field(r, F_proc_pid);
    return index == 1 ? get_field(r, F_proc_ppid) : anc_none(r->h, index);
}

struct val get_anc(struct record *r, const struct want *w)
{
    static const struct {
        enum field_id field, own, parent; /* F_NONE: only in an extra slot */
        enum extra_kind kind;
    } rows[] = {
        {F_proc_aexe, F_proc_exe, F_proc_pexe, EXTRA_EXE},
        {F_proc_aexepath, F_proc_exepath, F_proc_pexepath, EXTRA_EXEPATH},
        {F_proc_acmdline, F_proc_cmdline, F_proc_pcmdline, EXTRA_CMDLINE},
        {F_proc_aargs, F_proc_args, F_NONE, EXTRA_ARGS},
    };

    if (w->index < 0)
        return val_unknown(); /* a set of values: table.c and the outputs go through them */
    if (w->field == F_proc_aname)
        return w->index == 0 ? get_field(r, F_proc_name) : anc_name(r, w->index);
    if (w->field == F_proc_apid)
        return anc_pid(r, w->index);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].field != w->field)
            continue;
        if (w->index == 0)
            return get_field(r, rows[i].own);
        if (w->index == 1 && rows[i].parent != F_NONE)
            return get_field(r, rows[i].parent);
        return anc_extra(r, rows[i].kind, w->index);
    }
    return val_unknown();
}
