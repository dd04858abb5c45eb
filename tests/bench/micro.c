/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What system calls cost, in nanoseconds each: one line `NAME COST CALLS` for each operation, CALLS
 * being how often it was run. The median of several short series, so that one interruption does not
 * count. Pinned to one processor.
 *
 * Usage: micro [--list | NAME...]; without, those that the table of calls has. --list prints all
 * names.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERIES 9
#define NOBODY 0x7ffffffe /* a process number that the kernel never gives */

/* What the operations work on: in a folder of our own, which is the working directory. */
struct bench {
    int pipe[2];
    int server, listener_udp, udp;
    struct sockaddr_in address, udp_address;
    char folder[64];
    char library[256]; /* a shared library, by its whole path */
    void *page;
};

typedef int (*operation)(struct bench *b);

static int do_getppid(struct bench *b)
{
    (void)b;
    return syscall(SYS_getppid) < 0;
}

static int do_open_close(struct bench *b)
{
    int fd = open(b->library, O_RDONLY | O_CLOEXEC);

    return fd < 0 || close(fd) != 0;
}

static int do_open_write(struct bench *b)
{
    int fd = open("file", O_WRONLY | O_CLOEXEC);

    (void)b;
    return fd < 0 || close(fd) != 0;
}

static int do_stat(struct bench *b)
{
    struct stat st;

    return stat(b->library, &st);
}

static int do_fork_exec(struct bench *b)
{
    int status;
    pid_t pid = fork();

    (void)b;
    if (pid == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0;
}

static int do_fork(struct bench *b)
{
    int status;
    pid_t pid = fork();

    (void)b;
    if (pid == 0)
        _exit(0);
    return pid < 0 || waitpid(pid, &status, 0) != pid || status != 0;
}

static int do_pipe(struct bench *b)
{
    char byte = 'x';

    return write(b->pipe[1], &byte, 1) != 1 || read(b->pipe[0], &byte, 1) != 1;
}

/* Both ends are reset at once: thousands of connections leave nothing waiting behind them. */
static int do_connect(struct bench *b)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    int client = socket(AF_INET, SOCK_STREAM, 0), peer;

    if (client < 0 || connect(client, (struct sockaddr *)&b->address, sizeof(b->address)) != 0)
        return 1;
    peer = accept(b->server, NULL, NULL);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(client);
    return peer < 0 || close(peer) != 0;
}

static int do_socket(struct bench *b)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)b;
    return fd < 0 || close(fd) != 0;
}

/* Taken out again by the same turn: the receiver's buffer never fills. */
static int do_sendto(struct bench *b)
{
    const struct sockaddr *to = (const struct sockaddr *)&b->udp_address;
    char byte = 'x';

    return sendto(b->udp, &byte, 1, 0, to, sizeof(b->udp_address)) != 1 ||
           recv(b->listener_udp, &byte, 1, 0) != 1;
}

static int do_dup(struct bench *b)
{
    int fd = dup(b->pipe[0]);

    return fd < 0 || close(fd) != 0;
}

static int do_link_unlink(struct bench *b)
{
    (void)b;
    return link("file", "another") != 0 || unlink("another") != 0;
}

static int do_symlink_unlink(struct bench *b)
{
    (void)b;
    return symlink("file", "another") != 0 || unlink("another") != 0;
}

static int do_rename(struct bench *b)
{
    (void)b;
    return rename("file", "other") != 0 || rename("other", "file") != 0;
}

/* It exists already: to make and remove one is the file system's work, not the call's. */
static int do_mkdir(struct bench *b)
{
    return mkdir(b->folder, 0700) != -1;
}

static int do_chmod(struct bench *b)
{
    (void)b;
    return chmod("file", 0600);
}

static int do_setuid(struct bench *b)
{
    (void)b;
    return setuid(getuid());
}

static int do_kill(struct bench *b)
{
    (void)b;
    return kill(getpid(), 0);
}

/* It fails, and is an event all the same. */
static int do_ptrace(struct bench *b)
{
    (void)b;
    return ptrace(PTRACE_PEEKUSER, NOBODY, NULL, NULL) != -1;
}

static int do_mprotect(struct bench *b)
{
    return mprotect(b->page, 4096, PROT_READ) != 0 ||
           mprotect(b->page, 4096, PROT_READ | PROT_WRITE) != 0;
}

static const struct row {
    const char *name;
    operation op;
    int count;  /* in a series */
    bool table; /* of those that are run where none is named */
} rows[] = {
    {"getppid", do_getppid, 20000, true},
    {"open+close", do_open_close, 4000, true},
    {"open+close to write", do_open_write, 4000, true},
    {"stat", do_stat, 6000, true},
    {"pipe write+read", do_pipe, 6000, true},
    {"connect+accept", do_connect, 300, true},
    {"fork+exec+wait", do_fork_exec, 30, true},
    {"fork+exit+wait", do_fork, 60, false},
    {"socket+close", do_socket, 2000, false},
    {"sendto+recvfrom", do_sendto, 2000, false},
    {"dup+close", do_dup, 4000, false},
    {"link+unlink", do_link_unlink, 500, false},
    {"symlink+unlink", do_symlink_unlink, 500, false},
    {"rename, twice", do_rename, 500, false},
    {"mkdir that fails", do_mkdir, 4000, false},
    {"chmod", do_chmod, 2000, false},
    {"getuid+setuid", do_setuid, 4000, false},
    {"getpid+kill", do_kill, 4000, false},
    {"ptrace that fails", do_ptrace, 4000, false},
    {"mprotect, twice", do_mprotect, 2000, false},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int measure(struct bench *b, const struct row *row)
{
    double cost[SERIES];

    for (int s = 0; s < SERIES; s++) {
        double start = now_ns();
        for (int i = 0; i < row->count; i++)
            if (row->op(b) != 0) {
                fprintf(stderr, "micro: %s failed\n", row->name);
                return 2;
            }
        cost[s] = (now_ns() - start) / row->count;
    }
    qsort(cost, SERIES, sizeof(cost[0]), by_value);
    printf("%s %.1f %d\n", row->name, cost[SERIES / 2], row->count * SERIES);
    return 0;
}

static int prepare_sockets(struct bench *b)
{
    socklen_t size = sizeof(b->address), udp_size = sizeof(b->udp_address);

    b->address.sin_family = AF_INET;
    b->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    b->udp_address = b->address;
    b->server = socket(AF_INET, SOCK_STREAM, 0);
    b->listener_udp = socket(AF_INET, SOCK_DGRAM, 0);
    b->udp = socket(AF_INET, SOCK_DGRAM, 0);
    if (b->server < 0 || b->listener_udp < 0 || b->udp < 0 ||
        bind(b->server, (struct sockaddr *)&b->address, size) != 0 || listen(b->server, 8) != 0 ||
        bind(b->listener_udp, (struct sockaddr *)&b->udp_address, udp_size) != 0)
        return -1;
    return getsockname(b->server, (struct sockaddr *)&b->address, &size) != 0 ||
                   getsockname(b->listener_udp, (struct sockaddr *)&b->udp_address, &udp_size) != 0
               ? -1
               : 0;
}

/* The C library that this process runs on: a path such as programs open at each start. */
static int find_library(struct bench *b)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "re");

    while (maps && !b->library[0] && fgets(line, sizeof(line), maps)) {
        const char *path = strchr(line, '/');
        if (path && strstr(path, "/libc"))
            snprintf(b->library, sizeof(b->library), "%.*s", (int)strcspn(path, "\n"), path);
    }
    if (maps)
        fclose(maps);
    return b->library[0] ? 0 : -1;
}

static int prepare(struct bench *b)
{
    cpu_set_t one;
    int fd;

    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof(one), &one);
    strcpy(b->folder, "/tmp/rulerun-micro-XXXXXX");
    if (!mkdtemp(b->folder) || chdir(b->folder) != 0)
        return -1;
    fd = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    b->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fd < 0 || close(fd) != 0 || b->page == MAP_FAILED || pipe(b->pipe) != 0)
        return -1;
    return find_library(b) ? -1 : prepare_sockets(b);
}

static void clean(struct bench *b)
{
    unlink("file");
    if (b->folder[0] && chdir("/") == 0)
        rmdir(b->folder);
}

static bool wanted(const struct row *row, int argc, char **argv)
{
    bool found = argc < 2 && row->table;

    for (int i = 1; i < argc; i++)
        found = found || strcmp(argv[i], row->name) == 0;
    return found;
}

static int list(void)
{
    for (size_t i = 0; i < ROWS; i++)
        puts(rows[i].name);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    int status;

    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    status = prepare(&b) != 0 ? 2 : 0;
    if (status)
        perror("micro");
    for (size_t i = 0; i < ROWS && status == 0; i++)
        if (wanted(&rows[i], argc, argv))
            status = measure(&b, &rows[i]);
    clean(&b);
    return status;
}
