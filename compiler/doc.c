/* SPDX-License-Identifier: Apache-2.0 */
#include "doc.h"

#include <string.h>

#include "diag.h"
#include "intern.h"
#include "near.h"
#include "text.h"

/* Index into ykids of the key, or UINT32_MAX. */
static uint32_t find_key(const struct comp *c, uint32_t map, const char *key)
{
    const struct yaml *m = &c->yaml.v[map];
    for (uint32_t i = 0; m->kind == YAML_MAP && i < m->nkid; i += 2) {
        const struct yaml *k = &c->yaml.v[c->ykids.v[m->kid0 + i]];
        if (k->kind == YAML_SCALAR && !strcmp(STR(c, k->text), key))
            return m->kid0 + i;
    }
    return UINT32_MAX;
}

uint32_t doc_get(const struct comp *c, uint32_t map, const char *key)
{
    uint32_t i = find_key(c, map, key);
    return i == UINT32_MAX ? 0 : c->ykids.v[i + 1];
}

span_id doc_key_at(const struct comp *c, uint32_t map, const char *key)
{
    uint32_t i = find_key(c, map, key);
    return c->yaml.v[i == UINT32_MAX ? map : c->ykids.v[i]].at;
}

uint32_t doc_elem(const struct comp *c, uint32_t seq, uint32_t i)
{
    return c->ykids.v[c->yaml.v[seq].kid0 + i];
}

/* A value that is nothing has no place of its own that could be shown: take the key's. */
static span_id value_at(const struct comp *c, uint32_t map, const char *key, uint32_t value)
{
    span_id at = c->yaml.v[value].at;
    return c->spans.v[at.i].len ? at : doc_key_at(c, map, key);
}

enum doc_found doc_scalar(struct comp *c, uint32_t map, const char *key, uint32_t *value)
{
    *value = doc_get(c, map, key);
    if (!*value)
        return DOC_NONE;
    const struct yaml *y = &c->yaml.v[*value];
    if (y->kind == YAML_SCALAR && y->text.i)
        return DOC_OK;
    const char *is = y->kind == YAML_SEQ   ? "a sequence"
                     : y->kind == YAML_MAP ? "a mapping"
                                           : "empty";
    diag(c, RK0202, value_at(c, map, key, *value), NULL, "`%s` must have a value, but is %s", key,
         is);
    return DOC_BAD;
}

/* y yes true on and n no false off; lower, Capitalised or UPPER. */
static bool read_bool(const char *s, bool *value)
{
    static const char *const words[] = {"n", "y", "no", "yes", "false", "true", "off", "on"};
    size_t len = strlen(s), upper = 0;
    for (size_t i = 0; i < len; i++)
        upper += s[i] >= 'A' && s[i] <= 'Z';
    if (upper && upper != len && !(upper == 1 && s[0] >= 'A' && s[0] <= 'Z'))
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strcasecmp(s, words[i])) {
            *value = i % 2;
            return true;
        }
    }
    return false;
}

enum doc_found doc_scalar_or_nothing(struct comp *c, uint32_t map, const char *key, uint32_t *value)
{
    *value = doc_get(c, map, key);
    const struct yaml *y = &c->yaml.v[*value];
    if (!*value || y->kind == YAML_NULL || (y->kind == YAML_SCALAR && !y->text.i))
        return DOC_NONE;
    return doc_scalar(c, map, key, value);
}

enum doc_found doc_bool(struct comp *c, uint32_t map, const char *key, bool *value)
{
    uint32_t yaml;
    enum doc_found found = doc_scalar(c, map, key, &yaml);
    if (found != DOC_OK)
        return found;
    const struct yaml *y = &c->yaml.v[yaml];
    if (read_bool(STR(c, y->text), value))
        return DOC_OK;
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", NULL};
    diag(c, RK0203, y->at, near_of(c, STR(c, y->text), STRLEN(c, y->text), words),
         "`%s` must be true or false, not `%s`", key,
         diag_word(c, STR(c, y->text), STRLEN(c, y->text)));
    return DOC_BAD;
}

bool doc_read_uint(const char *s, uint64_t max, uint64_t *value)
{
    unsigned base = 10;
    s += *s == '+';
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    } else if (s[0] == '0' && s[1]) {
        base = 8;
        s++;
    }
    uint64_t v = 0;
    const char *p = s;
    for (; *p && !is_blank(*p); p++) {
        unsigned d = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
                     : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10
                     : *p >= 'A' && *p <= 'F' ? (unsigned)(*p - 'A') + 10
                                              : 99;
        if (d >= base || v > (max - d) / base)
            return false;
        v = v * base + d;
    }
    *value = v;
    return p != s && !p[strspn(p, " \t\r\n")];
}

enum doc_found doc_uint(struct comp *c, uint32_t map, const char *key, uint64_t max,
                        uint64_t *value)
{
    uint32_t yaml;
    enum doc_found found = doc_scalar(c, map, key, &yaml);
    if (found != DOC_OK)
        return found;
    const struct yaml *y = &c->yaml.v[yaml];
    if (doc_read_uint(STR(c, y->text), max, value))
        return DOC_OK;
    diag(c, RK0203, y->at, NULL, "`%s` must be a number without sign, not `%s`", key,
         diag_word(c, STR(c, y->text), STRLEN(c, y->text)));
    return DOC_BAD;
}

enum doc_found doc_seq(struct comp *c, uint32_t map, const char *key, uint32_t *value)
{
    *value = doc_get(c, map, key);
    if (!*value)
        return DOC_NONE;
    if (c->yaml.v[*value].kind == YAML_SEQ)
        return DOC_OK;
    diag(c, RK0202, value_at(c, map, key, *value), NULL, "`%s` must be a sequence: [a, b]", key);
    return DOC_BAD;
}

bool doc_member(struct comp *c, uint32_t yaml, const char *of)
{
    const struct yaml *y = &c->yaml.v[yaml];
    if (y->kind == YAML_SCALAR)
        return true;
    diag(c, RK0202, y->at, NULL, "a member of `%s` must be a single value, not %s", of,
         y->kind == YAML_SEQ   ? "a sequence"
         : y->kind == YAML_MAP ? "a mapping"
                               : "nothing");
    return false;
}
