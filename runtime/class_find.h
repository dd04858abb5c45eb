/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Value classes in the bundle (bpf/class.h has their layout): looking a text up, and handing the
 * tables to the kernel. The kernel's own reading of them is bpf/match_class.bpf.c.
 */
#ifndef RULEC_RUNTIME_CLASS_FIND_H
#define RULEC_RUNTIME_CLASS_FIND_H

#include <stdbool.h>

#include "rpk.h"

struct bpf_object;

/* The value that was put in for the text, or for the longest part of it (`how`); 0: none. */
uint32_t class_find(const struct rpk *p, const char *text, size_t len, uint32_t node,
                    enum class_how how);

/* Can a constant of CLASS_WITHIN stand at the beginning of this text? */
bool class_may_start(const struct rpk *p, const char *text, size_t len, uint32_t node);
/* The value of a number. */
uint32_t class_find_number(const struct rpk *p, int64_t num, uint32_t node);

/* Makes the object's maps large enough, and sets its constants; before it is loaded. */
void class_size_maps(struct bpf_object *object, const struct rpk *p);
/* Fills them; afterwards. 0 or -errno. */
int class_fill_maps(struct bpf_object *object, const struct rpk *p);

#endif
