/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the DAG to the filter: `int rule_filter(struct ev *)` and the functions it calls.
 *
 * rule_filter() goes by the event's type (and, for generic events, by the system call's number) to
 * one function per set of rules; two events with the same rules share it. Such a function tries
 * its rules in load order and returns 1 + index of the first that cannot be excluded, or 0. One
 * that grows long is split into several, called in turn.
 */
#ifndef RULEC_BPF_H
#define RULEC_BPF_H

#include "asm.h"

/*
 * The code of all functions; `notes`: with the tests' texts, for people. Every pack fits: beyond
 * what the kernel takes, rules pass and are left to user space (comp.filter_left tells how many).
 * Leaves the tables of classes in comp; NULL if they are too large.
 */
struct asm_code *bpf_emit(struct comp *c, bool notes);

/* The function is one of ours in a linked bundle: rule_filter, rule_openat, ... */
bool bpf_is_filter(const char *function);

/* obj.c: the relocatable object of `a`, into comp.filter_elf. 0 or -errno. */
int obj_write(struct comp *c, const struct asm_code *a);

/* A mark's place: file name without directories, line number and the line's text; false if none. */
struct obj_place {
    const char *file, *text;
    uint32_t line, column;
};
bool obj_place(struct comp *c, span_id at, struct obj_place *out);

#endif
