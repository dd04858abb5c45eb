/* SPDX-License-Identifier: Apache-2.0 */
/* Operands, operators and constants: what is refused, what is warned of, what becomes one atom. */
#include "middle.h"

/* One condition and the codes it earns. */
static const struct {
    const char *condition, *codes;
} rows[] = {
    /* fields and arguments */
    {"evt.type = execve and proc.name = a", ""},
    {"evt.type = execve and proc.nme = a", "RK0301"},
    {"evt.type = execve and proc.name[1] = a", "RK0301"},
    {"evt.type = execve and proc.name.x = a", "RK0301"},
    {"evt.type = execve and proc.aname[2] = a", ""},
    {"evt.type = execve and proc.aname[x] = a", "RK0302"},
    {"evt.type = execve and evt.arg = a", "RK0302"},
    {"evt.type = execve and evt.arg[1] = a", ""},
    {"evt.type = execve and evt.arg[-2] = a", "RK0302"},
    {"evt.type = execve and evt.arg.flags contains EXE_WRITABLE", ""},
    {"evt.type = execve and evt.arg.flagsx contains EXE_WRITABLE", "RK0303"},
    {"evt.type = execve and evt.rawarg.res = 0", ""},
    {"evt.type = execve and evt.arg.sun_path = a", "RK0404"},
    {"evt.type = execve and evt.rawarg.mnt_id = 4", "RK0404"},
    {"evt.type = execve and evt.rawarg.mnt_id = a", "RK0305"},
    {"evt.type = execve and evt.type.is.open = 0", ""},
    {"evt.type = execve and evt.type.is.opne = 0", "RK0307"},
    {"evt.type = execve and container.mount = a", "RK0302"},
    {"evt.type = execve and container.mount[/etc] = a", ""},
    /* operators */
    {"evt.type = execve and proc.pid contains 1", "RK0304"},
    {"evt.type = execve and proc.pid > 1", ""},
    {"evt.type = execve and proc.name < 5", ""},
    {"evt.type = execve and proc.is_exe_writable > 0", "RK0304"},
    {"evt.type = connect and fd.sip startswith 1", "RK0304"},
    {"evt.type = execve and fd.types in (ipv4)", ""},
    {"evt.type = execve and fd.types = ipv4", "RK0304"},
    {"evt.type = execve and proc.name regex 'a.*b'", ""},
    {"evt.type = execve and proc.name regex 'a.*'", "RK0319"},
    {"evt.type = execve and proc.name regex oneof ('a.*', 'b')", "RK0319 RK0319"},
    {"evt.type = execve and proc.name regex 'a('", "RK0318"},
    {"evt.type = execve and proc.name regex anyof ('a.*b', '(.*abcdefghijklmnop){1000}')",
     "RK0318"},
    {"evt.type = execve and proc.name regex val(proc.pname)", "RK0309"},
    {"evt.type = execve and proc.pid regex '1'", "RK0304"},
    {"evt.type regex execve", "RK0401 RK0319"},
    {"evt.type regex 'exec.*'", "RK0307 RK0319"},
    {"evt.type = execve and proc.name exists and proc.tty exists", ""},
    /* numbers */
    {"evt.type = execve and proc.tty = -1", ""},
    {"evt.type = execve and proc.pid = '+4'", ""},
    {"evt.type = execve and proc.pid = ' 4'", ""},
    {"evt.type = execve and proc.pid = '4 '", "RK0305"},
    {"evt.type = execve and proc.pid = 0x4", "RK0305"},
    {"evt.type = execve and proc.pid = 4.0", "RK0305"},
    {"evt.type = execve and proc.pid = ''", "RK0305"},
    {"evt.type = execve and user.uid = 4294967296", "RK0312"},
    {"evt.type = execve and proc.pid = 99999999999999999999", "RK0312"},
    {"evt.type = execve and proc.is_exe_writable = true", ""},
    {"evt.type = execve and proc.is_exe_writable = True", "RK0305"},
    /* addresses */
    {"evt.type = connect and fd.sport = ssh", ""},
    {"evt.type = connect and fd.sport = 65979", "RK0312"},
    {"evt.type = connect and fd.sport = no-such-service", "RK0305"},
    {"evt.type = connect and fd.sport = 0x1bb", "RK0305"},
    {"evt.type = connect and fd.sip = 1.2.3.4", ""},
    {"evt.type = connect and fd.sip = 1.2.3", "RK0305"},
    {"evt.type = connect and fd.sip = ::1", ""},
    {"evt.type = connect and fd.snet = 10.0.0.0/8", ""},
    {"evt.type = connect and fd.snet = 10.0.0.0", "RK0305"},
    {"evt.type = connect and fd.snet = 10.0.0.0/33", "RK0305"},
    {"evt.type = connect and fd.snet = 10.0.0.0/272", "RK0312"},
    {"evt.type = connect and fd.snet = ::/0", "RK0313"},
    {"evt.type = connect and fd.snet = ::/129", "RK0305"},
    /* names of events */
    {"evt.type startswith exec", "RK0307"},
    {"evt.type contains execve", "RK0401"},
    {"evt.type in (execve, uname)", ""},
    {"evt.type != nosuch", "RK0307"},
    {"evt.type = execve and syscall.type = nosuch", "RK0404 RK0314"},
    {"tolower(evt.type) = execve", "RK0310"},
    /* field against field */
    {"evt.type = execve and proc.name = val(proc.pname)", ""},
    {"evt.type = execve and proc.name = val(proc.pid)", "RK0309"},
    {"evt.type = execve and proc.pid > val(proc.ppid)", ""},
    {"evt.type = execve and proc.aname[2] = val(proc.name)", "RK0309"},
    {"evt.type = connect and fd.sport = val(fd.cport)", ""},
    {"evt.type = execve and proc.name pmatch val(proc.pname)", "RK0309"},
    /* transformers */
    {"evt.type = execve and len(proc.name) > 3", ""},
    {"evt.type = execve and toupper(basename(proc.exepath)) = A", ""},
    {"evt.type = execve and concat(proc.name, '-', proc.pname) = a-b", ""},
    {"evt.type = execve and tolower(proc.aname[2]) = a", "RK0310"},
    {"evt.type = execve and tolower(proc.pid) = a", "RK0310"},
    {"evt.type = execve and b64(proc.cmdline) = a", ""},
    {"evt.type = execve and len(fd.types) = 1", ""},
    {"evt.type = execve and len(proc.name) = a", "RK0305"},
    {"evt.type = execve and len(proc.name) contains 1", "RK0304"},
    {"evt.type = execve and len(proc.pid) = 1", "RK0310"},
    {"evt.type = execve and toupper(fd.types) in (FILE)", ""},
    {"evt.type = execve and toupper(fd.types) = FILE", "RK0304"},
    {"evt.type = execve and concat(fd.types, a) = x", "RK0230"},
    {"evt.type = execve and concat(fd.types, 'a') = x", "RK0310"},
    {"evt.type = execve and concat(proc.name) = x", "RK0310"},
    {"evt.type = execve and join(',') = x", "RK0310"},
    {"evt.type = execve and join(',', fd.types) = x", ""},
    {"evt.type = execve and join(',', (proc.name, 'a')) = x", ""},
    {"evt.type = execve and join(',', (proc.name, proc.pid)) = x", ""},
    {"evt.type = execve and join(',', proc.name) = x", "RK0310"},
    {"evt.type = execve and join(fd.types, fd.types) = x", "RK0310"},
    {"evt.type = execve and getopt(fd.types, 'a') in (a)", ""},
    {"evt.type = execve and getopt(fd.types, 'a') = a", "RK0304"},
    {"evt.type = execve and getopt(fd.types, 'a')[a] = a", ""},
    {"evt.type = execve and getopt(fd.types, 'a')[ab] = a", "RK0310"},
    {"evt.type = execve and getopt(proc.args, 'a')[a] = a", "RK0310"},
    {"evt.type = execve and getopt(fd.types) in (a)", "RK0310"},
    {"evt.type = execve and len(getopt(fd.types, 'a')) = 1", ""},
    {"evt.type = execve and tolower(proc.name, 'a') = x", "RK0310"},
    {"evt.type = execve and toupper(fd.types) in toupper(fd.types)", ""},
    {"evt.type = execve and toupper(fd.types) in val(proc.name)", "RK0309"},
    {"evt.type = execve and proc.name in toupper(fd.types)", "RK0309"},
    {"evt.type = execve and fd.types in toupper(fd.types)", "RK0309"},
    {"evt.type = read and tolower(evt.buffer) = a", "RK0310"},
    {"evt.type = read and b64(evt.buffer) = a", ""},
    {"evt.type = read and b64(evt.buffer) glob a", "RK0304"},
    {"evt.type = read and evt.buffer bcontains abc", "RK0305"},
    {"evt.type = read and evt.buffer regex a", "RK0304"},
    {"evt.type = execve and "
     "tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower("
     "tolower(tolower(tolower(tolower(tolower(proc.name)))))))))))))))) = a",
     ""},
    {"evt.type = execve and "
     "tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower(tolower("
     "tolower(tolower(tolower(tolower(tolower(tolower(proc.name))))))))))))))))) = a",
     "RK0310"},
    /* texts */
    {"evt.type = execve and evt.latency = 5", "RK0315"},
};

static void conditions_earn_their_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char codes[200];
        struct comp *c = middle_one(rows[i].condition);
        found_codes(c, codes, sizeof(codes));
        if (strcmp(codes, rows[i].codes) != 0) {
            print_error("%s: expected '%s', found '%s'\n", rows[i].condition, rows[i].codes, codes);
            fail();
        }
        comp_free(c);
    }
}

static void longest_text(void **state)
{
    (void)state;
    for (int n = 255; n <= 256; n++) {
        char text[400], codes[50];
        int at = snprintf(text, sizeof(text), "evt.type = execve and proc.name = ");
        memset(text + at, 'x', (size_t)n);
        text[at + n] = 0;
        struct comp *c = middle_one(text);
        assert_string_equal(found_codes(c, codes, sizeof(codes)), n == 255 ? "" : "RK0306");
        comp_free(c);
    }
}

/* Conditions in pairs that must come to one atom, or to two. */
static void equal_tests_are_one_atom(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"proc.name = a", "proc.name in (a)", true},
        {"proc.name in (a, b)", "proc.name in (b, a, b)", true},
        {"proc.name in (a, b)", "proc.name = anyof (a, b)", true},
        {"proc.name intersects (a, b)", "proc.name in (a, b)", true},
        {"proc.name = a", "proc.name != a", false},
        {"proc.name = a", "proc.pname = a", false},
        {"proc.aname[2] = a", "proc.aname[3] = a", false},
        {"proc.name = oneof (a, a)", "proc.name = a", false},
        {"proc.name = oneof (a, a)", "proc.name = oneof (a)", false},
        {"proc.pid = 4", "proc.pid = ' 0004'", true},
        {"evt.arg.flags = a", "evt.arg[1] = a", false},
        {"fd.snet = 10.1.2.3/8", "fd.snet in (10.0.0.0/8)", true},
        {"proc.name = proc.pname", "proc.name = val(proc.pname)", false},
        {"len(proc.name) > 3", "len(proc.name) > 3", true},
        {"len(proc.name) > 3", "len(proc.pname) > 3", false},
    };
    for (size_t i = 0; i < ROWS(pairs); i++) {
        const char *both[2] = {pairs[i].a, pairs[i].b};
        struct comp *c = comp_new();
        char text[400];
        int n = snprintf(text, sizeof(text),
                         "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n"
                         "  condition: >-\n    %s and %s\n",
                         both[0], both[1]);
        int file = source_add(c->sources, "t.yaml", text, (size_t)n);
        assert_int_equal(pass_load(c, (uint32_t)file), 0);
        assert_int_equal(pass_resolve(c), 0);
        assert_int_equal(pass_type(c), 0);
        assert_int_equal(diag_count(c, SEV_ERROR), 0);
        if ((c->atoms.n == 2) != pairs[i].same) {
            print_error("%s | %s: %u atoms\n", both[0], both[1], c->atoms.n - 1);
            fail();
        }
        comp_free(c);
    }
}

/* Values as they are stored. */
static void numbers_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        int64_t num;
    } cuts[] = {
        {"user.uid = -1", 0xffffffff},
        {"user.uid = 4294967303", 7},
        {"fd.dev = 4294967303", 7},
        {"fd.dev = 4294967295", -1},
        {"proc.pid = -5", -5},
        {"proc.pid = 99999999999999999999", INT64_MAX},
        {"evt.rawres = -99999999999999999999", INT64_MIN},
        {"proc.cmdnargs = -1", -1},
        {"fd.sport = 65979", 443},
        {"fd.sport = https", 443},
        {"fd.sport = ''", 0},
    };
    for (size_t i = 0; i < ROWS(cuts); i++) {
        struct comp *c = middle_one(cuts[i].condition);
        assert_int_equal(diag_count(c, SEV_ERROR), 0);
        if (c->values.v[c->atoms.v[1].val0].num != cuts[i].num) {
            print_error("%s: %lld\n", cuts[i].condition,
                        (long long)c->values.v[c->atoms.v[1].val0].num);
            fail();
        }
        comp_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_earn_their_codes),
        cmocka_unit_test(longest_text),
        cmocka_unit_test(equal_tests_are_one_atom),
        cmocka_unit_test(numbers_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
