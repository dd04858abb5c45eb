/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recording lacks for the rules of a bundle: events that nobody asked the kernel for, values
 * that were not filled, rules that were off while only matches were recorded.
 */
#ifndef RULEC_FIT_H
#define RULEC_FIT_H

#include <stdio.h>

#include "capture.h"
#include "select.h"

struct fit {
    const char *path; /* of the recording */
    const struct capture_head *head;
    const uint8_t *on; /* bits of the recorded bundle's rules that were on; NULL: not told */
    size_t non;        /* its bytes */
};

/*
 * Switches off (in `s`, which is the `on` of `p`) the rules that cannot be judged, and names each
 * on `out` with what it lacks. Their number, or -ENOMEM.
 */
int fit_rules(const struct fit *f, const struct rpk *p, struct selected *s, FILE *out);
/* The recording holds what passed the filter of this bundle's rules, or everything. */
bool fit_same_rules(const struct fit *f, const struct rpk *p);

#endif
