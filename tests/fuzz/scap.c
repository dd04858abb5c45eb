/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a scap file, judged with our own rules (the folders stdlib and rules, seen from
 * where the program runs). With the highest bit of the first byte the rest is the file as it is.
 * Without it the rest are pieces, of which a file is made whose blocks are whole, so that what is
 * in them is reached: a byte that says what (below), then a length of two bytes and a block's
 * bytes, or an event: its number, its thread, how many parameters, and each with its length in a
 * byte. However it comes out, every record is one that opens, and the end is told truly.
 */
#include <stdlib.h>
#include <string.h>

#include "../../runtime/replay.h"
#include "lib/fuzz.h"

#define RAW 0x80u
#define MATCHES 8u
#define PARAMS 32u
#define FILE_MAX (1u << 20)

static const uint32_t types[] = {0x0a0d0d0a, 0x201, 0x202, 0x207, 0x209, 0x210, 0x211, 0x212,
                                 0x213,      0x214, 0x215, 0x203, 0x218, 0x205, 0x219, 0x206,
                                 0x220,      0x204, 0x208, 0x216, 0x217, 0x221, 0x222, 0x999};
#define TYPES (sizeof(types) / sizeof(*types))
#define EVENT TYPES /* this and what is greater: an event, made */

static struct rpk pack;
static bool is_open;

/* ---- a file of pieces ---- */

struct made {
    uint8_t *v;
    size_t n;
};

static void put(struct made *m, const void *bytes, size_t n)
{
    if (n <= FILE_MAX - m->n) {
        memcpy(m->v + m->n, bytes, n);
        m->n += n;
    }
}

static void put_number(struct made *m, uint64_t v, size_t n)
{
    put(m, &v, n);
}

static void put_block(struct made *m, uint32_t type, const uint8_t *body, size_t n)
{
    if (n + 12 > FILE_MAX - m->n)
        return;
    put_number(m, type, 4);
    put_number(m, n + 12, 4);
    put(m, body, n);
    put_number(m, n + 12, 4);
}

static unsigned take(struct fuzz_bytes *b)
{
    unsigned v = b->left ? *b->at : 0;
    if (b->left) {
        b->at++;
        b->left--;
    }
    return v;
}

static const uint8_t *take_some(struct fuzz_bytes *b, size_t *n)
{
    const uint8_t *at = b->at;
    *n = *n < b->left ? *n : b->left;
    b->at += *n;
    b->left -= *n;
    return at;
}

static void put_event(struct made *m, struct fuzz_bytes *b)
{
    static uint8_t room[32 + PARAMS * 258];
    struct made e = {room, 0};
    uint8_t values[PARAMS * 256];
    size_t lens[PARAMS], n = 0;
    unsigned code = take(b), thread, params;
    code |= take(b) << 8;
    thread = take(b);
    params = take(b) % (PARAMS + 1);
    for (unsigned i = 0; i < params; i++) {
        lens[i] = take(b);
        const uint8_t *at = take_some(b, &lens[i]);
        memcpy(values + n, at, lens[i]);
        n += lens[i];
    }
    put_number(&e, 1, 2);
    put_number(&e, 1000000000ull + m->n, 8);
    put_number(&e, thread, 8);
    put_number(&e, 26 + 2 * params + n, 4);
    put_number(&e, code, 2);
    put_number(&e, params, 4);
    for (unsigned i = 0; i < params; i++)
        put_number(&e, lens[i], 2);
    put(&e, values, n);
    put_block(m, 0x216, e.v, e.n);
}

static void make_file(struct made *m, struct fuzz_bytes b)
{
    static const uint8_t section[] = {0x4d, 0x3c, 0x2b, 0x1a, 1,    0,    2,    0,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    put_block(m, types[0], section, sizeof(section));
    while (b.left) {
        unsigned kind = take(&b);
        if (kind >= EVENT) {
            put_event(m, &b);
            continue;
        }
        size_t n = take(&b);
        n |= (size_t)take(&b) << 8;
        const uint8_t *body = take_some(&b, &n);
        put_block(m, types[kind], body, n);
    }
}

/* ---- judging ---- */

static void judge(struct replay *p, struct record *r)
{
    struct match hits[MATCHES];
    if (!r)
        fuzz_fail("the record of event %llu does not open", (unsigned long long)p->number);
    r->plan = &p->head.plan;
    fuzz_alerts(&pack, r, hits, table_match(&pack, r, READINGS_ALL, false, hits, MATCHES));
}

static void judge_all(struct replay *p)
{
    char why[256] = "", *scratch = malloc(RECORD_SCRATCH);
    struct record_user user = {.ctx = p, .get = replay_get};
    struct record *view;
    uint64_t last = 0;
    bool whole;
    replay_bind(p, &pack);
    p->user = &user;
    p->scratch = scratch;
    while (replay_next(p, &view, &whole, why, sizeof(why))) {
        if (p->number <= last) {
            fuzz_fail("event %llu behind %llu", (unsigned long long)p->number,
                      (unsigned long long)last);
        }
        last = p->number;
        user.evt_num = p->number;
        user.utc_offset = p->utc_offset;
        judge(p, view);
    }
    if (whole == !!why[0])
        fuzz_fail("ended %s, and says: %s", whole ? "whole" : "early", why);
    free(scratch);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (!is_open) {
        fuzz_open_pack(&pack);
        is_open = true;
    }
    if (!size)
        return;
    struct made m = {malloc(FILE_MAX), 0};
    struct fuzz_bytes from = {data + 1, size - 1};
    if (!(data[0] & RAW)) {
        make_file(&m, from);
        from = (struct fuzz_bytes){m.v, m.n};
    }
    struct replay p = {.path = "f", .fd = -1, .in = {.read = fuzz_read, .ctx = &from}};
    char why[256] = "";
    if (!replay_begin(&p, why, sizeof(why))) {
        if (p.scap)
            judge_all(&p);
    } else if (!why[0]) {
        fuzz_fail("refused without a reason");
    }
    replay_close(&p);
    free(m.v);
}
