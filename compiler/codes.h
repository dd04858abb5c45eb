/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to know about kinds of findings: for `rulec explain`. */
#ifndef RULEC_CODES_H
#define RULEC_CODES_H

#include <stdbool.h>
#include <stdio.h>

/* A word that stands for a code, if misspelt, and not for a file. */
bool codes_is_code(const char *word);
/* Meaning, explanation and example of a code. False: there is none, and that was said on stderr. */
bool codes_explain(const char *word, FILE *out);
/* One line for each code. */
void codes_list(FILE *out);

#endif
