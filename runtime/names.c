/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Within these times a file that was looked at is not asked again: if it has the id, or has not. */
#define RECHECK_NS 1000000000ull
#define RECHECK_MISS_NS 10000000ull

/* One file as it was when last read. */
struct file {
    dev_t dev;
    ino_t ino;
    struct timespec changed;
    off_t size;
    uint64_t checked;
    uint32_t len;
    char bytes[NAMES_BYTES];
};
struct root {
    char container[64]; /* "" in roots[0]: the host */
    uint64_t used;
    struct file file[2];
};
struct names {
    uint64_t until; /* names_until() */
    char etc[256];
    struct root roots[1 + NAMES_ROOTS];
};

static const char *const base_names[] = {"passwd", "group"};

struct names *names_new(const char *etc)
{
    /* Pages that are never written take no memory. */
    struct names *n = calloc(1, sizeof(*n));

    if (n)
        snprintf(n->etc, sizeof(n->etc), "%s", etc);
    return n;
}

void names_free(struct names *n)
{
    free(n);
}

static bool local_type(const char *type, size_t len)
{
    static const char *const types[] = {"overlay", "ext4",     "xfs",   "btrfs", "tmpfs", "zfs",
                                        "ext3",    "squashfs", "erofs", "f2fs",  "aufs",  "rootfs"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strlen(types[i]) == len && memcmp(types[i], type, len) == 0)
            return true;
    return false;
}

/* Is the process's root a file system whose reads end? From mountinfo: no file there is touched. */
static bool root_is_local(int32_t pid)
{
    char path[64], buf[16384], *line, *save = NULL, mount[8];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, buf, sizeof(buf) - 1);
    close(fd);
    buf[n > 0 ? n : 0] = '\0';
    for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *dash = strstr(line, " - ");

        if (dash && sscanf(line, "%*s %*s %*s %*s %7s", mount) == 1 && strcmp(mount, "/") == 0)
            return local_type(dash + 3, strcspn(dash + 3, " "));
    }
    return false;
}

static int open_in_root(int32_t pid, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS};
    char path[64];
    int root, fd;

    if (!root_is_local(pid))
        return -1;
    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -1;
    snprintf(path, sizeof(path), "etc/%s", name);
    fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
    close(root);
    return fd;
}

static bool unchanged(const struct file *f, const struct stat *st)
{
    return f->dev == st->st_dev && f->ino == st->st_ino && f->size == st->st_size &&
           f->changed.tv_sec == st->st_mtim.tv_sec && f->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static void read_all(struct file *f, int fd)
{
    f->len = 0;
    while (f->len < sizeof(f->bytes)) {
        ssize_t n = read(fd, f->bytes + f->len, sizeof(f->bytes) - f->len);

        if (n <= 0)
            return;
        f->len += (uint32_t)n;
    }
}

/* Reads the file again if it is another than the one kept; keeps what there is if it is gone. */
static void refresh(struct names *n, struct root *root, enum names_kind kind, int32_t pid)
{
    struct file *f = &root->file[kind];
    char path[300];
    struct stat st;
    int fd;

    if (root->container[0]) {
        fd = open_in_root(pid, base_names[kind]);
    } else {
        snprintf(path, sizeof(path), "%s/%s", n->etc, base_names[kind]);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !unchanged(f, &st)) {
        read_all(f, fd);
        f->dev = st.st_dev;
        f->ino = st.st_ino;
        f->size = st.st_size;
        f->changed = st.st_mtim;
    }
    close(fd);
}

/* The container's place, or the least used one made free for it. */
static struct root *root_of(struct names *n, const char *container, uint64_t now)
{
    struct root *oldest = &n->roots[1];

    if (!container[0])
        return &n->roots[0];
    for (unsigned i = 1; i <= NAMES_ROOTS; i++) {
        struct root *r = &n->roots[i];

        if (strcmp(r->container, container) == 0) {
            r->used = now;
            return r;
        }
        if (r->used < oldest->used)
            oldest = r;
    }
    snprintf(oldest->container, sizeof(oldest->container), "%s", container);
    oldest->used = now;
    for (unsigned k = 0; k < 2; k++) {
        oldest->file[k].len = 0;
        oldest->file[k].checked = 0;
        oldest->file[k].ino = 0;
    }
    return oldest;
}

/* Column `want` of a line `a:b:c...`; NULL if the line is shorter. */
static const char *column_at(const char *line, const char *end, unsigned want, size_t *len)
{
    while (want--) {
        line = memchr(line, ':', (size_t)(end - line));
        if (!line)
            return NULL;
        line++;
    }
    *len = (size_t)(end - line);
    for (size_t i = 0; i < *len; i++)
        if (line[i] == ':')
            *len = i;
    return line;
}

static bool is_id(const char *s, size_t len, uint32_t id)
{
    uint64_t v = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9' || v > UINT32_MAX)
            return false;
        v = v * 10 + (uint64_t)(s[i] - '0');
    }
    return len && v == id;
}

static size_t find_in(const struct file *f, uint32_t id, unsigned column, const char **out)
{
    const char *at = f->bytes, *all = f->bytes + f->len;

    while (at < all) {
        const char *end = memchr(at, '\n', (size_t)(all - at)), *col;
        size_t len;

        end = end ? end : all;
        col = column_at(at, end, 2, &len);
        if (col && is_id(col, len, id)) {
            *out = column_at(at, end, column, &len);
            return *out ? len : 0;
        }
        at = end + 1;
    }
    return 0;
}

size_t names_find(struct names *n, enum names_kind kind, const char *container, int32_t pid,
                  uint32_t id, unsigned column, uint64_t now, const char **out)
{
    struct root *root = root_of(n, container, now);
    struct file *f = &root->file[kind];
    uint64_t age = f->checked ? now - f->checked : UINT64_MAX;
    size_t len = age < RECHECK_NS ? find_in(f, id, column, out) : 0;

    if (!len && age >= RECHECK_MISS_NS) {
        refresh(n, root, kind, pid);
        f->checked = now;
        len = find_in(f, id, column, out);
    }
    n->until = f->checked + (len ? RECHECK_NS : RECHECK_MISS_NS);
    return len;
}

uint64_t names_until(const struct names *n)
{
    return n->until;
}
