/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More than a watcher can take.
 *
 *   flood opens COUNT PROCESSES PATH [OTHER PROGRAM]
 *       Opens PATH so often, in so many processes; the first of them half way opens OTHER once and
 *       runs PROGRAM. Prints the nanoseconds of an open, as a process has waited for it.
 *   flood storm COUNT PROCESSES EVERY MARK PROGRAM
 *       Starts so many processes one after the other, in so many parents. Every EVERY-th opens
 * MARK, and is printed: `PID PPID fork|exec`. Every 50th runs PROGRAM, which is this program, and
 *       opens MARK, if its turn it is, from there.
 *   flood mark [PATH]
 *       Opens PATH, if there is one.
 *   flood turns FOLDER
 *       On one processor, and with one buffer: opens FOLDER/a/file for a while, then does something
 *       once that differs from it in one respect, and so on. Prints how often it did the former.
 */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXEC_EVERY 50

static void die(const char *what)
{
    perror(what);
    _exit(2);
}

static void touch(const char *path)
{
    int fd = open(path, O_RDONLY);

    if (fd < 0)
        die(path);
    close(fd);
}

static void run(char *const argv[])
{
    pid_t pid;
    int status;

    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0)
        die(argv[0]);
}

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- opens ---- */

static void opens(long count, const char *path, char *const *halfway)
{
    double start = now_ns();

    for (long i = 0; i < count; i++) {
        touch(path);
        if (i == count / 2 && halfway[0]) {
            touch(halfway[0]);
            run(halfway + 1);
        }
    }
    printf("%.1f\n", (now_ns() - start) / (double)count);
    fflush(stdout);
}

static void flood(long count, int processes, char *const *argv)
{
    static char *const nothing[] = {NULL};

    for (int i = 0; i < processes; i++) {
        pid_t pid = fork();

        if (pid < 0)
            die("fork");
        if (pid == 0) {
            opens(count / processes, argv[0], i == 0 && argv[1] ? argv + 1 : nothing);
            _exit(0);
        }
    }
}

/* ---- processes ---- */

struct storm {
    long count, every;
    char *mark, *program;
};

static void child(struct storm *s, long i)
{
    char verb[] = "mark", *argv[] = {s->program, verb, i % s->every == 0 ? s->mark : NULL, NULL};

    if (i % EXEC_EVERY == 0) {
        execv(s->program, argv);
        _exit(127);
    }
    if (i % s->every == 0)
        touch(s->mark);
    _exit(0);
}

/* With EVERY an odd multiple of half of EXEC_EVERY, marks are made by turns from fork and exec. */
static void storm(struct storm *s)
{
    for (long i = 1; i <= s->count; i++) {
        pid_t pid = fork();
        int status;

        if (pid == 0)
            child(s, i);
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            die("a process of the storm");
        if (i % s->every == 0)
            printf("%d %d %s\n", pid, getpid(), i % EXEC_EVERY ? "fork" : "exec");
    }
    fflush(stdout);
}

static void storms(struct storm s, int processes)
{
    s.count /= processes;
    for (int i = 0; i < processes; i++) {
        pid_t pid = fork();

        if (pid < 0)
            die("fork");
        if (pid == 0) {
            storm(&s);
            _exit(0);
        }
    }
}

/* ---- turns ---- */

#define TURN_NS 100e6

struct turns {
    char folder[PATH_MAX / 4], path[PATH_MAX]; /* what is opened is always read from `path` */
    long count;
};

/* Puts FOLDER/name there. */
static void put(struct turns *t, const char *name)
{
    snprintf(t->path, sizeof(t->path), "%s/%s", t->folder, name);
}

static void flood_turn(struct turns *t)
{
    double end = now_ns() + TURN_NS;

    put(t, "a/file");
    do {
        touch(t->path);
        t->count++;
    } while (now_ns() < end);
}

static void move(const struct turns *t, const char *from, const char *to)
{
    char old[PATH_MAX], new[PATH_MAX];

    snprintf(old, sizeof(old), "%s/%s", t->folder, from);
    snprintf(new, sizeof(new), "%s/%s", t->folder, to);
    if (rename(old, new) != 0)
        die(old);
}

/* Another text at the same address. */
static void open_name(struct turns *t, const char *name)
{
    put(t, name);
    touch(t->path);
}

/* The same text leads elsewhere; moved away and back. */
static void open_through(struct turns *t, const char *link, const char *place, const char *aside)
{
    move(t, place, aside);
    move(t, link, place);
    touch(t->path);
    move(t, place, link);
    move(t, aside, place);
}

static void open_to_write(struct turns *t)
{
    int fd = open(t->path, O_WRONLY);

    if (fd < 0)
        die(t->path);
    close(fd);
}

static void open_as(struct turns *t, uid_t uid)
{
    if (seteuid(uid) != 0)
        die("seteuid");
    touch(t->path);
    if (seteuid(0) != 0)
        die("seteuid");
}

static void turns(const char *folder)
{
    struct turns t = {.count = 0};
    cpu_set_t one;

    snprintf(t.folder, sizeof(t.folder), "%s", folder);
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof(one), &one);
    flood_turn(&t);
    open_name(&t, "a/other");
    flood_turn(&t);
    open_name(&t, "c/file");
    flood_turn(&t);
    open_name(&t, "a/file-");
    flood_turn(&t);
    open_through(&t, "to-b", "a", "aside");
    flood_turn(&t);
    open_through(&t, "to-other", "a/file", "aside");
    flood_turn(&t);
    open_to_write(&t);
    flood_turn(&t);
    open_as(&t, 65534);
    printf("%ld\n", t.count);
}

int main(int argc, char **argv)
{
    int status, bad = 0;

    if (argc > 4 && strcmp(argv[1], "opens") == 0) {
        flood(atol(argv[2]), atoi(argv[3]), argv + 4);
    } else if (argc == 7 && strcmp(argv[1], "storm") == 0) {
        storms((struct storm){atol(argv[2]), atol(argv[4]), argv[5], argv[6]}, atoi(argv[3]));
    } else if (argc > 1 && strcmp(argv[1], "mark") == 0) {
        if (argc > 2)
            touch(argv[2]);
    } else if (argc == 3 && strcmp(argv[1], "turns") == 0) {
        turns(argv[2]);
    } else {
        fputs("usage: flood opens|storm|mark|turns ...\n", stderr);
        return 2;
    }
    while (wait(&status) > 0)
        bad |= status;
    return bad ? 2 : 0;
}
