/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What follows from a call's number, however it was made: its event, and where that has its
 * descriptor.
 */
#ifndef RULEC_CALL_H
#define RULEC_CALL_H

#include "probe.h"

/*
 * Tables by the call's number. Rows of names that this machine does not have fall on the last
 * element, which no call uses.
 */
#define NR_COUNT 512
#define NR_UNUSED 511
#define NR_AT(nr) ((nr) < 0 ? NR_UNUSED : (nr))

#pragma clang diagnostic ignored "-Winitializer-overrides"
static const volatile __u16 event_of[NR_COUNT] = {
    [0 ... NR_COUNT - 1] = EV_generic, /* calls that are newer than the table */
#define SYSCALL(name, nr, nr_ia32, event) [NR_AT(nr)] = EV_##event,
#include "../grammar/syscalls.def"
};

/* Where an event has its descriptor: FD_RESULT, or 1 + index of the argument; 0: it has none. */
#define FD_RESULT 0xff
static const volatile __u8 fd_of[EV_COUNT] = {
    [EV_accept] = FD_RESULT,
    [EV_accept4] = FD_RESULT,
    [EV_bpf] = FD_RESULT,
    [EV_creat] = FD_RESULT,
    [EV_dup] = FD_RESULT,
    [EV_dup2] = FD_RESULT,
    [EV_dup3] = FD_RESULT,
    [EV_epoll_create] = FD_RESULT,
    [EV_epoll_create1] = FD_RESULT,
    [EV_eventfd] = FD_RESULT,
    [EV_eventfd2] = FD_RESULT,
    [EV_inotify_init] = FD_RESULT,
    [EV_inotify_init1] = FD_RESULT,
    [EV_io_uring_setup] = FD_RESULT,
    [EV_memfd_create] = FD_RESULT,
    [EV_open] = FD_RESULT,
    [EV_open_by_handle_at] = FD_RESULT,
    [EV_openat] = FD_RESULT,
    [EV_openat2] = FD_RESULT,
    [EV_pidfd_getfd] = FD_RESULT,
    [EV_pidfd_open] = FD_RESULT,
    [EV_signalfd] = FD_RESULT,
    [EV_signalfd4] = FD_RESULT,
    [EV_socket] = FD_RESULT,
    [EV_timerfd_create] = FD_RESULT,
    [EV_userfaultfd] = FD_RESULT,
    [EV_bind] = 1,
    [EV_close] = 1,
    [EV_connect] = 1,
    [EV_fchdir] = 1,
    [EV_fchmod] = 1,
    [EV_fchmodat] = 1,
    [EV_fchown] = 1,
    [EV_fchownat] = 1,
    [EV_fcntl] = 1,
    [EV_finit_module] = 1,
    [EV_flock] = 1,
    [EV_fsconfig] = 1,
    [EV_fstat] = 1,
    [EV_getdents] = 1,
    [EV_getdents64] = 1,
    [EV_getsockopt] = 1,
    [EV_io_uring_enter] = 1,
    [EV_io_uring_register] = 1,
    [EV_ioctl] = 1,
    [EV_listen] = 1,
    [EV_lseek] = 1,
    [EV_mkdirat] = 1,
    [EV_mknodat] = 1,
    [EV_newfstatat] = 1,
    [EV_pread] = 1,
    [EV_preadv] = 1,
    [EV_pwrite] = 1,
    [EV_pwritev] = 1,
    [EV_read] = 1,
    [EV_readv] = 1,
    [EV_recvfrom] = 1,
    [EV_recvmmsg] = 1,
    [EV_recvmsg] = 1,
    [EV_sendfile] = 1,
    [EV_sendmmsg] = 1,
    [EV_sendmsg] = 1,
    [EV_sendto] = 1,
    [EV_setns] = 1,
    [EV_setsockopt] = 1,
    [EV_shutdown] = 1,
    [EV_unlinkat] = 1,
    [EV_write] = 1,
    [EV_writev] = 1,
    [EV_symlinkat] = 2,
    [EV_copy_file_range] = 3,
    [EV_splice] = 3,
    [EV_mmap] = 5,
};

static __always_inline void put_fd(struct ev *ev, __u64 event, __s64 res)
{
    __u32 from = 0, arg;

    OPAQUE(event); /* what is added to the address is what was tested */
    if (event < EV_COUNT)
        from = fd_of[event];
    arg = from - 1;
    if (from == FD_RESULT) {
        put_num(ev, N_FD_NUM, res < 0 ? -1 : res);
        return;
    }
    OPAQUE(arg);
    if (arg < 6)
        put_num(ev, N_FD_NUM, (__s32)ev->args[arg]);
}

/* Events that nobody could judge: lost, of no rule. */
static __always_inline void count_unjudged(__u64 event, __u64 number)
{
    __u64 *n = counters(bpf_get_smp_processor_id(), event);

    if (!n)
        return;
    n[STAT_SEEN] += number;
    n[STAT_LOST] += number;
}

#define EBADF 9

/*
 * The result of a close, told before it is made, while there is a file: nothing but the file
 * system's own `flush` can make it fail.
 */
static __always_inline void put_close_result(struct ev *ev)
{
    __u64 file = file_of_event(ev);

    if (!file)
        put_num(ev, N_RES, -EBADF);
    else if (KREAD(struct file, file, f_op, flush))
        put_state(ev, N_RES, ST_UNKNOWN);
}

#endif
