/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The cheapest hook on every system call's exit that there can be: what any such hook costs. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sys_exit")
int empty_exit(void *ctx)
{
    return 0;
}
