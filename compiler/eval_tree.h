/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the reference evaluator: values of operands (eval_xform.c) and tests of them
 * (eval_tree.c). Slow and obvious on purpose; nothing here is shared with the decision table or
 * with what the compiler emits.
 */
#ifndef RULEC_EVAL_TREE_H
#define RULEC_EVAL_TREE_H

#include "event.h"

struct tree {
    struct comp *c;
    const struct event *e;
};

/* A value of an operand. Lists hold texts. */
struct tree_value {
    enum fact_state state;
    bool is_num, is_list;
    int64_t num;
    str_id text;
    const str_id *list;
    uint32_t nlist;
};

struct tree_value tree_field(struct tree *t, struct field_ref f);
/* A field or a transformer, as type.c has bound it. */
struct tree_value tree_operand(struct tree *t, operand_id id);

#endif
