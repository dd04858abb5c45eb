/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the decision table alone judges the records of a recording: no kernel, no reading, no
 * output. Prints `RECORDS MATCHED NANOSECONDS`, the last of them for each record. Records are read
 * ahead, some hundred at a time, and only their judging is timed. Usage: judge PACK.rpk RECORDING
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../../bpf/abi.h"
#include "../../runtime/replay.h"
#include "../../runtime/table.h"
#include "../flat.h"

#define BATCH (1u << 20) /* bytes: as many as a processor keeps at hand */
#define MATCHES 64

struct judging {
    struct rpk pack;
    struct record_user user;
    char *batch, *scratch;
    size_t used;
    uint64_t records, matched;
    double ns;
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    void *bytes = NULL;

    if (f && fstat(fileno(f), &st) == 0)
        bytes = aligned_alloc(8, ((size_t)st.st_size + 8) & ~(size_t)7);
    if (bytes && fread(bytes, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
        free(bytes);
        bytes = NULL;
    }
    *size = bytes ? (size_t)st.st_size : 0;
    if (f)
        fclose(f);
    return bytes;
}

/* What is in the batch: each record's size, and its bytes. */
static void judge_batch(struct judging *j)
{
    struct match found[MATCHES];
    double start = now_ns();

    for (size_t at = 0; at < j->used;) {
        struct record r;
        uint64_t size;
        memcpy(&size, j->batch + at, sizeof(size));
        at += sizeof(size);
        if (record_open(&r, j->batch + at, size, &j->user, j->scratch) == 0)
            j->matched += table_match(&j->pack, &r, READINGS_ALL, true, found, MATCHES) > 0;
        j->records++;
        at += (size + 7) & ~(uint64_t)7;
    }
    j->ns += now_ns() - start;
    j->used = 0;
}

static void add(struct judging *j, const struct record *r)
{
    uint64_t size;

    if (j->used + sizeof(size) + REC_MAX + 8 > BATCH)
        judge_batch(j);
    size = flat_record(r, j->batch + j->used + sizeof(size));
    memcpy(j->batch + j->used, &size, sizeof(size));
    j->used += sizeof(size) + ((size + 7) & ~(uint64_t)7);
}

static int judge_all(struct judging *j, const char *path)
{
    struct replay *p = calloc(1, sizeof(*p));
    char err[256] = "no memory";
    struct record *view;
    bool whole = false;

    if (p && replay_open(p, path, err, sizeof(err)) == 0) {
        j->user = (struct record_user){.ctx = p, .get = replay_get};
        p->user = &j->user;
        p->scratch = j->scratch;
        while (replay_next(p, &view, &whole, err, sizeof(err)))
            if (view)
                add(j, view);
        judge_batch(j);
        replay_close(p);
    }
    free(p);
    if (!whole)
        fprintf(stderr, "judge: %s: %s\n", path, err);
    return whole ? 0 : 2;
}

static int judge(struct judging *j, const char *pack, const char *recording)
{
    char err[256] = "cannot be read";
    size_t size = 0;
    void *bytes = read_file(pack, &size);
    int status = 2;

    if (bytes && rpk_open(&j->pack, bytes, size, err, sizeof(err)) == 0)
        status = judge_all(j, recording);
    else
        fprintf(stderr, "judge: %s: %s\n", pack, err);
    free(bytes);
    return status;
}

int main(int argc, char **argv)
{
    struct judging j = {.batch = aligned_alloc(8, BATCH), .scratch = malloc(RECORD_SCRATCH)};
    int status = 2;

    if (argc == 3 && j.batch && j.scratch)
        status = judge(&j, argv[1], argv[2]);
    if (status == 0 && j.records)
        printf("%llu %llu %.1f\n", (unsigned long long)j.records, (unsigned long long)j.matched,
               j.ns / (double)j.records);
    free(j.batch);
    free(j.scratch);
    return status;
}
