/* SPDX-License-Identifier: Apache-2.0 */
/* rulec eval: judges events written as JSON, one object a line, with any of the four evaluators. */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/alert.h"
#include "arena.h"
#include "diag.h"
#include "eval_bpf.h"
#include "eval_bpf_load.h"
#include "eval_kernel.h"
#include "eval_record.h"
#include "event.h"
#include "intern.h"
#include "pipeline.h"
#include "show.h"

#define LINE_MAX_BYTES (4u << 20)

enum engine { ENGINE_TREE, ENGINE_TABLE, ENGINE_BYTECODE, ENGINE_KERNEL, ENGINE_NONE };

struct eval {
    /* what was asked for */
    enum engine engine;
    bool all, alerts, json_alerts;
    const char *events, *record;
    /* what judges */
    struct comp *c;
    bool pack;      /* a bundle, no sources */
    struct rpk rpk; /* unless the tree judges alone */
    struct bpf_vm *vm;
    struct kernel_filter *kernel;
    struct ev *ev;
    void *bytes;        /* of the record: REC_MAX */
    char *scratch;      /* RECORD_SCRATCH bytes */
    char *alert;        /* ALERT_MAX bytes */
    struct match *hits; /* of the event at hand, in the order of rules */
    uint8_t *tree_hits;
    unsigned nrule, nhit;
    /* the event at hand */
    struct event event;
    struct event_user user;
    struct record view;
    int nrecord; /* its bytes */
    struct eval_record recording;
    uint64_t number;
    bool bad_input;
    bool warned[EV_COUNT]; /* of this kind of event: what counts for nothing */
};

static const char *const engine_names[] = {"tree", "table", "bytecode", "kernel"};

static bool is_exact(enum engine e)
{
    return e == ENGINE_TREE || e == ENGINE_TABLE;
}

static void *must(void *p)
{
    if (!p) {
        fputs("rulec: out of memory\n", stderr);
        exit(EXIT_CANNOT);
    }
    return p;
}

/* ---- options ---- */

/* ENGINE_NONE, and says so: there is none of that name. */
static enum engine engine_of(const char *name)
{
    enum engine e = ENGINE_TREE;

    while (e < ENGINE_NONE && strcmp(name, engine_names[e]) != 0)
        e++;
    if (e == ENGINE_NONE)
        fprintf(stderr, "rulec eval: no engine is called `%s`: tree, table, bytecode or kernel\n",
                name);
    return e;
}

/* `--alerts` or `--alerts=FORM`; false, and says so: there is no such form. */
static bool read_alerts(const char *form, struct eval *v)
{
    v->alerts = true;
    v->json_alerts = form && !strcmp(form, "json");
    if (!form || v->json_alerts || !strcmp(form, "text"))
        return true;
    fprintf(stderr, "rulec eval: alerts are text or json, not `%s`\n", form);
    return false;
}

static bool read_options(int argc, char **argv, struct eval *v)
{
    static const struct option options[] = {
        {"engine", required_argument, NULL, 'g'}, {"all", no_argument, NULL, 'a'},
        {"alerts", optional_argument, NULL, 't'}, {"events", required_argument, NULL, 'e'},
        {"record", required_argument, NULL, 'r'}, {0},
    };
    v->engine = ENGINE_NONE;
    for (int ch; (ch = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (ch == 'a') {
            v->all = true;
        } else if (ch == 't') {
            if (!read_alerts(optarg, v))
                return false;
        } else if (ch == 'e') {
            v->events = optarg;
        } else if (ch == 'r') {
            v->record = optarg;
        } else if (ch == 'g') {
            assert(optarg); /* the analyzer cannot know that getopt sets it */
            v->engine = engine_of(optarg);
            if (v->engine == ENGINE_NONE)
                return false;
        } else {
            return false;
        }
    }
    if (optind == argc || !v->events) {
        fprintf(stderr, "rulec eval: %s; see `rulec eval --help`\n",
                optind == argc ? "no file of rules is given" : "no --events are given");
        return false;
    }
    return true;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n > k && !strcmp(s + n - k, end);
}

/* ---- rules ---- */

/* The last pass that an engine needs. */
static const char *last_pass(const struct eval *v)
{
    if (v->engine == ENGINE_KERNEL)
        return "link";
    return v->engine == ENGINE_TREE && !v->alerts && !v->record ? "lower" : "table";
}

static int open_sources(struct eval *v, char *const *paths, int npath)
{
    char err[256];
    if (pipeline_run(v->c, paths, npath, last_pass(v)))
        return EXIT_CANNOT;
    if (diag_count(v->c, SEV_ERROR)) {
        diag_report(v->c);
        return EXIT_FINDINGS;
    }
    if (v->c->table.n &&
        rpk_open_section(&v->rpk, v->c->table.v, v->c->table.n, err, sizeof(err))) {
        fprintf(stderr, "rulec eval: the compiled rules are not sound: %s\n", err);
        return EXIT_CANNOT;
    }
    v->nrule = v->c->nrule;
    return EXIT_FINE;
}

static int read_file(struct eval *v, const char *path, uint8_t **bytes, size_t *size)
{
    FILE *f = fopen(path, "rb");
    long len = -1;
    if (f && !fseek(f, 0, SEEK_END))
        len = ftell(f);
    if (len >= 0 && len < 1l << 30 && !fseek(f, 0, SEEK_SET)) {
        *bytes = arena_alloc(v->c->arena, (size_t)len + 1);
        *size = fread(*bytes, 1, (size_t)len, f);
    }
    bool good = f && len >= 0 && *size == (size_t)len && !ferror(f);
    if (!good)
        fprintf(stderr, "%s: error: cannot be read: %s\n", path, strerror(errno ? errno : EIO));
    if (f)
        fclose(f);
    return good ? EXIT_FINE : EXIT_FINDINGS;
}

static int open_pack(struct eval *v, const char *path)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    char err[256];
    int status = read_file(v, path, &bytes, &size);
    if (status)
        return status;
    if (rpk_open(&v->rpk, bytes, size, err, sizeof(err))) {
        fprintf(stderr, "%s: error: %s\n", path, err);
        return EXIT_FINDINGS;
    }
    v->c->rpk.v = bytes;
    v->c->rpk.n = (uint32_t)size;
    v->c->plan.probe = v->rpk.head->plan;
    v->nrule = v->rpk.head->rules.n;
    return EXIT_FINE;
}

static int open_rules(struct eval *v, char *const *paths, int npath)
{
    int packs = 0;
    for (int i = 0; i < npath; i++)
        packs += ends_with(paths[i], ".rpk");
    v->pack = packs > 0;
    if (v->engine == ENGINE_NONE)
        v->engine = v->pack ? ENGINE_TABLE : ENGINE_TREE;
    if (v->pack && npath > 1) {
        fputs("rulec eval: a bundle stands alone: it cannot be joined with other files\n", stderr);
        return EXIT_CANNOT;
    }
    if (v->pack && v->engine == ENGINE_TREE) {
        fputs("rulec eval: the engine `tree` walks the rules' own text: it needs them, not a "
              "bundle\n",
              stderr);
        return EXIT_CANNOT;
    }
    return v->pack ? open_pack(v, paths[0]) : open_sources(v, paths, npath);
}

static int open_engine(struct eval *v)
{
    char err[512] = "";
    if (v->engine == ENGINE_BYTECODE && v->pack) {
        v->vm = bpf_vm_new(v->c->rpk.v, v->c->rpk.n, err, sizeof(err));
    } else if (v->engine == ENGINE_BYTECODE) {
        v->vm = bpf_vm_new(v->c->filter_elf.v, v->c->filter_elf.n, err, sizeof(err));
        if (v->vm)
            bpf_vm_tables(v->vm, v->c);
    }
    if (v->engine == ENGINE_KERNEL)
        v->kernel = kernel_filter_new(v->c->rpk.v, v->c->rpk.n, err, sizeof(err));
    if ((v->engine == ENGINE_BYTECODE && !v->vm) || (v->engine == ENGINE_KERNEL && !v->kernel)) {
        fprintf(stderr, "rulec eval: %s\n", err);
        return EXIT_CANNOT;
    }
    v->ev = v->kernel ? kernel_filter_event(v->kernel) : must(calloc(1, sizeof(*v->ev)));
    v->bytes = must(aligned_alloc(8, REC_MAX));
    v->scratch = must(malloc(RECORD_SCRATCH));
    v->alert = must(malloc(ALERT_MAX));
    v->hits = must(calloc(v->nrule + 1u, sizeof(*v->hits)));
    v->tree_hits = must(calloc(v->nrule + 1u, 1));
    return EXIT_FINE;
}

/* ---- one event ---- */

static void judge_tree(struct eval *v)
{
    memset(v->tree_hits, 0, v->nrule);
    eval_tree(v->c, &v->event, v->tree_hits);
    for (unsigned i = 0; i < v->nrule && (v->all || !v->nhit); i++)
        if (v->tree_hits[i])
            v->hits[v->nhit++] = (struct match){.rule = i, .verdict = v->tree_hits[i]};
}

static bool open_record(struct eval *v)
{
    v->nrecord = ev_pack(v->ev, v->bytes, REC_MAX);
    return v->nrecord > 0 &&
           record_open(&v->view, v->bytes, (size_t)v->nrecord, &v->user.user, v->scratch) == 0;
}

static int judge_table(struct eval *v)
{
    v->nhit = table_match(&v->rpk, &v->view, 1u << READ_KERNEL, false, v->hits, v->nrule);
    if (!v->all && v->nhit > 1)
        v->nhit = 1;
    return EXIT_FINE;
}

/* The filter's answer is the first rule that it could not exclude. */
static int judge_filter(struct eval *v)
{
    int64_t got = v->vm ? bpf_vm_filter(v->vm, v->ev) : kernel_filter_run(v->kernel);
    if (got < 0) {
        fprintf(stderr, "rulec eval: event %llu: %s\n", (unsigned long long)v->number,
                v->vm ? bpf_vm_error(v->vm) : strerror((int)-got));
        return EXIT_CANNOT;
    }
    if (got > v->nrule) {
        fprintf(stderr, "rulec eval: event %llu: the filter names rule %lld of %u\n",
                (unsigned long long)v->number, (long long)got, v->nrule);
        return EXIT_CANNOT;
    }
    if (got)
        v->hits[v->nhit++] = (struct match){.rule = (uint32_t)got - 1, .verdict = VERDICT_MATCH};
    return EXIT_FINE;
}

static int judge(struct eval *v)
{
    bool need_record = v->engine != ENGINE_TREE || v->alerts || v->record;
    v->nhit = 0;
    if (need_record && event_to_ev(v->c, &v->event, v->ev, &v->user)) {
        v->bad_input = true;
        return EXIT_FINE;
    }
    if ((v->engine == ENGINE_TABLE || v->alerts || v->record) && !open_record(v)) {
        fprintf(stderr, "rulec eval: event %llu: no record can hold it\n",
                (unsigned long long)v->number);
        return EXIT_CANNOT;
    }
    if (v->engine == ENGINE_TREE) {
        judge_tree(v);
        return EXIT_FINE;
    }
    return v->engine == ENGINE_TABLE ? judge_table(v) : judge_filter(v);
}

/* ---- output ---- */

static void put_name(struct eval *v, uint32_t rule)
{
    if (v->rpk.head) {
        struct rpk_str s = v->rpk.rules[rule].name;
        show_json(stdout, rpk_text(&v->rpk, s), s.len);
        return;
    }
    for (uint32_t i = 1; i < v->c->rules.n; i++) {
        const struct rule *r = &v->c->rules.v[i];
        if (!r->dropped && !r->failed && r->index == rule) {
            show_json(stdout, STR(v->c, r->name), STRLEN(v->c, r->name));
            return;
        }
    }
}

/* `uncertain` lists those that match only if what is unknown turns out so. */
static void put_rules(struct eval *v, const char *key, bool uncertain_only)
{
    unsigned n = 0;
    printf("\"%s\": [", key);
    for (unsigned i = 0; i < v->nhit; i++) {
        if (uncertain_only && v->hits[i].verdict != VERDICT_UNCERTAIN)
            continue;
        if (n++)
            fputs(", ", stdout);
        put_name(v, v->hits[i].rule);
    }
    putchar(']');
}

static void put_alerts(struct eval *v)
{
    const char *host = getenv("FALCO_HOSTNAME");
    struct alert_style style =
        ALERT_STYLE(v->json_alerts ? ALERT_JSON : ALERT_TEXT, host && *host ? host : "localhost");
    fputs(", \"alerts\": [", stdout);
    for (unsigned i = 0; i < v->nhit; i++) {
        size_t len = alert_write(&style, &v->rpk, &v->view, &v->hits[i], v->alert, ALERT_MAX);
        if (len && v->alert[len - 1] == '\n')
            len--;
        if (i)
            fputs(", ", stdout);
        if (v->json_alerts)
            fwrite(v->alert, 1, len, stdout);
        else
            show_json(stdout, v->alert, len);
    }
    putchar(']');
}

static void put_verdict(struct eval *v)
{
    bool uncertain = false;
    const char *found = is_exact(v->engine) ? "match" : "maybe";
    for (unsigned i = 0; i < v->nhit; i++)
        uncertain |= v->hits[i].verdict == VERDICT_UNCERTAIN;
    printf("{\"event\": %llu, \"verdict\": \"%s\", ", (unsigned long long)v->number,
           v->nhit ? found : "none");
    put_rules(v, "rules", false);
    if (uncertain) {
        fputs(", ", stdout);
        put_rules(v, "uncertain", true);
    }
    if (v->alerts)
        put_alerts(v);
    puts("}");
}

/* ---- the lines ---- */

static void bad_line(struct eval *v, unsigned long line, const char *column, const char *message)
{
    fprintf(stderr, "%s:%lu:%s: error: %s\n", strcmp(v->events, "-") ? v->events : "<stdin>", line,
            column, message);
    v->bad_input = true;
}

/* "COLUMN: message", as event_parse() leaves it. */
static void bad_event(struct eval *v, unsigned long line, char *err)
{
    char *colon = strchr(err, ':');
    if (colon)
        *colon = 0;
    bad_line(v, line, colon ? err : "1", colon ? colon + 2 : err);
}

static void warn(struct eval *v, unsigned long line, const char *what)
{
    fprintf(stderr, "%s:%lu:1: warning: %s\n", strcmp(v->events, "-") ? v->events : "<stdin>", line,
            what);
}

/* Says once for each kind of event what its author may not expect. */
static void warn_of_event(struct eval *v, unsigned long line)
{
    const struct event *e = &v->event;
    char what[256];
    if (e->type == EV_NONE || v->warned[e->type])
        return;
    const char *name = catalog_event(e->type)->name;
    if (v->engine != ENGINE_TREE && !catalog_event(e->type)->live && e->type != EV_generic) {
        snprintf(what, sizeof(what), "this version does not observe `%s`: no bundle fires on it",
                 name);
        warn(v, line, what);
        v->warned[e->type] = true;
    }
    for (uint32_t i = 0; i < e->facts.n && !v->warned[e->type]; i++) {
        enum field_id f = e->facts.v[i].field.field;
        if (e->facts.v[i].state == FACT_ABSENT || !event_lacks(e, f))
            continue;
        snprintf(what, sizeof(what), "`%s` events have no %s: it counts for nothing", name,
                 catalog_field(f)->name);
        warn(v, line, what);
        v->warned[e->type] = true;
    }
}

static int eval_line(struct eval *v, unsigned long line, const char *text, size_t len)
{
    char err[512];
    if (!len || strspn(text, " \t\r\n") == len)
        return EXIT_FINE;
    v->number++;
    if (len > LINE_MAX_BYTES) {
        bad_line(v, line, "1", "an event of more than 4 MiB");
        return EXIT_FINE;
    }
    if (event_parse(v->c, text, len, &v->event, err, sizeof(err))) {
        bad_event(v, line, err);
        return EXIT_FINE;
    }
    v->event.num = v->number;
    if (v->event.type == EV_NONE && (v->engine != ENGINE_TREE || v->alerts || v->record)) {
        bad_line(v, line, "1", "an event without evt.type: only the engine `tree` can judge it");
        return EXIT_FINE;
    }
    warn_of_event(v, line);
    int status = judge(v);
    if (!status)
        put_verdict(v);
    if (!status && v->record && !v->bad_input)
        eval_record_event(&v->recording, v->c, &v->event, &v->view, v->bytes, (size_t)v->nrecord);
    return status;
}

static int eval_events(struct eval *v)
{
    FILE *in = strcmp(v->events, "-") ? fopen(v->events, "rb") : stdin;
    char *text = NULL;
    size_t cap = 0;
    int status = EXIT_FINE;
    if (!in) {
        fprintf(stderr, "%s: error: cannot be read: %s\n", v->events, strerror(errno));
        return EXIT_FINDINGS;
    }
    for (unsigned long line = 1; !status; line++) {
        ssize_t len = getline(&text, &cap, in);
        if (len < 0)
            break;
        status = eval_line(v, line, text, (size_t)len);
    }
    if (ferror(in)) {
        fprintf(stderr, "%s: error: cannot be read: %s\n", v->events, strerror(errno));
        v->bad_input = true;
    }
    free(text);
    if (in != stdin)
        fclose(in);
    return status ? status : v->bad_input ? EXIT_FINDINGS : EXIT_FINE;
}

static void close_all(struct eval *v)
{
    if (!v->kernel)
        free(v->ev);
    kernel_filter_free(v->kernel);
    bpf_vm_free(v->vm);
    free(v->bytes);
    free(v->scratch);
    free(v->alert);
    free(v->hits);
    free(v->tree_hits);
    comp_free(v->c);
}

static int cannot_record(const struct eval *v)
{
    fprintf(stderr, "%s: error: cannot be written: %s\n", v->record, strerror(errno));
    return EXIT_CANNOT;
}

int cmd_eval(int argc, char **argv)
{
    struct eval v = {0};
    if (!read_options(argc, argv, &v))
        return EXIT_CANNOT;
    v.c = comp_new();
    int status = open_rules(&v, argv + optind, argc - optind);
    if (!status)
        status = open_engine(&v);
    if (!status && v.record && !eval_record_open(&v.recording, v.record, &v.c->plan.probe))
        status = cannot_record(&v);
    if (!status)
        status = eval_events(&v);
    if (v.recording.file && !eval_record_close(&v.recording))
        status = cannot_record(&v);
    close_all(&v);
    return status;
}
