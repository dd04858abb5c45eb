/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a condition. One that compiles is judged on events that lean on it, by three
 * evaluators that must agree.
 */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/pipeline.h"
#include "lib/fuzz.h"

#define EVENTS 6

static const char output[] = "%evt.type %proc.name";

static void judge(struct comp *c, uint64_t seed)
{
    struct judge j;
    struct gen g;
    if (!judge_open(&j, c, false, 0))
        fuzz_fail("an evaluator refuses the pack: %s", j.error);
    gen_init(&g, c, seed);
    gen_lean_on(&g, (rule_id){1});
    for (int i = 0; i < EVENTS; i++) {
        gen_event(&g);
        fuzz_judge(&j, &g.e);
    }
    judge_close(&j);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    size_t len;
    char *text = fuzz_rule((const char *)data, size, output, strlen(output), &len);
    struct comp *c = fuzz_compile(text, len, "table");
    free(text);
    if (fuzz_is_clean(c) && c->nrule == 1)
        judge(c, fuzz_hash(data, size));
    comp_free(c);
}
