/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes system calls through an io_uring, as a way around who looks at system calls alone.
 *
 *   uring [HOW...] open PATH | open2 PATH | direct PATH | unlink PATH | mkdir PATH | stat PATH
 *   uring [HOW...] rename OLD NEW | symlink TEXT NEW | link OLD NEW
 *   uring [HOW...] read PATH | write PATH TEXT | close PATH | connect ADDRESS PORT
 *   uring [HOW...] send ADDRESS PORT TEXT      a datagram
 * HOW: poll (a thread of the kernel takes the requests), async (another one makes the calls), defer
 * (completions wait until they are asked for), skip (none if the call succeeds), full (the queue of
 * completions is full). Prints the result, or what comes instead of one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 8

struct ring {
    int fd;
    uint32_t *sq_tail, *sq_flags, *sq_array, *cq_head, *cq_tail;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    uint32_t mask, cq_mask;
};

enum how { POLL = 1, ASYNC = 2, DEFER = 4, SKIP = 8, FULL = 16 };

static char buffer[4096];
static struct statx statx_out;
static struct open_how open_how;
static struct sockaddr_in to = {.sin_family = AF_INET};

static int ring_open(struct ring *r, unsigned how)
{
    struct io_uring_params p = {0};
    char *sq, *cq;

    p.flags = (how & POLL ? IORING_SETUP_SQPOLL : 0) |
              (how & DEFER ? IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER : 0);
    if (how & FULL) {
        p.flags |= IORING_SETUP_CQSIZE;
        p.cq_entries = ENTRIES;
    }
    r->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &p);
    if (r->fd < 0)
        return -1;
    sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(uint32_t), PROT_READ | PROT_WRITE,
              MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
    cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
              PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
    r->sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                   MAP_SHARED, r->fd, IORING_OFF_SQES);
    if (sq == MAP_FAILED || cq == MAP_FAILED || (void *)r->sqes == MAP_FAILED)
        return -1;
    r->sq_tail = (uint32_t *)(sq + p.sq_off.tail);
    r->sq_flags = (uint32_t *)(sq + p.sq_off.flags);
    r->sq_array = (uint32_t *)(sq + p.sq_off.array);
    r->cq_head = (uint32_t *)(cq + p.cq_off.head);
    r->cq_tail = (uint32_t *)(cq + p.cq_off.tail);
    r->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
    r->mask = p.sq_entries - 1;
    r->cq_mask = p.cq_entries - 1;
    return 0;
}

static struct io_uring_sqe *next(struct ring *r, unsigned op)
{
    uint32_t at = *r->sq_tail & r->mask;
    struct io_uring_sqe *e = &r->sqes[at];

    memset(e, 0, sizeof(*e));
    e->opcode = (uint8_t)op;
    e->user_data = 42;
    r->sq_array[at] = at;
    return e;
}

static void submit(struct ring *r, unsigned how, unsigned wait)
{
    unsigned flags = wait ? IORING_ENTER_GETEVENTS : 0;

    __atomic_store_n(r->sq_tail, *r->sq_tail + 1, __ATOMIC_RELEASE);
    if (how & POLL && __atomic_load_n(r->sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)
        flags |= IORING_ENTER_SQ_WAKEUP;
    syscall(SYS_io_uring_enter, r->fd, 1, wait, flags, NULL, 0);
}

/* Results that nobody takes. */
static void fill(struct ring *r, unsigned how)
{
    while (*r->cq_tail - *r->cq_head <= r->cq_mask) {
        next(r, IORING_OP_NOP);
        submit(r, how, 0);
    }
}

static uint64_t address(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

static void at_path(struct io_uring_sqe *e, const char *path)
{
    e->fd = AT_FDCWD;
    e->addr = address(path);
}

/* ---- one function a kind of call ---- */

static void prepare_path(struct ring *r, struct io_uring_sqe *e, char **argv)
{
    int32_t slot = -1;

    at_path(e, argv[1]);
    if (e->opcode == IORING_OP_STATX) {
        e->off = address(&statx_out);
        e->len = STATX_BASIC_STATS;
    } else if (e->opcode == IORING_OP_OPENAT2) {
        e->off = address(&open_how);
        e->len = sizeof(open_how);
    } else if (e->opcode == IORING_OP_MKDIRAT) {
        e->len = 0700;
    } else if (strcmp(argv[0], "direct") == 0) {
        syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_FILES, &slot, 1);
        e->file_index = 1;
    }
}

static void prepare_two(struct ring *r, struct io_uring_sqe *e, char **argv)
{
    (void)r;
    at_path(e, argv[1]);
    if (e->opcode != IORING_OP_SYMLINKAT)
        e->len = (uint32_t)AT_FDCWD;
    e->addr2 = address(argv[2]);
}

static void prepare_file(struct ring *r, struct io_uring_sqe *e, char **argv)
{
    bool writes = e->opcode == IORING_OP_WRITE;

    (void)r;
    e->fd = open(argv[1], writes ? O_WRONLY | O_CREAT : O_RDONLY, 0600);
    if (e->opcode == IORING_OP_CLOSE)
        return;
    e->addr = address(writes ? argv[2] : buffer);
    e->len = writes ? (uint32_t)strlen(argv[2]) : sizeof(buffer);
}

static void prepare_net(struct ring *r, struct io_uring_sqe *e, char **argv)
{
    bool sends = e->opcode == IORING_OP_SEND;

    (void)r;
    e->fd = socket(AF_INET, sends ? SOCK_DGRAM : SOCK_STREAM, 0);
    inet_pton(AF_INET, argv[1], &to.sin_addr);
    to.sin_port = htons((uint16_t)strtol(argv[2], NULL, 10));
    e->addr = address(sends ? (void *)argv[3] : (void *)&to);
    if (!sends) {
        e->off = sizeof(to);
        return;
    }
    e->len = (uint32_t)strlen(argv[3]);
    e->addr2 = address(&to);
    e->addr_len = sizeof(to);
}

static const struct {
    const char *name;
    unsigned op;
    int words;
    void (*prepare)(struct ring *r, struct io_uring_sqe *e, char **argv);
} calls[] = {
    {"open", IORING_OP_OPENAT, 2, prepare_path},
    {"open2", IORING_OP_OPENAT2, 2, prepare_path},
    {"direct", IORING_OP_OPENAT, 2, prepare_path},
    {"unlink", IORING_OP_UNLINKAT, 2, prepare_path},
    {"mkdir", IORING_OP_MKDIRAT, 2, prepare_path},
    {"stat", IORING_OP_STATX, 2, prepare_path},
    {"rename", IORING_OP_RENAMEAT, 3, prepare_two},
    {"symlink", IORING_OP_SYMLINKAT, 3, prepare_two},
    {"link", IORING_OP_LINKAT, 3, prepare_two},
    {"read", IORING_OP_READ, 2, prepare_file},
    {"write", IORING_OP_WRITE, 3, prepare_file},
    {"close", IORING_OP_CLOSE, 2, prepare_file},
    {"connect", IORING_OP_CONNECT, 3, prepare_net},
    {"send", IORING_OP_SEND, 4, prepare_net},
};

static unsigned take_how(char ***argv)
{
    static const char *const words[] = {"poll", "async", "defer", "skip", "full"};
    unsigned how = 0;

    for (unsigned i = 0; **argv && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(**argv, words[i]) == 0) {
            how |= 1u << i;
            ++*argv;
            i = -1u;
        }
    return how;
}

static void finish(struct ring *r, unsigned how)
{
    if (how & SKIP) {
        puts("skipped");
    } else if (how & FULL) {
        puts("overflow");
    } else {
        while (*r->cq_head == __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE))
            syscall(SYS_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
        printf("%d\n", r->cqes[*r->cq_head & r->cq_mask].res);
    }
}

int main(int argc, char **argv)
{
    unsigned how;
    struct ring r;

    argv++;
    how = take_how(&argv);
    for (unsigned i = 0; *argv && i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct io_uring_sqe *e;

        if (strcmp(*argv, calls[i].name) != 0 || argc < calls[i].words + 1)
            continue;
        if (ring_open(&r, how) != 0) {
            perror("io_uring_setup");
            return 2;
        }
        if (how & FULL)
            fill(&r, how);
        e = next(&r, calls[i].op);
        calls[i].prepare(&r, e, argv);
        e->flags |=
            (uint8_t)((how & ASYNC ? IOSQE_ASYNC : 0) | (how & SKIP ? IOSQE_CQE_SKIP_SUCCESS : 0));
        submit(&r, how, !(how & (SKIP | FULL)));
        finish(&r, how);
        if (how & (SKIP | POLL))
            usleep(100000);
        return 0;
    }
    fputs("uring [HOW...] CALL ...\n", stderr);
    return 2;
}
