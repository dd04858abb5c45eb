/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store that resolve works on: lists, macros and rules by name, across all files. Private to
 * resolve.c, pack.c, packrule.c, except.c, subst.c and bind.c; it is gone when pass_resolve ends.
 *
 * Order is meaning here. Each definition and each change draws the next number of one counter:
 * `first` is an entry's first definition, `last` its last change. Position in the arrays is that
 * of the first definition, whatever replaced it later.
 */
#ifndef RULEC_PACK_H
#define RULEC_PACK_H

#include "model.h"
#include "text.h"

struct list_def {
    str_id name;
    span_id at;
    uint32_t first, last;
    VEC(uint32_t) items; /* yaml scalars, as written */
    struct text text;    /* what stands in a condition for the name: subst_lists() */
    bool odd;            /* the name has delimiters in it: words of a text cannot tell */
    bool used;
};

enum macro_state { MACRO_TODO, MACRO_BINDING, MACRO_DONE };
struct macro_def {
    str_id name;
    span_id at;
    uint32_t first, last;
    uint32_t file; /* of the first definition */
    struct text condition;
    node_id node;         /* bound once MACRO_DONE; 0: an error was reported */
    uint32_t size, depth; /* of the bound tree: nodes, levels */
    enum macro_state state;
    bool failed; /* its definition was wrong: uses of it are silent */
    bool used;
};

struct exception {
    str_id name;
    span_id at;
    bool single; /* `fields` is one field, not a list */
    bool has_fields, has_comps;
    VEC(uint32_t) fields; /* yaml scalars */
    VEC(str_id) comps;    /* as many, blanks stripped */
    VEC(uint32_t) values; /* yaml: scalars (single) or sequences */
};

struct rule_def {
    uint32_t rule; /* comp.rules: name, priority, tags and the flags are there already */
    struct text condition, output, desc;
    VEC(struct exception) exceptions;
    VEC(str_id) tags;
    bool foreign; /* of another source: never compiled */
};

/* Where a place went that leads to others, in the copy of a tree that met it last (bind.c). */
struct moved {
    uint32_t copy;
    span_id to;
};

struct pack {
    struct comp *c;
    uint32_t counter;
    VEC(struct list_def) lists;
    VEC(struct macro_def) macros;
    VEC(struct rule_def) rules;
    VEC(uint32_t) list_of, macro_of, rule_of; /* by str_id: 1 + index, 0 if there is none */
    VEC(uint32_t) seen; /* by str_id: the check_keys() call that met it last */
    uint32_t checks;
    VEC(struct moved) moved; /* by span */
    uint32_t copies;
    uint32_t text, size;       /* of all conditions so far, replaced: bytes, nodes */
    bool text_full, size_full; /* there are too many, and that was reported */
    uint32_t near_tries; /* searches for near names: each is over all names, so few are made */
};

#define NEAR_TRIES_MAX 200u
#define TEXT_MAX (4u << 20)   /* bytes of a condition with its lists replaced */
#define CONDITION_MAX 250000u /* nodes of a condition with its macros replaced */
#define LEVELS_MAX 1000u      /* its depth: later passes recurse */
/* Of all conditions together: a pack of ten thousand rules is far below, a small bomb is not. */
#define ALL_TEXT_MAX (16u << 20)
#define ALL_CONDITIONS_MAX 4000000u

/* ---- pack.c: items other than rules ---- */

void pack_add_item(struct pack *pk, const struct item *item);
/* 1 + index of a name in one of the *_of tables, or 0; and setting it. */
#define PACK_FIND(table, name) ((name).i < (table)->n ? (table)->v[(name).i] : 0)
#define PACK_SET(pk, table, name, index)                                                           \
    do {                                                                                           \
        while ((table)->n <= (name).i) {                                                           \
            VEC_PUSH((pk)->c->arena, (table), 0);                                                  \
        }                                                                                          \
        (table)->v[(name).i] = (index) + 1;                                                        \
    } while (0)
/* Warns of keys that are not in `known` (NULL ends it), and of those given twice. */
void pack_check_keys(struct pack *pk, uint32_t map, const char *const *known);
/* `append: true`; warns that it is old. DOC_BAD as false: it was reported. */
bool pack_wants_append(struct pack *pk, uint32_t map, const char *hint);

/* What `override` says of a key. */
enum override_op { OVERRIDE_NONE, OVERRIDE_APPEND, OVERRIDE_REPLACE };
struct override_key {
    const char *key;
    bool append, replace; /* what is allowed */
};
/*
 * Reads `override` into op[], one for each of keys[n]. False: an error was reported. `*present`:
 * the item has one, and it is not empty.
 */
bool pack_read_override(struct pack *pk, uint32_t map, const struct override_key *keys, unsigned n,
                        enum override_op *op, bool *present);

/* ---- packrule.c ---- */

void pack_add_rule(struct pack *pk, const struct item *item);

/* ---- except.c ---- */

/* `exceptions` of a new rule, or of a replacement. False: an error was reported. */
bool except_define(struct pack *pk, struct rule_def *r, uint32_t seq);
bool except_append(struct pack *pk, struct rule_def *r, uint32_t seq);
/* The rule's condition with its exceptions. */
struct text except_condition(struct pack *pk, const struct rule_def *r);
/* Puts `"` around a value that has a blank and begins with no quote. */
void except_put_quoted(struct pack *pk, struct text *t, uint32_t yaml);

/* ---- subst.c ---- */

void subst_prepare(struct pack *pk);
/* The text with all names of lists replaced. False: it grew too large (reported). */
bool subst_lists(struct pack *pk, const struct text *from, struct text *out);
/* Warns of constants lit0.. that look like something else: lists, fields. */
void subst_check_words(struct pack *pk, uint32_t lit0);

/* ---- bind.c ---- */

void bind_macros(struct pack *pk);
/* The tree with macros replaced by copies; 0: reported. */
node_id bind_condition(struct pack *pk, node_id root);

#endif
