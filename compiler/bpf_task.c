/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule asks of the task alone: found, given a bit, and made to code. */
#include "task.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "intern.h"
#include "place.h"

enum { R1 = BPF_REG_1, R2, R3, R6 = BPF_REG_6, R7 };

#define PART_SLOTS 20000 /* a part that is longer when a test ends goes on in another function */
#define NO_TIE 0xffu

#define KEPT(member, word) ((int32_t)(offsetof(struct ev, kept.member) + (size_t)4 * (word)))

bool task_is_exec(enum event_id e)
{
    return e == EV_execve || e == EV_execveat;
}

/* ---- which values ---- */

static uint8_t tie_of_slot(const struct comp *c, int slot)
{
    static const uint8_t ties[SLOT_COUNT] = {
#define SLOT_TASK(slot, tie) [slot] = TASK_##tie,
#include "../grammar/slots.def"
    };
    int extra = slot - SLOT_OF_STR(S_X0);
    if (extra >= 0 && extra < 4 && c->plan.probe.extra[extra].kind == EXTRA_EXEPATH)
        return NO_TIE;
    return ties[slot] ? ties[slot] : NO_TIE;
}

static uint8_t tie_of_node(const struct comp *c, uint32_t id, enum event_id event)
{
    const struct where *w = place_where(c, c->dag.v[id].atom, event);
    if (w->shape == SHAPE_ANC || w->shape == SHAPE_ANC_ANY)
        return TASK_ANC;
    bool plain = w->slot >= 0 && w->slot2 < 0 && w->guard == GUARD_NONE && w->event == EV_NONE;
    return plain ? tie_of_slot(c, w->slot) : NO_TIE;
}

/* ---- blocks ---- */

/* All paths to a match go by `from` and `to`; what is between is decided by itself. */
struct block {
    dag_id from, to;
    uint8_t ties; /* NO_TIE: not of the task alone */
};
struct blocks {
    VEC(struct block) list;
};

static void add_node(struct emit *e, struct block *b, uint32_t id)
{
    uint8_t tie = tie_of_node(e->c, id, e->event);
    b->ties = b->ties == NO_TIE || tie == NO_TIE ? NO_TIE : b->ties | tie;
}

/* Nodes come in order: one is on every path if no edge from before it goes beyond it. */
static void find_blocks(struct emit *e, dag_id root, struct blocks *out)
{
    struct nodes list = {0};
    struct block *b = NULL;
    e->serial++;
    root = emit_decided(e, root);
    emit_collect(e, &list, root);
    uint32_t reach = root.i;
    for (uint32_t i = 0; i < list.id.n; i++) {
        uint32_t id = list.id.v[i];
        const struct dag_node *n = &e->c->dag.v[id];
        if (id == reach || !b) { /* the first node is where the root leads */
            if (b)
                b->to = (dag_id){id};
            uint32_t at = VEC_PUSH(e->c->arena, &out->list, (struct block){{id}, {DAG_TRUE}, 0});
            b = &out->list.v[at];
        }
        add_node(e, b, id);
        uint32_t to[2] = {emit_decided(e, n->yes).i, emit_decided(e, n->no).i};
        for (int k = 0; k < 2; k++)
            if (to[k] != DAG_FALSE && to[k] > reach)
                reach = to[k];
    }
}

void task_show_all(struct emit *e)
{
    e->view = 0;
}

/* The ties of the own test; 0: there is none, and nothing is hidden of the others. */
static uint8_t show(struct emit *e, dag_id root, enum event_id event, bool own)
{
    struct blocks all = {0};
    uint8_t ties = 0;
    e->event = event;
    e->view = 0;
    memset(e->known, 0, sizeof(e->known));
    find_blocks(e, root, &all);
    e->view = ++e->task->nview;
    for (uint32_t i = 0; i < all.list.n; i++) {
        const struct block *b = &all.list.v[i];
        bool is_own = b->ties != NO_TIE;
        ties |= is_own ? b->ties : 0;
        if (is_own != own) {
            e->skip_view[b->from.i] = e->view;
            e->skip_to[b->from.i] = b->to;
        }
    }
    return ties;
}

void task_show(struct emit *e, const struct root *r, enum event_id event, bool own)
{
    show(e, r->root, event, own);
}

/* ---- equal tests are one ---- */

struct task_plan *task_plan_new(struct comp *c)
{
    struct task_plan *p = arena_alloc(c->arena, sizeof(*p));
    p->ids.arena = c->arena;
    p->test_of = arena_alloc(c->arena, (c->roots.n + 1) * sizeof(*p->test_of));
    p->direct = arena_alloc(c->arena, c->roots.n + 1);
    p->may = arena_alloc(c->arena, (c->roots.n + 1) * sizeof(*p->may));
    for (uint32_t i = 0; i < c->roots.n; i++)
        p->may[i] = SKETCH_NONE;
    p->left = arena_alloc(c->arena, (c->events.n + 1) * sizeof(*p->left));
    p->can = arena_alloc(c->arena, c->dag.n + 1);
    return p;
}

/* A node's number on the list, ascending; above all: the terminals. */
static uint32_t number_of(const struct nodes *list, dag_id d)
{
    uint32_t low = 0, high = list->id.n;
    if (!is_node(d))
        return d.i;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (list->id.v[mid] < d.i)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* What is shown of a root, without the numbers of its nodes; appended to plan->texts. */
static void write_text(struct emit *e, dag_id root)
{
    struct task_plan *p = e->task;
    struct arena *a = e->c->arena;
    struct nodes list = {0};
    e->serial++;
    root = emit_decided(e, root);
    emit_collect(e, &list, root);
    for (uint32_t i = 0; i < list.id.n; i++) {
        const struct dag_node *n = &e->c->dag.v[list.id.v[i]];
        VEC_PUSH(a, &p->texts, n->atom.i << 1 | n->neg);
        VEC_PUSH(a, &p->texts, number_of(&list, emit_decided(e, n->yes)));
        VEC_PUSH(a, &p->texts, number_of(&list, emit_decided(e, n->no)));
    }
}

static bool same_text(const void *context, uint32_t id)
{
    const struct task_plan *p = context;
    const struct task_test *t = &p->tests.v[id - 1];
    uint32_t n = p->texts.n - p->last0;
    return t->ntext == n && !memcmp(&p->texts.v[t->text0], &p->texts.v[p->last0], (size_t)4 * n);
}

/* 1 + the test that is shown of the root. */
static uint32_t intern_test(struct emit *e, uint32_t root, uint8_t ties)
{
    struct task_plan *p = e->task;
    p->last0 = p->texts.n;
    write_text(e, e->c->roots.v[root].root);
    uint32_t n = p->texts.n - p->last0;
    uint64_t hash = CONS_SEED;
    for (uint32_t i = 0; i < n; i++)
        hash = cons_hash_u32(hash, p->texts.v[p->last0 + i]);
    uint32_t id = cons_find(&p->ids, hash, same_text, p);
    if (id) {
        p->texts.n = p->last0;
        return id;
    }
    struct task_test t = {.root = root,
                          .event = e->event,
                          .ties = ties,
                          .bit = TASK_BITS,
                          .text0 = p->last0,
                          .ntext = n};
    id = VEC_PUSH(e->c->arena, &p->tests, t) + 1;
    cons_add(&p->ids, hash, id);
    return id;
}

void task_add_row(struct emit *e, const struct event_rules *row, const bool *direct)
{
    struct task_plan *p = e->task;
    for (uint32_t i = 0; i < row->nroot && !task_is_exec(row->event); i++) {
        uint32_t root = row->root0 + i;
        uint8_t ties = show(e, e->c->roots.v[root].root, row->event, true);
        if (ties) {
            uint32_t id = intern_test(e, root, ties);
            p->test_of[root] = id;
            p->direct[root] = direct[i];
            p->tests.v[id - 1].uses++;
            p->tests.v[id - 1].direct += direct[i];
        }
    }
    task_show_all(e);
}

/* ---- bits ---- */

struct rank {
    uint32_t test, direct, uses;
};

static int compare_ranks(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->direct != y->direct)
        return x->direct > y->direct ? -1 : 1;
    if (x->uses != y->uses)
        return x->uses > y->uses ? -1 : 1;
    return x->test < y->test ? -1 : x->test > y->test;
}

void task_assign(struct emit *e)
{
    struct task_plan *p = e->task;
    struct rank *ranks = arena_alloc(e->c->arena, (p->tests.n + 1) * sizeof(*ranks));
    bool *has = arena_alloc(e->c->arena, p->tests.n + 1);
    for (uint32_t i = 0; i < p->tests.n; i++)
        ranks[i] = (struct rank){i, p->tests.v[i].direct, p->tests.v[i].uses};
    if (p->tests.n)
        qsort(ranks, p->tests.n, sizeof(*ranks), compare_ranks);
    for (uint32_t i = 0; i < p->tests.n && i < TASK_BITS; i++)
        has[ranks[i].test] = true;
    for (uint32_t i = 0; i < p->tests.n; i++) {
        if (has[i]) {
            p->tests.v[i].bit = p->nbit++;
            p->ties |= p->tests.v[i].ties | TASK_EXEC;
        }
    }
}

uint32_t task_bit(const struct emit *e, const struct root *r)
{
    uint32_t id = e->task->test_of[r - e->c->roots.v];
    return id ? e->task->tests.v[id - 1].bit : TASK_BITS;
}

/* ---- code ---- */

static void set_yes(struct emit *e, uint32_t bit)
{
    asm_load(e->a, 4, R1, R6, KEPT(bits.yes, bit / 32));
    asm_alu32_imm(e->a, BPF_OR, R1, 1u << bit % 32);
    asm_store(e->a, 4, R6, KEPT(bits.yes, bit / 32), R1);
}

static void emit_test_of_task(struct emit *e, const struct task_test *t)
{
    const struct root *r = &e->c->roots.v[t->root];
    label_id go = asm_label(e->a), hit = asm_label(e->a), next = asm_label(e->a);
    asm_mark(e->a, e->c->rules.v[r->rule.i].at,
             e->notes ? arena_printf(e->c->arena, "bit %u: of the task alone, %s", t->bit,
                                     STR(e->c, e->c->rules.v[r->rule.i].name))
                      : NULL);
    asm_load(e->a, 4, R1, R6, KEPT(want, t->bit / 32));
    asm_if32(e->a, BPF_JSET, R1, 1u << t->bit % 32, go, next);
    asm_bind(e->a, go);
    task_show(e, r, t->event, true);
    emit_nodes(e, r, hit, next);
    task_show_all(e);
    asm_bind(e->a, hit);
    if (asm_live(e->a))
        set_yes(e, t->bit);
    asm_bind(e->a, next);
}

/* The tests of one word, from `*i` on, as many as one function takes. */
static const char *emit_part(struct emit *e, uint32_t word, uint32_t part, uint32_t *i)
{
    const struct task_plan *p = e->task;
    const char *name = arena_printf(e->c->arena, "rule_task_%u", part);
    uint32_t start = e->a->insns.n;
    emit_begin(e, name, e->c->rules.v[e->c->roots.v[p->tests.v[*i].root].rule.i].at);
    asm_mov(e->a, R7, R6);
    asm_alu_imm(e->a, BPF_ADD, R7, ASM_FAR);
    for (; *i < p->tests.n && e->a->insns.n - start < PART_SLOTS; ++*i) {
        const struct task_test *t = &p->tests.v[*i];
        if (t->bit != TASK_BITS && t->bit / 32 != word)
            break;
        if (t->bit != TASK_BITS)
            emit_test_of_task(e, t);
    }
    emit_finish(e);
    return name;
}

/* Bits are in the order of the tests, so that each word is a run of parts. */
void task_emit(struct emit *e)
{
    const struct task_plan *p = e->task;
    VEC(const char *) names[TASK_WORDS] = {{0}};
    uint32_t npart = 0;
    if (!p->nbit)
        return;
    for (uint32_t i = 0; i < p->tests.n;) {
        if (p->tests.v[i].bit == TASK_BITS) {
            i++;
            continue;
        }
        uint32_t word = p->tests.v[i].bit / 32;
        const char *name = emit_part(e, word, ++npart, &i);
        VEC_PUSH(e->c->arena, &names[word], name);
    }
    emit_begin(e, "rule_task", e->c->rules.v[e->c->roots.v[p->tests.v[0].root].rule.i].at);
    emit_call(e, "task_settle");
    for (uint32_t w = 0; w < TASK_WORDS; w++) {
        label_id some = asm_label(e->a), next = asm_label(e->a);
        if (!names[w].n)
            continue;
        asm_load(e->a, 4, R1, R6, KEPT(want, w));
        asm_if(e->a, BPF_JEQ, R1, 0, next, some);
        asm_bind(e->a, some);
        for (uint32_t i = 0; i < names[w].n; i++)
            emit_call(e, names[w].v[i]);
        asm_load(e->a, 4, R1, R6, KEPT(want, w));
        asm_load(e->a, 4, R2, R6, KEPT(bits.known, w));
        asm_alu(e->a, BPF_OR, R2, R1);
        asm_store(e->a, 4, R6, KEPT(bits.known, w), R2);
        asm_bind(e->a, next);
    }
    emit_finish(e);
}

void task_emit_bit(struct emit *e, uint32_t bit, label_id miss)
{
    label_id go = asm_label(e->a);
    asm_load(e->a, 1, R1, R6, KEPT(bits.yes, 0) + (int32_t)(bit / 8));
    asm_if(e->a, BPF_JSET, R1, 1u << bit % 8, go, miss);
    asm_bind(e->a, go);
}

/* r1 = the bits of word `w` that are wanted. */
static void load_want(struct emit *e, const struct task_mask *want, uint32_t w)
{
    uint32_t bits = want->bits[w];
    asm_mov_imm(e->a, R1, bits);
    for (uint32_t i = 0; i < want->ngated; i++) {
        const struct task_gated *g = &e->task->gated.v[want->gated0 + i];
        if (g->bit == TASK_BITS || g->bit / 32 != w || bits >> g->bit % 32 & 1)
            continue;
        label_id off = asm_label(e->a);
        asm_gate(e->a, g->rule + 1, false, off);
        asm_alu32_imm(e->a, BPF_OR, R1, 1u << g->bit % 32);
        asm_bind(e->a, off);
    }
}

void task_emit_want(struct emit *e, const struct task_mask *want)
{
    label_id some = asm_label(e->a), done = asm_label(e->a);
    bool any = want->ngated > 0;
    for (uint32_t w = 0; w < TASK_WORDS; w++)
        any = any || want->bits[w];
    if (!any)
        return;
    asm_mov_imm(e->a, R3, 0);
    for (uint32_t w = 0; w * 32 < e->task->nbit; w++) {
        load_want(e, want, w);
        asm_load(e->a, 4, R2, R6, KEPT(bits.known, w));
        asm_alu_imm(e->a, BPF_XOR, R2, UINT64_MAX);
        asm_alu(e->a, BPF_AND, R1, R2);
        asm_store(e->a, 4, R6, KEPT(want, w), R1);
        asm_alu(e->a, BPF_OR, R3, R1);
    }
    asm_if(e->a, BPF_JNE, R3, 0, some, done);
    asm_bind(e->a, some);
    emit_call(e, "rule_task");
    asm_bind(e->a, done);
}

/* ---- for people ---- */

const bool *task_nodes(struct comp *c, uint32_t root, enum event_id event)
{
    struct task_plan *p = c->task;
    const struct root *r = &c->roots.v[root];
    struct nodes list = {0};
    if (!p->shown)
        p->shown = emit_new(c, false);
    p->shown->task = p;
    if (!p->direct[root] || task_bit(p->shown, r) == TASK_BITS)
        return NULL;
    bool *own = arena_alloc(c->arena, c->dag.n + 1);
    task_show(p->shown, r, event, true);
    p->shown->serial++;
    emit_collect(p->shown, &list, emit_decided(p->shown, r->root));
    for (uint32_t i = 0; i < list.id.n; i++)
        own[list.id.v[i]] = true;
    return own;
}
