/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules are on: entries in order, what the rules that are on need of the kernel, the table
 * and the gates of the filter.
 */
#include "middle.h"

#include <errno.h>

#include "../../compiler/eval_bpf.h"
#include "../../compiler/eval_bpf_load.h"
#include "../../compiler/event.h"
#include "../../runtime/gate.h"
#include "../../runtime/select.h"
#include "../../runtime/table.h"

static const char rules[] =
    "- {rule: cat, desc: d, output: o, priority: WARNING, tags: [a, files],\n"
    "   condition: 'evt.type = execve and evt.res = SUCCESS and proc.name = cat'}\n"
    "- {rule: cattle, desc: d, output: o, priority: INFO, tags: [b], enabled: false,\n"
    "   condition: 'evt.type = execve and proc.name = cattle'}\n"
    "- {rule: Opens, desc: d, output: o, priority: NOTICE, tags: [files],\n"
    "   condition: 'evt.type in (open, openat) and fd.name = /etc/shadow'}\n"
    "- {rule: any open, desc: d, output: o, priority: NOTICE,\n"
    "   condition: 'evt.type = openat and fd.name startswith /etc'}\n"
    "- {rule: missing, desc: d, output: o, priority: ERROR, enabled: false, tags: [a],\n"
    "   condition: 'evt.type = unlinkat and proc.aenv[2] contains x'}\n"
    "- {rule: others, desc: d, output: o, priority: DEBUG,\n"
    "   condition: 'evt.type != reboot and evt.type in (uname, reboot, sysinfo)'}\n";

enum { NRULE = 6, CALL_OPEN = 2, CALL_EXECVE = 59, CALL_UNAME = 63, CALL_OPENAT = 257 };

struct bench {
    struct comp *c;
    struct rpk p;
    struct selected s;
    char said[512];
};

static void open_bench(struct bench *b)
{
    char err[256] = "";
    *b = (struct bench){.c = comp_new()};
    b->c->build = true;
    int file = source_add(b->c->sources, "t.yaml", rules, sizeof(rules) - 1);
    assert_true(file > 0);
    assert_int_equal(pass_load(b->c, (uint32_t)file) || pass_resolve(b->c) || pass_type(b->c) ||
                         pass_lower(b->c) || pass_plan(b->c) || pass_bpf(b->c) ||
                         pass_table(b->c) || pass_link(b->c),
                     0);
    assert_int_equal(diag_count(b->c, SEV_ERROR), 0);
    if (rpk_open(&b->p, b->c->rpk.v, b->c->rpk.n, err, sizeof(err)))
        fail_msg("%s", err);
    assert_int_equal(b->p.head->rules.n, NRULE);
}

static void close_bench(struct bench *b)
{
    select_close(&b->s);
    comp_free(b->c);
}

/* Entries with blanks between them, '+' for a blank inside. */
static void choose(struct bench *b, const char *entries, unsigned priority)
{
    struct select_entry e[8];
    char text[256], *at = text;
    unsigned n = 0;
    FILE *said = fmemopen(b->said, sizeof(b->said), "w");
    b->said[0] = 0;
    snprintf(text, sizeof(text), "%s", entries);
    for (char *word; (word = strsep(&at, " "));) {
        for (char *plus; (plus = strchr(word, '+'));)
            *plus = ' ';
        if (*word)
            assert_true(select_parse(word, &e[n++]));
    }
    select_close(&b->s);
    assert_int_equal(select_rules_on(&b->s, &b->p, e, n, priority, said), 0);
    fclose(said);
    b->p.on = b->s.on;
}

static const struct {
    const char *entries;
    unsigned priority;
    const char *on; /* by rule */
    bool open, openat, execve, uname, sys_exit, failed;
} choices[] = {
    {"", 7, "101101", true, true, true, true, true, false},
    {"", 5, "101100", true, true, true, false, true, false},
    {"", 4, "100000", false, false, true, false, false, false},
    {"disable:*", 7, "000000", false, false, false, false, false, false},
    {"disable:cat*", 7, "001101", true, true, false, true, true, false},
    {"disable:* enable:cat*", 7, "110000", false, false, true, false, true, true},
    {"enable:cattle", 5, "101100", true, true, true, false, true, false},
    {"disable:opens", 7, "101101", true, true, true, true, true, false},
    {"disable:Opens", 7, "100101", false, true, true, true, true, false},
    {"disable:* enable:tag=files", 7, "101000", true, true, true, false, true, false},
    {"disable:* enable:tag=file", 7, "000000", false, false, false, false, false, false},
    {"disable:tag=files enable:rule=Opens", 7, "001101", true, true, false, true, true, false},
    {"enable:rule=Opens disable:tag=files", 7, "000101", false, true, false, true, true, false},
    {"disable:* enable:*+open", 7, "000100", false, true, false, false, true, false},
    {"disable:* enable:others", 7, "000001", false, false, false, true, true, false},
    {"enable:missing enable:tag=a", 7, "101101", true, true, true, true, true, false},
};

static bool wants(const struct selected *s, int nr)
{
    return s->plan.syscalls[nr / 64] >> (nr % 64) & 1;
}

static bool has_sys_exit(const struct selected *s)
{
    return s->hooks >> HOOK_SYS_EXIT & 1;
}

static void rules_are_chosen_in_order(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    for (size_t i = 0; i < ROWS(choices); i++) {
        choose(&b, choices[i].entries, choices[i].priority);
        char on[NRULE + 1] = "";
        unsigned n = 0;
        for (int r = 0; r < NRULE; r++) {
            on[r] = b.s.on[r] ? '1' : '0';
            n += b.s.on[r];
        }
        bool good = !strcmp(on, choices[i].on) && n == b.s.nrule &&
                    wants(&b.s, CALL_OPEN) == choices[i].open &&
                    wants(&b.s, CALL_OPENAT) == choices[i].openat &&
                    wants(&b.s, CALL_EXECVE) == choices[i].execve &&
                    wants(&b.s, CALL_UNAME) == choices[i].uname &&
                    has_sys_exit(&b.s) == choices[i].sys_exit &&
                    b.s.plan.failed_exec == choices[i].failed;
        if (!good)
            fail_msg("'%s' %u: %s open %d openat %d execve %d uname %d sys_exit %d failed %d",
                     choices[i].entries, choices[i].priority, on, wants(&b.s, CALL_OPEN),
                     wants(&b.s, CALL_OPENAT), wants(&b.s, CALL_EXECVE), wants(&b.s, CALL_UNAME),
                     has_sys_exit(&b.s), b.s.plan.failed_exec);
    }
    close_bench(&b);
}

static void what_has_no_effect_is_told(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b);
    choose(&b, "disable:cta", 7);
    assert_string_equal(b.said, "rulerun: --rules disable:cta: there is no such rule\n");
    choose(&b, "enable:tag=c", 7);
    assert_string_equal(b.said, "rulerun: --rules enable:tag=c: there is no such rule\n");
    choose(&b, "enable:missing", 7);
    assert_string_equal(b.said, "rulerun: rule 'missing' cannot be enabled: it is not in the "
                                "bundle, because rulec could not build it\n");
    choose(&b, "disable:missing", 7);
    assert_string_equal(b.said, "");
    close_bench(&b);
}

/* What the table says (rules with numbers from 1, all of them), and the filter (the first). */
static const struct {
    const char *entries, *event;
    unsigned rules[2];
    int64_t filter;
} verdicts[] = {
    {"", "{\"evt.type\":\"execve\",\"evt.res\":\"SUCCESS\",\"proc.name\":\"cat\"}", {1}, 1},
    {"", "{\"evt.type\":\"execve\",\"proc.name\":\"cattle\"}", {0}, 0},
    {"enable:cattle", "{\"evt.type\":\"execve\",\"proc.name\":\"cattle\"}", {2}, 2},
    {"disable:cat",
     "{\"evt.type\":\"execve\",\"evt.res\":\"SUCCESS\",\"proc.name\":\"cat\"}",
     {0},
     0},
    {"", "{\"evt.type\":\"openat\",\"fd.name\":\"/etc/shadow\"}", {3, 4}, 3},
    {"disable:Opens", "{\"evt.type\":\"openat\",\"fd.name\":\"/etc/shadow\"}", {4}, 4},
    {"disable:any+open", "{\"evt.type\":\"openat\",\"fd.name\":\"/etc/shadow\"}", {3}, 3},
    {"disable:*", "{\"evt.type\":\"openat\",\"fd.name\":\"/etc/shadow\"}", {0}, 0},
    {"disable:* enable:Opens", "{\"evt.type\":\"openat\",\"fd.name\":{\"unknown\":true}}", {3}, 3},
};

static void check_verdict(struct bench *b, size_t row, struct ev *ev, struct bpf_vm *vm)
{
    static _Alignas(8) uint8_t bytes[REC_MAX];
    static char scratch[RECORD_SCRATCH];
    struct event e = {0};
    struct event_user user = {0};
    struct record r;
    struct match m[2];
    char err[256] = "";
    const char *text = verdicts[row].event;
    if (event_parse(b->c, text, strlen(text), &e, err, sizeof(err)))
        fail_msg("%s: %s", text, err);
    assert_int_equal(event_to_ev(b->c, &e, ev, &user), 0);
    int64_t got = bpf_vm_filter(vm, ev);
    if (got != verdicts[row].filter)
        fail_msg("'%s' %s: filter %lld %s", verdicts[row].entries, text, (long long)got,
                 got < 0 ? bpf_vm_error(vm) : "");
    int len = ev_pack(ev, bytes, REC_MAX);
    assert_true(len > 0);
    assert_int_equal(record_open(&r, bytes, (size_t)len, &user.user, scratch), 0);
    unsigned n = table_match(&b->p, &r, 1u << READ_KERNEL, false, m, 2);
    for (unsigned i = 0; i < 2; i++)
        if (verdicts[row].rules[i] != (i < n ? m[i].rule + 1 : 0))
            fail_msg("'%s' %s: table has %u, first %u", verdicts[row].entries, text, n,
                     n ? m[0].rule + 1 : 0);
}

static void table_and_filter_obey(void **state)
{
    struct bench b;
    struct ev *ev = calloc(1, sizeof(*ev));
    char err[256];
    (void)state;
    open_bench(&b);
    for (size_t i = 0; i < ROWS(verdicts); i++) {
        choose(&b, verdicts[i].entries, 7);
        assert_int_equal(select_gates(b.c->rpk.v, b.c->rpk.n, &b.p), 0);
        struct bpf_vm *vm = bpf_vm_new(b.c->rpk.v, b.c->rpk.n, err, sizeof(err));
        if (!vm)
            fail_msg("%s", err);
        check_verdict(&b, i, ev, vm);
        bpf_vm_free(vm);
    }
    free(ev);
    close_bench(&b);
}

static void a_gate_of_no_rule_is_refused(void **state)
{
    struct bench b;
    uint64_t len, at;
    (void)state;
    open_bench(&b);
    at = rpk_code(b.c->rpk.v, b.c->rpk.n, &len);
    assert_true(len > 64);
    memcpy(b.c->rpk.v + at, (struct bpf_insn[]){{.code = 0xb4, .imm = 7}, {.code = 0xc6}}, 16);
    assert_int_equal(select_gates(b.c->rpk.v, b.c->rpk.n, &b.p), -EINVAL);
    memcpy(b.c->rpk.v + at, (struct bpf_insn[]){{.code = 0xb4, .imm = 6}, {.code = 0xc6}}, 16);
    assert_int_equal(select_gates(b.c->rpk.v, b.c->rpk.n, &b.p), 0);
    assert_int_equal(select_gates(b.c->table.v, b.c->table.n, &b.p), 0); /* no code */
    close_bench(&b);
}

static void entries_are_read(void **state)
{
    static const struct {
        const char *text;
        bool good, enable, tag;
        const char *what;
    } rows[] = {
        {"enable:x", true, true, false, "x"},
        {"disable:a b:c", true, false, false, "a b:c"},
        {"enable:rule=tag=x", true, true, false, "tag=x"},
        {"disable:tag=t", true, false, true, "t"},
        {"enable:", false, false, false, ""},
        {"enable:tag=", false, false, false, ""},
        {"enable", false, false, false, ""},
        {"Enable:x", false, false, false, ""},
        {"x", false, false, false, ""},
        {"", false, false, false, ""},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct select_entry e = {0};
        assert_int_equal(select_parse(rows[i].text, &e), rows[i].good);
        if (rows[i].good) {
            assert_int_equal(e.enable, rows[i].enable);
            assert_int_equal(e.tag, rows[i].tag);
            assert_string_equal(e.what, rows[i].what);
        }
    }
}

static void stars_try_every_way(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool match;
    } rows[] = {
        {"*", "", true},         {"*", "x", true},        {"**", "x", true},
        {"a", "a", true},        {"a", "A", false},       {"a", "ab", false},
        {"ab", "a", false},      {"", "", true},          {"", "a", false},
        {"*ab", "abab", true},   {"ab*", "abab", true},   {"*ab*", "xaby", true},
        {"a*b*c", "abbc", true}, {"a*b*c", "acb", false}, {"a?c", "abc", false},
        {"*a", "b", false},      {"a*a", "a", false},     {"[a]*", "[a] rule", true},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        if (select_name(rows[i].pattern, rows[i].name, strlen(rows[i].name)) != rows[i].match)
            fail_msg("'%s' on '%s'", rows[i].pattern, rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_chosen_in_order), cmocka_unit_test(what_has_no_effect_is_told),
        cmocka_unit_test(table_and_filter_obey),     cmocka_unit_test(a_gate_of_no_rule_is_refused),
        cmocka_unit_test(entries_are_read),          cmocka_unit_test(stars_try_every_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
