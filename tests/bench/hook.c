/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaches every program of a BPF object and says `armed`; ends when standard input does. Where the
 * object has a ring buffer `records`, its records are taken each millisecond, and how many there
 * were is said at the end. Usage: hook OBJECT.bpf.o
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define LOOK_MS 1

/* What an engine would begin with: each record is looked at. */
struct taken {
    uint64_t records, bytes, sum;
};

static int take(void *ctx, void *data, size_t size)
{
    struct taken *t = ctx;

    t->records++;
    t->bytes += size;
    t->sum += *(const uint8_t *)data;
    return 0;
}

static int attach_all(struct bpf_object *object)
{
    struct bpf_program *program;

    bpf_object__for_each_program (program, object)
        if (!bpf_program__attach(program))
            return -1;
    return 0;
}

/* Until standard input ends. */
static void wait_for_end(struct ring_buffer *ring)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;

    for (;;) {
        if (poll(&in, 1, ring ? LOOK_MS : -1) > 0 && read(STDIN_FILENO, &byte, 1) <= 0)
            return;
        if (ring)
            ring_buffer__consume(ring);
    }
}

int main(int argc, char **argv)
{
    struct bpf_object *object = argc == 2 ? bpf_object__open(argv[1]) : NULL;
    struct taken taken = {0};
    struct ring_buffer *ring = NULL;
    int records;

    if (!object || bpf_object__load(object) != 0 || attach_all(object) != 0) {
        fprintf(stderr, "hook: cannot attach\n");
        return 2;
    }
    records = bpf_object__find_map_fd_by_name(object, "records");
    if (records >= 0 && !(ring = ring_buffer__new(records, take, &taken, NULL))) {
        fprintf(stderr, "hook: cannot read records\n");
        return 2;
    }
    fprintf(stderr, "hook: armed\n");
    wait_for_end(ring);
    if (ring)
        fprintf(stderr, "hook: %llu records, %llu bytes\n", (unsigned long long)taken.records,
                (unsigned long long)taken.bytes);
    ring_buffer__free(ring);
    bpf_object__close(object);
    return 0;
}
