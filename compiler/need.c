/* SPDX-License-Identifier: Apache-2.0 */
#include "need.h"

#include <string.h>

#include "arena.h"
#include "diag.h"
#include "../grammar/field.h"
#include "fold.h"
#include "intern.h"
#include "pipeline.h"

#define BIT(g) (1ull << (g))

/* Kinds of ancestors' texts, and where those of the process and of its parent are. */
static const struct {
    enum field_id field;
    uint8_t kind;
    int16_t own, parent;
} anc_texts[] = {
    {F_proc_aexe, EXTRA_EXE, SLOT_OF_STR(S_EXE), SLOT_OF_STR(S_PEXE)},
    {F_proc_aexepath, EXTRA_EXEPATH, SLOT_OF_STR(S_EXEPATH), SLOT_OF_STR(S_PEXEPATH)},
    {F_proc_acmdline, EXTRA_CMDLINE, SLOT_OF_STR(S_CMDLINE), SLOT_OF_STR(S_PCMDLINE)},
    {F_proc_aargs, EXTRA_ARGS, SLOT_OF_STR(S_ARGS), -1},
};

static int find_anc(enum field_id f)
{
    for (size_t i = 0; i < sizeof anc_texts / sizeof *anc_texts; i++) {
        if (anc_texts[i].field == f) {
            return (int)i;
        }
    }
    return -1;
}

static int find_extra(const struct comp *c, uint8_t kind, int32_t index)
{
    const struct extra_want *x = c->plan.probe.extra;
    for (int i = 0; i < 4; i++) {
        if (x[i].kind == kind && x[i].index == index) {
            return i;
        }
    }
    return -1;
}

int16_t need_anc_slot(const struct comp *c, struct field_ref f)
{
    int i = find_anc(f.field);
    if (i < 0 || f.index < 0) {
        return -1;
    }
    if (f.index == 0 || (f.index == 1 && anc_texts[i].parent >= 0)) {
        return f.index ? anc_texts[i].parent : anc_texts[i].own;
    }
    int x = find_extra(c, anc_texts[i].kind, f.index);
    return x < 0 ? -1 : (int16_t)(SLOT_OF_STR(S_X0) + x);
}

bool need_is_path(enum field_id f)
{
    return f == F_fd_name || f == F_fd_directory || f == F_fd_filename || f == F_fd_containername ||
           f == F_fd_containerdirectory || f == F_evt_is_syslog;
}

static void need_slot(struct planner *p, int slot)
{
    p->c->plan.probe.groups |= BIT(catalog_slot((unsigned)slot)->group);
}

/* An ancestor's text beyond the parent takes one of four slots. */
static void need_extra(struct planner *p, uint8_t kind, int32_t index, span_id at)
{
    if (find_extra(p->c, kind, index) >= 0) {
        return;
    }
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
    if (source == SRC_MISSING) {
        return "is not supplied by this version";
    }
    if (f.field == F_proc_args && f.index >= 0) {
        return "is not supplied by this version: ask for proc.args as a whole";
    }
    if (source != SRC_ANC) {
        return NULL;
    }
    if (f.index > ANC_MAX) {
        return "goes further up than this version looks";
    }
    if (f.field == F_proc_apid) {
        return f.index == 0 || f.index == 1 ? NULL : "is supplied for [0] and [1] only";
    }
    if (f.index < 0 && f.field != F_proc_aname) {
        return "is supplied with an index only, such as [2]";
    }
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

static bool refuse(struct planner *p, struct field_ref f, span_id at)
{
    const char *why = missing(f);
    char name[300] = "";
    if (!why) {
        return false;
    }
    p->refused |= p->c->build;
    if (p->c->build && !p->trial) {
        print_spelling(p->c, f, name, sizeof name);
        diag(p->c, RK0405, at, field_why_missing(f.field), "`%s` %s", name, why);
    }
    return true;
}

static void need_anc(struct planner *p, struct field_ref f, span_id at)
{
    if (f.field == F_proc_aname) {
        p->c->plan.probe.groups |= f.index == 0 ? BIT(G_PROC) : BIT(G_ANC);
        return;
    }
    if (f.field == F_proc_apid) {
        need_slot(p, f.index == 1 ? SLOT_OF_NUM(N_PPID) : SLOT_OF_NUM(N_PID));
        return;
    }
    int i = find_anc(f.field);
    if (i >= 0 && (f.index > 1 || (f.index == 1 && anc_texts[i].parent < 0))) {
        need_extra(p, anc_texts[i].kind, f.index, at);
    } else if (i >= 0) {
        need_slot(p, f.index ? anc_texts[i].parent : anc_texts[i].own);
    }
}

/* The text of a parameter is made of more than its slot: paths start somewhere, descriptors have
 * names. */
static void need_param_text(struct planner *p, const struct param_info *info)
{
    __u64 *groups = &p->c->plan.probe.groups;
    if (info->slot >= 0) {
        need_slot(p, info->slot);
    }
    if (info->type == T_FSPATH || info->type == T_FSRELPATH) {
        *groups |= BIT(G_CWD);
    }
    if (info->type == T_SOCKTUPLE || info->type == T_SOCKADDR) {
        *groups |= BIT(G_FD) | BIT(G_SOCK);
    }
    if (info->type == T_FD) {
        *groups |= BIT(G_FD) | BIT(G_PATH) | BIT(G_SOCK);
    }
    if (info->type == T_UID || info->type == T_GID) {
        *groups |= BIT(G_PROC);
    }
    if (info->type == T_PID) {
        *groups |= BIT(G_PROC);
    }
}

static void need_param(struct planner *p, struct field_ref f, enum event_id event, span_id at)
{
    const struct param_info *info = fold_param(p->c, f, event);
    if (!info) {
        return; /* absent on this event */
    }
    bool from_socket = info->type == T_SOCKTUPLE || info->type == T_SOCKADDR;
    bool refused = info->slot < 0 && !from_socket && p->c->build;
    p->refused |= refused;
    if (refused && !p->trial) {
        diag(p->c, RK0408, at, NULL, "this version does not supply parameter `%s` of `%s`",
             info->name, catalog_event(event)->name);
    }
    need_param_text(p, info);
}

/* evt.args: every parameter of every event of the pack. */
static void need_all_params(struct planner *p)
{
    const struct param_info *info;
    for (uint32_t i = 0; i < p->c->events.n; i++) {
        for (unsigned k = 0; (info = catalog_param(p->c->events.v[i].event, k)); k++) {
            need_param_text(p, info);
        }
    }
}

/* What derived fields are derived from. By class, where one row says it for all. */
static uint64_t derived_groups(const struct field_info *info, enum field_id f)
{
    if (f == F_fd_containername || f == F_fd_containerdirectory) {
        return BIT(G_PROC) | BIT(G_PATH) | BIT(G_DIR);
    }
    if (f == F_evt_is_syslog) {
        return BIT(G_FD) | BIT(G_PATH) | BIT(G_SOCK);
    }
    if (f == F_fd_dev_major || f == F_fd_dev_minor || f == F_fd_uid) {
        return BIT(G_FD);
    }
    if (f == F_proc_exeline) {
        return BIT(G_EXE) | BIT(G_CMD);
    }
    if (f == F_proc_cmdlenargs) {
        return BIT(G_CMD);
    }
    if (!strcmp(info->cls, "fd")) {
        return BIT(G_FD) | BIT(G_SOCK);
    }
    if (!strcmp(info->cls, "evt")) {
        bool kind = !strncmp(info->name, "evt.buflen", 10) || f == F_evt_category ||
                    !strncmp(info->name, "evt.count.error.", 16);
        return kind ? BIT(G_FD) : 0;
    }
    return BIT(G_PROC);
}

/* What user space asks the kernel's record for before it looks anything up. */
static uint64_t user_groups(const struct field_info *info)
{
    if (!strcmp(info->cls, "user") || !strcmp(info->cls, "group")) {
        return BIT(G_CRED) | BIT(G_PROC);
    }
    if (!strcmp(info->cls, "fd")) {
        return BIT(G_FD) | BIT(G_SOCK);
    }
    if (!strcmp(info->cls, "container plugin")) {
        return BIT(G_PROC) | BIT(G_CONTAINER);
    }
    return !strcmp(info->cls, "evt") ? 0 : BIT(G_PROC);
}

void need_field(struct planner *p, struct field_ref f, enum event_id event, span_id at)
{
    const struct field_info *info = catalog_field(f.field);
    if (!f.field || refuse(p, f, at)) {
        return;
    }
    if (f.field == F_evt_args || f.field == F_evt_info) {
        need_all_params(p);
        return;
    }
    switch (info->source) {
    case SRC_SLOT:
        need_slot(p, info->slot);
        /* A socket has no path: its name is made of its addresses. */
        if (f.field == F_fd_name && !event_is_open(event)) {
            p->c->plan.probe.groups |= BIT(G_FD) | BIT(G_SOCK);
        }
        break;
    case SRC_PARAM:
        need_param(p, f, event, at);
        break;
    case SRC_ANC:
        need_anc(p, f, at);
        break;
    case SRC_DERIVED:
        p->c->plan.probe.groups |= derived_groups(info, f.field);
        break;
    case SRC_USER:
        p->c->plan.probe.groups |= user_groups(info);
        break;
    case SRC_CONST:
    case SRC_MISSING:
        break;
    }
}

void need_operand(struct planner *p, operand_id id, enum event_id event)
{
    const struct operand *o = &p->c->operands.v[id.i];
    if (o->kind == OPERAND_FIELD) {
        need_field(p, (struct field_ref){o->field, o->index, o->argname}, event, o->at);
        return;
    }
    for (uint32_t i = 0; i < o->nop; i++) {
        need_operand(p, p->c->opkids.v[o->op0 + i], event);
    }
}

static bool reads_path(const struct comp *c, operand_id id)
{
    const struct operand *o = &c->operands.v[id.i];
    bool found = o->kind == OPERAND_FIELD && need_is_path(o->field);
    for (uint32_t i = 0; i < o->nop && !found; i++) {
        found = reads_path(c, c->opkids.v[o->op0 + i]);
    }
    return found;
}

void need_atom(struct planner *p, atom_id id, enum event_id event)
{
    const struct atom a = p->c->atoms.v[id.i];
    bool path = need_is_path(a.lhs.field) || need_is_path(a.rhs.field) ||
                (a.expr.i && reads_path(p->c, a.expr)) || (a.rexpr.i && reads_path(p->c, a.rexpr));
    if (path && event_is_open(event)) {
        p->c->plan.probe.readings = 2;
    }
    need_field(p, a.lhs, event, a.at);
    need_field(p, a.rhs, event, a.at);
    if (a.expr.i) {
        need_operand(p, a.expr, event);
    }
    if (a.rexpr.i) {
        need_operand(p, a.rexpr, event);
    }
}

void need_output(struct planner *p, const struct rule *r, enum event_id event)
{
    for (uint32_t n = 0; n < r->nout; n++) {
        const struct piece *out = &p->c->pieces.v[r->out0 + n];
        if (out->is_field) {
            need_operand(p, out->operand, event);
        }
    }
}
