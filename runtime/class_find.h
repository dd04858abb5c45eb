/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Value classes in the bundle (bpf/class.h has their layout): looking a text up. The kernel's own
 * reading of them is bpf/match_class.bpf.c.
 */
#ifndef RULEC_RUNTIME_CLASS_FIND_H
#define RULEC_RUNTIME_CLASS_FIND_H

#include <stdbool.h>

#include "rpk.h"

/* The value that was put in for the text, or for the longest part of it (`how`); 0: none. */
uint32_t class_find(const struct rpk *p, const char *text, size_t len, uint32_t node,
                    enum class_how how);

/* Can a constant of CLASS_WITHIN stand at the beginning of this text? */
bool class_may_start(const struct rpk *p, const char *text, size_t len, uint32_t node);
/* The value of a number. */
uint32_t class_find_number(const struct rpk *p, int64_t num, uint32_t node);

#endif
