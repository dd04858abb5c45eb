/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes out of a program what its constants make dead, before the kernel sees it.
 *
 * Much of the probe stands behind tests of the plan, which is constant memory once the program is
 * loaded, and behind gates of rules. The verifier finds out what that decides, but it moves and
 * searches the whole program for each piece that it cuts out. Here it is done in one pass, and what
 * nobody calls any more is not verified by kernels that would (before 6.8).
 *
 * Known are numbers and addresses of constant memory, in registers alone. A test is decided only if
 * both of its sides are known numbers, so that all that is taken out is what the kernel would take
 * out as well. Code that is not understood stays as it is, for the kernel to judge.
 */
#ifndef RULEC_CUT_H
#define RULEC_CUT_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* A map that no program can write, frozen by the time the program runs: what is in it. */
struct cut_memory {
    int fd;
    const void *bytes;
    size_t size;
};

/* What is known about instructions: rows that begin with the number of one, rising. */
struct cut_rows {
    void *rows;
    uint32_t n;
    uint32_t size; /* of a row */
};

struct cut_code {
    struct bpf_insn *insns; /* relocated; the program's, then those of the functions it calls */
    uint32_t n;
    struct cut_rows funcs; /* a row holds where a function begins */
    struct cut_rows lines; /* a row holds up to the next one */
};

/* Cuts in place: the numbers go down. 0, also if nothing was cut; or -ENOMEM. */
int cut_dead(struct cut_code *code, const struct cut_memory *memory, unsigned nmemory);

/*
 * The kernel makes some calls longer, one after the other, and copies its tables about the whole
 * program whenever they are full by that. Adds code that is never run to the last function: as that
 * is cut out first, the tables have room for all. To be called on what cut_dead() has left; the
 * instructions are allocated. 0 or -ENOMEM.
 */
int cut_room(struct cut_code *code);

#endif
