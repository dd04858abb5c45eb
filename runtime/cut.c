/* SPDX-License-Identifier: Apache-2.0 */
#include "cut.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "insn.h"

#define REGS 11

enum insn_flag {
    SECOND = 1,   /* half of a wide instruction */
    TARGET = 2,   /* somebody jumps here, or calls */
    REACHED = 4,  /* a target that has a state */
    QUEUED = 8,   /* is to be walked from */
    LIVE = 16,    /* can be run; of a wide instruction both halves */
    TAKEN = 32,   /* a jump that can be taken, */
    FALLS = 64,   /* and one that can not be */
    DROPPED = 128 /* it does nothing */
};

/* What is known on the way to an instruction. A bit for each register. */
struct regs {
    uint64_t value[REGS]; /* the number; or which memory above, and where in it below 32 bits */
    uint16_t numbers, addresses;
};

struct cut {
    struct cut_code *code;
    const struct cut_memory *memory;
    unsigned nmemory;
    uint8_t *flags;      /* of each instruction: enum insn_flag */
    uint32_t *state;     /* of each target: its place in `states` */
    struct regs *states; /* of targets: what is known on every way there */
    uint32_t *todo, ntodo;
    uint32_t *left; /* instructions that stay, from this one on; one more row than instructions */
};

/* ---- instructions ---- */

static bool is_wide(const struct bpf_insn *insn)
{
    return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool is_exit(const struct bpf_insn *insn)
{
    return insn->code == (BPF_JMP | BPF_EXIT);
}

static bool is_call(const struct bpf_insn *insn)
{
    return insn->code == (BPF_JMP | BPF_CALL);
}

static bool is_jump(const struct bpf_insn *insn)
{
    uint8_t class = BPF_CLASS(insn->code);

    return (class == BPF_JMP || class == BPF_JMP32) && !is_call(insn) && !is_exit(insn);
}

static bool is_always(const struct bpf_insn *insn)
{
    return insn->code == (BPF_JMP | BPF_JA);
}

/* One that names a function of the program: a call, or the address of a callback. */
static bool is_within(const struct bpf_insn *insn)
{
    return (is_call(insn) && insn->src_reg == BPF_PSEUDO_CALL) ||
           (is_wide(insn) && insn->src_reg == BPF_PSEUDO_FUNC);
}

/* Of a jump or of one that names a function. */
static int64_t target_of(const struct bpf_insn *insns, uint32_t i)
{
    return (int64_t)i + 1 + (is_jump(&insns[i]) ? insns[i].off : insns[i].imm);
}

static bool is_known_jump(const struct bpf_insn *insn)
{
    return insn_is_branch(insn) || is_always(insn) || is_call(insn) || is_exit(insn);
}

/* Those that nobody has told us of may do anything. */
static bool is_known(const struct bpf_insn *insn)
{
    if (insn->dst_reg >= REGS || (insn->src_reg >= REGS && !is_wide(insn) && !is_call(insn)))
        return false;
    switch (BPF_CLASS(insn->code)) {
    case BPF_LD:
        return is_wide(insn);
    case BPF_JMP:
    case BPF_JMP32:
        return is_known_jump(insn);
    default:
        return true;
    }
}

/* ---- what is known ---- */

static void forget(struct regs *r, unsigned reg)
{
    r->numbers &= (uint16_t) ~(1u << reg);
    r->addresses &= (uint16_t) ~(1u << reg);
}

static void set_number(struct regs *r, unsigned reg, uint64_t value)
{
    forget(r, reg);
    r->numbers |= (uint16_t)(1u << reg);
    r->value[reg] = value;
}

/* Leaves what both know alike. True: that is less than `to` knew. */
static bool keep_common(struct regs *to, const struct regs *from)
{
    uint16_t had = to->numbers | to->addresses;

    to->numbers &= from->numbers;
    to->addresses &= from->addresses;
    for (unsigned i = 0; i < REGS; i++)
        if (to->value[i] != from->value[i])
            forget(to, i);
    return (to->numbers | to->addresses) != had;
}

/* The second operand, if it is a known number. */
static bool operand(const struct regs *r, const struct bpf_insn *insn, uint64_t *value)
{
    *value = (uint64_t)(int64_t)insn->imm;
    if (BPF_SRC(insn->code) == BPF_K)
        return true;
    if (!(r->numbers >> insn->src_reg & 1))
        return false;
    *value = r->value[insn->src_reg];
    return true;
}

/* False: it is none of those that are worked out. */
static bool work_out(uint8_t op, bool wide, uint64_t a, uint64_t b, uint64_t *out)
{
    unsigned by = (unsigned)b & (wide ? 63 : 31);

    a = wide ? a : (uint32_t)a;
    switch (op) {
    case BPF_MOV:
        *out = b;
        break;
    case BPF_ADD:
        *out = a + b;
        break;
    case BPF_SUB:
        *out = a - b;
        break;
    case BPF_AND:
        *out = a & b;
        break;
    case BPF_OR:
        *out = a | b;
        break;
    case BPF_XOR:
        *out = a ^ b;
        break;
    case BPF_LSH:
        *out = a << by;
        break;
    case BPF_RSH:
        *out = a >> by;
        break;
    case BPF_ARSH:
        *out = wide ? (uint64_t)((int64_t)a >> by) : (uint64_t)((int32_t)a >> by);
        break;
    default:
        return false;
    }
    *out = wide ? *out : (uint32_t)*out;
    return true;
}

static void step_alu(struct regs *r, const struct bpf_insn *insn)
{
    bool wide = BPF_CLASS(insn->code) == BPF_ALU64, mov = BPF_OP(insn->code) == BPF_MOV;
    unsigned dst = insn->dst_reg, src = insn->src_reg;
    uint64_t a = r->value[dst], b;

    if (mov && wide && BPF_SRC(insn->code) == BPF_X && r->addresses >> src & 1) {
        forget(r, dst);
        r->addresses |= (uint16_t)(1u << dst);
        r->value[dst] = r->value[src];
        return;
    }
    /* With an offset it is another instruction: a move that extends a sign, a signed division. */
    if (insn->off == 0 && operand(r, insn, &b) && (mov || r->numbers >> dst & 1) &&
        work_out(BPF_OP(insn->code), wide, a, b, &a))
        set_number(r, dst, a);
    else
        forget(r, dst);
}

/* A number of 64 bits, or the address of constant memory. */
static void step_wide(const struct cut *c, struct regs *r, const struct bpf_insn *insn)
{
    uint64_t high = (uint64_t)(uint32_t)insn[1].imm;

    forget(r, insn->dst_reg);
    if (insn->src_reg == 0)
        set_number(r, insn->dst_reg, high << 32 | (uint32_t)insn->imm);
    for (unsigned k = 0; k < c->nmemory && insn->src_reg == BPF_PSEUDO_MAP_VALUE; k++)
        if (c->memory[k].fd == insn->imm) {
            r->addresses |= (uint16_t)(1u << insn->dst_reg);
            r->value[insn->dst_reg] = (uint64_t)k << 32 | high;
        }
}

static void step_load(const struct cut *c, struct regs *r, const struct bpf_insn *insn)
{
    static const uint8_t sizes[] = {
        [BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8};
    bool known = r->addresses >> insn->src_reg & 1 && BPF_MODE(insn->code) == BPF_MEM;
    uint64_t from = r->value[insn->src_reg], value = 0;
    size_t size = sizes[BPF_SIZE(insn->code) >> 3];
    const struct cut_memory *m = &c->memory[known ? from >> 32 : 0];
    int64_t at = (int64_t)(uint32_t)from + insn->off;

    forget(r, insn->dst_reg);
    if (!known || at < 0 || (uint64_t)at > m->size || size > m->size - (uint64_t)at)
        return;
    memcpy(&value, (const char *)m->bytes + at, size); /* what runs BPF here is little-endian */
    set_number(r, insn->dst_reg, value);
}

/* What an instruction that is no jump does to registers. */
static void step(const struct cut *c, struct regs *r, const struct bpf_insn *insn)
{
    switch (BPF_CLASS(insn->code)) {
    case BPF_ALU:
    case BPF_ALU64:
        step_alu(r, insn);
        break;
    case BPF_LD:
        step_wide(c, r, insn);
        break;
    case BPF_LDX:
        step_load(c, r, insn);
        break;
    case BPF_STX: /* an atomic one may load as well */
        if (BPF_MODE(insn->code) != BPF_MEM) {
            forget(r, 0);
            forget(r, insn->src_reg);
            forget(r, insn->dst_reg);
        }
        break;
    case BPF_JMP: /* a call */
        for (unsigned i = 0; i <= 5; i++)
            forget(r, i);
        break;
    }
}

/* ---- jumps ---- */

/* TAKEN, FALLS or both. */
static uint8_t outcomes(const struct regs *r, const struct bpf_insn *insn)
{
    uint64_t b;

    if (is_always(insn))
        return TAKEN;
    if (!(r->numbers >> insn->dst_reg & 1) || !operand(r, insn, &b))
        return TAKEN | FALLS;
    return insn_branches(insn, r->value[insn->dst_reg], b) ? TAKEN : FALLS;
}

/* ---- the walk ---- */

/* One more way to a target. */
static void lead(struct cut *c, uint32_t to, const struct regs *r)
{
    struct regs *state = &c->states[c->state[to]];
    uint8_t *flags = &c->flags[to];

    if (!(*flags & REACHED))
        *state = *r;
    else if (!keep_common(state, r))
        return;
    if (!(*flags & QUEUED))
        c->todo[c->ntodo++] = to;
    *flags |= REACHED | QUEUED;
}

/* From a target up to the next one, or to where it ends. */
static void walk(struct cut *c, uint32_t i)
{
    const struct bpf_insn *insns = c->code->insns;
    struct regs r = c->states[c->state[i]];
    const struct regs nothing = {.numbers = 0};

    for (;;) {
        const struct bpf_insn *insn = &insns[i];
        uint8_t how = is_jump(insn) ? outcomes(&r, insn) : 0;

        c->flags[i] |= LIVE | how;
        if (how & TAKEN)
            lead(c, (uint32_t)target_of(insns, i), &r);
        if (how == TAKEN || is_exit(insn))
            return;
        if (is_within(insn))
            lead(c, (uint32_t)target_of(insns, i), &nothing);
        if (!how)
            step(c, &r, insn);
        if (is_wide(insn))
            c->flags[++i] |= LIVE;
        if (++i >= c->code->n)
            return;
        if (c->flags[i] & TARGET) {
            lead(c, i, &r);
            return;
        }
    }
}

static void walk_all(struct cut *c)
{
    const struct regs nothing = {.numbers = 0};

    lead(c, 0, &nothing);
    while (c->ntodo) {
        uint32_t i = c->todo[--c->ntodo];

        c->flags[i] &= (uint8_t)~QUEUED;
        walk(c, i);
    }
}

/* ---- what stays ---- */

static uint32_t moved(const struct cut *c, uint32_t i)
{
    return c->left[0] - c->left[i];
}

/* A jump that is never taken, or to what follows anyway. */
static bool does_nothing(const struct cut *c, uint32_t i)
{
    int64_t to;

    if (!is_jump(&c->code->insns[i]) || c->flags[i] & SECOND)
        return false;
    if (!(c->flags[i] & TAKEN))
        return true;
    to = target_of(c->code->insns, i);
    return !(c->flags[i] & FALLS) && to > i && c->left[to] == c->left[i + 1];
}

static void count_left(struct cut *c)
{
    c->left[c->code->n] = 0;
    for (uint32_t i = c->code->n; i-- > 0;) {
        if (c->flags[i] & LIVE && does_nothing(c, i))
            c->flags[i] |= DROPPED;
        c->left[i] = c->left[i + 1] + ((c->flags[i] & (LIVE | DROPPED)) == LIVE);
    }
}

/* Where it leads to has moved, and so has it itself. */
static struct bpf_insn moved_insn(const struct cut *c, uint32_t i)
{
    struct bpf_insn insn = c->code->insns[i];
    int64_t by;

    if (c->flags[i] & SECOND || !(is_jump(&insn) || is_within(&insn)))
        return insn;
    by = (int64_t)moved(c, (uint32_t)target_of(c->code->insns, i)) - moved(c, i) - 1;
    if (is_within(&insn))
        insn.imm = (int32_t)by;
    else if (c->flags[i] & FALLS)
        insn.off = (int16_t)by;
    else
        insn = (struct bpf_insn){.code = BPF_JMP | BPF_JA, .off = (int16_t)by};
    return insn;
}

static uint32_t row_at(const struct cut_rows *r, uint32_t k)
{
    uint32_t at;

    memcpy(&at, (const char *)r->rows + (size_t)k * r->size, sizeof(at));
    return at;
}

static void take_row(struct cut_rows *r, uint32_t *n, uint32_t k, uint32_t at)
{
    char *to = (char *)r->rows + (size_t)(*n)++ * r->size;

    memmove(to, (const char *)r->rows + (size_t)k * r->size, r->size);
    memcpy(to, &at, sizeof(at));
}

static void move_rows(const struct cut *c)
{
    struct cut_rows *f = &c->code->funcs, *l = &c->code->lines;
    uint32_t n = 0;

    for (uint32_t k = 0; k < f->n; k++)
        if (c->flags[row_at(f, k)] & LIVE)
            take_row(f, &n, k, moved(c, row_at(f, k)));
    f->n = n;
    n = 0;
    for (uint32_t k = 0; k < l->n; k++) {
        uint32_t at = row_at(l, k), end = k + 1 < l->n ? row_at(l, k + 1) : c->code->n;

        if (c->left[at] != c->left[end])
            take_row(l, &n, k, moved(c, at));
    }
    l->n = n;
}

static void move_all(struct cut *c)
{
    struct cut_code *code = c->code;

    count_left(c);
    move_rows(c);
    for (uint32_t i = 0; i < code->n; i++)
        if ((c->flags[i] & (LIVE | DROPPED)) == LIVE)
            code->insns[moved(c, i)] = moved_insn(c, i);
    code->n = c->left[0];
}

/* ---- is it understood ---- */

static bool are_rows_good(const struct cut *c, const struct cut_rows *r)
{
    if (r->n && r->size < sizeof(uint32_t))
        return false;
    for (uint32_t k = 0; k < r->n; k++)
        if (row_at(r, k) >= c->code->n || c->flags[row_at(r, k)] & SECOND ||
            (k && row_at(r, k) <= row_at(r, k - 1)))
            return false;
    return true;
}

/* Numbers the targets, and refuses what leads out of the code or to half an instruction. */
static bool find_targets(struct cut *c, uint32_t *n)
{
    const struct bpf_insn *insns = c->code->insns;

    for (uint32_t i = 0; i < c->code->n; i++) {
        if (c->flags[i] & SECOND)
            continue;
        if (!is_known(&insns[i]) || (is_wide(&insns[i]) && i + 1 == c->code->n))
            return false;
        if (is_wide(&insns[i]))
            c->flags[i + 1] |= SECOND;
        if (!is_jump(&insns[i]) && !is_within(&insns[i]))
            continue;
        if (target_of(insns, i) < 0 || target_of(insns, i) >= c->code->n)
            return false;
        c->flags[target_of(insns, i)] |= TARGET;
    }
    c->flags[0] |= TARGET;
    *n = 0;
    for (uint32_t i = 0; i < c->code->n; i++) {
        if ((c->flags[i] & (TARGET | SECOND)) == (TARGET | SECOND))
            return false;
        if (c->flags[i] & TARGET)
            c->state[i] = (*n)++;
    }
    return are_rows_good(c, &c->code->funcs) && are_rows_good(c, &c->code->lines);
}

static int cut(struct cut *c)
{
    uint32_t targets;

    if (!find_targets(c, &targets))
        return 0;
    c->states = malloc(targets * sizeof(*c->states));
    c->todo = malloc(targets * sizeof(*c->todo));
    if (!c->states || !c->todo)
        return -ENOMEM;
    walk_all(c);
    move_all(c);
    return 0;
}

int cut_dead(struct cut_code *code, const struct cut_memory *memory, unsigned nmemory)
{
    struct cut c = {.code = code, .memory = memory, .nmemory = nmemory};
    int rc = -ENOMEM;

    if (code->n == 0)
        return 0;
    c.flags = calloc(code->n, sizeof(*c.flags));
    c.state = malloc(code->n * sizeof(*c.state));
    c.left = malloc(((size_t)code->n + 1) * sizeof(*c.left));
    if (c.flags && c.state && c.left)
        rc = cut(&c);
    free(c.flags);
    free(c.state);
    free(c.left);
    free(c.states);
    free(c.todo);
    return rc;
}
