/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An interpreter for the generated filter: runs `rule_filter` without the kernel, and more
 * strictly. Memory is the event and the stack and nothing else; every access is checked, steps are
 * counted, registers that a call destroys are destroyed. The probe's matchers are done natively,
 * from the bundle's patterns and name sets; its extractors do not exist here, so that asking for a
 * slot that was not filled is an error.
 */
#ifndef RULEC_EVAL_BPF_H
#define RULEC_EVAL_BPF_H

#include "model.h"

struct bpf_vm; /* eval_bpf_load.h */

/*
 * rule_filter()'s result: 0, or 1 + the index of a rule. Below 0: -EFAULT memory outside the event,
 * -ELOOP too many steps or calls, -ENOEXEC an instruction or call that no filter has, -ENODATA a
 * slot that was not filled. bpf_vm_error() tells more.
 */
int64_t bpf_vm_filter(struct bpf_vm *vm, struct ev *ev);
const char *bpf_vm_error(const struct bpf_vm *vm);

#endif
