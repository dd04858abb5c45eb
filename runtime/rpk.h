/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layout of a bundle, the one validator, and a view of it.
 *
 * A .rpk is an ELF relocatable for BPF (the generated filter linked with the probe) with one more
 * section, `.rulepack`, that starts with struct rpk_head. Inside, tables follow one another; each
 * is named by {offset from the start of .rulepack, count}; all integers are little-endian, all
 * offsets multiples of 8. rpk_open() checks every offset, count, index and edge once; after that
 * the view is used in place, with no copying and no further checks. Nothing else reads raw bytes.
 */
#ifndef RULEC_RPK_H
#define RULEC_RPK_H

#include <stdint.h>
#include <stddef.h>

#include "../bpf/abi.h"
#include "../bpf/class.h"
#include "../bpf/sketch.h"

#define RPK_MAGIC 0x4b50522e72756c65ull
#define RPK_VERSION 2
#define RPK_SECTION ".rulepack"

struct rpk_span {
    uint32_t off, n;
}; /* a table: offset in .rulepack, number of elements */
struct rpk_str {
    uint32_t off, len;
}; /* bytes in the string table; a NUL follows */

/* Hooks of the probe, each in an object of its own. */
enum hook_id {
    HOOK_EXEC,
    HOOK_FORK,
    HOOK_EXIT,
    HOOK_SYS_ENTER,
    HOOK_SYS_EXIT,
    HOOK_RING, /* several tracepoints of io_uring (ring.h) */
    HOOK_SIGNAL,
    HOOK_SWITCH,
    HOOK_COUNT
};
#define HOOKS_ALL ((1u << HOOK_COUNT) - 1) /* bit per hook_id */

struct rpk_head {
    uint64_t magic;
    uint32_t version;
    uint32_t size;             /* of the whole section */
    uint64_t catalog;          /* catalog_digest() of the compiler */
    uint64_t abi;              /* digest of struct layouts: rpk_abi_digest() */
    uint8_t source_digest[32]; /* SHA-256 over the rule texts, in load order */
    struct rpk_str name;       /* pack name: file name of -o without directory and suffix */
    struct rpk_str compiler;   /* "rulec 0.1" */
    struct probe_plan plan;
    uint8_t hooks; /* bit per hook_id: those that the rules need; others are for an audit alone */
    uint8_t pad[7];
    struct rpk_span rules;       /* struct rpk_rule */
    struct rpk_span events;      /* struct rpk_event, by event then sysnr */
    struct rpk_span roots;       /* struct rpk_root */
    struct rpk_span nodes;       /* struct rpk_node */
    struct rpk_span atoms;       /* struct rpk_atom */
    struct rpk_span values;      /* struct rpk_value */
    struct rpk_span pieces;      /* struct rpk_piece */
    struct rpk_span refs;        /* struct rpk_ref: operands of pieces and atoms */
    struct rpk_span tags;        /* struct rpk_str */
    struct rpk_span patterns;    /* struct rpk_str: map `patterns`, by index */
    struct rpk_span names;       /* struct rpk_name: map `name_sets` */
    struct rpk_span regexes;     /* struct rpk_regex */
    struct rpk_span ranges;      /* struct rpk_range */
    struct rpk_span words;       /* uint16_t */
    struct rpk_span strings;     /* bytes */
    struct rpk_span keys;        /* struct rpk_key */
    struct rpk_span ranks;       /* uint32_t: numbers of roots within their event */
    struct rpk_span class_edges; /* struct class_bucket, and so on: bpf/class.h */
    struct rpk_span class_rows;
    struct rpk_span class_cands;
    struct rpk_span class_tests;
    struct rpk_span sketch; /* struct sketch_row, its head first: bpf/sketch.h */
    struct rpk_span lore;   /* struct rpk_lore, by kind then bit */
};

#define RPK_RULE_OFF 0x01u         /* the rule says `enabled: false` */
#define RPK_RULE_FAILED_EXEC 0x04u /* can match an exec call that failed */
#define RPK_RULE_LEFT_OUT                                                                          \
    0x02u /* off, and cannot be switched on: the compiler could not place it */

struct rpk_rule {
    struct rpk_str name, desc, source, file;
    uint32_t line;
    uint8_t priority; /* enum priority of the language, 0 emergency .. 7 debug */
    uint8_t flags;    /* RPK_RULE_* */
    uint8_t pad[2];
    struct rpk_span tags;   /* rows of tags: off is an index */
    struct rpk_span pieces; /* rows of pieces: off is an index */
};

struct rpk_event {
    uint16_t event;
    uint16_t pad;
    int32_t sysnr;
    uint32_t root0, nroot;
    uint32_t key0, nkey;   /* rows of keys: roots that need not all be tried */
    uint32_t rest0, nrest; /* rows of ranks: the others, if there are keys */
};
/*
 * Many rules that each ask for their own constants of one value: only those are tried whose
 * constants it satisfies. They are the candidates of its class.
 */
struct rpk_key {
    uint32_t ref;          /* row of refs: the value */
    uint32_t node;         /* of class_edges */
    uint32_t how;          /* enum class_how */
    uint32_t rank0, nrank; /* rows of ranks: all of them, for a value that is not known whole */
    uint32_t pad;
};
struct rpk_root {
    uint32_t rule, node;
};

#define RPK_NO_REF 0xffffffffu /* where a row of refs may be missing */

/* yes and no: greater than the node's own index, or a terminal. */
#define RPK_FALSE 0xffffffffu
#define RPK_TRUE 0xfffffffeu
struct rpk_node {
    uint32_t atom, yes, no, neg;
};

/* A field with its argument, or a transformer over such. */
#define RPK_REF_DEPTH 16   /* nesting of transformers */
#define RPK_REF_BUDGET 512 /* refs that one expression may reach, shared ones counted each time */
struct rpk_ref {
    uint16_t field; /* enum field_id; 0 for a transformer or a literal */
    uint8_t xform;  /* enum xform_id of the language; 0: a plain field or a literal */
    uint8_t is_literal;
    int32_t index;       /* -1: none */
    struct rpk_str name; /* argument as text (of getopt: the option), or the literal */
    uint32_t kid0, nkid; /* transformer: its arguments, rows of refs with lower indexes */
};

struct rpk_atom {
    uint32_t lhs;   /* row of refs */
    uint32_t rhs;   /* row of refs, or RPK_NO_REF: constants */
    uint8_t op;     /* enum op_id */
    uint8_t mod;    /* enum op_modifier */
    uint8_t type;   /* enum type_id of the comparison */
    uint8_t sorted; /* the constants ascend by rpk_value_order(): one is found by halving */
    uint8_t pad[4];
    uint32_t val0, nval; /* rows of values */
};

struct rpk_value {
    int64_t num; /* of a pattern (OP_REGEX): its row of regexes */
    uint8_t addr[16];
    struct rpk_str text;
    uint8_t kind;   /* 0 number, 1 text, 2 address, 3 network */
    uint8_t family; /* 4, 6 */
    uint8_t prefix;
    uint8_t pad[5];
};

struct rpk_piece {
    struct rpk_str text; /* literal, or the field as spelled */
    uint32_t ref;        /* row of refs, or RPK_NO_REF: a literal */
    uint32_t width;
};

/* A test that the filter asks user space for, once for each thing that it is about (bpf/lore.h). */
struct rpk_lore {
    uint32_t atom; /* of a field of this kind */
    uint8_t kind;  /* enum lore_kind */
    uint8_t bit;
    uint8_t pad[2];
};

struct rpk_name {
    uint32_t set;
    char name[COMM_SIZE];
    uint32_t pad;
};

/*
 * A compiled pattern. Code points below 128 have their class in `ascii`, the others that of the
 * last of its rows of ranges that begins at or before them. Its rows of words are
 *
 *   an automaton:  by state, by class, the next state; behind each state's, 1 if a value may end
 *                  there. State 0 is the one from which nothing matches: it leads to itself.
 *   a program:     RPK_INST_WORDS by instruction: enum rpk_inst, next, next too or a set; behind
 *                  all, RPK_SET_WORDS by set: a bit for each class
 */
#define RPK_CLASSES_MAX 256
#define RPK_PROGRAM_MAX 4096 /* instructions of a program */
#define RPK_INST_WORDS 3
#define RPK_SET_WORDS 16
enum rpk_regex_kind { RPK_AUTOMATON, RPK_PROGRAM };
enum rpk_inst {
    RI_MATCH,
    RI_SET,   /* a character of the set, then next */
    RI_SPLIT, /* next, and next too */
    RI_BOL,   /* if a line begins here, next */
    RI_EOL,   /* if a line ends here, next */
    RI_COUNT
};
struct rpk_regex {
    uint8_t ascii[128];
    uint8_t kind; /* enum rpk_regex_kind */
    uint8_t pad;
    uint16_t nclass;
    uint16_t newline; /* its class, for a program's ^ and $; RPK_CLASSES_MAX: it has none */
    uint16_t start;   /* state, or instruction */
    uint32_t nstate;  /* states, or instructions */
    uint16_t nset;
    uint16_t pad2;
    uint32_t range0, nrange;
    uint32_t word0, nword;
};
struct rpk_range {
    uint32_t first; /* code point */
    uint32_t cls;
};

_Static_assert(sizeof(struct rpk_regex) == 160, "rpk_regex");
_Static_assert(sizeof(struct rpk_range) == 8, "rpk_range");
_Static_assert(sizeof(struct rpk_rule) == 56, "rpk_rule");
_Static_assert(sizeof(struct rpk_key) == 24, "rpk_key");
_Static_assert(sizeof(struct rpk_event) == 32, "rpk_event");
_Static_assert(sizeof(struct rpk_node) == 16, "rpk_node");
_Static_assert(sizeof(struct rpk_ref) == 24, "rpk_ref");
_Static_assert(sizeof(struct rpk_atom) == 24, "rpk_atom");
_Static_assert(sizeof(struct rpk_value) == 40, "rpk_value");
_Static_assert(sizeof(struct rpk_piece) == 16, "rpk_piece");
_Static_assert(sizeof(struct rpk_name) == 24, "rpk_name");
_Static_assert(sizeof(struct rpk_lore) == 8, "rpk_lore");

/* A validated bundle. Pointers are into the caller's bytes, which must outlive it. */
struct rpk {
    const uint8_t *base; /* start of .rulepack */
    const struct rpk_head *head;
    const struct rpk_rule *rules;
    const struct rpk_event *events;
    const struct rpk_root *roots;
    const struct rpk_node *nodes;
    const struct rpk_atom *atoms;
    const struct rpk_value *values;
    const struct rpk_piece *pieces;
    const struct rpk_ref *refs;
    const struct rpk_str *tags;
    const struct rpk_str *patterns;
    const struct rpk_name *names;
    const struct rpk_regex *regexes;
    const struct rpk_range *ranges;
    const uint16_t *words;
    const char *strings;
    const struct rpk_key *keys;
    const uint32_t *ranks;
    const struct class_bucket *class_edges;
    const struct sketch_row *sketch;
    const struct rpk_lore *lore;
    const struct class_row *class_rows;
    const struct class_cand *class_cands;
    const struct class_test *class_tests;
    const uint8_t *on; /* the caller's, by rule: 0 is off (select.h). NULL: as the rules say */
};

/* Whether a rule is judged at all. */
static inline int rpk_rule_on(const struct rpk *r, uint32_t rule)
{
    return r->on ? r->on[rule] : !(r->rules[rule].flags & RPK_RULE_OFF);
}

/*
 * Checks a whole file (ELF and all) or a bare .rulepack section and fills the view. 0, or
 * -EINVAL / -ENOEXEC (not a bundle) / -EPROTO (other version, catalog or layout) with the reason
 * in `err`. Reads nothing outside `bytes`; `bytes` must be 8-aligned.
 */
int rpk_open(struct rpk *r, const void *bytes, size_t size, char *err, size_t errlen);
int rpk_open_section(struct rpk *r, const void *section, size_t size, char *err, size_t errlen);
/* Where the bundle's functions stand in the file, and their length; 0 if it has none. */
uint64_t rpk_code(const void *bytes, size_t size, uint64_t *len);
const char *rpk_text(const struct rpk *r, struct rpk_str s); /* NUL-terminated */
/* Order of numbers (of this type), of texts by bytes, of addresses by family and bytes. */
int rpk_value_order(const struct rpk *r, uint8_t type, const struct rpk_value *a,
                    const struct rpk_value *b);
uint64_t rpk_abi_digest(void);
/* For the validator: rows [first, first + n) exist in a table of `total`. */
static inline int rpk_rows_exist(uint32_t first, uint32_t n, uint32_t total)
{
    return n <= total && first <= total - n;
}
/*
 * For the validator (rpk_elf.c): where a section stands in the file, and its length; both are
 * inside the file. 0, or -EINVAL / -ENOEXEC with the reason in `err`.
 */
int rpk_elf_find(const void *bytes, size_t size, const char *name, uint64_t *off, uint64_t *len,
                 char *err, size_t errlen);
/* For the validator (rpk_class.c): what is wrong with a row of one of these tables, or NULL. */
enum rpk_class_table {
    RPK_KEY,
    RPK_RANK,
    RPK_BUCKET,
    RPK_CLASS,
    RPK_CAND,
    RPK_CLASS_TEST,
    RPK_SKETCH
};
const char *rpk_class_wrong(const struct rpk *r, enum rpk_class_table table, uint32_t row);
/* For the validator (rpk_regex.c): what is wrong with a pattern's row, or NULL. */
const char *rpk_regex_wrong(const struct rpk *r, uint32_t row);

#endif
