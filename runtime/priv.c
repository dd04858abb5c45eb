/* SPDX-License-Identifier: Apache-2.0 */
#include "priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sanitizers call what no filter here foresees. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && !defined(__SANITIZE_ADDRESS__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#endif

static int drop_capabilities(bool proc)
{
    const uint64_t keep = proc ? 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH : 0;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
        if (!(keep >> cap & 1))
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* without CAP_SETPCAP there is nothing to drop */
    if (syscall(SYS_capget, &head, data) != 0)
        return -errno;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t half = (uint32_t)(keep >> (32 * i));

        data[i].effective &= half;
        data[i].permitted &= half;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, data) == 0 ? 0 : -errno;
}

static void set_limits(void)
{
    const struct rlimit none = {0, 0}, files = {256, 256};

    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_NPROC, &none);
    setrlimit(RLIMIT_NOFILE, &files);
}

/* No path may be opened for writing any more, made or removed. Kernels without Landlock: no harm.
 */
static void restrict_paths(void)
{
    const struct landlock_ruleset_attr attr = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE |
                             LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                             LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                             LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                             LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                             LANDLOCK_ACCESS_FS_MAKE_SYM};
    int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

    if (fd < 0)
        return;
    syscall(SYS_landlock_restrict_self, fd, 0);
    close(fd);
}

#ifdef OWN_ARCH
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define DENY RETURN(SECCOMP_RET_ERRNO | EPERM)
/* The next instruction runs only for this number. */
#define ONLY(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1)
#define ALLOW(name) ONLY(__NR_##name), RETURN(SECCOMP_RET_ALLOW)

/*
 * A table, not a policy language: what the loop, its clean-up and the C library in them call.
 * Anything else fails with EPERM, and nothing is killed for it. openat(2) opens for reading
 * only (and Landlock sees to openat2); bpf(2) is gone: the counters are memory.
 */
static const struct sock_filter filter[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0),
    DENY,
    LOAD(nr),
    ALLOW(read),
    ALLOW(write),
    ALLOW(sendto),
    ALLOW(close),
    ALLOW(epoll_pwait),
#ifdef __NR_epoll_wait
    ALLOW(epoll_wait),
    ALLOW(readlink),
#endif
    ALLOW(epoll_ctl),
    ALLOW(ppoll),
    ALLOW(timerfd_settime),
    ALLOW(openat2),
    ALLOW(getdents64),
    ALLOW(fstat),
    ALLOW(fstatfs),
    ALLOW(newfstatat),
    ALLOW(lseek),
    ALLOW(ftruncate),
    ALLOW(clock_gettime),
    ALLOW(mmap),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW(brk),
    ALLOW(futex),
    ALLOW(membarrier),
    ALLOW(getpid),
    ALLOW(gettid),
    ALLOW(tgkill),
    ALLOW(rt_sigaction),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigreturn),
    ALLOW(restart_syscall),
    ALLOW(exit),
    ALLOW(exit_group),
    /* openat(dir, path, flags): not to write */
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 4),
    LOAD(args[2]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1),
    DENY,
    RETURN(SECCOMP_RET_ALLOW),
    DENY,
};

static int restrict_calls(void)
{
    const struct sock_fprog prog = {.len = sizeof(filter) / sizeof(filter[0]),
                                    .filter = (struct sock_filter *)(uintptr_t)filter};

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0 ? 0 : -errno;
}
#endif

int priv_drop(bool proc, char *err, size_t errlen)
{
    int rc = drop_capabilities(proc);

    if (rc) {
        snprintf(err, errlen, "cannot drop capabilities: %s", strerror(-rc));
        return rc;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        rc = -errno;
        snprintf(err, errlen, "cannot set no_new_privs: %s", strerror(-rc));
        return rc;
    }
    set_limits();
    restrict_paths();
#ifdef OWN_ARCH
    rc = restrict_calls();
    if (rc)
        snprintf(err, errlen, "cannot restrict system calls: %s", strerror(-rc));
#endif
    return rc;
}
