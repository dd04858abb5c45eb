/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of pass_type: operands (operand.c), calls (xform.c), constants (const.c), atoms (atom.c).
 * Only these files and type.c include it, and simplify.c, which makes atoms of atoms.
 */
#ifndef RULEC_TYPE_H
#define RULEC_TYPE_H

#include "ast.h"
#include "cons.h"
#include "diag.h"
#include "model.h"

struct typer {
    struct comp *c;
    struct rule *rule;
    bool skipped; /* the rule said skip-if-unknown-filter, and was */
    bool in_output;
    struct cons atoms;
    const struct node *test; /* whose constants are being read */
    atom_id *typed;          /* by first constant: the atom of a test without any finding */
};

/* The place of a constant, with the macros that led to its test. */
static inline span_id lit_place(const struct typer *t, const struct lit *l)
{
    return node_place(t->c, t->test, l->at);
}

/* An unknown field or event: a finding, or only a warning if the rule may be skipped for it. */
void type_unknown(struct typer *t, enum diag_code code, span_id at, const char *hint,
                  const char *what, const char *name);

/*
 * Binds an operand: its field, argument and type. False if an error was reported. A call is
 * bound with all that it contains.
 */
bool operand_bind(struct typer *t, operand_id id);
/* The same for a call alone (xform.c). */
bool call_bind(struct typer *t, operand_id id);
/* The field of an operand that is one, with its argument. */
struct field_ref operand_ref(const struct comp *c, operand_id id);
/* True if two operands are written alike, as fields or expressions. */
bool operand_same(const struct comp *c, operand_id a, operand_id b);

/*
 * Parses one constant of `type` for operator `op`. False if an error was reported; a cut number or
 * mask is a warning.
 */
bool const_parse(struct typer *t, const struct lit *l, enum type_id type, enum op_id op,
                 struct value *out);

/*
 * The atom equal to `a`, whose values are the last a->nval rows of comp.values; made if it is new,
 * else those rows are dropped. Puts the atom into canonical form first: sorted unique values, `in`
 * of one constant as `=`, `= anyof` as `in`. `atoms` is the table of all atoms so far.
 */
atom_id atom_intern(struct comp *c, struct cons *atoms, struct atom a);
/* Fills an empty table with all atoms that there are. */
void atom_index(const struct comp *c, struct cons *atoms);

#endif
