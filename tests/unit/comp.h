/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that fill the model by hand, beginning with comp_new(). */
#ifndef TEST_COMP_H
#define TEST_COMP_H

#include "model.h"

/* A test that code in the filter makes, of one slot (-1: none). */
static inline struct where inline_test(uint32_t atom, enum shape shape, int slot)
{
    return (struct where){.atom = {atom},
                          .place = PLACE_INLINE,
                          .shape = (uint8_t)shape,
                          .slot = (int16_t)slot,
                          .slot2 = -1,
                          .set = NO_SET,
                          .pattern0 = NO_PATTERN};
}

#endif
