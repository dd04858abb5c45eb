/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a bundle's bytes to programs attached in the kernel, and back. All of libbpf is here.
 *
 * Order matters: load_open() has the kernel verify everything and attaches nothing; load_attach()
 * is called for the hooks that keep process state first, then, once what already runs was seeded,
 * for the rest. load_detach() leaves nothing behind and can be followed by a last drain.
 */
#ifndef RULEC_LOAD_H
#define RULEC_LOAD_H

#include <stdbool.h>

#include "rpk.h"
#include "select.h"
#include "shared.h"

#define LOAD_LINKS 32

struct bpf_object;
struct bpf_link;
struct bpf_map;

struct load_options {
    uint32_t buffer;                 /* bytes of the ring buffer; a power of two */
    bool all_hooks;                  /* those too that the rules do not need */
    const struct selected *selected; /* which rules are on, and what they need */
    const struct probe_plan *plan;   /* what is asked for: theirs, or more */
};

struct load {
    struct bpf_object *object;
    struct bpf_link *links[LOAD_LINKS];
    unsigned nlink;
    int events_fd, procs_fd;   /* of maps; -1: not in this bundle */
    int envs_fd;               /* -1 also where no rule looks at environments */
    struct shared_maps shared; /* the same */
    unsigned cpus;
    uint64_t boot_offset_ns; /* CLOCK_REALTIME minus CLOCK_BOOTTIME */
    char hooks[64];          /* "exec fork sys_exit": those attached */
};

enum load_part { LOAD_STATE, LOAD_REST };

/* 0, or -errno with what is missing in `err`. `bytes` must outlive the load. */
int load_open(struct load *l, const void *bytes, size_t size, const struct rpk *p,
              const struct load_options *opt, char *err, size_t errlen);
int load_attach(struct load *l, enum load_part part, char *err, size_t errlen);
void load_detach(struct load *l);
void load_close(struct load *l);

/* The constant `name` of an object that is not loaded yet, to be set; NULL: none of `size` bytes.
 */
void *load_constant(const struct bpf_object *object, const char *name, size_t size);

#endif
