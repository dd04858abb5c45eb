/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which fields are lore (lore.def), and what of an event tells the thing that they are about. The
 * compiler places tests by it, the daemon makes keys by it. All `const`.
 */
#ifndef RULEC_LORE_H
#define RULEC_LORE_H

#include "catalog.h"

/* A field with its argument (index -1: none). LORE_KINDS: it is no lore. */
enum lore_kind lore_of_field(enum field_id f, int32_t index);

struct lore_info {
    uint16_t num, str; /* enum num_slot, or N_COUNT: no number; enum str_slot */
    const char *name;  /* "USER" */
    const char *doc;   /* "the user" */
};
const struct lore_info *lore_info(enum lore_kind kind);
/* Groups of slots that the thing is told from. */
uint64_t lore_groups(enum lore_kind kind);

#endif
