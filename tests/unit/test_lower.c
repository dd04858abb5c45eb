/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions come to on each event, and the invariants of the DAG. */
#include "middle.h"

/* Dumps of single conditions: the event rows, then the nodes, blanks squeezed. */
static const struct {
    const char *condition, *dag;
} rows[] = {
    /* event types fold */
    {"evt.type = execve", "event execve \"r0\" -> yes nodes "},
    {"evt.type = execve and evt.num = 0", "nodes "},
    {"evt.type = execve and evt.num > 0", "event execve \"r0\" -> yes nodes "},
    {"evt.type = execve and evt.num < 1", "nodes "},
    {"evt.type = execve and evt.num in ()", "nodes "},
    {"evt.type = execve and evt.dir = <", "event execve \"r0\" -> yes nodes "},
    {"evt.type = execve and evt.dir = '>'", "nodes "},
    {"evt.type = uname", "event uname \"r0\" -> yes nodes "},
    {"evt.type in (uname, execve) and not evt.type in (execve)",
     "event uname \"r0\" -> yes nodes "},
    {"syscall.type = uname and evt.type != sysinfo", "event uname \"r0\" -> yes nodes "},
    {"evt.type = execve and evt.type.is.execve = 1", "event execve \"r0\" -> yes nodes "},
    {"evt.type = execve and evt.category = process", "event execve \"r0\" -> yes nodes "},
    /* what an event has not is absent */
    {"evt.type = execve and fd.name startswith /etc", "nodes "},
    {"evt.type = execve and not fd.name startswith /etc", "event execve \"r0\" -> yes nodes "},
    {"evt.type = execve and fd.name != a", "nodes "},
    {"evt.type = execve and evt.arg.oldpath exists", "nodes "},
    {"evt.type = rename and evt.arg.oldpath exists", "event rename \"r0\" -> yes nodes "},
    {"evt.type = execve and evt.is_open_read = true", "nodes "},
    {"evt.type = execve and evt.is_open_read != true", "event execve \"r0\" -> yes nodes "},
    {"evt.type = uname and evt.rawres >= 0", "nodes "},
    {"evt.type = execve and len(fd.name) > 0", "nodes "},
    {"evt.type = execve and proc.name = val(fd.name)", "nodes "},
    {"evt.type = execve and proc.name in ()", "nodes "},
    /* identities that hold for unknown values as well, and no others */
    {"evt.type = execve and proc.name = a and not proc.name = a",
     "event execve \"r0\" -> n1 nodes n1: proc.name = \"a\" ? n2 : no "
     "n2: not proc.name = \"a\" ? yes : no "},
    {"evt.type = execve and not (proc.name = a or not proc.tty = 0)",
     "event execve \"r0\" -> n1 nodes n1: proc.tty = 0 ? n2 : no "
     "n2: not proc.name = \"a\" ? yes : no "},
    {"evt.type = execve and (proc.name = a or (proc.name = a and proc.tty = 0))",
     "event execve \"r0\" -> n1 nodes n1: proc.name = \"a\" ? yes : no "},
    {"evt.type = execve and (proc.name = b or proc.name = a)",
     "event execve \"r0\" -> n1 nodes n1: proc.name in (\"a\", \"b\") ? yes : no "},
    {"evt.type = execve and proc.name = b and proc.name = a",
     "event execve \"r0\" -> n1 nodes n1: proc.name = \"b\" ? n2 : no "
     "n2: proc.name = \"a\" ? yes : no "},
    {"evt.type = execve and not proc.name = b and not proc.name = a",
     "event execve \"r0\" -> n1 nodes n1: not proc.name in (\"a\", \"b\") ? yes : no "},
};

/* Blanks and line ends as one blank. */
static void squeeze(char *s)
{
    char *to = s;
    for (const char *from = s; *from; from++) {
        char ch = *from == '\n' ? ' ' : *from;
        if (ch != ' ' || (to > s && to[-1] != ' '))
            *to++ = ch;
    }
    *to = 0;
}

static void conditions_become_nodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct comp *c = middle_one(rows[i].condition);
        assert_int_equal(diag_count(c, SEV_ERROR), 0);
        char *text = middle_dump(c, dump_dag);
        squeeze(text);
        if (strcmp(text, rows[i].dag) != 0) {
            print_error("%s:\nexpected %s\nfound    %s\n", rows[i].condition, rows[i].dag, text);
            fail();
        }
        free(text);
        comp_free(c);
    }
}

static void edges_lead_upwards(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "evt.type in (open, openat) and (fd.name = a or fd.name startswith b) and proc.name = c",
        "evt.type = openat and not (proc.name = c and (proc.tty = 0 or user.uid = 0))",
        "proc.name = d or (fd.name startswith b and not evt.arg.flags contains O_RDWR)",
        "not evt.type in (open, reboot) and proc.pname in (a, b, c)",
    };
    struct comp *c = middle_run(rules, ROWS(rules), false);
    assert_int_equal(diag_count(c, SEV_ERROR), 0);
    assert_true(c->dag.n > 5);
    for (uint32_t i = 1; i < c->dag.n; i++) {
        const struct dag_node *d = &c->dag.v[i];
        assert_true(d->yes.i > i && (d->yes.i < c->dag.n || d->yes.i >= DAG_TRUE));
        assert_true(d->no.i > i && (d->no.i < c->dag.n || d->no.i >= DAG_TRUE));
        assert_true(d->yes.i != d->no.i);
        assert_true(d->atom.i > 0 && d->atom.i < c->atoms.n);
    }
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *e = &c->events.v[i];
        for (uint32_t k = 1; k < e->nroot; k++) {
            assert_true(c->rules.v[c->roots.v[e->root0 + k - 1].rule.i].index <
                        c->rules.v[c->roots.v[e->root0 + k].rule.i].index);
        }
        if (i) {
            assert_true(e->event > e[-1].event ||
                        (e->event == e[-1].event && e->sysnr > e[-1].sysnr));
        }
    }
    comp_free(c);
}

/* The row of all generic calls, beside one of a call that is told from them. */
static void generic_calls(void **state)
{
    (void)state;
    static const char *const rules[] = {"evt.type != sysinfo and proc.name = a"};
    struct comp *c = middle_run(rules, 1, false);
    bool rest = false, sysinfo = false;
    for (uint32_t i = 0; i < c->events.n; i++) {
        const struct event_rules *e = &c->events.v[i];
        if (e->event == EV_generic) {
            rest = rest || (e->sysnr == SYSNR_OTHER && e->nroot == 1);
            sysinfo = sysinfo || (e->sysnr == 99 && e->nroot == 0);
        }
    }
    assert_true(rest);
    assert_true(sysinfo);
    comp_free(c);
}

/* Findings that need the rule's events. */
static void events_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *condition, *codes;
        bool build;
    } lints[] = {
        {"proc.name = a", "RK0401", false},
        {"evt.type != execve and proc.name = a", "RK0401", false},
        {"evt.type = open and proc.name = a", "RK0402", false},
        {"evt.type in (open, openat) and proc.name = a", "", false},
        {"evt.type = creat and proc.name = a", "RK0402", false},
        {"evt.type = unlink and proc.name = a", "RK0402", false},
        {"evt.type in (rename, renameat2) and proc.name = a", "", false},
        {"evt.type = execve and fd.name = a", "RK0404", false},
        {"evt.type = execve and evt.num = 0", "", false},
        {"evt.type = execve and proc.name in ()", "", false},
        {"evt.type = openat and evt.arg.flags contains O_WRITE", "RK0403", false},
        {"evt.type = openat and evt.arg.flags contains O_", "", false},
        {"evt.type = openat and evt.arg.flags = O_RDWR|O_CREAT", "", false},
        {"evt.type in (execve, openat) and evt.arg.flags contains O_WRONLY", "", false},
        {"evt.type = execve and evt.arg.flags contains O_WRONLY", "RK0403", false},
        {"evt.type = openat and evt.res = ENOENTT", "RK0403", false},
        {"evt.type = connect and fd.l4proto = tpc", "RK0403", false},
        {"evt.type = page_fault and proc.name = a", "", false},
        {"evt.type = page_fault and proc.name = a", "RK0406", true},
        {"evt.type in (execve, page_fault) and proc.name = a", "RK0406", true},
        {"evt.type = execve and proc.env contains a", "", true},
        {"evt.type = execve and proc.env[A] = a", "", true},
        {"evt.type = execve and proc.aenv[2] contains a", "", false},
        {"evt.type = execve and proc.aenv[2] contains a", "RK0405", true},
        {"evt.type = clone and evt.arg.cgroups contains a", "RK0408", true},
        {"evt.type = write and evt.arg.data contains a", "", true},
        {"evt.type = execve and proc.apid[1] = 1", "", true},
        {"evt.type = execve and proc.apid[2] = 1", "RK0405", true},
    };
    for (size_t i = 0; i < ROWS(lints); i++) {
        char codes[100];
        struct comp *c = middle_run(&lints[i].condition, 1, lints[i].build);
        found_codes(c, codes, sizeof(codes));
        if (strcmp(codes, lints[i].codes) != 0) {
            print_error("%s: expected '%s', found '%s'\n", lints[i].condition, lints[i].codes,
                        codes);
            fail();
        }
        comp_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_become_nodes),
        cmocka_unit_test(edges_lead_upwards),
        cmocka_unit_test(generic_calls),
        cmocka_unit_test(events_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
