/* SPDX-License-Identifier: Apache-2.0 */
#include "aside.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate.h"

#define MEMORIES 8         /* maps that programs can only read: .rodata and its like */
#define STACK (128u << 10) /* a thread takes no part of it but some kilobytes */

static const struct {
    const char *section, *program;
    const char *tracepoint; /* by its types: libbpf does not know that of a section that is ours */
    enum bpf_prog_type type;
} asides[ASIDES] = {
    [ASIDE_JUDGE] = {"raw_tp/judge", "judge_event", NULL, BPF_PROG_TYPE_RAW_TRACEPOINT},
    [ASIDE_EXEC] = {"tp_btf/sched_process_exec", "on_exec", "sched_process_exec",
                    BPF_PROG_TYPE_TRACING},
    [ASIDE_CALLS] = {"tp_btf/sys_exit", "on_sys_exit", "sys_exit", BPF_PROG_TYPE_TRACING},
};

const char *aside_name(enum aside_id i)
{
    return asides[i].program;
}

/* ---- one program ---- */

static void load(struct aside *a)
{
    int fd = bpf_prog_load(bpf_program__type(a->prog), bpf_program__name(a->prog), a->license,
                           a->code.insns, a->code.n, &a->opts);

    a->fd = fd < 0 ? -errno : fd;
}

/* A newer libbpf may know options that we do not. */
static void copy_options(struct aside *a, const struct bpf_prog_load_opts *opts)
{
    size_t size = opts->sz < sizeof(a->opts) ? opts->sz : sizeof(a->opts);

    memset(&a->opts, 0, sizeof(a->opts));
    memcpy(&a->opts, opts, size);
    a->opts.sz = sizeof(a->opts);
    a->opts.func_info = a->code.funcs.rows;
    a->opts.func_info_cnt = a->code.funcs.n;
    a->opts.line_info = a->code.lines.rows;
    a->opts.line_info_cnt = a->code.lines.n;
    a->opts.fd_array = NULL; /* types of modules, which none of our programs names */
    a->opts.log_buf = a->log;
    a->opts.log_size = (uint32_t)a->log_size;
    a->opts.log_level = 0;
}

/* What libbpf loads. */
static int put(struct bpf_program *prog, struct bpf_prog_load_opts *opts, struct cut_code *code)
{
    opts->func_info = code->funcs.rows;
    opts->func_info_cnt = code->funcs.n;
    opts->line_info = code->lines.rows;
    opts->line_info_cnt = code->lines.n;
    return bpf_program__set_insns(prog, code->insns, code->n);
}

static int put_nothing(struct bpf_program *prog, struct bpf_prog_load_opts *opts)
{
    struct bpf_insn nothing[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
                                 {.code = BPF_JMP | BPF_EXIT}};
    struct cut_code code = {.insns = nothing, .n = sizeof(nothing) / sizeof(nothing[0])};

    return put(prog, opts, &code);
}

/* ---- its code ---- */

static void *copy_of(const void *from, size_t n, size_t size)
{
    void *to = malloc(n * size + 1);

    if (to && n)
        memcpy(to, from, n * size);
    return to;
}

static void free_code(struct cut_code *code)
{
    free(code->insns);
    free(code->funcs.rows);
    free(code->lines.rows);
    *code = (struct cut_code){.n = 0};
}

static int copy_code(struct cut_code *code, const struct bpf_program *prog,
                     const struct bpf_prog_load_opts *opts)
{
    size_t n = bpf_program__insn_cnt(prog);

    free_code(code);
    *code = (struct cut_code){
        .insns = copy_of(bpf_program__insns(prog), n, sizeof(struct bpf_insn)),
        .n = (uint32_t)n,
        .funcs = {copy_of(opts->func_info, opts->func_info_cnt, opts->func_info_rec_size),
                  opts->func_info_cnt, opts->func_info_rec_size},
        .lines = {copy_of(opts->line_info, opts->line_info_cnt, opts->line_info_rec_size),
                  opts->line_info_cnt, opts->line_info_rec_size}};
    return code->insns && code->funcs.rows && code->lines.rows ? 0 : -ENOMEM;
}

/* What the object's programs can only read. */
static unsigned find_memory(const struct bpf_object *object, struct cut_memory *out, unsigned max)
{
    const struct bpf_map *m;
    unsigned n = 0;

    bpf_object__for_each_map (m, object) {
        struct cut_memory its = {.fd = bpf_map__fd(m)};

        if (!(bpf_map__map_flags(m) & BPF_F_RDONLY_PROG) || n == max)
            continue;
        its.bytes = bpf_map__initial_value((struct bpf_map *)(uintptr_t)m, &its.size);
        if (its.bytes)
            out[n++] = its;
    }
    return n;
}

/* What a program of its kind may not do goes with the rest (MAY_LOOK_UP). */
static int make_code(struct aside *a, const struct bpf_program *prog,
                     const struct bpf_prog_load_opts *opts)
{
    bool may = bpf_program__type(prog) != BPF_PROG_TYPE_RAW_TRACEPOINT;
    struct cut_memory memory[MEMORIES];
    int rc = copy_code(&a->code, prog, opts);

    if (rc)
        return rc;
    for (size_t i = 0; i < a->code.n && !may; i++)
        if (gate_is_look_up(&a->code.insns[i]))
            a->code.insns[i].imm = MAY_NOT_LOOK_UP;
    rc = cut_dead(&a->code, memory, find_memory(a->all->object, memory, MEMORIES));
    return rc ? rc : cut_room(&a->code);
}

/* ---- threads ---- */

static struct aside *take(struct asides *all)
{
    struct aside *a;

    pthread_mutex_lock(&all->lock);
    a = all->taken < all->queued ? all->queue[all->taken++] : NULL;
    all->running -= !a;
    pthread_mutex_unlock(&all->lock);
    return a;
}

static void *work(void *ctx)
{
    struct aside *a;

    while ((a = take(ctx)) != NULL)
        load(a);
    return NULL;
}

static bool start_thread(struct asides *all)
{
    pthread_attr_t attr;
    int rc;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    rc = pthread_create(&all->threads[all->started], &attr, work, all);
    pthread_attr_destroy(&attr);
    all->started += rc == 0;
    all->running += rc == 0;
    return rc == 0;
}

/* False: there is nobody who would take it. */
static bool enqueue(struct asides *all, struct aside *a)
{
    bool somebody;

    pthread_mutex_lock(&all->lock);
    somebody = (all->running < all->most && start_thread(all)) || all->running;
    if (somebody)
        all->queue[all->queued++] = a;
    pthread_mutex_unlock(&all->lock);
    return somebody;
}

/* libbpf asks. */
static int prepare(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
    struct aside *a = (struct aside *)cookie;
    int rc = make_code(a, prog, opts);

    if (rc)
        return rc;
    copy_options(a, opts);
    a->prog = prog;
    if (enqueue(a->all, a))
        return put_nothing(prog, opts);
    a->prog = NULL;
    return put(prog, opts, &a->code);
}

/* All are done. */
static void join(struct asides *all)
{
    while (all->started)
        pthread_join(all->threads[--all->started], NULL);
    all->queued = all->taken = 0;
}

/* 0, also if it was none of a thread's; or -errno. */
static int end(struct aside *a)
{
    int rc;

    if (!a->prog)
        return 0;
    bpf_program__unload(a->prog);
    free_code(&a->code);
    a->prog = NULL;
    rc = a->fd < 0 ? a->fd : 0;
    a->fd = rc ? -1 : a->fd;
    return rc;
}

/* ---- all of them ---- */

int asides_open(struct asides *a, const char *license, size_t log_size)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int rc = 0;

    pthread_mutex_init(&a->lock, NULL);
    a->most = processors > 0 ? (unsigned)processors : 1;
    for (int i = 0; i < ASIDES; i++) {
        const struct libbpf_prog_handler_opts opts = {
            .sz = sizeof(opts), .cookie = (long)&a->of[i], .prog_prepare_load_fn = prepare};

        a->of[i] = (struct aside){.all = a,
                                  .license = license,
                                  .log = calloc(1, log_size),
                                  .log_size = log_size,
                                  .fd = -1};
        a->of[i].handler = libbpf_register_prog_handler(
            asides[i].section, asides[i].type, asides[i].tracepoint ? BPF_TRACE_RAW_TP : 0, &opts);
        if (!a->of[i].log)
            rc = -ENOMEM;
        else if (a->of[i].handler < 0)
            rc = a->of[i].handler;
    }
    return rc;
}

int asides_aim(struct asides *a, const struct bpf_object *object)
{
    int rc = 0;

    a->object = object;
    for (int i = 0; i < ASIDES && !rc; i++) {
        struct bpf_program *prog = bpf_object__find_program_by_name(object, asides[i].program);

        a->of[i].log[0] = '\0';
        if (prog && bpf_program__autoload(prog) && asides[i].tracepoint)
            rc = bpf_program__set_attach_target(prog, 0, asides[i].tracepoint);
    }
    return rc;
}

int asides_end(struct asides *a, int rc, char **log)
{
    join(a);
    for (int i = 0; i < ASIDES; i++) {
        int own = end(&a->of[i]);
        char *said = a->of[i].log;

        if (rc || !own)
            continue;
        rc = own;
        a->of[i].log = *log;
        *log = said;
    }
    return rc;
}

int asides_fd(const struct asides *a, const struct bpf_program *prog)
{
    for (int i = 0; i < ASIDES; i++)
        if (a->of[i].fd >= 0 && strcmp(bpf_program__name(prog), asides[i].program) == 0)
            return a->of[i].fd;
    return bpf_program__fd(prog);
}

void asides_drop(struct asides *a)
{
    for (int i = 0; i < ASIDES; i++) {
        if (a->of[i].fd >= 0)
            close(a->of[i].fd);
        a->of[i].fd = -1;
    }
}

void asides_close(struct asides *a)
{
    asides_drop(a);
    for (int i = 0; i < ASIDES; i++) {
        if (a->of[i].handler > 0)
            libbpf_unregister_prog_handler(a->of[i].handler);
        free_code(&a->of[i].code);
        free(a->of[i].log);
    }
    pthread_mutex_destroy(&a->lock);
}
