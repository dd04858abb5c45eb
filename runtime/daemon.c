/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bound.h"
#include "clock.h"
#include "drain.h"
#include "hookloss.h"
#include "judge.h"
#include "load.h"
#include "notice.h"
#include "priv.h"
#include "rejudge.h"
#include "say.h"
#include "seed.h"

#define BATCH_MAX 512 /* records that are judged without looking after anything else */
#define NAP_MS 1      /* under load: how long records gather before we look */
#define REST_MS 1000  /* so soon after a record we look again, whatever happens */

struct daemon {
    const struct daemon_options *opt;
    struct judge judge;
    struct load load;
    struct shared shared;
    struct notice notice;
    struct drain drain;
    int epoll, signals;
    bool hangup_ends;  /* SIGHUP is as SIGTERM */
    unsigned batch;    /* records of it so far */
    unsigned blind;    /* times that the buffer could not be read */
    uint64_t slept_at; /* records, when we last went to sleep for long */
};

/* ---- start ---- */

/* A hang-up ends what was started from a terminal, unless whoever started it said otherwise. */
static bool hangup_ends(void)
{
    int tty = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct sigaction before;

    if (tty < 0)
        return false;
    close(tty);
    return sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN;
}

/*
 * Signals arrive as bytes in the loop, those too that only mean something to others: SIGHUP and
 * SIGUSR1 make Falco read its rules and open its outputs anew, and nobody who sends one here wants
 * detection to end. A closed pipe and a file at its limit are a write's error.
 */
static int open_signals(struct daemon *d)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = -1};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    d->hangup_ends = hangup_ends();
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

/* Gives a record's room back to its lane. The buffer itself gets it once we have returned. */
static void give_back(const struct shared *s, const struct ev_head *h, size_t size)
{
    if (size >= sizeof(struct rec) && h->rule < s->nlane)
        __atomic_store_n(&s->lanes[h->rule].taken, s->lanes[h->rule].taken + RING_ROOM(size),
                         __ATOMIC_RELAXED);
}

/* A batch ends behind this record: signals and readers are looked after in between. */
static bool handle(void *ctx, const void *data, size_t size)
{
    struct daemon *d = ctx;
    struct judge *j = &d->judge;

    j->user.evt_num = ++j->stats.records;
    judge_record(j, data, size, true);
    give_back(&d->shared, data, size);
    return ++d->batch < BATCH_MAX;
}

static int open_ring(struct daemon *d)
{
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.fd = d->load.events_fd};
    int rc;

    if (d->load.events_fd < 0)
        return d->judge.selected.nrule ? say("the bundle has no ring buffer") : 0;
    rc = drain_open(&d->drain, d->load.events_fd, d->opt->buffer);
    if (rc)
        return say(strerror(-rc));
    /* Edges: data that is there is no reason to wake before the kernel wakes us. */
    return epoll_ctl(d->epoll, EPOLL_CTL_ADD, ev.data.fd, &ev) == 0 ? 0 : say(strerror(errno));
}

static void seed(struct daemon *d)
{
    struct seed s;
    int n;

    if (!(d->load.attached >> HOOK_EXEC & 1))
        return; /* nobody keeps what is written now up to date */
    seed_init(&s, "/proc", d->load.boot_offset_ns);
    n = seed_all(&s, &d->load.state);
    if (n < 0)
        fprintf(stderr, "rulerun: /proc: %s; what already runs is not known\n", strerror(-n));
    else
        load_states_kept(&d->load);
}

/* The clock that events are stamped with. */
static uint64_t event_clock(const struct daemon *d)
{
    return clock_ns(CLOCK_BOOTTIME) + d->load.boot_offset_ns;
}

/* That of now, also for events of before a change. The zone's file was read with the first call. */
static int32_t utc_offset(void)
{
    return clock_utc_offset(time(NULL));
}

/* Between the rules and what is looked up, from here on. */
static int open_recorder(struct daemon *d, const struct probe_plan *plan)
{
    struct judge *j = &d->judge;
    struct capture_head head = {.plan = *plan,
                                .boot_offset_ns = d->load.boot_offset_ns,
                                .utc_offset = utc_offset(),
                                .nrule = j->pack.head->rules.n,
                                .hooks = d->load.attached,
                                .all = d->opt->record_all};
    const struct spool_file file = {d->opt->record, d->opt->record_max};
    char err[512] = "";

    memcpy(head.source, j->pack.head->source_digest, sizeof(head.source));
    snprintf(head.hostname, sizeof(head.hostname), "%s", j->enrich.hostname);
    snprintf(head.pack, sizeof(head.pack), "%s", rpk_text(&j->pack, j->pack.head->name));
    j->recorder = recorder_open(&file, &head, j->selected.on, &j->enrich, err, sizeof(err));
    if (!j->recorder)
        return say(err);
    j->user.ctx = j->recorder;
    j->user.get = recorder_get;
    return 0;
}

/* Under an audit every event is sent, and no lane is ever closed. */
static int open_shared(struct daemon *d)
{
    struct judge *j = &d->judge;
    uint32_t rules = j->pack.head->rules.n;
    bool closes = !d->opt->audit && !d->opt->record_all;
    int rc = shared_open(&d->shared, d->load.shared, d->load.cpus, rules);

    if (!rc)
        rc = limit_open(&j->limit, d->opt->limit, rules, closes ? d->shared.lanes : NULL);
    d->notice = (struct notice){.shared = &d->shared,
                                .limit = &j->limit,
                                .pack = &j->pack,
                                .style = &j->style,
                                .tell = &j->tell};
    if (!rc)
        rc = lore_open(&j->lore, d->load.lore_fd, &j->pack);
    if (!rc)
        rc = notice_open(&d->notice, event_clock(d));
    return rc ? say(strerror(-rc)) : 0;
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

/* Names each missing hook and the rules that suffer, for people and, if we go on, as an alert. */
static int tell_missing(struct daemon *d, bool alert)
{
    struct judge *j = &d->judge;
    int rc = 0;

    for (unsigned i = 0; i < d->load.nfault && rc == 0; i++) {
        const struct load_fault *f = &d->load.faults[i];
        struct hook_loss l;

        rc = hook_loss_open(&l, &j->pack, &j->selected, f->hook, f->reason);
        if (rc == 0)
            hook_loss_say(&l, stderr);
        if (rc == 0 && alert)
            tell_line(&j->tell, hook_loss_alert(&l, &j->style, event_clock(d), utc_offset(),
                                                tell_room(&j->tell), ALERT_MAX));
        hook_loss_close(&l);
    }
    tell_flush(&j->tell);
    return rc ? say("out of memory") : 0;
}

/* With some hooks missing: may it run? */
static int accept_missing(struct daemon *d, uint8_t hooks)
{
    const char *why = d->opt->strict ? "not started: --strict asks for all hooks"
                                     : "no rule can fire with the hooks that are left";

    if (d->load.nfault == 0 ||
        (!d->opt->strict && hooks_suffice(&d->judge.pack, &d->judge.selected, hooks)))
        return 0;
    return tell_missing(d, false) ? -1 : say(why);
}

/* Hooks of process state first: what they write while /proc is read is newer and stays. */
static int attach(struct daemon *d)
{
    load_attach(&d->load, LOAD_STATE);
    seed(d);
    d->judge.enrich.start_ts = event_clock(d);
    load_attach(&d->load, LOAD_REST);
    return accept_missing(d, d->load.attached);
}

static void say_armed(const struct daemon *d)
{
    fprintf(stderr, "rulerun: armed: %u rules, hooks", d->judge.selected.nrule);
    for (unsigned h = 0; h < HOOK_COUNT; h++)
        if (d->load.attached >> h & 1)
            fprintf(stderr, " %s", hook_info((enum hook_id)h)->name);
    fputs(d->load.attached ? "\n" : " none\n", stderr);
}

/* All is allocated, and /proc can still be read. */
static void say_bound(const struct daemon *d)
{
    const struct bound b = bound_of(&d->load, "/proc");

    bound_say(&b, stderr);
}

static int arm(struct daemon *d)
{
    struct judge *j = &d->judge;
    const struct probe_plan plan = make_plan(d);
    const struct load_options lo = {.buffer = d->opt->buffer,
                                    .all_hooks = d->opt->audit || d->opt->record_all,
                                    .selected = &j->selected,
                                    .plan = &plan};
    char err[2048] = "";

    if (load_open(&d->load, j->bytes, j->size, &j->pack, &lo, err, sizeof(err))) {
        tell_missing(d, false);
        return say(err);
    }
    if ((d->opt->strict && accept_missing(d, 0)) || open_shared(d) || open_ring(d) || attach(d) ||
        (d->opt->record && open_recorder(d, &plan)))
        return -1;
    if (j->recorder && recorder_start(j->recorder, err, sizeof(err)))
        return say(err);
    load_settle(&d->load);
    judge_settle(j);
    say_bound(d);
    if (priv_drop(true, err, sizeof(err)))
        return say(err);
    if (tell_missing(d, true))
        return -1;
    say_armed(d);
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

static void set_utc_offset(struct daemon *d)
{
    struct judge *j = &d->judge;

    j->user.utc_offset = d->notice.utc_offset = utc_offset();
    if (j->recorder)
        recorder_offset(j->recorder, j->user.utc_offset);
}

/* Judges what the kernel has sent, up to a batch of it; how many records. */
static unsigned take_batch(struct daemon *d)
{
    struct judge *j = &d->judge;

    d->batch = 0;
    set_utc_offset(d);
    if (drain_take(&d->drain, handle, d) && !d->blind++)
        say("the kernel's buffer cannot be read; it is tried again");
    notice_look(&d->notice, event_clock(d));
    tell_flush(&j->tell);
    if (d->batch && j->recorder)
        recorder_kick(j->recorder);
    return d->batch;
}

/* False: a signal ends us. */
static bool heed_signals(const struct daemon *d)
{
    struct signalfd_siginfo info;

    while (read(d->signals, &info, sizeof(info)) == sizeof(info)) {
        bool hangup = info.ssi_signo == SIGHUP;

        if (!(hangup && !d->hangup_ends) && info.ssi_signo != SIGUSR1)
            return false;
        fprintf(stderr,
                "rulerun: %s: rules and outputs stay those of the start; SIGTERM ends rulerun\n",
                hangup ? "SIGHUP" : "SIGUSR1");
    }
    return true;
}

/* Waits up to `ms` for something to do, and does what is no record. False: a signal ends us. */
static bool attend(struct daemon *d, int ms)
{
    struct judge *j = &d->judge;
    struct epoll_event ev[4];
    int n = epoll_wait(d->epoll, ev, 4, ms);

    for (int i = 0; i < n; i++) {
        if (ev[i].data.fd == d->signals && !heed_signals(d))
            return false;
        if (ev[i].data.fd == j->waiting.timer)
            waiting_tick(&j->waiting);
        else if (ev[i].data.fd != d->signals)
            tell_ready(&j->tell, ev[i].data.fd);
    }
    return n >= 0 || errno == EINTR;
}

/* Under load: lets records gather. */
static bool nap(struct daemon *d)
{
    bool on;

    shared_set_reader(&d->shared, READER_NAPPING);
    on = attend(d, NAP_MS);
    shared_set_reader(&d->shared, READER_AWAKE);
    return on;
}

/*
 * Sleeps until a record or something else wakes us; for a second only, while that is quiet for no
 * longer. `*busy`: it came so soon that sleeping does not pay.
 */
static bool sleep_long(struct daemon *d, bool *busy)
{
    uint64_t now = event_clock(d), records = d->judge.stats.records;
    bool on = true;
    int ms;

    shared_set_reader(&d->shared, READER_ASLEEP);
    if (take_batch(d) == 0) { /* nothing came before the kernel knew that we sleep */
        ms = notice_wait(&d->notice, now);
        if (records != d->slept_at && (ms < 0 || ms > REST_MS))
            ms = REST_MS;
        d->slept_at = records;
        on = attend(d, ms);
    }
    shared_set_reader(&d->shared, READER_AWAKE);
    *busy = event_clock(d) - now < NAP_MS * 1000000ull;
    return on;
}

/*
 * When little happens, each record wakes us at once. When records come faster than it pays to
 * sleep, they gather while we nap, and none wakes us before a quarter of the buffer is full.
 */
static void loop(struct daemon *d)
{
    bool on = true, busy = false;

    while (on) {
        unsigned n = take_batch(d);

        if (n == BATCH_MAX)
            on = attend(d, 0);
        else if (n && busy)
            on = nap(d);
        else
            on = sleep_long(d, &busy);
    }
}

/* Nothing is attached any more: what is in the buffer now is all there will be. */
static void finish(struct daemon *d)
{
    struct judge *j = &d->judge;

    load_detach(&d->load);
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0,
            0); /* programs that still run come to an end */
    while (take_batch(d))
        ;
    waiting_end(&j->waiting);
    notice_end(&d->notice, event_clock(d));
    tell_end(&j->tell);
    j->stats.dropped += tell_dropped(&j->tell);
    stats_metadata(&j->stats, metacache_stats(j->enrich.containers), stderr);
    stats_print(&j->stats, &d->notice, stderr);
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
    drain_close(&d->drain);
    notice_close(&d->notice);
    shared_close(&d->shared);
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
    d->drain = (struct drain)DRAIN_NONE;
    d->judge.waiting = WAITING_NONE;
    result = run(d);
    close_all(d);
    free(d);
    return result;
}
