/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"

#define ENTRY 2 /* instructions that the last function begins with then */

/* By how many instructions the kernel makes a call longer, at most. */
static uint32_t growth(const struct bpf_insn *insn)
{
    if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg != 0)
        return 0;
    if (insn->imm == BPF_FUNC_map_lookup_elem)
        return 10;
    return insn->imm == BPF_FUNC_loop ? 20 : 3;
}

static uint32_t room_for(const struct cut_code *code)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < code->n; i++) {
        n += growth(&code->insns[i]);
        i += code->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW);
    }
    return n;
}

static uint32_t last_function(const struct cut_rows *funcs)
{
    uint32_t at = 0;

    if (funcs->n)
        memcpy(&at, (const char *)funcs->rows + (size_t)(funcs->n - 1) * funcs->size, sizeof(at));
    return at;
}

/* Those that the last function calls are farther away; those that call it find its new beginning.
 */
static void move_last(struct cut_code *code, uint32_t from)
{
    memmove(&code->insns[from + ENTRY], &code->insns[from],
            (code->n - from) * sizeof(*code->insns));
    for (uint32_t i = from + ENTRY; i < code->n + ENTRY; i++) {
        struct bpf_insn *insn = &code->insns[i];
        bool wide = insn->code == (BPF_LD | BPF_IMM | BPF_DW);

        if (wide ? insn->src_reg == BPF_PSEUDO_FUNC
                 : insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL)
            insn->imm -= ENTRY;
        i += wide;
    }
}

static void move_lines(struct cut_rows *lines, uint32_t from)
{
    for (uint32_t k = 0; k < lines->n; k++) {
        char *row = (char *)lines->rows + (size_t)k * lines->size;
        uint32_t at;

        memcpy(&at, row, sizeof(at));
        at += at > from ? ENTRY : 0;
        memcpy(row, &at, sizeof(at));
    }
}

int cut_room(struct cut_code *code)
{
    uint32_t from = last_function(&code->funcs), room = room_for(code);
    uint32_t end = code->n + ENTRY;
    struct bpf_insn *insns;

    if (room == 0 || code->n - from > INT16_MAX)
        return 0;
    insns = realloc(code->insns, ((size_t)end + room + 1) * sizeof(*insns));
    if (!insns)
        return -ENOMEM;
    code->insns = insns;
    move_last(code, from);
    move_lines(&code->lines, from);
    insns[from] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K};
    insns[from + 1] =
        (struct bpf_insn){.code = BPF_JMP | BPF_JNE | BPF_K, .off = (int16_t)(code->n - from)};
    for (uint32_t i = 0; i < room; i++)
        insns[end + i] = insns[from];
    insns[end + room] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
    code->n = end + room + 1;
    return 0;
}
