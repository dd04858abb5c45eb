/* SPDX-License-Identifier: Apache-2.0 */
#include "ring.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "held.h"

/*
 * By tracepoint. Of the programs on completions the one that asks for more comes first: the kernel
 * refuses a program that asks for more than a tracepoint has.
 */
static const char *const programs[RING_LINKS][2] = {
    {"on_ring_submit", "on_ring_submit_sqe"},
    {"on_ring_complete_values", "on_ring_complete"},
    {"on_ring_overflow"},
};

/* The first of a tracepoint's programs that fits. 0, or -errno of the last that was tried. */
static int attach_one(const struct bpf_object *object, const char *const names[2], int *link)
{
    int fd = -ENOENT;

    for (int i = 0; i < 2 && names[i] && fd < 0; i++) {
        const struct bpf_program *prog = bpf_object__find_program_by_name(object, names[i]);

        fd = prog ? held_attach(prog) : -ENOENT;
    }
    *link = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : 0;
}

int ring_attach(const struct bpf_object *object, int links[RING_LINKS])
{
    int rc = 0;

    for (int i = 0; i < RING_LINKS && !rc; i++)
        rc = attach_one(object, programs[i], &links[i]);
    if (rc)
        ring_detach(links);
    return rc;
}

void ring_leave_out(struct bpf_object *object)
{
    static const char *const maps[] = {"ring_calls", "ring_again", "ring_texts"};

    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        struct bpf_map *m = bpf_object__find_map_by_name(object, maps[i]);

        if (m)
            bpf_map__set_max_entries(m, 1);
    }
}

void ring_detach(int links[RING_LINKS])
{
    for (int i = 0; i < RING_LINKS; i++) {
        if (links[i] >= 0)
            close(links[i]);
        links[i] = -1;
    }
}
