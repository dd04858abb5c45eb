/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generated filter as an ELF relocatable that libbpf's linker joins to the probe: .text with
 * global functions, relocations for every call, BTF that tells their types, and BTF.ext that tells
 * the kernel where each function begins and which line of the rules each instruction comes from.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "bpf.h"
#include "elf_file.h"
#include "intern.h"
#include "source.h"

#define R_BPF_64_32 10
#define LINE_TEXT_MAX 120 /* bytes of a rule's line that are kept */

struct bytes {
    VEC(uint8_t) v;
};

static uint32_t put(struct comp *c, struct bytes *b, const void *data, size_t len)
{
    uint32_t at = b->v.n;
    VEC_APPEND(c->arena, &b->v, data, len);
    return at;
}

struct obj {
    struct comp *c;
    const struct asm_code *a;
    struct btf *btf;
    int func_type; /* int (struct ev *) */
    struct bytes strings, symbols, relocs, ext, btf_bytes;
    VEC(const char *) names; /* symbols from 1, in order */
    uint32_t ndefined;
};

/* ---- places ---- */

bool obj_place(struct comp *c, span_id at, struct obj_place *out)
{
    const struct span *s = &c->spans.v[at.i];
    if (at.i >= c->spans.n || s->file == 0)
        return false;
    size_t len;
    uint32_t start;
    const char *name = source_name(c->sources, s->file), *slash = strrchr(name, '/');
    struct place p = source_place(c->sources, s->file, s->off);
    const char *line = source_line(c->sources, s->file, s->off, &len, &start);
    while (len && (*line == ' ' || *line == '\t')) {
        line++;
        len--;
    }
    *out = (struct obj_place){
        .file = slash ? slash + 1 : name,
        .line = p.line,
        .column = p.column,
        .text =
            arena_printf(c->arena, "%.*s", (int)(len < LINE_TEXT_MAX ? len : LINE_TEXT_MAX), line)};
    return true;
}

/* ---- BTF ---- */

/* Functions of the probe that take numbers besides the event, and how many. */
static const struct {
    const char *name;
    unsigned nnum;
} MATCHERS[] = {{"match_contains", 2}, {"match_icontains", 2}, {"match_name", 2},
                {"match_glob", 2},     {"match_iglob", 2},     {"match_path", 2},
                {"match_anc", 1},      {"class_find", 3},      {"class_judge", 1},
                {"class_number", 2},   {"class_scan", 2},      {"class_found", 1},
                {"lane_answer", 1},    {"lore_find", 1}};
#define NUMS_MAX 3

static int add_function_type(struct obj *o, int ret, int arg, int num, unsigned nnum)
{
    static const char *const param[NUMS_MAX] = {"first", "second", "third"};
    int id = btf__add_func_proto(o->btf, ret);
    btf__add_func_param(o->btf, "ev", arg);
    for (unsigned i = 0; i < nnum; i++)
        btf__add_func_param(o->btf, param[i], num);
    return id;
}

/* int rule_left(event, class, bits, bits, sketch) */
static int add_left_type(struct obj *o, int ret, int num)
{
    static const char *const param[] = {"event", "class", "low", "high", "sketch"};
    int wide = btf__add_typedef(o->btf, "__u64", btf__add_int(o->btf, "unsigned long long", 8, 0));
    int id = btf__add_func_proto(o->btf, ret);
    for (unsigned i = 0; i < sizeof(param) / sizeof(param[0]); i++)
        btf__add_func_param(o->btf, param[i], i < 2 ? num : wide);
    return id;
}

static void add_functions(struct obj *o, int ret, int arg, int num)
{
    int types[NUMS_MAX + 1];
    for (unsigned i = 0; i <= NUMS_MAX; i++)
        types[i] = add_function_type(o, ret, arg, num, i);
    o->func_type = types[0];
    int left = add_left_type(o, ret, num);
    for (uint32_t i = 0; i < o->names.n; i++) {
        const char *name = o->names.v[i];
        unsigned nnum = 0;
        for (size_t k = 0; k < sizeof(MATCHERS) / sizeof(MATCHERS[0]); k++)
            nnum = strcmp(name, MATCHERS[k].name) ? nnum : MATCHERS[k].nnum;
        btf__add_func(o->btf, name, i < o->ndefined ? BTF_FUNC_GLOBAL : BTF_FUNC_EXTERN,
                      strcmp(name, "rule_left") ? types[nnum] : left);
    }
}

/* Ids follow from the order of the calls; a failure shows in the last of them. */
static int add_types(struct obj *o)
{
    int ret = btf__add_int(o->btf, "int", 4, BTF_INT_SIGNED);
    int num = btf__add_typedef(o->btf, "__u32", btf__add_int(o->btf, "unsigned int", 4, 0));
    int byte = btf__add_int(o->btf, "char", 1, BTF_INT_SIGNED);
    int bytes = btf__add_array(o->btf, num, byte, sizeof(struct ev));
    int ev = btf__add_struct(o->btf, "ev", sizeof(struct ev));
    btf__add_field(o->btf, "bytes", bytes, 0, 0);
    add_functions(o, ret, btf__add_ptr(o->btf, ev), num);
    return btf__find_by_name_kind(o->btf, o->names.v[o->names.n - 1], BTF_KIND_FUNC) < 0 ? -ENOMEM
                                                                                         : 0;
}

/* ---- BTF.ext ---- */

static uint32_t func_info(struct obj *o, uint32_t section)
{
    uint32_t start = o->ext.v.n, size = sizeof(struct bpf_func_info);
    put(o->c, &o->ext, &size, 4);
    put(o->c, &o->ext, &section, 4);
    put(o->c, &o->ext, &o->ndefined, 4);
    for (uint32_t i = 0; i < o->a->funcs.n; i++) {
        const struct asm_func *f = &o->a->funcs.v[i];
        int id = btf__find_by_name_kind(o->btf, f->name, BTF_KIND_FUNC);
        struct bpf_func_info info = {.insn_off = f->start * 8, .type_id = (uint32_t)id};
        put(o->c, &o->ext, &info, sizeof(info));
    }
    return o->ext.v.n - start;
}

static bool same_line(const struct bpf_line_info *a, const struct bpf_line_info *b)
{
    return a->file_name_off == b->file_name_off && a->line_off == b->line_off &&
           a->line_col == b->line_col;
}

static bool is_start(const struct obj *o, uint32_t insn, uint32_t *func)
{
    while (*func < o->a->funcs.n && o->a->funcs.v[*func].start < insn)
        ++*func;
    return *func < o->a->funcs.n && o->a->funcs.v[*func].start == insn;
}

static int line_of(struct obj *o, span_id at, struct bpf_line_info *out)
{
    struct obj_place p = {.file = "rules", .text = ""};
    obj_place(o->c, at, &p);
    int file = btf__add_str(o->btf, p.file), text = btf__add_str(o->btf, p.text);
    if (file < 0 || text < 0)
        return -ENOMEM;
    uint32_t column = p.column < 1023 ? p.column : 1023;
    *out = (struct bpf_line_info){.file_name_off = (uint32_t)file,
                                  .line_off = (uint32_t)text,
                                  .line_col = p.line << 10 | column};
    return 0;
}

/* Of several marks at one instruction the last one counts; each function has one at its start. */
static int line_info(struct obj *o, uint32_t section, uint32_t *len)
{
    uint32_t start = o->ext.v.n, size = sizeof(struct bpf_line_info), n = 0, func = 0;
    struct bpf_line_info before = {0};
    put(o->c, &o->ext, &size, 4);
    put(o->c, &o->ext, &section, 4);
    uint32_t count_at = put(o->c, &o->ext, &n, 4);
    for (uint32_t i = 0; i < o->a->marks.n; i++) {
        const struct asm_mark *m = &o->a->marks.v[i];
        struct bpf_line_info info;
        if ((i + 1 < o->a->marks.n && m[1].insn == m->insn) || m->insn >= o->a->insns.n)
            continue;
        if (line_of(o, m->at, &info) < 0)
            return -ENOMEM;
        if (n && same_line(&info, &before) && !is_start(o, m->insn, &func))
            continue;
        before = info;
        info.insn_off = m->insn * 8;
        put(o->c, &o->ext, &info, sizeof(info));
        n++;
    }
    memcpy(o->ext.v.v + count_at, &n, 4);
    *len = o->ext.v.n - start;
    return 0;
}

struct ext_head {
    uint16_t magic;
    uint8_t version, flags;
    uint32_t hdr_len, func_off, func_len, line_off, line_len, core_off, core_len;
};

static int write_ext(struct obj *o)
{
    struct ext_head head = {.magic = 0xeb9f, .version = 1, .hdr_len = sizeof(head)};
    int section = btf__add_str(o->btf, ".text");
    put(o->c, &o->ext, &head, sizeof(head));
    if (section < 0)
        return -ENOMEM;
    head.func_len = func_info(o, (uint32_t)section);
    head.line_off = head.core_off = head.func_len;
    int err = line_info(o, (uint32_t)section, &head.line_len);
    head.core_off += head.line_len;
    memcpy(o->ext.v.v, &head, sizeof(head));
    return err;
}

/* ---- symbols and relocations ---- */

static uint32_t symbol_index(struct obj *o, const char *name)
{
    for (uint32_t i = 0; i < o->names.n; i++)
        if (strcmp(o->names.v[i], name) == 0)
            return i + 1;
    VEC_PUSH(o->c->arena, &o->names, name);
    return o->names.n;
}

static void put_symbol(struct obj *o, const char *name, const struct asm_func *f, uint16_t section)
{
    Elf64_Sym sym = {.st_name = put(o->c, &o->strings, name, strlen(name) + 1),
                     .st_info = ELF64_ST_INFO(STB_GLOBAL, f ? STT_FUNC : STT_NOTYPE),
                     .st_shndx = section};
    if (f) {
        sym.st_value = (uint64_t)f->start * 8;
        sym.st_size = (uint64_t)(f->end - f->start) * 8;
    }
    put(o->c, &o->symbols, &sym, sizeof(sym));
}

#define TEXT_SECTION 1 /* index of .text: the first section written */

static void write_symbols(struct obj *o)
{
    static const char none[sizeof(Elf64_Sym)];
    put(o->c, &o->strings, "", 1);
    put(o->c, &o->symbols, none, sizeof(none));
    for (uint32_t i = 0; i < o->a->funcs.n; i++)
        VEC_PUSH(o->c->arena, &o->names, o->a->funcs.v[i].name);
    o->ndefined = o->names.n;
    for (uint32_t i = 0; i < o->a->calls.n; i++) {
        const struct asm_call *call = &o->a->calls.v[i];
        Elf64_Rel rel = {.r_offset = (uint64_t)call->insn * 8,
                         .r_info = ELF64_R_INFO(symbol_index(o, call->symbol), R_BPF_64_32)};
        put(o->c, &o->relocs, &rel, sizeof(rel));
    }
    for (uint32_t i = 0; i < o->names.n; i++) {
        bool own = i < o->ndefined;
        put_symbol(o, o->names.v[i], own ? &o->a->funcs.v[i] : NULL,
                   own ? TEXT_SECTION : SHN_UNDEF);
    }
}

/* ---- the file ---- */

static int add_sections(struct obj *o, struct elf_file *f)
{
    const struct bytes *s = &o->symbols, *r = &o->relocs;
    struct elf_part text = {".text",
                            SHT_PROGBITS,
                            SHF_ALLOC | SHF_EXECINSTR,
                            o->a->insns.v,
                            (size_t)o->a->insns.n * 8,
                            ELF_T_BYTE,
                            8,
                            0,
                            0,
                            0};
    struct elf_part rel = {".rel.text", SHT_REL, SHF_INFO_LINK,     r->v.v, r->v.n,
                           ELF_T_REL,   8,       sizeof(Elf64_Rel), 3,      TEXT_SECTION};
    struct elf_part sym = {".symtab", SHT_SYMTAB,        0, s->v.v, s->v.n, ELF_T_SYM,
                           8,         sizeof(Elf64_Sym), 4, 1};
    struct elf_part str = {".strtab", SHT_STRTAB, 0, o->strings.v.v, o->strings.v.n, ELF_T_BYTE, 1,
                           0,         0,          0};
    struct elf_part btf = {".BTF", SHT_PROGBITS, 0, NULL, 0, ELF_T_BYTE, 4, 0, 0, 0};
    struct elf_part ext = {".BTF.ext", SHT_PROGBITS, 0, o->ext.v.v, o->ext.v.n, ELF_T_BYTE, 4, 0, 0,
                           0};
    uint32_t size;
    btf.data = btf__raw_data(o->btf, &size);
    btf.size = size;
    if (!btf.data)
        return -ENOMEM;
    const struct elf_part *parts[] = {&text, &rel, &sym, &str, &btf, &ext};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (elf_file_add(f, parts[i]) < 0)
            return -EIO;
    return 0;
}

int obj_write(struct comp *c, const struct asm_code *a)
{
    struct obj o = {.c = c, .a = a};
    struct elf_file f = {.fd = -1};
    int err = -ENOMEM;
    write_symbols(&o);
    o.btf = btf__new_empty();
    if (!o.btf)
        goto out;
    btf__set_pointer_size(o.btf, 8);
    err = add_types(&o);
    err = err ? err : write_ext(&o);
    err = err ? err : elf_file_new(&f);
    err = err ? err : add_sections(&o, &f);
    err = err ? err : elf_file_finish(&f, c, &c->filter_elf.v, &c->filter_elf.n);
out:
    elf_file_close(&f);
    btf__free(o.btf);
    return err;
}
