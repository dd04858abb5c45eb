/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `int rule_left(event, class, bits, bits, sketch)`: 0 if no rule can match an event of the class
 * by a task whose own tests came to these bits, where a bit that is not known yet is set, and whose
 * path has this sketch. LEFT_BY_PATH: such a rule there is, but each needs a bit of the sketch,
 * which was not told. It looks at nothing of the event, and is asked before an event is made.
 */
#include <string.h>

#include "arena.h"
#include "reach.h"
#include "supply.h"
#include "task.h"

enum { R0 = BPF_REG_0, R1, R2, R3, R4, R5 };

#define KNOWN_MAX 4

/* ---- what a class says ---- */

static uint64_t file_flags(const char *const *names)
{
    uint64_t all = 0, one = 0;
    for (; *names; names++)
        all |= catalog_flags_value(FT_file_flags, *names, strlen(*names), &one) ? one : 0;
    return all;
}

static uint64_t changing_flags(void)
{
    static const char *const names[] = {"O_WRONLY", "O_CREAT", "O_TRUNC", NULL};
    return file_flags(names);
}

/* The slot of the flags; -1: not an event of class READS. */
static int flags_slot(enum event_id e)
{
    int i = e == EV_open || e == EV_openat ? catalog_param_index(e, "flags", 5) : -1;
    return i < 0 ? -1 : catalog_param(e, (unsigned)i)->slot;
}

static unsigned assume_class(enum event_id e, unsigned class, struct assume known[KNOWN_MAX])
{
    bool failed = class & LEFT_FAILED;
    unsigned n = 0;
    known[n++] =
        (struct assume){SLOT_OF_NUM(N_RES), failed ? INT64_MIN : 0, failed ? -1 : INT64_MAX, 0};
    if (supply_is_open(e))
        known[n++] =
            (struct assume){SLOT_OF_NUM(N_FD_NUM), failed ? -1 : 0, failed ? -1 : INT64_MAX, 0};
    if (class & LEFT_READS) {
        known[n++] = (struct assume){SLOT_OF_NUM(N_OPEN_WRITE), 0, 0, 0};
        known[n++] = (struct assume){(int16_t)flags_slot(e), 0, INT64_MAX, changing_flags()};
    }
    return n;
}

int left_class(const struct ev *ev)
{
    enum event_id e = (enum event_id)ev->h.event;
    int flags = flags_slot(e), class = 0;
    if (ev->h.st[N_RES] != ST_PRESENT)
        return -1;
    class |= ev->h.num[N_RES] < 0 ? LEFT_FAILED : 0;
    if (supply_is_open(e)) {
        int64_t fd = ev->h.num[N_FD_NUM];
        bool same = class & LEFT_FAILED ? fd == -1 : fd >= 0;
        if (ev->h.st[N_FD_NUM] != ST_PRESENT || !same)
            return -1;
    }
    if (flags >= 0 && ev->h.st[N_OPEN_WRITE] == ST_PRESENT && !ev->h.num[N_OPEN_WRITE] &&
        ev->h.st[flags] == ST_PRESENT && ev->h.num[flags] >= 0 &&
        !((uint64_t)ev->h.num[flags] & changing_flags()))
        class |= LEFT_READS;
    return class;
}

/* ---- which rules are left ---- */

static bool reaches(const bool *can, dag_id d)
{
    return is_node(d) ? can[d.i] : d.i == DAG_TRUE;
}

/* Apart from its own test. */
static bool can_match(struct emit *e, const struct root *r, enum event_id event,
                      const struct assume *known, unsigned n)
{
    bool *can = e->task->can;
    struct nodes list = {0};
    task_show(e, r, event, false);
    e->serial++;
    dag_id root = emit_decided(e, r->root);
    emit_collect(e, &list, root);
    for (uint32_t i = list.id.n; i-- > 0;) {
        const struct dag_node *d = &e->c->dag.v[list.id.v[i]];
        struct outcomes o = reach_atom(e->c, d->atom, event, known, n);
        can[list.id.v[i]] = (o.yes && reaches(can, emit_decided(e, d->yes))) ||
                            (o.no && reaches(can, emit_decided(e, d->no)));
    }
    task_show_all(e);
    return reaches(can, root);
}

/* One more rule that a sketch can exclude; those of one bit are one row. */
static void add_path(struct emit *e, struct task_mask *m, struct task_path path)
{
    struct task_plan *p = e->task;
    for (uint32_t i = 0; i < m->npath; i++) {
        struct task_path *old = &p->paths.v[m->path0 + i];
        if (old->bit == path.bit && old->gate == path.gate) {
            old->sketch |= path.sketch;
            return;
        }
    }
    VEC_PUSH(e->c->arena, &p->paths, path);
    m->npath++;
}

static void find_mask(struct emit *e, const struct event_rules *row, unsigned class,
                      struct task_mask *m)
{
    struct task_plan *p = e->task;
    struct assume known[KNOWN_MAX];
    unsigned n = assume_class(row->event, class, known);
    *m = (struct task_mask){.gated0 = p->gated.n, .path0 = p->paths.n};
    for (uint32_t i = 0; i < row->nroot && !m->open; i++) {
        const struct root *r = &e->c->roots.v[row->root0 + i];
        const struct rule *rule = &e->c->rules.v[r->rule.i];
        uint32_t bit = task_bit(e, r), gate = rule->enabled ? 0 : rule->index + 1;
        int may = p->may[row->root0 + i];
        if (!can_match(e, r, row->event, known, n))
            continue;
        if (may != SKETCH_NONE)
            add_path(e, m, (struct task_path){1ull << may, bit, gate});
        else if (!rule->enabled)
            VEC_PUSH(e->c->arena, &p->gated, (struct task_gated){rule->index, bit});
        else if (bit == TASK_BITS)
            m->open = true;
        else
            m->bits[bit / 32] |= 1u << bit % 32;
    }
    m->ngated = p->gated.n - m->gated0;
}

void left_find(struct emit *e, uint32_t row)
{
    const struct event_rules *rules = &e->c->events.v[row];
    struct task_mask *left = e->task->left[row];
    bool reads = flags_slot(rules->event) >= 0;
    for (unsigned class = 0; class < LEFT_CLASSES; class ++)
        if (rules->event == EV_generic || task_is_exec(rules->event))
            left[class] = (struct task_mask){.open = true};
        else if (class & LEFT_READS && !reads)
            left[class] = left[class - LEFT_READS];
        else
            find_mask(e, rules, class, &left[class]);
}

/* ---- code ---- */

static bool same_paths(const struct emit *e, const struct task_mask *a, const struct task_mask *b)
{
    const struct task_path *p = e->task->paths.v;
    bool same = a->npath == b->npath;
    for (uint32_t i = 0; same && i < a->npath; i++) {
        const struct task_path *x = &p[a->path0 + i], *y = &p[b->path0 + i];
        same = x->sketch == y->sketch && x->bit == y->bit && x->gate == y->gate;
    }
    return same;
}

static bool same_mask(const struct emit *e, const struct task_mask *a, const struct task_mask *b)
{
    if (a->open || b->open)
        return a->open && b->open;
    const struct task_gated *g = e->task->gated.v;
    return !memcmp(a->bits, b->bits, sizeof(a->bits)) && a->ngated == b->ngated &&
           (!a->ngated || !memcmp(g + a->gated0, g + b->gated0, a->ngated * sizeof(*g))) &&
           same_paths(e, a, b);
}

/*
 * Is a bit set? Of the register itself a test would tell the verifier something, and what is known
 * of it makes another state of each way to what follows.
 */
static void emit_if(struct emit *e, int reg, uint64_t bits, struct edges to)
{
    asm_mov_imm(e->a, R2, bits);
    asm_alu(e->a, BPF_AND, R2, reg);
    asm_if(e->a, BPF_JNE, R2, 0, to.yes, to.no);
}

/* To `go` if a bit is set. */
static void emit_any(struct emit *e, int reg, uint64_t bits, label_id go)
{
    label_id next = asm_label(e->a);
    if (bits) {
        emit_if(e, reg, bits, (struct edges){.yes = go, .no = next});
        asm_bind(e->a, next);
    }
}

/* To `go` if rules with this bit, or without one, are left. */
static void emit_bit(struct emit *e, uint32_t bit, label_id go)
{
    if (bit == TASK_BITS)
        asm_goto(e->a, go);
    else
        emit_any(e, bit < 64 ? R3 : R4, 1ull << bit % 64, go);
}

/* The same of a rule that a gate opens. */
static void emit_gated(struct emit *e, uint32_t gate, uint32_t bit, label_id go)
{
    label_id off = asm_label(e->a);
    asm_gate(e->a, gate, false, off);
    emit_bit(e, bit, go);
    asm_bind(e->a, off);
}

/* To `go` if such a rule is left of a path whose sketch is in r5. */
static void emit_path(struct emit *e, const struct task_path *p, label_id go)
{
    label_id off = asm_label(e->a), may = asm_label(e->a);
    if (p->gate)
        asm_gate(e->a, p->gate, false, off);
    emit_if(e, R5, p->sketch, (struct edges){.yes = may, .no = off});
    asm_bind(e->a, may);
    emit_bit(e, p->bit, go);
    asm_bind(e->a, off);
}

static void emit_return(struct emit *e, int value)
{
    if (!asm_live(e->a))
        return;
    asm_mov_imm(e->a, R0, (uint64_t)value);
    asm_exit(e->a);
}

/* What the rules come to that a sketch can exclude; r5 is the sketch. */
static void emit_told(struct emit *e, const struct task_mask *m, label_id go)
{
    const struct task_path *p = e->task->paths.v + m->path0;
    label_id some = asm_label(e->a);
    uint64_t all = 0;
    for (uint32_t i = 0; i < m->npath; i++)
        all |= p[i].sketch;
    emit_any(e, R5, all, some);
    emit_return(e, LEFT_NONE);
    asm_bind(e->a, some);
    for (uint32_t i = 0; i < m->npath; i++)
        emit_path(e, &p[i], go);
    emit_return(e, LEFT_NONE);
}

/* The same of any path. Rules that no gate opens are asked for all at once. */
static void emit_untold(struct emit *e, const struct task_mask *m)
{
    const struct task_path *p = e->task->paths.v + m->path0;
    label_id some = asm_label(e->a);
    uint64_t bits[TASK_BITS / 64] = {0};
    bool any = false;
    for (uint32_t i = 0; i < m->npath; i++) {
        any |= !p[i].gate && p[i].bit == TASK_BITS;
        if (!p[i].gate && p[i].bit < TASK_BITS)
            bits[p[i].bit / 64] |= 1ull << p[i].bit % 64;
    }
    if (!any) {
        emit_any(e, R3, bits[0], some);
        emit_any(e, R4, bits[1], some);
        for (uint32_t i = 0; i < m->npath; i++)
            if (p[i].gate)
                emit_gated(e, p[i].gate, p[i].bit, some);
        emit_return(e, LEFT_NONE);
    }
    asm_bind(e->a, some);
    emit_return(e, LEFT_BY_PATH);
}

static void emit_paths(struct emit *e, const struct task_mask *m, label_id go)
{
    label_id told = asm_label(e->a), untold = asm_label(e->a);
    asm_if(e->a, BPF_JEQ, R5, SKETCH_UNKNOWN, untold, told);
    asm_bind(e->a, told);
    emit_told(e, m, go);
    asm_bind(e->a, untold);
    emit_untold(e, m);
}

static void emit_mask(struct emit *e, const struct task_mask *m, label_id go)
{
    if (m->open) {
        asm_goto(e->a, go);
        return;
    }
    emit_any(e, R3, m->bits[0] | (uint64_t)m->bits[1] << 32, go);
    emit_any(e, R4, m->bits[2] | (uint64_t)m->bits[3] << 32, go);
    for (uint32_t i = 0; i < m->ngated; i++) {
        const struct task_gated *g = &e->task->gated.v[m->gated0 + i];
        emit_gated(e, g->rule + 1, g->bit, go);
    }
    if (m->npath)
        emit_paths(e, m, go);
    else
        emit_return(e, LEFT_NONE);
}

/* Classes that come to the same share their code. */
static void emit_row(struct emit *e, const struct task_mask *left, label_id go)
{
    struct key keys[LEFT_CLASSES];
    label_id label[LEFT_CLASSES] = {{0}};
    for (unsigned i = 0; i < LEFT_CLASSES; i++) {
        unsigned k = 0;
        while (!same_mask(e, &left[k], &left[i]))
            k++;
        label[i] = k < i ? label[k] : left[i].open ? go : asm_label(e->a);
        keys[i] = (struct key){i, label[i]};
    }
    emit_switch(e, R2, KEY_32, keys, LEFT_CLASSES, go);
    for (unsigned i = 0; i < LEFT_CLASSES; i++) {
        bool first = !left[i].open;
        for (unsigned k = 0; k < i; k++)
            first = first && label[k].i != label[i].i;
        if (!first)
            continue;
        asm_bind(e->a, label[i]);
        emit_mask(e, &left[i], go);
    }
}

static bool same_row(const struct emit *e, const struct task_mask *a, const struct task_mask *b)
{
    bool same = true;
    for (unsigned i = 0; i < LEFT_CLASSES; i++)
        same = same && same_mask(e, &a[i], &b[i]);
    return same;
}

static bool all_open(const struct task_mask *left)
{
    bool open = true;
    for (unsigned i = 0; i < LEFT_CLASSES; i++)
        open = open && left[i].open;
    return open;
}

void left_emit(struct emit *e)
{
    struct comp *c = e->c;
    struct task_mask(*left)[LEFT_CLASSES] = e->task->left;
    struct key *keys = arena_alloc(c->arena, (c->events.n + 1) * sizeof(*keys));
    label_id *label = arena_alloc(c->arena, (c->events.n + 1) * sizeof(*label));
    bool *first = arena_alloc(c->arena, c->events.n + 1);
    uint32_t *row_of = arena_alloc(c->arena, (c->events.n + 1) * sizeof(*row_of)), n = 0;
    asm_func_begin(e->a, "rule_left");
    asm_mark(e->a, c->roots.n ? c->rules.v[c->roots.v[0].rule.i].at : (span_id){0}, NULL);
    label_id go = asm_label(e->a);
    for (uint32_t i = 0; i < c->events.n; i++) {
        uint32_t k = 0;
        if (all_open(left[i]))
            continue;
        while (k < n && !same_row(e, left[row_of[k]], left[i]))
            k++;
        row_of[n] = i;
        first[n] = k == n;
        label[n] = k < n ? label[k] : asm_label(e->a);
        keys[n] = (struct key){c->events.v[i].event, label[n]};
        n++;
    }
    emit_switch(e, R1, KEY_32, keys, n, go);
    for (uint32_t k = 0; k < n; k++) {
        if (!first[k])
            continue;
        asm_bind(e->a, label[k]);
        emit_row(e, left[row_of[k]], go);
    }
    asm_bind(e->a, go);
    emit_return(e, LEFT_ANY);
    asm_func_end(e->a);
}
