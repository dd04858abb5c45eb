/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arena.h"
#include "diag.h"
#include "intern.h"
#include "source.h"
#include "text.h"

struct comp *comp_new(void)
{
    struct arena *a = arena_new();
    struct comp *c = arena_alloc(a, sizeof(*c));
    c->arena = a;
    c->intern = intern_new(a);
    c->sources = sources_new(a);
    c->diags = diags_new(a);
    VEC_PUSH(a, &c->spans, (struct span){0});
    VEC_PUSH(a, &c->yaml, (struct yaml){0});
    VEC_PUSH(a, &c->rules, (struct rule){0});
    VEC_PUSH(a, &c->nodes, (struct node){0});
    VEC_PUSH(a, &c->operands, (struct operand){0});
    VEC_PUSH(a, &c->atoms, (struct atom){0});
    VEC_PUSH(a, &c->dag, (struct dag_node){0});
    return c;
}

void comp_free(struct comp *c)
{
    if (c)
        arena_free(c->arena);
}

/* ---- files ---- */

static void cannot_read(struct comp *c, const char *path, int err)
{
    uint32_t file = (uint32_t)source_add_missing(c->sources, path);
    span_id at = span_new(c, (struct span){.file = file});
    if (err == -EFBIG)
        diag(c, RK0103, at, NULL, "larger than %u MiB", SOURCE_MAX >> 20);
    else
        diag(c, RK0101, at, NULL, "cannot be read: %s", strerror(-err));
}

static int load_file(struct comp *c, const char *path)
{
    const char *shown = strcmp(path, "-") ? path : "<stdin>";
    int file = source_read(c->sources, path, shown);
    if (file < 0) {
        cannot_read(c, shown, file);
        return 0;
    }
    return pass_load(c, (uint32_t)file);
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);
    return len > n && !strcmp(name + len - n, suffix);
}

/*
 * Regular *.yaml and *.yml, but not NAME.test.yaml: those hold events that test the rules beside
 * them. A link that leads nowhere is taken too, so that reading it is an error.
 */
static bool is_rules_file(struct comp *c, const char *dir, const char *name)
{
    struct stat st;
    bool suffix = ends_with(name, ".yaml") || ends_with(name, ".yml");
    bool test = ends_with(name, ".test.yaml") || ends_with(name, ".test.yml");
    return suffix && !test &&
           (stat(arena_printf(c->arena, "%s/%s", dir, name), &st) < 0 || S_ISREG(st.st_mode));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int load_directory(struct comp *c, const char *path)
{
    VEC(const char *) names = {0};
    DIR *dir = opendir(path);
    if (!dir) {
        cannot_read(c, path, -errno);
        return 0;
    }
    for (const struct dirent *e; (e = readdir(dir));)
        if (is_rules_file(c, path, e->d_name))
            VEC_PUSH(c->arena, &names, arena_printf(c->arena, "%s", e->d_name));
    closedir(dir);
    if (!names.n) {
        uint32_t file = (uint32_t)source_add_missing(c->sources, path);
        diag(c, RK0102, span_new(c, (struct span){.file = file}), NULL,
             "no *.yaml file in this directory");
        return 0;
    }
    qsort(names.v, names.n, sizeof(*names.v), compare_names);
    size_t len = strlen(path);
    const char *slash = len && path[len - 1] == '/' ? "" : "/";
    int err = 0;
    for (uint32_t i = 0; i < names.n && !err; i++)
        err = load_file(c, arena_printf(c->arena, "%s%s%s", path, slash, names.v[i]));
    return err;
}

static int load_all(struct comp *c, char *const *paths, int npath)
{
    int err = 0;
    for (int i = 0; i < npath && !err; i++) {
        struct stat st;
        bool dir = strcmp(paths[i], "-") != 0 && stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);
        err = dir ? load_directory(c, paths[i]) : load_file(c, paths[i]);
    }
    return err;
}

/* ---- passes ---- */

/*
 * `stop`: errors up to here end the run. Not before plan: what could not be bound or typed is
 * poison and its rule is left out, so that one run tells the mistakes and the doubts of all passes.
 */
static const struct pass {
    const char *name;
    int (*run)(struct comp *c);
    bool stop;
} passes[] = {
    {"resolve", pass_resolve, false}, {"type", pass_type, false}, {"lower", pass_lower, false},
    {"plan", pass_plan, true},        {"bpf", pass_bpf, true},    {"table", pass_table, true},
    {"link", pass_link, true},
};

/*
 * What a file means depends on those before it alone. So where one cannot be read, its items and
 * those behind it are left aside, and the mistakes in the others are told all the same.
 */
static void keep_sound_files(struct comp *c)
{
    uint32_t n, bad = UINT32_MAX;
    const struct finding *f = diags_sorted(c, &n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t file = c->spans.v[f[i].at.i].file;
        bool hides = f[i].code < RK0109; /* an item that is no mapping hides no other */
        if (hides && diag_info(f[i].code)->severity == SEV_ERROR && file < bad)
            bad = file;
    }
    while (c->items.n && c->items.v[c->items.n - 1].doc_file >= bad)
        c->items.n--;
}

int pipeline_run(struct comp *c, char *const *paths, int npath, const char *last)
{
    int err = load_all(c, paths, npath);
    return err ? err : pipeline_passes(c, last);
}

int pipeline_passes(struct comp *c, const char *last)
{
    if (!strcmp(last, "load"))
        return 0;
    keep_sound_files(c);
    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
        int err = passes[i].run(c);
        if (err) {
            fprintf(stderr, "rulec: %s: %s\n", passes[i].name, strerror(-err));
            return err;
        }
        if (!strcmp(last, passes[i].name) || (passes[i].stop && diag_count(c, SEV_ERROR)))
            break;
    }
    return 0;
}

/* ---- dumps ---- */

static const struct stage {
    char letter;
    const char *name, *pass;
    void (*dump)(struct comp *c, FILE *out);
} stages[] = {
#define STAGE(letter, name, pass, suffix) {letter, #name, pass, dump_##name},
#include "stage.def"
};
#define STAGES (sizeof(stages) / sizeof(stages[0]))

/* The stage that the first word of a comma-separated list names; `*list` goes behind the word. */
static const struct stage *next_stage(const char **list)
{
    size_t len = strcspn(*list, ",");
    const char *word = *list;
    *list += len + (word[len] == ',');
    for (size_t i = 0; i < STAGES; i++)
        if ((len == 1 && *word == stages[i].letter) ||
            (strlen(stages[i].name) == len && !memcmp(stages[i].name, word, len)))
            return &stages[i];
    return NULL;
}

const char *pipeline_last(const char *list)
{
    const struct stage *last = stages;
    do {
        const struct stage *s = next_stage(&list);
        if (!s)
            return NULL;
        last = s > last ? s : last;
    } while (*list);
    return last->pass;
}

bool pipeline_dump(struct comp *c, const char *list, FILE *out)
{
    bool many = strchr(list, ',');
    do {
        const struct stage *s = next_stage(&list);
        if (!s)
            return false;
        if (many)
            fprintf(out, "== %s\n", s->name);
        s->dump(c, out);
    } while (*list);
    return true;
}
