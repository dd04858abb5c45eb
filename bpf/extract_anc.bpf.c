/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The names of the processes above, and of the session's leader.
 *
 * Children of one process have the same names above them. So a walk is kept by CPU, in a row of
 * `lineages` that its parent leads to, and serves the parent's other children as long as nothing
 * above has changed: the parent is the same task in the same program, and the generation (keep.h)
 * the one that was read before the walk. Kept is a walk to the first task alone, past processes
 * that have a state and are not exiting; and who is below an exiting thread makes a walk of its
 * own, because it will have another parent without a new generation.
 */
#include "state.h"
#include "keep.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * A task is in a loop's context and not on this CPU's work, because only there the verifier knows
 * what it points to; all else is in memory that it knows nothing of, and one turn is like any
 * other.
 */
struct climb {
    struct task_struct *task; /* leader of its thread group */
    struct ev *ev;
};

/* ---- names ---- */

static long name_step(__u32 i, struct climb *c)
{
    struct task_struct *up = c->task->real_parent, *task = up->group_leader;
    struct work *w = work_get();
    struct ev *ev = c->ev;
    struct proc_state *st;
    char *name;

    if (!w || i >= ANC_MAX)
        return 1;
    w->above.top = task->tgid == 0;
    if (w->above.top)
        return 1;
    c->task = task;
    st = state_of(task);
    if (!st || up->flags & PF_EXITING)
        w->above.unsure = 1;
    OPAQUE(i);
    name = ev->h.anc[i & (ANC_MAX - 1)]; /* 6.1 forgets the bound of what was put aside */
    if (!take_name(name, task, st)) {
        __builtin_memset(name, 0, COMM_SIZE);
        w->above.cut = 1;
        return 1;
    }
    ev->h.anc_count = (__u8)(i + 1);
    return 0;
}

static __always_inline void walk_up(struct ev *ev, struct work *w, struct task_struct *leader)
{
    struct climb c = {.task = leader, .ev = ev};
    bool cut;

    __builtin_memset(ev->h.anc, 0, sizeof(ev->h.anc));
    ev->h.anc_count = 0;
    w->above.cut = w->above.top = w->above.unsure = 0;
    bpf_loop(ANC_MAX, name_step, &c, 0);
    cut = w->above.cut || (ev->h.anc_count == ANC_MAX && c.task->real_parent->tgid);
    ev->h.anc_state = cut ? ST_CUT : ST_PRESENT;
}

static __always_inline bool lineage_holds(const struct lineage *k, const struct task_struct *parent,
                                          __u64 generation)
{
    return generation && keep_same_task(&k->parent, parent, generation);
}

static __always_inline void take_lineage(struct ev *ev, struct work *w, const struct lineage *k)
{
    __builtin_memcpy(ev->h.anc, k->anc, sizeof(ev->h.anc));
    ev->h.anc_count = k->count;
    ev->h.anc_state = ST_PRESENT;
    w->above.top = 1;
    w->above.unsure = 0;
}

static __always_inline void keep_lineage(struct lineage *k, const struct ev *ev,
                                         const struct task_struct *parent, __u64 generation)
{
    keep_put_ref(&k->parent, parent, generation);
    k->count = ev->h.anc_count;
    __builtin_memset(k->in, 0, sizeof(k->in));
    __builtin_memcpy(k->anc, ev->h.anc, sizeof(k->anc));
}

__attribute__((noinline)) int extract_names(struct ev *ev)
{
    __u64 generation = plan.task & TASK_ANC ? keep_generation() : 0; /* before all else */
    struct task_struct *leader = bpf_get_current_task_btf()->group_leader;
    struct task_struct *up = leader->real_parent, *parent = up->group_leader;
    __u32 i = (__u32)parent->pid % LINEAGES;
    struct lineage *k = bpf_map_lookup_elem(&lineages, &i);
    struct work *w = work_get();

    if (!ev || !w || !k)
        return 0;
    if (lineage_holds(k, parent, generation) && !(up->flags & PF_EXITING)) {
        take_lineage(ev, w, k);
    } else {
        walk_up(ev, w, leader);
        if (!generation || !w->above.top || w->above.unsure)
            return 0;
        keep_lineage(k, ev, parent, generation);
    }
    ev->lineage = (__u8)(i + 1);
    return 0;
}

struct counting {
    struct ev *ev;
    __u32 set, n;
};

static long count_step(__u32 i, struct counting *c)
{
    if (i >= ANC_MAX)
        return 1;
    c->n += name_in_set(c->ev->h.anc[i], c->set);
    return 0;
}

/* How many of the ancestors' names are in the set. */
__attribute__((noinline)) int match_anc(struct ev *ev, __u32 set)
{
    struct counting c = {.ev = ev, .set = set};
    struct lineage *k = NULL;
    struct work *w = work_get();
    __u32 row;

    if (!ev || !w)
        return 0;
    row = ev->lineage - 1u;
    if (set < LINEAGE_SETS)
        k = bpf_map_lookup_elem(&lineages, &row); /* none, if the names are of none that is kept */
    if (k && k->in[set])
        return k->in[set] - 1;
    c.n = untold(w, 0);
    bpf_loop(ev->h.anc_count, count_step, &c, 0);
    if (k)
        k->in[set] = (__u8)(c.n + 1);
    return (int)c.n;
}

/* ---- the session ---- */

/* Goes up as long as the session is the process's own; ends at the session's leader. */
static long session_step(__u32 i, struct climb *c)
{
    struct task_struct *task = c->task->real_parent->group_leader;
    struct work *w = work_get();

    if (!w || task->tgid == 0 || (__u64)task->signal->pids[PID_OF_SESSION] != w->above.session)
        return 1;
    c->task = task;
    w->above.named = 1;
    return w->above.host && pid_of(task) == w->above.session;
}

/*
 * The session's name: that of its leader, if it is the process or above it; else, as the language
 * has it, that of the last ancestor in a row that shares the session.
 */
static __always_inline void put_session(struct ev *ev, struct work *w)
{
    struct climb c = {.task = bpf_get_current_task_btf()->group_leader, .ev = ev};

    w->above.session = session_of(c.task);
    w->above.host = KREAD(struct task_struct, c.task, thread_pid, level) == 0;
    w->above.named = w->above.host && pid_of(c.task) == w->above.session;
    if (!w->above.named)
        bpf_loop(ANC_MAX, session_step, &c, 0);
    if (w->above.named) {
        put_task_name(ev, S_SNAME, ev->s_SNAME, c.task, state_of(c.task));
        return;
    }
    __builtin_memset(ev->s_SNAME, 0, COMM_SIZE);
    put_text(ev, S_SNAME, 0, ST_PRESENT);
}

__attribute__((noinline)) int extract_anc(struct ev *ev)
{
    struct work *w = work_get();

    if (!ev || !w)
        return 0;
    if (!ev->h.anc_state)
        extract_names(ev);
    put_session(ev, w);
    return 0;
}
