/* SPDX-License-Identifier: Apache-2.0 */
#include "need.h"

#include <string.h>

#include "arena.h"
#include "diag.h"
#include "../grammar/field.h"
#include "../grammar/supply.h"
#include "fold.h"
#include "intern.h"
#include "pipeline.h"

#define BIT(g) (1ull << (g))

static int find_extra(const struct comp *c, uint8_t kind, int32_t index)
{
    const struct extra_want *x = c->plan.probe.extra;
    for (int i = 0; i < 4; i++)
        if (x[i].kind == kind && x[i].index == index)
            return i;
    return -1;
}

int16_t need_anc_slot(const struct comp *c, struct field_ref f)
{
    const struct supply_anc *a = supply_anc(f.field);
    if (!a || f.index < 0)
        return -1;
    if (f.index == 0 || (f.index == 1 && a->parent >= 0))
        return f.index ? a->parent : a->own;
    int x = find_extra(c, a->kind, f.index);
    return x < 0 ? -1 : (int16_t)(SLOT_OF_STR(S_X0) + x);
}

/* An ancestor's text beyond the parent takes one of four slots. */
static void need_extra(struct planner *p, uint8_t kind, int32_t index, span_id at)
{
    if (find_extra(p->c, kind, index) >= 0)
        return;
    if (p->nextra == 4 && p->trial) {
        p->refused = true;
        return;
    }
    if (p->nextra == 4) {
        diag(p->c, RK0407, at, NULL,
             "this is the fifth text of an ancestor that the pack asks for");
        return;
    }
    p->c->plan.probe.extra[p->nextra++] = (struct extra_want){kind, (uint8_t)index};
    p->c->plan.probe.groups |= BIT(G_EXTRA);
}

/* Why no value of the field can be had; NULL: it can. */
static const char *missing(struct field_ref f)
{
    enum field_source source = catalog_field(f.field)->source;
    if (source == SRC_MISSING)
        return "is not supplied by this version";
    if (f.field == F_fd_types && f.index > 2)
        return "is supplied for [0], [1] and [2] only";
    if (f.field == F_proc_args && f.index >= 0)
        return "is not supplied by this version: ask for proc.args as a whole";
    if (source != SRC_ANC)
        return NULL;
    if (f.index > ANC_MAX)
        return "goes further up than this version looks";
    if (f.field == F_proc_apid)
        return f.index == 0 || f.index == 1 ? NULL : "is supplied for [0] and [1] only";
    if (f.index < 0 && f.field != F_proc_aname)
        return "is supplied with an index only, such as [2]";
    return NULL;
}

static void print_spelling(struct comp *c, struct field_ref f, char *buf, size_t cap)
{
    FILE *out = fmemopen(buf, cap, "w");
    if (out) {
        print_field_ref(c, out, f);
        fclose(out);
    }
}

enum diag_code need_code(const struct comp *c, enum diag_code refused)
{
    return c->build ? refused : c->foretell ? RK0412 : DIAG_NONE;
}

static bool refuse(struct planner *p, struct field_ref f, span_id at)
{
    const char *why = missing(f);
    char name[300] = "";
    if (!why)
        return false;
    p->refused |= p->c->build;
    enum diag_code code = need_code(p->c, RK0405);
    if (code && !p->trial) {
        print_spelling(p->c, f, name, sizeof(name));
        diag(p->c, code, at, field_why_missing(f.field), "`%s` %s", name, why);
    }
    return true;
}

/* A text of an ancestor that is neither the process nor its parent. */
static void need_anc(struct planner *p, struct field_ref f, span_id at)
{
    const struct supply_anc *a = supply_anc(f.field);
    if (a && (f.index > 1 || (f.index == 1 && a->parent < 0)))
        need_extra(p, a->kind, f.index, at);
}

static void need_param(struct planner *p, struct field_ref f, enum event_id event, span_id at)
{
    const struct param_info *info = fold_param(p->c, f, event);
    if (!info)
        return; /* absent on this event */
    bool from_socket = info->type == T_SOCKTUPLE || info->type == T_SOCKADDR;
    bool refused = info->slot < 0 && !from_socket;
    enum diag_code code = need_code(p->c, RK0408);
    p->refused |= refused && p->c->build;
    if (refused && code && !p->trial) {
        diag(p->c, code, at, NULL, "this version does not supply parameter `%s` of `%s`",
             info->name, catalog_event(event)->name);
    }
    p->c->plan.probe.groups |= supply_param(info);
}

/* evt.args: every parameter of every event of the pack. */
static void need_all_params(struct planner *p)
{
    const struct param_info *info;
    for (uint32_t i = 0; i < p->c->events.n; i++)
        for (unsigned k = 0; (info = catalog_param(p->c->events.v[i].event, k)); k++)
            p->c->plan.probe.groups |= supply_param(info);
}

void need_field(struct planner *p, struct field_ref f, enum event_id event, span_id at)
{
    const struct field_info *info = catalog_field(f.field);
    if (!f.field || refuse(p, f, at))
        return;
    if (f.field == F_evt_args || f.field == F_evt_info) {
        need_all_params(p);
        return;
    }
    p->c->plan.probe.groups |= supply_field(f.field, STR(p->c, f.name), f.index, event);
    if (info->source == SRC_PARAM)
        need_param(p, f, event, at);
    else if (info->source == SRC_ANC)
        need_anc(p, f, at);
}

void need_operand(struct planner *p, operand_id id, enum event_id event)
{
    const struct operand *o = &p->c->operands.v[id.i];
    if (o->kind == OPERAND_FIELD) {
        need_field(p, (struct field_ref){o->field, o->index, o->argname}, event, o->at);
        return;
    }
    for (uint32_t i = 0; i < o->nop; i++)
        need_operand(p, p->c->opkids.v[o->op0 + i], event);
}

static unsigned operand_readings(const struct comp *c, operand_id id, enum event_id event)
{
    const struct operand *o = &c->operands.v[id.i];
    unsigned all = o->kind == OPERAND_FIELD ? supply_readings(o->field, event) : 0;
    for (uint32_t i = 0; i < o->nop; i++)
        all |= operand_readings(c, c->opkids.v[o->op0 + i], event);
    return all;
}

void need_atom(struct planner *p, atom_id id, enum event_id event)
{
    const struct atom a = p->c->atoms.v[id.i];
    unsigned readings = supply_readings(a.lhs.field, event) | supply_readings(a.rhs.field, event) |
                        (a.expr.i ? operand_readings(p->c, a.expr, event) : 0) |
                        (a.rexpr.i ? operand_readings(p->c, a.rexpr, event) : 0);
    p->c->plan.probe.readings |= (uint8_t)readings;
    need_field(p, a.lhs, event, a.at);
    need_field(p, a.rhs, event, a.at);
    if (a.expr.i)
        need_operand(p, a.expr, event);
    if (a.rexpr.i)
        need_operand(p, a.rexpr, event);
}

void need_output(struct planner *p, const struct rule *r, enum event_id event)
{
    for (uint32_t n = 0; n < r->nout; n++) {
        const struct piece *out = &p->c->pieces.v[r->out0 + n];
        if (out->is_field)
            need_operand(p, out->operand, event);
    }
}
