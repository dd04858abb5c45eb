/* SPDX-License-Identifier: Apache-2.0 */
#include "cost.h"

#include "intern.h"
#include "pattern.h"
#include "place.h"

static const uint32_t bases[] = {
#define COST_BASE(key, cost) [COST_BASE_##key] = (cost),
#include "cost.def"
};
static const uint32_t tests[] = {
#define COST_TEST(key, cost) [COST_TEST_##key] = (cost),
#include "cost.def"
};
static const uint32_t groups[G_COUNT] = {
#define COST_GROUP(id, cost) [G_##id] = (cost),
#include "cost.def"
};

enum prior {
#define PRIOR(kind, each) PRIOR_##kind,
#include "prior.def"
};
static const uint32_t priors[] = {
#define PRIOR(kind, each) [PRIOR_##kind] = (each),
#include "prior.def"
};

uint32_t cost_base(enum cost_base key)
{
    return bases[key];
}

uint32_t cost_test(enum cost_test key)
{
    return tests[key];
}

/* One that is not measured is taken for a dear one: no test of it shall come first for nothing. */
uint32_t cost_group(enum slot_group g)
{
    return groups[g] || g == G_EVENT ? groups[g] : groups[G_PATH];
}

/* ---- one test ---- */

#define PATH_BYTES 40u /* of a path or a command line, as they are on the average */
#define NAME_BYTES 8u  /* of the name of a process */

/* The kernel can tell some texts that the patterns do not match (place.c). */
static bool is_narrowed(const struct comp *c, const struct atom *a)
{
    bool begins = true, ends = true;
    for (uint32_t i = 0; i < a->nval; i++) {
        begins = begins && STRLEN(c, pattern_known(c, a, i, OP_STARTSWITH));
        ends = ends && STRLEN(c, pattern_known(c, a, i, OP_ENDSWITH));
    }
    return begins || ends;
}

static bool is_name(enum field_id f)
{
    return f == F_proc_name || f == F_proc_pname || f == F_proc_sname || f == F_proc_aname;
}

/* Words of 8 bytes beyond the first that a comparison with the longest constant looks at. */
static uint32_t more_words(const struct comp *c, const struct atom *a)
{
    size_t most = 1;
    for (uint32_t i = 0; i < a->nval; i++) {
        size_t n = STRLEN(c, c->values.v[a->val0 + i].text);
        most = n > most ? n : most;
    }
    return (uint32_t)(most - 1) / 8;
}

/* The text is one of the constants: in code, of which the cost grows with their logarithm. */
static uint32_t list_cost(const struct comp *c, const struct atom *a)
{
    uint32_t cost = tests[COST_TEST_TEXT] + more_words(c, a) * tests[COST_TEST_WORD];
    if (a->nval <= 1)
        return cost;
    if (a->nval > INLINE_TEXTS_MAX)
        return tests[COST_TEST_LOOKUP] + more_words(c, a) * tests[COST_TEST_LOOKUP_WORD];
    if (is_name(a->lhs.field) && a->nval > INLINE_NAMES_MAX)
        return tests[COST_TEST_NAME_SET];
    cost += tests[COST_TEST_LIST];
    for (uint32_t n = a->nval; n > 8; n /= 2)
        cost += tests[COST_TEST_LIST_STEP];
    return cost;
}

/* Of the operators that look for a pattern those of which the kernel knows nothing. */
static bool is_opaque(const struct comp *c, const struct atom *a)
{
    return (a->op == OP_REGEX || pattern_is_op(a->op)) && !is_narrowed(c, a) &&
           !(pattern_is_op(a->op) && pattern_all_simple(c, a));
}

static uint32_t text_cost(const struct comp *c, const struct atom *a)
{
    uint32_t bytes = is_name(a->lhs.field) ? NAME_BYTES : PATH_BYTES;
    uint32_t each = 0;
    if (is_opaque(c, a))
        return COST_USER;
    if (a->op == OP_STARTSWITH || a->op == OP_BSTARTSWITH || a->op == OP_ENDSWITH) {
        each = tests[a->op != OP_ENDSWITH ? COST_TEST_PREFIX : COST_TEST_SUFFIX] +
               more_words(c, a) * tests[COST_TEST_WORD];
    } else if (a->op == OP_CONTAINS || a->op == OP_ICONTAINS || a->op == OP_BCONTAINS ||
               a->op == OP_IGLOB) {
        each = tests[COST_TEST_CONTAINS] + (bytes - 8) * tests[COST_TEST_CONTAINS_BYTE];
    } else if (a->op == OP_REGEX || a->op == OP_GLOB || a->op == OP_PMATCH) {
        each = tests[COST_TEST_PREFIX]; /* that decides nearly always */
    }
    return each ? a->nval * each : list_cost(c, a);
}

/* Fields that are made of others, and are one slot or two in the kernel (place.c). */
static bool is_derived_number(enum field_id f)
{
    return f == F_evt_res || f == F_evt_failed || f == F_fd_port || f == F_container_start_ts;
}

static bool is_address(const struct field_info *f)
{
    enum base_type base = catalog_type(f->type)->base;
    return base == BASE_IP || base == BASE_NET;
}

uint32_t cost_of_test(const struct comp *c, const struct atom *a)
{
    const struct field_info *f = catalog_field(a->lhs.field);
    uint32_t n = a->nval ? a->nval : 1;
    if (a->expr.i || a->rexpr.i || a->rhs.field || f->source == SRC_USER ||
        f->source == SRC_MISSING)
        return COST_USER;
    if (is_derived_number(a->lhs.field))
        return n * tests[COST_TEST_NUM];
    if (is_address(f))
        return n * tests[COST_TEST_NET];
    if (f->source == SRC_DERIVED)
        return COST_USER;
    if (f->source == SRC_ANC && a->lhs.field == F_proc_aname)
        return a->lhs.index < 0 ? tests[COST_TEST_ANC_ANY] : n * tests[COST_TEST_ANC];
    bool text = f->source == SRC_SLOT
                    ? f->slot >= N_COUNT
                    : f->source == SRC_ANC && a->nval && c->values.v[a->val0].kind == VAL_TEXT;
    if (!text && f->source == SRC_SLOT)
        return n * tests[COST_TEST_NUM];
    /* A parameter is a number on most events, and a text that is searched for is mostly a flag. */
    return text ? text_cost(c, a) : n * tests[COST_TEST_TEXT];
}

/* A parameter that rules see as an absolute path. */
static bool is_path_param(const struct comp *c, const struct atom *a)
{
    enum type_id t = catalog_param_type(STR(c, a->lhs.name), STRLEN(c, a->lhs.name));
    return a->lhs.field == F_evt_arg && (t == T_FSPATH || t == T_FSRELPATH);
}

/* The group of slots that the atom's value is in. */
static enum slot_group group_of(const struct comp *c, const struct atom *a)
{
    const struct field_info *f = catalog_field(a->lhs.field);
    if (f->source == SRC_SLOT && f->slot >= 0)
        return catalog_slot((unsigned)f->slot)->group;
    if (f->source == SRC_PARAM)
        return is_path_param(c, a) ? G_ABSPATH : G_ARGS;
    if (f->source == SRC_ANC)
        return a->lhs.field == F_proc_aname || a->lhs.field == F_proc_apid ? G_ANC : G_EXTRA;
    if (a->lhs.field == F_container_start_ts)
        return G_PROC;
    return is_address(f) || a->lhs.field == F_fd_port ? G_SOCK : G_EVENT;
}

uint32_t cost_of_atom(const struct comp *c, atom_id id)
{
    const struct atom *a = &c->atoms.v[id.i];
    uint32_t test = cost_of_test(c, a);
    return test == COST_USER ? COST_USER : test + cost_group(group_of(c, a));
}

/* ---- odds ---- */

/* What is assumed of a test by = of the field; 0: nothing in particular. */
static uint32_t usual_of(enum field_id f)
{
    static const struct {
        uint16_t field, usual;
    } rows[] = {
#define PRIOR_FIELD(field, usual) {F_##field, usual},
#include "prior.def"
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].field == f)
            return rows[i].usual;
    return 0;
}

/* The value is the constant. */
static uint32_t prior_equal(const struct comp *c, const struct atom *a)
{
    enum base_type base = catalog_type(a->type)->base;
    uint32_t usual = usual_of(a->lhs.field);
    if (base == BASE_BOOL && a->nval == 1) {
        uint32_t yes = usual ? usual : priors[PRIOR_TRUE];
        return c->values.v[a->val0].num ? yes : 1000 - yes;
    }
    if (usual)
        return usual;
    uint32_t each = priors[base == BASE_TEXT ? PRIOR_NAME : PRIOR_NUMBER];
    uint32_t all = a->nval * each;
    return all < priors[PRIOR_MOST] ? all : priors[PRIOR_MOST];
}

static uint32_t prior_of(const struct comp *c, const struct atom *a)
{
    static const uint8_t kinds[OP_COUNT] = {
        [OP_LT] = PRIOR_LESS,       [OP_LE] = PRIOR_LESS,        [OP_GT] = PRIOR_GREATER,
        [OP_GE] = PRIOR_GREATER,    [OP_EXISTS] = PRIOR_EXISTS,  [OP_GLOB] = PRIOR_PATTERN,
        [OP_IGLOB] = PRIOR_PATTERN, [OP_PMATCH] = PRIOR_PATTERN, [OP_REGEX] = PRIOR_PATTERN,
    };
    if (a->expr.i || a->rexpr.i || a->rhs.field)
        return priors[PRIOR_OTHER];
    if (a->op == OP_NE)
        return 1000 - prior_equal(c, a);
    if (a->op == OP_EQ || a->op == OP_IN || a->op == OP_INTERSECTS)
        return prior_equal(c, a);
    uint32_t each = priors[kinds[a->op] ? kinds[a->op] : PRIOR_PART];
    uint32_t all = a->nval * each;
    return a->nval <= 1 ? each : all < priors[PRIOR_MOST] ? all : priors[PRIOR_MOST];
}

uint32_t cost_prior(const struct comp *c, atom_id id)
{
    uint32_t p = prior_of(c, &c->atoms.v[id.i]);
    return p < 1 ? 1 : p > 999 ? 999 : p;
}
