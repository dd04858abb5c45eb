/* SPDX-License-Identifier: Apache-2.0 */
#include "bound.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096ull
#define MAP_HEAD PAGE          /* of any map: its struct, names, counters of each processor */
#define HASH_ELEM 64ull        /* of an element, beside key and value */
#define STORAGE_LIST 256ull    /* of a process that has values in storage: what lists them */
#define STORAGE_SPARE 24576ull /* of a storage map, each processor: values that are free */
#define FUNC_PAGES (4 * PAGE)  /* of a function: its struct, and both its codes end in a page */
#define LINE_BYTES (16 + 8ull) /* of a line of code: the row, and where it stands in memory */
#define STACK (1024 * 1024ull)

/* ---- the kernel ---- */

static uint64_t round_up(uint64_t n, uint64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static uint64_t power_of_two(uint64_t n)
{
    uint64_t p = 1;

    while (p < n)
        p *= 2;
    return p;
}

/* A ring buffer's pages are listed twice; three pages more say how full it is. */
static uint64_t ring_bytes(uint64_t size)
{
    return size + 4 * PAGE + (2 * size / PAGE + 8) * sizeof(void *);
}

/* A value of task storage: kmalloc() gives powers of two. */
static uint64_t storage_bytes(const struct bpf_map_info *m)
{
    return power_of_two(m->value_size + STORAGE_HEAD);
}

static uint64_t map_bytes(const struct bpf_map_info *m, unsigned cpus)
{
    uint64_t n = m->max_entries, key = round_up(m->key_size, 8);
    uint64_t value = round_up(m->value_size, 8);

    switch (m->type) {
    case BPF_MAP_TYPE_PERCPU_ARRAY:
        return MAP_HEAD + n * (sizeof(void *) + cpus * value);
    case BPF_MAP_TYPE_HASH: /* made in advance, and one more for each processor */
        return MAP_HEAD + (n + cpus) * (HASH_ELEM + key + value) + power_of_two(n) * 16;
    case BPF_MAP_TYPE_TASK_STORAGE:
        return MAP_HEAD + cpus * (STORAGE_SPARE + storage_bytes(m));
    default:
        return MAP_HEAD + round_up(n * value, PAGE); /* one that is mapped has whole pages */
    }
}

static void add_map(struct bound *b, const struct load *l, int fd, const struct bpf_map_info *m)
{
    if (m->type == BPF_MAP_TYPE_RINGBUF)
        b->buffer += ring_bytes(m->max_entries);
    else
        b->maps += map_bytes(m, l->cpus);
    if (!(l->attached >> HOOK_EXEC & 1))
        return; /* no state is kept */
    if (fd == l->state.procs)
        b->per_process = storage_bytes(m) + STORAGE_LIST;
    if (fd == l->state.args[TEXT_CLASSES - 1] || fd == l->state.envs[TEXT_CLASSES - 1])
        b->texts += storage_bytes(m);
}

static void add_map_of(struct bound *b, const struct load *l, int fd)
{
    struct bpf_map_info info = {0};
    uint32_t len = sizeof(info);

    if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
        add_map(b, l, fd, &info);
}

/* The code as it was checked is kept twice, whole and by function, beside the machine's own. */
static uint64_t program_bytes(int fd)
{
    struct bpf_prog_info info = {0};
    uint32_t len = sizeof(info);

    if (bpf_obj_get_info_by_fd(fd, &info, &len) != 0)
        return 0;
    return 2 * info.xlated_prog_len + info.jited_prog_len +
           (1 + info.nr_jited_func_lens) * FUNC_PAGES +
           (info.nr_line_info + info.nr_func_info) * LINE_BYTES;
}

/* The types are indexed. */
static uint64_t types_bytes(int fd)
{
    struct bpf_btf_info info = {0};
    uint32_t len = sizeof(info);

    return bpf_obj_get_info_by_fd(fd, &info, &len) == 0 ? 2ull * info.btf_size : 0;
}

static void add_held(struct bound *b, const struct load *l, const struct held_fd *held)
{
    switch (held->kind) {
    case HELD_TYPES:
        b->programs += types_bytes(held->fd);
        break;
    case HELD_MAP:
        add_map_of(b, l, held->fd);
        break;
    case HELD_PROGRAM:
        b->programs += program_bytes(held->fd);
        break;
    }
}

/* ---- /proc ---- */

/* Up to two numbers at the beginning of a file; 0: there is none. */
static void read_numbers(const char *proc, const char *name, uint64_t out[2])
{
    char path[320], text[128], *at = text;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", proc, name);
    f = fopen(path, "re");
    if (!f || !fgets(text, sizeof(text), f))
        text[0] = '\0';
    if (f)
        fclose(f);
    for (int i = 0; i < 2; i++)
        out[i] = strtoull(at, &at, 10);
}

static uint64_t count_processes(const char *proc)
{
    DIR *dir = opendir(proc);
    const struct dirent *e;
    uint64_t n = 0;

    while (dir && (e = readdir(dir)))
        n += isdigit((unsigned char)e->d_name[0]) != 0;
    if (dir)
        closedir(dir);
    return n;
}

static void read_own(struct bound *b, const char *proc)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages[2], max[2];

    read_numbers(proc, "self/statm", pages);
    read_numbers(proc, "sys/kernel/pid_max", max);
    b->daemon = pages[0] * page + STACK;
    b->resident = pages[1] * page;
    b->pid_max = max[0];
}

struct bound bound_of(const struct load *l, const char *proc)
{
    struct bound b = {0};

    b.processes = count_processes(proc);
    read_own(&b, proc);
    for (unsigned i = 0; i < l->held.n; i++)
        add_held(&b, l, &l->held.fds[i]);
    return b;
}

/* ---- what is said ---- */

static double mib(uint64_t bytes)
{
    return (double)bytes / (1024 * 1024);
}

void bound_say(const struct bound *b, FILE *out)
{
    fprintf(out,
            "rulerun: memory in the kernel: at most %.1f MiB (buffer %.1f, maps %.1f, programs "
            "%.1f)",
            mib(b->buffer + b->maps + b->programs), mib(b->buffer), mib(b->maps), mib(b->programs));
    if (b->per_process)
        fprintf(out,
                ", and %.1f KiB a process: %.1f MiB for %llu now, %.1f MiB for %llu, which is "
                "pid_max",
                (double)b->per_process / 1024, mib(b->per_process * b->processes),
                (unsigned long long)b->processes, mib(b->per_process * b->pid_max),
                (unsigned long long)b->pid_max);
    if (b->texts)
        fprintf(out, "; a process with the longest texts takes %.1f KiB more",
                (double)b->texts / 1024);
    fprintf(out, "\nrulerun: memory of the daemon: at most %.1f MiB; %.1f MiB now\n",
            mib(b->daemon), mib(b->resident));
}
