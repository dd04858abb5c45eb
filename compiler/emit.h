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
struct edges { label_id yes, no, maybe, absent, unknown; };

struct emit {
    struct comp *c;
    struct asm_code *a;
    enum event_id event;
    bool notes;           /* for people: names the tests */
    span_id *atom_at;     /* by atom: its place in the rule at hand, valid where */
    uint32_t *atom_rule;  /* ... this is the rule */
    uint32_t *label_of;   /* by DAG node: its label, valid where */
    uint32_t *label_root; /* ... this is the serial number of the root at hand */
    uint32_t serial;
};

/* Goes on, live, only where the slot's value is present; calls its extractor on first use. */
void emit_present(struct emit *e, unsigned slot, struct edges to);
void emit_exists(struct emit *e, unsigned slot, struct edges to);
void emit_load_len(struct emit *e, int dst, unsigned str);
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
/* A set of texts of one length each. */
struct member {
    const char *bytes;
    size_t len;
};
void members_sort(struct member *m, uint32_t n);
/* All members have the same length, which the text there has too; sorted. */
void emit_members(struct emit *e, struct text_at at, const struct member *m, uint32_t n,
                  label_id yes, label_id no);

#endif
