/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks, groups and readings of a pack; tests of numbers held against the texts they stand for. */
#include "middle.h"

#include "../../compiler/numtext.h"
#include "../../compiler/place.h"
#include "../../grammar/ops.h"

#define GROUP(g) (1ull << (g))

static bool wants_call(const struct plan *p, int nr)
{
    return p->probe.syscalls[nr / 64] >> (nr % 64) & 1;
}

static void exec_pack_hangs_on_exec(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        bool sys_exit, failed;
    } packs[] = {
        {"evt.type = execve and proc.name = a", true, true},
        {"evt.type = execve and evt.rawres = 0 and proc.name = a", false, false},
        {"evt.type = execve and evt.rawres >= 0 and proc.name = a", false, false},
        {"evt.type = execve and evt.res = SUCCESS and proc.name = a", false, false},
        {"evt.type = execve and not evt.failed = true and proc.name = a", false, false},
        {"evt.type = execve and evt.arg.res = 0 and proc.name = a", false, false},
        {"evt.type = execve and evt.rawres < 5 and proc.name = a", true, true},
        {"evt.type = execve and (evt.rawres = 0 or proc.name = a)", true, true},
        {"evt.type = execve and evt.res = ENOENT", true, true},
        {"evt.type in (execve, unlinkat) and evt.rawres = 0 and proc.name = a", true, false},
    };
    for (size_t i = 0; i < ROWS(packs); i++) {
        struct comp *c = middle_one(packs[i].condition);
        const struct plan *p = &c->plan;
        bool good = p->hook[HOOK_EXEC] && p->hook[HOOK_SYS_EXIT] == packs[i].sys_exit &&
                    p->probe.failed_exec == packs[i].failed && wants_call(p, 59);
        if (!good) {
            char *text = middle_dump(c, dump_plan);
            print_error("%s:\n%s\n", packs[i].condition, text);
            free(text);
            fail();
        }
        comp_free(c);
    }
}

static void groups_and_readings(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        uint64_t groups;
        unsigned readings;
    } packs[] = {
        {"evt.type = kill and proc.pid = 1", GROUP(G_EVENT), 1},
        {"evt.type = kill and proc.name = a", GROUP(G_EVENT) | GROUP(G_PROC), 1},
        {"evt.type = kill and user.uid = 1", GROUP(G_EVENT) | GROUP(G_CRED), 1},
        {"evt.type = kill and user.name = a", GROUP(G_EVENT) | GROUP(G_CRED) | GROUP(G_PROC), 1},
        {"evt.type = kill and proc.aname = a", GROUP(G_EVENT) | GROUP(G_ANC), 1},
        {"evt.type = kill and proc.acmdline[1] = a", GROUP(G_EVENT) | GROUP(G_PARENT), 1},
        {"evt.type = kill and proc.acmdline[2] = a", GROUP(G_EVENT) | GROUP(G_EXTRA), 1},
        {"evt.type = kill and len(proc.exepath) = 1", GROUP(G_EVENT) | GROUP(G_EXEPATH), 1},
        {"evt.type = openat and fd.name = a", GROUP(G_EVENT) | GROUP(G_PATH), READINGS_ALL},
        {"evt.type = openat and fd.directory = a", GROUP(G_EVENT) | GROUP(G_DIR), READINGS_ALL},
        {"evt.type = openat and len(fd.name) > 4", GROUP(G_EVENT) | GROUP(G_PATH), READINGS_ALL},
        {"evt.type = read and fd.name = a",
         GROUP(G_EVENT) | GROUP(G_PATH) | GROUP(G_FD) | GROUP(G_SOCK),
         READ_BIT(READ_KERNEL) | READ_BIT(READ_STORED)},
        {"evt.type = kill and not fd.name = a", GROUP(G_EVENT), 1},
    };
    for (size_t i = 0; i < ROWS(packs); i++) {
        struct comp *c = middle_one(packs[i].condition);
        if (c->plan.probe.groups != packs[i].groups ||
            c->plan.probe.readings != packs[i].readings) {
            char *text = middle_dump(c, dump_plan);
            print_error("%s:\n%s\n", packs[i].condition, text);
            free(text);
            fail();
        }
        comp_free(c);
    }
}

/* ---- texts of numbers: the tests must say what the text says, for every value tried ---- */

static bool decide(const struct num_tests *t, int64_t v)
{
    bool any = false;
    for (uint32_t i = 0; i < t->n; i++) {
        uint64_t a = t->v[i].a, b = t->v[i].b, u = (uint64_t)v;
        any = any || (t->v[i].kind == NT_MASK     ? (u & a) == b
                      : t->v[i].kind == NT_SIGNED ? (int64_t)a <= v && v <= (int64_t)b
                                                  : a <= u && u <= b);
    }
    return any != t->negate;
}

static str_id intern_sub(struct comp *c, const char *s, size_t n)
{
    return intern_put(c->intern, s, n);
}

/* One atom over a text with one constant. */
static struct atom make_atom(struct comp *c, enum op_id op, str_id text)
{
    struct atom a = {.op = op, .type = T_CHARBUF, .nval = 1};
    static struct value v;
    v = (struct value){.kind = VAL_TEXT, .text = text};
    c->values.v = &v;
    c->values.n = c->values.cap = 1;
    return a;
}

static unsigned compare_value(struct comp *c, const struct atom *a, enum flag_table table,
                              const struct num_tests *t, uint64_t v)
{
    char text[2000];
    str_id want = c->values.v[0].text;
    size_t n = catalog_flags_text(table, v, false, text, sizeof(text));
    bool told = ops_text(a->op, text, n, STR(c, want), STRLEN(c, want));
    if (decide(t, (int64_t)v) != told) {
        print_error("%s: value %llx is '%s'; %s '%s' is %d\n", catalog_flags_name(table),
                    (unsigned long long)v, text, catalog_op(a->op)->text, STR(c, want), told);
        fail();
    }
    return 1;
}

/* Values of a table worth trying: each row, each pair of rows, and with a foreign bit set. */
static unsigned compare_table(struct comp *c, const struct atom *a, enum flag_table table)
{
    unsigned n, done = 0;
    struct num_tests t;
    const struct flag_row *f = catalog_flags(table, &n);
    bool mask = catalog_flags_kind(table) != FLAGS_ENUM;
    if (!numtext_flags(c, a, table, &t))
        return 0;
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < n; k++) {
            uint64_t v = mask ? f[i].value | f[k].value : f[i].value + k;
            done += compare_value(c, a, table, &t, v);
            done += compare_value(c, a, table, &t, mask ? v | 1ull << 60 : v + 100000);
        }
    }
    return done + compare_value(c, a, table, &t, 0);
}

static void flag_tests_mean_the_text(void **state)
{
    (void)state;
    static const enum op_id ops[] = {OP_CONTAINS, OP_ICONTAINS, OP_EQ, OP_NE, OP_STARTSWITH};
    unsigned done = 0;
    struct comp *c = comp_new();
    for (unsigned table = FT_NONE + 1; table < FT_COUNT; table++) {
        unsigned n;
        const struct flag_row *f = catalog_flags((enum flag_table)table, &n);
        for (unsigned i = 0; i < n; i += 1 + n / 12) {
            size_t len = strlen(f[i].text);
            for (size_t op = 0; op < ROWS(ops); op++) {
                struct atom a = make_atom(c, ops[op], intern_sub(c, f[i].text, len));
                done += compare_table(c, &a, (enum flag_table)table);
                a = make_atom(c, ops[op], intern_sub(c, f[i].text, len > 4 ? 4 : len));
                done += compare_table(c, &a, (enum flag_table)table);
            }
        }
    }
    assert_true(done > 10000);
    comp_free(c);
}

/* Texts of several flags, numbers, and what no value has. */
static void joined_flags(void **state)
{
    (void)state;
    static const struct {
        enum flag_table table;
        enum op_id op;
        const char *text;
        bool inlined;
    } texts[] = {
        {FT_file_flags, OP_EQ, "O_CREAT|O_RDWR", true},
        {FT_file_flags, OP_EQ, "O_RDWR|O_CREAT", true},
        {FT_file_flags, OP_EQ, "O_NONE", true},
        {FT_file_flags, OP_CONTAINS, "O_CREAT|O_RDWR", false},
        {FT_file_flags, OP_CONTAINS, "1", false},
        {FT_file_flags, OP_CONTAINS, "", false},
        {FT_file_flags, OP_EQ, "33554432", true},
        {FT_file_flags, OP_EQ, "3", true},
        {FT_capabilities, OP_CONTAINS, "CAP_SYS_", true},
        {FT_socket_families, OP_EQ, "AF_UNIX|AF_LOCAL", true},
        {FT_socket_families, OP_EQ, "AF_LOCAL", true},
        {FT_socket_families, OP_EQ, "1234", true},
        {FT_chmod_mode, OP_CONTAINS, "S_ISUID", true},
    };
    for (size_t i = 0; i < ROWS(texts); i++) {
        struct comp *c = comp_new();
        struct num_tests t;
        str_id text = intern_cstr(c->intern, texts[i].text);
        struct atom a = make_atom(c, texts[i].op, text);
        if (numtext_flags(c, &a, texts[i].table, &t) != texts[i].inlined) {
            print_error("%s\n", texts[i].text);
            fail();
        }
        assert_true(texts[i].inlined == (compare_table(c, &a, texts[i].table) > 0));
        comp_free(c);
    }
}

static void result_tests_mean_the_text(void **state)
{
    (void)state;
    static const char *const texts[] = {"SUCCESS", "ENOENT", "E", "EA", "0", "5", "-5", "-41", "x"};
    static const enum op_id ops[] = {OP_EQ, OP_NE, OP_STARTSWITH, OP_CONTAINS, OP_ENDSWITH};
    unsigned done = 0;
    struct comp *c = comp_new();
    for (size_t k = 0; k < 2 * ROWS(texts) * ROWS(ops); k++) {
        bool param = k % 2;
        const char *want = texts[k / 2 % ROWS(texts)];
        struct num_tests t;
        struct atom a = make_atom(c, ops[k / 2 / ROWS(texts)], intern_cstr(c->intern, want));
        if (!numtext_result(c, &a, param, &t))
            continue;
        for (int64_t v = -600; v <= 600; v++) {
            char digits[32];
            snprintf(digits, sizeof(digits), "%lld", (long long)v);
            const char *name = v < 0 ? catalog_errno_name((int)-v) : NULL;
            const char *text = v >= 0 && !param ? "SUCCESS" : name ? name : digits;
            bool told = ops_text(a.op, text, strlen(text), want, strlen(want));
            if (decide(&t, v) != told) {
                print_error("%lld is '%s', %s '%s'\n", (long long)v, text, catalog_op(a.op)->text,
                            want);
                fail();
            }
            done++;
        }
    }
    assert_true(done > 20000);
    comp_free(c);
}

static void numbers_mean_numbers(void **state)
{
    (void)state;
    static const enum op_id ops[] = {OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE};
    static const int64_t edge[] = {INT64_MIN, INT64_MIN + 1, -2,       -1, 0, 1,
                                   2,         INT64_MAX - 1, INT64_MAX};
    struct comp *c = comp_new();
    for (size_t o = 0; o < ROWS(ops); o++) {
        for (size_t k = 0; k < 2 * ROWS(edge); k++) {
            struct atom a = make_atom(c, ops[o], (str_id){0});
            struct num_tests t;
            a.type = k % 2 ? T_INT64 : T_UINT64;
            c->values.v[0] = (struct value){.kind = VAL_NUM, .num = edge[k / 2]};
            assert_true(numtext_number(c, &a, a.type, &t));
            for (size_t i = 0; i < ROWS(edge); i++)
                assert_int_equal(decide(&t, edge[i]), ops_num(a.op, k % 2, edge[i], edge[k / 2]));
        }
    }
    comp_free(c);
}

/* `evt.type = connect and (FIELD = CONSTANT or FIELD in (...))`, n of them. */
static struct comp *long_list(const char *field, const char *constant, const char *prefix,
                              const char *middle, int n)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "evt.type = connect and (%s = %s or %s in (", field, constant, field);
    for (int i = 0; i < n; i++) {
        fputs(i ? ", " : "", out);
        fprintf(out, "%s%d%s%d", prefix, i / 200, middle, i % 200);
    }
    fputs("))", out);
    fclose(out);
    struct comp *c = middle_one(text);
    free(text);
    return c;
}

/* Long lists are looked up; they stay as they are, so that rules share them, where short ones join.
 */
static void long_lists_are_tables(void **state)
{
    (void)state;
    static const struct {
        const char *field, *constant, *prefix, *middle;
        int n;
        uint32_t nwhere, place, nval; /* of the last one */
    } rows[] = {
        {"fd.name", "/x", "/a/", "/", 127, 1, PLACE_INLINE, 128},
        {"fd.name", "/x", "/a/", "/", 128, 1, PLACE_CLASS, 129},
        {"fd.name", "/x", "/a/", "/", 257, 2, PLACE_CLASS, 257},
        {"proc.name", "x", "n", ".", 100, 1, PLACE_MATCHER, 101},
        {"proc.name", "x", "n", ".", 300, 2, PLACE_CLASS, 300},
        {"fd.sip", "1.2.3.4", "10.0.", ".", 300, 2, PLACE_CLASS, 300},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct comp *c =
            long_list(rows[i].field, rows[i].constant, rows[i].prefix, rows[i].middle, rows[i].n);
        uint32_t longest = 0;
        assert_int_equal(c->where.n, rows[i].nwhere);
        for (uint32_t k = 0; k < c->where.n; k++)
            if (c->atoms.v[c->where.v[k].atom.i].nval > 1)
                longest = k;
        assert_int_equal(c->where.v[longest].place, rows[i].place);
        assert_int_equal(c->atoms.v[c->where.v[longest].atom.i].nval, rows[i].nval);
        comp_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exec_pack_hangs_on_exec),    cmocka_unit_test(groups_and_readings),
        cmocka_unit_test(flag_tests_mean_the_text),   cmocka_unit_test(joined_flags),
        cmocka_unit_test(result_tests_mean_the_text), cmocka_unit_test(numbers_mean_numbers),
        cmocka_unit_test(long_lists_are_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
