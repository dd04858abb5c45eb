/* SPDX-License-Identifier: Apache-2.0 */
/* Between group.c and group_emit.c: constants of keys, and classes. */
#ifndef RULEC_GROUP_KEY_H
#define RULEC_GROUP_KEY_H

#include "group.h"

#define KEY_VALUES 64 /* constants of one key */

bool num_is_single(const struct num_test *t); /* bpf_num.c: one number, in `b` */
uint32_t key_count(const struct comp *c, dag_id node, enum event_id event, enum key_kind kind);
/* A number, or the str_id of a text. */
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
/* group_class.c */
void group_classes(struct emit *e, const struct group *g, struct classes *out);

/* group_emit.c: what the code of all groups begins with. */
bool group_emit_pretests(struct emit *e, const struct root *roots, const struct group *g,
                         label_id none);

/* group_class.c: moves the rules that are in too many classes from the group to out->rest. */
void group_evict(struct emit *e, struct group *g, struct grouping *out);

#endif
