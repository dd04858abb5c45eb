/* SPDX-License-Identifier: Apache-2.0 */
#include "waiting.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"

#define TICK_NS 5000000 /* while records wait */

int waiting_open(struct waiting *w, int epoll)
{
    struct epoll_event ev = {.events = EPOLLIN};

    w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    ev.data.fd = w->timer;
    if (w->timer < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, w->timer, &ev) != 0)
        return -errno;
    return wait_open(&w->ring);
}

void waiting_close(struct waiting *w)
{
    wait_close(&w->ring);
    if (w->timer >= 0)
        close(w->timer);
    w->timer = -1;
}

/* ---- who waits ---- */

/* Does a rule's output name what engines say of containers? */
static bool names_metadata(const struct rpk *p, uint32_t ref)
{
    const struct rpk_ref *f = &p->refs[ref];
    bool found = !f->xform && !f->is_literal && enrich_is_metadata((enum field_id)f->field);

    for (uint32_t i = 0; f->xform && i < f->nkid && !found; i++)
        found = names_metadata(p, f->kid0 + i);
    return found;
}

static bool output_names_metadata(const struct rpk *p, const struct rpk_rule *rule)
{
    bool found = false;

    for (uint32_t i = 0; i < rule->pieces.n && !found; i++) {
        const struct rpk_piece *piece = &p->pieces[rule->pieces.off + i];

        found = piece->ref != RPK_NO_REF && names_metadata(p, piece->ref);
    }
    return found;
}

/* A record of the same process that waits: alerts of one process keep their order. */
static const struct wait_item *waits_for(const struct waiting *w, int64_t pid)
{
    const struct wait_item *i = wait_first(&w->ring);

    while (i && i->pid != pid)
        i = wait_next(&w->ring, i);
    return i;
}

bool waiting_must(struct waiting *w, struct record *r, const struct match *matches, unsigned n)
{
    const struct wait_item *before;
    bool wait = w->enrich->pending;

    for (unsigned i = 0; i < n && !wait; i++)
        wait = output_names_metadata(w->pack, &w->pack->rules[matches[i].rule]) &&
               enrich_pending(w->enrich, r);
    if (wait || w->ring.n == 0)
        return wait;
    before = waits_for(w, r->h->num[N_PID]);
    if (before)
        w->enrich->key = before->key;
    return before != NULL;
}

/* ---- in and out ---- */

static void tick(struct waiting *w, bool on)
{
    const struct itimerspec t = {.it_interval.tv_nsec = on ? TICK_NS : 0,
                                 .it_value.tv_nsec = on ? TICK_NS : 0};

    if (on != w->ticking && timerfd_settime(w->timer, 0, &t, NULL) == 0)
        w->ticking = on;
}

static void release(struct waiting *w, struct wait_item *item)
{
    w->release(w->ctx, item);
    wait_out(&w->ring, item);
}

void waiting_add(struct waiting *w, const struct record *r, const void *data, size_t size)
{
    const struct wait_item item = {
        .key = w->enrich->key, .pid = r->h->num[N_PID], .evt_num = r->user->evt_num};

    while (!wait_add(&w->ring, &item, data, size)) {
        release(w, wait_first(&w->ring)); /* it has waited longest */
        w->stats->pushed++;
    }
    w->stats->waited++;
    tick(w, true);
}

static void release_waiting(struct waiting *w, bool all)
{
    struct metacache *containers = w->enrich->containers;

    metacache_retry(containers, clock_ns(CLOCK_MONOTONIC));
    for (struct wait_item *i = wait_first(&w->ring), *next; i; i = next) {
        next = wait_next(&w->ring, i);
        if (all || metacache_state(containers, i->key) != META_PENDING)
            release(w, i);
    }
    tick(w, w->ring.n || metacache_pending(containers));
}

void waiting_tick(struct waiting *w)
{
    uint64_t ticks;

    if (read(w->timer, &ticks, sizeof(ticks)) > 0)
        release_waiting(w, false);
}

void waiting_end(struct waiting *w)
{
    release_waiting(w, true);
}
