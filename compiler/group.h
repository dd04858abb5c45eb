/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many rules on one event: instead of one after the other, by a value that they all ask for.
 *
 * A rule's *key* is a test that it cannot match without, of the kind `slot = c`, `slot in (c,
 * ...)`, `slot startswith c`, or, in tables only, `slot endswith c` or `slot contains c`. Rules
 * with a key on one slot make a group: a search tree over all their constants leads to the *class*
 * of the event's value, the few rules whose key it satisfies, and only those are tried. So the cost
 * of an event grows with the logarithm of the number of rules. Each rule goes by the key whose
 * constants it shares with the fewest others.
 *
 * A group that would be too much code becomes tables (bpf/class.h): one look-up leads to the class,
 * and a loop in the probe follows the tests that its few rules make besides.
 *
 * Every group tells its first rule that cannot be excluded; the least of them is the answer.
 */
#ifndef RULEC_GROUP_H
#define RULEC_GROUP_H

#include "emit.h"

#define GROUP_MIN 16 /* rules; fewer are tried one after the other */

enum key_kind { KEY_NUM, KEY_EXACT, KEY_PREFIX, KEY_SUFFIX, KEY_WITHIN, KEY_KINDS };

struct keyed_rule {
    uint32_t pos; /* in the row's roots */
    dag_id key;
};
struct group {
    unsigned slot;
    enum key_kind kind;
    bool table;                   /* its classes are tables, not code */
    VEC(struct keyed_rule) rules; /* in order */
};
struct grouping {
    VEC(struct group) groups;
    VEC(uint32_t) rest; /* positions of the rules without a group, in order */
};

void group_rules(struct emit *e, const struct event_rules *row, struct grouping *out);
/* The group's code, in a function that has begun; live at the end where no rule is left. */
void group_emit(struct emit *e, const struct root *roots, const struct group *g);
/* The same for a group with `table` set; appends to the event's keys for the decision table. */
void group_emit_table(struct emit *e, struct event_rules *row, const struct group *g);
/* The event's keys alone, for a group that is code in the kernel. */
void group_put_key(struct emit *e, struct event_rules *row, const struct group *g);

#endif
