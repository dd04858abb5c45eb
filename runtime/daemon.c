/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "audit.h"
#include "enrich.h"
#include "fit.h"
#include "load.h"
#include "output.h"
#include "priv.h"
#include "recorder.h"
#include "replay.h"
#include "seed.h"
#include "stats.h"
#include "wait.h"

#define MATCHES_MAX 256 /* alerts of one event */
#define BUNDLE_MAX (256u << 20)
#define TICK_NS 5000000 /* while records wait for the metadata of their containers */
#define ALERT_HELD (64u << 10)

struct daemon {
    const struct daemon_options *opt;
    uint8_t *bytes; /* the bundle; the view and libbpf point into it */
    size_t size;
    struct rpk pack;
    struct selected selected;
    struct load load;
    struct enrich enrich;
    struct alert_style style;
    struct record_user user;
    struct ring_buffer *ring;
    int epoll, signals, timer;
    bool ticking;
    struct wait wait;
    struct output out[DAEMON_OUTPUTS];
    bool watched[DAEMON_OUTPUTS]; /* in epoll, until its reader has caught up */
    bool partial;                 /* a replay that leaves something out, and has said so */
    struct audit audit;
    struct recorder *recorder; /* or NULL */
    struct replay replay;
    struct rpk_head head; /* of a replay: the bundle's, with the recording's ancestors */
    struct stats stats;
    struct match matches[MATCHES_MAX];
    char scratch[RECORD_SCRATCH];
    unsigned nheld; /* alerts at the beginning of `alert`, not written yet: of a replay alone */
    size_t held;    /* their bytes */
    char alert[ALERT_HELD + ALERT_MAX];
};

static int fail(const char *what)
{
    fprintf(stderr, "rulerun: %s\n", what);
    return -1;
}

static int fail_at(const char *path, const char *what)
{
    fprintf(stderr, "rulerun: %s: %s\n", path, what);
    return -1;
}

/* ---- start ---- */

/* Reads all of a file; its size need not be known beforehand. malloc()'s alignment is enough. */
static int read_bundle(struct daemon *d)
{
    const char *path = d->opt->pack;
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t cap = 1u << 16;
    ssize_t n = 0;

    if (fd < 0)
        return fail_at(path, strerror(errno));
    d->bytes = malloc(cap);
    while (d->bytes && (n = read(fd, d->bytes + d->size, cap - d->size)) > 0) {
        d->size += (size_t)n;
        if (d->size < cap)
            continue;
        cap *= 2;
        uint8_t *more = cap <= BUNDLE_MAX ? realloc(d->bytes, cap) : NULL;
        if (!more)
            free(d->bytes);
        d->bytes = more;
    }
    n = n < 0 ? errno : 0;
    if (fd != STDIN_FILENO)
        close(fd);
    if (!d->bytes)
        return fail_at(path, "too big");
    return n ? fail_at(path, strerror((int)n)) : 0;
}

static int open_bundle(struct daemon *d)
{
    char err[256] = "";

    if (read_bundle(d))
        return -1;
    return rpk_open(&d->pack, d->bytes, d->size, err, sizeof(err)) ? fail_at(d->opt->pack, err) : 0;
}

static int select_rules(struct daemon *d)
{
    const struct daemon_options *o = d->opt;

    if (select_rules_on(&d->selected, &d->pack, o->select, o->nselect, o->priority, stderr))
        return fail("out of memory");
    d->pack.on = d->selected.on;
    d->audit.selected = &d->selected;
    if (select_gates(d->bytes, d->size, &d->pack))
        return fail_at(o->pack, "a switch of a rule has no rule");
    return 0;
}

static int open_outputs(struct daemon *d)
{
    char err[256];

    for (unsigned i = 0; i < d->opt->noutput; i++)
        if (output_open(&d->out[i], d->opt->outputs[i], err, sizeof(err)))
            return fail(err);
    return 0;
}

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
        return fail(strerror(errno));
    return 0;
}

static int open_timer(struct daemon *d)
{
    struct epoll_event ev = {.events = EPOLLIN};

    d->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    ev.data.fd = d->timer;
    if (d->timer < 0 || epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->timer, &ev) != 0)
        return fail(strerror(errno));
    return wait_open(&d->wait) ? fail("out of memory") : 0;
}

static int handle(void *ctx, void *data, size_t size);

static int open_ring(struct daemon *d)
{
    struct epoll_event ev = {.events = EPOLLIN};

    if (d->load.events_fd < 0)
        return d->selected.nrule ? fail("the bundle has no ring buffer") : 0;
    d->ring = ring_buffer__new(d->load.events_fd, handle, d, NULL);
    if (!d->ring)
        return fail(strerror(errno));
    ev.data.fd = ring_buffer__epoll_fd(d->ring);
    return epoll_ctl(d->epoll, EPOLL_CTL_ADD, ev.data.fd, &ev) == 0 ? 0 : fail(strerror(errno));
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

static int32_t utc_offset(void);

/* Between the rules and what is looked up, from here on. */
static int open_recorder(struct daemon *d, const struct probe_plan *plan)
{
    struct capture_head head = {.plan = *plan,
                                .boot_offset_ns = d->load.boot_offset_ns,
                                .utc_offset = utc_offset(),
                                .nrule = d->pack.head->rules.n,
                                .hooks =
                                    d->opt->record_all ? (1u << HOOK_COUNT) - 1 : d->selected.hooks,
                                .all = d->opt->record_all};
    char err[512] = "";

    memcpy(head.source, d->pack.head->source_digest, sizeof(head.source));
    snprintf(head.hostname, sizeof(head.hostname), "%s", d->enrich.hostname);
    snprintf(head.pack, sizeof(head.pack), "%s", rpk_text(&d->pack, d->pack.head->name));
    d->recorder =
        recorder_open(d->opt->record, &head, d->selected.on, &d->enrich, err, sizeof(err));
    if (!d->recorder)
        return fail(err);
    d->user.ctx = d->recorder;
    d->user.get = recorder_get;
    return 0;
}

/* What the kernel is asked for: what the rules need, or all that there is. */
static struct probe_plan make_plan(const struct daemon *d)
{
    struct probe_plan plan = d->selected.plan;

    if (d->opt->audit || d->opt->record_all)
        audit_plan(&d->pack, &plan);
    if (d->opt->record_all)
        recorder_plan(&plan);
    return plan;
}

/* Hooks of process state first: what they write while /proc is read is newer and stays. */
static int arm(struct daemon *d)
{
    const struct probe_plan plan = make_plan(d);
    const struct load_options lo = {.buffer = d->opt->buffer,
                                    .all_hooks = d->opt->audit || d->opt->record_all,
                                    .selected = &d->selected,
                                    .plan = &plan};
    char err[2048] = "";

    if (load_open(&d->load, d->bytes, d->size, &d->pack, &lo, err, sizeof(err)))
        return fail(err);
    if ((d->opt->record && open_recorder(d, &plan)) || open_ring(d))
        return -1;
    if (load_attach(&d->load, LOAD_STATE, err, sizeof(err)))
        return fail(err);
    seed(d);
    d->enrich.start_ts = event_clock(d);
    if (load_attach(&d->load, LOAD_REST, err, sizeof(err)) ||
        (d->recorder && recorder_start(d->recorder, err, sizeof(err))) ||
        priv_drop(true, err, sizeof(err)))
        return fail(err);
    fprintf(stderr, "rulerun: armed: %u rules, hooks %s\n", d->selected.nrule,
            d->load.hooks[0] ? d->load.hooks : "none");
    return 0;
}

/* ---- start of a replay ---- */

/* Rules that the recording cannot answer for are named and left out. */
static int fit(struct daemon *d)
{
    const struct replay *p = &d->replay;
    const struct fit f = {.path = p->path, .head = &p->head, .on = p->on, .non = p->non};
    int left_out;

    if (!fit_same_rules(&f, &d->pack))
        fprintf(stderr,
                "rulerun: %s: it holds only events that passed the filter of other rules (%s); "
                "what these rules match besides is not in it\n",
                p->path, p->head.pack);
    left_out = fit_rules(&f, &d->pack, &d->selected, stderr);
    if (left_out < 0)
        return fail("out of memory");
    if (left_out && d->selected.nrule == 0)
        return fail_at(p->path, "it has not what these rules ask for: none of them can be judged");
    d->partial = left_out > 0;
    return 0;
}

static int start_replay(struct daemon *d)
{
    char err[512] = "";

    if (open_bundle(d))
        return -1;
    if (replay_open(&d->replay, d->opt->replay, err, sizeof(err)))
        return fail_at(d->opt->replay, err);
    replay_bind(&d->replay, &d->pack);
    if (select_rules(d) || fit(d) || open_outputs(d))
        return -1;
    if (stats_open(&d->stats, d->pack.head->rules.n))
        return fail("out of memory");
    d->head = *d->pack.head;
    memcpy(d->head.plan.extra, d->replay.head.plan.extra, sizeof(d->head.plan.extra));
    d->pack.head = &d->head;
    d->replay.no_metadata = &d->enrich.missing;
    d->user = (struct record_user){
        .ctx = &d->replay, .get = replay_get, .no_metadata = &d->enrich.missing};
    d->style = d->opt->style;
    d->style.hostname = d->replay.head.hostname;
    return priv_drop(false, err, sizeof(err)) ? fail(err) : 0;
}

static int start(struct daemon *d)
{
    if (d->opt->replay)
        return start_replay(d);
    tzset(); /* while the file can still be read */
    if (open_bundle(d) || select_rules(d) || open_outputs(d) || open_signals(d) || open_timer(d))
        return -1;
    if (enrich_open(&d->enrich, "/etc", &d->opt->containers))
        return fail("out of memory");
    d->user = (struct record_user){
        .ctx = &d->enrich, .get = enrich_get, .no_metadata = &d->enrich.missing};
    d->style = d->opt->style;
    d->style.hostname = d->enrich.hostname;
    if (stats_open(&d->stats, d->pack.head->rules.n))
        return fail("out of memory");
    return arm(d);
}

/* ---- events ---- */

/* That of now, also for events of before a change. The zone's file was read with the first call. */
static int32_t utc_offset(void)
{
    time_t now = time(NULL);
    struct tm tm;

    return localtime_r(&now, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* Asks epoll to say when a slow reader has taken something; once it has all, no longer. */
static void watch_output(struct daemon *d, unsigned i)
{
    struct epoll_event ev = {.events = EPOLLOUT, .data.fd = d->out[i].fd};
    bool want = output_waiting(&d->out[i]);

    if (want != d->watched[i] &&
        epoll_ctl(d->epoll, want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, ev.data.fd, &ev) == 0)
        d->watched[i] = want;
}

static void write_alert(struct daemon *d, size_t n)
{
    for (unsigned i = 0; i < d->opt->noutput; i++) {
        output_write(&d->out[i], d->alert, n);
        watch_output(d, i);
    }
}

/* Of a replay, many at once: nobody waits for them, and they wait for whoever reads. */
static void write_held(struct daemon *d)
{
    for (unsigned i = 0; i < d->opt->noutput && d->held; i++) {
        uint64_t before = d->out[i].dropped;

        output_write(&d->out[i], d->alert, d->held);
        output_drain(&d->out[i]);
        if (d->out[i].dropped != before)
            d->stats.dropped += d->nheld - 1;
    }
    d->held = 0;
    d->nheld = 0;
}

static void hold_alert(struct daemon *d, size_t n)
{
    d->held += n;
    d->nheld++;
    if (d->held >= ALERT_HELD)
        write_held(d);
}

static void emit(struct daemon *d, struct record *r, const struct match *m)
{
    size_t n;

    record_reset(r);
    n = alert_write(&d->style, &d->pack, r, m, d->alert + d->held, ALERT_MAX);
    d->stats.alerts++;
    d->stats.by_rule[m->rule].alerts++;
    if (d->enrich.missing)
        d->stats.by_rule[m->rule].no_metadata++;
    if (n == 0)
        d->stats.dropped++; /* even with its values cut it does not fit */
    else if (d->opt->replay)
        hold_alert(d, n);
    else
        write_alert(d, n);
}

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

        found = piece->ref != 0xffffffffu && names_metadata(p, piece->ref);
    }
    return found;
}

/* A record of the same process that waits: alerts of one process keep their order. */
static const struct wait_item *waits_for(const struct daemon *d, int64_t pid)
{
    const struct wait_item *i = wait_first(&d->wait);

    while (i && i->pid != pid)
        i = wait_next(&d->wait, i);
    return i;
}

/* Must the matches wait, since a condition or an output asks for what may still come? */
static bool must_wait(struct daemon *d, struct record *r, unsigned n)
{
    const struct wait_item *before;
    bool wait = d->enrich.pending;

    for (unsigned i = 0; i < n && !wait; i++)
        wait = output_names_metadata(&d->pack, &d->pack.rules[d->matches[i].rule]) &&
               enrich_pending(&d->enrich, r);
    if (wait || d->wait.n == 0)
        return wait;
    before = waits_for(d, r->h->num[N_PID]);
    if (before)
        d->enrich.key = before->key;
    return before != NULL;
}

/* The first rule that matches, or all. False: nothing was told, the record must wait. */
static bool judge(struct daemon *d, struct record *r, bool may_wait)
{
    bool missing;
    unsigned n;

    record_reset(r);
    enrich_begin(&d->enrich, may_wait);
    n = table_match(&d->pack, r, d->opt->readings, !d->opt->all_matches, d->matches, MATCHES_MAX);
    if (n && may_wait && must_wait(d, r, n))
        return false;
    missing = d->enrich.missing;
    for (unsigned i = 0; i < n; i++) {
        d->enrich.missing = missing;
        emit(d, r, &d->matches[i]);
    }
    return true;
}

static void tick(struct daemon *d, bool on)
{
    const struct itimerspec t = {.it_interval.tv_nsec = on ? TICK_NS : 0,
                                 .it_value.tv_nsec = on ? TICK_NS : 0};

    if (on != d->ticking && timerfd_settime(d->timer, 0, &t, NULL) == 0)
        d->ticking = on;
}

/* A record that has waited is judged with what is known now. */
static void release(struct daemon *d, struct wait_item *item)
{
    struct record r;

    d->user.evt_num = item->evt_num;
    if (record_open(&r, wait_record(item), item->bytes, &d->user, d->scratch) == 0) {
        judge(d, &r, false);
        if (d->recorder)
            recorder_event(d->recorder, &r, item->evt_num, wait_record(item), item->bytes);
    }
    wait_out(&d->wait, item);
}

/* What was answered so far was not the event's last judgement. */
static void forget(struct daemon *d)
{
    if (d->recorder)
        recorder_forget(d->recorder);
}

/* If there is no room, the oldest has waited longest. */
static void add_waiting(struct daemon *d, const struct record *r, const void *data, size_t size)
{
    const struct wait_item item = {
        .key = d->enrich.key, .pid = r->h->num[N_PID], .evt_num = d->stats.records};

    forget(d);
    while (!wait_add(&d->wait, &item, data, size)) {
        release(d, wait_first(&d->wait));
        d->stats.pushed++;
    }
    d->stats.waited++;
    tick(d, true);
}

static uint64_t monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* Looks for metadata again, and judges what need not wait any more; `all`: everything. */
static void release_waiting(struct daemon *d, bool all)
{
    metacache_retry(d->enrich.containers, monotonic());
    for (struct wait_item *i = wait_first(&d->wait), *next; i; i = next) {
        next = wait_next(&d->wait, i);
        if (all || metacache_state(d->enrich.containers, i->key) != META_PENDING)
            release(d, i);
    }
    tick(d, d->wait.n || metacache_pending(d->enrich.containers));
}

/* Judges one record, number d->user.evt_num; it may have to wait first. */
static void take_record(struct daemon *d, const void *data, size_t size, bool may_wait)
{
    struct record r;
    int rc = record_open(&r, data, size, &d->user, d->scratch);

    if (rc && d->stats.broken++ == 0)
        fail("a record is malformed; it is counted and skipped");
    if (rc == 0 && d->opt->audit) {
        enrich_begin(&d->enrich, false);
        audit_event(&d->audit, &d->pack, &r, stderr);
        forget(d);
    }
    if (rc == 0 && !judge(d, &r, may_wait)) {
        add_waiting(d, &r, data, size);
        return;
    }
    if (d->recorder)
        recorder_event(d->recorder, rc ? NULL : &r, d->user.evt_num, data, size);
}

static int handle(void *ctx, void *data, size_t size)
{
    struct daemon *d = ctx;

    d->user.evt_num = ++d->stats.records;
    take_record(d, data, size, true);
    return 0;
}

/* ---- the loop ---- */

static void set_utc_offset(struct daemon *d)
{
    d->user.utc_offset = utc_offset();
    if (d->recorder)
        recorder_offset(d->recorder, d->user.utc_offset);
}

static bool wake(struct daemon *d, int fd)
{
    if (fd == d->signals)
        return false;
    if (fd == d->timer) {
        uint64_t ticks;

        if (read(d->timer, &ticks, sizeof(ticks)) > 0)
            release_waiting(d, false);
        return true;
    }
    if (d->ring && fd == ring_buffer__epoll_fd(d->ring)) {
        set_utc_offset(d);
        ring_buffer__consume(d->ring);
        if (d->recorder)
            recorder_kick(d->recorder);
        stats_watch(&d->stats, &d->load, stderr);
        return true;
    }
    for (unsigned i = 0; i < d->opt->noutput; i++)
        if (fd == d->out[i].fd) {
            output_flush(&d->out[i]);
            watch_output(d, i);
        }
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
    load_detach(&d->load);
    set_utc_offset(d);
    while (d->ring && ring_buffer__consume(d->ring) > 0)
        ;
    release_waiting(d, true);
    for (unsigned i = 0; i < d->opt->noutput; i++)
        output_flush(&d->out[i]);
    for (unsigned i = 0; i < d->opt->noutput; i++)
        d->stats.dropped += d->out[i].dropped;
    stats_metadata(&d->stats, metacache_stats(d->enrich.containers), stderr);
    stats_print(&d->stats, &d->pack, &d->load, stderr);
    if (d->opt->audit)
        fprintf(stderr, "rulerun: audit: events=%llu matched=%llu disagreements=%llu\n",
                (unsigned long long)d->audit.events, (unsigned long long)d->audit.matched,
                (unsigned long long)d->audit.disagreements);
}

/* ---- a replay's loop ---- */

static void finish_replay(struct daemon *d)
{
    const struct replay *p = &d->replay;

    for (unsigned i = 0; i < d->opt->noutput; i++)
        d->stats.dropped += d->out[i].dropped;
    replay_report(p);
    if (d->stats.broken)
        fprintf(stderr, "rulerun: %s: %llu records are malformed\n", p->path,
                (unsigned long long)d->stats.broken);
    fprintf(stderr, "rulerun: replayed=%llu alerts=%llu dropped=%llu\n",
            (unsigned long long)p->records, (unsigned long long)d->stats.alerts,
            (unsigned long long)d->stats.dropped);
}

static enum daemon_result run_replay(struct daemon *d)
{
    struct replay *p = &d->replay;
    const void *bytes;
    char err[512] = "";
    size_t size;
    bool whole;

    while (replay_next(p, &bytes, &size, &whole, err, sizeof(err))) {
        d->user.evt_num = p->number;
        d->user.utc_offset = p->utc_offset;
        take_record(d, bytes, size, false);
    }
    write_held(d);
    if (!whole)
        fail_at(p->path, err);
    finish_replay(d);
    return whole && !d->partial && !d->stats.dropped ? DAEMON_DONE : DAEMON_PART;
}

static enum daemon_result run_live(struct daemon *d)
{
    loop(d);
    finish(d);
    return d->audit.disagreements ? DAEMON_WRONG : DAEMON_DONE;
}

static void close_all(struct daemon *d)
{
    ring_buffer__free(d->ring);
    load_close(&d->load);
    if (d->recorder)
        recorder_close(d->recorder, stderr);
    replay_close(&d->replay);
    for (unsigned i = 0; i < d->opt->noutput; i++)
        output_close(&d->out[i]);
    stats_close(&d->stats);
    select_close(&d->selected);
    enrich_close(&d->enrich);
    wait_close(&d->wait);
    if (d->timer >= 0)
        close(d->timer);
    if (d->epoll >= 0)
        close(d->epoll);
    if (d->signals >= 0)
        close(d->signals);
    free(d->bytes);
}

enum daemon_result daemon_run(const struct daemon_options *opt)
{
    struct daemon *d = calloc(1, sizeof(*d));
    enum daemon_result result = DAEMON_CANNOT;

    if (!d) {
        fail("out of memory");
        return DAEMON_CANNOT;
    }
    d->opt = opt;
    d->epoll = d->signals = d->timer = -1;
    for (unsigned i = 0; i < DAEMON_OUTPUTS; i++)
        d->out[i] = OUTPUT_NONE;
    if (start(d) == 0)
        result = opt->replay ? run_replay(d) : run_live(d);
    close_all(d);
    free(d);
    return result;
}
