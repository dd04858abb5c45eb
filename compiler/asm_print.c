/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions as text, in the verifier's spelling. */
#include <stdio.h>
#include <string.h>

#include "asm.h"

static const char *const ALU_OP[16] = {"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=",
                                       "neg", "%=", "^=", "=", "s>>=", "be", "?", "?"};
static const char *const JMP_OP[16] = {"goto", "==", ">", ">=", "&", "!=", "s>", "s>=",
                                       "call", "exit", "<", "<=", "s<", "s<=", "?", "?"};
static const char *const WIDTH[4] = {"u32", "u16", "u8", "u64"};

static void print_alu(char *buf, size_t cap, const struct bpf_insn *i)
{
    char r = BPF_CLASS(i->code) == BPF_ALU ? 'w' : 'r';
    unsigned op = BPF_OP(i->code) >> 4;
    if (BPF_OP(i->code) == BPF_END)
        snprintf(buf, cap, "r%d = %s%d r%d", i->dst_reg, BPF_SRC(i->code) ? "be" : "le", i->imm,
                 i->dst_reg);
    else if (BPF_OP(i->code) == BPF_NEG)
        snprintf(buf, cap, "%c%d = -%c%d", r, i->dst_reg, r, i->dst_reg);
    else if (BPF_SRC(i->code) == BPF_X)
        snprintf(buf, cap, "%c%d %s %c%d", r, i->dst_reg, ALU_OP[op], r, i->src_reg);
    else
        snprintf(buf, cap, "%c%d %s %d", r, i->dst_reg, ALU_OP[op], i->imm);
}

static void print_jump(char *buf, size_t cap, const struct bpf_insn *i)
{
    char r = BPF_CLASS(i->code) == BPF_JMP32 ? 'w' : 'r';
    const char *op = JMP_OP[BPF_OP(i->code) >> 4];
    if (BPF_OP(i->code) == BPF_EXIT || (BPF_OP(i->code) == BPF_CALL && i->src_reg == 0))
        snprintf(buf, cap, BPF_OP(i->code) == BPF_EXIT ? "%s" : "%s helper %d", op, i->imm);
    else if (BPF_OP(i->code) == BPF_CALL)
        snprintf(buf, cap, "%s pc%+d", op, i->imm);
    else if (BPF_OP(i->code) == BPF_JA)
        snprintf(buf, cap, "%s pc%+d", op, r == 'w' ? i->imm : i->off);
    else if (BPF_SRC(i->code) == BPF_X)
        snprintf(buf, cap, "if %c%d %s %c%d goto pc%+d", r, i->dst_reg, op, r, i->src_reg, i->off);
    else
        snprintf(buf, cap, "if %c%d %s %d goto pc%+d", r, i->dst_reg, op, i->imm, i->off);
}

static void print_memory(char *buf, size_t cap, const struct bpf_insn *i)
{
    const char *width = WIDTH[BPF_SIZE(i->code) >> 3];
    if (BPF_CLASS(i->code) == BPF_LDX)
        snprintf(buf, cap, "r%d = *(%s *)(r%d %+d)", i->dst_reg, width, i->src_reg, i->off);
    else if (BPF_CLASS(i->code) == BPF_STX)
        snprintf(buf, cap, "*(%s *)(r%d %+d) = r%d", width, i->dst_reg, i->off, i->src_reg);
    else
        snprintf(buf, cap, "*(%s *)(r%d %+d) = %d", width, i->dst_reg, i->off, i->imm);
}

unsigned asm_print(char *buf, size_t cap, const struct bpf_insn *insns, uint32_t at)
{
    const struct bpf_insn *i = &insns[at];
    switch (BPF_CLASS(i->code)) {
    case BPF_LD:
        snprintf(buf, cap, "r%d = 0x%llx ll", i->dst_reg,
                 (unsigned long long)(uint32_t)i[1].imm << 32 | (uint32_t)i->imm);
        return 2;
    case BPF_ALU:
    case BPF_ALU64:
        print_alu(buf, cap, i);
        return 1;
    case BPF_JMP:
    case BPF_JMP32:
        print_jump(buf, cap, i);
        return 1;
    default:
        print_memory(buf, cap, i);
        return 1;
    }
}
