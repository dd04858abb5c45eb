/* SPDX-License-Identifier: Apache-2.0 */
#include "notice.h"

#include <errno.h>
#include <stdlib.h>

/* ---- the numbers ---- */

/* A row is a lane (1 + rule), or an output. */
static uint32_t rows_of(const struct notice *n, enum notice_kind kind)
{
    return kind == NOTICE_DROPPED ? n->tell->nout : n->shared->nlane;
}

uint64_t notice_limited(const struct notice *n, uint32_t rule)
{
    return n->limit->over[rule] + shared_limited(n->shared, rule + 1);
}

static uint64_t count_of(const struct notice *n, enum notice_kind kind, uint32_t row)
{
    if (kind == NOTICE_DROPPED)
        return n->tell->out[row].dropped;
    if (kind == NOTICE_LOST)
        return shared_read(&n->shared->lanes[row].lost);
    return row ? notice_limited(n, row - 1) : 0;
}

static const char *name_of(const struct notice *n, enum notice_kind kind, uint32_t row)
{
    if (kind == NOTICE_DROPPED)
        return n->tell->out[row].url;
    return row ? rpk_text(n->pack, n->pack->rules[row - 1].name) : "audit";
}

/* ---- an alert ---- */

struct kind_info {
    const char *rule, *message, *key, *others;
    unsigned priority;
};
static const struct kind_info KINDS[NOTICE_KINDS] = {
    [NOTICE_LOST] = {"rulerun: events lost", "Events found no room in the buffer", "lost",
                     "other rules", 4},
    [NOTICE_LIMITED] = {"rulerun: alerts limited",
                        "Rules match more often than their limit lets tell", "limited",
                        "other rules", 5},
    [NOTICE_DROPPED] = {"rulerun: alerts dropped", "An output does not take all alerts", "dropped",
                        "other outputs", 4},
};

/* The fields: the sum, rows that have grown, those beyond as one, and the time that it took. */
struct growth {
    struct own_field f[NOTICE_ROWS + 3];
    unsigned n;
};

static void add_row(struct growth *g, const struct kind_info *k, const char *name, uint64_t more)
{
    g->f[0].number += more;
    if (g->n <= NOTICE_ROWS)
        g->f[g->n++] = OWN_NUMBER_OF(k->key, name, more);
    else if (g->n == NOTICE_ROWS + 1)
        g->f[g->n++] = OWN_NUMBER_OF(k->key, k->others, more);
    else
        g->f[NOTICE_ROWS + 1].number += more;
}

/* What is new of each row; it counts as told from here on. */
static struct growth take_growth(struct notice *n, enum notice_kind kind)
{
    struct growth g = {.f[0] = OWN_NUMBER(KINDS[kind].key, 0), .n = 1};

    for (uint32_t row = 0; row < rows_of(n, kind); row++) {
        uint64_t *told = &n->told[kind][row], now = count_of(n, kind, row);

        if (now <= *told) /* less: some are on their way (shared_limited) */
            continue;
        add_row(&g, &KINDS[kind], name_of(n, kind, row), now - *told);
        *told = now;
    }
    return g;
}

static void write_alert(struct notice *n, enum notice_kind kind, struct growth *g, uint64_t now)
{
    struct own o = {.rule = KINDS[kind].rule,
                    .message = KINDS[kind].message,
                    .priority = KINDS[kind].priority,
                    .utc_offset = n->utc_offset,
                    .ts = now,
                    .fields = g->f};
    size_t len;

    g->f[g->n++] = OWN_NUMBER("ms", (now - n->last[kind]) / 1000000);
    o.nfield = g->n;
    len = own_alert(n->style, &o, tell_room(n->tell), ALERT_MAX);
    if (len)
        tell_line(n->tell, len);
}

/* That an output fails is told where one works; that the others have not this line is no news. */
static void flush_dropped(struct notice *n)
{
    tell_flush(n->tell);
    for (uint32_t i = 0; i < n->tell->nout; i++)
        n->told[NOTICE_DROPPED][i] = n->tell->out[i].dropped;
    n->dropped = tell_dropped(n->tell);
}

/* Before the rows are read: what is counted from here on is news again. */
static void start_anew(struct notice *n, enum notice_kind kind)
{
    struct ring_reader *r = n->shared->reader;

    if (kind == NOTICE_LOST) {
        __atomic_exchange_n(&r->lost, 0, __ATOMIC_SEQ_CST);
    } else if (kind == NOTICE_LIMITED) {
        __atomic_exchange_n(&r->limited, 0, __ATOMIC_SEQ_CST);
        n->over = n->limit->total;
    }
}

static void tell_kind(struct notice *n, enum notice_kind kind, uint64_t now)
{
    struct growth g;

    if (kind == NOTICE_DROPPED)
        tell_flush(n->tell);
    start_anew(n, kind);
    g = take_growth(n, kind);
    if (g.n > 1)
        write_alert(n, kind, &g, now);
    if (kind == NOTICE_DROPPED)
        flush_dropped(n);
    n->last[kind] = now;
    n->next[kind] = now + NOTICE_EVERY_NS;
}

/* ---- when ---- */

static bool works(const struct tell *t)
{
    for (unsigned i = 0; i < t->nout; i++)
        if (!t->out[i].failing)
            return true;
    return false;
}

static bool has_news(const struct notice *n, enum notice_kind kind)
{
    const struct ring_reader *r = n->shared->reader;

    if (kind == NOTICE_DROPPED)
        return tell_dropped(n->tell) != n->dropped && works(n->tell);
    if (kind == NOTICE_LOST)
        return __atomic_load_n(&r->lost, __ATOMIC_RELAXED);
    return n->limit->total != n->over || __atomic_load_n(&r->limited, __ATOMIC_RELAXED);
}

void notice_look(struct notice *n, uint64_t now)
{
    for (enum notice_kind kind = 0; kind < NOTICE_KINDS; kind++)
        if (now >= n->next[kind] && has_news(n, kind))
            tell_kind(n, kind, now);
}

int notice_wait(const struct notice *n, uint64_t now)
{
    uint64_t until = UINT64_MAX;

    /* Events may be limited though no record wakes us. */
    if (n->limit->closed + NOTICE_EVERY_NS > now)
        until = now + NOTICE_EVERY_NS;
    for (enum notice_kind kind = 0; kind < NOTICE_KINDS; kind++)
        if (has_news(n, kind) && n->next[kind] < until)
            until = n->next[kind];
    if (until == UINT64_MAX)
        return -1;
    return until <= now ? 0 : (int)((until - now) / 1000000 + 1);
}

void notice_end(struct notice *n, uint64_t now)
{
    for (enum notice_kind kind = 0; kind < NOTICE_KINDS; kind++)
        if (has_news(n, kind))
            tell_kind(n, kind, now);
}

int notice_open(struct notice *n, uint64_t now)
{
    for (enum notice_kind kind = 0; kind < NOTICE_KINDS; kind++) {
        n->last[kind] = now;
        n->told[kind] = calloc(rows_of(n, kind) + 1u, sizeof(*n->told[kind]));
        if (!n->told[kind])
            return -ENOMEM;
    }
    return 0;
}

void notice_close(struct notice *n)
{
    for (enum notice_kind kind = 0; kind < NOTICE_KINDS; kind++) {
        free(n->told[kind]);
        n->told[kind] = NULL;
    }
}
