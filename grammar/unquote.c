/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes of quoted strings. */
#include "parse.h"

static int hex(char ch)
{
    return ch >= '0' && ch <= '9'   ? ch - '0'
           : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
           : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                    : -1;
}

/* The byte that `ch` stands for behind a backslash, or -1. A blank stands for the backslash. */
static int simple_escape(char ch, char quote)
{
    switch (ch) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '/':
        return '/';
    case '\\':
    case ' ':
        return '\\';
    default:
        return ch == quote ? ch : -1;
    }
}

int64_t lex_unquote(const char *s, size_t len, char *out, size_t *bad)
{
    size_t n = 0, end = len - 1;
    for (size_t i = 1; i < end; i++) {
        if (s[i] != '\\') {
            out[n++] = s[i];
            continue;
        }
        *bad = i++;
        int v = i < end ? simple_escape(s[i], s[0]) : -1;
        if (v < 0 && i + 2 < end && s[i] == 'x' && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
            v = hex(s[i + 1]) << 4 | hex(s[i + 2]);
            i += 2;
        }
        if (v < 0)
            return -1;
        out[n++] = (char)v;
    }
    return (int64_t)n;
}
