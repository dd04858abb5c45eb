/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_open.h"

#include "../bpf/abi.h"
#include "fmt.h"

enum { /* of the format's own flags */
       O_DIRECTORY_ = 0x400,
       O_CLOEXEC_ = 0x1000,
       O_UPPER = 0x8000,
       O_LOWER = 0x10000,
       CREAT_UPPER_ = 1,
       CREAT_LOWER_ = 2,
       CLOSE_RANGE_CLOEXEC_ = 4,
       F_DUPFD_ = 1,
       F_DUPFD_CLOEXEC_ = 26,
};

static struct scap_fd *new_fd(struct scap_state *s, struct scap_thread *h,
                              const struct scap_event *e, unsigned param)
{
    struct scap_thread *leader = scap_leader(s->procs, h);
    int64_t num = -1;

    return leader && scap_param_num(e, param, &num) ? scap_fd_new(s->procs, leader, num) : NULL;
}

/* As spelled, but for slashes in a row. */
static void take_raw(struct scap_state *s, struct scap_fd *f, const char *text, uint32_t n)
{
    char buf[PATH_CAP];
    uint32_t to = 0;

    for (uint32_t i = 0; i < n && to < PATH_CAP; i++)
        if (text[i] != '/' || i == 0 || text[i - 1] != '/')
            buf[to++] = text[i];
    scap_fd_raw(s->procs, f, buf, to);
}

void scap_fd_open(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    const char *name = e->event == EV_open_by_handle_at ? "path" : "name", *text;
    char buf[PATH_CAP];
    struct fmt path = fmt_in(buf, sizeof(buf));
    bool named = scap_path_of(s, h, e, name, &path);
    struct scap_fd *f = new_fd(s, h, e, 0);
    int64_t flags = 0, v;
    uint32_t n;

    if (!f)
        return;
    scap_named_num(e, "flags", &flags);
    f->type = flags & O_DIRECTORY_ ? SCAP_FD_DIRECTORY : SCAP_FD_FILE;
    f->close_on_exec = flags & O_CLOEXEC_;
    f->upper = flags & O_UPPER;
    f->lower = flags & O_LOWER;
    if (scap_named_num(e, "creat_flags", &flags)) {
        f->upper = flags & CREAT_UPPER_;
        f->lower = flags & CREAT_LOWER_;
    }
    if (scap_named_num(e, "dev", &v))
        f->dev = (uint32_t)v;
    if (scap_named_num(e, "ino", &v))
        f->ino = (uint64_t)v;
    if (named)
        scap_fd_name(s->procs, f, buf, path.len);
    if (scap_param_text(e, name, &text, &n))
        take_raw(s, f, text, n);
}

/* Calls that make a descriptor of one kind. */
void scap_fd_made(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    static const uint8_t types[EV_COUNT] = {
        [EV_bpf] = SCAP_FD_BPF,
        [EV_epoll_create] = SCAP_FD_EPOLL,
        [EV_epoll_create1] = SCAP_FD_EPOLL,
        [EV_eventfd] = SCAP_FD_EVENT,
        [EV_eventfd2] = SCAP_FD_EVENT,
        [EV_inotify_init] = SCAP_FD_INOTIFY,
        [EV_inotify_init1] = SCAP_FD_INOTIFY,
        [EV_io_uring_setup] = SCAP_FD_IO_URING,
        [EV_memfd_create] = SCAP_FD_MEMFD,
        [EV_pidfd_open] = SCAP_FD_PIDFD,
        [EV_signalfd] = SCAP_FD_SIGNAL,
        [EV_signalfd4] = SCAP_FD_SIGNAL,
        [EV_timerfd_create] = SCAP_FD_TIMER,
        [EV_userfaultfd] = SCAP_FD_USERFAULT,
    };
    struct scap_fd *f = new_fd(s, h, e, 0);
    const char *text = "";
    uint32_t n = 0;

    if (!f)
        return;
    f->type = types[e->event];
    if (e->event == EV_memfd_create && !scap_param_text(e, "name", &text, &n))
        return;
    scap_fd_name(s->procs, f, text, n);
}

void scap_fd_pipe(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    int64_t ino = 0, flags = 0;

    if (!scap_succeeded(e))
        return;
    scap_named_num(e, "ino", &ino);
    scap_named_num(e, "flags", &flags);
    for (unsigned i = 1; i <= 2; i++) {
        struct scap_fd *f = new_fd(s, h, e, i);

        if (!f)
            return;
        f->type = SCAP_FD_PIPE;
        f->ino = (uint64_t)ino;
        f->close_on_exec = flags & O_CLOEXEC_;
        scap_fd_name(s->procs, f, "", 0);
    }
}

void scap_fd_dup(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    struct scap_thread *leader = scap_leader(s->procs, h);
    const struct scap_fd *from;
    int64_t old, num, cmd, flags = 0;
    struct scap_fd *f;

    if (!leader || !scap_param_num(e, 0, &num) || num < 0)
        return;
    if (e->event == EV_fcntl &&
        (!scap_named_num(e, "cmd", &cmd) || (cmd != F_DUPFD_ && cmd != F_DUPFD_CLOEXEC_)))
        return;
    if (!scap_named_num(e, e->event == EV_fcntl ? "fd" : "oldfd", &old))
        return;
    from = scap_fd_find(leader, old);
    if (!from) {
        scap_fd_close(s->procs, leader, num, num);
        return;
    }
    scap_fd_copy(s->procs, leader, num, from);
    scap_named_num(e, "flags", &flags);
    f = flags & O_CLOEXEC_ || (e->event == EV_fcntl && cmd == F_DUPFD_CLOEXEC_)
            ? scap_fd_edit(s->procs, leader, num)
            : NULL;
    if (f)
        f->close_on_exec = true;
}

void scap_fd_closed(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    int64_t flags = 0;

    if (!scap_succeeded(e))
        return;
    s->close_tid = h->pid;
    if (e->event == EV_close && scap_named_num(e, "fd", &s->close_first)) {
        s->close_last = s->close_first;
        return;
    }
    scap_named_num(e, "flags", &flags);
    if (e->event == EV_close || flags & CLOSE_RANGE_CLOEXEC_ ||
        !scap_named_num(e, "first", &s->close_first) || !scap_named_num(e, "last", &s->close_last))
        s->close_tid = 0;
}
