/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of rules: findings, or a bundle that its own validator takes. */
#include <stdio.h>
#include <string.h>

#include "../../compiler/pipeline.h"
#include "lib/fuzz.h"

/* Every stage as text, to nowhere. */
static void dump_all(struct comp *c)
{
    FILE *out = fopen("/dev/null", "w");
    if (out) {
        pipeline_dump(c, "docs,pack,ast,dag,plan,bpf,table,rpk", out);
        fclose(out);
    }
}

void fuzz_one(const uint8_t *data, size_t size)
{
    struct comp *c = fuzz_compile((const char *)data, size, "link");
    if (fuzz_is_clean(c)) {
        char why[256];
        struct rpk pack;
        if (rpk_open(&pack, c->rpk.v, c->rpk.n, why, sizeof(why)))
            fuzz_fail("the bundle is refused: %s", why);
        dump_all(c);
    }
    comp_free(c);
}
