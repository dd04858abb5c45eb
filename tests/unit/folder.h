/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a test, in a folder of its own: what mkdtemp(3) has made of a template. */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes `n` bytes to a file of the folder, or with mode "a" behind what it has. */
static inline void folder_put(const char *dir, const char *name, const char *mode,
                              const void *bytes, size_t n)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, mode);
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void folder_text(const char *dir, const char *name, const char *text)
{
    folder_put(dir, name, "w", text, strlen(text));
}

/* Makes it from a template, with users root and alice; 0: done. */
static inline int folder_make(char *dir)
{
    if (!mkdtemp(dir))
        return -1;
    folder_text(dir, "passwd",
                "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/sh\n");
    return 0;
}

/* Removes it with all that is in it; 0: done. */
static inline int folder_remove(const char *dir)
{
    char cmd[256];

    snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
    return system(cmd);
}

#endif
