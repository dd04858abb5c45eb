/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 with the alphabet of RFC 4648: for events as text, and for the reference evaluator. */
#ifndef RULEC_BASE64_H
#define RULEC_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Padding may be missing; where it stands it must complete the last group. Writes at most `n`
 * bytes. Their number, or -1: it is not base64.
 */
int64_t base64_decode(const char *s, size_t n, char *out);
void base64_print(FILE *out, const char *s, size_t n);

#endif
