/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a file again and again from each processor at once, and prints how long an open and close
 * took, in nanoseconds, by the last of them to end. Usage: flood COUNT FILE
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int open_all(long count, const char *path)
{
    for (long i = 0; i < count; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || close(fd) != 0)
            return 1;
    }
    return 0;
}

/* A child on this processor, which begins when the pipe is closed. */
static pid_t start(size_t cpu, const int *gate, long count, const char *path)
{
    pid_t child = fork();
    cpu_set_t one;
    char byte;

    if (child != 0)
        return child;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
    close(gate[1]);
    _exit(read(gate[0], &byte, 1) != 0 || open_all(count, path) != 0);
}

int main(int argc, char **argv)
{
    long count = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    size_t cpus = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    int gate[2], failed = 0, status;
    double began;

    if (count <= 0 || pipe(gate) != 0)
        return 2;
    for (size_t cpu = 0; cpu < cpus; cpu++)
        failed += start(cpu, gate, count, argv[2]) < 0;
    began = now_ns();
    close(gate[1]);
    while (wait(&status) > 0)
        failed += status != 0;
    printf("%.1f\n", (now_ns() - began) / (double)count);
    return failed != 0;
}
