/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The exit of a system call: nearly all events. */
#include "judge.h"

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

/* 1 + the 64-bit number of a 32-bit call; 0: none. */
static const volatile __u16 native_of[NR_COUNT] = {
#define SYSCALL(name, nr, nr_ia32, event) [(nr) < 0 ? NR_UNUSED : NR_AT(nr_ia32)] = (nr) + 1,
#define SYSCALL_IA32(nr_ia32, nr) [NR_AT(nr_ia32)] = (nr) + 1,
#include "../grammar/syscalls.def"
};

/* The same of an x32 call with a number of its own, from X32_FIRST on. */
#define X32_BIT 0x40000000u
#define X32_FIRST 512
#define X32_COUNT 64
static const volatile __u16 native_of_x32[X32_COUNT] = {
#define SYSCALL_X32(nr_x32, nr) [(nr_x32)-X32_FIRST] = (nr) + 1,
#include "../grammar/syscalls.def"
};

/* The same of what the 32-bit socketcall does. */
#define NR_SOCKETCALL 102
#define SOCKET_COUNT 32
static const volatile __u16 native_of_socket[SOCKET_COUNT] = {
#define SOCKETCALL(number, nr) [number] = (nr) + 1,
#include "../grammar/syscalls.def"
};

/* From this number on a new call has the same one on all machines. */
#define NR_UNIFIED 424

#define NR_EXECVE 59
#define NR_EXECVEAT 322

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

static __always_inline void put_fd(struct ev *ev, __u32 event, __s64 res)
{
    __u32 from = event < EV_COUNT ? fd_of[event] : 0, arg = from - 1;

    if (from == FD_RESULT) {
        put_num(ev, N_FD_NUM, res < 0 ? -1 : res);
        return;
    }
    OPAQUE(arg);
    if (arg < 6)
        put_num(ev, N_FD_NUM, (__s32)ev->args[arg]);
}

/* How a call was made: where its arguments are, and how large what they point at is. */
enum way { WAY_NATIVE, WAY_X32, WAY_IA32, WAY_SOCKETCALL };

struct call {
    __u64 nr; /* the 64-bit one; NR_COUNT or more: none that an event is made of */
    enum way way;
};

static __always_inline __u64 of_table(const volatile __u16 *table, __u64 i, __u64 count)
{
    return i < count && table[i] ? table[i] - 1ull : NR_COUNT;
}

static __always_inline struct call call_of(struct pt_regs *regs, bool compat)
{
    __u64 nr = regs->orig_ax; /* -1: cancelled */

    if (compat && nr == NR_SOCKETCALL)
        return (struct call){of_table(native_of_socket, (__u32)regs->bx, SOCKET_COUNT),
                             WAY_SOCKETCALL};
    if (compat) {
        if (nr < NR_UNIFIED || nr >= NR_COUNT || native_of[nr])
            nr = of_table(native_of, nr, NR_COUNT);
        return (struct call){nr, WAY_IA32};
    }
    if ((nr & ~0xffffull) != X32_BIT)
        return (struct call){nr, WAY_NATIVE};
    nr &= ~(__u64)X32_BIT;
    if (nr < X32_FIRST)
        return (struct call){nr, WAY_NATIVE};
    return (struct call){of_table(native_of_x32, nr - X32_FIRST, X32_COUNT), WAY_X32};
}

/* One by one: a call that has fewer may have them at the end of its memory. */
static __always_inline void put_socketcall_args(struct ev *ev, __u64 from)
{
#pragma unroll
    for (__u32 i = 0; i < 6; i++) {
        __u32 arg = 0;

        bpf_probe_read_user(&arg, sizeof(arg), (void *)(from + i * sizeof(arg)));
        ev->args[i] = arg;
    }
}

static __always_inline void put_call_args(struct ev *ev, struct pt_regs *regs, enum way way)
{
    ev->compat = way != WAY_NATIVE;
    if (way == WAY_SOCKETCALL) {
        put_socketcall_args(ev, (__u32)regs->cx);
        return;
    }
    if (way == WAY_IA32) {
        ev->args[0] = (__u32)regs->bx;
        ev->args[1] = (__u32)regs->cx;
        ev->args[2] = (__u32)regs->dx;
        ev->args[3] = (__u32)regs->si;
        ev->args[4] = (__u32)regs->di;
        ev->args[5] = (__u32)regs->bp;
        return;
    }
    ev->args[0] = regs->di;
    ev->args[1] = regs->si;
    ev->args[2] = regs->dx;
    ev->args[3] = regs->r10;
    ev->args[4] = regs->r8;
    ev->args[5] = regs->r9;
}

#define NR_OPEN 2
#define NR_OPENAT 257
#define NATIVE_CHANGES 0x400243 /* __O_TMPFILE, O_TRUNC, O_CREAT, O_ACCMODE */

/* enum left_class of the event that is going to be made. */
static __always_inline __u32 class_of(__u64 nr, enum way way, struct pt_regs *regs, long res)
{
    __u32 class = res < 0 ? LEFT_FAILED : 0;

    if (way == WAY_NATIVE && ((nr == NR_OPEN && !(regs->si & NATIVE_CHANGES)) ||
                              (nr == NR_OPENAT && !(regs->dx & NATIVE_CHANGES))))
        class |= LEFT_READS;
    return class;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long res)
{
    struct task_struct *task = bpf_get_current_task_btf();
    bool compat = task->thread_info.status & TS_COMPAT, exec;
    struct call call = call_of(regs, compat);
    __u64 nr = call.nr;
    struct kept kept = {};
    bool left = true;
    struct ev *ev;
    int rule;

    if (nr >= NR_COUNT || !syscall_wanted(nr))
        return 0;
    /* A program that was just started, 32-bit or not: its own hook reports it. */
    exec = nr == NR_EXECVE || nr == NR_EXECVEAT;
    if (exec && (res == 0 || !plan.failed_exec))
        return 0;
    if (compat)
        res = (__s32)res;
    if (plan.task) {
        kept = keep_find(task);
        left = !kept.valid || keep_left(&kept, event_of[nr], class_of(nr, call.way, regs, res));
        if (!left && !plan.audit) {
            __u64 *n = counters(bpf_get_smp_processor_id(), event_of[nr]);

            if (n) {
                n[STAT_SEEN]++;
                n[STAT_FILTERED]++;
            }
            return 0;
        }
    }
    ev = event_begin(event_of[nr], (__s64)nr, res);
    if (!ev)
        return 0;
    put_call_args(ev, regs, call.way);
    put_fd(ev, ev->h.event, res);
    if (plan.task)
        keep_begin(&kept, ev);
    rule = left ? event_judge(ev, rule_filter_calls) : 0;
    if (plan.task)
        keep_end(&kept, ev, task);
    event_end(ev, rule, rule_filter_calls);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
