/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: a bundle armed in the kernel, and the loop that turns its records into alerts. It
 * sleeps in epoll until the kernel has something; after start-up it allocates nothing.
 */
#ifndef RULEC_DAEMON_H
#define RULEC_DAEMON_H

#include "options.h"

/* Runs until SIGINT or SIGTERM, or to the end of the recording. */
enum daemon_result daemon_run(const struct daemon_options *opt);

#endif
