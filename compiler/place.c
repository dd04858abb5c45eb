/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fold.h"
#include "intern.h"
#include "lore.h"
#include "need.h"
#include "pattern.h"

static bool text_same(const void *ctx, uint32_t id)
{
    (void)ctx;
    return id != 0;
}

/* Texts are interned: the hash is the id, and equal hashes are equal texts. */
static uint32_t pattern_index(struct planner *p, str_id text)
{
    uint32_t id = cons_find(&p->patterns, text.i, text_same, NULL);
    if (!id) {
        id = VEC_PUSH(p->c->arena, &p->c->patterns, text) + 1;
        cons_add(&p->patterns, text.i, id);
    }
    return id - 1;
}

/* match_icontains() folds the text alone: its patterns are in lower case. */
static str_id lower_case(struct planner *p, str_id text)
{
    size_t n = STRLEN(p->c, text);
    char *s = arena_alloc(p->c->arena, n + 1);
    for (size_t i = 0; i < n; i++) {
        char ch = STR(p->c, text)[i];
        s[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch + ('a' - 'A')) : ch;
    }
    return intern_put(p->c->intern, s, n);
}

static void use_patterns(struct planner *p, const struct atom *a, struct where *w)
{
    w->pattern0 = p->c->value_pattern.n;
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id text = p->c->values.v[a->val0 + i].text;
        if (a->op == OP_ICONTAINS)
            text = lower_case(p, text);
        else if (pattern_is_op(a->op))
            pattern_write(p->c, a->op, text, &text);
        uint32_t k = pattern_index(p, text);
        VEC_PUSH(p->c->arena, &p->c->value_pattern, k);
    }
    w->place = PLACE_MATCHER;
}

/* Values are sorted, and so is the set. */
static void use_name_set(struct planner *p, const struct atom *a, struct where *w)
{
    w->set = p->c->nset++;
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id text = p->c->values.v[a->val0 + i].text;
        if (STRLEN(p->c, text) < COMM_SIZE)
            VEC_PUSH(p->c->arena, &p->c->names, (struct name_row){w->set, text});
    }
    w->place = PLACE_MATCHER;
}

static bool is_membership(enum op_id op)
{
    return op == OP_EQ || op == OP_IN || op == OP_NE;
}

static bool is_inline_text(enum op_id op)
{
    return is_membership(op) || op == OP_EXISTS || op == OP_STARTSWITH || op == OP_ENDSWITH;
}

/* Some constant holds, or none does: what a look-up in a table of all of them tells. */
static bool is_lookup(const struct atom *a)
{
    if (is_membership(a->op))
        return a->mod == MOD_NONE || a->mod == (a->op == OP_NE ? MOD_ALLOF : MOD_ANYOF);
    return (a->op == OP_STARTSWITH || a->op == OP_ENDSWITH) && a->mod == MOD_ANYOF;
}

/* `startswith` or `endswith` what every match of the patterns begins or ends with; 0: nothing. */
static atom_id weaker_test(struct planner *p, const struct atom *a, enum op_id op)
{
    struct comp *c = p->c;
    struct atom weak = {.lhs = a->lhs,
                        .rhs = {.index = -1},
                        .type = a->type,
                        .op = op,
                        .mod = a->nval > 1 ? MOD_ANYOF : MOD_NONE,
                        .at = a->at,
                        .val0 = c->values.n,
                        .nval = a->nval};
    for (uint32_t i = 0; i < a->nval; i++) {
        str_id s = pattern_known(c, a, i, op);
        if (!STRLEN(c, s)) {
            c->values.n = weak.val0;
            return (atom_id){0};
        }
        VEC_PUSH(c->arena, &c->values, (struct value){.kind = VAL_TEXT, .text = s});
    }
    return (atom_id){VEC_PUSH(c->arena, &c->atoms, weak)};
}

/* The kernel does not know the patterns, but it can tell some texts that none of them matches. */
static void place_narrow(struct planner *p, const struct atom *a, int slot, struct where *w)
{
    w->narrow = weaker_test(p, a, OP_STARTSWITH);
    if (!w->narrow.i)
        w->narrow = weaker_test(p, a, OP_ENDSWITH);
    if (w->narrow.i) {
        w->slot = (int16_t)slot;
        w->shape = SHAPE_TEXT;
        w->place = PLACE_INLINE;
    }
}

static void place_text(struct planner *p, const struct atom *a, int slot, struct where *w)
{
    bool name =
        slot == SLOT_OF_STR(S_NAME) || slot == SLOT_OF_STR(S_PNAME) || slot == SLOT_OF_STR(S_SNAME);
    bool simple = pattern_is_op(a->op) && pattern_all_simple(p->c, a);
    if (a->op == OP_REGEX || (a->op == OP_GLOB && !simple)) {
        place_narrow(p, a, slot, w);
        return;
    }
    if (a->mod == MOD_ONEOF)
        return;
    w->slot = (int16_t)slot;
    w->shape = SHAPE_TEXT;
    if (a->op == OP_CONTAINS || a->op == OP_ICONTAINS || simple)
        use_patterns(p, a, w);
    else if (a->nval > INLINE_TEXTS_MAX && is_lookup(a))
        w->place = PLACE_CLASS;
    else if (name && a->nval > INLINE_NAMES_MAX && is_membership(a->op) && a->mod == MOD_NONE)
        use_name_set(p, a, w);
    else if (is_inline_text(a->op))
        w->place = PLACE_INLINE;
    else
        w->shape = SHAPE_NONE;
}

static void place_tests(struct planner *p, int slot, const struct num_tests *t, struct where *w)
{
    w->place = PLACE_INLINE;
    w->shape = SHAPE_NUM;
    w->slot = (int16_t)slot;
    w->negate = t->negate;
    w->test0 = p->c->tests.n;
    w->ntest = t->n;
    for (uint32_t i = 0; i < t->n; i++)
        VEC_PUSH(p->c->arena, &p->c->tests, t->v[i]);
}

/* So many addresses, and no network, that a table has them. */
static bool are_many_addresses(const struct comp *c, const struct atom *a)
{
    for (uint32_t i = 0; i < a->nval; i++)
        if (c->values.v[a->val0 + i].kind != VAL_IP)
            return false;
    return a->nval > INLINE_TEXTS_MAX;
}

static void place_addr(const struct comp *c, const struct atom *a, int slot, int slot2,
                       struct where *w)
{
    if (a->mod == MOD_NONE) {
        w->place = are_many_addresses(c, a) ? PLACE_CLASS : PLACE_INLINE;
        w->shape = SHAPE_ADDR;
        w->slot = (int16_t)slot;
        w->slot2 = (int16_t)slot2;
    }
}

/* Only where NUL is a byte like any other: for the other operators a text ends there. */
static void place_bytes(struct planner *p, const struct atom *a, int slot, struct where *w)
{
    bool within = a->op == OP_BCONTAINS;
    if ((!within && a->op != OP_BSTARTSWITH) || a->mod == MOD_ONEOF)
        return;
    w->slot = (int16_t)slot;
    w->shape = SHAPE_TEXT;
    w->place = PLACE_INLINE;
    if (within)
        use_patterns(p, a, w);
}

static void place_slot(struct planner *p, const struct atom *a, const struct field_info *f,
                       struct where *w)
{
    struct num_tests t;
    if (f->type == T_BYTEBUF) {
        place_bytes(p, a, f->slot, w);
    } else if (f->type == T_IPADDR) {
        place_addr(p->c, a, f->slot, -1, w);
    } else if (f->slot >= N_COUNT) {
        place_text(p, a, f->slot, w);
    } else if (f->table && a->op != OP_EXISTS) {
        if (numtext_flags(p->c, a, f->table, &t))
            place_tests(p, f->slot, &t, w);
    } else if (numtext_number(p->c, a, a->type, &t)) {
        place_tests(p, f->slot, &t, w);
    }
}

static void place_anc(struct planner *p, const struct atom *a, struct where *w)
{
    int slot = need_anc_slot(p->c, a->lhs);
    struct num_tests t;
    if (a->lhs.field == F_proc_apid && a->lhs.index >= 0 && a->lhs.index < 2 &&
        numtext_number(p->c, a, a->type, &t)) {
        place_tests(p, a->lhs.index ? SLOT_OF_NUM(N_PPID) : SLOT_OF_NUM(N_PID), &t, w);
    } else if (slot >= 0) {
        place_text(p, a, slot, w);
    } else if (a->lhs.field != F_proc_aname || a->mod != MOD_NONE || a->lhs.index > ANC_MAX) {
        return;
    } else if (a->lhs.index == 0) {
        place_text(p, a, SLOT_OF_STR(S_NAME), w);
    } else if (a->lhs.index > 0) {
        if (is_inline_text(a->op)) {
            w->place = PLACE_INLINE;
            w->shape = SHAPE_ANC;
            w->anc = (uint8_t)(a->lhs.index - 1);
        }
    } else if (a->op == OP_EXISTS) {
        w->place = PLACE_INLINE;
        w->shape = SHAPE_ANC_ANY;
    } else if (is_membership(a->op)) {
        w->shape = SHAPE_ANC_ANY;
        use_name_set(p, a, w);
    }
}

/* evt.arg: the parameter's text; the table and format of the event's parameter say which. */
static void place_arg(struct planner *p, const struct atom *a, const struct param_info *info,
                      struct where *w)
{
    struct num_tests t;
    bool number = info->slot >= 0 && info->slot < N_COUNT;
    enum base_type base = catalog_type(info->type)->base;
    if (a->op == OP_EXISTS || info->slot < 0)
        return;
    int path = catalog_path_slot(info);
    if (path >= 0) {
        place_text(p, a, path, w);
    } else if (!number && base == BASE_TEXT) {
        place_text(p, a, info->slot, w);
        w->guard = info->type == T_CHARBUF ? GUARD_WORD : GUARD_ABSOLUTE;
    } else if (number && info->flags) {
        if (numtext_flags(p->c, a, info->flags, &t))
            place_tests(p, info->slot, &t, w);
    } else if (number && info->type == T_ERRNO && info->format == FMT_DEC) {
        if (numtext_result(p->c, a, true, &t))
            place_tests(p, info->slot, &t, w);
    } else if (number && info->format == FMT_DEC && info->type != T_FD && info->type != T_PID &&
               info->type != T_RELTIME && (base == BASE_INT || base == BASE_UINT) &&
               numtext_decimal(p->c, a, &t)) {
        place_tests(p, info->slot, &t, w);
    }
}

static void place_param(struct planner *p, const struct atom *a, enum event_id event,
                        struct where *w)
{
    const struct param_info *info = fold_param(p->c, a->lhs, event);
    struct num_tests t;
    if (!info)
        return;
    if (a->lhs.field == F_evt_arg) {
        place_arg(p, a, info, w);
        return;
    }
    enum base_type base = catalog_type(info->type)->base;
    bool number = info->slot >= 0 && info->slot < N_COUNT;
    if (number && (base == BASE_INT || base == BASE_UINT) &&
        numtext_number(p->c, a, info->type, &t)) {
        place_tests(p, info->slot, &t, w);
    } else if (info->slot >= N_COUNT && base == BASE_TEXT) {
        place_text(p, a, info->slot, w);
        w->guard = GUARD_NONEMPTY;
    }
}

/* Of the derived fields those that are one slot, or the two sides of a connection. */
static void place_derived(struct planner *p, const struct atom *a, struct where *w)
{
    struct num_tests t;
    enum field_id f = a->lhs.field;
    if (f == F_evt_res && a->op != OP_EXISTS && numtext_result(p->c, a, false, &t)) {
        place_tests(p, SLOT_OF_NUM(N_RES), &t, w);
    } else if (f == F_evt_failed && (a->op == OP_EQ || a->op == OP_NE) && a->nval == 1) {
        bool failed = p->c->values.v[a->val0].num == 1;
        t = (struct num_tests){.n = 1, .negate = (a->op == OP_NE) == failed};
        t.v[0] = (struct num_test){NT_SIGNED, 1ull << 63, UINT64_MAX};
        place_tests(p, SLOT_OF_NUM(N_RES), &t, w);
    } else if (f == F_fd_cnet || f == F_fd_snet) {
        place_addr(p->c, a, f == F_fd_cnet ? SLOT_OF_STR(S_CIP) : SLOT_OF_STR(S_SIP), -1, w);
    } else if (f == F_fd_ip || f == F_fd_net) {
        place_addr(p->c, a, SLOT_OF_STR(S_CIP), SLOT_OF_STR(S_SIP), w);
    } else if (f == F_fd_port && numtext_number(p->c, a, a->type, &t)) {
        place_tests(p, SLOT_OF_NUM(N_CPORT), &t, w);
        w->slot2 = SLOT_OF_NUM(N_SPORT);
    } else if (f == F_container_start_ts && numtext_number(p->c, a, a->type, &t)) {
        place_tests(p, SLOT_OF_NUM(N_PIDNS_TS), &t, w);
    }
}

/* The first tests of each kind have the bits there are; what is beyond is left to user space. */
static void place_lore(struct planner *p, const struct atom *a, struct where *w)
{
    enum lore_kind kind = lore_of_field(a->lhs.field, a->lhs.index);
    if (kind == LORE_KINDS || p->nlore[kind] == LORE_BITS)
        return;
    w->place = PLACE_LORE;
    w->shape = SHAPE_LORE;
    w->lore = (uint8_t)kind;
    w->bit = (uint8_t)p->nlore[kind]++;
    struct lore_test t = {w->lore, w->bit, w->atom};
    VEC_PUSH(p->c->arena, &p->c->lore, t);
}

/* True if the atom stands for other slots on other events. */
static bool by_event(const struct comp *c, const struct atom *a)
{
    return !a->expr.i && !a->rexpr.i && !a->rhs.field &&
           catalog_field(a->lhs.field)->source == SRC_PARAM && c->atoms.n;
}

static void place_by_source(struct planner *p, const struct atom *a, enum event_id event,
                            struct where *w)
{
    const struct field_info *f = catalog_field(a->lhs.field);
    switch (f->source) {
    case SRC_SLOT:
        if (a->lhs.index < 0 && !a->lhs.name.i) /* proc.args[n], proc.env[NAME] are no slots */
            place_slot(p, a, f, w);
        break;
    case SRC_PARAM:
        place_param(p, a, event, w);
        break;
    case SRC_ANC:
        place_anc(p, a, w);
        break;
    case SRC_DERIVED:
        place_derived(p, a, w);
        break;
    case SRC_USER:
        place_lore(p, a, w);
        break;
    case SRC_CONST:
    case SRC_MISSING:
        break;
    }
}

void place_atom(struct planner *p, atom_id id, enum event_id event)
{
    const struct atom a = p->c->atoms.v[id.i];
    bool each = by_event(p->c, &a);
    struct where w = {.atom = id,
                      .event = each ? event : EV_NONE,
                      .place = PLACE_USER,
                      .slot = -1,
                      .slot2 = -1,
                      .set = NO_SET,
                      .pattern0 = NO_PATTERN};
    if (p->placed[id.i] == event || p->placed[id.i] == EV_COUNT)
        return;
    p->placed[id.i] = each ? event : EV_COUNT;
    if (!a.expr.i && !a.rexpr.i && !a.rhs.field)
        place_by_source(p, &a, event, &w);
    VEC_PUSH(p->c->arena, &p->c->where, w);
}

static int compare(const void *pa, const void *pb)
{
    const struct where *a = pa, *b = pb;
    if (a->atom.i != b->atom.i)
        return a->atom.i < b->atom.i ? -1 : 1;
    return a->event < b->event ? -1 : a->event > b->event;
}

void place_sort(struct comp *c)
{
    if (c->where.n)
        qsort(c->where.v, c->where.n, sizeof(*c->where.v), compare);
}

const struct where *place_where(const struct comp *c, atom_id a, enum event_id event)
{
    uint32_t low = 0, high = c->where.n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct where *w = &c->where.v[mid];
        if (w->atom.i == a.i && (w->event == event || w->event == EV_NONE))
            return w;
        if (w->atom.i < a.i || (w->atom.i == a.i && w->event < event))
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}
