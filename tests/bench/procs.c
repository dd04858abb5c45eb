/* SPDX-License-Identifier: Apache-2.0 */
/*
 * So many processes that sleep, as small as processes can be: they share this one's memory. Says
 * `ready`, and ends them when standard input does. Usage: procs COUNT
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK 4096

static int sleep_on(void *nothing)
{
    for (;;)
        pause();
    return nothing != NULL;
}

static long start_all(long count, char *stacks, pid_t *pids)
{
    long n = 0;

    while (n < count) {
        pids[n] = clone(sleep_on, stacks + (n + 1) * STACK,
                        CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, NULL);
        if (pids[n] < 0)
            break;
        n++;
    }
    return n;
}

int main(int argc, char **argv)
{
    long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0, n;
    size_t size = (size_t)count * STACK;
    char *stacks, byte;
    pid_t *pids = count > 0 ? calloc((size_t)count, sizeof(*pids)) : NULL;

    if (!pids)
        return 2;
    stacks = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    n = stacks == MAP_FAILED ? 0 : start_all(count, stacks, pids);
    if (n == count)
        fprintf(stderr, "procs: ready\n");
    else
        perror("procs");
    while (n == count && read(STDIN_FILENO, &byte, 1) > 0)
        ;
    for (long i = 0; i < n; i++)
        kill(pids[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    free(pids);
    return n == count ? 0 : 2;
}
