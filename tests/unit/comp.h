/* SPDX-License-Identifier: Apache-2.0 */
/* An empty compilation, for tests that fill the model by hand. */
#ifndef TEST_COMP_H
#define TEST_COMP_H

#include "arena.h"
#include "diag.h"
#include "intern.h"
#include "model.h"
#include "source.h"

/* Goes with arena_free(c->arena). */
static inline struct comp *new_comp(void)
{
    struct arena *arena = arena_new();
    struct comp *c = arena_alloc(arena, sizeof *c);
    c->arena = arena;
    c->intern = intern_new(arena);
    c->sources = sources_new(arena);
    c->diags = diags_new(arena);
    VEC_PUSH(arena, &c->spans, (struct span){0});
    VEC_PUSH(arena, &c->nodes, (struct node){0});
    VEC_PUSH(arena, &c->rules, (struct rule){0});
    VEC_PUSH(arena, &c->atoms, (struct atom){0});
    VEC_PUSH(arena, &c->dag, (struct dag_node){0});
    return c;
}

#endif
