/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Odds, order and expected cost. What things cost is measured anew from time to time: held here is
 * what must be true of any machine's figures.
 */
#include "../../compiler/budget.h"
#include "../../compiler/cost.h"
#include "middle.h"

/* ---- odds: prior.def ---- */

static const struct {
    const char *test; /* on openat */
    uint32_t odds;
} odds[] = {
    {"evt.is_open_write = true", 150},
    {"evt.is_open_write = false", 850},
    {"evt.is_open_exec = true", 200},
    {"evt.is_open_exec != true", 800},
    {"fd.num > 2", 700},
    {"fd.num <= 2", 300},
    {"fd.num = 2", 50},
    {"fd.num in (1, 2, 3)", 150},
    {"fd.num != 2", 950},
    {"proc.name exists", 900},
    {"proc.name = a", 10},
    {"proc.name in (a, b, c)", 30},
    {"proc.name != a", 990},
    {"fd.name startswith /etc", 30},
    {"fd.name contains etc", 30},
    {"fd.name glob /etc/*", 30},
    {"container.id = host", 700},
    {"container.id != host", 300},
    {"proc.name = val(proc.pname)", 300},
};

static struct comp *with_filter(const char *const *conditions, size_t n)
{
    struct comp *c = middle_run(conditions, n, false);
    assert_int_equal(diag_count(c, SEV_ERROR), 0);
    assert_int_equal(pass_bpf(c), 0);
    return c;
}

static void tests_have_odds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(odds); i++) {
        char condition[256];
        snprintf(condition, sizeof(condition), "evt.type = openat and %s", odds[i].test);
        struct comp *c = middle_one(condition);
        uint32_t got = cost_prior(c, c->dag.v[c->dag.n - 1].atom);
        if (got != odds[i].odds)
            fail_msg("%s: %u, expected %u", odds[i].test, got, odds[i].odds);
        comp_free(c);
    }
}

/* Very many constants do not make a test that always holds. */
static void odds_have_an_end(void **state)
{
    char condition[8192] = "evt.type = openat and proc.name in (p0";
    size_t at = strlen(condition);
    (void)state;
    for (int i = 1; i < 200; i++)
        at += (size_t)snprintf(condition + at, sizeof(condition) - at, ", p%d", i);
    snprintf(condition + at, sizeof(condition) - at, ")");
    struct comp *c = middle_one(condition);
    assert_int_equal(cost_prior(c, c->dag.v[c->dag.n - 1].atom), 500);
    comp_free(c);
}

/* ---- order ---- */

/* Of two tests of one rule, the first is tried first, however they are written. */
static const char *const order[][2] = {
    {"fd.num = 3", "fd.name startswith \"/etc\""},
    {"proc.name = \"cat\"", "fd.name startswith \"/etc\""},
    {"fd.name startswith \"/etc\"", "not fd.name startswith \"/x\""}, /* holds nearly always */
    {"fd.name startswith \"/etc\"", "fd.name contains \"etc\""},
    {"fd.name contains \"etc\"", "fd.name glob [e]*"}, /* user space alone */
    {"proc.cmdline contains \"x\"", "user.name = root"},
    {"proc.name = \"cat\"", "proc.fdopencount > 100"},
    {"fd.name = \"/etc/passwd\"", "proc.env contains x"},
};

static void check_order(const char *first, const char *second, bool turned)
{
    char condition[256];
    snprintf(condition, sizeof(condition), "evt.type = openat and %s and %s",
             turned ? second : first, turned ? first : second);
    struct comp *c = middle_one(condition);
    char *dag = middle_dump(c, dump_dag), node[24];
    snprintf(node, sizeof(node), "n1: %.15s", first);
    if (!strstr(dag, node))
        fail_msg("%s: expected %s first\n%s", condition, first, dag);
    free(dag);
    comp_free(c);
}

static void cheap_and_selective_tests_come_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(order); i++) {
        check_order(order[i][0], order[i][1], false);
        check_order(order[i][0], order[i][1], true);
    }
}

/* ---- expected cost ---- */

static struct estimate estimate(const char *const *conditions, size_t n)
{
    struct comp *c = with_filter(conditions, n);
    assert_int_equal(c->events.n, 1);
    struct estimate e = cost_estimate(c, &c->events.v[0]);
    comp_free(c);
    return e;
}

#define PATH "evt.type = openat and fd.name startswith /gp"

/* The second costs more than the first, and less than `times` times as much. */
static const struct {
    const char *less[2], *more[2];
    double times;
} dearer[] = {
    {{"evt.type = openat"}, {PATH}, 1000},
    {{"evt.type = openat and proc.name = a"}, {PATH " and proc.name = a"}, 2},
    {{PATH}, {PATH, "evt.type = openat and fd.name = /a/b"}, 1.2}, /* the path is read once */
    {{"evt.type = openat and fd.num = 3"}, {"evt.type = openat and proc.cmdline = a"}, 1000},
    {{"evt.type = openat and fd.num = 3 and fd.name = /a"},
     {"evt.type = openat and fd.num > 3 and fd.name = /a"},
     1000},
    /* What user space has told is looked up, its key and all; but once for an event. */
    {{"evt.type = openat and user.uid > 3"}, {"evt.type = openat and user.name = a"}, 1000},
    {{"evt.type = openat and user.name = a"},
     {"evt.type = openat and (user.name = a or not user.shell = b)"},
     1.2},
};

static size_t count(const char *const *v)
{
    return v[1] ? 2 : 1;
}

static void expectations_follow_the_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(dearer); i++) {
        double less = estimate(dearer[i].less, count(dearer[i].less)).units;
        double more = estimate(dearer[i].more, count(dearer[i].more)).units;
        if (!(less < more && more < less * dearer[i].times))
            fail_msg("row %zu: %f and %f", i, less, more);
    }
}

/* What only user space decides passes: nothing is paid for it, nor for its value. */
static void what_is_left_to_user_space_costs_nothing(void **state)
{
    const char *const bare[] = {"evt.type = openat"};
    const char *const left[] = {"evt.type = openat and fd.name glob '[e]*'"};
    (void)state;
    assert_true(estimate(bare, 1).units <= estimate(left, 1).units);
    assert_true(estimate(left, 1).units <= estimate(bare, 1).units);
}

static void the_dearest_rule_and_test_are_named(void **state)
{
    const char *const two[] = {"evt.type = openat and proc.name = a",
                               "evt.type = openat and fd.num > 3 and proc.env contains x"};
    (void)state;
    struct comp *c = with_filter(two, 2);
    struct estimate e = cost_estimate(c, &c->events.v[0]);
    assert_string_equal(STR(c, c->rules.v[e.rule.i].name), "r1");
    assert_int_equal(c->atoms.v[e.atom.i].lhs.field, F_proc_env);
    assert_true(e.atom_units <= e.rule_units && e.rule_units < e.units);
    struct place at = source_place(c->sources, c->spans.v[e.at.i].file, c->spans.v[e.at.i].off);
    assert_int_equal(at.line, 12);
    comp_free(c);
}

/* So many rules that they are looked up: what an event costs hardly grows. */
static void rules_that_are_looked_up_cost_little(void **state)
{
    static const char *conditions[2000];
    char(*texts)[80] = calloc(ROWS(conditions), sizeof(*texts));
    double few, many;
    (void)state;
    assert_non_null(texts);
    for (size_t i = 0; i < ROWS(conditions); i++) {
        snprintf(texts[i], sizeof(*texts), "evt.type = openat and fd.name = /gp/file-%zu", i);
        conditions[i] = texts[i];
    }
    few = estimate(conditions, 1).units;
    many = estimate(conditions, ROWS(conditions)).units;
    assert_true(few < many && many < 3 * few);
    free(texts);
}

static void a_budget_is_held(void **state)
{
    const char *const one[] = {"evt.type in (open, openat) and proc.env contains x"};
    (void)state;
    struct comp *c = with_filter(one, 1);
    budget_check(c, 1000000);
    assert_int_equal(diag_count(c, SEV_ERROR), 0);
    budget_check(c, 0.01);
    assert_int_equal(diag_count(c, SEV_ERROR), 1); /* both events have the same rules */
    comp_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_have_odds),
        cmocka_unit_test(odds_have_an_end),
        cmocka_unit_test(cheap_and_selective_tests_come_first),
        cmocka_unit_test(expectations_follow_the_rules),
        cmocka_unit_test(what_is_left_to_user_space_costs_nothing),
        cmocka_unit_test(the_dearest_rule_and_test_are_named),
        cmocka_unit_test(rules_that_are_looked_up_cost_little),
        cmocka_unit_test(a_budget_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
