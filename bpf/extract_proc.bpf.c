/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The process and those above it: numbers, identity, arguments, directories. (Names of ancestors:
 * extract_anc.bpf.c.)
 *
 * What an exec fixes comes from the state in `procs` (state_live.h); identity, parents and ids of
 * sessions from the kernel's own objects, as they are now.
 */
#include "probe.h"
#include "text_load.h"

static __always_inline struct proc_state *state_of_current(void)
{
    return state_of(bpf_get_current_task_btf()->group_leader);
}

/* ---- PROC ---- */

static __always_inline __u64 pidns_start(__u64 pid, __u32 level)
{
    __u64 ns = pid_ns(pid, level);

    return boot_offset_ns + KREAD(struct pid_namespace, ns, child_reaper, start_boottime);
}

static __always_inline void put_parent(struct ev *ev, struct task_struct *parent, __u32 level)
{
    if (parent->tgid == 0) {
        put_state(ev, N_PVPID, ST_ABSENT);
        put_state(ev, N_PSTART_TS, ST_ABSENT);
        return;
    }
    if (level)
        put_num(ev, N_PVPID,
                pid_nr(KADDR(struct task_struct, parent, group_leader, thread_pid), level));
    else
        put_num(ev, N_PVPID, parent->tgid);
    put_num(ev, N_PSTART_TS, (__s64)(parent->start_boottime + boot_offset_ns));
}

/* Threads have one parent, and one namespace. What is walked to as a pointer is before what forks.
 */
static __always_inline void put_tree(struct ev *ev, struct task_struct *task)
{
    struct task_struct *parent = task->real_parent;
    __u32 level = task->thread_pid->level, above = parent->thread_pid->level;
    __s64 session = task->signal->pids[PID_OF_SESSION]->numbers[0].nr;

    put_num(ev, N_PPID, parent->tgid);
    put_num(ev, N_START_TS, (__s64)(task->start_boottime + boot_offset_ns));
    if (level == 0) { /* most: the numbers are the task's own, and no helper is needed */
        put_num(ev, N_VTID, task->pid);
        put_num(ev, N_SID, session);
        put_num(ev, N_PIDNS_TS, (__s64)boot_offset_ns);
    } else {
        put_num(ev, N_VTID, pid_nr(pid_of(task), level));
        put_num(ev, N_SID, pid_nr(session_of(task), level));
        put_num(ev, N_PIDNS_TS, (__s64)pidns_start(pid_of(task), level));
    }
    put_parent(ev, parent, above);
}

static __always_inline void put_nonzero(struct ev *ev, __u32 slot, __u64 value)
{
    if (value)
        put_num(ev, slot, (__s64)value);
    else
        put_state(ev, slot, ST_ABSENT);
}

static __always_inline void put_state_numbers(struct ev *ev, struct proc_state *st)
{
    put_num(ev, N_VPID, st->vpid);
    put_num(ev, N_PGID, st->pgid);
    put_num(ev, N_VPGID, st->vpgid);
    put_num(ev, N_TTY, st->tty);
    put_num(ev, N_EXE_FLAGS, st->exe_flags);
    put_num(ev, N_EXE_WRITABLE, !!(st->exe_flags & EXE_F_WRITABLE));
    put_num(ev, N_EXE_UPPER, !!(st->exe_flags & EXE_F_UPPER));
    put_num(ev, N_EXE_LOWER, !!(st->exe_flags & EXE_F_LOWER));
    put_num(ev, N_EXE_MEMFD, !!(st->exe_flags & EXE_F_MEMFD));
    put_nonzero(ev, N_EXE_INO, st->exe_ino);
    put_nonzero(ev, N_EXE_CTIME, st->exe_ctime);
    put_nonzero(ev, N_EXE_MTIME, st->exe_mtime);
}

/* container.id: the first digits of an id, an LXC name as it is; zeros behind. */
static __always_inline void put_container_id(struct ev *ev, struct proc_state *st)
{
    __u32 len = st->container_len;

    if (len > sizeof(ev->s_CONTAINER_ID))
        len = sizeof(ev->s_CONTAINER_ID);
    __builtin_memcpy(ev->s_CONTAINER_ID, st->container_id, sizeof(ev->s_CONTAINER_ID));
    if (st->container_kind != CONTAINER_LXC && len > CONTAINER_ID_SHOWN) {
        len = CONTAINER_ID_SHOWN;
        __builtin_memset(ev->s_CONTAINER_ID + CONTAINER_ID_SHOWN, 0,
                         sizeof(ev->s_CONTAINER_ID) - CONTAINER_ID_SHOWN);
    }
    put_text(ev, S_CONTAINER_ID, len, st->container_state ? st->container_state : ST_UNKNOWN);
}

__attribute__((noinline)) int extract_proc(struct ev *ev)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct work *w = work_get();
    struct proc_state *st;

    if (!ev || !w)
        return 0;
    put_tree(ev, task);
    st = state_of_current();
    if (!st) {
        st = &w->live;
        state_live(st);
    }
    put_state_numbers(ev, st);
    put_name(ev, S_NAME, ev->s_NAME, st->comm);
    if (st == &w->live && !counts_own_name(task))
        put_text(ev, S_NAME, 0, ST_UNKNOWN);
    put_container_id(ev, st);
    return 0;
}

/* ---- CONTAINER ---- */

__attribute__((noinline)) int extract_container(struct ev *ev)
{
    struct work *w = work_get();
    struct proc_state *st;
    __u32 len;

    if (!ev || !w)
        return 0;
    st = state_of_current();
    if (!st) {
        st = &w->live;
        state_live(st);
    }
    len = st->container_kind == CONTAINER_HOST ? 0 : st->container_len;
    if (len > sizeof(ev->s_CONTAINER_FULL))
        len = sizeof(ev->s_CONTAINER_FULL);
    __builtin_memcpy(ev->s_CONTAINER_FULL, st->container_id, sizeof(ev->s_CONTAINER_FULL));
    put_num(ev, N_CONTAINER_KIND, st->container_kind);
    put_text(ev, S_CONTAINER_FULL, len, st->container_state ? st->container_state : ST_UNKNOWN);
    return 0;
}

/* ---- CRED ---- */

static __always_inline void put_caps(struct ev *ev, const struct cred *cred)
{
    const __u64 known = (1ull << 41) - 1;

    put_num(ev, N_CAP_EFFECTIVE, (__s64)(cred->cap_effective.val & known));
    put_num(ev, N_CAP_PERMITTED, (__s64)(cred->cap_permitted.val & known));
    put_num(ev, N_CAP_INHERITABLE, (__s64)(cred->cap_inheritable.val & known));
}

__attribute__((noinline)) int extract_cred(struct ev *ev)
{
    struct task_struct *task = bpf_get_current_task_btf();
    const struct cred *cred = task->cred;
    struct proc_state *st;

    if (!ev)
        return 0;
    put_num(ev, N_UID, cred->euid.val);
    put_num(ev, N_GID, cred->egid.val);
    put_caps(ev, cred);
    st = state_of_current();
    if (st)
        put_num(ev, N_LOGINUID, (__s32)st->loginuid);
    else if (bpf_core_field_exists(task->loginuid))
        put_num(ev, N_LOGINUID, (__s32)task->loginuid.val);
    else
        put_num(ev, N_LOGINUID, -1);
    return 0;
}

/* ---- EXE, CMD ---- */

/* Once args_load() has them: the arguments behind the first, how many bytes and where. */
static __always_inline __u32 rest_of(struct proc_state *st, __u32 *at)
{
    __u32 exe = st->exe_len, all = st->args_len;

    *at = exe + 1;
    if (exe >= ARGS_CAP - 1 || all > ARGS_CAP || all <= exe + 1)
        return 0;
    return all - exe - 1;
}

/* These to a place for ARGS_CAP bytes; their number. */
static __always_inline __u32 copy_rest(char *to, struct proc_state *st)
{
    struct work *w = work_get();
    __u32 at, n = rest_of(st, &at);

    at &= ARGS_CAP - 1;
    OPAQUE(n);
    if (w && n && n <= ARGS_CAP - at)
        bpf_probe_read_kernel(to, n & (ARGS_CAP - 1), w->fold + at);
    return n;
}

static __always_inline void put_args(struct ev *ev, __u32 slot, char *to, struct proc_state *st)
{
    put_text(ev, slot, copy_rest(to, st), args_state(st, false));
}

/* proc.cmdline: name, and a blank before each argument. */
static __always_inline void put_cmdline(struct ev *ev, __u32 slot, char *to, struct proc_state *st)
{
    __u32 len = name_len(st->comm);

    __builtin_memcpy(to, st->comm, COMM_SIZE);
    len &= COMM_SIZE - 1;
    if (st->nargs) {
        to[len++] = ' ';
        len += copy_rest(to + len, st);
    }
    put_text(ev, slot, len, args_state(st, false));
}

__attribute__((noinline)) int extract_exe(struct ev *ev)
{
    struct task_struct *leader = bpf_get_current_task_btf()->group_leader;
    struct proc_state *st = state_of(leader);

    if (!ev)
        return 0;
    put_text(ev, S_EXE, 0, ST_UNKNOWN);
    if (st && args_load(leader, st))
        put_exe(ev, S_EXE, ev->s_EXE, st);
    return 0;
}

__attribute__((noinline)) int extract_cmd(struct ev *ev)
{
    struct task_struct *leader = bpf_get_current_task_btf()->group_leader;
    struct proc_state *st = state_of(leader);

    if (!ev)
        return 0;
    if (!st || !args_load(leader, st)) {
        put_state(ev, N_CMD_NARGS, ST_UNKNOWN);
        put_text(ev, S_ARGS, 0, ST_UNKNOWN);
        put_text(ev, S_CMDLINE, 0, ST_UNKNOWN);
        return 0;
    }
    ev->h.num[N_CMD_NARGS] = st->nargs;
    ev->h.st[N_CMD_NARGS] = st->args_state == ST_PRESENT ? ST_PRESENT : ST_UNKNOWN;
    put_args(ev, S_ARGS, ev->s_ARGS, st);
    put_cmdline(ev, S_CMDLINE, ev->s_CMDLINE, st);
    return 0;
}

/* ---- ENV, ENVRAW ---- */

/* The process's environment to a text slot, as it is; its length. */
static __always_inline __u32 put_env(struct ev *ev, __u32 slot, char *to)
{
    struct task_struct *leader = bpf_get_current_task_btf()->group_leader;
    struct proc_state *st = state_of(leader);

    put_text(ev, slot, 0, ST_UNKNOWN);
    if (!st || !env_load(leader, st, to))
        return 0;
    put_text(ev, slot, st->env_len, st->env_state);
    return ev->h.len[slot];
}

/* Turns the NULs of so many bytes to blanks. */
#define JOINED 64
static long join_step(__u32 i, void *unused)
{
    __u32 cpu = bpf_get_smp_processor_id();
    struct ev *ev = bpf_map_lookup_elem(&scratch, &cpu);
    __u64 *word;

    if (!ev || i >= ENV_CAP / JOINED)
        return 1;
    word = (__u64 *)(ev->s_ENV + i * JOINED);
#pragma unroll
    for (__u32 k = 0; k < JOINED / 8; k++)
        word[k] = match_blank8(word[k]);
    return 0;
}

__attribute__((noinline)) int extract_env(struct ev *ev)
{
    if (ev)
        bpf_loop((put_env(ev, S_ENV, ev->s_ENV) + JOINED - 1) / JOINED, join_step, NULL, 0);
    return 0;
}

__attribute__((noinline)) int extract_envraw(struct ev *ev)
{
    if (ev)
        put_env(ev, S_ENV_RAW, ev->s_ENV_RAW);
    return 0;
}

/* ---- EXEPATH, PEXEPATH, CWD ---- */

__attribute__((noinline)) int extract_exepath(struct ev *ev)
{
    if (ev)
        put_exepath(ev, S_EXEPATH, ev->s_EXEPATH,
                    KADDR(struct task_struct, bpf_get_current_task_btf(), mm));
    return 0;
}

__attribute__((noinline)) int extract_pexepath(struct ev *ev)
{
    struct task_struct *parent = bpf_get_current_task_btf()->real_parent;

    if (!ev)
        return 0;
    if (parent->tgid == 0)
        put_text(ev, S_PEXEPATH, 0, ST_ABSENT);
    else
        put_exepath(ev, S_PEXEPATH, ev->s_PEXEPATH,
                    KADDR(struct task_struct, parent, group_leader, mm));
    return 0;
}

__attribute__((noinline)) int extract_cwd(struct ev *ev)
{
    __u32 n;

    if (!ev)
        return 0;
    put_path(ev, S_CWD, ev->s_CWD, path_of_cwd());
    n = ev->h.len[S_CWD];
    if (n > 1 && n < PATH_CAP) {
        ev->s_CWD[n] = '/';
        ev->h.len[S_CWD] = n + 1;
    }
    return 0;
}

/* ---- PARENT ---- */

__attribute__((noinline)) int extract_parent(struct ev *ev)
{
    struct task_struct *parent = bpf_get_current_task_btf()->real_parent->group_leader;
    struct proc_state *st;

    if (!ev)
        return 0;
    if (parent->tgid == 0) {
        put_text(ev, S_PNAME, 0, ST_ABSENT);
        put_text(ev, S_PEXE, 0, ST_ABSENT);
        put_text(ev, S_PCMDLINE, 0, ST_ABSENT);
        return 0;
    }
    st = state_of(parent);
    put_task_name(ev, S_PNAME, ev->s_PNAME, parent, st);
    put_text(ev, S_PEXE, 0, ST_UNKNOWN);
    put_text(ev, S_PCMDLINE, 0, ST_UNKNOWN);
    if (st && args_load(parent, st)) {
        put_exe(ev, S_PEXE, ev->s_PEXE, st);
        put_cmdline(ev, S_PCMDLINE, ev->s_PCMDLINE, st);
    }
    return 0;
}

/* ---- EXTRA ---- */

/*
 * The task is in a loop's context and not on this CPU's work, because only there the verifier knows
 * what it points to.
 */
struct climb {
    struct task_struct *task; /* leader of its thread group */
};

/* Ends at the first task, which has no number: above it is nothing. */
static long climb_step(__u32 i, struct climb *c)
{
    c->task = c->task->real_parent->group_leader;
    return c->task->tgid == 0;
}

/* Plain EXE, CMDLINE and ARGS of an ancestor from its state, into one of the slots X0..X3. */
static __always_inline void put_extra(struct ev *ev, __u32 slot, char *to,
                                      const volatile struct extra_want *want)
{
    struct climb c = {.task = bpf_get_current_task_btf()->group_leader};
    struct proc_state *st;

    put_text(ev, slot, 0, ST_ABSENT);
    bpf_loop(want->index, climb_step, &c, 0);
    if (c.task->tgid == 0)
        return;
    if (want->kind == EXTRA_EXEPATH) {
        put_exepath(ev, slot, to, KADDR(struct task_struct, c.task, mm));
        return;
    }
    st = state_of(c.task);
    put_text(ev, slot, 0, ST_UNKNOWN);
    if (!st || !args_load(c.task, st))
        return;
    if (want->kind == EXTRA_EXE)
        put_exe(ev, slot, to, st);
    else if (want->kind == EXTRA_CMDLINE)
        put_cmdline(ev, slot, to, st);
    else
        put_args(ev, slot, to, st);
}

__attribute__((noinline)) int extract_extra(struct ev *ev)
{
    if (!ev)
        return 0;
    if (plan.extra[0].kind)
        put_extra(ev, S_X0, ev->s_X0, &plan.extra[0]);
    else
        put_text(ev, S_X0, 0, ST_ABSENT);
    if (plan.extra[1].kind)
        put_extra(ev, S_X1, ev->s_X1, &plan.extra[1]);
    else
        put_text(ev, S_X1, 0, ST_ABSENT);
    if (plan.extra[2].kind)
        put_extra(ev, S_X2, ev->s_X2, &plan.extra[2]);
    else
        put_text(ev, S_X2, 0, ST_ABSENT);
    if (plan.extra[3].kind)
        put_extra(ev, S_X3, ev->s_X3, &plan.extra[3]);
    else
        put_text(ev, S_X3, 0, ST_ABSENT);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
