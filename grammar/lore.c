/* SPDX-License-Identifier: Apache-2.0 */
#include "lore.h"

#include <string.h>

/* The text slots fit into a key. */
#define LORE(id, num, str, doc)                                                                    \
    _Static_assert(sizeof(((struct ev *)0)->s_##str) <= LORE_TEXT, "text of a key");
#include "lore.def"

static const struct lore_info infos[LORE_KINDS] = {
#define LORE(id, num, str, doc) [LORE_##id] = {num, S_##str, #id, doc},
#include "lore.def"
};

static const struct {
    uint16_t field;
    uint8_t kind, indexed;
} fields[] = {
#define LORE_FIELD(field, kind) {F_##field, LORE_##kind, 0},
#define LORE_NAMES(field, kind) {F_##field, LORE_##kind, 1},
#include "lore.def"
};

static const struct {
    const char *cls;
    uint8_t kind;
} classes[] = {
#define LORE_CLASS(cls, kind) {cls, LORE_##kind},
#include "lore.def"
};

enum lore_kind lore_of_field(enum field_id f, int32_t index)
{
    const struct field_info *info = catalog_field(f);
    if (info->source != SRC_USER)
        return LORE_KINDS;
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (fields[i].field == f)
            return index < 0 || fields[i].indexed ? (enum lore_kind)fields[i].kind : LORE_KINDS;
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        if (!strcmp(classes[i].cls, info->cls))
            return (enum lore_kind)classes[i].kind;
    return LORE_KINDS;
}

const struct lore_info *lore_info(enum lore_kind kind)
{
    return &infos[kind];
}

uint64_t lore_groups(enum lore_kind kind)
{
    const struct lore_info *k = &infos[kind];
    uint64_t groups = 1ull << catalog_slot(SLOT_OF_STR((unsigned)k->str))->group;
    if (k->num != N_COUNT)
        groups |= 1ull << catalog_slot((unsigned)k->num)->group;
    return groups;
}
