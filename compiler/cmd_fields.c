/* SPDX-License-Identifier: Apache-2.0 */
/* rulec fields, rulec events: the catalog, for people (text) and programs (json). */
#include <getopt.h>
#include <string.h>

#include "../grammar/field.h"
#include "pipeline.h"
#include "show.h"

struct list {
    bool json;
    int nprefix; /* only names that begin with one of these; 0: all */
    char **prefix;
};

static bool read_options(int argc, char **argv, struct list *l)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'}, {0}};
    for (int ch; (ch = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (ch != 'f' || (strcmp(optarg, "json") != 0 && strcmp(optarg, "text") != 0)) {
            if (ch == 'f')
                fprintf(stderr, "%s: --format is text or json, not `%s`\n", argv[0], optarg);
            return false;
        }
        l->json = !strcmp(optarg, "json");
    }
    l->nprefix = argc - optind;
    l->prefix = argv + optind;
    return true;
}

static bool wanted(const struct list *l, const char *name)
{
    for (int i = 0; i < l->nprefix; i++)
        if (!strncmp(name, l->prefix[i], strlen(l->prefix[i])))
            return true;
    return !l->nprefix;
}

/* The first of the beginnings that lead to nothing at all, and what could be meant. */
static int nothing(const struct list *l, const char *what, enum near_kind kind)
{
    size_t len = strlen(l->prefix[0]);
    const char *near = catalog_near(kind, l->prefix[0], len);
    fprintf(stderr, "rulec: no %s begins with `%s`", what, l->prefix[0]);
    fprintf(stderr, near ? "; did you mean `%s`?\n" : "\n", near);
    return EXIT_FINDINGS;
}

static void json_key(const char *key, const char *value)
{
    printf("\"%s\":", key);
    show_json(stdout, value, strlen(value));
}

/* ---- fields ---- */

static const char *const arguments[] = {
    [ARG_NONE] = "-",
    [ARG_INDEX_OPT] = "[n], optional",
    [ARG_TEXT_OPT] = "[NAME], optional",
    [ARG_TEXT] = "[n] or [GLOB]",
    [ARG_NAME_OR_INDEX] = ".NAME or [n]",
    [ARG_NAME] = ".NAME",
    [ARG_NAME_OPT] = ".NAME, optional",
    [ARG_INDEX_OR_TEXT] = "[n] or [NAME], optional",
    [ARG_NAME_OR_TEXT] = ".KEY or [KEY]",
    [ARG_TIME] = "[TIME]",
};

static const char *const sources[] = {
    [SRC_SLOT] = "kernel",     [SRC_PARAM] = "kernel",    [SRC_ANC] = "kernel",
    [SRC_DERIVED] = "derived", [SRC_USER] = "user space", [SRC_CONST] = "constant",
    [SRC_MISSING] = "no",
};

/* What is to be known of a field beyond its type. */
static const struct {
    uint32_t flag;
    const char *name;
} notes[] = {
    {FF_FILTER_ONLY, "condition only"},
    {FF_PRINT_ONLY, "output only"},
    {FF_NO_TRANSFORMER, "no transformer"},
    {FF_NO_RHS, "not on the right side"},
    {FF_DEPRECATED, "deprecated"},
    {FF_LIST, "list"},
    {FF_ANCESTOR, "some ancestor"},
    {FF_EITHER_SIDE, "either side"},
    {FF_OURS, "not in Falco"},
};

static void put_flags(uint32_t flags)
{
    const char *between = "";
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        if (flags & notes[i].flag) {
            printf("%s\"%s\"", between, notes[i].name);
            between = ",";
        }
    }
}

static void field_json(enum field_id id, const struct field_info *f)
{
    const char *why = field_why_missing(id);
    putchar('{');
    json_key("name", f->name);
    putchar(',');
    json_key("type", catalog_type(f->type)->name);
    putchar(',');
    json_key("argument", arguments[f->arg]);
    putchar(',');
    json_key("class", f->cls);
    printf(",\"supplied\":%s,", why ? "false" : "true");
    json_key(why ? "reason" : "source", why ? why : sources[f->source]);
    printf(",\"flags\":[");
    put_flags(f->flags);
    printf("],");
    json_key("text", f->doc);
    puts("}");
}

/* Columns of the table, as wide as the longest of the whole catalog. */
enum column { COL_NAME, COL_ARG, COL_TYPE, COL_CLASS, COL_SOURCE, COL_COUNT };

static const char *field_cell(const struct field_info *f, enum column c)
{
    switch (c) {
    case COL_NAME:
        return f->name;
    case COL_ARG:
        return arguments[f->arg];
    case COL_TYPE:
        return catalog_type(f->type)->name;
    case COL_CLASS:
        return f->cls;
    case COL_SOURCE:
        return sources[f->source];
    case COL_COUNT:
        break;
    }
    return "";
}

static void field_widths(int width[COL_COUNT])
{
    for (unsigned c = 0; c < COL_COUNT; c++) {
        width[c] = 0;
        for (unsigned i = F_NONE + 1; i < F_COUNT; i++) {
            const struct field_info *f = catalog_field((enum field_id)i);
            int len = (int)strlen(field_cell(f, (enum column)c));
            width[c] = len > width[c] ? len : width[c];
        }
    }
}

static void field_text(enum field_id id, const struct field_info *f, const int width[COL_COUNT])
{
    const char *why = field_why_missing(id);
    for (unsigned c = 0; c < COL_COUNT; c++)
        printf("%-*s  ", width[c], field_cell(f, (enum column)c));
    printf("%s%s", f->flags & FF_LIST ? "list: " : "", f->doc);
    if (why)
        printf(" (not supplied: %s)", why);
    else if (f->flags & FF_ANCESTOR && f->arg == ARG_INDEX_OPT && id != F_proc_aname)
        printf(" (with an index only)");
    putchar('\n');
}

int cmd_fields(int argc, char **argv)
{
    struct list l = {0};
    int width[COL_COUNT];
    bool any = false;
    if (!read_options(argc, argv, &l))
        return EXIT_CANNOT;
    field_widths(width);
    for (unsigned i = F_NONE + 1; i < F_COUNT; i++) {
        const struct field_info *f = catalog_field((enum field_id)i);
        if (!wanted(&l, f->name))
            continue;
        any = true;
        if (l.json)
            field_json((enum field_id)i, f);
        else
            field_text((enum field_id)i, f, width);
    }
    return any ? EXIT_FINE : nothing(&l, "field", NEAR_FIELD);
}

/* ---- events ---- */

static void flags_json(enum flag_table table)
{
    unsigned n;
    const struct flag_row *f = catalog_flags(table, &n);
    printf(",\"flags\":[");
    for (unsigned i = 0; i < n; i++) {
        if (i)
            putchar(',');
        show_json(stdout, f[i].text, strlen(f[i].text));
    }
    putchar(']');
}

/* Is the parameter supplied? Those of sockets are made of several values. */
static bool has_param(const struct event_info *e, const struct param_info *p)
{
    return e->live && (p->slot >= 0 || p->type == T_SOCKTUPLE || p->type == T_SOCKADDR ||
                       p->type == T_SYSCALLID);
}

static void event_json(enum event_id id, const struct event_info *e)
{
    putchar('{');
    json_key("name", e->name);
    putchar(',');
    json_key("category", e->category);
    printf(",\"live\":%s,", e->live ? "true" : "false");
    if (!e->live) {
        json_key("reason", event_why_missing(id));
        putchar(',');
    }
    fputs("\"parameters\":[", stdout);
    const struct param_info *p;
    for (unsigned i = 0; (p = catalog_param(id, i)); i++) {
        fputs(i ? ",{" : "{", stdout);
        json_key("name", p->name);
        putchar(',');
        json_key("type", catalog_type(p->type)->name);
        printf(",\"supplied\":%s", has_param(e, p) ? "true" : "false");
        if (p->flags != FT_NONE)
            flags_json(p->flags);
        putchar('}');
    }
    puts("]}");
}

/* One line: an overview of all events. */
static void event_line(enum event_id id, const struct event_info *e)
{
    printf("%-18s  %-9s  %-3s ", e->name, e->category, e->live ? "yes" : "no");
    const struct param_info *p;
    for (unsigned i = 0; (p = catalog_param(id, i)); i++)
        printf(" %s:%s", p->name, catalog_type(p->type)->name);
    if (!e->live)
        printf(" (not delivered: %s)", event_why_missing(id));
    putchar('\n');
}

static void flag_lines(enum flag_table table)
{
    unsigned n;
    const struct flag_row *f = catalog_flags(table, &n);
    int column = 0;
    for (unsigned i = 0; i < n; i++) {
        int len = (int)strlen(f[i].text);
        if (!i || column + 1 + len > 96)
            column = printf("%s        ", i ? "\n" : "") - (i != 0);
        column += printf(" %s", f[i].text);
    }
    if (n)
        putchar('\n');
}

/* The events that were asked for: a line for each parameter, and the names of its flags. */
static void event_page(enum event_id id, const struct event_info *e)
{
    printf("%s  %s%s\n", e->name, e->category, e->live ? "" : " (not delivered by this version)");
    const struct param_info *p;
    for (unsigned i = 0; (p = catalog_param(id, i)); i++) {
        printf("    %2u  %-20s %s%s\n", i, p->name, catalog_type(p->type)->name,
               e->live && !has_param(e, p) ? " (not supplied by this version)" : "");
        flag_lines(p->flags);
    }
}

int cmd_events(int argc, char **argv)
{
    struct list l = {0};
    bool any = false;
    if (!read_options(argc, argv, &l))
        return EXIT_CANNOT;
    for (unsigned i = EV_NONE + 1; i < EV_COUNT; i++) {
        const struct event_info *e = catalog_event((enum event_id)i);
        if (!wanted(&l, e->name))
            continue;
        any = true;
        if (l.json)
            event_json((enum event_id)i, e);
        else if (l.nprefix)
            event_page((enum event_id)i, e);
        else
            event_line((enum event_id)i, e);
    }
    if (!any && catalog_syscall_by_name(l.prefix[0], strlen(l.prefix[0]))) {
        fprintf(stderr, "rulec: `evt.type = %s` can be asked; the call has no parameters here\n",
                l.prefix[0]);
        return EXIT_FINE;
    }
    return any ? EXIT_FINE : nothing(&l, "event", NEAR_EVENT);
}
