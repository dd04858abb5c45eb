/* SPDX-License-Identifier: Apache-2.0 */
#include "held.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int copy_of(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    return copy < 0 ? -errno : copy;
}

int held_add(struct held *h, enum held_kind kind, int fd)
{
    int copy = h->n < HELD_MAX ? copy_of(fd) : -E2BIG;

    if (copy >= 0)
        h->fds[h->n++] = (struct held_fd){kind, copy};
    return copy;
}

void held_close(struct held *h)
{
    while (h->n)
        close(h->fds[--h->n].fd);
}

int held_attach(const struct bpf_program *prog)
{
    struct bpf_link *link = bpf_program__attach(prog);
    int fd = link ? copy_of(bpf_link__fd(link)) : -errno;

    bpf_link__destroy(link); /* closes its own descriptor alone */
    return fd;
}

int held_attach_typed(int prog)
{
    int fd = bpf_link_create(prog, 0, BPF_TRACE_RAW_TP, NULL);

    return fd < 0 ? -errno : fd;
}
