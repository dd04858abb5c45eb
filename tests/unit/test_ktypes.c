/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of the kernel's types where some are needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/ktypes.h"

/* By numbers, as they are made. */
enum {
    INT = 1,
    INNER, /* struct inner { int a; }: part of what is wanted */
    OTHER, /* struct other { struct late *p; }: before the last that is needed, and not needed */
    TO_OTHER,
    WANTED, /* struct wanted { struct inner in; struct other *o; int v[4]; counter c; } */
    ARRAY,
    COUNTER, /* typedef of VOLATILE */
    VOLATILE,
    WHEN, /* enum when { NOW } */
    TO_LATE,
    PROTO, /* void (struct late *) */
    LATE,
    FUNC, /* wanted(): no type, whatever its name */
    COUNT
};

static struct btf *kernel_types(void)
{
    struct btf *b = btf__new_empty();

    assert_int_equal(btf__add_int(b, "int", 4, BTF_INT_SIGNED), INT);
    assert_int_equal(btf__add_struct(b, "inner", 4), INNER);
    btf__add_field(b, "a", INT, 0, 0);
    assert_int_equal(btf__add_struct(b, "other", 8), OTHER);
    btf__add_field(b, "p", TO_LATE, 0, 0);
    assert_int_equal(btf__add_ptr(b, OTHER), TO_OTHER);
    assert_int_equal(btf__add_struct(b, "wanted", 40), WANTED);
    btf__add_field(b, "in", INNER, 0, 0);
    btf__add_field(b, "o", TO_OTHER, 64, 0);
    btf__add_field(b, "v", ARRAY, 128, 0);
    btf__add_field(b, "c", COUNTER, 256, 0);
    assert_int_equal(btf__add_array(b, INT, INT, 4), ARRAY);
    assert_int_equal(btf__add_typedef(b, "counter", VOLATILE), COUNTER);
    assert_int_equal(btf__add_volatile(b, INT), VOLATILE);
    assert_int_equal(btf__add_enum(b, "when", 4), WHEN);
    btf__add_enum_value(b, "NOW", 3);
    assert_int_equal(btf__add_ptr(b, LATE), TO_LATE);
    assert_int_equal(btf__add_func_proto(b, 0), PROTO);
    btf__add_func_param(b, "l", TO_LATE);
    assert_int_equal(btf__add_struct(b, "late", 4), LATE);
    btf__add_field(b, "z", INT, 0, 0);
    assert_int_equal(btf__add_func(b, "wanted", BTF_FUNC_GLOBAL, PROTO), FUNC);
    return b;
}

/* The types that code names: a struct for each name. */
static struct btf *our_types(const char *const *names)
{
    struct btf *b = btf__new_empty();

    for (; *names; names++)
        btf__add_struct(b, *names, 0);
    return b;
}

/* What is left of the kernel's for these names. */
static struct btf *cut(const char *const *names)
{
    struct btf *kernel = kernel_types(), *ours = our_types(names), *left;
    uint32_t size;
    const void *all = btf__raw_data(kernel, &size);
    size_t n = 0;
    void *part = ktypes_cut(all, size, ours, &n);

    assert_non_null(part);
    left = btf__new(part, (uint32_t)n);
    assert_non_null(left);
    free(part);
    btf__free(kernel);
    btf__free(ours);
    return left;
}

static const char *name_of(const struct btf *b, uint32_t id)
{
    return btf__name_by_offset(b, btf__type_by_id(b, id)->name_off);
}

static void test_parts(void **state)
{
    const char *const names[] = {"wanted", "nothing", NULL};
    struct btf *left = cut(names);
    const struct btf_type *t = btf__type_by_id(left, WANTED);

    (void)state;
    assert_int_equal(btf__type_cnt(left), VOLATILE + 1);
    assert_string_equal(name_of(left, WANTED), "wanted");
    assert_string_equal(name_of(left, INNER), "inner");
    assert_string_equal(name_of(left, COUNTER), "counter");
    assert_string_equal(name_of(left, INT), "int");
    assert_string_equal(name_of(left, OTHER), "");
    assert_int_equal(btf_vlen(t), 4);
    assert_int_equal(btf_members(t)[0].type, INNER);
    assert_int_equal(btf_members(t)[1].type, TO_OTHER);
    assert_int_equal(btf_member_bit_offset(t, 3), 256);
    assert_string_equal(btf__name_by_offset(left, btf_members(t)[3].name_off), "c");
    assert_int_equal(btf__resolve_size(left, ARRAY), 16);
    /* what is cut off is nothing */
    assert_int_equal(btf_members(btf__type_by_id(left, OTHER))[0].type, 0);
    btf__free(left);
}

static void test_flavor(void **state)
{
    const char *const names[] = {"when___early", "late___x", NULL}, *const odd[] = {"inner___",
                                                                                    NULL};
    struct btf *left = cut(names);
    const struct btf_type *t;

    (void)state;
    t = btf__type_by_id(left, WHEN);
    assert_int_equal(btf__type_cnt(left), LATE + 1);
    assert_string_equal(name_of(left, WHEN), "when");
    assert_int_equal(btf_enum(t)[0].val, 3);
    assert_string_equal(btf__name_by_offset(left, btf_enum(t)[0].name_off), "NOW");
    assert_string_equal(name_of(left, LATE), "late");
    assert_string_equal(name_of(left, WANTED), "");
    assert_int_equal(btf_params(btf__type_by_id(left, PROTO))[0].type, TO_LATE);
    btf__free(left);
    left = cut(odd); /* no flavor: nothing stands behind the underscores */
    assert_int_equal(btf__type_cnt(left), INT + 1);
    btf__free(left);
}

/* Any bytes: refused, or something that libbpf can read. */
static void test_bad(void **state)
{
    const char *const names[] = {"wanted", "late", NULL};
    struct btf *kernel = kernel_types(), *ours = our_types(names);
    uint32_t size;
    const void *all = btf__raw_data(kernel, &size);
    char *bytes = malloc(size);
    unsigned refused = 0, taken = 0;

    (void)state;
    for (uint32_t n = 0; n < size; n++) {
        size_t out;
        char *less = malloc(n + 1);

        memcpy(less, all, n);
        assert_null(ktypes_cut(less, n, ours, &out));
        free(less);
    }
    for (uint32_t i = 0; i < size * 8; i++) {
        size_t out;
        void *part;

        memcpy(bytes, all, size);
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
        part = ktypes_cut(bytes, size, ours, &out);
        refused += !part;
        taken += part != NULL;
        free(part);
    }
    assert_true(refused > 100 && taken > 100);
    free(bytes);
    btf__free(kernel);
    btf__free(ours);
}

/* A file of its own, which libbpf opens by its path; bytes that are not understood come as they
 * are. */
static void test_files(void **state)
{
    const char *const names[] = {"wanted", NULL};
    char path[KTYPES_PATH], from[] = "/tmp/ktypesXXXXXX";
    struct btf *kernel = kernel_types(), *ours = our_types(names), *left;
    int source = mkstemp(from), fd = ktypes_open(path);
    uint32_t size;
    const void *all = btf__raw_data(kernel, &size);
    struct stat st;

    (void)state;
    assert_true(source >= 0 && fd >= 0);
    assert_int_equal(write(source, all, size), size);
    assert_int_equal(ktypes_fill(fd, from, ours), 0);
    left = btf__parse(path, NULL);
    assert_int_equal(btf__type_cnt(left), VOLATILE + 1);
    btf__free(left);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(pwrite(source, "\1\2\3\4", 4, 0), 4);
    assert_int_equal(ktypes_fill(fd, from, ours), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, size);
    unlink(from);
    assert_int_equal(ktypes_fill(fd, from, ours), -ENOENT);
    close(source);
    close(fd);
    btf__free(kernel);
    btf__free(ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts), cmocka_unit_test(test_flavor),
                                       cmocka_unit_test(test_bad), cmocka_unit_test(test_files)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
