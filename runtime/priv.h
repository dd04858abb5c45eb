/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon gives up once its programs are attached: all capabilities but those that reading
 * /proc and the files of container engines needs (CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH), the way
 * back to any (no_new_privs, bounding set), files and processes it could make, and every system
 * call that its loop does not use.
 */
#ifndef RULEC_PRIV_H
#define RULEC_PRIV_H

#include <stdbool.h>
#include <stddef.h>

/* `proc`: names of processes in containers will be looked up in /proc. 0, or -errno in words. */
int priv_drop(bool proc, char *err, size_t errlen);

#endif
