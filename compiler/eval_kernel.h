/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generated filter in the kernel, on events that user space wrote: the bundle is joined with
 * the probe's hook_test, loaded, and run by BPF_PROG_TEST_RUN. Needs root.
 */
#ifndef RULEC_EVAL_KERNEL_H
#define RULEC_EVAL_KERNEL_H

#include "model.h"

struct kernel_filter;

/* From a bundle's bytes. NULL with a reason in `err`. Freed by kernel_filter_free(). */
struct kernel_filter *kernel_filter_new(const void *rpk, size_t size, char *err, size_t errlen);
void kernel_filter_free(struct kernel_filter *k); /* NULL is fine */
/* The event that the next run judges: memory that the kernel sees too. */
struct ev *kernel_filter_event(struct kernel_filter *k);
/* rule_filter()'s result: 0, or 1 + the index of a rule; below 0 -errno. */
int64_t kernel_filter_run(struct kernel_filter *k);
/*
 * Nanoseconds that a run takes, at best: the least mean of `series` series of `runs` runs, as the
 * kernel counts them. Below 0: it does not count.
 */
double kernel_filter_time(struct kernel_filter *k, unsigned series, unsigned runs);

#endif
