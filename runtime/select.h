/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules of a bundle are on.
 *
 * A rule starts as its YAML says (`enabled`). Entries then switch rules by name or by tag, each in
 * its turn, so that the last one that speaks of a rule counts. At the end rules that are less
 * severe than the minimum are off whatever was said, and so are those that the compiler had to
 * leave out.
 *
 * A rule that is off costs little or nothing: the table passes it over, the filter's gates
 * (gate.h) keep it silent, system calls that it alone wants are not looked at, and a hook that no
 * other rule needs is not loaded. Its values may still be part of what is kept by process.
 */
#ifndef RULEC_SELECT_H
#define RULEC_SELECT_H

#include <stdbool.h>
#include <stdio.h>

#include "rpk.h"

struct select_entry {
    bool enable;
    bool tag;         /* `what` is a tag, exact; else a rule's name, where * is any text */
    const char *what; /* the caller's */
};

struct selected {
    uint8_t *on;            /* by rule */
    uint32_t nrule;         /* rules that are on */
    struct probe_plan plan; /* the bundle's, less the system calls that nobody wants */
    uint8_t hooks;          /* the bundle's, less those that nobody needs: bit per hook_id */
};

/* `enable:NAME`, `disable:NAME`, with `rule=NAME` or `tag=TAG` for NAME. False: it is neither. */
bool select_parse(const char *text, struct select_entry *out);
/* `*` in the pattern is any text, also none; all other bytes are themselves. */
bool select_name(const char *pattern, const char *name, size_t len);
/*
 * Fills `s`; on `warn` goes what had no effect. 0, or -ENOMEM. Until select_close() `s->on` can be
 * the `on` of a view.
 */
int select_rules_on(struct selected *s, const struct rpk *p, const struct select_entry *entries,
                    unsigned n, unsigned min_priority, FILE *warn);
/*
 * Sets the gates in the bundle's code as p->on says: before it is handed to the kernel. 0, or
 * -EINVAL if there is a gate without a rule. A bundle without code has none. Code that looks tasks
 * up by their number is let do so (bpf/abi.h).
 */
int select_gates(uint8_t *file, size_t size, const struct rpk *p);
void select_close(struct selected *s);

#endif
