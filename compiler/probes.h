/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's objects, as clang built them, inside the program: `rulec` needs no file beside it.
 * The table is build/gen/probes.S, written by bpf/embed.sh; one row for each bpf/NAME.bpf.c,
 * in name order. Bytes are 8-aligned and live as long as the program.
 */
#ifndef RULEC_PROBES_H
#define RULEC_PROBES_H

#include <stdint.h>

struct probe_object {
    const char *name;     /* "hook_exec": of bpf/hook_exec.bpf.c */
    const uint8_t *bytes; /* ELF relocatable */
    uint64_t size;
};

extern const struct probe_object probe_objects[];
extern const uint64_t probe_object_count;

#endif
