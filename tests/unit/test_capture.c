/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: what is written is read again, and of what is cut or damaged the whole part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/get.h"
#include "../../runtime/recorder.h"
#include "../../runtime/replay.h"
#include "../flat.h"
#include "bundle.h"
#include "folder.h"
#include "frames.h"

#define SECOND 1000000000ull

static char dir[] = "/tmp/test_capture.XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static int make_dir(void **state)
{
    (void)state;
    if (folder_make(dir) != 0)
        return -1;
    folder_text(dir, "group", "root:x:0:\n");
    folder_text(dir, "hosts", "5.6.7.8 server.example alias\n");
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return folder_remove(dir);
}

/* ---- writing ---- */

struct bench {
    struct enrich e;
    struct recorder *rec;
    struct record_user user;
    char scratch[RECORD_SCRATCH];
};

static struct bench *open_bench(const char *path, uint64_t max)
{
    struct bench *b = calloc(1, sizeof(*b));
    const struct spool_file file = {path, max};
    struct capture_head head = {.utc_offset = 3600, .nrule = 3, .hooks = 1 << HOOK_EXEC};
    const uint8_t on[3] = {1, 0, 1};
    char err[200] = "";

    assert_int_equal(enrich_open(&b->e, dir, &(struct metacache_options){0}), 0);
    b->e.nlocal = 1;
    b->e.local[0].len = 4;
    memcpy(b->e.local[0].addr, (const uint8_t[]){5, 6, 7, 8}, 4);
    strcpy(head.hostname, "box");
    strcpy(head.pack, "ours");
    head.plan.groups = 1ull << G_EVENT | 1ull << G_CRED;
    b->rec = recorder_open(&file, &head, on, &b->e, err, sizeof(err));
    if (!b->rec || recorder_start(b->rec, err, sizeof(err)))
        fail_msg("%s", err);
    b->user = (struct record_user){.ctx = b->rec, .get = recorder_get, .utc_offset = 3600};
    return b;
}

/* Ends the recording; what was said. The caller frees it. */
static char *close_bench(struct bench *b)
{
    char *said = calloc(1, 1024);
    FILE *out = fmemopen(said, 1024, "w");

    recorder_close(b->rec, out);
    fclose(out);
    enrich_close(&b->e);
    free(b);
    return said;
}

static struct ev *event(int64_t uid, unsigned second)
{
    struct ev *ev = e_new(EV_openat);

    ev->h.ts = 1000 * SECOND + second * SECOND;
    e_num(ev, N_PID, getpid());
    e_num(ev, N_UID, uid);
    e_text(ev, S_CONTAINER_ID, "host");
    e_text(ev, S_FD_NAME, "/etc/shadow");
    e_bytes(ev, S_SIP, "\5\6\7\10", 4);
    return ev;
}

/* One event as the daemon has it: opened, judged (which asks for the user's name), recorded. */
static void record_one(struct bench *b, struct ev *ev, uint64_t number, const char *want)
{
    size_t size;
    void *bytes = e_pack(ev, &size);
    struct record r;
    struct val v;

    b->user.evt_num = number;
    assert_int_equal(record_open(&r, bytes, size, &b->user, b->scratch), 0);
    v = record_get(&r, F_user_name, -1, "");
    assert_int_equal(v.len, strlen(want));
    assert_memory_equal(v.text, want, v.len);
    recorder_event(b->rec, &r, number, bytes, size);
    free(bytes);
    free(ev);
}

/* Four records, number 3 of them missing; a zone that changes; a name that changes. */
static void write_recording(void)
{
    struct bench *b = open_bench(in_dir("capture"), 0);

    record_one(b, event(1000, 0), 1, "alice");
    record_one(b, event(1000, 0), 2, "alice");
    recorder_offset(b->rec, 7200);
    record_one(b, event(0, 0), 4, "root");
    folder_text(dir, "passwd", "carol:x:1000:1000::/:/bin/sh\n");
    record_one(b, event(1000, 5), 5, "carol");
    folder_text(dir, "passwd",
                "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/sh\n");
    free(close_bench(b));
}

/* ---- reading ---- */

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 20);

    *size = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

/* A digest of each frame, in order. */
struct digests {
    uint64_t v[256];
    unsigned n, records;
    enum capture_got end;
    int head; /* what capture_begin() said */
};

/* Of a record that was thin: as the probe sent it. */
static uint64_t sum_of(const struct record *view)
{
    static _Alignas(8) char bytes[REC_MAX + 8];
    size_t n = flat_record(view, bytes);

    memset(bytes + n, 0, 8);
    return capture_check(n, bytes, capture_padded(n));
}

static struct digests digest(const uint8_t *bytes, size_t size, uint8_t *buffer)
{
    struct memory m = {bytes, size, 0};
    struct capture_in in = {.read = read_memory, .ctx = &m, .buf = buffer};
    struct capture_head head;
    struct capture_part part;
    struct digests d = {.n = 0};
    char err[200];

    d.head = capture_begin(&in, &head, err, sizeof(err));
    while (d.head == 0 && (d.end = capture_next(&in, &part)) == CAPTURE_GOT && d.n < 256) {
        d.v[d.n] = capture_check(part.kind, part.bytes, part.size & ~(size_t)7) + part.size;
        if (part.view)
            d.v[d.n] ^= sum_of(part.view);
        d.n++;
        d.records += part.kind == CAPTURE_RECORD;
    }
    return d;
}

static void test_read_again(void **state)
{
    static const struct {
        uint64_t number;
        int32_t offset;
        const char *user;
    } want[] = {{1, 3600, "alice"}, {2, 3600, "alice"}, {4, 7200, "root"}, {5, 7200, "carol"}};
    char err[200] = "", *scratch = malloc(RECORD_SCRATCH);
    struct replay p;
    struct record *r;
    bool whole;

    (void)state;
    write_recording();
    assert_int_equal(replay_open(&p, in_dir("capture"), err, sizeof(err)), 0);
    assert_string_equal(p.head.hostname, "box");
    assert_string_equal(p.head.pack, "ours");
    assert_int_equal(p.on[0], 5);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        struct record_user user = {.ctx = &p, .get = replay_get};
        struct val v;

        p.user = &user;
        p.scratch = scratch;
        assert_true(replay_next(&p, &r, &whole, err, sizeof(err)));
        assert_int_equal(p.number, want[i].number);
        assert_int_equal(p.utc_offset, want[i].offset);
        assert_non_null(r);
        assert_int_equal(r->h->ts, 1000 * SECOND + (i == 3 ? 5 : 0) * SECOND);
        v = record_get(r, F_user_name, -1, "");
        assert_int_equal(v.len, strlen(want[i].user));
        assert_memory_equal(v.text, want[i].user, v.len);
        /* Nobody asked, but somebody may: asked in advance. */
        v = record_get(r, F_user_shell, -1, "");
        assert_int_equal(v.state, ST_PRESENT);
        v = record_get(r, F_fd_sip_name, 1, "");
        assert_memory_equal(v.text, "alias", 5);
        assert_int_equal(record_get(r, F_fd_sip_name, 2, "").state, ST_ABSENT);
        v = record_get(r, F_evt_hostname, -1, "");
        assert_memory_equal(v.text, "box", 3);
    }
    assert_false(replay_next(&p, &r, &whole, err, sizeof(err)));
    assert_true(whole);
    assert_int_equal(p.missing, 1);
    assert_int_equal(p.unasked, 0);
    replay_close(&p);
    free(scratch);
}

/* What is not in the recording is unknown, not absent. */
static void test_unasked(void **state)
{
    char err[200] = "", *scratch = malloc(RECORD_SCRATCH);
    struct replay p;
    struct record_user user = {.ctx = &p, .get = replay_get};
    struct ev *ev = event(77, 0);
    struct record r;
    size_t size;
    void *bytes = e_pack(ev, &size);

    (void)state;
    write_recording();
    assert_int_equal(replay_open(&p, in_dir("capture"), err, sizeof(err)), 0);
    assert_int_equal(record_open(&r, bytes, size, &user, scratch), 0);
    assert_int_equal(record_get(&r, F_user_name, -1, "").state, ST_UNKNOWN);
    assert_int_equal(p.unasked, 1);
    replay_close(&p);
    free(bytes);
    free(ev);
    free(scratch);
}

/* Equal answers are written once. */
static void test_answers_once(void **state)
{
    struct bench *b = open_bench(in_dir("capture"), 0);
    uint8_t *buffer = aligned_alloc(8, CAPTURE_BUFFER), *bytes;
    size_t size;
    struct digests d;
    char *said;

    (void)state;
    for (unsigned i = 1; i <= 50; i++)
        record_one(b, event(1000, i), i, "alice");
    said = close_bench(b);
    assert_non_null(strstr(said, "records=50 dropped=0\n"));
    free(said);
    bytes = read_file(in_dir("capture"), &size);
    d = digest(bytes, size, buffer);
    assert_int_equal(d.end, CAPTURE_DONE);
    assert_int_equal(d.records, 50);
    /* Rules, addresses; three of the user: name, home, shell (no group, no login); two names of
     * the address, and that there are no more. */
    assert_int_equal(d.n, 50 + 2 + 3 + 3);
    free(bytes);
    free(buffer);
}

/* Nor are those of a hundred users, who take turns. */
static void test_answers_in_turn(void **state)
{
    struct bench *b = open_bench(in_dir("capture"), 0);
    struct capture_in in = {.read = read_memory, .buf = aligned_alloc(8, CAPTURE_BUFFER)};
    struct capture_head head;
    struct capture_part part;
    unsigned answers = 0;
    char err[200];
    size_t size;
    uint8_t *bytes;

    (void)state;
    for (unsigned i = 1; i <= 300; i++)
        record_one(b, event(2000 + i % 100, 0), i, "<NA>");
    free(close_bench(b));
    bytes = read_file(in_dir("capture"), &size);
    in.ctx = &(struct memory){bytes, size, 0};
    assert_int_equal(capture_begin(&in, &head, err, sizeof(err)), 0);
    while (capture_next(&in, &part) == CAPTURE_GOT)
        answers += part.kind == CAPTURE_ANSWER;
    assert_int_equal(answers, 3 * 100 + 3); /* three of each user, three of the address */
    free(bytes);
    free(in.buf);
}

/* However much is missing at the end: whole frames are the same, and it is not taken for whole. */
static void test_every_cut(void **state)
{
    uint8_t *buffer = aligned_alloc(8, CAPTURE_BUFFER), *bytes;
    struct digests whole;
    size_t size;

    (void)state;
    write_recording();
    bytes = read_file(in_dir("capture"), &size);
    whole = digest(bytes, size, buffer);
    assert_int_equal(whole.end, CAPTURE_DONE);
    assert_int_equal(whole.records, 4);
    for (size_t n = 0; n < size; n++) {
        struct digests d = digest(bytes, n, buffer);

        assert_int_equal(d.head != 0, n < sizeof(struct capture_head));
        if (d.head == 0)
            assert_int_equal(d.end, CAPTURE_CUT);
        assert_memory_equal(d.v, whole.v, d.n * sizeof(d.v[0]));
    }
    free(bytes);
    free(buffer);
}

/* A byte that was changed is found: nothing that is handed out differs. */
static void test_every_byte(void **state)
{
    static const uint8_t flips[] = {0x01, 0x80};
    uint8_t *buffer = aligned_alloc(8, CAPTURE_BUFFER), *bytes;
    struct digests whole;
    size_t size;

    (void)state;
    write_recording();
    bytes = read_file(in_dir("capture"), &size);
    whole = digest(bytes, size, buffer);
    for (size_t n = 0; n < size; n++) {
        uint8_t *at = bytes + n, flip = flips[n % 2];
        struct digests d;

        *at ^= flip;
        d = digest(bytes, size, buffer);
        *at ^= flip;
        assert_int_equal(d.head != 0, n < sizeof(struct capture_head));
        if (d.head == 0)
            assert_true(d.end == CAPTURE_BROKEN || d.end == CAPTURE_CUT);
        assert_memory_equal(d.v, whole.v, d.n * sizeof(d.v[0]));
    }
    free(bytes);
    free(buffer);
}

/* ---- files that are refused ---- */

static void refuse(struct capture_head h, bool seal, const char *want)
{
    struct memory m = {(const uint8_t *)&h, sizeof(h), 0};
    struct capture_in in = {
        .read = read_memory, .ctx = &m, .buf = aligned_alloc(8, CAPTURE_BUFFER)};
    struct capture_head out;
    char err[200] = "";

    if (seal)
        h.check = capture_check(0, &h, offsetof(struct capture_head, check));
    assert_int_equal(capture_begin(&in, &out, err, sizeof(err)), -EPROTO);
    assert_string_equal(err, want);
    free(in.buf);
}

static void test_other_versions(void **state)
{
    struct capture_head good = {.nrule = 1}, h;

    (void)state;
    capture_seal(&good);
    h = good;
    h.magic ^= 1;
    refuse(h, true, "this is no recording");
    h = good;
    h.version = 4;
    refuse(h, true, "the recording is of another version of the format: 4, not 1 to 3");
    h.version = 0;
    refuse(h, true, "the recording is of another version of the format: 0, not 1 to 3");
    h = good;
    h.catalog ^= 1;
    refuse(h, true, "the recording was made by another version of rulerun, whose fields differ");
    refuse(h, false, "the recording's header is damaged");
    h = good;
    h.plan.groups = 1ull << 63;
    refuse(h, true, "the recording's header is damaged");
    h = good;
    memset(h.hostname, 'x', sizeof(h.hostname));
    refuse(h, true, "the recording's header is damaged");
    h = good;
    h.size -= 8;
    refuse(h, true, "the recording is cut or damaged in its header");
}

static void test_shapes(void **state)
{
    struct {
        struct capture_answer a;
        char key[8], text[8];
    } x = {.a = {.nkey = 8, .known = 1, .state = ST_PRESENT, .base = BASE_TEXT, .has_text = 1},
           .key = "keykey",
           .text = "text"};
    const size_t all = sizeof(x), bare = all - 8;
    const int64_t far = 86401, near = -86400;
    struct capture_addr addr = {.len = 4};
    uint64_t stop = 2;

    (void)state;
    assert_int_equal(frame(CAPTURE_ANSWER, &x, all), CAPTURE_GOT);
    assert_int_equal(frame(CAPTURE_ANSWER, &x, 20), CAPTURE_BROKEN);
    x.a.nkey = 17;
    assert_int_equal(frame(CAPTURE_ANSWER, &x, all), CAPTURE_BROKEN);
    x.a.nkey = 0;
    assert_int_equal(frame(CAPTURE_ANSWER, &x, all), CAPTURE_BROKEN);
    x.a.nkey = 8;
    x.a.state = ST_UNFILLED;
    assert_int_equal(frame(CAPTURE_ANSWER, &x, all), CAPTURE_BROKEN);
    x.a.state = ST_PRESENT;
    x.a.is_list = 1; /* ends in a NUL */
    assert_int_equal(frame(CAPTURE_ANSWER, &x, all), CAPTURE_GOT);
    memcpy(x.text, "12345678", 8);
    assert_int_equal(frame(CAPTURE_ANSWER, &x, all), CAPTURE_BROKEN);
    x.a.is_list = 0;
    x.a.has_text = 0; /* a text without one, then a number */
    assert_int_equal(frame(CAPTURE_ANSWER, &x, bare), CAPTURE_BROKEN);
    x.a.base = BASE_BOOL;
    assert_int_equal(frame(CAPTURE_ANSWER, &x, bare), CAPTURE_GOT);
    assert_int_equal(frame(CAPTURE_ANSWER, &x, all), CAPTURE_BROKEN);
    assert_int_equal(frame(CAPTURE_RECORD, &x, 7), CAPTURE_BROKEN);
    assert_int_equal(frame(CAPTURE_OFFSET, &near, 8), CAPTURE_GOT);
    assert_int_equal(frame(CAPTURE_OFFSET, &far, 8), CAPTURE_BROKEN);
    assert_int_equal(frame(CAPTURE_ADDRS, &addr, sizeof(addr)), CAPTURE_GOT);
    addr.len = 5;
    assert_int_equal(frame(CAPTURE_ADDRS, &addr, sizeof(addr)), CAPTURE_BROKEN);
    assert_int_equal(frame(CAPTURE_END, &x, 16), CAPTURE_DONE);
    assert_int_equal(frame(CAPTURE_END, &x, 8), CAPTURE_BROKEN);
    assert_int_equal(frame(0, &x, 8), CAPTURE_BROKEN);
    assert_int_equal(frame(CAPTURE_STOP, &stop, 8), CAPTURE_GOT);
    assert_int_equal(frame(CAPTURE_STOP, &stop, 4), CAPTURE_BROKEN);
    stop = 3;
    assert_int_equal(frame(CAPTURE_STOP, &stop, 8), CAPTURE_BROKEN);
    stop = 0;
    assert_int_equal(frame(CAPTURE_STOP, &stop, 8), CAPTURE_BROKEN);
    assert_int_equal(frame(CAPTURE_STOP + 1, &x, 8), CAPTURE_BROKEN);
}

/* Records of the same bytes cost little: that is why they are packed. */
static void test_shrinks(void **state)
{
    struct bench *b = open_bench(in_dir("capture"), 0);
    struct stat st;

    (void)state;
    for (unsigned i = 1; i <= 2000; i++)
        record_one(b, event(1000, i), i, "alice");
    free(close_bench(b));
    assert_int_equal(stat(in_dir("capture"), &st), 0);
    assert_true((size_t)st.st_size < 2000 * sizeof(struct rec) / 8);
}

/* ---- the file ---- */

/* Records that are all different, up to `n`, until the recording has ended by itself. */
static void record_noise(struct bench *b, unsigned n)
{
    uint64_t seed = 1;
    char noise[401];

    for (unsigned i = 1; i <= n; i++) {
        struct ev *ev = event(1000, i);

        for (size_t k = 0; k < sizeof(noise) - 1; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            noise[k] = (char)('!' + (seed >> 56) % 90);
        }
        noise[sizeof(noise) - 1] = '\0';
        e_text(ev, S_FD_NAME, noise);
        record_one(b, ev, i, "alice");
        recorder_kick(b->rec);
    }
}

/* A recording that may be no larger ends, whole, and says so; judging goes on. */
static void test_bounded(void **state)
{
    const uint64_t most = 128 << 10;
    struct bench *b = open_bench(in_dir("capture"), most);
    unsigned long long kept, after;
    char err[200] = "", *said;
    struct record *view;
    struct replay p;
    struct stat st;
    bool whole;

    (void)state;
    record_noise(b, 3000);
    said = close_bench(b);
    kept = strtoull(strstr(said, "records=") + strlen("records="), NULL, 10);
    assert_non_null(strstr(said, " dropped=0\n"));
    assert_int_equal(sscanf(strstr(said, "dropped=0\n") + strlen("dropped=0\n"),
                            "rulerun: recording %*s %llu records came after its end", &after),
                     1);
    assert_true(kept > 50 && kept + after == 3000);
    assert_null(strstr(said, "cut"));
    free(said);
    assert_int_equal(stat(in_dir("capture"), &st), 0);
    assert_true((uint64_t)st.st_size <= most && st.st_size > 1000);
    assert_int_equal(replay_open(&p, in_dir("capture"), err, sizeof(err)), 0);
    p.user = &(const struct record_user){.ctx = &p, .get = replay_get};
    while (replay_next(&p, &view, &whole, err, sizeof(err)))
        assert_non_null(view);
    assert_true(whole);
    assert_int_equal(p.records, kept);
    assert_int_equal(p.missing, 0);
    assert_int_equal(p.stop, CAPTURE_STOP_SIZE);
    replay_close(&p);
}

/* A disk that takes nothing: judging goes on, what finds no room is counted. */
static void test_full_disk(void **state)
{
    struct bench *b = open_bench("/dev/full", 0);
    const size_t many = 2ul * RECORDER_BUFFER / sizeof(struct rec);
    unsigned long long records, dropped;
    char *said;

    (void)state;
    for (size_t i = 1; i <= many; i++)
        record_one(b, event(1000, 0), i, "alice");
    recorder_kick(b->rec);
    said = close_bench(b);
    records = strtoull(strstr(said, "records=") + strlen("records="), NULL, 10);
    dropped = strtoull(strstr(said, "dropped=") + strlen("dropped="), NULL, 10);
    assert_int_equal(records + dropped, many);
    assert_true(dropped > many / 4 && records > many / 4);
    assert_non_null(strstr(said, "it is cut"));
    free(said);
}

static void test_mode(void **state)
{
    struct stat st;

    (void)state;
    unlink(in_dir("capture"));
    write_recording();
    assert_int_equal(stat(in_dir("capture"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(in_dir("capture"), 0644), 0);
    write_recording(); /* over an old one, which others could read */
    assert_int_equal(stat(in_dir("capture"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_no_file(void **state)
{
    const uint8_t on[1] = {1};
    const struct spool_file file = {"/nonexistent/x", 0};
    struct capture_head head = {.nrule = 1};
    struct enrich e = {.nlocal = 0};
    struct replay p;
    char err[200] = "";

    (void)state;
    assert_null(recorder_open(&file, &head, on, &e, err, sizeof(err)));
    assert_string_equal(err, "/nonexistent/x: No such file or directory");
    assert_int_equal(replay_open(&p, "/nonexistent/x", err, sizeof(err)), -ENOENT);
    assert_string_equal(err, "No such file or directory");
    replay_close(&p);
    assert_int_equal(replay_open(&p, dir, err, sizeof(err)), -EPROTO);
    assert_string_equal(err, "Is a directory");
    replay_close(&p);
    assert_int_equal(replay_open(&p, "/dev/null", err, sizeof(err)), -EPROTO);
    assert_string_equal(err, "this is no recording");
    replay_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_again),   cmocka_unit_test(test_unasked),
        cmocka_unit_test(test_answers_once), cmocka_unit_test(test_answers_in_turn),
        cmocka_unit_test(test_every_cut),    cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_shapes),       cmocka_unit_test(test_other_versions),
        cmocka_unit_test(test_full_disk),    cmocka_unit_test(test_mode),
        cmocka_unit_test(test_no_file),      cmocka_unit_test(test_shrinks),
        cmocka_unit_test(test_bounded),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
