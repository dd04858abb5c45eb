/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small ELF files made and changed in memory (a memfd, because libelf and libbpf's linker want
 * descriptors and paths; no name of it gets into the file).
 */
#ifndef RULEC_ELF_FILE_H
#define RULEC_ELF_FILE_H

#include "model.h"

#include <libelf.h> /* after catalog.h, whose EV_NONE it makes a macro of the same value */

struct bpf_linker;

struct elf_file {
    int fd; /* -1: none */
    Elf *elf;
    char *names; /* section names so far, with their NULs */
    size_t nname;
};

struct elf_part {
    const char *name;
    uint32_t type;
    uint64_t flags;
    const void *data; /* must live until elf_file_finish() */
    size_t size;
    Elf_Type kind;
    uint64_t align, entsize;
    uint32_t link, info;
};

/* All return 0 or -errno. */
int elf_file_new(struct elf_file *f);
int elf_file_add(struct elf_file *f, const struct elf_part *part);
/* Adds section names and header, and reads the file into the arena. */
int elf_file_finish(struct elf_file *f, struct comp *c, uint8_t **bytes, uint32_t *size);
void elf_file_close(struct elf_file *f); /* empty is fine */

/*
 * Puts the symbols of a linked object in order (elf_tidy.c) and makes room for the name of one more
 * section, which stands at `*more_at`. 0 or -EIO.
 */
int elf_tidy(struct comp *c, Elf *elf, const char *more, uint32_t *more_at);

/* A memfd of these bytes (or empty), or -errno; its path is /proc/self/fd/N. */
int mem_fd(const void *bytes, size_t size);
/* Adds an object that is in memory to what is linked. 0 or -errno. */
int link_add(struct bpf_linker *linker, const void *bytes, size_t size);
/* The whole of a descriptor into the arena. */
int mem_read(int fd, struct comp *c, uint8_t **bytes, uint32_t *size);

#endif
