/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "aside.h"
#include "clock.h"
#include "gate.h"
#include "hookloss.h"
#include "ktypes.h"
#include "lore_tell.h"
#include "object.h"

#define LOG_SIZE (1u << 20)
#define TASK_ROWS 16384    /* of all CPUs together, */
#define TASK_ROWS_MIN 1024 /* but not less than this for each */
#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"

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

/* Capabilities of a user namespace other than the first do not count with the kernel. */
static bool may_load(void)
{
    int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, 4096, NULL);

    if (fd >= 0)
        close(fd);
    return fd != -EPERM;
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
    if (!may_load()) {
        snprintf(
            err, errlen,
            "not allowed to load BPF programs, in spite of its capabilities: a user namespace, "
            "a container or a security module is in the way");
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

/* A feature that the kernel lacks, if one can be named; else what it said. */
static void explain(int rc, const char *said, char *err, size_t errlen)
{
    if (libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 0)
        snprintf(err, errlen, "this kernel has no BPF ring buffers (Linux 5.8 or later is needed)");
    else if (libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL) == 0)
        snprintf(err, errlen,
                 "this kernel has no BPF task storage (Linux 5.11 or later, "
                 "CONFIG_BPF_LSM or CONFIG_BPF_SYSCALL)");
    else
        snprintf(err, errlen, "the kernel refuses the bundle: %s", said[0] ? said : strerror(-rc));
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

static int fill_constants(struct load *l, const struct load_options *opt, uint32_t nlore)
{
    struct probe_plan *plan = object_constant(l->object, "plan", sizeof(*plan));
    uint64_t *offset = object_constant(l->object, "boot_offset_ns", sizeof(*offset));
    uint32_t *slots = object_constant(l->object, "task_slots", sizeof(*slots));
    uint32_t *rows = object_constant(l->object, "lore_rows", sizeof(*rows));
    uint64_t *numbers = object_constant(l->object, "call_numbers", CATALOG_CALLS / 8);

    l->boot_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
    if (!plan)
        return -EINVAL;
    *plan = *opt->plan;
    l->task = plan->task;
    if (offset)
        *offset = l->boot_offset_ns;
    if (slots)
        *slots = task_slots(l, opt->plan);
    if (rows)
        *rows = nlore;
    if (numbers)
        catalog_numbers((const uint64_t *)plan->syscalls, numbers);
    return 0;
}

static int map_fd(const struct load *l, const char *name)
{
    struct bpf_map *m = bpf_object__find_map_by_name(l->object, name);

    return m ? bpf_map__fd(m) : -1;
}

/* ---- programs: which of them the kernel takes ---- */

/* Of these hooks, is there one that has it judge? That of exits may watch for ancestors alone. */
static bool needs_judge(const struct probe_plan *plan, uint8_t hooks)
{
    uint64_t calls[CATALOG_CALLS / 64] = {0}, asked = 0;

    catalog_calls(EV_procexit, calls);
    for (int i = 0; i < CATALOG_CALLS / 64; i++)
        asked |= calls[i] & plan->syscalls[i];
    if (!asked)
        hooks &= (uint8_t) ~(1u << HOOK_EXIT);
    return (hooks & HOOKS_JUDGED) != 0;
}

/* What a try to load some of the bundle's hooks needs to know. */
struct attempt {
    const void *bytes;
    size_t size;
    const struct rpk *p;
    const struct load_options *opt;
    char *log;   /* LOG_SIZE bytes: what the verifier said last */
    bool filled; /* the programs were taken: what failed came after */
    int types;   /* a file with the kernel's types, empty until an object was opened; < 0: none */
    char types_path[KTYPES_PATH];
    struct asides asides;
};

/* A bundle has every hook. Those that are not asked for cost nothing: they are not loaded. */
static void choose_hooks(const struct load *l, const struct probe_plan *plan, uint8_t hooks)
{
    struct bpf_program *prog;

    bpf_object__for_each_program (prog, l->object) {
        enum hook_id h = hook_of_section(bpf_program__section_name(prog));

        if (h != HOOK_COUNT)
            bpf_program__set_autoload(prog, hooks >> h & 1);
        else if (strcmp(bpf_program__name(prog), aside_name(ASIDE_JUDGE)) == 0)
            bpf_program__set_autoload(prog, needs_judge(plan, hooks));
    }
    if (!(hooks >> HOOK_RING & 1))
        ring_leave_out(l->object);
}

/* The hooks that have others judge call the program by its place in a map. */
static int put_judge(const struct load *l, const struct attempt *a, uint8_t hooks)
{
    const struct bpf_program *prog =
        bpf_object__find_program_by_name(l->object, aside_name(ASIDE_JUDGE));
    int fd = prog ? asides_fd(&a->asides, prog) : -1;
    const uint32_t zero = 0;

    if (!needs_judge(a->opt->plan, hooks))
        return 0;
    if (fd < 0)
        return -EINVAL;
    return bpf_map_update_elem(map_fd(l, "judges"), &zero, &fd, BPF_ANY) ? -errno : 0;
}

/* All attempts have the same types. */
static int fill_types(const struct load *l, const struct attempt *a)
{
    if (a->types < 0 || lseek(a->types, 0, SEEK_END) > 0)
        return 0;
    return ktypes_fill(a->types, VMLINUX_BTF, bpf_object__btf(l->object));
}

static int open_object(struct load *l, struct attempt *a)
{
    struct bpf_object_open_opts open = {.sz = sizeof(open),
                                        .object_name = "rulerun",
                                        .kernel_log_buf = a->log,
                                        .kernel_log_size = LOG_SIZE,
                                        .btf_custom_path = a->types < 0 ? NULL : a->types_path};
    int rc;

    a->log[0] = '\0';
    l->object = bpf_object__open_mem(a->bytes, a->size, &open);
    if (!l->object)
        return -errno;
    rc = fill_types(l, a);
    if (rc)
        return rc;
    object_size_map(l->object, "scratch", l->cpus);
    object_size_map(l->object, "tasks", l->cpus * task_slots(l, a->opt->plan));
    object_size_map(l->object, "stats", l->cpus);
    object_size_map(l->object, "events", a->opt->buffer);
    object_size_map(l->object, "lanes", a->p->head->rules.n + 1);
    object_size_map(l->object, "lore", lore_rows(a->p));
    object_size_maps(l->object, a->p);
    return fill_constants(l, a->opt, lore_rows(a->p));
}

static void close_object(struct load *l)
{
    bpf_object__close(l->object);
    l->object = NULL;
}

/* Loads these hooks and fills the maps; if that fails nothing stays. */
static int load_hooks(struct load *l, struct attempt *a, uint8_t hooks)
{
    int rc = open_object(l, a);

    if (!rc) {
        choose_hooks(l, a->opt->plan, hooks);
        rc = asides_aim(&a->asides, l->object);
        if (!rc)
            rc = asides_end(&a->asides, bpf_object__load(l->object), &a->log);
        a->filled = !rc;
    }
    if (!rc)
        rc = put_judge(l, a, hooks);
    if (!rc)
        rc = object_fill_maps(l->object, a->p);
    if (rc) {
        asides_drop(&a->asides);
        close_object(l);
    }
    return rc;
}

/* Lines behind which the verifier tells its figures, and nothing of what is wrong. */
static bool is_figures(const char *line)
{
    static const char *const starts[] = {"processed ", "verification time ", "stack depth ",
                                         "func#", "mark_precise:"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (strncmp(line, starts[i], strlen(starts[i])) == 0)
            return true;
    return line[strspn(line, " ")] == '\0';
}

/* The last line but one that says something, and the last: an instruction, and what is wrong. */
static void verdict(char *log, char *out, size_t cap)
{
    const char *said[2] = {"", ""};

    for (char *line = log, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (is_figures(line))
            continue;
        said[0] = said[1];
        said[1] = line;
    }
    snprintf(out, cap, "%.160s%s%.240s", said[0], *said[0] ? ": " : "", said[1]);
}

static void note_fault(struct load *l, enum hook_id h, const char *what, const char *why)
{
    struct load_fault *f = &l->faults[l->nfault++];

    f->hook = h;
    snprintf(f->reason, sizeof(f->reason), "%s: %s", what, why);
    l->missing |= (uint8_t)(1u << h);
}

/* Each hook by itself: those that the kernel refuses are faults. */
static void find_faults(struct load *l, struct attempt *a, uint8_t hooks)
{
    for (unsigned h = 0; h < HOOK_COUNT; h++) {
        char why[LOAD_REASON] = "";
        int rc = hooks >> h & 1 ? load_hooks(l, a, (uint8_t)(1u << h)) : 0;

        asides_drop(&a->asides);
        close_object(l);
        if (rc == 0)
            continue;
        verdict(a->log, why, sizeof(why));
        if (!why[0] && (rc == -ESRCH || rc == -ENOENT))
            snprintf(why, sizeof(why), "the kernel has no such tracepoint");
        note_fault(l, (enum hook_id)h, "it cannot be loaded", why[0] ? why : strerror(-rc));
    }
}

/* All hooks that are wanted; if the kernel refuses some, those that are left. */
static int load_object(struct load *l, struct attempt *a, char *err, size_t errlen)
{
    const struct selected *s = a->opt->selected;
    uint8_t wanted = a->opt->all_hooks ? HOOKS_ALL : s->hooks, left;
    int rc = load_hooks(l, a, wanted);

    if (rc && !a->filled) {
        find_faults(l, a, wanted);
        left = hooks_kept(wanted, l->missing);
        if (l->missing && hooks_suffice(a->p, s, left))
            rc = load_hooks(l, a, left);
    }
    if (rc && l->missing && l->missing != wanted)
        snprintf(err, errlen, "no rule can fire with the hooks that are left");
    else if (rc)
        explain(rc, l->nfault ? l->faults[0].reason : "", err, errlen);
    return rc;
}

/* The kernel lends most of its functions to those with the right one alone. */
static const char *license_of(const void *bytes, size_t size)
{
    uint64_t off = 0, len = 0;
    const char *text = bytes;

    if (rpk_elf_find(bytes, size, "license", &off, &len, NULL, 0) || len == 0 ||
        text[off + len - 1] != '\0')
        return "";
    return text + off;
}

static void load_init(struct load *l)
{
    *l = (struct load){.events_fd = -1, .lore_fd = -1, .state.procs = -1, .shared = {-1, -1, -1}};
    for (unsigned h = 0; h < HOOK_COUNT; h++)
        l->links[h] = l->typed[h] = -1;
    for (unsigned i = 0; i < TEXT_CLASSES; i++)
        l->state.args[i] = l->state.envs[i] = -1;
    for (unsigned i = 0; i < RING_LINKS; i++)
        l->ring_links[i] = -1;
}

/* The map `KINDn` of a class n of texts. */
static void note_text(int fds[TEXT_CLASSES], const char *kind, const char *name, int fd)
{
    size_t n = strlen(kind);

    if (strncmp(name, kind, n) == 0 && name[n] > '0' && name[n] <= '0' + TEXT_CLASSES)
        fds[name[n] - '1'] = fd;
}

/* Maps that we look into by ourselves. */
static void note_map(struct load *l, uint64_t groups, const char *name, int fd)
{
    const struct {
        const char *name;
        int *fd;
    } known[] = {{"events", &l->events_fd},   {"procs", &l->state.procs},
                 {"lore", &l->lore_fd},       {"stats", &l->shared.stats},
                 {"lanes", &l->shared.lanes}, {"reader", &l->shared.reader}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, name) == 0)
            *known[i].fd = fd;
    if (groups & ARGS_GROUPS)
        note_text(l->state.args, "args", name, fd);
    if (groups & ENV_GROUPS)
        note_text(l->state.envs, "envs", name, fd);
}

/* libbpf cannot attach what it has not loaded itself. */
static void note_program(struct load *l, const char *section, int fd)
{
    enum hook_id h = hook_of_section(section);

    if (h != HOOK_COUNT && strncmp(section, "tp_btf/", 7) == 0)
        l->typed[h] = fd;
}

/* Holds all that is loaded apart from the object. 0 or -errno. */
static int hold(struct load *l, const struct attempt *a)
{
    struct bpf_program *prog;
    struct bpf_map *m;
    int fd = held_add(&l->held, HELD_TYPES, bpf_object__btf_fd(l->object));

    bpf_object__for_each_map (m, l->object) {
        if (fd < 0 || bpf_map__fd(m) < 0)
            continue;
        fd = held_add(&l->held, HELD_MAP, bpf_map__fd(m));
        note_map(l, a->opt->selected->plan.groups, bpf_map__name(m), fd);
    }
    bpf_object__for_each_program (prog, l->object) {
        int its = asides_fd(&a->asides, prog);

        if (fd < 0 || its < 0)
            continue;
        fd = held_add(&l->held, HELD_PROGRAM, its);
        note_program(l, bpf_program__section_name(prog), fd);
    }
    return fd < 0 ? fd : 0;
}

int load_open(struct load *l, const void *bytes, size_t size, const struct rpk *p,
              const struct load_options *opt, char *err, size_t errlen)
{
    struct attempt a = {.bytes = bytes, .size = size, .p = p, .opt = opt};
    int rc;

    load_init(l);
    if (opt->selected->nrule == 0 && !opt->all_hooks)
        return 0; /* nothing to look for, nothing to attach */
    rc = check_machine(err, errlen);
    if (rc)
        return rc;
    libbpf_set_print(quiet);
    l->cpus = (unsigned)libbpf_num_possible_cpus();
    a.types = ktypes_open(a.types_path);
    a.log = calloc(1, LOG_SIZE);
    rc = asides_open(&a.asides, license_of(bytes, size), LOG_SIZE);
    if (!rc)
        rc = a.log ? load_object(l, &a, err, errlen) : -ENOMEM;
    if (!rc)
        rc = hold(l, &a);
    if (rc)
        load_close(l);
    asides_close(&a.asides);
    if (a.types >= 0)
        close(a.types);
    free(a.log);
    return rc;
}

/* ---- attaching ---- */

static void detach(struct load *l, unsigned h)
{
    if (l->links[h] >= 0)
        close(l->links[h]);
    l->links[h] = -1;
    if (h == HOOK_RING)
        ring_detach(l->ring_links);
    l->attached &= (uint8_t) ~(1u << h);
}

/* Several tracepoints; a kernel that has no io_uring has nothing to be missed there. */
static void attach_ring(struct load *l, uint8_t hooks)
{
    int rc = hooks >> HOOK_RING & 1 ? ring_attach(l->object, l->ring_links) : 0;

    if (rc && !(syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno == ENOSYS))
        note_fault(l, HOOK_RING, "it cannot be attached", strerror(-rc));
    else if (hooks >> HOOK_RING & 1 && !rc)
        l->attached |= 1u << HOOK_RING;
}

/* Sets a row of `generation` to 1, if the hooks that it needs are attached. */
static void begin_row(const struct load *l, uint32_t row, uint8_t needs)
{
    const uint64_t first = 1;
    int fd = map_fd(l, "generation");

    if (fd >= 0 && (l->attached & needs) == needs)
        bpf_map_update_elem(fd, &row, &first, BPF_ANY);
}

/* What is decided once per task is kept only if its changes are seen (bpf/keep.h). */
static void begin_keeping(const struct load *l)
{
    uint8_t needs = l->task & TASK_ANC ? 1u << HOOK_EXEC | 1u << HOOK_EXIT : 1u << HOOK_EXEC;

    if (l->task)
        begin_row(l, GENERATION_NOW, needs);
}

void load_states_kept(struct load *l)
{
    begin_row(l, STATES_KEPT, 1u << HOOK_EXEC | 1u << HOOK_FORK);
}

void load_attach(struct load *l, enum load_part part)
{
    struct bpf_program *prog;
    uint8_t ring = 0;

    if (!l->object)
        return;
    bpf_object__for_each_program (prog, l->object) {
        enum hook_id h = hook_of_section(bpf_program__section_name(prog));

        if (h == HOOK_COUNT || !bpf_program__autoload(prog) ||
            hook_info(h)->state != (part == LOAD_STATE) || !hooks_kept(1u << h, l->missing))
            continue;
        if (h == HOOK_RING) {
            ring = 1u << HOOK_RING;
            continue;
        }
        l->links[h] = l->typed[h] < 0 ? held_attach(prog) : held_attach_typed(l->typed[h]);
        if (l->links[h] >= 0)
            l->attached |= (uint8_t)(1u << h);
        else
            note_fault(l, h, "it cannot be attached", strerror(-l->links[h]));
    }
    attach_ring(l, ring);
    for (unsigned h = 0; h < HOOK_COUNT; h++)
        if (l->attached & ~hooks_kept(l->attached, l->missing) & 1u << h)
            detach(l, h);
    if (part == LOAD_REST)
        begin_keeping(l);
}

void load_settle(struct load *l)
{
    close_object(l);
    malloc_trim(0);
}

void load_detach(struct load *l)
{
    for (unsigned h = 0; h < HOOK_COUNT; h++)
        detach(l, h);
}

void load_close(struct load *l)
{
    load_detach(l);
    close_object(l);
    held_close(&l->held);
}
