/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Macros: references are replaced in the tree by copies of the macro's tree, whose places then
 * tell where they were used. A condition's own tree is changed in place; constants are shared.
 */
#include "pack.h"

#include <string.h>

#include "arena.h"
#include "ast.h"
#include "diag.h"
#include "intern.h"
#include "near.h"

struct bind {
    struct pack *pk;
    struct macro_def *self; /* the macro that is bound, or NULL in a rule */
    uint32_t size;          /* nodes so far */
    uint32_t chain;         /* macros that are being bound, this one included */
    bool failed;
};

static const char *shown(struct comp *c, str_id s)
{
    return diag_word(c, STR(c, s), STRLEN(c, s));
}

/* ---- copies ---- */

/* Where a tree is being copied to. */
struct use {
    struct pack *pk;
    span_id at;
    str_id what;
};

static span_id use_span(const struct use *u, span_id at);

/*
 * The outer end of a place's chain gets one more use. Places share the rest of their chains, and
 * so do their copies: each shared one is copied once.
 */
static span_id move_via(const struct use *u, span_id via)
{
    struct pack *pk = u->pk;
    while (pk->moved.n <= via.i)
        VEC_PUSH(pk->c->arena, &pk->moved, (struct moved){0});
    if (pk->moved.v[via.i].copy != pk->copies) {
        span_id to = use_span(u, via);
        pk->moved.v[via.i] = (struct moved){pk->copies, to};
    }
    return pk->moved.v[via.i].to;
}

static span_id use_span(const struct use *u, span_id at)
{
    struct span s = u->pk->c->spans.v[at.i];
    if (s.via.i) {
        s.via = move_via(u, s.via);
    } else {
        s.via = u->at;
        s.what = u->what;
    }
    return span_new(u->pk->c, s);
}

static operand_id copy_operand(const struct use *u, operand_id id)
{
    struct comp *c = u->pk->c;
    if (!id.i)
        return id;
    struct operand o = c->operands.v[id.i];
    o.at = use_span(u, o.at);
    uint32_t op0 = c->opkids.n;
    for (uint32_t i = 0; i < o.nop; i++)
        VEC_PUSH(c->arena, &c->opkids, (operand_id){0});
    for (uint32_t i = 0; i < o.nop; i++) {
        operand_id kid = copy_operand(u, c->opkids.v[o.op0 + i]);
        c->opkids.v[op0 + i] = kid;
    }
    o.op0 = op0;
    return (operand_id){VEC_PUSH(c->arena, &c->operands, o)};
}

/* Recursion is bounded by LEVELS_MAX: bind_macros() has measured the tree. */
static node_id copy_tree(const struct use *u, node_id id)
{
    struct comp *c = u->pk->c;
    if (!id.i)
        return id;
    struct node n = c->nodes.v[id.i];
    n.use_what = n.use.i ? n.use_what : u->what;
    n.use = n.use.i ? move_via(u, n.use) : u->at;
    n.at = use_span(u, n.at);
    if (n.op_at.i)
        n.op_at = use_span(u, n.op_at);
    n.lhs = copy_operand(u, n.lhs);
    n.rhs = copy_operand(u, n.rhs);
    uint32_t kid0 = c->kids.n;
    for (uint32_t i = 0; i < n.nkid; i++)
        VEC_PUSH(c->arena, &c->kids, (node_id){0});
    for (uint32_t i = 0; i < n.nkid; i++) {
        node_id kid = copy_tree(u, c->kids.v[n.kid0 + i]);
        c->kids.v[kid0 + i] = kid;
    }
    n.kid0 = kid0;
    return (node_id){VEC_PUSH(c->arena, &c->nodes, n)};
}

/* ---- references ---- */

static void later_file(struct comp *c, const struct node *n)
{
    diag(c, RK0221, n->at, NULL, "macro `%s` is defined only in a later file", shown(c, n->name));
}

static void unknown_macro(struct pack *pk, const struct node *n)
{
    static const char *const keywords[] = {"and", "or", "not", "exists", "in"};
    struct comp *c = pk->c;
    const char *s = STR(c, n->name);
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (!strcmp(s, keywords[i])) {
            diag(c, RK0219, n->at, NULL, "expected a test or a macro, found `%s`", s);
            return;
        }
    }
    if (pk->draft && draft_comes_later(pk, n->name)) {
        later_file(c, n);
        return;
    }
    diag(c, RK0219, n->at, pack_near(pk, ITEM_MACRO, n->name), "unknown macro `%s`",
         shown(c, n->name));
}

/*
 * A macro sees what was first defined before its own last change. And a file must stand on the
 * files before it: what is written in one cannot mean a macro that only a later one defines.
 */
static bool is_visible(struct bind *b, const struct node *n, const struct macro_def *m)
{
    struct comp *c = b->pk->c;
    if (b->self && m->first >= b->self->last) {
        diag(c, RK0221, n->at, NULL, "macro `%s` is defined after `%s`, which uses it here",
             shown(c, m->name), shown(c, b->self->name));
    } else if (c->spans.v[n->at.i].file < m->file) {
        later_file(c, n);
    } else {
        return true;
    }
    diag_note(c, m->at, "it is defined here");
    return false;
}

static void bind_macro(struct pack *pk, struct macro_def *m, uint32_t chain);

/* The macro of a reference, bound; NULL: there is none that could be used, and that is reported. */
static struct macro_def *find_macro(struct bind *b, const struct node *n)
{
    struct comp *c = b->pk->c;
    uint32_t i = PACK_FIND(&b->pk->macro_of, n->name);
    if (!i) {
        unknown_macro(b->pk, n);
        return NULL;
    }
    struct macro_def *m = &b->pk->macros.v[i - 1];
    /* An index in macro_of is of a macro: macros.v is there. */
    m->used |= m != b->self; // NOLINT(clang-analyzer-core.NullDereference)
    if (m == b->self || m->state == MACRO_BINDING) {
        diag(c, RK0220, n->at, NULL, "macro `%s` refers to itself", shown(c, m->name));
        diag_note(c, m->at, "it is defined here");
        return NULL;
    }
    if (!is_visible(b, n, m))
        return NULL;
    if (m->state == MACRO_TODO) {
        if (b->chain > LEVELS_MAX / 2) {
            diag(c, RK0222, n->at, NULL, "macros are nested too deep");
            return NULL;
        }
        bind_macro(b->pk, m, b->chain + 1);
    }
    return m->node.i ? m : NULL;
}

/* Levels of the bound tree in `*id`, which it replaces. A reference that fails becomes poison. */
static uint32_t bind_node(struct bind *b, node_id *id)
{
    struct comp *c = b->pk->c;
    struct node n = c->nodes.v[id->i];
    b->size++;
    if (n.kind == NODE_MACRO) {
        const struct macro_def *m = find_macro(b, &n);
        b->failed |= !m;
        *id = (node_id){0};
        b->size += m ? m->size : 0;
        if (!m || b->failed || b->size > CONDITION_MAX)
            return 1;
        str_id what = intern_cstr(c->intern, arena_printf(c->arena, "macro %s", shown(c, m->name)));
        b->pk->copies++;
        *id = copy_tree(&(struct use){b->pk, n.at, what}, m->node);
        return m->depth;
    }
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < n.nkid; i++) {
        node_id kid = c->kids.v[n.kid0 + i];
        uint32_t levels = bind_node(b, &kid);
        c->kids.v[n.kid0 + i] = kid;
        deepest = levels > deepest ? levels : deepest;
    }
    return deepest + 1;
}

/* Said once: the conditions that follow are left aside. */
static void too_many(struct pack *pk, span_id at)
{
    if (!pk->too_large) {
        pk->too_large = true;
        diag(pk->c, RK0222, at, NULL,
             "with their macros replaced, the conditions up to here have more than %u parts",
             ALL_NODES_MAX);
    }
}

static node_id bind_root(struct bind *b, node_id root, uint32_t *depth)
{
    struct pack *pk = b->pk;
    struct comp *c = pk->c;
    if (!root.i)
        return root;
    span_id at = c->nodes.v[root.i].at;
    *depth = bind_node(b, &root);
    if (b->failed)
        return (node_id){0};
    pk->nodes += b->size;
    if (pk->nodes > ALL_NODES_MAX && b->size <= CONDITION_MAX) {
        too_many(pk, at);
        return (node_id){0};
    }
    if (b->size > CONDITION_MAX || *depth > LEVELS_MAX) {
        diag(c, RK0222, at, NULL, "with its macros replaced the condition has more than %u %s",
             b->size > CONDITION_MAX ? CONDITION_MAX : LEVELS_MAX,
             b->size > CONDITION_MAX ? "parts" : "levels");
        return (node_id){0};
    }
    return root;
}

/* Parses and binds one macro. Its own mistakes are reported whether or not it is used. */
static void bind_macro(struct pack *pk, struct macro_def *m, uint32_t chain)
{
    struct comp *c = pk->c;
    struct bind b = {.pk = pk, .self = m, .chain = chain};
    struct text text;
    m->state = MACRO_BINDING;
    m->node = (node_id){0};
    if (!m->failed && subst_lists(pk, &m->condition, &text)) {
        m->lit0 = c->lits.n;
        node_id root = ast_condition(c, &text);
        m->lit_end = c->lits.n;
        if (!pk->draft)
            subst_check_words(pk, m->lit0, m->lit_end);
        m->node = bind_root(&b, root, &m->depth);
        m->size = b.size;
    }
    m->state = MACRO_DONE;
}

void bind_one(struct pack *pk, struct macro_def *m)
{
    if (m->state == MACRO_TODO)
        bind_macro(pk, m, 1);
}

void bind_macros(struct pack *pk)
{
    for (uint32_t i = 0; i < pk->macros.n; i++)
        bind_one(pk, &pk->macros.v[i]);
}

node_id bind_condition(struct pack *pk, node_id root)
{
    struct bind b = {.pk = pk};
    uint32_t depth;
    return bind_root(&b, root, &depth);
}
