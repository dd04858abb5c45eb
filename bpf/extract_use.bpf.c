/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a process uses, as it is now: memory, faults, threads, its limit of descriptors. (The
 * language's library has memory as it was at the last exec or clone.)
 */
#include "probe.h"

#define KB_OF_PAGE 4
#define RLIMIT_NOFILE 7

/* Counters of mm_struct; before 6.2 plain numbers, then per-CPU ones of which the sum is read. */
static __always_inline __s64 mm_counter(__u64 mm, __u32 which)
{
    struct mm_struct___rss *old = (struct mm_struct___rss *)mm;
    __s64 n = 0;

    if (bpf_core_field_exists(old->rss_stat.count))
        bpf_probe_read_kernel(&n, 8, (char *)&old->rss_stat.count + which * 8);
    else
        n = (__s64)KREAD(struct percpu_counter,
                         mm + bpf_core_field_offset(struct mm_struct___percpu, rss_stat) +
                             (__u64)which * bpf_core_type_size(struct percpu_counter),
                         count);
    return n > 0 ? n : 0;
}

static __always_inline void put_memory(struct ev *ev, __u64 mm)
{
    put_num(ev, N_VM_SIZE, 0);
    put_num(ev, N_VM_RSS, 0);
    put_num(ev, N_VM_SWAP, 0);
    if (!mm)
        return; /* a thread of the kernel */
    put_num(ev, N_VM_SIZE, (__s64)KREAD(struct mm_struct, mm, total_vm) * KB_OF_PAGE);
    put_num(ev, N_VM_RSS,
            (mm_counter(mm, MM_FILEPAGES) + mm_counter(mm, MM_ANONPAGES) +
             mm_counter(mm, MM_SHMEMPAGES)) *
                KB_OF_PAGE);
    put_num(ev, N_VM_SWAP, mm_counter(mm, MM_SWAPENTS) * KB_OF_PAGE);
}

__attribute__((noinline)) int extract_use(struct ev *ev)
{
    struct task_struct *task = bpf_get_current_task_btf();

    if (!ev)
        return 0;
    put_memory(ev, KADDR(struct task_struct, task, mm));
    put_num(ev, N_PF_MAJOR, (__s64)KREAD(struct task_struct, task, maj_flt));
    put_num(ev, N_PF_MINOR, (__s64)KREAD(struct task_struct, task, min_flt));
    put_num(ev, N_NTHREADS, KREAD(struct task_struct, task, signal, nr_threads));
    put_num(ev, N_FD_LIMIT,
            (__s64)KREAD(struct task_struct, task, signal, rlim[RLIMIT_NOFILE].rlim_cur));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
