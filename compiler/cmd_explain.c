/* SPDX-License-Identifier: Apache-2.0 */
/* rulec explain: where each test runs, in what order, at what cost; and what a code means. */
#include <getopt.h>
#include <string.h>

#include "arena.h"
#include "budget.h"
#include "classes.h"
#include "codes.h"
#include "diag.h"
#include "grade.h"
#include "hooks.h"
#include "intern.h"
#include "near.h"
#include "lore.h"
#include "pipeline.h"
#include "place.h"
#include "show.h"
#include "source.h"
#include "task.h"

/* What is wanted. */
struct asked {
    const char *name; /* of a rule; NULL: all */
    bool cost;
};

static void put_rule_name(struct comp *c, rule_id r)
{
    str_id name = c->rules.v[r.i].name;
    show_quoted(stdout, STR(c, name), STRLEN(c, name));
}

static void explain_hooks(struct comp *c)
{
    for (unsigned h = 0; h < HOOK_COUNT; h++) {
        if (!c->plan.hook[h])
            continue;
        printf("  %-20s ", hook_info((enum hook_id)h)->tracepoint);
        if (c->plan.hook_rule[h].i) {
            fputs("wanted by rule ", stdout);
            put_rule_name(c, c->plan.hook_rule[h]);
        } else {
            fputs("keeps the state of processes", stdout);
        }
        if (h == HOOK_SYS_EXIT && c->plan.probe.failed_exec)
            fputs(" (failed exec calls are events too)", stdout);
        putchar('\n');
    }
}

static unsigned count_calls(const struct probe_plan *p)
{
    unsigned n = 0;
    for (int i = 0; i < 8; i++)
        n += (unsigned)__builtin_popcountll(p->syscalls[i]);
    return n;
}

/* What is decided once per task, and when again. */
static void explain_task(const struct comp *c)
{
    uint8_t ties = c->plan.probe.task;
    if (ties) {
        printf("tests of the process alone: %u, made once per task and after each exec%s%s\n",
               c->task->nbit, ties & TASK_CRED ? ", change of its credentials" : "",
               ties & TASK_ANC ? ", change of its ancestors" : "");
    }
}

static void explain_pack(struct comp *c)
{
    printf("%u rules\nhooks\n", c->nrule);
    explain_hooks(c);
    printf("system calls judged: %u\nvalues sent to user space:", count_calls(&c->plan.probe));
    for (unsigned g = 0; g < G_COUNT; g++)
        if (c->plan.probe.groups >> g & 1)
            printf(" %s", catalog_group_name((enum slot_group)g));
    putchar('\n');
    explain_task(c);
    if (c->plan.probe.readings != READ_BIT(READ_KERNEL)) {
        fputs("files are judged again where these paths differ:", stdout);
        print_readings(stdout, c->plan.probe.readings);
        putchar('\n');
    }
}

/* The nodes that `root` leads to; edges point upwards. */
static bool *reach(struct comp *c, dag_id root)
{
    bool *in = arena_alloc(c->arena, c->dag.n + 1);
    if (root.i < DAG_TRUE)
        in[root.i] = true;
    for (uint32_t i = 1; i < c->dag.n; i++) {
        const struct dag_node *d = &c->dag.v[i];
        if (in[i] && d->yes.i < DAG_TRUE)
            in[d->yes.i] = true;
        if (in[i] && d->no.i < DAG_TRUE)
            in[d->no.i] = true;
    }
    return in;
}

/* The key by which the event's root `rank` is found; NULL: it is always tried. */
static const struct class_key *key_of(const struct comp *c, const struct event_rules *e,
                                      uint32_t rank)
{
    for (uint32_t k = e->key0; k < e->key0 + e->nkey; k++) {
        const struct class_key *key = &c->keys.v[k];
        for (uint32_t i = 0; i < key->nrank; i++)
            if (c->ranks.v[key->rank0 + i] == rank)
                return key;
    }
    return NULL;
}

static void explain_key(const struct comp *c, const struct class_key *key)
{
    static const char *const hows[] = {[CLASS_EXACT] = "by the whole value",
                                       [CLASS_PREFIX] = "by its beginning",
                                       [CLASS_SUFFIX] = "by its end",
                                       [CLASS_NUMBER] = "by the number",
                                       [CLASS_WITHIN] = "by its parts"};
    if (key) {
        printf("    found by one look-up of %s (%s) among the constants of %u rules%s\n",
               catalog_field(c->atoms.v[key->atom.i].lhs.field)->name, hows[key->how], key->nrank,
               key->table ? "" : "; in the kernel by code");
    }
}

/* Where a test runs, and what of it is left to user space. */
static void explain_place(struct comp *c, const struct where *w, const char *why, bool table)
{
    if (!w || w->place == PLACE_USER || (w->place == PLACE_LORE && why)) {
        printf("in user space, the kernel lets the event pass: %s\n", why);
        return;
    }
    if (w->place == PLACE_LORE) {
        printf("in the kernel, once user space has told it of %s (bit %u)\n",
               lore_info((enum lore_kind)w->lore)->doc, w->bit);
        return;
    }
    struct where shown = *w;
    shown.place = table ? PLACE_CLASS : w->place;
    print_where(c, stdout, &shown);
    printf(why ? "; user space decides: %s\n" : "\n", why);
}

/* A rule's tests that the kernel does not decide, or not on each event, each once. */
struct left {
    const char **why; /* by atom; NULL: none */
    VEC(atom_id) atoms;
    unsigned lore; /* bit per kind that the others rest on */
};

static void note_left(struct comp *c, struct left *left, atom_id a, const struct where *w,
                      const char *why)
{
    if (why && !left->why[a.i]) {
        left->why[a.i] = why;
        VEC_PUSH(c->arena, &left->atoms, a);
    }
    if (!why && w && w->place == PLACE_LORE)
        left->lore |= 1u << w->lore;
}

static void explain_tests(struct comp *c, dag_id root, const struct event_rules *row, uint32_t rank,
                          struct left *left)
{
    const bool *in = reach(c, root);
    const bool *own = task_nodes(c, row->root0 + rank, row->event);
    const struct class_key *key = key_of(c, row, rank);
    bool table = key && key->table;
    unsigned n = 0, user = 0;
    explain_key(c, key);
    for (uint32_t i = 1; i < c->dag.n; i++) {
        if (!in[i])
            continue;
        const struct dag_node *d = &c->dag.v[i];
        const struct where *w = place_where(c, d->atom, row->event);
        const char *why = grade_why(c, d, row->event, table);
        printf("    %3u. %s", ++n, d->neg ? "not " : "");
        print_atom(c, stdout, d->atom);
        fputs(own && own[i] ? "\n           once per task, " : "\n           ", stdout);
        explain_place(c, w, why, table);
        user += why != NULL;
        note_left(c, left, d->atom, w, why);
    }
    if (!n)
        puts("    every such event matches");
    else
        printf("    %u tests in the kernel, %u left to user space\n", n - user, user);
}

/* The last word on a rule. */
static void explain_grade(struct comp *c, const struct left *left)
{
    if (!left->atoms.n) {
        fputs("  decided in the kernel exactly", stdout);
        for (unsigned k = 0, said = 0; k < LORE_KINDS; k++) {
            if (left->lore >> k & 1) {
                printf("%s%s", said++ ? " and " : ", once user space has told it of ",
                       lore_info((enum lore_kind)k)->doc);
            }
        }
        putchar('\n');
        return;
    }
    puts("  decided in the kernel but for these tests, which are left to user space:");
    for (uint32_t i = 0; i < left->atoms.n; i++) {
        fputs("    ", stdout);
        print_atom(c, stdout, left->atoms.v[i]);
        printf(" because %s\n", left->why[left->atoms.v[i].i]);
    }
}

static bool find_root(const struct comp *c, const struct event_rules *e, rule_id r, dag_id *root,
                      uint32_t *rank)
{
    for (uint32_t k = 0; k < e->nroot; k++) {
        if (c->roots.v[e->root0 + k].rule.i == r.i) {
            *root = c->roots.v[e->root0 + k].root;
            *rank = k;
            return true;
        }
    }
    return false;
}

/* How many rules there are that can match, how many of them the kernel decides, and the others. */
struct tally {
    unsigned rules, exact, dead;
    unsigned told; /* of those that are exact, those that wait for user space to tell */
};

/* Events on which the rule comes to the same tests stand together. */
static void explain_rule(struct comp *c, rule_id r, struct tally *tally)
{
    const struct rule *rule = &c->rules.v[r.i];
    struct left left = {.why = arena_alloc(c->arena, (c->atoms.n + 1) * sizeof(*left.why))};
    const struct span *at = &c->spans.v[rule->at.i];
    bool *done = arena_alloc(c->arena, c->events.n + 1);
    bool any = false;
    fputs("\nrule ", stdout);
    put_rule_name(c, r);
    printf(" (%s:%u)%s\n", at->file ? source_name(c->sources, at->file) : "?",
           at->file ? source_place(c->sources, at->file, at->off).line : 0,
           rule->enabled ? "" : " is disabled; if it is switched on:");
    for (uint32_t i = 0; i < c->events.n; i++) {
        dag_id root, other;
        uint32_t rank, any_rank;
        if (done[i] || !find_root(c, &c->events.v[i], r, &root, &rank))
            continue;
        any = true;
        printf("  on %s", grade_event_name(&c->events.v[i]));
        for (uint32_t k = i + 1; k < c->events.n; k++) {
            if (!done[k] && find_root(c, &c->events.v[k], r, &other, &any_rank) &&
                other.i == root.i) {
                done[k] = true;
                printf(", %s", grade_event_name(&c->events.v[k]));
            }
        }
        putchar('\n');
        explain_tests(c, root, &c->events.v[i], rank, &left);
    }
    if (any)
        explain_grade(c, &left);
    else
        puts("  can match no event, and costs nothing");
    tally->rules += any;
    tally->dead += !any;
    tally->exact += any && !left.atoms.n;
    tally->told += any && !left.atoms.n && left.lore;
}

static void explain_tally(const struct tally *t)
{
    if (t->rules) {
        printf("\n%u of %u rules are decided in the kernel exactly (%u%%)\n", t->exact, t->rules,
               t->exact * 100 / t->rules);
    }
    if (t->told) {
        printf("%u of them once user space has told what it knows of a user, a container, ...\n",
               t->told);
    }
    if (t->dead)
        printf("%u can match no event\n", t->dead);
}

static int no_such_rule(const struct comp *c, const char *name)
{
    struct near near = near_start(name, strlen(name));
    for (uint32_t i = 1; i < c->rules.n; i++)
        if (rule_is_kept(&c->rules.v[i]))
            near_try(&near, STR(c, c->rules.v[i].name), STRLEN(c, c->rules.v[i].name));
    fprintf(stderr, "rulec: no rule is called `%s`", name);
    fprintf(stderr, near.best ? "; did you mean `%s`?\n" : "\n", near.best);
    return EXIT_FINDINGS;
}

static int explain_rules(struct comp *c, const char *name)
{
    struct tally tally = {0};
    for (uint32_t i = 1; i < c->rules.n; i++) {
        const struct rule *r = &c->rules.v[i];
        if (rule_is_kept(r) && (!name || !strcmp(STR(c, r->name), name)))
            explain_rule(c, (rule_id){i}, &tally);
    }
    if (name && !tally.rules && !tally.dead)
        return no_such_rule(c, name);
    if (!name)
        explain_tally(&tally);
    return EXIT_FINE;
}

static int explain(struct comp *c, const struct asked *asked)
{
    if (asked->cost) {
        budget_print(c, stdout);
        return EXIT_FINE;
    }
    if (!asked->name)
        explain_pack(c);
    return explain_rules(c, asked->name);
}

static int explain_codes(char *const *words, int n)
{
    int status = EXIT_FINE;
    for (int i = 0; i < n; i++) {
        if (i)
            putchar('\n');
        if (!codes_explain(words[i], stdout))
            status = EXIT_CANNOT;
    }
    return status;
}

static int explain_files(char *const *paths, int n, const struct asked *asked)
{
    for (int i = 0; i < n; i++) {
        size_t len = strlen(paths[i]);
        if (len > 4 && !strcmp(paths[i] + len - 4, ".rpk")) {
            fprintf(stderr, "rulec: %s: explain reads rules; `rulec dump` shows a bundle\n",
                    paths[i]);
            return EXIT_CANNOT;
        }
    }
    struct comp *c = comp_new();
    int status = EXIT_CANNOT;
    if (!pipeline_run(c, paths, n, "bpf")) {
        diag_report(c);
        status = diag_count(c, SEV_ERROR) ? EXIT_FINDINGS : explain(c, asked);
    }
    comp_free(c);
    return status;
}

int cmd_explain(int argc, char **argv)
{
    static const struct option options[] = {{"rule", required_argument, NULL, 'r'},
                                            {"cost", no_argument, NULL, 'u'},
                                            {"codes", no_argument, NULL, 'c'},
                                            {0}};
    struct asked asked = {0};
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 'c') {
            codes_list(stdout);
            return EXIT_FINE;
        }
        if (o == 'r')
            asked.name = optarg;
        else if (o == 'u')
            asked.cost = true;
        else
            return EXIT_CANNOT;
    }
    if (optind == argc) {
        fputs("rulec explain: no file of rules is given; see `rulec explain --help`\n", stderr);
        return EXIT_CANNOT;
    }
    if (asked.name && asked.cost) {
        fputs("rulec explain: --cost is of all rules together: no --rule\n", stderr);
        return EXIT_CANNOT;
    }
    if (!asked.name && !asked.cost && codes_is_code(argv[optind]))
        return explain_codes(argv + optind, argc - optind);
    return explain_files(argv + optind, argc - optind, &asked);
}
