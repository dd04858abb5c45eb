/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins the generated filter to the probe's objects. The bytes depend on the input alone: no path,
 * no time, no name of a temporary file gets into them.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/rpk.h"
#include "arena.h"
#include "bpf.h"
#include "elf_file.h"
#include "pipeline.h"
#include "probes.h"
#include "sha256.h"
#include "source.h"

/*
 * All of the probe but hook_test, which is the kernel evaluator's: also the hooks that the rules do
 * not need. The loader leaves those out, and an audit attaches them.
 */
static int link_objects(struct comp *c, uint8_t **bytes, uint32_t *size)
{
    char path[32];
    int fd = mem_fd(NULL, 0);
    if (fd < 0)
        return fd;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    libbpf_print_fn_t before = libbpf_set_print(NULL);
    struct bpf_linker *linker = bpf_linker__new(path, NULL);
    int err = linker ? 0 : -errno;
    /* In name order: libbpf wants the object that defines the maps, core, before all users. */
    for (uint64_t i = 0; i < probe_object_count && !err; i++)
        if (strcmp(probe_objects[i].name, "hook_test") != 0)
            err = link_add(linker, probe_objects[i].bytes, probe_objects[i].size);
    if (!err)
        err = link_add(linker, c->filter_elf.v, c->filter_elf.n);
    if (!err)
        err = bpf_linker__finalize(linker);
    if (!err)
        err = mem_read(fd, c, bytes, size);
    bpf_linker__free(linker);
    libbpf_set_print(before);
    close(fd);
    return err;
}

/* Over the files' names would be over paths: over their bytes, in load order, with their lengths.
 */
static void digest_sources(struct comp *c, uint8_t out[32])
{
    struct sha256 h;
    sha256_init(&h);
    for (uint32_t i = 1; i <= source_count(c->sources); i++) {
        size_t len;
        const char *text = source_text(c->sources, i, &len);
        uint64_t size = len;
        sha256_add(&h, &size, sizeof(size));
        sha256_add(&h, text, len);
    }
    sha256_end(&h, out);
}

/* The linked object, put in order, with one more section. */
static int add_rulepack(struct comp *c, int fd)
{
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_RDWR, NULL);
    uint32_t name;
    int err = elf ? elf_tidy(c, elf, RPK_SECTION, &name) : -EIO;
    Elf_Scn *scn = err ? NULL : elf_newscn(elf);
    Elf64_Shdr *head = scn ? elf64_getshdr(scn) : NULL;
    Elf_Data *data = scn ? elf_newdata(scn) : NULL;
    if (head && data) {
        head->sh_name = name;
        head->sh_type = SHT_PROGBITS;
        head->sh_addralign = data->d_align = 8;
        data->d_buf = c->table.v;
        data->d_size = c->table.n;
        err = elf_update(elf, ELF_C_WRITE) < 0 ? -EIO : 0;
    } else if (!err) {
        err = -ENOMEM;
    }
    elf_end(elf);
    return err;
}

int pass_link(struct comp *c)
{
    uint8_t *bytes;
    uint32_t size;
    int err = link_objects(c, &bytes, &size);
    if (err) {
        fprintf(stderr, "rulec: the filter and the probe cannot be joined: %s\n", strerror(-err));
        return err;
    }
    struct rpk_head *head = (struct rpk_head *)c->table.v;
    digest_sources(c, head->source_digest);
    int fd = mem_fd(bytes, size);
    if (fd < 0)
        return fd;
    err = add_rulepack(c, fd);
    if (!err)
        err = mem_read(fd, c, &c->rpk.v, &c->rpk.n);
    close(fd);
    return err;
}
