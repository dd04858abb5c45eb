/* SPDX-License-Identifier: Apache-2.0 */
/* Events as JSON: what is accepted, what is refused and where, and what follows from what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../compiler/arena.h"
#include "../../compiler/event.h"
#include "../../compiler/intern.h"

struct fixture {
    struct comp c;
    struct event e;
    char err[512];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->c.arena = arena_new();
    f->c.intern = intern_new(f->c.arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->c.arena);
    free(f);
    return 0;
}

static int parse(struct fixture *f, const char *text)
{
    return event_parse(&f->c, text, strlen(text), &f->e, f->err, sizeof(f->err));
}

/* Text of a field's fact: "-" absent, "?" unknown, else the value. */
static const char *show(struct fixture *f, const char *name)
{
    struct field_ref ref;
    char why[256];
    if (!event_field(&f->c, name, strlen(name), &ref, why, sizeof(why)))
        return why[0] ? "(no field)" : "";
    struct fact v = event_fact(&f->c, &f->e, ref);
    if (v.state != FACT_PRESENT)
        return v.state == FACT_ABSENT ? "-" : "?";
    if (v.kind == VAL_TEXT)
        return STR(&f->c, v.text);
    return arena_printf(f->c.arena, "%lld", (long long)v.num);
}

struct refused {
    const char *text, *error;
};

static const struct refused bad[] = {
    {"", "1: an event is one JSON object"},
    {"[]", "1: an event is one JSON object"},
    {"{", "2: expected a field's name in quotes"},
    {"{\"evt.type\"", "12: the line ends before ':'"},
    {"{\"evt.type\":", "13: the line ends before a value"},
    {"{\"evt.type\": \"open\"", "20: the line ends before ','"},
    {"{\"evt.type\": \"open\",}", "21: expected a field's name in quotes"},
    {"{\"evt.type\": \"open\"} x", "22: text after the event's object"},
    {"{\"evt.type\": \"open", "14: a string without its closing quote"},
    {"{\"evt.type\": \"\\q\"}", "16: an escape that JSON does not have"},
    {"{\"evt.type\": \"\\ud800\"}", "17: half of a surrogate pair"},
    {"{\"evt.type\": \"\\u12\"}", "19: expected four hexadecimal digits after \\u"},
    {"{\"evt.type\": \"a\tb\"}", "16: a control character inside a string"},
    {"{\"evt.type\": \"opn\"}", "1: no event is called 'opn'; did you mean 'open'?"},
    {"{\"evt.type\": 5}", "14: the value of evt.type is a string"},
    {"{\"proc.nmae\": 5}", "2: no field is called 'proc.nmae'; did you mean 'proc.name'?"},
    {"{\"proc.name[1]\": \"a\"}", "2: 'proc.name[1]' does not fit the field proc.name"},
    {"{\"proc.aname[x]\": \"a\"}", "2: 'proc.aname[x]' does not fit the field proc.aname"},
    {"{\"evt.arg\": \"a\"}", "2: 'evt.arg' does not fit the field evt.arg"},
    {"{\"evt.arg.flagz\": \"a\"}", "2: no event has a parameter 'flagz'; did you mean 'flags'?"},
    {"{\"proc.name\": \"a\", \"proc.name\": \"b\"}", "20: the field 'proc.name' is given twice"},
    {"{\"proc.pid\": 1.5}", "14: the value of proc.pid is a whole number"},
    {"{\"proc.pid\": 1e3}", "14: the value of proc.pid is a whole number"},
    {"{\"thread.cpu\": \"1\"}", "16: the value of thread.cpu is a number"},
    {"{\"thread.cpu\": 1.}", "16: a number that cannot be read"},
    {"{\"thread.cpu\": 1.5e}", "16: a number that cannot be read"},
    {"{\"thread.cpu\": -1e999}", "16: a number that cannot be read"},
    {"{\"fd.types\": [1.5]}", "15: elements are strings or whole numbers"},
    {"{\"proc.pid\": 01}", "14: a number cannot start with 0"},
    {"{\"proc.pid\": -}", "14: expected a value"},
    {"{\"proc.pid\": \"1\"}", "14: the value of proc.pid is a whole number"},
    {"{\"proc.pid\": 18446744073709551616}", "14: a number beyond 64 bits"},
    {"{\"proc.pid\": 9223372036854775808}", "14: proc.pid holds numbers of 64 bits"},
    {"{\"user.uid\": -1}", "14: the value of user.uid is not negative"},
    {"{\"user.uid\": 4294967296}", "14: user.uid holds numbers of 32 bits"},
    {"{\"fd.type\": \"fil\"}", "13: fd.type is never 'fil'; did you mean 'file'?"},
    {"{\"thread.cap_effective\": \"CAP_SYS_ADMIM\"}",
     "26: thread.cap_effective is never 'CAP_SYS_ADMIM'; did you mean 'CAP_SYS_ADMIN'?"},
    {"{\"evt.num\": 0}", "13: the value of evt.num is known, and 1 for the first event"},
    {"{\"fd.sport\": 65536}", "14: fd.sport holds numbers of 16 bits"},
    {"{\"fd.sip\": \"localhost\"}", "12: the value of fd.sip is an IPv4 or IPv6 address"},
    {"{\"evt.failed\": 1}", "16: the value of evt.failed is true or false"},
    {"{\"proc.name\": \"a\\u0000b\"}",
     "15: the value of proc.name is a text, which cannot hold a NUL byte"},
    {"{\"proc.name\": [\"a\"]}", "15: the value of proc.name is not an array"},
    {"{\"fd.types\": \"file\"}", "14: the value of fd.types is an array"},
    {"{\"fd.types\": [[\"file\"]]}", "15: an array inside an array"},
    {"{\"fd.types\": [true]}", "15: elements are strings or whole numbers"},
    {"{\"proc.name\": {\"unknown\": false}}",
     "15: the only objects that are values are {\"unknown\": true} and {\"base64\": \"...\"}"},
    {"{\"proc.name\": {\"unknown\": {\"unknown\": true}}}",
     "15: the only objects that are values are {\"unknown\": true} and {\"base64\": \"...\"}"},
    {"{\"proc.name\": nul}", "15: expected null"},
    {"{\"proc.name\": tru", "15: expected true"},
};

static void refuses_with_the_place(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int got = parse(f, bad[i].text);
        if (got == 0)
            fail_msg("accepted: %s", bad[i].text);
        assert_string_equal(f->err, bad[i].error);
    }
}

struct derived {
    const char *event, *field, *value;
};

static const struct derived rows[] = {
    /* What is given, absent, unknown */
    {"{\"proc.name\": \"c\\u00e4t \\ud83d\\ude00\\n\"}", "proc.name",
     "c\xc3\xa4t \xf0\x9f\x98\x80\n"},
    {"{\"proc.name\": null}", "proc.name", "-"},
    {"{}", "proc.name", "-"},
    {"{\"proc.name\": {\"unknown\": true}}", "proc.name", "?"},
    {"{\"proc.pid\": -9223372036854775808}", "proc.pid", "-9223372036854775808"},
    {"{\"evt.type\": \"open\"}", "evt.type", "open"},
    {"{\"evt.type\": \"open\"}", "syscall.type", "open"},
    {"{\"evt.type\": \"uname\"}", "evt.type", "uname"},
    /* Results */
    {"{\"evt.type\": \"open\", \"evt.res\": \"ENOENT\"}", "evt.rawres", "-2"},
    {"{\"evt.type\": \"open\", \"evt.rawres\": -13}", "evt.res", "EACCES"},
    {"{\"evt.type\": \"open\", \"evt.rawres\": 3}", "evt.res", "SUCCESS"},
    {"{\"evt.type\": \"open\", \"evt.rawres\": -5000}", "evt.res", "-5000"},
    {"{\"evt.type\": \"open\", \"evt.rawres\": -13}", "evt.failed", "1"},
    {"{\"evt.type\": \"open\", \"evt.rawres\": -13}", "evt.count.error", "1"},
    {"{\"evt.type\": \"open\", \"evt.rawres\": 3}", "evt.count.error", "-"},
    {"{\"evt.type\": \"open\", \"evt.rawres\": -13}", "evt.arg.fd", "EACCES"},
    {"{\"evt.type\": \"open\", \"evt.rawres\": -13}", "fd.num", "-1"},
    {"{\"evt.type\": \"open\", \"fd.num\": 4}", "evt.rawres", "4"},
    {"{\"evt.type\": \"uname\"}", "evt.res", "-"},
    {"{\"evt.type\": \"uname\"}", "evt.args", ""},
    {"{\"evt.type\": \"open\", \"evt.rawres\": {\"unknown\": true}}", "evt.failed", "?"},
    /* Flags */
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": \"O_RDWR|O_CREAT\"}", "evt.arg.flags",
     "O_CREAT|O_RDWR"},
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": \"O_RDWR|O_CREAT\"}", "evt.rawarg.flags", "7"},
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": 7}", "evt.arg.flags", "O_CREAT|O_RDWR"},
    {"{\"evt.type\": \"open\", \"evt.arg[2]\": 2}", "evt.arg.flags", "O_WRONLY"},
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": \"O_WRONLY\"}", "evt.arg[2]", "O_WRONLY"},
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": \"O_WRONLY\"}", "evt.is_open_write", "1"},
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": \"O_WRONLY\"}", "evt.is_open_read", "0"},
    {"{\"evt.type\": \"openat\", \"evt.arg.flags\": \"O_RDWR\"}", "evt.is_open_read", "1"},
    {"{\"evt.type\": \"read\", \"evt.arg.data\": \"x\"}", "evt.is_open_read", "0"},
    {"{\"evt.type\": \"open\"}", "evt.is_open_read", "-"},
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": {\"unknown\": true}}", "evt.is_open_read", "?"},
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": \"O_CREAT\", \"evt.arg.mode\": \"0755\"}",
     "evt.is_open_exec", "1"},
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": \"O_CREAT\", \"evt.arg.mode\": \"0644\"}",
     "evt.is_open_exec", "0"},
    {"{\"evt.type\": \"creat\", \"evt.arg.mode\": \"0755\"}", "evt.is_open_exec", "1"},
    {"{\"evt.type\": \"creat\", \"evt.arg.mode\": \"0755\"}", "evt.is_open_write", "0"},
    {"{\"evt.type\": \"open\", \"evt.arg.flags\": \"O_RDWR|O_F_CREATED\"}", "evt.is_open_create",
     "1"},
    {"{\"evt.type\": \"execve\", \"evt.arg.flags\": \"EXE_WRITABLE|EXE_UPPER_LAYER\"}",
     "proc.is_exe_upper_layer", "1"},
    {"{\"evt.type\": \"execve\", \"evt.arg.flags\": \"EXE_WRITABLE\"}", "proc.is_exe_from_memfd",
     "0"},
    {"{\"evt.type\": \"ptrace\", \"evt.arg.request\": \"PTRACE_ATTACH\"}", "evt.arg.request",
     "PTRACE_ATTACH"},
    {"{\"evt.type\": \"setuid\", \"evt.arg.uid\": 0}", "evt.arg.uid", "<NA>"},
    {"{\"evt.type\": \"setuid\", \"evt.arg.uid\": 0, \"user.uid\": 0, \"user.name\": \"root\"}",
     "evt.arg.uid", "root"},
    {"{\"evt.type\": \"setuid\", \"evt.arg.uid\": \"alice\"}", "evt.arg.uid", "alice"},
    {"{\"evt.type\": \"fchmod\", \"fd.num\": 4, \"fd.name\": \"/f\", \"evt.arg.fd\": 4}",
     "evt.arg.fd", "<f>/f"},
    {"{\"evt.type\": \"open\"}", "evt.arg.nothing", "(no field)"},
    {"{\"evt.type\": \"open\"}", "evt.arg[99]", "-"},
    {"{\"evt.type\": \"open\", \"evt.arg.path\": \"x\"}", "evt.arg.path", "-"},
    /* Descriptors */
    {"{\"evt.type\": \"open\", \"fd.name\": \"/etc/passwd\"}", "fd.directory", "/etc"},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/etc/passwd\"}", "fd.filename", "passwd"},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/passwd\"}", "fd.directory", "/"},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/etc/x/\"}", "fd.directory", "/etc/x/"},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/etc/passwd\", \"evt.rawres\": -2}", "fd.filename",
     "-"},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/etc/passwd\", \"evt.rawres\": -2}", "fd.directory",
     "/etc"},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/etc\", \"fd.type\": \"directory\"}", "fd.directory",
     "/etc"},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/etc\", \"fd.type\": \"directory\"}", "fd.filename",
     "-"},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/etc/x\"}", "fd.type", "file"},
    {"{\"evt.type\": \"open\", \"fd.name\": {\"unknown\": true}}", "fd.directory", "?"},
    {"{\"evt.type\": \"connect\", \"fd.typechar\": \"4\"}", "fd.type", "ipv4"},
    {"{\"evt.type\": \"connect\", \"fd.type\": \"ipv6\"}", "fd.typechar", "6"},
    {"{\"evt.type\": \"connect\", \"fd.sip\": \"::1\"}", "fd.type", "ipv6"},
    {"{\"evt.type\": \"connect\", \"fd.sip\": \"1.2.3.4\"}", "fd.sockfamily", "ip"},
    {"{\"evt.type\": \"connect\", \"fd.type\": \"unix\"}", "fd.sockfamily", "unix"},
    {"{\"evt.type\": \"connect\", \"fd.type\": \"unix\"}", "fd.l4proto", "<NA>"},
    {"{\"evt.type\": \"connect\", \"fd.sip\": \"1.2.3.4\", \"fd.sport\": 443}", "fd.name",
     "1.2.3.4:443"},
    {"{\"evt.type\": \"connect\", \"fd.sip\": \"1.2.3.4\", \"fd.sport\": 443, "
     "\"fd.cip\": \"5.6.7.8\", \"fd.cport\": 9}",
     "fd.name", "5.6.7.8:9->1.2.3.4:443"},
    {"{\"evt.type\": \"connect\", \"fd.sip\": \"1.2.3.4\"}", "fd.snet", "1.2.3.4"},
    {"{\"evt.type\": \"open\", \"fd.dev\": 2049}", "fd.dev.major", "8"},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/a\", \"container.id\": \"c1\"}", "fd.containername",
     "c1:/a"},
    /* Processes */
    {"{\"proc.name\": \"cat\", \"proc.args\": \"-n /a\"}", "proc.cmdline", "cat -n /a"},
    {"{\"proc.name\": \"cat\", \"proc.args\": \"\"}", "proc.cmdline", "cat"},
    {"{\"proc.name\": \"cat\"}", "proc.cmdline", "cat"},
    {"{\"proc.exe\": \"/bin/cat\", \"proc.args\": \"\"}", "proc.exeline", "/bin/cat "},
    {"{\"proc.args\": \"-n /a\"}", "proc.args[1]", "/a"},
    {"{\"proc.args\": \"-n /a\"}", "proc.args[2]", ""},
    {"{\"proc.args\": \"-n /a\"}", "proc.cmdnargs", "2"},
    {"{\"proc.args\": \"-n /a\"}", "proc.cmdlenargs", "4"},
    {"{\"proc.sid\": 7, \"proc.vpid\": 7}", "proc.is_sid_leader", "1"},
    {"{\"proc.pgid\": 7, \"proc.pid\": 8}", "proc.is_pgid_leader", "0"},
    {"{\"proc.vpgid\": 7}", "proc.is_vpgid_leader", "-"},
    {"{\"proc.vpgid\": 7, \"proc.vpid\": {\"unknown\": true}}", "proc.is_vpgid_leader", "?"},
    {"{\"thread.tid\": 7, \"proc.pid\": 7}", "thread.ismain", "1"},
    {"{\"evt.rawtime\": 50, \"proc.pid.ts\": 20}", "proc.duration", "30"},
    {"{\"evt.rawtime\": 1000000001}", "evt.time.iso8601", "1970-01-01T00:00:01.000000001+0000"},
    /* Ancestors */
    {"{\"proc.aname\": [\"sh\", \"sshd\"]}", "proc.pname", "sh"},
    {"{\"proc.aname\": [\"sh\", \"sshd\"]}", "proc.aname[2]", "sshd"},
    {"{\"proc.aname\": [\"sh\", \"sshd\"]}", "proc.aname[3]", "-"},
    {"{\"proc.aname\": [\"sh\", {\"unknown\": true}]}", "proc.aname[2]", "?"},
    {"{\"proc.pname\": \"sh\"}", "proc.aname[1]", "sh"},
    {"{\"proc.aname[1]\": \"sh\"}", "proc.pname", "sh"},
    {"{\"proc.name\": \"cat\"}", "proc.aname[0]", "cat"},
    {"{\"proc.apid\": [20, 1]}", "proc.ppid", "20"},
    /* The event's own row */
    {"{\"evt.type\": \"open\"}", "evt.category", "file"},
    {"{\"evt.type\": \"write\", \"fd.name\": \"/a\"}", "evt.category", "file"},
    {"{\"evt.type\": \"write\"}", "evt.category", "unknown"},
    {"{\"evt.type\": \"write\"}", "evt.is_io_write", "1"},
    {"{\"evt.type\": \"write\"}", "evt.io_dir", "write"},
    {"{\"evt.type\": \"write\", \"evt.rawres\": 5}", "evt.buflen", "5"},
    {"{\"evt.type\": \"open\"}", "evt.is_io", "0"},
    {"{\"evt.type\": \"open\"}", "evt.dir", "<"},
    {"{\"evt.type\": \"open\"}", "evt.type.is.open", "1"},
    {"{\"evt.type\": \"open\"}", "evt.type.is.openat", "0"},
    {"{\"evt.type\": \"open\"}", "evt.count", "1"},
    {"{\"evt.type\": \"open\", \"evt.num\": 9}", "evt.num", "9"},
};

static void derives(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (parse(f, rows[i].event))
            fail_msg("%s: %s", rows[i].event, f->err);
        const char *got = show(f, rows[i].field);
        if (strcmp(got, rows[i].value) != 0)
            fail_msg("%s: %s is '%s', not '%s'", rows[i].event, rows[i].field, got, rows[i].value);
    }
}

/* Every prefix and every changed byte of an event is accepted or refused, and nothing else. */
static void survives_broken_bytes(void **state)
{
    struct fixture *f = *state;
    static const char whole[] = "{\"evt.type\": \"open\", \"proc.aname\": [\"a\\u00e9\", 5, "
                                "{\"unknown\": true}], \"fd.sip\": \"::1\", \"proc.pid\": -17}";
    char *copy = malloc(sizeof(whole));
    for (size_t len = 0; len < sizeof(whole); len++) {
        char *cut = malloc(len + !len); /* exactly as long, for the sanitizer */
        memcpy(cut, whole, len);
        int got = event_parse(&f->c, cut, len, &f->e, f->err, sizeof(f->err));
        assert_true((got == 0) == (len == sizeof(whole) - 1));
        free(cut);
    }
    for (size_t i = 0; i < sizeof(whole) - 1; i++) {
        for (int flip = 1; flip < 256; flip <<= 1) {
            memcpy(copy, whole, sizeof(whole));
            copy[i] = (char)(copy[i] ^ flip);
            event_parse(&f->c, copy, sizeof(whole) - 1, &f->e, f->err, sizeof(f->err));
        }
    }
    free(copy);
}

static void prints_what_it_reads(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "{\"evt.type\": \"open\", \"proc.aname\": [\"a\\\"b\", {\"unknown\": true}], "
        "\"evt.arg.flags\": 7, \"evt.failed\": false, \"proc.name\": {\"unknown\": true}, "
        "\"fd.name\": null, \"proc.aname[4]\": \"x\", \"user.uid\": 4294967295, "
        "\"thread.cpu\": -12.75, \"proc.fdusage\": 3}";
    char *got = NULL;
    size_t len;
    assert_int_equal(parse(f, text), 0);
    FILE *out = open_memstream(&got, &len);
    event_print(&f->c, &f->e, out);
    fclose(out);
    assert_string_equal(got, text);
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses_with_the_place, setup, teardown),
        cmocka_unit_test_setup_teardown(derives, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_broken_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(prints_what_it_reads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
