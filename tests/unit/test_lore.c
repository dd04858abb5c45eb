/* SPDX-License-Identifier: Apache-2.0 */
/* Lore: which fields are, keys, answers, rows, and how long they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/lore_tell.h"
#include "bundle.h"
#include "folder.h"

#define SECOND 1000000000ull
#define NOW (1000 * SECOND)
#define MARGIN (SECOND / 1000) /* so much earlier a row ends than what it rests on */

static char dir[] = "/tmp/test_lore.XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return folder_make(dir);
}

static int remove_dir(void **state)
{
    (void)state;
    return folder_remove(dir);
}

/* ---- fields ---- */

static void test_fields(void **state)
{
    static const struct {
        enum field_id field;
        int32_t index;
        enum lore_kind kind;
    } rows[] = {
        {F_user_name, -1, LORE_USER},
        {F_user_name, 1000, LORE_KINDS}, /* of another id than the event's own */
        {F_user_homedir, -1, LORE_USER},
        {F_user_shell, -1, LORE_USER},
        {F_user_loginname, -1, LORE_LOGIN},
        {F_group_name, -1, LORE_GROUP},
        {F_group_name, 0, LORE_KINDS},
        {F_container_image, -1, LORE_CONTAINER},
        {F_container_mount_dest, 0, LORE_CONTAINER},
        {F_k8s_ns_name, -1, LORE_CONTAINER},
        {F_container_id, -1, LORE_KINDS}, /* the kernel's */
        {F_container_duration, -1, LORE_KINDS},
        {F_fd_sip_name, -1, LORE_SERVER},
        {F_fd_sip_name, 2, LORE_SERVER},
        {F_fd_cip_name, -1, LORE_CLIENT},
        {F_fd_lip_name, -1, LORE_KINDS}, /* of either end */
        {F_evt_hostname, -1, LORE_KINDS},
        {F_proc_name, -1, LORE_KINDS},
        {F_NONE, -1, LORE_KINDS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (lore_of_field(rows[i].field, rows[i].index) != rows[i].kind)
            fail_msg("row %zu", i);
}

static void test_groups(void **state)
{
    (void)state;
    assert_int_equal(lore_groups(LORE_USER), 1ull << G_CRED | 1ull << G_PROC);
    assert_int_equal(lore_groups(LORE_CONTAINER), 1ull << G_CONTAINER);
    assert_int_equal(lore_groups(LORE_SERVER), 1ull << G_SOCK);
}

/* ---- a bundle, an event, rows ---- */

struct bench {
    struct enrich e;
    struct record_user user;
    struct record r;
    struct rpk pack;
    struct lore lore;
    struct lore_row rows[16];
    void *rec;
    uint8_t *bytes;
    char scratch[RECORD_SCRATCH];
};

/* user.name = alice, user.name = bob, user.homedir = /home/alice; container.image = x. */
static void open_pack(struct bench *b)
{
    static const struct {
        enum field_id field;
        uint8_t kind, bit;
        const char *text;
    } tests[] = {
        {F_user_name, LORE_USER, 0, "alice"},
        {F_user_name, LORE_USER, 1, "bob"},
        {F_user_homedir, LORE_USER, 70, "/home/alice"},
        {F_container_name, LORE_CONTAINER, 0, "host"},
    };
    struct bundle *made = b_new();
    char err[200] = "";
    size_t size;

    for (uint32_t i = 0; i < 4; i++) {
        uint32_t ref = b_ref(made, tests[i].field, -1, ""), text = b_text(made, tests[i].text);

        made->lore[made->nlore++] =
            (struct rpk_lore){.atom = b_atom(made, ref, OP_EQ, MOD_NONE, T_CHARBUF, text, 1),
                              .kind = tests[i].kind,
                              .bit = tests[i].bit};
    }
    b->bytes = b_pack(made, &size);
    assert_int_equal(rpk_open_section(&b->pack, b->bytes, size, err, sizeof(err)), 0);
    free(made);
}

static struct ev *event(int64_t uid, const char *container)
{
    struct ev *ev = e_new(EV_execve);
    bool host = strcmp(container, "host") == 0;

    ev->h.ts = NOW;
    e_num(ev, N_PID, getpid());
    e_num(ev, N_UID, uid);
    e_text(ev, S_CONTAINER_ID, container);
    e_num(ev, N_CONTAINER_KIND, host ? CONTAINER_HOST : CONTAINER_PODMAN);
    e_text(ev, S_CONTAINER_FULL, host ? "" : container);
    return ev;
}

static void open_record(struct bench *b, struct ev *ev, uint32_t wanted)
{
    size_t size;

    free(b->rec);
    b->rec = e_pack(ev, &size);
    ((struct rec *)b->rec)->wanted = wanted;
    assert_int_equal(record_open(&b->r, b->rec, size, &b->user, b->scratch), 0);
    free(ev);
}

static struct bench *open_bench(struct ev *ev, uint32_t wanted)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct metacache_options o = {0};

    /* Engines that are not there: nobody knows any container. */
    for (unsigned i = 0; i < ENGINE_COUNT; i++)
        o.root[o.nroot++] = (struct metacache_root){(enum engine_id)i, "/nonexistent"};
    assert_int_equal(enrich_open(&b->e, dir, &o), 0);
    b->user = (struct record_user){.ctx = &b->e, .get = enrich_get};
    open_pack(b);
    b->lore = (struct lore){.rows = b->rows, .nrow = 16, .pack = &b->pack};
    open_record(b, ev, wanted);
    enrich_event(&b->e);
    enrich_begin(&b->e, true);
    return b;
}

static void close_bench(struct bench *b)
{
    enrich_close(&b->e);
    free(b->rec);
    free(b->bytes);
    free(b);
}

/* The row of what the record is about, as the kernel would find it; NULL: there is none. */
static const struct lore_row *row_of(const struct bench *b, enum lore_kind kind)
{
    struct lore_key key;
    const struct lore_row *row;

    assert_true(lore_key(&b->r, kind, &key));
    row = &b->rows[lore_hash(&key) % 16];
    return row->until && lore_same_key(&row->key, &key) ? row : NULL;
}

static void test_keys(void **state)
{
    struct bench *b = open_bench(event(1000, "host"), 0);
    struct lore_key one, other;

    (void)state;
    assert_true(lore_key(&b->r, LORE_USER, &one));
    assert_int_equal(one.kind, LORE_USER);
    assert_int_equal(one.num, 1000);
    assert_int_equal(one.len, 4);
    assert_memory_equal(one.text, "host\0\0\0\0", 8);
    open_record(b, event(1000, "0123456789ab"), 0);
    assert_true(lore_key(&b->r, LORE_USER, &other));
    assert_false(lore_same_key(&one, &other));
    open_record(b, event(1001, "host"), 0);
    assert_true(lore_key(&b->r, LORE_USER, &other));
    assert_false(lore_same_key(&one, &other));
    open_record(b, event(1000, "host"), 0);
    assert_true(lore_key(&b->r, LORE_USER, &other));
    assert_true(lore_same_key(&one, &other));
    assert_int_equal(lore_hash(&one), lore_hash(&other));
    assert_false(lore_key(&b->r, LORE_LOGIN, &other)); /* the record has no such number */
    assert_false(lore_key(&b->r, LORE_SERVER, &other));
    close_bench(b);
}

/* What is not known is not told: the container's id is unknown, and so are its users. */
static void test_ask(void **state)
{
    struct bench *b = open_bench(event(1000, "host"), 0);
    struct lore_bits bits;
    struct ev *ev;

    (void)state;
    lore_ask(&b->pack, &b->r, LORE_USER, &bits);
    assert_int_equal(bits.known[0], 3);
    assert_int_equal(bits.known[1], 1 << 6);
    assert_int_equal(bits.yes[0], 1);
    assert_int_equal(bits.yes[1], 1 << 6);
    lore_ask(&b->pack, &b->r, LORE_CONTAINER, &bits);
    assert_int_equal(bits.known[0], 1);
    assert_int_equal(bits.yes[0], 1);
    ev = event(1000, "host");
    e_state(ev, SLOT_OF_STR(S_CONTAINER_ID), ST_UNKNOWN);
    open_record(b, ev, 0);
    lore_ask(&b->pack, &b->r, LORE_USER, &bits);
    assert_int_equal(bits.known[0], 0);
    assert_int_equal(bits.yes[0], 0);
    close_bench(b);
}

/* Only what was wanted; as long as the file is not looked at again; whole. */
static void test_tell(void **state)
{
    struct bench *b = open_bench(event(1000, "host"), 1u << LORE_USER);
    const struct lore_row *row;

    (void)state;
    lore_tell(&b->lore, &b->r, &b->e);
    row = row_of(b, LORE_USER);
    assert_non_null(row);
    assert_null(row_of(b, LORE_CONTAINER));
    assert_int_equal(row->seq, 2);
    assert_int_equal(row->until, NOW + SECOND - MARGIN);
    assert_int_equal(row->bits.yes[0], 1);
    open_record(b, event(4242, "host"), 1u << LORE_USER | 1u << LORE_CONTAINER);
    enrich_event(&b->e);
    lore_tell(&b->lore, &b->r, &b->e);
    assert_int_equal(row_of(b, LORE_USER)->until,
                     NOW + SECOND / 100 - MARGIN); /* not in the file */
    assert_int_equal(row_of(b, LORE_USER)->bits.known[0], 3);
    assert_int_equal(row_of(b, LORE_USER)->bits.yes[0], 0);
    assert_int_equal(row_of(b, LORE_CONTAINER)->until, UINT64_MAX); /* the host stays the host */
    close_bench(b);
}

/* A row that was made later from what was looked up before holds no longer than that. */
static void test_old_answers(void **state)
{
    struct bench *b = open_bench(event(1000, "host"), 1u << LORE_USER);
    struct ev *ev = event(1000, "host");

    (void)state;
    lore_tell(&b->lore, &b->r, &b->e);
    ev->h.ts = NOW + SECOND / 2;
    open_record(b, ev, 1u << LORE_USER);
    enrich_event(&b->e);
    lore_tell(&b->lore, &b->r, &b->e);
    assert_int_equal(row_of(b, LORE_USER)->until, NOW + SECOND - MARGIN);
    assert_int_equal(row_of(b, LORE_USER)->seq, 4);
    close_bench(b);
}

/* Nobody knows the container: for a second that is so. It is forgotten with its place. */
static void test_containers(void **state)
{
    struct bench *b = open_bench(event(0, "0123456789ab"), 1u << LORE_CONTAINER);
    char id[32];

    (void)state;
    enrich_begin(&b->e, false);
    lore_tell(&b->lore, &b->r, &b->e);
    assert_non_null(row_of(b, LORE_CONTAINER));
    assert_in_range(row_of(b, LORE_CONTAINER)->until, NOW + SECOND / 2, NOW + SECOND);
    assert_int_equal(row_of(b, LORE_CONTAINER)->bits.known[0], 1);
    assert_int_equal(row_of(b, LORE_CONTAINER)->bits.yes[0], 0);
    for (int i = 0; i < METACACHE_SIZE; i++) {
        snprintf(id, sizeof(id), "%012d", i);
        metacache_find(b->e.containers, CONTAINER_PODMAN, id, 12, 0);
    }
    b->r.wanted = 0;
    lore_tell(&b->lore, &b->r, &b->e);
    assert_null(row_of(b, LORE_CONTAINER));
    close_bench(b);
}

/* An id that people choose may be another container's with the next event. */
static void test_chosen(void **state)
{
    struct ev *ev = event(0, "web");
    struct bench *b;

    (void)state;
    e_num(ev, N_CONTAINER_KIND, CONTAINER_CONTAINERD);
    b = open_bench(ev, 1u << LORE_CONTAINER);
    b->e.until[LORE_CONTAINER] = NOW; /* as of one that is known */
    lore_tell(&b->lore, &b->r, &b->e);
    assert_int_equal(row_of(b, LORE_CONTAINER)->bits.known[0], 0);
    assert_int_equal(row_of(b, LORE_CONTAINER)->bits.yes[0], 0);
    assert_int_equal(row_of(b, LORE_CONTAINER)->until, NOW + SECOND / 100);
    close_bench(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),     cmocka_unit_test(test_groups),
        cmocka_unit_test(test_keys),       cmocka_unit_test(test_ask),
        cmocka_unit_test(test_tell),       cmocka_unit_test(test_old_answers),
        cmocka_unit_test(test_containers), cmocka_unit_test(test_chosen),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
