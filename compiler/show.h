/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of the input made fit to be shown. Rules come from elsewhere: what would steer a terminal
 * or turn the reading direction is spelled out, and what is not UTF-8 is replaced.
 */
#ifndef RULEC_SHOW_H
#define RULEC_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The character at the head of `s`: its length in bytes (1 for a byte that is no UTF-8), its code
 * point in `*cp` (UINT32_MAX for such a byte). `len` is at least 1.
 */
size_t show_decode(const char *s, size_t len, uint32_t *cp);
/* Columns a character takes on a terminal: 0, 1 or 2. */
unsigned show_width(uint32_t cp);
/* It steers the terminal, or the order in which text is read: never to be shown as it is. */
bool show_acts(uint32_t cp);
/* Text for people; controls and invalid bytes as \xNN or \u{NN}. */
void show_text(FILE *out, const char *s, size_t len);
/* The same between double quotes, with \" \\ \n \t for those four. */
void show_quoted(FILE *out, const char *s, size_t len);
/* A JSON string with its quotes; invalid bytes as U+FFFD. */
void show_json(FILE *out, const char *s, size_t len);

#endif
