/* SPDX-License-Identifier: Apache-2.0 */
#include "seed_exe.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXE_WRITABLE = 1, EXE_FROM_MEMFD = 4 }; /* of flag table execve_flags */
#define CAP_WRITES ((1ull << 1) | (1ull << 3)) /* CAP_DAC_OVERRIDE, CAP_FOWNER */

/* Column `column` of the line `KEY:\ta\tb\tc`, in `base`. */
static unsigned long long status_number(const char *status, const char *key, unsigned column,
                                        int base)
{
    const char *at = strstr(status, key);
    unsigned long long v = 0;
    char *end;

    if (!at)
        return 0;
    at += strlen(key);
    for (unsigned i = 0; i <= column; i++) {
        v = strtoull(at, &end, base);
        at = end;
    }
    return v;
}

/* As state_live.h has it, but for read-only mounts, which /proc does not tell without asking them.
 */
static bool writable(const struct statx *st, const char *status)
{
    if (st->stx_attributes & STATX_ATTR_IMMUTABLE)
        return false;
    if (status_number(status, "\nUid:", 3, 10) == st->stx_uid || (st->stx_mode & 0002))
        return true;
    if (status_number(status, "\nGid:", 3, 10) == st->stx_gid && (st->stx_mode & 0020))
        return true;
    return (status_number(status, "\nCapEff:", 0, 16) & CAP_WRITES) != 0;
}

static __u64 ns_of(const struct statx_timestamp *t)
{
    return (__u64)t->tv_sec * 1000000000ull + t->tv_nsec;
}

void seed_exe(const char *proc, int pid, const char *status, struct proc_state *out)
{
    char path[320], target[16];
    struct statx st;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/%d/exe", proc, pid);
    /* Not synced: a file system in user space must not be able to hold the daemon's start. */
    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st) != 0)
        return;
    out->exe_ino = st.stx_ino;
    out->exe_ctime = ns_of(&st.stx_ctime);
    out->exe_mtime = ns_of(&st.stx_mtime);
    if (writable(&st, status))
        out->exe_flags |= EXE_WRITABLE;
    n = readlink(path, target, sizeof(target));
    if (n >= 7 && memcmp(target, "/memfd:", 7) == 0)
        out->exe_flags |= EXE_FROM_MEMFD;
}
