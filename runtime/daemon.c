/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "judge.h"
#include "load.h"
#include "priv.h"
#include "rejudge.h"
#include "say.h"
#include "seed.h"

struct daemon {
    const struct daemon_options *opt;
    struct judge judge;
    struct load load;
    struct ring_buffer *ring;
    int epoll, signals;
};

/* ---- start ---- */

/* SIGINT and SIGTERM arrive as bytes in the loop; a closed pipe is a write's error. */
static int open_signals(struct daemon *d)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = -1};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    ev.data.fd = d->signals;
    if (d->signals < 0 || d->epoll < 0 || epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->signals, &ev) != 0)
        return say(strerror(errno));
    return 0;
}

static int open_waiting(struct daemon *d)
{
    struct judge *j = &d->judge;
    int rc;

    j->waiting = (struct waiting){.timer = -1,
                                  .pack = &j->pack,
                                  .enrich = &j->enrich,
                                  .stats = &j->stats,
                                  .release = judge_release,
                                  .ctx = j};
    rc = waiting_open(&j->waiting, d->epoll);
    return rc ? say(strerror(-rc)) : 0;
}

static int handle(void *ctx, void *data, size_t size)
{
    struct judge *j = ctx;

    j->user.evt_num = ++j->stats.records;
    judge_record(j, data, size, true);
    return 0;
}

static int open_ring(struct daemon *d)
{
    struct epoll_event ev = {.events = EPOLLIN};

    if (d->load.events_fd < 0)
        return d->judge.selected.nrule ? say("the bundle has no ring buffer") : 0;
    d->ring = ring_buffer__new(d->load.events_fd, handle, &d->judge, NULL);
    if (!d->ring)
        return say(strerror(errno));
    ev.data.fd = ring_buffer__epoll_fd(d->ring);
    return epoll_ctl(d->epoll, EPOLL_CTL_ADD, ev.data.fd, &ev) == 0 ? 0 : say(strerror(errno));
}

static void seed(struct daemon *d)
{
    struct seed s;
    int n;

    if (d->load.procs_fd < 0)
        return;
    seed_init(&s, "/proc", d->load.boot_offset_ns);
    n = seed_all(&s, d->load.procs_fd, d->load.envs_fd);
    if (n < 0)
        fprintf(stderr, "rulerun: /proc: %s; what already runs is not known\n", strerror(-n));
}

/* The clock that events are stamped with. */
static uint64_t event_clock(const struct daemon *d)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec + d->load.boot_offset_ns;
}

/* That of now, also for events of before a change. The zone's file was read with the first call. */
static int32_t utc_offset(void)
{
    time_t now = time(NULL);
    struct tm tm;

    return localtime_r(&now, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* Between the rules and what is looked up, from here on. */
static int open_recorder(struct daemon *d, const struct probe_plan *plan)
{
    struct judge *j = &d->judge;
    struct capture_head head = {.plan = *plan,
                                .boot_offset_ns = d->load.boot_offset_ns,
                                .utc_offset = utc_offset(),
                                .nrule = j->pack.head->rules.n,
                                .hooks =
                                    d->opt->record_all ? (1u << HOOK_COUNT) - 1 : j->selected.hooks,
                                .all = d->opt->record_all};
    char err[512] = "";

    memcpy(head.source, j->pack.head->source_digest, sizeof(head.source));
    snprintf(head.hostname, sizeof(head.hostname), "%s", j->enrich.hostname);
    snprintf(head.pack, sizeof(head.pack), "%s", rpk_text(&j->pack, j->pack.head->name));
    j->recorder =
        recorder_open(d->opt->record, &head, j->selected.on, &j->enrich, err, sizeof(err));
    if (!j->recorder)
        return say(err);
    j->user.ctx = j->recorder;
    j->user.get = recorder_get;
    return 0;
}

/* What the kernel is asked for: what the rules need, or all that there is. */
static struct probe_plan make_plan(const struct daemon *d)
{
    struct probe_plan plan = d->judge.selected.plan;

    if (d->opt->audit || d->opt->record_all)
        audit_plan(&d->judge.pack, &plan);
    if (d->opt->record_all)
        recorder_plan(&plan);
    return plan;
}

/* Hooks of process state first: what they write while /proc is read is newer and stays. */
static int arm(struct daemon *d)
{
    struct judge *j = &d->judge;
    const struct probe_plan plan = make_plan(d);
    const struct load_options lo = {.buffer = d->opt->buffer,
                                    .all_hooks = d->opt->audit || d->opt->record_all,
                                    .selected = &j->selected,
                                    .plan = &plan};
    char err[2048] = "";

    if (load_open(&d->load, j->bytes, j->size, &j->pack, &lo, err, sizeof(err)))
        return say(err);
    if ((d->opt->record && open_recorder(d, &plan)) || open_ring(d))
        return -1;
    if (load_attach(&d->load, LOAD_STATE, err, sizeof(err)))
        return say(err);
    seed(d);
    j->enrich.start_ts = event_clock(d);
    if (load_attach(&d->load, LOAD_REST, err, sizeof(err)) ||
        (j->recorder && recorder_start(j->recorder, err, sizeof(err))) ||
        priv_drop(true, err, sizeof(err)))
        return say(err);
    fprintf(stderr, "rulerun: armed: %u rules, hooks %s\n", j->selected.nrule,
            d->load.hooks[0] ? d->load.hooks : "none");
    return 0;
}

static int start(struct daemon *d)
{
    struct judge *j = &d->judge;

    tzset(); /* while the file can still be read */
    if (judge_open_pack(j) || judge_select_rules(j) || open_signals(d) ||
        judge_open_outputs(j, d->epoll) || open_waiting(d))
        return -1;
    if (enrich_open(&j->enrich, "/etc", &d->opt->containers))
        return say("out of memory");
    j->user = (struct record_user){
        .ctx = &j->enrich, .get = enrich_get, .no_metadata = &j->enrich.missing};
    j->style = d->opt->style;
    j->style.hostname = j->enrich.hostname;
    return arm(d);
}

/* ---- the loop ---- */

static void set_utc_offset(struct judge *j)
{
    j->user.utc_offset = utc_offset();
    if (j->recorder)
        recorder_offset(j->recorder, j->user.utc_offset);
}

/* Takes what the kernel has sent. */
static void consume(struct daemon *d)
{
    struct judge *j = &d->judge;

    set_utc_offset(j);
    ring_buffer__consume(d->ring);
    if (j->recorder)
        recorder_kick(j->recorder);
    stats_watch(&j->stats, &d->load, stderr);
}

static bool wake(struct daemon *d, int fd)
{
    if (fd == d->signals)
        return false;
    if (fd == d->judge.waiting.timer)
        waiting_tick(&d->judge.waiting);
    else if (d->ring && fd == ring_buffer__epoll_fd(d->ring))
        consume(d);
    else
        tell_ready(&d->judge.tell, fd);
    tell_flush(&d->judge.tell);
    return true;
}

static void loop(struct daemon *d)
{
    struct epoll_event ev[4];

    for (;;) {
        int n = epoll_wait(d->epoll, ev, 4, -1);

        for (int i = 0; i < n; i++)
            if (!wake(d, ev[i].data.fd))
                return;
        if (n < 0 && errno != EINTR)
            return;
    }
}

/* Nothing is attached any more: what is in the buffer now is all there will be. */
static void finish(struct daemon *d)
{
    struct judge *j = &d->judge;

    load_detach(&d->load);
    set_utc_offset(j);
    while (d->ring && ring_buffer__consume(d->ring) > 0)
        ;
    waiting_end(&j->waiting);
    tell_end(&j->tell);
    j->stats.dropped += tell_dropped(&j->tell);
    stats_metadata(&j->stats, metacache_stats(j->enrich.containers), stderr);
    stats_print(&j->stats, &j->pack, &d->load, stderr);
    if (d->opt->audit)
        fprintf(stderr, "rulerun: audit: events=%llu matched=%llu disagreements=%llu\n",
                (unsigned long long)j->audit.events, (unsigned long long)j->audit.matched,
                (unsigned long long)j->audit.disagreements);
}

static enum daemon_result run(struct daemon *d)
{
    if (d->opt->replay)
        return rejudge(&d->judge);
    if (start(d))
        return DAEMON_CANNOT;
    loop(d);
    finish(d);
    return d->judge.audit.disagreements ? DAEMON_WRONG : DAEMON_DONE;
}

static void close_all(struct daemon *d)
{
    ring_buffer__free(d->ring);
    load_close(&d->load);
    judge_close(&d->judge);
    if (d->epoll >= 0)
        close(d->epoll);
    if (d->signals >= 0)
        close(d->signals);
}

enum daemon_result daemon_run(const struct daemon_options *opt)
{
    struct daemon *d = calloc(1, sizeof(*d));
    enum daemon_result result;

    if (!d) {
        say("out of memory");
        return DAEMON_CANNOT;
    }
    d->opt = d->judge.opt = opt;
    d->epoll = d->signals = -1;
    d->judge.waiting = WAITING_NONE;
    result = run(d);
    close_all(d);
    free(d);
    return result;
}
