/* SPDX-License-Identifier: Apache-2.0 */
#include "hosts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOSTS_BYTES (256u << 10)
#define RECHECK_NS 1000000000ull

struct hosts {
    char path[256];
    uint64_t checked;
    ino_t ino;
    struct timespec changed;
    size_t len;
    char bytes[HOSTS_BYTES];
};

struct hosts *hosts_new(const char *etc)
{
    struct hosts *h = calloc(1, sizeof(*h)); /* pages that are never written take no memory */

    if (h)
        snprintf(h->path, sizeof(h->path), "%s/hosts", etc);
    return h;
}

void hosts_free(struct hosts *h)
{
    free(h);
}

static void refresh(struct hosts *h)
{
    int fd = open(h->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (st.st_ino != h->ino || st.st_mtim.tv_sec != h->changed.tv_sec ||
         st.st_mtim.tv_nsec != h->changed.tv_nsec)) {
        h->ino = st.st_ino;
        h->changed = st.st_mtim;
        h->len = 0;
        while (h->len < sizeof(h->bytes) &&
               (n = read(fd, h->bytes + h->len, sizeof(h->bytes) - h->len)) > 0)
            h->len += (size_t)n;
    }
    close(fd);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line; comments end it. */
static size_t word(const char **at, const char *end, const char **out)
{
    while (*at < end && blank(**at))
        ++*at;
    *out = *at;
    while (*at < end && !blank(**at) && **at != '#')
        ++*at;
    return (size_t)(*at - *out);
}

static bool is_addr(const char *s, size_t n, const char *addr, size_t len)
{
    char text[INET6_ADDRSTRLEN], bytes[16];

    if (n == 0 || n >= sizeof(text))
        return false;
    memcpy(text, s, n);
    text[n] = '\0';
    return inet_pton(len == 4 ? AF_INET : AF_INET6, text, bytes) == 1 &&
           memcmp(bytes, addr, len) == 0;
}

size_t hosts_find(struct hosts *h, struct hosts_want want, uint64_t now, const char **out)
{
    const char *at = h->bytes, *all;

    if (!h->checked || now - h->checked >= RECHECK_NS) {
        refresh(h);
        h->checked = now ? now : 1;
    }
    all = h->bytes + h->len;
    while (at < all) {
        const char *end = memchr(at, '\n', (size_t)(all - at)), *text;
        size_t n;

        end = end ? end : all;
        n = word(&at, end, &text);
        if (is_addr(text, n, want.addr, want.len))
            while ((n = word(&at, end, out)) > 0)
                if (want.skip-- == 0)
                    return n;
        at = end + 1;
    }
    return 0;
}

uint64_t hosts_until(const struct hosts *h)
{
    return h->checked + RECHECK_NS;
}
