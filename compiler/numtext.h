/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of a text that stands for a number (flags, enumerations, errors), turned into tests of the
 * number that mean the same for every value. `evt.arg.flags contains O_WRONLY` asks whether the
 * walk over the table prints a name that holds O_WRONLY: two bits, of which one must be set and
 * one clear.
 */
#ifndef RULEC_NUMTEXT_H
#define RULEC_NUMTEXT_H

#include "model.h"

#define NUMTEXT_TESTS 512

struct num_tests {
    struct num_test v[NUMTEXT_TESTS];
    uint32_t n;
    bool negate; /* the outcome is inverted */
};

/*
 * Text of `table`; where no row fits it is the decimal number. False: no such tests, or too many;
 * user space decides.
 */
bool numtext_flags(const struct comp *c, const struct atom *a, enum flag_table table,
                   struct num_tests *out);
/* evt.res: SUCCESS or the name of an error; a parameter: the number, or the name of an error. */
bool numtext_result(const struct comp *c, const struct atom *a, bool is_param,
                    struct num_tests *out);
/* A decimal number. */
bool numtext_decimal(const struct comp *c, const struct atom *a, struct num_tests *out);
/* Not a text at all: a number of `type` compared with numbers, in that type's width. */
bool numtext_number(const struct comp *c, const struct atom *a, enum type_id type,
                    struct num_tests *out);

#endif
