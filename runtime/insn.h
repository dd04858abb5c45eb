/* SPDX-License-Identifier: Apache-2.0 */
/* What a conditional jump of BPF code decides: for who runs code (rulec) and who cuts it. */
#ifndef RULEC_INSN_H
#define RULEC_INSN_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

static inline bool insn_compares(uint8_t op, uint64_t a, uint64_t b, int64_t sa, int64_t sb)
{
    switch (op) {
    case BPF_JEQ:
        return a == b;
    case BPF_JNE:
        return a != b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    case BPF_JLT:
        return a < b;
    case BPF_JLE:
        return a <= b;
    case BPF_JSGT:
        return sa > sb;
    case BPF_JSGE:
        return sa >= sb;
    case BPF_JSLT:
        return sa < sb;
    case BPF_JSLE:
        return sa <= sb;
    default: /* BPF_JSET */
        return (a & b) != 0;
    }
}

/* Is it one of those above? */
static inline bool insn_is_branch(const struct bpf_insn *insn)
{
    uint8_t op = BPF_OP(insn->code);

    return op != BPF_JA && op != BPF_CALL && op != BPF_EXIT && op <= BPF_JSLE;
}

/* Is a branch taken, its operands being these? */
static inline bool insn_branches(const struct bpf_insn *insn, uint64_t a, uint64_t b)
{
    if (BPF_CLASS(insn->code) == BPF_JMP32)
        return insn_compares(BPF_OP(insn->code), (uint32_t)a, (uint32_t)b, (int32_t)a, (int32_t)b);
    return insn_compares(BPF_OP(insn->code), a, b, (int64_t)a, (int64_t)b);
}

#endif
