/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Long texts of a process: arguments that are too long for its state, and its environment.
 *
 * Most processes have short arguments and some an environment of many kilobytes, and what task
 * storage gives is a piece whose size is a power of two. So each kind of text has a map for each
 * size, and the state says which of them holds it: a *class*, 0 for none. The text is its own map's
 * row of the process, and belongs to the state only if it was written after as many execs.
 */
#ifndef RULEC_TEXTS_H
#define RULEC_TEXTS_H

#include "abi.h"

/*
 * (class, bytes of text, kind) of each size: what a piece of 1, 2 and 4 kB has room for beside
 * STORAGE_HEAD and the number of execs, then all that is ever kept.
 */
#define TEXT_SIZES(ROW, kind)                                                                      \
    ROW(1, 936, kind) ROW(2, 1960, kind) ROW(3, 4008, kind) ROW(4, 4096, kind)
#define TEXT_CLASSES 4

#define TEXT_STRUCT(class, size, kind)                                                             \
    struct kind##class                                                                             \
    {                                                                                              \
        __u32 execs; /* as in the state */                                                         \
        __u8 pad[4];                                                                               \
        char text[size];                                                                           \
    };
TEXT_SIZES(TEXT_STRUCT, text)

/* The class of a text of `n` bytes, at most ARGS_CAP or ENV_CAP. */
#define TEXT_ADD_ABOVE(class, size, n) above += (n) > (size);
static inline __u8 text_class(__u32 n)
{
    __u32 above = 0;

    TEXT_SIZES(TEXT_ADD_ABOVE, n)
    return (__u8)(1 + above);
}

#endif
