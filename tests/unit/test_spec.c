/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog against the tables of the language's specification, row by row. They are not part of
 * this repository: where they are not beside it, the tests are skipped and say so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>

#include "../../grammar/catalog.h"

#define SPEC "../shared/spec/"
#define CELLS 10

/* Calls `row` with the cells of each line but the first; their number. Skips if there is no file.
 */
static unsigned read_rows(const char *file, void (*row)(char *cells[CELLS]))
{
    char path[64], *line = NULL;
    size_t cap = 0;
    unsigned n = 0;
    snprintf(path, sizeof(path), SPEC "%s", file);
    FILE *in = fopen(path, "r");
    if (!in) {
        print_message("SKIP: %s is not there: the catalog is not held against it\n", path);
        skip();
    }
    while (getline(&line, &cap, in) > 0) {
        char *cells[CELLS], *at = line;
        line[strcspn(line, "\n")] = 0;
        for (int i = 0; i < CELLS; i++)
            cells[i] = at ? strsep(&at, "\t") : line + strlen(line);
        if (n++)
            row(cells);
    }
    free(line);
    fclose(in);
    return n - 1;
}

struct word {
    const char *text;
    uint32_t bit;
};

/* The bits of words joined by '|'; `none` words mean nothing here. */
static uint32_t bits_of(const char *text, const struct word *words, size_t n)
{
    char copy[128], *at = copy;
    uint32_t bits = 0;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *word; (word = strsep(&at, "|"));) {
        size_t i = 0;
        while (i < n && strcmp(words[i].text, word) != 0)
            i++;
        if (i == n)
            fail_msg("unknown word %s in %s", word, text);
        bits |= words[i].bit;
    }
    return bits;
}

#define BITS_OF(text, words) bits_of(text, words, sizeof(words) / sizeof(*(words)))

static const char *format_name(enum num_format f)
{
    static const char *const names[] = {
        [FMT_NA] = "NA",   [FMT_DEC] = "DEC", [FMT_HEX] = "HEX",
        [FMT_OCT] = "OCT", [FMT_ID] = "ID",   [FMT_PADDED_DEC] = "10_PADDED_DEC",
        [FMT_DIR] = "DIR"};
    return names[f];
}

/* ---- fields.tsv: name type format arg flags class ---- */

static enum field_arg arg_of(const char *text)
{
    static const struct {
        const char *text;
        enum field_arg arg;
    } rows[] = {
        {"none", ARG_NONE},
        {"optional: [n]", ARG_INDEX_OPT},
        {"optional: [fd]", ARG_INDEX_OPT},
        {"optional: [NAME]", ARG_TEXT_OPT},
        {"optional: [n] or [NAME]", ARG_INDEX_OR_TEXT},
        {"optional: .src or .dst", ARG_NAME_OPT},
        {"required: [n] or [glob]", ARG_TEXT},
        {"required: [key] or .key", ARG_NAME_OR_TEXT},
        {"required: .NAME", ARG_NAME},
        {"required: .NAME or .code", ARG_NAME},
        {"required: .SUBSYS", ARG_NAME},
        {"required: .NAME or [index]", ARG_NAME_OR_INDEX},
        {"required: [timestamp ns]", ARG_TIME},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (!strcmp(rows[i].text, text))
            return rows[i].arg;
    fail_msg("unknown argument rule %s", text);
    return ARG_NONE;
}

static void check_field(char *cell[CELLS])
{
    static const struct word words[] = {
        {"-", 0},
        {"unstable", 0},
        {"deprecated", FF_DEPRECATED},
        {"table_only", FF_TABLE_ONLY},
        {"no_transformer", FF_NO_TRANSFORMER},
        {"no_rhs", FF_NO_RHS},
        {"filter_only", FF_FILTER_ONLY},
        {"print_only", FF_PRINT_ONLY},
        {"suggested_output", FF_SUGGESTED},
        {"list", FF_LIST},
    };
    size_t used;
    enum field_id id = catalog_field_by_name(cell[0], strlen(cell[0]), &used);
    const struct field_info *f = catalog_field(id);
    const uint32_t ours = FF_ANCESTOR | FF_EITHER_SIDE | FF_FALCO_WARNS;
    size_t cls = strcspn(cell[5], "(");
    if (id == F_NONE || used != strlen(cell[0]) || f->flags & FF_OURS)
        fail_msg("there is no field %s, or it is said to be ours", cell[0]);
    if (cell[5][cls] == '(')
        cell[5][cls - 1] = 0; /* "evt (syscall)" */
    if (strcmp(catalog_type(f->type)->name, cell[1]) || strcmp(format_name(f->format), cell[2]) ||
        f->arg != arg_of(cell[3]) || (f->flags & ~ours) != BITS_OF(cell[4], words) ||
        strcmp(f->cls, cell[5]))
        fail_msg("field %s: %s %s %s %s %s", cell[0], cell[1], cell[2], cell[3], cell[4], cell[5]);
}

static void fields_are_those_of_the_table(void **state)
{
    (void)state;
    int ours = 0;
    for (int i = 1; i < F_COUNT; i++)
        ours += (catalog_field((enum field_id)i)->flags & FF_OURS) != 0;
    assert_int_equal(read_rows("fields.tsv", check_field), F_COUNT - 1 - ours);
    assert_int_equal(ours, 1); /* evt.is_io_uring */
}

/* ---- events.tsv: id ppme evt_type dir category flags status syscalls nparams params ---- */

/* "name:TYPE:FORMAT[:table]"; some tables are notes that say how the value is made. */
static void check_param(const char *event, const struct param_info *p, char *text)
{
    char *name = strsep(&text, ":"), *type = strsep(&text, ":"), *format = strsep(&text, ":");
    const char *table = text && !strstr(text, "dynamic") && !strchr(text, ' ') ? text : "";
    bool signal = p && p->type == T_SIGTYPE; /* Falco has its names elsewhere */
    if (!p || strcmp(p->name, name) || strcmp(catalog_type(p->type)->name, type) ||
        strcmp(format_name(p->format), format) ||
        (!signal && strcmp(p->flags ? catalog_flags_name(p->flags) : "", table)))
        fail_msg("%s: parameter %s:%s:%s:%s is another here", event, name, type, format, table);
}

static void check_params(enum event_id id, char *count, char *params)
{
    unsigned n = 0;
    while (params && strcmp(params, "-") != 0) {
        char *one = strsep(&params, ";");
        check_param(catalog_event(id)->name, catalog_param(id, n), one);
        n++;
    }
    assert_int_equal(n, atoi(count));
    assert_int_equal(n, catalog_param_count(id));
}

static void check_event_flags(enum event_id id, const char *flags, const char *category)
{
    static const struct word words[] = {
        {"CREATES_FD", EVF_CREATES_FD},
        {"USES_FD", EVF_USES_FD},
        {"DESTROYS_FD", EVF_DESTROYS_FD},
        {"READS_FROM_FD", EVF_READS_FD},
        {"WRITES_TO_FD", EVF_WRITES_FD},
        {"MODIFIES_STATE", EVF_MODIFIES_STATE},
        {"WAITS", EVF_WAITS},
        {"NONE", 0},
        {"CONVERTER_MANAGED", 0},
        {"LARGE_PAYLOAD", 0},
        {"SKIPPARSERESET", 0},
    };
    const struct event_info *e = catalog_event(id);
    size_t first = strcspn(category, "|");
    if (e->flags != BITS_OF(flags, words))
        fail_msg("%s: flags are %s", e->name, flags);
    /* UNKNOWN|WAIT and UNKNOWN|INTERNAL: the second word is the category. */
    if (!strncmp(category, "UNKNOWN|", 8)) {
        category += 8;
        first = strcspn(category, "|");
    }
    if (strlen(e->category) != first || strncasecmp(e->category, category, first) != 0)
        fail_msg("%s: category is %s, not %s", e->name, category, e->category);
}

static void check_old_params(const char *event, char *params)
{
    while (params && strcmp(params, "-") != 0) {
        char *name = strsep(&params, ";");
        name[strcspn(name, ":")] = 0;
        if (!catalog_param_known(name, strlen(name)))
            fail_msg("%s: parameter %s is not known", event, name);
    }
}

static void check_event(char *cell[CELLS])
{
    bool generic = !strcmp(cell[2], "syscall");
    enum event_id id = generic ? EV_generic : catalog_event_by_name(cell[2], strlen(cell[2]));
    if (id == EV_NONE || generic)
        assert_true(catalog_event_old_name(cell[2], strlen(cell[2])));
    if (strcmp(cell[6], "current") || strcmp(cell[3], "exit")) {
        check_old_params(cell[2], cell[9]);
        return;
    }
    assert_int_not_equal(id, EV_NONE);
    if (!generic) { /* its parameters are numbers of calls, which have names here */
        check_params(id, cell[8], cell[9]);
        check_event_flags(id, cell[5], cell[4]);
    }
}

static void events_are_those_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(read_rows("events.tsv", check_event), 454);
}

/* ---- args.tsv: name type format table events ---- */

static void check_arg(char *cell[CELLS])
{
    size_t len = strlen(cell[0]);
    assert_true(catalog_param_known(cell[0], len));
    for (char *at = cell[4], *one; (one = strsep(&at, ","));) {
        char *index = strchr(one, '[');
        assert_non_null(index);
        *index++ = 0;
        enum event_id id = catalog_event_by_name(one, strlen(one));
        const struct param_info *p = catalog_param(id, (unsigned)atoi(index));
        if (one[strlen(one) - 1] == '>' || !strcmp(one, "syscall"))
            continue; /* enter events reach no rule */
        if (!p || strcmp(p->name, cell[0]) || strcmp(catalog_type(p->type)->name, cell[1]) ||
            strcmp(format_name(p->format), cell[2]))
            fail_msg("%s of %s[%s]: not %s %s", cell[0], one, index, cell[1], cell[2]);
    }
}

static void arguments_are_those_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(read_rows("args.tsv", check_arg), 276);
}

/* ---- flags.tsv: table order text falco_value kind native ---- */

static void check_flag(char *cell[CELLS])
{
    unsigned order = (unsigned)atoi(cell[1]), n = 0;
    /* Texts that a getter makes, and numbers that have no text in Falco. */
    static const char *const elsewhere[] = {"evt_res", "evt_category", "evt_io_dir", "evt_dir"};
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
        if (!strcmp(cell[0], elsewhere[i]))
            return;
    for (unsigned t = FT_NONE + 1; t < FT_COUNT; t++) {
        if (strcmp(catalog_flags_name((enum flag_table)t), cell[0]) != 0)
            continue;
        const struct flag_row *row = catalog_flags((enum flag_table)t, &n);
        char *end;
        uint64_t value = strtoull(cell[3], &end, 0);
        if (order >= n || strcmp(row[order].text, cell[2]) ||
            (end != cell[3] && row[order].value != value))
            fail_msg("%s[%u]: not %s %s", cell[0], order, cell[2], cell[3]);
        return;
    }
    if (strcmp(cell[4], "kernel only") != 0)
        fail_msg("there is no table %s", cell[0]);
}

static void flags_are_those_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(read_rows("flags.tsv", check_flag), 878);
}

/* ---- syscalls.tsv: nr64 name ia32_nr ia32_name ppm_sc event evt_type generic ---- */

/* A call has several rows where machines differ: each says what it knows. */
static bool same_number(const char *cell, int number)
{
    return *cell == '-' || atoi(cell) == number;
}

static void check_syscall(char *cell[CELLS])
{
    const struct syscall_info *s = catalog_syscall_by_name(cell[1], strlen(cell[1]));
    if (!s) {
        fail_msg("there is no system call %s", cell[1]);
        return;
    }
    enum event_id want =
        strcmp(cell[7], "no") ? EV_generic : catalog_event_by_name(cell[6], strlen(cell[6]));
    if (!same_number(cell[0], s->nr) || !same_number(cell[2], s->nr_ia32) ||
        (*cell[0] != '-' && s->event != want)) {
        fail_msg("%s: %d %d %s, not %s %s %s %s", cell[1], s->nr, s->nr_ia32,
                 catalog_event(s->event)->name, cell[0], cell[2], cell[6], cell[7]);
    }
}

static void syscalls_are_those_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(read_rows("syscalls.tsv", check_syscall), 520);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_those_of_the_table),
        cmocka_unit_test(events_are_those_of_the_table),
        cmocka_unit_test(arguments_are_those_of_the_table),
        cmocka_unit_test(flags_are_those_of_the_table),
        cmocka_unit_test(syscalls_are_those_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
