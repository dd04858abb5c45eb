/* SPDX-License-Identifier: Apache-2.0 */
#include "seed.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "seed_exe.h"
#include "seed_group.h"

/* Reads a file of the process whole, or its beginning; a NUL follows. Length, or -errno. */
static ssize_t read_file(const struct seed *s, int pid, const char *name, char *buf, size_t cap)
{
    char path[320];
    size_t len = 0;
    int fd;

    snprintf(path, sizeof(path), "%s/%d/%s", s->proc, pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    while (len < cap - 1) {
        ssize_t n = read(fd, buf + len, cap - 1 - len);

        if (n <= 0)
            break;
        len += (size_t)n;
    }
    close(fd);
    buf[len] = '\0';
    return (ssize_t)len;
}

/* The n-th word from `at`, as a number. */
static unsigned long long stat_field(const char *at, unsigned n)
{
    for (; *at && n; n--) {
        at += strspn(at, " ");
        at += strcspn(at, " ");
    }
    return strtoull(at, NULL, 10);
}

/* Fields of /proc/PID/stat are counted behind the name, which may hold blanks and parentheses. */
enum { STAT_PGRP = 2, STAT_TTY = 4, STAT_START = 19 };

static bool read_stat(const struct seed *s, int pid, struct proc_state *out)
{
    char buf[1024], *at;

    if (read_file(s, pid, "stat", buf, sizeof(buf)) <= 0)
        return false;
    at = strrchr(buf, ')');
    if (!at++)
        return false;
    out->tty = (__u32)stat_field(at, STAT_TTY);
    out->pgid = (__s32)stat_field(at, STAT_PGRP);
    out->start_ts =
        s->boot_offset_ns +
        stat_field(at, STAT_START) * (1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK));
    return true;
}

/* The last number of a line `KEY: a b c`: the one in the innermost pid namespace. */
static __s32 last_number(const char *status, const char *key, __s32 otherwise)
{
    const char *line = strstr(status, key);
    __s32 value = otherwise;
    char *end;

    if (!line)
        return otherwise;
    for (line += strlen(key);; line = end) {
        long v = strtol(line, &end, 10);

        if (end == line || (memchr(line, '\n', (size_t)(end - line)) != NULL))
            return value;
        value = (__s32)v;
    }
}

static void read_ids(const struct seed *s, int pid, const char *status, struct proc_state *out)
{
    char buf[32];

    out->vpid = last_number(status, "\nNSpid:", pid);
    out->vpgid = last_number(status, "\nNSpgid:", out->pgid);
    out->sid = last_number(status, "\nNSsid:", 0);
    out->loginuid = 0xffffffffu;
    if (read_file(s, pid, "loginuid", buf, sizeof(buf)) > 0)
        out->loginuid = (__u32)strtoul(buf, NULL, 10);
}

/* argv[0], NUL, the other arguments joined by blanks: as state_live.h has it. */
static void read_args(const struct seed *s, int pid, struct seeded *to)
{
    struct proc_state *out = &to->st;
    char buf[ARGS_CAP + 2];
    ssize_t n = read_file(s, pid, "cmdline", buf, sizeof(buf));
    size_t len;

    out->args_state = n < 0 ? ST_UNKNOWN : n > ARGS_CAP ? ST_CUT : ST_PRESENT;
    if (n <= 0)
        return;
    len = n > ARGS_CAP ? ARGS_CAP - 1 : (size_t)n - (buf[n - 1] == '\0');
    memcpy(to->args, buf, len);
    out->exe_len = (__u32)strnlen(to->args, len);
    out->args_len = (__u32)len;
    for (size_t i = out->exe_len; i < len; i++)
        if (to->args[i] == '\0') {
            out->nargs++;
            to->args[i] = i == out->exe_len ? '\0' : ' ';
        }
    if (len > ARGS_INLINE)
        out->args_class = text_class(out->args_len);
    else
        memcpy(out->args, to->args, len);
}

static void read_name(const struct seed *s, int pid, struct proc_state *out)
{
    char buf[64];
    ssize_t n = read_file(s, pid, "comm", buf, sizeof(buf));

    if (n > 0 && buf[n - 1] == '\n')
        n--;
    if (n > COMM_SIZE - 1)
        n = COMM_SIZE - 1;
    if (n > 0)
        memcpy(out->comm, buf, (size_t)n);
}

void seed_init(struct seed *s, const char *proc, __u64 boot_offset_ns)
{
    s->proc = proc;
    s->boot_offset_ns = boot_offset_ns;
    seed_find_cgroup2(proc, s->cgroup2, sizeof(s->cgroup2));
}

int seed_read(const struct seed *s, int pid, struct seeded *to)
{
    char status[8192], groups[8192];
    struct proc_state *out = &to->st;

    memset(to, 0, sizeof(*to));
    out->env_state = ST_UNKNOWN;
    if (!read_stat(s, pid, out) || read_file(s, pid, "status", status, sizeof(status)) <= 0)
        return -ESRCH;
    read_name(s, pid, out);
    read_ids(s, pid, status, out);
    read_args(s, pid, to);
    seed_exe(s->proc, pid, status, out);
    out->container_state = ST_UNKNOWN;
    if (read_file(s, pid, "cgroup", groups, sizeof(groups)) > 0)
        seed_container(groups, s->cgroup2, out);
    return 0;
}

void seed_env(const struct seed *s, int pid, struct seeded *out)
{
    char buf[ENV_CAP + 2];
    ssize_t n = read_file(s, pid, "environ", buf, sizeof(buf));

    out->st.env_len = out->st.env_class = 0;
    out->st.env_state = n < 0 ? ST_UNKNOWN : n > ENV_CAP ? ST_CUT : ST_PRESENT;
    if (n <= 0)
        return;
    out->st.env_len = n > ENV_CAP ? ENV_CAP - 1 : (__u32)n - (buf[n - 1] == '\0');
    memcpy(out->env, buf, out->st.env_len);
    out->st.env_class = out->st.env_len ? text_class(out->st.env_len) : 0;
}

static bool put(int map, int pidfd, const void *value)
{
    return bpf_map_update_elem(map, &pidfd, value, BPF_NOEXIST) == 0 || errno == EEXIST;
}

/* A text into the map of its class, if that is filled. */
static bool put_text(const int maps[TEXT_CLASSES], __u8 class, int pidfd, const char *text)
{
    struct text4 value = {0}; /* the largest; the kernel takes as much of it as the map's has */

    if (class == 0 || maps[class - 1] < 0)
        return true;
    memcpy(value.text, text, sizeof(value.text));
    return put(maps[class - 1], pidfd, &value);
}

/* The texts first: who finds the state finds them. */
static bool put_all(const struct state_maps *m, int pidfd, const struct seeded *p)
{
    return put_text(m->args, p->st.args_class, pidfd, p->args) &&
           put_text(m->envs, p->st.env_class, pidfd, p->env) && put(m->procs, pidfd, &p->st);
}

/*
 * Reads a process that is not known and puts its state into the maps, if it is still the same one
 * afterwards. True: that was done.
 */
static bool seed_one(const struct seed *s, const struct state_maps *m, int pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct seeded p;
    bool done;

    if (pidfd < 0)
        return false;
    done = bpf_map_lookup_elem(m->procs, &pidfd, &p.st) != 0 && seed_read(s, pid, &p) == 0;
    if (done && m->envs[0] >= 0)
        seed_env(s, pid, &p);
    done = done && syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0;
    done = done && put_all(m, pidfd, &p);
    close(pidfd);
    return done;
}

static int seed_pass(const struct seed *s, const struct state_maps *m)
{
    DIR *dir = opendir(s->proc);
    struct dirent *e;
    int n = 0;

    if (!dir)
        return -errno;
    while ((e = readdir(dir)) != NULL)
        if (isdigit((unsigned char)e->d_name[0]))
            n += seed_one(s, m, (int)strtol(e->d_name, NULL, 10));
    closedir(dir);
    return n;
}

int seed_all(const struct seed *s, const struct state_maps *m)
{
    int all = 0, n = 1;

    for (int pass = 0; pass < SEED_PASSES && n > 0; pass++) {
        n = seed_pass(s, m);
        if (n > 0)
            all += n;
    }
    return n < 0 ? n : all;
}
