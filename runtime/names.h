/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of users and groups, from /etc/passwd and /etc/group of the host, or of a container through
 * /proc/PID/root. Files are kept and read again when they change; memory is fixed at start.
 *
 * A container's files are hostile: they are opened without leaving the container's root or its root
 * file system, only if that is a local one (a FUSE server could keep a read waiting for ever), only
 * if they are regular files, and only their first NAMES_BYTES are looked at.
 */
#ifndef RULEC_NAMES_H
#define RULEC_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum names_kind { NAMES_PASSWD, NAMES_GROUP };
#define NAMES_BYTES (256u << 10)
#define NAMES_ROOTS 8 /* containers remembered, the host besides */

struct names;

/* NULL: out of memory. `etc`: the host's directory of both files, "/etc" but for tests. */
struct names *names_new(const char *etc);
void names_free(struct names *n);
/*
 * Column `column` (0 name, 5 home, 6 shell) of the line whose id is `id`; its length, 0 if there is
 * none. `container` "" is the host; `pid` lives in the container; `now` is in ns. Bytes at `*out`
 * last until the next call.
 */
size_t names_find(struct names *n, enum names_kind kind, const char *container, int32_t pid,
                  uint32_t id, unsigned column, uint64_t now, const char **out);
/* Until when the last answer would be given again, whatever happens to the file. */
uint64_t names_until(const struct names *n);

#endif
