/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an exec makes of the texts of a process: its arguments and its environment.
 *
 * Both are taken to work.fold first. Then their length says where they are kept, and a text of the
 * program before that is in another map is given up.
 */
#include "probe.h"
#include "match.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* ---- maps by class; `env` is a constant ---- */

#define DROP(class, size, kind)                                                                    \
    case class:                                                                                    \
        bpf_task_storage_delete(&kind##class, leader);                                             \
        break;
static __always_inline void drop(bool env, __u8 class, struct task_struct *leader)
{
    if (env)
        switch (class) {
            TEXT_SIZES(DROP, envs)
        }
    else
        switch (class) {
            TEXT_SIZES(DROP, args)
        }
}

#define KEEP(class, size, kind)                                                                    \
    case class: {                                                                                  \
        struct text##class *t =                                                                    \
            bpf_task_storage_get(&kind##class, leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);         \
        if (t) {                                                                                   \
            t->execs = execs;                                                                      \
            kept = copy_within(t->text, w->fold, n, size);                                         \
        }                                                                                          \
        break;                                                                                     \
    }
/* Keeps the first `n` bytes of work.fold. False: there is no room. */
static __always_inline bool keep(bool env, __u8 class, struct task_struct *leader, __u32 n)
{
    __u32 execs = (__u32)leader->self_exec_id;
    struct work *w = work_get();
    bool kept = false;

    if (!w)
        return false;
    if (env)
        switch (class) {
            TEXT_SIZES(KEEP, envs)
        }
    else
        switch (class) {
            TEXT_SIZES(KEEP, args)
        }
    return kept;
}

/* ---- arguments ---- */

struct join {
    __u32 n, exe_len, nargs, seen_exe;
};

/* Turns the NULs behind the second and later arguments to blanks, and counts these. */
static long join_step(__u32 i, struct join *j)
{
    struct work *w = work_get();
    __u32 at = i * 8;
    __u64 word, nul;

    if (!w || at >= ARGS_CAP)
        return 1;
    word = match_word(w->fold + at);
    nul = match_nuls8(word) & match_mask(j->n - at);
    if (nul && !j->seen_exe) {
        j->seen_exe = 1;
        j->exe_len = at + match_nul8(word);
        nul &= nul - 1;
    }
    *(__u64 *)(w->fold + at) = word | nul >> 2;
    j->nargs += (nul >> 7) * MATCH_ONES >> 56;
    return 0;
}

static __always_inline void keep_args(struct proc_state *st, struct task_struct *leader,
                                      const struct join *j, __u8 state)
{
    struct work *w = work_get();
    __u32 n = j->n;
    __u8 class = n <= ARGS_INLINE ? 0 : text_class(n);

    if (st->args_class != class)
        drop(false, st->args_class, leader);
    st->args_class = class;
    if (!w)
        return;
    if (class && !keep(false, class, leader, n)) {
        count_unkept();
        return;
    }
    if (!class)
        copy_within(st->args, w->fold, n, ARGS_INLINE);
    st->exe_len = j->exe_len;
    st->args_len = j->n - 1;
    st->nargs = j->nargs;
    st->args_state = state;
}

static __always_inline void arguments(struct proc_state *st, struct task_struct *leader)
{
    struct work *w = work_get();
    struct join j;
    __u64 mm = KADDR(struct task_struct, leader, mm);
    __u64 from = KREAD(struct mm_struct, mm, arg_start);
    __u64 whole = KREAD(struct mm_struct, mm, arg_end) - from;
    __u32 n = whole < ARGS_CAP ? (__u32)whole : ARGS_CAP;

    OPAQUE(n);
    if (!w || n == 0 || n > ARGS_CAP || bpf_probe_read_user(w->fold, n, (void *)from))
        return;
    w->fold[ARGS_CAP - 1] = whole >= ARGS_CAP ? 0 : w->fold[ARGS_CAP - 1];
    j.n = n;
    j.exe_len = j.nargs = j.seen_exe = untold(w, 0);
    bpf_loop((n + 7) / 8, join_step, &j, 0);
    if (j.seen_exe)
        keep_args(st, leader, &j, whole > ARGS_CAP ? ST_CUT : ST_PRESENT);
}

/* ---- environment ---- */

static __always_inline void environment(struct proc_state *st, struct task_struct *leader)
{
    struct work *w = work_get();
    __u64 mm = KADDR(struct task_struct, leader, mm);
    __u64 from = KREAD(struct mm_struct, mm, env_start);
    __u64 whole = KREAD(struct mm_struct, mm, env_end) - from;
    __u32 n = whole < ENV_CAP ? (__u32)whole : ENV_CAP;
    __u8 class = n ? text_class(n) : 0;

    if (st->env_class != class)
        drop(true, st->env_class, leader);
    st->env_class = class;
    if (n == 0)
        st->env_state = ST_PRESENT;
    OPAQUE(n);
    if (!w || n == 0 || n > ENV_CAP || bpf_probe_read_user(w->fold, n, (void *)from))
        return;
    if (!keep(true, class, leader, n)) {
        count_unkept();
        return;
    }
    st->env_len = n - 1;
    st->env_state = whole > ENV_CAP ? ST_CUT : ST_PRESENT;
}

__attribute__((noinline)) int state_texts(struct proc_state *st)
{
    struct task_struct *leader = bpf_get_current_task_btf()->group_leader;

    if (!st)
        return 0;
    if (plan.groups & ARGS_GROUPS)
        arguments(st, leader);
    if (plan.groups & ENV_GROUPS)
        environment(st, leader);
    return 0;
}
