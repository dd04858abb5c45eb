/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions in negation normal form, hash-consed: equal expressions have equal ids, so that
 * duplicates and absorption are comparisons of numbers.
 *
 * A literal over an unknown value passes whatever its sign. So only identities of monotone algebra
 * over literals hold here: constants, duplicates, absorption, the union of the constants of one
 * field. `x and not x` stays.
 */
#ifndef RULEC_SIMPLIFY_H
#define RULEC_SIMPLIFY_H

#include "cons.h"
#include "fold.h"
#include "model.h"

typedef struct {
    uint32_t i;
} expr_id;
#define EXPR_FALSE ((expr_id){1})
#define EXPR_TRUE ((expr_id){2})

enum expr_kind { EXPR_NONE, EXPR_CONST, EXPR_LIT, EXPR_AND, EXPR_OR };
struct expr {
    uint8_t kind;        /* enum expr_kind */
    bool neg;            /* LIT: the atom is false */
    bool varies;         /* some atom in it may fold to a constant on some event */
    atom_id atom;        /* LIT */
    uint32_t kid0, nkid; /* AND, OR: exprs.kids, in the order in which they are tried */
    uint32_t cost;       /* expected: cost.h */
    uint32_t odds;       /* of a thousand events it holds on so many: 1 to 999 */
};

/* What is known of an expression on the present site. */
struct memo {
    uint32_t stamp;
    expr_id result;
};
struct ranked {
    expr_id e;
    uint64_t rank;
};

/* An operand that may become one test with others of the same field. */
struct joinable {
    enum field_id field;
    int32_t index;
    str_id name;
    uint32_t at; /* among the operands */
};

struct exprs {
    struct comp *c;
    VEC(struct expr) v; /* from 1 */
    VEC(expr_id) kids;
    VEC(expr_id) work; /* operands being gathered: a stack */
    VEC(struct joinable) joinable;
    VEC(uint32_t) next;      /* by operand: the next one of the same field */
    VEC(atom_id) group;      /* tests being merged into one */
    VEC(struct ranked) rank; /* operands being sorted */
    VEC(uint32_t) mark;      /* by expression: stamp of the last set that held it */
    VEC(struct memo) memo;   /* by expression: on the site */
    uint32_t stamp, site_stamp;
    struct cons table;
    struct cons atoms; /* for atoms made of several */
};

void exprs_init(struct exprs *x, struct comp *c);
/* The condition under `n`, negated if `neg`. EXPR_FALSE for poison. */
expr_id expr_of_node(struct exprs *x, node_id n, bool neg);
/* What it comes to on one kind of event. */
expr_id expr_on_site(struct exprs *x, expr_id e, const struct site *s);
/* Begins another site: forgets what expr_on_site() knew. */
void exprs_next_site(struct exprs *x);

#endif
