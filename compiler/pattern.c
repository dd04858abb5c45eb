/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include <string.h>

#include "../bpf/match.h"
#include "intern.h"
#include "regex.h"

struct written {
    char text[PATTERN_WRITTEN_MAX];
    size_t n;
    bool bad;
};

static void put(struct written *w, char ch)
{
    if (w->n == sizeof(w->text)) {
        w->bad = true;
        return;
    }
    w->text[w->n++] = ch;
}

/* A byte that stands for itself. No text of a rule has the two that mean something else. */
static void put_literal(struct written *w, char ch, bool fold)
{
    w->bad |= ch == MATCH_STAR || ch == MATCH_ANY;
    put(w, fold && ch >= 'A' && ch <= 'Z' ? (char)(ch + ('a' - 'A')) : ch);
}

static void write_glob(struct written *w, const char *s, size_t n, bool fold)
{
    for (size_t i = 0; i < n && !w->bad; i++) {
        if (s[i] == '*') {
            if (!w->n || w->text[w->n - 1] != MATCH_STAR)
                put(w, MATCH_STAR);
        } else if (s[i] == '?') {
            put(w, MATCH_ANY);
        } else if (s[i] == '\\' && i + 1 < n) {
            put_literal(w, s[++i], fold);
        } else {
            w->bad |= s[i] == '[' || s[i] == '\\';
            put_literal(w, s[i], fold);
        }
    }
}

static void write_path(struct written *w, const char *s, size_t n)
{
    bool slash = false;
    for (size_t i = 0; i < n && !w->bad; i++) {
        if (s[i] == '/') {
            slash = w->n > 0;
            continue;
        }
        if (slash)
            put(w, '/');
        slash = false;
        w->bad |= s[i] == '*' || s[i] == '?' || s[i] == '[';
        put_literal(w, s[i], false);
    }
}

bool pattern_write(const struct comp *c, enum op_id op, str_id text, str_id *out)
{
    struct written w = {.n = 0};
    if (op == OP_PMATCH)
        write_path(&w, STR(c, text), STRLEN(c, text));
    else
        write_glob(&w, STR(c, text), STRLEN(c, text), op == OP_IGLOB);
    if (!w.bad)
        *out = intern_put(c->intern, w.text, w.n);
    return !w.bad;
}

bool pattern_all_simple(const struct comp *c, const struct atom *a)
{
    bool simple = a->nval <= PATTERNS_MAX;
    str_id written;
    for (uint32_t i = 0; i < a->nval && simple; i++)
        simple = pattern_write(c, a->op, c->values.v[a->val0 + i].text, &written);
    return simple;
}

#define GLOB_SIGNS "*?[]\\"

static str_id glob_prefix(const struct comp *c, str_id glob)
{
    return intern_put(c->intern, STR(c, glob), strcspn(STR(c, glob), GLOB_SIGNS));
}

static str_id glob_suffix(const struct comp *c, str_id glob)
{
    const char *s = STR(c, glob);
    size_t n = STRLEN(c, glob), at = n;
    while (at > 0 && !strchr(GLOB_SIGNS, s[at - 1]))
        at--;
    return intern_put(c->intern, s + at, n - at);
}

str_id pattern_known(const struct comp *c, const struct atom *a, uint32_t i, enum op_id op)
{
    const struct value *v = &c->values.v[a->val0 + i];
    if (a->op == OP_GLOB)
        return op == OP_STARTSWITH ? glob_prefix(c, v->text) : glob_suffix(c, v->text);
    if (a->op != OP_REGEX)
        return (str_id){0};
    const struct regex *re = c->regexes.v[v->num];
    return op == OP_STARTSWITH ? regex_prefix(c, re) : regex_suffix(c, re);
}
