/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Paths among the call's arguments. As fs.path.* has them: absolute, folded as text, and only of
 * calls that succeeded (of opens: that did not fail with EPERM, as the language has it). As
 * evt.arg.* has them: of all calls, and only a relative one is folded.
 */
#include "probe.h"

enum type {
#define TYPE(id, base, bits, doc) T_##id,
#include "../grammar/types.def"
};

enum role { ROLE_NONE, ROLE_NAME, ROLE_SOURCE, ROLE_TARGET };

struct path_row {
    __u8 text; /* slot A0 or A1 */
    __u8 dir;  /* number slot of the directory's descriptor; 0: the working directory */
};

/* By event and role. */
static const volatile struct path_row path_rows[EV_COUNT][3] = {
#define FSPATH(event, role, param, slot, dir)                                                      \
    [EV_##event][ROLE_##role - 1] = {SLOT_OF_STR(S_##slot), (dir) ? N_P0 + (dir) : 0},
#include "../grammar/fspath.def"
};

static __always_inline bool succeeded(struct ev *ev)
{
    __s64 res = ev->h.num[N_RES];

    return event_is_open(ev->h.event) ? res != -1 : res == 0;
}

/* As fold_dirfd(), of the directory whose descriptor is in this slot; 0: the working directory. */
static __always_inline __u32 put_base(struct ev *ev, struct work *w, __u32 dir)
{
    OPAQUE(dir);
    if (dir >= N_COUNT) /* apart from the next test: clang would join both, and bound `dir - 1` */
        return 0;
    return fold_dirfd(w, dir ? (int)ev->h.num[dir] : AT_FDCWD);
}

/* The text in slot A0 (or A1), absolute and folded, at the end of work.path; 0: unknown. */
static __always_inline int absolute(struct ev *ev, struct work *w, bool first, __u32 dir)
{
    const char *text = first ? ev->s_A0 : ev->s_A1;
    __u32 n = first ? ev->h.len[S_A0] : ev->h.len[S_A1], at = 0;

    if ((first ? ev->h.st[SLOT_OF_STR(S_A0)] : ev->h.st[SLOT_OF_STR(S_A1)]) != ST_PRESENT)
        return 0;
    if (text[0] != '/') {
        at = put_base(ev, w, dir);
        if (!at)
            return 0;
    }
    OPAQUE(n);
    OPAQUE(at);
    if (n >= PATH_CAP || at > PATH_CAP)
        return 0;
    bpf_probe_read_kernel(w->fold + at, n, text);
    return path_fold(at + n);
}

/* The path of `role` at work.path, as path_fold leaves it; its length, 0: unknown, -1: none. */
__attribute__((noinline)) int fs_path(struct ev *ev, __u32 role)
{
    struct work *w = work_get();
    const volatile struct path_row *row;
    __u32 event;

    if (!ev || !w)
        return 0;
    event = ev->h.event;
    OPAQUE(event);
    if (event >= EV_COUNT || role >= 3)
        return 0;
    row = &path_rows[event][role];
    if (!row->text)
        return -1;
    return absolute(ev, w, row->text == SLOT_OF_STR(S_A0), row->dir);
}

static __always_inline void put_role(struct ev *ev, __u32 slot, char *to, __u32 role)
{
    int len = fs_path(ev, role - 1);

    if (len < 0)
        put_text(ev, slot, 0, ST_ABSENT);
    else
        put_path(ev, slot, to, len);
}

/* fchmod and fchown have a descriptor in a path's place. */
static __always_inline void put_opened(struct ev *ev)
{
    __u32 n;

    if (ev->h.st[SLOT_OF_STR(S_FD_NAME)] == ST_UNFILLED)
        extract_path(ev);
    n = ev->h.len[S_FD_NAME];
    copy_text(ev->s_FS_NAME, ev->s_FD_NAME, n);
    put_text(ev, S_FS_NAME, n, ev->h.st[SLOT_OF_STR(S_FD_NAME)]);
}

__attribute__((noinline)) int extract_fspath(struct ev *ev)
{
    if (!ev)
        return 0;
    put_text(ev, S_FS_NAME, 0, ST_ABSENT);
    put_text(ev, S_FS_SOURCE, 0, ST_ABSENT);
    put_text(ev, S_FS_TARGET, 0, ST_ABSENT);
    if (!succeeded(ev))
        return 0;
    if (ev->h.event == EV_fchmod || ev->h.event == EV_fchown) {
        put_opened(ev);
        return 0;
    }
    if (ev->h.st[N_P0] == ST_UNFILLED)
        extract_args(ev);
    put_role(ev, S_FS_NAME, ev->s_FS_NAME, ROLE_NAME);
    put_role(ev, S_FS_SOURCE, ev->s_FS_SOURCE, ROLE_SOURCE);
    put_role(ev, S_FS_TARGET, ev->s_FS_TARGET, ROLE_TARGET);
    return 0;
}

/* ---- ABSPATH ---- */

/*
 * By event, and which of A0 and A1 holds the path: DIR_NONE for no path, DIR_CWD, or 1 + the
 * parameter of its directory, which stands before it.
 */
enum { DIR_NONE, DIR_CWD };
#define DIR_OF(type, index)                                                                        \
    (T_##type == T_FSPATH ? DIR_CWD : T_##type == T_FSRELPATH ? (index) : DIR_NONE)
#define NUM(id) 2
#define STR(id) (S_##id == S_A0 ? 0 : S_##id == S_A1 ? 1 : 2)
#define NOSLOT 2
#pragma clang diagnostic ignored "-Winitializer-overrides"
static const volatile __u8 param_dirs[EV_COUNT][3] = {
#define PARAM(event, index, name, type, format, table, slot)                                       \
    [EV_##event][slot] = DIR_OF(type, index),
#include "../grammar/params.def"
};

/* A relative path of the event, absolute and folded, at the end of work.path; 0: unknown. */
__attribute__((noinline)) int param_path(struct ev *ev, __u32 which, __u32 dir)
{
    struct work *w = work_get();

    return ev && w ? absolute(ev, w, which == 0, dir > DIR_CWD ? N_P0 + dir - 1 : 0) : 0;
}

/* As the language shows it: one that is absolute already stays as it is, and an empty one is a
 * word.
 */
static __always_inline void put_param(struct ev *ev, __u32 which, __u32 from, __u32 to)
{
    const char *text = which ? ev->s_A1 : ev->s_A0;
    char *place = which ? ev->s_ABS1 : ev->s_ABS0;
    __u32 event = ev->h.event, n = ev->h.len[from];
    __u8 dir, state = ev->h.st[SLOT_OF_STR(from)];

    put_text(ev, to, 0, ST_ABSENT);
    OPAQUE(event);
    dir = event < EV_COUNT ? param_dirs[event][which] : DIR_NONE;
    if (dir == DIR_NONE)
        return;
    put_text(ev, to, 0, state == ST_PRESENT || state == ST_CUT ? ST_UNKNOWN : state);
    if (state != ST_PRESENT || n >= PATH_CAP)
        return;
    if (n == 0) {
        __builtin_memcpy(place, "<NA>", 4);
        put_text(ev, to, 4, ST_PRESENT);
    } else if (text[0] == '/') {
        copy_text(place, text, n);
        put_text(ev, to, n, ST_PRESENT);
    } else {
        put_path(ev, to, place, param_path(ev, which, dir));
    }
}

__attribute__((noinline)) int extract_abspath(struct ev *ev)
{
    if (!ev)
        return 0;
    if (ev->h.st[N_P0] == ST_UNFILLED)
        extract_args(ev);
    put_param(ev, 0, S_A0, S_ABS0);
    put_param(ev, 1, S_A1, S_ABS1);
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
