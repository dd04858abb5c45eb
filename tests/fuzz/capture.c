/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a recording, judged with our own rules (the folders stdlib and rules, seen from
 * where the program runs). The highest bit of the first byte keeps what follows as it is; without
 * it digests and sums are made right first, so that what is in the frames is reached. A recording
 * is read to an end that is within it, and what it says of rules leads to alerts that are sound.
 */
#include <stdlib.h>
#include <string.h>

#include "../../runtime/fit.h"
#include "../../runtime/replay.h"
#include "lib/fuzz.h"

#define RAW 0x80u
#define MATCHES 8u

static bool is_open;
static struct rpk pack;
static struct selected all; /* the rules that are on before a recording is looked at */
static uint8_t *on;

static void open_pack(void)
{
    fuzz_open_pack(&pack);
    is_open = true;
    on = malloc(pack.head->rules.n);
    if (!on || select_rules_on(&all, &pack, NULL, 0, 7, stderr)) {
        fuzz_fail("no memory");
    }
}

static void make_current(uint8_t *file, size_t size)
{
    struct capture_head head;
    struct capture_frame f;
    size_t at = sizeof head;
    if (size < sizeof head) {
        return;
    }
    memcpy(&head, file, sizeof head);
    head.hostname[sizeof head.hostname - 1] = head.pack[sizeof head.pack - 1] = 0;
    capture_seal(&head);
    memcpy(file, &head, sizeof head);
    while (size - at >= sizeof f) {
        memcpy(&f, file + at, sizeof f);
        if (capture_padded(f.size) > size - at - sizeof f) {
            return;
        }
        f = capture_frame_of((enum capture_kind)f.kind, file + at + sizeof f, f.size);
        memcpy(file + at, &f, sizeof f);
        at += sizeof f + capture_padded(f.size);
    }
}

static void judge(struct replay *p, const void *bytes, size_t size, char *scratch)
{
    const struct record_user user = {
        .ctx = p, .get = replay_get, .evt_num = p->number, .utc_offset = p->utc_offset};
    struct match hits[MATCHES];
    struct record r;
    if (!record_open(&r, bytes, size, &user, scratch)) {
        fuzz_alerts(&pack, &r, hits, table_match(&pack, &r, READINGS_ALL, false, hits, MATCHES));
    }
}

static void check_fit(const struct replay *p)
{
    const struct fit f = {.path = "f", .head = &p->head, .on = p->on, .non = p->non};
    struct selected s = all;
    FILE *out = fopen("/dev/null", "w");
    if (!out) {
        fuzz_fail("no file");
    }
    s.on = memcpy(on, all.on, pack.head->rules.n);
    int left_out = fit_rules(&f, &pack, &s, out);
    if (left_out < 0 || s.nrule + (uint32_t)left_out != all.nrule) {
        fuzz_fail("%d of %u rules are left out, %u remain", left_out, all.nrule, s.nrule);
    }
    fclose(out);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (!is_open) {
        open_pack();
    }
    if (!size) {
        return;
    }
    uint8_t *file = malloc(size);
    memcpy(file, data + 1, size - 1);
    if (!(data[0] & RAW)) {
        make_current(file, size - 1);
    }
    struct fuzz_bytes from = {file, size - 1};
    struct replay p = {.path = "f", .fd = -1, .in = {.read = fuzz_read, .ctx = &from}};
    char why[256] = "", *scratch = malloc(RECORD_SCRATCH);
    if (!replay_begin(&p, why, sizeof why) && !p.scap) { /* those are the harness scap's */
        const void *bytes;
        size_t n;
        bool whole;
        /* It looks through all calls for each event of the pack: now and then is enough. */
        if (fuzz_hash(data, size) % 16 == 0) {
            check_fit(&p);
        }
        while (replay_next(&p, &bytes, &n, &whole, why, sizeof why)) {
            judge(&p, bytes, n, scratch);
        }
        if (p.in.offset > size - 1 || whole != (p.in.offset == size - 1 && !why[0])) {
            fuzz_fail("read to %llu of %zu bytes: %s", (unsigned long long)p.in.offset, size - 1,
                      why);
        }
    } else if (!why[0] && !p.scap) {
        fuzz_fail("refused without a reason");
    }
    replay_close(&p);
    free(scratch);
    free(file);
}
