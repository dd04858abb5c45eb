/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shell patterns, as fnmatch(3) of glibc matches them without flags in the C locale: `*` and `?`
 * match any byte, `/` and a leading `.` included. Stars are matched by going back to the last one
 * only, which is enough and keeps the time to length of text times length of pattern.
 */
#include "match.h"

#include <string.h>

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static bool alpha(unsigned char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool graph(unsigned char c)
{
    return c > 0x20 && c < 0x7f;
}

/* The character classes of the C locale; -1: no such class. */
static int in_class(const char *name, size_t n, unsigned char c)
{
    const struct {
        const char *name;
        bool in;
    } classes[] = {
        {"alpha", alpha(c)},
        {"digit", digit(c)},
        {"alnum", alpha(c) || digit(c)},
        {"upper", c >= 'A' && c <= 'Z'},
        {"lower", c >= 'a' && c <= 'z'},
        {"space", c == ' ' || (c >= '\t' && c <= '\r')},
        {"blank", c == ' ' || c == '\t'},
        {"punct", graph(c) && !alpha(c) && !digit(c)},
        {"print", graph(c) || c == ' '},
        {"graph", graph(c)},
        {"cntrl", c < 0x20 || c == 0x7f},
        {"xdigit", digit(c) || (lower(c) >= 'a' && lower(c) <= 'f')},
    };

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strlen(classes[i].name) == n && memcmp(classes[i].name, name, n) == 0)
            return classes[i].in;
    return -1;
}

/* A cursor over a pattern. */
struct pat {
    const char *at, *end;
};

/* EXACT: a byte that is matched as it is, folding or not. */
enum item { ITEM_BAD, ITEM_CLASS, ITEM_EXACT, ITEM_CHAR };

/* Reads `[:name:]`, `[=x=]`, `[.x.]` or a (quoted) byte; sets `*c`, or for a class `*hit`. */
static enum item bracket_item(struct pat *p, unsigned char probe, unsigned char *c, bool *hit)
{
    if (p->end - p->at >= 2 && p->at[0] == '[' && (p->at[1] == ':')) {
        const char *name = p->at + 2, *q = name;

        while (q < p->end && *q >= 'a' && *q <= 'z')
            q++;
        if (p->end - q >= 2 && q[0] == ':' && q[1] == ']') {
            int in = in_class(name, (size_t)(q - name), probe);

            p->at = q + 2;
            *hit = in > 0;
            return in < 0 ? ITEM_BAD : ITEM_CLASS;
        }
    }
    if (p->end - p->at >= 5 && p->at[0] == '[' && (p->at[1] == '.' || p->at[1] == '=') &&
        p->at[3] == p->at[1] && p->at[4] == ']') {
        *c = (unsigned char)p->at[2];
        p->at += 5;
        return ITEM_EXACT;
    }
    if (p->at < p->end && *p->at == '\\')
        p->at++;
    if (p->at == p->end)
        return ITEM_BAD;
    *c = (unsigned char)*p->at++;
    return ITEM_CHAR;
}

/* The upper end of a range that begins with a byte just read; true if there is one. */
static bool range_end(struct pat *p, unsigned char probe, unsigned char *high)
{
    bool hit;

    if (p->end - p->at < 2 || p->at[0] != '-' || p->at[1] == ']')
        return false;
    p->at++;
    return bracket_item(p, probe, high, &hit) >= ITEM_EXACT;
}

/*
 * Matches one byte against a bracket whose `[` is read. 1 yes, 0 no, -1: no closing bracket, so
 * that the `[` stands for itself; -2: a pattern that nothing matches (unknown class).
 */
static int bracket(struct pat *p, unsigned char raw, bool fold)
{
    unsigned char c = fold ? lower(raw) : raw, low = 0, high = 0;
    bool negate = p->at < p->end && (*p->at == '!' || *p->at == '^');
    bool matched = false, first = true, range;

    p->at += negate;
    while (p->at < p->end && (*p->at != ']' || first)) {
        bool hit = false;
        enum item item = bracket_item(p, raw, &low, &hit);

        first = false;
        if (item == ITEM_BAD)
            return p->at == p->end ? -1 : -2;
        if (item == ITEM_CLASS) {
            matched |= hit;
            continue;
        }
        range = range_end(p, raw, &high);
        if (item == ITEM_EXACT && !range) {
            matched |= raw == low;
            continue;
        }
        low = fold ? lower(low) : low;
        high = !range ? low : fold ? lower(high) : high;
        matched |= c >= low && c <= high;
    }
    if (p->at == p->end)
        return -1;
    p->at++;
    return matched != negate;
}

/* Matches one byte of text with the pattern's next element (not a star); advances the pattern. */
static bool one(struct pat *p, unsigned char c, bool fold)
{
    const char *start = p->at;
    unsigned char want = (unsigned char)*p->at++;
    int in;

    if (want == '?')
        return true;
    if (want == '[') {
        in = bracket(p, c, fold);
        if (in != -1)
            return in == 1;
        p->at = start + 1;
    } else if (want == '\\') {
        if (p->at == p->end)
            return false;
        want = (unsigned char)*p->at++;
    }
    return fold ? lower(want) == lower(c) : want == c;
}

bool glob_match(const char *s, size_t n, const char *pat, size_t np, bool fold)
{
    struct pat p = {pat, pat + np};
    const char *end = s + n, *star = NULL, *from = NULL;

    while (s < end) {
        if (p.at < p.end && *p.at == '*') {
            star = ++p.at;
            from = s;
            continue;
        }
        if (p.at < p.end && one(&p, (unsigned char)*s, fold)) {
            s++;
            continue;
        }
        if (!star)
            return false;
        p.at = star;
        s = ++from;
    }
    while (p.at < p.end && *p.at == '*')
        p.at++;
    return p.at == p.end;
}

/* The next component of a path, empty ones skipped; false at the end. */
static bool component(const char **s, const char *end, const char **part, size_t *len)
{
    while (*s < end && **s == '/')
        ++*s;
    *part = *s;
    while (*s < end && **s != '/')
        ++*s;
    *len = (size_t)(*s - *part);
    return *len > 0;
}

static bool is_glob(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == '*' || s[i] == '?' || s[i] == '[')
            return true;
    return false;
}

bool path_match(const char *s, size_t n, const char *pat, size_t np)
{
    const char *end = s + n, *pend = pat + np, *a, *b;
    size_t na, nb;

    while (component(&pat, pend, &b, &nb)) {
        if (!component(&s, end, &a, &na))
            return false;
        if (is_glob(b, nb) ? !glob_match(a, na, b, nb, false) : na != nb || memcmp(a, b, na) != 0)
            return false;
    }
    return true;
}
