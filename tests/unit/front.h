/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the front end share: text in, the model after some passes out. */
#ifndef RULEC_TEST_FRONT_H
#define RULEC_TEST_FRONT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../compiler/diag.h"
#include "../../compiler/intern.h"
#include "../../compiler/pipeline.h"
#include "../../compiler/source.h"
#include "codes.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

/* Loads a file that is in memory. */
static inline void front_load(struct comp *c, const char *name, const char *text, size_t len)
{
    int file = source_add(c->sources, name, text, len);
    assert_true(file > 0);
    assert_int_equal(pass_load(c, (uint32_t)file), 0);
}

static inline struct comp *front_resolve(const char *text)
{
    struct comp *c = comp_new();
    front_load(c, "t.yaml", text, strlen(text));
    assert_int_equal(pass_resolve(c), 0);
    return c;
}

/* A rule around a condition that is written in YAML's single quotes by the caller's care. */
#define FRONT_RULE(condition)                                                                      \
    "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: " condition "\n"

/* Runs of blanks as one: lists leave more of them than a reader wants to count. */
static inline void front_squeeze(const char *from, char *to)
{
    for (; *from; from++)
        if (*from != ' ' || from[1] != ' ')
            *to++ = *from;
    *to = 0;
}

#endif
