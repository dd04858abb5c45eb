/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF file around a bundle: each offset is held against the file before use. */
#include "rpk.h" /* before elf.h, which defines EV_NONE (0) as a macro */

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct elf_view {
    const uint8_t *file;
    size_t size;
    Elf64_Ehdr head;
    Elf64_Shdr names;
    char *err;
    size_t errlen;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct elf_view *f, int rc,
                                                        const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(f->err, f->errlen, fmt, ap);
    va_end(ap);
    return rc;
}

static bool in_file(const struct elf_view *f, uint64_t off, uint64_t len)
{
    return len <= f->size && off <= f->size - len;
}

/* Header of section `i`; read_head() has checked that the header table is inside the file. */
static Elf64_Shdr section_at(const struct elf_view *f, size_t i)
{
    Elf64_Shdr s;

    memcpy(&s, f->file + f->head.e_shoff + i * sizeof(s), sizeof(s));
    return s;
}

static int read_head(struct elf_view *f)
{
    static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
    Elf64_Ehdr *e = &f->head;

    if (f->size < sizeof(*e) || memcmp(f->file, ident, sizeof(ident)) != 0)
        return refuse(f, -ENOEXEC, "not a rule bundle: `rulec build` makes one");
    memcpy(e, f->file, sizeof(*e));
    if (e->e_machine != EM_BPF || e->e_type != ET_REL)
        return refuse(f, -ENOEXEC, "an ELF file, but not a rule bundle");
    if (e->e_shentsize != sizeof(Elf64_Shdr) || e->e_shstrndx >= e->e_shnum ||
        !in_file(f, e->e_shoff, (uint64_t)e->e_shnum * sizeof(Elf64_Shdr)))
        return refuse(f, -EINVAL, "broken ELF file: section headers outside the file");
    f->names = section_at(f, e->e_shstrndx);
    if (!in_file(f, f->names.sh_offset, f->names.sh_size))
        return refuse(f, -EINVAL, "broken ELF file: section names outside the file");
    return 0;
}

static bool is_called(const struct elf_view *f, const Elf64_Shdr *s, const char *name)
{
    size_t len = strlen(name) + 1;

    return s->sh_name < f->names.sh_size && f->names.sh_size - s->sh_name >= len &&
           memcmp(f->file + f->names.sh_offset + s->sh_name, name, len) == 0;
}

int rpk_elf_find(const void *bytes, size_t size, const char *name, uint64_t *off, uint64_t *len,
                 char *err, size_t errlen)
{
    struct elf_view f = {.file = bytes, .size = size, .err = err, .errlen = errlen};
    int rc = read_head(&f);

    for (size_t i = 1; i < f.head.e_shnum && !rc; i++) {
        Elf64_Shdr s = section_at(&f, i);
        if (!is_called(&f, &s, name))
            continue;
        if (s.sh_type != SHT_PROGBITS || !in_file(&f, s.sh_offset, s.sh_size))
            return refuse(&f, -EINVAL, "section %s is outside the file", name);
        *off = s.sh_offset;
        *len = s.sh_size;
        return 0;
    }
    return rc ? rc
              : refuse(&f, -ENOEXEC, "an ELF file, but not a rule bundle: it has no section %s",
                       name);
}

uint64_t rpk_code(const void *bytes, size_t size, uint64_t *len)
{
    uint64_t off = 0;

    *len = 0;
    rpk_elf_find(bytes, size, ".text", &off, len, NULL, 0);
    return off;
}
