/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata from the files of each engine, written here by hand: good ones, and hostile ones. */
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

#include "../../runtime/metacache.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD "1111111111111111111111111111111111111111111111111111111111111111"
#define IMAGE "2222222222222222222222222222222222222222222222222222222222222222"
#define SECOND 1000000000ull

static char dir[] = "/tmp/test_engine.XXXXXX";

static void shell(const char *what, const char *path)
{
    char cmd[400];

    snprintf(cmd, sizeof(cmd), "%s '%s/%s'", what, dir, path);
    assert_int_equal(system(cmd), 0);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    shell("rm -rf", "");
    return 0;
}

static int empty_dir(void **state)
{
    (void)state;
    shell("rm -rf", "root");
    shell("mkdir", "root");
    return 0;
}

static void put(const char *path, const char *text)
{
    char full[400], parent[300];
    FILE *f;

    snprintf(parent, sizeof(parent), "root/%.*s", (int)(strrchr(path, '/') - path), path);
    shell("mkdir -p", parent);
    snprintf(full, sizeof(full), "%s/root/%s", dir, path);
    f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static struct metacache *cache_of(enum engine_id engine, uint64_t wait_ns)
{
    static char root[64];
    struct metacache_options o = {.wait_ns = wait_ns};

    snprintf(root, sizeof(root), "%s/root", dir);
    for (unsigned e = 0; e < ENGINE_COUNT; e++)
        o.root[o.nroot++] = (struct metacache_root){(enum engine_id)e,
                                                    e == (unsigned)engine ? root : "/nonexistent"};
    return metacache_new(&o);
}

struct expected {
    enum field_id field;
    const char *name; /* the argument, or "" */
    const char *text; /* NULL: absent; "?": unknown. Of a boolean: "true", "false" */
};

static void expect(const struct meta *m, const struct expected *w)
{
    char buf[META_POOL];
    struct fmt t = fmt_in(buf, sizeof(buf));
    struct val v = meta_get(m, w->field, -1, w->name, &t);
    const char *name = catalog_field(w->field)->name;

    if (!w->text || strcmp(w->text, "?") == 0) {
        if (v.state != (w->text ? ST_UNKNOWN : ST_ABSENT))
            fail_msg("%s[%s]: state %d, \"%.*s\"", name, w->name, v.state, (int)v.len,
                     v.text ? v.text : "");
        return;
    }
    if (v.state == ST_PRESENT && v.base == BASE_BOOL)
        v = v.num ? val_text("true", 4) : val_text("false", 5);
    if (v.state != ST_PRESENT || v.len != strlen(w->text) || memcmp(v.text, w->text, v.len) != 0)
        fail_msg("%s[%s]: expected \"%s\", got \"%.*s\" (state %d)", name, w->name, w->text,
                 (int)v.len, v.text ? v.text : "", v.state);
}

static void expect_all(enum engine_id engine, enum container_kind kind, const char *id,
                       const struct expected *rows, size_t n)
{
    struct metacache *c = cache_of(engine, SECOND);
    struct meta_key k = metacache_find(c, kind, id, strlen(id), 1);
    enum engine_id who;

    assert_int_equal(metacache_state(c, k), META_KNOWN);
    for (size_t i = 0; i < n; i++)
        expect(metacache_get(c, k, &who), &rows[i]);
    assert_int_equal(who, engine);
    metacache_free(c);
}
#define EXPECT(engine, kind, id, rows)                                                             \
    expect_all(engine, kind, id, rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- podman ---- */

#define PODMAN_LIST                                                                                \
    "[{\"id\":\"" OTHER "\",\"names\":[\"other\"],\"image\":\"" IMAGE "\",\"metadata\":\"{}\"},"   \
    "{\"names\":[\"web1\",\"second\"],\"image\":\"" IMAGE "\",\"layer\":\"x\",\"metadata\":"       \
    "\"{\\\"image-name\\\":\\\"localhost:5000/a/bb:1\\\",\\\"name\\\":\\\"web1\\\","               \
    "\\\"created-at\\\":17}\",\"created\":\"2026-11-27T09:02:32.9Z\",\"flags\":{\"MountLabel\":"   \
    "\"\"},\"id\":\"" ID "\"}]"
#define PODMAN_CONFIG                                                                              \
    "{\"ociVersion\":\"1.0.2\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\","          \
    "\"source\":\"proc\"},{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"/srv/x\","     \
    "\"options\":[\"ro\",\"rprivate\",\"rbind\"]},{\"destination\":\"/etc/"                        \
    "hosts\",\"type\":\"bind\","                                                                   \
    "\"source\":\"/run/overlay-containers/" ID "/userdata/hosts\",\"options\":[\"bind\"]}],"       \
    "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\",\"path\":\"/proc/1/ns/"       \
    "ipc\"}]},"                                                                                    \
    "\"annotations\":{\"io.podman.annotations.privileged\":\"TRUE\"}}"

static void test_podman(void **state)
{
    static const struct expected rows[] = {
        {F_container_name, "", "web1"},
        {F_container_image, "", "localhost:5000/a/bb:1"},
        {F_container_image_id, "", IMAGE},
        {F_container_image_repository, "", "localhost:5000/a/bb"},
        {F_container_image_tag, "", "1"},
        {F_container_image_digest, "", "sha256:d1"},
        {F_container_privileged, "", "true"},
        {F_container_host_pid, "", "false"},
        {F_container_host_network, "", "true"},
        {F_container_host_ipc, "", "false"},
        {F_container_mounts, "", "/srv/x:/data::false:rprivate"},
        {F_container_mount, "0", "/srv/x:/data::false:rprivate"},
        {F_container_mount, "1", NULL},
        {F_container_mount, "/srv*", "/srv/x:/data::false:rprivate"},
        {F_container_mount_source, "/data", "/srv/x"},
        {F_container_mount_source, "/srv/x", NULL},
        {F_container_mount_dest, "/srv/?", "/data"},
        {F_container_mount_rdwr, "/data", "false"},
        {F_container_mount_mode, "/data", ""},
        {F_container_mount_propagation, "0", "rprivate"},
        {F_container_label, "app", NULL},
        {F_container_labels, "", NULL},
        {F_container_ip, "", NULL},
        {F_k8s_pod_name, "", NULL},
    };

    (void)state;
    put("overlay-containers/containers.json", PODMAN_LIST);
    put("overlay-containers/" ID "/userdata/config.json", PODMAN_CONFIG);
    put("overlay-images/images.json", "[{\"id\":\"x\",\"digest\":\"sha256:d0\"},{\"id\":\"" IMAGE
                                      "\",\"digest\":\"sha256:d1\",\"names\":[\"a\"]}]");
    EXPECT(ENGINE_PODMAN, CONTAINER_PODMAN, ID, rows);
}

/* Another storage driver, a container that is removed when it ends, its files half in each root. */
static void test_podman_volatile(void **state)
{
    static const struct expected rows[] = {
        {F_container_name, "", "web1"},
        {F_container_image_tag, "", "1"},
        {F_container_privileged, "", NULL},
        {F_container_image_digest, "", NULL},
    };

    (void)state;
    put("vfs-containers/containers.json", "[]");
    put("vfs-containers/volatile-containers.json", PODMAN_LIST);
    EXPECT(ENGINE_PODMAN, CONTAINER_PODMAN, ID, rows);
}

/* ---- docker ---- */

#define DOCKER_CONFIG(image)                                                                       \
    "{\"StreamConfig\":{},\"State\":{\"Running\":true,\"Pid\":77,\"Error\":\"\"},\"ID\":\"" ID     \
    "\","                                                                                          \
    "\"Image\":\"sha256:" IMAGE "\",\"NetworkSettings\":{\"Networks\":{\"bridge\":{\"IPAddress\":" \
    "\"172.17.0.2\"}}},\"Name\":\"/web2\",\"Driver\":\"overlay2\",\"MountPoints\":{\"/data\":{"    \
    "\"Source\":\"/srv/y\",\"Destination\":\"/"                                                    \
    "data\",\"RW\":true,\"Type\":\"bind\",\"Relabel\":\"z\","                                      \
    "\"Propagation\":\"rprivate\"},\"/b\":{\"Source\":\"/b\",\"Destination\":\"/"                  \
    "b\",\"RW\":false}},"                                                                          \
    "\"Config\":{\"Hostname\":\"x\",\"Image\":\"" image                                            \
    "\",\"Labels\":{\"zeta\":\"1\",\"app\":\"web\","                                               \
    "\"io.kubernetes.pod.name\":\"p\",\"io.kubernetes.pod.namespace\":\"ns\","                     \
    "\"io.kubernetes.pod.uid\":\"u-1\",\"io.kubernetes.sandbox.id\":\"" POD "\"}}}"
#define DOCKER_HOST                                                                                \
    "{\"NetworkMode\":\"host\",\"Privileged\":false,\"PidMode\":\"\",\"IpcMode\":\"private\"}"

static void test_docker(void **state)
{
    static const struct expected rows[] = {
        {F_container_name, "", "web2"},
        {F_container_image, "", "bb"},
        {F_container_image_repository, "", "bb"},
        {F_container_image_tag, "", "latest"},
        {F_container_image_id, "", IMAGE},
        {F_container_image_digest, "", "sha256:d2"},
        {F_container_privileged, "", "false"},
        {F_container_host_network, "", "true"},
        {F_container_host_pid, "", "false"},
        {F_container_ip, "", "172.17.0.2"},
        {F_container_mounts, "", "/srv/y:/data:z:true:rprivate,/b:/b::false:"},
        {F_container_mount_mode, "/data", "z"},
        {F_container_label, "app", "web"},
        {F_container_label, "none", NULL},
        {F_container_labels, "",
         "app:web, io.kubernetes.pod.name:p, io.kubernetes.pod.namespace:ns, "
         "io.kubernetes.pod.uid:u-1, io.kubernetes.sandbox.id:" POD ", zeta:1"},
        {F_k8s_pod_name, "", "p"},
        {F_k8s_ns_name, "", "ns"},
        {F_k8s_pod_uid, "", "u-1"},
        {F_k8s_pod_id, "", "u-1"},
        {F_k8s_pod_sandbox_id, "", "111111111111"},
        {F_k8s_pod_full_sandbox_id, "", POD},
        {F_k8s_pod_labels, "", NULL},
    };

    (void)state;
    put("containers/" ID "/config.v2.json", DOCKER_CONFIG("bb"));
    put("containers/" ID "/hostconfig.json", DOCKER_HOST);
    put("image/overlay2/repositories.json",
        "{\"Repositories\":{\"bb\":{\"bb:1\":\"sha256:" IMAGE "\",\"bb@sha256:d2\":\"sha256:" IMAGE
        "\"},\"cc\":{\"cc@sha256:d3\":\"sha256:" OTHER "\"}}}");
    EXPECT(ENGINE_DOCKER, CONTAINER_DOCKER, ID, rows);
    EXPECT(ENGINE_DOCKER, CONTAINER_BARE, ID, rows);
}

/* An image that was asked for by its id has the name that the engine has for it, if any. */
static void test_docker_image_id(void **state)
{
    static const struct expected named[] = {{F_container_image, "", "bb:1"},
                                            {F_container_image_repository, "", "bb"}};
    static const struct expected bare[] = {{F_container_image, "", "sha256:" IMAGE},
                                           {F_container_image_repository, "", NULL},
                                           {F_container_image_tag, "", NULL}};

    (void)state;
    put("containers/" ID "/config.v2.json", DOCKER_CONFIG("sha256:" IMAGE));
    put("containers/" ID "/hostconfig.json", DOCKER_HOST);
    EXPECT(ENGINE_DOCKER, CONTAINER_DOCKER, ID, bare);
    put("image/overlay2/repositories.json",
        "{\"Repositories\":{\"bb\":{\"bb:1\":\"sha256:" IMAGE "\"}}}");
    EXPECT(ENGINE_DOCKER, CONTAINER_DOCKER, ID, named);
}

/* ---- containerd, CRI-O ---- */

#define TASKS "io.containerd.runtime.v2.task/"
#define OCI_NAMESPACES                                                                             \
    "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\",\"path\":\"/proc/5/ns/ipc\"},{\"type\":" \
    "\"network\",\"path\":\"/proc/5/ns/net\"},{\"type\":\"mount\"}]"
#define OCI_PLAIN                                                                                  \
    "\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true," \
    "\"type\":\"c\",\"major\":1,\"access\":\"rwm\"}]}," OCI_NAMESPACES                             \
    ",\"maskedPaths\":[\"/proc/kcore\"]}"
#define OCI_PRIVILEGED                                                                             \
    "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]}},\"linux\":{"  \
    "\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}," OCI_NAMESPACES "}"

static void test_kubernetes(void **state)
{
    static const struct expected rows[] = {
        {F_container_name, "", "web"},
        {F_container_image, "", "docker.io/library/nginx:1.25@sha256:d3"},
        {F_container_image_repository, "", "docker.io/library/nginx"},
        {F_container_image_tag, "", "1.25"},
        {F_container_image_digest, "", "sha256:d3"},
        {F_container_privileged, "", "false"},
        {F_container_host_pid, "", "false"},
        {F_container_host_network, "", NULL}, /* that of the pod, which may be the host's */
        {F_container_mounts, "", "/var/lib/kubelet/pods/u/v:/v::true:private"},
        {F_k8s_pod_name, "", "web-0"},
        {F_k8s_ns_name, "", "default"},
        {F_k8s_pod_uid, "", "u-2"},
        {F_k8s_pod_full_sandbox_id, "", POD},
    };

    (void)state;
    put(TASKS "k8s.io/" ID "/config.json",
        "{\"mounts\":[{\"destination\":\"/v\",\"source\":\"/var/lib/kubelet/pods/u/v\",\"type\":"
        "\"bind\",\"options\":[\"rbind\",\"rprivate\",\"rw\"]},{\"destination\":\"/dev/"
        "shm\",\"type\":"
        "\"bind\",\"source\":\"/run/containerd/sandboxes/" POD "/shm\",\"options\":[\"rbind\"]}],"
        "\"annotations\":{\"io.kubernetes.cri.container-name\":\"web\","
        "\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.image-name\":"
        "\"docker.io/library/nginx:1.25@sha256:d3\",\"io.kubernetes.cri.sandbox-id\":\"" POD "\","
        "\"io.kubernetes.cri.sandbox-name\":\"web-0\",\"io.kubernetes.cri.sandbox-namespace\":"
        "\"default\",\"io.kubernetes.cri.sandbox-uid\":\"u-2\"}," OCI_PLAIN "}");
    EXPECT(ENGINE_CONTAINERD, CONTAINER_CRI, ID, rows);
    EXPECT(ENGINE_CONTAINERD, CONTAINER_BARE, ID, rows);
}

/* `ctr run`: no names but the id, in whatever namespace. */
static void test_containerd(void **state)
{
    static const struct expected rows[] = {
        {F_container_name, "", "mine"},
        {F_container_image, "", NULL},
        {F_container_image_repository, "", NULL},
        {F_container_privileged, "", "true"},
        {F_k8s_pod_name, "", NULL},
    };

    (void)state;
    put(TASKS "moby/x/config.json", "{}");
    put(TASKS "custom/mine/config.json", "{" OCI_PRIVILEGED "}");
    EXPECT(ENGINE_CONTAINERD, CONTAINER_CONTAINERD, "mine", rows);
}

static void test_crio(void **state)
{
    static const struct expected rows[] = {
        {F_container_name, "", "web"},
        {F_container_image, "", "quay.io/a/b:2"},
        {F_container_image_repository, "", "quay.io/a/b"},
        {F_container_image_digest, "", "sha256:d4"},
        {F_container_privileged, "", "true"},
        {F_container_label, "io.kubernetes.container.name", "web"},
        {F_container_label, "tier", NULL},
        {F_container_ip, "", "10.0.0.7"},
        {F_k8s_pod_name, "", "p-9"},
        {F_k8s_ns_name, "", "prod"},
        {F_k8s_pod_uid, "", "u-9"},
        {F_k8s_pod_ip, "", "10.0.0.7"},
        {F_k8s_pod_label, "tier", "front"},
        {F_k8s_pod_labels, "", "app:w, tier:front"},
    };

    (void)state;
    put("overlay-containers/" ID "/userdata/config.json",
        "{" OCI_PRIVILEGED ",\"annotations\":{\"io.container.manager\":\"cri-o\","
        "\"io.kubernetes.cri-o.ImageName\":\"quay.io/a/b:2\",\"io.kubernetes.cri-o.ImageRef\":"
        "\"quay.io/a/b@sha256:d4\",\"io.kubernetes.cri-o.SandboxID\":\"" POD "\","
        "\"io.kubernetes.container.name\":\"web\",\"io.kubernetes.cri-o.Labels\":"
        "\"{\\\"io.kubernetes.container.name\\\":\\\"web\\\",\\\"io.kubernetes.pod.name\\\":"
        "\\\"p-9\\\",\\\"io.kubernetes.pod.namespace\\\":\\\"prod\\\","
        "\\\"io.kubernetes.pod.uid\\\":\\\"u-9\\\"}\"}}");
    put("overlay-containers/" POD "/userdata/config.json",
        "{" OCI_PLAIN ",\"annotations\":{\"io.kubernetes.cri-o.Labels\":"
        "\"{\\\"tier\\\":\\\"front\\\",\\\"app\\\":\\\"w\\\"}\",\"io.kubernetes.cri-o.IP.0\":"
        "\"10.0.0.7\",\"io.kubernetes.container.name\":\"POD\"}}");
    EXPECT(ENGINE_CRIO, CONTAINER_CRIO, ID, rows);
}

/* ---- hostile ---- */

static enum meta_state look(enum engine_id engine, enum container_kind kind)
{
    struct metacache *c = cache_of(engine, SECOND);
    enum meta_state s = metacache_state(c, metacache_find(c, kind, ID, 64, 1));

    metacache_free(c);
    return s;
}

/* Each of these in place of docker's config: nothing is known, nothing hangs or is followed. */
static void test_hostile_files(void **state)
{
    static const char *const makes[] = {
        "mkdir", "mkfifo", "ln -s /tmp/test_engine.elsewhere", "ln -s /dev/zero", "touch",
    };
    static const char *const texts[] = {
        "{",
        "{}",
        "[]",
        "null",
        "{\"ID\":\"" OTHER "\",\"Name\":\"/x\"}",
        "{\"ID\":\"" ID "\",\"Name\":\"/x\"",
        "{\"ID\":\"" ID "\",\"Name\":\"/x\"}}",
        "{\"ID\":\"" ID "\",\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
    };
    const char *path = "root/containers/" ID "/config.v2.json";
    FILE *f = fopen("/tmp/test_engine.elsewhere", "w");

    (void)state;
    assert_non_null(f);
    fputs(DOCKER_CONFIG("bb"), f);
    fclose(f);
    put("containers/" ID "/hostconfig.json", DOCKER_HOST);
    for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
        shell("rm -rf", path);
        shell(makes[i], path);
        assert_int_equal(look(ENGINE_DOCKER, CONTAINER_DOCKER), META_PENDING);
    }
    shell("rm -rf", path);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        put("containers/" ID "/config.v2.json", texts[i]);
        assert_int_equal(look(ENGINE_DOCKER, CONTAINER_DOCKER), META_PENDING);
    }
    put("containers/" ID "/config.v2.json", DOCKER_CONFIG("bb"));
    assert_int_equal(look(ENGINE_DOCKER, CONTAINER_DOCKER), META_KNOWN);
    unlink("/tmp/test_engine.elsewhere");
}

/* A directory above the file is a link, or the id leads elsewhere. */
static void test_links(void **state)
{
    struct metacache *c;

    (void)state;
    put("real/" ID "/config.v2.json", DOCKER_CONFIG("bb"));
    put("real/" ID "/hostconfig.json", DOCKER_HOST);
    shell("ln -s real", "root/containers");
    assert_int_equal(look(ENGINE_DOCKER, CONTAINER_DOCKER), META_PENDING);
    put(TASKS "ns/config.json", "{}");
    put(TASKS "config.json", "{}");
    c = cache_of(ENGINE_CONTAINERD, SECOND);
    assert_int_equal(metacache_state(c, metacache_find(c, CONTAINER_CONTAINERD, "..", 2, 1)),
                     META_NOBODY);
    assert_int_equal(metacache_state(c, metacache_find(c, CONTAINER_CONTAINERD, ".", 1, 1)),
                     META_NOBODY);
    assert_int_equal(metacache_state(c, metacache_find(c, CONTAINER_CONTAINERD, "a/b", 3, 1)),
                     META_NOBODY);
    metacache_free(c);
}

/* More labels and mounts than there is room for: what was cut away is unknown, not absent. */
static void test_too_much(void **state)
{
    static char text[400000];
    static const struct expected rows[] = {
        {F_container_name, "", "web"},     {F_container_label, "k0", "v"},
        {F_container_label, "none", "?"},  {F_container_image, "", "bb"},
        {F_container_mount, "/none", "?"}, {F_container_ip, "", "?"},
        {F_k8s_pod_name, "", "?"},
    };
    size_t n = (size_t)snprintf(text, sizeof(text),
                                "{\"ID\":\"" ID "\",\"Name\":\"web\",\"Config\":{\"Image\":\"bb\","
                                "\"Labels\":{\"k\":\"v\"");

    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, ",\"k%u\":\"v\"", i);
    n += (size_t)snprintf(text + n, sizeof(text) - n, "}},\"MountPoints\":{\"m\":{}");
    for (unsigned i = 0; i < 200; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, ",\"m%u\":{\"Source\":\"%0900u\"}", i, i);
    snprintf(text + n, sizeof(text) - n, "}}");
    put("containers/" ID "/config.v2.json", text);
    put("containers/" ID "/hostconfig.json", DOCKER_HOST);
    EXPECT(ENGINE_DOCKER, CONTAINER_DOCKER, ID, rows);
}

/* A file beyond the bound is as if it were not whole. */
static void test_huge_file(void **state)
{
    (void)state;
    put("overlay-containers/containers.json", PODMAN_LIST);
    assert_int_equal(look(ENGINE_PODMAN, CONTAINER_PODMAN), META_KNOWN);
    shell("truncate -s 9M", "root/overlay-containers/containers.json");
    assert_int_equal(look(ENGINE_PODMAN, CONTAINER_PODMAN), META_PENDING);
}

/* ---- the cache ---- */

static void test_pending(void **state)
{
    struct metacache *c = cache_of(ENGINE_PODMAN, SECOND / 2);
    struct meta_key late, never;
    enum engine_id who;

    (void)state;
    late = metacache_find(c, CONTAINER_PODMAN, ID, 64, 1);
    never = metacache_find(c, CONTAINER_PODMAN, OTHER, 64, 1);
    assert_int_equal(metacache_state(c, late), META_PENDING);
    assert_int_equal(metacache_holds(c, late, 1), 0);
    assert_int_equal(metacache_pending(c), 2);
    assert_false(metacache_retry(c, SECOND / 100));
    put("overlay-containers/containers.json",
        "[{\"id\":\"" ID "\",\"names\":[\"n\"],\"image\":\"" IMAGE "\"}]");
    assert_int_equal(metacache_state(c, metacache_find(c, CONTAINER_PODMAN, ID, 64, SECOND / 90)),
                     META_PENDING); /* not looked for at each question */
    assert_true(metacache_retry(c, SECOND / 10));
    assert_int_equal(metacache_state(c, late), META_KNOWN);
    expect(metacache_get(c, late, &who), &(struct expected){F_container_name, "", "n"});
    assert_int_equal(metacache_state(c, never), META_PENDING);
    assert_false(metacache_retry(c, SECOND / 9));
    assert_true(metacache_retry(c, SECOND / 2 + 1));
    assert_int_equal(metacache_state(c, never), META_NOBODY);
    assert_int_equal(metacache_pending(c), 0);
    assert_int_equal(metacache_stats(c)->known, 1);
    assert_int_equal(metacache_stats(c)->waited, 1);
    assert_int_equal(metacache_stats(c)->expired, 1);
    metacache_free(c);
}

/* Who was not known is looked for again after a second, without waiting. */
static void test_again(void **state)
{
    struct metacache *c = cache_of(ENGINE_PODMAN, 0);
    struct meta_key k = metacache_find(c, CONTAINER_PODMAN, ID, 64, 1);

    (void)state;
    assert_int_equal(metacache_state(c, k), META_NOBODY);
    put("overlay-containers/containers.json", PODMAN_LIST);
    metacache_find(c, CONTAINER_PODMAN, ID, 64, SECOND / 2);
    assert_int_equal(metacache_state(c, k), META_NOBODY);
    assert_int_equal(metacache_holds(c, k, SECOND / 2), SECOND / 2 + 1);
    assert_int_equal(metacache_holds(c, k, SECOND * 2), 0);
    metacache_find(c, CONTAINER_PODMAN, ID, 64, SECOND * 2);
    assert_int_equal(metacache_state(c, k), META_KNOWN);
    assert_true(metacache_holds(c, k, SECOND * 2) == UINT64_MAX);
    metacache_free(c);
}

/* What is known stays known when the container's files are gone. */
static void test_removed(void **state)
{
    static const struct expected name = {F_container_name, "", "web1"};
    struct metacache *c = cache_of(ENGINE_PODMAN, SECOND);
    enum engine_id who;
    struct meta_key k;

    (void)state;
    put("overlay-containers/containers.json", PODMAN_LIST);
    metacache_find(c, CONTAINER_PODMAN, ID, 64, 1);
    put("overlay-containers/containers.json", "[]");
    k = metacache_find(c, CONTAINER_PODMAN, ID, 64, SECOND * 100);
    assert_int_equal(metacache_state(c, k), META_KNOWN);
    expect(metacache_get(c, k, &who), &name);
    assert_int_equal(metacache_stats(c)->reads, 1);
    metacache_free(c);
}

/* An id that people choose can be used again, for another container. */
static void test_used_again(void **state)
{
    static const struct expected first = {F_container_image, "", "a:1"},
                                 second = {F_container_image, "", "b:2"};
    const char *path = TASKS "default/job/config.json";
    struct metacache *c = cache_of(ENGINE_CONTAINERD, SECOND);
    enum engine_id who;
    struct meta_key k;

    (void)state;
    put(path, "{\"annotations\":{\"io.kubernetes.cri.image-name\":\"a:1\"}}");
    k = metacache_find(c, CONTAINER_CONTAINERD, "job", 3, 1);
    expect(metacache_get(c, k, &who), &first);
    assert_int_equal(metacache_holds(c, k, 1), 0);
    put(path, "{\"annotations\":{\"io.kubernetes.cri.image-name\":\"b:2\"}}");
    k = metacache_find(c, CONTAINER_CONTAINERD, "job", 3, 2);
    expect(metacache_get(c, k, &who), &second);
    put(path, "{\"annotations\"");
    k = metacache_find(c, CONTAINER_CONTAINERD, "job", 3, 3);
    expect(metacache_get(c, k, &who), &second);
    metacache_free(c);
}

static struct meta_key find_number(struct metacache *c, unsigned i)
{
    char id[65];

    snprintf(id, sizeof(id), "%064x", i);
    return metacache_find(c, CONTAINER_PODMAN, id, 64, 1);
}

/* More containers than places: the one not asked for longest goes, and its handle is stale. */
static void test_evict(void **state)
{
    struct metacache *c = cache_of(ENGINE_PODMAN, 0);
    struct meta_key first = find_number(c, 0), second = find_number(c, 1), again;

    (void)state;
    for (unsigned i = 2; i < METACACHE_SIZE; i++)
        find_number(c, i);
    again = find_number(c, 0);
    assert_int_equal(again.at, first.at);
    assert_int_equal(again.generation, first.generation);
    again = find_number(c, METACACHE_SIZE);
    assert_int_equal(again.at, second.at);
    assert_true(again.generation != second.generation);
    assert_int_equal(metacache_holds(c, second, 1), 0);
    for (unsigned i = 0; i < 5 * METACACHE_SIZE; i++)
        find_number(c, i);
    assert_true(metacache_stats(c)->evicted > 4ul * METACACHE_SIZE);
    metacache_free(c);
}

/* All are waited for, and one more comes: the count of those that wait stays right. */
static void test_evict_pending(void **state)
{
    struct metacache *c = cache_of(ENGINE_PODMAN, SECOND);
    struct meta_key first = find_number(c, 0);

    (void)state;
    for (unsigned i = 1; i < METACACHE_SIZE + 10; i++)
        find_number(c, i);
    assert_int_equal(metacache_pending(c), METACACHE_SIZE);
    assert_int_equal(metacache_state(c, first), META_NOBODY); /* whoever waits for it is let go */
    assert_true(metacache_retry(c, 2 * SECOND));
    assert_int_equal(metacache_pending(c), 0);
    metacache_free(c);
}

static void test_words(void **state)
{
    (void)state;
    assert_int_equal(engine_by_word("podman", 6), ENGINE_PODMAN);
    assert_int_equal(engine_by_word("cri-o", 5), ENGINE_CRIO);
    assert_int_equal(engine_by_word("podma", 5), ENGINE_COUNT);
    assert_int_equal(engine_by_word("", 0), ENGINE_COUNT);
}

#define TEST(name) cmocka_unit_test_setup(name, empty_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_podman),        TEST(test_podman_volatile),
        TEST(test_docker),        TEST(test_docker_image_id),
        TEST(test_kubernetes),    TEST(test_containerd),
        TEST(test_crio),          TEST(test_hostile_files),
        TEST(test_links),         TEST(test_too_much),
        TEST(test_huge_file),     TEST(test_pending),
        TEST(test_again),         TEST(test_removed),
        TEST(test_used_again),    TEST(test_evict),
        TEST(test_evict_pending), TEST(test_words),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
