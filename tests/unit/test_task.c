/* SPDX-License-Identifier: Apache-2.0 */
/* What is decided once per task: which tests, how they share bits, and when no rule is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../compiler/diag.h"
#include "../../compiler/pipeline.h"
#include "../../compiler/source.h"
#include "../../compiler/task.h"

/* Rules r0, r1, ... with these conditions, as far as the filter; those after NULL are disabled. */
static struct comp *pack(const char *const *conditions, size_t n)
{
    struct comp *c = comp_new();
    const char *enabled = "true";
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        if (!conditions[i]) {
            enabled = "false";
            continue;
        }
        fprintf(out,
                "- rule: r%zu\n  desc: d\n  output: o\n  priority: INFO\n  enabled: %s\n"
                "  condition: evt.type in (openat, execve) and %s\n",
                i, enabled, conditions[i]);
    }
    fclose(out);
    int file = source_add(c->sources, "t.yaml", text, size);
    free(text);
    assert_true(file > 0);
    assert_int_equal(pass_load(c, (uint32_t)file), 0);
    assert_int_equal(pipeline_passes(c, "bpf"), 0);
    assert_int_equal(diag_count(c, SEV_ERROR), 0);
    return c;
}

/* The row of an event; its number in comp.events. */
static uint32_t row_of(const struct comp *c, enum event_id event)
{
    uint32_t i = 0;
    while (i < c->events.n && c->events.v[i].event != event)
        i++;
    assert_true(i < c->events.n);
    return i;
}

struct own {
    const char *condition;
    const char *own; /* the fields of the tests that are made once, by commas */
    uint8_t ties;
};

static const struct own owns[] = {
    {"proc.name = cat", "proc.name", TASK_EXEC},
    {"fd.name = /etc/x", "", 0},
    {"proc.name = cat and fd.name = /etc/x", "proc.name", TASK_EXEC},
    {"user.uid = 0 and fd.name = /etc/x", "user.uid", TASK_EXEC | TASK_CRED},
    {"proc.pname = a and fd.name = /etc/x", "proc.pname", TASK_EXEC | TASK_ANC},
    {"proc.aname = a and fd.name = /etc/x", "proc.aname", TASK_EXEC | TASK_ANC},
    {"proc.aname[3] = a and fd.name = /etc/x", "proc.aname", TASK_EXEC | TASK_ANC},
    {"(proc.name = a or proc.pname = b) and fd.num = 3", "proc.name,proc.pname",
     TASK_EXEC | TASK_ANC},
    {"(proc.name = a or fd.num = 3) and proc.tty = 0", "proc.tty", TASK_EXEC},
    {"not (proc.name = a and fd.num = 3)", "", 0},
    {"not (proc.name = a and proc.args contains b) and fd.num = 3", "proc.args,proc.name",
     TASK_EXEC},
    {"container.id != host and fd.num = 3", "container.id", TASK_EXEC},
    /* What a process changes as it likes, or others do, is none of it. */
    {"proc.sid = 3 and fd.num = 3", "", 0},
    {"proc.sname = a and fd.num = 3", "", 0},
    {"proc.exepath = /bin/a and fd.num = 3", "", 0},
    {"proc.pexepath = /bin/a and fd.num = 3", "", 0},
    {"proc.aexepath[2] = /bin/a and fd.num = 3", "", 0},
    {"proc.aexe[2] = a and fd.num = 3", "proc.aexe", TASK_EXEC | TASK_ANC},
    {"proc.cwd = /a/ and fd.num = 3", "", 0},
    {"proc.vmsize > 3 and fd.num = 3", "", 0},
    {"proc.env contains a and fd.num = 3", "", 0},
    {"proc.nthreads > 3 and fd.num = 3", "", 0},
    {"evt.rawres = 3 and thread.tid = 4", "thread.tid", TASK_EXEC},
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The fields of the nodes of a root's own test, sorted, each once. */
static void own_fields(struct comp *c, uint32_t root, char *out, size_t cap)
{
    const bool *own = task_nodes(c, root, EV_openat);
    const char *names[16];
    size_t n = 0, at = 0;
    for (uint32_t i = 1; own && i < c->dag.n; i++)
        if (own[i] && n < 16)
            names[n++] = catalog_field(c->atoms.v[c->dag.v[i].atom.i].lhs.field)->name;
    if (n)
        qsort(names, n, sizeof(*names), compare_names);
    out[0] = 0;
    for (size_t i = 0; i < n; i++)
        if (!i || strcmp(names[i], names[i - 1]) != 0)
            at += (size_t)snprintf(out + at, cap - at, "%s%s", at ? "," : "", names[i]);
}

static void what_a_rule_asks_of_the_task(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(owns) / sizeof(*owns); i++) {
        struct comp *c = pack(&owns[i].condition, 1);
        char fields[256];
        own_fields(c, c->events.v[row_of(c, EV_openat)].root0, fields, sizeof(fields));
        if (strcmp(fields, owns[i].own) != 0 || c->plan.probe.task != owns[i].ties) {
            fail_msg("%s: once [%s] tied to %u, not [%s] to %u", owns[i].condition, fields,
                     c->plan.probe.task, owns[i].own, owns[i].ties);
        }
        assert_int_equal(c->plan.hook[HOOK_EXIT], (owns[i].ties & TASK_ANC) != 0);
        comp_free(c);
    }
}

static void equal_tests_share_a_bit(void **state)
{
    static const char *const conditions[] = {
        "proc.name = cat and user.uid = 0 and fd.name = /etc/a",
        "fd.name = /etc/b and user.uid = 0 and proc.name = cat",
        "proc.name = dog and fd.name = /etc/c",
        "fd.name = /etc/d",
    };
    (void)state;
    struct comp *c = pack(conditions, 4);
    const uint32_t *test = c->task->test_of + c->events.v[row_of(c, EV_openat)].root0;
    assert_int_equal(c->task->nbit, 2);
    assert_int_equal(test[0], test[1]);
    assert_int_not_equal(test[0], test[2]);
    assert_int_equal(test[3], 0);
    comp_free(c);
}

/* Exec comes once, and changes what the bits rest on. */
static void exec_looks_at_no_bits(void **state)
{
    static const char *const one[] = {"proc.name = a"};
    (void)state;
    struct comp *c = pack(one, 1);
    uint32_t exec = row_of(c, EV_execve);
    assert_int_equal(c->task->nbit, 1);
    assert_int_equal(c->task->test_of[c->events.v[exec].root0], 0);
    for (unsigned i = 0; i < LEFT_CLASSES; i++)
        assert_true(c->task->left[exec][i].open);
    comp_free(c);
}

/* More tests than there are bits: one that several rules share has one, whatever its place. */
static void bits_go_to_what_is_shared(void **state)
{
    enum { SINGLE = TASK_BITS + 1 };
    static char conditions[SINGLE + 2][64];
    const char *list[SINGLE + 2];
    unsigned without = 0;
    (void)state;
    for (unsigned i = 0; i < SINGLE + 2; i++) {
        unsigned vpid = i < SINGLE ? i : 9999;
        snprintf(conditions[i], sizeof(conditions[i]), "proc.vpid > %u and fd.num > %u", vpid, i);
        list[i] = conditions[i];
    }
    struct comp *c = pack(list, SINGLE + 2);
    uint32_t root0 = c->events.v[row_of(c, EV_openat)].root0;
    assert_int_equal(c->task->nbit, TASK_BITS);
    for (uint32_t i = 0; i < SINGLE; i++)
        without += c->task->tests.v[c->task->test_of[root0 + i] - 1].bit == TASK_BITS;
    assert_int_equal(without, 2);
    assert_int_equal(c->task->test_of[root0 + SINGLE], c->task->test_of[root0 + SINGLE + 1]);
    assert_true(c->task->tests.v[c->task->test_of[root0 + SINGLE] - 1].bit < TASK_BITS);
    comp_free(c);
}

/* ---- is any rule left? ---- */

struct left {
    const char *conditions[4];
    unsigned class;
    bool open;
    uint32_t bits; /* of word 0 */
    uint32_t ngated;
};

static const struct left lefts[] = {
    {{"proc.name = a and evt.is_open_write = true"}, 0, false, 1, 0},
    {{"proc.name = a and evt.is_open_write = true"}, LEFT_READS, false, 0, 0},
    {{"evt.is_open_write = true", "proc.name = a"}, LEFT_READS, false, 1, 0},
    {{"evt.is_open_write = true", "proc.name = a"}, 0, true, 0, 0},
    {{"evt.is_open_write = true"}, LEFT_READS, false, 0, 0}, /* the pack has no bits at all */
    {{"evt.is_open_write = true"}, 0, true, 0, 0},
    {{"proc.name = a and evt.arg.flags contains O_CREAT"}, LEFT_READS, false, 0, 0},
    {{"proc.name = a and evt.arg.flags contains O_DIRECTORY"}, LEFT_READS, false, 1, 0},
    {{"proc.name = a and evt.arg.flags contains O_TRUNC"}, 0, false, 1, 0},
    {{"proc.name = a and fd.num >= 0"}, LEFT_FAILED, false, 0, 0},
    {{"proc.name = a and fd.num >= 0"}, 0, false, 1, 0},
    {{"proc.name = a and fd.num = -1"}, 0, false, 0, 0},
    {{"proc.name = a and evt.rawres < 0"}, 0, false, 0, 0},
    {{"proc.name = a and evt.failed = true"}, LEFT_FAILED, false, 1, 0},
    {{"proc.name = a and evt.failed = true"}, 0, false, 0, 0},
    {{"proc.name = a", "proc.name = b and fd.num > 3"}, 0, false, 3, 0},
    {{"proc.name = a", "fd.num > 3"}, 0, true, 0, 0},
    {{"proc.name = a", "fd.num > 3"}, LEFT_FAILED, false, 1, 0},
    {{"proc.name = a", NULL, "fd.num > 3"}, 0, false, 1, 1},
    {{"proc.name = a", NULL, "proc.name = b"}, 0, false, 1, 1},
};

static void what_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lefts) / sizeof(*lefts); i++) {
        const struct left *l = &lefts[i];
        struct comp *c = pack(l->conditions, l->conditions[2] ? 3 : l->conditions[1] ? 2 : 1);
        const struct task_mask *m = &c->task->left[row_of(c, EV_openat)][l->class];
        if (m->open != l->open || (!m->open && (m->bits[0] != l->bits || m->ngated != l->ngated))) {
            fail_msg("%s, class %u: open %d bits %x gated %u", l->conditions[0], l->class, m->open,
                     m->bits[0], m->ngated);
        }
        comp_free(c);
    }
}

/* Rules that a sketch of the path can exclude: by their bit of the task, those of one in one row.
 */
struct left_path {
    const char *conditions[4];
    bool open;
    uint32_t npath;
    struct task_path paths[2];
};

static const struct left_path left_paths[] = {
    {{"proc.name = a and fd.name = /x/y"}, false, 1, {{1, 0, 0}}},
    {{"fd.name = /x/y"}, false, 1, {{1, TASK_BITS, 0}}},
    {{"fd.name = /x/y", "fd.num > 3"}, true, 0, {{0}}},
    {{"proc.name = a and fd.name = /x/y", "proc.name = b and fd.name = /x/z"},
     false,
     2,
     {{1, 0, 0}, {2, 1, 0}}},
    {{"proc.name = a and fd.name = /x/y", "proc.name = a and fd.name = /x/z"},
     false,
     1,
     {{3, 0, 0}}},
    {{"proc.name = a", NULL, "proc.name = a and fd.name = /x/z"}, false, 1, {{1, 0, 2}}},
    {{"proc.name = a and fd.name = /x/y", NULL, "proc.name = a and fd.name = /x/z"},
     false,
     2,
     {{1, 0, 0}, {2, 0, 2}}},
};

static void what_is_left_of_a_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(left_paths) / sizeof(*left_paths); i++) {
        const struct left_path *l = &left_paths[i];
        struct comp *c = pack(l->conditions, l->conditions[2] ? 3 : l->conditions[1] ? 2 : 1);
        const struct task_mask *m = &c->task->left[row_of(c, EV_openat)][0];
        assert_int_equal(m->open, l->open);
        for (uint32_t k = 0; !m->open && k < l->npath; k++) {
            const struct task_path *p = &c->task->paths.v[m->path0 + k];
            assert_int_equal(m->npath, l->npath);
            assert_int_equal(p->sketch, l->paths[k].sketch);
            assert_int_equal(p->bit, l->paths[k].bit);
            assert_int_equal(p->gate, l->paths[k].gate);
        }
        comp_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_rule_asks_of_the_task),
        cmocka_unit_test(equal_tests_share_a_bit),
        cmocka_unit_test(exec_looks_at_no_bits),
        cmocka_unit_test(bits_go_to_what_is_shared),
        cmocka_unit_test(what_is_left),
        cmocka_unit_test(what_is_left_of_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
