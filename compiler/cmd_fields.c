/* SPDX-License-Identifier: Apache-2.0 */
/* rulec fields, rulec events: the catalog, for people (text) and programs (json). */
#include <getopt.h>
#include <string.h>

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
            if (ch == 'f') {
                fprintf(stderr, "rulec %s: format is not known: %s\n", argv[0], optarg);
            }
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
    for (int i = 0; i < l->nprefix; i++) {
        if (!strncmp(name, l->prefix[i], strlen(l->prefix[i]))) {
            return true;
        }
    }
    return !l->nprefix;
}

static void json_key(const char *key, const char *value)
{
    printf("\"%s\":", key);
    show_json(stdout, value, strlen(value));
}

/* ---- fields ---- */

static const char *const arguments[] = {
    [ARG_NONE] = "",
    [ARG_INDEX_OPT] = "[n] (optional)",
    [ARG_TEXT_OPT] = "[NAME] (optional)",
    [ARG_TEXT] = "[TEXT]",
    [ARG_NAME_OR_INDEX] = ".NAME or [n]",
    [ARG_NAME] = ".NAME",
    [ARG_NAME_OPT] = ".NAME (optional)",
    [ARG_INDEX_OR_TEXT] = "[n] or [NAME] (optional)",
    [ARG_NAME_OR_TEXT] = ".NAME or [TEXT]",
    [ARG_TIME] = "[TIME]",
};

static const char *const sources[] = {
    [SRC_SLOT] = "kernel",     [SRC_PARAM] = "kernel",    [SRC_ANC] = "kernel",
    [SRC_DERIVED] = "derived", [SRC_USER] = "user space", [SRC_CONST] = "constant",
    [SRC_MISSING] = "not yet",
};

static void put_flags(uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } rows[] = {
        {FF_FILTER_ONLY, "condition only"},    {FF_PRINT_ONLY, "output only"},
        {FF_NO_TRANSFORMER, "no transformer"}, {FF_NO_RHS, "not on the right side"},
        {FF_DEPRECATED, "deprecated"},         {FF_LIST, "list"},
        {FF_ANCESTOR, "some ancestor"},        {FF_EITHER_SIDE, "either side"},
    };
    const char *between = "";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (flags & rows[i].flag) {
            printf("%s\"%s\"", between, rows[i].name);
            between = ",";
        }
    }
}

static void field_json(const struct field_info *f)
{
    putchar('{');
    json_key("name", f->name);
    putchar(',');
    json_key("type", catalog_type(f->type)->name);
    putchar(',');
    json_key("argument", arguments[f->arg]);
    putchar(',');
    json_key("class", f->cls);
    putchar(',');
    json_key("source", sources[f->source]);
    printf(",\"flags\":[");
    put_flags(f->flags);
    printf("],");
    json_key("text", f->doc);
    puts("}");
}

static void field_text(const struct field_info *f)
{
    char name[80];
    snprintf(name, sizeof name, "%s%s", f->name, arguments[f->arg]);
    printf("%-34s %-10s %s%s\n", name, catalog_type(f->type)->name, f->doc,
           f->source == SRC_MISSING ? " (not in this version)" : "");
}

int cmd_fields(int argc, char **argv)
{
    struct list l = {0};
    if (!read_options(argc, argv, &l)) {
        return EXIT_CANNOT;
    }
    for (unsigned i = F_NONE + 1; i < F_COUNT; i++) {
        const struct field_info *f = catalog_field((enum field_id)i);
        if (!(f->flags & FF_TABLE_ONLY) && wanted(&l, f->name)) {
            if (l.json) {
                field_json(f);
            } else {
                field_text(f);
            }
        }
    }
    return EXIT_FINE;
}

/* ---- events ---- */

static void event_json(enum event_id id, const struct event_info *e)
{
    putchar('{');
    json_key("name", e->name);
    putchar(',');
    json_key("category", e->category);
    printf(",\"live\":%s,\"parameters\":[", e->live ? "true" : "false");
    const struct param_info *p;
    for (unsigned i = 0; (p = catalog_param(id, i)); i++) {
        fputs(i ? ",{" : "{", stdout);
        json_key("name", p->name);
        putchar(',');
        json_key("type", catalog_type(p->type)->name);
        printf(",\"supplied\":%s}", p->slot >= 0 ? "true" : "false");
    }
    puts("]}");
}

static void event_text(enum event_id id, const struct event_info *e)
{
    printf("%-20s %-12s%s", e->name, e->category, e->live ? "" : " (not in this version)");
    const struct param_info *p;
    for (unsigned i = 0; (p = catalog_param(id, i)); i++) {
        printf(" %s:%s", p->name, catalog_type(p->type)->name);
    }
    putchar('\n');
}

int cmd_events(int argc, char **argv)
{
    struct list l = {0};
    if (!read_options(argc, argv, &l)) {
        return EXIT_CANNOT;
    }
    for (unsigned i = EV_NONE + 1; i < EV_COUNT; i++) {
        const struct event_info *e = catalog_event((enum event_id)i);
        if (wanted(&l, e->name)) {
            if (l.json) {
                event_json((enum event_id)i, e);
            } else {
                event_text((enum event_id)i, e);
            }
        }
    }
    return EXIT_FINE;
}
