/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as each of the files that engines keep; the first byte picks the engine. Whatever it
 * takes from them, every field of it can be read.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/engine.h"
#include "lib/fuzz.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    int (*read)(const struct engine_look *l, struct meta *m);
    const char *dirs[4], *files[3];
} engines[] = {
    {engine_podman,
     {"overlay-containers", "overlay-containers/" ID, "overlay-containers/" ID "/userdata",
      "overlay-images"},
     {"overlay-containers/containers.json", "overlay-containers/" ID "/userdata/config.json",
      "overlay-images/images.json"}},
    {engine_docker,
     {"containers", "containers/" ID, "image", "image/overlay2"},
     {"containers/" ID "/config.v2.json", "containers/" ID "/hostconfig.json",
      "image/overlay2/repositories.json"}},
    {engine_containerd,
     {"io.containerd.runtime.v2.task", "io.containerd.runtime.v2.task/k8s.io",
      "io.containerd.runtime.v2.task/k8s.io/" ID},
     {"io.containerd.runtime.v2.task/k8s.io/" ID "/config.json"}},
    {engine_crio,
     {"overlay-containers", "overlay-containers/" ID, "overlay-containers/" ID "/userdata"},
     {"overlay-containers/" ID "/userdata/config.json"}},
};

static char dir[] = "/dev/shm/fuzz_engine.XXXXXX";

static void remove_dir(void)
{
    char cmd[64];

    snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
    if (system(cmd) != 0)
        fputs("fuzz_engine: its folder is left\n", stderr);
}

static void put(int root, const char *path, const uint8_t *data, size_t size)
{
    int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        fuzz_fail("%s cannot be written", path);
    close(fd);
}

/* A file's bytes end where the next file's begin: at a NUL. */
static void write_files(int root, unsigned e, const uint8_t *data, size_t size)
{
    for (unsigned i = 0; i < 4 && engines[e].dirs[i]; i++)
        mkdirat(root, engines[e].dirs[i], 0700);
    for (unsigned i = 0; i < 3 && engines[e].files[i]; i++) {
        const uint8_t *end = memchr(data, '\0', size);
        size_t n = end ? (size_t)(end - data) : size;

        put(root, engines[e].files[i], data, n);
        data += n + (end != NULL);
        size -= n + (end != NULL);
    }
}

static void read_fields(const struct meta *m)
{
    static char buf[META_POOL];
    volatile char sum = 0;

    for (unsigned f = 1; f < F_COUNT; f++) {
        struct fmt t = fmt_in(buf, sizeof(buf));
        struct val v = meta_get(m, (enum field_id)f, f % 3 ? -1 : 0, "a*", &t);

        for (uint32_t i = 0; v.text && i < v.len; i++)
            sum = (char)(sum + v.text[i]);
    }
}

void fuzz_one(const uint8_t *data, size_t size)
{
    static struct engine_io io;
    static struct meta m;
    static int root = -1;
    struct engine_look l = {.io = &io, .id = ID};
    unsigned e;

    if (root < 0) {
        if (!mkdtemp(dir) || (root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
            fuzz_fail("no folder in /dev/shm");
        atexit(remove_dir);
    }
    if (size == 0)
        return;
    e = data[0] % (sizeof(engines) / sizeof(engines[0]));
    write_files(root, e, data + 1, size - 1);
    l.root = root;
    meta_clear(&m);
    if (engines[e].read(&l, &m) > 0)
        read_fields(&m);
}
