/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container ids from the paths of control groups, by the forms that engines give them. The kernel
 * side has the same for processes it sees start (bpf/state.bpf.c); this is for those that already
 * run. Pure.
 */
#ifndef RULEC_CONTAINER_H
#define RULEC_CONTAINER_H

#include <stddef.h>

#define CONTAINER_ID_MAX 64

enum container_form {
    CONTAINER_NONE,
    CONTAINER_WEAK, /* containerd's own /NAMESPACE/ID: any other form wins over it */
    CONTAINER_SURE,
};

/*
 * Looks for an id in the last components of a cgroup's path. Fills `out` (CONTAINER_ID_MAX bytes,
 * no terminator) and `*len` unless it is CONTAINER_NONE.
 */
enum container_form container_scan(const char *path, char *out, size_t *len);

#endif
