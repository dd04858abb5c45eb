/* SPDX-License-Identifier: Apache-2.0 */
/* What constants make dead: rows are programs and what is left of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../runtime/cut.h"

#define INSNS 16
#define MAP 7 /* descriptor of the constant memory */

/* Assembler: registers by number, distances as the machine has them. */
#define MOV(d, i)                                                                                  \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (d), .imm = (i)                            \
    }
#define MOV32(d, i)                                                                                \
    {                                                                                              \
        .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = (d), .imm = (i)                              \
    }
#define MOVR(d, s)                                                                                 \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (d), .src_reg = (s)                        \
    }
#define OP(op, d, i)                                                                               \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_##op | BPF_K, .dst_reg = (d), .imm = (i)                           \
    }
#define OP32(op, d, i)                                                                             \
    {                                                                                              \
        .code = BPF_ALU | BPF_##op | BPF_K, .dst_reg = (d), .imm = (i)                             \
    }
#define OPR(op, d, s)                                                                              \
    {                                                                                              \
        .code = BPF_ALU64 | BPF_##op | BPF_X, .dst_reg = (d), .src_reg = (s)                       \
    }
#define WIDE(d, kind, low, high)                                                                   \
    {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = (d), .src_reg = (kind), .imm = (low)},          \
    {                                                                                              \
        .imm = (high)                                                                              \
    }
#define CONSTANTS(d, at) WIDE(d, BPF_PSEUDO_MAP_VALUE, MAP, at)
#define LOAD(size, d, s, o)                                                                        \
    {                                                                                              \
        .code = BPF_LDX | BPF_MEM | BPF_##size, .dst_reg = (d), .src_reg = (s), .off = (o)         \
    }
#define ATOMIC(d, s, op)                                                                           \
    {                                                                                              \
        .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = (d), .src_reg = (s), .imm = (op)         \
    }
#define JUMP(op, d, i, o)                                                                          \
    {                                                                                              \
        .code = BPF_JMP | BPF_##op | BPF_K, .dst_reg = (d), .off = (o), .imm = (i)                 \
    }
#define JUMP32(op, d, i, o)                                                                        \
    {                                                                                              \
        .code = BPF_JMP32 | BPF_##op | BPF_K, .dst_reg = (d), .off = (o), .imm = (i)               \
    }
#define JUMPR(op, d, s, o)                                                                         \
    {                                                                                              \
        .code = BPF_JMP | BPF_##op | BPF_X, .dst_reg = (d), .src_reg = (s), .off = (o)             \
    }
#define GO(o)                                                                                      \
    {                                                                                              \
        .code = BPF_JMP | BPF_JA, .off = (o)                                                       \
    }
#define CALL(by)                                                                                   \
    {                                                                                              \
        .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (by)                        \
    }
#define HELPER(n)                                                                                  \
    {                                                                                              \
        .code = BPF_JMP | BPF_CALL, .imm = (n)                                                     \
    }
#define EXIT                                                                                       \
    {                                                                                              \
        .code = BPF_JMP | BPF_EXIT                                                                 \
    }

static const uint32_t constants[] = {5, 0, 0xffffffff, 0x80000000};

struct row {
    const char *what;
    struct bpf_insn code[INSNS], left[INSNS];
};

static const struct row rows[] = {
    {"constant memory decides: not taken",
     {CONSTANTS(1, 4), LOAD(W, 2, 1, 0), JUMP(JNE, 2, 0, 2), MOV(0, 1), EXIT, MOV(0, 2), EXIT},
     {CONSTANTS(1, 4), LOAD(W, 2, 1, 0), MOV(0, 1), EXIT}},
    {"taken: what follows goes, and the jump to what is next then",
     {CONSTANTS(1, 0), LOAD(W, 2, 1, 0), JUMP(JEQ, 2, 5, 2), MOV(0, 1), EXIT, MOV(0, 2), EXIT},
     {CONSTANTS(1, 0), LOAD(W, 2, 1, 0), MOV(0, 2), EXIT}},
    {"taken, over code that is run as well",
     {MOV(2, 1), JUMP(JEQ, 1, 0, 2), JUMP(JEQ, 2, 1, 3), EXIT, MOV(0, 1), EXIT, MOV(0, 2), EXIT},
     {MOV(2, 1), JUMP(JEQ, 1, 0, 1), GO(2), MOV(0, 1), EXIT, MOV(0, 2), EXIT}},
    {"a byte of memory, with an offset, and by way of another register",
     {CONSTANTS(1, 8), MOVR(6, 1), LOAD(B, 2, 6, 7), JUMP(JEQ, 2, 0x80, 1), EXIT, MOV(0, 2), EXIT},
     {CONSTANTS(1, 8), MOVR(6, 1), LOAD(B, 2, 6, 7), MOV(0, 2), EXIT}},
    {"what a jump does not lead to is gone before it is looked at",
     {GO(1), JUMP(JEQ, 1, 0, 1), MOV(0, 1), EXIT},
     {MOV(0, 1), EXIT}},
    {"a gate that is open",
     {MOV32(0, 3), JUMP32(JSLT, 0, 0, 1), EXIT, MOV(0, 0), EXIT},
     {MOV32(0, 3), EXIT}},
    {"a gate that is shut",
     {MOV32(0, INT32_MIN | 3), JUMP32(JSLT, 0, 0, 1), EXIT, MOV(0, 0), EXIT},
     {MOV32(0, INT32_MIN | 3), MOV(0, 0), EXIT}},
    {"half of the register is not all of it",
     {MOV32(0, INT32_MIN), JUMP(JSLT, 0, 0, 1), EXIT, MOV(0, 0), EXIT},
     {MOV32(0, INT32_MIN), EXIT}},
    {"a move of 64 bits extends the sign",
     {MOV(0, INT32_MIN), JUMP(JSLT, 0, 0, 1), EXIT, MOV(0, 0), EXIT},
     {MOV(0, INT32_MIN), MOV(0, 0), EXIT}},
    {"two numbers of 64 bits",
     {WIDE(1, 0, 1, 2), WIDE(2, 0, 1, 3), JUMPR(JGT, 2, 1, 1), EXIT, MOV(0, 0), EXIT},
     {WIDE(1, 0, 1, 2), WIDE(2, 0, 1, 3), MOV(0, 0), EXIT}},
    {"numbers are worked out",
     {MOV(1, 12), OP(AND, 1, 6), OP(OR, 1, 3), OP(LSH, 1, 4), OP(ADD, 1, 1), OP(XOR, 1, 1),
      OP(SUB, 1, 2), OP(RSH, 1, 1), JUMP(JEQ, 1, 55, 1), EXIT, MOV(0, 0), EXIT},
     {MOV(1, 12), OP(AND, 1, 6), OP(OR, 1, 3), OP(LSH, 1, 4), OP(ADD, 1, 1), OP(XOR, 1, 1),
      OP(SUB, 1, 2), OP(RSH, 1, 1), MOV(0, 0), EXIT}},
    {"half of a register wide",
     {MOV(1, -1), OP32(ARSH, 1, 33), OP32(ADD, 1, 2), JUMP(JEQ, 1, 1, 1), EXIT, MOV(0, 0), EXIT},
     {MOV(1, -1), OP32(ARSH, 1, 33), OP32(ADD, 1, 2), MOV(0, 0), EXIT}},
    {"a product is not worked out",
     {MOV(1, 2), OP(MUL, 1, 2), JUMP(JEQ, 1, 4, 1), EXIT, EXIT},
     {MOV(1, 2), OP(MUL, 1, 2), JUMP(JEQ, 1, 4, 1), EXIT, EXIT}},
    {"two ways that agree",
     {MOV(2, 4), JUMP(JEQ, 1, 0, 1), MOV(2, 4), JUMP(JEQ, 2, 4, 1), EXIT, MOV(0, 0), EXIT},
     {MOV(2, 4), JUMP(JEQ, 1, 0, 1), MOV(2, 4), MOV(0, 0), EXIT}},
    {"two ways that do not",
     {MOV(2, 4), JUMP(JEQ, 1, 0, 1), MOV(2, 5), JUMP(JEQ, 2, 4, 1), EXIT, MOV(0, 0), EXIT},
     {MOV(2, 4), JUMP(JEQ, 1, 0, 1), MOV(2, 5), JUMP(JEQ, 2, 4, 1), EXIT, MOV(0, 0), EXIT}},
    {"an address on one way is no number on the other",
     {CONSTANTS(2, 0), JUMP(JEQ, 1, 0, 2), WIDE(2, 0, 0, 0), JUMP(JEQ, 2, 0, 1), EXIT, EXIT},
     {CONSTANTS(2, 0), JUMP(JEQ, 1, 0, 2), WIDE(2, 0, 0, 0), JUMP(JEQ, 2, 0, 1), EXIT, EXIT}},
    {"a loop's number is another one the next time",
     {MOV(2, 0), OP(ADD, 2, 1), JUMP(JLT, 2, 8, -2), MOV(0, 0), EXIT},
     {MOV(2, 0), OP(ADD, 2, 1), JUMP(JLT, 2, 8, -2), MOV(0, 0), EXIT}},
    {"a loop around what is dead",
     {MOV(2, 0), OP(ADD, 1, 1), JUMP(JEQ, 2, 0, 1), MOV(3, 0), JUMP(JLT, 1, 8, -4), EXIT},
     {MOV(2, 0), OP(ADD, 1, 1), JUMP(JLT, 1, 8, -2), EXIT}},
    {"a call leaves four registers alone",
     {MOV(5, 1), MOV(6, 1), HELPER(5), JUMP(JEQ, 6, 1, 1), EXIT, JUMP(JEQ, 5, 1, 1), EXIT, EXIT},
     {MOV(5, 1), MOV(6, 1), HELPER(5), JUMP(JEQ, 5, 1, 1), EXIT, EXIT}},
    {"a loop of nothing", {JUMP(JEQ, 1, 0, 1), EXIT, GO(-1)}, {JUMP(JEQ, 1, 0, 1), EXIT, GO(-1)}},
    {"an atomic one may load",
     {MOV(0, 1), MOV(2, 1), ATOMIC(10, 2, BPF_CMPXCHG), JUMP(JEQ, 2, 1, 0), JUMP(JEQ, 0, 1, 1),
      EXIT, EXIT},
     {MOV(0, 1), MOV(2, 1), ATOMIC(10, 2, BPF_CMPXCHG), JUMP(JEQ, 2, 1, 0), JUMP(JEQ, 0, 1, 1),
      EXIT, EXIT}},
    {"memory ends",
     {CONSTANTS(1, 0), LOAD(DW, 2, 1, 12), JUMP(JEQ, 2, 0, 1), EXIT, EXIT},
     {CONSTANTS(1, 0), LOAD(DW, 2, 1, 12), JUMP(JEQ, 2, 0, 1), EXIT, EXIT}},
    {"and begins",
     {CONSTANTS(1, 0), LOAD(W, 2, 1, -4), JUMP(JEQ, 2, 0, 1), EXIT, EXIT},
     {CONSTANTS(1, 0), LOAD(W, 2, 1, -4), JUMP(JEQ, 2, 0, 1), EXIT, EXIT}},
    {"another map's memory is not known",
     {WIDE(1, BPF_PSEUDO_MAP_VALUE, 8, 0), LOAD(W, 2, 1, 0), JUMP(JEQ, 2, 5, 1), EXIT, EXIT},
     {WIDE(1, BPF_PSEUDO_MAP_VALUE, 8, 0), LOAD(W, 2, 1, 0), JUMP(JEQ, 2, 5, 1), EXIT, EXIT}},
    {"a function that nobody calls any more, and one behind it that somebody does",
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), CALL(2), CALL(3), EXIT, MOV(0, 1), EXIT, MOV(0, 2), EXIT},
     {MOV(1, 0), CALL(1), EXIT, MOV(0, 2), EXIT}},
    {"a callback; it knows nothing of who names it",
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, WIDE(2, BPF_PSEUDO_FUNC, 4, 0), HELPER(181), EXIT, EXIT,
      JUMP(JEQ, 1, 0, 1), EXIT, EXIT},
     {MOV(1, 0), WIDE(2, BPF_PSEUDO_FUNC, 3, 0), HELPER(181), EXIT, JUMP(JEQ, 1, 0, 1), EXIT,
      EXIT}},
    {"not understood: a jump out of the code",
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, GO(-5)},
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, GO(-5)}},
    {"a jump to half of an instruction",
     {MOV(1, 0), JUMP(JEQ, 1, 0, 2), EXIT, WIDE(1, 0, 0, 0), EXIT},
     {MOV(1, 0), JUMP(JEQ, 1, 0, 2), EXIT, WIDE(1, 0, 0, 0), EXIT}},
    {"half of an instruction at the end",
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, {.code = BPF_LD | BPF_IMM | BPF_DW}},
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, {.code = BPF_LD | BPF_IMM | BPF_DW}}},
    {"a kind of jump that came later",
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, {.code = BPF_JMP | 0xe0}, EXIT},
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, {.code = BPF_JMP | 0xe0}, EXIT}},
    {"a register that there is not",
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, MOV(15, 0), EXIT},
     {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, MOV(15, 0), EXIT}},
};

static uint32_t length(const struct bpf_insn *code)
{
    const struct bpf_insn none = {.code = 0};
    uint32_t n = INSNS;

    while (n && memcmp(&code[n - 1], &none, sizeof(none)) == 0)
        n--;
    return n;
}

static void cut(struct cut_code *code)
{
    const struct cut_memory memory = {MAP, constants, sizeof(constants)};

    assert_int_equal(cut_dead(code, &memory, 1), 0);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bpf_insn insns[INSNS];
        struct cut_code code = {.insns = insns, .n = length(rows[i].code)};
        uint32_t n = length(rows[i].left);

        memcpy(insns, rows[i].code, sizeof(insns));
        cut(&code);
        if (code.n != n || memcmp(insns, rows[i].left, n * sizeof(*insns)) != 0)
            fail_msg("%s: %u instructions are left", rows[i].what, code.n);
    }
}

/* Rows that tell of instructions: a line holds up to the next one. */
static void test_tables(void **state)
{
    struct bpf_insn insns[] = {
        MOV(1, 0), JUMP(JEQ, 1, 0, 2), MOV(2, 0), CALL(3), MOV(0, 0), CALL(2), EXIT, EXIT, EXIT};
    uint32_t funcs[][2] = {{0, 100}, {7, 107}, {8, 108}};
    uint32_t lines[][3] = {{0, 200}, {1, 201}, {2, 202}, {3, 203}, {5, 205}, {7, 207}, {8, 208}};
    struct cut_code code = {insns, 9, {funcs, 3, sizeof(funcs[0])}, {lines, 7, sizeof(lines[0])}};
    const uint32_t funcs_left[][2] = {{0, 100}, {4, 108}};
    const uint32_t lines_left[][3] = {{0, 200}, {1, 203}, {2, 205}, {4, 208}};

    (void)state;
    cut(&code);
    assert_int_equal(code.n, 5);
    assert_int_equal(code.funcs.n, 2);
    assert_memory_equal(funcs, funcs_left, sizeof(funcs_left));
    assert_int_equal(code.lines.n, 4);
    assert_memory_equal(lines, lines_left, sizeof(lines_left));
}

/* Rows that do not rise, or tell of no instruction: nothing is cut. */
static void test_bad_tables(void **state)
{
    const uint32_t bad[][2] = {{1, 1}, {0, 4}, {2, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bpf_insn insns[] = {MOV(1, 0), JUMP(JEQ, 1, 0, 1), EXIT, EXIT};
        uint32_t lines[2] = {bad[i][0], bad[i][1]};
        struct cut_code code = {.insns = insns, .n = 4, .lines = {lines, 2, sizeof(lines[0])}};

        cut(&code);
        assert_int_equal(code.n, 4);
    }
}

/* Room for what the kernel makes of calls: dead code at the end of the last function. */
static void test_room(void **state)
{
    const struct bpf_insn before[] = {
        CALL(2),   JUMP(JNE, 0, 0, -2), EXIT,     CALL(3), WIDE(1, BPF_PSEUDO_FUNC, 1, 0), EXIT,
        HELPER(1), JUMP(JEQ, 0, 0, -2), CALL(-6), EXIT};
    const struct bpf_insn last[] = {MOV(0, 0),           JUMP(JNE, 0, 0, 4), HELPER(1),
                                    JUMP(JEQ, 0, 0, -2), CALL(-8),           EXIT};
    uint32_t funcs[][2] = {{0, 100}, {3, 103}, {7, 107}};
    uint32_t lines[][2] = {{0, 200}, {3, 203}, {7, 207}, {8, 208}};
    const uint32_t moved[][2] = {{0, 200}, {3, 203}, {7, 207}, {10, 208}};
    struct cut_code code = {malloc(sizeof(before)), 11, {funcs, 3, 8}, {lines, 4, 8}};

    (void)state;
    memcpy(code.insns, before, sizeof(before));
    assert_int_equal(cut_room(&code), 0);
    assert_int_equal(code.n, 11 + 2 + 10 + 1);
    assert_memory_equal(code.insns, before, 7 * sizeof(*before));
    assert_memory_equal(&code.insns[7], last, sizeof(last));
    for (uint32_t i = 13; i < 23; i++)
        assert_memory_equal(&code.insns[i], &last[0], sizeof(*last));
    assert_memory_equal(&code.insns[23], &last[5], sizeof(*last));
    assert_memory_equal(lines, moved, sizeof(moved));
    assert_int_equal(code.funcs.n, 3);
    assert_int_equal(funcs[2][0], 7);
    /* what it adds is dead */
    cut(&code);
    assert_int_equal(code.n, 12);
    free(code.insns);
}

/* Nothing to make room for. */
static void test_no_room(void **state)
{
    struct bpf_insn insns[] = {MOV(0, 0), EXIT};
    struct cut_code code = {.insns = insns, .n = 2};

    (void)state;
    assert_int_equal(cut_room(&code), 0);
    assert_int_equal(code.n, 2);
}

/* ---- programs by chance: cut or not, they come to the same ---- */

#define PROGRAMS 20000
#define LENGTH 60
#define FUEL 400

struct machine {
    uint64_t reg[11];
};

static uint32_t draw(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*seed >> 33) % n;
}

/* Small numbers, so that tests meet what they are made of. */
static struct bpf_insn draw_insn(uint64_t *seed, uint32_t at)
{
    static const uint8_t alu[] = {BPF_MOV, BPF_MOV, BPF_ADD, BPF_SUB,  BPF_AND, BPF_OR,
                                  BPF_XOR, BPF_LSH, BPF_RSH, BPF_ARSH, BPF_MUL};
    static const uint8_t jumps[] = {BPF_JEQ,  BPF_JNE,  BPF_JGT,  BPF_JGE,  BPF_JLT, BPF_JLE,
                                    BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET};
    uint32_t kind = draw(seed, 10);
    struct bpf_insn insn = {.dst_reg = draw(seed, 6) & 15,
                            .src_reg = draw(seed, 6) & 15,
                            .imm = (int32_t)draw(seed, 8) - 3};
    uint8_t from = draw(seed, 2) ? BPF_X : BPF_K;

    if (kind < 6) {
        insn.code = (uint8_t)((draw(seed, 2) ? BPF_ALU : BPF_ALU64) | alu[draw(seed, 11)] | from);
        return insn;
    }
    insn.code = (uint8_t)((draw(seed, 2) ? BPF_JMP : BPF_JMP32) | jumps[draw(seed, 11)] | from);
    insn.off = (int16_t)draw(seed, LENGTH - 1 - at);
    if (kind == 9 && at)
        insn.off = (int16_t)-draw(seed, at + 1);
    if (kind == 8)
        insn = (struct bpf_insn){.code = BPF_JMP | BPF_JA, .off = insn.off};
    return insn;
}

static bool compare(uint8_t op, uint64_t a, uint64_t b, int64_t sa, int64_t sb)
{
    const bool is[] = {[BPF_JEQ >> 4] = a == b,
                       [BPF_JNE >> 4] = a != b,
                       [BPF_JGT >> 4] = a > b,
                       [BPF_JGE >> 4] = a >= b,
                       [BPF_JLT >> 4] = a<b, [BPF_JLE >> 4] = a <= b, [BPF_JSGT >> 4] = sa> sb,
                       [BPF_JSGE >> 4] = sa >= sb,
                       [BPF_JSLT >> 4] = sa < sb,
                       [BPF_JSLE >> 4] = sa <= sb,
                       [BPF_JSET >> 4] = (a & b) != 0};

    return is[op >> 4];
}

static uint64_t combine(uint8_t op, uint64_t a, uint64_t b, int64_t sa, unsigned by)
{
    const uint64_t is[] = {
        [BPF_MOV >> 4] = b,       [BPF_ADD >> 4] = a + b,   [BPF_SUB >> 4] = a - b,
        [BPF_AND >> 4] = a & b,   [BPF_OR >> 4] = a | b,    [BPF_XOR >> 4] = a ^ b,
        [BPF_LSH >> 4] = a << by, [BPF_RSH >> 4] = a >> by, [BPF_ARSH >> 4] = (uint64_t)(sa >> by),
        [BPF_MUL >> 4] = a * b};

    return is[op >> 4];
}

/* What is in r0 at the end, and how many instructions but jumps it took; false: too many. */
static bool run(const struct bpf_insn *code, uint64_t seed, uint64_t out[2])
{
    struct machine m;
    uint32_t fuel = FUEL;

    for (unsigned i = 0; i < 11; i++)
        m.reg[i] = (uint64_t)(int64_t)((int32_t)draw(&seed, 8) - 3);
    out[1] = 0;
    for (const struct bpf_insn *i = code; i->code != (BPF_JMP | BPF_EXIT); i++) {
        bool half = BPF_CLASS(i->code) == BPF_ALU || BPF_CLASS(i->code) == BPF_JMP32;
        uint64_t a = m.reg[i->dst_reg];
        uint64_t b = BPF_SRC(i->code) == BPF_X ? m.reg[i->src_reg] : (uint64_t)(int64_t)i->imm;
        int64_t sa = half ? (int32_t)a : (int64_t)a, sb = half ? (int32_t)b : (int64_t)b;

        if (!fuel--)
            return false;
        a = half ? (uint32_t)a : a;
        b = half ? (uint32_t)b : b;
        if (BPF_CLASS(i->code) == BPF_JMP || BPF_CLASS(i->code) == BPF_JMP32) {
            if (i->code == (BPF_JMP | BPF_JA) || compare(BPF_OP(i->code), a, b, sa, sb))
                i += i->off;
            continue;
        }
        a = combine(BPF_OP(i->code), a, b, sa, (unsigned)b & (half ? 31 : 63));
        m.reg[i->dst_reg] = half ? (uint32_t)a : a;
        out[1]++;
    }
    out[0] = m.reg[0];
    return true;
}

static void test_chance(void **state)
{
    uint64_t seed = 1;
    unsigned compared = 0, shorter = 0;

    (void)state;
    for (unsigned n = 0; n < PROGRAMS; n++) {
        struct bpf_insn whole[LENGTH], left[LENGTH];
        struct cut_code code = {.insns = left, .n = LENGTH};
        uint64_t a[2], b[2], start = seed;

        for (uint32_t i = 0; i < LENGTH; i++)
            whole[i] = draw_insn(&seed, i < LENGTH - 1 ? i : 0);
        whole[LENGTH - 1] = (struct bpf_insn)EXIT;
        memcpy(left, whole, sizeof(left));
        cut(&code);
        shorter += code.n < LENGTH;
        for (unsigned turn = 0; turn < 4; turn++) {
            if (!run(whole, seed + turn, a))
                continue;
            compared++;
            if (!run(left, seed + turn, b) || a[0] != b[0] || a[1] != b[1])
                fail_msg("program of seed %llu", (unsigned long long)start);
        }
    }
    assert_true(compared > PROGRAMS && shorter > PROGRAMS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_tables),
        cmocka_unit_test(test_bad_tables), cmocka_unit_test(test_room),
        cmocka_unit_test(test_no_room),    cmocka_unit_test(test_chance)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
