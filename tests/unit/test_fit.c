/* SPDX-License-Identifier: Apache-2.0 */
/* What a recording lacks for a bundle: which rules are left out, and what is said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "../../runtime/fit.h"
#include "bundle.h"

#define BIT(g) (1ull << (g))
#define NR_OPENAT 257
#define NR_EXECVE 59

/* Rule "opens": fd.name on openat, shows proc.cmdline and an ancestor's. Rule "starts": execve. */
static struct bundle *two_rules(void)
{
    struct bundle *b = b_new();
    uint32_t name = b_ref(b, F_fd_name, -1, ""), line = b_ref(b, F_proc_cmdline, -1, "");
    uint32_t anc = b_ref(b, F_proc_acmdline, 3, ""), flags = b_ref(b, F_evt_arg, -1, "flags");
    uint32_t proc = b_ref(b, F_proc_name, -1, ""), text = b_text(b, "/x");
    uint32_t at_name = b_atom(b, name, OP_EQ, 0, T_CHARBUF, text, 1);
    uint32_t at_proc = b_atom(b, proc, OP_EQ, 0, T_CHARBUF, text, 1);
    uint32_t of_open = b_node(b, at_name, RPK_TRUE, RPK_FALSE, false);
    uint32_t of_exec = b_node(b, at_proc, RPK_TRUE, RPK_FALSE, false);

    b_rule(b, "opens", 4);
    b_piece(b, "proc.cmdline", line);
    b_piece(b, "proc.acmdline[3]", anc);
    b_piece(b, "evt.arg.flags", flags);
    b_rule(b, "starts", 4);
    b_event(b, EV_execve, -1);
    b_root(b, 1, of_exec);
    b_event(b, EV_openat, -1);
    b_root(b, 0, of_open);
    b->plan.groups =
        BIT(G_EVENT) | BIT(G_PATH) | BIT(G_CMD) | BIT(G_ARGS) | BIT(G_PROC) | BIT(G_EXTRA);
    b->plan.extra[0] = (struct extra_want){EXTRA_CMDLINE, 3};
    b->plan.syscalls[NR_OPENAT / 64] |= BIT(NR_OPENAT % 64);
    b->plan.syscalls[NR_EXECVE / 64] |= BIT(NR_EXECVE % 64);
    b->plan.readings = READINGS_ALL;
    return b;
}

/* What is taken from a recording that has all; `on`: bits of the rules that were on. */
struct row {
    void (*take)(struct capture_head *);
    uint8_t on;
    int left_out;
    const char *said;
};

static void nothing(struct capture_head *h)
{
    (void)h;
}

static void no_cmd(struct capture_head *h)
{
    h->plan.groups &= ~BIT(G_CMD);
}

static void no_ancestor(struct capture_head *h)
{
    h->plan.extra[0].index = 2;
}

static void other_place(struct capture_head *h)
{
    h->plan.extra[3] = h->plan.extra[0];
    h->plan.extra[0].kind = EXTRA_EXE;
}

static void no_path_no_proc(struct capture_head *h)
{
    h->plan.groups &= ~(BIT(G_PATH) | BIT(G_PROC));
}

static void one_reading(struct capture_head *h)
{
    h->plan.readings = READ_BIT(READ_KERNEL);
}

static void no_openat(struct capture_head *h)
{
    h->plan.syscalls[NR_OPENAT / 64] = 0;
}

static void no_exec_hook(struct capture_head *h)
{
    h->hooks = 1u << HOOK_SYS_EXIT;
}

static void others(struct capture_head *h)
{
    h->source[0] ^= 1;
}

static void everything(struct capture_head *h)
{
    h->all = 1;
}

static void test_rows(void **state)
{
    static const struct row rows[] = {
        {nothing, 3, 0, ""},
        {other_place, 3, 0, ""},
        {no_cmd, 3, 1, "rulerun: f: rule \"opens\" is left out: it has no proc.cmdline\n"},
        {no_ancestor, 3, 1, "rulerun: f: rule \"opens\" is left out: it has no proc.acmdline[3]\n"},
        {no_path_no_proc, 3, 2,
         "rulerun: f: rule \"opens\" is left out: it has no fd.name\n"
         "rulerun: f: rule \"starts\" is left out: it has no proc.name\n"},
        {one_reading, 3, 1, "rulerun: f: rule \"opens\" is left out: it has no fd.name\n"},
        {no_openat, 3, 1, "rulerun: f: rule \"opens\" is left out: it has no openat events\n"},
        {no_exec_hook, 3, 1, "rulerun: f: rule \"starts\" is left out: it has no execve events\n"},
        {nothing, 2, 1,
         "rulerun: f: rule \"opens\" is left out: it was off when this was recorded\n"},
        {others, 2, 0, ""},
        {everything, 2, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bundle *b = two_rules();
        size_t size;
        uint8_t *bytes = b_pack(b, &size);
        struct rpk p;
        struct selected s;
        struct capture_head h = {.plan = b->plan, .nrule = 2, .hooks = 0xff};
        const struct fit f = {.path = "f", .head = &h, .on = &rows[i].on, .non = 1};
        char err[200] = "", said[1024] = "";
        FILE *out = fmemopen(said, sizeof(said), "w");

        assert_int_equal(rpk_open(&p, bytes, size, err, sizeof(err)), 0);
        assert_int_equal(select_rules_on(&s, &p, NULL, 0, 7, out), 0);
        s.hooks = 1u << HOOK_EXEC | 1u << HOOK_SYS_EXIT;
        p.on = s.on;
        rows[i].take(&h);
        assert_int_equal(fit_rules(&f, &p, &s, out), rows[i].left_out);
        fclose(out);
        assert_string_equal(said, rows[i].said);
        assert_int_equal(s.nrule, 2 - rows[i].left_out);
        select_close(&s);
        free(bytes);
        free(b);
    }
}

/* A rule that is off anyway is no news. */
static void test_off(void **state)
{
    struct bundle *b = two_rules();
    size_t size;
    uint8_t *bytes;
    struct rpk p;
    struct selected s;
    struct capture_head h = {.nrule = 2};
    const struct fit f = {.path = "f", .head = &h};
    char err[200] = "", said[1024] = "";
    FILE *out = fmemopen(said, sizeof(said), "w");

    (void)state;
    b->rules[0].flags = b->rules[1].flags = RPK_RULE_OFF;
    bytes = b_pack(b, &size);
    assert_int_equal(rpk_open(&p, bytes, size, err, sizeof(err)), 0);
    assert_int_equal(select_rules_on(&s, &p, NULL, 0, 7, out), 0);
    assert_int_equal(fit_rules(&f, &p, &s, out), 0);
    fclose(out);
    assert_string_equal(said, "");
    select_close(&s);
    free(bytes);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_off)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
