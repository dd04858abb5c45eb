/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an event in JSON, judged against our own rules (the folders stdlib and rules, seen
 * from where the program runs). An event that is read, printed and read again means the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/arena.h"
#include "../../compiler/diag.h"
#include "../../compiler/pipeline.h"
#include "lib/fuzz.h"

/* Texts of events are interned and stay: the pack is made anew after so many bytes of them. */
#define GROWTH_MAX (64u << 20)

static struct judge judge;
static size_t start;
static uint8_t *before;

static void open_pack(void)
{
    char stdlib[] = "stdlib", rules[] = "rules";
    char *paths[] = {stdlib, rules};
    struct comp *c = comp_new();
    if (pipeline_run(c, paths, 2, "table") || diag_count(c, SEV_ERROR))
        fuzz_fail("the rules of stdlib and rules do not compile");
    if (!judge_open(&judge, c, false, 0))
        fuzz_fail("an evaluator refuses the pack: %s", judge.error);
    start = arena_size(c->arena);
    before = malloc(c->nrule);
}

static void close_pack(void)
{
    struct comp *c = judge.c;
    judge_close(&judge);
    comp_free(c);
    free(before);
    judge.c = NULL;
}

static void check_again(const struct event *e)
{
    struct event again = {0};
    char *text = NULL, why[256] = "";
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    event_print(judge.c, e, out);
    fclose(out);
    if (event_parse(judge.c, text, len, &again, why, sizeof(why)))
        fuzz_fail("%s of an event that was printed: %s", why, text);
    memcpy(before, judge.tree, judge.nrule);
    memset(judge.tree, 0, judge.nrule);
    eval_tree(judge.c, &again, judge.tree);
    if (memcmp(before, judge.tree, judge.nrule) != 0)
        fuzz_fail("another verdict after printing: %s", text);
    free(text);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct event e = {0};
    char why[256] = "";
    if (judge.c && arena_size(judge.c->arena) > start + GROWTH_MAX)
        close_pack();
    if (!judge.c)
        open_pack();
    if (!event_parse(judge.c, (const char *)data, size, &e, why, sizeof(why)) &&
        e.type != EV_NONE) {
        e.num = 1;
        fuzz_judge(&judge, &e);
        check_again(&e);
    }
}
