/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: which one supplies what, and which rules suffer where it is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../runtime/hookloss.h"
#include "bundle.h"

static uint32_t test_of(struct bundle *b, enum field_id f, int32_t index)
{
    uint32_t lhs = b_ref(b, f, index, "");

    return b_node(b, b_atom(b, lhs, OP_EQ, MOD_NONE, T_CHARBUF, b_text(b, "x"), 1), RPK_TRUE,
                  RPK_FALSE, false);
}

static struct bundle *five_rules(void)
{
    struct bundle *b = b_new();
    uint32_t name = test_of(b, F_proc_name, -1), path = test_of(b, F_fd_name, -1);
    uint32_t above = test_of(b, F_proc_aexe, 3), type = test_of(b, F_evt_type, -1);

    b_rule(b, "starts", 4);
    b_rule(b, "opens", 4);
    b_rule(b, "shown", 4);
    b_piece(b, "%proc.args", b_ref(b, F_proc_args, -1, ""));
    b_rule(b, "fails", 4);
    b->rules[3].flags = RPK_RULE_FAILED_EXEC;
    b_rule(b, "off", 4);
    b->rules[4].flags = RPK_RULE_OFF;
    b_rule(b, "above", 4);
    b_event(b, EV_execve, -1);
    b_root(b, 0, name);
    b_root(b, 3, type);
    b_event(b, EV_openat, -1);
    b_root(b, 1, path);
    b_root(b, 2, path);
    b_root(b, 4, name);
    b_root(b, 5, above);
    return b;
}

/* All of a list's texts, a comma after each. */
static const char *joined(const char *names, uint64_t n, char *out)
{
    char *end = out;

    *out = '\0';
    for (uint64_t i = 0; i < n; i++, names += strlen(names) + 1)
        end += sprintf(end, "%s,", names);
    return out;
}

struct opened {
    struct bundle *b;
    uint8_t *bytes;
    struct rpk p;
    struct selected s;
};

static int open_pack(void **state)
{
    struct opened *o = calloc(1, sizeof(*o));
    char err[200];
    size_t size;

    o->b = five_rules();
    o->bytes = b_pack(o->b, &size);
    *state = o;
    return rpk_open(&o->p, o->bytes, size, err, sizeof(err)) ||
           select_rules_on(&o->s, &o->p, NULL, 0, 7, stderr);
}

static int close_pack(void **state)
{
    struct opened *o = *state;

    select_close(&o->s);
    free(o->bytes);
    free(o->b);
    free(o);
    return 0;
}

static void test_losses(void **state)
{
    static const struct {
        enum hook_id hook;
        const char *blind, *unsure;
    } rows[] = {
        {HOOK_EXEC, "starts,fails,", "shown,above,"},
        {HOOK_FORK, "", "starts,shown,above,"},
        {HOOK_SYS_EXIT, "opens,shown,fails,above,", ""},
    };
    struct opened *o = *state;
    char names[200];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hook_loss l;

        assert_int_equal(hook_loss_open(&l, &o->p, &o->s, rows[i].hook, "why"), 0);
        assert_string_equal(joined(l.blind, l.nblind, names), rows[i].blind);
        assert_string_equal(joined(l.unsure, l.nunsure, names), rows[i].unsure);
        hook_loss_close(&l);
    }
}

static void test_said(void **state)
{
    struct alert_style json = ALERT_STYLE(ALERT_JSON, "vm");
    struct opened *o = *state;
    struct hook_loss l;
    char said[1024] = "", alert[1024];
    FILE *out = fmemopen(said, sizeof(said), "w");
    size_t n;

    assert_int_equal(hook_loss_open(&l, &o->p, &o->s, HOOK_FORK, "why"), 0);
    hook_loss_say(&l, out);
    fclose(out);
    assert_string_equal(
        said, "rulerun: hook sched_process_fork is missing: why\n"
              "rulerun: what is lost with it: what a new process has of its parent until it starts "
              "a program\n"
              "rulerun: rules that know less of processes: \"starts\", \"shown\", \"above\"\n");
    n = hook_loss_alert(&l, &json, 1795494299068892935ull, 0, alert, sizeof(alert) - 1);
    alert[n] = '\0';
    assert_string_equal(
        alert, "{\"hostname\":\"vm\",\"output\":\"A hook in the kernel is missing\","
               "\"output_fields\":{\"hook\":\"sched_process_fork\",\"lost\":\"what a new process "
               "has of its parent until it starts a program\",\"reason\":\"why\",\"rules\":[],"
               "\"rules_uncertain\":[\"starts\",\"shown\",\"above\"]},\"priority\":\"Warning\","
               "\"rule\":\"rulerun: hook missing\",\"source\":\"internal\","
               "\"time\":\"2026-11-24T04:24:59.068892935Z\"}\n");
    hook_loss_close(&l);
}

#define BITS(a, b) (uint8_t)(1u << (a) | 1u << (b))

static void test_sets(void **state)
{
    struct opened *o = *state;

    assert_int_equal(hook_of_section("tp_btf/sys_exit"), HOOK_SYS_EXIT);
    assert_int_equal(hook_of_section("tp_btf/sched_process_fork"), HOOK_FORK);
    assert_int_equal(hook_of_section("tp_btf/sys_exit2"), HOOK_COUNT);
    assert_int_equal(hooks_kept(HOOKS_ALL, 1u << HOOK_EXEC),
                     HOOKS_ALL & (uint8_t)~BITS(HOOK_EXEC, HOOK_FORK));
    assert_int_equal(hooks_kept(BITS(HOOK_EXEC, HOOK_FORK), 1u << HOOK_FORK), 1u << HOOK_EXEC);
    assert_true(hooks_suffice(&o->p, &o->s, BITS(HOOK_EXEC, HOOK_FORK)));
    assert_true(hooks_suffice(&o->p, &o->s, 1u << HOOK_SYS_EXIT));
    assert_false(hooks_suffice(&o->p, &o->s, BITS(HOOK_FORK, HOOK_EXIT)));
    memset(o->s.on, 0, 6);
    assert_false(hooks_suffice(&o->p, &o->s, HOOKS_ALL));
    o->s.on[3] = 1; /* asks for failed calls, too */
    assert_true(hooks_suffice(&o->p, &o->s, 1u << HOOK_SYS_EXIT));
}

static void test_events(void **state)
{
    static const struct {
        enum event_id event;
        int32_t sysnr;
        uint8_t hooks;
    } rows[] = {
        {EV_execve, -1, BITS(HOOK_EXEC, HOOK_SYS_EXIT)},
        {EV_openat, -1, BITS(HOOK_SYS_EXIT, HOOK_RING)},
        {EV_open, -1, 1u << HOOK_SYS_EXIT}, /* rings open with a directory's descriptor */
        {EV_renameat2, -1, BITS(HOOK_SYS_EXIT, HOOK_RING)},
        {EV_close, -1, BITS(HOOK_SYS_ENTER, HOOK_RING)},
        {EV_procexit, -1, 1u << HOOK_EXIT},
        {EV_signaldeliver, -1, 1u << HOOK_SIGNAL},
        {EV_switch, -1, 1u << HOOK_SWITCH},
        {EV_generic, 332, BITS(HOOK_SYS_EXIT, HOOK_RING)}, /* statx */
        {EV_generic, 39, 1u << HOOK_SYS_EXIT},             /* getpid */
        {EV_generic, -1, BITS(HOOK_SYS_EXIT, HOOK_RING)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (hooks_of_event(rows[i].event, rows[i].sysnr) != rows[i].hooks)
            fail_msg("row %zu: %x", i, hooks_of_event(rows[i].event, rows[i].sysnr));
    assert_int_equal(hook_of_section("raw_tp/io_uring_cqe_overflow"), HOOK_RING);
    assert_int_equal(hook_of_section("raw_tp/sched_switch"), HOOK_SWITCH);
    assert_int_equal(hook_of_section("raw_tp/judge"), HOOK_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_losses, open_pack, close_pack),
        cmocka_unit_test_setup_teardown(test_said, open_pack, close_pack),
        cmocka_unit_test_setup_teardown(test_sets, open_pack, close_pack),
        cmocka_unit_test(test_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
