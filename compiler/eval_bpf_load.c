/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_bpf_load.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/rpk.h"
#include "intern.h"

#define SECTIONS_MAX 256
#define CODE_MAX (64u << 20)

struct loader {
    struct bpf_vm *vm;
    Elf *elf;
    uint32_t base[SECTIONS_MAX];  /* first instruction of each code section */
    uint32_t count[SECTIONS_MAX]; /* 0: no code */
    Elf_Data *symbols;
    size_t nsymbol, names; /* names: section of their texts */
    bool rulepack;
    char *err;
    size_t errlen;
};

static bool fail(struct loader *l, const char *why)
{
    snprintf(l->err, l->errlen, "%s", why);
    return false;
}

static void *must(void *p)
{
    if (p)
        return p;
    fputs("rulec: out of memory\n", stderr);
    exit(2);
}

static Elf_Data *data_of(Elf_Scn *scn, size_t unit)
{
    Elf_Data *d = elf_getdata(scn, NULL);
    return d && d->d_buf && d->d_size % unit == 0 ? d : NULL;
}

static bool add_code(struct loader *l, size_t index, Elf_Scn *scn)
{
    Elf_Data *d = data_of(scn, sizeof(struct bpf_insn));
    struct bpf_vm *vm = l->vm;
    if (!d)
        return fail(l, "a code section without whole instructions");
    if (d->d_size > CODE_MAX)
        return fail(l, "more code than any filter has");
    uint32_t n = (uint32_t)(d->d_size / sizeof(struct bpf_insn));
    vm->insns = must(realloc(vm->insns, (vm->ninsn + n) * sizeof(*vm->insns)));
    memcpy(vm->insns + vm->ninsn, d->d_buf, d->d_size);
    l->base[index] = vm->ninsn;
    l->count[index] = n;
    vm->ninsn += n;
    return true;
}

static bool read_sections(struct loader *l)
{
    size_t names, index;
    Elf_Scn *scn = NULL;
    GElf_Shdr sh;
    if (elf_getshdrstrndx(l->elf, &names))
        return fail(l, "not an ELF object");
    while ((scn = elf_nextscn(l->elf, scn))) {
        index = elf_ndxscn(scn);
        if (!gelf_getshdr(scn, &sh) || index >= SECTIONS_MAX)
            return fail(l, "section headers that cannot be read");
        const char *name = elf_strptr(l->elf, names, sh.sh_name);
        if (name && !strcmp(name, RPK_SECTION))
            l->rulepack = true;
        if (sh.sh_type == SHT_SYMTAB) {
            l->symbols = data_of(scn, sizeof(Elf64_Sym));
            l->nsymbol = l->symbols ? l->symbols->d_size / sizeof(Elf64_Sym) : 0;
            l->names = sh.sh_link;
        }
        if (sh.sh_type == SHT_PROGBITS && sh.sh_flags & SHF_EXECINSTR && sh.sh_size &&
            !add_code(l, index, scn))
            return false;
    }
    return l->symbols || fail(l, "no symbols");
}

static const char *symbol_name(struct loader *l, const GElf_Sym *sym)
{
    const char *name = elf_strptr(l->elf, l->names, sym->st_name);
    return name ? name : "";
}

/* Place of a symbol in the array of all code. */
static bool symbol_place(struct loader *l, const GElf_Sym *sym, uint32_t *out)
{
    size_t scn = sym->st_shndx;
    uint64_t at = sym->st_value / sizeof(struct bpf_insn);
    if (scn >= SECTIONS_MAX || sym->st_shndx == SHN_UNDEF || at >= l->count[scn])
        return false;
    *out = l->base[scn] + (uint32_t)at;
    return true;
}

static enum vm_native native_of(const char *name)
{
    static const struct {
        const char *name;
        enum vm_native native;
    } rows[] = {
        {"match_contains", NATIVE_CONTAINS}, {"match_icontains", NATIVE_ICONTAINS},
        {"match_glob", NATIVE_GLOB},         {"match_iglob", NATIVE_IGLOB},
        {"match_path", NATIVE_PATH},         {"match_anc", NATIVE_ANC},
        {"match_name", NATIVE_NAME},         {"class_find", NATIVE_FIND},
        {"class_number", NATIVE_NUMBER},     {"class_judge", NATIVE_JUDGE},
        {"class_scan", NATIVE_SCAN},         {"class_found", NATIVE_FOUND},
        {"path_sketch", NATIVE_SKETCH},      {"lane_answer", NATIVE_LANE},
        {"task_settle", NATIVE_SETTLE},      {"lore_find", NATIVE_EXTRACT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!strcmp(name, rows[i].name))
            return rows[i].native;
    return strncmp(name, "extract_", 8) ? NATIVE_NONE : NATIVE_EXTRACT;
}

/* The name of the function that starts at this place, or NULL. */
static const char *function_at(struct loader *l, uint32_t place)
{
    for (size_t i = 0; i < l->nsymbol; i++) {
        GElf_Sym sym;
        uint32_t at;
        if (gelf_getsym(l->symbols, (int)i, &sym) && GELF_ST_TYPE(sym.st_info) == STT_FUNC &&
            symbol_place(l, &sym, &at) && at == place)
            return symbol_name(l, &sym);
    }
    return NULL;
}

static void resolve(struct loader *l, uint32_t insn, const GElf_Sym *sym)
{
    struct vm_call *call = &l->vm->calls[insn];
    const char *name = symbol_name(l, sym);
    *call = (struct vm_call){.native = native_of(name), .name = name};
    if (call->native != NATIVE_NONE)
        return;
    call->native = NATIVE_UNKNOWN;
    if (!symbol_place(l, sym, &call->target))
        return;
    /* libbpf's rule: the symbol's place plus what the instruction says, which is -1 for a name. */
    const struct bpf_insn *in = &l->vm->insns[insn];
    /* Sections without code were passed over: insns is there. */
    call->target += (uint32_t)(in->imm + 1); // NOLINT(clang-analyzer-core.NullDereference)
    if (call->target >= l->vm->ninsn)
        return;
    name = function_at(l, call->target);
    call->name = name ? name : call->name;
    call->native = name ? native_of(name) : NATIVE_NONE;
}

static bool read_relocations(struct loader *l)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr sh;
    while ((scn = elf_nextscn(l->elf, scn))) {
        if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_REL || sh.sh_info >= SECTIONS_MAX ||
            !sh.sh_size || !l->count[sh.sh_info])
            continue;
        Elf_Data *d = data_of(scn, sizeof(Elf64_Rel));
        if (!d)
            return fail(l, "relocations that cannot be read");
        for (size_t i = 0; i < d->d_size / sizeof(Elf64_Rel); i++) {
            GElf_Rel rel;
            GElf_Sym sym;
            if (!gelf_getrel(d, (int)i, &rel) ||
                !gelf_getsym(l->symbols, (int)GELF_R_SYM(rel.r_info), &sym))
                return fail(l, "a relocation that cannot be read");
            uint64_t at = rel.r_offset / sizeof(struct bpf_insn);
            if (at < l->count[sh.sh_info] && GELF_R_TYPE(rel.r_info) == 10)
                resolve(l, l->base[sh.sh_info] + (uint32_t)at, &sym);
        }
    }
    return true;
}

/* Calls within a section may stand without relocation. */
static void resolve_rest(struct loader *l)
{
    struct bpf_vm *vm = l->vm;
    for (uint32_t i = 0; i < vm->ninsn; i++) {
        const struct bpf_insn *in = &vm->insns[i];
        if (in->code != (BPF_JMP | BPF_CALL) || in->src_reg != BPF_PSEUDO_CALL ||
            vm->calls[i].native != NATIVE_UNKNOWN || vm->calls[i].name)
            continue;
        int64_t target = (int64_t)i + in->imm + 1;
        if (target < 0 || target >= vm->ninsn)
            continue;
        const char *name = function_at(l, (uint32_t)target);
        vm->calls[i].target = (uint32_t)target;
        vm->calls[i].name = name;
        vm->calls[i].native = name ? native_of(name) : NATIVE_NONE;
    }
}

static bool find_symbol(struct loader *l, const char *name, uint32_t *place)
{
    for (size_t i = 0; i < l->nsymbol; i++) {
        GElf_Sym sym;
        if (gelf_getsym(l->symbols, (int)i, &sym) && !strcmp(symbol_name(l, &sym), name) &&
            symbol_place(l, &sym, place))
            return true;
    }
    return false;
}

/* rule_left is never the first: rule_filter or a part of it comes before. */
static bool find_start(struct loader *l)
{
    if (!find_symbol(l, "rule_left", &l->vm->left))
        l->vm->left = 0;
    return find_symbol(l, "rule_filter", &l->vm->start) || fail(l, "no function rule_filter");
}

static const void *copy(const void *rows, size_t n, size_t size)
{
    void *to = must(malloc(n * size + 1));
    return n ? memcpy(to, rows, n * size) : to;
}

/* The bundle's bytes are the caller's and may go: the tables of classes are copied. */
static void keep_classes(struct bpf_vm *vm, const struct rpk *p)
{
    const struct rpk_head *h = p->head;
    vm->classes_head = *h;
    vm->classes.head = &vm->classes_head;
    vm->classes.class_edges = copy(p->class_edges, h->class_edges.n, sizeof(*p->class_edges));
    vm->classes.class_rows = copy(p->class_rows, h->class_rows.n, sizeof(*p->class_rows));
    vm->classes.class_cands = copy(p->class_cands, h->class_cands.n, sizeof(*p->class_cands));
    vm->classes.class_tests = copy(p->class_tests, h->class_tests.n, sizeof(*p->class_tests));
    vm->classes.sketch = copy(p->sketch, h->sketch.n, sizeof(*p->sketch));
}

static void drop_classes(struct bpf_vm *vm)
{
    free((void *)(uintptr_t)vm->classes.class_edges);
    free((void *)(uintptr_t)vm->classes.class_rows);
    free((void *)(uintptr_t)vm->classes.class_cands);
    free((void *)(uintptr_t)vm->classes.class_tests);
    free((void *)(uintptr_t)vm->classes.sketch);
}

static bool read_rulepack(struct loader *l, const void *elf, size_t size)
{
    struct rpk p;
    struct bpf_vm *vm = l->vm;
    if (!l->rulepack)
        return true;
    if (rpk_open(&p, elf, size, l->err, l->errlen))
        return false;
    vm->npattern = p.head->patterns.n;
    vm->nname = p.head->names.n;
    keep_classes(vm, &p);
    vm->patterns = must(calloc(vm->npattern + 1u, sizeof(*vm->patterns)));
    vm->names = must(calloc(vm->nname + 1u, sizeof(*vm->names)));
    for (uint32_t i = 0; i < vm->npattern; i++)
        vm->patterns[i] = (struct vm_pattern){rpk_text(&p, p.patterns[i]), p.patterns[i].len};
    for (uint32_t i = 0; i < vm->nname; i++) {
        vm->names[i].set = p.names[i].set;
        memcpy(vm->names[i].name, p.names[i].name, COMM_SIZE);
    }
    return true;
}

void bpf_vm_tables(struct bpf_vm *vm, const struct comp *c)
{
    free(vm->patterns);
    free(vm->names);
    drop_classes(vm);
    vm->npattern = c->patterns.n;
    vm->nname = c->names.n;
    struct rpk_head head = {.class_edges.n = c->class_edges.n,
                            .class_rows.n = c->class_rows.n,
                            .class_cands.n = c->class_cands.n,
                            .class_tests.n = c->class_tests.n,
                            .sketch.n = c->sketch.n};
    struct rpk p = {.head = &head,
                    .class_edges = c->class_edges.v,
                    .class_rows = c->class_rows.v,
                    .class_cands = c->class_cands.v,
                    .class_tests = c->class_tests.v,
                    .sketch = c->sketch.v};
    keep_classes(vm, &p);
    vm->patterns = must(calloc(vm->npattern + 1u, sizeof(*vm->patterns)));
    vm->names = must(calloc(vm->nname + 1u, sizeof(*vm->names)));
    for (uint32_t i = 0; i < vm->npattern; i++)
        vm->patterns[i] =
            (struct vm_pattern){STR(c, c->patterns.v[i]), STRLEN(c, c->patterns.v[i])};
    for (uint32_t i = 0; i < vm->nname; i++) {
        size_t len = STRLEN(c, c->names.v[i].name);
        vm->names[i].set = c->names.v[i].set;
        memcpy(vm->names[i].name, STR(c, c->names.v[i].name), len < COMM_SIZE ? len : COMM_SIZE);
    }
}

struct bpf_vm *bpf_vm_new(const void *elf, size_t size, char *err, size_t errlen)
{
    struct bpf_vm *vm = must(calloc(1, sizeof(*vm)));
    struct loader l = {.vm = vm, .err = err, .errlen = errlen};
    bool good = false;
    elf_version(EV_CURRENT);
    l.elf = elf_memory((char *)(uintptr_t)elf, size);
    if (!l.elf || elf_kind(l.elf) != ELF_K_ELF || gelf_getclass(l.elf) != ELFCLASS64) {
        fail(&l, "not an ELF object");
        goto out;
    }
    if (!read_sections(&l))
        goto out;
    vm->calls = must(calloc(vm->ninsn + 1u, sizeof(*vm->calls)));
    for (uint32_t i = 0; i < vm->ninsn; i++)
        vm->calls[i].native = NATIVE_UNKNOWN;
    if (!read_relocations(&l) || !find_start(&l) || !read_rulepack(&l, elf, size))
        goto out;
    resolve_rest(&l);
    good = true;
out:
    if (l.elf)
        elf_end(l.elf);
    if (good)
        return vm;
    bpf_vm_free(vm);
    return NULL;
}

void bpf_vm_free(struct bpf_vm *vm)
{
    if (!vm)
        return;
    free(vm->insns);
    free(vm->calls);
    free(vm->patterns);
    free(vm->names);
    drop_classes(vm);
    free(vm);
}
