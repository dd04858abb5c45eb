/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items -> rules with bound conditions and templates. All items are collected first, in load
 * order; then every list, macro and rule of the store is compiled.
 */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "ast.h"
#include "diag.h"
#include "intern.h"
#include "pack.h"
#include "pipeline.h"

/* Tags are a set, in the order of their bytes. Sorting ids needs their texts: hence the pairs. */
struct tag {
    const char *text;
    size_t len;
    str_id id;
};

static int compare_tags(const void *va, const void *vb)
{
    const struct tag *a = va, *b = vb;
    int d = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return d ? d : a->len < b->len ? -1 : a->len > b->len;
}

static void resolve_tags(struct comp *c, const struct rule_def *d, struct rule *r)
{
    struct tag *tags = arena_alloc(c->arena, d->tags.n * sizeof(*tags));
    for (uint32_t i = 0; i < d->tags.n; i++) {
        str_id id = d->tags.v[i];
        tags[i] = (struct tag){STR(c, id), STRLEN(c, id), id};
    }
    qsort(tags, d->tags.n, sizeof(*tags), compare_tags);
    r->tag0 = c->tags.n;
    for (uint32_t i = 0; i < d->tags.n; i++)
        if (!i || tags[i].id.i != tags[i - 1].id.i)
            VEC_PUSH(c->arena, &c->tags, tags[i].id);
    r->ntag = c->tags.n - r->tag0;
}

/* `%container.info` says nothing today: it is taken out, as Falco does. */
static void drop_container_info(struct comp *c, struct text *t)
{
    static const char info[] = "%container.info";
    uint32_t len = sizeof(info) - 1, done = 0;
    struct text out = {0};
    for (const char *hit; t->bytes.n - done >= len; done += len) {
        hit = memmem(t->bytes.v + done, t->bytes.n - done, info, len);
        if (!hit)
            break;
        uint32_t at = (uint32_t)(hit - t->bytes.v);
        diag(c, RK0209, text_span(c, t, at, len), NULL,
             "`%%container.info` has no meaning any more, and is left out");
        text_put_range(c, &out, t, done, at - done);
        done = at;
    }
    if (done) {
        text_put_range(c, &out, t, done, t->bytes.n - done);
        *t = out;
    }
}

/* False: the rule is to be skipped. */
static bool resolve_output(struct comp *c, struct rule_def *d, struct rule *r)
{
    drop_container_info(c, &d->output);
    text_end(c, &d->output);
    r->output_text = text_intern(c, &d->output);
    if (!d->output.bytes.n) {
        diag(c, RK0240, r->output_at, NULL, "the output is empty");
        r->failed = true;
        return true;
    }
    switch (ast_output(c, &d->output, r->skip_if_unknown, &r->out0, &r->nout)) {
    case OUTPUT_OK:
        return true;
    case OUTPUT_UNKNOWN:
        return false;
    case OUTPUT_BAD:
        break;
    }
    r->failed = true;
    return true;
}

static void resolve_condition(struct pack *pk, struct rule_def *d, struct rule *r)
{
    struct comp *c = pk->c;
    struct text text, final;
    bool ok = except_condition(pk, d, &text);
    r->condition_text = text_intern(c, &text);
    if (ok && subst_lists(pk, &text, &final)) {
        uint32_t lit0 = c->lits.n;
        r->condition_final = text_intern(c, &final);
        node_id root = ast_condition(c, &final);
        if (!pk->draft) {
            subst_check_words(pk, lit0, c->lits.n);
            subst_check_fields(pk, lit0, c->lits.n);
        }
        r->condition = bind_condition(pk, root);
    }
    r->failed |= !r->condition.i;
}

/*
 * The output comes first, as in Falco: a rule that is skipped for it may have any condition, but
 * the values of its exceptions must fit. One that has failed already is looked through all the
 * same, for its other mistakes.
 */
void resolve_rule(struct pack *pk, struct rule_def *d, struct rule *r)
{
    struct comp *c = pk->c;
    diag_set_rule(c, r->name);
    bool skipped = r->output_at.i && !resolve_output(c, d, r);
    r->dropped |= skipped;
    if (d->condition.bytes.n && !skipped) {
        resolve_condition(pk, d, r);
    } else if (skipped) {
        struct text text;
        r->failed |= !except_condition(pk, d, &text);
    }
    diag_set_rule(c, (str_id){0});
}

static void resolve_def(struct pack *pk, struct rule_def *d)
{
    struct comp *c = pk->c;
    struct rule *r = &c->rules.v[d->rule];
    r->desc = text_intern(c, &d->desc);
    resolve_tags(c, d, r);
    if (d->foreign)
        draft_mark_used(pk, d);
    else
        resolve_rule(pk, d, r);
}

/* What a macro compares is looked at where it is used, as Falco does. */
static void check_used(struct pack *pk)
{
    for (uint32_t i = 0; i < pk->macros.n; i++) {
        const struct macro_def *m = &pk->macros.v[i];
        if (m->used)
            subst_check_fields(pk, m->lit0, m->lit_end);
    }
}

static void report_unused(struct pack *pk)
{
    struct comp *c = pk->c;
    for (uint32_t i = 0; i < pk->macros.n; i++) {
        const struct macro_def *m = &pk->macros.v[i];
        if (!m->used) {
            diag(c, RK0223, m->at, NULL, "macro `%s` is not used",
                 diag_word(c, STR(c, m->name), STRLEN(c, m->name)));
        }
    }
    for (uint32_t i = 0; i < pk->lists.n; i++) {
        const struct list_def *l = &pk->lists.v[i];
        if (!l->used) {
            diag(c, RK0224, l->at, NULL, "list `%s` is not used",
                 diag_word(c, STR(c, l->name), STRLEN(c, l->name)));
        }
    }
}

int pass_resolve(struct comp *c)
{
    struct pack pk = {.c = c};
    draft_prepare(&pk);
    for (uint32_t i = 0; i < c->items.n; i++) {
        if (i && c->items.v[i].doc_file != pk.file)
            draft_file(&pk);
        pack_add_item(&pk, &c->items.v[i]);
    }
    subst_prepare(&pk);
    bind_macros(&pk);
    for (uint32_t i = 0; i < pk.rules.n; i++)
        resolve_def(&pk, &pk.rules.v[i]);
    check_used(&pk);
    report_unused(&pk);
    return 0;
}
