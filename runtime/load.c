/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include "class_find.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOG_SIZE (1u << 20)
#define TASK_ROWS 16384    /* of all CPUs together, */
#define TASK_ROWS_MIN 1024 /* but not less than this for each */
#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"

/* The probe's layouts of map values (bpf/probe.h). */
struct pattern_value {
    uint32_t len;
    char text[260];
};
struct name_key {
    uint32_t set;
    char name[COMM_SIZE];
};

struct hook {
    enum hook_id id;
    const char *section, *name;
};

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
    (void)level;
    (void)fmt;
    (void)ap;
    return 0;
}

static bool has_cap(unsigned cap)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    if (syscall(SYS_capget, &head, data) != 0)
        return false;
    return (data[cap / 32].effective >> (cap % 32)) & 1;
}

/* What must be there before the kernel is asked for anything. */
static int check_machine(char *err, size_t errlen)
{
    if (!has_cap(CAP_SYS_ADMIN) && !(has_cap(CAP_BPF) && has_cap(CAP_PERFMON))) {
        snprintf(err, errlen,
                 "not allowed to load BPF programs: run as root, or with CAP_BPF and "
                 "CAP_PERFMON");
        return -EPERM;
    }
    if (access(VMLINUX_BTF, R_OK) != 0) {
        snprintf(err, errlen,
                 "this kernel has no BTF (%s): it must be built with "
                 "CONFIG_DEBUG_INFO_BTF",
                 VMLINUX_BTF);
        return -ENOENT;
    }
    return 0;
}

/* The last lines of the verifier's log that say something. */
static void log_tail(const char *log, char *out, size_t cap)
{
    size_t n = strlen(log);
    const char *at;
    unsigned lines = 0;

    while (n && (log[n - 1] == '\n' || log[n - 1] == ' '))
        n--;
    for (at = log + n; at > log && lines < 6; at--)
        lines += at[-1] == '\n';
    snprintf(out, cap, "%.*s", (int)(log + n - at), at);
}

/* Why a load failed: a feature that the kernel lacks if one can be named, else what it said. */
static void explain(int rc, const char *log, char *err, size_t errlen)
{
    char tail[1024];

    log_tail(log, tail, sizeof(tail));
    if (libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 0)
        snprintf(err, errlen, "this kernel has no BPF ring buffers (Linux 5.8 or later is needed)");
    else if (libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL) == 0)
        snprintf(err, errlen,
                 "this kernel has no BPF task storage (Linux 5.11 or later, "
                 "CONFIG_BPF_LSM or CONFIG_BPF_SYSCALL)");
    else if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_TRACING, NULL) == 0)
        snprintf(err, errlen, "this kernel has no BTF tracepoints (tp_btf)");
    else if (tail[0])
        snprintf(err, errlen, "the kernel refuses the bundle's programs: %s\n%s", strerror(-rc),
                 tail);
    else
        snprintf(err, errlen, "the kernel refuses the bundle: %s", strerror(-rc));
}

void *load_constant(const struct bpf_object *object, const char *name, size_t want)
{
    const struct btf *btf = bpf_object__btf(object);
    int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;
    struct bpf_map *map = NULL, *m;
    const struct btf_type *sec;
    const struct btf_var_secinfo *v;
    char *data = NULL;
    size_t size = 0;

    bpf_object__for_each_map (m, object) {
        const char *dot = strchr(bpf_map__name(m), '.'); /* not .rodata.str1.1 */

        if (dot && strcmp(dot, ".rodata") == 0)
            map = m;
    }
    if (map)
        data = (char *)(uintptr_t)bpf_map__initial_value(map, &size);
    if (id < 0 || !data)
        return NULL;
    sec = btf__type_by_id(btf, (uint32_t)id);
    v = btf_var_secinfos(sec);
    for (unsigned i = 0; i < btf_vlen(sec); i++) {
        const struct btf_type *var = btf__type_by_id(btf, v[i].type);

        if (strcmp(btf__name_by_offset(btf, var->name_off), name) == 0 && v[i].size == want &&
            v[i].offset <= size && want <= size - v[i].offset)
            return data + v[i].offset;
    }
    return NULL;
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/*
 * What is decided once per task stands in rows that each CPU has of its own: a power of two. A task
 * that finds another's in its row is judged anew, so that their number is no limit.
 */
static uint32_t task_slots(const struct load *l, const struct probe_plan *plan)
{
    uint32_t n = TASK_ROWS_MIN;

    while (plan->task && n * 2 * l->cpus <= TASK_ROWS)
        n *= 2;
    return plan->task ? n : 1;
}

static int fill_constants(struct load *l, const struct load_options *opt)
{
    struct probe_plan *plan = load_constant(l->object, "plan", sizeof(*plan));
    uint64_t *offset = load_constant(l->object, "boot_offset_ns", sizeof(*offset));
    uint32_t *slots = load_constant(l->object, "task_slots", sizeof(*slots));

    l->boot_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
    if (!plan)
        return -EINVAL;
    *plan = *opt->plan;
    if (offset)
        *offset = l->boot_offset_ns;
    if (slots)
        *slots = task_slots(l, opt->plan);
    return 0;
}

static void size_map(const struct load *l, const char *name, uint32_t entries)
{
    struct bpf_map *m = bpf_object__find_map_by_name(l->object, name);

    if (m)
        bpf_map__set_max_entries(m, entries ? entries : 1);
}

static int map_fd(const struct load *l, const char *name)
{
    struct bpf_map *m = bpf_object__find_map_by_name(l->object, name);

    return m ? bpf_map__fd(m) : -1;
}

/* Map values are written whole: one that another probe sized otherwise would be read past its end.
 */
static int fill_patterns(const struct load *l, const struct rpk *p)
{
    struct bpf_map *m = bpf_object__find_map_by_name(l->object, "patterns");
    struct pattern_value v;

    if (p->head->patterns.n && (!m || bpf_map__value_size(m) != sizeof(v)))
        return -EINVAL;
    for (uint32_t i = 0; i < p->head->patterns.n; i++) {
        memset(&v, 0, sizeof(v));
        v.len = p->patterns[i].len;
        memcpy(v.text, rpk_text(p, p->patterns[i]), v.len);
        if (bpf_map_update_elem(bpf_map__fd(m), &i, &v, BPF_ANY) != 0)
            return -errno;
    }
    return 0;
}

static int fill_names(const struct load *l, const struct rpk *p)
{
    struct bpf_map *m = bpf_object__find_map_by_name(l->object, "name_sets");
    const uint8_t one = 1;

    if (p->head->names.n && (!m || bpf_map__key_size(m) != sizeof(struct name_key) ||
                             bpf_map__value_size(m) != sizeof(one)))
        return -EINVAL;
    for (uint32_t i = 0; i < p->head->names.n; i++) {
        struct name_key key = {.set = p->names[i].set};

        memcpy(key.name, p->names[i].name, COMM_SIZE);
        if (bpf_map_update_elem(bpf_map__fd(m), &key, &one, BPF_ANY) != 0)
            return -errno;
    }
    return 0;
}

/* The hook of a program, by its section: `tp_btf/sys_exit`. */
static const struct hook *hook_of(const struct bpf_program *prog)
{
    static const struct hook hooks[] = {
        {HOOK_EXEC, "sched_process_exec", "exec"}, {HOOK_FORK, "sched_process_fork", "fork"},
        {HOOK_EXIT, "sched_process_exit", "exit"}, {HOOK_SYS_ENTER, "sys_enter", "sys_enter"},
        {HOOK_SYS_EXIT, "sys_exit", "sys_exit"},
    };
    const char *section = bpf_program__section_name(prog);

    for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
        if (strstr(section, hooks[i].section))
            return &hooks[i];
    return NULL;
}

/* A bundle has every hook. Those that the rules that are on do not need cost nothing: they are not
 * loaded. */
static void choose_hooks(const struct load *l, const struct load_options *opt)
{
    struct bpf_program *prog;

    bpf_object__for_each_program (prog, l->object) {
        const struct hook *hook = hook_of(prog);

        if (hook)
            bpf_program__set_autoload(prog,
                                      opt->all_hooks || (opt->selected->hooks >> hook->id & 1));
    }
}

static int load_object(struct load *l, const void *bytes, size_t size, const struct rpk *p,
                       const struct load_options *opt, char *log)
{
    struct bpf_object_open_opts open = {.sz = sizeof(open),
                                        .object_name = "rulerun",
                                        .kernel_log_buf = log,
                                        .kernel_log_size = LOG_SIZE};
    int rc;

    l->object = bpf_object__open_mem(bytes, size, &open);
    if (!l->object)
        return -errno;
    l->cpus = (unsigned)libbpf_num_possible_cpus();
    l->by_cpu = calloc(l->cpus, sizeof(*l->by_cpu));
    if (!l->by_cpu)
        return -ENOMEM;
    size_map(l, "scratch", l->cpus);
    size_map(l, "tasks", l->cpus * task_slots(l, opt->plan));
    size_map(l, "events", opt->buffer);
    size_map(l, "patterns", p->head->patterns.n);
    size_map(l, "name_sets", p->head->names.n);
    size_map(l, "lost_by_rule", p->head->rules.n);
    class_size_maps(l->object, p);
    choose_hooks(l, opt);
    rc = fill_constants(l, opt);
    if (!rc)
        rc = bpf_object__load(l->object);
    if (!rc)
        rc = fill_patterns(l, p);
    if (!rc)
        rc = fill_names(l, p);
    return rc ? rc : class_fill_maps(l->object, p);
}

int load_open(struct load *l, const void *bytes, size_t size, const struct rpk *p,
              const struct load_options *opt, char *err, size_t errlen)
{
    char *log;
    int rc;

    *l = (struct load){
        .events_fd = -1, .stats_fd = -1, .lost_fd = -1, .procs_fd = -1, .envs_fd = -1};
    if (opt->selected->nrule == 0 && !opt->all_hooks)
        return 0; /* nothing to look for, nothing to attach */
    rc = check_machine(err, errlen);
    if (rc)
        return rc;
    libbpf_set_print(quiet);
    log = calloc(1, LOG_SIZE);
    if (!log)
        return -ENOMEM;
    rc = load_object(l, bytes, size, p, opt, log);
    if (rc) {
        explain(rc, log, err, errlen);
        load_close(l);
    } else {
        l->events_fd = map_fd(l, "events");
        l->stats_fd = map_fd(l, "stats");
        l->lost_fd = map_fd(l, "lost_by_rule");
        l->procs_fd = map_fd(l, "procs");
        if (opt->selected->plan.groups & ENV_GROUPS)
            l->envs_fd = map_fd(l, "envs");
    }
    free(log);
    return rc;
}

static void note_hook(struct load *l, const char *name)
{
    size_t n = strlen(l->hooks);

    if (!strstr(l->hooks, name))
        snprintf(l->hooks + n, sizeof(l->hooks) - n, "%s%s", n ? " " : "", name);
}

int load_attach(struct load *l, enum load_part part, char *err, size_t errlen)
{
    struct bpf_program *prog;

    if (!l->object)
        return 0;
    bpf_object__for_each_program (prog, l->object) {
        const struct hook *hook = hook_of(prog);
        bool state = hook && hook->id != HOOK_SYS_ENTER && hook->id != HOOK_SYS_EXIT;
        struct bpf_link *link;

        if (!bpf_program__autoload(prog) || state != (part == LOAD_STATE))
            continue;
        link = l->nlink < LOAD_LINKS ? bpf_program__attach(prog) : NULL;
        if (!link) {
            int rc = errno ? -errno : -E2BIG;

            snprintf(err, errlen, "cannot attach to %s: %s", bpf_program__section_name(prog),
                     strerror(-rc));
            return rc;
        }
        l->links[l->nlink++] = link;
        note_hook(l, hook ? hook->name : bpf_program__name(prog));
    }
    return 0;
}

void load_detach(struct load *l)
{
    while (l->nlink)
        bpf_link__destroy(l->links[--l->nlink]);
}

void load_close(struct load *l)
{
    load_detach(l);
    bpf_object__close(l->object);
    free(l->by_cpu);
    l->object = NULL;
    l->by_cpu = NULL;
}

int load_stats(const struct load *l, uint64_t out[STAT_COUNT])
{
    memset(out, 0, STAT_COUNT * sizeof(out[0]));
    for (uint32_t i = 0; i < STAT_COUNT && l->stats_fd >= 0; i++) {
        if (bpf_map_lookup_elem(l->stats_fd, &i, l->by_cpu) != 0)
            return -errno;
        for (unsigned c = 0; c < l->cpus; c++)
            out[i] += l->by_cpu[c];
    }
    return 0;
}

uint64_t load_lost(const struct load *l, uint32_t rule)
{
    uint64_t n = 0;

    if (l->lost_fd < 0 || bpf_map_lookup_elem(l->lost_fd, &rule, &n) != 0)
        return 0;
    return n;
}
