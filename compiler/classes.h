/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the tables of bpf/class.h: tries of constants, and the tests that a class's rules make
 * besides their key. bpf.c makes one of these for each filter; classes_finish() leaves the tables
 * in struct comp.
 */
#ifndef RULEC_CLASSES_H
#define RULEC_CLASSES_H

#include "cons.h"
#include "emit.h"

struct classes_maker {
    struct comp *c;
    struct cons edges_index, tests_index;
    VEC(struct class_edge) edges;
    VEC(uint8_t) lengths;      /* by node: bit k: constants end here with k more bytes */
    VEC(uint64_t) test_groups; /* by test: slot groups that it and what follows it read */
    uint32_t *root_of;         /* by atom: its own trie, 0: none yet */
    uint32_t *test_of;         /* by DAG node: its test, valid where */
    uint32_t *test_row;        /* ... this is 1 + the row of comp.events at hand */
};

struct classes_maker *classes_new(struct comp *c);

/* ---- tries (classes.c) ---- */

uint32_t trie_new(struct classes_maker *m);
/* Puts a constant of at most CLASS_TEXT_MAX bytes into a trie; `value` is not 0. */
void trie_put(struct classes_maker *m, uint32_t trie, const char *bytes, size_t len,
              uint32_t value);
/* Notes how a constant of CLASS_WITHIN starts. */
void trie_put_start(struct classes_maker *m, uint32_t trie, const char *bytes, size_t len);
void trie_put_number(struct classes_maker *m, uint32_t trie, uint64_t num, uint32_t value);
/* How class_find() is told the trie, once all its constants are in. */
uint32_t trie_node(const struct classes_maker *m, uint32_t trie);
/* The trie of an atom's own constants; `how` is that of the atom's operator. */
uint32_t trie_of_atom(struct classes_maker *m, atom_id id, enum class_how how);
/* enum class_how for an operator that compares a text with constants by class_find(). */
enum class_how class_how_of(enum op_id op);
/* The bytes the other way round, as CLASS_SUFFIX has them. */
const char *class_backwards(struct comp *c, const char *bytes, size_t len);

/* Lays out the edges. 0, or -E2BIG: more of them than the tables hold. */
int classes_finish(struct classes_maker *m);

/* ---- tests (class_test.c) ---- */

/*
 * What the rule tests from `root` on, beyond the tests in e->known: a row of comp.class_tests or a
 * terminal. Tests that this cannot express pass.
 */
uint32_t class_tests_of(struct emit *e, dag_id root, uint32_t event_row);
/*
 * False: the tests of a class cannot express this one, although generated code could; it passes.
 * `at` is the atom, or the one that is decided in its place (where.narrow).
 */
bool class_can_test(const struct comp *c, const struct atom *at, const struct where *w);
/* The slot groups that these tests read. */
uint64_t class_groups_of(const struct classes_maker *m, uint32_t test);

#endif
