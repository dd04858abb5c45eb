/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An assembler for BPF: functions of instructions with forward jumps.
 *
 * All jumps go forward, so that a label is bound after everything that jumps to it. That makes two
 * things simple. Range: a jump reaches 32767 slots, and where code between a jump and its label
 * grows beyond that, asm.c lays a stub (`goto label`) on the way and turns the jump to it; no
 * offset is ever cut. Facts: what holds on every path to a label (which extractor has run, which
 * slot is known to be present) is known when the label is bound, in the same pass that emits.
 *
 * Code that nothing reaches is not emitted, because the kernel refuses it: after a jump or an exit
 * asm_live() is false until a label is bound that something jumps to.
 *
 * Registers of generated code: r6 = the event, r7 = the event + ASM_FAR, r8 and r9 = counters,
 * r0..r5 are scratch and lost at calls; no stack is used.
 */
#ifndef RULEC_ASM_H
#define RULEC_ASM_H

#include <linux/bpf.h>

#include "model.h"

/*
 * Offset of r7 in the event: with 16-bit offsets, r6 and r7 together reach [0, ASM_REACH). What few
 * rules ask for lies beyond, behind an address that is made for each load.
 */
#define ASM_FAR 65536
#define ASM_REACH 98304

#define ASM_FACTS 4 /* words of 64 facts */
struct facts {
    uint64_t w[ASM_FACTS];
};

typedef struct {
    uint32_t i;
} label_id;

struct asm_label {
    uint32_t refs;      /* jumps to it */
    uint32_t stub;      /* 1 + place of its newest stub; 0: none */
    uint32_t at;        /* once bound */
    struct facts facts; /* that hold at every jump to it */
};

struct asm_ref { /* a jump to a label that is not bound yet */
    uint32_t insn;
    uint32_t label;
};

struct asm_func {
    const char *name;
    uint32_t start, end; /* instruction slots */
};

struct asm_call { /* a call of a function by name: a relocation */
    uint32_t insn;
    const char *symbol;
};

/* From this slot on, code belongs to this place in the rules, and does this (NULL: as before). */
struct asm_mark {
    uint32_t insn;
    span_id at;
    const char *note;
};

struct asm_code {
    struct arena *arena;
    VEC(struct bpf_insn) insns;
    VEC(struct asm_label) labels;
    VEC(struct asm_ref) refs;
    VEC(struct asm_func) funcs;
    VEC(struct asm_call) calls;
    VEC(struct asm_mark) marks;
    uint32_t bound_at;  /* the last slot that some jump goes to */
    bool live;          /* the next instruction is reached */
    struct facts facts; /* that hold here */
};

struct asm_code *asm_new(struct arena *arena);
void asm_func_begin(struct asm_code *a, const char *name);
/* Every label that is jumped to must have been bound. */
void asm_func_end(struct asm_code *a);

label_id asm_label(struct asm_code *a);
void asm_bind(struct asm_code *a, label_id l);
static inline bool asm_live(const struct asm_code *a)
{
    return a->live;
}

bool asm_fact(const struct asm_code *a, unsigned fact);
void asm_set_fact(struct asm_code *a, unsigned fact);
void asm_drop_fact(struct asm_code *a, unsigned fact);
/* Notes a place and what is done there; `note` lives as long as the arena. */
void asm_mark(struct asm_code *a, span_id at, const char *note);

/* Instructions. `size`: 1, 2, 4 or 8 bytes. `op`: BPF_ADD, ... and BPF_JEQ, ... */
void asm_load(struct asm_code *a, unsigned size, int dst, int base, int32_t off);
void asm_store(struct asm_code *a, unsigned size, int base, int32_t off, int src);
void asm_mov(struct asm_code *a, int dst, int src);
void asm_mov_imm(struct asm_code *a, int dst, uint64_t imm); /* any 64 bits */
void asm_alu(struct asm_code *a, int op, int dst, int src);
void asm_alu_imm(struct asm_code *a, int op, int dst, uint64_t imm); /* may use r5 */
void asm_alu32_imm(struct asm_code *a, int op, int dst, uint32_t imm);
void asm_call(struct asm_code *a, const char *symbol);
void asm_exit(struct asm_code *a);
void asm_goto(struct asm_code *a, label_id l);
/*
 * A gate of rule `number` - 1: passed if the rule is on, else leads to `off`. Who loads the program
 * sets it (runtime/gate.h); the kernel's verifier knows the outcome and removes what is never run.
 */
void asm_gate(struct asm_code *a, uint32_t number, bool on, label_id off);
/* if (dst op imm) goto yes; else goto no. 64-bit compare with any 64 bits; may use r5. */
void asm_if(struct asm_code *a, int op, int dst, uint64_t imm, label_id yes, label_id no);
void asm_if32(struct asm_code *a, int op, int dst, uint32_t imm, label_id yes, label_id no);
void asm_if_reg(struct asm_code *a, int op, int dst, int src, label_id yes, label_id no);

/* Byte `off` of the event: the base register and 16-bit offset that reach it; may make it in r5. */
int asm_event_base(struct asm_code *a, uint32_t off, int32_t *insn_off);

/*
 * Text of instruction `at` of the `n` of a function (its second slot, if any, is part of it);
 * jumps name their targets by number. Returns its slots.
 */
unsigned asm_print(char *buf, size_t cap, const struct bpf_insn *insns, uint32_t at, uint32_t n);
/* What an instruction reads from the event, by the slot's name; empty for all others. */
void asm_print_place(char *buf, size_t cap, const struct bpf_insn *insn);

#endif
