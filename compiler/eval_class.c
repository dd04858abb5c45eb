/* SPDX-License-Identifier: Apache-2.0 */
/* What bpf/match_class.bpf.c does with the tables of classes, for the interpreter. */
#include "eval_bpf_load.h"

#include "../runtime/class_find.h"

uint32_t vm_class_find(const struct bpf_vm *vm, const struct ev *ev, const struct class_test *t)
{
    const struct slot_info *slot = t->slot < SLOT_COUNT ? catalog_slot(t->slot) : NULL;
    size_t len = slot && t->slot >= N_COUNT ? ev->h.len[t->slot - N_COUNT] : 0;
    if (!slot || t->slot < N_COUNT || len > slot->cap || !vm->classes.head)
        return 0;
    return class_find(&vm->classes, (const char *)ev + slot->offset, len, t->arg,
                      (enum class_how)t->b);
}

uint32_t vm_class_scan(const struct bpf_vm *vm, const struct ev *ev, const struct class_test *t,
                       uint32_t found[CLASS_FOUND])
{
    const struct slot_info *slot = t->slot < SLOT_COUNT ? catalog_slot(t->slot) : NULL;
    size_t len = slot && t->slot >= N_COUNT ? ev->h.len[t->slot - N_COUNT] : 0;
    uint32_t n = 0;
    if (!slot || t->slot < N_COUNT || len > slot->cap || !vm->classes.head)
        return 0;
    for (size_t at = 0; at < len && n <= CLASS_FOUND; at++) {
        const char *text = (const char *)ev + slot->offset + at;
        uint32_t class = class_find(&vm->classes, text, len - at, t->arg, CLASS_PREFIX);
        bool known = class == 0;
        for (uint32_t i = 0; i < n && i < CLASS_FOUND; i++)
            known = known || found[i] == class;
        if (!known && n < CLASS_FOUND)
            found[n] = class;
        n += !known;
    }
    return n;
}

static bool holds(const struct class_test *t, int64_t v)
{
    switch ((enum class_test_kind)t->kind) {
    case CT_MASK:
        return ((uint64_t)v & t->a) == t->b;
    case CT_SIGNED:
        return (int64_t)t->a <= v && v <= (int64_t)t->b;
    case CT_UNSIGNED:
        return t->a <= (uint64_t)v && (uint64_t)v <= t->b;
    case CT_EXISTS:
    case CT_FIND:
    case CT_NAME:
    case CT_CONTAINS:
    case CT_ANC:
    case CT_KINDS:
        break;
    }
    return false;
}

/* Where the slot's state alone leads; false: it does not decide. */
static bool by_state(const struct class_test *t, uint8_t state, uint32_t *to)
{
    if (state == ST_ABSENT)
        *to = t->absent;
    else if (state == ST_CUT)
        *to = t->kind == CT_EXISTS ? t->yes : t->maybe;
    else if (state != ST_PRESENT)
        *to = t->maybe;
    else if (t->kind == CT_EXISTS)
        *to = t->yes;
    else
        return false;
    return true;
}

static uint32_t anc(const struct class_test *t, const struct ev *ev, bool found)
{
    if (ev->h.anc_state == ST_UNKNOWN || ev->h.anc_state == ST_UNFILLED)
        return t->maybe;
    return found ? t->yes : ev->h.anc_state == ST_CUT ? t->maybe : t->no;
}

uint32_t vm_class_judge(const struct bpf_vm *vm, const struct ev *ev, uint32_t class,
                        vm_matches *matches, void *context)
{
    const struct rpk *p = &vm->classes;
    if (!p->head || class >= p->head->class_rows.n)
        return 0;
    const struct class_row *row = &p->class_rows[class];
    for (uint32_t i = row->cand0; i < row->cand0 + row->ncand; i++) {
        uint32_t at = p->class_cands[i].off ? CLASS_FAIL : p->class_cands[i].test;
        while (at < CLASS_PASS) {
            const struct class_test *t = &p->class_tests[at];
            if (t->kind == CT_ANC)
                at = anc(t, ev, matches(context, t));
            else if (by_state(t, ev->h.st[t->slot], &at))
                continue;
            else if (t->slot < N_COUNT)
                at = holds(t, ev->h.num[t->slot]) ? t->yes : t->no;
            else
                at = matches(context, t) ? t->yes : t->no;
        }
        if (at == CLASS_PASS)
            return p->class_cands[i].rule + 1;
    }
    return 0;
}
