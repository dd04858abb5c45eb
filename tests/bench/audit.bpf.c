/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sends a record of every system call: the least that an engine which decides in user space needs.
 * The caller, the call with its arguments and result, and the path of those calls that name one.
 * Nobody is woken: the reader looks by itself, as such engines do under load.
 */
#include "kernel.h"

#define PATH_MAX_SENT 256
#define BUFFER (8 << 20)

enum { NO_WAKEUP = 1 }; /* BPF_RB_NO_WAKEUP of <linux/bpf.h> */

/* Calls that name a path, by their number on x86-64. */
enum { NR_OPEN = 2, NR_STAT = 4, NR_EXECVE = 59, NR_OPENAT = 257, NR_NEWFSTATAT = 262 };

struct record {
    __u64 time;
    __u64 caller; /* process and thread */
    __u64 owner;  /* user and group */
    __u64 number;
    __u64 result;
    __u64 args[6];
    char comm[16];
    char path[PATH_MAX_SENT];
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, BUFFER);
} records SEC(".maps");

__u64 lost;

static __always_inline __u64 path_of(const struct record *r)
{
    if (r->number == NR_OPEN || r->number == NR_STAT || r->number == NR_EXECVE)
        return r->args[0];
    if (r->number == NR_OPENAT || r->number == NR_NEWFSTATAT)
        return r->args[1];
    return 0;
}

static __always_inline void fill(struct record *r, struct pt_regs *regs, long result)
{
    r->time = bpf_ktime_get_ns();
    r->caller = bpf_get_current_pid_tgid();
    r->owner = bpf_get_current_uid_gid();
    r->number = regs->orig_ax;
    r->result = (__u64)result;
    r->args[0] = regs->di;
    r->args[1] = regs->si;
    r->args[2] = regs->dx;
    r->args[3] = regs->r10;
    r->args[4] = regs->r8;
    r->args[5] = regs->r9;
    bpf_get_current_comm(r->comm, sizeof(r->comm));
}

SEC("tp_btf/sys_exit")
int BPF_PROG(audit_exit, struct pt_regs *regs, long result)
{
    struct record *r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);
    __u64 path;

    if (!r) {
        __sync_fetch_and_add(&lost, 1);
        return 0;
    }
    fill(r, regs, result);
    path = path_of(r);
    r->path[0] = 0;
    if (path)
        bpf_probe_read_user_str(r->path, sizeof(r->path), (const void *)path);
    bpf_ringbuf_submit(r, NO_WAKEUP);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
