/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaches every program of a BPF object and says `armed`; ends when standard input does.
 * Usage: hook OBJECT.bpf.o
 */
#include <stdio.h>
#include <unistd.h>

#include <bpf/libbpf.h>

static int attach_all(struct bpf_object *object)
{
    struct bpf_program *program;

    bpf_object__for_each_program (program, object) {
        if (!bpf_program__attach(program))
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct bpf_object *object = argc == 2 ? bpf_object__open(argv[1]) : NULL;
    char byte;

    if (!object || bpf_object__load(object) != 0 || attach_all(object) != 0) {
        fprintf(stderr, "hook: cannot attach\n");
        return 2;
    }
    fprintf(stderr, "hook: armed\n");
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    bpf_object__close(object);
    return 0;
}
