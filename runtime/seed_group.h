/* SPDX-License-Identifier: Apache-2.0 */
/* The container of a running process, from the text of /proc/PID/cgroup. Part of seed.c. */
#ifndef RULEC_SEED_GROUP_H
#define RULEC_SEED_GROUP_H

#include <stddef.h>

#include "../bpf/abi.h"

/* Mount point of the cgroup2 hierarchy, "" if there is none. */
void seed_find_cgroup2(const char *proc, char *out, size_t cap);
/* container_id (`host` outside), its state, and the id of the cgroup2 group. */
void seed_container(char *groups, const char *cgroup2, struct proc_state *out);

#endif
