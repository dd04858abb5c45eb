/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings in memory, for tests of their reader. */
#ifndef TEST_FRAMES_H
#define TEST_FRAMES_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/capture.h"

struct memory {
    const uint8_t *bytes;
    size_t size, at;
};

/* A few bytes at a time, as a pipe may give them. */
static inline ssize_t read_memory(void *ctx, void *buf, size_t n)
{
    struct memory *m = ctx;

    n = n < 1000 ? n : 1000;
    n = n < m->size - m->at ? n : m->size - m->at;
    memcpy(buf, m->bytes + m->at, n);
    m->at += n;
    return (ssize_t)n;
}

/* A frame of any kind, rightly summed, behind a good header. */
static inline enum capture_got frame(unsigned kind, const void *payload, size_t size)
{
    struct {
        struct capture_head head;
        struct capture_frame f;
        uint8_t payload[256];
    } file = {.head.nrule = 1};
    struct memory m = {(const uint8_t *)&file, 0, 0};
    struct capture_in in = {
        .read = read_memory, .ctx = &m, .buf = aligned_alloc(8, CAPTURE_BUFFER)};
    struct capture_head head;
    struct capture_part part;
    enum capture_got got;
    char err[200];

    capture_seal(&file.head);
    memcpy(file.payload, payload, size);
    file.f = capture_frame_of((enum capture_kind)kind, file.payload, size);
    m.size = offsetof(__typeof__(file), payload) + capture_padded(size);
    assert_int_equal(capture_begin(&in, &head, err, sizeof(err)), 0);
    got = capture_next(&in, &part);
    free(in.buf);
    return got;
}

#endif
