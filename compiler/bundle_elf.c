/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf.h"
#include "code.h"
#include "elf_file.h"
#include "show.h"

struct part {
    const uint8_t *bytes;
    size_t size;
    Elf64_Shdr head;
    uint16_t index;
};

struct file {
    Elf *elf;
    struct part text, rel, symbols, btf, ext;
    size_t strings; /* section of the symbols' names */
    struct btf *types;
    const uint8_t *lines; /* records of .text in .BTF.ext */
    uint32_t nline, line_size;
};

static const char *section_name(Elf *elf, const Elf64_Shdr *head)
{
    size_t names;
    const char *name = NULL;
    if (elf_getshdrstrndx(elf, &names) == 0)
        name = elf_strptr(elf, names, head->sh_name);
    return name ? name : "?";
}

static void find_parts(struct file *f)
{
    struct {
        const char *name;
        struct part *part;
    } want[] = {
        {".text", &f->text}, {".rel.text", &f->rel}, {".symtab", &f->symbols},
        {".BTF", &f->btf},   {".BTF.ext", &f->ext},
    };
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(f->elf, scn));) {
        const Elf64_Shdr *head = elf64_getshdr(scn);
        Elf_Data *data = head ? elf_rawdata(scn, NULL) : NULL;
        for (size_t i = 0; data && data->d_buf && i < sizeof(want) / sizeof(*want); i++)
            if (!strcmp(section_name(f->elf, head), want[i].name))
                *want[i].part =
                    (struct part){data->d_buf, data->d_size, *head, (uint16_t)elf_ndxscn(scn)};
    }
    f->strings = f->symbols.head.sh_link;
}

/* u32 at an offset, or 0 beyond the end. */
static uint32_t u32_at(const struct part *p, size_t off)
{
    uint32_t v = 0;
    if (p->size >= 4 && off <= p->size - 4)
        memcpy(&v, p->bytes + off, 4);
    return v;
}

/* Header: magic, version, flags, its length, then {offset, length} of func_info and line_info. */
static void find_lines(struct file *f)
{
    const struct part *x = &f->ext;
    size_t off = (size_t)u32_at(x, 4) + u32_at(x, 16), len = u32_at(x, 20);
    if (off > x->size || len > x->size - off)
        return;
    uint32_t size = u32_at(x, off);
    for (size_t at = 4; size >= sizeof(struct bpf_line_info) && at + 8 <= len;) {
        uint32_t name = u32_at(x, off + at), n = u32_at(x, off + at + 4);
        const char *section = btf__name_by_offset(f->types, name);
        at += 8;
        if (n > (len - at) / size)
            return;
        if (section && !strcmp(section, ".text")) {
            f->lines = x->bytes + off + at;
            f->nline = n;
            f->line_size = size;
            return;
        }
        at += (size_t)n * size;
    }
}

static int open_file(struct file *f, const void *bytes, size_t size)
{
    memset(f, 0, sizeof(*f));
    elf_version(EV_CURRENT);
    f->elf = elf_memory((char *)(uintptr_t)bytes, size);
    if (!f->elf || elf_kind(f->elf) != ELF_K_ELF || !elf64_getehdr(f->elf))
        return -EINVAL;
    find_parts(f);
    f->types = f->btf.bytes ? btf__new(f->btf.bytes, (uint32_t)f->btf.size) : NULL;
    if (f->types)
        find_lines(f);
    return 0;
}

static void close_file(struct file *f)
{
    btf__free(f->types);
    elf_end(f->elf);
}

int bundle_print_sections(const void *bytes, size_t size, FILE *out)
{
    struct file f;
    int err = open_file(&f, bytes, size);
    for (Elf_Scn *scn = NULL; !err && (scn = elf_nextscn(f.elf, scn));) {
        const Elf64_Shdr *head = elf64_getshdr(scn);
        fputs("section    ", out);
        if (head)
            show_text(out, section_name(f.elf, head), strlen(section_name(f.elf, head)));
        fputc('\n', out);
    }
    close_file(&f);
    return err;
}

/* ---- code ---- */

static bool symbol_at(const struct file *f, size_t i, Elf64_Sym *sym)
{
    if (i >= f->symbols.size / sizeof(*sym))
        return false;
    memcpy(sym, f->symbols.bytes + i * sizeof(*sym), sizeof(*sym));
    return true;
}

static const char *symbol_name(const struct file *f, const Elf64_Sym *sym)
{
    const char *name = elf_strptr(f->elf, f->strings, sym->st_name);
    return name ? name : "?";
}

/* Marks of the function at byte `start`; a new array, or NULL. Their texts are malloc'd too. */
static struct code_mark *function_marks(const struct file *f, const Elf64_Sym *sym, uint32_t *n)
{
    struct code_mark *marks = calloc(f->nline + 1, sizeof(*marks));
    *n = 0;
    for (uint32_t i = 0; marks && i < f->nline; i++) {
        struct bpf_line_info line;
        memcpy(&line, f->lines + (size_t)i * f->line_size, sizeof(line));
        const char *file = btf__name_by_offset(f->types, line.file_name_off);
        const char *text = btf__name_by_offset(f->types, line.line_off);
        char *mark;
        if (line.insn_off < sym->st_value || line.insn_off >= sym->st_value + sym->st_size)
            continue;
        if (asprintf(&mark, "%s:%u:%u: %s", file ? file : "?", line.line_col >> 10,
                     line.line_col & 1023, text ? text : "") < 0)
            break;
        marks[*n] = (struct code_mark){(uint32_t)((line.insn_off - sym->st_value) / 8), mark};
        ++*n;
    }
    return marks;
}

static int compare_calls(const void *a, const void *b)
{
    const struct code_call *x = a, *y = b;
    return x->insn < y->insn ? -1 : x->insn > y->insn;
}

static struct code_call *function_calls(const struct file *f, const Elf64_Sym *func, uint32_t *n)
{
    size_t nrel = f->rel.size / sizeof(Elf64_Rel);
    struct code_call *calls = calloc(nrel + 1, sizeof(*calls));
    *n = 0;
    for (size_t i = 0; calls && i < nrel; i++) {
        Elf64_Rel rel;
        Elf64_Sym sym;
        memcpy(&rel, f->rel.bytes + i * sizeof(rel), sizeof(rel));
        if (rel.r_offset < func->st_value || rel.r_offset >= func->st_value + func->st_size ||
            !symbol_at(f, ELF64_R_SYM(rel.r_info), &sym))
            continue;
        calls[*n] = (struct code_call){(uint32_t)((rel.r_offset - func->st_value) / 8),
                                       symbol_name(f, &sym)};
        ++*n;
    }
    if (calls)
        qsort(calls, *n, sizeof(*calls), compare_calls);
    return calls;
}

static void print_function(const struct file *f, const Elf64_Sym *sym, FILE *out)
{
    uint32_t nmark, ncall;
    struct code_mark *marks = function_marks(f, sym, &nmark);
    struct code_call *calls = function_calls(f, sym, &ncall);
    const uint8_t *from = f->text.bytes + sym->st_value;
    struct bpf_insn *insns = malloc(sym->st_size);
    if (marks && calls && insns) {
        memcpy(insns, from, sym->st_size);
        struct code code = {
            symbol_name(f, sym), insns, (uint32_t)(sym->st_size / 8), marks, nmark, calls, ncall};
        code_print(out, &code);
    }
    for (uint32_t i = 0; marks && i < nmark; i++)
        free((char *)(uintptr_t)marks[i].text);
    free(insns);
    free(marks);
    free(calls);
}

int bundle_print_code(const void *bytes, size_t size, FILE *out)
{
    struct file f;
    Elf64_Sym sym;
    int err = open_file(&f, bytes, size);
    for (size_t i = 0; !err && symbol_at(&f, i, &sym); i++) {
        bool inside = sym.st_value <= f.text.size && sym.st_size <= f.text.size - sym.st_value;
        if (ELF64_ST_TYPE(sym.st_info) == STT_FUNC && sym.st_shndx == f.text.index && inside &&
            sym.st_size % 8 == 0 && sym.st_size && bpf_is_filter(symbol_name(&f, &sym)))
            print_function(&f, &sym, out);
    }
    close_file(&f);
    return err;
}
