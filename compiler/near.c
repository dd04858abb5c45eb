/* SPDX-License-Identifier: Apache-2.0 */
#include "near.h"

#include <string.h>

#include "arena.h"
#include "diag.h"

struct near near_start(const char *word, size_t len)
{
    size_t third = len / 3;
    unsigned most = third < 1 ? 1 : third > 3 ? 3 : (unsigned)third;
    return (struct near){.word = word, .len = len, .limit = most + 1};
}

void near_try(struct near *n, const char *name, size_t len)
{
    if (n->limit > 1) {
        unsigned d = catalog_distance(n->word, n->len, name, len, n->limit - 1);
        if (d < n->limit) {
            n->limit = d;
            n->best = name;
        }
    }
}

const char *near_hint(struct comp *c, const char *name)
{
    return name ? arena_printf(c->arena, "did you mean `%s`?", diag_word(c, name, strlen(name)))
                : NULL;
}

const char *near_of(struct comp *c, const char *word, size_t len, const char *const *names)
{
    struct near n = near_start(word, len);
    for (size_t i = 0; names[i]; i++)
        near_try(&n, names[i], strlen(names[i]));
    return near_hint(c, n.best);
}
