/* SPDX-License-Identifier: Apache-2.0 */
/* Writes that take what they are given as a whole. */
#ifndef RULEC_WHOLE_H
#define RULEC_WHOLE_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/* 0 or -errno. A signal does not end it, and a descriptor that takes nothing is an error. */
static inline int write_whole(int fd, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, (const char *)bytes + done, size - done);

        if (n == 0 || (n < 0 && errno != EINTR))
            return n ? -errno : -EIO;
        done += n < 0 ? 0 : (size_t)n;
    }
    return 0;
}

#endif
