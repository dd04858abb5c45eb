/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle as text, part by part: for `rulec dump` and the dump of stage rpk. The view has been
 * validated (rpk_open); the ELF file around it has not, and everything in it is checked here.
 */
#ifndef RULEC_BUNDLE_H
#define RULEC_BUNDLE_H

#include <stdio.h>

#include "../runtime/rpk.h"

void bundle_print_head(const struct rpk *p, FILE *out);
void bundle_print_rules(const struct rpk *p, FILE *out);
void bundle_print_table(const struct rpk *p, FILE *out);

/* bundle_elf.c. Names of sections and of the probe's programs. 0, or -EINVAL: no such ELF file. */
int bundle_print_sections(const void *bytes, size_t size, FILE *out);
/* The generated functions, each with the lines of the rules that its code is for. */
int bundle_print_code(const void *bytes, size_t size, FILE *out);

#endif
