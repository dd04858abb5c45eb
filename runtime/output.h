/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where alerts go. A sink never keeps detection waiting: what a reader does not take is kept in a
 * bounded buffer, and what does not fit there is dropped and counted. Trouble is said once on
 * standard error when it begins and once when it is over.
 */
#ifndef RULEC_OUTPUT_H
#define RULEC_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OUTPUT_PENDING (2u << 20)

struct output {
    const char *url;
    int fd;
    bool regular, is_socket, failing;
    char *pending; /* OUTPUT_PENDING bytes: what the reader has not taken yet */
    size_t npending;
    uint64_t written, dropped;
    uint64_t dropped_before; /* `dropped` when the trouble began */
};

#define OUTPUT_NONE ((struct output){.fd = -1})

/*
 * `stdout`, or `file:PATH` (appended to, created with mode 0600). 0, or -errno with a message in
 * `err`. A pipe or terminal is opened anew, so that not blocking is ours alone.
 */
int output_open(struct output *o, const char *url, char *err, size_t errlen);
void output_close(struct output *o); /* forgets what is pending: see output_end() */
/* Whole lines, `lines` in number, each up to its newline; what does not fit is dropped by line. */
void output_write(struct output *o, const char *s, size_t n, uint32_t lines);
/* The descriptor can take bytes again. */
void output_flush(struct output *o);
/* Tries once more to write what is pending; what is left then counts as dropped. */
void output_end(struct output *o);
/* Waits until the reader has taken all, or is gone: where there is no detection to keep waiting. */
void output_drain(struct output *o);
static inline bool output_waiting(const struct output *o)
{
    return o->npending != 0;
}

#endif
