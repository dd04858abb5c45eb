/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sketch of an event whose slots are all filled (bpf/sketch.h), for the interpreter: the same
 * bits as bpf/sketching.h finds, byte by byte. Pure.
 */
#ifndef RULEC_EVAL_SKETCH_H
#define RULEC_EVAL_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#include "../bpf/abi.h"
#include "../bpf/sketch.h"

/* `rows`: a table, its head first. */
uint64_t eval_sketch(const struct sketch_row *rows, const struct ev *ev);
/* Of one text. */
uint64_t eval_sketch_text(const struct sketch_row *rows, const char *text, size_t len);

#endif
