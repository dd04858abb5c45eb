/* SPDX-License-Identifier: Apache-2.0 */
/* Jumps, stubs, facts and peepholes of the assembler; code is run by a few lines of C below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "asm.h"

enum { R0 = BPF_REG_0, R1 };

/* Runs moves, compares with immediates, jumps and exit; r0 at the exit. Jumps only go forward. */
static uint64_t run(const struct asm_code *a, uint64_t r1)
{
    uint64_t r[11] = {[1] = r1};
    for (uint32_t pc = 0; pc < a->insns.n;) {
        const struct bpf_insn *i = &a->insns.v[pc++];
        uint64_t imm = (uint64_t)(int64_t)i->imm;
        if (i->code == (BPF_JMP | BPF_EXIT))
            return r[0];
        assert_true(i->off >= 0);
        uint32_t to = pc + (uint16_t)i->off;
        if (i->code == (BPF_ALU64 | BPF_MOV | BPF_K))
            r[i->dst_reg] = imm;
        else if (i->code == (BPF_ALU64 | BPF_ADD | BPF_K))
            r[i->dst_reg] += imm;
        else if (i->code == (BPF_JMP | BPF_JA))
            pc = to;
        else if (i->code == (BPF_JMP | BPF_JEQ | BPF_K))
            pc = r[i->dst_reg] == imm ? to : pc;
        else if (i->code == (BPF_JMP | BPF_JNE | BPF_K))
            pc = r[i->dst_reg] != imm ? to : pc;
        else
            fail_msg("instruction 0x%x", i->code);
    }
    fail_msg("no exit");
    return 0;
}

static void begin(struct asm_code *a)
{
    asm_func_begin(a, "f");
}

/* if (r1 == 5) return 1; return 2: the condition is turned round, and there is no `goto`. */
static void test_inverts(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct asm_code *a = asm_new(arena);
    begin(a);
    label_id yes = asm_label(a), no = asm_label(a);
    asm_if(a, BPF_JEQ, R1, 5, yes, no);
    asm_bind(a, yes);
    asm_mov_imm(a, R0, 1);
    asm_exit(a);
    asm_bind(a, no);
    asm_mov_imm(a, R0, 2);
    asm_exit(a);
    asm_func_end(a);
    assert_int_equal(a->insns.n, 5);
    assert_int_equal(a->insns.v[0].code, BPF_JMP | BPF_JNE | BPF_K);
    assert_int_equal(run(a, 5), 1);
    assert_int_equal(run(a, 6), 2);
    arena_free(arena);
}

/* A jump to what follows is no jump; code behind an unused label is not reached. */
static void test_drops(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct asm_code *a = asm_new(arena);
    begin(a);
    label_id next = asm_label(a), unused = asm_label(a);
    asm_goto(a, next);
    assert_false(asm_live(a));
    asm_bind(a, unused);
    assert_false(asm_live(a));
    asm_bind(a, next);
    assert_true(asm_live(a));
    asm_mov_imm(a, R0, 7);
    asm_exit(a);
    asm_func_end(a);
    assert_int_equal(a->insns.n, 2);
    arena_free(arena);
}

/*
 * `blocks` tests in a row of r1 against 0, 1, 2, ..., each with a target of its own at the very
 * end, and all with a common way out: far more than 32767 slots lie between.
 */
static void test_far(void **state)
{
    (void)state;
    enum { BLOCKS = 3000, FILL = 30 };
    struct arena *arena = arena_new();
    struct asm_code *a = asm_new(arena);
    label_id to[BLOCKS];
    begin(a);
    label_id out = asm_label(a);
    for (int i = 0; i < BLOCKS; i++) {
        label_id next = asm_label(a);
        to[i] = asm_label(a);
        asm_if(a, BPF_JEQ, R1, (uint64_t)i, to[i], next);
        asm_bind(a, next);
        for (int k = 0; k < FILL; k++)
            asm_alu_imm(a, BPF_ADD, R0, 1);
        label_id more = asm_label(a);
        asm_if(a, BPF_JEQ, R1, 0x10000u + (uint64_t)i, out, more);
        asm_bind(a, more);
    }
    asm_mov_imm(a, R0, 1);
    asm_exit(a);
    for (int i = 0; i < BLOCKS; i++) {
        asm_bind(a, to[i]);
        asm_mov_imm(a, R0, 100 + (uint64_t)i);
        asm_exit(a);
    }
    asm_bind(a, out);
    asm_mov_imm(a, R0, 2);
    asm_exit(a);
    asm_func_end(a);
    assert_true(a->insns.n > 3 * 32767);
    for (uint64_t i = 0; i < BLOCKS; i += 7) {
        assert_int_equal(run(a, i), 100 + i);
        assert_int_equal(run(a, 0x10000 + i), 2);
    }
    assert_int_equal(run(a, 99999), 1);
    arena_free(arena);
}

/* A fact holds at a label if it holds at every jump to it. */
static void test_facts(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct asm_code *a = asm_new(arena);
    begin(a);
    label_id left = asm_label(a), right = asm_label(a), join = asm_label(a);
    asm_set_fact(a, 1);
    asm_if(a, BPF_JEQ, R1, 0, left, right);
    asm_bind(a, left);
    asm_set_fact(a, 2);
    asm_set_fact(a, 200);
    asm_goto(a, join);
    asm_bind(a, right);
    assert_true(asm_fact(a, 1));
    assert_false(asm_fact(a, 2));
    asm_set_fact(a, 200);
    asm_set_fact(a, 3);
    asm_goto(a, join);
    asm_bind(a, join);
    assert_true(asm_fact(a, 1));
    assert_false(asm_fact(a, 2));
    assert_false(asm_fact(a, 3));
    assert_true(asm_fact(a, 200));
    asm_exit(a);
    asm_func_end(a);
    arena_free(arena);
}

/* Immediates are 32 bits, sign-extended; what does not fit goes through a register. */
static void test_immediates(void **state)
{
    (void)state;
    static const struct {
        uint64_t imm;
        uint32_t slots;
    } rows[] = {
        {0, 1},          {0x7fffffff, 1}, {(uint64_t)-1, 1}, {0xffffffff80000000, 1},
        {0x80000000, 2}, {0xffffffff, 2}, {1ull << 40, 2},   {1ull << 63, 2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct arena *arena = arena_new();
        struct asm_code *a = asm_new(arena);
        begin(a);
        asm_mov_imm(a, R0, rows[i].imm);
        assert_int_equal(a->insns.n, rows[i].slots);
        uint64_t low = (uint32_t)a->insns.v[0].imm;
        uint64_t all = rows[i].slots == 2 ? (uint64_t)(uint32_t)a->insns.v[1].imm << 32 | low
                                          : (uint64_t)(int64_t)a->insns.v[0].imm;
        assert_int_equal(all, rows[i].imm);
        asm_exit(a);
        arena_free(arena);
    }
}

static void test_print(void **state)
{
    (void)state;
    char text[96], place[64];
    struct bpf_insn insns[3] = {
        {.code = BPF_LDX | BPF_MEM | BPF_B,
         .dst_reg = 1,
         .src_reg = 6,
         .off = offsetof(struct ev_head, st) + N_RES},
        {.code = BPF_JMP32 | BPF_JGE | BPF_K, .dst_reg = 1, .off = 1, .imm = 9},
        {.code = BPF_JMP | BPF_EXIT},
    };
    assert_int_equal(asm_print(text, sizeof(text), insns, 0, 3), 1);
    asm_print_place(place, sizeof(place), &insns[0]);
    assert_string_equal(place, "state of RES");
    asm_print(text, sizeof(text), insns, 1, 3);
    assert_string_equal(text, "if w1 >= 9 goto 3");
    asm_print(text, sizeof(text), insns, 2, 3);
    assert_string_equal(text, "exit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inverts),    cmocka_unit_test(test_drops),
        cmocka_unit_test(test_far),        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_immediates), cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
