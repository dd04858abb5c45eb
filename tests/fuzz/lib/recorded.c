/* SPDX-License-Identifier: Apache-2.0 */
/* What the harnesses of recorded events share. */
#include <string.h>

#include "../../../compiler/diag.h"
#include "../../../compiler/pipeline.h"
#include "fuzz.h"

void fuzz_open_pack(struct rpk *pack)
{
    char stdlib[] = "stdlib", rules[] = "rules", why[256];
    char *paths[] = {stdlib, rules};
    static struct comp *c; /* what the bundle points into */
    c = comp_new();
    if (pipeline_run(c, paths, 2, "table") || diag_count(c, SEV_ERROR) ||
        rpk_open_section(pack, c->table.v, c->table.n, why, sizeof(why)))
        fuzz_fail("the rules of stdlib and rules do not compile");
}

ssize_t fuzz_read(void *ctx, void *buf, size_t n)
{
    struct fuzz_bytes *b = ctx;
    n = n < b->left ? n : b->left;
    memcpy(buf, b->at, n);
    b->at += n;
    b->left -= n;
    return (ssize_t)n;
}
