/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that change in each way a process can, and open files before and after.
 *
 *   tasks DIR SCENE [ARGUMENT]   `tasks DIR look NAME` opens DIR/KEY/NAME, twice, for each KEY
 * there
 *
 * DIR/bin holds this program under other names, to exec. tests/live/tasks.py says what each look
 * must raise. `storm SECONDS` makes many processes that change at random at the same time.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOMEONE 12345
#define PATH 512
#define PATIENCE 60 /* seconds after which what hangs ends */

static const char *top;

static int fail(const char *what)
{
    perror(what);
    _exit(1);
}

/* Not by openat: no rule looks at how the files are made. */
static void look(const char *name)
{
    DIR *keys = opendir(top);
    char path[PATH];
    struct dirent *key;

    if (!keys)
        fail(top);
    while ((key = readdir(keys))) {
        if (key->d_name[0] == '.' || !strcmp(key->d_name, "bin"))
            continue;
        snprintf(path, sizeof(path), "%s/%s/%s", top, key->d_name, name);
        syscall(SYS_mknod, path, S_IFREG | 0666, 0);
        for (int i = 0; i < 2; i++)
            close((int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
    }
    closedir(keys);
}

static void start(const char *name, const char *scene, const char *argument)
{
    char path[PATH];

    snprintf(path, sizeof(path), "%s/bin/%s", top, name);
    execl(path, name, top, scene, argument, (char *)NULL);
    fail(path);
}

static void reap(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) != pid || status)
        fail("a child");
}

/* ---- one process ---- */

static void set_ids(const char *what, uid_t uid, gid_t gid)
{
    if (syscall(SYS_setresgid, -1, gid, -1) || syscall(SYS_setresuid, -1, uid, -1))
        fail(what);
}

static void cred(const char *none)
{
    (void)none;
    look("cred-root");
    set_ids("setresuid", SOMEONE, 0);
    look("cred-uid");
    if (syscall(SYS_setresuid, -1, 0, -1))
        fail("setresuid back");
    look("cred-back");
    set_ids("setresgid", 0, SOMEONE);
    look("cred-gid");
}

static void set_caps(bool admin)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &head, data))
        fail("capget");
    data[0].effective &= ~(1u << CAP_SYS_ADMIN);
    data[0].effective |= (__u32)admin << CAP_SYS_ADMIN;
    if (syscall(SYS_capset, &head, data))
        fail("capset");
}

static void caps(const char *none)
{
    (void)none;
    look("caps-all");
    set_caps(false);
    look("caps-less");
    set_caps(true);
    look("caps-again");
}

static void *in_thread(void *none)
{
    look("thread-before");
    set_ids("in a thread", SOMEONE, 0);
    look("thread-uid");
    return none;
}

/* Credentials are a thread's own, below the library. */
static void thread(const char *none)
{
    pthread_t id;

    (void)none;
    look("thread-main");
    if (pthread_create(&id, NULL, in_thread, NULL) || pthread_join(id, NULL))
        fail("pthread");
    look("thread-main-after");
}

static void names(const char *none)
{
    (void)none;
    look("names-before");
    prctl(PR_SET_NAME, "task-b");
    look("names-prctl");
    execl("/nowhere/task-b", "task-b", (char *)NULL);
    look("names-failed-exec");
    if (setsid() < 0 && getpgrp() != getpid())
        fail("setsid");
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS))
        fail("unshare");
    look("names-unshared");
    start("task-b", "look", "names-exec");
}

static void *thread_starts(void *name)
{
    look("exec-thread-before");
    start("task-b", "look", name);
    return NULL;
}

static void exec_thread(const char *none)
{
    pthread_t id;

    (void)none;
    look("exec-main-before");
    if (pthread_create(&id, NULL, thread_starts, (void *)(size_t) "exec-thread-after"))
        fail("pthread_create");
    pause();
}

static void move_to(const char *group)
{
    int fd = open(group, O_WRONLY);

    if (fd < 0 || write(fd, "0", 1) != 1)
        fail(group);
    close(fd);
}

/* The container is that of the last exec or fork. */
static void group(const char *procs)
{
    pid_t pid;

    look("group-before");
    move_to(procs);
    look("group-moved");
    pid = fork();
    if (!pid) {
        look("group-child");
        _exit(0);
    }
    reap(pid);
    start("task-a", "look", "group-exec");
}

static void namespaces(const char *none)
{
    pid_t pid;
    int fd = open("/proc/self/ns/pid", O_RDONLY);

    (void)none;
    look("ns-before");
    if (unshare(CLONE_NEWPID))
        fail("unshare");
    look("ns-unshared");
    pid = fork();
    if (!pid) {
        look("ns-first");
        start("task-b", "look", "ns-first-exec");
    }
    reap(pid);
    if (fd < 0 || setns(fd, CLONE_NEWPID))
        fail("setns");
    look("ns-back");
}

/* ---- a process whose state the kernel could not store ---- */

static void forget_in(int map)
{
    struct bpf_map_info info = {0};
    __u32 size = sizeof(info);
    int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

    if (map < 0 || pidfd < 0 || bpf_obj_get_info_by_fd(map, &info, &size))
        fail("a map");
    if (info.type == BPF_MAP_TYPE_TASK_STORAGE && !strcmp(info.name, "procs"))
        bpf_map_delete_elem(map, &pidfd);
    close(pidfd);
    close(map);
}

/* Takes this process's state from every daemon; nothing was kept of it yet. */
static void forget(void)
{
    __u32 id = 0;

    while (!bpf_map_get_next_id(id, &id)) {
        int map = bpf_map_get_fd_by_id(id);

        if (map >= 0) /* else it has gone meanwhile */
            forget_in(map);
    }
}

static void forgotten(const char *none)
{
    pid_t pid = fork(), child;

    (void)none;
    if (pid) {
        reap(pid);
        return;
    }
    forget();
    prctl(PR_SET_NAME, "task-b");
    look("forgot-own");
    child = fork();
    if (!child) {
        look("forgot-child");
        start("task-b", "look", "forgot-exec");
    }
    reap(child);
    _exit(0);
}

static void child_looks(const char *name)
{
    pid_t pid = fork();

    if (!pid) {
        look(name);
        _exit(0);
    }
    reap(pid);
}

/* The second child finds what the first has found; the third's parent has changed with no child. */
static void siblings(const char *started)
{
    if (*started) {
        child_looks("siblings-third");
        return;
    }
    child_looks("siblings-first");
    child_looks("siblings-second");
    start("task-q", "siblings", "again");
}

/* ---- families: those that look wait for a byte of those that change ---- */

#define CHANGED 40 /* descriptor of the pipe, across exec */
#define LOOKED 50

static void make_pipes(void)
{
    int p[2];

    if (pipe(p) || dup2(p[0], CHANGED) < 0 || dup2(p[1], CHANGED + 1) < 0)
        fail("pipe");
    if (pipe(p) || dup2(p[0], LOOKED) < 0 || dup2(p[1], LOOKED + 1) < 0)
        fail("pipe");
}

static void wait_for(int end)
{
    char c;

    if (read(end, &c, 1) != 1)
        fail("a pipe");
}

static void tell(int end)
{
    if (write(end + 1, "x", 1) != 1)
        fail("a pipe");
}

/* A child that looks, says so, and looks again once all has changed. Returns to the parent. */
static pid_t watcher(const char *before, const char *after, bool orphan)
{
    pid_t parent = getpid(), pid = fork();

    if (pid)
        return pid;
    alarm(PATIENCE);
    look(before);
    tell(LOOKED);
    wait_for(CHANGED);
    while (orphan && getppid() == parent)
        usleep(1000);
    look(after);
    tell(LOOKED);
    _exit(0);
}

/* Waits for the watcher's second look, having changed. */
static void changed(const char *none)
{
    (void)none;
    tell(CHANGED);
    wait_for(LOOKED);
}

/* A watcher that has looked for the first time. */
static void watched(const char *before, const char *after)
{
    make_pipes();
    watcher(before, after, false);
    wait_for(LOOKED);
}

static pthread_t begin(void *(*routine)(void *))
{
    pthread_t id;

    if (pthread_create(&id, NULL, routine, NULL))
        fail("pthread_create");
    return id;
}

static void parent_exec(const char *none)
{
    (void)none;
    watched("pexec-before", "pexec-after");
    start("task-q", "changed", "");
}

static void *changes(void *none)
{
    start("task-q", "changed", "");
    return none;
}

static void parent_exec_thread(const char *none)
{
    (void)none;
    watched("pthread-before", "pthread-after");
    begin(changes);
    pause();
}

/* The one that looks is a grandchild. */
static void grand_exec(const char *none)
{
    pid_t pid;

    (void)none;
    make_pipes();
    pid = fork();
    if (!pid) {
        reap(watcher("grand-before", "grand-after", false));
        _exit(0);
    }
    wait_for(LOOKED);
    start("task-q", "changed", "");
}

static void leaves(const char *name)
{
    char before[64], after[64];

    snprintf(before, sizeof(before), "%s-before", name);
    snprintf(after, sizeof(after), "%s-after", name);
    watcher(before, after, true);
    wait_for(LOOKED);
    tell(CHANGED);
    _exit(0);
}

/* A child named task-p starts one that looks, and exits; it is reaped only afterwards. */
static void subreaper(const char *reap_first)
{
    pid_t pid;

    make_pipes();
    if (prctl(PR_SET_CHILD_SUBREAPER, 1))
        fail("subreaper");
    pid = fork();
    if (!pid)
        start("task-p", "leaves", *reap_first ? "reaped" : "zombie");
    if (*reap_first)
        reap(pid);
    else if (waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT))
        fail("waitid");
    wait_for(LOOKED); /* the first look's byte is the child's */
    while (wait(NULL) > 0)
        ;
}

static void *forks(void *none)
{
    watcher("texit-before", "texit-after", false);
    return none;
}

/* The thread that forked is gone, its process is not. */
static void thread_exit(const char *none)
{
    (void)none;
    make_pipes();
    if (pthread_join(begin(forks), NULL))
        fail("pthread_join");
    wait_for(LOOKED);
    changed("");
}

static void *outlives(void *none)
{
    while (access("/proc/self/task", F_OK) == 0) {
        char state[PATH] = "";
        int fd = open("/proc/self/stat", O_RDONLY);

        if (fd >= 0 && read(fd, state, sizeof(state) - 1) > 0 && strstr(state, ") Z "))
            break; /* the leader is gone */
        close(fd);
        usleep(1000);
    }
    changed("");
    _exit(0);
    return none;
}

static void leader_exit(const char *none)
{
    (void)none;
    watched("lexit-before", "lexit-after");
    begin(outlives);
    pthread_exit(NULL);
}

/* ---- all at once ---- */

static unsigned draw(unsigned n)
{
    static unsigned state;

    if (!state)
        state = (unsigned)getpid() * 2654435761u ^ (unsigned)clock();
    state = state * 1664525u + 1013904223u;
    return (state >> 16) % n;
}

static void *opens(void *none)
{
    for (int i = 0; i < 3; i++)
        look("storm");
    return none;
}

static void spread(int depth, time_t end)
{
    static const char *const names[] = {"task-a", "task-b", "task-p", "task-q"};
    char rest[64];
    pthread_t id;

    while (time(NULL) < end) {
        opens(NULL);
        switch (draw(7)) {
        case 0:
            if (depth < 5 && !fork())
                depth++;
            break;
        case 1:
            snprintf(rest, sizeof(rest), "%lld %d", (long long)end, depth);
            start(names[draw(4)], "spread", rest);
            break;
        case 2:
            if (depth)
                _exit(0); /* its children go on */
            break;
        case 3:
            syscall(SYS_setresuid, -1, draw(2) ? SOMEONE : 0, -1);
            break;
        case 4:
            set_caps(!geteuid() && draw(2));
            break;
        case 5:
            if (!pthread_create(&id, NULL, opens, NULL))
                pthread_detach(id);
            break;
        case 6:
            while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
            break;
        }
    }
}

static void spread_on(const char *rest)
{
    char *depth;
    time_t end = (time_t)strtoll(rest, &depth, 10);

    syscall(SYS_setresuid, -1, 0, -1);
    spread(atoi(depth), end);
}

static void storm(const char *seconds)
{
    time_t end = time(NULL) + atoi(seconds);

    for (int i = 0; i < 6; i++)
        if (!fork()) {
            spread(0, end);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
}

/* Each processor keeps what it has found: all looks of a scene are to be on one. */
static void stay_here(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof(one), &one))
        fail("sched_setaffinity");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const char *argument);
    } scenes[] = {
        {"look", look},
        {"cred", cred},
        {"caps", caps},
        {"thread", thread},
        {"names", names},
        {"exec-thread", exec_thread},
        {"group", group},
        {"namespaces", namespaces},
        {"forgotten", forgotten},
        {"siblings", siblings},
        {"changed", changed},
        {"parent-exec", parent_exec},
        {"parent-exec-thread", parent_exec_thread},
        {"grand-exec", grand_exec},
        {"leaves", leaves},
        {"subreaper", subreaper},
        {"thread-exit", thread_exit},
        {"leader-exit", leader_exit},
        {"spread", spread_on},
        {"storm", storm},
    };

    if (argc < 3) {
        fputs("usage: tasks DIR SCENE [ARGUMENT]\n", stderr);
        return 2;
    }
    top = argv[1];
    alarm(PATIENCE);
    if (strcmp(argv[2], "storm") != 0 && strcmp(argv[2], "spread") != 0)
        stay_here();
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
        if (!strcmp(argv[2], scenes[i].name)) {
            scenes[i].run(argc > 3 ? argv[3] : "");
            return 0;
        }
    return 2;
}
