/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter as the interpreter (eval_bpf.h) wants it: all code in one array, every call resolved.
 * What is in a bpf_vm is for these two alone; others make one, run it and free it.
 */
#ifndef RULEC_EVAL_BPF_LOAD_H
#define RULEC_EVAL_BPF_LOAD_H

#include <linux/bpf.h>

#include "model.h"

enum vm_native {
    NATIVE_NONE, /* a function of the object: vm_call.target */
    NATIVE_CONTAINS,
    NATIVE_ICONTAINS,
    NATIVE_ANC,
    NATIVE_NAME,
    NATIVE_EXTRACT, /* an extractor of the probe */
    NATIVE_UNKNOWN,
};
struct vm_call {
    enum vm_native native;
    uint32_t target;
    const char *name;
};
struct vm_pattern {
    const char *text;
    size_t len;
};
struct vm_name {
    uint32_t set;
    char name[COMM_SIZE];
};

struct bpf_vm {
    struct bpf_insn *insns; /* the code of all sections, one behind the other */
    struct vm_call *calls;  /* by instruction; meaningful at calls */
    uint32_t ninsn;
    uint32_t start; /* rule_filter */
    struct vm_pattern *patterns;
    uint32_t npattern;
    struct vm_name *names;
    uint32_t nname;
    char error[256];
};

/*
 * From a bundle's bytes, or from a filter object alone (then bpf_vm_tables() brings patterns and
 * names). NULL with a reason in `err`. `elf` must outlive it. All else is freed by bpf_vm_free().
 */
struct bpf_vm *bpf_vm_new(const void *elf, size_t size, char *err, size_t errlen);
void bpf_vm_tables(struct bpf_vm *vm, const struct comp *c);
void bpf_vm_free(struct bpf_vm *vm); /* NULL is fine */

#endif
