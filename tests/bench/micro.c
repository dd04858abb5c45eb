/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a few system calls cost, in nanoseconds each: one line `NAME COST` for each kind, or for
 * one. The median of several short series, so that one interruption does not count. Pinned to one
 * processor. Usage: micro [NAME]
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERIES 9

/* What the operations work on. */
struct bench {
    int pipe[2];
    int server;
    struct sockaddr_in address;
};

typedef int (*operation)(struct bench *b);

static int do_getppid(struct bench *b)
{
    (void)b;
    return syscall(SYS_getppid) < 0;
}

static int do_open_close(struct bench *b)
{
    int fd = open("/usr/share/common-licenses/Apache-2.0", O_RDONLY);

    (void)b;
    return fd < 0 || close(fd) != 0;
}

static int do_stat(struct bench *b)
{
    struct stat st;

    (void)b;
    return stat("/usr/share/common-licenses/Apache-2.0", &st);
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

static int measure(struct bench *b, const char *name, operation op, int count)
{
    double cost[SERIES];

    for (int s = 0; s < SERIES; s++) {
        double start = now_ns();
        for (int i = 0; i < count; i++)
            if (op(b) != 0) {
                fprintf(stderr, "micro: %s failed\n", name);
                return 2;
            }
        cost[s] = (now_ns() - start) / count;
    }
    qsort(cost, SERIES, sizeof(cost[0]), by_value);
    printf("%s %.1f\n", name, cost[SERIES / 2]);
    return 0;
}

static int prepare(struct bench *b)
{
    socklen_t size = sizeof(b->address);
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof(one), &one);
    b->address.sin_family = AF_INET;
    b->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    b->server = socket(AF_INET, SOCK_STREAM, 0);
    if (pipe(b->pipe) != 0 || b->server < 0 ||
        bind(b->server, (struct sockaddr *)&b->address, size) != 0 || listen(b->server, 8) != 0)
        return -1;
    return getsockname(b->server, (struct sockaddr *)&b->address, &size);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        operation op;
        int count;
    } rows[] = {
        {"getppid", do_getppid, 20000},
        {"open+close", do_open_close, 4000},
        {"stat", do_stat, 6000},
        {"fork+exec+wait", do_fork_exec, 30},
        {"pipe write+read", do_pipe, 6000},
        {"connect", do_connect, 400},
    };
    struct bench b = {0};
    int status = prepare(&b) != 0 ? 2 : 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && status == 0; i++)
        if (argc < 2 || strcmp(argv[1], rows[i].name) == 0)
            status = measure(&b, rows[i].name, rows[i].op, rows[i].count);
    return status;
}
