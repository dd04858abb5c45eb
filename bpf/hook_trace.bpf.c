/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Events that are no system call, and the one that must be judged before it is made: the end of a
 * thread, a signal that is taken, a change of the running thread; close.
 *
 * What a tracepoint says becomes the arguments of the event (args.def).
 */
#include "judge.h"
#include "call.h"

#define JUDGE(ctx) bpf_tail_call(ctx, &judges, 0)

/* An event of no call, if it is asked for: it has no result. */
static __always_inline struct ev *trace_begin(__u32 event, __u32 nr)
{
    struct ev *ev = syscall_wanted(nr) ? event_begin(event, nr, 0) : NULL;

    if (ev) {
        put_state(ev, N_RES, ST_ABSENT);
        ev->h.st[N_SYSNR] = ST_ABSENT;
    }
    return ev;
}

/* ---- close ---- */

#define NR_CLOSE 3
#define NR_CLOSE_IA32 6
#define X32_BIT 0x40000000ull

SEC("raw_tp/sys_enter")
int on_sys_enter(__u64 *ctx)
{
    struct task_struct *task = bpf_get_current_task_btf();
    bool compat = task->thread_info.status & TS_COMPAT;
    __u64 regs = ctx[0], nr = ctx[1];
    struct ev *ev;

    if (compat ? nr != NR_CLOSE_IA32 : (nr & ~X32_BIT) != NR_CLOSE)
        return 0;
    ev = syscall_wanted(NR_CLOSE) ? event_begin(EV_close, NR_CLOSE, 0) : NULL;
    if (!ev)
        return 0;
    ev->compat = compat;
    ev->args[0] = compat ? KREAD(struct pt_regs, regs, bx) : KREAD(struct pt_regs, regs, di);
    put_fd(ev, EV_close, 0);
    put_close_result(ev);
    JUDGE(ctx);
    return 0;
}

/* ---- procexit ---- */

#define THREADS_SEEN 64 /* of a group, in search of one that lives; and of ancestors */

struct search {
    __u64 at;   /* a thread's node in its group's list; or an ancestor */
    __u64 head; /* of the list */
    __u64 found;
};

static long thread_step(__u32 i, struct search *s)
{
    __u64 task = s->at - bpf_core_field_offset(struct task_struct, thread_node);

    if (s->at == s->head)
        return 1;
    s->at = KADDR(struct list_head, s->at, next);
    if (KREAD(struct task_struct, task, flags) & PF_EXITING)
        return 0;
    s->found = task;
    return 1;
}

/* A thread of the task's group that does not end; 0: none was found. */
static __always_inline __u64 living_thread(__u64 task)
{
    __u64 signal = KADDR(struct task_struct, task, signal);
    struct search s = {.head = signal + bpf_core_field_offset(struct signal_struct, thread_head)};
    struct work *w = work_get();

    if (!w)
        return 0;
    s.at = KADDR(struct list_head, s.head, next) + untold(w, 0);
    s.found = untold(w, 0);
    bpf_loop(THREADS_SEEN, thread_step, &s, 0);
    return s.found;
}

static long subreaper_step(__u32 i, struct search *s)
{
    struct signal_struct *signal = (void *)KADDR(struct task_struct, s->at, signal);

    if (s->at == s->head)
        return 1;
    if (BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper)) {
        s->found = s->at;
        return 1;
    }
    s->at = KADDR(struct task_struct, s->at, real_parent);
    return 0;
}

/* Who inherits the task's children, as the kernel chooses. */
static __always_inline __u64 reaper_of(__u64 task)
{
    __u64 pid = KADDR(struct task_struct, task, thread_pid), thread = living_thread(task);
    __u64 init =
        KADDR(struct pid_namespace, pid_ns(pid, KREAD(struct pid, pid, level)), child_reaper);
    struct signal_struct *signal = (void *)KADDR(struct task_struct, task, signal);
    struct search s = {.head = init};
    struct work *w = work_get();

    if (thread || !w || task == init)
        return thread;
    if (!BPF_CORE_READ_BITFIELD_PROBED(signal, has_child_subreaper))
        return init;
    s.at = KADDR(struct task_struct, task, real_parent) + untold(w, 0);
    s.found = untold(w, 0);
    bpf_loop(THREADS_SEEN, subreaper_step, &s, 0);
    thread = s.found ? living_thread(s.found) : 0;
    return thread ? thread : init;
}

SEC("raw_tp/sched_process_exit")
int on_exit(__u64 *ctx)
{
    __u64 task = ctx[0], reaper;
    struct ev *ev;
    __u32 code;

    keep_parent_changed(task); /* its children will have another parent */
    ev = trace_begin(EV_procexit, TRACE_procexit);
    if (!ev)
        return 0;
    code = (__u32)KREAD(struct task_struct, task, exit_code);
    ev->args[0] = code;
    ev->args[1] = code >> 8 & 0xff;
    ev->args[2] = code & 0x7f;
    ev->args[3] = code >> 7 & 1;
    reaper = keep_has_children(task) ? reaper_of(task) : 0;
    ev->args[4] = reaper ? (__u64)KREAD(struct task_struct, reaper, pid) : 0;
    JUDGE(ctx);
    return 0;
}

/* ---- signaldeliver ---- */

#define SIGRTMIN 32
enum { SIGHUP = 1, SIGINT, SIGQUIT, SIGKILL = 9, SIGTERM = 15, SIGCHLD = 17, SIGTSTP = 20 };

/* siginfo_t, which is the same for programs. */
struct siginfo {
    __s32 signo, error, code, pad, pid;
};

/* Who sent it; 0: not told, as the language has it. */
static __always_inline __s32 sender(__s32 sig, __u64 info)
{
    struct siginfo i = {};

    if (bpf_probe_read_kernel(&i, sizeof(i), (void *)info))
        return 0;
    switch (sig) {
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGTERM:
    case SIGTSTP:
        return i.code == 0 ? i.pid : 0;
    case SIGKILL:
    case SIGCHLD:
        return i.pid;
    }
    return sig >= SIGRTMIN ? i.pid : 0;
}

SEC("raw_tp/signal_deliver")
int on_signal(__u64 *ctx)
{
    struct ev *ev = trace_begin(EV_signaldeliver, TRACE_signaldeliver);

    if (!ev)
        return 0;
    ev->args[0] = (__u64)(__s64)sender((__s32)ctx[0], ctx[1]);
    ev->args[1] = (__u64)ev->h.num[N_TID];
    ev->args[2] = ctx[0];
    JUDGE(ctx);
    return 0;
}

/* ---- switch ---- */

SEC("raw_tp/sched_switch")
int on_switch(__u64 *ctx)
{
    __u64 next = ctx[2];
    struct ev *ev = trace_begin(EV_switch, TRACE_switch);

    if (!ev)
        return 0;
    ev->args[0] = (__u64)KREAD(struct task_struct, next, pid);
    JUDGE(ctx);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
