/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz harnesses share. A harness is tests/fuzz/NAME.c: it defines fuzz_one(), which takes
 * any bytes, holds what the project promises for them, and calls fuzz_fail() where that is broken.
 * To take longer than FUZZ_SECONDS of processor time for one input is a broken promise too; time on
 * the clock tells little on a busy machine. It keeps nothing from one input to the next that could
 * change an outcome, so that one input alone shows what it showed in a run.
 *
 * The same object is linked twice: to libFuzzer (make fuzz), and to replay.c, which goes through
 * files that are kept (make check).
 */
#ifndef RULEC_FUZZ_H
#define RULEC_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../../compiler/model.h"
#include "../../diff/diff.h"

void fuzz_one(const uint8_t *data, size_t size);

#define FUZZ_SECONDS 5
/* What libFuzzer and replay.c call: fuzz_one(), timed. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Tells what promise is broken, and aborts: for libFuzzer and replay.c alike. */
_Noreturn void fuzz_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A number that follows from the bytes: where a harness needs chance. */
uint64_t fuzz_hash(const uint8_t *data, size_t size);

/*
 * Compiles text that stands in memory through `last` (pipeline.h), as `rulec build` does, and
 * prints its findings to nowhere in both formats; JSON that is not well-formed fails. Goes with
 * comp_free().
 */
struct comp *fuzz_compile(const char *text, size_t len, const char *last);
/* True if nothing in the input is an error. */
bool fuzz_is_clean(const struct comp *c);

/*
 * One rule around a condition and an output of any bytes: a YAML scalar is made that reads as
 * them (bytes that are no UTF-8 as the characters of their numbers). Goes with free().
 */
char *fuzz_rule(const char *condition, size_t ncondition, const char *output, size_t noutput,
                size_t *len);

/*
 * Our own rules (the folders stdlib and rules, seen from where the program runs), to judge with;
 * they stay until the program ends.
 */
void fuzz_open_pack(struct rpk *pack);

/* An input as what is read of it: `read` of struct capture_in, with this as its ctx. */
struct fuzz_bytes {
    const uint8_t *at;
    size_t left;
};
ssize_t fuzz_read(void *ctx, void *buf, size_t n);

/* Judges an event by tree, table and bytecode; a disagreement fails, with the event. */
void fuzz_judge(struct judge *j, const struct event *e);

/* Fails unless the text is one value of JSON, in UTF-8. */
void fuzz_check_json(const char *text, size_t len);

/* The alert of each match, as text and as JSON, in a large buffer and in small ones. */
void fuzz_alerts(const struct rpk *p, struct record *r, const struct match *m, unsigned n);

#endif
