/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bundle brings for a BPF object made of it: constants before it is loaded, and the rows of
 * maps afterwards (patterns, sets of names, value classes, sketches). For the daemon and for the
 * compiler's evaluator in the kernel.
 */
#ifndef RULEC_OBJECT_H
#define RULEC_OBJECT_H

#include "rpk.h"

struct bpf_object;

/* The constant `name` of an object that is not loaded yet, to be set; NULL: none of `size` bytes.
 */
void *object_constant(const struct bpf_object *object, const char *name, size_t size);

/* How many entries a map is to have, at least 1; before the object is loaded. It may have no such
 * map. */
void object_size_map(const struct bpf_object *object, const char *name, uint32_t entries);
/* The same of all maps that the bundle has rows for; sets their constants, too. */
void object_size_maps(const struct bpf_object *object, const struct rpk *p);
/* Fills them, once the object is loaded. 0 or -errno. */
int object_fill_maps(const struct bpf_object *object, const struct rpk *p);

#endif
