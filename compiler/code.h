/* SPDX-License-Identifier: Apache-2.0 */
/* The listing of a generated function: of a compilation (dump_bpf) and of a bundle (rulec dump). */
#ifndef RULEC_CODE_H
#define RULEC_CODE_H

#include <stdio.h>

#include "asm.h"

/* From this instruction of the function on, code is for this text: a test, a line of the rules. */
struct code_mark {
    uint32_t insn;
    const char *text;
};
struct code_call {
    uint32_t insn;
    const char *symbol;
};
struct code {
    const char *name;
    const struct bpf_insn *insns;
    uint32_t n;
    const struct code_mark *marks; /* ascending, as are the calls */
    uint32_t nmark;
    const struct code_call *calls;
    uint32_t ncall;
};
void code_print(FILE *out, const struct code *code);

#endif
