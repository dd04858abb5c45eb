/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where values come from: the groups of slots that the kernel must fill so that a field can be
 * judged and shown. The compiler plans with it, the daemon asks it what a recording lacks.
 */
#ifndef RULEC_SUPPLY_H
#define RULEC_SUPPLY_H

#include "catalog.h"

#define SUPPLY_BIT(group) (1ull << (group))

/* Groups that are read from a process's entry, which is kept from its exec and fork on. */
#define SUPPLY_STATE                                                                               \
    (SUPPLY_BIT(G_PROC) | SUPPLY_BIT(G_CRED) | SUPPLY_BIT(G_EXE) | SUPPLY_BIT(G_CMD) |             \
     SUPPLY_BIT(G_ENV) | SUPPLY_BIT(G_ENVRAW) | SUPPLY_BIT(G_PARENT) | SUPPLY_BIT(G_ANC) |         \
     SUPPLY_BIT(G_LEAD) | SUPPLY_BIT(G_SHELL) | SUPPLY_BIT(G_CONTAINER) | SUPPLY_BIT(G_EXTRA))

/* An ancestor's text: which kind, and where those of the process and of its parent are. */
struct supply_anc {
    enum field_id field;
    uint8_t kind;        /* enum extra_kind */
    int16_t own, parent; /* slots; parent -1: only among the extra ones */
};
/* NULL: the field is none of them. */
const struct supply_anc *supply_anc(enum field_id field);

/* The call opens a file by a path that the caller spelled: open, openat, openat2, creat. */
bool supply_is_open(enum event_id e);
/* READ_BIT of each reading that a field has on an event: of fd.name, and of what follows from it.
 */
unsigned supply_readings(enum field_id f, enum event_id e);

/* Groups of a parameter's text: paths start somewhere, descriptors have names. */
uint64_t supply_param(const struct param_info *p);
/*
 * Groups of a field with its argument (`name` or `index`, "" and -1 where there is none) on an
 * event. Apart from these: parameters (supply_param), and ancestors' texts
 * beyond the parent, which take a place in the plan (struct probe_plan.extra).
 */
uint64_t supply_field(enum field_id f, const char *name, int32_t index, enum event_id e);

#endif
