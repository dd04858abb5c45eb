/* SPDX-License-Identifier: Apache-2.0 */
#include "ops.h"

#include <string.h>

/* ---- which operators a type has: rule-language 5.1 ---- */

static bool is_equality(enum op_id op)
{
    return op == OP_EQ || op == OP_NE || op == OP_IN || op == OP_INTERSECTS;
}

static bool is_order(enum op_id op)
{
    return op == OP_LT || op == OP_LE || op == OP_GT || op == OP_GE;
}

static bool is_bytewise(enum op_id op)
{
    return op == OP_BCONTAINS || op == OP_BSTARTSWITH;
}

bool ops_defined(enum op_id op, enum type_id type, bool list)
{
    if (op == OP_NONE)
        return false;
    if (op == OP_EXISTS)
        return true;
    if (list)
        return op == OP_IN || op == OP_INTERSECTS;
    switch (catalog_type(type)->base) {
    case BASE_TEXT:
        return !is_bytewise(op);
    case BASE_BYTES:
        return is_equality(op) || is_bytewise(op) || op == OP_CONTAINS || op == OP_STARTSWITH ||
               op == OP_ENDSWITH;
    case BASE_INT:
    case BASE_UINT:
    case BASE_PORT:
    case BASE_DOUBLE:
        return is_equality(op) || is_order(op);
    case BASE_BOOL:
    case BASE_IP:
    case BASE_NET:
        return is_equality(op);
    case BASE_NONE:
        break;
    }
    return false;
}

/* ---- bytes ---- */

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static int compare(const char *a, size_t na, const char *c, size_t nc)
{
    int order = memcmp(a, c, na < nc ? na : nc);

    return order != 0 ? order : (na > nc) - (na < nc);
}

static bool starts(const char *a, size_t na, const char *c, size_t nc)
{
    return nc <= na && memcmp(a, c, nc) == 0;
}

static bool ends(const char *a, size_t na, const char *c, size_t nc)
{
    return nc <= na && memcmp(a + (na - nc), c, nc) == 0;
}

static bool contains(const char *a, size_t na, const char *c, size_t nc)
{
    for (size_t i = 0; nc <= na && i <= na - nc; i++)
        if (memcmp(a + i, c, nc) == 0)
            return true;
    return false;
}

static bool icontains(const char *a, size_t na, const char *c, size_t nc)
{
    for (size_t i = 0; nc <= na && i <= na - nc; i++) {
        size_t j = 0;

        while (j < nc && lower((unsigned char)a[i + j]) == lower((unsigned char)c[j]))
            j++;
        if (j == nc)
            return true;
    }
    return false;
}

static bool ordered(enum op_id op, int order)
{
    return (op == OP_LT && order < 0) || (op == OP_LE && order <= 0) ||
           (op == OP_GT && order > 0) || (op == OP_GE && order >= 0) || (op == OP_NE && order) ||
           ((op == OP_EQ || op == OP_IN || op == OP_INTERSECTS) && order == 0);
}

bool ops_text(enum op_id op, const char *a, size_t na, const char *c, size_t nc)
{
    na = strnlen(a, na);
    switch ((int)op) {
    case OP_EXISTS:
        return true;
    case OP_CONTAINS:
        return contains(a, na, c, nc);
    case OP_ICONTAINS:
        return icontains(a, na, c, nc);
    case OP_STARTSWITH:
        return starts(a, na, c, nc);
    case OP_ENDSWITH:
        return ends(a, na, c, nc);
    case OP_GLOB:
    case OP_IGLOB:
        return ops_glob(c, nc, a, na, op == OP_IGLOB);
    case OP_PMATCH:
        return ops_pmatch(a, na, c, nc);
    default:
        return ordered(op, compare(a, na, c, nc));
    }
}

bool ops_bytes(enum op_id op, const char *a, size_t na, const char *c, size_t nc)
{
    switch ((int)op) {
    case OP_EXISTS:
        return true;
    case OP_CONTAINS:
    case OP_BCONTAINS:
        return contains(a, na, c, nc);
    case OP_STARTSWITH:
    case OP_BSTARTSWITH:
        return starts(a, na, c, nc);
    case OP_ENDSWITH:
        return ends(a, na, c, nc);
    default:
        return is_equality(op) && ordered(op, compare(a, na, c, nc));
    }
}

/* ---- numbers and addresses ---- */

bool ops_num(enum op_id op, bool is_signed, int64_t a, int64_t c)
{
    uint64_t ua = (uint64_t)a, uc = (uint64_t)c;

    if (op == OP_EXISTS)
        return true;
    return ordered(op, is_signed ? (a > c) - (a < c) : (ua > uc) - (ua < uc));
}

bool ops_real(enum op_id op, double a, double c)
{
    return op == OP_EXISTS || ordered(op, (a > c) - (a < c));
}

double ops_real_of(int64_t bits)
{
    double out;

    memcpy(&out, &bits, sizeof(out));
    return out;
}

int64_t ops_real_bits(double v)
{
    int64_t out;

    v += 0.0; /* one zero, not two */
    memcpy(&out, &v, sizeof(out));
    return out;
}

static bool same_bits(const uint8_t *a, const uint8_t *c, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++)
        if ((a[i / 8] ^ c[i / 8]) & (0x80 >> i % 8))
            return false;
    return true;
}

bool ops_net(enum op_id op, const struct ops_addr *a, const struct ops_addr *net, unsigned prefix)
{
    unsigned most = a->family == 4 ? 32 : 128;
    bool inside =
        a->family == net->family && prefix <= most && same_bits(a->bytes, net->bytes, prefix);

    if (op == OP_EXISTS)
        return true;
    return is_equality(op) && inside == (op != OP_NE);
}

bool ops_ip(enum op_id op, const struct ops_addr *a, const struct ops_addr *c)
{
    return ops_net(op, a, c, c->family == 4 ? 32 : 128);
}

/* ---- several sides, constants or members ---- */

bool ops_either(enum op_id op, bool client, bool server)
{
    return op == OP_NE ? client && server : client || server;
}

bool ops_combine(enum op_id op, enum op_modifier mod, size_t hits, size_t total)
{
    if (op == OP_EXISTS)
        return true;
    switch (mod) {
    case MOD_ALLOF:
        return total > 0 && hits == total;
    case MOD_ONEOF:
        return hits == 1;
    case MOD_ANYOF:
    case MOD_NONE: /* a list operator, or a single constant */
        break;
    }
    return hits > 0;
}

bool ops_list(enum op_id op, size_t members, size_t hits)
{
    if (op == OP_EXISTS)
        return true;
    return op == OP_IN ? hits == members : op == OP_INTERSECTS && hits > 0;
}

/* ---- globs ---- */

/* A pattern, `s` moving towards `end`. */
struct pattern {
    const char *s, *end;
    bool nocase;
};

static unsigned char fold(const struct pattern *p, char c)
{
    return p->nocase ? lower((unsigned char)c) : (unsigned char)c;
}

static bool in_range(unsigned char c, char from, char to)
{
    return c >= (unsigned char)from && c <= (unsigned char)to;
}

/* [:name:] in the C locale; bytes above 127 are of no class. */
static bool in_class(const char *name, size_t len, unsigned char c, bool *known)
{
    bool upper = in_range(c, 'A', 'Z'), low = in_range(c, 'a', 'z'), digit = in_range(c, '0', '9');
    bool hex = digit || in_range(c, 'a', 'f') || in_range(c, 'A', 'F');
    bool graph = c > ' ' && c < 127, blank = c == ' ' || c == '\t';
    const struct {
        const char *name;
        bool is;
    } classes[] = {
        {"alnum", upper || low || digit},
        {"alpha", upper || low},
        {"blank", blank},
        {"cntrl", c < ' ' || c == 127},
        {"digit", digit},
        {"graph", graph},
        {"lower", low},
        {"print", graph || c == ' '},
        {"punct", graph && !upper && !low && !digit},
        {"space", blank || in_range(c, '\n', '\r')},
        {"upper", upper},
        {"xdigit", hex},
    };

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (strlen(classes[i].name) == len && memcmp(classes[i].name, name, len) == 0)
            return classes[i].is;
    *known = false;
    return false;
}

/* At "[:name:]": its length in all, and the name's; 0 if this is just a bracket. */
static size_t class_length(const struct pattern *p, size_t *name)
{
    const char *s = p->s + 2;

    if (p->end - p->s < 4 || p->s[0] != '[' || p->s[1] != ':')
        return 0;
    while (s < p->end && in_range((unsigned char)*s, 'a', 'z'))
        s++;
    *name = (size_t)(s - (p->s + 2));
    return p->end - s >= 2 && s[0] == ':' && s[1] == ']' ? *name + 4 : 0;
}

/* One byte of a bracket: plain, behind a backslash, or as [.x.] or [=x=]. False at the end. */
static bool member(struct pattern *p, unsigned char *c)
{
    const char *s = p->s;
    ptrdiff_t left = p->end - s;

    if (left >= 5 && s[0] == '[' && (s[1] == '.' || s[1] == '=') && s[3] == s[1] && s[4] == ']') {
        *c = fold(p, s[2]);
        p->s += 5;
        return true;
    }
    if (left > 0 && *s == '\\') {
        p->s++;
        left--;
    }
    if (left == 0)
        return false;
    *c = fold(p, *p->s++);
    return true;
}

enum found { FOUND_NO, FOUND_YES, FOUND_NO_BRACKET };

/* Behind a '[': does the bracket hold `c`? Moves behind its ']' unless there is none. */
static enum found bracket(struct pattern *p, char c)
{
    const char *start = p->s, *first;
    bool hit = false, known = true, negated;

    negated = p->s < p->end && (*p->s == '!' || *p->s == '^');
    p->s += negated;
    for (first = p->s; p->s < p->end && (*p->s != ']' || p->s == first);) {
        unsigned char from, to;
        size_t name, len = class_length(p, &name);

        if (len > 0) {
            hit |= in_class(p->s + 2, name, (unsigned char)c, &known);
            p->s += len;
            continue;
        }
        if (!member(p, &from))
            break;
        to = from;
        if (p->end - p->s >= 2 && p->s[0] == '-' && p->s[1] != ']') {
            p->s++;
            if (!member(p, &to))
                break;
        }
        hit |= fold(p, c) >= from && fold(p, c) <= to;
    }
    if (p->s == p->end) {
        p->s = start;
        return FOUND_NO_BRACKET;
    }
    p->s++;
    return known && hit != negated ? FOUND_YES : FOUND_NO;
}

/* Takes one element other than '*' from the pattern; true if it matches `c`. */
static bool element(struct pattern *p, char c)
{
    char e = *p->s++;
    enum found found;

    if (e == '?')
        return true;
    if (e == '[') {
        found = bracket(p, c);
        if (found != FOUND_NO_BRACKET)
            return found == FOUND_YES;
    }
    if (e == '\\') {
        if (p->s == p->end)
            return false;
        e = *p->s++;
    }
    return fold(p, e) == fold(p, c);
}

/* On a mismatch the last '*' takes one byte more: earlier ones need never change their mind. */
bool ops_glob(const char *pat, size_t np, const char *text, size_t nt, bool nocase)
{
    struct pattern p = {pat, pat + np, nocase};
    const char *end = text + nt, *star = NULL, *mark = NULL;

    while (text < end) {
        if (p.s < p.end && *p.s == '*') {
            star = ++p.s;
            mark = text;
        } else if (p.s < p.end && element(&p, *text)) {
            text++;
        } else if (star) {
            p.s = star;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (p.s < p.end && *p.s == '*')
        p.s++;
    return p.s == p.end;
}

/* ---- paths ---- */

/* The next component of [*s, end) without its slashes; its length, 0 at the end. */
static size_t component(const char **s, const char *end, const char **at)
{
    while (*s < end && **s == '/')
        (*s)++;
    *at = *s;
    while (*s < end && **s != '/')
        (*s)++;
    return (size_t)(*s - *at);
}

static bool is_glob(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == '*' || s[i] == '?' || s[i] == '[')
            return true;
    return false;
}

bool ops_pmatch(const char *text, size_t nt, const char *path, size_t np)
{
    const char *text_end = text + nt, *path_end = path + np, *t, *c;
    size_t tn, cn;

    while ((cn = component(&path, path_end, &c)) > 0) {
        tn = component(&text, text_end, &t);
        if (tn == 0)
            return false;
        if (is_glob(c, cn) ? !ops_glob(c, cn, t, tn, false) : tn != cn || memcmp(t, c, cn) != 0)
            return false;
    }
    return true;
}
