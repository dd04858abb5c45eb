/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's tables: their order, and that they agree with one another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "grammar/catalog.h"
#include "grammar/field.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

/* ---- the tables ---- */

static void sorted(const char *before, const char *after)
{
    if (strcmp(before, after) >= 0)
        fail_msg("'%s' must stand before '%s', and each name once", after, before);
}

/* Each is found, which a search would miss out of order. */
static void test_sources(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
#define SOURCE(source, plugin) {source, plugin},
#include "../../grammar/sources.def"
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(catalog_source_plugin(rows[i][0]), rows[i][1]);
    assert_string_equal(catalog_source_plugin("k8s_audit"), "k8saudit");
    assert_null(catalog_source_plugin("syscall"));
    assert_null(catalog_source_plugin("aws"));
    assert_null(catalog_source_plugin("zzz"));
}

static void test_order(void **state)
{
    (void)state;
    for (int i = 2; i < EV_COUNT; i++)
        sorted(catalog_event((enum event_id)(i - 1))->name, catalog_event((enum event_id)i)->name);
    for (int i = 2; i < F_COUNT; i++)
        sorted(catalog_field((enum field_id)(i - 1))->name, catalog_field((enum field_id)i)->name);
    for (int i = 2; i < OP_COUNT; i++)
        sorted(catalog_op((enum op_id)(i - 1))->text, catalog_op((enum op_id)i)->text);
    for (unsigned i = 1; catalog_syscall_at(i); i++)
        sorted(catalog_syscall_at(i - 1)->name, catalog_syscall_at(i)->name);
}

static void test_counts(void **state)
{
    unsigned calls = 0;

    (void)state;
    while (catalog_syscall_at(calls))
        calls++;
    assert_int_equal(EV_COUNT - 1, 180);
    assert_int_equal(F_COUNT - 1, 295);
    assert_int_equal(OP_COUNT - 1, 19);
    assert_int_equal(calls, 501);
}

static void test_every_name_is_found(void **state)
{
    size_t used;

    (void)state;
    for (int i = 1; i < EV_COUNT; i++) {
        const char *name = catalog_event((enum event_id)i)->name;
        bool nameless = i == EV_generic;

        assert_int_equal(catalog_event_by_name(name, strlen(name)), nameless ? EV_NONE : i);
        assert_int_equal(catalog_event_old_name(name, strlen(name)), nameless);
    }
    for (int i = 1; i < F_COUNT; i++) {
        const char *name = catalog_field((enum field_id)i)->name;

        assert_int_equal(catalog_field_by_name(name, strlen(name), &used), i);
        assert_int_equal(used, strlen(name));
    }
    for (int i = 1; i < OP_COUNT; i++) {
        const char *text = catalog_op((enum op_id)i)->text;

        assert_int_equal(catalog_op_by_name(text, strlen(text)), i);
    }
    for (unsigned i = 0; catalog_syscall_at(i); i++) {
        const struct syscall_info *s = catalog_syscall_at(i);

        assert_ptr_equal(catalog_syscall_by_name(s->name, strlen(s->name)), s);
        if (s->nr >= 0)
            assert_ptr_equal(catalog_syscall_by_nr(s->nr), s);
    }
}

/* Indexes written in params.def against the places that the rows have. */
static void test_parameters(void **state)
{
    static const struct {
        enum event_id event;
        unsigned index;
        const char *name;
    } rows[] = {
#define PARAM(event, index, name, type, format, table, slot) {EV_##event, index, name},
#include "grammar/params.def"
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        const struct param_info *p = catalog_param(rows[i].event, rows[i].index);

        assert_non_null(p);
        assert_string_equal(p->name, rows[i].name);
        assert_int_equal(catalog_param_index(rows[i].event, p->name, strlen(p->name)),
                         rows[i].index);
        assert_true(catalog_param_known(p->name, strlen(p->name)));
        assert_true(p->slot < (int)SLOT_COUNT);
        if (p->slot >= 0)
            assert_true(catalog_event(rows[i].event)->live);
    }
    assert_int_equal(catalog_param_count(EV_execve), 31);
    assert_int_equal(catalog_param_count(EV_getsockname), 0);
    assert_null(catalog_param(EV_open, 6));
    assert_null(catalog_param(EV_NONE, 0));
    assert_int_equal(catalog_param_index(EV_openat, "flags", 5), 3);
    assert_int_equal(catalog_param_index(EV_openat, "flag", 4), -1);
    assert_false(catalog_param_known("nosuch", 6));
}

static void test_calls_of_events(void **state)
{
    uint64_t bits[CATALOG_CALLS / 64] = {0};
    (void)state;
    catalog_calls(EV_openat, bits);
    assert_true(bits[257 / 64] == 1ull << 257 % 64);
    memset(bits, 0, sizeof(bits));
    catalog_calls(EV_generic, bits);
    assert_true(bits[63 / 64] >> 63 & 1);        /* uname */
    assert_true(bits[511 / 64] >> 511 % 64 & 1); /* a number that no call has */
    assert_false(bits[0] >> 2 & 1);              /* open */
}

/* The numbers of the calls themselves, and those that 32-bit programs have for them, no others. */
static void test_numbers(void **state)
{
    static const struct {
        int16_t calls[2];
        int16_t numbers[6]; /* 0: no more */
    } rows[] = {
        {{2, 2}, {2, 5}},                      /* open */
        {{59, 257}, {59, 257, 11, 295}},       /* execve, openat */
        {{42, 42}, {42, 362, 102}},            /* connect, also by socketcall */
        {{64, 220}, {64, 220, 393, 420, 117}}, /* semget, semtimedop, also by ipc */
        {{90, 511}, {90, 511, 15}},            /* chmod; a number that no call has */
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        uint64_t calls[CATALOG_CALLS / 64] = {0}, numbers[CATALOG_CALLS / 64];
        uint64_t expected[CATALOG_CALLS / 64] = {0};

        for (size_t k = 0; k < LEN(rows[i].calls); k++)
            calls[rows[i].calls[k] / 64] |= 1ull << (rows[i].calls[k] % 64);
        for (size_t k = 0; k < LEN(rows[i].numbers) && rows[i].numbers[k]; k++)
            expected[rows[i].numbers[k] / 64] |= 1ull << (rows[i].numbers[k] % 64);
        catalog_numbers(calls, numbers);
        assert_memory_equal(numbers, expected, sizeof(expected));
    }
}

static void test_raw_types(void **state)
{
    static const struct {
        const char *name;
        enum type_id type;
    } rows[] = {
        {"flags", T_FLAGS32}, {"res", T_ERRNO},   {"type", T_UINT32},   {"path", T_FSPATH},
        {"tty", T_INT32},     {"sig", T_SIGTYPE}, {"image", T_CHARBUF}, {"local_ip", T_IPADDR},
        {"uid", T_UINT32},    {"euid", T_UID},    {"name", T_FSPATH},   {"nosuch", T_NONE},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++)
        assert_int_equal(catalog_param_type(rows[i].name, strlen(rows[i].name)), rows[i].type);
}

/* const.c looks them up by halving. */
static void test_services(void **state)
{
    static const struct {
        const char *name;
        unsigned port;
    } rows[] = {
#define SERVICE(name, port) {name, port},
#include "grammar/services.def"
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        assert_true(i == 0 || strcmp(rows[i - 1].name, rows[i].name) < 0);
        assert_in_range(rows[i].port, 1, 65535);
    }
}

static void test_tracepoints(void **state)
{
    (void)state;
    assert_true(catalog_event_is_syscall(EV_open));
    assert_true(catalog_event_is_syscall(EV_pread));
    assert_true(catalog_event_is_syscall(EV_generic));
    assert_false(catalog_event_is_syscall(EV_procexit));
    assert_false(catalog_event_is_syscall(EV_signaldeliver));
}

/* A field has a slot exactly if the kernel supplies it, and a table only over a number. */
static void test_field_sources(void **state)
{
    (void)state;
    for (int i = 1; i < F_COUNT; i++) {
        const struct field_info *f = catalog_field((enum field_id)i);

        if ((f->source == SRC_SLOT) != (f->slot >= 0) || f->slot >= (int)SLOT_COUNT)
            fail_msg("%s: source and slot disagree", f->name);
        if (f->table != FT_NONE && (f->slot < 0 || f->slot >= N_COUNT))
            fail_msg("%s: a table without a number", f->name);
        if (f->source == SRC_SLOT && catalog_type(f->type)->base == BASE_TEXT &&
            (f->slot < N_COUNT) != (f->table != FT_NONE))
            fail_msg("%s: a text needs a text slot or a table", f->name);
    }
}

static void test_live_events_have_their_calls(void **state)
{
    (void)state;
    for (unsigned i = 0; catalog_syscall_at(i); i++) {
        const struct syscall_info *s = catalog_syscall_at(i);

        if (s->nr >= 0 && s->event != EV_generic && strcmp(s->name, "pread64") != 0 &&
            strcmp(s->name, "pwrite64") != 0 && strcmp(s->name, "prlimit64") != 0)
            assert_string_equal(catalog_event(s->event)->name, s->name);
    }
    assert_true(catalog_event(EV_generic)->live);
    assert_true(catalog_event(EV_openat2)->live);
    assert_true(catalog_event(EV_procexit)->live);
    assert_false(catalog_event(EV_page_fault)->live);
}

/* An event that is not delivered has a reason, and no other has one. */
static void test_reasons(void **state)
{
    (void)state;
    for (unsigned e = EV_NONE + 1; e < EV_COUNT; e++) {
        const char *why = event_why_missing((enum event_id)e);

        if (catalog_event((enum event_id)e)->live != (why == NULL))
            fail_msg("%s: %s", catalog_event((enum event_id)e)->name, why ? why : "no reason");
    }
    for (unsigned f = F_NONE + 1; f < F_COUNT; f++)
        if (catalog_field((enum field_id)f)->source == SRC_MISSING)
            assert_string_not_equal(field_why_missing((enum field_id)f),
                                    "the probe does not read it");
}

static void test_slots(void **state)
{
    static const char *const ids[] = {
#define SLOT_GROUP(id, doc) #id,
#include "grammar/slots.def"
    };
    const struct slot_info *name = catalog_slot(SLOT_OF_STR(S_NAME));

    (void)state;
    for (size_t i = 0; i < LEN(ids); i++) {
        const char *group = catalog_group_name((enum slot_group)i);

        assert_int_equal(strcasecmp(group, ids[i]), 0);
        assert_int_equal(strspn(group, "abcdefghijklmnopqrstuvwxyz"), strlen(group));
    }
    assert_string_equal(name->name, "NAME");
    assert_int_equal(name->cap, 16);
    assert_int_equal(name->group, G_PROC);
    assert_int_equal(name->offset, offsetof(struct ev, s_NAME));
    assert_int_equal(catalog_slot(SLOT_OF_NUM(N_SYSNR))->offset,
                     offsetof(struct ev, h) + offsetof(struct ev_head, num[N_SYSNR]));
    assert_null(catalog_slot(SLOT_COUNT));
}

/* ---- look-ups ---- */

static void test_fields_by_name(void **state)
{
    static const struct {
        const char *text;
        enum field_id id;
        size_t used;
    } rows[] = {
        {"proc.name", F_proc_name, 9},
        {"evt.arg.flags", F_evt_arg, 7},
        {"evt.type.is.open", F_evt_type_is, 11},
        {"evt.type", F_evt_type, 8},
        {"container.label.a.b", F_container_label, 15},
        {"fd.sip.name", F_fd_sip_name, 11},
        {"fd.name.x", F_fd_name, 7},
        {"proc.exe_ino.ctime_duration_proc_start", F_proc_exe_ino_ctime_duration_proc_start, 38},
        {"proc.namex", F_NONE, 0},
        {"proc", F_NONE, 0},
        {"fd.name_x", F_NONE, 0},
        {"", F_NONE, 0},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        size_t used = 99;

        assert_int_equal(catalog_field_by_name(rows[i].text, strlen(rows[i].text), &used),
                         rows[i].id);
        assert_int_equal(used, rows[i].used);
    }
}

static void test_other_names(void **state)
{
    (void)state;
    assert_int_equal(catalog_op_by_name("==", 2), OP_EQ);
    assert_int_equal(catalog_op_by_name("=", 1), OP_EQ);
    assert_int_equal(catalog_op_by_name("===", 3), OP_NONE);
    assert_int_equal(catalog_op_by_name("contain", 7), OP_NONE);
    assert_int_equal(catalog_event_by_name("openat2", 6), EV_openat);
    assert_int_equal(catalog_event_by_name("nosuch", 6), EV_NONE);
    assert_true(catalog_event_old_name("tracer", 6));
    assert_true(catalog_event_old_name("NA", 2));
    assert_false(catalog_event_old_name("nosuch", 6));
    assert_int_equal(catalog_syscall_by_name("pread64", 7)->event, EV_pread);
    assert_int_equal(catalog_syscall_by_name("reboot", 6)->event, EV_generic);
    assert_int_equal(catalog_syscall_by_name("_sysctl", 7)->nr, 156);
    assert_int_equal(catalog_syscall_by_name("open", 4)->nr_ia32, 5);
    assert_int_equal(catalog_syscall_by_name("waitpid", 7)->nr, -1);
    assert_string_equal(catalog_syscall_by_nr(59)->name, "execve");
    assert_null(catalog_syscall_by_nr(-1));
    assert_null(catalog_syscall_by_nr(100000));
    assert_null(catalog_syscall_by_name("nosuch", 6));
}

static void test_ids_out_of_range(void **state)
{
    (void)state;
    assert_string_equal(catalog_event(EV_NONE)->name, "");
    assert_string_equal(catalog_event(EV_COUNT)->name, "");
    assert_string_equal(catalog_field(F_COUNT)->name, "");
    assert_string_equal(catalog_type(T_COUNT)->name, "");
    assert_string_equal(catalog_op(OP_COUNT)->text, "");
}

static void test_categories(void **state)
{
    (void)state;
    assert_string_equal(catalog_event(EV_open)->category, "file");
    assert_string_equal(catalog_event(EV_pipe)->category, "IPC");
    assert_string_equal(catalog_event(EV_poll)->category, "wait");
    assert_string_equal(catalog_event(EV_switch)->category, "scheduler");
    assert_string_equal(catalog_event(EV_read)->category, "io_read");
    assert_string_equal(catalog_event(EV_execve)->category, "process");
}

/* ---- near names ---- */

static void near_is(const char *found, const char *want)
{
    if (!want && found)
        fail_msg("'%s' is not near", found);
    if (!want)
        return;
    if (!found)
        fail_msg("nothing is near; must be '%s'", want);
    assert_string_equal(found, want);
}

static void test_near(void **state)
{
    (void)state;
    near_is(catalog_near(NEAR_FIELD, "proc.nmae", 9), "proc.name");
    near_is(catalog_near(NEAR_FIELD, "proc.pname2", 11), "proc.pname");
    near_is(catalog_near(NEAR_FIELD, "completely.wrong", 16), NULL);
    near_is(catalog_near(NEAR_EVENT, "opne", 4), "open");
    near_is(catalog_near(NEAR_EVENT, "pread65", 7), "pread64");
    near_is(catalog_near(NEAR_EVENT, "syscal", 6), "_sysctl"); /* not "syscall" */
    near_is(catalog_near(NEAR_OP, "startwith", 9), "startswith");
    near_is(catalog_near(NEAR_PARAM, "flag", 4), "flags");
    near_is(catalog_near_flag(FT_file_flags, "O_CREATE", 8), "O_CREAT");
    near_is(catalog_near_flag(FT_file_flags, "XXXXXXXX", 8), NULL);
}

static void test_distance(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned limit, want;
    } rows[] = {
        {"", "", 2, 0},         {"abc", "abc", 0, 0},    {"abc", "abd", 2, 1},
        {"abc", "acb", 2, 1},   {"abc", "ab", 2, 1},     {"", "abc", 5, 3},
        {"abc", "xyz", 2, 3},   {"abc", "xyz", 3, 3},    {"kitten", "sitting", 9, 3},
        {"ca", "abc", 9, 3},    {"a", "abcdefgh", 2, 3}, {"OPEN", "open", 9, 1},
        {"Open", "opem", 9, 2},
    };
    char long_name[100];

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        unsigned d = catalog_distance(rows[i].a, strlen(rows[i].a), rows[i].b, strlen(rows[i].b),
                                      rows[i].limit);

        if (d != rows[i].want)
            fail_msg("'%s' to '%s': %u, must be %u", rows[i].a, rows[i].b, d, rows[i].want);
    }
    memset(long_name, 'a', sizeof(long_name));
    assert_int_equal(catalog_distance(long_name, sizeof(long_name), "a", 1, 2), 3);
}

static void test_digest(void **state)
{
    (void)state;
    assert_true(catalog_digest() == catalog_digest());
    assert_true(catalog_digest() != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_every_name_is_found),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_calls_of_events),
        cmocka_unit_test(test_field_sources),
        cmocka_unit_test(test_live_events_have_their_calls),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_fields_by_name),
        cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_ids_out_of_range),
        cmocka_unit_test(test_categories),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_raw_types),
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_tracepoints),
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
