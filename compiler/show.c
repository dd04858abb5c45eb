/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

struct range {
    uint32_t first, last;
};

static bool in_ranges(const struct range *r, size_t n, uint32_t cp)
{
    for (size_t i = 0; i < n; i++)
        if (cp >= r[i].first && cp <= r[i].last)
            return true;
    return false;
}

#define IN(ranges, cp) in_ranges(ranges, sizeof(ranges) / sizeof(ranges)[0], cp)

size_t show_decode(const char *s, size_t len, uint32_t *cp)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char b = (unsigned char)s[0];
    size_t n = b < 0x80 ? 1 : (b & 0xe0) == 0xc0 ? 2 : (b & 0xf0) == 0xe0 ? 3 : 4;
    *cp = UINT32_MAX;
    if (n > len || (n == 4 && (b & 0xf8) != 0xf0))
        return 1;
    uint32_t v = n == 1 ? b : b & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 1;
        v = v << 6 | ((unsigned char)s[i] & 0x3f);
    }
    if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return 1;
    *cp = v;
    return n;
}

unsigned show_width(uint32_t cp)
{
    static const struct range zero[] = {
        {0x0300, 0x036f}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    };
    static const struct range wide[] = {
        {0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},
        {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
    };
    return cp < 0x300 ? 1 : IN(zero, cp) ? 0 : IN(wide, cp) ? 2 : 1;
}

bool show_acts(uint32_t cp)
{
    static const struct range acting[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0x200e, 0x200f},
        {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff},
    };
    return IN(acting, cp);
}

static void put(FILE *out, const char *s, size_t len, bool quoted)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t cp;
        n = show_decode(s + i, len - i, &cp);
        if (quoted && (cp == '\n' || cp == '\t'))
            fputs(cp == '\n' ? "\\n" : "\\t", out);
        else if (cp == UINT32_MAX || (cp < 0x100 && show_acts(cp) && n == 1))
            fprintf(out, "\\x%02x", (unsigned char)s[i]);
        else if (show_acts(cp))
            fprintf(out, "\\u{%x}", cp);
        else if (quoted && (cp == '"' || cp == '\\'))
            fprintf(out, "\\%c", (int)cp);
        else
            fwrite(s + i, 1, n, out);
    }
}

void show_text(FILE *out, const char *s, size_t len)
{
    put(out, s, len, false);
}

void show_quoted(FILE *out, const char *s, size_t len)
{
    fputc('"', out);
    put(out, s, len, true);
    fputc('"', out);
}

void show_json(FILE *out, const char *s, size_t len)
{
    fputc('"', out);
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t cp;
        n = show_decode(s + i, len - i, &cp);
        if (cp == UINT32_MAX)
            fputs("\\ufffd", out);
        else if (cp == '"' || cp == '\\')
            fprintf(out, "\\%c", (int)cp);
        else if (cp < 0x20 || cp == 0x7f)
            fprintf(out, "\\u%04x", cp);
        else
            fwrite(s + i, 1, n, out);
    }
    fputc('"', out);
}
