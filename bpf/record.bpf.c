/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From a judged event to a record in the ring buffer: fill what the pack's rules and outputs need,
 * pack the texts that are present, send, count.
 */
#include "probe.h"

/* ---- filling ---- */

/* Groups that an extractor fills, each with a number or text slot that tells if it has run. */
#define FILL(GROUP, slot, extract)                                                                 \
    if ((plan.groups & GROUP_BIT(G_##GROUP)) && ev->h.st[slot] == ST_UNFILLED)                     \
        extract(ev);

static __always_inline void fill_descriptor(struct ev *ev)
{
    FILL(FD, N_FD_TYPE, extract_fd)
    FILL(SOCK, N_L4PROTO, extract_sock)
    FILL(PATH, SLOT_OF_STR(S_FD_NAME), extract_path)
    FILL(DIR, SLOT_OF_STR(S_FD_DIR), extract_dir)
    FILL(RAW, SLOT_OF_STR(S_FD_RAW), extract_raw)
}

static __always_inline void fill_process(struct ev *ev)
{
    FILL(PROC, N_PPID, extract_proc)
    FILL(CRED, N_UID, extract_cred)
    FILL(EXE, SLOT_OF_STR(S_EXE), extract_exe)
    FILL(CMD, N_CMD_NARGS, extract_cmd)
    FILL(EXEPATH, SLOT_OF_STR(S_EXEPATH), extract_exepath)
    FILL(CWD, SLOT_OF_STR(S_CWD), extract_cwd)
    FILL(PARENT, SLOT_OF_STR(S_PNAME), extract_parent)
    FILL(PEXEPATH, SLOT_OF_STR(S_PEXEPATH), extract_pexepath)
    FILL(ANC, SLOT_OF_STR(S_SNAME), extract_anc)
    FILL(EXTRA, SLOT_OF_STR(S_X0), extract_extra)
}

__attribute__((noinline)) int record_fill(struct ev *ev)
{
    if (!ev)
        return 0;
    FILL(ARGS, N_P0, extract_args)
    if (plan.groups & GROUP_BIT(G_ARGS))
        args_base(ev);
    fill_descriptor(ev);
    fill_process(ev);
    if (!ev->h.anc_state)
        __builtin_memset(ev->h.anc, 0, sizeof(ev->h.anc));
    ev->h.cgroup = bpf_get_current_task_btf()->cgroups->dfl_cgrp->kn->id;
    return 0;
}

/* Exchanges the two readings of fd.name, and forgets what was cut out of the other one. */
__attribute__((noinline)) int record_swap(struct ev *ev)
{
    struct work *w = work_get();
    __u32 name, spell;

    if (!ev || !w)
        return 0;
    name = ev->h.len[S_FD_NAME];
    spell = ev->spell_len;
    if (name >= PATH_CAP || spell >= PATH_CAP)
        return 0;
    bpf_probe_read_kernel(w->fold, name, ev->s_FD_NAME);
    bpf_probe_read_kernel(ev->s_FD_NAME, spell, ev->spell);
    bpf_probe_read_kernel(ev->spell, name, w->fold);
    ev->h.len[S_FD_NAME] = spell;
    ev->spell_len = name;
    ev->h.st[SLOT_OF_STR(S_FD_DIR)] = ST_UNFILLED;
    ev->h.st[SLOT_OF_STR(S_FD_FILE)] = ST_UNFILLED;
    return 1;
}

/* ---- sending ---- */

/* Lengths become what will be sent: 0 without a value, never beyond the slot. Their sum. */
static __always_inline __u32 settle_lengths(struct ev *ev)
{
    __u32 sum = 0;

#define SLOT_STR(id, group, cap, doc)                                                              \
    {                                                                                              \
        __u8 st = ev->h.st[SLOT_OF_STR(S_##id)];                                                   \
        __u32 n = st == ST_PRESENT || st == ST_CUT ? ev->h.len[S_##id] : 0;                        \
                                                                                                   \
        n = n > (cap) ? (cap) : n;                                                                 \
        ev->h.len[S_##id] = n;                                                                     \
        sum += n;                                                                                  \
    }
#include "../grammar/slots.def"
    if (ev->h.readings != 2 || ev->spell_len > PATH_CAP)
        ev->spell_len = 0;
    if (ev->base_len > PATH_CAP)
        ev->base_len = 0;
    return sum + ev->spell_len + ev->base_len;
}

static __always_inline __u32 write_text(struct bpf_dynptr *to, __u32 off, char *text, __u32 n,
                                        __u32 cap)
{
    OPAQUE(n);
    if (n && n <= cap)
        bpf_dynptr_write(to, off, text, n, 0);
    return off + n;
}

static __always_inline void write_record(struct bpf_dynptr *to, struct ev *ev)
{
    __u32 off = sizeof(struct rec);

    /* struct ev begins as struct rec does. */
    bpf_dynptr_write(to, 0, ev, sizeof(struct rec), 0);
#define SLOT_STR(id, group, cap, doc) off = write_text(to, off, ev->s_##id, ev->h.len[S_##id], cap);
#include "../grammar/slots.def"
    off = write_text(to, off, ev->spell, ev->spell_len, PATH_CAP);
    write_text(to, off, ev->base, ev->base_len, PATH_CAP);
}

__attribute__((noinline)) int record_send(struct ev *ev)
{
    struct bpf_dynptr to;
    __u32 size, rule;
    __u64 *lost;

    if (!ev)
        return 0;
    size = settle_lengths(ev) + sizeof(struct rec);
    ev->h.size = size;
    if (bpf_ringbuf_reserve_dynptr(&events, size, 0, &to) == 0) {
        write_record(&to, ev);
        bpf_ringbuf_submit_dynptr(&to, 0);
        count(STAT_SENT);
        return 0;
    }
    bpf_ringbuf_discard_dynptr(&to, 0);
    count(STAT_LOST);
    rule = ev->h.rule - 1;
    lost = bpf_map_lookup_elem(&lost_by_rule, &rule);
    if (lost)
        __sync_fetch_and_add(lost, 1);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
