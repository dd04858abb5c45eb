/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gates: how a rule is switched in a filter that is compiled already.
 *
 * Where a rule answers, its code is `w0 = NUMBER; if w0 s< 0 goto MISS`, NUMBER being one more than
 * the rule's index. With the sign bit set the rule is off. No other code of a bundle has these two
 * instructions in a row: compilers know the outcome of such a test, and make none. So the gates are
 * found by looking at the code, wherever a linker has put it.
 */
#ifndef RULEC_GATE_H
#define RULEC_GATE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "../bpf/abi.h"

#define GATE_OFF 0x80000000u

static inline struct bpf_insn gate_number(uint32_t number, bool on)
{
    return (struct bpf_insn){.code = BPF_ALU | BPF_MOV | BPF_K,
                             .imm = (int32_t)(on ? number : number | GATE_OFF)};
}

static inline struct bpf_insn gate_branch(void)
{
    return (struct bpf_insn){.code = BPF_JMP32 | BPF_JSLT | BPF_K};
}

/* What says whether tasks may be looked up by their number (bpf/abi.h). */
static inline bool gate_is_look_up(const struct bpf_insn *insn)
{
    return insn->code == (BPF_ALU64 | BPF_MOV | BPF_K) &&
           (insn->imm == MAY_LOOK_UP || insn->imm == MAY_NOT_LOOK_UP);
}

/* The rule's number if a gate begins at insns[0] (of two), else 0. */
static inline uint32_t gate_at(const struct bpf_insn insns[2])
{
    bool gate = insns[0].code == (BPF_ALU | BPF_MOV | BPF_K) && insns[0].dst_reg == 0 &&
                insns[1].code == (BPF_JMP32 | BPF_JSLT | BPF_K) && insns[1].dst_reg == 0 &&
                insns[1].imm == 0;

    return gate ? (uint32_t)insns[0].imm & ~GATE_OFF : 0;
}

#endif
