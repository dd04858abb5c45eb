/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins the generated filter to the probe's objects. The bytes depend on the input alone: no path,
 * no time, no name of a temporary file gets into them.
 */
#ifndef RULEC_LINK_H
#define RULEC_LINK_H

#include "model.h"

/*
 * The object of the filter (comp.filter_elf) and those probe objects that are always needed, with
 * the hooks of `hook` (HOOK_COUNT flags; NULL: none) and, if `test`, with hook_test, which runs the
 * filter on an event that user space wrote. 0 or -errno; the bytes are the arena's.
 */
int link_objects(struct comp *c, const bool *hook, bool test, uint8_t **bytes, uint32_t *size);

#endif
