/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles and records made by hand, for the tests of the runtime. A bundle is collected row by row
 * and packed into the bytes of a .rulepack section; a record is a scratch event, packed as the
 * probe packs it.
 */
#ifndef TEST_BUNDLE_H
#define TEST_BUNDLE_H

#include <stdlib.h>
#include <string.h>

#include "../../grammar/catalog.h"
#include "../../runtime/record.h"

#define ROWS 64
#define NOREF 0xffffffffu

struct bundle {
    struct rpk_rule rules[ROWS];
    struct rpk_event events[ROWS];
    struct rpk_root roots[ROWS];
    struct rpk_node nodes[ROWS];
    struct rpk_atom atoms[ROWS];
    struct rpk_value values[ROWS];
    struct rpk_piece pieces[ROWS];
    struct rpk_ref refs[ROWS];
    struct rpk_str tags[ROWS];
    struct rpk_str patterns[ROWS];
    struct rpk_name names[ROWS];
    struct rpk_key keys[ROWS];
    uint32_t ranks[ROWS];
    struct class_bucket class_edges[ROWS];
    struct class_row class_rows[ROWS];
    struct class_cand class_cands[ROWS];
    struct class_test class_tests[ROWS];
    struct sketch_row sketch[ROWS];
    struct rpk_lore lore[ROWS];
    uint32_t nkey, nrank, nedge, nclass, ncand, ntest, nsketch, nlore;
    struct rpk_regex regexes[ROWS];
    struct rpk_range ranges[ROWS];
    uint16_t words[ROWS];
    char strings[8192];
    uint32_t nrule, nevent, nroot, nnode, natom, nvalue, npiece, nref, ntag, npattern, nname;
    uint32_t nregex, nrange, nword, nstr;
    struct probe_plan plan;
};

static inline struct rpk_str b_bytes(struct bundle *b, const char *s, size_t n)
{
    struct rpk_str r = {b->nstr, (uint32_t)n};

    memcpy(b->strings + b->nstr, s, n);
    b->nstr += (uint32_t)n + 1;
    return r;
}

static inline struct rpk_str b_str(struct bundle *b, const char *s)
{
    return b_bytes(b, s, strlen(s));
}

static inline struct bundle *b_new(void)
{
    struct bundle *b = calloc(1, sizeof(*b));

    b_str(b, "");
    b->plan.readings = READ_BIT(READ_KERNEL);
    return b;
}

static inline uint32_t b_ref(struct bundle *b, enum field_id f, int32_t index, const char *name)
{
    b->refs[b->nref] =
        (struct rpk_ref){.field = (uint16_t)f, .index = index, .name = b_str(b, name)};
    return b->nref++;
}

static inline uint32_t b_literal(struct bundle *b, const char *text)
{
    b->refs[b->nref] = (struct rpk_ref){.is_literal = 1, .index = -1, .name = b_str(b, text)};
    return b->nref++;
}

static inline uint32_t b_xform(struct bundle *b, uint8_t xform, uint32_t kid0, uint32_t nkid)
{
    b->refs[b->nref] = (struct rpk_ref){
        .xform = xform, .index = -1, .name = b_str(b, ""), .kid0 = kid0, .nkid = nkid};
    return b->nref++;
}

static inline uint32_t b_text(struct bundle *b, const char *s)
{
    b->values[b->nvalue] = (struct rpk_value){.kind = 1, .text = b_str(b, s)};
    return b->nvalue++;
}

static inline uint32_t b_num(struct bundle *b, int64_t n)
{
    b->values[b->nvalue] = (struct rpk_value){.kind = 0, .num = n};
    return b->nvalue++;
}

/* The pattern "a*", as an automaton of two states and two classes: `a`, and the others. */
static inline uint32_t b_regex(struct bundle *b)
{
    static const uint16_t words[] = {0, 0, 0, 0, 1, 1};
    struct rpk_regex x = {.nclass = 2, .newline = RPK_CLASSES_MAX, .start = 1, .nstate = 2};

    x.ascii['a'] = 1;
    x.nrange = 1;
    x.range0 = b->nrange;
    x.nword = sizeof(words) / sizeof(words[0]);
    x.word0 = b->nword;
    memcpy(b->words + b->nword, words, sizeof(words));
    b->nword += x.nword;
    b->ranges[b->nrange++] = (struct rpk_range){128, 0};
    b->regexes[b->nregex] = x;
    return b->nregex++;
}

static inline uint32_t b_atom(struct bundle *b, uint32_t lhs, enum op_id op, enum op_modifier mod,
                              enum type_id type, uint32_t val0, uint32_t nval)
{
    b->atoms[b->natom] = (struct rpk_atom){.lhs = lhs,
                                           .rhs = NOREF,
                                           .op = (uint8_t)op,
                                           .mod = (uint8_t)mod,
                                           .type = (uint8_t)type,
                                           .val0 = val0,
                                           .nval = nval};
    return b->natom++;
}

static inline uint32_t b_node(struct bundle *b, uint32_t atom, uint32_t yes, uint32_t no, bool neg)
{
    b->nodes[b->nnode] = (struct rpk_node){atom, yes, no, neg};
    return b->nnode++;
}

static inline uint32_t b_rule(struct bundle *b, const char *name, uint8_t priority)
{
    b->rules[b->nrule] = (struct rpk_rule){.name = b_str(b, name),
                                           .desc = b_str(b, ""),
                                           .source = b_str(b, "syscall"),
                                           .file = b_str(b, "f"),
                                           .line = 1,
                                           .priority = priority,
                                           .tags = {b->ntag, 0},
                                           .pieces = {b->npiece, 0}};
    return b->nrule++;
}

static inline void b_tag(struct bundle *b, const char *tag)
{
    b->tags[b->ntag++] = b_str(b, tag);
    b->rules[b->nrule - 1].tags.n++;
}

static inline void b_piece(struct bundle *b, const char *text, uint32_t ref)
{
    b->pieces[b->npiece++] = (struct rpk_piece){b_str(b, text), ref, 0};
    b->rules[b->nrule - 1].pieces.n++;
}

/* A row of events; its roots are those added after it. */
static inline void b_event(struct bundle *b, enum event_id e, int32_t sysnr)
{
    b->events[b->nevent++] =
        (struct rpk_event){.event = (uint16_t)e, .sysnr = sysnr, .root0 = b->nroot, .nroot = 0};
}

static inline void b_root(struct bundle *b, uint32_t rule, uint32_t node)
{
    b->roots[b->nroot++] = (struct rpk_root){rule, node};
    b->events[b->nevent - 1].nroot++;
}

static inline struct rpk_span b_table(uint8_t *buf, uint32_t *at, const void *rows, size_t elem,
                                      uint32_t n)
{
    struct rpk_span s = {*at, n};

    memcpy(buf + *at, rows, elem * n);
    *at += (uint32_t)((elem * n + 7) & ~7u);
    return s;
}

/* The section's bytes, 8-aligned; the caller frees them. */
static inline uint8_t *b_pack(const struct bundle *b, size_t *size)
{
    uint8_t *buf = calloc(1, sizeof(*b) + sizeof(struct rpk_head) + 256);
    struct rpk_head *h = (struct rpk_head *)(void *)buf;
    uint32_t at = (sizeof(*h) + 7) & ~7u;

    h->magic = RPK_MAGIC;
    h->version = RPK_VERSION;
    h->catalog = catalog_digest();
    h->abi = rpk_abi_digest();
    h->plan = b->plan;
#define T(field, n) h->field = b_table(buf, &at, b->field, sizeof(b->field[0]), b->n)
    T(rules, nrule);
    T(events, nevent);
    T(roots, nroot);
    T(nodes, nnode);
    T(atoms, natom);
    T(values, nvalue);
    T(pieces, npiece);
    T(refs, nref);
    T(tags, ntag);
    T(patterns, npattern);
    T(names, nname);
    T(regexes, nregex);
    T(ranges, nrange);
    T(words, nword);
    T(strings, nstr);
    T(keys, nkey);
    T(ranks, nrank);
    T(class_edges, nedge);
    T(class_rows, nclass);
    T(class_cands, ncand);
    T(class_tests, ntest);
    T(sketch, nsketch);
    T(lore, nlore);
#undef T
    h->size = at;
    *size = at;
    return buf;
}

/* ---- records ---- */

static inline struct ev *e_new(enum event_id event)
{
    struct ev *ev = calloc(1, sizeof(*ev));

    ev->h.event = (uint16_t)event;
    ev->h.readings = READ_BIT(READ_KERNEL);
    ev->h.anc_state = ST_ABSENT;
    memset(ev->h.st, ST_ABSENT, sizeof(ev->h.st));
    return ev;
}

static inline void e_num(struct ev *ev, enum num_slot s, int64_t n)
{
    ev->h.num[s] = n;
    ev->h.st[SLOT_OF_NUM(s)] = ST_PRESENT;
}

static inline void e_bytes(struct ev *ev, enum str_slot s, const void *text, size_t n)
{
    static const size_t offs[] = {
#define SLOT_STR(id, group, cap, doc) offsetof(struct ev, s_##id),
#include "../../grammar/slots.def"
    };

    memcpy((char *)ev + offs[s], text, n);
    ev->h.len[s] = (uint32_t)n;
    ev->h.st[SLOT_OF_STR(s)] = ST_PRESENT;
}

static inline void e_text(struct ev *ev, enum str_slot s, const char *text)
{
    e_bytes(ev, s, text, strlen(text));
}

static inline void e_state(struct ev *ev, unsigned slot, enum slot_state st)
{
    ev->h.st[slot] = (uint8_t)st;
}

static inline void e_anc(struct ev *ev, const char *name)
{
    strncpy(ev->h.anc[ev->h.anc_count++], name, COMM_SIZE - 1);
    ev->h.anc_state = ST_PRESENT;
}

/* The wire record, 8-aligned; the caller frees it. */
static inline void *e_pack(const struct ev *ev, size_t *size)
{
    static const size_t offs[] = {
#define SLOT_STR(id, group, cap, doc) offsetof(struct ev, s_##id),
#include "../../grammar/slots.def"
    };
    struct rec *rec = calloc(1, sizeof(*ev));
    char *at = (char *)(rec + 1);

    rec->h = ev->h;
    for (unsigned s = 0; s < S_COUNT; s++) {
        uint8_t st = ev->h.st[SLOT_OF_STR(s)];

        if (st != ST_PRESENT && st != ST_CUT)
            continue;
        memcpy(at, (const char *)ev + offs[s], ev->h.len[s]);
        at += ev->h.len[s];
    }
    rec->base_len = ev->base_len;
    for (unsigned k = 0; k < READ_ALTS; k++) {
        rec->alt_len[k] = ev->alt_len[k];
        if (!(ev->h.readings & READ_BIT(k + 1)))
            continue;
        memcpy(at, ev->alt[k], ev->alt_len[k]);
        at += ev->alt_len[k];
    }
    memcpy(at, ev->base, ev->base_len);
    at += ev->base_len;
    *size = (size_t)(at - (char *)rec);
    rec->h.size = (uint32_t)*size;
    return rec;
}

#endif
