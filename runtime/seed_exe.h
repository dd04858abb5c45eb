/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a running process's executable file. Part of seed.c. */
#ifndef RULEC_SEED_EXE_H
#define RULEC_SEED_EXE_H

#include "../bpf/abi.h"

/* Inode, times and EXE_* flags; `status` is the text of /proc/PID/status. Nothing found: zeros. */
void seed_exe(const char *proc, int pid, const char *status, struct proc_state *out);

#endif
