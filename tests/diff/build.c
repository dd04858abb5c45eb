/* SPDX-License-Identifier: Apache-2.0 */
/* Packs of files and of text, compiled through link. */
#include "diff.h"

#include <stdio.h>

#include "../../compiler/diag.h"
#include "../../compiler/pipeline.h"
#include "../../compiler/source.h"

static bool report(struct comp *c, const char *what)
{
    if (!diag_count(c, SEV_ERROR))
        return true;
    printf("%s: does not compile\n", what);
    fflush(stdout);
    diag_report(c);
    return false;
}

static bool finish(struct comp *c, const char *what)
{
    int (*const passes[])(struct comp *) = {pass_lower, pass_plan, pass_bpf, pass_table, pass_link};
    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
        if (passes[i](c)) {
            printf("%s: pass %zu could not run\n", what, i);
            return false;
        }
        if (!report(c, what))
            return false;
    }
    return true;
}

struct comp *build_files(char *const *paths, int npath, uint32_t only)
{
    struct comp *c = comp_new();
    bool good = !pipeline_run(c, paths, npath, "type") && report(c, paths[0]);
    for (uint32_t i = 1; i < c->rules.n && only; i++)
        if (i != only)
            c->rules.v[i].dropped = true;
    if (good && finish(c, paths[0]))
        return c;
    comp_free(c);
    return NULL;
}

struct comp *build_text(const char *what, const char *text, size_t len)
{
    struct comp *c = comp_new();
    int file = source_add(c->sources, what, text, len);
    if (file >= 0 && !pass_load(c, (uint32_t)file) && !pass_resolve(c) && !pass_type(c) &&
        report(c, what) && finish(c, what))
        return c;
    comp_free(c);
    return NULL;
}
