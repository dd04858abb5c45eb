/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container ids from the paths of control groups, by the forms that engines give them. The kernel
 * side has the same for processes it sees start (bpf/state_live.h); this is for those that already
 * run. Pure.
 */
#ifndef RULEC_CONTAINER_H
#define RULEC_CONTAINER_H

#include <stddef.h>

#include "../bpf/abi.h"

#define CONTAINER_ID_MAX 64

/*
 * Looks for an id in the last components of a cgroup's path. Fills `out` (CONTAINER_ID_MAX bytes,
 * no terminator) with the whole id, and `*len`, unless it is CONTAINER_HOST.
 */
enum container_kind container_scan(const char *path, char *out, size_t *len);

#endif
