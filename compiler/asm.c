/* SPDX-License-Identifier: Apache-2.0 */
#include "asm.h"

#include <assert.h>
#include <string.h>

#include "arena.h"
#include "gate.h"

#define NO_LABEL 0xffffffffu
#define SCRATCH BPF_REG_5

/* A pending jump older than this gets a stub; well below 32767, so that many can share a place. */
#define STUB_AGE 24000
#define STUB_MIN_AGE 8000

struct asm_code *asm_new(struct arena *arena)
{
    struct asm_code *a = arena_alloc(arena, sizeof(*a));
    a->arena = arena;
    return a;
}

void asm_func_begin(struct asm_code *a, const char *name)
{
    VEC_PUSH(a->arena, &a->funcs, (struct asm_func){.name = name, .start = a->insns.n});
    a->labels.n = 0;
    a->refs.n = 0;
    a->bound_at = a->insns.n;
    a->live = true;
    a->facts = (struct facts){0};
}

void asm_func_end(struct asm_code *a)
{
    assert(a->refs.n == 0 && !a->live);
    a->funcs.v[a->funcs.n - 1].end = a->insns.n;
}

label_id asm_label(struct asm_code *a)
{
    return (label_id){VEC_PUSH(a->arena, &a->labels, (struct asm_label){0})};
}

/* ---- facts ---- */

static void facts_and(struct facts *to, const struct facts *with)
{
    for (int i = 0; i < ASM_FACTS; i++)
        to->w[i] &= with->w[i];
}

bool asm_fact(const struct asm_code *a, unsigned fact)
{
    assert(fact < 64 * ASM_FACTS);
    return a->facts.w[fact / 64] >> fact % 64 & 1;
}

void asm_set_fact(struct asm_code *a, unsigned fact)
{
    assert(fact < 64 * ASM_FACTS);
    a->facts.w[fact / 64] |= 1ull << fact % 64;
}

void asm_drop_fact(struct asm_code *a, unsigned fact)
{
    assert(fact < 64 * ASM_FACTS);
    a->facts.w[fact / 64] &= ~(1ull << fact % 64);
}

/* ---- jumps ---- */

static void patch(struct asm_code *a, uint32_t insn, uint32_t target)
{
    uint32_t off = target - insn - 1;
    assert(target > insn && off <= INT16_MAX); /* stubs keep it so */
    a->insns.v[insn].off = (int16_t)off;
}

static void put(struct asm_code *a, struct bpf_insn insn)
{
    VEC_PUSH(a->arena, &a->insns, insn);
}

static void put_jump(struct asm_code *a, struct bpf_insn insn, uint32_t label)
{
    VEC_PUSH(a->arena, &a->refs, (struct asm_ref){.insn = a->insns.n, .label = label});
    put(a, insn);
}

static const struct bpf_insn JUMP = {.code = BPF_JMP | BPF_JA};

/* Jumps that are resolved leave the list; the others keep their order, oldest first. */
static void drop_resolved(struct asm_code *a)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->refs.n; i++)
        if (a->refs.v[i].label != NO_LABEL)
            a->refs.v[n++] = a->refs.v[i];
    a->refs.n = n;
}

/* Turns one old jump to the newest stub of its label, laying that stub if there is none since. */
static void stub_one(struct asm_code *a, uint32_t ref, uint32_t since)
{
    uint32_t label = a->refs.v[ref].label;
    struct asm_label *l = &a->labels.v[label];
    if (l->stub <= since) {
        l->stub = a->insns.n + 1;
        put_jump(a, JUMP, label);
    }
    patch(a, a->refs.v[ref].insn, l->stub - 1);
    a->refs.v[ref].label = NO_LABEL;
}

/*
 * Lays stubs for jumps that would grow too long, before the next instruction. What runs into them
 * jumps over.
 */
static void stubs(struct asm_code *a)
{
    if (a->refs.n == 0 || a->insns.n - a->refs.v[0].insn < STUB_AGE)
        return;
    uint32_t start = a->insns.n, nref = a->refs.n;
    if (a->live)
        put(a, JUMP);
    for (uint32_t i = 0; i < nref; i++)
        if (start - a->refs.v[i].insn >= STUB_MIN_AGE)
            stub_one(a, i, start);
    drop_resolved(a);
    if (a->live)
        patch(a, start, a->insns.n);
    a->bound_at = a->insns.n; /* the jump over ends here: no peephole may move it */
}

static void refer(struct asm_code *a, label_id l)
{
    struct asm_label *label = &a->labels.v[l.i];
    if (label->refs++)
        facts_and(&label->facts, &a->facts);
    else
        label->facts = a->facts;
}

void asm_goto(struct asm_code *a, label_id l)
{
    if (!a->live)
        return;
    stubs(a);
    refer(a, l);
    put_jump(a, JUMP, l.i);
    a->live = false;
}

void asm_gate(struct asm_code *a, uint32_t number, bool on, label_id off)
{
    assert(a->live);
    stubs(a);
    put(a, gate_number(number, on)); /* not emit(): no stub between */
    refer(a, off);
    put_jump(a, gate_branch(), off.i);
    a->bound_at = a->insns.n; /* no peephole may turn the branch */
}

static int inverse(uint8_t code)
{
    static const uint8_t pairs[][2] = {{BPF_JEQ, BPF_JNE},
                                       {BPF_JGT, BPF_JLE},
                                       {BPF_JGE, BPF_JLT},
                                       {BPF_JSGT, BPF_JSLE},
                                       {BPF_JSGE, BPF_JSLT}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        if (BPF_OP(code) == pairs[i][0])
            return pairs[i][1];
        if (BPF_OP(code) == pairs[i][1])
            return pairs[i][0];
    }
    return -1; /* JSET has none */
}

/* The newest jump, if it is the instruction before the next one and goes to `label`. */
static bool ends_with_jump(const struct asm_code *a, uint32_t label)
{
    if (a->refs.n == 0 || a->bound_at == a->insns.n)
        return false;
    const struct asm_ref *r = &a->refs.v[a->refs.n - 1];
    return r->insn == a->insns.n - 1 && r->label == label && a->insns.v[r->insn].code == JUMP.code;
}

/* `if c goto l; goto m; l:` becomes `if !c goto m; l:`. */
static bool invert_last_if(struct asm_code *a, uint32_t label)
{
    if (a->refs.n < 2 || a->bound_at + 1 >= a->insns.n)
        return false;
    struct asm_ref *jump = &a->refs.v[a->refs.n - 1], *cond = jump - 1;
    if (jump->insn != a->insns.n - 1 || a->insns.v[jump->insn].code != JUMP.code ||
        jump->label == NO_LABEL || cond->insn != a->insns.n - 2 || cond->label != label)
        return false;
    struct bpf_insn *insn = &a->insns.v[cond->insn];
    int op = inverse(insn->code);
    if (op < 0)
        return false;
    insn->code = (uint8_t)((insn->code & ~0xf0) | op);
    cond->label = jump->label;
    a->refs.n--;
    a->insns.n--;
    return true;
}

void asm_bind(struct asm_code *a, label_id l)
{
    struct asm_label *label = &a->labels.v[l.i];
    if (!label->refs)
        return;
    while (ends_with_jump(a, l.i)) {
        a->refs.n--;
        a->insns.n--;
    }
    invert_last_if(a, l.i);
    if (a->live)
        facts_and(&a->facts, &label->facts);
    else
        a->facts = label->facts;
    a->live = true;
    for (uint32_t i = 0; i < a->refs.n; i++) {
        if (a->refs.v[i].label != l.i)
            continue;
        patch(a, a->refs.v[i].insn, a->insns.n);
        a->refs.v[i].label = NO_LABEL;
        a->bound_at = a->insns.n;
    }
    drop_resolved(a);
    label->at = a->insns.n;
}

/* ---- instructions ---- */

void asm_mark(struct asm_code *a, span_id at, const char *note)
{
    struct asm_mark mark = {.insn = a->insns.n, .at = at, .note = note};
    VEC_PUSH(a->arena, &a->marks, mark);
}

static struct bpf_insn make(int code, int dst, int src, int32_t off, int32_t imm)
{
    struct bpf_insn insn = {.code = (uint8_t)code, .off = (int16_t)off, .imm = imm};
    insn.dst_reg = (uint8_t)dst & 15u;
    insn.src_reg = (uint8_t)src & 15u;
    return insn;
}

static void emit(struct asm_code *a, int code, int dst, int src, int32_t off, int32_t imm)
{
    assert(a->live && off >= INT16_MIN && off <= INT16_MAX);
    stubs(a);
    put(a, make(code, dst, src, off, imm));
}

static const uint8_t SIZE_CODE[9] = {[1] = BPF_B, [2] = BPF_H, [4] = BPF_W, [8] = BPF_DW};

void asm_load(struct asm_code *a, unsigned size, int dst, int base, int32_t off)
{
    emit(a, BPF_LDX | BPF_MEM | SIZE_CODE[size], dst, base, off, 0);
}

void asm_store(struct asm_code *a, unsigned size, int base, int32_t off, int src)
{
    emit(a, BPF_STX | BPF_MEM | SIZE_CODE[size], base, src, off, 0);
}

void asm_mov(struct asm_code *a, int dst, int src)
{
    emit(a, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

/* Immediates are 32 bits, sign-extended. */
static bool fits(uint64_t imm)
{
    return (uint64_t)(int64_t)(int32_t)(uint32_t)imm == imm;
}

void asm_mov_imm(struct asm_code *a, int dst, uint64_t imm)
{
    int32_t low = (int32_t)(uint32_t)imm;
    if (fits(imm)) {
        emit(a, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, low);
        return;
    }
    emit(a, BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, low);
    put(a, (struct bpf_insn){.imm = (int32_t)(imm >> 32)}); /* not emit(): no stub between */
}

void asm_alu(struct asm_code *a, int op, int dst, int src)
{
    emit(a, BPF_ALU64 | op | BPF_X, dst, src, 0, 0);
}

void asm_alu_imm(struct asm_code *a, int op, int dst, uint64_t imm)
{
    if (fits(imm)) {
        emit(a, BPF_ALU64 | op | BPF_K, dst, 0, 0, (int32_t)(uint32_t)imm);
        return;
    }
    asm_mov_imm(a, SCRATCH, imm);
    asm_alu(a, op, dst, SCRATCH);
}

void asm_alu32_imm(struct asm_code *a, int op, int dst, uint32_t imm)
{
    emit(a, BPF_ALU | op | BPF_K, dst, 0, 0, (int32_t)imm);
}

void asm_call(struct asm_code *a, const char *symbol)
{
    stubs(a);
    VEC_PUSH(a->arena, &a->calls, (struct asm_call){.insn = a->insns.n, .symbol = symbol});
    emit(a, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1);
}

void asm_exit(struct asm_code *a)
{
    emit(a, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    a->live = false;
}

static void branch(struct asm_code *a, struct bpf_insn insn, label_id yes, label_id no)
{
    assert(a->live);
    if (yes.i == no.i) {
        asm_goto(a, yes);
        return;
    }
    stubs(a);
    refer(a, yes);
    put_jump(a, insn, yes.i);
    asm_goto(a, no);
}

void asm_if(struct asm_code *a, int op, int dst, uint64_t imm, label_id yes, label_id no)
{
    if (fits(imm)) {
        branch(a, make(BPF_JMP | op | BPF_K, dst, 0, 0, (int32_t)(uint32_t)imm), yes, no);
        return;
    }
    asm_mov_imm(a, SCRATCH, imm);
    asm_if_reg(a, op, dst, SCRATCH, yes, no);
}

void asm_if32(struct asm_code *a, int op, int dst, uint32_t imm, label_id yes, label_id no)
{
    branch(a, make(BPF_JMP32 | op | BPF_K, dst, 0, 0, (int32_t)imm), yes, no);
}

void asm_if_reg(struct asm_code *a, int op, int dst, int src, label_id yes, label_id no)
{
    branch(a, make(BPF_JMP | op | BPF_X, dst, src, 0, 0), yes, no);
}

int asm_event_base(struct asm_code *a, uint32_t off, int32_t *insn_off)
{
    if (off >= ASM_REACH) {
        *insn_off = 0;
        asm_mov(a, SCRATCH, BPF_REG_6);
        asm_alu_imm(a, BPF_ADD, SCRATCH, off);
        return SCRATCH;
    }
    *insn_off = off <= INT16_MAX ? (int32_t)off : (int32_t)off - ASM_FAR;
    return off <= INT16_MAX ? BPF_REG_6 : BPF_REG_7;
}
