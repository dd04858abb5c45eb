/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter as the interpreter (eval_bpf.h) wants it: all code in one array, every call resolved.
 * What is in a bpf_vm is for these two alone; others make one, run it and free it.
 */
#ifndef RULEC_EVAL_BPF_LOAD_H
#define RULEC_EVAL_BPF_LOAD_H

#include <linux/bpf.h>

#include "../runtime/rpk.h"
#include "model.h"

enum vm_native {
    NATIVE_NONE, /* a function of the object: vm_call.target */
    NATIVE_CONTAINS,
    NATIVE_ICONTAINS,
    NATIVE_GLOB,
    NATIVE_IGLOB,
    NATIVE_PATH,
    NATIVE_ANC,
    NATIVE_NAME,
    NATIVE_FIND,
    NATIVE_NUMBER,
    NATIVE_SCAN,
    NATIVE_FOUND,
    NATIVE_SKETCH,
    NATIVE_JUDGE,
    NATIVE_SETTLE,  /* task_settle(): nothing is kept here */
    NATIVE_LANE,    /* every lane is open */
    NATIVE_EXTRACT, /* an extractor of the probe, or lore_find(): the event has it all */
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
    uint32_t left;  /* rule_left, or 0: the object has none */
    struct vm_pattern *patterns;
    uint32_t npattern;
    struct vm_name *names;
    uint32_t nname;
    struct rpk classes; /* the view of the tables of classes; valid if it has a head */
    struct rpk_head classes_head;
    char error[256];
};

/*
 * From a bundle's bytes, or from a filter object alone (then bpf_vm_tables() brings patterns and
 * names). NULL with a reason in `err`. `elf` must outlive it. All else is freed by bpf_vm_free().
 */
struct bpf_vm *bpf_vm_new(const void *elf, size_t size, char *err, size_t errlen);
void bpf_vm_tables(struct bpf_vm *vm, const struct comp *c);
void bpf_vm_free(struct bpf_vm *vm); /* NULL is fine */

/* ---- eval_class.c: class_find() and class_judge() of the probe, over the event ---- */

/* The matchers that a class's tests call; `context` is the caller's. */
typedef bool vm_matches(void *context, const struct class_test *t);
uint32_t vm_class_find(const struct bpf_vm *vm, const struct ev *ev, const struct class_test *t);
/* The classes of constants that stand in a text; how many, or CLASS_FOUND + 1: too many. */
uint32_t vm_class_scan(const struct bpf_vm *vm, const struct ev *ev, const struct class_test *t,
                       uint32_t found[CLASS_FOUND]);
/* 0, or 1 + the first rule of the class that cannot be excluded. */
uint32_t vm_class_judge(const struct bpf_vm *vm, const struct ev *ev, uint32_t class,
                        vm_matches *matches, void *context);

#endif
