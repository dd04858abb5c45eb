/* SPDX-License-Identifier: Apache-2.0 */
#include "code.h"

#include "arena.h"
#include "bpf.h"
#include "pipeline.h"
#include "show.h"

#include <string.h>

void code_print(FILE *out, const struct code *code)
{
    char text[96], place[64];
    uint32_t mark = 0, call = 0;
    fprintf(out, "%s:\n", code->name);
    for (uint32_t i = 0; i < code->n;) {
        for (; mark < code->nmark && code->marks[mark].insn <= i; mark++) {
            fputs("    ; ", out);
            show_text(out, code->marks[mark].text, strlen(code->marks[mark].text));
            putc('\n', out);
        }
        while (call < code->ncall && code->calls[call].insn < i)
            call++;
        bool calls = call < code->ncall && code->calls[call].insn == i;
        unsigned slots = asm_print(text, sizeof(text), code->insns, i, code->n);
        asm_print_place(place, sizeof(place), &code->insns[i]);
        fprintf(out, place[0] ? "%6u  %-36s" : "%6u  %s", i, text);
        fprintf(out, "%s%s%s%s\n", calls ? " " : "", calls ? code->calls[call].symbol : "",
                place[0] ? "; " : "", place);
        i += slots;
    }
}

/* What a mark says: the place in the rules, and the test or the rule. */
static const char *mark_text(struct comp *c, const struct asm_mark *m)
{
    struct obj_place p;
    if (!obj_place(c, m->at, &p))
        return m->note ? m->note : "";
    return arena_printf(c->arena, "%s:%u:%u: %s", p.file, p.line, p.column,
                        m->note ? m->note : p.text);
}

static void dump_func(struct comp *c, FILE *out, const struct asm_code *a, const struct asm_func *f)
{
    struct code_mark *marks = arena_alloc(c->arena, (a->marks.n + 1) * sizeof(*marks));
    struct code_call *calls = arena_alloc(c->arena, (a->calls.n + 1) * sizeof(*calls));
    struct code code = {.name = f->name,
                        .insns = a->insns.v + f->start,
                        .n = f->end - f->start,
                        .marks = marks,
                        .calls = calls};
    for (uint32_t i = 0; i < a->marks.n; i++) {
        const struct asm_mark *m = &a->marks.v[i];
        if (m->insn >= f->start && m->insn < f->end)
            marks[code.nmark++] = (struct code_mark){m->insn - f->start, mark_text(c, m)};
    }
    for (uint32_t i = 0; i < a->calls.n; i++) {
        const struct asm_call *call = &a->calls.v[i];
        if (call->insn >= f->start && call->insn < f->end)
            calls[code.ncall++] = (struct code_call){call->insn - f->start, call->symbol};
    }
    code_print(out, &code);
}

void dump_bpf(struct comp *c, FILE *out)
{
    const struct asm_code *a = bpf_emit(c, true);
    for (uint32_t i = 0; i < a->funcs.n; i++)
        dump_func(c, out, a, &a->funcs.v[i]);
}
