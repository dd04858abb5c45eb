/* SPDX-License-Identifier: Apache-2.0 */
#include "scap_apply.h"

#include <string.h>

#include "../bpf/abi.h"
#include "fmt.h"
#include "scap_open.h"
#include "scap_sock.h"

enum { /* of the format's own flags */
       CLONE_PARENT_ = 0x100,
       CLONE_THREAD_ = 0x2000,
       CLONE_NEWUSER_ = 0x100000,
       CLONE_IN_PIDNS = 0x20000000,
};
#define ALL_CAPS ((1ll << 41) - 1)

/* ---- processes ---- */

static void on_chdir(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    struct scap_thread *leader = scap_leader(s->procs, h);
    char buf[PATH_CAP];
    struct fmt path = fmt_in(buf, sizeof(buf));
    const struct scap_fd *f;
    int64_t fd = -1;

    if (!leader || !scap_succeeded(e))
        return;
    if (e->event == EV_fchdir) {
        f = scap_named_num(e, "fd", &fd) ? scap_fd_find(leader, fd) : NULL;
        scap_state_cwd(s->procs, leader, f && f->name ? f->name->s : "",
                       f && f->name ? f->name->len : 0);
    } else {
        scap_state_cwd(s->procs, leader, buf, scap_path_of(s, h, e, "path", &path) ? path.len : 0);
    }
}

/* Numbers of clone, execve and of calls that change memory, by the names of the parameters. */
static void take_numbers(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    static const struct {
        const char *name;
        uint8_t to;
    } rows[] = {
        {"vm_size", TN_VM_SIZE},
        {"vm_rss", TN_VM_RSS},
        {"vm_swap", TN_VM_SWAP},
        {"fdlimit", TN_FDLIMIT},
        {"pgft_maj", TN_PF_MAJOR},
        {"pgft_min", TN_PF_MINOR},
        {"tty", TN_TTY},
        {"vpgid", TN_VPGID},
        {"loginuid", TN_LOGINUID},
        {"uid", TN_UID},
        {"gid", TN_GID},
        {"pgid", TN_PGID},
        {"exe_ino", TN_EXE_INO},
        {"vtid", TN_VTID},
        {"vpid", TN_VPID},
        {"exe_ino_ctime", TN_EXE_CTIME},
        {"exe_ino_mtime", TN_EXE_MTIME},
        {"cap_inheritable", TN_CAP_INHERITABLE},
        {"cap_permitted", TN_CAP_PERMITTED},
        {"cap_effective", TN_CAP_EFFECTIVE},
    };
    int64_t v;

    (void)s;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (scap_named_num(e, rows[i].name, &v))
            scap_thread_set(h, (enum scap_num)rows[i].to, v);
}

static void on_memory(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    if (scap_succeeded(e))
        take_numbers(s, h, e);
}

/* Bytes of a list of texts, each with a NUL: an empty parameter is no list. */
static void take_bytes(struct scap_state *s, struct scap_thread *h, const struct scap_event *e,
                       const char *name, enum scap_txt to)
{
    const struct scap_param *p = scap_param(e, name);

    if (p && p->at)
        scap_thread_text(s->procs, h, to, (const char *)p->at, p->len);
}

/* The program that clone and execve tell of. Before there was a name the first argument was it. */
static void take_program(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    const struct scap_param *groups = scap_param(e, "cgroups");
    const char *text;
    uint32_t n;

    if (scap_param_text(e, "exe", &text, &n))
        scap_thread_text(s->procs, h, TT_EXE, text, n);
    if (scap_param_text(e, "comm", &text, &n))
        scap_thread_text(s->procs, h, TT_COMM, text, n);
    else if (h->text[TT_EXE] && !scap_param(e, "comm")->at)
        scap_thread_text(s->procs, h, TT_COMM, h->text[TT_EXE]->s, h->text[TT_EXE]->len);
    take_bytes(s, h, e, "args", TT_ARGS);
    if (groups && groups->at)
        scap_state_cgroups(s->procs, h, (const char *)groups->at, groups->len);
    take_numbers(s, h, e);
}

/* When its pid namespace began: that of a container by the event, else the machine's start. */
static void take_pidns(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    int64_t start;

    if (s->boot_ts == 0)
        return;
    if (h->num[TN_VTID] == h->tid)
        scap_thread_set(h, TN_PIDNS_TS, (int64_t)s->boot_ts);
    else if (scap_named_num(e, "pidns_init_start_ts", &start))
        scap_thread_set(h, TN_PIDNS_TS, (int64_t)((uint64_t)start + s->boot_ts));
}

/* What a new thread has of the one that started it. */
static void start_thread(struct scap_state *s, struct scap_thread *h,
                         const struct scap_thread *from, const struct scap_event *e)
{
    int64_t flags = 0;
    bool thread;

    scap_named_num(e, "flags", &flags);
    thread = flags & CLONE_THREAD_;
    if (from)
        scap_thread_copy(s->procs, h, from);
    h->nthreads = 1;
    h->known = true;
    h->gone = false;
    if (from && (thread || flags & CLONE_PARENT_)) {
        h->ppid = from->ppid;
        h->knows_ppid = from->knows_ppid;
    } else if (from) {
        h->ppid = from->pid;
        h->knows_ppid = true;
    }
    take_program(s, h, e);
    scap_thread_set(h, TN_START_TS, (int64_t)e->ts);
}

/* The parent's side: its call returns the child's number, as the parent's namespace has it. */
static void clone_parent(struct scap_state *s, struct scap_thread *h, const struct scap_event *e,
                         int64_t child)
{
    int64_t flags = 0, vtid = h->tid;
    struct scap_thread *c;

    scap_named_num(e, "flags", &flags);
    scap_named_num(e, "vtid", &vtid);
    if (flags & CLONE_IN_PIDNS || vtid != h->tid)
        return; /* the child's own event says who it is */
    c = scap_thread_find(s->procs, child);
    if (c && c->by_child && c->knows_ppid && (c->ppid == h->pid || c->ppid == h->ppid)) {
        c->by_child = false;
        return;
    }
    if (c && c != h)
        scap_thread_drop(s->procs, c, 0);
    c = scap_thread_get(s->procs, child);
    if (!c || c == h)
        return;
    scap_thread_join(s->procs, c, flags & CLONE_THREAD_ ? h->pid : child);
    start_thread(s, c, h, e);
    scap_thread_set(c, TN_VTID, child);
    scap_thread_set(c, TN_VPID, flags & CLONE_THREAD_ ? h->num[TN_VPID] : child);
    take_pidns(s, c, e);
}

static void clone_child(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    int64_t pid = h->tid, ppid = 0, flags = 0;
    bool first = !h->known;

    scap_named_num(e, "pid", &pid);
    scap_named_num(e, "flags", &flags);
    if (first) {
        bool told = scap_named_num(e, "ptid", &ppid);

        scap_thread_join(s->procs, h, pid);
        start_thread(
            s, h, told ? scap_thread_find(s->procs, flags & CLONE_THREAD_ ? pid : ppid) : NULL, e);
        if (told && !(flags & CLONE_THREAD_)) {
            h->ppid = ppid;
            h->knows_ppid = true;
        }
        h->by_child = true;
    } else {
        take_program(s, h, e);
    }
    take_pidns(s, h, e);
}

static void on_clone(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    int64_t res = -1;

    if (!scap_param_num(e, 0, &res) || res < 0)
        return;
    if (res == 0) {
        clone_child(s, h, e);
        return;
    }
    if (!h->known) { /* what it says of the caller is true of it */
        h->known = true;
        take_program(s, h, e);
    }
    clone_parent(s, h, e, res);
}

static void take_exepath(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    static const char gone[] = " (deleted)";
    char buf[PATH_CAP];
    struct fmt path = fmt_in(buf, sizeof(buf));
    const char *text;
    uint32_t n;

    if (scap_param_text(e, "trusted_exepath", &text, &n)) {
        if (n > sizeof(gone) - 1 && memcmp(text + n - (sizeof(gone) - 1), gone, 10) == 0)
            n -= (uint32_t)(sizeof(gone) - 1);
        scap_thread_text(s->procs, h, TT_EXEPATH, text, n);
    } else if (e->event == EV_execve && scap_path_of(s, h, e, "filename", &path)) {
        scap_thread_text(s->procs, h, TT_EXEPATH, buf, path.len);
    } else {
        scap_thread_unknown(s->procs, h, TT_EXEPATH);
    }
}

/* Another program: what the event does not say of it is unknown. */
static void on_exec(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    const uint32_t of_program = 1u << TN_EXE_FLAGS | 1u << TN_EXE_INO | 1u << TN_EXE_CTIME |
                                1u << TN_EXE_MTIME | 1u << TN_CAP_INHERITABLE |
                                1u << TN_CAP_PERMITTED | 1u << TN_CAP_EFFECTIVE;
    int64_t pid, ppid, flags;

    if (!scap_succeeded(e))
        return;
    if (!h->known && scap_named_num(e, "pid", &pid))
        scap_thread_join(s->procs, h, pid);
    if (!h->knows_ppid && scap_named_num(e, "ptid", &ppid)) {
        h->ppid = ppid;
        h->knows_ppid = true;
    }
    h->known = true;
    h->has &= ~of_program;
    scap_thread_unknown(s->procs, h, TT_EXE);
    scap_thread_unknown(s->procs, h, TT_ARGS);
    scap_thread_unknown(s->procs, h, TT_ENV);
    take_exepath(s, h, e);
    take_program(s, h, e);
    take_bytes(s, h, e, "env", TT_ENV);
    if (scap_named_num(e, "flags", &flags))
        scap_thread_set(h, TN_EXE_FLAGS, flags);
    scap_fd_close_on_exec(s->procs, h);
}

static void on_exit(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    s->end_tid = h->tid;
    s->reaper = 0;
    scap_named_num(e, "reaper_tid", &s->reaper);
}

/* ---- identity ---- */

static void on_setid(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    bool user = e->event == EV_setuid || e->event == EV_setreuid || e->event == EV_setresuid;
    int64_t v;

    (void)s;
    if (scap_succeeded(e) && (scap_named_num(e, user ? "euid" : "egid", &v) ||
                              scap_named_num(e, user ? "uid" : "gid", &v)))
        scap_thread_set(h, user ? TN_UID : TN_GID, v);
}

static void on_setsid(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    int64_t res = -1;

    (void)s;
    if (scap_param_num(e, 0, &res) && res >= 0)
        scap_thread_set(h, TN_SID, res);
}

static void on_namespace(struct scap_state *s, struct scap_thread *h, const struct scap_event *e)
{
    int64_t flags = 0;

    (void)s;
    scap_named_num(e, e->event == EV_setns ? "nstype" : "flags", &flags);
    if (!scap_succeeded(e) || !(flags & CLONE_NEWUSER_))
        return;
    scap_thread_set(h, TN_CAP_INHERITABLE, ALL_CAPS);
    scap_thread_set(h, TN_CAP_PERMITTED, ALL_CAPS);
    scap_thread_set(h, TN_CAP_EFFECTIVE, ALL_CAPS);
}

/* ---- all ---- */

typedef void (*change)(struct scap_state *s, struct scap_thread *h, const struct scap_event *e);

static const change changes[EV_COUNT] = {
    [EV_accept] = scap_sock_accept,
    [EV_accept4] = scap_sock_accept,
    [EV_bind] = scap_sock_bind,
    [EV_bpf] = scap_fd_made,
    [EV_brk] = on_memory,
    [EV_capset] = on_memory,
    [EV_chdir] = on_chdir,
    [EV_clone] = on_clone,
    [EV_clone3] = on_clone,
    [EV_close] = scap_fd_closed,
    [EV_close_range] = scap_fd_closed,
    [EV_connect] = scap_sock_connect,
    [EV_creat] = scap_fd_open,
    [EV_dup] = scap_fd_dup,
    [EV_dup2] = scap_fd_dup,
    [EV_dup3] = scap_fd_dup,
    [EV_epoll_create] = scap_fd_made,
    [EV_epoll_create1] = scap_fd_made,
    [EV_eventfd] = scap_fd_made,
    [EV_eventfd2] = scap_fd_made,
    [EV_execve] = on_exec,
    [EV_execveat] = on_exec,
    [EV_fchdir] = on_chdir,
    [EV_fcntl] = scap_fd_dup,
    [EV_fork] = on_clone,
    [EV_getcwd] = on_chdir,
    [EV_inotify_init] = scap_fd_made,
    [EV_inotify_init1] = scap_fd_made,
    [EV_io_uring_setup] = scap_fd_made,
    [EV_memfd_create] = scap_fd_made,
    [EV_mmap] = on_memory,
    [EV_mmap2] = on_memory,
    [EV_munmap] = on_memory,
    [EV_open] = scap_fd_open,
    [EV_open_by_handle_at] = scap_fd_open,
    [EV_openat] = scap_fd_open,
    [EV_openat2] = scap_fd_open,
    [EV_pidfd_open] = scap_fd_made,
    [EV_pipe] = scap_fd_pipe,
    [EV_pipe2] = scap_fd_pipe,
    [EV_procexit] = on_exit,
    [EV_read] = scap_sock_data,
    [EV_readv] = scap_sock_data,
    [EV_recv] = scap_sock_data,
    [EV_recvfrom] = scap_sock_data,
    [EV_recvmmsg] = scap_sock_data,
    [EV_recvmsg] = scap_sock_data,
    [EV_send] = scap_sock_data,
    [EV_sendmmsg] = scap_sock_data,
    [EV_sendmsg] = scap_sock_data,
    [EV_sendto] = scap_sock_data,
    [EV_setgid] = on_setid,
    [EV_setns] = on_namespace,
    [EV_setregid] = on_setid,
    [EV_setresgid] = on_setid,
    [EV_setresuid] = on_setid,
    [EV_setreuid] = on_setid,
    [EV_setsid] = on_setsid,
    [EV_setuid] = on_setid,
    [EV_signalfd] = scap_fd_made,
    [EV_signalfd4] = scap_fd_made,
    [EV_socket] = scap_sock_new,
    [EV_socketpair] = scap_sock_pair,
    [EV_timerfd_create] = scap_fd_made,
    [EV_unshare] = on_namespace,
    [EV_userfaultfd] = scap_fd_made,
    [EV_vfork] = on_clone,
    [EV_write] = scap_sock_data,
    [EV_writev] = scap_sock_data,
};

struct scap_thread *scap_apply(struct scap_state *s, const struct scap_event *e)
{
    struct scap_thread *h = scap_thread_get(s->procs, e->tid);

    s->renamed = false;
    if (h && changes[e->event])
        changes[e->event](s, h, e);
    return h;
}

void scap_settle(struct scap_state *s)
{
    struct scap_thread *h = s->close_tid ? scap_thread_find(s->procs, s->close_tid) : NULL;

    if (h)
        scap_fd_close(s->procs, h, s->close_first, s->close_last);
    h = s->end_tid ? scap_thread_find(s->procs, s->end_tid) : NULL;
    if (h)
        scap_thread_drop(s->procs, h, s->reaper);
    s->close_tid = s->end_tid = 0;
}
