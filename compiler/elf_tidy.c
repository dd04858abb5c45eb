/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libbpf's linker leaves local symbols behind global ones, which ELF forbids and readelf says at
 * length, and keeps every label of the probe's code. Here the symbols are put in order, without
 * the labels that nothing refers to.
 */
#include "elf_file.h"

#include <errno.h>
#include <string.h>

#include "arena.h"

struct names {
    VEC(char) text;
};

struct tidy {
    struct comp *c;
    Elf *elf;
    Elf_Scn *scn;
    Elf_Data *data;
    Elf64_Sym *syms;
    uint32_t nsym, nold;
    uint32_t *to; /* by old number: the new one; before that, whether it is used */
};

static bool find_symbols(struct tidy *t)
{
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(t->elf, scn));)
        if (elf64_getshdr(scn)->sh_type == SHT_SYMTAB)
            t->scn = scn;
    t->data = t->scn ? elf_getdata(t->scn, NULL) : NULL;
    if (!t->data)
        return false;
    t->syms = t->data->d_buf;
    t->nsym = (uint32_t)(t->data->d_size / sizeof(*t->syms));
    t->nold = t->nsym;
    t->to = arena_alloc(t->c->arena, (t->nsym + 1) * sizeof(*t->to));
    return true;
}

/* Every relocation: marks its symbol, or (`renumber`) turns to the symbol's new number. */
static void walk_relocations(struct tidy *t, bool renumber)
{
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(t->elf, scn));) {
        if (elf64_getshdr(scn)->sh_type != SHT_REL)
            continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        Elf64_Rel *rel = data->d_buf;
        for (size_t i = 0; i < data->d_size / sizeof(*rel); i++) {
            uint32_t sym = (uint32_t)ELF64_R_SYM(rel[i].r_info);
            if (sym >= t->nold)
                continue;
            if (renumber)
                rel[i].r_info = ELF64_R_INFO(t->to[sym], ELF64_R_TYPE(rel[i].r_info));
            else
                t->to[sym] = 1;
        }
        elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
    }
}

/* Copies the symbols of one binding that are kept behind the `n` there are. */
static uint32_t take(struct tidy *t, Elf64_Sym *out, uint32_t n, bool local)
{
    for (uint32_t i = 0; i < t->nsym; i++) {
        const Elf64_Sym *s = &t->syms[i];
        if ((ELF64_ST_BIND(s->st_info) == STB_LOCAL) != local ||
            (local && i && ELF64_ST_TYPE(s->st_info) == STT_NOTYPE && !t->to[i]))
            continue;
        t->to[i] = n;
        out[n++] = *s;
    }
    return n;
}

static void sort_symbols(struct tidy *t)
{
    Elf64_Sym *sorted = arena_alloc(t->c->arena, (t->nsym + 1) * sizeof(*sorted));
    uint32_t nlocal = take(t, sorted, 0, true), n = take(t, sorted, nlocal, false);
    memcpy(t->syms, sorted, n * sizeof(*sorted));
    t->nsym = n;
    t->data->d_size = n * sizeof(*sorted);
    elf64_getshdr(t->scn)->sh_info = nlocal;
}

/* Appends a name to a table of names; its offset. The empty one is at 0. */
static uint32_t put_name(struct tidy *t, struct names *to, const char *name)
{
    uint32_t at = to->text.n;
    if (!*name)
        return 0;
    for (const char *p = name;; p++) {
        VEC_PUSH(t->c->arena, &to->text, *p);
        if (!*p)
            return at;
    }
}

/* Sections and symbols share one table of names: a new one, with one name more. */
static int rename_all(struct tidy *t, const char *more, uint32_t *more_at)
{
    struct names names = {0};
    size_t index;
    if (elf_getshdrstrndx(t->elf, &index) < 0 || index != elf64_getshdr(t->scn)->sh_link)
        return -EIO;
    Elf_Data *data = elf_getdata(elf_getscn(t->elf, index), NULL);
    const char *old = data->d_buf;
    VEC_PUSH(t->c->arena, &names.text, 0);
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(t->elf, scn));)
        elf64_getshdr(scn)->sh_name = put_name(t, &names, old + elf64_getshdr(scn)->sh_name);
    for (uint32_t i = 0; i < t->nsym; i++)
        t->syms[i].st_name = put_name(t, &names, old + t->syms[i].st_name);
    *more_at = put_name(t, &names, more);
    data->d_buf = names.text.v;
    data->d_size = names.text.n;
    elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
    return 0;
}

int elf_tidy(struct comp *c, Elf *elf, const char *more, uint32_t *more_at)
{
    struct tidy t = {.c = c, .elf = elf};
    if (!find_symbols(&t))
        return -EIO;
    walk_relocations(&t, false);
    sort_symbols(&t);
    walk_relocations(&t, true);
    elf_flagdata(t.data, ELF_C_SET, ELF_F_DIRTY);
    return rename_all(&t, more, more_at);
}
