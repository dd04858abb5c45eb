/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter: single instructions, what it must refuse, and a filter as the compiler makes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../compiler/diag.h"
#include "../../compiler/eval_bpf.h"
#include "../../compiler/eval_bpf_load.h"
#include "../../compiler/event.h"
#include "../../compiler/pipeline.h"
#include "../../compiler/source.h"

#define CODE_MAX 16

#define INSN(c, d, s, o, i)                                                                        \
    {                                                                                              \
        .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                        \
    }
#define MOV(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOVX(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ALU(op, d, i) INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define ALU32(op, d, i) INSN(BPF_ALU | (op) | BPF_K, d, 0, 0, i)
#define JUMP(op, d, i, o) INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define JUMP32(op, d, i, o) INSN(BPF_JMP32 | (op) | BPF_K, d, 0, o, i)
#define LOAD(size, d, s, o) INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, o, i) INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define LDDW(d, lo, hi) INSN(BPF_LD | BPF_DW | BPF_IMM, d, 0, 0, lo), INSN(0, 0, 0, 0, hi)
#define CALL INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, -1)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Calls: the one call of a program goes here. */
struct program {
    const char *what;
    struct bpf_insn code[CODE_MAX];
    int64_t result;
    enum vm_native native;
    uint32_t target;
};

static const struct program programs[] = {
    {"a number", {MOV(0, 7), EXIT}, 7, 0, 0},
    {"results are 32 bits, signed", {MOV(0, -1), EXIT}, -1, 0, 0},
    {"64-bit constant", {LDDW(0, 5, 1), ALU(BPF_RSH, 0, 32), EXIT}, 1, 0, 0},
    {"immediates are sign-extended", {MOV(0, -1), ALU(BPF_RSH, 0, 63), EXIT}, 1, 0, 0},
    {"32-bit moves clear the upper half",
     {MOV(0, -1), ALU32(BPF_ADD, 0, 0), ALU(BPF_RSH, 0, 32), EXIT},
     0,
     0,
     0},
    {"arithmetic shift of 32 bits", {MOV(0, -8), ALU32(BPF_ARSH, 0, 2), EXIT}, -2, 0, 0},
    {"division by zero is 0", {MOV(0, 9), ALU(BPF_DIV, 0, 0), EXIT}, 0, 0, 0},
    {"modulo zero keeps the value", {MOV(0, 9), ALU(BPF_MOD, 0, 0), EXIT}, 9, 0, 0},
    {"negation", {MOV(0, 5), ALU(BPF_NEG, 0, 0), EXIT}, -5, 0, 0},
    {"byte swap",
     {MOV(0, 0x1234), INSN(BPF_ALU | BPF_END | BPF_TO_BE, 0, 0, 0, 16), EXIT},
     0x3412,
     0,
     0},
    {"little-endian stays",
     {MOV(0, 0x1234), INSN(BPF_ALU | BPF_END | BPF_TO_LE, 0, 0, 0, 32), EXIT},
     0x1234,
     0,
     0},
    {"unsigned compare", {MOV(1, -1), MOV(0, 1), JUMP(BPF_JGT, 1, 5, 1), MOV(0, 2), EXIT}, 1, 0, 0},
    {"signed compare", {MOV(1, -1), MOV(0, 1), JUMP(BPF_JSGT, 1, 5, 1), MOV(0, 2), EXIT}, 2, 0, 0},
    {"32-bit compare",
     {LDDW(1, 5, 9), MOV(0, 1), JUMP32(BPF_JEQ, 1, 5, 1), MOV(0, 2), EXIT},
     1,
     0,
     0},
    {"jump on bits", {MOV(1, 6), MOV(0, 1), JUMP(BPF_JSET, 1, 4, 1), MOV(0, 2), EXIT}, 1, 0, 0},
    {"goto", {MOV(0, 1), JUMP(BPF_JA, 0, 0, 1), MOV(0, 2), EXIT}, 1, 0, 0},
    {"the event's type",
     {LOAD(BPF_H, 0, 1, offsetof(struct ev_head, event)), EXIT},
     EV_openat,
     0,
     0},
    {"the last byte of the event",
     {ALU(BPF_ADD, 1, (int32_t)sizeof(struct ev) - 1), LOAD(BPF_B, 0, 1, 0), EXIT},
     0x5a,
     0,
     0},
    {"one byte beyond",
     {ALU(BPF_ADD, 1, (int32_t)sizeof(struct ev) - 1), LOAD(BPF_H, 0, 1, 0), EXIT},
     -EFAULT,
     0,
     0},
    {"one byte before", {LOAD(BPF_B, 0, 1, -1), EXIT}, -EFAULT, 0, 0},
    {"a wild pointer", {MOV(1, 64), LOAD(BPF_W, 0, 1, 0), EXIT}, -EFAULT, 0, 0},
    {"around the address space", {MOV(1, -4), LOAD(BPF_DW, 0, 1, 0), EXIT}, -EFAULT, 0, 0},
    {"the stack", {STORE(BPF_DW, 10, -8, 41), LOAD(BPF_DW, 0, 10, -8), EXIT}, 41, 0, 0},
    {"above the stack", {STORE(BPF_DW, 10, 0, 41), MOV(0, 0), EXIT}, -EFAULT, 0, 0},
    {"below the stack", {STORE(BPF_DW, 10, -520, 41), MOV(0, 0), EXIT}, -EFAULT, 0, 0},
    {"a loop without end", {MOV(0, 0), JUMP(BPF_JA, 0, 0, -1), EXIT}, -ELOOP, 0, 0},
    {"off the end", {MOV(0, 0)}, -ENOEXEC, 0, 0},
    {"a helper", {INSN(BPF_JMP | BPF_CALL, 0, 0, 0, 1), EXIT}, -ENOEXEC, 0, 0},
    {"an atomic operation",
     {INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 1, 2, 0, 0), EXIT},
     -ENOEXEC,
     0,
     0},
    {"no such operation", {INSN(BPF_ALU64 | 0xe0, 0, 0, 0, 0), EXIT}, -ENOEXEC, 0, 0},
    {"no such register", {INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 12, 0, 0), EXIT}, -ENOEXEC, 0, 0},
    {"a function: r6 survives, r1 does not",
     {MOV(6, 5), CALL, ALU(BPF_ADD, 0, 1), EXIT, MOV(6, 9), MOV(0, 3), EXIT},
     4,
     NATIVE_NONE,
     4},
    {"what a call destroys",
     {CALL, MOVX(0, 1), EXIT, MOV(0, 3), EXIT},
     (int32_t)0xdeadbeef,
     NATIVE_NONE,
     3},
    {"recursion without end", {CALL, EXIT}, -ELOOP, NATIVE_NONE, 0},
    {"an extractor", {CALL, EXIT}, -ENODATA, NATIVE_EXTRACT, 0},
    {"nobody's function", {CALL, EXIT}, -ENOEXEC, NATIVE_UNKNOWN, 0},
    {"contains", {MOV(2, S_ARGS), MOV(3, 0), CALL, EXIT}, 1, NATIVE_CONTAINS, 0},
    {"contains not", {MOV(2, S_ARGS), MOV(3, 1), CALL, EXIT}, 0, NATIVE_CONTAINS, 0},
    {"icontains", {MOV(2, S_ARGS), MOV(3, 1), CALL, EXIT}, 1, NATIVE_ICONTAINS, 0},
    {"a pattern that is not there",
     {MOV(2, S_ARGS), MOV(3, 2), CALL, EXIT},
     -EFAULT,
     NATIVE_CONTAINS,
     0},
    {"a slot that is not there",
     {MOV(2, S_COUNT), MOV(3, 0), CALL, EXIT},
     -EFAULT,
     NATIVE_CONTAINS,
     0},
    {"a matcher without the event",
     {MOV(1, 0), MOV(2, S_ARGS), MOV(3, 0), CALL, EXIT},
     -EFAULT,
     NATIVE_CONTAINS,
     0},
    {"a name in a set", {MOV(2, S_NAME), MOV(3, 7), CALL, EXIT}, 1, NATIVE_NAME, 0},
    {"a name in no such set", {MOV(2, S_NAME), MOV(3, 8), CALL, EXIT}, 0, NATIVE_NAME, 0},
    {"ancestors in a set", {MOV(2, 7), CALL, EXIT}, 2, NATIVE_ANC, 0},
};

static void set_text(struct ev *ev, enum str_slot slot, const char *s)
{
    memcpy((char *)ev + catalog_slot(SLOT_OF_STR(slot))->offset, s, strlen(s));
    ev->h.len[slot] = (uint32_t)strlen(s);
    ev->h.st[SLOT_OF_STR(slot)] = ST_PRESENT;
}

static void runs_one_instruction_after_the_other(void **state)
{
    struct vm_pattern patterns[] = {{"id_rsa", 6}, {"begin private", 13}};
    struct vm_name names[] = {{7, "cat"}, {7, "sh"}, {9, "sshd"}};
    struct ev *ev = calloc(1, sizeof(*ev));
    (void)state;
    ev->h.event = EV_openat;
    ((uint8_t *)ev)[sizeof(*ev) - 1] = 0x5a;
    set_text(ev, S_ARGS, "x id_rsa BEGIN PrIvAtE");
    set_text(ev, S_NAME, "cat");
    memcpy(ev->h.anc, (char[3][COMM_SIZE]){"sh", "sshd", "cat"}, sizeof(char[3][COMM_SIZE]));
    ev->h.anc_count = 3;
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        const struct program *p = &programs[i];
        struct vm_call calls[CODE_MAX];
        struct bpf_vm vm = {.ninsn = CODE_MAX,
                            .calls = calls,
                            .patterns = patterns,
                            .npattern = 2,
                            .names = names,
                            .nname = 3,
                            .insns = (struct bpf_insn *)p->code};
        for (int k = 0; k < CODE_MAX; k++)
            calls[k] = (struct vm_call){.native = p->native, .target = p->target, .name = "f"};
        int64_t got = bpf_vm_filter(&vm, ev);
        if (got != p->result)
            fail_msg("%s: %lld, not %lld (%s)", p->what, (long long)got, (long long)p->result,
                     bpf_vm_error(&vm));
    }
    free(ev);
}

/* ---- a compiled filter ---- */

static const char rules[] = "- rule: shadow\n"
                            "  desc: d\n"
                            "  output: o\n"
                            "  priority: INFO\n"
                            "  condition: evt.type = openat and fd.name = /etc/shadow and\n"
                            "    not proc.name in (sshd, login) and not proc.args contains --help\n"
                            "- rule: any\n"
                            "  desc: d\n"
                            "  output: o\n"
                            "  priority: INFO\n"
                            "  condition: evt.type = openat and proc.aname = sshd\n";

static struct comp *compile(void)
{
    struct comp *c = comp_new();
    int file = source_add(c->sources, "test", rules, sizeof(rules) - 1);
    assert_true(file > 0);
    assert_int_equal(pass_load(c, (uint32_t)file) || pass_resolve(c) || pass_type(c) ||
                         pass_lower(c) || pass_plan(c) || pass_bpf(c),
                     0);
    assert_int_equal(diag_count(c, SEV_ERROR), 0);
    return c;
}

static const struct {
    const char *event;
    int64_t result;
} events[] = {
    {"{\"evt.type\": \"openat\", \"fd.name\": \"/etc/shadow\", \"proc.name\": \"cat\"}", 1},
    {"{\"evt.type\": \"openat\", \"fd.name\": \"/etc/shadow\", \"proc.name\": \"sshd\"}", 0},
    {"{\"evt.type\": \"openat\", \"fd.name\": \"/etc/shadow\", \"proc.name\": {\"unknown\": true}}",
     1},
    {"{\"evt.type\": \"openat\", \"fd.name\": \"/etc/shadow-\", \"proc.name\": \"cat\"}", 0},
    {"{\"evt.type\": \"openat\", \"fd.name\": \"/etc/shadow\", \"proc.args\": \"a --help\"}", 0},
    {"{\"evt.type\": \"openat\", \"fd.name\": {\"unknown\": true}, \"proc.args\": \"a\"}", 1},
    {"{\"evt.type\": \"openat\", \"fd.name\": null, \"proc.aname\": [\"sh\", \"sshd\"]}", 2},
    {"{\"evt.type\": \"openat\", \"proc.aname\": [\"sh\", \"ssh\"]}", 0},
    {"{\"evt.type\": \"openat\", \"proc.aname\": [\"sh\", {\"unknown\": true}]}", 2},
    {"{\"evt.type\": \"open\", \"fd.name\": \"/etc/shadow\", \"proc.name\": \"cat\"}", 0},
};

static void runs_a_compiled_filter(void **state)
{
    struct comp *c = compile();
    struct ev *ev = calloc(1, sizeof(*ev));
    struct event e = {0};
    struct event_user user = {0};
    char err[256];
    struct bpf_vm *vm = bpf_vm_new(c->filter_elf.v, c->filter_elf.n, err, sizeof(err));
    (void)state;
    if (!vm)
        fail_msg("%s", err);
    bpf_vm_tables(vm, c);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        assert_int_equal(
            event_parse(c, events[i].event, strlen(events[i].event), &e, err, sizeof(err)), 0);
        assert_int_equal(event_to_ev(c, &e, ev, &user), 0);
        int64_t got = bpf_vm_filter(vm, ev);
        if (got != events[i].result)
            fail_msg("%s: %lld, not %lld (%s)", events[i].event, (long long)got,
                     (long long)events[i].result, bpf_vm_error(vm));
    }
    /* A slot that nobody filled: its extractor is asked for, and there is none here. */
    memset(ev->h.st, 0, sizeof(ev->h.st));
    ev->h.event = EV_openat;
    assert_int_equal(bpf_vm_filter(vm, ev), -ENODATA);
    bpf_vm_free(vm);
    free(ev);
    comp_free(c);
}

/* Objects that were cut or changed are refused or run to some end; nothing worse. */
static void survives_broken_objects(void **state)
{
    struct comp *c = compile();
    struct ev *ev = calloc(1, sizeof(*ev));
    uint8_t *copy = malloc(c->filter_elf.n);
    char err[256];
    (void)state;
    for (uint32_t n = 0; n < c->filter_elf.n; n += n < 512 ? 1 : 37) {
        memcpy(copy, c->filter_elf.v, n);
        bpf_vm_free(bpf_vm_new(copy, n, err, sizeof(err)));
    }
    for (uint32_t i = 0; i < c->filter_elf.n; i += i < 512 ? 1 : 5) {
        memcpy(copy, c->filter_elf.v, c->filter_elf.n);
        copy[i] ^= (uint8_t)(1u << i % 8);
        struct bpf_vm *vm = bpf_vm_new(copy, c->filter_elf.n, err, sizeof(err));
        ev->h.event = EV_openat;
        if (vm)
            bpf_vm_filter(vm, ev);
        bpf_vm_free(vm);
    }
    free(copy);
    free(ev);
    comp_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_one_instruction_after_the_other),
        cmocka_unit_test(runs_a_compiled_filter),
        cmocka_unit_test(survives_broken_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
