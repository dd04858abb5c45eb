/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a bundle's bytes to programs attached in the kernel, and back. All of libbpf is here.
 *
 * Order matters: load_open() has the kernel verify everything and attaches nothing; load_attach()
 * is called for the hooks that keep process state first, then, once what already runs was seeded,
 * for the rest. load_detach() leaves nothing behind and can be followed by a last drain.
 *
 * A hook that the kernel does not take is a fault, and the others go on without it: hookloss.h says
 * who suffers.
 */
#ifndef RULEC_LOAD_H
#define RULEC_LOAD_H

#include <stdbool.h>

#include "held.h"
#include "hooks.h"
#include "ring.h"
#include "seed.h"
#include "shared.h"

#define LOAD_REASON 512

struct bpf_object;

struct load_options {
    uint32_t buffer;                 /* bytes of the ring buffer; a power of two */
    bool all_hooks;                  /* those too that the rules do not need */
    const struct selected *selected; /* which rules are on, and what they need */
    const struct probe_plan *plan;   /* what is asked for: theirs, or more */
};

/* A hook that is wanted and missing. */
struct load_fault {
    enum hook_id hook;
    char reason[LOAD_REASON];
};

struct load {
    struct bpf_object *object; /* NULL: nothing was loaded, or load_settle() was called */
    struct held held;          /* all maps and programs, and their types */
    int links[HOOK_COUNT], ring_links[RING_LINKS]; /* -1: not attached */
    struct load_fault faults[HOOK_COUNT];
    unsigned nfault;
    uint8_t missing, attached; /* bit per hook_id */
    int events_fd;             /* of maps, held; -1: not in this bundle */
    int lore_fd;               /* -1: there is none */
    struct state_maps state;   /* -1 also for texts that no rule looks at */
    struct shared_maps shared; /* as those */
    int typed[HOOK_COUNT];     /* programs of hooks by their types; -1: it is none, or not there */
    uint8_t task;              /* enum task_tie of what is decided once per task */
    unsigned cpus;
    uint64_t boot_offset_ns; /* CLOCK_REALTIME minus CLOCK_BOOTTIME */
};

enum load_part { LOAD_STATE, LOAD_REST };

/*
 * 0, also if hooks are missing, so long as a rule can fire; or -errno with why not in `err`.
 * `bytes` must outlive the load.
 */
int load_open(struct load *l, const void *bytes, size_t size, const struct rpk *p,
              const struct load_options *opt, char *err, size_t errlen);
void load_attach(struct load *l, enum load_part part); /* adds to the faults */
/* What already ran was seeded: from here on a process without a state is one that is not known. */
void load_states_kept(struct load *l);
/* All is attached: what only loading needed is given back to the system. */
void load_settle(struct load *l);
void load_detach(struct load *l);
void load_close(struct load *l);

#endif
