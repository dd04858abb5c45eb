/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's types, as far as the relocation of a bundle's code needs them.
 *
 * For each type that the code names libbpf looks at all of the kernel's, names included: some 70
 * times 120,000. Here they are read once: what stands behind the last one that is needed is cut
 * off, most of it functions, and those before it that are not needed lose their names. Numbers of
 * types remain, since code holds some. libbpf reads the result from a file without a name.
 *
 * Types that only a module has are not found: what the probe looks at is built into the kernel.
 */
#ifndef RULEC_KTYPES_H
#define RULEC_KTYPES_H

#include <stddef.h>

#define KTYPES_PATH 32 /* bytes that a path takes */

struct btf;

/* An empty file, and the path by which libbpf can open it; < 0: none can be had. */
int ktypes_open(char path[KTYPES_PATH]);

/*
 * Writes what `ours`, the types of the code, need of the kernel's types in `from`; all of them, if
 * they are not understood. 0 or -errno.
 */
int ktypes_fill(int fd, const char *from, const struct btf *ours);

/* The same in memory, to be freed; NULL: out of memory, or not understood. */
void *ktypes_cut(const void *all, size_t size, const struct btf *ours, size_t *cut);

#endif
