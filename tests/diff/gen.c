/* SPDX-License-Identifier: Apache-2.0 */
/* Events that lean on a rule: half satisfy its condition or nearly so, half take its tests apart.
 */
#include "diff.h"

#include <stdio.h>
#include <string.h>

#include "../../compiler/arena.h"
#include "../../compiler/event_param.h"
#include "../../compiler/intern.h"

uint64_t rng_next(struct rng *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1dull;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
    return n ? (uint32_t)((rng_next(r) >> 32) * n >> 32) : 0;
}

bool rng_chance(struct rng *r, uint32_t percent)
{
    return rng_below(r, 100) < percent;
}

/* ---- facts ---- */

static bool same_field(struct field_ref a, struct field_ref b)
{
    return a.field == b.field && a.index == b.index && a.name.i == b.name.i;
}

/* A field whose number a table names takes no other text. */
static str_id name_of_table(struct gen *g, enum flag_table table, str_id s)
{
    unsigned n;
    uint64_t v;
    const struct flag_row *row = catalog_flags(table, &n);
    if (event_named_number(table, STR(g->c, s), STRLEN(g->c, s), &v))
        return s;
    return intern_cstr(g->c->intern, row[rng_below(&g->rng, n)].text);
}

void gen_set(struct gen *g, struct fact f)
{
    enum flag_table table = catalog_field(f.field.field)->table;
    if (table != FT_NONE && f.state == FACT_PRESENT)
        f.text = name_of_table(g, table, f.text);
    for (uint32_t i = 0; i < g->e.facts.n; i++) {
        if (same_field(g->e.facts.v[i].field, f.field)) {
            g->e.facts.v[i] = f;
            return;
        }
    }
    VEC_PUSH(g->c->arena, &g->e.facts, f);
}

bool gen_always(enum field_id f)
{
    return f == F_evt_type || f == F_evt_num || f == F_evt_rawtime || f == F_evt_cpu;
}

static void set_num(struct gen *g, enum field_id field, int64_t v)
{
    gen_set(g, (struct fact){.field = {.field = field, .index = -1},
                             .state = FACT_PRESENT,
                             .kind = VAL_NUM,
                             .num = v});
}

static void set_text(struct gen *g, enum field_id field, str_id s)
{
    gen_set(g, (struct fact){.field = {.field = field, .index = -1},
                             .state = FACT_PRESENT,
                             .kind = VAL_TEXT,
                             .text = s});
}

/* ---- rules ---- */

static void collect(struct gen *g, node_id id)
{
    const struct node *n = &g->c->nodes.v[id.i];
    for (uint32_t i = 0; i < n->nkid && n->kind != NODE_TEST; i++)
        collect(g, g->c->kids.v[n->kid0 + i]);
    for (uint32_t i = 0; i < n->nlit && n->kind == NODE_TEST; i++) {
        str_id s = g->c->lits.v[n->lit0 + i].text;
        if (STRLEN(g->c, s) < 256 && strlen(STR(g->c, s)) == STRLEN(g->c, s))
            VEC_PUSH(g->c->arena, &g->texts, s);
    }
}

void gen_init(struct gen *g, struct comp *c, uint64_t seed)
{
    *g = (struct gen){.c = c, .rng = {seed * 0x9e3779b97f4a7c15ull + 1}};
    for (int i = 0; i < 8; i++)
        rng_next(&g->rng);
}

void gen_lean_on(struct gen *g, rule_id rule)
{
    VEC_PUSH(g->c->arena, &g->rules, rule);
    collect(g, g->c->rules.v[rule.i].condition);
}

/* ---- the event's type ---- */

static void be_event(struct gen *g, enum event_id type, int32_t sysnr)
{
    const char *name = catalog_event(type)->name;
    if (type == EV_generic) {
        const struct syscall_info *call = catalog_syscall_by_nr(sysnr);
        name = call ? call->name : "uname";
    }
    const struct syscall_info *call = catalog_syscall_by_name(name, strlen(name));
    g->e.type = type;
    g->e.sysnr = type == EV_generic && call ? call->nr : -1;
    set_text(g, F_evt_type, intern_cstr(g->c->intern, name));
}

/* Some system call that has no event of its own. */
static int32_t any_generic(struct gen *g)
{
    for (int tries = 0; tries < 1000; tries++) {
        const struct syscall_info *s = catalog_syscall_by_nr((int32_t)rng_below(&g->rng, 460));
        if (s && s->event == EV_generic && s->nr >= 0)
            return s->nr;
    }
    return 63;
}

static void any_event(struct gen *g)
{
    for (;;) {
        enum event_id id = (enum event_id)(1 + rng_below(&g->rng, EV_COUNT - 1));
        if (catalog_event(id)->live || id == EV_generic) {
            be_event(g, id, any_generic(g));
            return;
        }
    }
}

static bool fires_on(const struct comp *c, const struct event_rules *row, rule_id rule)
{
    for (uint32_t i = 0; i < row->nroot; i++)
        if (c->roots.v[row->root0 + i].rule.i == rule.i)
            return true;
    return false;
}

/* One of the events that the rule can fire on; sometimes any other. */
static void choose_event(struct gen *g, rule_id rule)
{
    uint32_t n = 0, pick;
    for (uint32_t i = 0; i < g->c->events.n; i++)
        n += fires_on(g->c, &g->c->events.v[i], rule);
    if (!n || rng_chance(&g->rng, 10)) {
        any_event(g);
        return;
    }
    pick = rng_below(&g->rng, n);
    for (uint32_t i = 0; i < g->c->events.n; i++) {
        const struct event_rules *row = &g->c->events.v[i];
        if (!fires_on(g->c, row, rule) || pick--)
            continue;
        be_event(g, row->event, row->sysnr >= 0 ? row->sysnr : any_generic(g));
        return;
    }
}

/* ---- the condition ---- */

/* Sets facts towards the condition coming out as wanted. */
static void satisfy(struct gen *g, node_id id, bool want)
{
    const struct node *n = &g->c->nodes.v[id.i];
    if (n->kind == NODE_TEST)
        value_for(g, n, want);
    else if (n->kind == NODE_NOT)
        satisfy(g, g->c->kids.v[n->kid0], !want);
    else if ((n->kind == NODE_AND && want) || (n->kind == NODE_OR && !want))
        for (uint32_t i = 0; i < n->nkid; i++)
            satisfy(g, g->c->kids.v[n->kid0 + i], want);
    else if (n->kind == NODE_AND || n->kind == NODE_OR)
        satisfy(g, g->c->kids.v[n->kid0 + rng_below(&g->rng, n->nkid)], want);
}

/* Goes down to one test by chance. */
static const struct node *some_test(struct gen *g, node_id id)
{
    const struct node *n = &g->c->nodes.v[id.i];
    while (n->nkid && n->kind != NODE_TEST)
        n = &g->c->nodes.v[g->c->kids.v[n->kid0 + rng_below(&g->rng, n->nkid)].i];
    return n->kind == NODE_TEST ? n : NULL;
}

static void lean(struct gen *g, node_id condition)
{
    uint32_t changes = rng_below(&g->rng, 3);
    if (rng_chance(&g->rng, 65))
        satisfy(g, condition, true);
    else
        changes = 4 + rng_below(&g->rng, 12);
    while (changes--) {
        const struct node *n = some_test(g, condition);
        if (n)
            value_for(g, n, rng_chance(&g->rng, 50));
    }
}

/* ---- the rest ---- */

/* What every event has, whatever the rules ask. */
static void set_base(struct gen *g)
{
    static const int64_t results[] = {0, 3, 5, 100, -1, -2, -13};
    set_num(g, F_proc_pid, 1000);
    set_num(g, F_thread_tid, rng_chance(&g->rng, 80) ? 1000 : 1001);
    if (g->e.type != EV_generic && rng_chance(&g->rng, 90))
        set_num(g, F_evt_rawres, results[rng_below(&g->rng, 7)]);
    g->nanc = (int)rng_below(&g->rng, 5);
    for (int i = 0; i < g->nanc; i++) {
        str_id s = g->texts.n ? g->texts.v[rng_below(&g->rng, g->texts.n)] : (str_id){0};
        g->anc[i] = STRLEN(g->c, s) < COMM_SIZE ? s : intern_cstr(g->c->intern, "init");
    }
    g->anc_open = false;
}

static void set_ancestors(struct gen *g)
{
    struct fact f = {.field = {.field = F_proc_aname, .index = -1},
                     .is_list = true,
                     .kind = VAL_TEXT,
                     .list0 = g->e.list.n,
                     .nlist = (uint32_t)g->nanc};
    f.state = g->anc_open ? FACT_UNKNOWN : FACT_PRESENT;
    for (int i = 0; i < g->nanc; i++)
        VEC_PUSH(g->c->arena, &g->e.list, g->anc[i]);
    if (g->nanc || g->anc_open)
        gen_set(g, f);
}

/* Some values are not known, some are not there. */
static void lose_some(struct gen *g)
{
    uint32_t n = 1 + rng_below(&g->rng, 3);
    while (g->unknown && n--) {
        struct fact *f = &g->e.facts.v[rng_below(&g->rng, g->e.facts.n)];
        if (f->field.field == F_evt_type)
            g->anc_open = true;
        else if (!gen_always(f->field.field))
            *f = (struct fact){.field = f->field, .state = FACT_UNKNOWN};
    }
    if (rng_chance(&g->rng, 15)) {
        struct fact *f = &g->e.facts.v[rng_below(&g->rng, g->e.facts.n)];
        if (!gen_always(f->field.field))
            *f = (struct fact){.field = f->field, .state = FACT_ABSENT};
    }
}

/* Two facts that say the same thing differently would only contradict each other. */
static void agree(struct gen *g)
{
    static const enum field_id pairs[][2] = {
        {F_evt_res, F_evt_rawres},
        {F_fd_typechar, F_fd_type},
        {F_proc_pname, F_proc_aname},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct field_ref a = {.field = pairs[i][0], .index = -1};
        struct field_ref b = {.field = pairs[i][1], .index = -1};
        if (!event_given(&g->e, a) || !event_given(&g->e, b))
            continue;
        for (uint32_t k = 0; k < g->e.facts.n; k++)
            if (same_field(g->e.facts.v[k].field, a))
                g->e.facts.v[k] = g->e.facts.v[--g->e.facts.n];
    }
}

void gen_event(struct gen *g)
{
    rule_id rule = g->rules.v[rng_below(&g->rng, g->rules.n)];
    g->e.facts.n = 0;
    g->e.list.n = 0;
    g->e.num = 1;
    choose_event(g, rule);
    g->unknown = rng_chance(&g->rng, 12);
    set_base(g);
    lean(g, g->c->rules.v[rule.i].condition);
    lose_some(g);
    set_ancestors(g);
    agree(g);
}
