/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts byte for byte as Falco wrote them on the same events (lines of the reference capture), and
 * what must hold for any alert: escaping, bounds, and our own additions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "../../runtime/alert.h"
#include "bundle.h"

#define PROCESS                                                                                    \
    " evt_type=%evt.type user=%user.name user_uid=%user.uid user_loginuid=%user.loginuid "         \
    "process=%proc.name proc_exepath=%proc.exepath parent=%proc.pname command=%proc.cmdline "      \
    "terminal=%proc.tty"

static const char shadow_line[] =
    "{\"hostname\":\"vm\",\"output\":\"04:24:59.068892935: Warning Sensitive file opened for "
    "reading by non-trusted program | file=/etc/shadow gparent=cap.sh ggparent=bash gggparent"
    "=bash evt_type=openat user=root user_uid=0 user_loginuid=-1 process=cat proc_exepath=/us"
    "r/bin/cat parent=python3 command=cat /etc/shadow terminal=0\",\"output_fields\":{\"evt.t"
    "ime\":1795494299068892935,\"evt.type\":\"openat\",\"fd.name\":\"/etc/shadow\",\"proc.ana"
    "me[2]\":\"cap.sh\",\"proc.aname[3]\":\"bash\",\"proc.aname[4]\":\"bash\",\"proc.cmdline"
    "\":\"cat /etc/shadow\",\"proc.exepath\":\"/usr/bin/cat\",\"proc.name\":\"cat\",\"proc.pn"
    "ame\":\"python3\",\"proc.tty\":0,\"user.loginuid\":-1,\"user.name\":\"root\",\"user.uid"
    "\":0},\"priority\":\"Warning\",\"rule\":\"Read sensitive file untrusted\",\"source\":\"s"
    "yscall\",\"tags\":[\"T1555\",\"container\",\"filesystem\",\"host\",\"maturity_stable\","
    "\"mitre_credential_access\"],\"time\":\"2026-11-24T04:24:59.068892935Z\"}";
static const char packet_line[] =
    "{\"hostname\":\"vm\",\"output\":\"04:24:59.254641910: Notice Packet socket was created i"
    "n a container | socket_info=fd=3(<o>) domain=17(AF_PACKET) type=524291 proto=768 flags=4"
    "096(O_CLOEXEC) connection= lport=<NA> rport=<NA> fd_type=<NA> fd_proto=<NA> evt_type=soc"
    "ket user=root user_uid=0 user_loginuid=-1 process=python3 proc_exepath=/usr/bin/python3."
    "11 parent=cap.sh command=python3 ../bench/trig.py terminal=0\",\"output_fields\":{\"evt."
    "args\":\"fd=3(<o>) domain=17(AF_PACKET) type=524291 proto=768 flags=4096(O_CLOEXEC)\",\""
    "evt.time\":1795494299254641910,\"evt.type\":\"socket\",\"fd.l4proto\":\"<NA>\",\"fd.lpor"
    "t\":null,\"fd.name\":\"\",\"fd.rport\":null,\"fd.type\":\"<NA>\",\"proc.cmdline\":\"pyth"
    "on3 ../bench/trig.py\",\"proc.exepath\":\"/usr/bin/python3.11\",\"proc.name\":\"python3"
    "\",\"proc.pname\":\"cap.sh\",\"proc.tty\":0,\"user.loginuid\":-1,\"user.name\":\"root\","
    "\"user.uid\":0},\"priority\":\"Notice\",\"rule\":\"Packet socket created in container\","
    "\"source\":\"syscall\",\"tags\":[\"T1557.002\",\"container\",\"maturity_stable\",\"mitre"
    "_credential_access\",\"network\"],\"time\":\"2026-11-24T04:24:59.254641910Z\"}";
static const char memfd_line[] =
    "{\"hostname\":\"vm\",\"output\":\"04:24:59.302424032: Critical Fileless execution via me"
    "mfd_create | container_start_ts=<NA> proc_cwd=/tmp/t/run/ evt_res=SUCCESS proc_sname=bas"
    "h gparent=cap.sh evt_type=execve user=root user_uid=0 user_loginuid=-1 process=3 proc_ex"
    "epath=memfd:x parent=python3 command=3 terminal=0 exe_flags=EXE_WRITABLE|EXE_FROM_MEMFD"
    "\",\"output_fields\":{\"container.start_ts\":null,\"evt.arg.flags\":\"EXE_WRITABLE|EXE_F"
    "ROM_MEMFD\",\"evt.res\":\"SUCCESS\",\"evt.time\":1795494299302424032,\"evt.type\":\"exec"
    "ve\",\"proc.aname[2]\":\"cap.sh\",\"proc.cmdline\":\"3\",\"proc.cwd\":\"/tmp/t/run/\",\""
    "proc.exepath\":\"memfd:x\",\"proc.name\":\"3\",\"proc.pname\":\"python3\",\"proc.sname\""
    ":\"bash\",\"proc.tty\":0,\"user.loginuid\":-1,\"user.name\":\"root\",\"user.uid\":0},\"p"
    "riority\":\"Critical\",\"rule\":\"Fileless execution via memfd_create\",\"source\":\"sys"
    "call\",\"tags\":[\"T1620\",\"container\",\"host\",\"maturity_stable\",\"mitre_defense_ev"
    "asion\",\"process\"],\"time\":\"2026-11-24T04:24:59.302424032Z\"}";
static const char dup_line[] =
    "{\"hostname\":\"vm\",\"output\":\"04:24:59.559630408: Notice Redirect stdout/stdin to ne"
    "twork connection | gparent=cap.sh ggparent=bash gggparent=bash fd.sip=127.0.0.1 connecti"
    "on=127.0.0.1:34378->127.0.0.1:45099 lport=45099 rport=34378 fd_type=ipv4 fd_proto=tcp ev"
    "t_type=dup2 user=root user_uid=0 user_loginuid=-1 process=python3 proc_exepath=/usr/bin/"
    "python3.11 parent=python3 command=python3 ../bench/trig.py terminal=0\",\"output_fields"
    "\":{\"evt.time\":1795494299559630408,\"evt.type\":\"dup2\",\"fd.l4proto\":\"tcp\",\"fd.l"
    "port\":45099,\"fd.name\":\"127.0.0.1:34378->127.0.0.1:45099\",\"fd.rport\":34378,\"fd.si"
    "p\":\"127.0.0.1\",\"fd.type\":\"ipv4\",\"proc.aname[2]\":\"cap.sh\",\"proc.aname[3]\":\""
    "bash\",\"proc.aname[4]\":\"bash\",\"proc.cmdline\":\"python3 ../bench/trig.py\",\"proc.e"
    "xepath\":\"/usr/bin/python3.11\",\"proc.name\":\"python3\",\"proc.pname\":\"python3\",\""
    "proc.tty\":0,\"user.loginuid\":-1,\"user.name\":\"root\",\"user.uid\":0},\"priority\":\""
    "Notice\",\"rule\":\"Redirect STDOUT/STDIN to Network Connection in Container\",\"source"
    "\":\"syscall\",\"tags\":[\"T1059\",\"container\",\"maturity_stable\",\"mitre_execution\""
    ",\"network\",\"process\"],\"time\":\"2026-11-24T04:24:59.559630408Z\"}";

/* What only user space knows, for these events. */
static bool user_get(void *ctx, const struct record *r, enum field_id field, int32_t index,
                     const char *name, struct val *out)
{
    (void)ctx;
    (void)name;
    if (field == F_user_name && index <= 0) {
        *out = (struct val){.state = ST_PRESENT, .base = BASE_TEXT, .text = "root", .len = 4};
        return true;
    }
    if ((field == F_fd_lport || field == F_fd_rport) && r->h->st[N_SPORT] == ST_PRESENT) {
        int64_t n = r->h->num[field == F_fd_lport ? N_SPORT : N_CPORT];

        *out = (struct val){.state = ST_PRESENT, .base = BASE_PORT, .num = n};
        return true;
    }
    return false;
}

static const struct record_user user = {.get = user_get, .evt_num = 1};

/* Cuts a template at its fields, as the compiler does. */
static void add_template(struct bundle *b, const char *text)
{
    while (*text) {
        const char *percent = strchr(text, '%');
        char lit[512], spell[64], arg[64] = "";
        size_t n = percent ? (size_t)(percent - text) : strlen(text), used = 0, len = 0;
        enum field_id f;
        int index = -1;

        snprintf(lit, sizeof(lit), "%.*s", (int)n, text);
        if (n)
            b_piece(b, lit, NOREF);
        if (!percent)
            return;
        text = percent + 1;
        f = catalog_field_by_name(text, strcspn(text, " %|[,"), &used);
        len = strcspn(text, " %|,");
        snprintf(spell, sizeof(spell), "%.*s", (int)len, text);
        if (text[used] == '[')
            index = (int)strtol(text + used + 1, NULL, 10);
        else if (text[used] == '.')
            snprintf(arg, sizeof(arg), "%.*s", (int)(len - used - 1), text + used + 1);
        b_piece(b, spell, b_ref(b, f, index, arg));
        text += len;
    }
}

/* A process as the reference events have it. */
static struct ev *process(enum event_id event, const char *name, const char *cmdline,
                          const char *exepath, const char *parent)
{
    struct ev *ev = e_new(event);

    e_text(ev, S_NAME, name);
    e_text(ev, S_CMDLINE, cmdline);
    e_text(ev, S_EXEPATH, exepath);
    e_text(ev, S_PNAME, parent);
    e_num(ev, N_UID, 0);
    e_num(ev, N_LOGINUID, -1);
    e_num(ev, N_TTY, 0);
    e_anc(ev, parent);
    e_anc(ev, "cap.sh");
    e_anc(ev, "bash");
    e_anc(ev, "bash");
    return ev;
}

static struct ev *shadow_event(void)
{
    struct ev *ev = process(EV_openat, "cat", "cat /etc/shadow", "/usr/bin/cat", "python3");

    ev->h.ts = 1795494299068892935ull;
    e_text(ev, S_FD_NAME, "/etc/shadow");
    return ev;
}

static struct ev *packet_event(void)
{
    struct ev *ev =
        process(EV_socket, "python3", "python3 ../bench/trig.py", "/usr/bin/python3.11", "cap.sh");

    ev->h.ts = 1795494299254641910ull;
    e_num(ev, N_RES, 3);
    e_num(ev, N_FD_NUM, 3);
    e_num(ev, N_P1, 17);
    e_num(ev, N_P2, 524291);
    e_num(ev, N_P3, 768);
    e_num(ev, N_P4, 4096);
    e_num(ev, N_FD_TYPE, 0);
    e_num(ev, N_L4PROTO, 0);
    e_text(ev, S_FD_NAME, "");
    return ev;
}

static struct ev *memfd_event(void)
{
    struct ev *ev = process(EV_execve, "3", "3", "memfd:x", "python3");

    ev->h.ts = 1795494299302424032ull;
    e_num(ev, N_RES, 0);
    e_num(ev, N_EXE_FLAGS, 5);
    e_text(ev, S_CWD, "/tmp/t/run/");
    e_text(ev, S_SNAME, "bash");
    return ev;
}

static struct ev *dup_event(void)
{
    struct ev *ev =
        process(EV_dup2, "python3", "python3 ../bench/trig.py", "/usr/bin/python3.11", "python3");

    ev->h.ts = 1795494299559630408ull;
    e_num(ev, N_FD_TYPE, 3);
    e_num(ev, N_L4PROTO, 2);
    e_bytes(ev, S_CIP, "\x7f\0\0\1", 4);
    e_bytes(ev, S_SIP, "\x7f\0\0\1", 4);
    e_num(ev, N_CPORT, 34378);
    e_num(ev, N_SPORT, 45099);
    e_state(ev, SLOT_OF_STR(S_FD_NAME), ST_UNKNOWN);
    return ev;
}

struct row {
    const char *line, *rule, *text;
    const char *tags[7];
    struct ev *(*event)(void);
    uint8_t priority;
};

static const struct row rows[] = {
    {shadow_line,
     "Read sensitive file untrusted",
     "Sensitive file opened for reading by non-trusted program | file=%fd.name "
     "gparent=%proc.aname[2] ggparent=%proc.aname[3] gggparent=%proc.aname[4]" PROCESS,
     {"T1555", "container", "filesystem", "host", "maturity_stable", "mitre_credential_access"},
     shadow_event,
     4},
    {packet_line,
     "Packet socket created in container",
     "Packet socket was created in a container | socket_info=%evt.args connection=%fd.name "
     "lport=%fd.lport rport=%fd.rport fd_type=%fd.type fd_proto=%fd.l4proto" PROCESS,
     {"T1557.002", "container", "maturity_stable", "mitre_credential_access", "network"},
     packet_event,
     5},
    {memfd_line,
     "Fileless execution via memfd_create",
     "Fileless execution via memfd_create | container_start_ts=%container.start_ts "
     "proc_cwd=%proc.cwd evt_res=%evt.res proc_sname=%proc.sname gparent=%proc.aname[2]" PROCESS
     " exe_flags=%evt.arg.flags",
     {"T1620", "container", "host", "maturity_stable", "mitre_defense_evasion", "process"},
     memfd_event,
     2},
    {dup_line,
     "Redirect STDOUT/STDIN to Network Connection in Container",
     "Redirect stdout/stdin to network connection | gparent=%proc.aname[2] "
     "ggparent=%proc.aname[3] gggparent=%proc.aname[4] fd.sip=%fd.sip connection=%fd.name "
     "lport=%fd.lport rport=%fd.rport fd_type=%fd.type fd_proto=%fd.l4proto" PROCESS,
     {"T1059", "container", "maturity_stable", "mitre_execution", "network", "process"},
     dup_event,
     5},
};

struct made {
    struct bundle *b;
    uint8_t *bytes;
    struct rpk p;
    void *rec;
    struct record r;
    char *scratch, *out;
};

static void make(struct made *m, const struct row *row)
{
    struct ev *ev = row->event();
    struct rpk p;
    size_t size, rec_size;
    char err[200] = "";

    m->b = b_new();
    m->b->plan.readings = ev->h.readings;
    m->rec = e_pack(ev, &rec_size);
    free(ev);
    m->scratch = malloc(RECORD_SCRATCH);
    m->out = malloc(ALERT_MAX);
    b_rule(m->b, row->rule, row->priority);
    for (size_t i = 0; row->tags[i]; i++)
        b_tag(m->b, row->tags[i]);
    add_template(m->b, row->text);
    assert_int_equal(record_open(&m->r, m->rec, rec_size, &user, m->scratch), 0);
    m->bytes = b_pack(m->b, &size);
    if (rpk_open(&p, m->bytes, size, err, sizeof(err)))
        fail_msg("%s", err);
    m->p = p;
}

static void unmake(struct made *m)
{
    free(m->out);
    free(m->scratch);
    free(m->rec);
    free(m->bytes);
    free(m->b);
}

static const struct match sure = {.rule = 0, .verdict = VERDICT_MATCH};

static void test_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct made m;
        size_t n;

        make(&m, &rows[i]);
        n = alert_write(&ALERT_STYLE(ALERT_JSON, "vm"), &m.p, &m.r, &sure, m.out, ALERT_MAX);
        assert_true(n > 0);
        assert_int_equal(m.out[n - 1], '\n');
        m.out[n - 1] = '\0';
        assert_string_equal(m.out, rows[i].line);
        unmake(&m);
    }
}

/* The text line is the JSON object's "output". */
static void test_text(void **state)
{
    struct made m;
    size_t n;
    const char *from;

    (void)state;
    make(&m, &rows[0]);
    n = alert_write(&ALERT_STYLE(ALERT_TEXT, "vm"), &m.p, &m.r, &sure, m.out, ALERT_MAX);
    from = strstr(rows[0].line, "\"output\":\"") + 10;
    assert_memory_equal(m.out, from, n - 1);
    assert_int_equal(from[n - 1], '"');
    unmake(&m);
}

static struct ev *odd_event(void)
{
    struct ev *ev = e_new(EV_openat);

    e_text(ev, S_FD_NAME, "a\"b\\c\n\x01/\x7f\xc3\xa9\xff\xe2\x82z");
    return ev;
}

static void test_escapes(void **state)
{
    const struct row row = {"", "r", "f=%fd.name n=%proc.name", {NULL}, odd_event, 4};
    static const char want[] = "00:00:00.000000000: Warning f=a\\\"b\\\\c\\n\\u0001/\x7f\xc3\xa9"
                               "\xef\xbf\xbd\xef\xbf\xbdz n=<NA>\n";
    struct made m;
    size_t n;

    (void)state;
    make(&m, &row);
    n = alert_write(&ALERT_STYLE(ALERT_TEXT, "vm"), &m.p, &m.r, &sure, m.out, ALERT_MAX);
    assert_int_equal(n, sizeof(want) - 1);
    assert_memory_equal(m.out, want, n);
    unmake(&m);
}

/* Every bound: nothing is written past it, and what is written is a whole alert. */
static void test_bounds(void **state)
{
    struct made m;

    (void)state;
    make(&m, &rows[0]);
    for (size_t cap = 0; cap < 1400; cap++) {
        char *exact = malloc(cap ? cap : 1);
        size_t n = alert_write(&ALERT_STYLE(ALERT_JSON, "vm"), &m.p, &m.r, &sure, exact, cap);

        assert_true(n <= cap);
        if (n) {
            assert_int_equal(exact[0], '{');
            assert_memory_equal(exact + n - 2, "}\n", 2);
        }
        free(exact);
    }
    unmake(&m);
}

static struct ev *three_readings(void)
{
    struct ev *ev = shadow_event();

    ev->h.readings = READINGS_ALL;
    ev->alt_len[READ_ALT(READ_SPELLED)] = 6;
    memcpy(ev->alt[READ_ALT(READ_SPELLED)], "/tmp/x", 6);
    ev->alt_len[READ_ALT(READ_STORED)] = 9;
    memcpy(ev->alt[READ_ALT(READ_STORED)], "/srv/keys", 9);
    return ev;
}

static void test_additions(void **state)
{
    const struct row row = {"", "r", "f=%fd.name", {NULL}, three_readings, 4};
    const struct match m2 = {.verdict = VERDICT_UNCERTAIN, .reading = READ_SPELLED};
    const struct match m3 = {.verdict = VERDICT_MATCH, .reading = READ_STORED};
    struct made m;
    size_t n;

    (void)state;
    make(&m, &row);
    n = alert_write(&ALERT_STYLE(ALERT_TEXT, "vm"), &m.p, &m.r, &m2, m.out, ALERT_MAX);
    m.out[n] = '\0';
    assert_string_equal(m.out,
                        "04:24:59.068892935: Warning f=/tmp/x [path as spelled; uncertain]\n");
    n = alert_write(&ALERT_STYLE(ALERT_JSON, "vm"), &m.p, &m.r, &m2, m.out, ALERT_MAX);
    m.out[n] = '\0';
    assert_non_null(strstr(
        m.out, "\"rule\":\"r\",\"rulerun\":{\"path\":\"spelled\",\"uncertain\":true},\"source\""));
    n = alert_write(&ALERT_STYLE(ALERT_TEXT, "vm"), &m.p, &m.r, &m3, m.out, ALERT_MAX);
    m.out[n] = '\0';
    assert_string_equal(m.out, "04:24:59.068892935: Warning f=/srv/keys [path as stored]\n");
    unmake(&m);
}

/* A recorder has all readings sent, though the bundle looks at no path: nothing is said of them.
 */
static void test_one_reading(void **state)
{
    const struct row row = {"", "r", "f=%fd.name", {NULL}, three_readings, 4};
    struct rpk_head head;
    struct made m;
    size_t n;

    (void)state;
    make(&m, &row);
    head = *m.p.head;
    head.plan.readings = READ_BIT(READ_KERNEL);
    m.p.head = &head;
    n = alert_write(&ALERT_STYLE(ALERT_TEXT, "vm"), &m.p, &m.r, &sure, m.out, ALERT_MAX);
    m.out[n] = '\0';
    assert_string_equal(m.out, "04:24:59.068892935: Warning f=/etc/shadow\n");
    unmake(&m);
}

/* Falco's settings of the JSON object, and of the time. */
static void test_styles(void **state)
{
    static const struct {
        bool message, output, fields, tags, iso;
        enum alert_format format;
        const char *want;
    } styles[] = {
        {false, true, true, true, false, ALERT_JSON,
         "{\"hostname\":\"vm\",\"output\":\"04:24:59.068892935: Warning f=/etc/shadow\","
         "\"output_fields\":{\"evt.time\":1795494299068892935,\"fd.name\":\"/etc/shadow\"},"
         "\"priority\":\"Warning\",\"rule\":\"r\",\"source\":\"syscall\",\"tags\":[\"t\"],"
         "\"time\":\"2026-11-24T04:24:59.068892935Z\"}\n"},
        {true, false, false, false, false, ALERT_JSON,
         "{\"hostname\":\"vm\",\"message\":\"f=/etc/shadow\",\"priority\":\"Warning\",\"rule\":"
         "\"r\",\"source\":\"syscall\",\"time\":\"2026-11-24T04:24:59.068892935Z\"}\n"},
        {true, true, true, false, true, ALERT_JSON,
         "{\"hostname\":\"vm\",\"message\":\"f=/etc/shadow\",\"output\":\"2026-11-24T04:24:59."
         "068892935+0000: Warning f=/etc/shadow\",\"output_fields\":{\"evt.time.iso8601\":"
         "1795494299068892935,\"fd.name\":\"/etc/shadow\"},\"priority\":\"Warning\",\"rule\":"
         "\"r\",\"source\":\"syscall\",\"time\":\"2026-11-24T04:24:59.068892935Z\"}\n"},
        {true, false, false, false, true, ALERT_TEXT,
         "2026-11-24T04:24:59.068892935+0000: Warning f=/etc/shadow\n"},
    };
    const struct row row = {"", "r", "f=%fd.name", {"t"}, shadow_event, 4};

    (void)state;
    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
        struct alert_style style = ALERT_STYLE(styles[i].format, "vm");
        struct made m;
        size_t n;

        style.message = styles[i].message;
        style.output = styles[i].output;
        style.fields = styles[i].fields;
        style.tags = styles[i].tags;
        style.time_iso8601 = styles[i].iso;
        make(&m, &row);
        n = alert_write(&style, &m.p, &m.r, &sure, m.out, ALERT_MAX);
        m.out[n] = '\0';
        assert_string_equal(m.out, styles[i].want);
        unmake(&m);
    }
}

/* The zone's offset of now, also across midnight and the end of a year. */
static void test_zone(void **state)
{
    static const struct {
        int32_t offset;
        const char *want;
    } zones[] = {
        {0, "04:24:59.068892935: Warning 2026-11-24 04:24:59\n"},
        {3600, "05:24:59.068892935: Warning 2026-11-24 05:24:59\n"},
        {-5 * 3600, "23:24:59.068892935: Warning 2026-11-23 23:24:59\n"},
        {20700, "10:09:59.068892935: Warning 2026-11-24 10:09:59\n"},
    };
    const struct row row = {"", "r", "%evt.datetime.s", {NULL}, shadow_event, 4};

    (void)state;
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        struct record_user there = {.get = user_get, .utc_offset = zones[i].offset};
        struct made m;
        size_t n;

        make(&m, &row);
        m.r.user = &there;
        n = alert_write(&ALERT_STYLE(ALERT_TEXT, "vm"), &m.p, &m.r, &sure, m.out, ALERT_MAX);
        m.out[n] = '\0';
        assert_string_equal(m.out, zones[i].want);
        unmake(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference), cmocka_unit_test(test_text),
        cmocka_unit_test(test_escapes),   cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_additions), cmocka_unit_test(test_one_reading),
        cmocka_unit_test(test_styles),    cmocka_unit_test(test_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
