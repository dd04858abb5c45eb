/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of type, lower and plan share: conditions in, the model after some passes out. */
#ifndef RULEC_TEST_MIDDLE_H
#define RULEC_TEST_MIDDLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../compiler/diag.h"
#include "../../compiler/intern.h"
#include "../../compiler/pipeline.h"
#include "../../compiler/source.h"
#include "codes.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

/* Rules r0, r1, ... with these conditions, after type, lower and plan as far as there are no
 * errors. */
static inline struct comp *middle_run(const char *const *conditions, size_t n, bool build)
{
    struct comp *c = comp_new();
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        fprintf(out,
                "- rule: r%zu\n  desc: d\n  output: o\n  priority: INFO\n"
                "  condition: >-\n    %s\n",
                i, conditions[i]);
    }
    fclose(out);
    int file = source_add(c->sources, "t.yaml", text, size);
    free(text);
    assert_true(file > 0);
    c->build = build;
    assert_int_equal(pass_load(c, (uint32_t)file), 0);
    assert_int_equal(pass_resolve(c), 0);
    assert_int_equal(pass_type(c), 0);
    if (!diag_count(c, SEV_ERROR)) {
        assert_int_equal(pass_lower(c), 0);
        assert_int_equal(pass_plan(c), 0);
    }
    return c;
}

static inline struct comp *middle_one(const char *condition)
{
    return middle_run(&condition, 1, false);
}

/* A dump as text; the caller frees it. */
static inline char *middle_dump(struct comp *c, void (*dump)(struct comp *, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    dump(c, out);
    fclose(out);
    return text;
}

#endif
