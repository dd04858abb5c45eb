/* SPDX-License-Identifier: Apache-2.0 */
/* Near names and the digest: what the catalog knows beyond exact look-ups. See catalog.h. */
#include "catalog.h"

#include <string.h>
#include <strings.h>

#include "transform.h"

#define NAME_MAX_NEAR 64 /* longer words have no neighbour */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

static bool differs_in_case(const char *a, size_t na, const char *b, size_t nb)
{
    return na == nb && memcmp(a, b, na) != 0 && strncasecmp(a, b, na) == 0;
}

/* Optimal string alignment: Damerau's distance without overlapping edits, three rows of it. */
unsigned catalog_distance(const char *a, size_t na, const char *b, size_t nb, unsigned limit)
{
    unsigned rows[3][NAME_MAX_NEAR + 1];

    if (na > NAME_MAX_NEAR || nb > NAME_MAX_NEAR)
        return limit + 1;
    if (limit > 0 && differs_in_case(a, na, b, nb))
        return 1;
    for (unsigned j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= na; i++) {
        unsigned *now = rows[i % 3], *prev = rows[(i + 2) % 3], *prev2 = rows[(i + 1) % 3];
        unsigned best = now[0] = i;

        for (unsigned j = 1; j <= nb; j++) {
            unsigned cost = a[i - 1] != b[j - 1];

            now[j] = min3(prev[j] + 1, now[j - 1] + 1, prev[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                prev2[j - 2] + 1 < now[j])
                now[j] = prev2[j - 2] + 1;
            best = now[j] < best ? now[j] : best;
        }
        if (best > limit)
            return limit + 1;
    }
    return rows[na % 3][nb] <= limit ? rows[na % 3][nb] : limit + 1;
}

/* The best name so far. */
struct near {
    const char *text, *best;
    size_t len;
    unsigned limit;
};

static void near_try(struct near *n, const char *name)
{
    unsigned d = catalog_distance(n->text, n->len, name, strlen(name), n->limit);

    if (d <= n->limit && d > 0) {
        n->best = name;
        n->limit = d - 1;
    }
}

static struct near near_start(const char *text, size_t len)
{
    unsigned third = (unsigned)len / 3;

    /* Of one character nothing but others would remain. */
    return (struct near){text, NULL, len, third > 3 ? 3 : third || len < 2 ? third : 1};
}

static void near_events(struct near *n)
{
    for (int i = 1; i < EV_COUNT; i++)
        if (i != EV_generic)
            near_try(n, catalog_event((enum event_id)i)->name);
    for (unsigned i = 0; catalog_syscall_at(i); i++)
        near_try(n, catalog_syscall_at(i)->name);
}

static void near_params(struct near *n)
{
    for (int e = 1; e < EV_COUNT; e++)
        for (unsigned i = 0; i < catalog_param_count((enum event_id)e); i++)
            near_try(n, catalog_param((enum event_id)e, i)->name);
}

const char *catalog_near(enum near_kind kind, const char *name, size_t len)
{
    struct near n = near_start(name, len);

    switch (kind) {
    case NEAR_FIELD:
        for (int i = 1; i < F_COUNT; i++)
            near_try(&n, catalog_field((enum field_id)i)->name);
        break;
    case NEAR_EVENT:
        near_events(&n);
        break;
    case NEAR_OP:
        for (int i = 1; i < OP_COUNT; i++)
            near_try(&n, catalog_op((enum op_id)i)->text);
        break;
    case NEAR_PARAM:
        near_params(&n);
        break;
    case NEAR_TRANSFORMER:
        for (int i = XF_NONE + 1; i < XF_VAL; i++)
            near_try(&n, xform_name((enum xform_id)i));
        break;
    }
    return n.best;
}

const char *catalog_near_flag(enum flag_table table, const char *name, size_t len)
{
    struct near n = near_start(name, len);
    unsigned rows;
    const struct flag_row *f = catalog_flags(table, &rows);

    for (unsigned i = 0; i < rows; i++)
        near_try(&n, f[i].text);
    return n.best;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t fnv(uint64_t h, const char *text)
{
    do
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    while (*text++);
    return h;
}

/* Every row of every table, as written. */
static const char *const rows[] = {
#define TYPE(...) #__VA_ARGS__,
#include "types.def"
#define OP(...) #__VA_ARGS__,
#include "ops.def"
#define EVENT(...) #__VA_ARGS__,
#include "events.def"
#define PARAM(...) #__VA_ARGS__,
#include "params.def"
#define SYSCALL(...) #__VA_ARGS__,
#include "syscalls.def"
#define FIELD(...) #__VA_ARGS__,
#include "fields.def"
#define FLAG_TABLE(...) #__VA_ARGS__,
#define FLAG(...) #__VA_ARGS__,
#include "flags.def"
#define SLOT_NUM(...) #__VA_ARGS__,
#define SLOT_STR(...) #__VA_ARGS__,
#include "slots.def"
};

uint64_t catalog_digest(void)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        h = fnv(h, rows[i]);
    return h;
}
