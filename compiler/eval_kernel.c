/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../runtime/object.h"
#include "../runtime/shared.h"
#include "elf_file.h"
#include "probes.h"
#include "task.h"

struct kernel_filter {
    struct bpf_object *object;
    int prog;
    struct ev *ev;    /* mapped: map test_ev */
    uint32_t *result; /* mapped: map test_result */
    char *err;
    size_t errlen;
};

static bool fail(struct kernel_filter *k, int code, const char *what)
{
    snprintf(k->err, k->errlen, "%s: %s", what, strerror(code < 0 ? -code : code));
    return false;
}

/* ---- joining ---- */

static const struct probe_object *find_probe(const char *name)
{
    for (uint64_t i = 0; i < probe_object_count; i++)
        if (!strcmp(probe_objects[i].name, name))
            return &probe_objects[i];
    return NULL;
}

/* The bundle and hook_test, joined in a memory file: its descriptor, or -errno. */
static int join(const void *rpk, size_t size)
{
    const struct probe_object *test = find_probe("hook_test");
    char path[32];
    int err = 0, fd = test ? mem_fd(NULL, 0) : -ENOENT;
    if (fd < 0)
        return fd;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct bpf_linker *linker = bpf_linker__new(path, NULL);
    if (!linker)
        err = -errno;
    if (!err)
        err = link_add(linker, rpk, size);
    if (!err)
        err = link_add(linker, test->bytes, test->size);
    if (!err)
        err = bpf_linker__finalize(linker);
    bpf_linker__free(linker);
    if (!err)
        return fd;
    close(fd);
    return err;
}

static struct bpf_object *open_joined(const void *rpk, size_t size)
{
    struct stat st;
    struct bpf_object *object = NULL;
    int fd = join(rpk, size);
    if (fd < 0) {
        errno = -fd;
        return NULL;
    }
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "rulec_eval");
        if (bytes != MAP_FAILED) {
            object = bpf_object__open_mem(bytes, (size_t)st.st_size, &opts);
            munmap(bytes, (size_t)st.st_size);
        }
    }
    close(fd);
    return object;
}

/* ---- loading ---- */

/* No extractor runs in a test, and its kind of program may not do all that they do. */
static void prepare(struct bpf_object *object, const struct rpk *p)
{
    struct probe_plan *plan = object_constant(object, "plan", sizeof(*plan));
    struct bpf_program *prog;
    if (plan)
        plan->groups = 0;
    bpf_object__for_each_program (prog, object)
        bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), "test_filter"));
    object_size_map(object, "events", 4096);
    object_size_maps(object, p);
}

static void *map_memory(const struct bpf_object *object, const char *name, size_t size)
{
    int fd = bpf_object__find_map_fd_by_name(object, name);
    return fd < 0 ? NULL : shared_map(fd, size);
}

static bool start(struct kernel_filter *k, const void *rpk, size_t size)
{
    struct rpk p;
    int err = rpk_open(&p, rpk, size, k->err, k->errlen);
    if (err)
        return false;
    k->object = open_joined(rpk, size);
    if (!k->object)
        return fail(k, errno, "the bundle cannot be joined with the test program");
    prepare(k->object, &p);
    err = bpf_object__load(k->object);
    if (err == -EPERM)
        return fail(k, err, "the kernel engine needs root");
    if (err)
        return fail(k, err, "the kernel refuses the filter");
    err = object_fill_maps(k->object, &p);
    if (err)
        return fail(k, err, "the filter's maps cannot be filled");
    struct bpf_program *prog = bpf_object__find_program_by_name(k->object, "test_filter");
    k->prog = prog ? bpf_program__fd(prog) : -1;
    k->ev = map_memory(k->object, "test_ev", sizeof(*k->ev));
    k->result = map_memory(k->object, "test_result", sizeof(*k->result));
    if (k->prog < 0 || !k->ev || !k->result)
        return fail(k, ENOENT, "the test program lacks its maps");
    return true;
}

struct kernel_filter *kernel_filter_new(const void *rpk, size_t size, char *err, size_t errlen)
{
    struct kernel_filter *k = calloc(1, sizeof(*k));
    if (!k) {
        snprintf(err, errlen, "out of memory");
        return NULL;
    }
    k->err = err;
    k->errlen = errlen;
    libbpf_print_fn_t before = libbpf_set_print(NULL);
    bool good = start(k, rpk, size);
    libbpf_set_print(before);
    if (good)
        return k;
    kernel_filter_free(k);
    return NULL;
}

void kernel_filter_free(struct kernel_filter *k)
{
    if (!k)
        return;
    shared_unmap(k->ev, sizeof(*k->ev));
    shared_unmap(k->result, sizeof(*k->result));
    bpf_object__close(k->object);
    free(k);
}

struct ev *kernel_filter_event(struct kernel_filter *k)
{
    return k->ev;
}

int64_t kernel_filter_run(struct kernel_filter *k)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts);
    *k->result = UINT32_MAX;
    memset(&k->ev->kept, 0, sizeof(k->ev->kept));
    k->ev->kept.test_class = (uint32_t)(1 + left_class(k->ev));
    int err = bpf_prog_test_run_opts(k->prog, &opts);
    if (err)
        return err < 0 ? err : -err;
    return *k->result == UINT32_MAX ? -EIO : (int64_t)*k->result;
}

/* How long the program has run so far; false: the kernel does not say. */
static bool run_time(const struct kernel_filter *k, uint64_t *ns)
{
    struct bpf_prog_info info = {0};
    uint32_t size = sizeof(info);
    if (bpf_obj_get_info_by_fd(k->prog, &info, &size))
        return false;
    *ns = info.run_time_ns;
    return true;
}

double kernel_filter_time(struct kernel_filter *k, unsigned series, unsigned runs)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts);
    double least = -1;
    int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
    for (unsigned s = 0; s < series && stats >= 0; s++) {
        uint64_t before = 0, after = 0;
        bool good = run_time(k, &before);
        for (unsigned i = 0; i < runs; i++)
            good = good && !bpf_prog_test_run_opts(k->prog, &opts);
        if (!good || !run_time(k, &after))
            break;
        double mean = (double)(after - before) / runs;
        least = least < 0 || mean < least ? mean : least;
    }
    if (stats >= 0)
        close(stats);
    return least;
}
