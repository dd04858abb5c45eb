/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store that resolve works on: lists, macros and rules by name, across all files. Private to
 * resolve.c, pack.c, packrule.c, except.c, subst.c, bind.c and draft.c; it is gone when
 * pass_resolve ends.
 *
 * Order is meaning here. Each definition and each change draws the next number of one counter:
 * `first` is an entry's first definition, `last` its last change. Position in the arrays is that
 * of the first definition, whatever replaced it later.
 */
#ifndef RULEC_PACK_H
#define RULEC_PACK_H

#include "diag.h"
#include "model.h"
#include "text.h"

/* The names of lists and macros that a text has among its words: draft.c. */
struct words {
    str_id *v;
    uint32_t n, cap;
    uint32_t changed; /* as the text was after this file; 0: not collected */
};

struct list_def {
    str_id name;
    span_id at;
    uint32_t first, last;
    VEC(uint32_t) items; /* yaml scalars, as written */
    struct text text;    /* what stands in a condition for the name, */
    bool ready;          /* once this is set */
    uint32_t changed;    /* the file of the last change */
    struct words words;
    bool odd; /* the name has delimiters in it: words of a text cannot tell */
    bool used;
};

enum macro_state { MACRO_TODO, MACRO_BINDING, MACRO_DONE };
struct macro_def {
    str_id name;
    span_id at;
    uint32_t first, last;
    uint32_t file;    /* of the first definition */
    uint32_t changed; /* of the last change */
    struct words words;
    struct text condition;
    node_id node;           /* bound once MACRO_DONE; 0: an error was reported */
    uint32_t size, depth;   /* of the bound tree: nodes, levels */
    uint32_t lit0, lit_end; /* its constants */
    enum macro_state state;
    bool failed; /* its definition was wrong: uses of it are silent */
    bool used;
};

struct exception {
    str_id name;
    span_id at;
    bool single; /* `fields` is one field, not a list */
    bool has_fields, has_comps;
    bool null_fields;     /* the key `fields` is there, without a value */
    bool failed;          /* its definition was wrong: no text is made of it */
    VEC(uint32_t) fields; /* yaml scalars */
    VEC(str_id) comps;    /* as many, blanks stripped */
    VEC(uint32_t) values; /* yaml: scalars (single) or sequences */
};

struct rule_def {
    uint32_t rule; /* comp.rules: name, priority, tags and the flags are there already */
    struct text condition, output, desc;
    VEC(struct exception) exceptions;
    VEC(str_id) tags;
    uint32_t changed; /* the file of the last change */
    struct words words;
    bool foreign; /* of another source: never compiled */
};

/* Where a place went that leads to others, in the copy of a tree that met it last (bind.c). */
struct moved {
    uint32_t copy;
    span_id to;
};

/* Files whose items have a name, the first and the last of them; 0: none. */
struct last_change {
    uint32_t first, last;
};
struct last_changes {
    struct last_change *v; /* by str_id */
    uint32_t n, cap;
};

struct pack {
    struct comp *c;
    uint32_t file; /* of the item that is being added, or that was added last */
    uint32_t counter;
    VEC(struct list_def) lists;
    VEC(struct macro_def) macros;
    VEC(struct rule_def) rules;
    VEC(uint32_t) list_of, macro_of, rule_of; /* by str_id: 1 + index, 0 if there is none */
    VEC(uint32_t) seen;                       /* by str_id: the check of keys that met it last */
    uint32_t checks;
    VEC(struct moved) moved; /* by span */
    uint32_t copies;
    struct last_changes last[ITEM_RULE + 1];
    bool drafts;                             /* some name is in more than one file */
    bool draft;                              /* in draft_file(): only errors are told */
    uint32_t draft_words;                    /* looked at by draft_file() so far */
    uint64_t text_bytes, text_pieces, nodes; /* of all conditions so far */
    uint64_t text_steps; /* pieces, list after list: what it took to make them */
    struct text step[2]; /* subst_lists(): memory that is used again */
    bool too_large;      /* all of them are beyond a limit (reported) */
    uint32_t near_tries; /* searches for near names: each is over all names, so few are made */
};

#define NEAR_TRIES_MAX 200u
#define DRAFT_WORDS_MAX 20000000u
#define TEXT_MAX (4u << 20)   /* bytes of a condition with its lists replaced, */
#define PIECES_MAX 300000u    /* and pieces that it is put together of: two for an item */
#define TEXTS_MAX (64u << 20) /* the same of all conditions together */
#define ALL_PIECES_MAX 4000000u
#define STEPS_MAX 100000000u
#define ALL_NODES_MAX 2000000u /* nodes of all conditions with their macros replaced */
#define CONDITION_MAX 250000u  /* nodes of a condition with its macros replaced */
#define LEVELS_MAX 1000u       /* its depth: later passes recurse */

/* ---- pack.c: items other than rules ---- */

void pack_add_item(struct pack *pk, const struct item *item);
/* 1 + index of a name in one of the *_of tables, or 0; and setting it. */
#define PACK_FIND(table, name) ((name).i < (table)->n ? (table)->v[(name).i] : 0)
#define PACK_SET(pk, table, name, index)                                                           \
    do {                                                                                           \
        while ((table)->n <= (name).i)                                                             \
            VEC_PUSH((pk)->c->arena, (table), 0);                                                  \
        (table)->v[(name).i] = (index) + 1;                                                        \
    } while (0)
/* "did you mean X?" of a name that no list, macro or rule has; NULL: none is near. */
const char *pack_near(struct pack *pk, enum item_kind kind, str_id name);
/* Warns of keys that are not in `known` (NULL ends it), and of those given twice. */
void pack_check_keys(struct pack *pk, uint32_t map, const char *const *known);
/* The same for keys that Falco passes over without a word: the unknown ones are `code`. */
void pack_check_quiet_keys(struct pack *pk, enum diag_code code, uint32_t map,
                           const char *const *known);
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
/* The rule's condition with its exceptions. False: their values do not fit (reported). */
bool except_condition(struct pack *pk, const struct rule_def *r, struct text *t);
/* Puts `"` around a value that has a blank and begins with no quote. */
void except_put_quoted(struct pack *pk, struct text *t, uint32_t yaml);

/* ---- subst.c ---- */

void subst_prepare(struct pack *pk); /* all lists, for what is to be said of their items */
/*
 * The text with all names of lists replaced; it lasts until the next call. False: it grew too large
 * (reported).
 */
bool subst_lists(struct pack *pk, const struct text *from, struct text *out);
/* Warns of an item, or a value, that is no single constant once it is put into a condition. */
void subst_check_item(struct pack *pk, uint32_t yaml, const char *of, str_id name);
/* Warns of constants lit0..lit_end that look like lists. */
void subst_check_words(struct pack *pk, uint32_t lit0, uint32_t lit_end);
/* The same of fields. */
void subst_check_fields(struct pack *pk, uint32_t lit0, uint32_t lit_end);

/* ---- bind.c ---- */

void bind_macros(struct pack *pk);
void bind_one(struct pack *pk, struct macro_def *m); /* unless that was done */
/* The tree with macros replaced by copies; 0: reported. */
node_id bind_condition(struct pack *pk, node_id root);

/* ---- draft.c ---- */

void draft_prepare(struct pack *pk); /* before the first item */
void draft_file(struct pack *pk);    /* behind the last item of a file that is not the last */
bool draft_comes_later(struct pack *pk, str_id macro);
/* Lists and macros that a rule names count as used, though it is not compiled. */
void draft_mark_used(struct pack *pk, const struct rule_def *r);

/* ---- resolve.c ---- */

/* Condition and output of `r`; `d` is its own and is used up. */
void resolve_rule(struct pack *pk, struct rule_def *d, struct rule *r);

#endif
