/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"

#define BLOCK 512u

struct source {
    const char *name;
    const char *text;
    size_t len;
    bool missing;
    /* Made when a place is first asked for: */
    VEC(uint32_t) lines; /* first byte of each line */
    VEC(uint32_t) chars; /* by block of BLOCK bytes: characters that begin before it */
};

struct sources {
    struct arena *arena;
    VEC(struct source) v;
};

struct sources *sources_new(struct arena *a)
{
    struct sources *s = arena_alloc(a, sizeof(*s));
    s->arena = a;
    VEC_PUSH(a, &s->v, (struct source){.name = "", .text = ""});
    return s;
}

static char *copy_text(struct arena *a, const char *text, size_t len)
{
    char *copy = arena_alloc(a, len + 1);
    memcpy(copy, text, len);
    return copy;
}

int source_add(struct sources *s, const char *shown, const char *text, size_t len)
{
    if (len > SOURCE_MAX)
        return -EFBIG;
    return (int)VEC_PUSH(s->arena, &s->v,
                         (struct source){.name = copy_text(s->arena, shown, strlen(shown)),
                                         .text = copy_text(s->arena, text, len),
                                         .len = len});
}

/* Bytes read into `buf` until the end or `cap`, or -errno. */
static ssize_t read_full(int fd, char *buf, size_t cap)
{
    size_t have = 0;
    while (have < cap) {
        ssize_t n = read(fd, buf + have, cap - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : (ssize_t)have;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

/* The whole of `fd`, growing by doubling: pipes and /proc files do not tell their size. */
static int read_all(struct arena *a, int fd, char **text, size_t *len)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (st.st_size > (off_t)SOURCE_MAX)
        return -EFBIG;
    size_t cap = st.st_size > 0 ? (size_t)st.st_size + 1 : 64u << 10;
    char *buf = arena_alloc(a, cap + 1);
    size_t have = 0;
    for (;;) {
        ssize_t n = read_full(fd, buf + have, cap - have);
        if (n < 0)
            return (int)n;
        have += (size_t)n;
        if (have < cap)
            break;
        if (have > SOURCE_MAX)
            return -EFBIG;
        char *more = arena_alloc(a, 2 * cap + 1);
        memcpy(more, buf, have);
        buf = more;
        cap *= 2;
    }
    buf[have] = 0;
    *text = buf;
    *len = have;
    return have > SOURCE_MAX ? -EFBIG : 0;
}

int source_read(struct sources *s, const char *path, const char *shown)
{
    bool std = !strcmp(path, "-");
    int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    struct source src = {.name = copy_text(s->arena, shown, strlen(shown))};
    char *text = NULL;
    int err = read_all(s->arena, fd, &text, &src.len);
    if (!std)
        close(fd);
    if (err)
        return err;
    src.text = text;
    return (int)VEC_PUSH(s->arena, &s->v, src);
}

int source_add_missing(struct sources *s, const char *shown)
{
    int file = source_add(s, shown, "", 0);
    s->v.v[file].missing = true;
    return file;
}

uint32_t source_count(const struct sources *s)
{
    return s->v.n;
}

const char *source_name(const struct sources *s, uint32_t file)
{
    return s->v.v[file].name;
}

const char *source_text(const struct sources *s, uint32_t file, size_t *len)
{
    *len = s->v.v[file].len;
    return s->v.v[file].text;
}

/* Length of the line end that stands at `p`, as libyaml sees it; 0 if there is none. */
static size_t break_at(const char *p, size_t left)
{
    if (p[0] == '\r')
        return left > 1 && p[1] == '\n' ? 2 : 1;
    if (p[0] == '\n')
        return 1;
    if (left > 1 && !memcmp(p, "\xc2\x85", 2))
        return 2;
    return left > 2 && (!memcmp(p, "\xe2\x80\xa8", 3) || !memcmp(p, "\xe2\x80\xa9", 3)) ? 3 : 0;
}

/* Length of the line end that the first `len` bytes of `p` end with. */
static size_t break_before(const char *p, size_t len)
{
    if (p[len - 1] == '\n')
        return len > 1 && p[len - 2] == '\r' ? 2 : 1;
    return p[len - 1] == '\r' ? 1 : p[len - 1] == '\x85' ? 2 : 3;
}

static bool begins_char(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

static void find_lines(struct arena *a, struct source *src)
{
    uint32_t chars = 0;
    VEC_PUSH(a, &src->lines, 0);
    for (size_t i = 0; i < src->len;) {
        size_t n = break_at(src->text + i, src->len - i);
        i += n ? n : 1;
        if (n)
            VEC_PUSH(a, &src->lines, (uint32_t)i);
    }
    for (size_t i = 0; i <= src->len; i++) {
        if (i % BLOCK == 0)
            VEC_PUSH(a, &src->chars, chars);
        chars += i < src->len && begins_char(src->text[i]);
    }
}

/* Characters that begin before `off`. In a line of megabytes nobody counts from its start. */
static uint32_t chars_before(const struct source *src, uint32_t off)
{
    uint32_t n = src->chars.v[off / BLOCK];
    for (uint32_t i = off - off % BLOCK; i < off; i++)
        n += begins_char(src->text[i]);
    return n;
}

/* Index of the line that holds `off`. */
static uint32_t line_index(const struct sources *s, uint32_t file, uint32_t off)
{
    /* The line table is a cache of the text: filling it does not change what `s` means. */
    struct source *src = &s->v.v[file];
    if (!src->lines.n)
        find_lines(s->arena, src);
    uint32_t lo = 0, hi = src->lines.n;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (src->lines.v[mid] <= off)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

/* A byte order mark at the head of a file is no part of its first line. */
static uint32_t line_start(const struct source *src, uint32_t line)
{
    bool mark = line == 0 && src->len >= 3 && !memcmp(src->text, "\xef\xbb\xbf", 3);
    return mark ? 3 : src->lines.v[line];
}

struct place source_place(const struct sources *s, uint32_t file, uint32_t off)
{
    uint32_t line = line_index(s, file, off);
    const struct source *src = &s->v.v[file];
    if (src->missing)
        return (struct place){0, 0};
    uint32_t start = line_start(src, line), end = off < src->len ? off : (uint32_t)src->len;
    uint32_t column = end > start ? chars_before(src, end) - chars_before(src, start) : 0;
    return (struct place){line + 1, column + 1};
}

const char *source_line(const struct sources *s, uint32_t file, uint32_t off, size_t *len,
                        uint32_t *start)
{
    uint32_t line = line_index(s, file, off);
    const struct source *src = &s->v.v[file];
    *start = line_start(src, line);
    size_t end = src->len;
    if (line + 1 < src->lines.n) {
        end = src->lines.v[line + 1];
        end -= break_before(src->text + *start, end - *start);
    }
    *len = end - *start;
    return src->text + *start;
}
