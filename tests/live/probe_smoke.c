// SPDX-License-Identifier: Apache-2.0
/*
 * The probe alone: joins the objects named on the command line, loads and attaches them, and prints
 * every record that arrives, one slot a line, until standard input ends.
 *
 *   probe_smoke filter.bpf.o probe.bpf.o...
 *
 * probe_smoke.py drives it and knows what the lines must say. Needs root; leaves nothing attached.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../bpf/abi.h"

#define BUFFER (64u << 20) /* every call is sent, and a busy machine has us wait */
#define LANES 4            /* 1 + rules of the filter */

static const char *const num_names[] = {
#define SLOT_NUM(id, group, doc) #id,
#include "../../grammar/slots.def"
};
static const char *const str_names[] = {
#define SLOT_STR(id, group, cap, doc) #id,
#include "../../grammar/slots.def"
};

static void print_bytes(const char *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c < 32 || c > 126 || c == '\\')
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

static void print_texts(const struct rec *r)
{
    const char *at = (const char *)(r + 1);
    for (unsigned s = 0; s < S_COUNT; s++) {
        uint8_t st = r->h.st[SLOT_OF_STR(s)];
        if (st == 0)
            continue;
        printf("%s/%u=", str_names[s], st);
        print_bytes(at, r->h.len[s]);
        putchar('\n');
        at += r->h.len[s];
    }
    for (unsigned k = 0; k < READ_ALTS; k++) {
        printf("%s=", k + 1 == READ_SPELLED ? "spell" : "stored");
        print_bytes(at, r->alt_len[k]);
        putchar('\n');
        at += r->alt_len[k];
    }
    printf("base=");
    print_bytes(at, r->base_len);
    putchar('\n');
}

static int on_record(void *ctx, void *data, size_t size)
{
    const struct rec *r = data;
    struct lane *lanes = ctx;
    if (size >= sizeof(*r) && r->h.rule < LANES)
        lanes[r->h.rule].taken += (size + 15) & ~7ull;
    if (size < sizeof(*r) || r->h.size != size)
        printf("BAD SIZE %zu %u\n", size, r->h.size);
    printf("event=%u\nrule=%u\nreading=%u\nreadings=%u\ncgroup=%llu\nts=%llu\n", r->h.event,
           r->h.rule, r->h.reading, r->h.readings, r->h.cgroup, r->h.ts);
    for (unsigned s = 0; s < N_COUNT; s++)
        if (r->h.st[s])
            printf("%s/%u=%lld\n", num_names[s], r->h.st[s], r->h.num[s]);
    print_texts(r);
    printf("anc/%u=", r->h.anc_state);
    for (unsigned i = 0; i < r->h.anc_count && i < ANC_MAX; i++)
        printf("%s%.16s", i ? "," : "", r->h.anc[i]);
    printf("\n\n");
    fflush(stdout);
    return 0;
}

static int join(const char *out, char **objects)
{
    LIBBPF_OPTS(bpf_linker_file_opts, opts);
    struct bpf_linker *l = bpf_linker__new(out, NULL);
    int err = l ? 0 : -errno;
    for (; !err && *objects; objects++)
        err = bpf_linker__add_file(l, *objects, &opts);
    if (!err)
        err = bpf_linker__finalize(l);
    bpf_linker__free(l);
    return err;
}

/* Every system call but those that never stop coming; every group. */
static struct probe_plan whole_plan(void)
{
    static const unsigned not [] = {0, 1, 3, 7, 9, 14, 20, 23, 35, 202, 230, 232, 270, 271, 281};
    struct probe_plan p = {
        .groups = (1ull << G_COUNT) - 1, .readings = READINGS_ALL, .failed_exec = 1};
    memset(p.syscalls, 0xff, sizeof(p.syscalls));
    for (unsigned i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
        p.syscalls[not [i] / 64] &= ~(1ull << not [i] % 64);
    p.extra[0] = (struct extra_want){EXTRA_CMDLINE, 2};
    p.extra[1] = (struct extra_want){EXTRA_EXEPATH, 2};
    return p;
}

static uint64_t boot_offset(void)
{
    struct timespec real, boot;
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (uint64_t)(real.tv_sec - boot.tv_sec) * 1000000000u + (uint64_t)real.tv_nsec -
           (uint64_t)boot.tv_nsec;
}

/* Both constants are in .rodata; where, only the BTF of the linked object knows. */
static int set_constant(struct bpf_object *obj, const char *name, const void *value, size_t size)
{
    const struct btf *btf = bpf_object__btf(obj);
    int sec = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
    struct bpf_map *map = bpf_object__find_map_by_name(obj, ".rodata");
    size_t room = 0;
    char *bytes = map ? (char *)(uintptr_t)bpf_map__initial_value(map, &room) : NULL;
    if (sec < 0 || !bytes)
        return -ENOENT;
    const struct btf_type *t = btf__type_by_id(btf, (uint32_t)sec);
    const struct btf_var_secinfo *v = btf_var_secinfos(t);
    for (uint32_t i = 0; i < btf_vlen(t); i++) {
        const struct btf_type *var = btf__type_by_id(btf, v[i].type);
        if (strcmp(btf__name_by_offset(btf, var->name_off), name) == 0 && v[i].size == size) {
            memcpy(bytes + v[i].offset, value, size);
            return 0;
        }
    }
    return -ENOENT;
}

static int set_entries(struct bpf_object *obj, const char *name, uint32_t n)
{
    struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
    return map ? bpf_map__set_max_entries(map, n) : 0;
}

static int prepare(struct bpf_object *obj)
{
    struct probe_plan plan = whole_plan();
    uint64_t offset = boot_offset();
    uint32_t cpus = (uint32_t)libbpf_num_possible_cpus();
    int err = set_constant(obj, "plan", &plan, sizeof(plan));
    if (!err)
        err = set_constant(obj, "boot_offset_ns", &offset, sizeof(offset));
    if (!err)
        err = set_entries(obj, "scratch", cpus);
    if (!err)
        err = set_entries(obj, "stats", cpus);
    if (!err)
        err = set_entries(obj, "events", BUFFER);
    return err ? err : set_entries(obj, "lanes", LANES);
}

/* Memory that the kernel's programs share with us, or NULL. */
static void *map_memory(struct bpf_object *obj, const char *name, size_t size)
{
    int fd = bpf_object__find_map_fd_by_name(obj, name);
    void *at = mmap(NULL, (size + 4095) & ~4095ul, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? NULL : at;
}

static int serve(struct bpf_object *obj)
{
    struct bpf_program *prog;
    struct bpf_link *links[8] = {0};
    int n = 0, err = 0;
    bpf_object__for_each_program (prog, obj) {
        if (n == 8 || strcmp(bpf_program__name(prog), "test_filter") == 0)
            continue;
        links[n] = bpf_program__attach(prog);
        if (!links[n++])
            err = -errno;
    }
    struct lane *lanes = map_memory(obj, "lanes", LANES * sizeof(*lanes));
    struct ring_buffer *rb =
        ring_buffer__new(bpf_object__find_map_fd_by_name(obj, "events"), on_record, lanes, NULL);
    if (!lanes)
        err = -errno;
    printf("READY %d\n\n", err);
    fflush(stdout);
    struct pollfd in = {.fd = 0, .events = POLLIN};
    /* We never say that we sleep, and so no record wakes us. */
    while (!err && rb && poll(&in, 1, 2) == 0)
        ring_buffer__consume(rb);
    if (rb)
        ring_buffer__consume(rb);
    ring_buffer__free(rb);
    while (n > 0)
        bpf_link__destroy(links[--n]);
    return err;
}

static void print_stats(struct bpf_object *obj)
{
    static const char *const names[STAT_COUNT] = {"seen", "filtered", "limited", "sent", "lost"};
    size_t cpus = (size_t)libbpf_num_possible_cpus();
    struct cpu_stats *stats = map_memory(obj, "stats", cpus * sizeof(*stats));
    for (unsigned i = 0; stats && i < STAT_COUNT; i++) {
        uint64_t sum = 0;
        for (size_t c = 0; c < cpus; c++)
            for (unsigned e = 0; e < STAT_EVENTS; e++)
                sum += stats[c].n[e][i];
        printf("%s=%llu\n", names[i], (unsigned long long)sum);
    }
}

int main(int argc, char **argv)
{
    char out[] = "/tmp/probe-smoke-XXXXXX";
    int fd = mkstemp(out);
    if (argc < 3 || fd < 0)
        return 2;
    close(fd);
    int err = join(out, argv + 1);
    struct bpf_object *obj = err ? NULL : bpf_object__open_file(out, NULL);
    unlink(out);
    if (!obj) {
        fprintf(stderr, "probe_smoke: linking or opening: %s\n", strerror(err ? -err : errno));
        return 2;
    }
    err = prepare(obj);
    if (!err)
        err = bpf_object__load(obj);
    if (err)
        fprintf(stderr, "probe_smoke: loading: %s\n", strerror(-err));
    else if ((err = serve(obj)) == 0)
        print_stats(obj);
    bpf_object__close(obj);
    return err ? 2 : 0;
}
