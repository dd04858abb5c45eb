/* SPDX-License-Identifier: Apache-2.0 */
/* Names of users and groups, ends of connections, and what is said of containers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/enrich.h"
#include "bundle.h"
#include "folder.h"

static char dir[] = "/tmp/test_enrich.XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    folder_text(dir, "passwd",
                "root:x:0:0:root:/root:/bin/bash\n"
                "broken line\n"
                "alice:x:1000:1000::/home/alice:/bin/sh\n"
                "last:x:1001:1001::/:/x");
    folder_text(dir, "hosts",
                "# 5.6.7.8 not\n127.0.0.1 localhost\n5.6.7.8\tserver.example  alias # x\n"
                "fe80::1 six\n5.6.7.8 # none here\n5.6.7.8 other.example\n");
    folder_text(dir, "group", "root:x:0:\nstaff:x:50:alice\n");
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return folder_remove(dir);
}

struct bench {
    struct enrich e;
    struct record_user user;
    struct record r;
    void *rec;
    char scratch[RECORD_SCRATCH];
};

static struct bench *open_bench(struct ev *ev)
{
    struct bench *b = calloc(1, sizeof(*b));
    size_t size;
    struct metacache_options o = {.wait_ns = 3600 * 1000000000ull};

    /* engines whose roots are empty, or not there at all */
    o.root[o.nroot++] = (struct metacache_root){ENGINE_PODMAN, dir};
    o.root[o.nroot++] = (struct metacache_root){ENGINE_DOCKER, dir};
    o.root[o.nroot++] = (struct metacache_root){ENGINE_CONTAINERD, "/nonexistent"};
    o.root[o.nroot++] = (struct metacache_root){ENGINE_CRIO, "/nonexistent"};
    assert_int_equal(enrich_open(&b->e, dir, &o), 0);
    b->user = (struct record_user){.ctx = &b->e, .get = enrich_get, .no_metadata = &b->e.missing};
    b->rec = e_pack(ev, &size);
    assert_int_equal(record_open(&b->r, b->rec, size, &b->user, b->scratch), 0);
    free(ev);
    return b;
}

static void close_bench(struct bench *b)
{
    enrich_close(&b->e);
    free(b->rec);
    free(b);
}

/* want NULL: absent; "?": unknown. */
static void expect(struct bench *b, enum field_id f, const char *want)
{
    struct val v = record_get(&b->r, f, -1, "");

    if (!want || strcmp(want, "?") == 0) {
        assert_int_equal(v.state, want ? ST_UNKNOWN : ST_ABSENT);
        return;
    }
    if (v.state != ST_PRESENT || v.len != strlen(want) || memcmp(v.text, want, v.len) != 0)
        fail_msg("%s: expected \"%s\", got \"%.*s\"", catalog_field(f)->name, want, (int)v.len,
                 v.text ? v.text : "");
}

static struct ev *user_event(int64_t uid, int64_t loginuid, int64_t gid)
{
    struct ev *ev = e_new(EV_execve);

    ev->h.ts = 1000000000000ull;
    e_num(ev, N_PID, getpid());
    e_num(ev, N_UID, uid);
    e_num(ev, N_LOGINUID, loginuid);
    e_num(ev, N_GID, gid);
    e_text(ev, S_CONTAINER_ID, "host");
    return ev;
}

static void test_users(void **state)
{
    struct bench *b = open_bench(user_event(1000, -1, 50));

    (void)state;
    expect(b, F_user_name, "alice");
    expect(b, F_user_homedir, "/home/alice");
    expect(b, F_user_shell, "/bin/sh");
    expect(b, F_user_loginname, "<NA>");
    expect(b, F_group_name, "staff");
    close_bench(b);
    b = open_bench(user_event(0, 1001, 7));
    expect(b, F_user_name, "root");
    expect(b, F_user_loginname, "last");
    expect(b, F_group_name, "<NA>");
    close_bench(b);
    b = open_bench(user_event(4242, 0, 0));
    expect(b, F_user_name, "<NA>");
    expect(b, F_user_homedir, "<NA>");
    close_bench(b);
}

/* A file that changes is read again: soon for a name that was not there (test_names.c). */
static void test_change(void **state)
{
    struct bench *b = open_bench(user_event(2000, -1, 0));

    (void)state;
    expect(b, F_user_name, "<NA>");
    folder_text(dir, "passwd", "bob:x:2000:0::/:/bin/sh\nroot:x:0:0::/root:/bin/bash\n");
    ((struct rec *)b->rec)->h.ts += 10000000;
    expect(b, F_user_name, "bob");
    close_bench(b);
}

/* No file says it: root for 0. */
static void test_no_file(void **state)
{
    char path[80];
    struct bench *b;

    (void)state;
    snprintf(path, sizeof(path), "%s/group", dir);
    unlink(path);
    b = open_bench(user_event(0, -1, 0));
    expect(b, F_group_name, "root");
    close_bench(b);
}

static void test_unknown_id(void **state)
{
    struct ev *ev = user_event(0, -1, 0);
    struct bench *b;

    (void)state;
    e_state(ev, N_UID, ST_UNKNOWN);
    b = open_bench(ev);
    expect(b, F_user_name, "?");
    close_bench(b);
}

static void test_container(void **state)
{
    struct ev *ev = user_event(0, -1, 0);
    struct bench *b = open_bench(ev);

    (void)state;
    expect(b, F_container_name, "host");
    expect(b, F_container_image_repository, "");
    expect(b, F_k8s_ns_name, NULL);
    assert_int_equal(record_get(&b->r, F_container_privileged, -1, "").num, 0);
    assert_false(b->e.missing);
    close_bench(b);

    ev = user_event(0, -1, 0);
    e_text(ev, S_CONTAINER_ID, "0123456789ab");
    b = open_bench(ev); /* the record does not say whose it is */
    expect(b, F_container_image_repository, "?");
    close_bench(b);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct bench *in_container(enum container_kind kind)
{
    struct ev *ev = user_event(0, -1, 0);

    e_text(ev, S_CONTAINER_ID, "0123456789ab");
    e_text(ev, S_CONTAINER_FULL, ID);
    e_num(ev, N_CONTAINER_KIND, kind);
    return open_bench(ev);
}

/* What may still come is unknown to a record that may wait, and absent to one that may not. */
static void test_waiting(void **state)
{
    struct bench *b = in_container(CONTAINER_PODMAN);

    (void)state;
    enrich_begin(&b->e, true);
    expect(b, F_container_full_id, ID);
    assert_false(b->e.pending);
    expect(b, F_container_image_repository, "?");
    assert_true(b->e.pending);
    assert_false(b->e.missing);
    assert_true(enrich_pending(&b->e, &b->r));
    enrich_begin(&b->e, false);
    assert_false(b->e.pending);
    expect(b, F_container_type, "podman");
    assert_false(b->e.missing);
    expect(b, F_container_image_repository, NULL);
    expect(b, F_container_privileged, NULL);
    assert_true(b->e.missing);
    close_bench(b);
}

/* An engine that is not there is not waited for. */
static void test_no_engine(void **state)
{
    static const struct {
        enum container_kind kind;
        const char *type;
        bool pending;
    } rows[] = {
        {CONTAINER_CRIO, "cri-o", false},   {CONTAINER_CRI, "containerd", false},
        {CONTAINER_LXC, "lxc", false},      {CONTAINER_CONTAINERD, "containerd", false},
        {CONTAINER_DOCKER, "docker", true}, {CONTAINER_BARE, "docker", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench *b = in_container(rows[i].kind);

        enrich_begin(&b->e, true);
        assert_int_equal(enrich_pending(&b->e, &b->r), rows[i].pending);
        expect(b, F_container_name, rows[i].pending ? "?" : NULL);
        assert_int_equal(b->e.missing, !rows[i].pending);
        enrich_begin(&b->e, false);
        expect(b, F_container_type, rows[i].type);
        close_bench(b);
    }
}

static void test_hostname(void **state)
{
    struct bench *b;

    (void)state;
    setenv("FALCO_HOSTNAME", "elsewhere", 1);
    b = open_bench(user_event(0, -1, 0));
    expect(b, F_evt_hostname, "elsewhere");
    assert_string_equal(b->e.hostname, "elsewhere");
    close_bench(b);
    unsetenv("FALCO_HOSTNAME");
}

static void test_ends(void **state)
{
    struct ev *ev = e_new(EV_connect);
    struct bench *b;

    (void)state;
    e_num(ev, N_FD_TYPE, 3);
    e_bytes(ev, S_CIP, "\1\2\3\4", 4);
    e_bytes(ev, S_SIP, "\5\6\7\10", 4);
    e_num(ev, N_CPORT, 10);
    e_num(ev, N_SPORT, 80);
    b = open_bench(ev);
    /* the client is not this machine: the server's end is the local one */
    b->e.nlocal = 0;
    assert_int_equal(record_get(&b->r, F_fd_lport, -1, "").num, 80);
    assert_int_equal(record_get(&b->r, F_fd_rport, -1, "").num, 10);
    /* now it is */
    b->e.nlocal = 1;
    b->e.local[0].len = 4;
    memcpy(b->e.local[0].addr, "\1\2\3\4", 4);
    assert_int_equal(record_get(&b->r, F_fd_lport, -1, "").num, 10);
    assert_int_equal(record_get(&b->r, F_fd_rport, -1, "").num, 80);
    assert_memory_equal(record_get(&b->r, F_fd_rip, -1, "").text, "\5\6\7\10", 4);
    expect(b, F_fd_rproto, "80");
    expect(b, F_fd_sip_name, "server.example");
    for (int32_t i = 0; i < 3; i++) {
        static const char *const names[] = {"server.example", "alias", "other.example"};
        struct val v = record_get(&b->r, F_fd_sip_name, i, "");

        assert_int_equal(v.len, strlen(names[i]));
        assert_memory_equal(v.text, names[i], v.len);
    }
    assert_int_equal(record_get(&b->r, F_fd_sip_name, 3, "").state, ST_ABSENT);
    expect(b, F_fd_rip_name, "server.example");
    expect(b, F_fd_cip_name, NULL);
    close_bench(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users),     cmocka_unit_test(test_change),
        cmocka_unit_test(test_no_file),   cmocka_unit_test(test_unknown_id),
        cmocka_unit_test(test_container), cmocka_unit_test(test_hostname),
        cmocka_unit_test(test_ends),      cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_no_engine),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
