/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The differential test: the four evaluators on generated events.
 *
 *   tree == table        always, rule by rule: none, match, or uncertain
 *   tree fires => filter passes, with a rule index that is not beyond the first that fires
 *   kernel == bytecode   always
 *   with what user space would tell of the event's user, container, ... (bpf/lore.h), the same; and
 *   where nothing is unknown, a rule that is said to be decided in the kernel is
 *
 * Parts: gen.c makes events that lean on a rule's constants, value.c the values in them, cond.c
 * conditions from the catalog, judge.c asks the evaluators, shrink.c makes a disagreement small,
 * main.c goes through the rules and counts.
 */
#ifndef RULEC_DIFF_H
#define RULEC_DIFF_H

#include "../../compiler/eval_bpf.h"
#include "../../compiler/eval_bpf_load.h"
#include "../../compiler/eval_kernel.h"
#include "../../compiler/event.h"
#include "../../runtime/lore_tell.h"
#include "../../runtime/table.h"

/* ---- chance: xorshift64*, so that a seed means the same everywhere ---- */

struct rng {
    uint64_t state;
};
uint64_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* 0 if n is 0 */
/* One element of an array. */
#define PICK(r, list) ((list)[rng_below(r, sizeof(list) / sizeof((list)[0]))])
bool rng_chance(struct rng *r, uint32_t percent);

/* ---- compiled packs: build.c ---- */

/* All rules of the paths but `only` (0: none) are left out. NULL, said why, if it fails. */
struct comp *build_files(char *const *paths, int npath, uint32_t only);
struct comp *build_text(const char *what, const char *text, size_t len);

/* ---- a compiled pack and its judges ---- */

struct judge {
    struct comp *c;
    struct rpk rpk;
    struct bpf_vm *vm;
    struct kernel_filter *kernel; /* NULL: not asked */
    struct ev *ev;
    void *record;
    char *scratch;
    struct event_user user;
    uint8_t *tree, *table;             /* by rule: enum verdict */
    struct match *matches;             /* room for one of each rule */
    uint8_t *on;                       /* by rule: those that are off must be silent everywhere */
    int64_t bytecode, in_kernel;       /* 0 or 1 + rule; in_kernel is -1 if not asked */
    int64_t told, told_in_kernel;      /* the same of a filter that was told */
    struct lore_bits lore[LORE_KINDS]; /* what it was told */
    bool exact;                        /* told - 1 is decided in the kernel, and was checked */
    uint32_t nrule;
    char error[512]; /* an evaluator could not run */
};

/*
 * Builds the judges of a compilation that ran through link; for all but the kernel, through table
 * is enough. `seed` chooses rules that are switched off; 0: all are on, also those that are
 * disabled. False with a reason in `error`.
 */
bool judge_open(struct judge *j, struct comp *c, bool kernel, uint64_t seed);
void judge_close(struct judge *j);

/* exact.c: `rulec explain` says that the kernel decides this rule on such an event. */
bool exact_rule(const struct judge *j, const struct event *e, uint32_t rule);
/* Every value of the event is known to the kernel, or to user space. */
bool exact_event(const struct judge *j, const struct event *e);

enum check { CHECK_TABLE, CHECK_SOUND, CHECK_KERNEL, CHECK_EXACT, CHECK_RUN, CHECK_COUNT };
extern const char *const check_names[CHECK_COUNT];
/*
 * Judges one event; `kernel`: in the kernel too. The first check that fails, with the rule it is
 * about in `*rule` (UINT32_MAX: none in particular), or CHECK_COUNT.
 */
enum check judge_event(struct judge *j, const struct event *e, bool kernel, uint32_t *rule);

/* Drops facts while the same check fails; `e` becomes the smallest event found. */
void shrink_event(struct judge *j, struct event *e, enum check failed);
/*
 * Takes the rule's condition apart while the rule alone still fails the check on the event; then
 * the event again. Prints the smallest of both. False: alone the rule does not fail.
 */
bool shrink_rule(struct judge *j, node_id condition, const struct event *e, enum check failed);

/* ---- generated events ---- */

struct gen {
    struct comp *c;
    struct rng rng;
    struct event e;
    VEC(rule_id) rules; /* that events may lean on */
    VEC(str_id) texts;  /* constants of them, for lending to one another */
    bool unknown;       /* this event has unknown values */
    /* The ancestors' names of the event at hand, from the parent up. */
    str_id anc[8];
    int nanc;
    bool anc_open; /* what follows them is unknown */
};

void gen_init(struct gen *g, struct comp *c, uint64_t seed);
void gen_lean_on(struct gen *g, rule_id rule);
/* Makes g->e. */
void gen_event(struct gen *g);

/* Fields that every event has, and that are known. */
bool gen_always(enum field_id f);
/* Sets a fact, in place of one that is there. */
void gen_set(struct gen *g, struct fact f);
/* Sets facts so that the test of `n` comes out as wanted, or nearly so. */
void value_for(struct gen *g, const struct node *n, bool want);

/* ---- regular expressions ---- */

/* A pattern, as it is written between quotes. */
void regex_pattern(FILE *out, struct rng *r);
/* A text that the pattern matches, or nearly so; at most cap - 1 bytes. Its length. */
size_t regex_text(struct rng *r, const char *pattern, char *out, size_t cap);

/* ---- expressions ---- */

/* A test of a transformer, a list, bytes, or of field against field. */
void expr_test(FILE *out, struct rng *r);
/* Sets a field of texts, a list or bytes to what leans on `text`. False: it is none of these. */
bool expr_value(struct gen *g, struct field_ref f, str_id text);

/* ---- generated conditions ---- */

/*
 * YAML text of rules over (operator, type, modifier) number from..from+n of all there are, and how
 * many there are. `*text` is malloc'ed.
 */
uint32_t cond_total(void);
void cond_yaml(struct rng *r, uint32_t from, uint32_t n, char **text, size_t *len);

#endif
