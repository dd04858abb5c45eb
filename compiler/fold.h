/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a test comes to once the event is known: evt.type is a constant then, a parameter that the
 * event does not have is absent, and so is the descriptor of an event that has none.
 */
#ifndef RULEC_FOLD_H
#define RULEC_FOLD_H

#include "model.h"

/* One kind of event: an event of the catalog, or one generic system call, or all other ones. */
struct site {
    enum event_id event;
    int32_t sysnr;    /* EV_generic: its number, or SYSNR_OTHER */
    const char *name; /* evt.type there */
    size_t len;
    bool syscall; /* false: a tracepoint; syscall.type is absent */
};

enum fold { FOLD_FALSE, FOLD_TRUE, FOLD_KEEP };

struct site site_of_event(enum event_id e);
/* A generic system call; NULL: any that no rule tells from the others. */
struct site site_of_syscall(const struct syscall_info *s);

enum fold fold_atom(const struct comp *c, atom_id a, const struct site *s);
/* The same, looking at tests of the event's type and of evt.num alone (rule-language 8.2). */
enum fold fold_type(const struct comp *c, atom_id a, const struct site *s);
/* True if the atom asks for the name of the event. */
bool fold_is_type(const struct comp *c, atom_id a);
/* The parameter that evt.arg or evt.rawarg names on an event; NULL: it has none such. */
const struct param_info *fold_param(const struct comp *c, struct field_ref f, enum event_id e);

#endif
