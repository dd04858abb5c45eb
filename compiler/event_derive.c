/* SPDX-License-Identifier: Apache-2.0 */
#include "event_derive.h"

#include "arena.h"

bool event_opens(enum event_id type)
{
    return type == EV_open || type == EV_openat || type == EV_openat2 ||
           type == EV_open_by_handle_at;
}

bool fact_given(const struct event *e, enum field_id field, struct fact *out)
{
    const struct fact *g = event_given(e, PLAIN(field));
    if (!g || g->state != FACT_PRESENT)
        return false;
    *out = *g;
    return true;
}

uint64_t flag_bit(enum flag_table table, const char *name)
{
    uint64_t v = 0;
    catalog_flags_value(table, name, strlen(name), &v);
    return v;
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
    return (struct fact){
        .field = f, .state = FACT_PRESENT, .kind = VAL_TEXT, .text = intern_put(c->intern, s, len)};
}

struct fact fact_joined(struct comp *c, struct field_ref f, struct fact a, const char *between,
                        struct fact b)
{
    enum fact_state state = fact_both(a, b);
    if (state != FACT_PRESENT)
        return fact_none(f, state);
    const char *s = arena_printf(c->arena, "%s%s%s", STR(c, a.text), between, STR(c, b.text));
    return fact_word(c, f, s);
}

/* ---- the table ---- */

struct derivation {
    derive_fn *fn;
    int arg;
};

static const struct derivation derivations[F_COUNT] = {
    [F_evt_num] = {derive_number_of, 0},
    [F_evt_dir] = {derive_const_dir, 0},
    [F_evt_source] = {derive_const_source, 0},
    [F_evt_count_procinfo] = {derive_const_num, 0},
    [F_evt_count_threadinfo] = {derive_const_num, 0},
    [F_thread_exectime] = {derive_const_num, 0},
    [F_thread_totexectime] = {derive_const_num, 0},
    [F_evt_outputtime] = {derive_clock_text, CLOCK_NS},
    [F_evt_is_async] = {derive_const_num, 0},
    [F_evt_is_io_uring] = {derive_const_num, 0},
    [F_evt_count] = {derive_const_num, 1},
    [F_evt_count_exit] = {derive_const_num, 1},
    [F_evt_cpu] = {derive_const_num, 0},
    [F_evt_rawtime] = {derive_const_num, 0},
    [F_evt_rawtime_s] = {derive_rawtime_part, 1},
    [F_evt_rawtime_ns] = {derive_rawtime_part, 0},
    [F_evt_time] = {derive_clock_text, CLOCK_NS},
    [F_evt_time_s] = {derive_clock_text, 0},
    [F_evt_datetime] = {derive_clock_text, CLOCK_DATE | CLOCK_NS},
    [F_evt_datetime_s] = {derive_clock_text, CLOCK_DATE},
    [F_evt_time_iso8601] = {derive_clock_text, CLOCK_NS},
    [F_evt_args] = {event_param_all, 0},
    [F_evt_info] = {event_param_all, 0},
    [F_evt_latency] = {derive_const_num, 0},
    [F_evt_latency_s] = {derive_const_num, 0},
    [F_evt_latency_ns] = {derive_const_num, 0},
    [F_evt_latency_quantized] = {derive_const_num, 0},
    [F_evt_latency_human] = {derive_const_human, 0},
    [F_evt_wait_latency] = {derive_const_num, 0},
    [F_syscall_type] = {derive_syscall_type, F_evt_type},
    [F_evt_type_is] = {derive_type_is, 0},
    [F_evt_category] = {derive_category, 0},
    [F_evt_rawres] = {derive_rawres, 0},
    [F_evt_res] = {derive_res, 0},
    [F_evt_failed] = {derive_failed, 0},
    [F_evt_count_error] = {derive_count_error, F_evt_count_error},
    [F_evt_count_error_file] = {derive_count_error, F_evt_count_error_file},
    [F_evt_count_error_net] = {derive_count_error, F_evt_count_error_net},
    [F_evt_count_error_memory] = {derive_count_error, F_evt_count_error_memory},
    [F_evt_count_error_other] = {derive_count_error, F_evt_count_error_other},
    [F_evt_is_io] = {derive_has_flag, EVF_READS_FD | EVF_WRITES_FD},
    [F_evt_is_io_read] = {derive_has_flag, EVF_READS_FD},
    [F_evt_is_io_write] = {derive_has_flag, EVF_WRITES_FD},
    [F_evt_is_wait] = {derive_has_flag, EVF_WAITS},
    [F_evt_io_dir] = {derive_io_dir, 0},
    [F_evt_is_syslog] = {derive_syslog, 0},
    [F_evt_buflen] = {derive_buflen, LEN_IN | LEN_OUT},
    [F_evt_buflen_in] = {derive_buflen, LEN_IN},
    [F_evt_buflen_out] = {derive_buflen, LEN_OUT},
    [F_evt_buflen_file] = {derive_buflen, LEN_IN | LEN_OUT | LEN_FILE},
    [F_evt_buflen_file_in] = {derive_buflen, LEN_IN | LEN_FILE},
    [F_evt_buflen_file_out] = {derive_buflen, LEN_OUT | LEN_FILE},
    [F_evt_buflen_net] = {derive_buflen, LEN_IN | LEN_OUT | LEN_NET},
    [F_evt_buflen_net_in] = {derive_buflen, LEN_IN | LEN_NET},
    [F_evt_buflen_net_out] = {derive_buflen, LEN_OUT | LEN_NET},
    [F_evt_is_open_read] = {derive_open_is, OPEN_READ},
    [F_evt_is_open_write] = {derive_open_is, OPEN_WRITE},
    [F_evt_is_open_exec] = {derive_open_is, OPEN_EXEC},
    [F_evt_is_open_create] = {derive_open_is, OPEN_CREATE},
    [F_fd_num] = {derive_fd_num, 0},
    [F_fd_name] = {derive_tuple, 0},
    [F_fd_type] = {derive_fd_type, 0},
    [F_fd_typechar] = {derive_fd_type, 0},
    [F_fd_directory] = {derive_directory, 0},
    [F_fd_filename] = {derive_filename, 0},
    [F_fd_sockfamily] = {derive_sockfamily, 0},
    [F_fd_l4proto] = {derive_l4proto, 0},
    [F_fd_sip] = {derive_one_side, F_fd_cip},
    [F_fd_sport] = {derive_one_side, F_fd_cport},
    [F_fd_cnet] = {derive_same_as, F_fd_cip},
    [F_fd_snet] = {derive_same_as, F_fd_sip},
    [F_fd_cproto] = {derive_port_text, F_fd_cport},
    [F_fd_sproto] = {derive_port_text, F_fd_sport},
    [F_fd_dev_major] = {derive_dev_part, 1},
    [F_fd_dev_minor] = {derive_dev_part, 0},
    [F_fd_uid] = {derive_fd_uid, 0},
    [F_fd_containername] = {derive_in_container, F_fd_name},
    [F_fd_containerdirectory] = {derive_in_container, F_fd_directory},
    [F_proc_cmdline] = {derive_cmdline, 0},
    [F_proc_exeline] = {derive_exeline, 0},
    [F_proc_args] = {derive_args_at, 0},
    [F_proc_env] = {derive_env, 0},
    [F_proc_cmdnargs] = {derive_nargs, 0},
    [F_proc_cmdlenargs] = {derive_lenargs, 0},
    [F_proc_is_sid_leader] = {derive_leader, F_proc_sid},
    [F_proc_is_vpgid_leader] = {derive_leader, F_proc_vpgid},
    [F_proc_is_pgid_leader] = {derive_leader, F_proc_pgid},
    [F_proc_is_exe_writable] = {derive_exe_is, 0},
    [F_proc_is_exe_upper_layer] = {derive_exe_is, 1},
    [F_proc_is_exe_from_memfd] = {derive_exe_is, 2},
    [F_proc_is_exe_lower_layer] = {derive_exe_is, 3},
    [F_proc_duration] = {derive_age, F_proc_pid_ts},
    [F_proc_ppid_duration] = {derive_age, F_proc_ppid_ts},
    [F_proc_exe_ino_ctime_duration_proc_start] = {derive_exe_age, 0},
    [F_proc_exe_ino_ctime_duration_pidns_start] = {derive_exe_age, 0},
    [F_proc_aargs] = {derive_all_args, 0},
    [F_proc_nchilds] = {derive_nchilds, 0},
    [F_thread_vmsize] = {derive_of_main, F_proc_vmsize},
    [F_thread_vmsize_b] = {derive_of_main, F_proc_vmsize},
    [F_thread_vmrss] = {derive_of_main, F_proc_vmrss},
    [F_thread_vmrss_b] = {derive_of_main, F_proc_vmrss},
    [F_thread_nametid] = {derive_nametid, 0},
    [F_thread_ismain] = {derive_is_main, 0},
    [F_container_start_ts] = {derive_same_as, F_proc_pidns_init_start_ts},
    [F_container_duration] = {derive_age, F_container_start_ts},
};

/* ---- asking ---- */

/* A mask or enumeration was given by name: spell it as the language's walk over the table does. */
static struct fact respell(struct comp *c, struct fact v, enum flag_table table)
{
    char buf[2048];
    uint64_t n;
    if (v.state != FACT_PRESENT || v.kind != VAL_TEXT || table == FT_NONE ||
        !event_named_number(table, STR(c, v.text), STRLEN(c, v.text), &n))
        return v;
    size_t len = catalog_flags_text(table, n, false, buf, sizeof(buf));
    return len < sizeof(buf) ? fact_text(c, v.field, buf, len) : v;
}

/* Another field that stands in the same slot was given: container.start_ts,
 * proc.pidns_init_start_ts. */
static struct fact slot_twin(const struct event *e, struct field_ref f)
{
    const struct field_info *info = catalog_field(f.field);
    for (uint32_t i = 0; i < e->facts.n; i++) {
        const struct fact *g = &e->facts.v[i];
        const struct field_info *other = catalog_field(g->field.field);
        if (other->source == SRC_SLOT && other->slot == info->slot && other->table == FT_NONE &&
            info->table == FT_NONE && g->field.index < 0)
            return fact_as(*g, f);
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
        v = derive_parent(c, e, f);
    if (v.state == FACT_ABSENT && info->source == SRC_SLOT && f.index < 0)
        v = fact_as(event_param_of_slot(c, e, info->slot), f);
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
        return !(event_row_flags(e) & (EVF_CREATES_FD | EVF_USES_FD | EVF_DESTROYS_FD));
    if (field != F_evt_rawres && field != F_evt_res && field != F_evt_failed)
        return false;
    const struct param_info *p = catalog_param(e->type, 0);
    return e->type == EV_generic || !p ||
           (p->type != T_ERRNO && p->type != T_FD && p->type != T_PID && p->type != T_INT64);
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
        return e->type != EV_NONE && !event_opens(e->type) && e->type != EV_creat;
    default:
        return false;
    }
}

struct fact event_fact(struct comp *c, const struct event *e, struct field_ref f)
{
    const struct fact *g;
    struct fact v;
    if (event_lacks(e, f.field))
        return fact_none(f, FACT_ABSENT);
    if (f.field == F_evt_arg || f.field == F_evt_rawarg)
        return event_param_fact(c, e, f);
    if (derive_ancestor(c, e, f, &v))
        return v;
    g = follows_from_type(e, f.field) ? NULL : event_given(e, f);
    return g ? respell(c, *g, catalog_field(f.field)->table) : event_derived(c, e, f);
}
