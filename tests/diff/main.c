/* SPDX-License-Identifier: Apache-2.0 */
/* The differential test's driver: through the rules, then through generated conditions. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "diff.h"
#include "../../compiler/diag.h"
#include "../../compiler/intern.h"
#include "../../compiler/pipeline.h"
#include "../../compiler/place.h"
#include "../../compiler/source.h"

#define SHOWN_MAX 3      /* disagreements shown of one rule */
#define PACK_RULES 50    /* generated rules that are judged together */
#define VACUOUS_MIN 1000 /* so many events of a rule must contain a match */

struct options {
    uint64_t seed;
    uint32_t events;     /* per rule */
    uint32_t conditions; /* generated rules */
    const char *only;    /* one rule */
    bool kernel;
    bool together;         /* no rule alone */
    bool kernel_rules;     /* for each rule alone too: loading a filter takes a while */
    uint32_t kernel_every; /* one event in so many */
    uint64_t evaluations;  /* generated rounds go on until there are so many */
    const char *skip;      /* what the caller could not find */
};

struct tally {
    uint32_t passed, failed, skipped;
    uint64_t events, exact;
    /* Verdicts: tree and table give one for each rule of the pack, the filter one for the pack. */
    uint64_t evaluations;
};

/* What one rule's events showed. */
struct counts {
    uint32_t events, matches, uncertain, in_kernel;
    uint32_t certain_none, dropped; /* no match and nothing unknown; of them not passed on */
    uint32_t exact;                 /* passed by a rule that the kernel decides */
    uint32_t wrong[CHECK_COUNT];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- one pack, many events ---- */

static bool has_unknown(const struct event *e)
{
    for (uint32_t i = 0; i < e->facts.n; i++)
        if (e->facts.v[i].state == FACT_UNKNOWN)
            return true;
    return false;
}

static const struct rule *rule_at(const struct comp *c, uint32_t index)
{
    for (uint32_t i = 1; i < c->rules.n; i++)
        if (!c->rules.v[i].dropped && c->rules.v[i].index == index)
            return &c->rules.v[i];
    return NULL;
}

static const char *verdict_name(uint8_t v)
{
    return v == VERDICT_NONE ? "none" : v == VERDICT_MATCH ? "match" : "uncertain";
}

static void show(struct judge *j, struct event *e, enum check failed)
{
    uint32_t rule = UINT32_MAX;
    shrink_event(j, e, failed);
    judge_event(j, e, j->kernel != NULL, &rule);
    printf("\n!! %s\n", check_names[failed]);
    if (failed == CHECK_RUN)
        printf("   %s\n", j->error);
    const struct rule *r = rule == UINT32_MAX ? NULL : rule_at(j->c, rule);
    if (r)
        printf("   rule: %s\n   condition: %s\n   tree %s, table %s\n", STR(j->c, r->name),
               STR(j->c, r->condition_text), verdict_name(j->tree[rule]),
               verdict_name(j->table[rule]));
    printf("   bytecode %lld, kernel %lld; told: %lld, %lld\n   event: ", (long long)j->bytecode,
           (long long)j->in_kernel, (long long)j->told, (long long)j->told_in_kernel);
    event_print(j->c, e, stdout);
    putchar('\n');
    if (r && !shrink_rule(j, r->condition, e, failed))
        puts("   only beside the pack's other rules");
    printf("\n\n");
    fflush(stdout);
}

/* An event that is printed and read again is the same event. */
static bool survives_text(struct gen *g, struct judge *j)
{
    char *text = NULL, err[256] = "";
    size_t len = 0;
    struct event again = {0};
    uint8_t before = j->tree[0];
    FILE *out = open_memstream(&text, &len);
    event_print(g->c, &g->e, out);
    fclose(out);
    bool good = !event_parse(g->c, text, len, &again, err, sizeof(err));
    if (good) {
        eval_tree(g->c, &again, j->tree);
        good = j->tree[0] == before;
    }
    if (!good)
        printf("!! the event does not survive being printed: %s\n   %s\n", err, text);
    free(text);
    return good;
}

/* Does some rule match, or might one? */
static uint8_t best_verdict(const struct judge *j)
{
    uint8_t best = VERDICT_NONE;
    for (uint32_t i = 0; i < j->nrule && best != VERDICT_MATCH; i++)
        best = j->tree[i] ? j->tree[i] : best;
    return best;
}

static double dropped_share(const struct counts *n)
{
    return n->certain_none ? 100.0 * n->dropped / n->certain_none : 100.0;
}

static void one_event(struct judge *j, struct gen *g, const struct options *o, uint32_t i,
                      struct counts *n)
{
    uint32_t rule;
    bool kernel = j->kernel && i % o->kernel_every == 0;
    gen_event(g);
    enum check failed = judge_event(j, &g->e, kernel, &rule);
    n->events++;
    n->in_kernel += kernel;
    uint8_t best = best_verdict(j);
    n->matches += best == VERDICT_MATCH;
    n->uncertain += best == VERDICT_UNCERTAIN;
    if (!best && !has_unknown(&g->e)) {
        n->certain_none++;
        n->dropped += j->told == 0;
    }
    n->exact += j->exact;
    if (failed == CHECK_COUNT && i % 50 == 0 && !survives_text(g, j))
        failed = CHECK_RUN;
    if (failed != CHECK_COUNT && n->wrong[failed]++ < SHOWN_MAX)
        show(j, &g->e, failed);
}

/* ---- why a filter passes what does not match ---- */

static const char *reason(const struct where *w)
{
    if (w->place == PLACE_USER)
        return "user space alone can tell: ";
    if (w->narrow.i)
        return "a beginning or end that fits passes: ";
    return w->guard == GUARD_NONE ? NULL : "an empty or relative path passes: ";
}

static void put_reasons(struct comp *c, FILE *out)
{
    const char *said = NULL;
    uint32_t last = 0, shown = 0;
    for (uint32_t i = 0; i < c->where.n; i++) {
        const char *why = reason(&c->where.v[i]);
        if (!why || c->where.v[i].atom.i == last)
            continue;
        last = c->where.v[i].atom.i;
        if (shown++ == 4) {
            fputs(", ...", out);
            return;
        }
        fprintf(out, "%s%s", shown > 1 ? ", " : "", why == said ? "" : why);
        print_atom(c, out, c->where.v[i].atom);
        said = why;
    }
    if (!shown)
        fputs("no test of this rule explains it", out);
}

static void rule_line(struct comp *c, const char *name, const struct counts *n)
{
    double share = dropped_share(n);
    printf("%-58.58s %6u events %6u match %5u uncertain  dropped %6.2f%%\n", name, n->events,
           n->matches, n->uncertain, share);
    if (share < 99.0) {
        fputs("    under 99%: ", stdout);
        put_reasons(c, stdout);
        putchar('\n');
    }
    if (!n->matches)
        printf("    no generated event matches\n");
}

static void settle(struct tally *t, const struct counts *n, uint32_t rules, bool kernel)
{
    t->events += n->events;
    t->exact += n->exact;
    t->evaluations += (uint64_t)n->events * (2ull * rules + 1) + n->in_kernel;
    for (int i = 0; i < CHECK_COUNT; i++) {
        if (i == CHECK_KERNEL && !kernel)
            continue;
        t->passed += !n->wrong[i];
        t->failed += n->wrong[i] > 0;
    }
}

/* ---- rules of files ---- */

static void one_rule(const struct options *o, char *const *paths, int npath, uint32_t rule,
                     struct tally *t)
{
    struct comp *c = build_files(paths, npath, rule);
    struct judge j;
    struct gen g;
    struct counts n = {0};
    if (!c) {
        t->failed++;
        return;
    }
    const char *name = STR(c, c->rules.v[rule].name);
    if (!judge_open(&j, c, o->kernel && o->kernel_rules, 0)) {
        printf("%s: %s\n", name, j.error);
        t->failed++;
    } else {
        gen_init(&g, c, o->seed + rule);
        gen_lean_on(&g, (rule_id){rule});
        for (uint32_t i = 0; i < o->events; i++)
            one_event(&j, &g, o, i, &n);
        rule_line(c, name, &n);
        settle(t, &n, c->nrule, o->kernel && o->kernel_rules);
        if (!n.matches && n.events >= VACUOUS_MIN)
            t->failed++;
    }
    judge_close(&j);
    comp_free(c);
}

/*
 * All rules at once, some of them switched off: the filter's answer must not lie beyond the first
 * rule that fires.
 */
static void whole_pack(const struct options *o, struct comp *c, const char *what, struct tally *t)
{
    struct judge j;
    struct gen g;
    struct counts n = {0};
    if (!judge_open(&j, c, o->kernel, o->seed)) {
        printf("%s: %s\n", what, j.error);
        t->failed++;
    } else {
        gen_init(&g, c, o->seed);
        for (uint32_t i = 1; i < c->rules.n; i++)
            if (!c->rules.v[i].dropped)
                gen_lean_on(&g, (rule_id){i});
        for (uint32_t i = 0; i < 4 * o->events && g.rules.n; i++)
            one_event(&j, &g, o, i, &n);
        printf("%-58.58s %6u events %6u match %5u uncertain  dropped %6.2f%%, %u rules together\n",
               what, n.events, n.matches, n.uncertain, dropped_share(&n), c->nrule);
        settle(t, &n, c->nrule, o->kernel);
    }
    judge_close(&j);
}

static void pack(const struct options *o, const char *what, char *const *paths, int npath,
                 struct tally *t)
{
    struct comp *c = build_files(paths, npath, 0);
    uint32_t rules = c ? c->rules.n : 0;
    printf("\n== %s\n", what);
    if (!c) {
        t->failed++;
        return;
    }
    for (uint32_t i = 1; i < rules && !o->together; i++)
        if (!c->rules.v[i].dropped && (!o->only || !strcmp(o->only, STR(c, c->rules.v[i].name))))
            one_rule(o, paths, npath, i, t);
    if (!o->only)
        whole_pack(o, c, what, t);
    comp_free(c);
}

/* ---- generated rules ---- */

static void generated(const struct options *o, uint32_t from, uint32_t n, struct tally *t)
{
    struct rng r = {o->seed * 31 + from + 1};
    char *text = NULL, what[64];
    size_t len = 0;
    snprintf(what, sizeof(what), "generated conditions %u..%u of %u", from, from + n - 1,
             cond_total());
    cond_yaml(&r, from, n, &text, &len);
    struct comp *c = build_text(what, text, len);
    if (c) {
        whole_pack(o, c, what, t);
        comp_free(c);
    } else {
        t->failed++;
    }
    free(text);
}

/* ---- the whole ---- */

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"n", required_argument, NULL, 'n'},
        {"conditions", required_argument, NULL, 'c'},
        {"rule", required_argument, NULL, 'r'},
        {"no-kernel", no_argument, NULL, 'k'},
        {"kernel-every", required_argument, NULL, 'e'},
        {"kernel-packs", no_argument, NULL, 'p'},
        {"together", no_argument, NULL, 't'},
        {"skip", required_argument, NULL, 'm'},
        {"evaluations", required_argument, NULL, 'v'},
        {0},
    };
    for (int ch; (ch = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if (ch == 's')
            o->seed = strtoull(optarg, NULL, 10);
        else if (ch == 'n')
            o->events = (uint32_t)strtoul(optarg, NULL, 10);
        else if (ch == 'c')
            o->conditions = (uint32_t)strtoul(optarg, NULL, 10);
        else if (ch == 'r')
            o->only = optarg;
        else if (ch == 'k')
            o->kernel = false;
        else if (ch == 'p')
            o->kernel_rules = false;
        else if (ch == 't')
            o->together = true;
        else if (ch == 'm')
            o->skip = optarg;
        else if (ch == 'v')
            o->evaluations = strtoull(optarg, NULL, 10);
        else if (ch == 'e')
            o->kernel_every = (uint32_t)strtoul(optarg, NULL, 10);
        else
            return false;
    o->kernel_every += !o->kernel_every;
    return true;
}

/* Packs are separated by `+`: diff A.yaml + stdlib rules */
static void packs(const struct options *o, char **argv, int argc, struct tally *t)
{
    for (int from = optind; from < argc;) {
        int to = from;
        while (to < argc && strcmp(argv[to], "+") != 0)
            to++;
        pack(o, argv[from], argv + from, to - from, t);
        from = to + 1;
    }
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1,
                        .events = 5000,
                        .conditions = UINT32_MAX,
                        .kernel = true,
                        .kernel_rules = true,
                        .kernel_every = 1};
    struct tally t = {0};
    double start = now();
    if (!read_options(argc, argv, &o)) {
        fputs("usage: diff [--seed N] [--n EVENTS] [--conditions N] [--rule NAME] [--no-kernel]\n"
              "            [--kernel-packs] [--together] [--kernel-every N] [--evaluations N]\n"
              "            [--skip WHY] [FILE|DIR... [+ ...]]\n",
              stderr);
        return 2;
    }
    if (o.kernel && geteuid() != 0) {
        puts("SKIPPED: the kernel engine needs root; the other three are compared");
        o.kernel = false;
        t.skipped++;
    }
    if (o.skip) {
        printf("SKIPPED: %s\n", o.skip);
        t.skipped++;
    }
    printf("seed %llu\n", (unsigned long long)o.seed);
    packs(&o, argv, argc, &t);
    if (o.conditions == UINT32_MAX)
        o.conditions = cond_total();
    if (o.conditions)
        printf("\n== generated conditions: (operator, type, modifier) from the catalog\n");
    struct options round = o;
    do {
        for (uint32_t i = 0; i < o.conditions; i += PACK_RULES)
            generated(&round, i, o.conditions - i < PACK_RULES ? o.conditions - i : PACK_RULES, &t);
        round.seed += 0x9e3779b9;
    } while (o.conditions && t.evaluations < o.evaluations);
    printf("\n%llu passes by rules that the kernel decides", (unsigned long long)t.exact);
    printf("\n%llu events, %llu evaluations, %.1f s, seed %llu\n%u passed, %u failed, %u skipped\n",
           (unsigned long long)t.events, (unsigned long long)t.evaluations, now() - start,
           (unsigned long long)o.seed, t.passed, t.failed, t.skipped);
    return t.failed ? 1 : 0;
}
