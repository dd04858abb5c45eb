/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code for one test of the DAG: shared by bpf.c, which walks the DAG, and bpf_*.c, which know one
 * shape of value each (model.h: enum shape). Nobody else includes this.
 *
 * Each emit_*() is called where code is live and leaves it dead: every path has gone to one of the
 * three edges.
 */
#ifndef RULEC_EMIT_H
#define RULEC_EMIT_H

#include "asm.h"

/*
 * Where the outcomes of a test go. `maybe` is one of yes and no: the edge that passes. `absent` and
 * `unknown` are where the slot's state alone decides: `no` and `maybe`, or beyond, where the next
 * tests are of the same slot.
 */
struct edges {
    label_id yes, no, maybe, absent, unknown;
};

/* Where the tests of a slot lead that begin with this node; valid for the root of that number. */
struct skip {
    uint32_t root;
    dag_id to;
};

/* The ancestors' names are there, the session's may not be. Facts before it are bpf_rule.c's. */
#define FACT_NAMES (64 * ASM_FACTS - 1)

struct classes_maker;
struct sketch_maker;
struct task_plan;

struct emit {
    struct comp *c;
    struct asm_code *a;
    struct classes_maker *classes;
    struct sketch_maker *sketch;
    int may;          /* bit of the path's sketch that the rule at hand cannot do without, or -1 */
    label_id no_bits; /* where an event goes whose sketch has no bits: past all rules with one */
    enum event_id event;
    bool notes;           /* for people: names the tests */
    span_id *atom_at;     /* by atom: its place in the rule at hand, valid where */
    uint32_t *atom_rule;  /* ... this is the rule */
    uint32_t *label_of;   /* by DAG node: its label, valid where */
    uint32_t *label_root; /* ... this is the serial number of the root at hand */
    struct skip *skip[2]; /* by DAG node: beyond(), of its own slot if that is unknown or absent */
    uint32_t serial;
    struct task_plan *task; /* task.h */
    bool by_bit;            /* the rules at hand look at their bits */
    uint32_t view;          /* not 0: of a root, only some blocks are looked at: */
    uint32_t *skip_view;    /* ... by DAG node: where this is the view, */
    dag_id *skip_to;        /* ... a block begins that is passed over to here */
    dag_id known[2];        /* tests of the rule at hand that are known to pass (0: none) */
};

static inline bool is_node(dag_id d)
{
    return d.i < DAG_TRUE;
}

/* ---- bpf_rule.c: one rule ---- */

struct nodes {
    VEC(uint32_t) id;
};

/* The first node from here on that the kernel decides: others pass along their optimistic edge. */
dag_id emit_decided(struct emit *e, dag_id d);
/* Appends the nodes that the root reaches, in order (every edge goes forward); gives them labels.
 */
void emit_collect(struct emit *e, struct nodes *list, dag_id root);
/* The same with those that only user space decides, in no order. */
void emit_collect_all(struct emit *e, struct nodes *list, dag_id root);
/*
 * The rule: returns 1 + its index, or goes to `miss`, if some path excludes it. Tests of it that
 * pass here whatever happens are in e->known.
 */
void emit_rule(struct emit *e, const struct root *r, label_id miss);

/* The tests of a root, as e->view shows it: goes to `hit` or `miss`. */
void emit_nodes(struct emit *e, const struct root *r, label_id hit, label_id miss);

/* ---- bpf.c ---- */

struct emit *emit_new(struct comp *c, bool notes);
/* A function that gets the event. */
void emit_begin(struct emit *e, const char *name, span_id at);
void emit_finish(struct emit *e); /* answers 0 where no answer was given */

/* Answers with the rule whose number is in r0, or goes to `closed` if its lane is (bpf/abi.h). */
void emit_answer(struct emit *e, label_id closed);

/* The test of one node, each outcome to its edge. */
void emit_test(struct emit *e, const struct dag_node *n, struct edges to);

/* ---- values ---- */

/* Goes on, live, only where the slot's value is present; calls its extractor on first use. */
void emit_present(struct emit *e, unsigned slot, struct edges to);
void emit_exists(struct emit *e, unsigned slot, struct edges to);
/* Has the extractor of each of these groups run: bits by enum slot_group. */
void emit_fill(struct emit *e, uint64_t groups);
/* r0 = class_find() of a text slot (a number of all slots) in the trie that `node` tells. */
void emit_find(struct emit *e, unsigned slot, uint32_t node, enum class_how how);
/* r0 = class_number() of a number slot. */
void emit_find_number(struct emit *e, unsigned slot, uint32_t node);
void emit_load_len(struct emit *e, int dst, unsigned str);
void emit_load_num(struct emit *e, int dst, unsigned num);
/* r1 = event, and call `symbol`. */
void emit_call(struct emit *e, const char *symbol);

/*
 * One side of a value (client, server), or its only one. The test over both: true if it is for
 * some side that is present; with OP_NE, if it is for all that are.
 */
typedef void emit_side(struct emit *e, const struct atom *at, const struct where *w, unsigned slot,
                       struct edges to);
void emit_sides(struct emit *e, const struct atom *at, const struct where *w, struct edges to,
                emit_side *side);

void emit_num(struct emit *e, const struct atom *at, const struct where *w, struct edges to);
void emit_text(struct emit *e, const struct atom *at, const struct where *w, struct edges to);
void emit_addr(struct emit *e, const struct atom *at, const struct where *w, struct edges to);
void emit_anc(struct emit *e, const struct atom *at, const struct where *w, struct edges to);
void emit_anc_any(struct emit *e, const struct atom *at, const struct where *w, struct edges to);

/* Goes to the label of the key that the register holds, else to `none`. Keys ascend, unsigned. */
struct key {
    uint64_t key;
    label_id to;
};
enum key_width { KEY_32, KEY_64 };
void emit_switch(struct emit *e, int reg, enum key_width width, const struct key *keys, uint32_t n,
                 label_id none);

/* Bytes in the event: at a constant offset (base 0), or behind a register. */
struct text_at {
    int base;
    uint32_t off;
};
/* The bytes there begin with `bytes`; how many there are has been checked. */
void emit_bytes(struct emit *e, struct text_at at, const char *bytes, size_t n, label_id yes,
                label_id no);
/* Zero-extended; for texts at a constant offset. */
void emit_load_byte(struct emit *e, int dst, struct text_at at, size_t plus);

/* One constant of a pattern operator, as the matchers read it (pattern.h). */
struct pattern_test {
    enum op_id op;
    const char *text; /* NUL behind it */
    size_t n;
    uint32_t row; /* of the probe's map */
    unsigned str; /* enum str_slot */
    struct text_at place;
    uint32_t cap;
};
void emit_pattern(struct emit *e, const struct pattern_test *t, struct edges to);
/* The text, which is known to be present, ends with these bytes. */
void emit_ends(struct emit *e, const struct pattern_test *t, const char *bytes, size_t n,
               struct edges to);

/* A text of a set. */
struct member {
    const char *bytes;
    size_t len;
    label_id to;
};
void members_sort(struct member *m, uint32_t n);
/* Goes to the label of the member that the text is, or `none`. All are of the text's length;
 * sorted. */
void emit_members(struct emit *e, struct text_at at, const struct member *m, uint32_t n,
                  label_id none);
/* Where the bytes of a text slot (a number of all slots) stand in the event. */
uint32_t emit_text_off(unsigned slot);

#endif
