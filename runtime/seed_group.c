/* SPDX-License-Identifier: Apache-2.0 */
#include "seed_group.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"

void seed_find_cgroup2(const char *proc, char *out, size_t cap)
{
    char path[320], line[1024], mount[256];
    FILE *f;

    out[0] = '\0';
    snprintf(path, sizeof(path), "%s/self/mountinfo", proc);
    f = fopen(path, "re");
    while (f && !out[0] && fgets(line, sizeof(line), f))
        if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %255s", mount) == 1)
            snprintf(out, cap, "%s", mount);
    if (f)
        fclose(f);
}

static bool has_word(const char *list, const char *word, char sep)
{
    size_t n = strlen(word);

    for (const char *at = list; (at = strstr(at, word)) != NULL; at += n)
        if ((at == list || at[-1] == sep) && (at[n] == sep || at[n] == '\0' || at[n] == '\n'))
            return true;
    return false;
}

/* The group of the version 1 hierarchy that has this controller; "" if there is none. */
static const char *v1_path(char *const *lines, unsigned n, const char *controller)
{
    for (unsigned i = 0; i < n; i++) {
        char names[128], *colon = strchr(lines[i], ':');
        size_t len = colon ? strcspn(colon + 1, ":") : 0;

        if (!colon || len == 0 || len >= sizeof(names) || colon[1 + len] != ':')
            continue;
        memcpy(names, colon + 1, len);
        names[len] = '\0';
        if (has_word(names, controller, ','))
            return colon + len + 2;
    }
    return "";
}

static bool lists_controller(const char *dir, const char *controller)
{
    char path[1024], buf[512];
    ssize_t n = 0;
    int fd;

    if ((size_t)snprintf(path, sizeof(path), "%s/cgroup.controllers", dir) >= sizeof(path))
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        n = read(fd, buf, sizeof(buf) - 1);
        close(fd);
    }
    buf[n > 0 ? n : 0] = '\0';
    return has_word(buf, controller, ' ');
}

/* The nearest group of the version 2 hierarchy that has this controller; cuts `path` to it. */
static void v2_path(const char *mount, char *path, const char *controller)
{
    char dir[768];
    char *slash;

    for (;;) {
        snprintf(dir, sizeof(dir), "%s%s", mount, path);
        slash = strrchr(path, '/');
        if (lists_controller(dir, controller) || !slash)
            return;
        *slash = '\0';
    }
}

/* One controller's group; true once nothing can overrule what was found. */
static bool scan_one(char *const *lines, unsigned n, const char *cgroup2, const char *controller,
                     struct proc_state *out)
{
    char path[512], id[CONTAINER_ID_MAX];
    enum container_kind kind;
    size_t len;

    /* The kernel's `io` is `blkio` in version 1. */
    snprintf(path, sizeof(path), "%s",
             v1_path(lines, n, strcmp(controller, "io") == 0 ? "blkio" : controller));
    for (unsigned i = 0; !path[0] && i < n; i++)
        if (strncmp(lines[i], "0::", 3) == 0 && cgroup2[0]) {
            snprintf(path, sizeof(path), "%s", lines[i] + 3);
            v2_path(cgroup2, path, controller);
            break;
        }
    kind = container_scan(path, id, &len);
    /* Of several weak ones the first controller's counts. */
    if (kind == CONTAINER_HOST ||
        (kind == CONTAINER_CONTAINERD && out->container_state == ST_PRESENT))
        return false;
    out->container_state = ST_PRESENT;
    memset(out->container_id, 0, sizeof(out->container_id));
    memcpy(out->container_id, id, len);
    out->container_len = (__u8)len;
    out->container_kind = (__u8)kind;
    return kind != CONTAINER_CONTAINERD;
}

static __u64 group_id(char *const *lines, unsigned n, const char *cgroup2)
{
    char dir[1024];
    struct stat st;

    for (unsigned i = 0; i < n; i++)
        if (strncmp(lines[i], "0::", 3) == 0 && cgroup2[0]) {
            snprintf(dir, sizeof(dir), "%s%s", cgroup2, lines[i] + 3);
            return stat(dir, &st) == 0 ? st.st_ino : 0;
        }
    return 0;
}

void seed_container(char *groups, const char *cgroup2, struct proc_state *out)
{
    static const char *const controllers[] = {"cpuset", "cpu", "cpuacct", "io", "memory"};
    char *lines[64], *save = NULL, *line;
    unsigned n = 0;

    for (line = strtok_r(groups, "\n", &save); line && n < 64; line = strtok_r(NULL, "\n", &save))
        lines[n++] = line;
    memcpy(out->container_id, "host", 4);
    out->container_len = 4;
    out->container_kind = CONTAINER_HOST;
    out->container_state = ST_ABSENT; /* none yet */
    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
        if (scan_one(lines, n, cgroup2, controllers[i], out))
            break;
    out->container_state = ST_PRESENT;
    out->cgroup = group_id(lines, n, cgroup2);
}
