/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of groups: group.c finds them, group_class.c works out their classes, group_emit.c and
 * group_table.c make code and tables of these. Constants of keys, and classes.
 */
#ifndef RULEC_GROUP_KEY_H
#define RULEC_GROUP_KEY_H

#include "group.h"

#define KEY_VALUES 64 /* constants of one key */

/* bpf_num.c: the test is true of one number alone, `b`. */
bool num_is_single(const struct num_test *t);
/* How many constants the key at `node` has. */
uint32_t key_count(const struct comp *c, dag_id node, enum event_id event, enum key_kind kind);
/* Constant `i` of them: a number, or the str_id of a text. */
uint64_t key_value(const struct comp *c, dag_id node, enum event_id event, enum key_kind kind,
                   uint32_t i);

/* A constant, and the rules whose key it satisfies: its class. */
struct constant {
    uint64_t num;
    const char *bytes; /* KEY_SUFFIX: backwards */
    size_t len;
    uint32_t rule0, nrule; /* classes.rules: indexes in group.rules, ascending */
    uint32_t class;        /* constants with the same rules have the same class */
};
struct classes {
    VEC(struct constant) list;
    VEC(uint32_t) rules;
    uint32_t n;
};
/* group_class.c: the constants of all keys in order, and their classes. */
void group_classes(struct emit *e, const struct group *g, struct classes *out);

/* group_emit.c: what the code of all groups begins with. */
bool group_emit_pretests(struct emit *e, const struct root *roots, const struct group *g,
                         label_id none);

/* group_class.c: moves the rules that are in too many classes from the group to out->rest. */
void group_evict(struct emit *e, struct group *g, struct grouping *out);

#endif
