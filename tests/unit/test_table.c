/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision table: each operator on each kind of value, what is absent, unknown or cut, fields
 * that are sets, and the walk over a rule's decisions. Globs are held against fnmatch(3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fnmatch.h>
#include <stdio.h>

#include "../../runtime/match.h"
#include "../../runtime/table.h"
#include "bundle.h"

enum { F = OUT_FALSE, T = OUT_TRUE, M = OUT_MAYBE };

/* ---- texts ---- */

struct text_row {
    const char *value, *constant;
    enum op_id op;
    int whole; /* outcome if the value is all there is */
    int cut;   /* outcome if it is only the beginning */
};

static const struct text_row text_rows[] = {
    {"cat", "cat", OP_EQ, T, M},
    {"cat", "cats", OP_EQ, F, M},
    {"cat", "ca", OP_EQ, F, F},
    {"cat", "dog", OP_EQ, F, F},
    {"cat", "dogs", OP_NE, T, T},
    {"cat", "cat", OP_NE, F, M},
    {"cat", "ca", OP_NE, T, T},
    {"", "", OP_EQ, T, M},
    {"b", "a", OP_GT, T, T},
    {"a", "b", OP_LT, T, T},
    {"a", "a", OP_LT, F, F},
    {"a", "a", OP_GE, T, T},
    {"a", "a", OP_LE, T, M},
    {"a", "ab", OP_LT, T, M},
    {"ab", "a", OP_GT, T, T},
    {"\xff", "a", OP_GT, T, T},
    {"/etc/shadow", "/etc", OP_STARTSWITH, T, T},
    {"/etc/shadow", "/etcx", OP_STARTSWITH, F, F},
    {"/et", "/etc", OP_STARTSWITH, F, M},
    {"/etc", "", OP_STARTSWITH, T, T},
    {"/etc/shadow", "shadow", OP_ENDSWITH, T, M},
    {"/etc/shadow", "x", OP_ENDSWITH, F, M},
    {"/etc/shadow", "", OP_ENDSWITH, T, T},
    {"a", "ba", OP_ENDSWITH, F, M},
    {"hello", "ell", OP_CONTAINS, T, T},
    {"hello", "ELL", OP_CONTAINS, F, M},
    {"hello", "ELL", OP_ICONTAINS, T, T},
    {"HeLLo", "ell", OP_ICONTAINS, T, T},
    {"hello", "", OP_CONTAINS, T, T},
    {"hello", "hellos", OP_ICONTAINS, F, M},
    {"hello", "ll", OP_BCONTAINS, T, T},
    {"hello", "he", OP_BSTARTSWITH, T, T},
    {"/tmp/x", "/tmp*", OP_GLOB, T, M},
    {"/tmp/x", "/tmp", OP_GLOB, F, M},
    {"/TMP/x", "/tmp*", OP_IGLOB, T, M},
    {"/tmp/the_file", "/tmp", OP_PMATCH, T, T},
    {"/tmp/the_file", "/tm", OP_PMATCH, F, M},
    {"/tmp/the_file", "tmp", OP_PMATCH, T, T},
    {"/tmp/the_file", "/", OP_PMATCH, T, T},
    {"/tmp/the_file", "", OP_PMATCH, T, T},
    {"/tmp/the_file", "/t*", OP_PMATCH, T, T},
    {"/tmp/the_file", "//tmp//the_file/", OP_PMATCH, T, M},
    {"/tmp/the_file", "/tmp/the_file/x", OP_PMATCH, F, M},
    {"/tmp", "/tmp/x", OP_PMATCH, F, M},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(text_rows) / sizeof(text_rows[0]); i++) {
        const struct text_row *t = &text_rows[i];
        struct val v = {.state = ST_PRESENT,
                        .base = BASE_TEXT,
                        .text = t->value,
                        .len = (uint32_t)strlen(t->value)};

        if ((int)match_text(t->op, v, t->constant, strlen(t->constant)) != t->whole)
            fail_msg("%s %s %s", t->value, catalog_op(t->op)->text, t->constant);
        v.state = ST_CUT;
        if ((int)match_text(t->op, v, t->constant, strlen(t->constant)) != t->cut)
            fail_msg("(cut) %s %s %s", t->value, catalog_op(t->op)->text, t->constant);
    }
}

/* ---- globs ---- */

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void pick(char *to, size_t most, const char *const *parts, size_t nparts, uint32_t *seed)
{
    size_t n = next(seed) % (most + 1);

    *to = '\0';
    for (size_t i = 0; i < n; i++)
        strcat(to, parts[next(seed) % nparts]);
}

static void test_globs(void **state)
{
    static const char *const parts[] = {
        "a",    "b",   "A",   "*",  "?",       "[ab]",   "[!a]",        "[a-c]",        "[",
        "]",    "\\*", "\\a", "-",  "/",       ".",      "[[:alpha:]]", "[[:digit:]b]", "[]a]",
        "[^b]", "{",   "!",   "[a", "[[=a=]]", "[[.a.]]"};
    static const char *const bytes[] = {"a", "b", "c", "A", "B", "*",    "?", "[",
                                        "]", "/", ".", "-", "1", "\xe9", "!", "\\"};
    uint32_t seed = 7;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char pat[128], text[64];
        bool fold = i & 1;

        pick(pat, 6, parts, sizeof(parts) / sizeof(parts[0]), &seed);
        pick(text, 6, bytes, sizeof(bytes) / sizeof(bytes[0]), &seed);
        if (glob_match(text, strlen(text), pat, strlen(pat), fold) !=
            (fnmatch(pat, text, fold ? FNM_CASEFOLD : 0) == 0))
            fail_msg("glob \"%s\" on \"%s\"%s", pat, text, fold ? " (folded)" : "");
    }
}

/* A pattern of many stars takes time in proportion, not exponential time. */
static void test_glob_stars(void **state)
{
    char text[4096], pat[256] = "";

    (void)state;
    memset(text, 'a', sizeof(text));
    for (int i = 0; i < 60; i++)
        strcat(pat, "*a");
    strcat(pat, "*b");
    assert_false(glob_match(text, sizeof(text), pat, strlen(pat), false));
}

/* ---- numbers and addresses ---- */

struct num_row {
    enum type_id type;
    int64_t a, b;
    enum op_id op;
    int want;
};

static const struct num_row num_rows[] = {
    {T_INT32, -1, 1, OP_LT, T},
    {T_UINT32, -1, 1, OP_LT, F},
    {T_UINT32, 0xffffffff, -1, OP_EQ, T},
    {T_INT32, 7, 4294967303, OP_EQ, T},
    {T_INT64, 7, 4294967303, OP_EQ, F},
    {T_PORT, 443, 65979, OP_EQ, T},
    {T_UINT64, -1, 1, OP_GT, T},
    {T_INT64, -1, 1, OP_GT, F},
    {T_INT64, 5, 5, OP_LE, T},
    {T_INT64, 5, 5, OP_GE, T},
    {T_INT64, 5, 5, OP_NE, F},
    {T_BOOL, 1, 1, OP_EQ, T},
    {T_INT64, 5, 5, OP_CONTAINS, F},
};

static void test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(num_rows) / sizeof(num_rows[0]); i++) {
        const struct num_row *n = &num_rows[i];

        if ((int)match_num(n->op, n->type, n->a, n->b) != n->want)
            fail_msg("row %zu", i);
    }
}

static const struct val v4 = {
    .state = ST_PRESENT, .base = BASE_IP, .family = 4, .text = "\x0a\x01\x02\x03", .len = 4};

static void test_addresses(void **state)
{
    const struct rpk_value same = {.kind = 2, .family = 4, .addr = {10, 1, 2, 3}};
    const struct rpk_value six = {.kind = 2, .family = 6, .addr = {10, 1, 2, 3}};
    struct rpk_value net = {.kind = 3, .family = 4, .prefix = 15, .addr = {10, 0, 9, 9}};

    (void)state;
    assert_int_equal(match_addr(OP_EQ, v4, &same), T);
    assert_int_equal(match_addr(OP_NE, v4, &same), F);
    assert_int_equal(match_addr(OP_EQ, v4, &six), F);
    assert_int_equal(match_addr(OP_NE, v4, &six), T);
    assert_int_equal(match_addr(OP_EQ, v4, &net), T);
    net.prefix = 16;
    assert_int_equal(match_addr(OP_EQ, v4, &net), F);
    assert_int_equal(match_addr(OP_NE, v4, &net), T);
    net.prefix = 0;
    assert_int_equal(match_addr(OP_EQ, v4, &net), T);
    net.family = 6;
    assert_int_equal(match_addr(OP_NE, v4, &net), T);
}

/* ---- atoms over a record ---- */

struct bench {
    struct bundle *b;
    struct ev *ev;
    void *rec;
    uint8_t *bytes;
    struct rpk p;
    struct record r;
    char *scratch;
};

static void open_bench(struct bench *t)
{
    char err[200] = "";
    size_t size;

    t->bytes = b_pack(t->b, &size);
    if (rpk_open(&t->p, t->bytes, size, err, sizeof(err)))
        fail_msg("%s", err);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): freed with the bench */
    t->rec = e_pack(t->ev, &size);
    t->scratch = malloc(RECORD_SCRATCH);
    assert_int_equal(record_open(&t->r, t->rec, size, NULL, t->scratch), 0);
}

static void close_bench(struct bench *t)
{
    free(t->scratch);
    free(t->rec);
    free(t->bytes);
    free(t->ev);
    free(t->b);
}

/* A test of one field against texts "a", "b", ... given as a string of letters. */
struct atom_row {
    enum field_id field;
    int32_t index;
    enum op_id op;
    enum op_modifier mod;
    const char *constants; /* separated by blanks; numbers, addresses, texts by the field's type */
    int want;
};

static struct ev *sample_event(void)
{
    struct ev *ev = e_new(EV_connect);

    e_text(ev, S_NAME, "cat");
    e_anc(ev, "alpha");
    e_anc(ev, "init");
    e_num(ev, N_FD_TYPE, 3);
    e_bytes(ev, S_CIP, "\xac\x28\x6f\xde", 4); /* 172.40.111.222 */
    e_bytes(ev, S_SIP, "\x8e\xfb\x6f\x93", 4); /* 142.251.111.147 */
    e_num(ev, N_CPORT, 54321);
    e_num(ev, N_SPORT, 443);
    e_num(ev, N_RES, -2);
    e_num(ev, N_UID, 1000);
    e_state(ev, SLOT_OF_STR(S_EXE), ST_UNKNOWN);
    return ev;
}

static const struct atom_row atom_rows[] = {
    {F_proc_name, -1, OP_EQ, MOD_NONE, "cat", T},
    {F_proc_name, -1, OP_IN, MOD_NONE, "dog cat", T},
    {F_proc_name, -1, OP_IN, MOD_NONE, "", F},
    {F_proc_name, -1, OP_EQ, MOD_ANYOF, "", F},
    {F_proc_name, -1, OP_NE, MOD_ALLOF, "", F},
    {F_proc_name, -1, OP_NE, MOD_ALLOF, "dog cow", T},
    {F_proc_name, -1, OP_NE, MOD_ANYOF, "dog cat", T},
    {F_proc_name, -1, OP_EQ, MOD_ONEOF, "cat cat", F},
    {F_proc_name, -1, OP_STARTSWITH, MOD_ONEOF, "ca do", T},
    {F_proc_name, -1, OP_EXISTS, MOD_NONE, "", T},
    /* absent: every test is false */
    {F_proc_pname, -1, OP_EXISTS, MOD_NONE, "", F},
    {F_proc_pname, -1, OP_NE, MOD_NONE, "x", F},
    {F_proc_pname, -1, OP_CONTAINS, MOD_NONE, "", F},
    /* unknown */
    {F_proc_exe, -1, OP_EQ, MOD_NONE, "x", M},
    {F_proc_exe, -1, OP_EXISTS, MOD_NONE, "", M},
    /* ancestors */
    {F_proc_aname, -1, OP_EQ, MOD_NONE, "init", T},
    {F_proc_aname, -1, OP_EQ, MOD_NONE, "cat", F},
    {F_proc_aname, -1, OP_NE, MOD_NONE, "alpha", T},
    {F_proc_aname, -1, OP_IN, MOD_NONE, "x init", T},
    {F_proc_aname, -1, OP_EXISTS, MOD_NONE, "", T},
    {F_proc_aname, 0, OP_EQ, MOD_NONE, "cat", T},
    {F_proc_aname, 1, OP_EQ, MOD_NONE, "alpha", T},
    {F_proc_aname, 2, OP_EQ, MOD_NONE, "init", T},
    {F_proc_aname, 3, OP_EXISTS, MOD_NONE, "", F},
    /* either end */
    {F_fd_ip, -1, OP_EQ, MOD_NONE, "142.251.111.147", T},
    {F_fd_ip, -1, OP_EQ, MOD_NONE, "172.40.111.222", T},
    {F_fd_ip, -1, OP_IN, MOD_NONE, "1.2.3.4 142.251.111.147", T},
    {F_fd_ip, -1, OP_NE, MOD_NONE, "142.251.111.147", F},
    {F_fd_ip, -1, OP_NE, MOD_NONE, "1.2.3.4", T},
    {F_fd_ip, -1, OP_EXISTS, MOD_NONE, "", T},
    {F_fd_port, -1, OP_NE, MOD_NONE, "443", F},
    {F_fd_port, -1, OP_GT, MOD_NONE, "50000", T},
    {F_fd_port, -1, OP_LT, MOD_NONE, "1000", T},
    {F_fd_port, -1, OP_IN, MOD_NONE, "80 443", T},
    {F_fd_net, -1, OP_EQ, MOD_NONE, "142.251.0.0/16", T},
    {F_fd_net, -1, OP_IN, MOD_NONE, "10.0.0.0/8 142.251.0.0/16", T},
    {F_fd_net, -1, OP_NE, MOD_NONE, "142.251.0.0/16", F},
    {F_fd_snet, -1, OP_EQ, MOD_NONE, "172.40.0.0/16", F},
    {F_fd_cnet, -1, OP_EQ, MOD_NONE, "172.40.0.0/16", T},
    {F_fd_sip, -1, OP_EQ, MOD_NONE, "142.251.111.147", T},
    /* derived */
    {F_evt_res, -1, OP_EQ, MOD_NONE, "ENOENT", T},
    {F_evt_failed, -1, OP_EQ, MOD_NONE, "1", T},
    {F_evt_type, -1, OP_IN, MOD_NONE, "accept connect", T},
    {F_user_uid, -1, OP_GE, MOD_NONE, "1000", T},
    {F_fd_name, -1, OP_EQ, MOD_NONE, "172.40.111.222:54321->142.251.111.147:443", T},
};

static uint32_t add_value(struct bundle *b, enum base_type base, const char *word)
{
    struct rpk_value v = {.family = 4};
    unsigned a[4], prefix = 32;

    if (base == BASE_TEXT)
        return b_text(b, word);
    if (base != BASE_IP && base != BASE_NET)
        return b_num(b, strtoll(word, NULL, 10));
    sscanf(word, "%u.%u.%u.%u/%u", &a[0], &a[1], &a[2], &a[3], &prefix);
    for (int i = 0; i < 4; i++)
        v.addr[i] = (uint8_t)a[i];
    v.kind = base == BASE_IP ? 2 : 3;
    v.prefix = (uint8_t)prefix;
    b->values[b->nvalue] = v;
    return b->nvalue++;
}

static void test_atoms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(atom_rows) / sizeof(atom_rows[0]); i++) {
        const struct atom_row *a = &atom_rows[i];
        enum type_id type = catalog_field(a->field)->type;
        char words[256], *save = NULL, *word;
        struct bench t = {.b = b_new(), .ev = sample_event()};
        uint32_t ref = b_ref(t.b, a->field, a->index, ""), n = 0;
        int got;

        snprintf(words, sizeof(words), "%s", a->constants);
        for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save), n++)
            add_value(t.b, catalog_type(type)->base, word);
        if (a->op == OP_CONTAINS && n == 0)
            n = 1 + 0 * b_text(t.b, "");
        b_atom(t.b, ref, a->op, a->mod, type, 0, n);
        open_bench(&t);
        got = (int)match_atom(&t.p, &t.r, &t.p.atoms[0]);
        close_bench(&t);
        if (got != a->want)
            fail_msg("row %zu: %s[%d] %s %d (%s): %d", i, catalog_field(a->field)->name, a->index,
                     catalog_op(a->op)->text, a->mod, a->constants, got);
    }
}

static void test_fields_and_transformers(void **state)
{
    struct bench t = {.b = b_new(), .ev = sample_event()};
    uint32_t name = b_ref(t.b, F_proc_name, -1, ""), anc = b_ref(t.b, F_proc_aname, 2, "");
    uint32_t up = b_xform(t.b, 2, name, 1), lit = b_literal(t.b, "x");
    uint32_t cat, val, len;

    (void)state;
    (void)anc;
    (void)lit;
    cat = b_xform(t.b, 6, up, 2); /* concat(toupper(proc.name), "x") */
    len = b_xform(t.b, 5, cat, 1);
    val = b_xform(t.b, 9, name, 1);
    b_atom(t.b, cat, OP_EQ, MOD_NONE, T_CHARBUF, b_text(t.b, "CATx"), 1);
    b_atom(t.b, len, OP_EQ, MOD_NONE, T_UINT64, b_num(t.b, 4), 1);
    b_atom(t.b, name, OP_EQ, MOD_NONE, T_CHARBUF, 0, 0);
    t.b->atoms[2].rhs = val;
    b_atom(t.b, name, OP_LT, MOD_NONE, T_CHARBUF, 0, 0);
    t.b->atoms[3].rhs = anc;
    open_bench(&t);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(match_atom(&t.p, &t.r, &t.p.atoms[i]), T);
    close_bench(&t);
}

/* ---- the walk ---- */

/* proc.exe is unknown here, proc.name is "cat". */
static struct bench walk_bench(bool neg)
{
    struct bench t = {.b = b_new(), .ev = sample_event()};
    uint32_t exe = b_ref(t.b, F_proc_exe, -1, ""), name = b_ref(t.b, F_proc_name, -1, "");
    uint32_t a = b_atom(t.b, exe, OP_EQ, MOD_NONE, T_CHARBUF, b_text(t.b, "x"), 1);
    uint32_t c = b_atom(t.b, name, OP_EQ, MOD_NONE, T_CHARBUF, b_text(t.b, "cat"), 1);

    b_event(t.b, EV_connect, -1);
    /* rule 0: [not] exe = x */
    b_root(t.b, b_rule(t.b, "unsure", 4),
           b_node(t.b, a, neg ? RPK_FALSE : RPK_TRUE, neg ? RPK_TRUE : RPK_FALSE, neg));
    /* rule 1: [not] exe = x or name = cat */
    b_root(t.b, b_rule(t.b, "sure", 4), 1);
    b_node(t.b, a, neg ? 2 : RPK_TRUE, neg ? RPK_TRUE : 2, neg);
    b_node(t.b, c, RPK_TRUE, RPK_FALSE, false);
    /* rule 2: not name = cat */
    b_root(t.b, b_rule(t.b, "none", 4), b_node(t.b, c, RPK_FALSE, RPK_TRUE, true));
    open_bench(&t);
    return t;
}

static void test_walk(void **state)
{
    (void)state;
    for (int neg = 0; neg < 2; neg++) {
        struct bench t = walk_bench(neg);
        struct match m[8];

        assert_int_equal(table_rule(&t.p, &t.r, 0), VERDICT_UNCERTAIN);
        assert_int_equal(table_rule(&t.p, &t.r, 1), VERDICT_MATCH);
        assert_int_equal(table_rule(&t.p, &t.r, 2), VERDICT_NONE);
        assert_int_equal(table_match(&t.p, &t.r, 3, false, m, 8), 2);
        /* the uncertain one does not hide the certain one behind it */
        assert_int_equal(table_match(&t.p, &t.r, 3, true, m, 8), 2);
        assert_int_equal(m[1].rule, 1);
        assert_int_equal(table_match(&t.p, &t.r, 3, false, m, 1), 1);
        close_bench(&t);
    }
}

/* A text in another reading's place. */
static void put_alt(struct ev *ev, enum reading reading, const char *text)
{
    ev->h.readings = (__u8)(ev->h.readings | READ_BIT(reading));
    ev->alt_len[READ_ALT(reading)] = (uint32_t)strlen(text);
    memcpy(ev->alt[READ_ALT(reading)], text, strlen(text));
}

/* Three rules of which each holds under one reading, and one that holds under none. */
static void add_readers(struct bench *t)
{
    static const char *const dirs[] = {"/etc", "/tmp", "/srv", "/usr"};
    static const char *const rules[] = {"opened", "spelled", "stored", "none"};
    uint32_t dir = b_ref(t->b, F_fd_directory, -1, "");

    b_event(t->b, EV_openat, -1);
    for (int i = 0; i < 4; i++) {
        uint32_t a = b_atom(t->b, dir, OP_EQ, MOD_NONE, T_CHARBUF, b_text(t->b, dirs[i]), 1);

        b_root(t->b, b_rule(t->b, rules[i], 4), b_node(t->b, a, RPK_TRUE, RPK_FALSE, false));
    }
    e_text(t->ev, S_FD_NAME, "/etc/shadow");
    e_text(t->ev, S_FD_DIR, "/etc");
}

static void test_readings(void **state)
{
    static const struct {
        const char *spelled, *stored;
        unsigned asked, hits; /* hits: READ_BIT of each rule that fires, under its reading */
    } rows[] = {
        {"/tmp/link", NULL, READINGS_ALL, 3},
        {NULL, "/srv/keys", READINGS_ALL, 5},
        {"/tmp/link", "/srv/k", READINGS_ALL, 7},
        {"/tmp/link", "/srv/k", 2, 2},
        {NULL, "/srv/keys", 2, 1},
        {NULL, NULL, 2, 1},
        {NULL, NULL, READINGS_ALL, 1},
        {"/etc/link", "/etc/k", READINGS_ALL, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench t = {.b = b_new(), .ev = e_new(EV_openat)};
        struct match m[4];
        unsigned n, hits = 0;

        add_readers(&t);
        if (rows[i].spelled)
            put_alt(t.ev, READ_SPELLED, rows[i].spelled);
        if (rows[i].stored)
            put_alt(t.ev, READ_STORED, rows[i].stored);
        open_bench(&t);
        n = table_match(&t.p, &t.r, rows[i].asked, false, m, 4);
        for (unsigned k = 0; k < n; k++) {
            assert_int_equal(m[k].reading, m[k].rule);
            assert_int_equal(m[k].verdict, VERDICT_MATCH);
            hits |= READ_BIT(m[k].rule);
        }
        assert_int_equal(hits, rows[i].hits);
        close_bench(&t);
    }
}

/* A reading that could not be told: whatever is asked of it may hold. */
static void test_unknown_reading(void **state)
{
    struct bench t = {.b = b_new(), .ev = e_new(EV_openat)};
    struct match m[4];

    (void)state;
    add_readers(&t);
    put_alt(t.ev, READ_STORED, "");
    open_bench(&t);
    assert_int_equal(table_match(&t.p, &t.r, READINGS_ALL, false, m, 4), 4);
    assert_int_equal(m[0].verdict, VERDICT_MATCH);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(m[i].verdict, VERDICT_UNCERTAIN);
        assert_int_equal(m[i].reading, READ_STORED);
    }
    close_bench(&t);
}

/* A system call without a row of its own is judged by the row of all others. */
static void test_generic(void **state)
{
    static const struct {
        int64_t nr;
        uint32_t rule;
    } rows[] = {{63, 1}, {169, 0}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench t = {.b = b_new(), .ev = e_new(EV_generic)};
        struct match m[4];
        uint32_t other = b_rule(t.b, "other", 4), uname = b_rule(t.b, "uname", 4);

        b_event(t.b, EV_generic, -1);
        b_root(t.b, other, RPK_TRUE);
        b_event(t.b, EV_generic, 63);
        b_root(t.b, uname, RPK_TRUE);
        e_num(t.ev, N_SYSNR, rows[i].nr);
        open_bench(&t);
        assert_int_equal(table_match(&t.p, &t.r, 3, true, m, 4), 1);
        assert_int_equal(m[0].rule, rows[i].rule);
        close_bench(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_globs),
        cmocka_unit_test(test_glob_stars),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_atoms),
        cmocka_unit_test(test_fields_and_transformers),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_unknown_reading),
        cmocka_unit_test(test_generic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
