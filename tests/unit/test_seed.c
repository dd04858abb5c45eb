/* SPDX-License-Identifier: Apache-2.0 */
/* State of a running process from a /proc made by hand, and container ids from cgroup paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/container.h"
#include "../../runtime/seed.h"
#include "folder.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char proc[] = "/tmp/test_seed.XXXXXX";

static void put(const char *name, const void *bytes, size_t n)
{
    char path[96];

    snprintf(path, sizeof(path), "42/%s", name);
    folder_put(proc, path, "w", bytes, n);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static int make_proc(void **state)
{
    char path[96];

    (void)state;
    if (!mkdtemp(proc))
        return -1;
    snprintf(path, sizeof(path), "%s/42", proc);
    return mkdir(path, 0700);
}

static int remove_proc(void **state)
{
    (void)state;
    return folder_remove(proc);
}

static void fill(void)
{
    char path[96];

    put_text("stat", "42 (a ) b) S 1 40 30 34816 40 4194304 1 2 3 4 5 6 7 8 20 0 1 0 500 9 9\n");
    put_text("status", "Name:\tx\nPid:\t42\nUid:\t1\t2\t3\t4\nGid:\t1\t2\t3\t4\nNSpid:\t42\t7\n"
                       "NSpgid:\t40\t6\nNSsid:\t30\t5\nCapEff:\t0000000000000000\n");
    put_text("comm", "a ) b\n");
    put("cmdline", "prog\0-x\0a b\0", 12);
    put_text("loginuid", "1000");
    put_text("cgroup", "3:cpu,cpuacct:/docker/" ID "\n0::/\n");
    snprintf(path, sizeof(path), "%s/42/exe", proc);
    unlink(path);
    assert_int_equal(symlink("/proc/self/exe", path), 0);
}

static void test_read(void **state)
{
    const struct seed s = {.proc = proc, .boot_offset_ns = 1000};
    struct seeded to;
    const struct proc_state *st = &to.st;

    (void)state;
    fill();
    assert_int_equal(seed_read(&s, 42, &to), 0);
    assert_string_equal(st->comm, "a ) b");
    assert_int_equal(st->tty, 34816);
    assert_int_equal(st->pgid, 40);
    assert_int_equal(st->vpid, 7);
    assert_int_equal(st->vpgid, 6);
    assert_int_equal(st->sid, 5);
    assert_int_equal(st->loginuid, 1000);
    assert_int_equal(st->start_ts, 1000 + 500 * (1000000000ull / (__u64)sysconf(_SC_CLK_TCK)));
    assert_int_equal(st->exe_len, 4);
    assert_int_equal(st->nargs, 2);
    assert_int_equal(st->args_len, 11);
    assert_memory_equal(st->args, "prog\0-x a b", 11);
    assert_int_equal(st->args_state, ST_PRESENT);
    assert_int_equal(st->container_len, 64);
    assert_int_equal(st->container_kind, CONTAINER_BARE);
    assert_memory_equal(st->container_id, ID, 64);
    assert_true(st->exe_ino != 0);
}

static void test_long_args(void **state)
{
    static char many[ARGS_CAP + 100];
    const struct seed s = {.proc = proc};
    struct seeded to;
    const struct proc_state *st = &to.st;

    (void)state;
    fill();
    memset(many, 'x', sizeof(many));
    put("cmdline", many, sizeof(many));
    assert_int_equal(seed_read(&s, 42, &to), 0);
    assert_int_equal(st->args_state, ST_CUT);
    assert_int_equal(st->args_len, ARGS_CAP - 1);
    put("cmdline", "", 0); /* a kernel thread */
    assert_int_equal(seed_read(&s, 42, &to), 0);
    assert_int_equal(st->args_state, ST_PRESENT);
    assert_int_equal(st->args_len, 0);
}

static void test_controllers(void **state)
{
    static const struct {
        const char *groups, *id;
    } of[] = {
        {"4:memory:/ns/second\n3:cpuset:/ns/first\n", "first"},
        {"4:memory:/docker/" ID "\n3:cpuset:/ns/first\n", ID},
        {"4:memory:/ns/second\n2:cpu:/a/docker-" ID "\n", "second"},
        {"4:memory:/\n2:cpu:/a/b/c\n", "host"},
    };
    const struct seed s = {.proc = proc};
    struct seeded to;
    const struct proc_state *st = &to.st;

    (void)state;
    fill();
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        put_text("cgroup", of[i].groups);
        assert_int_equal(seed_read(&s, 42, &to), 0);
        assert_int_equal(st->container_state, ST_PRESENT);
        assert_int_equal(st->container_len, strlen(of[i].id));
        assert_memory_equal(st->container_id, of[i].id, st->container_len);
    }
}

static void test_env(void **state)
{
    static char many[ENV_CAP + 1];
    const struct seed s = {.proc = proc};
    struct seeded to;

    (void)state;
    fill();
    assert_int_equal(seed_read(&s, 42, &to), 0);
    put("environ", "A=b c\0D=\0", 9);
    seed_env(&s, 42, &to);
    assert_int_equal(to.st.env_state, ST_PRESENT);
    assert_int_equal(to.st.env_len, 8);
    assert_memory_equal(to.env, "A=b c\0D=", 8);
    put("environ", "", 0);
    seed_env(&s, 42, &to);
    assert_int_equal(to.st.env_state, ST_PRESENT);
    assert_int_equal(to.st.env_len, 0);
    memset(many, 'x', sizeof(many));
    many[ENV_CAP - 1] = '\0';
    put("environ", many, ENV_CAP);
    seed_env(&s, 42, &to);
    assert_int_equal(to.st.env_state, ST_PRESENT);
    assert_int_equal(to.st.env_len, ENV_CAP - 1);
    put("environ", many, ENV_CAP + 1);
    seed_env(&s, 42, &to);
    assert_int_equal(to.st.env_state, ST_CUT);
    assert_int_equal(to.st.env_len, ENV_CAP - 1);
    seed_env(&s, 43, &to);
    assert_int_equal(to.st.env_state, ST_UNKNOWN);
}

/* Which map has a text of so many bytes; 0: none, short arguments are in the state. */
static void test_classes(void **state)
{
    static const struct {
        size_t n;
        __u8 args, env;
    } of[] = {{0, 0, 0},    {1, 0, 1},    {248, 0, 1},  {249, 1, 1},  {936, 1, 1}, {937, 2, 2},
              {1960, 2, 2}, {1961, 3, 3}, {4008, 3, 3}, {4009, 4, 4}, {4095, 4, 4}};
    static char many[ARGS_CAP];
    const struct seed s = {.proc = proc};
    struct seeded to;

    (void)state;
    fill();
    memset(many, 'x', sizeof(many));
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        put("cmdline", many, of[i].n);
        put("environ", many, of[i].n);
        assert_int_equal(seed_read(&s, 42, &to), 0);
        seed_env(&s, 42, &to);
        assert_int_equal(to.st.args_len, of[i].n);
        assert_int_equal(to.st.args_class, of[i].args);
        assert_memory_equal(of[i].args ? to.args : to.st.args, many, of[i].n);
        assert_int_equal(to.st.env_len, of[i].n);
        assert_int_equal(to.st.env_class, of[i].env);
        assert_memory_equal(to.env, many, of[i].n);
    }
}

static void test_gone(void **state)
{
    const struct seed s = {.proc = proc};
    struct seeded to;

    (void)state;
    assert_true(seed_read(&s, 43, &to) < 0);
    put_text("stat", "42 broken");
    assert_true(seed_read(&s, 42, &to) < 0);
}

struct row {
    const char *path;
    enum container_kind kind;
    const char *id; /* the whole */
};

static const struct row rows[] = {
    {"/", CONTAINER_HOST, ""},
    {"", CONTAINER_HOST, ""},
    {"/user.slice/user-0.slice/session-1.scope", CONTAINER_HOST, ""},
    {"/system.slice/ssh.service", CONTAINER_HOST, ""},
    {"/docker/" ID, CONTAINER_BARE, ID},
    {"/system.slice/docker-" ID ".scope", CONTAINER_DOCKER, ID},
    {"/system.slice/docker-" ID ".scope/init", CONTAINER_DOCKER, ID},
    {"/machine.slice/libpod-" ID ".scope/container", CONTAINER_PODMAN, ID},
    {"/machine.slice/libpod-" ID ".scope", CONTAINER_PODMAN, ID},
    {"/libpod_parent/libpod-" ID, CONTAINER_PODMAN, ID},
    {"/libpod_parent/conmon", CONTAINER_CONTAINERD, "conmon"}, /* as the language has it */
    {"/kubepods/burstable/podx/" ID, CONTAINER_BARE, ID},
    {"/kubepods.slice/a.slice/cri-containerd-" ID ".scope", CONTAINER_CRI, ID},
    {"/kubepods.slice/a.slice/crio-" ID ".scope", CONTAINER_CRIO, ID},
    {"/kubepods/a/crio-" ID, CONTAINER_CRIO, ID},
    {"/system.slice/containerd.service/kubepods-x.slice:cri-containerd:" ID, CONTAINER_CRI, ID},
    {"/default/mycontainer", CONTAINER_CONTAINERD, "mycontainer"},
    {"/default/a-rather-long-name", CONTAINER_CONTAINERD, "a-rather-long-name"},
    {"/default/x.service", CONTAINER_HOST, ""},
    {"/lxc/web", CONTAINER_LXC, "web"},
    {"/lxc/a-rather-long-name", CONTAINER_LXC, "a-rather-long-name"},
    {"/lxc.payload/web", CONTAINER_LXC, "web"},
    {"/lxc.payload.web", CONTAINER_LXC, "web"},
    /* systemd-nspawn is no container to the language */
    {"/machine.slice/machine-web.scope", CONTAINER_HOST, ""},
    {"/machine.slice/systemd-nspawn@web.service/payload", CONTAINER_HOST, ""},
    {"/a/b/c/docker-0123.scope", CONTAINER_HOST, ""},
    {"/a/b/" ID "0", CONTAINER_HOST, ""},
};

static void test_containers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char id[CONTAINER_ID_MAX];
        size_t len = 0;
        enum container_kind kind = container_scan(rows[i].path, id, &len);

        if (kind != rows[i].kind)
            fail_msg("%s: kind %d", rows[i].path, (int)kind);
        if (kind && (len != strlen(rows[i].id) || memcmp(id, rows[i].id, len) != 0))
            fail_msg("%s: \"%.*s\"", rows[i].path, (int)len, id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),        cmocka_unit_test(test_long_args),
        cmocka_unit_test(test_controllers), cmocka_unit_test(test_env),
        cmocka_unit_test(test_classes),     cmocka_unit_test(test_gone),
        cmocka_unit_test(test_containers),
    };

    return cmocka_run_group_tests(tests, make_proc, remove_proc);
}
