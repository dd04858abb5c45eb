/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of flags, back and forth, and that the tables agree with one another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "grammar/flags.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

/* The probe looks at one of the rows that a small number has (bpf/extract_more.bpf.c). */
static void test_numbers_of_flags(void **state)
{
    (void)state;
    for (unsigned t = 0; t < FT_COUNT; t++) {
        unsigned n;
        const struct flag_row *f = catalog_flags((enum flag_table)t, &n);

        if (catalog_flags_kind((enum flag_table)t) != FLAGS_ENUM)
            continue;
        for (unsigned i = 0; i < n; i++)
            for (unsigned k = 0; k < i; k++)
                if (f[i].native >= 0 && f[i].native == f[k].native)
                    assert_int_equal(f[i].value, f[k].value);
    }
}

static void test_flag_texts(void **state)
{
    static const struct {
        enum flag_table table;
        uint64_t value;
        const char *text, *resolved;
    } rows[] = {
        {FT_file_flags, 7, "O_CREAT|O_RDWR", "O_CREAT|O_RDWR"},
        {FT_file_flags, 3, "O_RDWR", "O_RDWR"},
        {FT_file_flags, 2, "O_WRONLY", "O_WRONLY"},
        {FT_file_flags, 0, "O_NONE", "O_NONE"},
        {FT_file_flags, 0x2401, "O_DIRECTORY|O_RDONLY|O_TMPFILE", "O_DIRECTORY|O_RDONLY|O_TMPFILE"},
        {FT_file_flags, 0x40000005, "O_CREAT|O_RDONLY", "O_CREAT|O_RDONLY"}, /* unknown bits go */
        {FT_execve_flags, 0, "0", ""},
        {FT_execve_flags, 3, "EXE_WRITABLE|EXE_UPPER_LAYER", "EXE_WRITABLE|EXE_UPPER_LAYER"},
        {FT_execve_flags, 0x100, "256", ""},
        {FT_socket_families, 1, "AF_LOCAL|AF_UNIX", "AF_LOCAL|AF_UNIX"},
        {FT_socket_families, 16, "AF_ROUTE|AF_NETLINK", "AF_ROUTE|AF_NETLINK"},
        {FT_socket_families, 2, "AF_INET", "AF_INET"},
        {FT_socket_families, 99, "99", ""},
        {FT_chmod_mode, 04755, "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID",
         "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID"},
        {FT_chmod_mode, 1, "S_IXOTH", "S_IXOTH"},
        {FT_mknod_mode, 0x6000, "S_IFCHR|S_IFBLK", "S_IFCHR|S_IFBLK"},
        {FT_clone_flags, 0x100000, "CLONE_NEWUSER", "CLONE_NEWUSER"},
        {FT_capabilities, 0, "", ""},
        {FT_capabilities, 3, "CAP_CHOWN CAP_DAC_OVERRIDE", "CAP_CHOWN CAP_DAC_OVERRIDE"},
        {FT_capabilities, 0xb, "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER",
         "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER"},
        {FT_capabilities, 0x28, "CAP_FOWNER CAP_KILL", "CAP_FOWNER CAP_KILL"},
        {FT_capabilities, UINT64_C(1) << 40, "CAP_CHECKPOINT_RESTORE", "CAP_CHECKPOINT_RESTORE"},
        {FT_signal, 9, "SIGKILL", "SIGKILL"},
        {FT_bpf_commands, 10, "BPF_PROG_TEST_RUN|BPF_PROG_RUN", "BPF_PROG_TEST_RUN|BPF_PROG_RUN"},
        {FT_fd_type, 16, "file", "file"},
        {FT_fd_type, 5, "ipv4", "ipv4"},
        {FT_fd_typechar, 5, "4", "4"},
        {FT_fd_typechar, 0, "o", "o"},
        {FT_l4proto, 3, "udp", "udp"},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char buf[256];
        size_t n = catalog_flags_text(rows[i].table, rows[i].value, false, buf, sizeof(buf));

        assert_string_equal(buf, rows[i].text);
        assert_int_equal(n, strlen(rows[i].text));
        n = catalog_flags_text(rows[i].table, rows[i].value, true, buf, sizeof(buf));
        assert_string_equal(buf, rows[i].resolved);
        assert_int_equal(n, strlen(rows[i].resolved));
    }
}

static void test_flag_text_is_cut(void **state)
{
    char buf[8];

    (void)state;
    memset(buf, '#', sizeof(buf));
    assert_int_equal(catalog_flags_text(FT_file_flags, 7, false, buf, 5), 14);
    assert_memory_equal(buf, "O_CR\0###", 8);
    memset(buf, '#', sizeof(buf));
    assert_int_equal(catalog_flags_text(FT_file_flags, 7, false, buf, 0), 14);
    assert_memory_equal(buf, "########", 8);
}

static void test_flag_values(void **state)
{
    static const struct {
        enum flag_table table;
        const char *text;
        bool known;
        uint64_t value;
    } rows[] = {
        {FT_file_flags, "O_CREAT|O_RDWR", true, 7},
        {FT_file_flags, "O_RDWR|O_CREAT", true, 7},
        {FT_file_flags, "7", true, 7},
        {FT_file_flags, "18446744073709551615", true, UINT64_MAX},
        {FT_file_flags, "18446744073709551616", false, 0},
        {FT_file_flags, "O_RDWR|", false, 0},
        {FT_file_flags, "|O_RDWR", false, 0},
        {FT_file_flags, "O_NOSUCH", false, 0},
        {FT_file_flags, "", false, 0},
        {FT_socket_families, "AF_LOCAL|AF_UNIX", true, 1},
        {FT_socket_families, "AF_INET", true, 2},
        {FT_capabilities, "", true, 0},
        {FT_capabilities, "CAP_CHOWN CAP_KILL", true, 0x21},
        {FT_signal, "SIGKILL", true, 9},
        {FT_l4proto, "tcp", true, 2},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        uint64_t value = 0;
        size_t len = strlen(rows[i].text);

        assert_int_equal(catalog_flags_value(rows[i].table, rows[i].text, len, &value),
                         rows[i].known);
        if (rows[i].known)
            assert_true(value == rows[i].value);
    }
}

static void test_flag_natives(void **state)
{
    static const struct {
        enum flag_table table;
        const char *text;
        int64_t native;
    } rows[] = {
        {FT_file_flags, "O_CREAT", 0x40},
        {FT_file_flags, "O_RDWR", -1},
        {FT_file_flags, "O_SYNC", 0x101000},
        {FT_file_flags, "O_F_CREATED", -1},
        {FT_clone_flags, "CLONE_NEWUSER", 0x10000000},
        {FT_clone_flags, "CLONE_IO", 0x80000000},
        {FT_ptrace_requests, "PTRACE_UNKNOWN", -1},
        {FT_ptrace_requests, "PTRACE_DETACH", 17},
        {FT_unlinkat_flags, "AT_REMOVEDIR", 0x200},
        {FT_errno, "EPERM", 1},
    };

    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        unsigned n, j = 0;
        const struct flag_row *f = catalog_flags(rows[i].table, &n);

        while (j < n && strcmp(f[j].text, rows[i].text) != 0)
            j++;
        assert_true(j < n);
        assert_true(f[j].native == rows[i].native);
    }
}

static void test_errors(void **state)
{
    (void)state;
    assert_string_equal(catalog_errno_name(1), "EPERM");
    assert_string_equal(catalog_errno_name(2), "ENOENT");
    assert_string_equal(catalog_errno_name(530), "EIOCBRETRY");
    assert_null(catalog_errno_name(0));
    assert_null(catalog_errno_name(-2));
    assert_null(catalog_errno_name(41));
    assert_int_equal(catalog_errno_by_name("ENOENT", 6), 2);
    assert_int_equal(catalog_errno_by_name("SUCCESS", 7), 0);
}

static void test_flag_tables(void **state)
{
    unsigned n = 9;

    (void)state;
    assert_string_equal(catalog_flags_name(FT_file_flags), "file_flags");
    assert_int_equal(catalog_flags_kind(FT_file_flags), FLAGS_MASK);
    assert_int_equal(catalog_flags_kind(FT_socket_families), FLAGS_ENUM);
    assert_int_equal(catalog_flags_kind(FT_chmod_mode), FLAGS_MODE);
    catalog_flags(FT_NONE, &n);
    assert_int_equal(n, 0);
    catalog_flags(FT_errno, &n);
    assert_int_equal(n, 138);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_flags), cmocka_unit_test(test_flag_texts),
        cmocka_unit_test(test_flag_text_is_cut), cmocka_unit_test(test_flag_values),
        cmocka_unit_test(test_flag_natives),     cmocka_unit_test(test_errors),
        cmocka_unit_test(test_flag_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
