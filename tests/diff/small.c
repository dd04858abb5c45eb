/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule that fails a check, made small: parts of its condition are left out, one after the other,
 * and what is left is printed, compiled and judged anew.
 */
#include "diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/pipeline.h"

struct small {
    struct comp *c; /* whose condition is taken apart */
    node_id root;
    char *event; /* as text */
    size_t event_len;
    enum check failed;
    bool kernel;
};

/* ---- as text ---- */

static void put_node(struct comp *c, FILE *out, node_id id)
{
    const struct node *n = &c->nodes.v[id.i];
    if (n->kind == NODE_TEST) {
        print_test(c, out, n);
        return;
    }
    fputs(n->kind == NODE_NOT ? "not " : "(", out);
    for (uint32_t i = 0; i < n->nkid; i++) {
        if (i)
            fputs(n->kind == NODE_AND ? " and " : " or ", out);
        put_node(c, out, c->kids.v[n->kid0 + i]);
    }
    if (n->kind != NODE_NOT)
        fputc(')', out);
}

static void put_rule(const struct small *s, FILE *out)
{
    fputs("- rule: r\n  desc: d\n  priority: INFO\n  output: o\n  condition: >-\n    ", out);
    put_node(s->c, out, s->root);
    fputc('\n', out);
}

/* ---- judged ---- */

/* Calls `then`, unless it is NULL, where the rule alone fails as it did. */
static bool still(const struct small *s,
                  void (*then)(struct judge *j, struct event *e, enum check failed))
{
    char *text = NULL, err[256];
    size_t len = 0;
    uint32_t rule;
    struct judge j;
    struct event e = {0};
    bool fails = false;
    FILE *out = open_memstream(&text, &len);
    put_rule(s, out);
    fclose(out);
    struct comp *c = build_text("a smaller rule", text, len);
    if (c && judge_open(&j, c, s->kernel, 0)) {
        e.num = 1;
        fails = !event_parse(c, s->event, s->event_len, &e, err, sizeof(err)) &&
                judge_event(&j, &e, s->kernel, &rule) == s->failed;
        if (fails && then)
            then(&j, &e, s->failed);
        judge_close(&j);
    }
    if (c)
        comp_free(c);
    free(text);
    return fails;
}

/* ---- smaller ---- */

/* The group without its kid `i`; a group of one is that one. */
static struct node without(struct comp *c, const struct node *n, uint32_t i)
{
    struct node smaller = *n;
    node_id *kids = c->kids.v + n->kid0;
    if (n->nkid <= 2)
        return c->nodes.v[kids[n->nkid == 2 ? 1 - i : 0].i];
    node_id last = kids[n->nkid - 1];
    kids[n->nkid - 1] = kids[i];
    kids[i] = last;
    smaller.nkid--;
    return smaller;
}

static bool try_node(const struct small *s, node_id id, struct node smaller)
{
    struct node whole = s->c->nodes.v[id.i];
    s->c->nodes.v[id.i] = smaller;
    if (still(s, NULL))
        return true;
    s->c->nodes.v[id.i] = whole;
    return false;
}

/* The list without its first constant, or without its last. */
static bool shorten_list(const struct small *s, node_id id)
{
    struct node n = s->c->nodes.v[id.i];
    if (n.nlit < 2)
        return false;
    n.nlit--;
    if (try_node(s, id, n))
        return true;
    n.lit0++;
    return try_node(s, id, n);
}

static bool shrink_node(const struct small *s, node_id id)
{
    struct node n = s->c->nodes.v[id.i];
    if (n.kind == NODE_TEST)
        return shorten_list(s, id);
    for (uint32_t i = 0; i < n.nkid; i++)
        if (try_node(s, id, without(s->c, &n, i)))
            return true;
    for (uint32_t i = 0; i < n.nkid; i++)
        if (shrink_node(s, s->c->kids.v[n.kid0 + i]))
            return true;
    return false;
}

static void show_small(struct judge *j, struct event *e, enum check failed)
{
    shrink_event(j, e, failed);
    fputs("   smallest event: ", stdout);
    event_print(j->c, e, stdout);
    putchar('\n');
}

/* The smallest of both, printed, if the rule alone fails. */
static bool take_apart(struct small *s)
{
    if (!still(s, NULL))
        return false;
    while (shrink_node(s, s->root))
        ;
    fputs("   smallest rule: ", stdout);
    put_node(s->c, stdout, s->root);
    putchar('\n');
    return still(s, show_small);
}

bool shrink_rule(struct judge *j, node_id condition, const struct event *e, enum check failed)
{
    struct small s = {
        .c = j->c, .root = condition, .failed = failed, .kernel = failed == CHECK_KERNEL};
    size_t nodes = j->c->nodes.n * sizeof(*j->c->nodes.v);
    size_t kids = j->c->kids.n * sizeof(*j->c->kids.v);
    void *whole_nodes = malloc(nodes), *whole_kids = malloc(kids + 1);
    FILE *out = open_memstream(&s.event, &s.event_len);
    event_print(j->c, e, out);
    fclose(out);
    bool alone = false;
    if (whole_nodes && whole_kids) {
        memcpy(whole_nodes, j->c->nodes.v, nodes);
        memcpy(whole_kids, j->c->kids.v, kids);
        alone = take_apart(&s);
        memcpy(j->c->nodes.v, whole_nodes, nodes);
        memcpy(j->c->kids.v, whole_kids, kids);
    }
    free(whole_nodes);
    free(whole_kids);
    free(s.event);
    return alone;
}
