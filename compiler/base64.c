/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

static int sextet(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52;
    return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

int64_t base64_decode(const char *s, size_t n, char *out)
{
    size_t pad = 0, len = 0;
    uint32_t acc = 0;
    while (pad < 2 && n && s[n - 1] == '=' && (n + pad) % 4 == 0)
        n--, pad++;
    if (n % 4 == 1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int v = sextet(s[i]);
        if (v < 0)
            return -1;
        acc = acc << 6 | (uint32_t)v;
        if (i % 4 != 0)
            out[len++] = (char)(acc >> (6 - 2 * (i % 4)));
    }
    return (int64_t)len;
}

void base64_print(FILE *out, const char *s, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (i + k < n ? (unsigned char)s[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            fputc(i + k <= n ? digits[group >> (18 - 6 * k) & 63] : '=', out);
    }
}
