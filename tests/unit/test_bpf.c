/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated code, one test of a value at a time: each row is an atom, the value that an event has
 * there, and what the test says: 'T' true, 'F' false, 'M' it passes whatever the literal's sign.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "bpf.h"
#include "comp.h"
#include "eval_bpf.h"
#include "eval_bpf_load.h"
#include "intern.h"
#include "pipeline.h"
#include "place.h"

#define LIST_MAX 12

/* Two rules on two events, the test alone (EV_open) and its negation (EV_close). */
static void add_rules(struct comp *c)
{
    atom_id atom = {1};
    VEC_PUSH(c->arena, &c->rules, (struct rule){.enabled = true, .index = 0});
    VEC_PUSH(c->arena, &c->rules, (struct rule){.enabled = true, .index = 1});
    struct dag_node plain = {.atom = atom, .yes = {DAG_TRUE}, .no = {DAG_FALSE}};
    struct dag_node negated = {.atom = atom, .yes = {DAG_FALSE}, .no = {DAG_TRUE}, .neg = 1};
    VEC_PUSH(c->arena, &c->dag, plain);
    VEC_PUSH(c->arena, &c->dag, negated);
    VEC_PUSH(c->arena, &c->roots, (struct root){.rule = {1}, .root = {1}});
    VEC_PUSH(c->arena, &c->roots, (struct root){.rule = {2}, .root = {2}});
    enum event_id a = EV_open < EV_close ? EV_open : EV_close, b = EV_open + EV_close - a;
    struct event_rules first = {.event = a, .sysnr = -1, .root0 = a != EV_open, .nroot = 1};
    struct event_rules second = {.event = b, .sysnr = -1, .root0 = b != EV_open, .nroot = 1};
    VEC_PUSH(c->arena, &c->events, first);
    VEC_PUSH(c->arena, &c->events, second);
}

static char judge(struct comp *c, struct ev *ev)
{
    char err[200] = "";
    assert_int_equal(pass_bpf(c), 0);
    struct bpf_vm *vm = bpf_vm_new(c->filter_elf.v, c->filter_elf.n, err, sizeof(err));
    if (!vm)
        fail_msg("%s", err);
    ev->h.event = EV_open;
    int64_t plain = bpf_vm_filter(vm, ev);
    ev->h.event = EV_close;
    int64_t negated = bpf_vm_filter(vm, ev);
    ev->h.event = EV_NONE;
    int64_t none = bpf_vm_filter(vm, ev);
    bpf_vm_free(vm);
    assert_int_equal(none, 0);
    assert_in_range(plain, 0, 1);
    assert_true(negated == 0 || negated == 2);
    return plain ? negated ? 'M' : 'T' : negated ? 'F' : '?';
}

/* ---- numbers ---- */

struct num_row {
    char want;
    bool negate;
    uint8_t state;
    int64_t value;
    struct num_test tests[LIST_MAX];
    uint32_t n;
};

#define ONE(v)                                                                                     \
    {                                                                                              \
        NT_UNSIGNED, (uint64_t)(v), (uint64_t)(v)                                                  \
    }
static const struct num_row NUM_ROWS[] = {
    {'T', false, ST_PRESENT, 5, {ONE(5)}, 1},
    {'F', false, ST_PRESENT, 6, {ONE(5)}, 1},
    {'F', true, ST_PRESENT, 5, {ONE(5)}, 1},
    {'F', false, ST_ABSENT, 5, {ONE(5)}, 1},
    {'F', true, ST_ABSENT, 6, {ONE(5)}, 1},
    {'M', false, ST_UNKNOWN, 5, {ONE(5)}, 1},
    {'M', true, ST_CUT, 5, {ONE(5)}, 1},
    {'F', false, ST_PRESENT, 5, {{NT_MASK, 0, 0}}, 0},
    {'T', true, ST_PRESENT, 5, {{NT_MASK, 0, 0}}, 0},
    {'T', false, ST_PRESENT, 6, {{NT_MASK, 6, 2}, {NT_MASK, 4, 4}}, 2},
    {'F', false, ST_PRESENT, 1, {{NT_MASK, 6, 2}, {NT_MASK, 4, 4}}, 2},
    {'T', false, ST_PRESENT, 3, {{NT_MASK, 6, 2}, {NT_MASK, 4, 4}}, 2},
    {'T', false, ST_PRESENT, 8, {{NT_MASK, 7, 0}}, 1},
    {'F', false, ST_PRESENT, 9, {{NT_MASK, 7, 0}}, 1},
    {'T', false, ST_PRESENT, INT64_MIN, {{NT_MASK, 1ull << 63, 1ull << 63}}, 1},
    {'T', false, ST_PRESENT, 0x80000000, {{NT_MASK, 0x80000000, 0x80000000}}, 1},
    {'F', false, ST_PRESENT, INT64_MIN, {{NT_MASK, 0x80000000, 0x80000000}}, 1},
    {'T', false, ST_PRESENT, 0x1ffffffff, {{NT_MASK, 0xffffffff, 0xffffffff}}, 1},
    {'T', false, ST_PRESENT, -1, {{NT_SIGNED, (uint64_t)INT64_MIN, (uint64_t)-1}}, 1},
    {'F', false, ST_PRESENT, 0, {{NT_SIGNED, (uint64_t)INT64_MIN, (uint64_t)-1}}, 1},
    {'T', false, ST_PRESENT, 0, {{NT_SIGNED, 0, INT64_MAX}}, 1},
    {'F', false, ST_PRESENT, -7, {{NT_SIGNED, 0, INT64_MAX}}, 1},
    {'T', false, ST_PRESENT, -7, {{NT_UNSIGNED, 1, UINT64_MAX}}, 1},
    {'F', false, ST_PRESENT, 0, {{NT_UNSIGNED, 1, UINT64_MAX}}, 1},
    {'T', false, ST_PRESENT, -3, {{NT_SIGNED, (uint64_t)-5, 5}}, 1},
    {'F', false, ST_PRESENT, -6, {{NT_SIGNED, (uint64_t)-5, 5}}, 1},
    {'F', false, ST_PRESENT, 6, {{NT_SIGNED, (uint64_t)-5, 5}}, 1},
    {'T', false, ST_PRESENT, 1023, {{NT_UNSIGNED, 80, 1023}}, 1},
    {'F', false, ST_PRESENT, 1024, {{NT_UNSIGNED, 80, 1023}}, 1},
    {'F', false, ST_PRESENT, -1, {{NT_UNSIGNED, 80, 1023}}, 1},
    {'F', false, ST_PRESENT, 0xffffffff, {ONE(-1)}, 1},
    {'T', false, ST_PRESENT, 0xffffffff, {ONE(0xffffffff)}, 1},
    {'F', false, ST_PRESENT, -1, {ONE(0xffffffff)}, 1},
    {'F', false, ST_PRESENT, 5, {{NT_SIGNED, 7, 3}}, 1},
    {'T', false, ST_PRESENT, -2, {ONE(1), ONE(2), ONE(-2), ONE(9), ONE(1ull << 40), ONE(5)}, 6},
    {'T', false, ST_PRESENT, 1ll << 40, {ONE(1), ONE(2), ONE(-2), ONE(9), ONE(1ull << 40)}, 5},
    {'F', false, ST_PRESENT, 3, {ONE(1), ONE(2), ONE(-2), ONE(9), ONE(1ull << 40), ONE(5)}, 6},
    {'T', true, ST_PRESENT, 3, {ONE(1), ONE(2), ONE(-2), ONE(9), ONE(1ull << 40), ONE(5)}, 6},
};

static void test_numbers(void **state)
{
    (void)state;
    struct ev *ev = calloc(1, sizeof(*ev));
    for (size_t i = 0; i < sizeof(NUM_ROWS) / sizeof(*NUM_ROWS); i++) {
        const struct num_row *row = &NUM_ROWS[i];
        struct comp *c = comp_new();
        for (uint32_t t = 0; t < row->n; t++)
            VEC_PUSH(c->arena, &c->tests, row->tests[t]);
        VEC_PUSH(c->arena, &c->atoms, (struct atom){.op = OP_EQ, .nval = row->n});
        struct where w = inline_test(1, SHAPE_NUM, N_P2);
        w.negate = row->negate;
        w.ntest = row->n;
        VEC_PUSH(c->arena, &c->where, w);
        add_rules(c);
        ev->h.num[N_P2] = row->value;
        ev->h.st[SLOT_OF_NUM(N_P2)] = row->state;
        char got = judge(c, ev);
        if (got != row->want)
            fail_msg("number row %zu: %c, not %c", i, got, row->want);
        comp_free(c);
    }
    free(ev);
}

/* ---- texts ---- */

struct text_row {
    char want;
    uint8_t state;
    enum op_id op;
    enum op_modifier mod;
    const char *value;
    const char *list[LIST_MAX];
};

#define P ST_PRESENT
#define B16 "0123456789abcdef"
static const struct text_row TEXT_ROWS[] = {
    {'T', P, OP_EQ, MOD_NONE, "cat", {"cat"}},
    {'F', P, OP_EQ, MOD_NONE, "cat", {"caT"}},
    {'F', P, OP_EQ, MOD_NONE, "cat", {"cats"}},
    {'F', P, OP_EQ, MOD_NONE, "cats", {"cat"}},
    {'T', P, OP_EQ, MOD_NONE, "", {""}},
    {'F', P, OP_EQ, MOD_NONE, "x", {""}},
    {'T', P, OP_EQ, MOD_NONE, "12345678", {"12345678"}},
    {'F', P, OP_EQ, MOD_NONE, "12345678", {"12345679"}},
    {'F', P, OP_EQ, MOD_NONE, "02345678", {"12345678"}},
    {'T', P, OP_EQ, MOD_NONE, "123456789", {"123456789"}},
    {'F', P, OP_EQ, MOD_NONE, "123456780", {"123456789"}},
    {'F', P, OP_EQ, MOD_NONE, "023456789", {"123456789"}},
    {'T', P, OP_EQ, MOD_NONE, B16 "x", {B16 "x"}},
    {'F', P, OP_EQ, MOD_NONE, B16 "x", {B16 "y"}},
    {'T', P, OP_EQ, MOD_NONE, "\xff\xfe\xfd\xfc\xfb", {"\xff\xfe\xfd\xfc\xfb"}},
    {'F', P, OP_NE, MOD_NONE, "cat", {"cat"}},
    {'T', P, OP_NE, MOD_NONE, "dog", {"cat"}},
    {'F', ST_ABSENT, OP_NE, MOD_NONE, "", {"cat"}},
    {'F', ST_ABSENT, OP_EQ, MOD_NONE, "", {""}},
    {'M', ST_UNKNOWN, OP_EQ, MOD_NONE, "", {"cat"}},
    {'M', ST_CUT, OP_NE, MOD_NONE, "cat", {"cat"}},
    {'T', P, OP_EXISTS, MOD_NONE, "", {NULL}},
    {'T', ST_CUT, OP_EXISTS, MOD_NONE, "abc", {NULL}},
    {'F', ST_ABSENT, OP_EXISTS, MOD_NONE, "", {NULL}},
    {'M', ST_UNKNOWN, OP_EXISTS, MOD_NONE, "", {NULL}},
    {'F', P, OP_IN, MOD_NONE, "cat", {NULL}},
    {'T', P, OP_IN, MOD_NONE, "cat", {"a", "cat", "dog"}},
    {'F', P, OP_IN, MOD_NONE, "cow", {"a", "cat", "dog"}},
    {'T', P, OP_IN, MOD_NONE, "", {"a", "", "dog"}},
    {'T', P, OP_IN, MOD_NONE, "abcdefgh2", {"abcdefgh1", "abcdefgh2", "abcdefgh3", "bbcdefgh2"}},
    {'F', P, OP_IN, MOD_NONE, "abcdefgh4", {"abcdefgh1", "abcdefgh2", "abcdefgh3", "bbcdefgh2"}},
    {'F', P, OP_IN, MOD_NONE, "cbcdefgh2", {"abcdefgh1", "abcdefgh2", "abcdefgh3", "bbcdefgh2"}},
    {'T', P, OP_IN, MOD_NONE, "k", {"a", "c", "e", "g", "i", "k", "m", "o", "q"}},
    {'F', P, OP_IN, MOD_NONE, "j", {"a", "c", "e", "g", "i", "k", "m", "o", "q"}},
    {'T', P, OP_IN, MOD_NONE, "q", {"a", "c", "e", "g", "i", "k", "m", "o", "q"}},
    {'T', P, OP_IN, MOD_NONE, "a", {"a", "bb", "ccc", "dddd", "eeeee", "ffffff", "\xff"}},
    {'T', P, OP_IN, MOD_NONE, "\xff", {"a", "bb", "ccc", "dddd", "eeeee", "ffffff", "\xff"}},
    {'T', P, OP_INTERSECTS, MOD_NONE, "dddd", {"a", "bb", "ccc", "dddd"}},
    {'T', P, OP_STARTSWITH, MOD_NONE, "/etc/shadow", {"/etc"}},
    {'T', P, OP_STARTSWITH, MOD_NONE, "/etc", {"/etc"}},
    {'F', P, OP_STARTSWITH, MOD_NONE, "/et", {"/etc"}},
    {'F', P, OP_STARTSWITH, MOD_NONE, "/usr/etc", {"/etc"}},
    {'T', P, OP_STARTSWITH, MOD_NONE, "", {""}},
    {'F', ST_ABSENT, OP_STARTSWITH, MOD_NONE, "", {""}},
    {'T', P, OP_ENDSWITH, MOD_NONE, "/etc/shadow", {"shadow"}},
    {'T', P, OP_ENDSWITH, MOD_NONE, "shadow", {"shadow"}},
    {'F', P, OP_ENDSWITH, MOD_NONE, "hadow", {"shadow"}},
    {'F', P, OP_ENDSWITH, MOD_NONE, "shadows", {"shadow"}},
    {'T', P, OP_ENDSWITH, MOD_NONE, "x" B16 B16, {B16 B16}},
    {'F', P, OP_ENDSWITH, MOD_NONE, "x" B16 B16, {"y" B16}},
    {'T', P, OP_ENDSWITH, MOD_NONE, "", {""}},
    {'T', P, OP_LT, MOD_NONE, "12", {"123"}},
    {'F', P, OP_LT, MOD_NONE, "123", {"123"}},
    {'T', P, OP_LE, MOD_NONE, "123", {"123"}},
    {'T', P, OP_GE, MOD_NONE, "123", {"123"}},
    {'F', P, OP_GT, MOD_NONE, "123", {"123"}},
    {'T', P, OP_GT, MOD_NONE, "1234", {"123"}},
    {'T', P, OP_GT, MOD_NONE, "9", {"123"}},
    {'F', P, OP_GT, MOD_NONE, "", {"123"}},
    {'T', P, OP_GT, MOD_NONE, "\xff", {"123"}},
    {'T', P, OP_EQ, MOD_ANYOF, "b", {"a", "b"}},
    {'F', P, OP_EQ, MOD_ANYOF, "c", {"a", "b"}},
    {'F', P, OP_EQ, MOD_ANYOF, "c", {NULL}},
    {'T', P, OP_NE, MOD_ANYOF, "a", {"a", "b"}},
    {'F', P, OP_NE, MOD_ALLOF, "a", {"a", "b"}},
    {'T', P, OP_NE, MOD_ALLOF, "c", {"a", "b"}},
    {'F', P, OP_NE, MOD_ALLOF, "c", {NULL}},
    {'F', P, OP_EQ, MOD_ALLOF, "a", {"a", "b"}},
    {'T', P, OP_EQ, MOD_ALLOF, "a", {"a", "a"}},
    {'T', P, OP_EQ, MOD_ONEOF, "a", {"a", "b"}},
    {'F', P, OP_EQ, MOD_ONEOF, "a", {"a", "a"}},
    {'F', P, OP_EQ, MOD_ONEOF, "a", {"c", "b"}},
    {'T', P, OP_STARTSWITH, MOD_ANYOF, "/tmp/x", {"/etc", "/tmp"}},
    {'T', P, OP_STARTSWITH, MOD_ALLOF, "/tmp/x", {"/", "/tmp"}},
    {'F', P, OP_STARTSWITH, MOD_ONEOF, "/tmp/x", {"/", "/tmp"}},
    {'T', P, OP_ENDSWITH, MOD_ONEOF, "/tmp/x", {"/", "x", "y"}},
    {'M', P, OP_GLOB, MOD_NONE, "cat", {"dog"}},
};
#undef P

static uint32_t add_values(struct comp *c, const char *const *list)
{
    uint32_t n = 0;
    for (; n < LIST_MAX && list[n]; n++) {
        struct value v = {.kind = VAL_TEXT, .text = intern_cstr(c->intern, list[n])};
        VEC_PUSH(c->arena, &c->values, v);
    }
    return n;
}

/* Every row on a slot near the event's start, one beyond the reach of r6 and one beyond 64 KiB. */
static void test_texts(void **state)
{
    (void)state;
    static const struct {
        unsigned str;
        size_t off;
    } slot[] = {
        {S_CONTAINER_ID, offsetof(struct ev, s_CONTAINER_ID)},
        {S_EXE, offsetof(struct ev, s_EXE)},
        {S_X2, offsetof(struct ev, s_X2)},
    };
    struct ev *ev = calloc(1, sizeof(*ev));
    for (size_t i = 0; i < 3 * sizeof(TEXT_ROWS) / sizeof(*TEXT_ROWS); i++) {
        const struct text_row *row = &TEXT_ROWS[i / 3];
        unsigned str = slot[i % 3].str;
        struct comp *c = comp_new();
        uint32_t n = add_values(c, row->list);
        VEC_PUSH(c->arena, &c->atoms, (struct atom){.op = row->op, .mod = row->mod, .nval = n});
        struct where w = inline_test(1, SHAPE_TEXT, (int)SLOT_OF_STR(str));
        VEC_PUSH(c->arena, &c->where, w);
        add_rules(c);
        memset(ev, 0x5a, sizeof(*ev)); /* what stands behind the text means nothing */
        memcpy((char *)ev + slot[i % 3].off, row->value, strlen(row->value));
        ev->h.len[str] = (uint32_t)strlen(row->value);
        ev->h.st[SLOT_OF_STR(str)] = row->state;
        char got = judge(c, ev);
        if (got != row->want)
            fail_msg("text row %zu, slot %u: %c, not %c", i / 3, str, got, row->want);
        comp_free(c);
    }
    free(ev);
}

/* ---- ancestors ---- */

struct anc_row {
    char want;
    uint8_t state, index;
    enum op_id op;
    const char *anc; /* names, blank between */
    const char *list[LIST_MAX];
};

static const struct anc_row ANC_ROWS[] = {
    {'T', ST_PRESENT, 0, OP_EQ, "bash sshd systemd", {"bash"}},
    {'F', ST_PRESENT, 1, OP_EQ, "bash sshd systemd", {"bash"}},
    {'F', ST_PRESENT, 0, OP_EQ, "bash sshd systemd", {"bas"}},
    {'F', ST_PRESENT, 0, OP_EQ, "bash sshd systemd", {"bashs"}},
    {'T', ST_PRESENT, 2, OP_NE, "bash sshd systemd", {"bash"}},
    {'F', ST_PRESENT, 3, OP_NE, "bash sshd systemd", {"bash"}},
    {'M', ST_CUT, 3, OP_NE, "bash sshd systemd", {"bash"}},
    {'F', ST_CUT, 0, OP_NE, "bash sshd systemd", {"bash"}},
    {'M', ST_UNKNOWN, 0, OP_EQ, "", {"bash"}},
    {'F', ST_ABSENT, 0, OP_EQ, "", {"bash"}},
    {'T', ST_PRESENT, 2, OP_EXISTS, "bash sshd systemd", {NULL}},
    {'F', ST_PRESENT, 3, OP_EXISTS, "bash sshd systemd", {NULL}},
    {'T', ST_PRESENT, 1, OP_IN, "bash sshd systemd", {"zsh", "sshd", "abcdefghijklmno"}},
    {'F', ST_PRESENT, 0, OP_IN, "bash sshd systemd", {"zsh", "sshd", "abcdefghijklmno"}},
    {'T', ST_PRESENT, 0, OP_IN, "abcdefghijklmno", {"zsh", "sshd", "abcdefghijklmno"}},
    {'F', ST_PRESENT, 0, OP_EQ, "abcdefghijklmno", {"abcdefghijklmnop"}},
    {'F', ST_PRESENT, 0, OP_IN, "bash", {NULL}},
    {'T', ST_PRESENT, 0, OP_STARTSWITH, "bash", {"ba"}},
    {'F', ST_PRESENT, 0, OP_STARTSWITH, "bash", {"bashh"}},
    {'T', ST_PRESENT, 0, OP_ENDSWITH, "bash", {"sh"}},
    {'F', ST_PRESENT, 0, OP_ENDSWITH, "bash", {"bas"}},
    {'T', ST_PRESENT, 0, OP_ENDSWITH, "abcdefghijklmno", {"o"}},
    {'M', ST_PRESENT, 0, OP_CONTAINS, "bash", {"a"}},
};

static void set_ancestors(struct ev *ev, const char *names)
{
    memset(ev->h.anc, 0, sizeof(ev->h.anc));
    ev->h.anc_count = 0;
    while (*names) {
        size_t n = strcspn(names, " ");
        memcpy(ev->h.anc[ev->h.anc_count++], names, n);
        names += n + (names[n] == ' ');
    }
}

static void test_ancestors(void **state)
{
    (void)state;
    struct ev *ev = calloc(1, sizeof(*ev));
    for (size_t i = 0; i < sizeof(ANC_ROWS) / sizeof(*ANC_ROWS); i++) {
        const struct anc_row *row = &ANC_ROWS[i];
        struct comp *c = comp_new();
        uint32_t n = add_values(c, row->list);
        VEC_PUSH(c->arena, &c->atoms, (struct atom){.op = row->op, .nval = n});
        struct where w = inline_test(1, SHAPE_ANC, -1);
        w.anc = row->index;
        VEC_PUSH(c->arena, &c->where, w);
        add_rules(c);
        set_ancestors(ev, row->anc);
        ev->h.anc_state = row->state;
        char got = judge(c, ev);
        if (got != row->want)
            fail_msg("ancestor row %zu: %c, not %c", i, got, row->want);
        comp_free(c);
    }
    free(ev);
}

/* ---- addresses ---- */

#define V4(a, b, c, d, p)                                                                          \
    {                                                                                              \
        (p) == 32 ? VAL_IP : VAL_NET, 4, p, {a, b, c, d}, 0,                                       \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define V6(a, b, p)                                                                                \
    {                                                                                              \
        (p) == 128 ? VAL_IP : VAL_NET, 6, p, {0xfe, 0x80, [7] = (a), [15] = (b)}, 0,               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
struct addr_row {
    char want;
    uint8_t state;
    enum op_id op;
    uint8_t len;
    uint8_t addr[16];
    struct value list[LIST_MAX];
    uint32_t n;
};

static const struct addr_row ADDR_ROWS[] = {
    {'T', ST_PRESENT, OP_EQ, 4, {10, 1, 2, 3}, {V4(10, 1, 2, 3, 32)}, 1},
    {'F', ST_PRESENT, OP_EQ, 4, {10, 1, 2, 4}, {V4(10, 1, 2, 3, 32)}, 1},
    {'F', ST_PRESENT, OP_NE, 4, {10, 1, 2, 3}, {V4(10, 1, 2, 3, 32)}, 1},
    {'T', ST_PRESENT, OP_NE, 16, {10, 1, 2, 3}, {V4(10, 1, 2, 3, 32)}, 1},
    {'F', ST_ABSENT, OP_NE, 0, {0}, {V4(10, 1, 2, 3, 32)}, 1},
    {'M', ST_UNKNOWN, OP_EQ, 0, {0}, {V4(10, 1, 2, 3, 32)}, 1},
    {'T', ST_PRESENT, OP_EXISTS, 4, {0}, {V4(0, 0, 0, 0, 32)}, 0},
    {'T', ST_PRESENT, OP_EQ, 4, {10, 1, 2, 3}, {V4(10, 1, 9, 9, 16)}, 1},
    {'F', ST_PRESENT, OP_EQ, 4, {10, 2, 2, 3}, {V4(10, 1, 9, 9, 16)}, 1},
    {'T', ST_PRESENT, OP_EQ, 4, {172, 31, 0, 1}, {V4(172, 16, 0, 0, 12)}, 1},
    {'F', ST_PRESENT, OP_EQ, 4, {172, 32, 0, 1}, {V4(172, 16, 0, 0, 12)}, 1},
    {'T', ST_PRESENT, OP_EQ, 4, {1, 2, 3, 4}, {V4(0, 0, 0, 0, 0)}, 1},
    {'F', ST_PRESENT, OP_EQ, 16, {1, 2, 3, 4}, {V4(0, 0, 0, 0, 0)}, 1},
    {'T', ST_PRESENT, OP_EQ, 16, {0xfe, 0x80, [7] = 1, [15] = 2}, {V6(1, 2, 128)}, 1},
    {'F', ST_PRESENT, OP_EQ, 16, {0xfe, 0x80, [7] = 1, [15] = 3}, {V6(1, 2, 128)}, 1},
    {'T', ST_PRESENT, OP_EQ, 16, {0xfe, 0x80, [7] = 1, [15] = 3}, {V6(1, 2, 64)}, 1},
    {'F', ST_PRESENT, OP_EQ, 16, {0xfe, 0x80, [7] = 2, [15] = 3}, {V6(1, 2, 64)}, 1},
    {'T', ST_PRESENT, OP_EQ, 16, {0xfe, 0x80, [7] = 2, [15] = 3}, {V6(3, 2, 63)}, 1},
    {'T', ST_PRESENT, OP_IN, 16, {0xfe, 0x80, [7] = 9}, {V4(1, 1, 1, 1, 32), V6(9, 0, 128)}, 2},
    {'T', ST_PRESENT, OP_IN, 4, {1, 1, 1, 1}, {V4(1, 1, 1, 1, 32), V6(9, 0, 128)}, 2},
    {'F', ST_PRESENT, OP_IN, 4, {1, 1, 1, 2}, {V4(1, 1, 1, 1, 32), V6(9, 0, 128)}, 2},
    {'T', ST_PRESENT, OP_IN, 4, {1, 1, 9, 2}, {V4(1, 1, 1, 1, 32), V4(1, 1, 0, 0, 16)}, 2},
    {'F', ST_PRESENT, OP_IN, 4, {1, 1, 1, 2}, {V4(1, 1, 1, 1, 32)}, 0},
    {'T',
     ST_PRESENT,
     OP_IN,
     4,
     {200, 1, 1, 9},
     {V4(1, 1, 1, 1, 32), V4(2, 2, 2, 2, 32), V4(200, 1, 1, 9, 32), V4(4, 4, 4, 4, 32),
      V4(5, 5, 5, 5, 32), V4(6, 0, 0, 0, 8)},
     6},
    {'T',
     ST_PRESENT,
     OP_IN,
     4,
     {6, 1, 1, 9},
     {V4(1, 1, 1, 1, 32), V4(2, 2, 2, 2, 32), V4(200, 1, 1, 9, 32), V4(4, 4, 4, 4, 32),
      V4(5, 5, 5, 5, 32), V4(6, 0, 0, 0, 8)},
     6},
};

static void test_addresses(void **state)
{
    (void)state;
    struct ev *ev = calloc(1, sizeof(*ev));
    for (size_t i = 0; i < 2 * sizeof(ADDR_ROWS) / sizeof(*ADDR_ROWS); i++) {
        const struct addr_row *row = &ADDR_ROWS[i / 2];
        unsigned str = i % 2 ? S_CIP : S_SIP;
        struct comp *c = comp_new();
        for (uint32_t k = 0; k < row->n; k++)
            VEC_PUSH(c->arena, &c->values, row->list[k]);
        VEC_PUSH(c->arena, &c->atoms, (struct atom){.op = row->op, .nval = row->n});
        struct where w = inline_test(1, SHAPE_ADDR, (int)SLOT_OF_STR(str));
        VEC_PUSH(c->arena, &c->where, w);
        add_rules(c);
        memset(ev, 0, sizeof(*ev));
        memcpy(i % 2 ? ev->s_CIP : ev->s_SIP, row->addr, sizeof(row->addr));
        ev->h.len[str] = row->len;
        ev->h.st[SLOT_OF_STR(str)] = row->state;
        char got = judge(c, ev);
        if (got != row->want)
            fail_msg("address row %zu: %c, not %c", i / 2, got, row->want);
        comp_free(c);
    }
    free(ev);
}

/* ---- two sides: fd.ip, fd.port ---- */

struct side_row {
    char want;
    enum op_id op;
    uint8_t state[2];
    int64_t port[2];
};

#define P ST_PRESENT
static const struct side_row SIDE_ROWS[] = {
    {'T', OP_EQ, {P, P}, {80, 1}},
    {'T', OP_EQ, {P, P}, {1, 80}},
    {'F', OP_EQ, {P, P}, {1, 2}},
    {'T', OP_EQ, {ST_ABSENT, P}, {0, 80}},
    {'T', OP_EQ, {P, ST_ABSENT}, {80, 0}},
    {'F', OP_EQ, {P, ST_ABSENT}, {1, 0}},
    {'F', OP_EQ, {ST_ABSENT, ST_ABSENT}, {80, 80}},
    {'M', OP_EQ, {ST_UNKNOWN, P}, {0, 1}},
    {'M', OP_EQ, {P, ST_UNKNOWN}, {1, 0}},
    {'F', OP_NE, {P, P}, {80, 1}},
    {'F', OP_NE, {P, P}, {1, 80}},
    {'T', OP_NE, {P, P}, {1, 2}},
    {'T', OP_NE, {ST_ABSENT, P}, {0, 1}},
    {'F', OP_NE, {ST_ABSENT, P}, {0, 80}},
    {'T', OP_NE, {P, ST_ABSENT}, {1, 0}},
    {'F', OP_NE, {P, ST_ABSENT}, {80, 0}},
    {'F', OP_NE, {ST_ABSENT, ST_ABSENT}, {1, 1}},
    {'M', OP_NE, {P, ST_UNKNOWN}, {1, 0}},
};
#undef P

static void test_sides(void **state)
{
    (void)state;
    struct ev *ev = calloc(1, sizeof(*ev));
    for (size_t i = 0; i < sizeof(SIDE_ROWS) / sizeof(*SIDE_ROWS); i++) {
        const struct side_row *row = &SIDE_ROWS[i];
        struct comp *c = comp_new();
        VEC_PUSH(c->arena, &c->tests, (struct num_test)ONE(80));
        VEC_PUSH(c->arena, &c->atoms, (struct atom){.op = row->op, .nval = 1});
        struct where w = inline_test(1, SHAPE_NUM, N_CPORT);
        w.negate = row->op == OP_NE;
        w.slot2 = N_SPORT;
        w.ntest = 1;
        VEC_PUSH(c->arena, &c->where, w);
        add_rules(c);
        ev->h.num[N_CPORT] = row->port[0];
        ev->h.num[N_SPORT] = row->port[1];
        ev->h.st[SLOT_OF_NUM(N_CPORT)] = row->state[0];
        ev->h.st[SLOT_OF_NUM(N_SPORT)] = row->state[1];
        char got = judge(c, ev);
        if (got != row->want)
            fail_msg("side row %zu: %c, not %c", i, got, row->want);
        comp_free(c);
    }
    free(ev);
}

/* ---- large filters ---- */

/*
 * Many rules `container.id = ruleN`, then the same as one list: functions are split, jumps reach
 * their labels over stubs, and the first rule that matches is the one that is told.
 */
static void test_large(void **state)
{
    (void)state;
    enum { N = 4000 };
    struct ev *ev = calloc(1, sizeof(*ev));
    struct comp *c = comp_new();
    char name[32], err[200] = "";
    for (uint32_t i = 1; i <= N; i++) {
        snprintf(name, sizeof(name), "a-rather-long-name-%u", i);
        struct value v = {.kind = VAL_TEXT, .text = intern_cstr(c->intern, name)};
        VEC_PUSH(c->arena, &c->values, v);
        struct where w = inline_test(i, SHAPE_TEXT, SLOT_OF_STR(S_CONTAINER_ID));
        struct dag_node node = {.atom = {i}, .yes = {DAG_TRUE}, .no = {DAG_FALSE}};
        struct atom one = {.op = OP_EQ, .val0 = i - 1, .nval = 1};
        struct atom all = {.op = OP_IN, .val0 = 0, .nval = N - 1};
        VEC_PUSH(c->arena, &c->where, w);
        VEC_PUSH(c->arena, &c->rules, (struct rule){.enabled = true, .index = i - 1});
        VEC_PUSH(c->arena, &c->dag, node);
        VEC_PUSH(c->arena, &c->atoms, i < N ? one : all);
        VEC_PUSH(c->arena, &c->roots, (struct root){.rule = {i}, .root = {i}});
    }
    struct event_rules chain = {.event = EV_open, .sysnr = -1, .nroot = N - 1};
    struct event_rules list = {.event = EV_close, .sysnr = -1, .root0 = N - 1, .nroot = 1};
    VEC_PUSH(c->arena, &c->events, EV_open < EV_close ? chain : list);
    VEC_PUSH(c->arena, &c->events, EV_open < EV_close ? list : chain);
    assert_int_equal(pass_bpf(c), 0);
    struct bpf_vm *vm = bpf_vm_new(c->filter_elf.v, c->filter_elf.n, err, sizeof(err));
    if (!vm)
        fail_msg("%s", err);
    bpf_vm_tables(vm, c);
    ev->h.st[SLOT_OF_STR(S_CONTAINER_ID)] = ST_PRESENT;
    for (uint32_t i = 1; i < N + 20; i += 37) {
        int n = snprintf(ev->s_CONTAINER_ID, 64, "a-rather-long-name-%u", i);
        ev->h.len[S_CONTAINER_ID] = (uint32_t)n;
        ev->h.event = EV_open;
        assert_int_equal(bpf_vm_filter(vm, ev), i < N ? i : 0);
        ev->h.event = EV_close;
        assert_int_equal(bpf_vm_filter(vm, ev), i < N ? N : 0);
    }
    bpf_vm_free(vm);
    comp_free(c);
    free(ev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_texts),
        cmocka_unit_test(test_ancestors), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_sides),     cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
