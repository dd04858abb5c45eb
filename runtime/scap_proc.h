/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes and descriptors as a scap file tells of them: those in its lists, then what its events
 * change. The file is a stranger's, so that all of it is bounded: threads, descriptors of a
 * process, and bytes. What has no room is counted, and its values are unknown.
 *
 * Texts are shared and counted: a fork copies pointers. A table of descriptors is shared between
 * a process and what it forked until one of them changes it.
 */
#ifndef RULEC_SCAP_PROC_H
#define RULEC_SCAP_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCAP_THREADS_MAX 65536u
#define SCAP_FDS_MAX 4096u          /* of a process */
#define SCAP_BYTES_MAX (256u << 20) /* of texts, tables of descriptors and starts of calls */
#define SCAP_DEPTH 64               /* steps up to an ancestor, or on to who took a child over */

struct scap_text {
    uint32_t refs, len;
    char s[];
};

/* Numbers of a thread. */
enum scap_num {
    TN_VTID,
    TN_VPID,
    TN_SID,
    TN_PGID,
    TN_VPGID,
    TN_TTY,
    TN_UID,
    TN_GID,
    TN_LOGINUID,
    TN_CAP_INHERITABLE,
    TN_CAP_PERMITTED,
    TN_CAP_EFFECTIVE,
    TN_FDLIMIT,
    TN_PF_MAJOR,
    TN_PF_MINOR,
    TN_VM_SIZE,
    TN_VM_RSS,
    TN_VM_SWAP,
    TN_EXE_FLAGS,
    TN_EXE_INO,
    TN_EXE_CTIME,
    TN_EXE_MTIME,
    TN_START_TS,
    TN_PIDNS_TS,
    TN_CONTAINER, /* enum container_kind */
    TN_COUNT
};
/* Its texts. ARGS and ENV as the kernel has them: each with a NUL behind it. */
enum scap_txt {
    TT_COMM,
    TT_EXE,
    TT_EXEPATH,
    TT_ARGS,
    TT_CWD, /* ends in a slash */
    TT_ENV,
    TT_CONTAINER, /* the whole id; "" on the host */
    TT_COUNT
};

/* Types of descriptors: numbers of the format, and of flag table fd_type. */
enum scap_fd_type {
    SCAP_FD_NONE,
    SCAP_FD_FILE,
    SCAP_FD_DIRECTORY,
    SCAP_FD_IPV4,
    SCAP_FD_IPV6,
    SCAP_FD_IPV4_SERVER,
    SCAP_FD_IPV6_SERVER,
    SCAP_FD_PIPE,
    SCAP_FD_UNIX,
    SCAP_FD_EVENT,
    SCAP_FD_OTHER,
    SCAP_FD_SIGNAL,
    SCAP_FD_EPOLL,
    SCAP_FD_INOTIFY,
    SCAP_FD_TIMER,
    SCAP_FD_NETLINK,
    SCAP_FD_FILE_V2, /* in lists alone */
    SCAP_FD_BPF,
    SCAP_FD_USERFAULT,
    SCAP_FD_IO_URING,
    SCAP_FD_MEMFD,
    SCAP_FD_PIDFD,
    SCAP_FD_TYPES
};
static inline bool scap_fd_is_ip(unsigned type)
{
    return type >= SCAP_FD_IPV4 && type <= SCAP_FD_IPV6_SERVER;
}

struct scap_fd {
    int32_t num;
    uint8_t type;
    uint8_t l4;   /* value of flag table l4proto */
    uint8_t role; /* enum scap_role */
    uint8_t alen; /* bytes of an address, 4 or 16 */
    uint16_t cport, sport;
    uint8_t cip[16], sip[16];
    bool connected, has_client, has_server;
    bool upper, lower, close_on_exec, from_list;
    uint32_t dev;
    uint64_t ino;
    struct scap_text *name, *raw; /* NULL: unknown; of an IP socket: none */
};
enum scap_role { SCAP_NO_ROLE, SCAP_CLIENT, SCAP_SERVER };

struct scap_fds {
    uint32_t refs, n, cap;
    bool full;         /* others had no room */
    struct scap_fd *v; /* in order of num */
};

struct scap_thread {
    struct scap_thread *next; /* in its bucket */
    int64_t tid, pid, ppid;   /* ppid: the parent's tid; 0: it has none. Of its leader */
    uint32_t has;             /* bit per enum scap_num */
    int64_t num[TN_COUNT];
    struct scap_text *text[TT_COUNT]; /* NULL: unknown */
    struct scap_fds *fds;             /* of a leader; NULL: nothing is known of them */
    uint32_t nthreads;                /* of a leader's process, itself included */
    uint8_t *enter;                   /* a copy of the block that began its call */
    uint32_t enter_size, enter_cap, enter_type;
    bool known;      /* more than its number */
    bool knows_ppid; /* else its parent is unknown */
    bool by_child;   /* its own event was first, its parent's is still to come */
    bool gone;       /* a leader that has ended before the others */
};

struct scap_procs;

/* NULL: out of memory. */
struct scap_procs *scap_procs_new(void);
void scap_procs_free(struct scap_procs *t);
/* Forgets all: another section of the file follows. */
void scap_procs_clear(struct scap_procs *t);
/* How many threads, descriptors and texts had no room. */
uint64_t scap_procs_lost(const struct scap_procs *t);

/* NULL: there is none. */
struct scap_thread *scap_thread_find(const struct scap_procs *t, int64_t tid);
/* The same; makes one of which nothing is known but its number. NULL: no room. */
struct scap_thread *scap_thread_get(struct scap_procs *t, int64_t tid);
/* Says whose thread it is: its process then counts it. */
void scap_thread_join(struct scap_procs *t, struct scap_thread *h, int64_t pid);
/* The thread has ended; `reaper` (0: not told) takes over what it started. */
void scap_thread_drop(struct scap_procs *t, struct scap_thread *h, int64_t reaper);
/* The thread that its process's environment, directory and descriptors are kept with, or NULL. */
struct scap_thread *scap_leader(const struct scap_procs *t, const struct scap_thread *h);
/* The parent's leader, which may be who took the process over. NULL: none, or not known. */
struct scap_thread *scap_parent(const struct scap_procs *t, const struct scap_thread *h);
/* All threads, from NULL on, in no order. */
struct scap_thread *scap_thread_next(const struct scap_procs *t, const struct scap_thread *h);

void scap_thread_set(struct scap_thread *h, enum scap_num n, int64_t v);
/* Keeps a copy of `n` bytes, in place of what was there. */
void scap_thread_text(struct scap_procs *t, struct scap_thread *h, enum scap_txt which,
                      const char *s, size_t n);
/* Takes over all that a fork does: numbers, texts, descriptors; what was there goes. */
void scap_thread_copy(struct scap_procs *t, struct scap_thread *to, const struct scap_thread *from);
/* Forgets texts and descriptors, of a thread or a descriptor that is in no table as well. */
void scap_thread_empty(struct scap_procs *t, struct scap_thread *h);
void scap_fd_empty(struct scap_procs *t, struct scap_fd *f);
/* Forgets one text: it is unknown. */
void scap_thread_unknown(struct scap_procs *t, struct scap_thread *h, enum scap_txt which);
/* Keeps the start of a call, or (size 0) forgets it. */
void scap_thread_enter(struct scap_procs *t, struct scap_thread *h, uint32_t type,
                       const uint8_t *bytes, uint32_t size);

/* The descriptor; NULL: there is none. `h` is a leader. */
const struct scap_fd *scap_fd_find(const struct scap_thread *h, int64_t num);
/* To change it. NULL: there is none, or no room for a table of its own. */
struct scap_fd *scap_fd_edit(struct scap_procs *t, struct scap_thread *h, int64_t num);
/* A new one with nothing but its number, in place of an old one. NULL: no room. */
struct scap_fd *scap_fd_new(struct scap_procs *t, struct scap_thread *h, int64_t num);
/* A copy of another descriptor, under a number of its own. */
void scap_fd_copy(struct scap_procs *t, struct scap_thread *h, int64_t num,
                  const struct scap_fd *from);
void scap_fd_close(struct scap_procs *t, struct scap_thread *h, int64_t first, int64_t last);
void scap_fd_close_on_exec(struct scap_procs *t, struct scap_thread *h);
void scap_fd_name(struct scap_procs *t, struct scap_fd *f, const char *s, size_t n);
void scap_fd_raw(struct scap_procs *t, struct scap_fd *f, const char *s, size_t n);

#endif
