/* SPDX-License-Identifier: Apache-2.0 */
/* Reading below an engine's root, where anybody may have put anything. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine.h"

#define NAMES_MAX 64 /* of a directory's */

struct kernel_dirent {
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
};

int engine_open_root(const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* No link is followed, nothing outside is reached, and no pipe or device makes us wait. */
static int open_below(int root, const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

    return fd < 0 ? -errno : fd;
}

static ssize_t read_all(int fd, char *to, size_t cap)
{
    size_t len = 0;
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    while (len < cap && (n = read(fd, to + len, cap - len)) != 0) {
        if (n < 0)
            return -errno;
        len += (size_t)n;
    }
    return len == cap ? -EFBIG : (ssize_t)len;
}

ssize_t engine_read(const struct engine_look *l, const char *path)
{
    int fd = open_below(l->root, path, 0);
    ssize_t n;

    if (fd < 0)
        return fd;
    n = read_all(fd, l->io->bytes, sizeof(l->io->bytes));
    close(fd);
    return n;
}

int engine_parse(const struct engine_look *l, const char *path,
                 void (*put)(void *ctx, const struct jread *j, enum jread_kind kind), void *ctx)
{
    ssize_t n = engine_read(l, path);

    return n < 0 ? (int)n : jread_run(&l->io->json, l->io->bytes, (size_t)n, put, ctx);
}

/* getdents64(2) itself: readdir(3) allocates. */
int engine_list(const struct engine_look *l, const char *path, char *names, size_t cap)
{
    _Alignas(8) char buf[4096];
    int fd = open_below(l->root, path, O_DIRECTORY), count = 0;
    size_t used = 0;
    long n;

    if (fd < 0)
        return fd;
    while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
        for (long at = 0; at < n;) {
            const struct kernel_dirent *d = (const void *)(buf + at);
            size_t len = strlen(d->name) + 1;

            at += d->len;
            if (d->name[0] == '.' || len > cap - used || count == NAMES_MAX)
                continue;
            memcpy(names + used, d->name, len);
            used += len;
            count++;
        }
    close(fd);
    return count;
}
