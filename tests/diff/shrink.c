/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include <string.h>

#include "../../compiler/intern.h"

static bool still(struct judge *j, const struct event *e, enum check failed)
{
    uint32_t rule;
    return judge_event(j, e, j->kernel != NULL, &rule) == failed;
}

/* Without fact `i`, which the order of the others survives. */
static void drop(struct event *e, uint32_t i)
{
    memmove(&e->facts.v[i], &e->facts.v[i + 1], (e->facts.n - i - 1) * sizeof(*e->facts.v));
    e->facts.n--;
}

static void put_back(struct event *e, uint32_t i, struct fact f)
{
    memmove(&e->facts.v[i + 1], &e->facts.v[i], (e->facts.n - i) * sizeof(*e->facts.v));
    e->facts.v[i] = f;
    e->facts.n++;
}

static bool drop_one(struct judge *j, struct event *e, enum check failed)
{
    for (uint32_t i = 0; i < e->facts.n; i++) {
        struct fact f = e->facts.v[i];
        if (f.field.field == F_evt_type)
            continue;
        drop(e, i);
        if (still(j, e, failed))
            return true;
        put_back(e, i, f);
    }
    return false;
}

/* Shorter texts say more plainly what matters. */
static bool halve_one(struct judge *j, struct event *e, enum check failed)
{
    for (uint32_t i = 0; i < e->facts.n; i++) {
        struct fact *f = &e->facts.v[i];
        struct fact whole = *f;
        size_t len = f->kind == VAL_TEXT ? STRLEN(j->c, f->text) : 0;
        const struct field_info *info = catalog_field(f->field.field);
        bool free_text = info->table == FT_NONE && catalog_type(info->type)->base == BASE_TEXT;
        if (f->field.field == F_evt_type || f->state != FACT_PRESENT || f->is_list || len < 2 ||
            !free_text)
            continue;
        for (int half = 0; half < 2; half++) {
            const char *s = STR(j->c, whole.text);
            size_t cut = half ? len / 2 : 0;
            f->text = intern_put(j->c->intern, s + cut, half ? len - cut : len / 2);
            if (still(j, e, failed))
                return true;
        }
        *f = whole;
    }
    return false;
}

void shrink_event(struct judge *j, struct event *e, enum check failed)
{
    while (drop_one(j, e, failed) || halve_one(j, e, failed))
        ;
}
