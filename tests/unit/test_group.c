/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many rules on one event: however they are grouped, the answer is the first rule that a plain walk
 * over the rules cannot exclude. Rules and events are made at random from small alphabets, so that
 * they meet; the walk below knows nothing of groups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "bpf.h"
#include "comp.h"
#include "eval_bpf.h"
#include "eval_bpf_load.h"
#include "intern.h"
#include "pipeline.h"

#define ATOMS 400
#define RULES 150
#define PACKS 40
#define RULES_LARGE 3000 /* so many are tables (bpf/class.h), not code */
#define PACKS_LARGE 6
#define EVENTS 300

static uint32_t next(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static const unsigned TEXT_SLOTS[] = {S_NAME, S_FD_NAME, S_CONTAINER_ID};
static const size_t TEXT_OFFS[] = {offsetof(struct ev, s_NAME), offsetof(struct ev, s_FD_NAME),
                                   offsetof(struct ev, s_CONTAINER_ID)};
static const unsigned NUM_SLOTS[] = {N_SPORT, N_RES};

/* Short words over two letters, often beginnings of one another; at most 11 bytes. */
static size_t make_word(uint64_t *seed, char *to)
{
    size_t n = next(seed, 5) + (next(seed, 4) == 0 ? 6 : 0);
    for (size_t i = 0; i < n; i++)
        to[i] = (char)("ab"[next(seed, 2)]);
    to[n] = 0;
    return n;
}

/* What the packs of one test are like. */
struct kind {
    uint32_t packs, rules;
    bool parts;    /* tests of the ends and parts of texts alone */
    uint32_t hows; /* the look-ups that some pack must have: bits by enum class_how */
};

static void add_atom(struct comp *c, uint64_t *seed, uint32_t id, bool parts)
{
    static const enum op_id ops[] = {OP_EQ,         OP_EQ, OP_IN,       OP_STARTSWITH,
                                     OP_STARTSWITH, OP_NE, OP_ENDSWITH, OP_CONTAINS};
    struct where w = inline_test(id, SHAPE_TEXT, 0);
    struct atom a = {
        .op = ops[parts ? 6 + next(seed, 2) : next(seed, 8)], .val0 = c->values.n, .nval = 1};
    if (!parts && next(seed, 4) == 0) {
        a.op = OP_IN;
        w.shape = SHAPE_NUM;
        w.slot = (int16_t)NUM_SLOTS[next(seed, 2)];
        w.test0 = c->tests.n;
        for (w.ntest = 1 + next(seed, 3); c->tests.n < w.test0 + w.ntest;) {
            uint64_t v = next(seed, 30);
            VEC_PUSH(c->arena, &c->tests, (struct num_test){NT_UNSIGNED, v, v});
        }
    } else {
        w.slot = (int16_t)SLOT_OF_STR(TEXT_SLOTS[next(seed, 3)]);
        a.nval = a.op == OP_IN ? 1 + next(seed, 4) : 1;
        for (uint32_t i = 0; i < a.nval; i++) {
            char word[16];
            size_t n = make_word(seed, word);
            struct value v = {.kind = VAL_TEXT, .text = intern_put(c->intern, word, n)};
            VEC_PUSH(c->arena, &c->values, v);
            if (a.op == OP_CONTAINS) {
                w.place = PLACE_MATCHER;
                w.pattern0 = VEC_PUSH(c->arena, &c->value_pattern, c->patterns.n);
                VEC_PUSH(c->arena, &c->patterns, v.text);
            }
        }
    }
    VEC_PUSH(c->arena, &c->atoms, a);
    VEC_PUSH(c->arena, &c->where, w);
}

/* A conjunction of `least` literals or up to two more, one of which may be a choice of two. */
static void add_rule(struct comp *c, uint64_t *seed, uint32_t id, uint32_t least)
{
    uint32_t n = least + next(seed, 3);
    struct root root = {.rule = {id}, .root = {c->dag.n}};
    VEC_PUSH(c->arena, &c->rules, (struct rule){.enabled = true, .index = id - 1});
    for (uint32_t i = 0; i < n; i++) {
        bool choice = next(seed, 5) == 0, neg = next(seed, 6) == 0;
        uint32_t here = c->dag.n, after = here + (choice ? 2 : 1);
        dag_id pass = {i + 1 < n ? after : DAG_TRUE}, fail = {choice ? here + 1 : DAG_FALSE};
        struct dag_node node = {.atom = {1 + next(seed, ATOMS)},
                                .neg = neg,
                                .yes = neg ? fail : pass,
                                .no = neg ? pass : fail};
        VEC_PUSH(c->arena, &c->dag, node);
        if (choice) {
            struct dag_node other = {
                .atom = {1 + next(seed, ATOMS)}, .yes = pass, .no = {DAG_FALSE}};
            VEC_PUSH(c->arena, &c->dag, other);
        }
    }
    VEC_PUSH(c->arena, &c->roots, root);
}

static struct comp *make_pack(uint64_t *seed, const struct kind *k)
{
    struct comp *c = comp_new();
    uint32_t rules = k->rules;
    for (uint32_t i = 1; i <= ATOMS; i++)
        add_atom(c, seed, i, k->parts);
    for (uint32_t i = 1; i <= rules; i++)
        add_rule(c, seed, i, rules > RULES ? 6 : 2); /* else some rule always matches */
    struct event_rules row = {.event = EV_open, .sysnr = -1, .nroot = rules};
    VEC_PUSH(c->arena, &c->events, row);
    return c;
}

static void make_event(struct ev *ev, uint64_t *seed, bool all_known)
{
    memset(ev, 0, sizeof(*ev));
    memset(ev->h.st, ST_ABSENT, sizeof(ev->h.st)); /* all extractors have run */
    ev->h.event = EV_open;
    for (int i = 0; i < 3; i++) {
        size_t n = make_word(seed, (char *)ev + TEXT_OFFS[i]);
        ev->h.len[TEXT_SLOTS[i]] = (uint32_t)n;
        uint32_t dice = next(seed, 10);
        ev->h.st[SLOT_OF_STR(TEXT_SLOTS[i])] = dice == 0                 ? ST_ABSENT
                                               : dice == 1 && !all_known ? ST_UNKNOWN
                                                                         : ST_PRESENT;
    }
    for (int i = 0; i < 2; i++) {
        ev->h.num[NUM_SLOTS[i]] = next(seed, 30);
        ev->h.st[NUM_SLOTS[i]] = next(seed, 10) ? ST_PRESENT : ST_ABSENT;
    }
}

/* 0 false, 1 true, 2 unknown */
static int test_atom(const struct comp *c, const struct ev *ev, uint32_t id)
{
    const struct atom *a = &c->atoms.v[id];
    const struct where *w = &c->where.v[id - 1];
    if (ev->h.st[w->slot] != ST_PRESENT)
        return ev->h.st[w->slot] == ST_ABSENT ? 0 : 2;
    if (w->shape == SHAPE_NUM) {
        for (uint32_t i = 0; i < w->ntest; i++)
            if (c->tests.v[w->test0 + i].a == (uint64_t)ev->h.num[w->slot])
                return 1;
        return 0;
    }
    unsigned str = (unsigned)w->slot - N_COUNT;
    size_t place = 0;
    while (place < 2 && TEXT_SLOTS[place] != str)
        place++;
    const char *text = (const char *)ev + TEXT_OFFS[place];
    size_t len = ev->h.len[str];
    bool any = false;
    for (uint32_t i = 0; i < a->nval; i++) {
        const char *k = STR(c, c->values.v[a->val0 + i].text);
        size_t n = strlen(k);
        bool end = len >= n && memcmp(text + len - n, k, n) == 0;
        bool begin = len >= n && memcmp(text, k, n) == 0;
        bool within = n == 0 || memmem(text, len, k, n);
        any |= a->op == OP_STARTSWITH ? begin
               : a->op == OP_ENDSWITH ? end
               : a->op == OP_CONTAINS ? within
                                      : begin && len == n;
    }
    return a->op == OP_NE ? !any : any;
}

static uint32_t first_rule(const struct comp *c, const struct ev *ev)
{
    for (uint32_t i = 0; i < c->roots.n; i++) {
        uint32_t d = c->roots.v[i].root.i;
        while (d < DAG_TRUE) {
            const struct dag_node *n = &c->dag.v[d];
            int t = test_atom(c, ev, n->atom.i);
            d = t == 1 || (t == 2 && !n->neg) ? n->yes.i : n->no.i;
        }
        if (d == DAG_TRUE)
            return i + 1;
    }
    return 0;
}

/* `exact`: how often the filter told the first rule, and not one before it. */
static uint32_t try_pack(uint64_t *seed, const struct comp *c, struct ev *ev, uint32_t *exact)
{
    char err[200] = "";
    uint32_t hits = 0;
    struct bpf_vm *vm = bpf_vm_new(c->filter_elf.v, c->filter_elf.n, err, sizeof(err));
    if (!vm)
        fail_msg("%s", err);
    bpf_vm_tables(vm, c);
    for (int i = 0; i < EVENTS; i++) {
        make_event(ev, seed, i % 2);
        uint32_t want = first_rule(c, ev);
        int64_t got = bpf_vm_filter(vm, ev);
        if (got < 0 || (want && (got == 0 || got > want)))
            fail_msg("event %d of %u rules: rule %lld, not %u", i, c->roots.n, (long long)got,
                     want);
        *exact += i % 2 && got == want;
        hits += want != 0;
    }
    bpf_vm_free(vm);
    return hits;
}

static void try_packs(uint64_t seed, const struct kind *k)
{
    struct ev *ev = calloc(1, sizeof(*ev));
    uint32_t hits = 0, hows = 0, exact = 0;
    for (uint32_t pack = 0; pack < k->packs; pack++) {
        struct comp *c = make_pack(&seed, k);
        assert_int_equal(pass_bpf(c), 0);
        assert_int_equal(c->class_tests.n > 0, k->rules == RULES_LARGE);
        for (uint32_t i = 0; i < c->keys.n; i++)
            hows |= 1u << c->keys.v[i].how;
        hits += try_pack(&seed, c, ev, &exact);
        comp_free(c);
    }
    assert_int_equal(hows & k->hows, k->hows);
    assert_in_range(hits, k->packs * EVENTS / 10, k->packs * EVENTS - 1);
    /*
     * A group whose value is unknown may pass as a whole: earlier, and never too late. So may one
     * in whose text the parts of too many classes stand.
     */
    assert_in_range(exact, k->packs * EVENTS / 2 * (k->parts ? 90 : 100) / 100,
                    k->packs * EVENTS / 2);
    free(ev);
}

static void test_groups(void **state)
{
    (void)state;
    try_packs(20, &(struct kind){.packs = PACKS, .rules = RULES});
}

static void test_tables(void **state)
{
    (void)state;
    uint32_t hows = 1u << CLASS_EXACT | 1u << CLASS_PREFIX | 1u << CLASS_NUMBER;
    try_packs(21, &(struct kind){.packs = PACKS_LARGE, .rules = RULES_LARGE, .hows = hows});
}

static void test_parts(void **state)
{
    (void)state;
    struct kind k = {.packs = PACKS_LARGE, .rules = RULES_LARGE, .parts = true};
    k.hows = 1u << CLASS_SUFFIX | 1u << CLASS_WITHIN;
    try_packs(22, &k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_groups), cmocka_unit_test(test_tables),
                                       cmocka_unit_test(test_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
