/* SPDX-License-Identifier: Apache-2.0 */
/* Is a text well-formed JSON? Written for this alone: the project's own reader takes less. */
#include <string.h>

#include "../../../compiler/show.h"
#include "fuzz.h"

#define DEPTH_MAX 16

struct reader {
    const char *s, *at, *end;
    const char *why;
};

static bool broken(struct reader *r, const char *why)
{
    r->why = r->why ? r->why : why;
    return false;
}

static bool one_of(const char *set, char ch)
{
    return ch && strchr(set, ch);
}

static void blanks(struct reader *r)
{
    while (r->at < r->end && one_of(" \t\r\n", *r->at))
        r->at++;
}

static bool take(struct reader *r, char ch)
{
    blanks(r);
    if (r->at < r->end && *r->at == ch) {
        r->at++;
        return true;
    }
    return false;
}

static bool escape(struct reader *r)
{
    if (r->at < r->end && one_of("\"\\/bfnrt", *r->at)) {
        r->at++;
        return true;
    }
    bool good = r->end - r->at >= 5 && *r->at == 'u';
    for (int i = 1; i <= 4 && good; i++)
        good = one_of("0123456789abcdefABCDEF", r->at[i]);
    r->at += good ? 5 : 0;
    return good || broken(r, "an escape");
}

static bool string(struct reader *r)
{
    if (!take(r, '"'))
        return broken(r, "no string");
    while (r->at < r->end && *r->at != '"') {
        uint32_t cp;
        size_t n = show_decode(r->at, (size_t)(r->end - r->at), &cp);
        if (cp == UINT32_MAX || cp < 0x20)
            return broken(r, cp < 0x20 ? "a control character" : "a byte that is no UTF-8");
        r->at += n;
        if (cp == '\\' && !escape(r))
            return false;
    }
    return take(r, '"') || broken(r, "a string does not end");
}

static bool number(struct reader *r)
{
    const char *from = r->at;
    r->at += r->at < r->end && *r->at == '-';
    const char *digits = r->at;
    while (r->at < r->end && one_of("0123456789", *r->at))
        r->at++;
    if (r->at == digits || (*digits == '0' && r->at - digits > 1))
        return broken(r, "a number");
    while (r->at < r->end && one_of("0123456789.eE+-", *r->at))
        r->at++;
    return r->at > from;
}

static bool word(struct reader *r)
{
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(r->end - r->at) >= n && !memcmp(r->at, words[i], n)) {
            r->at += n;
            return true;
        }
    }
    return number(r);
}

static bool value(struct reader *r, unsigned depth)
{
    blanks(r);
    char open = r->at < r->end ? *r->at : 0;
    if (open == '"')
        return string(r);
    if (open != '{' && open != '[')
        return word(r);
    r->at++;
    char close = open == '{' ? '}' : ']';
    for (bool first = true; !take(r, close); first = false) {
        if (depth == DEPTH_MAX || (!first && !take(r, ',')))
            return broken(r, depth == DEPTH_MAX ? "too deep" : "no comma");
        if (open == '{' && (!string(r) || !take(r, ':')))
            return broken(r, "no key");
        if (!value(r, depth + 1))
            return false;
    }
    return true;
}

void fuzz_check_json(const char *text, size_t len)
{
    struct reader r = {.s = text, .at = text, .end = text + len};
    bool good = value(&r, 0);
    blanks(&r);
    if (!good || r.at < r.end) {
        fuzz_fail("not JSON at byte %zu, %s: %.*s", (size_t)(r.at - text),
                  r.why ? r.why : "more text", (int)(len < 2000 ? len : 2000), text);
    }
}
