/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of texts and bytes. Of a CUT text only the beginning is known: a test is decided where
 * every text that begins so gives the same answer, else it is MAYBE.
 */
#include <string.h>

#include "match.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool find_fold(const char *s, size_t n, const char *c, size_t nc)
{
    for (size_t i = 0; i + nc <= n; i++) {
        size_t k = 0;

        while (k < nc && lower(s[i + k]) == lower(c[k]))
            k++;
        if (k == nc)
            return true;
    }
    return false;
}

static bool contains(struct val v, const char *c, size_t n, bool fold)
{
    if (fold)
        return find_fold(v.text, v.len, c, n);
    return n == 0 || memmem(v.text, v.len, c, n) != NULL;
}

/* -1, 0, 1 as C's strcmp(); `*open`: a cut text that may still go either way. */
static int order(struct val v, const char *c, size_t n, bool *open)
{
    size_t common = v.len < n ? v.len : n;
    int cmp = common ? memcmp(v.text, c, common) : 0;

    *open = false;
    if (cmp)
        return cmp < 0 ? -1 : 1;
    if (v.state == ST_CUT && v.len <= n) {
        *open = true;
        return 0;
    }
    return v.len < n ? -1 : v.len > n;
}

static enum outcome outcome(bool truth)
{
    return truth ? OUT_TRUE : OUT_FALSE;
}

/* A test that a longer text can only turn true. */
static enum outcome growing(struct val v, bool truth)
{
    return !truth && v.state == ST_CUT ? OUT_MAYBE : outcome(truth);
}

static enum outcome starts(struct val v, const char *c, size_t n)
{
    size_t common = v.len < n ? v.len : n;

    if (common && memcmp(v.text, c, common) != 0)
        return OUT_FALSE;
    return n <= v.len ? OUT_TRUE : growing(v, false);
}

static enum outcome ends(struct val v, const char *c, size_t n)
{
    if (n == 0)
        return OUT_TRUE;
    if (v.state == ST_CUT)
        return OUT_MAYBE;
    return outcome(n <= v.len && memcmp(v.text + v.len - n, c, n) == 0);
}

static enum outcome glob(struct val v, const char *c, size_t n, bool fold)
{
    return v.state == ST_CUT ? OUT_MAYBE : outcome(glob_match(v.text, v.len, c, n, fold));
}

static enum outcome paths(struct val v, const char *c, size_t n)
{
    const char *slash;

    if (v.state == ST_CUT) { /* the last component may go on */
        slash = v.len ? memrchr(v.text, '/', v.len) : NULL;
        v.len = slash ? (uint32_t)(slash - v.text) : 0;
    }
    return growing(v, path_match(v.text, v.len, c, n));
}

static enum outcome ordered(enum op_id op, struct val v, const char *c, size_t n)
{
    bool open;
    int cmp = order(v, c, n, &open);

    if (open) /* equal so far: the text is the constant, or greater */
        return op == OP_GE && v.len == n   ? OUT_TRUE
               : op == OP_LT && v.len == n ? OUT_FALSE
                                           : OUT_MAYBE;
    return outcome(op == OP_LT   ? cmp < 0
                   : op == OP_LE ? cmp <= 0
                   : op == OP_GT ? cmp > 0
                   : op == OP_GE ? cmp >= 0
                   : op == OP_NE ? cmp != 0
                                 : cmp == 0);
}

enum outcome match_text(enum op_id op, struct val v, const char *c, size_t n)
{
    switch (op) {
    case OP_EQ:
    case OP_IN:
    case OP_INTERSECTS:
    case OP_NE:
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
        return ordered(op, v, c, n);
    case OP_CONTAINS:
    case OP_BCONTAINS:
        return growing(v, contains(v, c, n, false));
    case OP_ICONTAINS:
        return growing(v, contains(v, c, n, true));
    case OP_STARTSWITH:
    case OP_BSTARTSWITH:
        return starts(v, c, n);
    case OP_ENDSWITH:
        return ends(v, c, n);
    case OP_GLOB:
    case OP_IGLOB:
        return glob(v, c, n, op == OP_IGLOB);
    case OP_PMATCH:
        return paths(v, c, n);
    case OP_EXISTS:
        return OUT_TRUE;
    case OP_REGEX: /* match_regex(): a pattern is no text */
    case OP_NONE:
    case OP_COUNT:
        break;
    }
    return OUT_FALSE;
}
