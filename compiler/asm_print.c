/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions as text, in the verifier's spelling. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "asm.h"
#include "lore.h"

static const char *const ALU_OP[16] = {"+=",  "-=", "*=", "/=", "|=",   "&=", "<<=", ">>=",
                                       "neg", "%=", "^=", "=",  "s>>=", "be", "?",   "?"};
static const char *const JMP_OP[16] = {"goto", "==",   ">", ">=", "&",  "!=",  "s>", "s>=",
                                       "call", "exit", "<", "<=", "s<", "s<=", "?",  "?"};
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

/* `next`: the number of the instruction behind this one. */
static void print_jump(char *buf, size_t cap, const struct bpf_insn *i, int64_t next)
{
    char r = BPF_CLASS(i->code) == BPF_JMP32 ? 'w' : 'r';
    const char *op = JMP_OP[BPF_OP(i->code) >> 4];
    int64_t to = next + (BPF_OP(i->code) == BPF_JA && r == 'w' ? i->imm : i->off);
    if (BPF_OP(i->code) == BPF_EXIT || (BPF_OP(i->code) == BPF_CALL && i->src_reg == 0))
        snprintf(buf, cap, BPF_OP(i->code) == BPF_EXIT ? "%s" : "%s helper %d", op, i->imm);
    else if (BPF_OP(i->code) == BPF_CALL)
        snprintf(buf, cap, "%s", op);
    else if (BPF_OP(i->code) == BPF_JA)
        snprintf(buf, cap, "%s %" PRId64, op, to);
    else if (BPF_SRC(i->code) == BPF_X)
        snprintf(buf, cap, "if %c%d %s %c%d goto %" PRId64, r, i->dst_reg, op, r, i->src_reg, to);
    else
        snprintf(buf, cap, "if %c%d %s %d goto %" PRId64, r, i->dst_reg, op, i->imm, to);
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

unsigned asm_print(char *buf, size_t cap, const struct bpf_insn *insns, uint32_t at, uint32_t n)
{
    const struct bpf_insn *i = &insns[at];
    switch (BPF_CLASS(i->code)) {
    case BPF_LD:
        snprintf(buf, cap, "r%d = 0x%llx ll", i->dst_reg,
                 at + 1 < n ? (unsigned long long)(uint32_t)i[1].imm << 32 | (uint32_t)i->imm : 0);
        return 2;
    case BPF_ALU:
    case BPF_ALU64:
        print_alu(buf, cap, i);
        return 1;
    case BPF_JMP:
    case BPF_JMP32:
        print_jump(buf, cap, i, (int64_t)at + 1);
        return 1;
    default:
        print_memory(buf, cap, i);
        return 1;
    }
}

/* ---- what a place in the event is ---- */

static const char *const SLOT_NAME[SLOT_COUNT] = {
#define SLOT_NUM(id, group, doc) [SLOT_OF_NUM(N_##id)] = #id,
#define SLOT_STR(id, group, cap, doc) [SLOT_OF_STR(S_##id)] = #id,
#include "../grammar/slots.def"
};
static const uint32_t TEXT_OFF[S_COUNT] = {
#define SLOT_STR(id, group, cap, doc) [S_##id] = offsetof(struct ev, s_##id),
#include "../grammar/slots.def"
};

static void print_head(char *buf, size_t cap, size_t off)
{
    if (off >= offsetof(struct ev_head, anc))
        snprintf(buf, cap, "name of ancestor %zu",
                 (off - offsetof(struct ev_head, anc)) / COMM_SIZE);
    else if (off >= offsetof(struct ev_head, st) && off < offsetof(struct ev_head, st) + SLOT_COUNT)
        snprintf(buf, cap, "state of %s", SLOT_NAME[off - offsetof(struct ev_head, st)]);
    else if (off >= offsetof(struct ev_head, len) && off < offsetof(struct ev_head, st))
        snprintf(buf, cap, "length of %s",
                 SLOT_NAME[N_COUNT + (off - offsetof(struct ev_head, len)) / 4]);
    else if (off >= offsetof(struct ev_head, num) && off < offsetof(struct ev_head, len))
        snprintf(buf, cap, "%s", SLOT_NAME[(off - offsetof(struct ev_head, num)) / 8]);
    else if (off == offsetof(struct ev_head, event))
        snprintf(buf, cap, "event");
    else if (off == offsetof(struct ev_head, anc_state))
        snprintf(buf, cap, "state of the ancestors");
    else if (off == offsetof(struct ev_head, anc_count))
        snprintf(buf, cap, "number of ancestors");
}

/* What is known of a thing, and what of it is true; `off`: from ev.lore on. */
static void print_lore(char *buf, size_t cap, size_t off)
{
    const char *kind = lore_info((enum lore_kind)(off / sizeof(struct lore_bits)))->name;
    off %= sizeof(struct lore_bits);
    bool yes = off >= offsetof(struct lore_bits, yes);
    size_t bit = 8 * (off - (yes ? offsetof(struct lore_bits, yes) : 0));
    snprintf(buf, cap, "lore %s, %s, bits from %zu", kind, yes ? "true" : "known", bit);
}

void asm_print_place(char *buf, size_t cap, const struct bpf_insn *i)
{
    buf[0] = 0;
    if (BPF_CLASS(i->code) != BPF_LDX || (i->src_reg != BPF_REG_6 && i->src_reg != BPF_REG_7))
        return;
    int32_t off = i->off + (i->src_reg == BPF_REG_7 ? ASM_FAR : 0);
    if (off < 0 || (size_t)off >= sizeof(struct ev))
        return;
    if ((size_t)off < sizeof(struct ev_head)) {
        print_head(buf, cap, (size_t)off);
        return;
    }
    if (off / 8 == offsetof(struct ev, sketch) / 8)
        snprintf(buf, cap, "sketch of the path");
    if ((size_t)off - offsetof(struct ev, kept) < sizeof(struct ev_task))
        snprintf(buf, cap, "bits of the task");
    if ((size_t)off == offsetof(struct ev, lore_found))
        snprintf(buf, cap, "lore that was looked for");
    if ((size_t)off - offsetof(struct ev, lore) < sizeof(((struct ev *)0)->lore))
        print_lore(buf, cap, (size_t)off - offsetof(struct ev, lore));
    for (unsigned s = S_COUNT; s--;) {
        if (TEXT_OFF[s] > (uint32_t)off)
            continue;
        snprintf(buf, cap, "%s[%u]", SLOT_NAME[N_COUNT + s], (uint32_t)off - TEXT_OFF[s]);
        return;
    }
}
