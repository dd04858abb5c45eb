/* SPDX-License-Identifier: Apache-2.0 */
#include "lore_tell.h"

#include <errno.h>
#include <string.h>

#include "match.h"
#include "shared.h"

/*
 * The filter looks at its clock before the record is stamped, and records of several processors
 * come in the order of their places in the buffer: by so much a row ends before what it rests on,
 * so that an event that the filter decided by it finds the same answer here, too.
 */
#define MARGIN_NS 1000000ull

/* What cannot be told now is asked for again after this. */
#define AGAIN_NS 10000000ull

uint32_t lore_rows(const struct rpk *p)
{
    return p->head->lore.n ? LORE_ROWS : 1;
}

int lore_open(struct lore *l, int fd, const struct rpk *p)
{
    *l = (struct lore){.pack = p, .nrow = lore_rows(p)};
    if (fd < 0 || p->head->lore.n == 0)
        return 0;
    l->rows = shared_map(fd, l->nrow * sizeof(*l->rows));
    return l->rows ? 0 : -errno;
}

void lore_close(struct lore *l)
{
    shared_unmap(l->rows, l->nrow * sizeof(*l->rows));
    l->rows = NULL;
}

/* ---- one thing ---- */

bool lore_key(const struct record *r, enum lore_kind kind, struct lore_key *key)
{
    const struct lore_info *k = lore_info(kind);
    uint32_t len = r->h->len[k->str];

    if (r->h->st[SLOT_OF_STR(k->str)] != ST_PRESENT || !r->text[k->str] || len > LORE_TEXT ||
        (k->num != N_COUNT && r->h->st[k->num] != ST_PRESENT))
        return false;
    memset(key, 0, sizeof(*key));
    key->kind = kind;
    key->len = len;
    key->num = k->num != N_COUNT ? r->h->num[k->num] : 0;
    memcpy(key->text, r->text[k->str], len);
    return true;
}

void lore_ask(const struct rpk *p, struct record *r, enum lore_kind kind, struct lore_bits *bits)
{
    memset(bits, 0, sizeof(*bits));
    for (uint32_t i = 0; i < p->head->lore.n; i++) {
        const struct rpk_lore *l = &p->lore[i];
        enum outcome o;

        if (l->kind != kind)
            continue;
        record_reset(r);
        o = match_atom(p, r, &p->atoms[l->atom]);
        if (o != OUT_MAYBE)
            bits->known[l->bit / 64] |= 1ull << l->bit % 64;
        if (o == OUT_TRUE)
            bits->yes[l->bit / 64] |= 1ull << l->bit % 64;
    }
}

/* ---- rows ---- */

/* Odd while it is written: who reads it then, or reads across it, takes it for nothing. */
static void begin_row(struct lore_row *row)
{
    __atomic_store_n(&row->seq, row->seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void end_row(struct lore_row *row)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&row->seq, row->seq + 1, __ATOMIC_RELAXED);
}

/* What was said of a container rests on its place in the cache, which another one has taken. */
static void forget_evicted(struct lore *l, const struct enrich *e)
{
    uint64_t evicted = metacache_stats(e->containers)->evicted;

    for (uint32_t i = 0; i < l->nrow && evicted != l->evicted; i++)
        if (l->rows[i].key.kind == LORE_CONTAINER && l->rows[i].until) {
            begin_row(&l->rows[i]);
            l->rows[i].until = 0;
            end_row(&l->rows[i]);
        }
    l->evicted = evicted;
}

/* Until when answers hold that were looked up so far. */
static uint64_t holds(const struct enrich *e, enum lore_kind kind)
{
    return e->until[kind] == LORE_ALWAYS ? LORE_ALWAYS : e->until[kind] - MARGIN_NS;
}

/* A row that says nothing is one, too: while it holds, nobody is asked. */
static void tell(struct lore *l, struct record *r, enum lore_kind kind, const struct enrich *e)
{
    struct lore_bits bits = {{0}, {0}};
    struct lore_key key;
    struct lore_row *row;
    uint64_t until;

    if (!lore_key(r, kind, &key))
        return;
    if (holds(e, kind) > r->h->ts)
        lore_ask(l->pack, r, kind, &bits);
    until = holds(e, kind);
    if (until <= r->h->ts) {
        memset(&bits, 0, sizeof(bits));
        until = r->h->ts + AGAIN_NS;
    }
    row = &l->rows[lore_hash(&key) & (l->nrow - 1)];
    begin_row(row);
    row->key = key;
    row->bits = bits;
    row->until = until;
    end_row(row);
}

void lore_tell(struct lore *l, struct record *r, const struct enrich *e)
{
    if (!l->rows)
        return;
    r->reading = READ_KERNEL;
    for (unsigned k = 0; k < LORE_KINDS; k++)
        if (r->wanted >> k & 1)
            tell(l, r, (enum lore_kind)k, e);
    forget_evicted(l, e);
}
