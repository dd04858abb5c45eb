/* SPDX-License-Identifier: Apache-2.0 */
#include "simplify.h"

#include "arena.h"
#include "group_key.h"
#include "intern.h"
#include "pattern.h"
#include "type.h"

/*
 * Relative cost of filling a group, paid by the first test that needs it. What matters is the
 * order: numbers that the hook has at hand, the process's own entry, other processes, paths.
 */
static const uint32_t group_cost[G_COUNT] = {
    [G_EVENT] = 2,     [G_ARGS] = 4,  [G_DATA] = 30,    [G_PROC] = 8,       [G_CRED] = 10,
    [G_FD] = 12,       [G_SOCK] = 40, [G_ANC] = 60,     [G_EXE] = 70,       [G_CMD] = 80,
    [G_PARENT] = 80,   [G_ENV] = 120, [G_ENVRAW] = 120, [G_EXEPATH] = 150,  [G_CWD] = 150,
    [G_PATH] = 160,    [G_DIR] = 180, [G_RAW] = 100,    [G_PEXEPATH] = 200, [G_EXTRA] = 220,
    [G_CONTAINER] = 8,
};

#define COST_USER 4000u
#define COST_TEXT 2u     /* a text instead of a number */
#define COST_SEARCH 100u /* a matcher that looks at every byte */
#define COST_SET 8u      /* many constants */

static uint32_t field_cost(const struct comp *c, struct field_ref f)
{
    const struct field_info *info = catalog_field(f.field);
    (void)c;
    if (info->source == SRC_SLOT && info->slot >= 0 && !f.name.i) {
        const struct slot_info *s = catalog_slot((unsigned)info->slot);
        return group_cost[s->group] + (info->slot >= N_COUNT ? COST_TEXT : 0);
    }
    if (info->source == SRC_PARAM) {
        return group_cost[G_ARGS] + COST_TEXT;
    }
    if (info->source == SRC_ANC) {
        return group_cost[f.field == F_proc_aname || f.field == F_proc_apid ? G_ANC : G_EXTRA];
    }
    if (info->source == SRC_CONST) {
        return 1;
    }
    if (f.field == F_evt_res || f.field == F_evt_failed) {
        return group_cost[G_EVENT];
    }
    if (info->flags & FF_EITHER_SIDE || f.field == F_fd_cnet || f.field == F_fd_snet) {
        return group_cost[G_SOCK] + COST_TEXT;
    }
    return COST_USER;
}

/* The kernel can tell some texts that the patterns do not match (place.c). */
static bool is_narrowed(const struct comp *c, const struct atom *a)
{
    bool begins = true, ends = true;
    for (uint32_t i = 0; i < a->nval; i++) {
        begins = begins && STRLEN(c, pattern_known(c, a, i, OP_STARTSWITH));
        ends = ends && STRLEN(c, pattern_known(c, a, i, OP_ENDSWITH));
    }
    return begins || ends;
}

uint32_t atom_cost(const struct comp *c, atom_id id)
{
    const struct atom *a = &c->atoms.v[id.i];
    if (a->expr.i || a->rexpr.i || a->rhs.field) {
        return COST_USER;
    }
    uint32_t cost = field_cost(c, a->lhs);
    bool simple = pattern_is_op(a->op) && pattern_all_simple(c, a);
    bool search = a->op == OP_CONTAINS || a->op == OP_ICONTAINS || simple;
    bool pattern = (pattern_is_op(a->op) || a->op == OP_REGEX) && !simple && !is_narrowed(c, a);
    cost += pattern ? COST_USER : search && a->lhs.field != F_evt_arg ? COST_SEARCH : 0;
    return cost + (a->nval > 12 ? COST_SET : 0);
}

/* True for `field = constant` and `field in (constants)`, and nothing else. */
static bool is_membership(const struct atom *a)
{
    return !a->expr.i && !a->rexpr.i && !a->rhs.field && a->mod == MOD_NONE && a->nval &&
           (a->op == OP_EQ || a->op == OP_IN) && !(catalog_field(a->lhs.field)->flags & FF_LIST);
}

/*
 * A long list is looked up as a whole, and rules share it: to join it with another would make a new
 * long list for each rule that uses it.
 */
#define JOIN_MAX 256

bool atom_can_join(const struct comp *c, atom_id ia, atom_id ib)
{
    const struct atom *a = &c->atoms.v[ia.i], *b = &c->atoms.v[ib.i];
    return a->nval <= JOIN_MAX && b->nval <= JOIN_MAX && a->lhs.field == b->lhs.field &&
           a->lhs.index == b->lhs.index && a->lhs.name.i == b->lhs.name.i && is_membership(a) &&
           is_membership(b);
}

atom_id atom_join(struct comp *c, struct cons *atoms, const atom_id *v, uint32_t n)
{
    struct atom u = c->atoms.v[v[0].i];
    u.op = OP_IN;
    u.val0 = c->values.n;
    for (uint32_t i = 0; i < n; i++) {
        const struct atom a = c->atoms.v[v[i].i];
        for (uint32_t k = 0; k < a.nval; k++) {
            VEC_PUSH(c->arena, &c->values, c->values.v[a.val0 + k]);
        }
    }
    u.nval = c->values.n - u.val0;
    return atom_intern(c, atoms, u);
}

/*
 * Code answers within a few compares, but the kernel must verify each instruction of it, and holds
 * it to a million: so many slots of it are made for one group of rules.
 */
#define GROUP_SLOTS 10000u
#define RULE_SLOTS 40u /* of a rule's other tests, about */
#define CONSTANT_SLOTS 6u

bool group_wants_table(uint32_t rules, uint32_t constants)
{
    return (uint64_t)rules * RULE_SLOTS + (uint64_t)constants * CONSTANT_SLOTS > GROUP_SLOTS;
}
