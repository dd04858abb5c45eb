/* SPDX-License-Identifier: Apache-2.0 */
#include "aside.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STACK (128u << 10) /* a thread takes no part of it but some kilobytes */

static void *load(void *ctx)
{
    struct aside *a = ctx;
    int fd = bpf_prog_load(bpf_program__type(a->prog), bpf_program__name(a->prog), a->license,
                           a->code, a->n, &a->opts);

    a->fd = fd < 0 ? -errno : fd;
    return NULL;
}

/* A newer libbpf may know options that we do not. */
static void copy_options(struct aside *a, const struct bpf_prog_load_opts *opts)
{
    size_t size = opts->sz < sizeof(a->opts) ? opts->sz : sizeof(a->opts);

    memset(&a->opts, 0, sizeof(a->opts));
    memcpy(&a->opts, opts, size);
    a->opts.sz = sizeof(a->opts);
    a->opts.fd_array = NULL; /* types of modules, which none of our programs names */
    a->opts.log_buf = a->log;
    a->opts.log_size = (uint32_t)a->log_size;
    a->opts.log_level = 0;
}

/* What libbpf loads in its place. */
static int put_nothing(struct bpf_program *prog, struct bpf_prog_load_opts *opts)
{
    struct bpf_insn nothing[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
                                 {.code = BPF_JMP | BPF_EXIT}};

    opts->func_info_cnt = opts->line_info_cnt = 0;
    opts->func_info = opts->line_info = NULL;
    return bpf_program__set_insns(prog, nothing, sizeof(nothing) / sizeof(nothing[0]));
}

int aside_start(struct aside *a, struct bpf_program *prog, struct bpf_insn *code, size_t n,
                struct bpf_prog_load_opts *opts)
{
    pthread_attr_t attr;
    int rc;

    a->prog = prog;
    a->code = code;
    a->n = n;
    copy_options(a, opts);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    rc = pthread_create(&a->thread, &attr, load, a);
    pthread_attr_destroy(&attr);
    if (rc == 0)
        return put_nothing(prog, opts);
    rc = bpf_program__set_insns(prog, code, n);
    a->prog = NULL;
    free(code);
    return rc;
}

int aside_end(struct aside *a)
{
    if (!a->prog)
        return -ENOENT;
    pthread_join(a->thread, NULL);
    bpf_program__unload(a->prog);
    free(a->code);
    a->prog = NULL;
    a->code = NULL;
    return a->fd;
}
