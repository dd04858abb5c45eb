/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Paths among the call's arguments, as fs.path.* has them: absolute, folded as text, and only of
 * calls that succeeded (of opens: that did not fail with EPERM, as the language has it).
 */
#include "probe.h"

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

/* The directory's path into work.fold, a slash behind it; its length, or 0. */
static __always_inline __u32 put_base(struct ev *ev, struct work *w, __u32 dir)
{
    int fd = AT_FDCWD;
    __u32 n;

    OPAQUE(dir);
    if (dir && dir < N_COUNT)
        fd = (int)ev->h.num[dir];
    n = (__u32)path_of_dirfd(fd);
    OPAQUE(n);
    if (n == 0 || n >= PATH_CAP)
        return 0;
    bpf_probe_read_kernel(w->fold, n, w->path + PATH_CAP - n);
    w->fold[n] = '/';
    return n + 1;
}

/* The path of `role` at work.path, as path_fold leaves it; its length, 0: unknown, -1: none. */
__attribute__((noinline)) int fs_path(struct ev *ev, __u32 role)
{
    struct work *w = work_get();
    const volatile struct path_row *row;
    __u32 event, at = 0, n;
    const char *text;

    if (!ev || !w)
        return 0;
    event = ev->h.event;
    OPAQUE(event);
    if (event >= EV_COUNT || role >= 3)
        return 0;
    row = &path_rows[event][role];
    if (!row->text)
        return -1;
    text = row->text == SLOT_OF_STR(S_A0) ? ev->s_A0 : ev->s_A1;
    n = row->text == SLOT_OF_STR(S_A0) ? ev->h.len[S_A0] : ev->h.len[S_A1];
    if ((row->text == SLOT_OF_STR(S_A0) ? ev->h.st[SLOT_OF_STR(S_A0)]
                                        : ev->h.st[SLOT_OF_STR(S_A1)]) != ST_PRESENT)
        return 0;
    if (text[0] != '/') {
        at = put_base(ev, w, row->dir);
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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
