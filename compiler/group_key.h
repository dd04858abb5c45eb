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

/* group_emit.c: moves the rules that are in too many classes from the group to out->rest. */
void group_evict(struct emit *e, struct group *g, struct grouping *out);

#endif
