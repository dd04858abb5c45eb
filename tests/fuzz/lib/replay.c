/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A harness without libFuzzer: goes once through the files that are named. The name of each is
 * told before it is taken, so that the last one told is the one that ended the program; an input
 * without end ends it too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"

#define SECONDS_MAX 120u
#define SIZE_MAX_READ (1u << 20)

static int replay(const char *path, uint8_t *buf)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    size_t n = fread(buf, 1, SIZE_MAX_READ, f);
    fclose(f);
    fprintf(stderr, "%s\n", path);
    /* Exactly as large as the input, so that a read beyond it is seen. */
    uint8_t *data = malloc(n ? n : 1);
    for (size_t i = 0; i < n; i++)
        data[i] = buf[i];
    alarm(SECONDS_MAX);
    LLVMFuzzerTestOneInput(data, n);
    alarm(0);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    uint8_t *buf = malloc(SIZE_MAX_READ);
    for (int i = 1; i < argc && buf; i++)
        failed += replay(argv[i], buf);
    free(buf);
    printf("%d passed, %d failed\n", argc - 1 - failed, failed);
    return failed || argc == 1 ? 1 : 0;
}
