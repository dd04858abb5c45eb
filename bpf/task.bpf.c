/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is decided once for a task. */
#include "probe.h"

__attribute__((noinline)) int task_settle(struct ev *ev)
{
    if (ev)
        ev->kept.settled = 0;
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
