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
    FILL(FSPATH, SLOT_OF_STR(S_FS_NAME), extract_fspath)
    FILL(FDTAB, N_FD_OPEN, extract_fdtab)
    FILL(STDIO, N_STDIN_TYPE, extract_stdio)
    FILL(OTHER, N_OTHER_FD, extract_other)
    FILL(POLL, SLOT_OF_STR(S_FDLIST), extract_poll)
}

static __always_inline void fill_process(struct ev *ev)
{
    FILL(PROC, N_PPID, extract_proc)
    FILL(USE, N_VM_SIZE, extract_use)
    FILL(CONTAINER, N_CONTAINER_KIND, extract_container)
    FILL(CRED, N_UID, extract_cred)
    FILL(EXE, SLOT_OF_STR(S_EXE), extract_exe)
    FILL(CMD, N_CMD_NARGS, extract_cmd)
    FILL(ENV, SLOT_OF_STR(S_ENV), extract_env)
    FILL(ENVRAW, SLOT_OF_STR(S_ENV_RAW), extract_envraw)
    FILL(EXEPATH, SLOT_OF_STR(S_EXEPATH), extract_exepath)
    FILL(CWD, SLOT_OF_STR(S_CWD), extract_cwd)
    FILL(PARENT, SLOT_OF_STR(S_PNAME), extract_parent)
    FILL(PEXEPATH, SLOT_OF_STR(S_PEXEPATH), extract_pexepath)
    FILL(ANC, SLOT_OF_STR(S_SNAME), extract_anc)
    FILL(LEAD, SLOT_OF_STR(S_PG_NAME), extract_lead)
    FILL(SHELL, N_LOGIN_SHELL, extract_shell)
    FILL(EXTRA, SLOT_OF_STR(S_X0), extract_extra)
}

/* Numbers and lengths that no extractor has set are another event's. */
static __always_inline void clear_unfilled(struct ev *ev)
{
    for (__u32 i = 0; i < N_COUNT; i++)
        if (ev->h.st[SLOT_OF_NUM(i)] == ST_UNFILLED)
            ev->h.num[i] = 0;
    for (__u32 i = 0; i < S_COUNT; i++)
        if (ev->h.st[SLOT_OF_STR(i)] == ST_UNFILLED)
            ev->h.len[i] = 0;
}

__attribute__((noinline)) int record_fill(struct ev *ev)
{
    if (!ev)
        return 0;
    FILL(ARGS, N_P0, extract_args)
    if (plan.groups & GROUP_BIT(G_ARGS))
        args_base(ev);
    FILL(ABSPATH, SLOT_OF_STR(S_ABS0), extract_abspath)
    FILL(DATA, SLOT_OF_STR(S_DATA), extract_data)
    fill_descriptor(ev);
    fill_process(ev);
    if (!ev->h.anc_state)
        __builtin_memset(ev->h.anc, 0, sizeof(ev->h.anc));
    clear_unfilled(ev);
    ev->h.cgroup = bpf_get_current_cgroup_id();
    return 0;
}

/*
 * Exchanges fd.name and another reading of it, and forgets what was cut out of the one that was
 * there. No bytes are an unknown path.
 */
__attribute__((noinline)) int record_swap(struct ev *ev, __u32 alt)
{
    struct work *w = work_get();
    __u32 name, other;

    if (!ev || !w || alt >= READ_ALTS)
        return 0;
    name = ev->h.len[S_FD_NAME];
    other = ev->alt_len[alt];
    if (name >= PATH_CAP || other >= PATH_CAP)
        return 0;
    bpf_probe_read_kernel(w->fold, name, ev->s_FD_NAME);
    bpf_probe_read_kernel(ev->s_FD_NAME, other, ev->alt[alt]);
    bpf_probe_read_kernel(ev->alt[alt], name, w->fold);
    put_text(ev, S_FD_NAME, other, other ? ST_PRESENT : ST_UNKNOWN);
    ev->alt_len[alt] = name;
    ev->h.st[SLOT_OF_STR(S_FD_DIR)] = ST_UNFILLED;
    ev->h.st[SLOT_OF_STR(S_FD_FILE)] = ST_UNFILLED;
    return 1;
}

/* ---- sending ---- */

#define TEXT_CAP 4128                   /* the largest slot */
#define TEXTS (S_COUNT + READ_ALTS + 1) /* the slots, ev->alt, ev->base */

struct place {
    __u32 off, cap;
};
static const volatile struct place places[S_COUNT] = {
#define SLOT_STR(id, group, cap, doc) [S_##id] = {EV_STR_OFF(s_##id), cap},
#include "../grammar/slots.def"
};

/* Moves `n` bytes of the event down to where the record has got to. */
static __always_inline void move_down(struct ev *ev, __u32 to, __u32 from, __u32 n)
{
    OPAQUE(n);
    OPAQUE(to);
    OPAQUE(from);
    if (n <= TEXT_CAP && to <= sizeof(*ev) - TEXT_CAP && from <= sizeof(*ev) - TEXT_CAP)
        bpf_probe_read_kernel((char *)ev + to, n, (char *)ev + from);
}

/* A text slot; its length becomes what is sent of it. */
static __always_inline __u32 pack_slot(struct ev *ev, __u32 i, __u32 at)
{
    __u8 st = ev->h.st[N_COUNT + i];
    __u32 n = st == ST_PRESENT || st == ST_CUT ? ev->h.len[i] : 0, cap = places[i].cap;

    n = n > cap ? cap : n;
    ev->h.len[i] = n;
    if (n)
        move_down(ev, at, places[i].off, n);
    return at + n;
}

/* The last member of struct ev: TEXT_CAP bytes from its beginning would be more than there are. */
static __always_inline __u32 pack_base(struct ev *ev, __u32 at)
{
    __u32 n = ev->base_len;

    OPAQUE(n);
    if (n <= PATH_CAP && at <= sizeof(*ev) - PATH_CAP)
        bpf_probe_read_kernel((char *)ev + at, n, ev->base);
    return at + n;
}

/* Another reading of fd.name; its length becomes what is sent of it. */
static __always_inline __u32 pack_alt(struct ev *ev, __u32 alt, __u32 at)
{
    __u32 n;

    OPAQUE(alt);
    if (alt >= READ_ALTS)
        return at;
    n = ev->alt_len[alt];
    if (!(ev->h.readings & READ_BIT(alt + 1)) || n > PATH_CAP)
        n = 0;
    ev->alt_len[alt] = n;
    if (n)
        move_down(ev, at, (__u32)offsetof(struct ev, alt) + alt * PATH_CAP, n);
    return at + n;
}

/* Packs text `i` behind those before it. */
static long pack_step(__u32 i, __u32 *to)
{
    __u32 cpu = bpf_get_smp_processor_id(), at = *to;
    struct ev *ev = bpf_map_lookup_elem(&scratch, &cpu);

    if (!ev)
        return 1;
    OPAQUE(i);
    if (i < S_COUNT)
        *to = pack_slot(ev, i, at);
    else if (i < S_COUNT + READ_ALTS)
        *to = pack_alt(ev, i - S_COUNT, at);
    else
        *to = pack_base(ev, at);
    return 0;
}

/* ---- the buffer ---- */

/*
 * Dynamic thresholds (Choudhury and Hahne, 1998): a lane may hold as much as is free. The bytes
 * that user space gives back may be counted before ours are: no lane holds less than nothing.
 */
static __always_inline bool has_room(const struct lane *lane, __u64 size, __u64 unread)
{
    __s64 held = (__s64)(lane->sent - lane->taken);

    if (plan.audit || held < 0)
        held = 0;
    return (__u64)held + size + unread <= bpf_ringbuf_query(&events, BPF_RB_RING_SIZE);
}

/*
 * Must this record wake the reader? Then it is our duty from here on, and nobody else's. Of a
 * record that is sent for want of lore others of its kind follow until the reader has told.
 */
static __always_inline bool take_wakeup(struct ring_reader *r, __u64 unread, __u32 wanted)
{
    __u32 state = *(volatile __u32 *)&r->state;
    bool wake = state == READER_ASLEEP;

    if (state == READER_NAPPING)
        wake = wanted || unread > bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 4;
    if (wake)
        *(volatile __u32 *)&r->state = READER_AWAKE;
    return wake;
}

/* Wakes a reader that sleeps, without a record. */
static __always_inline void wake_up(struct ring_reader *r)
{
    void *empty;

    if (*(volatile __u32 *)&r->state != READER_ASLEEP)
        return;
    empty = bpf_ringbuf_reserve(&events, 8, 0);
    if (!empty)
        return;
    *(volatile __u32 *)&r->state = READER_AWAKE;
    bpf_ringbuf_discard(empty, BPF_RB_FORCE_WAKEUP);
}

/*
 * The reader says that it sleeps, then looks at the buffer once more; we put the record in, then
 * look whether it sleeps (what puts it in is a full barrier). So one of us sees the other.
 */
static __always_inline bool put_record(struct ev *ev, __u32 size, struct lane *lane,
                                       struct ring_reader *r)
{
    __u64 unread = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA), room = RING_ROOM(size);
    bool wake;

    OPAQUE(size);
    if (size > sizeof(*ev) || !has_room(lane, room, unread))
        return false;
    wake = take_wakeup(r, unread, ev->wanted);
    if (bpf_ringbuf_output(&events, ev, size, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP) != 0) {
        if (wake)
            *(volatile __u32 *)&r->state = READER_ASLEEP;
        return false;
    }
    __sync_fetch_and_add(&lane->sent, room);
    if (!wake)
        wake_up(r);
    return true;
}

/* What the sending of an event goes by, and is counted in. */
struct sender {
    struct ring_reader *reader;
    struct lane *lane;
    __u64 *n; /* counters() */
};

/* False: there is nothing to send it by. */
static __always_inline bool find_sender(struct sender *s, const struct ev *ev)
{
    __u32 rule = ev->h.rule, zero = 0;

    s->reader = bpf_map_lookup_elem(&reader, &zero);
    s->lane = bpf_map_lookup_elem(&lanes, &rule);
    s->n = counters(ev->h.cpu, ev->h.event);
    return s->reader && s->lane && s->n;
}

static __always_inline void lose(const struct sender *s)
{
    s->n[STAT_LOST]++;
    __sync_fetch_and_add(&s->lane->lost, 1);
    s->reader->lost = 1;
    wake_up(s->reader); /* to tell of it */
}

/* To fill a record takes five times as long as all that comes before it. */
__attribute__((noinline)) int record_fits(struct ev *ev)
{
    struct sender s;

    if (!ev || !find_sender(&s, ev))
        return 0;
    if (has_room(s.lane, RING_ROOM(sizeof(struct rec)),
                 bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA)))
        return 1;
    lose(&s);
    return 0;
}

/*
 * The record is made inside the scratch: struct ev begins as struct rec does, and each text's place
 * in the record lies before its slot, so packing only ever moves bytes down, in order. The event is
 * gone afterwards.
 */
__attribute__((noinline)) int record_send(struct ev *ev)
{
    struct work *w = work_get();
    struct sender s;
    __u32 size;

    if (!ev || !w)
        return 0;
    if (ev->base_len > PATH_CAP)
        ev->base_len = 0;
    if (!find_sender(&s, ev))
        return 0;
    size = untold(w, sizeof(struct rec));
    bpf_loop(TEXTS, pack_step, &size, 0);
    ev->h.size = size;
    if (put_record(ev, size, s.lane, s.reader))
        s.n[STAT_SENT]++;
    else
        lose(&s);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
