/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/match.h"
#include "../runtime/class_find.h"
#include "../runtime/insn.h"
#include "eval_bpf_load.h"
#include "eval_sketch.h"
#include "task.h"

#define STEPS_MAX 1000000 /* what the verifier allows */
#define DEPTH_MAX 8
#define STACK_SIZE 512
#define PATTERN_MAX 252 /* bpf/match.bpf.c: PATTERN_CAP - 8 */
#define CLOBBERED 0xdeadbeefdeadbeefull

struct frame {
    uint32_t back;     /* where the caller goes on */
    uint64_t saved[4]; /* its r6..r9 */
    uint8_t stack[STACK_SIZE] __attribute__((aligned(8)));
};

/* One run. */
struct run {
    struct bpf_vm *vm;
    struct ev *ev;
    uint64_t r[11];
    uint32_t pc;
    uint32_t depth;
    uint32_t found[CLASS_FOUND]; /* class_scan() */
    struct frame frames[DEPTH_MAX];
};

static int fail(struct run *run, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct run *run, int code, const char *fmt, ...)
{
    char *buf = run->vm->error;
    size_t cap = sizeof(run->vm->error);
    int n = snprintf(buf, cap, "instruction %u: ", run->pc);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(buf + n, cap - (size_t)n, fmt, ap);
    va_end(ap);
    return code;
}

/* ---- memory ---- */

static bool within(uint64_t at, size_t size, const void *base, size_t len)
{
    uint64_t start = (uint64_t)(uintptr_t)base;
    return size <= len && at >= start && at - start <= len - size;
}

static void *memory(struct run *run, uint64_t at, size_t size)
{
    bool good = within(at, size, run->ev, sizeof(*run->ev));
    for (uint32_t i = 0; i <= run->depth && !good; i++)
        good = within(at, size, run->frames[i].stack, STACK_SIZE);
    return good ? (void *)(uintptr_t)at : NULL;
}

static size_t access_size(uint8_t code)
{
    static const uint8_t sizes[] = {4, 2, 1, 8}; /* BPF_W, BPF_H, BPF_B, BPF_DW */
    return sizes[code >> 3 & 3];
}

static int load(struct run *run, const struct bpf_insn *in)
{
    size_t size = access_size(in->code);
    uint64_t v = 0;
    void *from = memory(run, run->r[in->src_reg] + (uint64_t)(int64_t)in->off, size);
    if (BPF_MODE(in->code) != BPF_MEM)
        return fail(run, -ENOEXEC, "a load of mode %#x", BPF_MODE(in->code));
    if (!from)
        return fail(run, -EFAULT, "a load of %zu bytes outside the event", size);
    memcpy(&v, from, size); /* little-endian, like the records */
    run->r[in->dst_reg] = v;
    return 0;
}

static int store(struct run *run, const struct bpf_insn *in)
{
    size_t size = access_size(in->code);
    uint64_t v = BPF_CLASS(in->code) == BPF_ST ? (uint64_t)(int64_t)in->imm : run->r[in->src_reg];
    void *to = memory(run, run->r[in->dst_reg] + (uint64_t)(int64_t)in->off, size);
    if (BPF_MODE(in->code) != BPF_MEM)
        return fail(run, -ENOEXEC, "a store of mode %#x", BPF_MODE(in->code));
    if (!to)
        return fail(run, -EFAULT, "a store of %zu bytes outside the event", size);
    memcpy(to, &v, size);
    return 0;
}

/* ---- arithmetic ---- */

static uint64_t swap_bytes(uint64_t v, int bits)
{
    return bits == 16   ? __builtin_bswap16((uint16_t)v)
           : bits == 32 ? __builtin_bswap32((uint32_t)v)
                        : __builtin_bswap64(v);
}

static int alu(struct run *run, const struct bpf_insn *in)
{
    bool wide = BPF_CLASS(in->code) == BPF_ALU64;
    uint64_t a = run->r[in->dst_reg];
    uint64_t b = BPF_SRC(in->code) == BPF_X ? run->r[in->src_reg] : (uint64_t)(int64_t)in->imm;
    unsigned mask = wide ? 63 : 31;
    if (!wide) {
        a = (uint32_t)a;
        b = (uint32_t)b;
    }
    if (in->off)
        return fail(run, -ENOEXEC, "a signed division or move, which no filter uses");
    switch (BPF_OP(in->code)) {
    case BPF_ADD:
        a += b;
        break;
    case BPF_SUB:
        a -= b;
        break;
    case BPF_MUL:
        a *= b;
        break;
    case BPF_DIV:
        a = b ? a / b : 0;
        break;
    case BPF_MOD:
        a = b ? a % b : a;
        break;
    case BPF_OR:
        a |= b;
        break;
    case BPF_AND:
        a &= b;
        break;
    case BPF_XOR:
        a ^= b;
        break;
    case BPF_LSH:
        a <<= b & mask;
        break;
    case BPF_RSH:
        a >>= b & mask;
        break;
    case BPF_ARSH:
        a = wide ? (uint64_t)((int64_t)a >> (b & mask))
                 : (uint64_t)(uint32_t)((int32_t)(uint32_t)a >> (b & mask));
        break;
    case BPF_NEG:
        a = 0 - a;
        break;
    case BPF_MOV:
        a = b;
        break;
    case BPF_END:
        a = BPF_SRC(in->code) == BPF_TO_BE || wide ? swap_bytes(a, in->imm) : a;
        break;
    default:
        return fail(run, -ENOEXEC, "operation %#x", in->code);
    }
    run->r[in->dst_reg] = wide ? a : (uint32_t)a;
    return 0;
}

static int jump(struct run *run, const struct bpf_insn *in)
{
    bool wide = BPF_CLASS(in->code) == BPF_JMP, always = BPF_OP(in->code) == BPF_JA;
    uint64_t a = run->r[in->dst_reg];
    uint64_t b = BPF_SRC(in->code) == BPF_X ? run->r[in->src_reg] : (uint64_t)(int64_t)in->imm;
    if (!always && !insn_is_branch(in))
        return fail(run, -ENOEXEC, "jump %#x", in->code);
    if (always || insn_branches(in, a, b))
        run->pc = (uint32_t)((int64_t)run->pc + (wide || !always ? in->off : in->imm));
    return 0;
}

/* ---- the probe's matchers: bpf/match.h has them for the kernel ---- */

static bool slot_bytes(struct run *run, uint64_t slot, const char **s, size_t *len)
{
    if (slot >= S_COUNT)
        return false;
    const struct slot_info *info = catalog_slot(SLOT_OF_STR((unsigned)slot));
    *s = (const char *)run->ev + info->offset;
    *len = run->ev->h.len[slot];
    return *len <= info->cap;
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool contains(const char *s, size_t len, const struct vm_pattern *p, bool fold)
{
    for (size_t i = 0; p->len <= len && i <= len - p->len; i++) {
        size_t k = 0;
        while (k < p->len &&
               (fold ? lower(s[i + k]) == (unsigned char)p->text[k] : s[i + k] == p->text[k]))
            k++;
        if (k == p->len)
            return true;
    }
    return false;
}

static bool in_set(const struct bpf_vm *vm, uint64_t set, const char *name, size_t len)
{
    for (uint32_t i = 0; i < vm->nname; i++)
        if (vm->names[i].set == set && strnlen(vm->names[i].name, COMM_SIZE) == len &&
            !memcmp(vm->names[i].name, name, len))
            return true;
    return false;
}

static unsigned ancestors_in_set(struct run *run, uint64_t set)
{
    const struct ev_head *h = &run->ev->h;
    unsigned hits = 0;
    for (unsigned i = 0; i < h->anc_count && i < ANC_MAX; i++)
        hits += in_set(run->vm, set, h->anc[i], strnlen(h->anc[i], COMM_SIZE));
    return hits;
}

/* The probe's map has no room for longer ones: there the matcher cannot tell. */
static bool has_pattern(const struct vm_pattern *p, const char *s, size_t len, bool fold)
{
    return p->len == 0 || p->len > PATTERN_MAX || contains(s, len, p, fold);
}

/* As the matchers of the probe do, step by step. */
static enum match_end walk_pattern(const struct vm_pattern *p, const char *s, size_t len,
                                   enum vm_native native)
{
    struct match_glob g = {.mark = 0};
    struct match_path path = {.slash = 1};
    enum match_end end = MATCH_ON;
    for (unsigned i = 0; i < MATCH_STEPS && end == MATCH_ON; i++)
        end = native == NATIVE_PATH
                  ? match_path_step(&path, s, (unsigned)len, p->text, (unsigned)p->len)
                  : match_glob_step(&g, s, (unsigned)len, p->text, (unsigned)p->len);
    return end;
}

static uint64_t ask_pattern(const struct vm_pattern *p, const char *s, size_t len,
                            enum vm_native native)
{
    char folded[MATCH_TEXT_MAX];
    if (native == NATIVE_CONTAINS || native == NATIVE_ICONTAINS)
        return has_pattern(p, s, len, native == NATIVE_ICONTAINS);
    if (native == NATIVE_IGLOB && len <= sizeof(folded)) {
        for (size_t i = 0; i < len; i++)
            folded[i] = (char)lower(s[i]);
        s = folded;
    }
    return walk_pattern(p, s, len, native);
}

/* A matcher that a test of a class asks for. */
static bool class_matches(void *context, const struct class_test *t)
{
    struct run *run = context;
    const char *s;
    size_t len;
    if (t->kind == CT_ANC) {
        unsigned hits = ancestors_in_set(run, t->arg);
        return t->b ? hits < run->ev->h.anc_count : hits > 0;
    }
    if (t->kind == CT_FIND)
        return vm_class_find(run->vm, run->ev, t) != 0;
    if (!slot_bytes(run, t->slot - N_COUNT, &s, &len))
        return true;
    if (t->kind == CT_NAME)
        return in_set(run->vm, t->arg, s, len);
    return t->arg >= run->vm->npattern || has_pattern(&run->vm->patterns[t->arg], s, len, t->b);
}

static uint32_t scan(struct run *run)
{
    struct class_test t = {.slot = (uint8_t)SLOT_OF_STR(run->r[2]), .arg = (uint32_t)run->r[3]};
    return vm_class_scan(run->vm, run->ev, &t, run->found);
}

static uint32_t find(struct run *run)
{
    struct class_test t = {.slot = (uint8_t)SLOT_OF_STR(run->r[4] >> 8),
                           .arg = (uint32_t)run->r[3],
                           .b = run->r[4] & 0xff};
    return vm_class_find(run->vm, run->ev, &t);
}

/* The functions that read the tables of classes; false: none of these. */
static bool ask_classes(struct run *run, enum vm_native native)
{
    const struct bpf_vm *vm = run->vm;
    if (native == NATIVE_FIND)
        run->r[0] = find(run);
    else if (native == NATIVE_NUMBER)
        run->r[0] =
            run->r[2] < N_COUNT && vm->classes.head
                ? class_find_number(&vm->classes, run->ev->h.num[run->r[2]], (uint32_t)run->r[3])
                : 0;
    else if (native == NATIVE_SCAN)
        run->r[0] = scan(run);
    else if (native == NATIVE_FOUND)
        run->r[0] = run->r[2] < CLASS_FOUND ? run->found[run->r[2]] : 0;
    else if (native == NATIVE_JUDGE)
        run->r[0] = vm_class_judge(vm, run->ev, (uint32_t)run->r[2], class_matches, run);
    else
        return false;
    return true;
}

static int match(struct run *run, enum vm_native native)
{
    struct bpf_vm *vm = run->vm;
    const char *s;
    size_t len;
    if (native == NATIVE_SETTLE || ask_classes(run, native))
        return 0;
    if (native == NATIVE_SKETCH) {
        if (!vm->classes.head || !vm->classes.head->sketch.n)
            return fail(run, -EFAULT, "a sketch without its table");
        run->ev->sketch = eval_sketch(vm->classes.sketch, run->ev);
        return 0;
    }
    if (native == NATIVE_LANE) {
        run->r[0] = run->r[2];
        return 0;
    }
    if (native == NATIVE_ANC) {
        if (run->ev->h.anc_count > ANC_MAX)
            return fail(run, -EFAULT, "more ancestors than there is room for");
        run->r[0] = ancestors_in_set(run, run->r[2]);
        return 0;
    }
    if (!slot_bytes(run, run->r[2], &s, &len))
        return fail(run, -EFAULT, "a matcher for slot %llu", (unsigned long long)run->r[2]);
    if (native == NATIVE_NAME) {
        run->r[0] = in_set(vm, run->r[3], s, len);
        return 0;
    }
    if (run->r[3] >= vm->npattern)
        return fail(run, -EFAULT, "pattern %llu of %u", (unsigned long long)run->r[3],
                    vm->npattern);
    run->r[0] = ask_pattern(&vm->patterns[run->r[3]], s, len, native);
    return 0;
}

/* ---- control ---- */

static int enter(struct run *run, uint32_t target)
{
    if (run->depth + 1 >= DEPTH_MAX)
        return fail(run, -ELOOP, "more than %d calls deep", DEPTH_MAX);
    run->frames[run->depth].back = run->pc + 1;
    memcpy(run->frames[run->depth].saved, &run->r[6], sizeof(run->frames[0].saved));
    run->depth++;
    run->r[10] = (uint64_t)(uintptr_t)(run->frames[run->depth].stack + STACK_SIZE);
    run->pc = target;
    return 0;
}

/* Leaves the program counter at the next instruction. */
static int call(struct run *run, const struct bpf_insn *in)
{
    const struct vm_call *to = &run->vm->calls[run->pc];
    int err = 0;
    if (in->src_reg != BPF_PSEUDO_CALL)
        return fail(run, -ENOEXEC, "a call of helper %d", in->imm);
    if (to->native == NATIVE_EXTRACT)
        return fail(run, -ENODATA, "%s is called: a slot of its group was not filled", to->name);
    if (to->native == NATIVE_UNKNOWN)
        return fail(run, -ENOEXEC, "a call of %s", to->name ? to->name : "nothing known");
    if (to->native == NATIVE_NONE)
        return enter(run, to->target);
    if (run->r[1] != (uint64_t)(uintptr_t)run->ev)
        return fail(run, -EFAULT, "%s is called without the event", to->name);
    err = match(run, to->native);
    for (int i = 1; i <= 5; i++)
        run->r[i] = CLOBBERED;
    run->pc++;
    return err;
}

/* True when the outermost function has returned. */
static bool leave(struct run *run)
{
    if (!run->depth)
        return true;
    run->depth--;
    memcpy(&run->r[6], run->frames[run->depth].saved, sizeof(run->frames[0].saved));
    for (int i = 1; i <= 5; i++)
        run->r[i] = CLOBBERED;
    run->r[10] = (uint64_t)(uintptr_t)(run->frames[run->depth].stack + STACK_SIZE);
    run->pc = run->frames[run->depth].back;
    return false;
}

static int load_imm64(struct run *run, const struct bpf_insn *in)
{
    if (in->code != (BPF_LD | BPF_DW | BPF_IMM) || in->src_reg || run->pc + 1 >= run->vm->ninsn)
        return fail(run, -ENOEXEC, "a load of code %#x", in->code);
    run->r[in->dst_reg] = (uint32_t)in->imm | (uint64_t)(uint32_t)in[1].imm << 32;
    run->pc++;
    return 0;
}

/* 0 to go on, 1 when done, or -errno. */
static int step(struct run *run)
{
    const struct bpf_insn *in;
    int err = 0;
    if (run->pc >= run->vm->ninsn)
        return fail(run, -EFAULT, "outside the code");
    in = &run->vm->insns[run->pc];
    if (in->dst_reg > 10 || in->src_reg > 10)
        return fail(run, -ENOEXEC, "no such register");
    switch (BPF_CLASS(in->code)) {
    case BPF_LD:
        err = load_imm64(run, in);
        break;
    case BPF_LDX:
        err = load(run, in);
        break;
    case BPF_ST:
    case BPF_STX:
        err = store(run, in);
        break;
    case BPF_ALU:
    case BPF_ALU64:
        err = alu(run, in);
        break;
    default:
        if (in->code == (BPF_JMP | BPF_CALL))
            return call(run, in);
        if (in->code == (BPF_JMP | BPF_EXIT))
            return leave(run);
        err = jump(run, in);
        break;
    }
    run->pc++;
    return err;
}

static int64_t run_from(struct run *run, uint32_t start)
{
    int more = 0;
    run->depth = 0;
    run->pc = start;
    run->r[10] = (uint64_t)(uintptr_t)(run->frames[0].stack + STACK_SIZE);
    for (uint32_t steps = 0; !more; steps++) {
        if (steps >= STEPS_MAX)
            return fail(run, -ELOOP, "more than %d steps", STEPS_MAX);
        more = step(run);
    }
    return more < 0 ? more : (int64_t)(int32_t)run->r[0];
}

static void clobber(struct run *run)
{
    for (int i = 0; i < 11; i++)
        run->r[i] = CLOBBERED;
}

/* What the bits of the task tell of paths with this sketch. */
static int64_t ask_left(struct run *run, int class, uint64_t sketch)
{
    const struct task_bits *k = &run->ev->kept.bits;
    uint64_t left[2] = {0};
    for (int i = 0; i < TASK_WORDS; i++)
        left[i / 2] |= (uint64_t)(k->yes[i] | ~k->known[i]) << (32 * (i % 2));
    clobber(run);
    run->r[1] = run->ev->h.event;
    run->r[2] = (uint64_t) class;
    run->r[3] = left[0];
    run->r[4] = left[1];
    run->r[5] = sketch;
    return run_from(run, run->vm->left);
}

/* The same, as the hook would ask before it makes an event. */
static int64_t is_left(struct run *run)
{
    int class = left_class(run->ev);
    if (class < 0 || !run->vm->left)
        return LEFT_ANY;
    int64_t left = ask_left(run, class, SKETCH_UNKNOWN);
    if (left != LEFT_BY_PATH)
        return left;
    return match(run, NATIVE_SKETCH) ? -1 : ask_left(run, class, run->ev->sketch);
}

static int64_t filter(struct run *run)
{
    clobber(run);
    run->r[1] = (uint64_t)(uintptr_t)run->ev;
    return run_from(run, run->vm->start);
}

int64_t bpf_vm_filter(struct bpf_vm *vm, struct ev *ev)
{
    struct run run;
    run.vm = vm;
    run.ev = ev;
    vm->error[0] = 0;
    memset(&ev->kept, 0, sizeof(ev->kept));
    ev->sketch = SKETCH_UNKNOWN;
    int64_t rule = filter(&run), left = rule > 0 ? is_left(&run) : LEFT_ANY;
    if (left <= 0)
        return left;
    /* Once more, as where the hook has made the sketch first. */
    return rule > 0 && ev->sketch != SKETCH_UNKNOWN ? filter(&run) : rule;
}

const char *bpf_vm_error(const struct bpf_vm *vm)
{
    return vm->error;
}
