/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_file.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "whole.h"

int mem_fd(const void *bytes, size_t size)
{
    int fd = memfd_create("rulec", MFD_CLOEXEC), err;
    if (fd < 0)
        return -errno;
    err = write_whole(fd, bytes, size);
    if (!err)
        return fd;
    close(fd);
    return err;
}

int link_add(struct bpf_linker *linker, const void *bytes, size_t size)
{
    char path[32];
    int fd = mem_fd(bytes, size);
    if (fd < 0)
        return fd;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int err = bpf_linker__add_file(linker, path, NULL);
    close(fd);
    return err;
}

int mem_read(int fd, struct comp *c, uint8_t **bytes, uint32_t *size)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size > INT32_MAX)
        return -EFBIG;
    uint8_t *buf = arena_alloc(c->arena, (size_t)st.st_size + 1);
    for (size_t done = 0; done < (size_t)st.st_size;) {
        ssize_t n = pread(fd, buf + done, (size_t)st.st_size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    *bytes = buf;
    *size = (uint32_t)st.st_size;
    return 0;
}

int elf_file_new(struct elf_file *f)
{
    elf_version(EV_CURRENT);
    f->fd = mem_fd(NULL, 0);
    if (f->fd < 0)
        return f->fd;
    f->elf = elf_begin(f->fd, ELF_C_WRITE, NULL);
    Elf64_Ehdr *head = f->elf ? elf64_newehdr(f->elf) : NULL;
    f->names = calloc(1, 1);
    f->nname = 1;
    if (!head || !f->names)
        return -ENOMEM;
    head->e_ident[EI_DATA] = ELFDATA2LSB;
    head->e_type = ET_REL;
    head->e_machine = EM_BPF;
    head->e_version = EV_CURRENT;
    return 0;
}

/* Appends a name to the section names; its offset, or -ENOMEM. */
static int64_t add_name(struct elf_file *f, const char *name)
{
    size_t len = strlen(name) + 1, at = f->nname;
    char *more = realloc(f->names, f->nname + len);
    if (!more)
        return -ENOMEM;
    memcpy(more + at, name, len);
    f->names = more;
    f->nname += len;
    return (int64_t)at;
}

int elf_file_add(struct elf_file *f, const struct elf_part *part)
{
    Elf_Scn *scn = elf_newscn(f->elf);
    Elf64_Shdr *head = scn ? elf64_getshdr(scn) : NULL;
    Elf_Data *data = scn ? elf_newdata(scn) : NULL;
    int64_t name = add_name(f, part->name);
    if (!head || !data || name < 0)
        return -ENOMEM;
    head->sh_name = (uint32_t)name;
    head->sh_type = part->type;
    head->sh_flags = part->flags;
    head->sh_entsize = part->entsize;
    head->sh_link = part->link;
    head->sh_info = part->info;
    head->sh_addralign = part->align;
    data->d_buf = (void *)(uintptr_t)part->data;
    data->d_size = part->size;
    data->d_type = part->kind;
    data->d_align = part->align;
    data->d_version = EV_CURRENT;
    return 0;
}

int elf_file_finish(struct elf_file *f, struct comp *c, uint8_t **bytes, uint32_t *size)
{
    struct elf_part names = {".shstrtab", SHT_STRTAB, 0, NULL, 0, ELF_T_BYTE, 1, 0, 0, 0};
    int err = elf_file_add(f, &names);
    if (err)
        return err;
    size_t n;
    elf_getshdrnum(f->elf, &n);
    Elf_Scn *scn = elf_getscn(f->elf, n - 1);
    Elf_Data *data = elf_getdata(scn, NULL);
    data->d_buf = f->names;
    data->d_size = f->nname;
    elf64_getehdr(f->elf)->e_shstrndx = (uint16_t)elf_ndxscn(scn);
    if (elf_update(f->elf, ELF_C_WRITE) < 0)
        return -EIO;
    return mem_read(f->fd, c, bytes, size);
}

void elf_file_close(struct elf_file *f)
{
    if (f->elf)
        elf_end(f->elf);
    if (f->fd >= 0)
        close(f->fd);
    free(f->names);
    *f = (struct elf_file){.fd = -1};
}
