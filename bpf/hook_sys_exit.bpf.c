/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The exit of a system call: nearly all events. */
#include "judge.h"
#include "call.h"
#include "lane.h"

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

/* The same of what the 32-bit ipc does. */
#define NR_IPC 117
#define IPC_COUNT 32
#define IPC_SEMOP 1
#define IPC_SEMTIMEDOP 4
static const volatile __u16 native_of_ipc[IPC_COUNT] = {
#define IPCCALL(number, nr) [number] = (nr) + 1,
#include "../grammar/syscalls.def"
};

/* Numbers that x86-64 does not use stand for calls that only 32-bit programs have. */
#define OWN_FIRST 337
#define OWN_END NR_UNIFIED

/* 32-bit calls with times of 64 bits. */
#define TIME64_FIRST 403
#define TIME64_LAST 423

/* From this number on a new call has the same one on all machines. */
#define NR_UNIFIED 424

/* Bit per number by which a native or a 32-bit program asks for a call that any rule can match. */
const volatile __u64 call_numbers[NR_COUNT / 64] SEC(".rodata") = {
    [0 ... NR_COUNT / 64 - 1] = ~0ull, /* until user space has looked */
};

#define NR_CLOSE 3
#define NR_RECVMMSG 299
#define NR_SENDMMSG 307

/* Of sendmmsg and recvmmsg: messages that are events each, and sizes of struct mmsghdr. */
#define MESSAGES_MAX 16 /* each is verified apart */
#define MESSAGE_SIZE 64
#define MESSAGE_SIZE_32 32

#define NR_EXECVE 59
#define NR_EXECVEAT 322

/* How a call was made: where its arguments are, and how large what they point at is. */
enum way { WAY_NATIVE, WAY_X32, WAY_IA32, WAY_SOCKETCALL, WAY_IPC };

struct call {
    __u64 nr; /* the 64-bit one; NR_COUNT or more: none that an event is made of */
    enum way way;
};

static __always_inline __u64 of_table(const volatile __u16 *table, __u64 i, __u64 count)
{
    return i < count && table[i] ? table[i] - 1ull : NR_COUNT;
}

/* What socketcall or ipc was asked to do; the latter's number may have a version above it. */
static __always_inline struct call call_within(struct pt_regs *regs, bool ipc)
{
    if (ipc)
        return (struct call){of_table(native_of_ipc, (__u16)regs->bx, IPC_COUNT), WAY_IPC};
    return (struct call){of_table(native_of_socket, (__u32)regs->bx, SOCKET_COUNT), WAY_SOCKETCALL};
}

static __always_inline struct call call_of(struct pt_regs *regs, __u64 nr, bool compat)
{
    if (compat) {
        if (nr == NR_SOCKETCALL || nr == NR_IPC) {
            struct call inner = call_within(regs, nr == NR_IPC);

            if (inner.nr < NR_COUNT)
                return inner;
        }
        if (nr < NR_UNIFIED || nr >= NR_COUNT || native_of[nr])
            nr = of_table(native_of, nr, NR_COUNT);
        return (struct call){nr, WAY_IA32};
    }
    if ((nr & ~0xffffull) == X32_BIT)
        nr &= ~(__u64)X32_BIT;
    else if (nr >= X32_FIRST)
        return (struct call){NR_COUNT, WAY_NATIVE};
    if (nr < X32_FIRST)
        return (struct call){nr - OWN_FIRST < OWN_END - OWN_FIRST ? NR_UNUSED : nr, WAY_NATIVE};
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
    if (way == WAY_IPC) { /* call, first, second, third, pointer */
        bool semop = (__u16)regs->bx == IPC_SEMOP || (__u16)regs->bx == IPC_SEMTIMEDOP;

        ev->args[0] = (__u32)regs->cx;
        ev->args[1] = semop ? (__u32)regs->di : (__u32)regs->dx;
        ev->args[2] = semop ? (__u32)regs->dx : (__u32)regs->si;
        ev->args[3] = (__u32)regs->di;
        return;
    }
    if (way == WAY_IA32) {
        ev->time64 = regs->orig_ax - TIME64_FIRST <= TIME64_LAST - TIME64_FIRST;
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

/* What is known of a call before its event is made. */
struct look {
    struct task_struct *task;
    struct kept kept; /* of the task */
    int left;         /* enum left_answer */
};

static __always_inline int ask_left(const struct look *l, __u32 event, __u32 class, __u64 sketch)
{
    __u64 bits[2];

    keep_bits(&l->kept, bits);
    return rule_left(event, class, bits[0], bits[1], sketch);
}

static __always_inline struct look look_at(struct task_struct *task, const struct cred *cred,
                                           __u32 event, __u32 class)
{
    struct look l = {.task = task, .left = LEFT_ANY};

    if (!plan.task && !sketch_head.shift)
        return l;
    if (plan.task)
        l.kept = keep_find(task, cred);
    l.left = ask_left(&l, event, class, SKETCH_UNKNOWN);
    return l;
}

/* Was the call that was remembered last this task's? Of most calls it is another one's. */
static __always_inline bool may_be_again(struct task_struct *task)
{
    struct work *w = work_get();

    return w && w->again.id.ref.task == (__u64)task;
}

/*
 * Is a native call the one that was remembered, and is the one lane still closed that was then? It
 * is counted for that. A function of its own, because the hook's frame has no room for it.
 */
static __attribute__((noinline)) bool limited_again(struct pt_regs *regs, __s64 res,
                                                    struct task_struct *task)
{
    const struct cred *cred = plan.task & TASK_CRED ? task->cred : NULL;
    __u64 generation = plan.task ? keep_generation() : 0; /* as of an event that was judged */
    struct work *w = work_get();
    const struct again *a;

    if (!w)
        return false;
    a = &w->again;
    if (task->thread_info.status & TS_COMPAT || a->nr != regs->orig_ax || a->res != res ||
        a->args[0] != regs->di || a->args[1] != regs->si || a->args[2] != regs->dx ||
        a->args[3] != regs->r10 || !keep_is(&a->id, task, cred, generation) ||
        !lane_is_shut(w, a->limited) || !open_again(w, (__u64)task))
        return false;
    lane_count(a->event, a->limited);
    return true;
}

/* The call's event, as far as a look at its path needs it. */
static __always_inline struct ev *take_call(struct pt_regs *regs, struct call call, __s64 res,
                                            struct task_struct *task)
{
    struct ev *ev = event_take(event_of[call.nr], task);

    if (!ev)
        return NULL;
    put_call_args(ev, regs, call.way);
    put_fd(ev, ev->h.event, res);
    ev->h.num[N_SYSNR] = (__s64)call.nr;
    ev->h.num[N_RES] = res;
    return ev;
}

/*
 * By way of memory: what follows is then verified once, whatever was found. The class is found anew
 * for the same reason: kept, it would be a constant on each of several ways.
 */
static __always_inline bool is_left(struct ev *ev, struct pt_regs *regs, struct call call,
                                    __s64 res, const struct look *look)
{
    ev->left = look->left != LEFT_NONE;
    if (sketch_head.shift && look->left == LEFT_BY_PATH && event_is_open(ev->h.event)) {
        path_sketch(ev);
        ev->left = ev->sketch && ask_left(look, ev->h.event, class_of(call.nr, call.way, regs, res),
                                          ev->sketch) != LEFT_NONE;
    }
    return *(volatile __u8 *)&ev->left;
}

/* Number and result by way of memory, too: each is a constant where it was compared with one. */
static __always_inline void judge_call(struct ev *ev, const struct look *look)
{
    __s64 nr = *(volatile __s64 *)&ev->h.num[N_SYSNR], res = *(volatile __s64 *)&ev->h.num[N_RES];
    int rule;

    event_clear(ev, look->task, nr, res);
    put_fd(ev, ev->h.event, res);
    if (plan.task)
        keep_begin(&look->kept, ev);
    rule = ev->left ? event_judge(ev, rule_filter_calls) : 0;
    if (plan.task)
        keep_end(&look->kept, ev);
    event_end(ev, rule, rule_filter_calls);
}

/* Of a call with several messages, before the event of the first is gone. */
static __always_inline void keep_messages(const struct ev *ev)
{
    struct work *w = work_get();

    if (!w)
        return;
    __builtin_memcpy(w->messages.args, ev->args, sizeof(ev->args));
    w->messages.compat = ev->compat;
    w->messages.time64 = ev->time64;
    w->messages.left = ev->left;
}

/* The event of another one, as if the vector of messages began there. */
static __always_inline struct ev *take_message(__u64 nr, __u32 i, const struct look *look)
{
    struct ev *ev = event_take(event_of[nr], look->task);
    struct work *w = work_get();

    if (!ev || !w)
        return NULL;
    __builtin_memcpy(ev->args, w->messages.args, sizeof(ev->args));
    ev->compat = w->messages.compat;
    ev->time64 = w->messages.time64;
    ev->left = w->messages.left;
    ev->args[1] += i * (ev->compat ? MESSAGE_SIZE_32 : MESSAGE_SIZE);
    return ev;
}

/* An event for each message but the first; of those that are too many it is known that they were.
 */
static __always_inline void judge_messages(__u64 nr, __s64 res, const struct look *look)
{
    __u32 i;

    for (i = 1; i < MESSAGES_MAX && i < res; i++) {
        struct ev *ev = take_message(nr, i, look);

        if (!ev)
            return;
        ev->h.num[N_SYSNR] = (__s64)nr;
        ev->h.num[N_RES] = res;
        judge_call(ev, look);
    }
    if (res > MESSAGES_MAX)
        count_unjudged(event_of[nr], (__u64)res - MESSAGES_MAX);
}

static __always_inline bool has_messages(__u64 nr)
{
    return (syscall_wanted(NR_SENDMMSG) && nr == NR_SENDMMSG) ||
           (syscall_wanted(NR_RECVMMSG) && nr == NR_RECVMMSG);
}

/*
 * A call that no rule names, whichever way it was made: most are. Told before even the task is
 * looked at, because what each call of the machine touches is no longer at hand when a call comes.
 */
static __always_inline bool is_no_call(__u64 nr)
{
    return nr < OWN_FIRST && !bit_of(call_numbers, nr);
}

/* The same, of those whose number means a call that a rule names to a 32-bit program alone. */
static __always_inline bool is_no_event(__u64 nr, bool compat)
{
    return !compat && nr < OWN_FIRST && !syscall_wanted(nr);
}

/*
 * The kernel's compiler puts a program's end where its first `exit` is, and clang has but one, as
 * the last instruction. Far from the beginning it can cost each call some 12 ns.
 */
#define END_HERE()                                                                                 \
    do {                                                                                           \
        asm volatile("r0 = 0; exit");                                                              \
        __builtin_unreachable();                                                                   \
    } while (0)

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long res)
{
    __u64 nr = regs->orig_ax; /* -1: cancelled */
    struct task_struct *task;
    const struct cred *cred;
    struct call call;
    struct look look;
    struct ev *ev;
    bool compat, exec;

    if (is_no_call(nr))
        END_HERE();
    task = bpf_get_current_task_btf();
    if (may_be_again(task) && limited_again(regs, res, task))
        return 0;
    compat = task->thread_info.status & TS_COMPAT;
    if (is_no_event(nr, compat))
        END_HERE();
    cred = plan.task & TASK_CRED ? task->cred : NULL; /* walked to before what forks */
    call = call_of(regs, nr, compat);
    nr = call.nr;
    if (nr >= NR_COUNT || !syscall_wanted(nr) || nr == NR_CLOSE)
        return 0; /* a close was judged before it was made (hook_trace.bpf.c) */
    /* A program that was just started, 32-bit or not: its own hook reports it. */
    exec = nr == NR_EXECVE || nr == NR_EXECVEAT;
    if (exec && (res == 0 || !plan.failed_exec))
        return 0;
    if (compat)
        res = (__s32)res;
    look = look_at(task, cred, event_of[nr], class_of(nr, call.way, regs, res));
    if (look.left == LEFT_NONE && !plan.audit) {
        count_filtered(bpf_get_smp_processor_id(), event_of[nr]);
        return 0;
    }
    ev = take_call(regs, call, res, task);
    if (!ev)
        return 0;
    if (!is_left(ev, regs, call, res, &look) && !plan.audit) {
        count_filtered(bpf_get_smp_processor_id(), event_of[nr]);
        return 0;
    }
    if (has_messages(nr))
        keep_messages(ev);
    judge_call(ev, &look);
    if (has_messages(nr))
        judge_messages(nr, res, &look);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
