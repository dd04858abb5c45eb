/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of the event: evt.arg, evt.rawarg, evt.args.
 *
 * Each has a raw text and maybe a resolved one (spec: "the text of a parameter"). evt.arg is the
 * resolved text if there is one, else the raw one; evt.args shows both.
 */
#include "get.h"

#include <stdio.h>

#define FD_CWD (-100)

/* The slot's bytes or number, in the parameter's own type. */
struct val param_raw(struct record *r, const struct param_info *p)
{
    struct val v;

    if (p->slot < 0)
        return p->type == T_SOCKTUPLE ? get_tuple(r) : val_unknown();
    if (p->slot == SLOT_OF_STR(S_DATA) || p->slot == SLOT_OF_STR(S_CONTROL))
        return slot_bytes(r, (enum str_slot)(p->slot - N_COUNT));
    if (p->slot >= N_COUNT)
        return slot_text(r, (enum str_slot)(p->slot - N_COUNT));
    v = slot_num(r, (enum num_slot)p->slot);
    if (v.state == ST_PRESENT && p->slot == N_SYSNR)
        return v;
    if (v.state == ST_PRESENT)
        v.base = (uint8_t)catalog_type(p->type)->base;
    return v;
}

static void raw_number(struct fmt *t, const struct param_info *p, int64_t n)
{
    bool is_signed = catalog_type(p->type)->base == BASE_INT || p->type == T_UID ||
                     p->type == T_GID || p->type == T_DYN;

    if (p->type == T_MODE || (p->format == FMT_OCT && !p->flags)) {
        if (n)
            fmt_char(t, '0');
        fmt_unsigned(t, (uint64_t)n, 8, 1);
    } else if (p->format == FMT_HEX && p->flags == FT_NONE) {
        fmt_unsigned(t, (uint64_t)n, 16, 1);
    } else if (is_signed) {
        fmt_signed(t, n);
    } else {
        fmt_unsigned(t, (uint64_t)n, 10, 1);
    }
}

/* `a.b.c.d:port` of the end that an address argument names. */
static bool raw_addr(struct record *r, struct fmt *t)
{
    struct val ip = get_field(r, F_fd_sip), port = get_field(r, F_fd_sport);

    if (!val_here(ip))
        return false;
    fmt_addr(t, ip.text, ip.len);
    fmt_char(t, ':');
    if (port.state == ST_PRESENT)
        fmt_unsigned(t, (uint16_t)port.num, 10, 1);
    return true;
}

/* The names of a mask's first 32 signals, by blanks. */
static void add_signals(struct fmt *t, uint32_t mask)
{
    char name[32];
    bool any = false;

    for (unsigned i = 0; i < 32; i++) {
        if (!(mask >> i & 1) || !catalog_flags_text(FT_signal, i + 1, true, name, sizeof(name)))
            continue;
        if (any)
            fmt_char(t, ' ');
        fmt_str(t, name);
        any = true;
    }
}

static void add_printable(struct fmt *t, struct val v)
{
    for (uint32_t i = 0; i < v.len; i++)
        fmt_char(t, v.text[i] >= 0x20 && v.text[i] < 0x7f ? v.text[i] : '.');
}

/* Appends the raw text. The state says whether there is one. */
static enum slot_state raw_text(struct record *r, const struct param_info *p, struct fmt *t)
{
    struct val v;

    if (p->type == T_SOCKADDR && p->slot < 0)
        return raw_addr(r, t) ? ST_PRESENT : ST_UNKNOWN;
    v = param_raw(r, p);
    if (!val_here(v))
        return v.state;
    if (v.text && p->type == T_BYTEBUF)
        add_printable(t, v);
    else if (v.text)
        fmt_add(t, v.text, v.len);
    else if (p->type == T_SIGSET)
        add_signals(t, (uint32_t)v.num);
    else if (p->type == T_RELTIME && v.num == -1)
        fmt_str(t, "none");
    else
        raw_number(t, p, v.num);
    return v.state;
}

static bool name_of(struct record *r, enum field_id field, int64_t id, struct fmt *t)
{
    struct val v = val_absent();

    if (!r->user || !r->user->get || id < 0 || id > INT32_MAX ||
        !r->user->get(r->user->ctx, r, field, (int32_t)id, "", &v) || !val_here(v))
        return false;
    fmt_add(t, v.text, v.len);
    return true;
}

/* `<T>name` of the other descriptor of a call that has two. (Of a socket the protocol is not told.)
 */
static enum slot_state other_text(struct record *r, struct fmt *t)
{
    struct val kind = slot_num(r, N_OTHER_TYPE), name;
    char letter[8];

    if (kind.state != ST_PRESENT || (kind.num >= 3 && kind.num <= 6))
        return kind.state == ST_ABSENT ? ST_ABSENT : ST_UNKNOWN;
    name = get_name_of(r, S_OTHER_NAME, N_OTHER_TYPE);
    if (!catalog_flags_text(FT_fd_typechar, (uint64_t)kind.num, false, letter, sizeof(letter)) ||
        !val_here(name))
        return ST_UNKNOWN;
    fmt_char(t, '<');
    fmt_str(t, letter);
    fmt_char(t, '>');
    fmt_add(t, name.text, name.len);
    return name.state;
}

/* `<T>name` of the event's own descriptor, or of the other one; more are known by number only. */
static enum slot_state fd_text(struct record *r, int64_t fd, struct fmt *t)
{
    static const char protos[] = "\0\0tuir";
    struct val num = get_field(r, F_fd_num), kind = slot_num(r, N_FD_TYPE);
    struct val letter, name, proto, other = slot_num(r, N_OTHER_FD);

    if (other.state == ST_PRESENT && other.num == fd && num.num != fd)
        return other_text(r, t);
    if (num.state != ST_PRESENT || num.num != fd || kind.state == ST_ABSENT)
        return num.state == ST_PRESENT && num.num == fd ? ST_ABSENT : ST_UNKNOWN;
    letter = get_field(r, F_fd_typechar);
    name = get_field(r, F_fd_name);
    if (!val_here(letter) || !val_here(name))
        return ST_UNKNOWN;
    fmt_char(t, '<');
    fmt_add(t, letter.text, letter.len);
    proto = slot_num(r, N_L4PROTO);
    if (kind.num >= 3 && kind.num <= 6 && proto.state == ST_PRESENT && proto.num >= 2 &&
        proto.num <= 5)
        fmt_char(t, protos[proto.num]);
    fmt_char(t, '>');
    fmt_add(t, name.text, name.len);
    return name.state;
}

static enum slot_state resolved_fd(struct record *r, int64_t fd, struct fmt *t)
{
    const char *name;

    if (fd >= 0)
        return fd_text(r, fd, t);
    name = fd == FD_CWD ? "AT_FDCWD" : fd > -4096 ? catalog_errno_name((int)-fd) : NULL;
    if (name)
        fmt_str(t, name);
    return name ? ST_PRESENT : ST_ABSENT;
}

static enum slot_state resolved_pid(struct record *r, int64_t pid, struct fmt *t)
{
    struct val own = get_field(r, F_thread_tid), name;

    if (own.state == ST_PRESENT && own.num == pid) {
        name = get_field(r, F_proc_name);
        if (val_here(name))
            fmt_add(t, name.text, name.len);
        return name.state;
    }
    return name_of(r, F_proc_name, pid, t) ? ST_PRESENT : ST_ABSENT;
}

static enum slot_state resolved_id(struct record *r, enum field_id field, int64_t id, struct fmt *t)
{
    if (id == -1 || id == UINT32_MAX)
        fmt_str(t, "<NONE>");
    else if (!name_of(r, field, id, t))
        fmt_str(t, "<NA>");
    return ST_PRESENT;
}

/* A relative path, made absolute by the kernel, or from the directory that the record brings. */
static enum slot_state resolved_path(struct record *r, const struct param_info *p, struct val v,
                                     struct fmt *t)
{
    int slot = catalog_path_slot(p);
    struct val whole = slot < 0 ? val_unknown() : slot_text(r, (enum str_slot)(slot - N_COUNT));

    if (v.len && v.text[0] == '/')
        return ST_ABSENT;
    if (whole.state == ST_PRESENT) {
        fmt_add(t, whole.text, whole.len);
        return ST_PRESENT;
    }
    if (r->base_len == 0)
        return ST_UNKNOWN;
    fmt_path(t, r->base, r->base_len, v.text, v.len);
    return v.state;
}

static enum slot_state resolved_flags(const struct param_info *p, int64_t n, struct fmt *t)
{
    size_t room = t->cap - t->len, len;

    if (room == 0)
        return ST_ABSENT;
    len = catalog_flags_text(p->flags, (uint64_t)n, true, t->buf + t->len, room);
    t->len += len < room ? len : room - 1;
    return len ? ST_PRESENT : ST_ABSENT;
}

/* The text that a number table gives, whatever the parameter's type says about it. */
static enum slot_state resolved_table(enum flag_table table, int64_t n, struct fmt *t)
{
    const struct param_info p = {.flags = table};

    return resolved_flags(&p, n, t);
}

/* Nanoseconds as seconds: at most six digits that count, as %g prints. */
static enum slot_state resolved_time(int64_t ns, struct fmt *t)
{
    char text[32];

    if (ns == -1)
        return ST_ABSENT;
    snprintf(text, sizeof(text), "%gs", (double)(uint64_t)ns / 1e9);
    fmt_str(t, text);
    return ST_PRESENT;
}

/* Appends the resolved text: PRESENT, ABSENT if there is none, UNKNOWN if it cannot be told. */
static enum slot_state resolved_text(struct record *r, const struct param_info *p, struct fmt *t)
{
    struct val v = param_raw(r, p);
    const char *name;

    if (!val_here(v))
        return ST_ABSENT;
    if (v.text)
        return p->type == T_FSPATH || p->type == T_FSRELPATH ? resolved_path(r, p, v, t)
                                                             : ST_ABSENT;
    if (p->type == T_FD)
        return resolved_fd(r, v.num, t);
    if (p->type == T_PID)
        return resolved_pid(r, v.num, t);
    if (p->type == T_UID)
        return resolved_id(r, F_user_name, v.num, t);
    if (p->type == T_GID)
        return resolved_id(r, F_group_name, v.num, t);
    if (p->type == T_RELTIME)
        return resolved_time(v.num, t);
    if (p->type == T_SIGTYPE)
        return resolved_table(FT_signal, v.num, t);
    if (p->type == T_ERRNO) {
        name = v.num < 0 && v.num > -4096 ? catalog_errno_name((int)-v.num) : NULL;
        if (name)
            fmt_str(t, name);
        return name ? ST_PRESENT : ST_ABSENT;
    }
    return p->flags == FT_NONE ? ST_ABSENT : resolved_flags(p, v.num, t);
}

static struct val param_text(struct record *r, const struct param_info *p)
{
    struct fmt t = scratch_begin(r);
    uint32_t used = r->used;
    enum slot_state st;
    struct val v;

    /* Getters that this asks make texts too: they go behind what is being built here. */
    t.cap /= 2;
    r->used += (uint32_t)t.cap;
    st = resolved_text(r, p, &t);
    if (st == ST_ABSENT || (st == ST_PRESENT && t.len == 0)) {
        t.len = 0;
        st = raw_text(r, p, &t);
        if (st == ST_PRESENT && t.len == 0 && p->type == T_BYTEBUF)
            fmt_str(&t, "NULL");
    }
    r->used = used;
    v = scratch_end(r, &t);
    if (v.state == ST_PRESENT)
        v.state = (uint8_t)st;
    if (st == ST_ABSENT)
        return val_absent();
    return v;
}

static struct val generic_id(struct record *r, const struct want *w)
{
    const struct want type = {F_evt_type, -1, ""};

    return w->field == F_evt_arg ? get_evt_type(r, &type) : slot_num(r, N_SYSNR);
}

struct val get_param(struct record *r, const struct want *w)
{
    const struct param_info *p;
    int index = w->index;

    if (w->name[0])
        index = catalog_param_index(r->h->event, w->name, strlen(w->name));
    p = index < 0 ? NULL : catalog_param(r->h->event, (unsigned)index);
    if (!p)
        return val_absent();
    if (p->type == T_SYSCALLID)
        return generic_id(r, w);
    return w->field == F_evt_arg ? param_text(r, p) : param_raw(r, p);
}

/* `name=raw(resolved)`; an empty parameter is `NULL` or `<NA>`, as is one that is not supplied. */
static enum slot_state add_param(struct record *r, const struct param_info *p, struct fmt *t)
{
    enum slot_state st;
    size_t mark;

    fmt_str(t, p->name);
    fmt_char(t, '=');
    mark = t->len;
    st = raw_text(r, p, t);
    if (st != ST_PRESENT && st != ST_CUT) {
        bool null = p->type == T_BYTEBUF || p->type == T_SOCKTUPLE || p->type == T_FDLIST ||
                    p->type == T_DYN;

        fmt_str(t, null ? "NULL" : "<NA>");
        return st;
    }
    if (p->type == T_BYTEBUF && t->len == mark) {
        fmt_str(t, "NULL");
        return st;
    }
    mark = t->len;
    fmt_char(t, '(');
    if (resolved_text(r, p, t) == ST_PRESENT && t->len > mark + 1)
        fmt_char(t, ')');
    else
        t->len = mark;
    return st;
}

struct val get_evt_args(struct record *r, const struct want *w)
{
    unsigned n = catalog_param_count(r->h->event);
    enum slot_state st = ST_PRESENT;
    struct fmt t = scratch_begin(r);
    uint32_t used = r->used;
    struct val v;

    (void)w;
    if (r->h->event == EV_generic)
        return val_text("", 0);
    t.cap /= 2;
    r->used += (uint32_t)t.cap;
    for (unsigned i = 0; i < n; i++) {
        enum slot_state one;

        if (i)
            fmt_char(&t, ' ');
        one = add_param(r, catalog_param(r->h->event, i), &t);
        if (one != ST_PRESENT && one != ST_ABSENT)
            st = ST_UNKNOWN;
    }
    r->used = used;
    v = scratch_end(r, &t);
    if (v.state == ST_PRESENT)
        v.state = (uint8_t)st;
    return v;
}

struct val get_evt_info(struct record *r, const struct want *w)
{
    return get_evt_args(r, w);
}
