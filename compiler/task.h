/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the task alone, decided once for each task and kept.
 *
 * A rule's condition on an event is a row of blocks that all must hold. Those blocks that look at
 * nothing but values of the process (slots.def: SLOT_TASK) make the rule's *own test*: one bit of
 * the task. Rules with equal own tests share the bit. `rule_task` works the bits out; what is left
 * of a rule begins with a look at its bit; `rule_left` tells from the bits alone, before an event
 * is looked at, that no rule can match it.
 *
 * Events of exec look at no bits: they come once, and change what the bits rest on.
 */
#ifndef RULEC_TASK_H
#define RULEC_TASK_H

#include "cons.h"
#include "emit.h"
#include "sketch.h"

/* An own test. */
struct task_test {
    uint32_t root; /* comp.roots: one that has it */
    enum event_id event;
    uint8_t ties;          /* enum task_tie: what can change its outcome */
    uint32_t direct, uses; /* roots that have it: outside of groups, and all */
    uint32_t bit;          /* TASK_BITS: there was no room */
    uint32_t text0, ntext; /* task_plan.texts: equal tests have equal ones */
};

/* A disabled rule, on one kind of event: it counts where it is switched on. */
struct task_gated {
    uint32_t rule; /* its index in the bundle */
    uint32_t bit;  /* TASK_BITS: it has none */
};

/* Rules that cannot match either unless the path's sketch has one of these bits. */
struct task_path {
    uint64_t sketch;
    uint32_t bit;  /* TASK_BITS: they have none */
    uint32_t gate; /* 1 + index of a disabled rule; 0: rules that are on */
};

/* The bits that decide whether any rule is left on events of one kind. */
struct task_mask {
    bool open; /* some rule can match whatever the bits say */
    uint32_t bits[TASK_WORDS];
    uint32_t gated0, ngated; /* task_plan.gated */
    uint32_t path0, npath;   /* task_plan.paths: the rules that a sketch can exclude */
};

struct task_plan {
    VEC(struct task_test) tests;
    VEC(uint32_t) texts;
    struct cons ids;
    uint32_t *test_of; /* by root: 1 + its test; 0: it has none */
    bool *direct;      /* by root: it is in no group, and begins with a look at its bit */
    int16_t *may;      /* by root: its bit of a sketch, or SKETCH_NONE */
    VEC(struct task_gated) gated;
    VEC(struct task_path) paths;
    struct task_mask (*left)[LEFT_CLASSES]; /* by row of comp.events */
    uint8_t ties;                           /* of all tests that have a bit */
    uint32_t nbit;
    uint32_t nview, last0; /* bpf_task.c: views so far; the text that is looked for */
    bool *can;             /* bpf_left.c: by DAG node */
    struct emit *shown;    /* task_nodes() */
};

/* ---- bpf_task.c ---- */

bool task_is_exec(enum event_id e);
struct task_plan *task_plan_new(struct comp *c);
/* Finds the own tests of a row's roots; `direct`: by position, outside of groups. */
void task_add_row(struct emit *e, const struct event_rules *row, const bool *direct);
/* Gives bits to the tests that more rules ask for. */
void task_assign(struct emit *e);
/* The bit of a root's own test; TASK_BITS: it has none. */
uint32_t task_bit(const struct emit *e, const struct root *r);
/* From here on this root's own blocks, or else the others, are all that e->view shows. */
void task_show(struct emit *e, const struct root *r, enum event_id event, bool own);
void task_show_all(struct emit *e);
/* The function rule_task and its parts; nothing where there are no bits. */
void task_emit(struct emit *e);
/* Where a rule's code begins: goes on, live, if the task passes the own test. */
void task_emit_bit(struct emit *e, uint32_t bit, label_id miss);
/* Before a unit's rules are asked: has its bits worked out. `want`: of rules that are on. */
void task_emit_want(struct emit *e, const struct task_mask *want);

/*
 * For explain, once the filter is made: the nodes of a root's own test, by DAG node. NULL: it has
 * none, or is in a group and judged without.
 */
const bool *task_nodes(struct comp *c, uint32_t root, enum event_id event);

/* ---- bpf_left.c ---- */

/* Fills plan->left for a row, once bits are given. */
void left_find(struct emit *e, uint32_t row);
/* The function rule_left. */
void left_emit(struct emit *e);
/* What the class of an event is that is judged without a kernel; -1: it contradicts itself. */
int left_class(const struct ev *ev);

#endif
