/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions: RE2's language in POSIX mode, as Falco asks for it (rule-language 5.3).
 *
 *   pattern --parse--> tree --regex_compile--> tables that runtime/match_regex.c runs
 *                        \----regex_eval-----> the answer, for the reference evaluator
 *
 * A pattern matches whole values, as sequences of code points. `.` is any of them but the newline,
 * a negated class has it; `^` and `$` hold at the ends of lines too. Bytes of the value that are
 * not UTF-8 count as U+FFFD, one for each sequence that breaks off; a pattern must be UTF-8.
 *
 * Limits: a pattern has 255 bytes as every constant, nested counts multiply to 1000 at most (as in
 * RE2). With its counts written out it may have REGEX_INST_MAX instructions. It becomes an
 * automaton if that takes no more than REGEX_STATES_MAX states, REGEX_WORDS_MAX transitions and
 * REGEX_WORK_MAX steps to make (all patterns of a compilation together: REGEX_ALL_WORK_MAX); else a
 * program of at most RPK_PROGRAM_MAX instructions (rpk.h). The first costs one table access a
 * character, the second at most as many steps as it is long; both go through the value once.
 */
#ifndef RULEC_REGEX_H
#define RULEC_REGEX_H

#include "model.h"
#include "rpk.h"

#define REGEX_PATTERN_MAX 255 /* bytes */
#define REGEX_COUNT_MAX 1000
#define REGEX_INST_MAX 16384u /* of the program, counts written out */
#define REGEX_STATES_MAX 16384u
#define REGEX_WORDS_MAX (256u << 10)
#define REGEX_WORK_MAX (8u << 20)
#define REGEX_ALL_WORK_MAX (64u << 20)
#define REGEX_CODE_MAX 0x10ffffu

/* Code points lo..hi. */
struct re_range {
    uint32_t lo, hi;
};
/* Rows of ranges: ascending, with gaps between them; none: nothing matches. */
struct re_set {
    uint32_t range0, n;
};

enum re_kind {
    RE_EMPTY,
    RE_SET,    /* one code point of `set` */
    RE_CAT,    /* a, then b */
    RE_ALT,    /* a or b */
    RE_REPEAT, /* a, min to max times */
    RE_BOL,    /* ^ */
    RE_EOL,    /* $ */
};
#define RE_NO_MAX UINT32_MAX
struct re_node {
    enum re_kind kind;
    uint32_t a, b; /* rows of nodes, lower than this one's */
    uint32_t min, max;
    uint32_t set;    /* row of sets */
    uint32_t copies; /* of the innermost thing, nested counts multiplied */
};

struct regex {
    VEC(struct re_node) nodes;
    VEC(struct re_set) sets; /* no two alike */
    VEC(struct re_range) ranges;
    uint32_t root;
    uint64_t work_max;            /* steps that making an automaton may take */
    const struct re_table *table; /* of the patterns of a compilation */
};

/* What is wrong with a pattern: bytes off..off+len of it. */
struct regex_error {
    uint32_t off, len;
    const char *text;
    const char *hint; /* or NULL */
};

/* The tree in the arena, or NULL with `*err` filled in. At most REGEX_PATTERN_MAX bytes. */
struct regex *regex_parse(struct arena *a, const char *pattern, size_t len,
                          struct regex_error *err);

/* Does the text match? Slow and obvious; shares nothing with regex_compile() but the tree. */
bool regex_eval(const struct regex *re, const char *text, size_t len);

/*
 * The strings that match, if they are at most `max`, each a text that is matched by nothing else:
 * appended to `out`; their number. 0, and nothing is appended: too many, or not such a pattern.
 */
struct re_strings {
    VEC(str_id) v;
};
uint32_t regex_strings(struct comp *c, const struct regex *re, uint32_t max,
                       struct re_strings *out);
/* What every text that matches begins with, and ends with; may be empty. */
str_id regex_prefix(const struct comp *c, const struct regex *re);
str_id regex_suffix(const struct comp *c, const struct regex *re);

/* A compiled pattern: a row of the bundle, with its own rows of words and ranges from 0 on. */
struct re_table {
    struct rpk_regex head;
    VEC(uint16_t) words;
    VEC(struct rpk_range) ranges;
    uint64_t work; /* steps that were made for an automaton, whether or not it became one */
};
/* False: it fits neither form. */
bool regex_compile(struct arena *a, const struct regex *re, struct re_table *out);

/* ---- the patterns of a compilation ---- */

/* The row of comp.regexes of a pattern, made on first use. 0: wrong, with `*err` filled in. */
uint32_t regex_row(struct comp *c, str_id pattern, struct regex_error *err);
/* A pattern that has been typed. */
const struct regex *regex_of(const struct comp *c, str_id pattern);

/* ---- inside: the program that both compiled forms are made of ---- */

struct re_inst {
    enum rpk_inst op;
    uint32_t x;   /* next */
    uint32_t y;   /* RI_SPLIT: next too */
    uint32_t set; /* RI_SET */
};
struct re_prog {
    VEC(struct re_inst) inst;
    uint32_t start;
    uint32_t nclass;
    VEC(struct rpk_range) bounds; /* from 0 on: classes of code points */
    VEC(uint8_t) member;          /* by set, then class */
    uint32_t newline;             /* its class: of it alone if the program has ^ or $ */
};
/* The automaton in out->words, head.nstate states of it; false: over a limit. */
bool regex_automaton(struct arena *a, const struct re_prog *p, uint64_t work_max,
                     struct re_table *out);

#endif
