/* SPDX-License-Identifier: Apache-2.0 */
/* Values of fields from a record: parameters as text, times, paths, and hostile records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "../../runtime/fmt.h"
#include "../../runtime/get.h"
#include "bundle.h"

static bool user_get(void *ctx, const struct record *r, enum field_id field, int32_t index,
                     const char *name, struct val *out)
{
    const char *text = field == F_user_name && index == 1000 ? "alice"
                       : field == F_proc_name && index == 77 ? "other"
                                                             : NULL;

    (void)ctx;
    (void)r;
    (void)name;
    if (!text)
        return false;
    *out = (struct val){
        .state = ST_PRESENT, .base = BASE_TEXT, .text = text, .len = (uint32_t)strlen(text)};
    return true;
}

static const struct record_user user = {.get = user_get, .evt_num = 5, .utc_offset = 3600};

struct row {
    void (*fill)(struct ev *);
    enum event_id event;
    enum field_id field;
    int32_t index;
    const char *name;
    const char *want; /* NULL: absent; "?": unknown */
};

static void open_flags(struct ev *ev)
{
    e_num(ev, N_P3, 1 | 2 | 4); /* O_RDWR|O_CREAT, as Falco numbers them */
    e_num(ev, N_P4, 0644);
}

static void own_fd(struct ev *ev)
{
    e_num(ev, N_RES, 4);
    e_num(ev, N_FD_NUM, 4);
    e_num(ev, N_FD_TYPE, 1);
    e_text(ev, S_FD_NAME, "/tmp/the_file");
}

static void socket_fd(struct ev *ev)
{
    e_num(ev, N_P2, 7);
    e_num(ev, N_FD_NUM, 7);
    e_num(ev, N_FD_TYPE, 3);
    e_num(ev, N_L4PROTO, 2);
    e_bytes(ev, S_CIP, "\1\2\3\4", 4);
    e_bytes(ev, S_SIP, "\5\6\7\10", 4);
    e_num(ev, N_CPORT, 10);
    e_num(ev, N_SPORT, 80);
}

static void other_fd(struct ev *ev)
{
    e_num(ev, N_P1, 9);
    e_num(ev, N_FD_NUM, 4);
}

static void failed(struct ev *ev)
{
    e_num(ev, N_RES, -13);
    e_num(ev, N_FD_NUM, -1);
}

static void cwd_fd(struct ev *ev)
{
    e_num(ev, N_P1, -100);
}

static void relative(struct ev *ev)
{
    e_text(ev, S_A0, "../x/./y//z");
    memcpy(ev->base, "/home/me/", 9);
    ev->base_len = 9;
}

static void absolute(struct ev *ev)
{
    e_text(ev, S_A0, "/a/../b");
}

static void baseless(struct ev *ev)
{
    e_text(ev, S_A0, "x");
}

static void uid_known(struct ev *ev)
{
    e_num(ev, N_P1, 1000);
}

static void uid_unknown(struct ev *ev)
{
    e_num(ev, N_P1, 1001);
}

static void uid_none(struct ev *ev)
{
    e_num(ev, N_P1, -1);
}

static void chmod_mode(struct ev *ev)
{
    e_num(ev, N_P2, 04755);
}

static void kill_args(struct ev *ev)
{
    e_num(ev, N_P1, 77);
    e_num(ev, N_P2, 9);
}

static void args_plain(struct ev *ev)
{
    e_text(ev, S_ARGS, "-l -a /tmp");
    e_num(ev, N_CMD_NARGS, 3);
}

static void args_blank(struct ev *ev)
{
    e_text(ev, S_ARGS, "-c echo x");
    e_num(ev, N_CMD_NARGS, 2);
}

static void env_bytes(struct ev *ev, enum slot_state state)
{
    static const char env[] = "PATH=/bin\0A=x y\0EMPTY=\0B=  z \0A=2\0LAST=cut";

    memcpy(ev->s_ENV_RAW, env, sizeof(env) - 1);
    ev->h.len[S_ENV_RAW] = sizeof(env) - 1;
    ev->h.st[SLOT_OF_STR(S_ENV_RAW)] = (__u8)state;
    e_text(ev, S_ENV, "PATH=/bin A=x y");
}

static void env_whole(struct ev *ev)
{
    env_bytes(ev, ST_PRESENT);
}

static void env_cut(struct ev *ev)
{
    env_bytes(ev, ST_CUT);
}

static void env_none(struct ev *ev)
{
    ev->h.st[SLOT_OF_STR(S_ENV_RAW)] = ST_UNKNOWN;
}

static void data_bytes(struct ev *ev)
{
    memcpy(ev->s_DATA, "a\0b\n", 4);
    ev->h.len[S_DATA] = 4;
    ev->h.st[SLOT_OF_STR(S_DATA)] = ST_PRESENT;
}

static void failed_mkdir(struct ev *ev)
{
    e_num(ev, N_RES, -17);
}

static void odd_error(struct ev *ev)
{
    e_num(ev, N_RES, -4000);
}

static void caps(struct ev *ev)
{
    e_num(ev, N_CAP_EFFECTIVE, 0x200001);
}

static void times(struct ev *ev)
{
    ev->h.ts = 1795494299068892935ull;
    e_num(ev, N_START_TS, 1795494299000000000ll);
}

static void interval(struct ev *ev)
{
    e_num(ev, N_P1, 1500000);
}

static void no_interval(struct ev *ev)
{
    e_num(ev, N_P1, -1);
}

static void signal_set(struct ev *ev)
{
    e_num(ev, N_P3, 1 | 1 << 8 | 1 << 14);
}

static void no_signals(struct ev *ev)
{
    e_num(ev, N_P3, 0);
}

static void key_ring(struct ev *ev)
{
    e_num(ev, N_P2, -3);
}

/* The kernel's bytes, NUL among them. */
static void moved(struct ev *ev)
{
    e_num(ev, N_RES, 4);
    e_num(ev, N_FD_TYPE, 16);
    e_bytes(ev, S_DATA, "a\0b\377", 4);
}

static void polled(struct ev *ev)
{
    e_text(ev, S_FDLIST, "6:u1 17:f4 -1:x0");
}

static void renamed(struct ev *ev)
{
    e_num(ev, N_RES, 0);
    e_num(ev, N_P1, 5);
    e_num(ev, N_P3, 6);
    e_text(ev, S_A0, "old/../a");
    e_text(ev, S_A1, "b");
    memcpy(ev->base, "/five", 5);
    ev->base_len = 5;
}

static void renamed_in_one(struct ev *ev)
{
    renamed(ev);
    e_num(ev, N_P3, 5);
}

static void not_renamed(struct ev *ev)
{
    renamed(ev);
    e_num(ev, N_RES, -2);
}

static void linked(struct ev *ev)
{
    renamed(ev);
    e_text(ev, S_FS_SOURCE, "/six/b");
}

static void denied(struct ev *ev)
{
    e_num(ev, N_RES, -1);
    e_text(ev, S_A0, "/x");
}

static void not_found(struct ev *ev)
{
    denied(ev);
    e_num(ev, N_RES, -2);
}

static void put_ends(struct ev *ev, const struct sock_ends *ends)
{
    e_num(ev, N_STDIN_TYPE, 3);
    e_bytes(ev, S_STDIN_NAME, ends, sizeof(*ends));
}

static void std_socket(struct ev *ev)
{
    put_ends(ev, &(struct sock_ends){4, 4, 1025, 80, 0, {10, 0, 0, 1}, {10, 0, 0, 2}});
}

static void std_listener(struct ev *ev)
{
    put_ends(ev, &(struct sock_ends){0, 4, 0, 80, 0, {0}, {10, 0, 0, 2}});
}

static void std_pipe(struct ev *ev)
{
    e_num(ev, N_STDIN_TYPE, 7);
    e_text(ev, S_STDIN_NAME, "");
}

static void std_cut(struct ev *ev)
{
    e_num(ev, N_STDIN_TYPE, 3);
    e_text(ev, S_STDIN_NAME, "short");
}

static void main_thread(struct ev *ev)
{
    e_num(ev, N_PID, 7);
    e_num(ev, N_TID, 7);
    e_text(ev, S_NAME, "sh");
    e_num(ev, N_VM_SIZE, 3);
    e_num(ev, N_NTHREADS, 4);
}

static void other_thread(struct ev *ev)
{
    main_thread(ev);
    e_num(ev, N_TID, 8);
}

static const struct row rows[] = {
    {interval, EV_nanosleep, F_evt_arg, -1, "interval", "0.0015s"},
    {no_interval, EV_nanosleep, F_evt_arg, -1, "interval", "none"},
    {signal_set, EV_ppoll, F_evt_arg, -1, "sigmask", "SIGHUP SIGKILL SIGTERM"},
    {no_signals, EV_ppoll, F_evt_arg, -1, "sigmask", ""},
    {key_ring, EV_keyctl, F_evt_arg, -1, "arg2", "-3"},
    {moved, EV_read, F_evt_arg, -1, "data", "a.b."},
    {moved, EV_read, F_evt_buflen, -1, "", "4"},
    {moved, EV_read, F_evt_buflen_file_in, -1, "", "4"},
    {moved, EV_read, F_evt_buflen_net, -1, "", NULL},
    {moved, EV_read, F_evt_buflen_out, -1, "", NULL},
    {failed, EV_read, F_evt_buflen, -1, "", NULL},
    {polled, EV_poll, F_fdlist_nums, -1, "", "6,17,-1"},
    {failed, EV_poll, F_fdlist_nums, -1, "", NULL},
    {renamed, EV_renameat2, F_fs_path_sourceraw, -1, "", "old/../a"},
    {renamed, EV_renameat2, F_fs_path_targetraw, -1, "", "b"},
    {renamed, EV_renameat2, F_fs_path_nameraw, -1, "", NULL},
    {not_renamed, EV_renameat2, F_fs_path_sourceraw, -1, "", NULL},
    {renamed, EV_linkat, F_fs_path_sourceraw, -1, "", "b"},
    {renamed, EV_renameat2, F_evt_abspath, -1, "src", "/five/a"},
    {renamed, EV_renameat2, F_evt_abspath, -1, "", "/five/a"},
    {renamed, EV_renameat2, F_evt_abspath, -1, "dst", "?"},
    {renamed_in_one, EV_renameat2, F_evt_abspath, -1, "dst", "/five/b"},
    {linked, EV_linkat, F_evt_abspath, -1, "dst", "/six/b"},
    {renamed, EV_rename, F_evt_abspath, -1, "", NULL},
    {denied, EV_openat, F_fs_path_nameraw, -1, "", NULL},
    {not_found, EV_openat, F_fs_path_nameraw, -1, "", "/x"},
    {std_socket, EV_execve, F_proc_stdin_name, -1, "", "10.0.0.1:1025->10.0.0.2:80"},
    {std_listener, EV_execve, F_proc_stdin_name, -1, "", "10.0.0.2:80"},
    {std_pipe, EV_execve, F_proc_stdin_name, -1, "", ""},
    {std_cut, EV_execve, F_proc_stdin_name, -1, "", "?"},
    {std_pipe, EV_execve, F_proc_stdin_type, -1, "", "pipe"},
    {main_thread, EV_execve, F_thread_vmsize_b, -1, "", "3072"},
    {other_thread, EV_execve, F_thread_vmsize, -1, "", "0"},
    {main_thread, EV_execve, F_proc_nchilds, -1, "", "3"},
    {other_thread, EV_execve, F_thread_nametid, -1, "", "sh8"},
    {open_flags, EV_openat, F_evt_arg, -1, "flags", "O_CREAT|O_RDWR"},
    {open_flags, EV_openat, F_evt_arg, 3, "", "O_CREAT|O_RDWR"},
    {open_flags, EV_openat, F_evt_arg, 99, "", NULL},
    {open_flags, EV_openat, F_evt_arg, -1, "nosuch", NULL},
    {open_flags, EV_openat, F_evt_arg, -1, "mode", "0644"},
    {own_fd, EV_openat, F_evt_arg, -1, "fd", "<f>/tmp/the_file"},
    {socket_fd, EV_connect, F_evt_arg, -1, "fd", "<4t>1.2.3.4:10->5.6.7.8:80"},
    {socket_fd, EV_connect, F_evt_arg, -1, "tuple", "1.2.3.4:10->5.6.7.8:80"},
    {socket_fd, EV_connect, F_evt_arg, -1, "addr", "5.6.7.8:80"},
    {socket_fd, EV_connect, F_fd_name, -1, "", "1.2.3.4:10->5.6.7.8:80"},
    {other_fd, EV_openat, F_evt_arg, -1, "dirfd", "?"},
    {failed, EV_openat, F_evt_arg, -1, "fd", "EACCES"},
    {failed, EV_openat, F_evt_res, -1, "", "EACCES"},
    {cwd_fd, EV_openat, F_evt_arg, -1, "dirfd", "AT_FDCWD"},
    {relative, EV_openat, F_evt_arg, -1, "name", "/home/x/y/z"},
    {absolute, EV_openat, F_evt_arg, -1, "name", "/a/../b"},
    {baseless, EV_openat, F_evt_arg, -1, "name", "?"},
    {uid_known, EV_setuid, F_evt_arg, -1, "uid", "alice"},
    {uid_unknown, EV_setuid, F_evt_arg, -1, "uid", "<NA>"},
    {uid_none, EV_setuid, F_evt_arg, -1, "uid", "<NONE>"},
    {chmod_mode, EV_chmod, F_evt_arg, -1, "mode",
     "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID"},
    {kill_args, EV_kill, F_evt_arg, -1, "pid", "other"},
    {kill_args, EV_kill, F_evt_arg, -1, "sig", "SIGKILL"},
    {args_plain, EV_execve, F_proc_args, 1, "", "-a"},
    {args_plain, EV_execve, F_proc_args, 2, "", "/tmp"},
    {args_plain, EV_execve, F_proc_args, 3, "", ""},
    {args_plain, EV_execve, F_proc_args, -1, "", "-l -a /tmp"},
    {args_plain, EV_execve, F_proc_cmdlenargs, -1, "", "8"},
    {args_blank, EV_execve, F_proc_args, 0, "", "?"},
    {env_whole, EV_execve, F_proc_env, -1, "", "PATH=/bin A=x y"},
    {env_whole, EV_execve, F_proc_env, -1, "7", "PATH=/bin A=x y"},
    {env_whole, EV_execve, F_proc_env, -1, "PATH", "/bin"},
    {env_whole, EV_execve, F_proc_env, -1, "A", "x y"},
    {env_whole, EV_execve, F_proc_env, -1, "B", "z"},
    {env_whole, EV_execve, F_proc_env, -1, "EMPTY", ""},
    {env_whole, EV_execve, F_proc_env, -1, "PAT", ""},
    {env_whole, EV_execve, F_proc_env, -1, "LAST", "cut"},
    {env_cut, EV_execve, F_proc_env, -1, "PATH", "/bin"},
    {env_cut, EV_execve, F_proc_env, -1, "LAST", "?"},
    {env_cut, EV_execve, F_proc_env, -1, "NONE", "?"},
    {env_none, EV_execve, F_proc_env, -1, "PATH", "?"},
    {data_bytes, EV_recvfrom, F_evt_arg, -1, "data", "a.b."},
    {failed_mkdir, EV_mkdir, F_evt_res, -1, "", "EEXIST"},
    {odd_error, EV_mkdir, F_evt_res, -1, "", "-4000"},
    {caps, EV_execve, F_thread_cap_effective, -1, "", "CAP_CHOWN CAP_SYS_ADMIN"},
    {times, EV_execve, F_evt_time, -1, "", "05:24:59.068892935"},
    {times, EV_execve, F_evt_datetime_s, -1, "", "2026-11-24 05:24:59"},
    {times, EV_execve, F_evt_time_iso8601, -1, "", "2026-11-24T04:24:59.068892935+0000"},
    {times, EV_execve, F_proc_duration, -1, "", "68892935"},
    {times, EV_execve, F_evt_num, -1, "", "5"},
    {times, EV_execve, F_evt_type, -1, "", "execve"},
    {times, EV_execve, F_evt_dir, -1, "", "<"},
    {times, EV_execve, F_evt_pluginname, -1, "", NULL},
    {times, EV_execve, F_fd_name, -1, "", NULL},
};

static void check(size_t i, struct val v, const char *want)
{
    char buf[512];
    struct fmt t = fmt_in(buf, sizeof(buf) - 1);

    if (!want || strcmp(want, "?") == 0) {
        if (v.state != (want ? ST_UNKNOWN : ST_ABSENT))
            fail_msg("row %zu: state %u", i, v.state);
        return;
    }
    if (v.text)
        fmt_add(&t, v.text, v.len);
    else
        fmt_signed(&t, v.num);
    buf[t.len] = '\0';
    if (v.state != ST_PRESENT || strcmp(buf, want) != 0)
        fail_msg("row %zu: expected \"%s\", got \"%s\" (state %u)", i, want, buf, v.state);
}

static void test_values(void **state)
{
    static char scratch[RECORD_SCRATCH];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ev *ev = e_new(rows[i].event);
        struct record r;
        size_t size;
        void *rec;

        rows[i].fill(ev);
        rec = e_pack(ev, &size);
        assert_int_equal(record_open(&r, rec, size, &user, scratch), 0);
        check(i, record_get(&r, rows[i].field, rows[i].index, rows[i].name), rows[i].want);
        free(rec);
        free(ev);
    }
}

/* What the record says wins over what would be derived. */
static bool given(void *ctx, enum field_id field, int32_t index, const char *name, struct val *out)
{
    (void)ctx;
    (void)index;
    (void)name;
    if (field != F_proc_name)
        return false;
    *out = (struct val){.state = ST_PRESENT, .base = BASE_TEXT, .text = "given", .len = 5};
    return true;
}

/* Values that are no text and no whole number, as outputs show them. */
static void test_shown(void **state)
{
    static const struct {
        enum field_id field;
        int32_t index;
        const char *want;
    } shown[] = {
        {F_evt_buffer, -1, "a.b."},
        {F_proc_fdusage, -1, "12.5"},
        {F_fd_types, -1, "(ipv4,ipv6,pipe,file)"},
        {F_fd_types, 0, "(pipe)"},
    };
    static char scratch[RECORD_SCRATCH];
    struct ev *ev = e_new(EV_read);
    struct record r;
    size_t size;
    void *rec;

    (void)state;
    moved(ev);
    std_pipe(ev);
    e_num(ev, N_FD_OPEN, 8);
    e_num(ev, N_FD_LIMIT, 64);
    e_num(ev, N_FD_KINDS, 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 16);
    rec = e_pack(ev, &size);
    assert_int_equal(record_open(&r, rec, size, &user, scratch), 0);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        char buf[64];
        struct fmt t = fmt_in(buf, sizeof(buf) - 1);

        value_text(&t, record_get(&r, shown[i].field, shown[i].index, ""),
                   catalog_field(shown[i].field));
        buf[t.len] = 0;
        assert_string_equal(buf, shown[i].want);
    }
    free(rec);
    free(ev);
}

static void test_given(void **state)
{
    static char scratch[RECORD_SCRATCH];
    const struct record_user u = {.given = given};
    struct ev *ev = e_new(EV_execve);
    struct record r;
    size_t size;
    void *rec;

    (void)state;
    e_text(ev, S_NAME, "slot");
    rec = e_pack(ev, &size);
    assert_int_equal(record_open(&r, rec, size, &u, scratch), 0);
    assert_memory_equal(record_get(&r, F_proc_name, -1, "").text, "given", 5);
    assert_memory_equal(record_get(&r, F_proc_aname, 0, "").text, "given", 5);
    free(rec);
    free(ev);
}

/* Ancestors' texts that the plan put into extra slots. */
static void test_extra(void **state)
{
    static char scratch[RECORD_SCRATCH];
    const struct probe_plan plan = {.extra = {{EXTRA_EXEPATH, 2}, {EXTRA_CMDLINE, 3}}};
    struct ev *ev = e_new(EV_execve);
    struct record r;
    size_t size;
    void *rec;

    (void)state;
    e_text(ev, S_X0, "/usr/bin/grand");
    e_text(ev, S_X1, "great grand");
    e_anc(ev, "a");
    e_anc(ev, "b");
    e_anc(ev, "c");
    rec = e_pack(ev, &size);
    assert_int_equal(record_open(&r, rec, size, NULL, scratch), 0);
    assert_int_equal(record_get(&r, F_proc_aexepath, 2, "").state, ST_UNKNOWN);
    r.plan = &plan;
    assert_memory_equal(record_get(&r, F_proc_aexepath, 2, "").text, "/usr/bin/grand", 14);
    assert_memory_equal(record_get(&r, F_proc_acmdline, 3, "").text, "great grand", 11);
    assert_int_equal(record_get(&r, F_proc_acmdline, 2, "").state, ST_UNKNOWN);
    assert_int_equal(record_get(&r, F_proc_acmdline, 9, "").state, ST_ABSENT);
    free(rec);
    free(ev);
}

/* Cut at every length and with every byte of the head spoiled: refused, or read within bounds. */
static void test_hostile(void **state)
{
    static char scratch[RECORD_SCRATCH];
    struct ev *ev = e_new(EV_openat);
    size_t size;
    uint8_t *rec;

    (void)state;
    own_fd(ev);
    relative(ev);
    args_plain(ev);
    ev->h.readings = READINGS_ALL;
    memcpy(ev->alt[READ_ALT(READ_SPELLED)], "/spelled", 8);
    ev->alt_len[READ_ALT(READ_SPELLED)] = 8;
    memcpy(ev->alt[READ_ALT(READ_STORED)], "/stored", 7);
    ev->alt_len[READ_ALT(READ_STORED)] = 7;
    rec = e_pack(ev, &size);
    for (size_t i = 0; i < size; i++) {
        struct record r;
        uint8_t *copy = malloc(size);

        memcpy(copy, rec, size);
        assert_int_equal(record_open(&r, copy, i, NULL, scratch), -EPROTO);
        copy[i] ^= 0xff;
        if (record_open(&r, copy, size, NULL, scratch) == 0)
            for (int f = 1; f < F_COUNT; f++) {
                record_reset(&r);
                r.reading = (enum reading)(f % READ_COUNT);
                record_get(&r, (enum field_id)f, -1, "");
                record_get(&r, (enum field_id)f, 1, "name");
            }
        free(copy);
    }
    free(rec);
    free(ev);
}

/* A state that there is not, in any one slot. */
static void test_states(void **state)
{
    static const uint8_t wrong[] = {ST_CUT + 1, 0x7f, 0x80, 0x84, 0xff};
    struct ev *ev = e_new(EV_openat);
    size_t size;
    struct rec *rec = e_pack(ev, &size);
    struct record r;

    (void)state;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        for (size_t i = 0; i < sizeof(wrong); i++) {
            rec->h.st[slot] = wrong[i];
            assert_int_equal(record_open(&r, rec, size, NULL, NULL), -EPROTO);
        }
        for (unsigned st = ST_UNFILLED; st <= ST_CUT; st++) {
            rec->h.st[slot] = (uint8_t)st; /* texts have no bytes */
            assert_int_equal(record_open(&r, rec, size, NULL, NULL), 0);
        }
        rec->h.st[slot] = ST_ABSENT;
    }
    free(rec);
    free(ev);
}

static void test_paths(void **state)
{
    static const struct {
        const char *base, *path, *want;
    } paths[] = {
        {"/a/b/", "c", "/a/b/c"},
        {"/a/b", "../../../c", "/c"},
        {"/a", "/b/./c//d/", "/b/c/d"},
        {"/", "..", "/"},
        {"", "x", "/x"},
        {"/a/b", "", "/a/b"},
        {"/a/..b", "...", "/a/..b/..."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char buf[64];
        struct fmt t = fmt_in(buf, sizeof(buf) - 1);

        fmt_path(&t, paths[i].base, strlen(paths[i].base), paths[i].path, strlen(paths[i].path));
        buf[t.len] = '\0';
        assert_string_equal(buf, paths[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_shown),   cmocka_unit_test(test_given),
        cmocka_unit_test(test_extra),  cmocka_unit_test(test_hostile), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
