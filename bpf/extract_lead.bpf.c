/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Processes that stand for others: the leaders of the process group and of the session, and the
 * shell of the login.
 *
 * A leader need not be an ancestor (in `a | b` the shell's child a leads b), so it is looked up by
 * its number where the kernel has a function for that (6.2). If it is gone, the last ancestor in a
 * row that is in the same group or session stands for it, as in the language.
 */
#include "text_load.h"

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

/* ---- LEAD ---- */

static __always_inline __u64 pid_by(struct task_struct *task, bool session)
{
    return session ? session_of(task) : group_of(task);
}

struct row {
    struct task_struct *task; /* the last that is in it */
    __u64 pid;
    __u32 session, any;
};

static long row_step(__u32 i, struct row *r)
{
    struct task_struct *up = r->task->real_parent->group_leader;

    if (up->tgid == 0 || pid_by(up, r->session) != r->pid)
        return 1;
    r->task = up;
    r->any = 1;
    return 0;
}

static __always_inline void put_leader(struct ev *ev, struct task_struct *task, bool session)
{
    struct proc_state *st = state_of(task);
    __u64 mm = KADDR(struct task_struct, task, mm);

    if (session) {
        put_text(ev, S_SID_EXE, 0, ST_UNKNOWN);
        if (st && args_load(task, st))
            put_exe(ev, S_SID_EXE, ev->s_SID_EXE, st);
        put_exepath(ev, S_SID_EXEPATH, ev->s_SID_EXEPATH, mm);
        return;
    }
    put_task_name(ev, S_PG_NAME, ev->s_PG_NAME, task, st);
    put_text(ev, S_PG_EXE, 0, ST_UNKNOWN);
    if (st && args_load(task, st))
        put_exe(ev, S_PG_EXE, ev->s_PG_EXE, st);
    put_exepath(ev, S_PG_EXEPATH, ev->s_PG_EXEPATH, mm);
}

static __always_inline bool may_look_up(void)
{
    __u64 may;

    asm volatile("%0 = %1" : "=r"(may) : "i"(MAY_NOT_LOOK_UP));
    return may == MAY_LOOK_UP;
}

/*
 * True: the leader is there. A program of hook_test.bpf.c may not look tasks up; its plan names no
 * groups, so that the verifier sees nothing of it.
 */
static __always_inline bool by_number(struct ev *ev, __u64 pid, bool session)
{
    struct task_struct *task;

    if (!(plan.groups & GROUP_BIT(G_LEAD)) || !bpf_core_type_exists(struct bpf_iter_num) ||
        !may_look_up())
        return false;
    task = bpf_task_from_pid(pid_nr(pid, 0));
    if (!task)
        return false;
    put_leader(ev, task, session);
    bpf_task_release(task);
    return true;
}

static __always_inline void unknown_leader(struct ev *ev, bool session)
{
    if (session) {
        put_text(ev, S_SID_EXE, 0, ST_UNKNOWN);
        put_text(ev, S_SID_EXEPATH, 0, ST_UNKNOWN);
        return;
    }
    put_text(ev, S_PG_NAME, 0, ST_UNKNOWN);
    put_text(ev, S_PG_EXE, 0, ST_UNKNOWN);
    put_text(ev, S_PG_EXEPATH, 0, ST_UNKNOWN);
}

static __always_inline void put_lead(struct ev *ev, bool session)
{
    struct work *w = work_get();
    struct row r = {.task = bpf_get_current_task_btf()->group_leader};

    if (!w)
        return;
    r.pid = pid_by(r.task, session);
    r.session = untold(w, session);
    r.any = untold(w, pid_of(r.task) == r.pid);
    if (by_number(ev, r.pid, session))
        return;
    bpf_loop(ANC_MAX, row_step, &r, 0);
    if (!may_look_up() && pid_of(r.task) != r.pid)
        unknown_leader(ev, session); /* it may be elsewhere */
    else if (r.any)
        put_leader(ev, r.task, session);
}

__attribute__((noinline)) int extract_lead(struct ev *ev)
{
    if (!ev)
        return 0;
    __builtin_memset(ev->s_PG_NAME, 0, COMM_SIZE);
    put_text(ev, S_PG_NAME, 0, ST_PRESENT);
    put_text(ev, S_PG_EXE, 0, ST_PRESENT);
    put_text(ev, S_PG_EXEPATH, 0, ST_PRESENT);
    put_text(ev, S_SID_EXE, 0, ST_PRESENT);
    put_text(ev, S_SID_EXEPATH, 0, ST_PRESENT);
    put_lead(ev, false);
    put_lead(ev, true);
    return 0;
}

/* ---- SHELL ---- */

struct shell_walk {
    struct task_struct *task;
    struct ev *ev;
};

/* The process itself, then each above it: the last one whose name ends in `sh` is the login's. */
static long shell_step(__u32 i, struct shell_walk *s)
{
    struct task_struct *task = s->task;
    struct work *w = work_get();
    const char *end;
    __u32 n;

    if (!w || task->tgid == 0)
        return 1;
    if (!read_name(w->live.comm, task))
        return 1; /* nor is what stands above */
    n = name_len(w->live.comm);
    OPAQUE(n);
    end = w->live.comm + (n & (COMM_SIZE - 1)); /* the bytes before a name of none are no `sh` */
    if (n >= 2 && end[-2] == 's' && end[-1] == 'h')
        put_num(s->ev, N_LOGIN_SHELL, task->tgid);
    s->task = task->real_parent->group_leader;
    return 0;
}

__attribute__((noinline)) int extract_shell(struct ev *ev)
{
    struct shell_walk s = {.task = bpf_get_current_task_btf()->group_leader, .ev = ev};

    if (!ev)
        return 0;
    put_state(ev, N_LOGIN_SHELL, ST_ABSENT);
    bpf_loop(ANC_MAX + 1, shell_step, &s, 0);
    if (s.task->tgid != 0)
        put_state(ev, N_LOGIN_SHELL, ST_UNKNOWN); /* there are more above */
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
