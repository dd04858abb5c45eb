/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the table of bpf/sketch.h. A rule that cannot match unless the path has one of a few
 * constants in it gets a bit; rules with the same constants share it. bpf.c makes one of these for
 * each filter and asks for the bits of its rules; sketch_finish() leaves the table in struct comp.
 */
#ifndef RULEC_SKETCH_MAKER_H
#define RULEC_SKETCH_MAKER_H

#include "emit.h"

#define SKETCH_NONE (-1)

struct sketch_maker;

struct sketch_maker *sketch_new(struct comp *c);
/*
 * The bit that a path's sketch has wherever the rule can match on e->event, whatever the rule's
 * other tests say. SKETCH_NONE: it can match without, or there is no room.
 */
int sketch_bit(struct sketch_maker *m, struct emit *e, dag_id root);
/* Lays out the table: comp.sketch, empty if no rule has a bit. */
void sketch_finish(struct sketch_maker *m);

#endif
