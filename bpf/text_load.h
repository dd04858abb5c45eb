/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Arguments and environment of a process, from its state and the maps of long texts, into slots. */
#ifndef RULEC_TEXT_LOAD_H
#define RULEC_TEXT_LOAD_H

#include "state.h"

#define LOAD(class, size, kind)                                                                    \
    case class: {                                                                                  \
        struct text##class *t = bpf_task_storage_get(&kind##class, leader, 0, 0);                  \
        if (t && t->execs == execs)                                                                \
            loaded = copy_within(to, t->text, n, size);                                            \
        break;                                                                                     \
    }

/* The arguments of a process to work.fold. False: they are not known. */
static __attribute__((noinline)) bool args_load(struct task_struct *leader, struct proc_state *st)
{
    __u32 n = st->args_len, execs = st->execs;
    struct work *w = work_get();
    bool loaded = false;
    char *to;

    if (!w || (st->args_state != ST_PRESENT && st->args_state != ST_CUT))
        return false;
    to = w->fold;
    switch (st->args_class) {
    case 0:
        loaded = copy_within(to, st->args, n, ARGS_INLINE);
        break;
        TEXT_SIZES(LOAD, args)
    }
    return loaded;
}

/* The environment of a process to a place for ENV_CAP bytes. False: it is not known. */
static __always_inline bool env_load(struct task_struct *leader, struct proc_state *st, char *to)
{
    __u32 n = st->env_len, execs = st->execs;
    bool loaded = false;

    switch (st->env_class) {
    case 0:
        loaded = n == 0;
        break;
        TEXT_SIZES(LOAD, envs)
    }
    return loaded && (st->env_state == ST_PRESENT || st->env_state == ST_CUT);
}

/* State of a text made of arguments that may be cut; `whole`: this part of them is there whole. */
static __always_inline __u8 args_state(struct proc_state *st, bool whole)
{
    if (st->args_state == ST_CUT && whole)
        return ST_PRESENT;
    return st->args_state ? st->args_state : ST_UNKNOWN;
}

/* The first argument, from where args_load() leaves them. */
static __always_inline void put_exe(struct ev *ev, __u32 slot, char *to, struct proc_state *st)
{
    struct work *w = work_get();
    __u32 n = st->exe_len;

    if (!w || n >= ARGS_CAP)
        return;
    copy_text(to, w->fold, n);
    put_text(ev, slot, n, args_state(st, n < st->args_len));
}

#endif
