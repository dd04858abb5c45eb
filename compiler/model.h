/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data model of one compilation. Every pass includes this; each reads earlier arrays and
 * appends its own (see pipeline.c for the order). Structs and invariants only.
 *
 *   text --load--> items --resolve--> rules + nodes --type--> atoms --lower--> dag --> plan -->
 * code
 *
 * Everything is an index into an array of `struct comp`: 4 bytes, printable, and it survives
 * growth. Index 0 of each array is the poison entry: its error has been reported, and every pass
 * hands it on in silence. Arrays only grow; memory is the arena's and goes all at once.
 */
#ifndef RULEC_MODEL_H
#define RULEC_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/class.h"
#include "../bpf/sketch.h"
#include "../grammar/catalog.h"
#include "../grammar/transform.h"
#include "../runtime/rpk.h"

struct arena;
struct intern;
struct sources;
struct diags;
struct cons;
struct regex;
struct task_plan;

typedef struct {
    uint32_t i;
} str_id; /* interned bytes: intern.h */
typedef struct {
    uint32_t i;
} span_id; /* comp.spans: a place and how we came there */
typedef struct {
    uint32_t i;
} node_id; /* comp.nodes */
typedef struct {
    uint32_t i;
} operand_id; /* comp.operands */
typedef struct {
    uint32_t i;
} rule_id; /* comp.rules */
typedef struct {
    uint32_t i;
} atom_id; /* comp.atoms */
typedef struct {
    uint32_t i;
} dag_id; /* comp.dag */

/* A growing array in the arena: `struct vec` in arena.h; VEC(T) is the typed view of it. */
#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *v;                                                                                      \
        uint32_t n, cap;                                                                           \
    }

/* A place in a source file, in bytes, and the place that used it (0: none): a chain of uses. */
struct span {
    uint32_t file; /* source.h: index of the file; 0 is "no place" */
    uint32_t off;
    uint32_t len;
    span_id via; /* "in macro M, used here", "in list L, ...": the next outer place */
    str_id what; /* what that outer place is, e.g. "macro spawned_process"; may be empty */
};

/* ---- documents: what load.c leaves, in file order; nothing judged beyond shape ---- */

enum item_kind { ITEM_NONE, ITEM_ENGINE, ITEM_PLUGINS, ITEM_LIST, ITEM_MACRO, ITEM_RULE };

/* One YAML value with its place. Scalars keep a map from value bytes to source bytes. */
enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_SEQ, YAML_MAP };
struct yaml {
    enum yaml_kind kind;
    bool quoted; /* the scalar was written in quotes or as a block */
    str_id text; /* scalar */
    span_id at;
    uint32_t map0; /* scalar: comp.textmap rows, for places inside a folded or escaped scalar */
    uint32_t nmap;
    uint32_t kid0; /* SEQ: comp.ykids; MAP: key, value, key, value */
    uint32_t nkid;
};
/* From this offset in the value, bytes stand one to one at `src` in the file. */
struct textmap {
    uint32_t value_off, src_off;
};

struct item {
    enum item_kind kind;
    uint32_t yaml; /* comp.yaml of the mapping */
    span_id at;    /* of the item */
    uint32_t doc_file;
};

/* ---- the pack: what resolve.c leaves ---- */

enum priority {
    PRI_EMERGENCY,
    PRI_ALERT,
    PRI_CRITICAL,
    PRI_ERROR,
    PRI_WARNING,
    PRI_NOTICE,
    PRI_INFO,
    PRI_DEBUG
};

struct rule {
    str_id name, desc, output_text, source;
    str_id
        condition_text; /* as written after append and exceptions, before substitution: for dumps */
    str_id condition_final; /* the same with lists replaced: what was parsed */
    span_id at;             /* of the rule's name */
    span_id condition_at;
    span_id output_at;
    enum priority priority;
    bool enabled;
    bool warn_evttypes;
    bool skip_if_unknown;
    bool dropped;     /* another source, or skipped: not compiled into the bundle */
    bool left_out;    /* disabled, and this version could not run it: plan.c took its roots away */
    bool failed_exec; /* can match an exec call that failed: set by plan */
    bool failed;      /* an error was reported in it */
    uint32_t tag0, ntag; /* comp.tags, sorted by bytes, unique */
    node_id condition;   /* macros and lists resolved; 0: poisoned */
    uint32_t out0, nout; /* comp.pieces: the output template */
    uint32_t index;      /* position in the bundle, 0-based: set by lower for rules kept */
};

/*
 * True if the rule goes into the bundle; its `index` counts these. A disabled rule goes too: who
 * loads the bundle may switch it on.
 */
static inline bool rule_is_kept(const struct rule *r)
{
    return !r->dropped && !r->failed && r->condition.i;
}

/* ---- conditions: made by the grammar through ast.c, bound by resolve.c, typed by type.c ---- */

enum node_kind {
    NODE_POISON,
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_TEST,
    NODE_MACRO,
    NODE_TRUE,
    NODE_FALSE
};

struct node {
    enum node_kind kind;
    span_id at;
    uint32_t kid0, nkid; /* AND, OR, NOT: comp.kids */
    str_id name;         /* MACRO: until resolve has replaced it */
    operand_id lhs, rhs; /* TEST; rhs 0: constants */
    enum op_id op;
    enum op_modifier mod;
    uint32_t lit0, nlit; /* TEST: comp.lits */
    span_id op_at;
    span_id use;     /* copied from a macro: where that was used (ast.h: node_place) */
    str_id use_what; /* "macro M" */
    atom_id atom;    /* TEST: after type */
};

enum operand_kind { OPERAND_FIELD, OPERAND_CALL };
struct operand {
    enum operand_kind kind;
    span_id at;
    str_id name; /* as written, argument excluded */
    str_id arg;  /* text between the brackets */
    bool has_arg;
    enum xform_id call; /* CALL */
    uint32_t op0, nop;  /* CALL: comp.opkids (operands). There XF_NONE is a literal, its text
                           in `name` */
    /* after type: */
    enum field_id field;
    enum type_id type;
    bool is_list;   /* of that type */
    int32_t index;  /* numeric argument, or -1 */
    str_id argname; /* evt.arg.NAME, env[NAME]: the argument as text, else empty */
};

struct lit {
    str_id text;
    bool quoted;
    bool number; /* a number token after < <= > >= */
    span_id at;
};

/* A piece of an output template: literal text, or one field with an optional width. */
struct piece {
    bool is_field;
    str_id text; /* literal; or the field as spelled: the key in output_fields */
    operand_id operand;
    uint32_t width; /* 0: none */
    span_id at;
};

/* ---- atoms: made by type.c; equal atoms of different rules are one ---- */

enum value_kind { VAL_NUM, VAL_TEXT, VAL_IP, VAL_NET };
struct value {
    enum value_kind kind;
    uint8_t family;   /* 4 or 6 */
    uint8_t prefix;   /* network: leading bits */
    uint8_t addr[16]; /* network order; IPv4 in the first 4 */
    int64_t num;      /* cut to the field's width; unsigned ones bit for bit */
    str_id text;
};

/* A value's name: which field, with which argument. */
struct field_ref {
    enum field_id field;
    int32_t index; /* -1: none */
    str_id name;   /* evt.arg.NAME, env[NAME]; empty: none */
};

struct atom {
    struct field_ref lhs;
    struct field_ref rhs; /* field F_NONE: constants */
    enum type_id type;    /* of the comparison */
    enum op_id op;
    enum op_modifier mod;
    operand_id expr; /* lhs is a transformer expression: its operand, else 0 */
    operand_id rexpr;
    uint32_t val0, nval; /* comp.values: sorted and unique unless mod counts them */
    span_id at;          /* first use */
};

/* ---- the DAG: made by lower.c ---- */

/*
 * One decision. `yes` and `no` are dag ids; both are greater than the node's own id once sealed.
 * `neg`: the literal was a negation, so that an unknown value goes to `no`; else to `yes`.
 */
struct dag_node {
    atom_id atom;
    dag_id yes, no;
    uint32_t neg;
};
/* Terminals are above all nodes. */
#define DAG_FALSE 0xffffffffu
#define DAG_TRUE 0xfffffffeu

/* Rule `rule` specialized to event `event`: its condition there is `root`. */
struct root {
    rule_id rule;
    dag_id root;
};
/*
 * A row of comp.events: which rules can fire on it. Only live events have rows, and only those that
 * some rule can match; sorted by event, then sysnr.
 *
 * EV_generic: a system call without an event of its own. A row with sysnr >= 0 is for that call
 * alone; the row with sysnr SYSNR_OTHER is for every generic call that has no row. A call has its
 * own row, possibly with nroot 0, wherever a test of evt.type tells it from the others.
 */
#define SYSNR_OTHER (-1)
struct event_rules {
    enum event_id event;
    int32_t sysnr;         /* see above; -1 for all but EV_generic */
    uint32_t root0, nroot; /* comp.roots, in rule order */
    /* bpf: keys that pick rules by a value, and the roots that no key has (both 0: all) */
    uint32_t key0, nkey, rest0, nrest; /* comp.keys, comp.ranks */
};

/* ---- the plan: which hooks, groups and slots the pack needs ---- */

struct plan {
    bool hook[HOOK_COUNT];
    rule_id hook_rule[HOOK_COUNT]; /* the rule that forces it */
    struct probe_plan probe;
};

/* What the kernel can do with an atom: decided by place.c, read by bpf.c and explain. */
enum placement {
    PLACE_INLINE,  /* compared in generated code */
    PLACE_MATCHER, /* a matcher of the probe is called */
    PLACE_CLASS,   /* the text is looked up in a table of constants (bpf/class.h) */
    PLACE_LORE,    /* a bit that user space told of the event's user, container, ... (bpf/lore.h) */
    PLACE_USER,    /* only user space: maybe in the kernel */
};

/* The kind of value that an atom reads in the kernel. */
enum shape {
    SHAPE_NONE,    /* PLACE_USER */
    SHAPE_NUM,     /* number slot: the num_tests decide, also for texts made from numbers */
    SHAPE_TEXT,    /* text slot: atom.op over atom.values */
    SHAPE_ADDR,    /* text slot of 4 or 16 bytes: an address against VAL_IP or VAL_NET */
    SHAPE_ANC,     /* one ancestor's name, anc[where.anc]; absent beyond anc_count */
    SHAPE_ANC_ANY, /* some ancestor's name: OP_EXISTS inline; = != in intersects by match_anc */
    SHAPE_LORE,    /* PLACE_LORE: bit `bit` of kind `lore`; unknown where user space told nothing */
};

/* One test of a number. An atom is true if any of its tests is. */
enum num_test_kind {
    NT_MASK,     /* (v & a) == b */
    NT_SIGNED,   /* (s64)a <= (s64)v <= (s64)b */
    NT_UNSIGNED, /* a <= v <= b */
};
struct num_test {
    enum num_test_kind kind;
    uint64_t a, b;
};

/*
 * A text parameter is not always what the slot holds: rules see <NA> for an empty one, and a
 * relative path made absolute. Where the guard does not hold the literal passes.
 */
enum text_guard {
    GUARD_NONE,
    GUARD_NONEMPTY, /* decided only if the slot's text is not empty */
    GUARD_WORD,     /* an empty text is the word <NA> */
    GUARD_ABSOLUTE, /* decided only if it begins with '/' */
};

/*
 * Where the kernel finds an atom's value on an event, and how it decides the atom. Parameters
 * stand in different slots on different events, so that an atom can have one row per event; all
 * others have one row with event EV_NONE. place_where() finds the row.
 *
 * In all shapes the slot's state comes first: ABSENT is false, UNKNOWN and CUT pass the literal
 * (a CUT text may be decided where its beginning suffices). With two sides (slot2) the atom is true
 * if it is for either side that is present; with OP_NE it must be true for all sides that are.
 */
#define NO_SET 0xffffffffu
#define NO_PATTERN 0xffffffffu
struct where {
    atom_id atom;
    enum event_id event; /* EV_NONE: on all */
    uint8_t place;       /* enum placement */
    uint8_t shape;       /* enum shape */
    bool negate;         /* SHAPE_NUM: the outcome of the tests is inverted */
    uint8_t guard;       /* enum text_guard */
    int16_t slot;        /* SLOT_OF_NUM / SLOT_OF_STR, or -1 */
    int16_t slot2;       /* fd.ip, fd.port, fd.net: the server's side, `slot` the client's; or -1 */
    uint8_t anc;
    uint8_t lore; /* enum lore_kind */
    uint8_t bit;
    uint32_t test0, ntest; /* comp.tests */
    uint32_t set;          /* PLACE_MATCHER of names: its set in comp.names, else NO_SET */
    uint32_t pattern0;     /* PLACE_MATCHER of contains: rows of comp.value_pattern, one by value */
    atom_id narrow;        /* not 0: decided in its place; where it is true, the atom may be */
};

/* A test of lore: in the bundle, so that user space knows what to tell. */
struct lore_test {
    uint8_t kind; /* enum lore_kind */
    uint8_t bit;
    atom_id atom;
};

/* A member of a name set (match_name, match_anc); at most 15 bytes, longer ones cannot match. */
struct name_row {
    uint32_t set;
    str_id name;
};

/* Rules that are tried only if a text satisfies their own constants of it: see rpk.h. */
struct class_key {
    atom_id atom;  /* one whose left side is the text */
    uint32_t node; /* of the trie */
    enum class_how how;
    uint32_t rank0, nrank; /* comp.ranks: the roots of these rules, within their event */
    bool table;            /* the kernel goes by it too; else it has code for these rules */
};

struct comp {
    struct arena *arena;
    struct intern *intern;
    struct sources *sources;
    struct diags *diags;
    VEC(struct span) spans;

    VEC(struct yaml) yaml;
    VEC(uint32_t) ykids;
    VEC(struct textmap) textmap;
    VEC(struct item) items;

    VEC(struct rule) rules; /* from 1; in the order of first definition */
    /* Rules as they stood where a file ended, before a later one changed them: for errors only. */
    VEC(struct rule) drafts;
    VEC(str_id) tags;
    VEC(struct node) nodes;
    VEC(node_id) kids;
    VEC(struct operand) operands;
    VEC(operand_id) opkids;
    VEC(struct lit) lits;
    VEC(struct piece) pieces;

    VEC(struct atom) atoms;
    VEC(struct value) values;
    VEC(const struct regex *) regexes; /* from 1; regex.h */
    uint64_t regex_work;               /* steps that making automata has taken so far */
    struct cons *regex_ids;            /* ... by pattern */
    VEC(struct dag_node) dag;          /* from 1 */
    VEC(struct root) roots;
    VEC(struct event_rules) events;
    VEC(struct where) where; /* sorted by atom, then event */
    VEC(struct num_test) tests;
    VEC(str_id) patterns;        /* map `patterns`, in order of first use */
    VEC(uint32_t) value_pattern; /* see where.pattern0: index in patterns */
    VEC(struct name_row) names;  /* map `name_sets`, sorted by set, then bytes */
    uint32_t nset;
    VEC(struct lore_test) lore; /* in the order of `where`; of each kind bits count up from 0 */
    struct plan plan;
    uint32_t nrule; /* rules kept in the bundle */
    bool build;     /* the caller's: refuse what this version cannot run */
    bool foretell;  /* the caller's: warn of what would be refused for that */
    str_id name;    /* the caller's: of the bundle; empty: none */

    VEC(uint8_t) filter_elf;    /* obj: the generated object */
    struct task_plan *task;     /* bpf: tests that are made once per task (task.h) */
    uint32_t filter_left;       /* bpf: rules (by event) that no longer fit into the filter */
    VEC(struct class_key) keys; /* bpf: what the table takes over of the classes made there */
    VEC(uint32_t) ranks;
    VEC(struct class_bucket) class_edges;
    VEC(struct class_row) class_rows;
    VEC(struct class_cand) class_cands;
    VEC(struct class_test) class_tests;
    VEC(struct sketch_row) sketch; /* bpf: bpf/sketch.h */
    VEC(uint8_t) table;            /* table: the decision table's section */
    VEC(uint8_t) rpk;              /* link: the bundle */
};

#endif
